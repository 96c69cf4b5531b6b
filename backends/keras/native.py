"""Keras' own samplers and initializers: what ``stream="native"`` draws with."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ... import stream as _stream
from ...errors import SpecError
from ...spec.custom import CustomLaw
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.tensor_laws import Orthogonal, Stencil, alone
from ...stream import dtypes
from ...stream.placement import Placement
from ..cpu import laws as host_laws
from .framework import traced
from .seeds import state_key

Tensor = Any


def draw(law: Distribution, place: Placement, seed: Any, dtype: str) -> Tensor:
    """A tensor of the law on a whole tensor, from a seed that Keras takes, or a generator.

    Raises :class:`SpecError` for bounds that Keras does not know, and inside a traced program for
    a law that the host finishes.
    """
    shape = place.shape
    match law:
        case Normal(mu, sigma):
            return keras.random.normal(shape, mu, sigma, dtype, seed)
        case Uniform(low, high):
            return keras.random.uniform(shape, low, high, dtype, seed)
        case TruncatedNormal(mu, sigma, -2.0, 2.0):
            return keras.random.truncated_normal(shape, mu, sigma, dtype, seed)
        case TruncatedNormal():
            raise SpecError(
                "Keras truncates a normal law at two standard deviations, not from "
                f'{law.low:g} to {law.high:g}: use stream="portable".'
            )
        case Orthogonal() if 0 not in shape and (axes := alone(law, shape, place.layout)):
            return keras.ops.cast(_orthogonal(law, shape, axes[-1], dtype, seed), dtype)
        case Stencil(profiles=()) if place.layout.axes in ("io", "oi") and law.groups == 1:
            return keras.initializers.Identity(law.gain)(shape, dtype)
        case _ if law.kind == "constant":
            return keras.initializers.Constant(law.mean)(shape, dtype)
    return _finished(law, place, dtype, seed)


def _orthogonal(law: Orthogonal, shape: Shape, axis: int, dtype: str, seed: Any) -> Tensor:
    """By Keras' own initializer, around an axis that may be its last; in float32 for the narrow
    types, of which there is no QR.
    """
    around = tuple(size for place, size in enumerate(shape) if place != axis)
    wide = "float64" if dtype == "float64" else "float32"
    init = keras.initializers.Orthogonal(law.gain, seed)
    return keras.ops.moveaxis(init((*around, shape[axis]), wide), -1, axis)


def _finished(law: Distribution, place: Placement, dtype: str, seed: Any) -> Tensor:
    """A law of a whole tensor, which the host makes of Keras' random numbers."""
    generated = isinstance(seed, keras.random.SeedGenerator)
    key = (0, 0)
    if isinstance(law, CustomLaw):  # a user's own code
        key = state_key(seed, None) if generated else _stream.key_from_seed(seed)
    if traced():
        raise SpecError(
            f'stream="native" finishes {law.kind!r} on the host, which a traced program cannot '
            'wait for: use stream="portable".'
        )
    other = seed if generated else (seed + 1) % 2**31

    def normals(size: Shape) -> NDArray[np.float64]:
        numbers = keras.random.normal(size, seed=seed)
        return np.asarray(keras.ops.convert_to_numpy(numbers), np.float64)

    def ranks(size: Shape) -> NDArray[np.uint32]:
        words = keras.random.randint(size, 0, 2**31 - 1, seed=other)
        return np.asarray(keras.ops.convert_to_numpy(words), np.uint32)

    out = np.empty(place.shape, dtypes.storage(dtype))
    host_laws.structured(out, law, place, dtype, normals, ranks, key)
    return keras.ops.convert_to_tensor(dtypes.typed(out, dtype))
