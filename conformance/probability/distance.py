"""The distance of an empirical distribution function, by Dvoretzky, Kiefer and Wolfowitz's bound.

It needs no SciPy, so that the page of a report, which may be made where there is none, has it too.
"""

from __future__ import annotations

import math


def dkw(distance: float, n: int) -> float:
    """A bound on the chance of a distance: ``2 exp(-2 n D**2)``, for every law and every ``n``.

    By Dvoretzky, Kiefer and Wolfowitz (1956), with Massart's constant (1990).
    """
    return min(1.0, 2 * math.exp(-2 * n * distance**2))


def dkw_distance(p: float, n: int) -> float:
    """The distance whose :func:`dkw` is ``p``.

    >>> round(dkw_distance(1e-9, 10_000), 4)
    0.0327
    """
    return math.sqrt(math.log(2 / p) / (2 * n))
