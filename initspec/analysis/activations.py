"""Activations with their derivatives, for the propagation of variance through layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..errors import SpecError, UnknownName
from ..spec.arguments import text

Array = NDArray[np.float64]
Pair = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Activation:
    """A function of one number; called with an array it gives its values and its derivatives.

    >>> value, derivative = activation("relu")(np.array([-1.0, 2.0]))
    >>> value.tolist(), derivative.tolist()
    ([0.0, 2.0], [0.0, 1.0])
    """

    name: str
    function: Callable[[Array], Pair]

    def __call__(self, z: Array) -> Pair:
        return self.function(z)


def activation(name: str, slope: float | None = None) -> Activation:
    """The activation of this name; ``slope`` is the negative one of ``leaky_relu``, 0.01 if None.

    Raises :class:`UnknownName`, with the nearest offered, and :class:`SpecError` for a slope that
    is no finite number, or that is given to another activation.

    >>> activation("swish").name
    'silu'
    >>> activation("leaky_relu", 0.2).name
    'leaky_relu(0.2)'
    """
    plain = _ALIASES.get(text("an activation", name), name)
    if plain not in ACTIVATIONS:
        known = (*ACTIVATIONS, *_ALIASES)
        raise UnknownName("activation", name, known, listed="`initspec signal --help` names all.")
    if plain != "leaky_relu":
        if slope is not None:
            raise SpecError(f"a slope belongs to 'leaky_relu', not to {name!r}.")
        return Activation(plain, _FUNCTIONS[plain])
    steepness = 0.01 if slope is None else slope
    if not isinstance(steepness, (int, float)) or not math.isfinite(steepness):
        raise SpecError(f"slope is a finite number, not {slope!r}.")
    label = plain if slope is None else f"{plain}({slope:g})"
    return Activation(label, lambda z: _leaky(z, steepness))


def _leaky(z: Array, slope: float) -> Pair:
    return np.where(z > 0, z, slope * z), np.where(z > 0, 1.0, slope)


def _linear(z: Array) -> Pair:
    return z, np.ones_like(z)


def _relu(z: Array) -> Pair:
    return np.maximum(z, 0.0), (z > 0).astype(np.float64)


def _tanh(z: Array) -> Pair:
    value = np.tanh(z)
    return value, 1 - value**2


def _logistic(z: Array) -> Array:
    return (1 + np.tanh(z / 2)) / 2


def _sigmoid(z: Array) -> Pair:
    value = _logistic(z)
    return value, value * _logistic(-z)


def _elu(z: Array) -> Pair:
    below = np.expm1(np.minimum(z, 0.0))
    return np.where(z > 0, z, below), np.where(z > 0, 1.0, below + 1)


def _selu(z: Array) -> Pair:
    # The fixed point (0, 1) of Klambauer et al. 2017 asks for these two.
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    below = alpha * np.expm1(np.minimum(z, 0.0))
    return scale * np.where(z > 0, z, below), scale * np.where(z > 0, 1.0, below + alpha)


def _gelu(z: Array) -> Pair:
    below, density = _normal(z)
    return z * below, below + z * density


def _normal(z: Array) -> Pair:
    """The cumulative probability and the density of the standard normal law, to 1e-12.

    NumPy has no error function, and the standard library's takes one number at a time: it fills a
    table once, between whose places a cubic meets its values and its slopes.
    """
    table, slopes = _table()
    place = np.clip((z + _FAR) * _STEPS, 0.0, table.size - 1.000001)
    cell = place.astype(np.intp)
    t = place - cell
    below, above = table[cell], table[cell + 1]
    rise = above - below
    start, end = slopes[cell] / _STEPS, slopes[cell + 1] / _STEPS
    square, cube = 3 * rise - 2 * start - end, start + end - 2 * rise
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return below + t * (start + t * (square + t * cube)), density


_FAR, _STEPS = 9, 512


@cache
def _table() -> Pair:
    places = np.arange(-_FAR * _STEPS, _FAR * _STEPS + 1) / _STEPS
    values = [math.erfc(-x / math.sqrt(2)) / 2 for x in places.tolist()]
    return np.array(values), np.exp(-(places**2) / 2) / math.sqrt(2 * math.pi)


def _silu(z: Array) -> Pair:
    share = _logistic(z)
    return z * share, share * (1 + z * _logistic(-z))


def _softplus(z: Array) -> Pair:
    return np.logaddexp(0.0, z), _logistic(z)


def _mish(z: Array) -> Pair:
    plus, share = _softplus(z)
    bent, slope = _tanh(plus)
    return z * bent, bent + z * slope * share


def _softsign(z: Array) -> Pair:
    spread = 1 + np.abs(z)
    return z / spread, spread**-2


_FUNCTIONS: dict[str, Callable[[Array], Pair]] = {
    "elu": _elu,
    "gelu": _gelu,
    "linear": _linear,
    "mish": _mish,
    "relu": _relu,
    "selu": _selu,
    "sigmoid": _sigmoid,
    "silu": _silu,
    "softplus": _softplus,
    "softsign": _softsign,
    "tanh": _tanh,
}

_ALIASES = {"identity": "linear", "logistic": "sigmoid", "swish": "silu"}

#: The names of the activations.
ACTIVATIONS = tuple(sorted((*_FUNCTIONS, "leaky_relu")))
