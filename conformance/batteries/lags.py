"""Neighbours at every distance: all lags by one transform, neighbours in every axis, mirrors.

All take uniform scores of mean zero and variance one, with the axes replicate, then those of the
tensor; see :mod:`~initspec.conformance.probability.products` for the bound.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..finding import Finding
from ..probability.products import paths

Array = NDArray[np.float64]

#: Values beyond which a tensor is cut into parts: greater lags are those of halves and quarters.
LONGEST = 2**20
#: Fewest products of which a correlation is made.
FEWEST = 32


def lags(w: Array, name: str = "lag") -> Finding:
    """All lags within a tensor: values in the order of its memory and of the axes reversed, sizes
    in the order of its memory.

    A period is a lag, a block that is repeated another, and so are halves with opposite signs.
    """
    found = []
    for order, flat in _orders(w, both=name == "lag"):
        total, edges = _autocorrelation(flat)
        found.append(_largest(name, total, edges, order))
    worst = min(found, key=lambda finding: finding.p)
    return worst._replace(p=min(1.0, worst.p * len(found)))


def _orders(w: Array, both: bool) -> Iterator[tuple[str, Array]]:
    flat = w.reshape(w.shape[0], -1)
    if flat.shape[1] > LONGEST:
        whole = flat.shape[1] // LONGEST * LONGEST
        flat = flat[:, :whole].reshape(-1, LONGEST)
    yield "", flat
    sides = [side for side in w.shape[1:] if side > 1]
    if both and len(sides) > 1 and flat.shape[1] < LONGEST:
        turned = w.transpose(0, *range(w.ndim - 1, 0, -1))
        yield ", with the axes reversed", turned.reshape(w.shape[0], -1)


def _autocorrelation(flat: Array) -> tuple[Array, Array]:
    """The sum of products at each lag from 1, over all rows, and how many products there are."""
    rows, length = flat.shape
    size = fft.next_fast_len(2 * length, real=True)
    power = np.zeros(size // 2 + 1)
    step = max(1, 2**21 // size)
    for start in range(0, rows, step):
        spectrum = fft.rfft(flat[start : start + step], size, axis=1)
        power += (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    total = fft.irfft(power, size)[1:length]
    return total, rows * (length - np.arange(1, length))


def _said(name: str, lag: int, correlation: float, next_one: float, order: str) -> str:
    """What is seen at a lag, where the values next to each other have this correlation."""
    what = "sizes" if name == "squares" else "values"
    if next_one > 0.9:
        return f"neighbouring {what} are nearly equal{order} (correlation {next_one:.3f}): sorted"
    if correlation > 0.98:
        return f"{what} repeat with period {lag}{order} (correlation {correlation:.3f})"
    if correlation < -0.98 and what == "values":
        return f"values {lag} apart are opposite{order} (correlation {correlation:.3f})"
    return f"{what} {lag} apart are correlated by {correlation:+.3f}{order}"


def _largest(name: str, total: Array, edges: Array, order: str) -> Finding:
    """The sum that stands out most, by its p-value times the number of sums."""
    enough = edges >= FEWEST
    if not enough.any():
        return Finding(name, 0.0, 1.0)
    at = int(np.where(enough, total**2 / np.maximum(edges, 1), -1).argmax())
    p = min(1.0, paths(float(total[at]), int(edges[at])) * int(enough.sum()))
    correlation = float(total[at] / edges[at])
    note = (
        _said(name, at + 1, correlation, float(total[0] / max(edges[0], 1)), order)
        if p < 1e-6
        else ""
    )
    return Finding(name, correlation, p, note)


def neighbours(w: Array, sizes: Array) -> Finding:
    """Neighbours along each axis and across, halves, and mirrors, by values and by sizes."""
    worst, count = Finding("neighbours", 0.0, 1.0), 0
    for what, scores in (("values", w), ("sizes", sizes)):
        for words, total, edges in _pairs(scores):
            if edges < FEWEST:
                continue
            count += 1
            p = paths(total, edges)
            if p < worst.p:
                worst = Finding("neighbours", total / edges, p, f"{what} {words}")
    finding = _largest("neighbours", *_mirrored(w), "")
    if finding.p < worst.p:
        worst = finding._replace(note="values are mirrored about a place of the tensor")
    p = min(1.0, worst.p * (count + 1))
    told = f"{worst.note} (correlation {worst.statistic:+.3f})"
    if worst.statistic > 0.98:
        told = told.replace("are correlated", "are copies")
    elif worst.statistic < -0.98:
        told = told.replace("are correlated", "are opposite")
    note = told if p < 1e-6 else ""
    return worst._replace(p=p, note=note)


def _pairs(w: Array) -> Iterator[tuple[str, float, int]]:
    """Sums of products of neighbours along axes and diagonals, of parts, and of mirror images."""
    axes = range(1, w.ndim)
    count = w.ndim - 1
    for axis in range(count):
        yield _displaced(w, tuple(int(k == axis) for k in range(count)))
        for sign in (1, -1) if axis + 1 < count else ():  # both diagonals
            yield _displaced(w, tuple({axis: 1, axis + 1: sign}.get(k, 0) for k in range(count)))
    for axis in axes:
        side = w.shape[axis]
        for parts in (2, 3, 4):
            if side // parts > 0 and side % parts == 0 and side > parts:
                first, second = np.split(w, parts, axis)[:2]
                yield (
                    f"of the first two of {parts} parts of axis {axis - 1} are correlated",
                    _sum(first, second),
                    first.size,
                )
        if side > 1:
            front = [slice(None)] * w.ndim
            back = front.copy()
            front[axis], back[axis] = slice(side // 2), slice(None, -(side // 2) - 1, -1)
            first, second = w[tuple(front)], w[tuple(back)]
            yield (
                f"are mirrored along axis {axis - 1}",
                _sum(first, second),
                first.size,
            )
    flat = w.reshape(w.shape[0], -1)
    for parts in (2, 3, 4, 8):
        size = flat.shape[1] // parts
        if size:
            first, second = flat[:, :size], flat[:, size : 2 * size]
            yield (
                f"of the first {parts}th parts are correlated"
                if parts > 2
                else "of the second half depend on those of the first",
                _sum(first, second),
                first.size,
            )


def _sum(a: Array, b: Array) -> float:
    """The sum of products, without copies of what lies apart in memory."""
    axes = "abcdefghijklmnopqrstuvwxyz"[: a.ndim]
    return float(np.einsum(f"{axes},{axes}->", a, b)) if a.size else 0.0


def _displaced(w: Array, step: tuple[int, ...]) -> tuple[str, float, int]:
    first, second = [slice(None)], [slice(None)]
    for one in step:
        first.append(slice(None, -1) if one == 1 else slice(1, None) if one else slice(None))
        second.append(slice(1, None) if one == 1 else slice(None, -1) if one else slice(None))
    a, b = w[tuple(first)], w[tuple(second)]
    axes = ", ".join(str(axis) for axis, one in enumerate(step) if one)
    words = (
        f"of neighbours along ax{'i' if sum(map(abs, step)) == 1 else 'e'}s {axes} are correlated"
    )
    return words, _sum(a, b), a.size


def _mirrored(w: Array) -> tuple[Array, Array]:
    """The sums of products of values that lie alike on both sides of a place."""
    flat = w.reshape(w.shape[0], -1)[:, :LONGEST]
    rows, length = flat.shape
    size = fft.next_fast_len(2 * length, real=True)
    square = np.zeros(size // 2 + 1, complex)
    step = max(1, 2**21 // size)
    for start in range(0, rows, step):
        square += (fft.rfft(flat[start : start + step], size, axis=1) ** 2).sum(axis=0)
    total = fft.irfft(square, size)[: 2 * length - 1]
    total[::2] -= (flat**2).sum(axis=0)
    sums = np.arange(2 * length - 1)
    edges = rows * ((np.minimum(sums, 2 * length - 2 - sums) + 1) // 2)
    return total / 2, edges
