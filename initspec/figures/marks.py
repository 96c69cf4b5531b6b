"""The marks of a picture: points, lines, bars, axes and their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import SpecError

Points = Sequence[tuple[float, float]]


# ---------------------------------------------------------------------------------------- axes


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` at its beginning to ``high``, linear or in decades; linear ones may fall.

    >>> Axis(0, 50).place(10), Axis(1e-4, 1e4, log=True).place(1.0)
    (0.2, 0.5)
    >>> Axis(0, 50).ticks(), Axis(1e-4, 1e4, log=True).ticks()
    ((0.0, 10.0, 20.0, 30.0, 40.0, 50.0), (0.0001, 0.01, 1.0, 100.0, 10000.0))
    """

    low: float
    high: float
    label: str = ""
    log: bool = False
    shown: tuple[float, ...] | None = None
    count: int = 5

    def __post_init__(self) -> None:
        if not (self.low != self.high and math.isfinite(self.high - self.low)):
            raise SpecError(f"an axis needs two finite ends, not {self.low} and {self.high}.")
        if self.log and not 0 < self.low < self.high:
            raise SpecError(f"decades rise from above zero, not from {self.low} to {self.high}.")

    def place(self, value: float) -> float:
        """Where a value is: 0 at the low end, 1 at the high one; -inf for none in decades."""
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return -math.inf
        return math.log(value / self.low) / math.log(self.high / self.low)

    def ticks(self) -> tuple[float, ...]:
        """Round values inside the axis, about ``count`` of them."""
        if self.shown is not None:
            return self.shown
        if not self.log:
            low, high = sorted((self.low, self.high))
            step = _round_step((high - low) / self.count)
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            return tuple(round(i * step, 12) + 0.0 for i in range(first, last + 1))
        first = math.ceil(math.log10(self.low) - 1e-9)
        last = math.floor(math.log10(self.high) + 1e-9)
        step = max(1, math.ceil((last - first) / self.count))
        whole = range(-(-first // step) * step, last + 1, step)
        return tuple(10.0**power for power in whole)

    def text(self, value: float) -> str:
        """A tick's label."""
        if self.log and not all(0.001 <= tick <= 1000 for tick in self.ticks()) and value != 1:
            return power(value)
        return number(value)


def power(value: float) -> str:
    """The nearest power of ten.

    >>> power(3e-20)
    '10⁻²⁰'
    """
    return "10" + str(round(math.log10(value))).translate(_RAISED)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _round_step(least: float) -> float:
    base = 10.0 ** math.floor(math.log10(least))
    return next(digit * base for digit in (1, 2, 2.5, 5, 10) if digit * base >= least * (1 - 1e-9))


def number(value: float) -> str:
    """A number for readers, with a minus sign.

    >>> number(-0.25), number(1e-20)
    ('−0.25', '1e−20')
    """
    return f"{value:.6g}".replace("-", "−")


def decades(values: Iterable[float], least: int = 2) -> tuple[float, float]:
    """Whole powers of ten around the positive values, at least so many apart.

    >>> decades([0.5, 30.0, 0.0])
    (0.1, 100.0)
    """
    logs = [math.log10(value) for value in values if 0 < value < math.inf] or [0.0]
    low, high = math.floor(min(logs) + 1e-9), math.ceil(max(logs) - 1e-9)
    while high - low < least:
        high, low = (high + 1, low) if high + low <= 0 else (high, low - 1)
    return 10.0 ** max(low, -300), 10.0 ** min(high, 300)


# --------------------------------------------------------------------------------------- marks


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; what leaves the panel is cut at its edge. It is named at its end."""

    points: Points
    colour: int = 0
    label: str = ""
    dash: bool = False
    thin: bool = False


@dataclass(frozen=True, slots=True)
class Dots:
    """Rings at points, with whiskers from ``low`` to ``high`` where these are given."""

    points: Points
    colour: int = 0
    spans: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars ``(left, right, height)`` from zero."""

    bars: Sequence[tuple[float, float, float]]
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Area:
    """The area between points and zero."""

    points: Points
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Band:
    """From one height to another, as wide as the panel."""

    low: float
    high: float
    colour: int = 5
    label: str = ""


@dataclass(frozen=True, slots=True)
class Stems:
    """Lines from zero up to points."""

    points: Points
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line across the panel at one height (``y``), or up it at one place (``x``)."""

    y: float | None = None
    x: float | None = None
    label: str = ""
    colour: int = 5


@dataclass(frozen=True, slots=True)
class Floor:
    """A line along the floor, for what is zero and has no place in decades."""

    low: float
    high: float
    colour: int = 5
    label: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Text at a place; ``side`` is where the text is from there: left, right or middle."""

    x: float
    y: float
    text: str
    colour: int | None = None
    side: str = "right"


Mark = Line | Dots | Bars | Area | Band | Stems | Rule | Floor | Note


@dataclass(frozen=True, slots=True)
class Panel:
    """Axes, and what is on them, from the back to the front; ``key`` names colours on top."""

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    title: str = ""
    key: Sequence[tuple[int, str]] = ()
