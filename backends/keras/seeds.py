"""Keras' seeds: integers, seed generators, and the state of one in a traced function."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import keras

from ... import stream as _stream
from ...plugins import backend
from ..cpu.fill import fold_name
from .framework import symbolic


def seed_of(seed: Any) -> Any:
    """A seed, or what makes seeds; refuses what is neither."""
    if isinstance(seed, Mapping):
        seed = keras.saving.deserialize_keras_object(seed)
    if seed is None or isinstance(seed, keras.random.SeedGenerator):
        return seed
    high, low = _stream.key_from_seed(seed)
    return high << 32 | low


def state_key(generator: Any, name: str | None) -> Any:
    """The next key of a ``SeedGenerator``: its seed's, with its count folded in."""
    state = _next(generator)
    if symbolic(state):
        return _traced_key(state[0], state[1], name)
    seed, count = (int(word) for word in keras.ops.convert_to_numpy(state))
    pair = _stream.fold_in(_stream.key_from_seed(seed % 2**64), count % 2**32)
    return fold_name(pair, name)


def _next(generator: Any) -> Any:
    """The state of a ``SeedGenerator``, which advances; where JAX traces as well, which would
    otherwise leave a tracer in it.
    """
    if keras.backend.backend() != "jax" or symbolic(generator.state.value):
        return generator.next()
    import jax

    with jax.ensure_compile_time_eval():
        return generator.next()


def _traced_key(seed: Any, count: Any, name: str | None) -> Any:
    if keras.backend.backend() == "tensorflow":
        from ..tensorflow import kernel

        pair = kernel.fold_in(kernel.halves(seed), kernel.halves(count)[1])
        return kernel.fold_name(pair, name)
    import jax
    import jax.numpy as jnp

    data = jnp.stack([jnp.zeros_like(seed), seed]).astype("uint32")
    typed = jax.random.wrap_key_data(data, impl="threefry2x32")
    return backend("jax").key(jax.random.fold_in(typed, count), name)


#: Where Keras' own seeds end, by its backend; on PyTorch it takes any, modulo 2**32.
_SEEDS = {"tensorflow": 2**63, "jax": 2**32}


def small_seed(source: Any) -> Any:
    """A seed as it is where Keras takes it, else one below ``2**31`` made of all its bits."""
    if isinstance(source, keras.random.SeedGenerator):
        return source
    if source is None:
        return random.getrandbits(31)
    high, low = _stream.key_from_seed(source)
    seed = high << 32 | low
    return seed if seed < _SEEDS.get(keras.backend.backend(), 2**64) else (high ^ low) % 2**31
