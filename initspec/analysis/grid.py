"""A grid of places, and how much of a law, of other shapes and of a tensor lies below each."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..stream.dtypes import ROUNDING, nearest, next_above
from .sample import Sample

Array = NDArray[Any]


class _Grid(NamedTuple):
    """Places of a law in its own unit, its probability below each, and that of other shapes."""

    places: Array
    below: Array
    others: Array | None


def cumulated(law: Distribution, sample: Sample) -> tuple[Array, Array | None, Array]:
    """At each place of a grid: the law's probability, other shapes', and the values counted."""
    unit, start, scale = _standard(law)
    grid = _grid(unit)
    places = start + scale * grid.places
    below, others = grid.below, grid.others
    if ROUNDING[sample.dtype][0] > 1e-5:  # what is counted is what rounds to one side
        places = np.unique(nearest(places, sample.dtype))
        edges = (places + next_above(places, sample.dtype)) / 2
        standard = ((edges - start) / scale).tolist()
        below = np.array([unit.cdf(z) for z in standard])
        others = None if others is None else np.array([_others(z) for z in standard]).T
    counts = np.searchsorted(sample.ordered, places, "right")
    if others is not None:
        others = np.pad(others, ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    return (
        np.concatenate([[0.0], below, [1.0]]),
        others,
        np.concatenate([[0], counts, [sample.ordered.size]]),
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
