"""The exponential law, written as a user writes a law: the custom one that the suite keeps.

Its path stands in the names of cells, of which their seeds are made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..spec.custom import Custom

Array = NDArray[np.float64]

#: The custom law in the matrix, among the mutants and in the calibration.
OWN = "initspec.conformance.own:Exponential(scale=0.5)"


@dataclass(frozen=True)
class Exponential(Custom):
    """Density ``exp(-x / scale) / scale`` for x > 0, or conditioned on ``x < cut * scale``.

    It is the custom law of the suite's matrix, and the law of the squared modulus of complex
    normal numbers.

    >>> Exponential(0.5).variance
    0.25
    """

    scale: float = 1.0
    cut: float = math.inf

    def ppf(self, p: Array) -> Array:
        """``-scale log(1 - p (1 - exp(-cut)))``."""
        return np.asarray(-self.scale * np.log1p(p * np.expm1(-self.cut)))

    def cdf(self, x: Array) -> Array:
        """``(1 - exp(-x / scale)) / (1 - exp(-cut))``."""
        return np.asarray(np.expm1(-np.asarray(x) / self.scale) / np.expm1(-self.cut))

    def sf(self, x: Array) -> Array:
        """The complement of the cdf."""
        z = np.asarray(x) / self.scale
        return np.asarray(np.exp(-z) * np.expm1(z - self.cut) / np.expm1(-self.cut))

    @property
    def support(self) -> tuple[float, float]:
        """Zero and ``cut * scale``."""
        return 0.0, self.cut * self.scale

    @property
    def mean(self) -> float:
        """``scale (1 - cut exp(-cut) / (1 - exp(-cut)))``."""
        return self.scale * (1 - self._lost(1))

    @property
    def variance(self) -> float:
        """``scale**2`` less what the cut takes."""
        return self.scale**2 * (2 - self._lost(2) - (1 - self._lost(1)) ** 2)

    def _lost(self, power: int) -> float:
        """What the cut takes of the moment of this power, in units of the scale."""
        if math.isinf(self.cut):
            return 0.0
        share = math.exp(-self.cut) / -math.expm1(-self.cut)
        terms = [self.cut, self.cut**2 + 2 * self.cut]
        return share * terms[power - 1]
