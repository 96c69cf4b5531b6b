"""How often may one value stand among independent ones? Bounds that need its chance alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[np.float64]


def most_frequent(counts: Array, n: Array | int, chances: Array) -> Array:
    """p-values of the counts of values that ``n`` independent draws make, by their chances.

    Their least is a p-value: ``P(N >= c) <= E[N; N >= c] / c``, and ``E[N; N >= c]`` is ``n q``
    times the chance that ``n - 1`` draws hold ``c - 1`` more, where ``q`` is the value's own
    chance. The sum of ``q`` over all values is one, so that none of them needs to be known before.
    ``chances`` are bounds on ``q``.
    """
    counts = np.asarray(counts, float)
    more = np.where(counts > 1, special.bdtrc(counts - 2, np.asarray(n) - 1, chances), 1.0)
    return np.asarray(np.minimum(n / np.maximum(counts, 1) * more, 1.0))


def foretold(count: int, n: int, chance: float) -> float:
    """The p-value of the count of zeros, which a right sampler may make in pairs.

    Box and Muller's radius of zero gives two. So half of the count is held against the chance.
    """
    half = -(-count // 2)
    return 1.0 if half == 0 else float(special.bdtrc(half - 1, n, min(chance, 1.0)))


def ties(most: int, n: int, chances: tuple[float, float]) -> Array:
    """The chances that 0, 1, ... ``most`` values tie with the least and the greatest, given these.

    Given the greatest value, the others are independent draws of what is not above it; so are
    those that are left, given all that tie with it. The two numbers of ties are bounded by
    independent ones, and this is the tail of their sum.
    """
    first, second = (_more(most + 1, n, chance) for chance in chances)
    tail = np.ones(most + 1)
    for extra in range(1, most + 1):
        # P(A + B >= e) <= P(A >= e) + sum over a < e of P(A = a) P(B >= e - a)
        mass = first[:extra] - first[1 : extra + 1]
        tail[extra] = min(1.0, float(first[extra] + (mass * second[extra:0:-1]).sum()))
    return tail


def _more(most: int, n: int, chance: float) -> Array:
    """``P(N >= 1 + k | N >= 1)`` for so many draws of this chance, with ``k`` from zero."""
    least = float(-np.expm1(n * np.log1p(-min(chance, 1 - 1e-12))))
    tail = stats.binom.sf(np.arange(most + 1), n, chance) / max(least, 1e-300)
    return np.asarray(np.minimum(tail, 1.0))


def tied(counts: tuple[int, int], n: int, chances: tuple[float, float]) -> float:
    """The p-value of the number of values that tie with the least and the greatest."""
    extra = sum(counts) - 2
    return float(ties(extra, n, chances)[extra])


def tied_within(counts: tuple[int, int], n: int, chance: float, beyond: float) -> float:
    """The p-value of ties at both ends together with ``beyond``, that of nothing beyond them.

    ``chance`` bounds that of every value, so that the tail of the ties is the same whatever the
    ends are. Few numbers of ties are likely, which makes the product's law closer than Fisher's.
    """
    extra = sum(counts) - 2
    tail = ties(extra + 24, n, (chance, chance))
    reached = beyond * tail[extra]
    mass = tail - np.append(tail[1:], 0.0)
    return min(1.0, float((mass * np.minimum(1.0, reached / np.maximum(tail, 1e-300))).sum()))


def together(*p: float) -> float:
    """Fisher's combination of p-values, each of which holds given those before it."""
    total = -sum(math.log(max(one, 1e-300)) for one in p)
    return float(special.gammaincc(len(p), total))
