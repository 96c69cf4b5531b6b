"""Is every place like every other, and every row, column and tensor as even as chance makes it?

On normal scores, which are exact whatever the law: the sum of ``m`` of them over the root of ``m``
is a standard normal number, and their sum of squares has a chi-square law, which is made a normal
number, too. So the groups of a tensor give independent normal numbers, whose sum of squares about
their mean, trend and greatest are known exactly. A family has one error: its p-values are added up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..finding import Finding
from ..probability import bounds
from .place_scores import Scores
from .places_words import axis_name, named

Array = NDArray[np.float64]

#: Groups of which ranks are told to be too even.
FEWEST = 64
#: Axes of a tensor beyond which the leading ones are taken together.
AXES = 4


class _Seen(NamedTuple):
    """A p-value, and what is needed to say the simplest of many that are next to zero."""

    p: float
    statistic: float
    say: Callable[[], str]
    excess: float
    axes: int
    share: float


def places(scores: Scores) -> Finding:
    """Mean and spread by place, row and column, over all draws: of each axis, of the first ones and
    of the last ones together, and of all.
    """
    g = _limited(scores.normal)
    axes = tuple(range(1, g.ndim))
    groups: list[tuple[int, ...]] = [(axis,) for axis in axes]
    groups += [kept for k in range(1, len(axes)) for kept in (axes[:k], axes[k:])] + [axes]
    seen: list[_Seen] = []
    for kept in dict.fromkeys(groups):
        seen += _group(g, kept, not scores.ranked)
    return _worst("places", seen)


def norms(scores: Scores) -> Finding:
    """Sums and norms of each draw's tensor, rows, columns and slices: too uneven, or too even."""
    g = _limited(scores.normal)
    axes = tuple(range(1, g.ndim))
    sets = [(), *((axis,) for axis in axes)]
    sets += [kept for kept in (axes[:-1], axes[1:]) if kept and kept not in sets]
    seen: list[_Seen] = []
    for kept in sets:
        seen += _group(g, (0, *kept), not scores.ranked)
    return _worst("norms", seen)


def _limited(g: Array) -> Array:
    """At most so many axes: the leading ones of a tensor of more are taken for one."""
    if g.ndim - 1 > AXES:
        return g.reshape(g.shape[0], -1, *g.shape[-(AXES - 1) :])
    return g


def _worst(name: str, seen: list[_Seen]) -> Finding:
    if not seen:
        return Finding(name, 0.0, 1.0)
    worst = _simplest(seen)
    p = min(1.0, worst.p * len(seen))
    return Finding(name, worst.statistic, p, worst.say() if p < 1e-6 else "")


def _simplest(seen: list[_Seen]) -> _Seen:
    """The least p-value; of those that are next to zero, the one with the fewest axes that has most
    of the excess.
    """
    out = [one for one in seen if one.p < 1e-290]
    if not out:
        return min(seen, key=lambda one: one.p)
    most = max(one.excess for one in out)
    clear = [one for one in out if one.excess >= 0.6 * most]
    return min(clear, key=lambda one: (one.axes, -one.share))


def _group(g: Array, kept: tuple[int, ...], two_sided: bool) -> Iterator[_Seen]:
    """The groups of values that share their indices of the axes that are kept."""
    rest = tuple(axis for axis in range(g.ndim) if axis not in kept)
    size = math.prod(g.shape[axis] for axis in rest)
    sides = tuple(g.shape[axis] for axis in kept)
    count = math.prod(sides)
    if size < 2 or (count < 2 and (kept != (0,) or not two_sided)):
        return
    z = g.sum(axis=rest) / math.sqrt(size)
    squares = (g**2).sum(axis=rest)
    h = chi_scores(squares, size)
    about = _About(kept, sides, g.ndim - 1, size, np.sqrt(squares / size).reshape(-1), g.shape[0])
    axes = len(kept)
    effects = {"sums": z, "sizes": (squares / size - 1) * math.sqrt(size / 2)}
    for what, numbers in (("sums", z), ("sizes", h)):
        flat = numbers.reshape(-1)
        free = count
        if count > 1:  # what all have in common is a question of the law
            flat, free = flat - flat.mean(), count - 1
        total = float(flat @ flat)
        excess = float(effects[what].var()) * count - free

        def seen(p: float, value: float, share: float, words: str, excess: float = excess) -> _Seen:
            return _Seen(p, value, lambda: words, excess, axes, share)

        # A few ranks are more even than chance: their sum is fixed.
        if two_sided or count >= FEWEST:
            below = float(special.chdtr(free, total))
            yield seen(below, total / free, 1.0, about.even(what), 0.0)
        if count < 2:
            continue
        above = float(special.chdtrc(free, total))
        yield seen(above, total / free, 0.5, about.uneven(what))
        at = int(np.abs(flat).argmax())
        most = float(flat[at]) / math.sqrt(1 - 1 / count)
        p = min(1.0, bounds.normal(most) * count)
        yield seen(p, most, float(flat[at]) ** 2 / max(total, 1e-9), about.one(what, at, most))
        if len(kept) == 1 and kept[0] > 0 and count > 2:
            for trend, weights in _contrasts(count):
                value = float(weights @ flat)
                share = value**2 / max(total, 1e-9)
                yield seen(bounds.normal(value), value, share, about.trend(what, trend, value))


def _contrasts(count: int) -> Iterator[tuple[str, Array]]:
    """Directions in which groups may differ, of length one and free of what they share."""
    index = np.arange(count)
    for words, line in (("along", index), ("by turns", index % 2)):
        centred = line - line.mean()
        yield words, np.asarray(centred / math.sqrt(float(centred @ centred)), np.float64)


def chi_scores(squares: Array, degrees: int) -> Array:
    """Chi-square numbers as standard normal ones, with the digits of both tails."""
    scores = np.empty(squares.shape)
    upper = squares > degrees
    for side, tail, sign in ((~upper, special.chdtr, 1.0), (upper, special.chdtrc, -1.0)):
        chance = np.maximum(tail(degrees, squares[side]), 1e-300)
        scores[side] = sign * special.ndtri(chance)
    return scores


class _About(NamedTuple):
    """What a grouping is, in words."""

    kept: tuple[int, ...]
    sides: tuple[int, ...]
    dimensions: int
    size: int
    spreads: Array
    draws: int

    @property
    def groups(self) -> str:
        axes = [axis - 1 for axis in self.kept if axis]
        if not axes:
            return "tensors"
        if len(axes) == self.dimensions:
            return "places"
        if self.dimensions == 2:
            return ("rows", "columns")[axes[0]]
        return "slices of " + ("axis " if len(axes) == 1 else "axes ") + ", ".join(map(str, axes))

    def uneven(self, what: str) -> str:
        if 0 in self.kept:
            differ = "have sums" if what == "sums" else "have norms"
            return f"the {self.groups} of a draw {differ} more unlike than chance makes them"
        differ = "values of their own" if what == "sums" else "spreads of their own"
        seeds = ", whatever the seed" if self.draws > 1 else ""
        return f"the {self.groups} have {differ}{seeds}"

    def even(self, what: str) -> str:
        if 0 in self.kept:
            alike = (
                "sums nearer to the law's mean than chance allows: they are centred"
                if what == "sums"
                else "norms more alike than chance allows: they are normalised"
            )
            return f"the {self.groups} of a draw have {alike}"
        seeds = " over the draws" if self.draws > 1 else ""
        return f"the {self.groups} are more even{seeds} than chance allows"

    def one(self, what: str, at: int, most: float) -> str:
        index = np.unravel_index(at, self.sides)
        pairs = [(axis - 1, int(i)) for axis, i in zip(self.kept, index, strict=True) if axis]
        if not pairs:
            place = f"tensor {int(index[0])}"
        elif len(pairs) == self.dimensions > 1:
            place = f"place {tuple(i for _, i in pairs)}"
        else:
            place = ", ".join(named(axis, self.dimensions, i) for axis, i in pairs)
        if 0 in self.kept and pairs:
            place += f" of tensor {int(index[0])}"
        if what == "sums":
            return (
                f"{place} has a mean of its own: {most / math.sqrt(self.size):+.3g} standard "
                f"deviations over {self.size} values"
            )
        return f"{place} has a spread of its own: {self.spreads[at]:.3g} times the law's"

    def trend(self, what: str, trend: str, value: float) -> str:
        axis = axis_name(self.kept[0] - 1, self.dimensions)
        thing = "mean" if what == "sums" else "spread"
        if trend == "by turns":
            return f"the {thing} changes by turns with the {axis}: even and odd ones differ"
        moves = "grows" if value > 0 else "falls"
        return f"the {thing} {moves} with the {axis}"
