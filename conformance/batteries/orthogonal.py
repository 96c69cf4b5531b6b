"""Haar's law of a whole matrix, and delta-orthogonal kernels.

Most tests rest on what leaves Haar's law alone. Signs: with a random sign for each row a Haar
matrix stays one, so that the signs on its diagonal are independent fair coins, and a sum that takes
one entry from each row is a Rademacher sum given their sizes. Rotations: a Haar matrix and its
image under a reflection may be exchanged, so that any difference between them is symmetric about
zero. Both give bounds at every number of matrices that are scaled by the sample itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distance import dkw
from ...spec.marginals import HaarEntry
from ...spec.tensor_laws import DeltaOrthogonal, Orthogonal
from ..finding import Finding
from ..probability import bounds, transform
from . import haar_entries

Array = NDArray[np.float64]

#: Units in the last place by which ``Q'Q`` may miss the identity: 16 up to sides of 16, then
#: growing as the square root of the side. The frameworks' own QR stays below 9.
RESIDUAL = 16
#: The same for the mean square of the entries in 16 bits, where rounding is all that is lost.
NORM = 4


def battery(matrices: Array, law: Orthogonal, dtype: str) -> Iterator[Finding]:
    """Every test of Haar's law on replicates in canonical order, flat."""
    if law.gain == 0 or matrices.size == 0:
        wrong = int(np.count_nonzero(matrices))
        yield Finding("residual", wrong, 0.0 if wrong else 1.0)
        return
    tensors = matrices.reshape(-1, law.count, law.rows, law.columns) / law.gain
    if law.rows < law.columns:
        tensors = tensors.swapaxes(2, 3)
    q = tensors.reshape(-1, *tensors.shape[2:])
    yield from identity(q, dtype)
    yield diagonal(q)
    yield signs(q)
    yield trace(q)
    yield forms("entries", q, unit_pairs(q, places=True), dtype)
    yield forms("bilinear", q, unit_pairs(q, places=False), dtype)
    if q.shape[1] == q.shape[2]:
        yield determinant(q)
    if q.shape[1] > 1:
        yield rotation(q, dtype)
    yield aligned("tensors", tensors[:-1:2], tensors[1::2])
    yield aligned("blocks", tensors[:, :-1:2], tensors[:, 1::2])
    yield duplicates(q, dtype)
    yield from haar_entries.battery(q, _slack(dtype))


def identity(q: Array, dtype: str) -> Iterator[Finding]:
    """``Q'Q`` is the identity, to a few units in the last place: exact, with no chance in it."""
    ulp = 2.0 ** -transform.TYPES[dtype][0]
    gram = q.swapaxes(1, 2) @ q
    residual = float(np.abs(gram - np.eye(q.shape[2])).max()) / ulp
    allowed = RESIDUAL * max(1.0, math.sqrt(q.shape[1]) / 4)
    note = f"{residual:.3g} ulps, {allowed:.3g} allowed" if residual > allowed else ""
    yield Finding("residual", residual, float(residual <= allowed), note)
    # One column at a time, and without the one: a sum of all squares would lose their last digits.
    excess = float((np.einsum("mij,mij->mj", q, q) - 1).mean())
    off = abs(excess) / ulp
    note = f"the mean square is {1 + excess:.6g} times the documented one" if off > NORM else ""
    yield Finding("norm", off, float(off <= NORM), note)


def rademacher(total: float, squares: float) -> float:
    """Hoeffding's bound for ``sum(s_i c_i)`` with fair signs ``s_i``, given ``sum(c_i**2)``.

    It holds for every sum of independent terms that are symmetric about zero, given their sizes.
    """
    return 1.0 if squares == 0 else min(1.0, 2 * math.exp(max(-(total**2) / (2 * squares), -745.0)))


def _positive(values: Array) -> NDArray[np.bool_]:
    """The signs; a zero, which a narrow type may round to, has a coin tossed for it."""
    coins = np.random.default_rng(values.size).integers(0, 2, values.shape)
    return np.where(values == 0, coins == 1, values > 0)


def diagonal(q: Array) -> Finding:
    """The signs on the diagonal are fair coins: without the sign fix after QR they are not."""
    positive = _positive(np.diagonal(q, axis1=1, axis2=2))
    counts = positive.sum(axis=0)
    p = [bounds.binomial(int(count), q.shape[0], 0.5) for count in counts]
    worst = int(np.argmin(p))
    pooled = bounds.binomial(int(counts.sum()), positive.size, 0.5)
    least = min(1.0, len(p) * 2 * p[worst], 2 * pooled)
    note = f"{counts[worst]} of {q.shape[0]} positive at place {worst}"
    return Finding("diagonal", float(counts[worst] / q.shape[0]), least, note)


def signs(q: Array) -> Finding:
    """The sign at every place is a fair coin."""
    counts = _positive(q).sum(axis=0)
    at = np.unravel_index(int(np.abs(2 * counts - q.shape[0]).argmax()), counts.shape)
    p = bounds.binomial(int(counts[at]), q.shape[0], 0.5)
    note = f"{counts[at]} of {q.shape[0]} positive at {at[0]}, {at[1]}"
    return Finding("signs", float(counts[at] / q.shape[0]), min(1.0, p * counts.size), note)


def trace(q: Array) -> Finding:
    """The sum of all diagonals: a Rademacher sum, given the sizes of their entries."""
    entries = np.diagonal(q, axis1=1, axis2=2)
    total = float(entries.sum())
    return Finding("trace", total / q.shape[0], rademacher(total, float((entries**2).sum())))


def determinant(q: Array) -> Finding:
    """The sign of the determinant is a fair coin: Haar's law is that of O(n), not of SO(n)."""
    positive = int(np.count_nonzero(np.linalg.slogdet(q).sign > 0))
    p = bounds.binomial(positive, q.shape[0], 0.5)
    return Finding("determinant", positive / q.shape[0], p, f"{positive} of {q.shape[0]} positive")


def unit_pairs(q: Array, *, places: bool) -> list[tuple[Array, Array]]:
    """Five fixed pairs of unit vectors: of the axes, or oblique to them."""
    sides = q.shape[1:]
    if places:
        at = [(0, 0), (sides[0] - 1, sides[1] - 1), (0, sides[1] - 1), (sides[0] // 2, 0), (1, 1)]
        at = [place for place in dict.fromkeys(at) if place[0] < sides[0] and place[1] < sides[1]]
        return [(np.eye(sides[0])[i], np.eye(sides[1])[j]) for i, j in at]
    rng = np.random.default_rng(5)
    makers: list[Callable[[int], NDArray[Any]]] = [
        np.ones,
        lambda n: (-1.0) ** np.arange(n),
        lambda n: np.cos(math.pi * (np.arange(n) + 0.5) / n) + 0.5,
        lambda n: 1.0 / np.arange(1, n + 1),
        rng.standard_normal,
    ]
    pairs = [(maker(sides[0]), maker(sides[1])) for maker in makers]
    return [(a / np.linalg.norm(a), b / np.linalg.norm(b)) for a, b in pairs]


def _slack(dtype: str) -> float:
    """How far an entry may lie from a Haar matrix's, relatively: half a unit for the rounding, and
    8 units of the precision that it was computed in, which is at least float32's.
    """
    bits = transform.TYPES[dtype][0]
    return 2.0 ** -(bits + 1) + 8 * 2.0 ** -max(bits, 23)


def forms(name: str, q: Array, pairs: list[tuple[Array, Array]], dtype: str) -> Finding:
    """``a'Qb`` has the law of an entry for all unit vectors: that is invariance.

    The rounding of ``Q`` leaves an interval for each form; the distance taken is the least that
    any numbers in these intervals can have, and so not larger than the true one.
    """
    law = HaarEntry(1.0, q.shape[1])
    if law.n == 1:
        return Finding(name, 0.0, 1.0)
    n = q.shape[0]
    weights = np.stack([np.outer(a, b).reshape(-1) for a, b in pairs], axis=1)
    flat = q.reshape(n, -1)
    values, errors = flat @ weights, _slack(dtype) * (np.abs(flat) @ np.abs(weights))
    steps = np.arange(1, n + 1) / n
    worst = Finding(name, 0.0, 1.0)
    for place in range(len(pairs)):
        form, error = values[:, place], errors[:, place]
        low, high = (np.sort(transform.cdf(law, form + side * error)) for side in (-1, 1))
        distance = float(max((steps - high).max(), (low - steps + 1 / n).max(), 0.0))
        coin = bounds.binomial(int(np.count_nonzero(form > 0)), n, 0.5)
        p = min(1.0, 2 * len(pairs) * min(dkw(distance, n), coin))
        if p < worst.p:
            worst = Finding(name, distance, p, f"form {place}")
    return worst


def rotation(q: Array, dtype: str) -> Finding:
    """``sum(Q**4)`` is the same for ``Q`` and for ``HQ``, ``H`` a reflection, up to a symmetric
    difference: the entries of a matrix that is only nearly Haar have other tails than its image's.
    """
    fourth = np.sum(q**4, axis=(1, 2))
    slack = _slack(dtype)
    rounding = 4 * slack * fourth
    worst = Finding("rotation", 0.0, 1.0)
    for axis in (1, 2):
        reflection = _reflection(q.shape[axis])
        turned = reflection @ q if axis == 1 else q @ reflection
        size = np.abs(reflection)
        spread = size @ np.abs(q) if axis == 1 else np.abs(q) @ size
        difference = fourth - np.sum(turned**4, axis=(1, 2))
        error = rounding + 4 * slack * np.sum(np.abs(turned) ** 3 * spread, axis=(1, 2))
        sure = max(abs(float(difference.sum())) - float(error.sum()), 0.0)
        squares = float(((np.abs(difference) + error) ** 2).sum())
        p = min(1.0, 2 * rademacher(sure, squares))
        if p < worst.p:
            ratio = float(fourth.mean() / (fourth - difference).mean())
            worst = Finding("rotation", ratio, p, "the entries have other tails than Haar's")
    return worst


def _reflection(side: int) -> Array:
    """A symmetric orthogonal matrix with entries of about one size: the discrete Hartley one."""
    angle = 2 * math.pi * np.outer(np.arange(side), np.arange(side)) / max(side, 1)
    return np.asarray((np.cos(angle) + np.sin(angle)) / math.sqrt(max(side, 1)))


def aligned(name: str, first: Array, second: Array) -> Finding:
    """Pairs of matrices are independent: the products of their rows have fair signs."""
    count = min(first.shape[0], second.shape[0]), min(first.shape[1], second.shape[1])
    first, second = first[: count[0], : count[1]], second[: count[0], : count[1]]
    rows = np.einsum("rcij,rcij->rci", first, second)
    total = float(rows.sum())
    if rows.shape[2] == 1:  # a single sign, which the other tests see
        return Finding(name, 0.0, 1.0)
    alignment = total / max(rows.shape[0] * rows.shape[1] * first.shape[3], 1)
    return Finding(name, alignment, rademacher(total, float((rows**2).sum())))


def duplicates(q: Array, dtype: str) -> Finding:
    """No two matrices are equal.

    A column of side ``n`` is uniform on a sphere. Given those before it, each of its first
    ``n - 2`` entries falls on one value with a chance of at most half a unit in the last place.
    """
    flat = np.ascontiguousarray(q.reshape(q.shape[0], -1)) + 0.0  # one zero, not two
    keys = flat.view(f"V{flat.itemsize * flat.shape[1]}").reshape(-1)
    copies = q.shape[0] - np.unique(keys).size
    pairs = math.comb(q.shape[0], 2)
    chance = pairs * (0.51 * 2.0 ** -transform.TYPES[dtype][0]) ** max(q.shape[1] - 2, 0)
    note = f"{copies} of {q.shape[0]} matrices are copies" if copies else ""
    return Finding("duplicates", copies, min(1.0, chance) if copies else 1.0, note)


def delta_battery(matrices: Array, law: DeltaOrthogonal, dtype: str) -> Iterator[Finding]:
    """Zero at every tap but the middle one, where the matrix is Haar."""
    taps = matrices.reshape(-1, law.count, law.taps, law.rows, law.columns)
    others = np.delete(taps, law.middle, axis=2)
    wrong = int(np.count_nonzero(others))
    note = f"{wrong} values beside the middle tap are not zero" if wrong else ""
    yield Finding("taps", wrong, 0.0 if wrong else 1.0, note)
    middle = taps[:, :, law.middle].reshape(taps.shape[0], -1)
    yield from battery(middle, Orthogonal(law.gain, law.count, law.rows, law.columns), dtype)
