"""The numbers of a tensor, and what the tests need of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..spec.truncation import mass
from ..stream.dtypes import ROUNDING, next_above

Array = NDArray[Any]


_KEPT = 1 << 22  # so many values are ordered; of a larger tensor, evenly spaced ones


class Line(NamedTuple):
    """One row of a matrix, or one column: a place on an axis."""

    axis: int
    place: int


def zero_line(sample: Sample) -> Line | None:
    """The one row or column of a matrix that is zero, where no other element is; else None.

    >>> zero_line(Sample(np.array([[1.0, 3.0], [0.0, 0.0], [2.0, 5.0]]), "float64"))
    Line(axis=0, place=1)
    """
    if sample.values.ndim != 2 or min(sample.values.shape) < 2:
        return None
    zeros = sample.values == 0
    for axis in (0, 1):
        lines = np.flatnonzero(zeros.all(axis=1 - axis))
        if lines.size == 1 and np.count_nonzero(zeros) == zeros.shape[1 - axis]:
            return Line(axis, int(lines[0]))
    return None


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
    def doubled(self) -> tuple[str, int]:
        """How many rows, or columns, are copies of another one, and which of the two they are."""
        for word, lines in (
            ("rows", self.values.reshape(self.values.shape[0], -1)),
            ("columns", self.values.reshape(-1, self.values.shape[-1]).T),
        ):
            if min(lines.shape) > 1:
                seen = {line.tobytes() for line in np.ascontiguousarray(lines)}
                if len(seen) < len(lines):
                    return word, len(lines) - len(seen)
        return "", 0

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
        below, above = -next_above(-here, self.dtype), next_above(here, self.dtype)
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
