"""Does each value have the law? One battery on uniform numbers, for every law and type.

Each test answers with a name, a statistic and a bound on its p-value that holds at every ``n``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...spec.distance import dkw
from ...spec.distribution import Distribution, Normal
from ..finding import Finding
from ..probability import bounds
from ..probability.own_law import Own, Sampled, normal_scores
from ..probability.transform import Uniforms, heaviest, neighbours, parts, ppf
from .ends import ends_of

Array = NDArray[np.float64]


@lru_cache(maxsize=8)
def _moment(degree: int) -> bounds.Chernoff:
    return bounds.Chernoff(bounds.legendre(degree))


@lru_cache(maxsize=256)
def _square(law: Distribution) -> bounds.Chernoff:
    """The squared value in units of the law's own scale, about its mean."""
    return bounds.Chernoff(lambda u: ((ppf(law, u) - law.mean) / law.std) ** 2)


def battery(
    x: Array,
    u: Uniforms,
    law: Distribution,
    dtype: str,
    resolution: int,
    *,
    portable: bool = False,
) -> Iterator[Finding]:
    """Every test of the marginal law, on values ``x`` and their uniform numbers ``u``.

    Of values from the portable stream the ends are known to the bit.
    """
    yield support(x, law, dtype, portable=portable)
    yield from extremes(u)
    yield ks(u)
    yield from moments(u)
    yield from scores(u) if isinstance(law, Own) else (second_moment(x, law),)
    if law.limits is not None:
        yield edge_excess(x, law, dtype, resolution)
    yield collisions(x, law, dtype, resolution)


def moments(u: Uniforms) -> Iterator[Finding]:
    """The first four, of Legendre's polynomials."""
    for degree in (1, 2, 3, 4):
        mean = average(bounds.legendre(degree), u.u)
        yield Finding(f"m{degree}", mean, _moment(degree).p(mean, u.u.size))


def average(of: Callable[[Array], Array], x: Array) -> float:
    """The mean of a function of the values."""
    return math.fsum(float(of(x[part]).sum()) for part in parts(x)) / x.size


def own_law(law: Own) -> Finding:
    """A law of the user's own is one, and agrees with itself."""
    return Finding("law", float(bool(law.problem)), float(not law.problem), law.problem)


def said(x: Array, law: Sampled, dtype: str) -> Iterator[Finding]:
    """What can be held against a law of which only a support and moments are said.

    The mean needs the variance, and the variance the kurtosis, or a support that bounds it:
    ``kurtosis + 3 <= reach**2 / variance``.
    """
    yield support(x, law, dtype)
    mean, variance = law.mean, law.variance
    if not (math.isfinite(mean) and 0 < variance < math.inf):
        return
    level = 1e-12
    yield Finding("mean", *bounds.median_of_means(x, mean, law.std, level))
    low, high = law.support
    reach = max(high - mean, mean - low) ** 2 / variance
    spread = law.kurtosis + 2 if math.isfinite(law.kurtosis) else reach - 1
    if 0 <= spread < math.inf:
        square, p = bounds.median_of_means(
            ((x - mean) / law.std) ** 2, 1.0, math.sqrt(spread), level
        )
        yield Finding("variance", square, p)


def support(x: Array, law: Distribution, dtype: str, *, portable: bool = False) -> Finding:
    """No value leaves the support: see :func:`initspec.conformance.batteries.ends.ends_of`."""
    low, high = ends_of(law, dtype, portable=portable)
    outside = int(np.count_nonzero((x < low) | (x > high)))
    note = (
        f"{outside} of {x.size} values beyond the bounds ({outside / x.size:.1e})"
        if outside
        else ""
    )
    return Finding("support", outside, 0.0 if outside else 1.0, note)


def extremes(u: Uniforms) -> Iterator[Finding]:
    """The least and the greatest value lie where the extremes of so many values do."""
    n = u.u.size
    low, high = max(float(u.u.min()), 0.0), max(float(u.complement.min()), 0.0)
    yield Finding("least", low, bounds.smallest(low, n))
    yield Finding("greatest", high, bounds.smallest(high, n))
    fold = 2 * min(low, high)
    yield Finding("extreme", fold, bounds.smallest(min(fold, 1.0), n))


def ks(u: Uniforms) -> Finding:
    """Kolmogorov and Smirnov's distance, by the bound of Dvoretzky, Kiefer, Wolfowitz, Massart."""
    ordered = np.sort(u.u)
    n = ordered.size
    distance = 0.0
    for part in parts(ordered):
        piece = ordered[part]
        steps = np.arange(part.start + 1, part.start + piece.size + 1) / n
        distance = max(distance, (steps - piece).max(), (piece - steps + 1 / n).max())
    return Finding("ks", distance, dkw(distance, n))


def second_moment(x: Array, law: Distribution) -> Finding:
    """The mean square about the law's mean, in its own units: exact for a normal law."""
    mean = average(lambda x: ((x - law.mean) / law.std) ** 2, x)
    if isinstance(law, Normal):
        return Finding("variance", mean, bounds.chi_square(mean * x.size, x.size))
    return Finding("variance", mean, _square(law).p(mean, x.size))


def scores(u: Uniforms) -> Iterator[Finding]:
    """The mean and the mean square of normal scores, which are exact for every law: the squares of
    one's own may have no bound.
    """
    n = u.u.size
    total = square = 0.0
    for part in parts(u.u):
        z = normal_scores(u.u[part], u.complement[part])
        total, square = total + float(z.sum()), square + float(z @ z)
    yield Finding("mean", total / n, bounds.normal(total / math.sqrt(n)))
    yield Finding("variance", square / n, bounds.chi_square(square, n))


def edge_excess(x: Array, law: Distribution, dtype: str, resolution: int) -> Finding:
    """No more values in the last cells of the type, or in the last step of the sampler, than the
    law puts there: clipping is seen.
    """
    from ..probability.transform import cdf, complement

    low, high = law.support
    ends = np.array([low, high])
    inner_low, inner_high = neighbours(ends, dtype)
    width = inner_high - inner_low
    cuts = np.array([low + 1.5 * width[0], high - 1.5 * width[1]])
    step = 2.0**-resolution
    below, above = (
        np.maximum(cdf(law, cuts[:1]), step)[0],
        np.maximum(complement(law, cuts[1:]), step)[0],
    )
    count_low = int(np.count_nonzero(x <= low + width[0]))
    count_high = int(np.count_nonzero(x >= high - width[1]))
    worst = min(
        bounds.binomial_above(count_low, x.size, float(below)),
        bounds.binomial_above(count_high, x.size, float(above)),
    )
    return Finding("edges", max(count_low, count_high), min(1.0, 2 * worst))


def collisions(x: Array, law: Distribution, dtype: str, resolution: int) -> Finding:
    """No more repeated values than the type, and a sampler of so many bits, must have."""
    n = x.size
    ordered = np.sort(x)
    distinct = 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))
    if not dtype.endswith("16"):
        pairs = n * (n - 1) / 2 * most_likely(law, dtype, resolution)
        return Finding("collisions", n - distinct, bounds.poisson_above(n - distinct, pairs))
    expected = _expected_distinct(law, dtype, n)
    return Finding("collisions", distinct, bounds.bounded_differences(expected - distinct, n))


#: :func:`heaviest`, kept.
most_likely = lru_cache(maxsize=256)(heaviest)


@lru_cache(maxsize=256)
def _expected_distinct(law: Distribution, dtype: str, n: int) -> float:
    """How many of the 65,536 values of a narrow type so many draws are expected to meet."""
    from ...stream import dtypes
    from ..probability.transform import cdf

    codes = np.arange(2**16, dtype=np.uint16)
    with np.errstate(all="ignore"):  # some codes are no numbers
        values = dtypes.widened(codes.view(dtypes.storage(dtype)))
    values = np.unique(values[np.isfinite(values)])
    low, high = neighbours(values, dtype)
    mass = np.clip(cdf(law, high) - cdf(law, low), 0, 1)
    return float(-np.expm1(n * np.log1p(-np.minimum(mass, 1 - 1e-12))).sum())
