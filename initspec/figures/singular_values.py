"""The singular values of a drawn weight, and what its law makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecError
from ..readings.registry import get
from ..spec.fan_rules import Shape
from ..spec.layout import Layout, checked_shape
from ..spec.scheme import called
from ..spec.tensor_laws import Structured, matrix
from .curves import Histogram, Points, histogram


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
    bars: Histogram
    curve: Points
    level: float | None


def singular_values(
    scheme: Any, shape: Shape | list[int], layout: Layout | str | None = None, *, seed: int = 0
) -> Singular:
    """Draw a weight and take the singular values of it as a matrix: all axes but out, by out.

    Raises :class:`LayoutError` for a tensor that is no matrix, :class:`SpecError` for one that
    holds several (stacked or batched).

    >>> answer = singular_values("orthogonal(gain=2.0)", (32, 48))
    >>> answer.level, [round(s, 5) for s in answer.values[:3]]
    (2.0, [2.0, 2.0, 2.0])
    """
    rule = get(scheme)
    sizes = checked_shape(shape)
    axes = Layout.of(layout, len(sizes))
    count, rows, columns = matrix(sizes, axes)
    if count != 1 or not rows * columns:
        raise SpecError(
            f"a tensor of shape {sizes} and layout '{axes}' holds {count} matrices of "
            f"{rows} by {columns}; singular values are taken of one."
        )
    law = rule.on(sizes, axes)
    drawn = rule.numpy(sizes, seed=seed, layout=axes, dtype="float64")
    roles = axes.roles(sizes)
    out = [i for i, role in enumerate(roles) if role in ("group", "out")]
    flat = np.moveaxis(drawn, out, range(-len(out), 0)).reshape(rows, columns)
    values = np.linalg.svd(flat, compute_uv=False)
    level = law.gain if law.kind == "orthogonal" and hasattr(law, "gain") else None
    independent = not isinstance(law, Structured) and law.mean == 0 and law.variance > 0
    curve = marchenko_pastur(rows, columns, law.variance) if independent else ()
    bars: Histogram = ()
    if values.max() > 0 and np.ptp(values) > 1e-4 * values.max():
        bars = histogram(values, max(8, round(math.sqrt(values.size) * 1.5)))
    return Singular(called(rule), rows, columns, tuple(values.tolist()), bars, curve, level)


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
