"""Laws that the host draws for JAX, eager or within a program that is traced."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...spec.distribution import Distribution
from ...stream import dtypes
from ...stream.placement import Placement
from ..cpu import fill as cpu_fill
from ..cpu import laws as host_laws
from .kernel import Pair
from .keys import default_device, known
from .sharding import constrained, everywhere, mesh_of, put, untraced

_LARGE = 2**22  # where XLA, its compilation included, is as fast as the kernel in NumPy


def on_host(key: Pair, size: int) -> bool:
    """Whether the host's kernel serves: it knows the key, the array is wanted now and in the
    memory of the host, and no compiled program would overtake it.
    """
    here = known(key) and untraced() and default_device().platform == "cpu"
    return here and (size < _LARGE or cpu_fill.compiled())


def host_array(law: Distribution, place: Placement, dtype: str, key: Pair) -> Any:
    """A host array that JAX takes over without a copy."""
    out = host_laws.aligned(place.extent, dtype)
    host_laws.fill(out, law, place, key=key, dtype=dtype)
    return out.view(jnp.dtype(dtype))


def structured(law: Distribution, place: Placement, dtype: str) -> Any:
    """A function of a key's words that gives a law whose elements are tied together.

    The host makes it, also inside a program: a matrix is orthogonalised by one library alone.
    """
    size, kind = place.extent, jnp.dtype(dtype)

    def make(high: Any, low: Any) -> Any:
        if law.kind == "constant":
            return jnp.full(size, dtypes.rounded(np.array(law.mean), dtype).view(kind), kind)
        if known((high, low)) and untraced():
            return put(host_array(law, place, dtype, (high, low)))
        array = jax.pure_callback(
            lambda *key: host_array(law, place, dtype, (int(key[0]), int(key[1]))),
            jax.ShapeDtypeStruct(size, kind),  # type: ignore[no-untyped-call]
            jnp.asarray(high, np.uint32),
            jnp.asarray(low, np.uint32),
            vmap_method="sequential",
        )
        # What a callback gives is on one device, which a program under a mesh cannot return.
        mesh = mesh_of()
        return array if mesh is None else constrained(array, everywhere(mesh))

    return make
