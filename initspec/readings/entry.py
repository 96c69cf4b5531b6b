"""One row of the registry, and how its arguments make a scheme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..errors import SpecError, UnknownName, short_repr
from ..spec.arguments import plain
from ..spec.scheme import Scheme
from ..spec.truncation import Truncation
from .argument import Argument
from .names import Name


def _none() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A name and all that is known of it.

    Rows of a dialect say besides what the framework calls it (``call``; ``bare`` where that is
    the initializer itself, and no maker of one), which arguments it has no defaults for
    (``required``), on what each of its scale arguments is counted (``units``: variance, std or
    limit), for which versions it holds (from ``since`` on, before ``until``), and where that was
    read, or run (``source``, ``evidence``).
    """

    name: str
    title: str
    scheme: Mapping[str, Any]
    summary: str = ""
    note: str = ""
    aliases: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    arguments: Mapping[str, Argument] = field(default_factory=_none)
    call: str = ""
    bare: bool = False
    required: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=_none)
    since: str | None = None
    until: str | None = None
    version: str = ""
    evidence: str = ""
    source: str = ""

    @property
    def base(self) -> str:
        """The name without its dialect."""
        return Name.parse(self.name).base

    @property
    def dialect(self) -> str | None:
        """Whose reading this is; None for the bare name."""
        return Name.parse(self.name).dialect

    def make(self, *args: Any, **kwargs: Any) -> Scheme:
        """The scheme for these arguments, which are the row's own words.

        >>> from initspec import schemes
        >>> schemes["variance_scaling@tf.contrib"].make(factor=1.0, uniform=True).distribution
        'uniform'
        """
        words = list(self.arguments)
        if len(args) > len(words):
            raise SpecError(f"{self.name} takes {_count(words)}, and {len(args)} were given.")
        given = dict(zip(words, args, strict=False))
        for word in given.keys() & kwargs.keys():
            raise SpecError(f"{self.name}: {word!r} is given twice.")
        given = {word: plain(value) for word, value in (given | kwargs).items()}
        for word in given:
            if word not in self.arguments:
                hint = "" if words else f"{self.name} takes no arguments."
                raise UnknownName(f"argument of {self.name}", word, words or ["none"], hint)
        row = dict(self.scheme)
        for word, argument in self.arguments.items():  # in the row's order, whatever the caller's
            if word in given:
                argument.set(row, given[word])
        written = ", ".join(f"{word}={short_repr(value)}" for word, value in given.items())
        return _build(row, f"{self.name}({written})" if written else self.name)


def _build(row: dict[str, Any], name: str) -> Scheme:
    if row["distribution"] != "truncated_normal":
        row.pop("truncation", None)
    elif "truncation" in row:
        row["truncation"] = Truncation(**row["truncation"])
    return Scheme(**row, name=name)


def _count(words: list[str]) -> str:
    return f"the arguments {', '.join(words)}" if words else "no arguments"
