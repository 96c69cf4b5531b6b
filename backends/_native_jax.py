"""The laws drawn by ``jax.random``: another stream, with JAX's own promises."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from ..distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..errors import SpecError
from ..layout import Layout, Shape
from ..structure import DeltaOrthogonal, Orthogonal, Sparse
from ._kernel_jax import index

#: The kinds that are drawn here; the others are not random, or are drawn by the user's code.
KINDS = ("uniform", "normal", "truncated_normal", "orthogonal", "delta_orthogonal", "sparse")


@partial(jax.jit, static_argnums=(1, 2, 3, 4))
def draw(key: Any, law: Distribution, shape: Shape, layout: Layout, dtype: str) -> Any:
    """An array of the law, from a key of any implementation; narrow types by way of float32."""
    kind = "float64" if dtype == "float64" else "float32"
    return _draw(key, law, shape, layout, kind).astype(dtype)


def _draw(key: Any, law: Distribution, shape: Shape, layout: Layout, kind: str) -> Any:
    match law:
        case Uniform():
            return jax.random.uniform(key, shape, kind, law.low, law.high)
        case Normal():
            return jax.random.normal(key, shape, kind) * law.sigma + law.mu
        case TruncatedNormal():
            standard = jax.random.truncated_normal(key, law.low, law.high, shape, kind)
            return standard * law.sigma + law.mu
        case Orthogonal():
            return _stored(_orthogonal(key, law, kind), shape, layout)
        case DeltaOrthogonal():
            matrix = Orthogonal(law.gain, law.count, law.rows, law.columns)
            found = jnp.zeros((law.count, law.taps, law.rows, law.columns), kind)
            if found.size:
                found = found.at[:, law.middle].set(_orthogonal(key, matrix, kind))
            return _stored(found, shape, layout)
        case Sparse():
            size = (law.count, law.rows, law.columns)
            order = jnp.argsort(jax.random.bits(jax.random.fold_in(key, 1), size), axis=1)
            numbers = jax.random.normal(key, size, kind) * law.sigma
            kept = jnp.argsort(order, axis=1) >= law.zeros
            return _stored(jnp.where(kept, numbers, 0.0), shape, layout)
    raise SpecError(f"jax.random does not draw {law!r}.")


def _orthogonal(key: Any, law: Orthogonal, kind: str) -> Any:
    """Haar matrices: QR of normal ones, with the signs of R put right."""
    size = (law.count, law.rows, law.columns)
    if 0 in size:
        return jnp.zeros(size, kind)
    matrix = jax.random.normal(key, size, kind)
    wide = law.rows < law.columns
    q, r = jnp.linalg.qr(matrix.swapaxes(1, 2) if wide else matrix)
    signs = jnp.where(jnp.diagonal(r, axis1=1, axis2=2) < 0, -law.gain, law.gain)
    q = q * signs[:, None, :].astype(kind)
    return q.swapaxes(1, 2) if wide else q


def _stored(canonical: Any, shape: Shape, layout: Layout) -> Any:
    """A whole tensor, from its canonical order to that of its layout."""
    flat = canonical.reshape(-1)
    return (
        flat.at[index(shape, layout)].get(mode="promise_in_bounds")
        if flat.size
        else (jnp.zeros(shape, flat.dtype))
    )
