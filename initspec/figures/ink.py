"""The ink of a picture: each mark as SVG, where a panel's box puts it on the page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

from ..plain_text import NAME, escaped
from .marks import Area, Axis, Band, Bars, Dots, Floor, Line, Mark, Points, Rule, Stems


@dataclass(frozen=True, slots=True)
class Box:
    """A panel's own rectangle on the page, in pixels, and the axes that it shows."""

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


def drawn(mark: Mark, box: Box) -> tuple[str, float]:
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
            area = f"{run}L{px(last)} {px(box.floor)}L{px(first)} {px(box.floor)}Z"
            return f'<path class="band c{mark.colour}" d="{area}"/>', 0.0
        case Band():
            low, high = box.up(mark.low), box.up(mark.high)
            edges = f"M{px(box.left)} {px(low)}H{px(box.right)}M{px(box.left)} {px(high)}"
            text = (
                f'<rect class="band c{mark.colour}" x="{px(box.left)}" y="{px(high)}" '
                f'width="{px(box.right - box.left)}" height="{px(low - high)}"/>\n'
                f'<path class="line thin dash c{mark.colour}" d="{edges}H{px(box.right)}"/>'
            )
            return text, high
        case Stems():
            runs = (f"M{px(box.across(x))} {px(box.floor)}V{px(box.up(y))}" for x, y in mark.points)
            return f'<path class="stem c{mark.colour}" d="{"".join(runs)}"/>', 0.0
        case Rule():
            return _rule(mark, box), 0.0
        case Floor():
            run = f"M{px(box.across(mark.low))} {px(box.bottom)}H{px(box.across(mark.high))}"
            return f'<path class="line floor c{mark.colour}" d="{run}"/>', box.bottom
    side = {"left": " end", "middle": " mid"}.get(mark.side, "")
    kind = "soft" if mark.colour is None else f"label c{mark.colour}"
    x, y = box.at((mark.x, mark.y))
    x += {"left": -6, "right": 6}.get(mark.side, 0)
    return text_at(x, y, mark.text, kind + side), 0.0


def _line(mark: Line, box: Box) -> tuple[str, float]:
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


def _dots(mark: Dots, box: Box) -> str:
    shown = [i for i, (_, y) in enumerate(mark.points) if 0 <= box.y.place(y) <= 1]
    if not shown:
        return ""
    rings = "".join("M{} {}h0".format(*map(px, box.at(mark.points[i]))) for i in shown)
    out = []
    if mark.spans:
        runs = (
            f"M{px(box.across(mark.points[i][0]))} {px(box.up(mark.spans[i][0]))}"
            f"V{px(box.up(mark.spans[i][1]))}"
            for i in shown
        )
        out.append(f'<path class="line thin c{mark.colour}" d="{"".join(runs)}"/>')
    out.append(f'<path class="dots c{mark.colour}" d="{rings}"/>')
    out.append(f'<path class="dots hole" d="{rings}"/>')
    return "\n".join(out)


def _bars(mark: Bars, box: Box) -> str:
    if not mark.bars:
        return ""
    run = [f"M{px(box.across(mark.bars[0][0]))} {px(box.floor)}"]
    run += [f"V{px(box.up(height))}H{px(box.across(right))}" for _, right, height in mark.bars]
    return f'<path class="bars c{mark.colour}" d="{"".join(run)}V{px(box.floor)}Z"/>'


def _rule(mark: Rule, box: Box) -> str:
    if mark.y is not None:
        height = box.up(mark.y)
        run, place, side = (
            f"M{px(box.left)} {px(height)}H{px(box.right)}",
            (box.right, height),
            "end",
        )
    else:
        across = box.across(mark.x or 0.0)
        run, place = (
            f"M{px(across)} {px(box.bottom)}V{px(box.top)}",
            (across + 5, box.top + 10),
        )
        side = ""
    text = f'<path class="line thin dash c{mark.colour}" d="{run}"/>'
    if mark.label:
        label = text_at(place[0], place[1] - 5, mark.label, f"label c{mark.colour} {side}".strip())
        text += "\n" + label
    return text


# ---------------------------------------------------------------------------- paths and words


def _path(points: Points) -> str:
    runs = [run for run, _ in groupby(f"{px(x)} {px(y)}" for x, y in points)]
    return "M" + "L".join(runs) if len(runs) > 1 else f"M{runs[0]}h0"


def text_at(x: float, y: float, text: str, kind: str) -> str:
    """Text at a place on the page; ``kind`` is its classes."""
    words = escape(escaped(text, NAME), quote=False)
    return f'<text class="{kind}" x="{px(x)}" y="{px(y)}">{words}</text>'


def width_of(text: str) -> float:
    """About how wide a text in semibold of 13 pixels is."""
    return sum(4.8 if letter in "ilj.,:;|!'()[] -" else 8.4 for letter in text)


def px(value: float) -> str:
    """A coordinate on the page, to a hundredth of a pixel."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
