"""The histogram of a cell's values beside its law, and the moments of both.

Bins end where the type rounds, so that the law's probability of each is that of the values which
can be in it, however coarse the type. Sums of both give the difference of the empirical
distribution function and the law's at every end of a bin.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Constant, Distribution, TruncatedNormal
from ...spec.marginals import Discrete, Spiked
from ...spec.tensor_laws import Structured
from ...stream import dtypes
from ..probability import bounds, transform
from ..probability.own_law import Own, Sampled
from .record import Moments, Picture

Array = NDArray[np.float64]

#: Bins of equal width: an odd number, so that a law's middle is the middle of one.
BINS = 49
#: Standard deviations on each side of the mean that are shown of a law without bounds.
_REACH = 4.2
#: Numbers of a fixed tensor, such as a given array, beyond which it has no law to look at.
_SINGLE = 1000


def picture(values: Array, law: Distribution, dtype: str) -> Picture | None:
    """The histogram of finite values of a type; None without values, or without a law to show.

    Made of a part of the values at a time: a large sample needs no second copy.

    >>> from initspec.spec.distribution import Uniform
    >>> bins = picture(np.linspace(-0.999, 0.999, 1000), Uniform(-1.0, 1.0), "float64")
    >>> bins.counts[:4], bins.measured.kurtosis, bins.law.kurtosis
    ((0, 20, 21, 20), -1.2, -1.2)
    """
    if values.size == 0:
        return None
    x, law = values.reshape(-1), law.marginal if isinstance(law, Structured) else law
    if isinstance(law, Discrete) and len(law.values) > _SINGLE:
        return None
    if isinstance(law, Sampled) and not isinstance(law, Own):  # nothing to draw beside the values
        return None
    measured = moments(x)
    low, high = _range(x, law, measured)
    counts: tuple[int, ...] = ()
    expected: tuple[float, ...] = ()
    if low < high:
        ends, expected = _bins(law, low, high, dtype)
        if not np.isfinite(ends).all():  # the type ends before the law does
            return None
        tally = np.zeros(BINS + 2, np.int64)
        for part in transform.parts(x):
            tally += np.bincount(np.searchsorted(ends, x[part]), minlength=BINS + 2)
        counts = tuple(int(count) for count in tally)
    return Picture(
        low=_digits(low),
        high=_digits(high),
        counts=counts,
        expected=expected,
        measured=measured,
        law=_of_law(law),
    )


def moments(x: Array) -> Moments:
    """The sample's own, about its own mean."""
    mean = math.fsum(float(x[part].sum()) for part in transform.parts(x)) / x.size
    square = cube = fourth = 0.0
    for part in transform.parts(x):
        gap = x[part] - mean
        two = gap * gap
        square += float(two.sum())
        cube += float((two * gap).sum())
        fourth += float((two * two).sum())
    variance = square / x.size
    if variance <= (1e-12 * mean) ** 2:  # of rounding
        return Moments(mean=_digits(mean), std=0.0, skewness=None, kurtosis=None)
    return Moments(
        mean=_digits(mean),
        std=_digits(math.sqrt(variance)),
        skewness=_digits(cube / x.size / variance**1.5),
        kurtosis=_digits(fourth / x.size / variance**2 - 3),
    )


@lru_cache(maxsize=256)
def _of_law(law: Distribution) -> Moments:
    if law.std == 0:
        return Moments(mean=_digits(law.mean), std=0.0, skewness=None, kurtosis=None)
    return Moments(
        mean=_digits(law.mean),
        std=_digits(law.std),
        skewness=_known(_skewness(law)),
        kurtosis=_known(law.kurtosis),
    )


def _known(x: float) -> float | None:
    """A law of the user's own may have no such moment."""
    return _digits(x) if math.isfinite(x) else None


def _skewness(law: Distribution) -> float:
    """``E ((x - mean) / std)**3``; most laws here are symmetric."""
    if isinstance(law, Discrete):
        pairs = zip(law.values, law.weights, strict=True)
        return math.fsum(weight * ((x - law.mean) / law.std) ** 3 for x, weight in pairs)
    if isinstance(law, Own) or (isinstance(law, TruncatedNormal) and law.low != -law.high):
        u, weights = bounds.nodes()
        x = transform.ppf(law, u)
        seen = np.isfinite(x)  # the last node of a law without an end is lost to rounding
        return float(weights[seen] @ ((x[seen] - law.mean) / law.std) ** 3)
    return 0.0


def _range(x: Array, law: Distribution, measured: Moments) -> tuple[float, float]:
    """What is shown: the law, and the values as far as one more of its widths on each side."""
    low, high = law.support
    single = isinstance(law, (Constant, Discrete))
    reach = _REACH / math.sqrt(1 - law.zeros) if isinstance(law, Spiked) else _REACH
    if not single:
        low, high = max(low, law.mean - reach * law.std), min(high, law.mean + reach * law.std)
    first, last, spread = float(x.min()), float(x.max()), reach * measured.std
    first, last = max(first, measured.mean - spread), min(last, measured.mean + spread)
    width = high - low
    if first < low - width / 10:
        low = max(first, low - width) if width else first
    if last > high + width / 10:
        high = min(last, high + width) if width else last
    if single:  # values at the middle of a bin
        margin = (high - low) / (BINS - 1) / 2
        return low - margin, high + margin
    return _aligned(low, high, law.limits)


def _aligned(low: float, high: float, limits: tuple[float, float] | None) -> tuple[float, float]:
    """Moved so that a law with bounds ends where a bin does."""
    if limits is None or (low >= limits[0] and high <= limits[1]):
        return low, high
    first, last = max(low, limits[0]), min(high, limits[1])
    inside = max(round(BINS * (last - first) / (high - low)), 1)
    width = (last - first) / min(inside, BINS - 1)
    before = round((first - low) / width)
    return first - before * width, first + (BINS - before) * width


@lru_cache(maxsize=256)
def _bins(
    law: Distribution, low: float, high: float, dtype: str
) -> tuple[Array, tuple[float, ...]]:
    """The last value of each bin but the open one above, and the law's probability of each."""
    with np.errstate(all="ignore"):  # a narrow type may have no numbers so large
        last = dtypes.widened(dtypes.rounded(np.linspace(low, high, BINS + 1), dtype))
        ends = transform.neighbours(last, dtype)[1]
    below = [0.0, *(law.cdf(float(end)) for end in ends), 1.0]
    return last, tuple(round(b - a, 7) for a, b in pairwise(below))


def _digits(x: float) -> float:
    """Six of them, as many as anybody looks at."""
    return float(f"{x:.6g}")
