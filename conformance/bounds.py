"""p-values that are bounds at every sample size, and what a test of given size can detect.

Nothing here is asymptotic: under the null hypothesis ``P(p <= a) <= a`` for each function and each
``n``. That makes the suite's false alarms a theorem and not an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Array = NDArray[np.float64]


def dkw(distance: float, n: int) -> float:
    """A Kolmogorov–Smirnov distance: ``2 exp(-2 n D**2)``, by Dvoretzky, Kiefer, Wolfowitz and
    with Massart's constant, for every law and every ``n``.
    """
    return min(1.0, 2 * math.exp(-2 * n * distance**2))


def dkw_distance(p: float, n: int) -> float:
    """The distance whose :func:`dkw` is ``p``."""
    return math.sqrt(math.log(2 / p) / (2 * n))


class Chernoff:
    """Bounds on the mean of ``n`` independent copies of ``f(U)``, ``U`` uniform on (0, 1).

    ``P(mean >= m) <= exp(-n I(m))`` with ``I(m) = sup_t (t m - log E exp(t f(U)))``; the
    expectation is by Gauss–Legendre quadrature over panels that grow finer towards both ends.
    """

    def __init__(self, f: Callable[[Array], Array]) -> None:
        u, self.weights = nodes()
        self.values = np.asarray(f(u), np.float64)
        self.mean = float(self.weights @ self.values)
        self.variance = float(self.weights @ (self.values - self.mean) ** 2)

    def log_mgf(self, t: float) -> float:
        """``log E exp(t (f(U) - mean))``."""
        exponent = t * (self.values - self.mean)
        top = float(exponent.max())
        return top + math.log(float(self.weights @ np.exp(exponent - top)))

    def rate(self, mean: float) -> float:
        """``I(mean)``, at least zero."""
        gap = mean - self.mean
        if gap == 0 or self.variance == 0:
            return 0.0 if gap == 0 else math.inf
        reach = self.values.max() - self.mean if gap > 0 else self.mean - self.values.min()
        if abs(gap) >= reach:
            return math.inf
        scale = abs(gap) / self.variance
        found = optimize.minimize_scalar(
            lambda s: self.log_mgf(math.copysign(s, gap)) - s * abs(gap),
            bounds=(0.0, 50 * scale),
            method="bounded",
            options={"xatol": 1e-9 * scale},
        )
        return max(0.0, -float(found.fun))

    def p(self, mean: float, n: int) -> float:
        """Two-sided: twice the bound on the side where the mean lies."""
        return min(1.0, 2 * math.exp(-min(n * self.rate(mean), 745.0)))


@lru_cache(maxsize=1)
def nodes() -> tuple[Array, Array]:
    """Nodes and weights on (0, 1), finer towards both ends, where quantile functions are steep."""
    x, w = special.roots_legendre(16)
    cuts = np.concatenate([2.0 ** -np.arange(50, 1, -1), np.linspace(0.5, 0.75, 5)[1:-1]])
    half = np.unique(np.concatenate([[0.0], cuts[cuts < 0.5], [0.5]]))
    edges = np.concatenate([half, 1 - half[-2::-1]])
    low, width = edges[:-1, None], np.diff(edges)[:, None]
    places = np.minimum(low + width * (x + 1) / 2, 1 - 2.0**-53)  # a quantile at one is infinite
    return places.ravel(), (width * w / 2).ravel()


def binomial_above(count: int, n: int, probability: float) -> float:
    """``P(Binomial(n, probability) >= count)``, exactly."""
    return 1.0 if count <= 0 else float(special.bdtrc(count - 1, n, min(probability, 1.0)))


def binomial(count: int, n: int, probability: float) -> float:
    """Two-sided and exact: twice the smaller tail."""
    below = float(special.bdtr(count, n, probability))
    return min(1.0, 2 * min(below, binomial_above(count, n, probability)))


def poisson_above(count: float, mean: float) -> float:
    """A bound for a sum of indicators with this expectation, each dominated given the others."""
    if count <= mean:
        return 1.0
    if mean == 0:
        return 0.0
    return math.exp(max(-(count * math.log(count / mean) - count + mean), -745.0))


def chi_square(total: float, degrees: int) -> float:
    """Two-sided and exact, for the sum of squares of standard normal numbers."""
    return min(
        1.0, 2 * min(float(special.chdtr(degrees, total)), float(special.chdtrc(degrees, total)))
    )


def smallest(low: float, n: int) -> float:
    """Two-sided and exact, for the least of ``n`` uniform numbers."""
    below = -math.expm1(n * math.log1p(-min(low, 1 - 1e-16)))
    above = math.exp(n * math.log1p(-min(low, 1 - 1e-16)))
    return min(1.0, 2 * min(below, above))


def bounded_differences(excess: float, n: int, step: float = 1.0) -> float:
    """McDiarmid: a function of ``n`` independent values that each moves by at most ``step``."""
    return 1.0 if excess <= 0 else math.exp(max(-2 * excess**2 / (n * step**2), -745.0))


def z(p: float) -> float:
    """The standard normal quantile of the upper tail."""
    return float(-special.ndtri(p))


def detectable_scale(n: int, kurtosis: float, alpha: float, beta: float) -> float:
    """The least relative error of the standard deviation that ``n`` values show.

    ``(z(alpha / 2) + z(beta)) * sqrt((kurtosis + 2) / n) / 2`` with the excess kurtosis: the test
    on the second moment rejects it but for a chance of ``beta``. The Chernoff bound costs a factor
    of 1.06 over it.
    """
    spread = math.sqrt(max(kurtosis + 2, 1e-3) / n) / 2
    return 1.06 * (z(alpha / 2) + z(beta)) * spread


def detectable_shift(n: int, alpha: float, beta: float) -> float:
    """The least shift of the mean, in standard deviations, that ``n`` values show."""
    return 1.06 * (z(alpha / 2) + z(beta)) / math.sqrt(n)


def detectable_distance(n: int, alpha: float, beta: float) -> float:
    """The least Kolmogorov–Smirnov distance that ``n`` values show but for a chance of ``beta``."""
    return dkw_distance(alpha, n) + math.sqrt(math.log(1 / beta) / (2 * n))
