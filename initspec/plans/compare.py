"""Where two ledgers of one model differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..spec.distance import same_law
from ..stream.parts import Part
from .ledger import Ledger, Row, grouped_names


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter that gets another law."""

    name: str
    first: str
    second: str
    ratio: float | None


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What two plans do otherwise on one model.

    ``changes`` are the parameters that get other laws, with the ratio of their standard deviations,
    ``only_first`` and ``only_second`` those that only one of them knows, by the names of each.
    """

    first: str
    second: str
    changes: tuple[Change, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    same: int

    def to_dict(self) -> dict[str, Any]:
        """The difference as plain data."""
        return {
            "plans": [self.first, self.second],
            "same": self.same,
            "changes": [
                {"name": c.name, "laws": [c.first, c.second], "ratio": c.ratio}
                for c in self.changes
            ],
            "only": [list(self.only_first), list(self.only_second)],
        }

    def __str__(self) -> str:
        head = f"{self.first} and {self.second}: {self.same} parameters alike, "
        lines = [head + f"{len(self.changes)} different"]
        groups: dict[tuple[str, str, str], list[str]] = {}
        for change in self.changes:
            ratio = "" if change.ratio is None else f"  {change.ratio:.4g} times"
            groups.setdefault((change.first, change.second, ratio), []).append(change.name)
        for (first, second, ratio), names in groups.items():
            lines += [f"  {name}" for name in grouped_names(names)]
            lines.append(f"      {self.first}: {first}")
            lines.append(f"      {self.second}: {second}{ratio}")
        for plan, only in ((self.first, self.only_first), (self.second, self.only_second)):
            lines += [f"  only {plan}: {name}" for name in grouped_names(list(only))]
        return "\n".join(lines)


def compared(first: Ledger, second: Ledger) -> PlanDifference:
    """How the second ledger differs from the first, parameter by parameter, by where they lie."""
    rows = {_place(row): row for row in second}
    changes, only, same = [], [], 0
    for row in first:
        other = rows.pop(_place(row), None)
        if other is None:
            only.append(row.name)
        elif _alike(row, other):
            same += 1
        else:
            changes.append(Change(row.name, row.words, other.words, _ratio(row, other)))
    return PlanDifference(
        first=first.plan,
        second=second.plan,
        changes=tuple(changes),
        only_first=tuple(only),
        only_second=tuple(row.name for row in rows.values()),
        same=same,
    )


def _place(row: Row) -> tuple[str, Part | None]:
    """The tensor, and the part of it where it holds several parameters."""
    return row.path, row.parameter.part


def _alike(first: Row, second: Row) -> bool:
    if first.law is None or second.law is None:
        return first.law is second.law
    if not (first.law.elementwise or first.law.kind == "constant"):
        return first.law == second.law
    return same_law(first.law, second.law)


def _ratio(first: Row, second: Row) -> float | None:
    if first.law is None or second.law is None or not first.law.std or not second.law.std:
        return None
    return second.law.std / first.law.std
