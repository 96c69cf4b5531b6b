"""Conditions of rules: comparisons of two expressions."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from ..errors import SpecError
from ..spec.expression import Expression

_SIGNS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<=": operator.le,
        ">=": operator.ge,
        "<": operator.lt,
        ">": operator.gt,
    }
)
_SIGN = re.compile("==|!=|<=|>=|<|>")


@dataclass(frozen=True, slots=True)
class Condition:
    """Comparisons that all must hold: ``"layer % 6 == 5 and layer > 0"``.

    >>> rule = Condition.parse("layer % 6 == 5")
    >>> rule.names, rule.holds({"layer": 11}), rule.holds({"layer": 12})
    (('layer',), True, False)
    """

    text: str
    parts: tuple[tuple[Expression, str, Expression], ...]

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a text; raises :class:`SpecError` for one that compares nothing."""
        return _parsed(text)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that must be bound."""
        used = [n for left, _, right in self.parts for n in (*left.names, *right.names)]
        return tuple(dict.fromkeys(used))

    def holds(self, known: Mapping[str, float]) -> bool:
        """Whether every comparison is true."""
        return all(
            _SIGNS[s](left.value(known), right.value(known)) for left, s, right in self.parts
        )


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Condition:
    parts = []
    for part in re.split(r"\band\b", text):
        signs = _SIGN.findall(part)
        if len(signs) != 1:
            raise SpecError(
                f"cannot read the condition {text!r}: it compares two sums by one of "
                f"{' '.join(_SIGNS)}, as in 'layer % 6 == 5', and joins comparisons by 'and'."
            )
        left, right = part.split(signs[0])
        parts.append((Expression.parse(left), signs[0], Expression.parse(right)))
    return Condition(text, tuple(parts))
