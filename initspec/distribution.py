"""A distribution: a law with numbers. It knows no scheme and no framework.

Every law answers ``mean``, ``variance``, ``std``, ``kurtosis`` (excess), ``support``, ``limits``,
``cdf`` and ``ppf`` in plain Python. The laws here are drawn element by element; those that tie the
elements of a tensor together are in :mod:`initspec.structure`.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from . import draw as _draw
from .draw import Draw
from .errors import SpecError, StreamError
from .fan_rules import Fans
from .truncation import mass, moments


class Scale(NamedTuple):
    """What a law's spread was computed from: ``variance = factor / n``, ``std = gain / sqrt(n)``.

    ``n`` is the fan of ``mode``. A law is drawn by its own numbers. The native streams start from
    these, with the steps of their framework, which may round to another last bit. Two laws that
    differ in their scale alone are equal.

    >>> Scale(2.0, math.sqrt(2), "FAN_IN", Fans(8, 3)).variance
    0.25
    """

    factor: float
    gain: float
    mode: str
    fans: Fans

    @property
    def n(self) -> float:
        """The fan that the variance is divided by."""
        return self.fans.n(self.mode)

    @property
    def variance(self) -> float:
        """The variance of the law, before any root was taken."""
        return self.factor / self.n


class Distribution:
    """The law of one element of a tensor."""

    __slots__ = ()

    #: The word that backends choose their sampler by.
    kind: str = ""

    @property
    def mean(self) -> float:
        """The expectation."""
        raise NotImplementedError

    @property
    def variance(self) -> float:
        """The expected squared distance from the mean."""
        raise NotImplementedError

    @property
    def std(self) -> float:
        """The standard deviation, the square root of the variance."""
        return math.sqrt(self.variance)

    @property
    def kurtosis(self) -> float:
        """The excess kurtosis: 0 for a normal law, -1.2 for a uniform one."""
        raise NotImplementedError

    @property
    def support(self) -> tuple[float, float]:
        """The bounds that no value leaves."""
        raise NotImplementedError

    @property
    def limits(self) -> tuple[float, float] | None:
        """The support where it is bounded, else None: what a uniform law is often given by."""
        low, high = self.support
        return (low, high) if math.isfinite(low) and math.isfinite(high) else None

    def cdf(self, x: float) -> float:
        """The probability of a value of at most ``x``."""
        raise NotImplementedError

    def ppf(self, p: float) -> float:
        """The quantile: the least ``x`` whose ``cdf`` reaches ``p``, for ``0 <= p <= 1``."""
        raise NotImplementedError

    @property
    def draw(self) -> Draw:
        """The law in the integers of the portable stream."""
        raise StreamError(f"{self!r} has no integer form; it is not drawn element by element.")


def _probability(p: float) -> float:
    if not 0 <= p <= 1:
        raise SpecError(f"a probability lies between 0 and 1, not {p!r}.")
    return float(p)


@cache
def _standard() -> object:
    from statistics import NormalDist

    return NormalDist()


def _quantile(p: float) -> float:
    if p in (0, 1):
        return -math.inf if p == 0 else math.inf
    return float(_standard().inv_cdf(p))  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Constant(Distribution):
    """Always ``value``.

    >>> Constant(0.5).cdf(0.4)
    0.0
    """

    value: float = 0.0
    kind = "constant"

    @property
    def mean(self) -> float:
        return self.value

    @property
    def variance(self) -> float:
        return 0.0

    @property
    def kurtosis(self) -> float:
        return math.nan  # no spread, no shape

    @property
    def support(self) -> tuple[float, float]:
        return self.value, self.value

    def cdf(self, x: float) -> float:
        return float(x >= self.value)

    def ppf(self, p: float) -> float:
        _probability(p)
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform(Distribution):
    """Uniform on the open interval ``(low, high)``: ``variance = (high - low)**2 / 12``.

    >>> Uniform(-1, 1).ppf(0.75)
    0.5
    """

    low: float
    high: float
    scale: Scale | None = field(default=None, repr=False, compare=False, kw_only=True)
    kind = "uniform"

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def variance(self) -> float:
        return (self.high - self.low) ** 2 / 12

    @property
    def kurtosis(self) -> float:
        return -1.2

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def cdf(self, x: float) -> float:
        if not self.low < x < self.high:
            return float(x >= self.high)
        return (x - self.low) / (self.high - self.low)

    def ppf(self, p: float) -> float:
        return self.low + (self.high - self.low) * _probability(p)

    @property
    def draw(self) -> Draw:
        return _draw.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Triangular(Distribution):
    """The sum of two independent numbers that are uniform on ``(-limit / 2, limit / 2)``.

    ``variance = limit**2 / 6``, twice that of each of them.

    >>> Triangular(1.0).cdf(0.5), Triangular(1.0).ppf(0.875)
    (0.875, 0.5)
    """

    limit: float
    kind = "triangular"

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def variance(self) -> float:
        return self.limit**2 / 6

    @property
    def kurtosis(self) -> float:
        return -0.6

    @property
    def support(self) -> tuple[float, float]:
        return -self.limit, self.limit

    def cdf(self, x: float) -> float:
        tail = max(1 - abs(x) / self.limit, 0.0) ** 2 / 2
        return tail if x < 0 else 1 - tail

    def ppf(self, p: float) -> float:
        tail = min(_probability(p), 1 - p)
        return math.copysign(self.limit * (1 - math.sqrt(2 * tail)), p - 0.5)


@dataclass(frozen=True, slots=True)
class Normal(Distribution):
    """The normal law ``N(mu, sigma**2)``.

    >>> round(Normal(0, 2).cdf(2), 6)
    0.841345
    """

    mu: float
    sigma: float
    scale: Scale | None = field(default=None, repr=False, compare=False, kw_only=True)
    kind = "normal"

    @property
    def mean(self) -> float:
        return self.mu

    @property
    def variance(self) -> float:
        return self.sigma**2

    @property
    def kurtosis(self) -> float:
        return 0.0

    @property
    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def cdf(self, x: float) -> float:
        if self.sigma == 0:
            return float(x >= self.mu)
        return mass(-math.inf, (x - self.mu) / self.sigma)

    def ppf(self, p: float) -> float:
        z = _quantile(_probability(p))
        return self.mu if self.sigma == 0 else self.mu + self.sigma * z

    @property
    def draw(self) -> Draw:
        return _draw.normal(self.mu, self.sigma)


@dataclass(frozen=True, slots=True)
class TruncatedNormal(Distribution):
    """A normal law ``N(mu, sigma**2)`` conditioned on ``low <= (x - mu) / sigma <= high``.

    ``mu`` and ``sigma`` are the parent's; ``low`` and ``high`` count parent standard deviations.
    ``variance = sigma**2 * (1 - [z phi(z)]/Z - ([phi(z)]/Z)**2)``, see
    :func:`initspec.truncation.moments`. ``bounds`` is the support where it was given as it is:
    ``low`` and ``high`` would give it back only to the last bit.

    >>> round(TruncatedNormal(0, 1, -2, 2).std, 12)
    0.879625661034
    """

    mu: float
    sigma: float
    low: float
    high: float
    scale: Scale | None = field(default=None, repr=False, compare=False, kw_only=True)
    bounds: tuple[float, float] | None = field(
        default=None, repr=False, compare=False, kw_only=True
    )
    kind = "truncated_normal"

    def __post_init__(self) -> None:
        moments(self.low, self.high)  # refuses bounds that leave nothing

    @property
    def mean(self) -> float:
        return self.mu + self.sigma * moments(self.low, self.high)[0]

    @property
    def variance(self) -> float:
        return self.sigma**2 * moments(self.low, self.high)[1]

    @property
    def kurtosis(self) -> float:
        return moments(self.low, self.high)[2]

    @property
    def support(self) -> tuple[float, float]:
        if self.bounds is not None and self.sigma:
            return self.bounds
        return self.mu + self.sigma * self.low, self.mu + self.sigma * self.high

    def cdf(self, x: float) -> float:
        if self.sigma == 0:
            return float(x >= self.mu)
        z = (x - self.mu) / self.sigma
        if not self.low < z < self.high:
            return float(z >= self.high)
        return mass(self.low, z) / mass(self.low, self.high)

    def ppf(self, p: float) -> float:
        _probability(p)
        low, high = self.low, self.high
        if p in (0, 1) or self.sigma == 0:
            return self.support[int(p == 1)]
        total = mass(low, high)
        if low > 0:  # count from the thin end: probabilities near one have no digits left
            z = -_quantile(mass(high, math.inf) + (1 - p) * total)
        else:
            z = _quantile(mass(-math.inf, low) + p * total)
        return self.mu + self.sigma * min(max(z, low), high)

    @property
    def draw(self) -> Draw:
        found = _draw.truncated_normal(self.mu, self.sigma, self.low, self.high)
        if found.count < 2**16:
            raise StreamError(
                f"only {found.count} of 2**32 words fall between {self.low:g} and {self.high:g} "
                "parent standard deviations, too few for the portable stream: use "
                'stream="native", or bounds nearer the mean.'
            )
        return found


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
        return self.gain**2 / self.n

    @property
    def kurtosis(self) -> float:
        return 3 * self.n / (self.n + 2) - 3

    @property
    def support(self) -> tuple[float, float]:
        return -self.gain, self.gain

    def cdf(self, x: float) -> float:
        if not -self.gain <= x < self.gain:
            return float(x >= self.gain)
        if self.n == 1:
            return 0.5
        inside = _beta_half(1 - (x / self.gain) ** 2, (self.n - 1) / 2)
        return inside / 2 if x < 0 else 1 - inside / 2

    def ppf(self, p: float) -> float:
        return _invert(self, _probability(p))


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

    def cdf(self, x: float) -> float:
        return (1 - self.zeros) * self.base.cdf(x) + self.zeros * (x >= 0)

    def ppf(self, p: float) -> float:
        below = (1 - self.zeros) * self.base.cdf(-0.0)
        if _probability(p) < below:
            return self.base.ppf(p / (1 - self.zeros))
        above = p - self.zeros
        return 0.0 if above <= below else self.base.ppf(min(above / (1 - self.zeros), 1.0))


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

    def cdf(self, x: float) -> float:
        return min(math.fsum(self.weights[: bisect.bisect_right(self.values, x)]), 1.0)

    def ppf(self, p: float) -> float:
        _probability(p)
        reached = 0.0
        for value, weight in zip(self.values, self.weights, strict=True):
            reached += weight
            if reached >= p - 1e-15:
                return value
        return self.values[-1]


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
