"""A small kit for charts as SVG: panels with axes, and marks on them.

The pictures are text as text, light and dark by what the reader prefers, with a title and a
description for screen readers; they ask for nothing from outside, and the same numbers give the
same bytes. Colours are those of Okabe and Ito, which colour-blind readers tell apart, made darker
on light paper until text in them is read well (contrast of 4.5 and more).

Each panel says where its numbers are: ``data-x`` and ``data-y`` hold the ends of an axis and its
kind, ``data-box`` the left, top, right and bottom of the panel.
"""

from __future__ import annotations

import math
import textwrap
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from .marks import Area, Axis, Band, Bars, Dots, Floor, Line, Mark, Panel, Points, Rule, Stems

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

    >>> made = picture("A line", "From 0 to 1.", [Panel(Axis(0, 1), Axis(0, 1), [])])
    >>> made.startswith('<svg xmlns="http://www.w3.org/2000/svg" class="isp"')
    True
    """
    top = 30.0
    body = [_text(20, top, title, "head")]
    for line in textwrap.wrap(subtitle, round(width / 7.3)):
        top += 20
        body.append(_text(20, top, line, "soft"))
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
        body.append(_text(20, top - 6, line, "soft"))
    full = round(top + 14)
    name = f"i{zlib.crc32((title + description + ''.join(body)).encode()):08x}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="isp" width="{width}" height="{full}" '
        f'viewBox="0 0 {width} {full}" role="img" aria-labelledby="{name}t {name}d">\n'
        f'<title id="{name}t">{escape(title)}</title>\n'
        f'<desc id="{name}d">{escape(description)}</desc>\n<style>{_STYLE}</style>\n'
        f'<rect class="paper" width="{width}" height="{full}" rx="6"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Box:
    """A panel's own rectangle on the page."""

    x: Axis
    y: Axis
    left: float
    top: float
    right: float
    bottom: float

    def page(self, across: float, up: float) -> tuple[float, float]:
        """Where a place between 0 and 1 is on the page; never above the panel nor below it."""
        return (
            self.left + across * (self.right - self.left),
            self.bottom - min(max(up, 0.0), 1.0) * (self.bottom - self.top),
        )

    def across(self, value: float) -> float:
        return self.page(self.x.place(value), 0.0)[0]

    def up(self, value: float) -> float:
        return self.page(0.0, self.y.place(value))[1]

    def at(self, point: tuple[float, float]) -> tuple[float, float]:
        return self.across(point[0]), self.up(point[1])

    @property
    def floor(self) -> float:
        """Where bars and areas stand."""
        return self.up(self.y.low if self.y.log else max(self.y.low, 0.0))


def _panel(panel: Panel, left: float, right: float, top: float, bottom: float) -> str:
    x, y = panel.x, panel.y
    widest = max((len(y.text(value)) for value in y.ticks()), default=1)
    named = [mark.label for mark in panel.marks if isinstance(mark, (Line, Band, Floor))]
    margin = max((_width(label) for label in named if label), default=0)
    box = _Box(
        x, y, left + 14 + _TICK * widest, top, right - (margin + 10 if margin else 14), bottom
    )
    kind = ["log" if axis.log else "linear" for axis in (x, y)]
    ends = [f"{axis.low:.9g} {axis.high:.9g}" for axis in (x, y)]
    places = " ".join(_n(value) for value in (box.left, box.top, box.right, box.bottom))
    out = [
        f'<g data-x="{ends[0]} {kind[0]}" data-y="{ends[1]} {kind[1]}" data-box="{places}">',
        _axes(box),
    ]
    if panel.title:
        above = top - (34 if panel.key else 12)
        out.append(_text(box.left, above, panel.title, "name"))
    out.append(_key(panel.key, box.left, top - 10))
    labels: list[tuple[float, int, str]] = []
    for mark in panel.marks:
        text, ends_at = _draw(mark, box)
        out.append(text)
        label = getattr(mark, "label", "")
        if label and not isinstance(mark, Rule):
            labels.append((ends_at, mark.colour or 0, label))
    out += _labels(labels, box)
    return "\n".join([*(line for line in out if line), "</g>"])


def _axes(box: _Box) -> str:
    x, y = box.x, box.y
    lines = "".join(f"M{_n(box.left)} {_n(box.up(value))}H{_n(box.right)}" for value in y.ticks())
    ticks = "".join(f"M{_n(box.across(value))} {_n(box.bottom)}v5" for value in x.ticks())
    out = [
        f'<path class="grid" d="{lines}"/>' if lines else "",
        f'<path class="axis" d="M{_n(box.left)} {_n(box.bottom)}H{_n(box.right)}{ticks}"/>',
    ]
    out += [_text(box.left - 7, box.up(v) + 4, y.text(v), "tick end") for v in y.ticks()]
    out += [_text(box.across(v), box.bottom + 19, x.text(v), "tick mid") for v in x.ticks()]
    if x.label:
        out.append(_text((box.left + box.right) / 2, box.bottom + 38, x.label, "soft mid"))
    return "\n".join(filter(None, out))


def _key(key: Sequence[tuple[int, str]], left: float, top: float) -> str:
    out = []
    for colour, text in key:
        square = f'x="{_n(left)}" y="{_n(top - 9)}" width="10" height="10" rx="2"'
        out.append(f'<rect class="key c{colour}" {square}/>')
        out.append(_text(left + 15, top, text, f"label c{colour}"))
        left += 33 + _width(text)
    return "\n".join(out)


def _draw(mark: Mark, box: _Box) -> tuple[str, float]:
    """A mark as SVG, and the height on the page at which its label stands."""
    match mark:
        case Line():
            return _line(mark, box)
        case Dots():
            return _dots(mark, box), 0.0
        case Bars():
            return _bars(mark, box), 0.0
        case Area():
            run = _path([box.at(point) for point in mark.points])
            first, last = (box.across(mark.points[i][0]) for i in (0, -1))
            shape = f"{run}L{_n(last)} {_n(box.floor)}L{_n(first)} {_n(box.floor)}Z"
            return f'<path class="band c{mark.colour}" d="{shape}"/>', 0.0
        case Band():
            low, high = box.up(mark.low), box.up(mark.high)
            edges = f"M{_n(box.left)} {_n(low)}H{_n(box.right)}M{_n(box.left)} {_n(high)}"
            text = (
                f'<rect class="band c{mark.colour}" x="{_n(box.left)}" y="{_n(high)}" '
                f'width="{_n(box.right - box.left)}" height="{_n(low - high)}"/>\n'
                f'<path class="line thin dash c{mark.colour}" d="{edges}H{_n(box.right)}"/>'
            )
            return text, high
        case Stems():
            runs = (f"M{_n(box.across(x))} {_n(box.floor)}V{_n(box.up(y))}" for x, y in mark.points)
            return f'<path class="stem c{mark.colour}" d="{"".join(runs)}"/>', 0.0
        case Rule():
            return _rule(mark, box), 0.0
        case Floor():
            run = f"M{_n(box.across(mark.low))} {_n(box.bottom)}H{_n(box.across(mark.high))}"
            return f'<path class="line floor c{mark.colour}" d="{run}"/>', box.bottom
    side = {"left": " end", "middle": " mid"}.get(mark.side, "")
    kind = "soft" if mark.colour is None else f"label c{mark.colour}"
    x, y = box.at((mark.x, mark.y))
    x += {"left": -6, "right": 6}.get(mark.side, 0)
    return _text(x, y, mark.text, kind + side), 0.0


def _line(mark: Line, box: _Box) -> tuple[str, float]:
    placed = [(box.x.place(x), box.y.place(y)) for x, y in mark.points]
    pieces = list(_pieces(placed))
    kind = "line" + " thin" * mark.thin + " dash" * mark.dash + f" c{mark.colour}"
    paths = [[box.page(*place) for place in piece] for piece in pieces]
    text = "\n".join(f'<path class="{kind}" d="{_path(path)}"/>' for path in paths)
    return text, paths[-1][-1][1] if paths else box.bottom


def _pieces(points: Points) -> Iterable[Points]:
    """What of a line lies between the heights 0 and 1, cut where it crosses them."""
    piece: list[tuple[float, float]] = []
    for (x, y), (to_x, to_y) in pairwise(points):
        cuts = [0.0, 1.0]
        if math.isfinite(y) and math.isfinite(to_y) and y != to_y:
            cuts += [t for t in ((0 - y) / (to_y - y), (1 - y) / (to_y - y)) if 0 < t < 1]
        elif not (math.isfinite(y) and math.isfinite(to_y)):
            if piece:
                yield piece
            piece = []
            continue
        for start, end in pairwise(sorted(cuts)):
            ends = [(x + t * (to_x - x), y + t * (to_y - y)) for t in (start, end)]
            if -1e-9 <= (ends[0][1] + ends[1][1]) / 2 <= 1 + 1e-9:
                piece = [*piece, ends[1]] if piece else ends
            elif piece:
                yield piece
                piece = []
    if piece:
        yield piece


def _dots(mark: Dots, box: _Box) -> str:
    shown = [i for i, (_, y) in enumerate(mark.points) if 0 <= box.y.place(y) <= 1]
    if not shown:
        return ""
    rings = "".join("M{} {}h0".format(*map(_n, box.at(mark.points[i]))) for i in shown)
    out = []
    if mark.spans:
        runs = (
            f"M{_n(box.across(mark.points[i][0]))} {_n(box.up(mark.spans[i][0]))}"
            f"V{_n(box.up(mark.spans[i][1]))}"
            for i in shown
        )
        out.append(f'<path class="line thin c{mark.colour}" d="{"".join(runs)}"/>')
    out.append(f'<path class="dots c{mark.colour}" d="{rings}"/>')
    out.append(f'<path class="dots hole" d="{rings}"/>')
    return "\n".join(out)


def _bars(mark: Bars, box: _Box) -> str:
    if not mark.bars:
        return ""
    run = [f"M{_n(box.across(mark.bars[0][0]))} {_n(box.floor)}"]
    run += [f"V{_n(box.up(height))}H{_n(box.across(right))}" for _, right, height in mark.bars]
    return f'<path class="bars c{mark.colour}" d="{"".join(run)}V{_n(box.floor)}Z"/>'


def _rule(mark: Rule, box: _Box) -> str:
    if mark.y is not None:
        height = box.up(mark.y)
        run, place, side = (
            f"M{_n(box.left)} {_n(height)}H{_n(box.right)}",
            (box.right, height),
            "end",
        )
    else:
        across = box.across(mark.x or 0.0)
        run, place = f"M{_n(across)} {_n(box.bottom)}V{_n(box.top)}", (across + 5, box.top + 10)
        side = ""
    text = f'<path class="line thin dash c{mark.colour}" d="{run}"/>'
    if mark.label:
        label = _text(place[0], place[1] - 5, mark.label, f"label c{mark.colour} {side}".strip())
        text += "\n" + label
    return text


def _labels(labels: Sequence[tuple[float, int, str]], box: _Box) -> list[str]:
    """Names beside the ends of lines, moved apart where they would overlap."""
    ordered = sorted(labels, key=lambda label: label[0])
    heights = [height for height, _, _ in ordered]
    for _ in range(60):  # push neighbours apart, evenly, until none overlaps
        for i, (one, two) in enumerate(pairwise(heights)):
            short = _LINE - (two - one)
            if short > 0:
                heights[i], heights[i + 1] = one - short / 2, two + short / 2
        over = max(heights[-1] - box.bottom, 0.0) if heights else 0.0
        heights = [*heights[:-1], heights[-1] - over] if heights else []
    return [
        _text(box.right + 6, height + 4, text, f"label c{colour}")
        for height, (_, colour, text) in zip(heights, ordered, strict=True)
    ]


# ----------------------------------------------------------------------------------------- ink


def _path(points: Points) -> str:
    runs = [run for run, _ in groupby(f"{_n(x)} {_n(y)}" for x, y in points)]
    return "M" + "L".join(runs) if len(runs) > 1 else f"M{runs[0]}h0"


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}">{escape(text, quote=False)}</text>'


def _width(text: str) -> float:
    """About how wide a text in semibold of 13 pixels is."""
    return sum(4.8 if letter in "ilj.,:;|!'()[] -" else 8.4 for letter in text)


def _n(value: float) -> str:
    """A coordinate, to a hundredth of a pixel."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
