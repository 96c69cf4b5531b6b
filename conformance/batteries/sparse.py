"""Sparse matrices: how many zeros a line has, and where they lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...spec.distribution import Normal
from ...spec.tensor_laws import Sparse
from ..finding import Finding
from ..probability import bounds, transform
from . import atoms, marginal
from .family import family, is_refused
from .place_scores import Scores

if TYPE_CHECKING:
    from ..cell import Cell

Array = NDArray[np.float64]


def sparse_battery(values: Array, law: Sparse, cell: Cell) -> Iterator[Finding]:
    """So many zeros in each line, at even places, and normal numbers elsewhere."""
    if values.size == 0 or law.sigma == 0:
        wrong = int(np.count_nonzero(values))
        yield Finding("zeros", wrong, 0.0 if wrong else 1.0)
        return
    tensors = values.reshape(-1, law.count, law.rows, law.columns)
    tensors = np.moveaxis(tensors, law.axis + 1, 3)
    masks = tensors == 0
    counts = masks.sum(axis=3)
    missing = int(np.maximum(law.zeros - counts, 0).sum())
    drawn = int(np.maximum(counts - law.zeros, 0).sum())
    normals = counts.size * (law.length - law.zeros)
    chance = _zero_chance(law, cell.dtype, cell.target.resolution)
    p = 0.0 if missing else bounds.binomial_above(drawn, normals, chance)
    note = f"{missing} zeros too few and {drawn} too many" if missing or drawn else ""
    yield Finding("zeros", missing + drawn, p, note)
    if 0 < law.zeros < law.length:
        yield positions(masks, law)
        yield overlap("masks", masks[:, :, :-1:2], masks[:, :, 1::2], law)
        yield overlap("tensors", masks[:-1:2], masks[1::2], law)
    if law.zeros < law.length:
        # A zero that was drawn is one of the normal numbers.
        x = np.concatenate([tensors[~masks], np.zeros(drawn)])
        normal = Normal(0.0, law.sigma)
        bits = cell.target.resolution
        jitter = np.random.default_rng(x.size)
        u = transform.transform(x, normal, cell.dtype, jitter, bits)
        found = list(marginal.battery(x, u, normal, cell.dtype, bits))
        yield from found
        yield atoms.atoms(tensors[~masks][None], normal, cell.dtype, bits)
        yield from family(_filled(tensors, masks, normal, cell.dtype, bits, is_refused(found)))


def _filled(
    tensors: Array,
    masks: NDArray[np.bool_],
    normal: Normal,
    dtype: str,
    bits: int,
    ranked: bool,
) -> Scores:
    """Scores of the numbers in their places, with chance in place of the zeros."""
    jitter = np.random.default_rng(tensors.size)
    full = np.where(masks, np.nan, tensors).reshape(-1)
    below, above = np.empty((2, full.size))
    kept = ~masks.reshape(-1)
    below[kept], above[kept] = transform.transform(full[kept], normal, dtype, jitter, bits)
    if ranked:  # among themselves, and not among what stands for zeros
        order = np.argsort(np.argsort(below[kept] + 1e-12 * jitter.random(kept.sum())))
        below[kept] = (order + jitter.random(order.size)) / order.size
        above[kept] = 1 - below[kept]
    below[~kept] = jitter.random(int(np.count_nonzero(~kept)))
    above[~kept] = 1 - below[~kept]
    shape = (tensors.shape[0], tensors.shape[1] * tensors.shape[2], tensors.shape[3])
    return Scores(transform.Uniforms(below, above), shape, normal, bits, jitter)


def _zero_chance(law: Sparse, dtype: str, resolution: int) -> float:
    """The probability of drawing a zero: by rounding, or by a sampler of so many bits."""
    low, high = transform.neighbours(np.zeros(1), dtype)
    normal = Normal(0.0, law.sigma)
    return float((transform.cdf(normal, high) - transform.cdf(normal, low))[0]) + 2.0**-resolution


def positions(masks: NDArray[np.bool_], law: Sparse) -> Finding:
    """Each place is a zero in so many lines: a binomial count, as lines are independent."""
    lines = masks.reshape(-1, law.length)
    lines = lines[lines.sum(axis=1) == law.zeros]
    counts = lines.sum(axis=0)
    p = [bounds.binomial(int(count), len(lines), law.share) for count in counts]
    worst = int(np.argmin(p))
    note = f"{counts[worst]} zeros of {len(lines)} in place {worst}, {law.share:.1%} expected"
    statistic = float(counts[worst] / max(len(lines), 1))
    return Finding("positions", statistic, min(1.0, p[worst] * law.length), note)


def overlap(name: str, first: NDArray[np.bool_], second: NDArray[np.bool_], law: Sparse) -> Finding:
    """The zeros that pairs of lines share: a hypergeometric number for each, by Chernoff."""
    count = min(first.shape[0], second.shape[0]), min(first.shape[2], second.shape[2])
    first, second = first[: count[0], :, : count[1]], second[: count[0], :, : count[1]]
    good = (first.sum(axis=3) == law.zeros) & (second.sum(axis=3) == law.zeros)
    common = (first & second).sum(axis=3)[good]
    if common.size == 0:
        return Finding(name, 0.0, 1.0)
    mean = float(common.mean())
    expected = law.zeros**2 / law.length
    p = math.exp(-min(common.size * _hypergeometric_rate(mean, law.length, law.zeros), 745.0))
    note = f"{mean:.3f} zeros in common, {expected:.3f} expected"
    return Finding(name, mean, min(1.0, 2 * p), note)


def _hypergeometric_rate(mean: float, size: int, zeros: int) -> float:
    """Chernoff's rate for the mean number of common elements of two subsets."""
    common = np.arange(max(0, 2 * zeros - size), zeros + 1)
    log = (
        _log_binomial(zeros, common)
        + _log_binomial(size - zeros, zeros - common)
        - _log_binomial(size, np.array(zeros))
    )
    # The rate is a supremum over t, so that every t gives a valid bound; a grid gives a good one.
    t = np.concatenate([-np.geomspace(60, 1e-4, 600), np.geomspace(1e-4, 60, 600)])
    generating = special.logsumexp(log + t[:, None] * common, axis=1)
    return max(0.0, float((t * mean - generating).max()))


def _log_binomial(n: int, k: NDArray[np.int64]) -> Array:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))
