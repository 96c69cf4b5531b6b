"""A distribution: a law with numbers. It knows no scheme and no framework.

Every law answers ``mean``, ``variance``, ``std``, ``kurtosis`` (excess), ``support``, ``limits``,
``cdf``, ``ppf`` and ``pdf`` in plain Python, and says itself in words. The laws here are drawn
element by element; those that tie the elements of a tensor together are in
:mod:`initspec.spec.tensor_laws`. A new law is one class: all that is known of it stands there, so
that this file is longer than most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from numbers import Real
from typing import Any, NamedTuple, overload

from ..errors import SpecError, StreamError, short_repr
from ..public import public
from . import integer_form
from .fan_rules import Fans
from .integer_form import Draw
from .truncation import density, mass, moments


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
    """The law of one element of a tensor.

    A law is a class with its moments, its support and three functions of one float, ``_cdf``,
    ``_ppf`` and ``_pdf``. It may have an integer form, ``draw``, and says itself in words, with
    its numbers (``words``) and without them (``family``).

    >>> from initspec import get
    >>> law = get("he_uniform").on((6, 4))
    >>> law.kind, law.mean, law.variance, law.support
    ('uniform', 0.0, 0.3333333333333333, (-1.0, 1.0))
    """

    __slots__ = ()

    #: The word that backends choose their sampler by.
    kind: str = ""
    #: Whether each element is drawn by itself, as one number of the stream times a scale.
    elementwise: bool = False

    @property
    def mean(self) -> float:
        """The expectation.

        >>> from initspec import get
        >>> get("normal(mean=0.5, std=0.1)").on((2, 2)).mean
        0.5
        """
        raise NotImplementedError

    @property
    def variance(self) -> float:
        """The expected squared distance from the mean.

        >>> from initspec import get
        >>> round(get("he_normal").on((8, 4)).variance, 12)
        0.25
        """
        raise NotImplementedError

    @property
    def std(self) -> float:
        """The standard deviation, the square root of the variance.

        >>> from initspec import get
        >>> get("normal(std=0.02)").on((2, 2)).std
        0.02
        """
        return math.sqrt(self.variance)

    @property
    def kurtosis(self) -> float:
        """The excess kurtosis: 0 for a normal law, -1.2 for a uniform one.

        >>> from initspec import get
        >>> get("he_uniform").on((8, 4)).kurtosis
        -1.2
        """
        raise NotImplementedError

    @property
    def support(self) -> tuple[float, float]:
        """The bounds that no value leaves.

        >>> from initspec import get
        >>> get("he_uniform").on((6, 4)).support
        (-1.0, 1.0)
        """
        raise NotImplementedError

    @property
    def limits(self) -> tuple[float, float] | None:
        """The support where it is bounded, else None: what a uniform law is often given by.

        >>> from initspec import get
        >>> get("he_uniform").on((6, 4)).limits, get("normal(std=1.0)").on((6, 4)).limits
        ((-1.0, 1.0), None)
        """
        low, high = self.support
        return (low, high) if math.isfinite(low) and math.isfinite(high) else None

    @overload
    def cdf(self, x: float) -> float: ...
    @overload
    def cdf(self, x: Any) -> Any: ...
    def cdf(self, x: Any) -> Any:
        """The probability of a value of at most ``x``.

        A number gives a float; an array, or a list, gives a float64 NumPy array of its shape, as
        ``scipy.stats.kstest(values, law.cdf)`` wants it. NaN gives NaN.

        >>> Uniform(-1, 1).cdf(0.5)
        0.75
        >>> Uniform(-1, 1).cdf([[-2.0, 0.5]])
        array([[0.  , 0.75]])
        """
        return _each(self._cdf, x)

    @overload
    def ppf(self, p: float) -> float: ...
    @overload
    def ppf(self, p: Any) -> Any: ...
    def ppf(self, p: Any) -> Any:
        """The quantile: the least ``x`` whose ``cdf`` reaches ``p``, for ``0 <= p <= 1``.

        Numbers, arrays and NaN as in :meth:`cdf`. Raises :class:`SpecError` for what is no
        probability.

        >>> from initspec import get
        >>> get("he_uniform").on((6, 4)).ppf(0.75)
        0.5
        """
        return _each(self._ppf, p)

    @overload
    def pdf(self, x: float) -> float: ...
    @overload
    def pdf(self, x: Any) -> Any: ...
    def pdf(self, x: Any) -> Any:
        """The density at ``x``, per unit of ``x``: the slope of ``cdf``, its ends included.

        Where a single value has a probability of its own, at an atom, ``cdf`` jumps and the density
        is infinite. Numbers, arrays and NaN as in :meth:`cdf`.

        >>> round(Normal(0, 2).pdf(0), 6), Constant(1.0).pdf([0.0, 1.0])
        (0.199471, array([ 0., inf]))
        """
        return _each(self._pdf, x)

    def _cdf(self, x: float) -> float:
        raise NotImplementedError

    def _ppf(self, p: float) -> float:
        raise NotImplementedError

    def _pdf(self, x: float) -> float:
        raise NotImplementedError

    @property
    def words(self) -> str:
        """The law in a few words and numbers.

        >>> TruncatedNormal(0.0, 0.02, -2.0, 2.0).words
        'normal cut at -2 and 2 parent stds, std 0.0175925'
        """
        return repr(self)

    @property
    def family(self) -> str:
        """What kind of law it is, in words, whatever its scale.

        >>> Normal(0.0, 0.02).family
        'a normal law'
        """
        return repr(self)

    @property
    def extent(self) -> tuple[float, float]:
        """The greatest magnitude that is drawn, and one that a number type must tell from zero.

        Of a law that cannot say, as one of a user's own: zero, for nothing is refused.

        >>> from initspec import get
        >>> get("constant(value=-0.5)").on((2,), "o").extent
        (0.5, 0.5)
        """
        return 0.0, 0.0

    @property
    def draw(self) -> Draw:
        """The law in the integers of the portable stream.

        Raises :class:`StreamError` for a law that is not drawn element by element.

        >>> from initspec import get
        >>> get("uniform(low=0.0, high=1.0)").on((2, 2)).draw.shift
        0.5
        """
        raise StreamError(f"{self!r} has no integer form; it is not drawn element by element.")


def _each(function: Callable[[float], float], x: Any) -> Any:
    """A function of one float on a number, or on each number of an array."""
    if isinstance(x, (float, int, Real)):
        return math.nan if x != x else float(function(_float(x)))
    import numpy as np

    try:
        given = np.asarray(x)
        if given.dtype.kind not in "biufVO":
            raise TypeError(given.dtype)
        values = given.astype(np.float64)
    except Exception:  # whatever an object raises where NumPy asks it for its numbers
        raise SpecError(
            f"a number or an array of them was expected, not {short_repr(x)}."
        ) from None
    answers = (_each(function, value) for value in values.ravel().tolist())
    return np.fromiter(answers, np.float64, values.size).reshape(values.shape)


def _float(x: Any) -> float:
    """A real number; an integer beyond all floats is infinite."""
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def _squared(x: float) -> float:
    try:
        return x**2
    except OverflowError:
        return math.inf


def _root(variance: float, std: float) -> float:
    """The root of a variance, or where floats cannot hold that, the std computed without it."""
    return math.sqrt(variance) if 2.0**-1000 < variance < math.inf else std


def step(x: float, at: float) -> float:
    """The distribution function of a single value."""
    return float(x >= at)


def spike(x: float, at: float) -> float:
    """The density of a single value: infinite there, zero elsewhere."""
    return math.inf if x == at else 0.0


def probability(p: float) -> float:
    """A probability as a float; refuses what is none."""
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

    def _cdf(self, x: float) -> float:
        return step(x, self.value)

    def _ppf(self, p: float) -> float:
        probability(p)
        return self.value

    def _pdf(self, x: float) -> float:
        return spike(x, self.value)

    @property
    def extent(self) -> tuple[float, float]:
        return abs(self.value), abs(self.value)

    @property
    def words(self) -> str:
        return f"always {self.value:.6g}"

    @property
    def family(self) -> str:
        return f"always {self.value:g}"


@dataclass(frozen=True, slots=True)
class Uniform(Distribution):
    """Uniform on ``(low, high)``: ``variance = (high - low)**2 / 12``. Rounding can reach the ends.

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
        mean = (self.low + self.high) / 2
        return self.low / 2 + self.high / 2 if math.isinf(mean) else mean

    @property
    def variance(self) -> float:
        return _squared(self.high - self.low) / 12

    @property
    def std(self) -> float:
        return _root(self.variance, (self.high / 2 - self.low / 2) / math.sqrt(3))

    @property
    def kurtosis(self) -> float:
        return -1.2

    @property
    def support(self) -> tuple[float, float]:
        return self.low, self.high

    def _cdf(self, x: float) -> float:
        if not self.low < x < self.high:
            return float(x >= self.high)
        width = self.high - self.low
        if math.isinf(width):
            return (x / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return (x - self.low) / width

    def _ppf(self, p: float) -> float:
        width = self.high - self.low
        if math.isinf(width):
            return self.low * (1 - probability(p)) + self.high * p
        return self.low + width * probability(p)

    def _pdf(self, x: float) -> float:
        if self.low == self.high:
            return spike(x, self.low)
        if not self.low <= x <= self.high:
            return 0.0
        return 1 / (self.high - self.low) if self.high - self.low > 2.0**-1022 else math.inf

    @property
    def extent(self) -> tuple[float, float]:
        largest = max(abs(self.low), abs(self.high))
        return largest * (1 - 2.0**-24), largest

    @property
    def words(self) -> str:
        return f"uniform on ({self.low:.6g}, {self.high:.6g})"

    @property
    def family(self) -> str:
        return "a uniform law"

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
        return _squared(self.limit) / 6

    @property
    def kurtosis(self) -> float:
        return -0.6

    @property
    def support(self) -> tuple[float, float]:
        return -self.limit, self.limit

    def _cdf(self, x: float) -> float:
        if self.limit == 0:
            return step(x, 0.0)
        tail = max(1 - abs(x) / self.limit, 0.0) ** 2 / 2
        return tail if x < 0 else 1 - tail

    def _ppf(self, p: float) -> float:
        tail = min(probability(p), 1 - p)
        return math.copysign(self.limit * (1 - math.sqrt(2 * tail)), p - 0.5)

    def _pdf(self, x: float) -> float:
        if self.limit == 0:
            return spike(x, 0.0)
        return max(1 - abs(x) / self.limit, 0.0) / self.limit

    @property
    def words(self) -> str:
        return f"triangular on (-{self.limit:.6g}, {self.limit:.6g})"

    @property
    def family(self) -> str:
        return "a triangular law"


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
        return _squared(self.sigma)

    @property
    def std(self) -> float:
        return self.sigma

    @property
    def kurtosis(self) -> float:
        return 0.0

    @property
    def extent(self) -> tuple[float, float]:
        return abs(self.mu) + self.sigma * integer_form.REACH, max(abs(self.mu), self.sigma)

    @property
    def support(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def _cdf(self, x: float) -> float:
        if self.sigma == 0:
            return step(x, self.mu)
        return mass(-math.inf, (x - self.mu) / self.sigma)

    def _ppf(self, p: float) -> float:
        z = _quantile(probability(p))
        return self.mu if self.sigma == 0 else self.mu + self.sigma * z

    def _pdf(self, x: float) -> float:
        if self.sigma == 0:
            return spike(x, self.mu)
        return density((x - self.mu) / self.sigma) / self.sigma

    @property
    def words(self) -> str:
        return f"normal, {_mean_in_words(self)}std {self.std:.6g}"

    @property
    def family(self) -> str:
        return "a normal law"

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
        return _squared(self.sigma) * moments(self.low, self.high)[1]

    @property
    def std(self) -> float:
        return _root(self.variance, self.sigma * math.sqrt(moments(self.low, self.high)[1]))

    @property
    def extent(self) -> tuple[float, float]:
        reach = integer_form.REACH
        ends = (self.mu + self.sigma * min(max(z, -reach), reach) for z in (self.low, self.high))
        return max(map(abs, ends)), max(abs(self.mu), self.sigma)

    @property
    def kurtosis(self) -> float:
        return moments(self.low, self.high)[2]

    @property
    def support(self) -> tuple[float, float]:
        if self.bounds is not None and self.sigma:
            return self.bounds
        return self.mu + self.sigma * self.low, self.mu + self.sigma * self.high

    def _cdf(self, x: float) -> float:
        if self.sigma == 0:
            return step(x, self.mu)
        z = (x - self.mu) / self.sigma
        if not self.low < z < self.high:
            return float(z >= self.high)
        return mass(self.low, z) / mass(self.low, self.high)

    def _ppf(self, p: float) -> float:
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

    def _pdf(self, x: float) -> float:
        if self.sigma == 0:
            return spike(x, self.mu)
        low, high = self.support
        if not low <= x <= high:
            return 0.0
        return density((x - self.mu) / self.sigma) / (self.sigma * mass(self.low, self.high))

    @property
    def words(self) -> str:
        cut = f"normal cut at {self.low:.6g} and {self.high:.6g} parent stds"
        return f"{cut}, {_mean_in_words(self)}std {self.std:.6g}"

    @property
    def cut(self) -> str:
        """Where it is cut, in words."""
        return f"cut at {self.low:g} and {self.high:g} standard deviations of its parent"

    @property
    def family(self) -> str:
        return f"a normal law {self.cut}"

    @property
    def draw(self) -> Draw:
        draw = integer_form.truncated_normal(self.mu, self.sigma, self.low, self.high)
        if draw.count < 2**16:
            raise StreamError(
                f"only {draw.count} of 2**32 words fall between {self.low:g} and {self.high:g} "
                "parent standard deviations, too few for the portable stream: use "
                'stream="native", or bounds nearer the mean.'
            )
        return draw


def _mean_in_words(law: Normal | TruncatedNormal) -> str:
    return f"mean {law.mean:.6g}, " if law.mean else ""
