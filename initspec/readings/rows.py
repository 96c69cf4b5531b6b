"""The rows of the dialects, as those who ask for them by name need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import UnknownName
from .books import book_of, dialect_names
from .entry import Entry

#: Where the dialects are listed.
DIALECTS = "`initspec list` has them after the @ of its names."


def dialect(name: str) -> Mapping[str, Any]:
    """What one dialect says of itself; raises :class:`UnknownName`, with the nearest offered.

    >>> dialect("torch")["fans"]
    'torch'
    """
    if not isinstance(name, str) or name not in dialect_names():
        raise UnknownName("dialect", name, dialect_names(), listed=DIALECTS)
    return book_of(name).head


def rows(name: str | None) -> tuple[Entry, ...]:
    """The rows of a dialect, or of the bare names, each version by itself."""
    if name is not None:
        dialect(name)  # which may be unknown
    return tuple(book_of(name).entries.values())


def readings(base: str, dialect: str | None = None) -> tuple[Entry, ...]:
    """Every row of a base name: in one dialect, or in all of them and without one.

    >>> [entry.name for entry in readings("he_normal", "torch")]
    ['he_normal@torch']
    """
    asked = (None, *dialect_names()) if dialect is None else (dialect,)
    return tuple(entry for name in asked for entry in book_of(name).versions.get(base, ()))
