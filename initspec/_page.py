"""A report as one HTML page that asks nobody for anything.

The page is the matrix as plain HTML, with an element for every cell of the run, and one block of
data that a small script draws from when a cell is opened. It stays below :data:`LIMIT` bytes: every
cell keeps its place, its outcome and its numbers; statistics and pictures are those of what is
refused, of one cell for each target and scheme, and of others as long as there is room.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import accumulate
from pathlib import Path
from string import Template
from typing import Any

from . import __version__
from .conformance.record import (
    ERROR,
    EXPECTED,
    FAIL,
    GLYPHS,
    INCONCLUSIVE,
    OUTCOMES,
    PASS,
    SKIP,
    Decision,
    Picture,
    Record,
    Report,
)

#: Bytes that a page may have.
LIMIT = 295_000
#: Characters of a sentence, which may be somebody's exception.
SENTENCE = 600
#: Entries that are seen at once among those that are refused, and those that are listed at all.
LISTED, MOST = 6, 60
#: Rows and columns beyond which a matrix is a list of pairs.
WIDE = 8

#: What a test is about.
TESTS = {
    "support": "values beyond the bounds",
    "least": "the least value, as a probability",
    "greatest": "the greatest value, as a probability",
    "extreme": "the farther of both",
    "ks": "distance from the law's distribution function (Kolmogorov–Smirnov)",
    "m1": "first moment of the uniform scores (Legendre)",
    "m2": "second moment of the uniform scores (Legendre)",
    "m3": "third moment of the uniform scores (Legendre)",
    "m4": "fourth moment of the uniform scores (Legendre)",
    "variance": "mean square about the law's mean, over the law's variance",
    "edges": "values in the last step before a bound",
    "collisions": "values that repeat",
    "lag": "correlation of neighbours at fixed distances",
    "rows": "correlation of rows",
    "columns": "correlation of columns",
    "symmetry": "correlation of a matrix and its transpose",
    "tensors": "correlation of tensors with different seeds",
    "shift": "correlation of streams that may overlap",
    "duplicates": "blocks or tensors that are copies",
    "exact": "values other than the fixed ones",
    "residual": "distance of Q'Q from the identity, in units in the last place",
    "norm": "mean square of the entries against the law's, in units in the last place",
    "diagonal": "positive signs on the diagonal",
    "signs": "positive signs at each place",
    "trace": "sum of the diagonal",
    "determinant": "positive determinants",
    "entries": "law of single entries",
    "bilinear": "law of bilinear forms",
    "rotation": "fourth powers before and after a reflection",
    "blocks": "alignment of stacked matrices",
    "taps": "values beside the middle tap that are not zero",
    "zeros": "zeros that are missing or too many",
    "positions": "rows in which the zeros lie",
    "masks": "zeros that two columns share",
    "seed": "values that change though the seed does not",
    "seeds": "seeds that give the same values",
    "globals": "generators that a draw with a seed moves",
    "types": "values that are not the float32 ones, rounded",
    "coupling": "scale from one shape to another",
    "base": "scale over the sampler's standard numbers",
    "fans": "fans against a count of multiplications",
    "formula": "standard deviation against the formula by hand",
    "words": "ends of the stream's words",
    "reference": "bits that differ from the reference",
    "known": "known answers that differ",
    "layouts": "layouts that do not hold one weight",
    "injected": "words that come out otherwise",
}

_WORDS = {
    PASS: "pass",
    FAIL: "refused",
    INCONCLUSIVE: "inconclusive",
    ERROR: "in error",
    SKIP: "not tested",
    EXPECTED: "known to deviate",
}
#: The worst first: what a group of cells is shown as.
_ORDER = (FAIL, ERROR, INCONCLUSIVE, EXPECTED, PASS, SKIP)
_REFUSED = (FAIL, ERROR, INCONCLUSIVE)
_CLASSES = {FAIL: "f", ERROR: "e", INCONCLUSIVE: "q", EXPECTED: "k", PASS: "", SKIP: "s"}


def html(report: Report, limit: int = LIMIT) -> str:
    """The page of a report, in at most ``limit`` bytes for up to some thousand cells."""
    groups = _groups(report.records)
    shown = {index for group in groups for index in group.cells}
    beside = [index for index in range(len(report.records)) if index not in shown]
    script = _file("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "style": _file("report.css"),
        "script": script,
        "hash": digest,
        "title": escape(_title(report)),
        "heading": _heading(report),
        "bar": _bar(report),
        "refused": _refused(report, groups, beside),
        "known": _known(report),
        "matrix": _matrix(report, groups),
        "beside": _beside(report, beside),
        "legend": _legend(),
        "chances": _chances(report),
        "versions": _versions(report),
    }
    page = Template(_file("report.html"))
    room = limit - len(page.substitute(parts, data="").encode())
    return page.substitute(parts, data=_embedded(_data(report, groups, room)))


@cache
def _file(name: str) -> str:
    return (Path(__file__).with_name("page") / name).read_text("utf-8")


# ----------------------------------------------------------------------------------------- groups


@dataclass(frozen=True, slots=True)
class Group:
    """One place of the matrix: the cells of a target and a scheme, the one to look at first."""

    target: str
    scheme: str
    cells: tuple[int, ...]
    outcome: str
    first: int


def _groups(records: Sequence[Record]) -> list[Group]:
    found: dict[tuple[str, str], list[int]] = {}
    for index, record in enumerate(records):
        if record.scheme and record.cell.startswith(record.target):
            found.setdefault((record.target, record.scheme), []).append(index)
    return [_group(*pair, cells, records) for pair, cells in found.items()]


def _group(target: str, scheme: str, cells: list[int], records: Sequence[Record]) -> Group:
    def order(index: int) -> tuple[Any, ...]:
        one = records[index]
        return (
            _ORDER.index(one.outcome),
            one.picture is None,
            one.dtype != "float32",
            index,
        )

    def place(index: int) -> tuple[Any, ...]:
        one = records[index]
        return one.tier, _stream(one) != "portable", one.shape, one.layout or "", index

    first = min(cells, key=order)
    return Group(target, scheme, tuple(sorted(cells, key=place)), records[first].outcome, first)


def _stream(record: Record) -> str:
    """Portable or native, for adapters: their cells' names say it."""
    head = record.cell.removeprefix(record.target).partition(" ")[0]
    return head.removeprefix("-")


# ------------------------------------------------------------------------------------------- HTML


def _title(report: Report) -> str:
    refused = sum(report.counts[outcome] for outcome in _REFUSED)
    total = len(report.records)
    return f"initspec: {refused or 'none'} of {total} {_cells(total)} refused"


def _cells(count: int) -> str:
    return "cell" if count == 1 else "cells"


def _heading(report: Report) -> str:
    counts, total = report.counts, len(report.records)
    refused = sum(counts[outcome] for outcome in _REFUSED)
    if report.verdict == SKIP:
        return f"{_glyph(SKIP)} Nothing could be tested"
    if refused:
        verb = "does" if refused == 1 else "do"
        return f"{_glyph(report.verdict)} {refused:,} of {total:,} {_cells(total)} {verb} not pass"
    if counts[SKIP] or counts[EXPECTED]:
        return f"{_glyph(PASS)} {counts[PASS]:,} of {total:,} {_cells(total)} pass, none is refused"
    return f"{_glyph(PASS)} " + (f"All {total:,} cells pass" if total > 1 else "The cell passes")


def _glyph(outcome: str) -> str:
    return f'<span class="g {_CLASSES[outcome]}" aria-hidden="true">{GLYPHS[outcome]}</span>'


def _bar(report: Report) -> str:
    counts = {outcome: count for outcome, count in report.counts.items() if count}
    parts = "".join(
        f'<span class="{_CLASSES[outcome]}" style="flex:{count}"></span>'
        for outcome, count in counts.items()
    )
    words = "".join(
        f"<li>{_glyph(outcome)} {count:,} {_WORDS[outcome]}</li>"
        for outcome, count in counts.items()
    )
    return f'<div class="bar" aria-hidden="true">{parts}</div><ul class="counts">{words}</ul>'


def _refused(report: Report, groups: Sequence[Group], beside: Sequence[int]) -> str:
    """What does not pass, with its reason; those of one target and scheme are one entry."""
    refused = [group for group in groups if group.outcome in _REFUSED]
    items = [_entry(report.records, group) for group in refused[:MOST]]
    items += [
        f"<li>{_glyph(one.outcome)}<div><p><b>{escape(one.cell)}</b></p>"
        f"<p>{_cut(_sentence(one.sentence), 300)}</p></div></li>"
        for one in (report.records[index] for index in beside)
        if one.outcome in _REFUSED
    ]
    if not items:
        return ""
    text = f'<ul class="refused">{"".join(items[:LISTED])}</ul>'
    if items[LISTED:]:
        rest = f'<ul class="refused">{"".join(items[LISTED:])}</ul>'
        text += f"<details><summary>and {len(items) - LISTED} more</summary>{rest}</details>"
    if refused[MOST:]:
        text += f'<p class="hint">The matrix shows {len(refused) - MOST} more of them.</p>'
    return f'<section aria-labelledby="r"><h2 id="r">What does not pass</h2>{text}</section>'


def _entry(records: Sequence[Record], group: Group) -> str:
    one = records[group.first]
    counts = Counter(records[index].outcome for index in group.cells)
    share = ", ".join(
        f"{counts[outcome]} of {len(group.cells)} {_WORDS[outcome]}"
        for outcome in _REFUSED
        if counts[outcome]
    )
    texts = [one.explanation, _reason(one)]
    said = "".join(f"<p>{_cut(_sentence(text), 300)}</p>" for text in texts if text)
    return (
        f'<li id="c{group.first}">{_glyph(group.outcome)}<div><p>'
        f'<a href="#c{group.first}"><code>{_name(group.target)}</code> as '
        f"<code>{_name(group.scheme)}</code></a> <small>{share}</small></p>{said}</div>"
        f'<span class="spark" data-spark="{group.first}" aria-hidden="true"></span></li>'
    )


def _reason(record: Record) -> str:
    """The sentence, without the p-values that stand in the table of its tests."""
    failed = ", ".join(item.test for item in record.failed)
    if not failed or not record.sentence.startswith("refused by "):
        return record.sentence
    _, known, rest = record.sentence.partition("; expected was ")
    return f"refused by {failed}{known}{rest}"


def _sentence(text: str) -> str:
    """As a sentence: with a capital, unless a name begins it, and with a stop."""
    text = text.strip()
    text = re.sub("^[a-z]+(?=[ ,;]|$)", lambda word: word[0].capitalize(), text)
    return text + ("" if text[-1:] in (".", "!", "?", "…", "") else ".")


def _known(report: Report) -> str:
    reasons: dict[str, list[Record]] = {}
    for record in report.records:
        if record.outcome == EXPECTED:
            reasons.setdefault(record.expected, []).append(record)
    if not reasons:
        return ""
    items = []
    for reason, records in reasons.items():
        pairs = dict.fromkeys((one.target, one.scheme) for one in records)
        names = ", ".join(f"<code>{_name(a)}</code> as <code>{_name(b)}</code>" for a, b in pairs)
        items.append(f"<li><p>{_cut(_sentence(reason), 300)}</p><p><small>{names}</small></p></li>")
    count = sum(map(len, reasons.values()))
    text = f"{_glyph(EXPECTED)} {count} {_cells(count)} deviate in a way that is known"
    return f'<details class="known"><summary>{text}</summary><ul>{"".join(items)}</ul></details>'


def _matrix(report: Report, groups: Sequence[Group]) -> str:
    """Schemes by targets, or by pairs where that would be mostly empty or too wide."""
    if not groups:
        return ""
    targets = list(dict.fromkeys(group.target for group in groups))
    schemes = list(dict.fromkeys(group.scheme for group in groups))
    at = {
        (group.target, group.scheme): _cell(report.records, group, number)
        for number, group in enumerate(groups)
    }
    down, across, turned = schemes, targets, False
    if len(targets) > len(schemes):
        down, across, turned = targets, schemes, True
    if len(across) > WIDE or 2 * len(at) < len(targets) * len(schemes):
        head = '<th scope="col">target</th><th scope="col">scheme</th><th scope="col">cells</th>'
        rows = [
            f'<tr><th scope="row">{_name(target)}</th><td>{_name(scheme)}</td>{cell}</tr>'
            for (target, scheme), cell in at.items()
        ]
    else:
        corner = "target" if turned else "scheme"
        heads = "".join(f'<th scope="col">{_name(name)}</th>' for name in across)
        head = f'<th scope="col">{corner}</th>{heads}'
        rows = [
            f'<tr><th scope="row">{_name(name)}</th>'
            + "".join(
                at.get((name, other) if turned else (other, name), "<td></td>") for other in across
            )
            + "</tr>"
            for name in down
        ]
    caption = "Each mark is a cell of the run: a shape, a type, a stream and a tier."
    return (
        f'<section aria-labelledby="m"><h2 id="m">The matrix</h2><p class="hint">{caption} '
        "Open a field to see what was drawn, and every statistic.</p>"
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="m"><table class="matrix">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _cell(records: Sequence[Record], group: Group, number: int) -> str:
    counts = Counter(records[index].outcome for index in group.cells)
    said = ", ".join(f"{counts[one]} {_WORDS[one]}" for one in _ORDER if counts[one])
    marks = "".join(
        f"<i data-cell={index}{_class(records[index].outcome)}></i>" for index in group.cells
    )
    here, total = counts[group.outcome], len(group.cells)
    label = escape(f"{group.target} as {group.scheme}: {said}")
    return (
        f'<td><a{_class(group.outcome)} data-group={number} href="#c{group.first}" '
        f'aria-label="{label}">'
        f"<b>{GLYPHS[group.outcome]}</b> {here if here == total else f'{here}/{total}'}"
        f"<span>{marks}</span></a></td>"
    )


def _class(outcome: str) -> str:
    name = _CLASSES[outcome]
    return f" class={name}" if name else ""


def _beside(report: Report, beside: Sequence[int]) -> str:
    """What belongs to no target and scheme: the cases, the clauses, what is not installed."""
    if not beside:
        return ""
    items = "".join(
        f"<li data-cell={index}>{_glyph(one.outcome)}<div><b>{escape(one.cell)}</b> "
        f"<small>{_WORDS[one.outcome]}</small> {_cut(one.sentence, 300)}</div></li>"
        for index, one in ((index, report.records[index]) for index in beside)
    )
    return (
        '<section aria-labelledby="b"><h2 id="b">Beside the matrix</h2>'
        f'<ul class="beside">{items}</ul></section>'
    )


def _legend() -> str:
    return "".join(f"<li>{_glyph(one)} {_WORDS[one]}</li>" for one in OUTCOMES)


def _chances(report: Report) -> str:
    levels = {item.alpha for record in report.records for item in record.decisions}
    each = f", {_power(levels.pop())} for each" if len(levels) == 1 else ""
    return (
        f"Right initializers are refused at most once in {1 / report.alpha:,.0f} runs like this "
        f"one: the chance of {_power(report.alpha)} is shared evenly among all tests of all "
        f"cells{each}, so that a cell's outcome does not depend on the others. A fault of the "
        f"size that a test is said to see is missed at most once in {1 / report.beta:,.0f}."
    )


def _power(x: float) -> str:
    mantissa, _, exponent = f"{x:.1e}".partition("e")
    head = "" if mantissa == "1.0" else f"{mantissa} × "
    return f"{head}10<sup>{'−' if exponent[0] == '-' else ''}{int(exponent[1:])}</sup>"


def _versions(report: Report) -> str:
    rows = {"seeds": report.seed, **report.versions, "page by": f"initspec {__version__}"}
    return "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in rows.items())


def _name(text: str) -> str:
    """A name that may be broken after its stops."""
    text = escape(text)
    for stop in (".", ":", "(", "@"):
        text = text.replace(stop, f"{stop}<wbr>")
    return text


def _cut(text: str, length: int = SENTENCE) -> str:
    return escape(_short(text, length))


def _short(text: str, length: int = SENTENCE) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


# ------------------------------------------------------------------------------------------- data


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


def _data(report: Report, groups: Sequence[Group], room: int) -> dict[str, Any]:
    """What the script draws from, in at most ``room`` bytes.

    ``places`` says of each cell what it is; ``rows`` holds its seed, its scale and its least
    p-value; ``full`` its statistics and its picture. The last two have as many as there is room.
    """
    records = report.records
    texts, kinds = _Table(), _Table()
    tests = list(dict.fromkeys(item.test for one in records for item in one.decisions))
    places = [kinds.place(_place(record)) for record in records]
    data: dict[str, Any] = {
        "outcomes": [[one, _CLASSES[one], GLYPHS[one], _WORDS[one]] for one in OUTCOMES],
        "tests": [[test, TESTS.get(test, "")] for test in tests],
        "groups": [[group.target, group.scheme] for group in groups],
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
    others = sorted(ranked, key=lambda index: _rank(records[index]))
    add_full((group.first for group in _ranked(groups)), room * 2 // 3)
    add_rows(others, room)
    add_full(others, room)
    return data | {"rows": rows, "full": full, "texts": texts.items}


def _ranked(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: _ORDER.index(group.outcome))


def _rank(record: Record) -> tuple[int, bool]:
    return _ORDER.index(record.outcome), record.picture is None


def _place(record: Record) -> tuple[Any, ...]:
    shape = "×".join(map(str, record.shape))
    n = record.n
    layout = record.layout or ""
    return (
        OUTCOMES.index(record.outcome),
        record.tier,
        _stream(record),
        shape,
        layout,
        record.dtype,
        n,
    )


def _row(record: Record, tests: Sequence[str]) -> list[Any]:
    """Seed, scale, half of its interval, the test with the least p-value, and that value."""
    row: list[Any] = [record.seed, None, None, None, None]
    if record.scale is not None:
        found, low, high = record.scale
        row[1:3] = _number(found), _number((high - low) / 2, 3)
    least = min(record.decisions, key=lambda item: item.p, default=None)
    if least is not None and least.p < 1:
        row[3:] = tests.index(least.test), _number(least.p, 2)
    return _trimmed(row)


def _full(record: Record, tests: Sequence[str], texts: _Table) -> dict[str, Any]:
    """Sentences, decisions and picture, with what is empty left out."""

    def text(said: str) -> int:
        return texts.place(_short(said))

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

    found: dict[str, Any] = {
        "sentence": text(_reason(record)) if record.sentence else None,
        "why": text(record.explanation) if record.explanation else None,
        "known": text(record.expected) if record.expected else None,
        "time": _number(record.seconds, 2),
        "level": _number(record.decisions[0].alpha, 3) if record.decisions else None,
        "tests": [decision(item) for item in record.decisions],
    }
    if record.picture is not None:
        found |= _drawn(record, record.picture, texts)
    return {key: value for key, value in found.items() if value is not None}


# ---------------------------------------------------------------------------------------- pictures

#: Heights are characters, from nothing to all of the picture.
_FIRST, _LEVELS = 35, 91


def _drawn(record: Record, picture: Picture, texts: _Table) -> dict[str, Any]:
    """Heights of bars and of the law from nothing to the top; the difference of both sums."""
    measured, law = picture.measured, picture.law
    found: dict[str, Any] = {
        "measured": [_number(x, 5) for x in _values(measured)],
        "law": [_number(x, 5) for x in _values(law)],
    }
    total = sum(picture.counts)
    if not total or not math.isfinite(picture.low + picture.high):
        return found
    shares = [count / total for count in picture.counts]
    expected = picture.expected
    top, clipped = _top([*shares[1:-1], *expected[1:-1]])
    gaps = list(accumulate(a - b for a, b in zip(shares, expected, strict=True)))[:-1]
    band = next(
        (_band(item.alpha, item.n) for item in record.decisions if item.test == "ks" and item.n),
        None,
    )
    reach = max(max(map(abs, gaps)), band or 0.0, 1e-6) * 1.08
    beyond = [_number(shares[0], 2), _number(shares[-1], 2)]
    return found | {
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
    """The distance at which the KS test refuses: ``2 exp(-2 n D**2) = alpha``."""
    return math.sqrt(math.log(2 / alpha) / (2 * n)) if 0 < alpha < 2 else math.inf


def _heights(shares: Iterable[float]) -> str:
    return "".join(chr(_FIRST + round(min(max(share, 0.0), 1.0) * _LEVELS)) for share in shares)


def _number(x: float | None, digits: int = 4) -> Any:
    """A number with so many digits; a word for what JSON has none of."""
    if x is None or not math.isfinite(x):
        return None if x is None else str(float(x))
    short = float(f"{x:.{digits}g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def _trimmed(row: list[Any]) -> list[Any]:
    while row and row[-1] is None:
        row.pop()
    return row


def _bytes(value: Any) -> int:
    return len(_embedded(value).encode())


def _embedded(value: Any) -> str:
    """JSON that no parser of HTML mistakes for its end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
