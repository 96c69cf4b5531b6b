"""Pickles of initspec 0.1 load: they name the files in which classes lay then.

This exists for pickles and is no API. A finder at the end of ``sys.meta_path``, asked only where
nothing else finds a module, answers for the old names below with a module that is empty until a
name is asked of it; a class, or a function that a pickle calls, is then looked up in the files
where it lies now. Public classes need no new line here when they move: pickles of today name
``initspec`` alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import FunctionType, MappingProxyType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

#: Old module: the modules, separated by spaces, that hold its classes now. All are in initspec.
MOVED: Mapping[str, str] = MappingProxyType(
    {
        "backends._jax": "backends.jax.adapter",
        "backends._keras": "backends.keras.adapter",
        "backends._numpy": "backends.numpy.adapter",
        "backends._tensorflow": "backends.tensorflow.adapter",
        "backends._torch": "backends.torch.adapter",
        "candidates": "analysis.candidates",
        "codegen": "readings.to_framework",
        "compare": "analysis.difference",
        "conformance.record": "conformance.report.record",
        "curves": "figures.curves",
        "custom": "spec.custom",
        "distribution": "spec.distribution spec.marginals",
        "draw": "spec.integer_form",
        "entry": "readings.entry",
        "fan_rules": "spec.fan_rules",
        "index": "stream.canonical_order",
        "inference": "analysis.inference analysis.matches",
        "layer_defaults": "layers.parameter",
        "layout": "spec.layout",
        "names": "readings.names",
        "porting": "layers.port layers.pairs",
        "propagation": "analysis.signal",
        "scheme": "spec.scheme",
        "structure": "spec.tensor_laws spec.custom",
        "truncation": "spec.truncation",
    }
)

#: Classes that have another name now.
RENAMED: Mapping[str, str] = MappingProxyType({"Law": "CustomLaw"})


def install() -> None:
    """Append the finder, once."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())


class _Finder:
    """Finds the modules of :data:`MOVED`, and makes them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, old = name.partition(".")
        if package != "initspec" or old not in MOVED:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Moved(spec.name, f"Where pickles look for what is now in {MOVED[_old(spec.name)]}.")

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs: names are looked up when a pickle asks for them."""


class _Moved(ModuleType):
    def __getattr__(self, name: str) -> object:
        from importlib import import_module

        package = import_module("initspec")
        homes = [f"initspec.{home}" for home in MOVED[_old(self.__name__)].split()]
        for home in ["initspec"] * (name in package.__all__) + homes:
            module = import_module(home)
            value = getattr(module, name, None) or getattr(module, RENAMED.get(name, name), None)
            if isinstance(value, (type, FunctionType)):
                return value
        raise AttributeError(f"no pickle of initspec holds {self.__name__}.{name}")


def _old(name: str) -> str:
    return name.partition(".")[2]
