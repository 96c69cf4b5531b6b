"""Are the values independent: along a tensor, across its rows and columns, between tensors?

Values come in as scores ``w = sqrt(12) (u - 1/2)``, which have mean zero and variance one whatever
the law. Under independence a product of two scores is a product of two uniform numbers, whose
moment-generating function is known, so that every mean of disjoint products has a Chernoff bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..finding import Finding
from ..probability import bounds
from .lags import lags

Array = NDArray[np.float64]

#: Rows, columns or tensors that are compared with each other, each with each.
COMPARED = 1024


def scores(u: Array) -> Array:
    """Uniform numbers as scores of mean zero and variance one."""
    return math.sqrt(12) * (u - 0.5)


@lru_cache(maxsize=1)
def _product_rates() -> tuple[Array, Array]:
    """``I(m)`` of the mean of products of two independent scores, on a grid of ``m``.

    ``E exp(t a b) = E sinh(3 t v) / (3 t v)`` with ``v`` uniform on (0, 1).
    """
    v, weights = bounds.nodes()

    def log_mgf(t: float) -> float:
        z = np.maximum(3 * t * v, 1e-9)
        log = z + np.log1p(-np.exp(-2 * z)) - np.log(2 * z)
        top = log.max()
        return float(top + math.log(weights @ np.exp(log - top)))

    slopes = np.concatenate([[0.0], np.geomspace(1e-4, 40, 400)])
    values = np.array([0.0] + [log_mgf(t) for t in slopes[1:]])
    means = np.gradient(values, slopes)
    means[0] = 0.0
    order = np.argsort(means)
    return means[order], np.maximum(slopes * means - values, 0)[order]


def correlation(mean: float, n: int) -> float:
    """Two-sided bound on the p-value of a mean of ``n`` independent products of scores."""
    means, rates = _product_rates()
    rate = float(np.interp(abs(mean), means, rates))
    return min(1.0, 2 * math.exp(-min(n * rate, 745.0)))


def battery(tensors: Array, values: Array, chance: float = 0.0) -> Iterator[Finding]:
    """Every test of independence on scores of ``tensors``: replicates of one flattened matrix.

    ``tensors`` has the axes replicate, row, column; ``values`` are the numbers that the scores
    came from, in the same order, and ``chance`` is a bound on that of two being equal: none where
    the law is smooth.
    """
    yield lags(tensors)
    yield gram("rows", tensors)
    yield gram("columns", tensors.swapaxes(1, 2))
    if min(tensors.shape[1:]) > 2:
        yield symmetry(tensors)
    if tensors.shape[0] > 1:
        yield gram("tensors", tensors.reshape(1, tensors.shape[0], -1))
    yield shifted(tensors)
    yield duplicates(values, chance)


def gram(name: str, tensors: Array) -> Finding:
    """The largest correlation of two of the first rows, pooled over the replicates."""
    tensors = tensors[:, :COMPARED]
    count, rows, width = tensors.shape
    if rows < 2 or width == 0:
        return Finding(name, 0.0, 1.0)
    products = np.einsum("rik,rjk->ij", tensors, tensors, optimize=True) / (count * width)
    upper = np.triu_indices(rows, 1)
    at = int(np.abs(products[upper]).argmax())
    mean = float(products[upper][at])
    p = min(1.0, correlation(mean, count * width) * len(upper[0]))
    return Finding(name, mean, p, f"{upper[0][at]} and {upper[1][at]}")


def symmetry(tensors: Array) -> Finding:
    """The leading square block of a matrix and its transpose."""
    upper = np.triu_indices(min(tensors.shape[1:]), 1)
    products = tensors[:, upper[0], upper[1]] * tensors[:, upper[1], upper[0]]
    mean = float(products.mean())
    p = correlation(mean, products.size)
    near = {1: "equal", -1: "opposite"}.get(round(mean) if abs(mean) > 0.95 else 0)
    told = f"a matrix and its transpose are {near or f'correlated by {mean:+.3f}'}"
    return Finding("symmetry", mean, p, told if p < 1e-6 else "")


def shifted(tensors: Array) -> Finding:
    """Two replicates whose streams overlap, at any shift of at most three quarters of them."""
    if tensors.shape[0] < 2:
        flat = tensors.reshape(-1)
        half = flat.size // 2
        first, second = flat[:half], flat[half : 2 * half]
    else:
        half = tensors[0].size
        first, second = tensors[0].ravel(), tensors[1].ravel()
    if half < 64:
        return Finding("shift", 0.0, 1.0)
    size = 1 << (2 * half - 1).bit_length()
    spectrum = np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size))
    sums = np.fft.irfft(spectrum, size)
    shifts = np.arange(-(3 * half // 4), 3 * half // 4 + 1)
    overlap = half - np.abs(shifts)
    means = sums[shifts] / overlap
    at = int(np.argmax(np.abs(means) * np.sqrt(overlap)))
    p = min(1.0, correlation(float(means[at]), int(overlap[at])) * shifts.size)
    return Finding("shift", float(means[at]), p, f"at shift {shifts[at]}")


def duplicates(values: Array, chance: float = 0.0) -> Finding:
    """Two replicates, or two blocks of one, that are copies of each other.

    Copies agree in every place; a narrow type's values agree by chance in a few, those of a law
    with atoms in many.
    """
    pairs = [(values[0], values[1])] if values.shape[0] > 1 else []
    for parts in (2, 3, 4, 8):
        for axis in (1, 2):
            if values.shape[axis] % parts == 0 and values[0].size >= 8 * parts:
                first, second, *_ = np.split(values, parts, axis)
                pairs.append((first, second))
    worst = Finding("duplicates", 0.0, 1.0)
    for first, second in pairs:
        equal = first == second
        count, share = int(np.count_nonzero(equal)), float(equal.mean())
        p = bounds.binomial_above(count, equal.size, chance) * len(pairs) if share > 0.5 else 1.0
        if share > worst.statistic:
            worst = Finding("duplicates", share, min(p, 1.0), "copies" if p < 1e-6 else "")
    return worst
