"""Which law a sample looks like, whatever its place and scale: named where others are excluded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..probability import transform
from ..probability.own_law import Own, Sampled
from ..probability.transform import CUT_AT_TWO

Array = NDArray[Any]

#: Values that are looked at, evenly spaced where there are more.
_LOOKED = 1 << 18
#: Distances of distribution functions, in units of the root of the number of values, that a law
#: fitted to them has by chance.
_NEAR, _OWN = 1.3, 1.6  # of another law, and of the law itself
_PLAIN = ("normal", "uniform")
_FREEDOM = (1, 2, 3, 4, 5, 6, 8, 10, 14, 20)


@dataclass(frozen=True)
class Looks:
    """A sample beside a law: its moments, and the families that fit."""

    x: Array
    law: Distribution
    is_narrow: bool = False

    @cached_property
    def mean(self) -> float:
        """The mean of the values."""
        return float(self.x.mean())

    @cached_property
    def std(self) -> float:
        """Their standard deviation about it."""
        return float(self.x.std())

    @cached_property
    def z(self) -> Array:
        """The values in order, about their mean and in units of their spread."""
        step = -(-self.x.size // _LOOKED)
        looked = np.sort(self.x.reshape(-1)[::step])
        return np.asarray((looked - looked.mean()) / looked.std())

    @cached_property
    def skewness(self) -> float:
        """The third moment of the standardised values."""
        return float((self.z**3).mean())

    @cached_property
    def kurtosis(self) -> float:
        """Their excess kurtosis."""
        return float((self.z**4).mean()) - 3

    @cached_property
    def is_own(self) -> bool:
        """Whether the values are the law's, but for their place and scale."""
        if isinstance(self.law, Sampled) and not isinstance(self.law, Own):
            return True  # nobody knows
        law, std = self.law, self.law.std
        if not (math.isfinite(law.mean) and 0 < std < math.inf):
            return True
        if isinstance(law, Normal) and self._is_short:
            return False
        below = transform.cdf(law, law.mean + std * self.z)
        return not self._leaves(below) and self._distance(below) <= self._near * _OWN / _NEAR

    @staticmethod
    def _leaves(below: Array) -> bool:
        """Whether more values than an estimate moves lie where a law has none."""
        return float(np.mean((below <= 0) | (below >= 1))) > max(1e-3, 1.4 / math.sqrt(below.size))

    @property
    def _is_short(self) -> bool:
        """Whether the values end where a normal law has dozens of them."""
        reach = float(np.abs(self.z).max())
        return self.z.size * 2 * float(special.ndtr(-reach)) > 30

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The usual laws that fit, the nearest first; none where the law itself does."""
        if self.is_own:
            return ()
        found = sorted(
            (self._distance(below), place, name)
            for place, (name, below) in enumerate(self._families())
            if not self._leaves(below)
        )
        fitting = [(name, distance) for distance, _, name in found if distance <= self._near]
        plain = [name for name, _ in fitting if name in (*_PLAIN, CUT)]
        if plain:
            return tuple(plain[:1])
        near = 1.5 * fitting[0][1] if fitting else 0.0
        return tuple(
            [name for name, distance in fitting if distance <= near][:2] or self._mixture()
        )

    @property
    def kind(self) -> str:
        """``own``, ``normal``, ``uniform``, ``cut`` or ``other``."""
        if self.is_own:
            return "own"
        first = self.names[0] if self.names else ""
        return {"normal": "normal", "uniform": "uniform", CUT: "cut"}.get(first, "other")

    @cached_property
    def bound(self) -> float:
        """Where a normal law is cut whose values reach as far as these; infinite for none."""
        reach = float(np.abs(self.z).max())
        low, high = 0.05, 5.0
        if not reach < high:
            return math.inf
        for _ in range(50):
            middle = (low + high) / 2
            is_short = middle / TruncatedNormal(0.0, 1.0, -middle, middle).std < reach
            low, high = (middle, high) if is_short else (low, middle)
        return low

    # ------------------------------------------------------------------------------- candidates

    def _families(self) -> Iterator[tuple[str, Array]]:
        z = self.z
        if not self._is_short:
            yield "normal", special.ndtr(z)
        yield "uniform", np.clip((z / math.sqrt(3) + 1) / 2, 0, 1)
        yield CUT, transform.cdf(CUT_AT_TWO, z * CUT_AT_TWO.std)
        bound = self.bound
        if 0.5 < bound < 4 and self._is_short and abs(bound - 2) > 0.02:
            law = TruncatedNormal(0.0, 1.0, -bound, bound)
            name = f"a normal one cut at {bound:.2f} standard deviations of its parent"
            if abs(self.kurtosis - law.kurtosis) < 8 * math.sqrt(24 / z.size):
                yield name, transform.cdf(law, z * law.std)
        limit = math.sqrt(6)
        tail = np.clip(1 - np.abs(z) / limit, 0, 1) ** 2 / 2
        yield "triangular", np.where(z < 0, tail, 1 - tail)
        tail = np.exp(-math.sqrt(2) * np.abs(z)) / 2
        yield "Laplace's", np.where(z < 0, tail, 1 - tail)
        yield "logistic", special.expit(z * math.pi / math.sqrt(3))
        yield "exponential", -np.expm1(-np.clip(z + 1, 0, None))
        low, middle, high = np.quantile(z, (0.25, 0.5, 0.75))
        for freedom in _FREEDOM:
            scale = (high - low) / 2 / float(special.stdtrit(freedom, 0.75))
            name = f"Student's with {freedom} degree{'s' * (freedom > 1)} of freedom"
            yield name, special.stdtr(freedom, (z - middle) / scale)

    def _mixture(self) -> Iterator[str]:
        """Two normal laws about one mean, by expectation and maximisation."""
        if self.kurtosis < 0.2 or abs(self.skewness) > 0.5:
            return
        squares = self.z[:: max(1, self.z.size >> 15)] ** 2
        part, narrow, wide = 0.5, 0.5, 2.0
        for _ in range(200):
            inner = (1 - part) * np.exp(-squares / (2 * narrow)) / math.sqrt(narrow)
            outer = part * np.exp(-squares / (2 * wide)) / math.sqrt(wide)
            belongs = outer / np.maximum(inner + outer, 1e-300)
            part = float(belongs.mean())
            if not 1e-4 < part < 1 - 1e-4:
                return
            wide = float((belongs * squares).mean()) / part
            narrow = float(((1 - belongs) * squares).mean()) / (1 - part)
        below = (1 - part) * special.ndtr(self.z / math.sqrt(narrow))
        below += part * special.ndtr(self.z / math.sqrt(wide))
        if self._fits(below):
            ratio = math.sqrt(wide / narrow)
            yield f"a mixture of two normal ones, {part:.0%} of it {ratio:.2g} times as wide"

    # --------------------------------------------------------------------------------- distances

    @property
    def _near(self) -> float:
        rounding = 0.002 if self.is_narrow else 0.0
        return _NEAR / math.sqrt(self.z.size) + rounding

    def _distance(self, below: Array) -> float:
        n = self.z.size
        steps = np.arange(1, n + 1) / n
        # Values of a narrow type repeat: the middle of their steps is held against the law.
        return float(np.abs(_levelled(self.z, steps - 0.5 / n) - below).max())

    def _fits(self, below: Array) -> bool:
        return self._distance(below) <= self._near


def _levelled(ordered: Array, steps: Array) -> Array:
    """Each step, and where values repeat the middle of theirs."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(ordered) != 0]))
    lengths = np.diff(np.append(starts, ordered.size))
    return np.asarray(np.repeat((steps[starts] + steps[starts + lengths - 1]) / 2, lengths))


CUT = "a normal one cut at two standard deviations of its parent"


def claimed_name(law: Distribution) -> str:
    """What a law is, as an adjective or a phrase after "not"."""
    match law:
        case Normal():
            return "normal"
        case Uniform():
            return "uniform"
        case TruncatedNormal() if law.low == -law.high:
            at = "two" if law.high == 2 else f"{law.high:.3g}"
            return f"a normal one cut at {at} standard deviations of its parent"
    return "the documented one"
