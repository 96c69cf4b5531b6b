"""JAX's keys, typed and legacy, as the two words of the portable stream."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ... import stream as _stream
from ...errors import StreamError
from ...stream.reference import checked_key, fresh_key
from .kernel import Pair


def key_pair(source: Any) -> Pair:
    """The two words of a key, or of a seed."""
    if isinstance(source, tuple) and len(source) == 2:
        return checked_pair(source)
    typed = _is_typed(source)
    if not typed and not _is_legacy(source):
        if isinstance(source, jax.core.Tracer):
            raise StreamError(
                f"a key was expected, and {source} came, which is traced: make a key of a traced "
                "seed with jax.random.key(seed)."
            )
        return _stream.key_from_seed(source)
    batch = source.shape if typed else source.shape[:-1]
    if batch:
        raise StreamError(
            f"one key is needed, not a batch of them of shape {batch}: map over the keys with "
            "jax.vmap(lambda key: init(key, shape))."
        )
    data = jax.random.key_data(source) if typed else source
    if data.shape != (2,):
        kind = f"of {jax.random.key_impl(source)} " if typed else ""
        raise StreamError(
            f"a key {kind}has {32 * data.size} bits, and the portable stream takes 64: make it "
            'with jax.random.key(seed, impl="threefry2x32"), or use stream="native".'
        )
    if isinstance(data, jax.core.Tracer) or not _local(data):
        return data[0], data[1]
    high, low = np.asarray(data).tolist()
    return high, low


def checked_pair(key: Any) -> Pair:
    """The two words of a key, which may be traced; raises :class:`StreamError` for others."""
    traced = isinstance(key, tuple) and any(isinstance(word, jax.Array) for word in key)
    return key if traced else checked_key(key)


def _is_typed(source: Any) -> bool:
    return hasattr(source, "dtype") and jnp.issubdtype(source.dtype, jax.dtypes.prng_key)


def _is_legacy(source: Any) -> bool:
    return getattr(source, "dtype", None) == np.uint32 and source.ndim > 0


def typed_key(source: Any) -> Any:
    """A key for ``jax.random``."""
    if _is_typed(source):
        return source
    if _is_legacy(source) and source.ndim == 1 and source.shape != (2,):
        return jax.random.wrap_key_data(source)  # of the default implementation
    pair = jnp.array(fresh_key() if source is None else key_pair(source), np.uint32)
    return jax.random.wrap_key_data(pair, impl="threefry2x32")


def named(key: Any, name: str | None) -> Any:
    """The key of a named parameter, as ``jax.random`` folds a name in."""
    for half in () if name is None else _stream.name_hash(name):
        key = jax.random.fold_in(key, half)
    return key


def known(key: Pair) -> bool:
    """Whether the words of a key are plain integers."""
    return isinstance(key[0], int) and isinstance(key[1], int)


def _local(key: Any) -> bool:
    """Whether an array lives where new ones are made."""
    return not isinstance(key, jax.Array) or key.devices() == {default_device()}


def default_device() -> Any:
    """Where JAX makes new arrays."""
    device = getattr(jax.config, "jax_default_device", None)
    if isinstance(device, str):
        return jax.local_devices(backend=device)[0]
    return device or jax.local_devices()[0]
