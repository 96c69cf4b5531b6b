"""A distribution: a law with numbers. It knows no scheme and no framework.

Every law answers ``mean``, ``variance``, ``std``, ``kurtosis`` (excess), ``support``, ``limits``,
``cdf`` and ``ppf`` in plain Python. The laws here are drawn element by element; those that tie the
elements of a tensor together are in :mod:`initspec.spec.tensor_laws`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from ..errors import SpecError, StreamError
from ..public import public
from . import integer_form
from .fan_rules import Fans
from .integer_form import Draw
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


@public
class Distribution:
    """The law of one element of a tensor."""

    __slots__ = ()

    #: The word that backends choose their sampler by.
    kind: str = ""
    #: Whether each element is drawn by itself, as one number of the stream times a scale.
    elementwise: bool = False

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


def probability(p: float) -> float:
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
        probability(p)
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
    elementwise = True

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
        return self.low + (self.high - self.low) * probability(p)

    @property
    def draw(self) -> Draw:
        return integer_form.uniform(self.low, self.high)


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
        tail = min(probability(p), 1 - p)
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
    elementwise = True

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
        z = _quantile(probability(p))
        return self.mu if self.sigma == 0 else self.mu + self.sigma * z

    @property
    def draw(self) -> Draw:
        return integer_form.normal(self.mu, self.sigma)


@dataclass(frozen=True, slots=True)
class TruncatedNormal(Distribution):
    """A normal law ``N(mu, sigma**2)`` conditioned on ``low <= (x - mu) / sigma <= high``.

    ``mu`` and ``sigma`` are the parent's; ``low`` and ``high`` count parent standard deviations.
    ``variance = sigma**2 * (1 - [z phi(z)]/Z - ([phi(z)]/Z)**2)``, see
    :func:`initspec.spec.truncation.moments`. ``bounds`` is the support where it was given as it is:
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
    elementwise = True

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
        probability(p)
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
        found = integer_form.truncated_normal(self.mu, self.sigma, self.low, self.high)
        if found.count < 2**16:
            raise StreamError(
                f"only {found.count} of 2**32 words fall between {self.low:g} and {self.high:g} "
                "parent standard deviations, too few for the portable stream: use "
                'stream="native", or bounds nearer the mean.'
            )
        return found
