"""Where an array of JAX lies: shardings, meshes and constraints."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ...errors import SpecError

try:
    from jax._src.core import trace_state_clean as _clean
except ImportError:  # not public: asked of an operation's result where it has gone

    def _clean() -> bool:
        return not isinstance(jnp.zeros(()), jax.core.Tracer)


def untraced() -> bool:
    """Whether no program is being traced."""
    return bool(_clean())


def put(array: Any) -> Any:
    """A host array as JAX's, where its operations put theirs."""
    mesh = mesh_of()
    return jax.device_put(array, None if mesh is None else everywhere(mesh))


def everywhere(mesh: Any) -> Any:
    """The sharding of an array that each device holds whole."""
    return jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())  # type: ignore[no-untyped-call]


def constrained(array: Any, sharding: Any) -> Any:
    """The array, sharded so where its program runs."""
    if getattr(getattr(sharding, "mesh", None), "explicit_axes", ()):
        return jax.sharding.reshard(array, sharding)  # type: ignore[no-untyped-call]
    return lax.with_sharding_constraint(array, sharding)  # type: ignore[no-untyped-call]


def mesh_of() -> Any:
    """The mesh that is set, if there is one."""
    current = getattr(jax.sharding, "get_abstract_mesh", None)
    if current is None or current().empty:
        return None
    return jax.sharding.get_mesh() if untraced() else current()


def sharding_of(wanted: Any) -> Any:
    """A sharding with its mesh; raises :class:`SpecError` for what is none."""
    if isinstance(wanted, jax.sharding.PartitionSpec):
        mesh = mesh_of()
        if mesh is None:
            raise SpecError(
                f"out_sharding={wanted} needs a mesh: set one with jax.set_mesh, or pass a "
                "NamedSharding."
            )
        return jax.sharding.NamedSharding(mesh, wanted)
    if wanted is not None and not isinstance(wanted, jax.sharding.Sharding):
        raise SpecError(f"out_sharding is a NamedSharding or a PartitionSpec, not {wanted!r}.")
    return wanted


def placed(make: Any, arguments: tuple[Any, ...], sharding: Any) -> Any:
    """What ``make`` makes of the arguments, sharded."""
    if sharding is None:
        return make(*arguments)
    if untraced():
        return jax.device_put(make(*arguments), sharding)
    explicit = getattr(getattr(sharding, "mesh", None), "explicit_axes", ())
    if not explicit:
        return constrained(make(*arguments), sharding)
    auto = jax.sharding.auto_axes(make, axes=explicit, out_sharding=sharding)
    return auto(*(jnp.asarray(n, np.uint32) if isinstance(n, int) else n for n in arguments))
