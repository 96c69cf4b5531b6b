"""The truncated normal law: its moments at any bounds, and the parent behind a wanted result."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from ..errors import SpecError, UnknownName, short_repr
from ..public import public
from .arguments import number, plain, text
from .expression import quantity

UNITS = ("parent", "result", "absolute")


@public
@dataclass(frozen=True, slots=True)
class Truncation:
    """Where a normal law is cut, in which unit, and what becomes of its variance.

    ``unit``: ``"parent"`` counts ``low`` and ``high`` in standard deviations of the normal law
    before the cut, ``"result"`` in those after it, ``"absolute"`` takes them as they are.

    ``variance``: ``"corrected"`` widens the parent so that the result has the variance asked
    for; ``"uncorrected"`` cuts a parent that has it; a number multiplies the parent's variance
    (1.3 in tf.contrib).

    A bound may be a text over sizes, which :meth:`initspec.Scheme.bind` makes a number.

    >>> Truncation(-3.0, 3.0, unit="result").parent(0.0, 1.0)[0] > 1
    True
    """

    low: Any = -2.0
    high: Any = 2.0
    unit: str = "parent"
    variance: str | float = "corrected"

    def __post_init__(self) -> None:
        for name, given in self.bounds.items():
            bound = quantity(f"truncation's {name}", plain(given), _bound)
            object.__setattr__(self, name, bound)
        texts = any(isinstance(bound, str) for bound in self.bounds.values())
        if not texts and not self.low < self.high:
            low, high = short_repr(self.low), short_repr(self.high)
            raise SpecError(f"truncation needs low < high, not low={low}, high={high}.")
        if text("truncation's unit", self.unit) not in UNITS:
            raise UnknownName("truncation unit", self.unit, UNITS)
        if isinstance(self.variance, str):
            if self.variance not in ("corrected", "uncorrected"):
                raise UnknownName(
                    "truncation variance",
                    self.variance,
                    ("corrected", "uncorrected"),
                    "Or a positive number that multiplies the parent's variance.",
                )
            return
        factor = number("a truncation's variance factor", self.variance)
        if factor <= 0:
            raise SpecError(f"a truncation's variance factor is positive, not {factor!r}.")
        object.__setattr__(self, "variance", factor)

    @property
    def bounds(self) -> dict[str, Any]:
        """Both bounds by name.

        >>> Truncation(high=3.0).bounds
        {'low': -2.0, 'high': 3.0}
        """
        return {"low": self.low, "high": self.high}

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data; an infinite bound, which JSON lacks, as a word.

        >>> Truncation(high=float("inf")).to_dict()["high"]
        'inf'
        """
        return {
            **{name: _plain(bound) for name, bound in self.bounds.items()},
            "unit": self.unit,
            "variance": self.variance,
        }

    def parent(self, mean: float, std: float) -> tuple[float, float, float]:
        """The parent's standard deviation and both bounds in it, for a wanted ``std``.

        >>> [round(number, 6) for number in Truncation().parent(0.0, 1.0)]
        [1.136847, -2.0, 2.0]
        """
        return _parent(self, mean, std)


def _bound(name: str, value: Any) -> Any:
    number(name, value, finite=False)
    return value


def _plain(bound: Any) -> Any:
    return bound if isinstance(bound, str) or math.isfinite(bound) else str(bound)


def density(x: float) -> float:
    """The density of the standard normal law, ``exp(-x**2 / 2) / sqrt(2 pi)``."""
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def mass(low: float, high: float) -> float:
    """The probability of a standard normal between two bounds, without cancellation.

    >>> round(mass(-2, 2), 12)
    0.954499736104
    """
    if low > 0:
        return mass(-high, -low)
    return (math.erfc(-high / math.sqrt(2)) - math.erfc(-low / math.sqrt(2))) / 2


def moments(low: float, high: float) -> tuple[float, float, float]:
    """Mean, variance and excess kurtosis of a standard normal cut to ``[low, high]``.

    With ``phi`` the density and ``Z`` the mass between the bounds, ``m1 = -[phi]/Z`` and
    ``m_k = (k - 1) m_{k-2} - [x^(k-1) phi(x)]/Z``, where ``[f]`` is ``f(high) - f(low)``. Where
    these differences would cancel, far out in a tail or between narrow bounds, the same moments
    come from quadrature.

    >>> round(math.sqrt(moments(-2, 2)[1]), 14)
    0.87962566103424
    """
    return _moments(float(low), float(high))


@lru_cache(maxsize=4096)
def _moments(low: float, high: float) -> tuple[float, float, float]:
    total = mass(low, high)
    if total == 0:
        raise SpecError(
            f"no probability is left between {low} and {high} parent standard deviations: "
            "move the bounds towards the mean."
        )
    if high - low < 2 or min(-low, high) < -3:
        return _by_quadrature(low, high)

    def edge(power: int) -> float:
        return (_edge(high, power) - _edge(low, power)) / total

    m1 = -edge(0)
    m2 = 1 - edge(1)
    m3 = 2 * m1 - edge(2)
    m4 = 3 * m2 - edge(3)
    variance = m2 - m1**2
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    return m1, variance, fourth / variance**2 - 3


def _edge(x: float, power: int) -> float:
    """``x**power * phi(x)``, zero at infinity and where phi is."""
    return 0.0 if abs(x) > 40 else x**power * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _by_quadrature(low: float, high: float) -> tuple[float, float, float]:
    near = min(max(low, 0.0), high)  # where the density is highest
    reach = 40 / max(1.0, abs(near))
    low, high = max(low, near - reach), min(high, near + reach)
    points = [
        (low + (high - low) * (panel + (node + 1) / 2) / 16, weight)
        for panel in range(16)
        for node, weight in _gauss_legendre(24)
    ]
    density = [(x, weight * math.exp((near - x) * (near + x) / 2)) for x, weight in points]

    def mean_of(f: Callable[[float], float]) -> float:
        return math.fsum(f(x) * w for x, w in density) / math.fsum(w for _, w in density)

    mean = near + mean_of(lambda x: x - near)
    variance = mean_of(lambda x: (x - mean) ** 2)
    return mean, variance, mean_of(lambda x: (x - mean) ** 4) / variance**2 - 3


@cache
def _gauss_legendre(n: int) -> tuple[tuple[float, float], ...]:
    """Nodes and weights on (-1, 1), by Newton's method on the Legendre polynomial."""
    rule = []
    for i in range(n):
        x = math.cos(math.pi * (i + 0.75) / (n + 0.5))
        for _ in range(8):
            p, before = x, 1.0
            for k in range(2, n + 1):
                p, before = ((2 * k - 1) * x * p - (k - 1) * before) / k, p
            slope = n * (x * p - before) / (x * x - 1)
            x -= p / slope
        rule.append((x, 2 / ((1 - x * x) * slope * slope)))
    return tuple(rule)


@lru_cache(maxsize=4096)
def _parent(cut: Truncation, mean: float, std: float) -> tuple[float, float, float]:
    low, high = cut.low, cut.high
    if std == 0:
        return 0.0, low, high
    if cut.unit == "parent":
        if cut.variance == "corrected":
            return std / math.sqrt(moments(low, high)[1]), low, high
        return std * _widening(cut), low, high
    if cut.unit == "result":
        return _result_unit(cut, std)
    if cut.variance != "corrected":
        parent = std * _widening(cut)
        return parent, (low - mean) / parent, (high - mean) / parent

    def result(parent: float) -> float:
        return parent * math.sqrt(moments((low - mean) / parent, (high - mean) / parent)[1])

    limit = (high - low) / math.sqrt(12)  # a parent of infinite width leaves a uniform law
    if std >= limit * (1 - 1e-9):
        raise SpecError(
            f"no normal law cut to [{low}, {high}] has a standard deviation of {std}: at most "
            f"{limit:.6g}, a uniform law's, is possible. Widen the bounds or lower std."
        )
    parent = _bisect(result, std, std)
    return parent, (low - mean) / parent, (high - mean) / parent


def _widening(cut: Truncation) -> float:
    return 1.0 if isinstance(cut.variance, str) else math.sqrt(cut.variance)


def _result_unit(cut: Truncation, std: float) -> tuple[float, float, float]:
    """Solve ``ratio = std of the normal cut at low * ratio and high * ratio``."""
    low, high = cut.low, cut.high
    if not (low < 0 < high) or high - low <= math.sqrt(12):
        raise SpecError(
            f"bounds of {low} and {high} result standard deviations are impossible: they must lie "
            "on both sides of the mean and more than sqrt(12) apart, as a uniform law's do."
        )

    def excess(ratio: float) -> float:
        return moments(low * ratio, high * ratio)[1] / ratio**2

    # excess falls from (high - low)**2 / 12 towards zero as the ratio grows
    ratio = 1 / _bisect(lambda inverse: excess(1 / inverse), 1.0, 1.0)
    parent = std / ratio if cut.variance == "corrected" else std * _widening(cut)
    return parent, low * ratio, high * ratio


def _bisect(rising: Callable[[float], float], target: float, guess: float) -> float:
    low = high = guess
    while rising(high) < target:
        high *= 2
    while rising(low) > target:
        low /= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2
