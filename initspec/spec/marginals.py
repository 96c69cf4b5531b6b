"""The law of one element of a tensor whose elements are tied together."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

from .distribution import Distribution, probability, spike, step


@dataclass(frozen=True, slots=True)
class HaarEntry(Distribution):
    """One entry of a random orthogonal matrix, times ``gain``; ``n`` is its longer side.

    ``(x / gain)**2`` has the law ``Beta(1/2, (n - 1)/2)``, so that ``variance = gain**2 / n``.
    """

    gain: float
    n: int
    kind = "haar_entry"

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def variance(self) -> float:
        return self.gain * self.gain / self.n

    @property
    def kurtosis(self) -> float:
        return 3 * self.n / (self.n + 2) - 3

    @property
    def support(self) -> tuple[float, float]:
        return -self.gain, self.gain

    def _cdf(self, x: float) -> float:
        if not -self.gain <= x < self.gain:
            return step(x, self.gain)
        if self.n == 1:
            return 0.5
        inside = _beta_half(1 - (x / self.gain) ** 2, (self.n - 1) / 2)
        return inside / 2 if x < 0 else 1 - inside / 2

    def _ppf(self, p: float) -> float:
        return _invert(self, probability(p))

    def _pdf(self, x: float) -> float:
        """``(1 - t**2)**((n - 3)/2) / B(1/2, (n - 1)/2)`` with ``t = x / gain``."""
        if self.n == 1 or self.gain == 0:
            return spike(abs(x), self.gain)
        t, n = x / self.gain, self.n
        if abs(t) > 1:
            return 0.0
        level = math.lgamma(n / 2) - math.lgamma((n - 1) / 2) - math.log(math.pi) / 2
        if abs(t) == 1:  # an arcsine law's density has poles at its ends, a uniform one's is even
            return {2: math.inf, 3: math.exp(level) / self.gain}.get(n, 0.0)
        return math.exp(level + (n - 3) / 2 * math.log1p(-(t**2))) / self.gain

    @property
    def words(self) -> str:
        return f"one entry of an orthogonal matrix of {self.n}, gain {self.gain:.6g}"


@dataclass(frozen=True, slots=True)
class Spiked(Distribution):
    """Zero with probability ``zeros``, else drawn from ``base``, a law symmetric about zero."""

    base: Distribution
    zeros: float
    kind = "spiked"

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def variance(self) -> float:
        return (1 - self.zeros) * self.base.variance

    @property
    def kurtosis(self) -> float:
        return math.nan if self.zeros == 1 else (self.base.kurtosis + 3) / (1 - self.zeros) - 3

    @property
    def support(self) -> tuple[float, float]:
        return (0.0, 0.0) if self.zeros == 1 else self.base.support

    def _cdf(self, x: float) -> float:
        return (1 - self.zeros) * self.base.cdf(x) + self.zeros * (x >= 0)

    def _ppf(self, p: float) -> float:
        below = (1 - self.zeros) * self.base.cdf(-0.0)
        if probability(p) < below:
            return self.base.ppf(p / (1 - self.zeros))
        above = p - self.zeros
        return 0.0 if above <= below else self.base.ppf(min(above / (1 - self.zeros), 1.0))

    def _pdf(self, x: float) -> float:
        if x == 0 and self.zeros:
            return math.inf
        return (1 - self.zeros) * self.base.pdf(x) if self.zeros < 1 else 0.0

    @property
    def words(self) -> str:
        return f"{self.zeros:.6g} zeros, else {self.base.words}"


@dataclass(frozen=True, slots=True)
class Discrete(Distribution):
    """The values of a fixed tensor, taken at a place chosen evenly."""

    values: tuple[float, ...]
    weights: tuple[float, ...]
    kind = "discrete"

    @classmethod
    def of(cls, counts: dict[float, int]) -> Discrete:
        """From how often each value occurs."""
        total = sum(counts.values()) or 1
        ordered = sorted(counts) or [0.0]
        return cls(tuple(ordered), tuple(counts.get(value, 1) / total for value in ordered))

    def _moment(self, power: int, about: float) -> float:
        pairs = zip(self.values, self.weights, strict=True)
        return math.fsum(weight * (value - about) ** power for value, weight in pairs)

    @property
    def mean(self) -> float:
        return self._moment(1, 0.0)

    @property
    def variance(self) -> float:
        return self._moment(2, self.mean)

    @property
    def kurtosis(self) -> float:
        spread = self.variance
        return self._moment(4, self.mean) / spread**2 - 3 if spread else math.nan

    @property
    def support(self) -> tuple[float, float]:
        return self.values[0], self.values[-1]

    def _cdf(self, x: float) -> float:
        return min(math.fsum(self.weights[: bisect.bisect_right(self.values, x)]), 1.0)

    def _ppf(self, p: float) -> float:
        probability(p)
        reached = 0.0
        for value, weight in zip(self.values, self.weights, strict=True):
            reached += weight
            if reached >= p - 1e-15:
                return value
        return self.values[-1]

    def _pdf(self, x: float) -> float:
        at = bisect.bisect_left(self.values, x)
        return math.inf if self.values[at : at + 1] == (x,) else 0.0

    @property
    def words(self) -> str:
        return f"fixed numbers between {self.support[0]:.6g} and {self.support[1]:.6g}"


def _beta_half(x: float, a: float) -> float:
    """The regularised incomplete beta function ``I_x(a, 1/2)``, by Lentz's continued fraction."""
    if x in (0, 1):
        return float(x)
    b = 0.5
    scale = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return scale * _beta_fraction(x, a, b) / a
    return 1 - scale * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            total *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return total


def _invert(law: Distribution, p: float) -> float:
    low, high = law.support
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if law.cdf(middle) < p else (low, middle)
    return high
