"""The spacings of uniform numbers: are they too even?

Moran's statistic is the sum of the logarithms of the ``n + 1`` spacings that ``n`` numbers leave on
(0, 1). Its moment-generating function is known exactly, as the spacings have Dirichlet's law:

    log E exp(t sum) = log G(n + 1) + (n + 1) log G(1 + t) - log G((n + 1) (1 + t))
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

_T = np.geomspace(1e-6, 100, 800)


def moran(u: Array) -> tuple[float, float]:
    """The mean logarithm of a spacing, in units of the mean one, and the p-value of even points.

    The groups are all axes but the last; without a pattern the mean is near -0.577, for even
    points it is near zero. The p-value is Chernoff's bound. Clustered points are another question:
    a coarse type makes them.
    """
    n = u.shape[-1]
    groups = u.size // n
    ordered = np.sort(u, axis=-1)
    total = float(np.log(np.maximum(np.diff(ordered, axis=-1), 1e-300)).sum())
    for end in (ordered[..., 0], 1 - ordered[..., -1]):
        total += float(np.log(np.maximum(end, 1e-300)).sum())
    log = special.gammaln(n + 1) + (n + 1) * special.gammaln(1 + _T)
    log = log - special.gammaln((n + 1) * (1 + _T))
    rate = float((_T * total - groups * log).max())
    mean = total / (groups * (n + 1)) + math.log(n + 1)
    return mean, math.exp(-min(max(rate, 0.0), 745.0))
