"""Scores for the tests of places: what the values are once their law is taken out of them.

If the law is the right one, the uniform numbers of the values are independent. They are rounded to
so many bits as a right sampler has and filled up again by chance, so that no test sees the grid of
a sampler. Where the marginal law has been refused, ranks take their place: the verdict stands, and
what is said of the places is not about the law.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...spec.distribution import Distribution, TruncatedNormal, Uniform
from ..probability.own_law import normal_scores
from ..probability.transform import Uniforms, ppf

Array = NDArray[np.float64]


class Scores:
    """Independent uniform numbers ``v`` with the axes replicate, then those of the tensor."""

    def __init__(
        self,
        u: Uniforms,
        shape: tuple[int, ...],
        law: Distribution,
        resolution: int,
        rng: np.random.Generator,
        ranked: bool = False,
    ) -> None:
        self.shape, self.law, self.ranked, self._u = shape, law, ranked, u
        if ranked:
            steps = float(u.u.size)
            index = np.empty(u.u.size)
            # Ties, as those of values beyond the support, are broken by chance and not by place.
            index[np.lexsort((rng.random(u.u.size), u.u))] = np.arange(u.u.size)
        else:
            steps = 2.0**resolution
            index = np.clip(np.floor(u.u * steps), 0, steps - 1)
        self.v = ((index + rng.random(u.u.size) + 2.0**-54) / steps).reshape(shape)

    @cached_property
    def centred(self) -> Array:
        """Uniform scores of mean zero and variance one."""
        return math.sqrt(12) * (self.v - 0.5)

    @cached_property
    def sizes(self) -> Array:
        """Uniform scores of the distance from the median."""
        return math.sqrt(12) * (np.abs(2 * self.v - 1) - 0.5)

    @cached_property
    def normal(self) -> Array:
        """Standard normal scores, exact whatever the law."""
        return np.asarray(special.ndtri(self.v))

    @cached_property
    def linear(self) -> Array:
        """The values themselves in standard units, the rounding taken back; normal scores for a
        law without a known bound of its density.
        """
        if self.ranked:
            return self.normal
        u = np.maximum(self._u.u, 1e-300), np.maximum(self._u.complement, 1e-300)
        if isinstance(self.law, Uniform):
            return math.sqrt(12) * (u[0] - 0.5).reshape(self.shape)
        if isinstance(self.law, TruncatedNormal):
            x = (ppf(self.law, np.minimum(u[0], 1.0)) - self.law.mean) / self.law.std
            return np.asarray(x.reshape(self.shape))
        return normal_scores(*u).reshape(self.shape)

    @property
    def is_normal(self) -> bool:
        """Whether :attr:`linear` are normal numbers."""
        return self.ranked or not isinstance(self.law, (Uniform, TruncatedNormal))

    @property
    def density(self) -> float:
        """The greatest density of :attr:`linear`."""
        law = self.law
        if isinstance(law, Uniform) and not self.ranked:
            return 1 / math.sqrt(12)
        if isinstance(law, TruncatedNormal) and not self.ranked:
            mode = min(max(0.0, law.low), law.high)
            peak = math.exp(-(mode**2) / 2) / math.sqrt(2 * math.pi)
            low, high = (-law.high, -law.low) if law.low > 0 else (law.low, law.high)
            return peak / float(special.ndtr(high) - special.ndtr(low)) * law.std / law.sigma
        return 1 / math.sqrt(2 * math.pi)
