"""Mean-field theory: the variance of the next layer from that of this one."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np

from ..errors import SpecError
from ..spec.distribution import Distribution
from ..spec.tensor_laws import Given, Stencil
from .activations import Activation, Array

#: Beyond this a variance is called infinite: squares of larger numbers leave float64.
LIMIT = 1e300

_OFF = 0.01  # how far off the weights are that advice has to stand


def weight_variance(law: Distribution, width: int) -> float | None:
    """``width * Var(w)``, or None for weights that are not random with mean zero.

    >>> from initspec import get
    >>> round(weight_variance(get("he_uniform").on((64, 64)), 64), 12)
    2.0
    """
    if isinstance(law, (Given, Stencil)):
        return None
    try:
        mean, variance = law.mean, law.variance
    except SpecError:  # a custom law that does not say
        return None
    return width * variance if mean == 0 else None


# ---------------------------------------------------------------------------------- prediction


def predict(
    variance: float, phi: Activation, depth: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The variance of activations and of gradients at each layer, by the recursion.

    ``variance`` is the weights' own, times the width.

    >>> from initspec.analysis.activations import activation as find
    >>> forward, backward = predict(1.0, find("relu"), 3)
    >>> [round(q, 12) for q in forward], [round(g, 12) for g in backward]
    ([1.0, 0.5, 0.25], [0.25, 0.5, 1.0])
    """
    forward, backward = _recursion(np.array([variance]), phi, depth)
    return tuple(forward[:, 0].tolist()), tuple(backward[:, 0].tolist())


def _recursion(variance: Array, phi: Activation, depth: int) -> tuple[Array, Array]:
    """Both variances for several weights at once; rows are layers."""
    nodes, chances = _normal()
    forward, slopes = [variance], []
    with np.errstate(all="ignore"):
        for _ in range(depth - 1):
            scale = np.sqrt(np.minimum(forward[-1], LIMIT))
            value, slope = phi(np.multiply.outer(scale, nodes))
            forward.append(finite(variance * (value**2 @ chances)))
            slopes.append(variance * (slope**2 @ chances))
        backward = np.ones((depth, variance.size))
        for layer in range(depth - 2, -1, -1):
            backward[layer] = finite(slopes[layer] * backward[layer + 1])
    return np.array(forward), backward


@cache
def _normal() -> tuple[Array, Array]:
    """Nodes and weights for the expectation of a function of a standard normal number.

    Gauss and Legendre's rule in panels that grow finer towards zero. Gauss and Hermite's, of 128
    nodes, is off by 0.7 % for the slope of selu, which jumps at zero, and by far more where
    tanh is steep; this one is exact to rounding for both.
    """
    edges = [0.0, *(2.0**power for power in range(-12, 2)), 3.0, 4.0, 6.0, 8.0, 10.0]
    node, weight = np.polynomial.legendre.leggauss(10)
    halves = [(b - a) / 2 for a, b in pairwise(edges)]
    x = np.concatenate([a + half * (node + 1) for a, half in zip(edges, halves, strict=False)])
    w = np.concatenate([half * weight for half in halves]) * np.exp(-(x**2) / 2)
    w = np.concatenate([w[::-1], w])
    return np.concatenate([-x[::-1], x]), w / w.sum()


def finite(variance: Array) -> Array:
    """Variances as they are, and infinity beyond :data:`LIMIT`."""
    return np.where(variance < LIMIT, variance, np.inf)


# -------------------------------------------------------------------------------------- advice


@lru_cache(maxsize=64)
def keeper(phi: Activation, depth: int) -> float:
    """The ``width * Var(w)`` whose predicted variances change least over so many layers.

    It makes the greater of ``|log(q[depth] / q[1])|`` and ``|log(g[1] / g[depth])|`` least, also
    where the weights are 1 % off either way; it is looked for between 1/4 and 256.

    >>> from initspec.analysis.activations import activation as find
    >>> round(keeper(find("relu"), 20), 4), round(keeper(find("linear"), 20), 4)
    (2.0, 1.0)
    """
    grid = np.linspace(math.log(1 / 4), math.log(256.0), 49)
    while True:
        best = int(np.argmin(strain_of(np.exp(grid), phi, depth)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
        if high - low < 1e-4:
            return math.exp(grid[best])
        grid = np.linspace(low, high, 11)


def strain_of(variance: Array, phi: Activation, depth: int) -> Array:
    """The greatest change, as a logarithm, of both variances and of weights 1 % off.

    Weights off by a little show a balance that tips over: networks of finite width do not keep
    it. What such an error does to a linear network, 1 % a layer, is no fault and taken off.
    """
    nearby = np.multiply.outer(np.exp([-_OFF, 0.0, _OFF]), variance).ravel()
    forward, backward = _recursion(nearby, phi, depth)
    with np.errstate(all="ignore"):
        changes = np.abs(np.log([forward[-1] / forward[0], backward[0] / backward[-1]]))
    worst = np.nan_to_num(changes, nan=np.inf).max(axis=0).reshape(3, -1).max(axis=0)
    return np.asarray(worst - depth * _OFF)
