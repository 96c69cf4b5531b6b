"""Does one value stand too often: in all draws, in a row, a column, a place, or at the ends?

A right sampler has a grid: 53 bits for float64, 22 to 24 for float32, the type's own for 16 bits.
So a value has at most the law's mass in its rounding cell and one step of the grid. Zeros, masks,
padding, clipping and fills have more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution
from ..finding import Finding
from ..probability import bounds, repeats
from ..probability.transform import cdf, complement, heaviest, neighbours
from .places_words import along, line, throughout

Array = NDArray[np.float64]

#: The shares of the level: a quarter for the ends, and the rest for the 17 other questions, which
#: are two of all draws and three of each of five kinds of lines.
ENDS, OTHERS = 4, 23


class _Seen(NamedTuple):
    p: float
    statistic: float
    say: Callable[[], str]


def chances(x: Array, law: Distribution, dtype: str, resolution: int) -> Array:
    """Bounds on the chance of each value: its rounding cell, and a step of the sampler's grid.

    A narrow type's number may have been rounded, scaled and rounded again, which puts up to two
    cells on one value and none on the next.
    """
    low, high = _cells(x, dtype)
    below = cdf(law, high) - cdf(law, low)
    above = complement(law, low) - complement(law, high)
    # from the side on which both are small, so that a tail keeps its digits
    mass = np.where(cdf(law, x) > 0.5, above, below)
    return np.asarray(np.clip(mass, 0.0, 1.0) + 2.0**-resolution)


def _cells(x: Array, dtype: str) -> tuple[Array, Array]:
    """The ends of what may become each value: see :func:`chances`."""
    low, high = neighbours(x, dtype)
    return (2 * low - x, 2 * high - x) if dtype.endswith("16") else (low, high)


class _Values:
    """The different values of all draws, how often each stands, and bounds on their chances."""

    def __init__(self, values: Array, law: Distribution, dtype: str, resolution: int) -> None:
        self.all, self.law, self.dtype = values, law, dtype
        self.step = 2.0**-resolution
        self.numbers, self.counts = np.unique(values, return_counts=True)
        self._known = np.full(self.numbers.size, np.nan)
        often = self.counts > 1
        self._known[often] = chances(self.numbers[often], law, dtype, resolution)
        self.zero = float(chances(np.zeros(1), law, dtype, resolution)[0])
        self.ends = chances(self.numbers[[0, -1]], law, dtype, resolution)

    def chance(self, repeated: Array) -> Array:
        """Bounds on the chances of values that stand more than once."""
        return self._known[np.searchsorted(self.numbers, repeated)]


def atoms(values: Array, law: Distribution, dtype: str, resolution: int) -> Finding:
    """The most frequent value of all, of each row, column and place; zeros; ties at the ends.

    ``values`` have the axes replicate, then those of the tensor.
    """
    if values.size < 2:
        return Finding("atoms", 0.0, 1.0)
    known = _Values(values, law, dtype, resolution)
    most = heaviest(law, dtype, resolution) * (2 if dtype.endswith("16") else 1)
    seen = [*_whole(known), *_lines(known, min(most + known.step, 1.0))]
    worst = min(seen, key=lambda one: (one.p, -one.statistic))
    p = min(1.0, worst.p * OTHERS)
    return Finding("atoms", worst.statistic, p, worst.say() if p < 1e-6 else "")


def _whole(known: _Values) -> Iterator[_Seen]:
    values, numbers, counts = known.all, known.numbers, known.counts
    n = values.size
    often = np.flatnonzero((counts > 1) & (numbers != 0))
    if often.size:
        chance = known.chance(numbers[often])
        p = repeats.most_frequent(counts[often].astype(float), n, chance)
        # of values that are equally out of the question, the one that stands most often
        at = often[np.lexsort((-counts[often], p))[0]]
        value, count = float(numbers[at]), int(counts[at])
        few = numbers.size if numbers.size < n / 4 and not known.dtype.endswith("16") else 0
        yield _Seen(float(p.min()), count / n, lambda: said(values, value, count, few))
    zeros = int(n - np.count_nonzero(values))
    p_zero = repeats.foretold(zeros, n, known.zero)
    yield _Seen(p_zero, zeros / n, lambda: said(values, 0.0, zeros))
    yield from _ties(known)


def _ties(known: _Values) -> Iterator[_Seen]:
    """Clipping far out: the least and the greatest value repeat, and nothing lies beyond them.

    Given the ends themselves, their ties are a question of their own, so that both p-values go
    together.
    """
    ends, n = known.numbers[[0, -1]], known.all.size
    tied = int(known.counts[0]), int(known.counts[-1])
    low, high = _cells(ends, known.dtype)
    law = known.law
    sides = float(cdf(law, low[:1])[0]), float(complement(law, high[1:])[0])
    beyond, inside = min(sides), 1 - sum(sides)
    if max(tied) < 2 or inside < 0.5:
        return
    least, greatest = (float(one) for one in known.ends / inside)
    p_beyond = float(np.exp(n * np.log1p(-min(2 * beyond, 1 - 1e-12))))
    if max(least, greatest) <= 1.02 * known.step:  # as in float32, where the grid is all there is
        p = repeats.tied_within(tied, n, 1.02 * known.step, p_beyond)
    else:
        p = repeats.together(p_beyond, repeats.tied(tied, n, (least, greatest)))
    p *= ENDS / OTHERS  # a larger share of the level
    yield _Seen(p, max(tied) / n, lambda: _clipped(ends, tied, n))


def _clipped(ends: Array, tied: tuple[int, int], n: int) -> str:
    sides = zip(tied, ("least", "greatest"), ends, strict=True)
    told = [
        f"{count} are the {side}, {end:.6g}"
        for count, side, end in sides
        if 4 * count > max(tied) and count > 1
    ]
    return f"values are clipped: of {n}, {' and '.join(told)}"


def said(values: Array, value: float, count: int, few: int = 0) -> str:
    """Where one value stands: a row or column of it, the end of the tensor, or anywhere.

    ``few`` is the number of distinct values, where that is what is wrong.
    """
    share = f"{count} of {values.size} values are {value:.6g} ({count / values.size:.2%})"
    where = throughout(values == value)
    if where:
        return f"{where} {value:.6g} throughout; {share}"
    if few:
        return f"{values.size} values are only {few} different ones; {share}"
    least, greatest = float(values.min()), float(values.max())
    if value in (least, greatest):
        tied = int((values == least).sum()), int((values == greatest).sum())
        return _clipped(np.array([least, greatest]), tied, values.size)
    return f"one value stands too often: {share}"


def _fixed(values: Array) -> str:
    """The places that hold the same number for every seed, in words."""
    where = throughout(values == values[:1]) if len(values) > 1 else ""
    return f"{where} the same for every seed" if where else ""


def _of_line(values: Array, axis: int, at: int, count: int, number: float) -> str:
    """A value that stands too often in one line; of a whole row that is the same, the row."""
    equal = values == number
    where = throughout(equal)
    if axis == 0 and where:
        fixed = (values == values[:1]).all(axis=0)
        if fixed.sum() > equal.all(axis=0).sum():  # by numbers of their own
            return _fixed(values)
    if where:
        return f"{where} {number:.6g} throughout"
    return line(values.shape, axis, at, count, number)


def _repeated(values: Array, axis: int, ties: int, expected: float) -> str:
    told = f"values repeat {along(axis, values.ndim)} {ties} times"
    told += f", where at most {expected:.3g} are expected"
    where = _fixed(values) if axis == 0 else ""
    return f"{where}; {told}" if where else told


def _views(values: Array) -> Iterator[tuple[int, Array]]:
    """Lines through the draws: by place, along the first axis, along the last, and whole tensors.

    That is at most five; of a row of axes in the middle each line is a part of the tensor.
    """
    axes = dict.fromkeys((0, 1, values.ndim - 1)) if values.ndim > 1 else (0,)
    for axis in axes:
        yield axis, np.moveaxis(values, axis, -1)
    if values.ndim > 2 or values.shape[0] > 1:
        yield -1, values.reshape(values.shape[0], -1)


def _lines(known: _Values, most: float) -> Iterator[_Seen]:
    """Values that repeat along each axis: one of them often, or many of them."""
    values = known.all
    for axis, view in _views(values):
        length = view.shape[-1]
        if length < 2:
            continue
        ordered = np.sort(view, axis=-1).reshape(-1, length)
        same = ordered[:, 1:] == ordered[:, :-1]
        same &= ordered[:, 1:] != 0  # zeros come in pairs, and are counted below
        ties = int(np.count_nonzero(same))
        expected = len(ordered) * length * (length - 1) / 2 * most
        yield _Seen(
            bounds.poisson_above(ties, expected),
            ties / values.size,
            partial(_repeated, values, axis, ties, expected),
        )
        if ties:
            yield from _runs_of(known, axis, ordered, same)
        zeros = (ordered == 0).sum(axis=1)
        at = int(zeros.argmax())
        if zeros[at] > 1:
            yield _Seen(
                min(1.0, repeats.foretold(int(zeros[at]), length, known.zero) * len(zeros)),
                float(zeros[at] / length),
                partial(_of_line, values, axis, at, int(zeros[at]), 0.0),
            )


def _runs_of(known: _Values, axis: int, ordered: Array, same: NDArray[np.bool_]) -> Iterator[_Seen]:
    """The most frequent value of a line; those that could say nothing are left out."""
    lines, length = ordered.shape
    row, count, number = _runs(ordered, same)
    longest = np.arange(count.max() + 1)
    best = repeats.most_frequent(longest, length, np.array(known.step)) * lines
    kept = best[count.astype(int)] < 1e-3
    row, count, number = row[kept], count[kept], number[kept]
    chance = known.chance(number)
    kept = count > 1.5 * length * chance
    row, count, number, chance = row[kept], count[kept], number[kept], chance[kept]
    if count.size:
        p = repeats.most_frequent(count, length, chance) * lines
        at = int(np.lexsort((-count, p))[0])
        say = partial(_of_line, known.all, axis, int(row[at]), int(count[at]), float(number[at]))
        yield _Seen(float(p[at]), float(count[at] / length), say)


def _runs(ordered: Array, same: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Array, Array]:
    """The runs of equal values of sorted rows: row, length and value of each."""
    padded = np.zeros((same.shape[0], same.shape[1] + 2), np.int8)
    padded[:, 1:-1] = same
    steps = np.diff(padded, axis=1)
    row, start = np.nonzero(steps == 1)
    stop = np.nonzero(steps == -1)[1]
    return row, (stop - start + 1).astype(float), ordered[row, start]
