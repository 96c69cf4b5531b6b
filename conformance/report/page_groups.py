"""The matrix of the report page: cells in groups, outcomes in words, sentences made short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .record import (
    ERROR,
    EXPECTED,
    FAIL,
    INCONCLUSIVE,
    PASS,
    SKIP,
    Record,
)

#: Characters of a sentence, which may be somebody's exception.
SENTENCE = 600

WORDS = {
    PASS: "pass",
    FAIL: "refused",
    INCONCLUSIVE: "inconclusive",
    ERROR: "in error",
    SKIP: "not tested",
    EXPECTED: "known to deviate",
}
#: The worst first: what a group of cells is shown as.
ORDER = (FAIL, ERROR, INCONCLUSIVE, EXPECTED, PASS, SKIP)
CLASSES = {FAIL: "f", ERROR: "e", INCONCLUSIVE: "q", EXPECTED: "k", PASS: "", SKIP: "s"}


@dataclass(frozen=True, slots=True)
class Group:
    """One place of the matrix: the cells of a target and a scheme."""

    target: str
    scheme: str
    #: Places of the cells among the records, in the order in which they are shown.
    cells: tuple[int, ...]
    #: The worst outcome among them.
    outcome: str
    #: The cell to look at first.
    first: int


def groups_of(records: Sequence[Record]) -> list[Group]:
    """The places of the matrix; what belongs to no scheme, such as a clause, has none."""
    places: dict[tuple[str, str], list[int]] = {}
    for index, record in enumerate(records):
        if record.scheme:
            places.setdefault((record.target, record.scheme), []).append(index)
    return [_group(*pair, cells, records) for pair, cells in places.items()]


def _group(target: str, scheme: str, cells: list[int], records: Sequence[Record]) -> Group:
    def order(index: int) -> tuple[Any, ...]:
        record = records[index]
        return (*rank(record), record.dtype != "float32", index)

    def place(index: int) -> tuple[Any, ...]:
        record = records[index]
        return (
            record.tier,
            record.stream != "portable",
            record.shape,
            record.layout or "",
            index,
        )

    first = min(cells, key=order)
    return Group(target, scheme, tuple(sorted(cells, key=place)), records[first].outcome, first)


def short_reason(record: Record) -> str:
    """The sentence, without the p-values that stand in the table of its tests."""
    tests = [item.test for item in record.failed]
    if record.verdict != FAIL or not tests or "law" in tests:  # a law's own fault is a sentence
        return record.sentence
    return f"refused by {', '.join(tests)}" + (f"; {record.departure}" if record.departure else "")


def shortened(text: str, length: int = SENTENCE) -> str:
    """A text in one line of at most ``length`` characters."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def rank(record: Record) -> tuple[int, bool]:
    """A sorting key: the worst outcome first, and of it what has a picture."""
    return ORDER.index(record.outcome), record.picture is None
