"""A report as one self-contained HTML page.

The page is the matrix as plain HTML, with an element for every cell of the run, and one block of
data that a small script draws from when a cell is opened. It stays below :data:`LIMIT` bytes: every
cell keeps its place, its outcome and its numbers; statistics and pictures are those of what is
refused, of one cell for each target and scheme, and of others as long as there is room.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from ... import __version__
from .page_data import embedded, group_data
from .page_groups import (
    CLASSES,
    ORDER,
    SENTENCE,
    WORDS,
    Group,
    groups_of,
    short_reason,
    shortened,
)
from .record import (
    ERROR,
    EXPECTED,
    FAIL,
    GLYPHS,
    INCONCLUSIVE,
    OUTCOMES,
    PASS,
    SKIP,
    Record,
    Report,
)

#: Bytes that a page may have.
LIMIT = 295_000
#: Entries that are seen at once among those that are refused, and those that are listed at all.
LISTED, MOST = 6, 60
#: Rows and columns beyond which a matrix is a list of pairs.
WIDE = 8
_REFUSED = (FAIL, ERROR, INCONCLUSIVE)


def html(report: Report, limit: int = LIMIT) -> str:
    """The page of a report, in at most ``limit`` bytes for up to some thousand cells."""
    groups = groups_of(report.records)
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
    return page.substitute(parts, data=embedded(group_data(report, groups, room)))


@cache
def _file(name: str) -> str:
    return (Path(__file__).with_name("assets") / name).read_text("utf-8")


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
    return f'<span class="g {CLASSES[outcome]}" aria-hidden="true">{GLYPHS[outcome]}</span>'


def _bar(report: Report) -> str:
    counts = {outcome: count for outcome, count in report.counts.items() if count}
    parts = "".join(
        f'<span class="{CLASSES[outcome]}" style="flex:{count}"></span>'
        for outcome, count in counts.items()
    )
    words = "".join(
        f"<li>{_glyph(outcome)} {count:,} {WORDS[outcome]}</li>"
        for outcome, count in counts.items()
    )
    return f'<div class="bar" aria-hidden="true">{parts}</div><ul class="counts">{words}</ul>'


def _refused(report: Report, groups: Sequence[Group], beside: Sequence[int]) -> str:
    """What does not pass, with its reason; those of one target and scheme are one entry."""
    refused = [group for group in groups if group.outcome in _REFUSED]
    items = [_entry(report.records, group) for group in refused[:MOST]]
    items += [
        f"<li>{_glyph(record.outcome)}<div><p><b>{_cut(record.cell)}</b></p>"
        f"<p>{_cut(_sentence(record.sentence), 300)}</p></div></li>"
        for record in (report.records[index] for index in beside)
        if record.outcome in _REFUSED
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
    record = records[group.first]
    counts = Counter(records[index].outcome for index in group.cells)
    share = ", ".join(
        f"{counts[outcome]} of {len(group.cells)} {WORDS[outcome]}"
        for outcome in _REFUSED
        if counts[outcome]
    )
    texts = [record.explanation, short_reason(record)]
    reasons = "".join(f"<p>{_cut(_sentence(text), 300)}</p>" for text in texts if text)
    return (
        f'<li id="c{group.first}">{_glyph(group.outcome)}<div><p>'
        f'<a href="#c{group.first}"><code>{_name(group.target)}</code> as '
        f"<code>{_name(group.scheme)}</code></a> <small>{share}</small></p>{reasons}</div>"
        f'<span class="spark" data-spark="{group.first}" aria-hidden="true"></span></li>'
    )


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
        pairs = dict.fromkeys((record.target, record.scheme) for record in records)
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
    tally = ", ".join(f"{counts[each]} {WORDS[each]}" for each in ORDER if counts[each])
    marks = "".join(
        f"<i data-cell={index}{_class(records[index].outcome)}></i>" for index in group.cells
    )
    here, total = counts[group.outcome], len(group.cells)
    label = f"{_cut(group.target)} as {_cut(group.scheme)}: {tally}"
    return (
        f'<td><a{_class(group.outcome)} data-group={number} href="#c{group.first}" '
        f'aria-label="{label}">'
        f"<b>{GLYPHS[group.outcome]}</b> {here if here == total else f'{here}/{total}'}"
        f"<span>{marks}</span></a></td>"
    )


def _class(outcome: str) -> str:
    name = CLASSES[outcome]
    return f" class={name}" if name else ""


def _beside(report: Report, beside: Sequence[int]) -> str:
    """What belongs to no target and scheme: the cases, the clauses, what is not installed."""
    if not beside:
        return ""
    items = "".join(
        f"<li data-cell={index}>{_glyph(record.outcome)}<div><b>{_cut(record.cell)}</b> "
        f"<small>{WORDS[record.outcome]}</small> {_cut(record.sentence, 300)}</div></li>"
        for index, record in ((index, report.records[index]) for index in beside)
    )
    return (
        '<section aria-labelledby="b"><h2 id="b">Beside the matrix</h2>'
        f'<ul class="beside">{items}</ul></section>'
    )


def _legend() -> str:
    return "".join(f"<li>{_glyph(outcome)} {WORDS[outcome]}</li>" for outcome in OUTCOMES)


def _chances(report: Report) -> str:
    levels = {item.alpha for record in report.records for item in record.decisions}
    level = levels.pop() if len(levels) == 1 else 0.0
    each = f", {_power(level)} for each" if 0 < level < 1 else ""
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
    return "".join(f"<div><dt>{_cut(k)}</dt><dd>{_cut(v)}</dd></div>" for k, v in rows.items())


def _name(text: str) -> str:
    """A name that may be broken after its stops."""
    text = escape(shortened(text))
    for stop in (".", ":", "(", "@"):
        text = text.replace(stop, f"{stop}<wbr>")
    return text


def _cut(text: str, length: int = SENTENCE) -> str:
    return escape(shortened(text, length))
