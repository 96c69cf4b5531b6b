"""What stands out in a tensor before a law is asked, and what is left of it.

Zero and constant rows, copies, a stretch that nobody filled, halves that mirror each other: each is
set apart where independent draws have it with a chance of less than one in a billion, so that the
rest can be judged.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .goodness_of_fit import poisson_above
from .places import Lines, lines_of, places
from .sample import KEPT, STEP, Sample

Array = NDArray[Any]

#: What independent draws have more often than this is no surprise.
CHANCE = 1e-9
_MOST_RUNS = 8


class Rest(NamedTuple):
    """What is left of a tensor, and in words what was set apart; no words where nothing was."""

    values: Array
    words: tuple[str, ...]


def set_apart(sample: Sample) -> Rest:
    """A tensor less what no law of independent elements has.

    >>> table = np.random.default_rng(0).normal(size=(6, 8))
    >>> table[[1, 4]] = 0
    >>> rest = set_apart(Sample(table, "float64"))
    >>> rest.values.shape, rest.words
    ((4, 8), ('rows 1 and 4 are zero',))
    """
    values, words = sample.values, []
    kept = [np.arange(size) for size in values.shape]  # by their places in the whole tensor
    for of_lines in (_constant_lines, _copied_lines, _odd_lines):
        for axis in range(values.ndim):
            if min(values.shape[axis], values.size // max(values.shape[axis], 1)) < 2:
                continue
            lines = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
            word = lines_of(values.ndim, axis)
            gone, said = of_lines(lines, kept[axis].tolist(), word, sample)
            if gone:
                values, kept[axis] = np.delete(values, gone, axis), np.delete(kept[axis], gone)
                words += said

    def place(at: int) -> int:
        """Where an element of what is left stands in the whole tensor, in row-major order."""
        there = np.unravel_index(at, values.shape)
        own = [places_of[int(one)] for places_of, one in zip(kept, there, strict=True)]
        return int(np.ravel_multi_index(own, sample.values.shape))

    for of_elements in (_wild, _far, _runs, _triangle, _mirror, _blocks):
        if values.size < 8 or values.min() == values.max():
            break
        found = of_elements(values, place, Sample(values, sample.dtype))
        if found is not None:
            mask, said = found
            return Rest(_left(values, mask), (*words, *said))
    return Rest(values, tuple(words))


def _left(values: Array, gone: Array) -> Array:
    """The elements that are left: whole rows where they are most of it, else all in a row."""
    whole = ~gone.reshape(gone.shape[0], -1).any(axis=1)
    rows = values[whole]
    return rows if values.ndim > 1 and 2 * rows.size > values.size - gone.sum() else values[~gone]


# -------------------------------------------------------------------------------------- whole lines


def _constant_lines(
    lines: Array, own: list[int], word: Lines, sample: Sample
) -> tuple[list[int], list[str]]:
    """Lines of one number; zero ones are named first."""
    constant = np.flatnonzero((lines == lines[:, :1]).all(axis=1))
    if constant.size == len(lines):  # those of the commonest number are what is left
        numbers, counts = np.unique(lines[:, 0], return_counts=True)
        if 2 * counts.max() < len(lines):
            return [], []
        constant = constant[lines[:, 0] != numbers[counts.argmax()]]
    if not constant.size:
        return [], []
    others = np.delete(lines, constant, 0)
    gone: list[int] = []
    said = []
    numbers = lines[constant, 0]
    zero = constant[numbers == 0]
    if zero.size and _chance(others, 0.0, len(lines), lines.shape[1]) < CHANCE:
        gone += zero.tolist()
        verb = "is" if zero.size == 1 else "are"
        hint = _padding(zero, len(lines), word)
        said.append(f"{places([own[i] for i in zero], word, len(lines))} {verb} zero{hint}")
    rest = constant[numbers != 0]
    common = max(numbers[numbers != 0], key=lambda x: np.count_nonzero(others == x), default=0.0)
    if rest.size and _chance(others, common, len(lines), lines.shape[1] - 1) < CHANCE:
        gone += rest.tolist()
        some = places([own[i] for i in rest], word, len(lines))
        different = np.unique(lines[rest, 0])
        if different.size == 1:
            verb = "is" if rest.size == 1 else "are"
            said.append(f"{some} {verb} {sample.shortest(different[0]):.6g} throughout")
        else:
            said.append(f"{some} hold one number each")
    return sorted(gone), said


def _padding(zero: Array, count: int, word: Lines) -> str:
    if word.one != "row":
        return ""
    if zero.size == 1:
        return ", as the one of a padding index is"
    tail = zero[-1] == count - 1 and zero[0] == count - zero.size
    return ", as the padding of a vocabulary is" if tail and 2 * zero.size < count else ""


def _chance(others: Array, number: float, lines: int, length: int) -> float:
    """A line of one number by chance, where it has the share that it has in other lines."""
    share = max(float(np.count_nonzero(others == number)) / max(others.size, 1), STEP)
    return lines * share**length


def _copied_lines(
    lines: Array, own: list[int], word: Lines, sample: Sample
) -> tuple[list[int], list[str]]:
    """Lines that are an earlier one, or one with the other sign."""
    copies: dict[int, tuple[int, bool]] = {}
    some = np.linspace(0, lines.shape[1] - 1, min(16, lines.shape[1])).astype(int)
    alike: dict[bytes, list[int]] = {}
    for place, key in enumerate(np.abs(lines[:, some])):
        alike.setdefault(key.tobytes(), []).append(place)
    for together in alike.values():
        if len(together) < 2:
            continue
        first: dict[bytes, int] = {}
        for place in together:
            line = lines[place]
            sign = np.sign(line[np.flatnonzero(line)[:1]])
            key_of = (line * sign + 0.0).tobytes() if sign.size else b""
            origin = first.setdefault(key_of, place)
            if origin != place:
                copies[place] = (origin, not np.array_equal(line, lines[origin]))
    if not copies:
        return [], []
    unique = np.delete(lines, list(copies), 0)
    pairs = len(lines) ** 2
    if pairs * (2 * _alike(unique)) ** lines.shape[1] >= CHANCE:
        return [], []
    said = []
    for turned in (False, True):
        of = sorted(place for place, (_, sign) in copies.items() if sign == turned)
        if not of:
            continue
        origin = own[copies[of[0]][0]]
        there = places([own[place] for place in of], word)
        if len(of) == 1:
            like = f"{word.one} {origin:,}"
            like = f"{like} with the other sign" if turned else f"a copy of {like}"
            said.append(f"{there} is {like}")
        else:
            what = "others with the other sign" if turned else "copies of others"
            said.append(
                f"{len(of):,} of its {word.many}{word.where} are {what} "
                f"({there}; the first of {word.one} {origin:,})"
            )
    return sorted(copies), said


def _odd_lines(
    lines: Array, own: list[int], word: Lines, sample: Sample
) -> tuple[list[int], list[str]]:
    """A few lines of another scale than the others: the mean of all as a new row, say."""
    count, length = lines.shape
    stds = np.sqrt((lines**2).mean(axis=1))
    usual = float(np.median(stds))
    if length < 16 or count < 8 or not usual or np.count_nonzero(lines) < 0.9 * lines.size:
        return [], []  # a sparse tensor's lines have as many numbers as chance has it
    ratios = np.maximum((stds / usual) ** 2, 1e-30)
    rare = 2 * count * np.exp(-length * (ratios - 1 - np.log(ratios)) / 4) < CHANCE
    one = np.abs(lines).max(axis=1) > 0.75 * math.sqrt(length) * stds  # which makes it so wide
    odd = np.flatnonzero(rare & ~one)
    if not 0 < odd.size <= max(1, count // 20):
        return [], []
    there = places([own[i] for i in odd], word, count)
    ends = f"{stds[odd].min():.3g} to {stds[odd].max():.3g}"
    if odd.size == 1:
        said = f"{there} has a std of {stds[odd[0]]:.3g}, where {usual:.3g} is usual"
    else:
        said = f"{there} have stds of {ends}, where {usual:.3g} is usual"
    return odd.tolist(), [said]


def _alike(values: Array) -> float:
    """How often two numbers of a tensor are equal, from above; at least as coarse samplers'."""
    flat = np.sort(values.reshape(-1)[:: -(-values.size // KEPT)])
    starts = np.flatnonzero(np.concatenate([[True], np.diff(flat) != 0]))
    counts = np.diff(np.append(starts, flat.size)).astype(float)
    pairs = flat.size * (flat.size - 1.0)
    return max(float((counts * (counts - 1)).sum()) / pairs if pairs else 0.0, STEP)


# ----------------------------------------------------------------------------------------- elements


Found = tuple[Array, list[str]] | None
Place = Callable[[int], int]


def _wild(values: Array, place: Place, sample: Sample) -> Found:
    """A stretch of numbers many orders of magnitude off, as in memory that nobody has written."""
    size = np.abs(values.reshape(-1))
    usual = float(np.median(size[size > 0]))
    wild = np.flatnonzero(((size > 0) & (size < usual * 1e-20)) | (size > usual * 1e6))
    if wild.size < 4 or 4 * wild.size < wild[-1] - wild[0] + 1:
        return None
    start, stop = int(wild[0]), int(wild[-1]) + 1
    stop = size.size if size.size - stop < 16 else stop
    ends = size[wild].min(), size[wild].max()
    where = _stretch(place, start, stop)
    return _between(values, start, stop), [
        f"{where} are of sizes from {ends[0]:.2g} to {ends[1]:.2g}, "
        "as in memory that nobody has written"
    ]


def _far(values: Array, place: Place, sample: Sample) -> Found:
    """A few numbers that lie where no law with the others' scale has any."""
    size = np.abs(values)
    far = np.flatnonzero(size > 100 * float(np.median(size[size > 0])))
    if not 0 < far.size <= max(4, size.size // 1000):
        return None
    gone = np.zeros(size.size, bool)
    gone[far] = True
    first = int(far[0])
    shape_of = tuple(int(at) for at in np.unravel_index(first, values.shape))
    there = f"value {place(first):,} is {sample.shortest(float(values[shape_of])):.3g}"
    more = f" and {far.size - 1} more are" if far.size > 1 else ""
    return gone.reshape(values.shape), [f"{there}{more}, far outside of the others"]


def _runs(values: Array, place: Place, sample: Sample) -> Found:
    """Long stretches of one number: a tail that was never filled, a gate's part of a bias."""
    flat = values.reshape(-1)
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    stops = np.append(starts[1:], flat.size)
    long = stops - starts >= 4
    if not long.any():
        return None
    outside = np.repeat(~long, stops - starts)
    others = flat[outside]
    runs = []
    for start, stop in zip(starts[long].tolist(), stops[long].tolist(), strict=True):
        share = np.count_nonzero(others == flat[start]) / max(others.size, 1)
        if flat.size * max(share, STEP) ** (stop - start - 1) < CHANCE:
            runs.append((start, stop))
        if len(runs) > _MOST_RUNS:
            return None
    if any(
        after[0] - before[1] < 4 and flat[after[0]] == flat[before[0]]
        for before, after in itertools.pairwise(runs)
    ):
        return None  # a sparse tensor's
    if not runs:
        return None
    gone = np.zeros(flat.size, bool)
    said = []
    for start, stop in runs:
        gone[start:stop] = True
        number = float(flat[start])
        hint = ""
        if values.ndim == 1 and number == 1 and 4 * start == 4 * (stop - start) == flat.size:
            hint = ", as those of an open forget gate are"
        elif stop == flat.size and number == 0 and values.ndim > 1:
            hint = ", as memory that nobody has filled is"
        what = "zero" if number == 0 else f"{sample.shortest(number):.6g}"
        said.append(f"{_stretch(place, start, stop)} are {what}{hint}")
    return gone.reshape(values.shape), said


def _triangle(values: Array, place: Place, sample: Sample) -> Found:
    """A matrix that is zero on one side of its diagonal, or on both."""
    if values.ndim != 2 or min(values.shape) < 4:
        return None
    sides = {
        "above": np.triu(np.ones(values.shape, bool), 1),
        "below": np.tril(np.ones(values.shape, bool), -1),
    }
    empty = {word: side for word, side in sides.items() if not values[side].any()}
    if not empty:
        return None
    word = "outside its" if len(empty) == 2 else f"{next(iter(empty))} its"
    return np.logical_or.reduce(list(empty.values())), [f"it is zero {word} diagonal"]


def _mirror(values: Array, place: Place, sample: Sample) -> Found:
    """A matrix that is its own transpose, or a row the same backwards, with either sign."""
    images: list[tuple[str, Callable[[Array], Array]]] = []
    if values.ndim == 2 and values.shape[0] == values.shape[1]:
        images.append(("its own transpose", np.transpose))
    if values.ndim == 1:
        images.append(("the same backwards", np.flip))
    for words, image in images:
        for sign, more in ((1, ""), (-1, " with the other sign")):
            there = image(values)
            some = (slice(0, 2),) * values.ndim
            if not np.array_equal(values[some], sign * there[some]):
                continue
            if not np.array_equal(values, sign * there):
                continue
            if values.size / 2 * math.log(2 * _alike(values)) < math.log(CHANCE):
                here = np.arange(values.size).reshape(values.shape)
                return here > image(here), [f"it is {words}{more}"]
    return None


def _blocks(values: Array, place: Place, sample: Sample) -> Found:
    """A stretch that repeats an earlier one, wherever rows begin."""
    flat = values.reshape(-1)
    if sample.dtype not in ("float32", "float64") or sample.distinct < 32:
        return None
    if flat.size > KEPT:
        return None
    above = sample.ordered[sample.ordered >= 0]
    below = -sample.ordered[sample.ordered < 0][::-1]
    both = np.sort(np.concatenate([above, below]), kind="stable")  # two ordered ones, merged
    count = int(np.count_nonzero(np.diff(both) == 0))
    expected = flat.size**2 * STEP  # numbers that are there again, with either sign
    if count <= expected or poisson_above(count, expected) > CHANCE:
        return None
    size = np.abs(flat)
    order = np.argsort(size, kind="stable")
    again = np.flatnonzero(np.diff(size[order]) == 0)
    distances = order[again + 1] - order[again]
    lengths, counts = np.unique(distances, return_counts=True)
    distance = int(lengths[counts.argmax()])
    copied = np.sort(order[again + 1][distances == distance])
    start, stop = int(copied[0]), int(copied[-1]) + 1
    if 2 * copied.size < again.size or copied.size < 0.9 * (stop - start):
        return None
    here, there = flat[copied], flat[copied - distance]
    if np.array_equal(here, there):
        sign = ""
    elif np.array_equal(here, -there):
        sign = " with the other sign"
    else:
        return None
    gone = np.zeros(flat.size, bool)
    gone[copied] = True
    words = f"{_stretch(place, start, stop)} are those {distance:,} places before them{sign}"
    return gone.reshape(values.shape), [words]


def _between(values: Array, start: int, stop: int) -> Array:
    mask = np.zeros(values.size, bool)
    mask[start:stop] = True
    return mask.reshape(values.shape)


def _stretch(place: Place, start: int, stop: int) -> str:
    """Elements that stand together, by their places in the whole tensor."""
    return f"values {place(start):,} to {place(stop - 1):,}"
