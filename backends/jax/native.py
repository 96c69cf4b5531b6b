"""The laws drawn by ``jax.nn.initializers``: another stream, with JAX's own promises.

The numbers are bit for bit JAX's for the same key, in every dtype, for the laws that it has; eager
as eager, and inside ``jit`` as inside ``jit``: XLA multiplies two constants into one there, so that
JAX's own ``normal`` has other last bits.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import initializers

from ...errors import SpecError
from ...spec.distribution import Distribution, Normal, Scale, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.tensor_laws import DeltaOrthogonal, Orthogonal, Sparse, alone
from ...stream.placement import Placement
from .kernel import index

#: The kinds that are drawn here; the others are the host's, or are drawn by the user's code.
KINDS = (
    *("constant", "uniform", "normal", "truncated_normal"),
    *("orthogonal", "delta_orthogonal", "sparse"),
)


def draw(key: Any, law: Distribution, place: Placement, dtype: str) -> Any:
    """An array of the law on a whole tensor, from a key of any implementation."""
    shape = place.shape
    match law:
        case Uniform(low, high) if law.scale is not None and low == -high:
            return _scaled(key, law.scale, "uniform", shape, dtype)
        case Uniform(low, high):
            return jax.random.uniform(key, shape, dtype, low, high)
        case Normal(0.0) if law.scale is not None:
            return _scaled(key, law.scale, "normal", shape, dtype)
        case Normal(mu, sigma):
            return _shifted(initializers.normal(sigma)(key, shape, dtype), mu)
        case TruncatedNormal(0.0, _, -2.0, 2.0) if law.scale is not None:
            return _scaled(key, law.scale, "truncated_normal", shape, dtype)
        case TruncatedNormal(mu, sigma, low, high):
            cut = initializers.truncated_normal(sigma, lower=low, upper=high)
            return _shifted(cut(key, shape, dtype), mu)
        case _ if law.kind == "constant":
            return initializers.constant(law.mean)(key, shape, dtype)
    wide = "float64" if dtype == "float64" else "float32"  # LAPACK knows no narrow types
    return _structured(key, law, place, wide).astype(dtype)


def _scaled(key: Any, scale: Scale, name: str, shape: Shape, dtype: str) -> Any:
    """By JAX's own function, told that the fan is one, and the variance."""
    if 0 in shape:
        return jnp.zeros(shape, dtype)
    variance = scale.variance
    if scale.mode == "FAN_GEO_AVG":  # JAX takes a power, which the root differs from in a last bit
        variance = scale.factor / (float(scale.fans.fan_in) * scale.fans.fan_out) ** 0.5
    every = tuple(range(len(shape)))
    init = initializers.variance_scaling(variance, "fan_in", name, (), (), every)  # type: ignore[arg-type]
    return init(key, shape, dtype)


def _shifted(numbers: Any, mean: float) -> Any:
    return numbers + jnp.array(mean, numbers.dtype) if mean else numbers


def _structured(key: Any, law: Distribution, place: Placement, kind: str) -> Any:
    match law:
        case Orthogonal() if axes := alone(law, place.shape, place.layout):
            return initializers.orthogonal(law.gain, axes[-1])(key, place.shape, kind)
        case Orthogonal():
            return _stored(_matrices(key, law, kind), place)
        case DeltaOrthogonal():
            matrix = Orthogonal(law.gain, law.count, law.rows, law.columns)
            taps = jnp.zeros((law.count, law.taps, law.rows, law.columns), kind)
            if taps.size:
                taps = taps.at[:, law.middle].set(_matrices(key, matrix, kind))
            return _stored(taps, place)
        case Sparse():
            size = (law.count, law.rows, law.columns)
            words = jax.random.bits(jax.random.fold_in(key, 1), size)
            rank = jnp.argsort(jnp.argsort(words, axis=law.axis), axis=law.axis)
            numbers = jax.random.normal(key, size, kind) * law.sigma
            kept = rank >= law.zeros
            return _stored(jnp.where(kept, numbers, 0.0), place)
    raise SpecError(f"jax.random does not draw {law!r}.")


def _matrices(key: Any, law: Orthogonal, kind: str) -> Any:
    """The matrices of a law in canonical order, each with a key of its own if there are more."""
    make = initializers.orthogonal(law.gain)
    size = (law.rows, law.columns)
    if law.count == 0:
        return jnp.zeros((0, *size), kind)
    if law.count == 1:
        return make(key, size, kind)[None]
    return jax.vmap(lambda key: make(key, size, kind))(jax.random.split(key, law.count))


def _stored(canonical: Any, place: Placement) -> Any:
    """A whole tensor, from its canonical order to that of its layout."""
    flat = canonical.reshape(-1)
    if not flat.size:
        return jnp.zeros(place.shape, flat.dtype)
    return flat.at[index(place.shape, place.layout)].get(mode="promise_in_bounds")
