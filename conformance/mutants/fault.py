"""The tensor of a fault, and the faults of its scale.

A fault is a function of a :class:`Setting`, which knows the right law; it answers with float64
numbers, which :class:`~initspec.conformance.mutants.mutant.Mutant` rounds to the type. All draws
are inverse transforms of NumPy's 53 bits, so that what is wrong is the fault alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SpecError
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Fans, Shape
from ...spec.layout import Layout, fans
from ..probability.transform import ppf

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a sampler is told: the right law, the tensor, and where its randomness comes from."""

    law: Distribution
    shape: Shape
    layout: Layout
    seed: int
    dtype: str = "float32"

    @property
    def fans(self) -> Fans:
        """The true fans."""
        return fans(self.shape, self.layout)

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator of this seed."""
        return np.random.Generator(np.random.PCG64DXSM(self.seed))

    def uniform(self, shape: Shape | None = None) -> Array:
        """Numbers on the open interval (0, 1)."""
        return self.rng.random(self.shape if shape is None else shape) + 2.0**-54

    def draw(self, law: Distribution | None = None, shape: Shape | None = None) -> Array:
        """Independent numbers of a law, by default of the right one."""
        return ppf(law or self.law, self.uniform(shape))


Fault = Callable[[Setting], Array]


def resized(law: Distribution, std: float) -> Distribution:
    """A law of the same kind about the same mean with another standard deviation."""
    match law:
        case Normal():
            return Normal(law.mu, std)
        case Uniform():
            limit = math.sqrt(3) * std
            return Uniform(law.mean - limit, law.mean + limit)
        case TruncatedNormal():
            return TruncatedNormal(law.mu, law.sigma * std / law.std, law.low, law.high)
    raise SpecError(f"{law!r} has no size to change.")


def variance(of: Callable[[Fans], float]) -> Fault:
    """Another variance from the same fans."""
    return lambda s: s.draw(resized(s.law, math.sqrt(of(s.fans))))


def scaled(ratio: float) -> Fault:
    """The standard deviation times a constant."""
    return lambda s: s.draw(resized(s.law, s.law.std * ratio))


def std_from(of: Callable[[float], float]) -> Fault:
    """Another standard deviation from the right one."""
    return lambda s: s.draw(resized(s.law, of(s.law.std)))


def instead(of: Callable[[Distribution], Distribution]) -> Fault:
    """Another law from the right one."""
    return lambda s: s.draw(of(s.law))


def average(fan: Fans) -> float:
    """The mean of both fans."""
    return fan.n("FAN_AVG")
