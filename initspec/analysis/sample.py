"""The numbers of a tensor, and what the tests need of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..spec.truncation import mass
from ..stream.dtypes import ROUNDING, nearest, next_above

Array = NDArray[Any]

#: So many values are ordered; of a larger tensor, evenly spaced ones.
KEPT = 1 << 22
#: Samplers make numbers between zero and one in steps no wider than this.
STEP = 2.0**-23


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
        step = -(-self.n // KEPT)
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
        return 1 + int(np.count_nonzero(np.diff(self.ordered)))

    @cached_property
    def lines(self) -> tuple[tuple[Array, Array, int], ...]:
        """Of rows, and of columns: the means, the mean squares, and how long they are."""
        found = []
        for axis in {0, self.values.ndim - 1} if self.values.ndim > 1 else ():
            others = tuple(other for other in range(self.values.ndim) if other != axis)
            means, squares = self.values.mean(others), (self.values**2).mean(others)
            if means.size > 1:
                found.append((means, squares, self.n // means.size))
        return tuple(found)

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
            key=lambda sides: min(sides.shape),
        )
        matrix = matrix - self.mean
        vector = np.random.default_rng(0).standard_normal(matrix.shape[1])
        for _ in range(40 if matrix.size < KEPT else 12):
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
        below, above = -next_above(-here, self.dtype), next_above(here, self.dtype)
        return (x + float(below[0])) / 2, (x + float(above[0])) / 2

    def shortest(self, x: float) -> float:
        """The number with the fewest digits that the type rounds to one of these.

        >>> Sample(np.array([0.3], np.float32), "float32").shortest(float(np.float32(0.3)))
        0.3
        """
        shorter = (float(f"{x:.{digits}g}") for digits in range(1, 17))
        return next((y for y in shorter if nearest(np.array(y), self.dtype) == x), x)

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
