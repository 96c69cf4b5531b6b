"""Could a tensor have been drawn from a law? Tests whose false alarms are bounded.

Each test answers with a bound on its p-value. All but one hold at every size, so that the bounds
need no simulation: by Hoeffding for means, Chernoff and Bernstein for scales, Dvoretzky,
Kiefer, Wolfowitz and Massart for the distance of the distribution functions, Markov for the
likelihood ratios, Chernoff for repeated values and for copies. The one on the whole matrix is by
the limit law of its largest singular value (Tracy and Widom).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ..spec.distance import dkw
from ..spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..spec.truncation import mass
from ..stream.dtypes import ROUNDING
from .grid import cumulated
from .sample import STEP, Sample

#: A tensor that was drawn from a law is refused, by all tests together, at most so often. An
#: inference spends as much again on the likelihoods.
ALPHA = 1e-4


class Refusal(NamedTuple):
    """The test that refuses a law, and its p-value."""

    test: str
    p: float


# -------------------------------------------------------------------------------- single elements


def refusal(law: Distribution, sample: Sample, alpha: float = ALPHA) -> Refusal | None:
    """The first test that refuses a law of single elements, or None.

    A sample of the law is refused with a probability of at most ``alpha``.

    >>> drawn = Sample(np.random.default_rng(0).normal(0.0, 0.02, (64, 96)), "float64")
    >>> refusal(Normal(0.0, 0.02), drawn) is None
    True
    >>> refusal(Normal(0.0, 0.03), drawn).test
    'scale'
    """
    level = alpha / (len(_TESTS) - 1)  # the first has no false alarms
    return next((refused for refused in every(law, sample) if refused.p < level), None)


def every(law: Distribution, sample: Sample) -> Iterator[Refusal]:
    """Each test with its p-value, whatever the outcome."""
    for test in _TESTS:
        yield Refusal(test.__name__.strip("_"), test(law, sample))


def _support(law: Distribution, sample: Sample) -> float:
    """No value lies beyond the bounds, but for its rounding, and float32's in computing them."""
    low, high = law.support
    return float(
        sample.cell(sample.low)[1] >= low - 2.0**-20 * abs(low)
        and sample.cell(sample.high)[0] <= high + 2.0**-20 * abs(high)
    )


def _mean(law: Distribution, sample: Sample) -> float:
    """The mean of all numbers."""
    return _mean_bound(law, sample, abs(sample.mean - law.mean), sample.n)


def _mean_bound(law: Distribution, sample: Sample, off: float, n: int) -> float:
    """Hoeffding's bound: these laws are sub-Gaussian, symmetric ones by their own variance."""
    proxy = law.variance
    if isinstance(law, TruncatedNormal) and law.low != -law.high:
        proxy = law.sigma**2
    gap = max(0.0, off - ROUNDING[sample.dtype][0] ** 2 * law.std)
    return 2 * math.exp(-n * gap**2 / (2 * proxy))


def _scale(law: Distribution, sample: Sample) -> float:
    """The mean square of all numbers."""
    return _scale_bound(law, sample, sample.square(law.mean) / law.variance, sample.n)


def _scale_bound(law: Distribution, sample: Sample, ratio: float, n: int) -> float:
    """Chernoff's bound for a normal law, Bernstein's for bounded ones."""
    slack = 4 * ROUNDING[sample.dtype][0] ** 2
    gap = max(0.0, abs(ratio - 1) - slack)
    if isinstance(law, Normal):
        ratio = 1 + math.copysign(gap, ratio - 1)
        rate = (ratio - 1 - math.log(ratio)) / 2 if ratio > 0 else math.inf
    else:
        low, high = law.support
        most = max(law.mean - low, high - law.mean) ** 2 / law.variance
        reach = most - 1 if ratio > 1 else 1.0
        rate = gap**2 / (2 * (law.kurtosis + 2 + reach * gap / 3))
    return 2 * math.exp(-n * rate)


def _lines(law: Distribution, sample: Sample) -> float:
    """No row and no column has a mean or a scale of its own, as training gives them."""
    least = 1.0
    for means, squares, length in sample.lines:
        off = float(np.abs(means - law.mean).max())
        ratios = (squares - 2 * law.mean * means + law.mean**2) / law.variance
        bounds = (
            _mean_bound(law, sample, off, length),
            _scale_bound(law, sample, float(ratios.max()), length),
            _scale_bound(law, sample, float(ratios.min()), length),
        )
        least = min(least, 3 * len(sample.lines) * means.size * min(bounds))
    return least


def _extremes(law: Distribution, sample: Sample) -> float:
    """The greatest and the least value lie where those of so many values do; exact."""
    n, least = sample.n, 1.0
    for end, side in ((sample.high, 1), (sample.low, -1)):
        low, high = sample.cell(end)
        inner, outer = (low, high) if side > 0 else (high, low)
        beyond = _tail(law, inner, side)
        if law.limits is not None:
            beyond = max(beyond, STEP)
        within = math.exp(n * math.log1p(-min(_tail(law, outer, side), 1 - 1e-16)))
        least = min(least, n * beyond, within)
    return min(1.0, 4 * least)


def _tail(law: Distribution, x: float, side: int) -> float:
    """The probability of a value above ``x``, or below it."""
    if isinstance(law, Normal):
        return mass(side * (x - law.mu) / law.sigma, math.inf)
    return 1 - law.cdf(x) if side > 0 else law.cdf(x)


def _repeats(law: Distribution, sample: Sample) -> float:
    """No number is there more often than the type makes it: clipping and pruning are seen."""
    return _most_repeated(law, sample)[0]


def surprising(law: Distribution, sample: Sample) -> tuple[float, int]:
    """The number that is there more often than the law makes it, and how often: the least likely.

    >>> surprising(Normal(0.0, 1.0), Sample(np.array([-1.0, 0.2, 0.7, 0.7, 0.7]), "float64"))
    (0.7, 3)
    """
    _, place = _most_repeated(law, sample)
    return place, sample.count(place)


def _most_repeated(law: Distribution, sample: Sample) -> tuple[float, float]:
    x = sample.ordered
    places = {float(x[0]): 1.0, float(x[-1]): 1.0, 0.0: 1.0}
    if sample.dtype in ("float32", "float64"):
        places.setdefault(sample.longest[0], 1 / STEP)
    least, worst = math.inf, float(x[0])
    for place, others in places.items():
        count = sample.count(place)
        low, high = sample.cell(place)
        expected = max(law.cdf(high) - law.cdf(low), STEP)
        # one is there because it was looked for; the others are what is counted
        least, worst = min(
            (least, worst), (others * _binomial_above(count - 1, x.size, expected), place)
        )
    return min(1.0, len(places) * least), worst


def _binomial_above(count: int, n: int, p: float) -> float:
    """A bound on the probability of so many successes: Chernoff's."""
    share = count / n
    if share <= p:
        return 1.0
    rate = share * math.log(share / p)
    if share < 1:  # so that p is less than one, too
        rate += (1 - share) * math.log((1 - share) / (1 - p))
    return math.exp(-n * rate)


def _copies(law: Distribution, sample: Sample) -> float:
    """No more numbers are there twice than samplers make: each equals one of those before it with
    a probability of at most as many steps as they are.
    """
    if sample.dtype not in ("float32", "float64"):
        return 1.0  # so few numbers that most are there twice
    n = sample.ordered.size
    return poisson_above(n - sample.distinct, n * (n - 1) / 2 * STEP)


def poisson_above(count: int, expected: float) -> float:
    """Chernoff's bound on so many of independent rare things, where so many are expected.

    >>> poisson_above(3, 4.0), round(poisson_above(40, 4.0), 20)
    (1.0, 0.0)
    """
    if count <= expected:
        return 1.0
    return math.exp(count - expected - count * math.log(count / expected)) if expected else 0.0


def _shape(law: Distribution, sample: Sample) -> float:
    """The distance of the distribution functions, and a likelihood ratio against other shapes."""
    probability, others, counts = cumulated(law, sample)
    n = sample.ordered.size
    distance = float(np.abs(counts[1:-1] / n - probability[1:-1]).max())
    p = dkw(distance, n)
    if others is None:
        return p
    counted, shares = np.diff(counts), np.diff(probability)
    seen = (counted > 0) & (shares > 0)
    with np.errstate(divide="ignore"):
        ratios = np.log(np.maximum(np.diff(others), 0.0)[:, seen] / shares[seen])
    logs = (ratios * counted[seen]).sum(axis=1)
    top = float(logs.max())
    average = top + math.log(float(np.exp(logs - top).mean())) if top > -math.inf else top
    return min(1.0, 2 * min(p, math.exp(-max(average, 0.0))))


def _matrix(law: Distribution, sample: Sample) -> float:
    """The largest singular value is no larger than that of independent elements: a low-rank part,
    as training adds, is seen.
    """
    if sample.values.ndim < 2:
        return 1.0
    value, short, long = sample.largest_singular_value
    if short < 8:
        return 1.0
    roots = math.sqrt(short - 1) + math.sqrt(long)
    width = roots * (1 / math.sqrt(short - 1) + 1 / math.sqrt(long)) ** (1 / 3)
    excess = (value**2 / law.variance - roots**2) / width
    return math.exp(-2 / 3 * excess**1.5) if excess > 1 else 1.0


_TESTS: tuple[Callable[[Distribution, Sample], float], ...] = (
    _support,
    _mean,
    _scale,
    _extremes,
    _repeats,
    _copies,
    _shape,
    _lines,
    _matrix,
)


# --------------------------------------------------------------------------------- usual families


def usual_families(sample: Sample) -> Iterator[Distribution]:
    """A law of each family, with the tensor's own numbers."""
    n, low, high = sample.n, sample.low, sample.high
    std = math.sqrt(sample.variance)
    mean = sample.mean if abs(sample.mean) > 4 * std / math.sqrt(n) else 0.0
    yield Normal(mean, std)
    gap = (high - low) / (n - 1)
    limit = max(-low, high) * (1 + 1 / n)
    even = abs(low + high) < 20 * gap
    yield Uniform(-limit, limit) if even else Uniform(low - gap, high + gap)
    wide = max(mean - low, high - mean) / 2
    yield TruncatedNormal(
        mean, max(std / TruncatedNormal(0.0, 1.0, -2.0, 2.0).std, wide), -2.0, 2.0
    )


def looks_like(sample: Sample) -> tuple[Distribution, ...]:
    """The laws of usual families, with the tensor's own numbers, that fit: the likeliest first."""
    if sample.n < 2 or sample.low == sample.high:
        return ()
    fits = [law for law in usual_families(sample) if refusal(law, sample) is None]
    return tuple(sorted(fits, key=sample.log_likelihood, reverse=True))
