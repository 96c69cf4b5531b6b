"""Every named scheme as a string that Keras takes: ``kernel_initializer="initspec>he_normal"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from ...readings.registry import schemes
from .adapter import PACKAGE, KerasInitializer


@dataclass(frozen=True, slots=True)
class _Named:
    """What ``keras.initializers.get("initspec>he_normal")`` finds: it asks for ``from_config``."""

    scheme: str

    def from_config(self, config: Mapping[str, Any]) -> KerasInitializer:
        """The initializer of the scheme, with the options that Keras read."""
        return KerasInitializer(self.scheme, **config)


def register() -> None:
    """Tell Keras the names of all schemes, and every alias of one."""
    known = keras.saving.get_custom_objects()
    for row in schemes:
        base, at, dialect = row.partition("@")
        same = schemes[base].aliases if base in schemes else ()
        for name in {row, *schemes[row].aliases, *(f"{other}{at}{dialect}" for other in same)}:
            known.setdefault(f"{PACKAGE}>{name}", _Named(name))
