"""Gains: how much a nonlinearity asks of the standard deviation before it."""

from __future__ import annotations

import math

from ..errors import SpecError, UnknownName
from .arguments import number, text

# The constants are those of PyTorch's `calculate_gain`, which users know by these names:
# relu keeps E[relu(z)^2] = 1/2 (He et al. 2015, eq. 10), leaky_relu the same with a slope
# (eq. 15); tanh's 5/3 and selu's 3/4 are empirical. Self-normalising networks (Klambauer et al.
# 2017) ask for selu with gain 1, which is `lecun_normal`.
_SQUARES = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 25 / 9,
    "relu": 2.0,
    "selu": 9 / 16,
}

NONLINEARITIES = (*sorted(_SQUARES), "leaky_relu")


def gain(nonlinearity: str, slope: float | None = None) -> float:
    """What the standard deviation is multiplied by ahead of ``nonlinearity``.

    ``slope`` is the negative slope of ``leaky_relu``, 0.01 unless given:
    ``gain = sqrt(2 / (1 + slope**2))``.

    >>> round(gain("leaky_relu", 0.2), 6)
    1.38675
    """
    return math.sqrt(squared(nonlinearity, slope))


def squared(nonlinearity: str, slope: float | None = None) -> float:
    """The square of the gain, which multiplies the variance: for ``relu`` exactly two."""
    text("nonlinearity", nonlinearity)
    if nonlinearity == "leaky_relu":
        negative = 0.01 if slope is None else number("slope", slope)
        return 2 / (1 + negative * negative)
    if nonlinearity not in _SQUARES:
        raise UnknownName("nonlinearity", nonlinearity, NONLINEARITIES)
    if slope is not None:
        raise SpecError(f"a slope belongs to 'leaky_relu', not to {nonlinearity!r}.")
    return _SQUARES[nonlinearity]
