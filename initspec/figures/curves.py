"""What the pictures draw: the numbers, before any ink.

:mod:`initspec.figures` draws them as SVG and :mod:`initspec.plot` with Matplotlib.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SpecError
from ..readings.registry import get
from ..spec.custom import CustomLaw
from ..spec.distribution import Constant, Distribution
from ..spec.fan_rules import Shape
from ..spec.layout import Layout, checked_shape
from ..spec.marginals import Discrete, HaarEntry, Spiked
from ..spec.scheme import called
from ..spec.tensor_laws import Structured, matrix

Array = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]


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
    bars: tuple[tuple[float, float, float], ...]
    curve: Points
    atoms: Points
    law: Distribution


def density(
    scheme: Any, shape: Shape | list[int], layout: Layout | str | None = None, *, seed: int = 0
) -> Density:
    """Draw a tensor of the scheme and hold its histogram beside the law's density.

    >>> found = density("he_uniform", (64, 96))
    >>> found.draws, round(max(y for _, y in found.curve) * 2 * (6 / 64) ** 0.5, 12)
    (6144, 1.0)
    """
    made = get(scheme)
    sizes = checked_shape(shape)
    law = made.on(sizes, layout)
    drawn = made.numpy(sizes, seed=seed, layout=layout, dtype="float64").ravel()
    smooth, found = _parts(law)
    inside = drawn[~np.isin(drawn, [value for value, _ in found])] if found else drawn
    curve = _curve(smooth) if smooth is not None else ()
    bars: tuple[tuple[float, float, float], ...] = ()
    if smooth is not None and inside.size:
        low, high = _extent(smooth, inside)
        count = max(8, min(60, round(2 * inside.size ** (1 / 3))))
        heights, edges = np.histogram(inside, count, (low, high))
        ends = edges.tolist()
        share = heights / (inside.size * (high - low) / count)
        bars = tuple(zip(ends, ends[1:], share.tolist(), strict=False))
    return Density(called(made), drawn.size, bars, curve, found, law)


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
    >>> found = ecdf(he.numpy((64, 96), seed=0), he.on((64, 96)))
    >>> found.inside, round(found.band, 4)
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
    band = math.sqrt(math.log(2 / alpha) / (2 * n))
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


# ----------------------------------------------------------------------------- singular values


@dataclass(frozen=True, slots=True)
class Singular:
    """The singular values of a drawn weight, beside what its law makes of them.

    ``bars`` is their histogram; ``curve`` Marchenko and Pastur's density, for independent
    elements of mean zero, else empty; ``level`` the one value that an orthogonal weight has.
    """

    name: str
    rows: int
    columns: int
    values: tuple[float, ...]
    bars: tuple[tuple[float, float, float], ...]
    curve: Points
    level: float | None


def singular_values(
    scheme: Any, shape: Shape | list[int], layout: Layout | str | None = None, *, seed: int = 0
) -> Singular:
    """Draw a weight and take the singular values of it as a matrix: all axes but out, by out.

    Raises :class:`LayoutError` for a tensor that is no matrix, :class:`SpecError` for one that
    holds several (stacked or batched).

    >>> found = singular_values("orthogonal(gain=2.0)", (32, 48))
    >>> found.level, [round(s, 5) for s in found.values[:3]]
    (2.0, [2.0, 2.0, 2.0])
    """
    made = get(scheme)
    sizes = checked_shape(shape)
    axes = Layout.of(layout, len(sizes))
    count, rows, columns = matrix(sizes, axes)
    if count != 1 or not rows * columns:
        raise SpecError(
            f"a tensor of shape {sizes} and layout '{axes}' holds {count} matrices of "
            f"{rows} by {columns}; singular values are taken of one."
        )
    law = made.on(sizes, axes)
    drawn = made.numpy(sizes, seed=seed, layout=axes, dtype="float64")
    roles = axes.roles(sizes)
    out = [i for i, role in enumerate(roles) if role in ("group", "out")]
    flat = np.moveaxis(drawn, out, range(-len(out), 0)).reshape(rows, columns)
    values = np.linalg.svd(flat, compute_uv=False)
    level = law.gain if law.kind == "orthogonal" and hasattr(law, "gain") else None
    independent = law.elementwise and law.mean == 0 and law.variance > 0
    curve = marchenko_pastur(rows, columns, law.variance) if independent else ()
    bars: tuple[tuple[float, float, float], ...] = ()
    if values.max() > 0 and np.ptp(values) > 1e-4 * values.max():
        heights, edges = np.histogram(values, max(8, round(math.sqrt(values.size) * 1.5)))
        width = edges[1] - edges[0]
        ends, share = edges.tolist(), (heights / (values.size * width)).tolist()
        bars = tuple(zip(ends, ends[1:], share, strict=False))
    return Singular(called(made), rows, columns, tuple(values.tolist()), bars, curve, level)


def marchenko_pastur(rows: int, columns: int, variance: float) -> Points:
    """The density of singular values of a large matrix of independent elements of mean zero.

    With the shorter side ``p``, the longer ``q`` and elements of variance ``v`` it is
    ``sqrt((b**2 - s**2) (s**2 - a**2)) / (pi v p s)`` between ``a = sqrt(v) (sqrt(q) - sqrt(p))``
    and ``b = sqrt(v) (sqrt(q) + sqrt(p))``. (Marchenko and Pastur 1967.)

    >>> points = marchenko_pastur(100, 400, 1.0)
    >>> points[0], points[-1]
    ((10.0, 0.0), (30.0, 0.0))
    """
    p, q = sorted((rows, columns))
    a, b = (math.sqrt(variance) * (math.sqrt(q) + sign * math.sqrt(p)) for sign in (-1, 1))
    turn = np.linspace(0, math.pi, 121)
    s = (a + b) / 2 - (b - a) / 2 * np.cos(turn)  # closer together near both ends, where it bends
    inside = np.clip((b**2 - s**2) * (s**2 - a**2), 0, None)
    floor = np.maximum(s, 1e-9 * b)
    height = np.sqrt(inside) / (math.pi * variance * p * floor)
    if a == 0:  # a square: a quarter of a circle, which begins at its top
        height[0] = b / (math.pi * variance * p)
    return tuple(zip(s.tolist(), height.tolist(), strict=True))


# ----------------------------------------------------------------------------------------- XOR

HIDDEN, RATE, SEED = 4, 0.5, 1


def xor_losses(scheme: Any, steps: int = 2000) -> tuple[float, ...]:
    """The mean cross-entropy of a network of 2-4-1 units, learning XOR from these weights.

    Four ``tanh`` units and a sigmoid, biases zero, gradient descent on all four examples: the
    network of the tutorial in ``docs/tutorials/xor``. Item ``i`` is the loss after ``i`` steps.

    >>> losses = xor_losses("zeros", 10)
    >>> losses[0] == losses[10], round(losses[0], 6)  # log(2), that of knowing nothing
    (True, 0.693147)
    """
    made = get(scheme)
    inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = np.array([[0.0], [1.0], [1.0], [0.0]])
    w1, b1 = made.numpy((2, HIDDEN), seed=SEED, name="hidden").astype(float), np.zeros(HIDDEN)
    w2, b2 = made.numpy((HIDDEN, 1), seed=SEED, name="output").astype(float), np.zeros(1)
    losses = []
    for _ in range(steps + 1):
        hidden = np.tanh(inputs @ w1 + b1)
        logits = hidden @ w2 + b2
        losses.append(float(np.mean(np.logaddexp(0.0, logits) - targets * logits)))
        error = (1 + np.tanh(logits / 2)) / 2 - targets
        back = (error @ w2.T) * (1 - hidden**2)
        w2, b2 = w2 - RATE * (hidden.T @ error), b2 - RATE * error.sum(0)
        w1, b1 = w1 - RATE * (inputs.T @ back), b1 - RATE * back.sum(0)
    return tuple(losses)


def thinned(values: Iterable[float], most: int = 200) -> Points:
    """Every so many of a long list, with their places, the first and the last among them."""
    listed = list(values)
    kept = sorted({round(i) for i in np.linspace(0, len(listed) - 1, most).tolist()})
    return tuple((float(i), listed[i]) for i in kept)
