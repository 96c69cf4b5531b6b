"""Names with what they stand for, as a value that does not change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Names(Mapping[str, Any]):
    """A mapping in a written order that has a hash and does not change.

    >>> Names.of({"n_layer": 12})["n_layer"]
    12
    """

    pairs: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, names: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Names:
        """The names of a mapping, or of pairs."""
        return cls(tuple(dict(names).items()))

    def __getitem__(self, name: str) -> Any:
        for word, value in self.pairs:
            if word == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(word for word, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)
