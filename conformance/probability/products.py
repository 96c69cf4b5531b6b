"""Sums of products of neighbours, in which every value may stand in two of them.

Let ``w`` be independent, symmetric about zero, with even moments no larger than a standard normal
number's; uniform scores are. Let pairs of them form paths: every value has at most two partners,
and no path closes. So do all pairs at one lag, and at one displacement within a tensor. The moments
of the sum of all products are then no larger than those for normal numbers, for which

    log E exp(t sum) = -1/2 log det(1 - t A) <= -edges / 2 * log((1 + sqrt(1 - 4 t**2)) / 2)

with the adjacency ``A`` of the paths: the determinant of a path obeys ``D[m] = D[m - 1] - t**2
D[m - 2]``, and the ratio of one to the one before falls to the root above. Pairs that are disjoint
are paths, too.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@lru_cache(maxsize=1)
def _slopes() -> tuple[Array, Array]:
    """Values of ``t`` and the bound on each edge's share. Any ``t`` gives a bound."""
    t = np.concatenate([np.geomspace(1e-5, 0.4, 4000), 0.5 - np.geomspace(0.1, 1e-9, 1000)])
    return t, -np.log((1 + np.sqrt(1 - 4 * t**2)) / 2) / 2


def paths(total: float, edges: int) -> float:
    """Two-sided bound on the p-value of a sum of so many products."""
    if edges < 1:
        return 1.0
    t, share = _slopes()
    rate = float((t * (abs(total) / edges) - share).max())
    return min(1.0, 2 * math.exp(-min(max(edges * rate, 0.0), 745.0)))
