"""The data of the report page: what its script draws from, in as many bytes as there is room."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from ...spec.distance import dkw_distance
from ..finding import title
from .page_groups import (
    CLASSES,
    ORDER,
    SENTENCE,
    WORDS,
    Group,
    rank,
    short_reason,
    shortened,
)
from .record import GLYPHS, OUTCOMES, Decision, Picture, Record, Report


class _Table:
    """Values that are written once and named by their place."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.size = 0
        self._places: dict[Any, int] = {}

    def place(self, item: Any) -> int:
        if item not in self._places:
            self._places[item] = len(self.items)
            self.items.append(item)
            self.size += _bytes(item) + 1
        return self._places[item]


def group_data(report: Report, groups: Sequence[Group], room: int) -> dict[str, Any]:
    """What the script draws from, in at most ``room`` bytes.

    ``places`` says of each cell what it is; ``rows`` holds its seed, its scale and its least
    p-value; ``full`` its statistics and its picture. The last two have as many as there is room.
    """
    records = report.records
    texts, kinds = _Table(), _Table()
    tests = list(dict.fromkeys(item.test for record in records for item in record.decisions))
    places = [kinds.place(_place(record)) for record in records]
    data: dict[str, Any] = {
        "outcomes": [[word, CLASSES[word], GLYPHS[word], WORDS[word]] for word in OUTCOMES],
        "tests": [[test, title(test)] for test in tests],
        "groups": [[group.target[:SENTENCE], group.scheme[:SENTENCE]] for group in groups],
        "kinds": kinds.items,
        "places": places,
    }
    rows: list[Any] = [0] * len(records)
    full: dict[int, Any] = {}
    used = _bytes(data) + 2 * len(records) + 100

    def add_rows(indices: Iterable[int], most: int) -> None:
        nonlocal used
        for index in indices:
            row = _row(records[index], tests)
            if used + texts.size + _bytes(row) > most:
                return
            rows[index], used = row, used + _bytes(row)

    def add_full(indices: Iterable[int], most: int) -> None:
        nonlocal used
        for index in indices:
            if index not in full:
                item = _full(records[index], tests, texts)
                cost = _bytes(item) + len(str(index)) + 4
                if used + texts.size + cost > most:
                    return
                full[index], used = item, used + cost

    ranked = [index for group in _ranked(groups) for index in group.cells]
    others = sorted(ranked, key=lambda index: rank(records[index]))
    add_full((group.first for group in _ranked(groups)), room * 2 // 3)
    add_rows(others, room)
    add_full(others, room)
    return data | {"rows": rows, "full": full, "texts": texts.items}


def _ranked(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: ORDER.index(group.outcome))


def _place(record: Record) -> tuple[Any, ...]:
    shape = "×".join(map(str, record.shape))
    n = record.n
    layout = record.layout or ""
    return (
        OUTCOMES.index(record.outcome),
        record.tier,
        record.stream,
        shape,
        layout,
        record.dtype,
        n,
    )


def _row(record: Record, tests: Sequence[str]) -> list[Any]:
    """Seed, scale, half of its interval, the test with the least p-value, and that value."""
    row: list[Any] = [record.seed, None, None, None, None]
    if record.scale is not None:
        scale, low, high = record.scale
        row[1:3] = _number(scale), _number((high - low) / 2, 3)
    least = min(record.decisions, key=lambda item: item.p, default=None)
    if least is not None and least.p < 1:
        row[3:] = tests.index(least.test), _number(least.p, 2)
    return _trimmed(row)


def _full(record: Record, tests: Sequence[str], texts: _Table) -> dict[str, Any]:
    """Sentences, decisions and picture, with what is empty left out."""

    def text(sentence: str) -> int:
        return texts.place(shortened(sentence))

    def decision(item: Decision) -> list[Any]:
        verdict = OUTCOMES.index(item.verdict) if item.verdict in OUTCOMES else 0
        least = None if item.detectable is None else _number(item.detectable, 3)
        note, unit = item.note or None, item.unit or None
        return _trimmed(
            [
                tests.index(item.test),
                _number(item.statistic, 15 if item.statistic % 1 == 0 else 4),
                _number(item.p, 2),
                verdict,
                least,
                text(unit) if unit and least is not None else None,
                text(note) if note else None,
            ]
        )

    facts: dict[str, Any] = {
        "sentence": text(short_reason(record)) if record.sentence else None,
        "why": text(record.explanation) if record.explanation else None,
        "known": text(record.expected) if record.expected else None,
        "time": _number(record.seconds, 2),
        "level": _number(record.decisions[0].alpha, 3) if record.decisions else None,
        "tests": [decision(item) for item in record.decisions],
    }
    if record.picture is not None:
        facts |= _drawn(record, record.picture, texts)
    return {key: value for key, value in facts.items() if value is not None}


# ---------------------------------------------------------------------------------------- pictures

#: Heights are characters, from nothing to all of the picture.
_FIRST, _LEVELS = 35, 91


def _drawn(record: Record, picture: Picture, texts: _Table) -> dict[str, Any]:
    """Heights of bars and of the law from nothing to the top; the difference of both sums."""
    measured, law = picture.measured, picture.law
    facts: dict[str, Any] = {
        "measured": [_number(x, 5) for x in _values(measured)],
        "law": [_number(x, 5) for x in _values(law)],
    }
    total = sum(picture.counts)
    can_be_drawn = (
        total > 0
        and min(picture.counts) >= 0
        and math.isfinite(picture.low + picture.high)
        and all(0 <= p <= 1 for p in picture.expected)
    )
    if not can_be_drawn:
        return facts
    shares = [count / total for count in picture.counts]
    expected = picture.expected
    top, clipped = _top([*shares[1:-1], *expected[1:-1]])
    gaps = list(accumulate(a - b for a, b in zip(shares, expected, strict=True)))[:-1]
    band = next(
        (
            _band(item.alpha, item.n)
            for item in record.decisions
            if item.test == "ks" and item.n > 0
        ),
        None,
    )
    reach = max(max(map(abs, gaps)), band or 0.0, 1e-6) * 1.08
    beyond = [_number(shares[0], 2), _number(shares[-1], 2)]
    return facts | {
        "range": [_number(picture.low, 5), _number(picture.high, 5)],
        "bars": _heights(share / top for share in shares[1:-1]),
        "curve": texts.place(_heights(p / top for p in expected[1:-1])),
        "clipped": _number(clipped, 3) if clipped else None,
        "gaps": _heights(0.5 + gap / reach / 2 for gap in gaps),
        "reach": _number(reach, 3),
        "band": None if band is None else _number(band, 3),
        "beyond": beyond if any(beyond) else None,
    }


def _values(moments: Any) -> tuple[float | None, ...]:
    return moments.mean, moments.std, moments.skewness, moments.kurtosis


def _top(heights: Sequence[float]) -> tuple[float, float]:
    """What the top of the picture stands for, and a spike that is cut off there.

    A spike, such as the zeros of a sparse matrix, would leave nothing to see of the rest.
    """
    top = max(max(heights), 1e-9)
    rest = sorted(height for height in heights if height < top / 4)
    if len(rest) >= len(heights) - 4 and rest and rest[-1] > 0:
        return rest[-1] * 1.6, top
    return top * 1.06, 0.0


def _band(alpha: float, n: int) -> float:
    """The distance at which the KS test refuses."""
    return dkw_distance(alpha, n) if 0 < alpha < 2 else math.inf


def _heights(shares: Iterable[float]) -> str:
    return "".join(chr(_FIRST + round(min(max(share, 0.0), 1.0) * _LEVELS)) for share in shares)


def _number(x: float | None, digits: int = 4) -> Any:
    """A number with so many digits; a word for what JSON has none of."""
    if x is None or not math.isfinite(x):
        return None if x is None else str(float(x))
    short = float(f"{x:.{digits}g}")
    if not math.isfinite(short):  # rounded beyond the largest
        return str(short)
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def _trimmed(row: list[Any]) -> list[Any]:
    while row and row[-1] is None:
        row.pop()
    return row


def _bytes(value: Any) -> int:
    return len(embedded(value).encode())


def embedded(value: Any) -> str:
    """JSON that no parser of HTML mistakes for its end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
