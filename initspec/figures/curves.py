"""The density of a law beside draws of it, and the distribution functions of both.

These are numbers, before any ink, as those of ``singular_values`` and ``xor_network`` are:
:mod:`initspec.figures` draws them as SVG and ``initspec.plot`` with Matplotlib.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SpecError
from ..readings.registry import get
from ..spec.custom import CustomLaw
from ..spec.distance import dkw_distance
from ..spec.distribution import Constant, Distribution
from ..spec.fan_rules import Shape
from ..spec.layout import Layout, checked_shape
from ..spec.marginals import Discrete, HaarEntry, Spiked
from ..spec.scheme import called
from ..spec.tensor_laws import Structured

Array = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]
Histogram = tuple[tuple[float, float, float], ...]  # (left, right, height), of area one


# ------------------------------------------------------------------------------------- density


@dataclass(frozen=True, slots=True)
class Density:
    """The density of a law beside the histogram of real draws.

    ``bars`` holds the histogram as ``(left, right, height)``, whose area is one; ``curve`` the
    law's density, empty for one that does not say; ``atoms`` the values that have a probability
    of their own, with it; of these neither bars nor curve speak.
    """

    name: str
    draws: int
    bars: Histogram
    curve: Points
    atoms: Points
    law: Distribution


def density(
    scheme: Any, shape: Shape | list[int], layout: Layout | str | None = None, *, seed: int = 0
) -> Density:
    """Draw a tensor of the scheme and hold its histogram beside the law's density.

    >>> answer = density("he_uniform", (64, 96))
    >>> answer.draws, round(max(y for _, y in answer.curve) * 2 * (6 / 64) ** 0.5, 12)
    (6144, 1.0)
    """
    rule = get(scheme)
    sizes = checked_shape(shape)
    law = rule.on(sizes, layout)
    drawn = rule.numpy(sizes, seed=seed, layout=layout, dtype="float64").ravel()
    smooth, atoms = _parts(law)
    inside = drawn[~np.isin(drawn, [value for value, _ in atoms])] if atoms else drawn
    curve = _curve(smooth) if smooth is not None else ()
    bars: Histogram = ()
    if smooth is not None and inside.size:
        count = max(8, min(60, round(2 * inside.size ** (1 / 3))))
        bars = histogram(inside, count, _extent(smooth, inside))
    return Density(called(rule), drawn.size, bars, curve, atoms, law)


def histogram(values: Array, count: int, ends: tuple[float, float] | None = None) -> Histogram:
    """So many bars of equal width between the ends, or the least and the greatest value.

    >>> histogram(np.array([0.0, 0.5, 0.75, 1.0]), 2)
    ((0.0, 0.5, 0.5), (0.5, 1.0, 1.5))
    """
    counts, edges = np.histogram(values, count, ends)
    heights = counts / (values.size * (edges[-1] - edges[0]) / count)
    sides = edges.tolist()
    return tuple(zip(sides, sides[1:], heights.tolist(), strict=False))


def _parts(law: Distribution) -> tuple[Distribution | None, Points]:
    """What of a law is smooth, and its atoms."""
    if isinstance(law, Structured):
        law = law.marginal
    match law:
        case Constant():
            return None, ((law.value, 1.0),)
        case Discrete():
            return None, tuple(zip(law.values, law.weights, strict=True))
        case Spiked():
            return (law.base, ((0.0, law.zeros),)) if law.zeros else (law.base, ())
        case HaarEntry() if law.n == 1:
            return None, ((-law.gain, 0.5), (law.gain, 0.5))
    if not isinstance(law, CustomLaw) and law.variance == 0:
        return None, ((law.mean, 1.0),)
    return law, ()


def _curve(law: Distribution) -> Points:
    try:
        low, high = (law.ppf(p) for p in (2e-5, 1 - 2e-5))
        ends = law.support
        if law.kind in ("uniform", "truncated_normal"):
            low, high = ends
        grid = np.linspace(low, high, 121)
        inside = tuple(zip(grid.tolist(), law.pdf(grid).tolist(), strict=True))
    except SpecError:  # a custom law that does not say
        return ()
    edges = [
        [(end, 0.0)] if math.isfinite(end) and end == x else []
        for end, x in zip(ends, (low, high), strict=True)
    ]
    return (*edges[0], *inside, *edges[1])


def _extent(law: Distribution, drawn: Array) -> tuple[float, float]:
    """Where the histogram begins and ends: at the law's own bounds, or at the draws'."""
    low, high = float(drawn.min()), float(drawn.max())
    if law.kind in ("uniform", "truncated_normal"):
        low, high = min(low, law.support[0]), max(high, law.support[1])
    return (low, high) if low < high else (low - 0.5, high + 0.5)


# ---------------------------------------------------------------------------------------- ECDF


@dataclass(frozen=True, slots=True)
class Ecdf:
    """The empirical distribution function of values less the law's: ``F_n(x) - F(x)``.

    ``distance`` is its greatest size, Kolmogorov and Smirnov's; ``band`` what it stays under with
    probability ``1 - alpha``, by Dvoretzky, Kiefer, Wolfowitz and Massart:
    ``sqrt(log(2 / alpha) / (2 n))``. ``curve`` is thinned to its peaks.
    """

    draws: int
    alpha: float
    distance: float
    band: float
    curve: Points

    @property
    def inside(self) -> bool:
        """Whether the difference stays in the band everywhere."""
        return self.distance <= self.band


def ecdf(values: Any, law: Distribution, alpha: float = 1e-3) -> Ecdf:
    """The difference of the values' distribution function and the law's, with its band.

    Raises :class:`SpecError` for values that are none or not finite, and for an ``alpha`` that is
    not between 0 and 1.

    >>> he = get("he_normal")
    >>> answer = ecdf(he.numpy((64, 96), seed=0), he.on((64, 96)))
    >>> answer.inside, round(answer.band, 4)
    (True, 0.0249)
    """
    drawn = np.sort(np.asarray(values, np.float64).ravel())
    if not drawn.size or not np.isfinite(drawn).all():
        raise SpecError(f"an ECDF needs finite numbers, at least one; {drawn.size} were given.")
    if not 0 < alpha < 1:
        raise SpecError(f"alpha is a probability between 0 and 1, not {alpha!r}.")
    n = drawn.size
    places, first, counts = np.unique(drawn, return_index=True, return_counts=True)
    at = law.cdf(places)
    # Before a value the law has what it has at the number just below: that is less at an atom.
    before = np.minimum(at, law.cdf(np.nextafter(places, -np.inf)))
    upper, lower = (first + counts) / n - at, first / n - before
    distance = float(max(np.abs(upper).max(), np.abs(lower).max()))
    band = dkw_distance(alpha, n)
    return Ecdf(n, alpha, distance, band, _thinned(places, lower, upper))


def _thinned(x: Array, lower: Array, upper: Array, most: int = 240) -> Points:
    """Of each narrow stretch the lowest and the highest difference, in their order."""
    points: list[tuple[float, float]] = []
    cuts = np.searchsorted(x, np.linspace(x[0], x[-1], most + 1)[1:-1])
    for part in np.split(np.arange(x.size), cuts):
        if not part.size:
            continue
        low, high = part[np.argmin(lower[part])], part[np.argmax(upper[part])]
        pair = [(float(x[low]), float(lower[low])), (float(x[high]), float(upper[high]))]
        points += pair if low <= high else pair[::-1]
    return tuple(points)
