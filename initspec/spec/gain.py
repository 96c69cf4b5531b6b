"""Gains: how much a nonlinearity asks of the standard deviation before it."""

from __future__ import annotations

import math

from ..errors import SpecError, UnknownName
from .arguments import number, text

# A name's first meaning is PyTorch's `calculate_gain`, which users know: relu keeps
# E[relu(z)^2] = 1/2 (He et al. 2015, eq. 10), leaky_relu the same with a slope (eq. 15); tanh's
# 5/3, selu's 3/4 and sigmoid's 1 are empirical. Self-normalising networks (Klambauer et al. 2017)
# ask for selu with gain 1, which is `lecun_normal`.
#
# All others, and `*_exact` of those three, are 1 / E[f(z)^2] for a standard normal z: behind such a
# gain the next layer's input has the second moment 1. They are stored, by quadrature with 40 digits
# (a test computes them again), so that no mathematical library changes their last bit.
_SQUARES = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 25 / 9,
    "relu": 2.0,
    "selu": 9 / 16,
    "elu": 1.5505188080679273,
    "gelu": 2.351715614073373,
    "mish": 2.210715729937989,
    "sigmoid_exact": 3.408559841623103,
    "selu_exact": 1.0,
    "silu": 2.810761124074471,
    "softplus": 1.0854865029883434,
    "softsign": 5.46406222364552,
    "tanh_exact": 2.5361754332174535,
}

_ALIASES = {"identity": "linear", "logistic": "sigmoid", "swish": "silu"}

NONLINEARITIES = (*sorted(_SQUARES), "leaky_relu")


def canonical(nonlinearity: str) -> str:
    """The name under which a nonlinearity's gain is known; others as they are.

    >>> canonical("swish"), canonical("tanh-exact")
    ('silu', 'tanh_exact')
    """
    name = text("nonlinearity", nonlinearity)
    if name not in NONLINEARITIES:
        name = name.replace("-", "_")
    return _ALIASES.get(name, name if name in NONLINEARITIES else nonlinearity)


def gain(nonlinearity: str, slope: float | None = None) -> float:
    """What the standard deviation is multiplied by ahead of ``nonlinearity``.

    ``slope`` is the negative slope of ``leaky_relu``, 0.01 unless given:
    ``gain = sqrt(2 / (1 + slope**2))``. Those of ``relu``, ``leaky_relu``, ``tanh``, ``sigmoid``
    and ``selu`` are PyTorch's; all others are ``1 / sqrt(E[f(z)**2])`` for a standard normal ``z``.

    >>> round(gain("gelu") ** 2, 4), round(gain("tanh_exact") ** 2, 4)
    (2.3517, 2.5362)
    >>> round(gain("leaky_relu", 0.2), 6)
    1.38675
    """
    return math.sqrt(squared(nonlinearity, slope))


def squared(nonlinearity: str, slope: float | None = None) -> float:
    """The square of the gain, which multiplies the variance: for ``relu`` exactly two."""
    nonlinearity = canonical(nonlinearity)
    if nonlinearity == "leaky_relu":
        negative = 0.01 if slope is None else number("slope", slope)
        return 2 / (1 + negative * negative)
    if nonlinearity not in _SQUARES:
        raise UnknownName("nonlinearity", nonlinearity, NONLINEARITIES)
    if slope is not None:
        raise SpecError(f"a slope belongs to 'leaky_relu', not to {nonlinearity!r}.")
    return _SQUARES[nonlinearity]
