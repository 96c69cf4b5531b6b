"""Entries that no Haar matrix has: near one, zero, of one size, or mirrored at the diagonal.

These show in a single matrix, where an identity, a permutation, a Hadamard matrix, a cosine
transform or a reflection has an orthogonal residual as small as any. A column is uniform on a
sphere of ``n`` dimensions. Given those before it, an entry has a density ``f`` with ``x f(x)`` of
at most a half, but for the last two; so its chance to fall on the size of another one is bounded,
and a count of such entries by a binomial one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...spec.marginals import HaarEntry
from ..finding import Finding
from ..probability import bounds, transform

Array = NDArray[np.float64]


def battery(q: Array, error: float) -> Iterator[Finding]:
    """The tests of single entries, on tall matrices of gain one.

    ``error`` is how far an entry may lie from a Haar matrix's, by rounding.
    """
    if q.shape[1] < 2:
        return
    yield largest(q, error)
    yield repeats(q, error)
    if q.shape[1] == q.shape[2] and q.shape[1] > 3:
        yield mirrored(q, error)


def largest(q: Array, error: float) -> Finding:
    """The largest entry, by the law of one and the number of all."""
    size = float(np.abs(q).max())
    least = np.array([min(size, 1.0) - error])
    chance = 2 * float(transform.complement(HaarEntry(1.0, q.shape[1]), least)[0])
    return Finding("largest", size, min(1.0, chance * q.size))


def repeats(q: Array, error: float) -> Finding:
    """The column with the most entries of one size, or the most zeros."""
    side, columns = q.shape[1], q.shape[0] * q.shape[2]
    sizes = np.sort(np.abs(q), axis=1)
    equal = (sizes[:, 1:] == sizes[:, :-1]) & (sizes[:, 1:] >= _floor(side))
    count, zeros = int(equal.sum(axis=1).max()), int((sizes <= error).sum(axis=1).max())
    of_one_size = bounds.binomial_above(count - 2, side - 2, side * _chance(side, error))
    p = min(1.0, 2 * columns * min(of_one_size, _of_zeros(zeros, side, error)))
    note = f"a column of {side} entries has {count} of a size of another, and {zeros} zeros"
    return Finding("repeats", float(max(count, zeros)), p, note if count or zeros else "")


def mirrored(q: Array, error: float) -> Finding:
    """The row with the most entries of the size that its column has at the same place."""
    side = q.shape[1]
    sizes = np.abs(q)
    equal = (sizes == sizes.swapaxes(1, 2)) & (sizes >= _floor(side))
    count = int((equal.sum(axis=2) - np.diagonal(equal, axis1=1, axis2=2)).max())
    chance = bounds.binomial_above(count - 2, side - 3, _chance(side, error))
    note = f"{count} of {side - 1} entries of a row have the size of the column's" if count else ""
    return Finding("mirrored", float(count), min(1.0, chance * q.shape[0] * side), note)


def _floor(side: int) -> float:
    """The size of entries that are compared: of smaller ones rounding leaves too little."""
    return 0.25 / math.sqrt(side)


def _chance(side: int, error: float) -> float:
    """A bound on the chance of an entry to have the size of one other, to the rounding of both."""
    return min(1.0, 4.04 * error / _floor(side))


def _of_zeros(zeros: int, side: int, error: float) -> float:
    """A bound on the chance of so many entries of a column within the rounding of zero."""
    zeros = min(zeros, side - 2)
    if zeros < 1:
        return 1.0
    choices = math.lgamma(side + 1) - math.lgamma(zeros + 1) - math.lgamma(side - zeros + 1)
    each = math.log(2.02 * error * math.sqrt(side / (2 * math.pi)))
    return math.exp(max(min(choices + zeros * each, 0.0), -745.0))
