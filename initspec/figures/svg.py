"""A small kit for charts as SVG: panels with axes, and marks on them.

The pictures are text as text, light and dark by what the reader prefers, with a title and a
description for screen readers; they ask for nothing from outside, and the same numbers give the
same bytes. Colours are those of Okabe and Ito, which colour-blind readers tell apart, made darker
on light paper until text in them is read well (contrast of 4.5 and more).

Each panel says where its numbers are: ``data-x`` and ``data-y`` hold the ends of an axis and its
kind, ``data-box`` the left, top, right and bottom of the panel.
"""

from __future__ import annotations

import textwrap
import zlib
from collections.abc import Sequence
from html import escape
from itertools import pairwise

from ..plain_text import NAME, escaped
from .ink import Box, drawn, px, text_at, width_of
from .marks import Band, Floor, Line, Panel, Rule

_LIGHT = (
    "--paper:#fff;--ink:#1b1f24;--soft:#57606a;--grid:#e6e9ed;--c0:#0068a8;--c1:#b34a00;"
    "--c2:#00735a;--c3:#a2417a;--c4:#7d5f00;--c5:#57606a"
)
_DARK = (
    "--paper:#131416;--ink:#e8eaed;--soft:#a3abb5;--grid:#2a2e33;--c0:#62b8ee;--c1:#ff9a57;"
    "--c2:#2fcaa0;--c3:#ec9cc9;--c4:#e8c34a;--c5:#a3abb5"
)
# A page may have a switch of its own: where it stands is said by data-theme.
_STYLE = (
    f".isp{{{_LIGHT};font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
    "max-width:100%;height:auto}"
    f"@media(prefers-color-scheme:dark){{.isp{{{_DARK}}}[data-theme=light] .isp{{{_LIGHT}}}}}"
    f"[data-theme=dark] .isp{{{_DARK}}}"
    ".isp text{fill:var(--ink)}.isp .head{font-size:17px;font-weight:650}"
    ".isp .name{font-weight:600}.isp .soft{fill:var(--soft)}.isp .tick{fill:var(--soft);"
    "font-size:12px;font-variant-numeric:tabular-nums}.isp .mid{text-anchor:middle}"
    ".isp .end{text-anchor:end}.isp .paper{fill:var(--paper)}"
    ".isp .grid{stroke:var(--grid);fill:none}.isp .axis{stroke:var(--soft);fill:none}"
    + "".join(f".isp .c{i}{{--c:var(--c{i})}}" for i in range(6))
    + ".isp .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}"
    ".isp .floor{stroke-width:4}.isp .thin{stroke-width:1.2}.isp .dash{stroke-dasharray:6 4}"
    ".isp .dots{fill:none;stroke:var(--c);stroke-width:7;stroke-linecap:round}"
    ".isp .hole{stroke:var(--paper);stroke-width:3.6}.isp .key{fill:var(--c)}"
    ".isp .bars{fill:var(--c);opacity:.3}.isp .band{fill:var(--c);opacity:.13}"
    ".isp .stem{stroke:var(--c);stroke-width:5;stroke-linecap:round}"
    ".isp text.label{fill:var(--c);font-weight:600}"
)

_TICK, _LINE = 6.8, 16  # the width of a figure in a tick's text, the height of a line of text


# ------------------------------------------------------------------------------------- picture


def picture(
    title: str,
    description: str,
    panels: Sequence[Panel],
    *,
    subtitle: str = "",
    caption: str = "",
    columns: int = 1,
    width: int = 760,
    height: int = 260,
) -> str:
    """Panels as one SVG document; ``height`` is that of a panel's own box.

    >>> from initspec.figures.marks import Axis, Panel
    >>> svg = picture("A line", "From 0 to 1.", [Panel(Axis(0, 1), Axis(0, 1), [])])
    >>> svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" class="isp"')
    True
    """
    top = 30.0
    body = [text_at(20, top, title, "head")]
    for line in textwrap.wrap(subtitle, round(width / 7.3)):
        top += 20
        body.append(text_at(20, top, line, "soft"))
    top += 14
    across = (width - 24) / columns
    for first in range(0, len(panels), columns):
        row = panels[first : first + columns]
        head = 26.0 * any(panel.title for panel in row) + 22.0 * any(panel.key for panel in row)
        for i, panel in enumerate(row):
            left = 12 + i * across
            body.append(_panel(panel, left, left + across, top + head, top + head + height))
        top += head + height + 50
    for line in textwrap.wrap(caption, round(width / 7.3)):
        top += 18
        body.append(text_at(20, top - 6, line, "soft"))
    full = round(top + 14)
    name = f"i{zlib.crc32((title + description + ''.join(body)).encode()):08x}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="isp" width="{width}" height="{full}" '
        f'viewBox="0 0 {width} {full}" role="img" aria-labelledby="{name}t {name}d">\n'
        f'<title id="{name}t">{escape(escaped(title, NAME))}</title>\n'
        f'<desc id="{name}d">{escape(escaped(description))}</desc>\n<style>{_STYLE}</style>\n'
        f'<rect class="paper" width="{width}" height="{full}" rx="6"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _panel(panel: Panel, left: float, right: float, top: float, bottom: float) -> str:
    x, y = panel.x, panel.y
    widest = max((len(y.text(value)) for value in y.ticks()), default=1)
    named = [mark.label for mark in panel.marks if isinstance(mark, (Line, Band, Floor))]
    margin = max((width_of(label) for label in named if label), default=0)
    box = Box(
        x, y, left + 14 + _TICK * widest, top, right - (margin + 10 if margin else 14), bottom
    )
    kind = ["log" if axis.log else "linear" for axis in (x, y)]
    ends = [f"{axis.low:.9g} {axis.high:.9g}" for axis in (x, y)]
    places = " ".join(px(value) for value in (box.left, box.top, box.right, box.bottom))
    out = [
        f'<g data-x="{ends[0]} {kind[0]}" data-y="{ends[1]} {kind[1]}" data-box="{places}">',
        _axes(box),
    ]
    if panel.title:
        above = top - (34 if panel.key else 12)
        out.append(text_at(box.left, above, panel.title, "name"))
    out.append(_key(panel.key, box.left, top - 10))
    labels: list[tuple[float, int, str]] = []
    for mark in panel.marks:
        text, ends_at = drawn(mark, box)
        out.append(text)
        label = getattr(mark, "label", "")
        if label and not isinstance(mark, Rule):
            labels.append((ends_at, mark.colour or 0, label))
    out += _labels(labels, box)
    return "\n".join([*(line for line in out if line), "</g>"])


def _axes(box: Box) -> str:
    x, y = box.x, box.y
    lines = "".join(f"M{px(box.left)} {px(box.up(value))}H{px(box.right)}" for value in y.ticks())
    ticks = "".join(f"M{px(box.across(value))} {px(box.bottom)}v5" for value in x.ticks())
    out = [
        f'<path class="grid" d="{lines}"/>' if lines else "",
        f'<path class="axis" d="M{px(box.left)} {px(box.bottom)}H{px(box.right)}{ticks}"/>',
    ]
    out += [text_at(box.left - 7, box.up(v) + 4, y.text(v), "tick end") for v in y.ticks()]
    out += [text_at(box.across(v), box.bottom + 19, x.text(v), "tick mid") for v in x.ticks()]
    if x.label:
        out.append(text_at((box.left + box.right) / 2, box.bottom + 38, x.label, "soft mid"))
    return "\n".join(filter(None, out))


def _key(key: Sequence[tuple[int, str]], left: float, top: float) -> str:
    out = []
    for colour, text in key:
        square = f'x="{px(left)}" y="{px(top - 9)}" width="10" height="10" rx="2"'
        out.append(f'<rect class="key c{colour}" {square}/>')
        out.append(text_at(left + 15, top, text, f"label c{colour}"))
        left += 33 + width_of(text)
    return "\n".join(out)


def _labels(labels: Sequence[tuple[float, int, str]], box: Box) -> list[str]:
    """Names beside the ends of lines, moved apart where they would overlap."""
    ordered = sorted(labels, key=lambda label: label[0])
    heights = [height for height, _, _ in ordered]
    for _ in range(60):  # push neighbours apart, evenly, until none overlaps
        for i, (upper, lower) in enumerate(pairwise(heights)):
            short = _LINE - (lower - upper)
            if short > 0:
                heights[i], heights[i + 1] = upper - short / 2, lower + short / 2
        over = max(heights[-1] - box.bottom, 0.0) if heights else 0.0
        heights = [*heights[:-1], heights[-1] - over] if heights else []
    return [
        text_at(box.right + 6, height + 4, text, f"label c{colour}")
        for height, (_, colour, text) in zip(heights, ordered, strict=True)
    ]
