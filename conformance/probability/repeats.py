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


def tied(counts: tuple[int, int], n: int, chances: tuple[float, float]) -> float:
    """The chance that so many values tie with the least and with the greatest, given these two.

    Given the greatest value, the others are independent draws of what is not above it; so are
    those that are left, given all that tie with it. The two numbers of ties are bounded by
    independent ones, and the p-value is that of their sum.
    """
    laws = []
    for chance in chances:
        # P(N = 1 + k | N >= 1) for so many draws of this chance
        k = np.arange(1, sum(counts) + 1)
        least = float(-np.expm1(n * np.log1p(-min(chance, 1 - 1e-12))))
        laws.append(np.minimum(stats.binom.sf(k - 1, n, chance) / max(least, 1e-300), 1.0))
    extra = sum(counts) - 2
    if extra <= 0:
        return 1.0
    # P(A + B >= e) <= P(A >= e) + sum over a < e of P(A = a) P(B >= e - a)
    first, second = laws
    mass = first[:extra] - first[1 : extra + 1]
    return min(1.0, float(first[extra] + (mass * second[extra:0:-1]).sum()))


def together(*p: float) -> float:
    """Fisher's combination of p-values, each of which holds given those before it."""
    total = -sum(math.log(max(one, 1e-300)) for one in p)
    return float(special.gammaincc(len(p), total))
