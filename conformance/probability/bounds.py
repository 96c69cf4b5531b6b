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
from scipy import special

from ...spec.distance import dkw_distance

Array = NDArray[np.float64]


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

    def log_mgf(self, t: float) -> tuple[float, float, float]:
        """``K(t) = log E exp(t (f(U) - mean))`` with its first and second derivative."""
        centred = self.values - self.mean
        exponent = t * centred
        top = float(exponent.max())
        mass = self.weights * np.exp(exponent - top)
        total = float(mass.sum())
        tilted = float(mass @ centred) / total
        return top + math.log(total), tilted, float(mass @ (centred - tilted) ** 2) / total

    def rate(self, mean: float) -> float:
        """``I(mean)``, at least zero: by Newton's steps, of which each ``t`` gives a bound."""
        gap = mean - self.mean
        if gap == 0 or self.variance == 0:
            return 0.0 if gap == 0 else math.inf
        reach = self.values.max() - self.mean if gap > 0 else self.mean - self.values.min()
        if abs(gap) >= reach:
            return math.inf
        best, t = 0.0, gap / self.variance
        low, high = sorted((0.0, 50 * t))
        for _ in range(60):
            value, slope, curve = self.log_mgf(t)
            best = max(best, t * gap - value)
            low, high = (t, high) if slope < gap else (low, t)
            step = (gap - slope) / curve if curve > 0 else math.inf
            if abs(step) <= 1e-9 * abs(t):
                break
            t = t + step if low < t + step < high else (low + high) / 2
        return best

    def p(self, mean: float, n: int) -> float:
        """Two-sided: twice the bound on the side where the mean lies."""
        return min(1.0, 2 * math.exp(-min(n * self.rate(mean), 745.0)))


@lru_cache(maxsize=1)
def nodes() -> tuple[Array, Array]:
    """Nodes and weights on (0, 1), finer towards both ends, where quantile functions are steep."""
    cuts = np.concatenate([2.0 ** -np.arange(50, 1, -1), np.linspace(0.5, 0.75, 5)[1:-1]])
    half = np.unique(np.concatenate([[0.0], cuts[cuts < 0.5], [0.5]]))
    edges = np.concatenate([half, 1 - half[-2::-1]])
    return panels(edges, 16)


def panels(edges: Array, points: int) -> tuple[Array, Array]:
    """Gauss and Legendre's nodes and weights, so many between each two edges on (0, 1)."""
    x, w = special.roots_legendre(points)
    low, width = edges[:-1, None], np.diff(edges)[:, None]
    places = np.minimum(low + width * (x + 1) / 2, 1 - 2.0**-53)  # a quantile at one is infinite
    return places.ravel(), (width * w / 2).ravel()


def legendre(degree: int) -> Callable[[Array], Array]:
    """The orthonormal Legendre polynomial of a degree on (0, 1): moments that are uncorrelated."""
    coefficients = [0.0] * degree + [math.sqrt(2 * degree + 1)]
    return lambda u: np.asarray(np.polynomial.legendre.legval(2 * u - 1, coefficients))


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


def normal(z: float) -> float:
    """Two-sided and exact, for a standard normal number."""
    return min(1.0, 2 * float(special.ndtr(-abs(z))))


def median_of_means(values: Array, mean: float, std: float, alpha: float) -> tuple[float, float]:
    """The median of the means of blocks, and a bound on its p-value that needs a variance alone.

    The mean of a block of ``m`` misses by ``d`` with a chance ``q`` of at most
    ``std**2 / (m d**2)`` (Chebyshev), and the median only if half of the blocks do. ``alpha``, a
    level of interest, chooses how many there are.
    """
    blocks = max(min(math.ceil(8 * math.log(1 / alpha)), values.size), 1)
    size = values.size // blocks
    middle = float(np.median(values.reshape(-1)[: blocks * size].reshape(blocks, size).mean(1)))
    gap = middle - mean
    if gap == 0 or not std >= 0:
        return middle, 1.0
    return middle, binomial_above(-(-blocks // 2), blocks, min(std**2 / (size * gap**2), 1.0))


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
