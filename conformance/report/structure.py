"""What no independent draw has: copies, piles of one value, places that differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...stream import dtypes
from .cause import Cause, share

Array = NDArray[Any]

_SIGMAS = 7.0  # beyond which a difference is no chance
_LINES = 2048  # rows or columns of which each two are compared
_WHOLE = 1 << 21  # elements of a matrix whose rank is found


def nothing_drawn(values: Array) -> Iterator[Cause]:
    """All values are one number, in each tensor or in all."""
    flat = values.reshape(values.shape[0], -1)
    low, high = flat.min(axis=1), flat.max(axis=1)
    if (low != high).any() or values.size < 2:
        return
    if low.min() == high.max():
        number = float(low[0]) + 0.0
        words = "all values are zero" if number == 0 else f"all values are {number:.6g}"
        yield Cause(f"{words}: nothing is drawn", (f"{values.size} equal values",))
    elif flat.shape[1] > 1:
        yield Cause(
            "each tensor is filled with one number: what is drawn is a single value",
            (f"{values.shape[0]} tensors, {np.unique(low).size} different numbers",),
        )


def same_tensors(values: Array, dtype: str) -> Iterator[Cause]:
    """Tensors of different seeds that are the same."""
    count = values.shape[0]
    flat = values.reshape(count, -1) + 0.0
    if count < 2 or flat.shape[1] < 2:
        return
    different = len({row.tobytes() for row in flat})
    if different == 1:
        yield Cause(
            "the seed is ignored: every seed gives the same tensor", (f"{count} tensors, 1 kind",)
        )
    elif different < count:
        yield Cause(
            "some seeds give the same tensor",
            (f"{count} seeds, {different} different tensors",),
        )
    elif len(np.unique(flat[0])) <= max(3, flat.shape[1] // 16):
        return  # what is strange is how few values there are
    elif len({np.abs(row).tobytes() for row in flat}) == 1:
        yield Cause("the seed changes the signs alone", (f"{count} tensors of the same sizes",))
    elif flat.shape[1] > 8 and len({np.sort(row).tobytes() for row in flat}) == 1:
        yield Cause("every seed gives the same values in another order", (f"{count} tensors",))
    elif np.unique(flat[0]).size > 0.95 * flat.shape[1] > 60:
        common = float(np.isin(flat[1], flat[0]).mean())
        if common > 0.2 and not dtype.endswith("16"):
            yield Cause(
                "tensors of different seeds have values in common: their streams overlap",
                (f"{common:.0%} of the values of the second are in the first",),
            )


def copies(values: Array, dtype: str) -> Iterator[Cause]:
    """Rows, columns or blocks of a tensor that are the same, a symmetric matrix, a low rank."""
    first = values[0] + 0.0
    matrix = first.reshape(-1, first.shape[-1]) if first.ndim else first.reshape(1, 1)
    least = 9 if dtype.endswith("16") else 3  # narrow values agree by chance
    kinds = {}
    for word, lines in (("rows", matrix), ("columns", matrix.T)):
        lines = np.ascontiguousarray(lines[:_LINES])
        if len(lines) > 1 and lines.shape[1] >= least:
            kinds[word] = len(lines), len({line.tobytes() for line in lines}), lines
    for word, (count, different, _) in kinds.items():
        if different == 1:
            yield Cause(f"all {word} are copies of one", (f"{count} {word}",))
            return
    for parts in (8, 4, 3, 2):
        for axis in range(first.ndim):
            if first.shape[axis] % parts == 0 and first.size >= 8 * parts:
                one, *others = np.split(first, parts, axis)
                if all(np.array_equal(one, other) for other in others):
                    yield Cause(f"{parts} blocks along axis {axis} are copies of each other")
                    return
    for word, (count, different, lines) in kinds.items():
        if different < count:
            words = f"{word} are copies of each other"
            yield Cause(words, (f"{count} {word}, {different} different",))
            return
        signs = np.where(lines[:, :1] < 0, -1, 1)
        if len({line.tobytes() for line in lines * signs + 0.0}) < count:
            yield Cause(f"{word} are copies of each other but for their signs")
            return
        if lines.shape[1] >= 8 and len({np.sort(line).tobytes() for line in lines}) == 1:
            yield Cause(f"all {word} hold the same values in another order")
            return
    steps = np.diff(first.reshape(-1))
    if steps.size > 8 and ((steps >= 0).all() or (steps <= 0).all()):
        yield Cause("the values are sorted")
        return
    for word, steps in (("row", np.diff(matrix, axis=1)), ("column", np.diff(matrix, axis=0))):
        if min(steps.shape) > 3 and ((steps >= 0).all() or (steps <= 0).all()):
            yield Cause(f"the values of each {word} are sorted")
            return
    yield from _dependent(matrix)


def mirrored(matrix: Array) -> Iterator[Cause]:
    """A matrix that is its own transpose, or the negative of it."""
    rows, columns = matrix.shape
    size = float(np.abs(matrix).max())
    if rows == columns > 2 and size:
        if np.allclose(matrix, matrix.T, rtol=1e-6, atol=0):
            yield Cause("the matrix is symmetric: it equals its transpose")
            return
        upper = np.triu_indices(rows, 1)
        if np.allclose(matrix[upper], -matrix.T[upper], rtol=1e-6, atol=0):
            yield Cause("the matrix is antisymmetric: it is the negative of its transpose")


def _dependent(matrix: Array) -> Iterator[Cause]:
    """A matrix of low rank, or an orthogonal one."""
    rows, columns = matrix.shape
    if min(rows, columns) < 3 or matrix.size > _WHOLE:
        return
    values = np.linalg.svd(matrix, compute_uv=False)
    rank = int(np.count_nonzero(values > values[0] * 1e-5 * math.sqrt(max(rows, columns))))
    if rank < min(rows, columns):
        yield Cause(
            "the matrix has a low rank: its rows and columns depend on each other",
            (f"rank {rank} of {min(rows, columns)}",),
        )
    elif values[-1] > values[0] * 0.999 and min(rows, columns) > 3:
        yield Cause("the matrix is orthogonal: its elements are not independent")


def piles(values: Array, dtype: str) -> Iterator[Cause]:
    """One number that stands in far more places than its neighbours do."""
    numbers, counts = np.unique(values.reshape(-1), return_counts=True)
    n, narrow = values.size, dtype in ("bfloat16", "float16")
    usual = float(np.median(counts))
    most = int(counts.argmax())
    if numbers.size < 3:
        yield Cause(
            f"there are only {numbers.size} different values",
            (", ".join(f"{number:.6g}" for number in numbers),),
        )
        return
    zero = int(np.searchsorted(numbers, 0.0))
    places = [most, 0, numbers.size - 1, *([zero] if 0.0 in numbers else [])]
    piled = [at for at in places if _is_pile(counts, at, usual, n, narrow)]
    if not piled:
        return
    most = piled[0]
    number = float(numbers[most]) + 0.0
    told = share(int(counts[most]), n)
    ends = [int(counts[0]), int(counts[-1])]
    if number == 0:
        yield Cause(
            f"{_zeros(values)}: the law has no such pile at zero", (f"{told} values are zero",)
        )
    elif most in (0, numbers.size - 1):
        both = all(_is_pile(counts, at, usual, n, narrow) for at in (0, numbers.size - 1))
        low, high = float(numbers[0]), float(numbers[-1])
        bounds = f"at {low:.6g} and {high:.6g}" if both else f"at {number:.6g}"
        yield Cause(
            f"the values are clipped {bounds}: what lies beyond is set to the bound",
            (f"{share(sum(ends) if both else ends[most > 0], n)} values lie there",),
        )
    else:
        yield Cause(
            f"one value, {number:.6g}, stands in too many places", (f"{told} values are it",)
        )


def _is_pile(counts: Array, at: int, usual: float, n: int, narrow: bool) -> bool:
    if not narrow and usual < 3:
        return bool(counts[at] > 8 * usual + 8 + n * 2.0**-18)
    # Numbers of a narrow type repeat: the more, the farther they are from each other.
    around = np.r_[counts[max(at - 3, 0) : at], counts[at + 1 : at + 4]]
    return bool(counts[at] > 3 * around.max() + 20)


def _zeros(values: Array) -> str:
    """Where the zeros lie, as the subject of a sentence."""
    zero = values == 0
    flat = zero.reshape(zero.shape[0], -1, zero.shape[-1])
    for word, axis in (("row", (0, 2)), ("column", (0, 1))):
        lines = np.flatnonzero(flat.all(axis=axis))
        if lines.size and lines.size < flat.shape[1 if word == "row" else 2]:
            named = f"{word} {lines[0]} is" if lines.size == 1 else f"{lines.size} {word}s are"
            return f"{named} zero in every tensor"
    same = zero.all(axis=0) == zero.any(axis=0)
    if values.shape[0] > 1 and same.all():
        return "the same places are zero in every tensor"
    return "values are set to zero"


def coarse(values: Array, dtype: str, is_uniform: bool) -> Iterator[Cause]:
    """Values of a wide type that are numbers of a narrow one, or of a grid, or too few."""
    flat = values.reshape(-1)
    numbers = np.unique(flat)
    if dtype in ("bfloat16", "float16"):
        if numbers.size < flat.size / 4:
            yield Cause(
                f"only {numbers.size} different values are drawn: the sampler has too few random "
                "bits",
                (f"{numbers.size} different values among {flat.size}",),
            )
        return
    if numbers.size > 0.98 * flat.size or flat.size < 64:
        return
    told = f"{numbers.size} different values among {flat.size}"
    for narrow in ("bfloat16", "float16") if numbers.size > 1024 else ():
        if np.array_equal(dtypes.nearest(numbers, narrow), numbers):
            yield Cause(
                f"every value is a number of {narrow}: it was drawn, or rounded, in 16 bits",
                (told,),
            )
            return
    steps = np.diff(numbers)
    step = float(steps.min())
    ratio = steps / step
    if numbers.size < 1 << 16 and step > 0 and np.abs(ratio - np.rint(ratio)).max() < 0.05:
        levels = round(float(numbers[-1] - numbers[0]) / step) + 1
        bits = f", as of {math.log2(levels):.0f} random bits" if is_uniform else ""
        yield Cause(
            f"the values lie on a grid: they are quantised{bits}", (f"step {step:.6g}", told)
        )
        return
    repeats = flat.size - numbers.size
    pairs = flat.size * (flat.size - 1) / 2
    kinds = numbers.size if numbers.size < flat.size / 4 else max(pairs / repeats, 1)
    yield Cause(
        "values repeat too often: the sampler has too few random bits",
        (told, f"as many repeats as {math.log2(kinds):.0f} bits give"),
    )


def uneven(values: Array) -> Iterator[Cause]:
    """Rows, columns or tensors whose spread or mean differs from the others'."""
    flat = values.reshape(values.shape[0], -1, values.shape[-1] if values.ndim > 1 else 1)
    centred = flat - flat.mean()
    variance = float((centred**2).mean())
    # One value far out is no uneven place.
    kept = np.minimum(centred**2, 9 * variance)
    spread = float(kept.std() / kept.mean()) if variance else 0.0
    for word, axis in (("row", (0, 2)), ("column", (0, 1)), ("tensor", (1, 2))):
        count = math.prod(flat.shape[a] for a in axis)
        means = np.clip(centred, -3 * variance**0.5, 3 * variance**0.5).mean(axis=axis)
        squares = kept.mean(axis=axis)
        if means.size < 2 or count < 64 or not variance:
            continue
        if np.ptp(means) > 2 * _SIGMAS * math.sqrt(variance / count):
            yield Cause(
                f"the mean differs from {word} to {word}",
                (f"{means.min():+.3g} to {means.max():+.3g} about that of all values",),
            )
            return
        if np.ptp(squares) / kept.mean() > 2 * _SIGMAS * spread / math.sqrt(count):
            sizes = np.sqrt((centred**2).mean(axis=axis) / variance)
            yield Cause(
                f"the scale differs from {word} to {word}",
                (f"{sizes.min():.3g} to {sizes.max():.3g} times that of all values",),
            )
            return
