"""Could a tensor have been drawn from a law? Tests whose false alarms are bounded.

Each test answers with a bound on its p-value. All but one hold at every size, so that the bounds
need no simulation: by Hoeffding for the mean, Chernoff and Bernstein for the scale, Dvoretzky,
Kiefer, Wolfowitz and Massart for the distance of the distribution functions, Markov for the
likelihood ratios, Chernoff for repeated values. The one on the whole matrix is by the limit law of
its largest singular value (Tracy and Widom).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from .layout import Layout, Shape
from .structure import DeltaOrthogonal, Orthogonal, Sparse, Stencil
from .truncation import mass

Array = NDArray[Any]

#: A tensor that was drawn from a law is refused, by all tests together, at most so often.
ALPHA = 1e-4

#: By how much of itself rounding to nearest moves a number, and the least step of the type.
ROUNDING = {
    "float64": (2.0**-53, 0.0),
    "float32": (2.0**-24, 2.0**-149),
    "float16": (2.0**-11, 2.0**-24),
    "bfloat16": (2.0**-8, 2.0**-133),
}

_KEPT = 1 << 22  # so many values are ordered; of a larger tensor, evenly spaced ones
_STEP = 2.0**-23  # samplers make numbers between zero and one in steps no wider than this


class Refusal(NamedTuple):
    """The test that refuses a law, and its p-value."""

    test: str
    p: float


@dataclass(frozen=True)
class Sample:
    """The numbers of a tensor, and what the tests need of them, computed once.

    >>> Sample(np.array([[1.0, 3.0]]), "float64").mean
    2.0
    """

    values: Array
    dtype: str

    @property
    def n(self) -> int:
        """How many numbers there are."""
        return int(self.values.size)

    @cached_property
    def low(self) -> float:
        """The least number."""
        return float(self.values.min())

    @cached_property
    def high(self) -> float:
        """The greatest number."""
        return float(self.values.max())

    @cached_property
    def mean(self) -> float:
        """The mean of the numbers."""
        return float(self.values.mean())

    @cached_property
    def variance(self) -> float:
        """Their mean squared distance from the mean."""
        return float(((self.values - self.mean) ** 2).mean())

    @cached_property
    def kurtosis(self) -> float:
        """Their excess kurtosis."""
        if not self.variance:
            return math.nan
        return float(((self.values - self.mean) ** 4).mean()) / self.variance**2 - 3

    def square(self, about: float) -> float:
        """Their mean squared distance from a number."""
        return self.variance + (self.mean - about) ** 2

    @cached_property
    def ordered(self) -> Array:
        """The numbers, or evenly spaced ones of them, in order."""
        step = -(-self.n // _KEPT)
        return np.sort(self.values.reshape(-1)[::step])

    @cached_property
    def longest(self) -> tuple[float, int]:
        """The number that is repeated most often, and how often it stands."""
        starts = np.flatnonzero(np.concatenate([[True], np.diff(self.ordered) != 0]))
        lengths = np.diff(np.append(starts, self.ordered.size))
        best = int(lengths.argmax())
        return float(self.ordered[starts[best]] + 0.0), int(lengths[best])

    @cached_property
    def distinct(self) -> int:
        """How many different numbers there are."""
        return int(np.unique(self.ordered).size)

    @cached_property
    def zeros(self) -> float:
        """The share of zeros among them."""
        return self.count(0.0) / self.ordered.size

    @cached_property
    def largest_singular_value(self) -> tuple[float, int, int]:
        """Of the tensor as a matrix, less its mean, from below; and the matrix's sides."""
        matrix = max(
            (
                self.values.reshape(self.values.shape[0], -1),
                self.values.reshape(-1, self.values.shape[-1]),
            ),
            key=lambda one: min(one.shape),
        )
        matrix = matrix - self.mean
        vector = np.random.default_rng(0).standard_normal(matrix.shape[1])
        for _ in range(40 if matrix.size < _KEPT else 12):
            vector = matrix.T @ (matrix @ vector)
            norm = float(np.linalg.norm(vector))
            if norm == 0:
                break
            vector /= norm
        return float(np.linalg.norm(matrix @ vector)), min(matrix.shape), max(matrix.shape)

    def slack(self, x: float) -> float:
        """By how much a number may be off: the type's rounding, and float32's in computing it."""
        relative, least = ROUNDING[self.dtype]
        return abs(x) * (2.0**-20 + 2 * relative) + least

    def cell(self, x: float) -> tuple[float, float]:
        """The reals that round to a number of the type."""
        here = np.array([x])
        below, above = -_above(-here, self.dtype), _above(here, self.dtype)
        return (x + float(below[0])) / 2, (x + float(above[0])) / 2

    def log_likelihood(self, law: Distribution) -> float:
        """The sum of the logarithms of a law's density at the numbers, constants included."""
        if isinstance(law, Uniform):
            return self._at_ends(law) - self.n * math.log(law.high - law.low)
        assert isinstance(law, (Normal, TruncatedNormal))
        inside = mass(law.low, law.high) if isinstance(law, TruncatedNormal) else 1.0
        level = math.log(law.sigma * inside) + math.log(2 * math.pi) / 2
        return self._at_ends(law) - self.n * (level + self.square(law.mu) / law.sigma**2 / 2)

    def _at_ends(self, law: Distribution) -> float:
        """What the density is short of for numbers that the law's bounds round to.

        Of the reals that round to the last number of a narrow type, a law has only those within.
        """
        if law.limits is None or ROUNDING[self.dtype][0] < 1e-5:
            return 0.0
        missing = 0.0
        for end, bound in zip((self.low, self.high), law.limits, strict=True):
            low, high = self.cell(end)
            if low < bound < high:
                inside = (high - bound if end == self.low else bound - low) / (high - low)
                missing += self.count(end) * math.log(max(inside, 0.01))
        return missing

    def count(self, x: float) -> int:
        """How often a number stands among those that are ordered."""
        places = (np.searchsorted(self.ordered, x, side) for side in ("left", "right"))
        left, right = map(int, places)
        return right - left


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
    return next((found for found in every(law, sample) if found.p < level), None)


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
    """Hoeffding's bound: these laws are sub-Gaussian, symmetric ones by their own variance."""
    proxy = law.variance
    if isinstance(law, TruncatedNormal) and law.low != -law.high:
        proxy = law.sigma**2
    gap = max(0.0, abs(sample.mean - law.mean) - ROUNDING[sample.dtype][0] ** 2 * law.std)
    return 2 * math.exp(-sample.n * gap**2 / (2 * proxy))


def _scale(law: Distribution, sample: Sample) -> float:
    """Chernoff's bound for a normal law, Bernstein's for bounded ones."""
    ratio = sample.square(law.mean) / law.variance
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
    return 2 * math.exp(-sample.n * rate)


def _extremes(law: Distribution, sample: Sample) -> float:
    """The greatest and the least value lie where those of so many values do; exact."""
    n, least = sample.n, 1.0
    for end, side in ((sample.high, 1), (sample.low, -1)):
        low, high = sample.cell(end)
        inner, outer = (low, high) if side > 0 else (high, low)
        beyond = _tail(law, inner, side)
        if law.limits is not None:
            beyond = max(beyond, _STEP)
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
    x = sample.ordered
    places = {float(x[0]): 1.0, float(x[-1]): 1.0, 0.0: 1.0}
    if sample.dtype in ("float32", "float64"):
        places.setdefault(sample.longest[0], 1 / _STEP)
    least = 1.0
    for place, others in places.items():
        count = sample.count(place)
        low, high = sample.cell(place)
        expected = max(law.cdf(high) - law.cdf(low), _STEP)
        # one is there because it was looked for; the others are what is counted
        least = min(least, others * _binomial_above(count - 1, x.size, expected))
    return min(1.0, len(places) * least)


def _binomial_above(count: int, n: int, p: float) -> float:
    """A bound on the probability of so many successes: Chernoff's."""
    share = count / n
    if share <= p:
        return 1.0
    rate = share * math.log(share / p)
    if share < 1:  # so that p is less than one, too
        rate += (1 - share) * math.log((1 - share) / (1 - p))
    return math.exp(-n * rate)


def _shape(law: Distribution, sample: Sample) -> float:
    """The distance of the distribution functions, and a likelihood ratio against other shapes."""
    probability, others, counts = _cumulated(law, sample)
    n = sample.ordered.size
    distance = float(np.abs(counts[1:-1] / n - probability[1:-1]).max())
    p = 2 * math.exp(-2 * n * distance**2)
    if others is None:
        return p
    found, mine = np.diff(counts), np.diff(probability)
    seen = (found > 0) & (mine > 0)
    with np.errstate(divide="ignore"):
        ratios = np.log(np.maximum(np.diff(others), 0.0)[:, seen] / mine[seen])
    logs = (ratios * found[seen]).sum(axis=1)
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
    _shape,
    _matrix,
)


class _Grid(NamedTuple):
    """Places of a law in its own unit, its probability below each, and that of other shapes."""

    places: Array
    below: Array
    others: Array | None


def _cumulated(law: Distribution, sample: Sample) -> tuple[Array, Array | None, Array]:
    """At each place of a grid: the law's probability, other shapes', and the values counted."""
    unit, start, scale = _standard(law)
    grid = _grid(unit)
    places = start + scale * grid.places
    below, others = grid.below, grid.others
    if ROUNDING[sample.dtype][0] > 1e-5:  # what is counted is what rounds to one side
        places = np.unique(_rounded(places, sample.dtype))
        edges = (places + _above(places, sample.dtype)) / 2
        standard = ((edges - start) / scale).tolist()
        below = np.array([unit.cdf(z) for z in standard])
        others = None if others is None else np.array([_others(z) for z in standard]).T
    counts = np.searchsorted(sample.ordered, places, "right")
    ends = [0.0], [1.0]
    if others is not None:
        others = np.pad(others, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    n = sample.ordered.size
    return (
        np.concatenate([ends[0], below, ends[1]]),
        others,
        np.concatenate([[0], counts, [n]]),
    )


def _standard(law: Distribution) -> tuple[Distribution, float, float]:
    """A law in its own unit, and where that unit begins and how wide it is."""
    if isinstance(law, Normal):
        return Normal(0.0, 1.0), law.mu, law.sigma
    if isinstance(law, Uniform):
        return Uniform(0.0, 1.0), law.low, law.high - law.low
    assert isinstance(law, TruncatedNormal)
    return TruncatedNormal(0.0, 1.0, law.low, law.high), law.mu, law.sigma


@lru_cache(maxsize=64)
def _grid(unit: Distribution) -> _Grid:
    steps = [k / 512 for k in range(1, 512)]
    if not isinstance(unit, Normal):
        places = sorted({unit.ppf(p) for p in steps})
        return _Grid(np.array(places), np.array([unit.cdf(z) for z in places]), None)
    lower = [NormalDist().inv_cdf(p) for p in (*(2.0**-k for k in range(30, 9, -1)), *steps[:255])]
    places = [*lower, 0.0, *(-z for z in reversed(lower))]
    return _Grid(
        np.array(places),
        np.array([unit.cdf(z) for z in places]),
        np.array([_others(z) for z in places]).T,
    )


def _others(z: float) -> list[float]:
    """Shapes other than the normal one, of variance one: what they have below ``z``.

    Logistic, Laplace, three even mixtures of a narrow and a wide normal law, a normal law cut at
    two standard deviations, uniform.
    """
    return [
        1 / (1 + math.exp(min(-math.pi * z / math.sqrt(3), 700.0))),
        math.exp(math.sqrt(2) * z) / 2 if z < 0 else 1 - math.exp(-math.sqrt(2) * z) / 2,
        *(
            (_phi(z / math.sqrt(1 - spread)) + _phi(z / math.sqrt(1 + spread))) / 2
            for spread in (0.9, 0.6, 0.35)
        ),
        _CUT.cdf(z),
        min(max((z + math.sqrt(3)) / math.sqrt(12), 0.0), 1.0),
    ]


def _phi(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


_CUT = TruncatedNormal(0.0, 1 / TruncatedNormal(0.0, 1.0, -2.0, 2.0).std, -2.0, 2.0)


# ------------------------------------------------------------------------------- the whole tensor


def holds(law: Distribution, sample: Sample, layout: Layout, alpha: float = ALPHA) -> bool:
    """Whether a tensor is what a constant law, or a law of a whole tensor, makes.

    Orthogonality, places and fixed numbers are compared to the rounding of the type; a random
    tensor meets them with a probability of nearly zero. What they leave random is tested as single
    elements are.
    """
    if isinstance(law, Constant):
        return max(abs(sample.low - law.value), abs(sample.high - law.value)) <= sample.slack(
            law.value
        )
    shape = sample.values.shape
    if isinstance(law, Stencil):
        return _matches(law, sample, layout)
    if isinstance(law, Orthogonal):
        parts = canonical(sample.values, shape, layout).reshape(law.count, law.rows, law.columns)
        return _orthogonal(parts, law.gain, sample.dtype)
    if isinstance(law, DeltaOrthogonal):
        taps = canonical(sample.values, shape, layout)
        taps = taps.reshape(law.count, law.taps, law.rows, law.columns)
        middle = taps[:, law.middle]
        alone = np.count_nonzero(taps) == np.count_nonzero(middle)
        return bool(alone) and _orthogonal(middle, law.gain, sample.dtype)
    if isinstance(law, Sparse):
        return _sparse(law, sample, layout, alpha)
    return False


def canonical(values: Array, shape: Shape, layout: Layout) -> Array:
    """The numbers of a tensor in the canonical order of :mod:`initspec.index`, in one row."""
    from .index import blocks

    flat = np.empty(values.size, values.dtype)
    for block in blocks(shape, layout):
        strides = tuple(stride * flat.itemsize for stride in block.strides)
        part = np.lib.stride_tricks.as_strided(flat[block.base :], block.shape, strides)
        part[...] = values[block.part].reshape(block.shape)
    return flat


def _matches(law: Stencil, sample: Sample, layout: Layout) -> bool:
    from .backends import _host

    shape = sample.values.shape
    if abs(sample.high - law.support[1]) > sample.slack(law.support[1]):
        return False  # without drawing it
    found = _host.array(law, shape, key=(0, 0), layout=layout, dtype="float64")
    relative, least = ROUNDING[sample.dtype]
    return bool(
        np.all(np.abs(sample.values - found) <= np.abs(found) * (2.0**-20 + 2 * relative) + least)
    )


def gain(sample: Sample, law: Orthogonal) -> float:
    """The gain at which a tensor's matrices would be orthogonal: the root of their mean square."""
    return math.sqrt(sample.square(0.0) * max(law.rows, law.columns))


def _orthogonal(parts: Array, gain: float, dtype: str) -> bool:
    """Gram's matrix of the shorter side is the identity, times the square of the gain."""
    _, rows, columns = parts.shape
    if min(rows, columns) == 0 or gain == 0:
        return False
    tall = parts if rows >= columns else parts.swapaxes(1, 2)
    close = 3e-5 + 12 * ROUNDING[dtype][0] / math.sqrt(max(rows, columns))
    for few in (8, None):  # most matrices need no second look
        some = tall[:, :, :few] / gain
        gram = some.swapaxes(1, 2) @ some
        if np.abs(gram - np.eye(some.shape[2])).max() > close:
            return False
    return True


def _sparse(law: Sparse, sample: Sample, layout: Layout, alpha: float) -> bool:
    if not 0 < law.zeros < law.length:
        return False
    parts = canonical(sample.values, sample.values.shape, layout)
    parts = parts.reshape(law.count, law.rows, law.columns)
    if np.any(np.count_nonzero(parts == 0, axis=law.axis) != law.zeros):
        return False
    rest = Sample(parts[parts != 0], sample.dtype)
    return refusal(Normal(0.0, law.sigma), rest, alpha) is None


def zeros_of_lines(law: Sparse, sample: Sample, layout: Layout) -> int | None:
    """How many zeros each column has, or each row as the law counts, where all have as many."""
    parts = canonical(sample.values, sample.values.shape, layout)
    parts = parts.reshape(law.count, law.rows, law.columns)
    counts = np.unique(np.count_nonzero(parts == 0, axis=law.axis))
    return int(counts[0]) if counts.size == 1 else None


# --------------------------------------------------------------------------------------- rounding


def narrowest(values: Array, dtype: str) -> str:
    """The narrowest type that holds all of these numbers: that of a checkpoint since widened."""
    for name in ("bfloat16", "float16", "float32"):
        if ROUNDING[name][0] > ROUNDING[dtype][0] and np.array_equal(
            _rounded(values, name), values
        ):
            return name
    return dtype


def _rounded(values: Array, dtype: str) -> Array:
    from .backends import _host

    with np.errstate(over="ignore"):
        return _host.widened(_host.rounded(np.asarray(values), dtype))


def _above(values: Array, dtype: str) -> Array:
    """The next number of a type above each."""
    if dtype != "bfloat16":
        kind = np.dtype(dtype).type
        return np.asarray(np.nextafter(values.astype(dtype), kind(np.inf)), np.float64)
    bits = np.asarray(values + 0.0, np.float32).view(np.int32) >> 16
    bits = np.where(values == 0, 0, bits)
    found = np.where(values >= 0, bits + 1, bits - 1).astype(np.int32) << 16
    return np.asarray(found.view(np.float32), np.float64)
