"""JAX's keys, typed and legacy, as the two words of the portable stream."""

from __future__ import annotations

import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ... import stream as _stream
from ...errors import StreamError
from ...stream.reference import fresh_key
from .kernel import Pair


def pair_of(key: Any) -> Pair:
    """The words of what a caller takes for a key, which may be one of JAX's.

    Raises :class:`StreamError` for another thing, a seed included.
    """
    if isinstance(key, (tuple, list)) and len(key) == 2:
        high, low = key
        return _word(high), _word(low)
    if _is_typed(key) or _is_legacy(key):
        return key_pair(key)
    raise _no_key(key)


def _word(word: Any) -> Any:
    """An integer, or an array of uint32 where the word is traced or lives on another device."""
    if isinstance(word, jax.Array) and word.shape == () and word.dtype == np.uint32:
        return word
    if isinstance(word, jax.core.Tracer):
        if word.shape or not jnp.issubdtype(word.dtype, np.integer):
            raise _no_key(word)
        return word.astype(np.uint32)
    try:
        number = operator.index(word)
    except TypeError:
        raise _no_key(word) from None
    if not 0 <= number < 2**32:
        raise _no_key(word)
    return number


def _no_key(key: Any) -> StreamError:
    array = f"an array of {key.dtype} of shape {key.shape}" if hasattr(key, "dtype") else repr(key)
    return StreamError(
        f"a key is jax.random.key(seed), or two words of uint32, not {array}: make one with "
        "jax.random.key(seed) or the backend's key(seed)."
    )


def key_pair(source: Any) -> Pair:
    """The two words of a key, or of a seed."""
    if isinstance(source, tuple) and len(source) == 2:
        return pair_of(source)
    typed = _is_typed(source)
    if not typed and not _is_legacy(source):
        if hasattr(source, "dtype") and (
            source.shape or not jnp.issubdtype(source.dtype, np.integer)
        ):
            raise _no_key(source)
        if isinstance(source, jax.core.Tracer):
            raise StreamError(
                f"a key was expected, and {source} came, which is traced: make a key of a traced "
                "seed with jax.random.key(seed)."
            )
        return _stream.key_from_seed(source)
    _check_single(source)
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


def _is_typed(source: Any) -> bool:
    return hasattr(source, "dtype") and jnp.issubdtype(source.dtype, jax.dtypes.prng_key)


def _is_legacy(source: Any) -> bool:
    return getattr(source, "dtype", None) == np.uint32 and source.ndim > 0


def _check_single(key: Any) -> None:
    """Refuse a batch of keys, typed or legacy."""
    batch = key.shape if _is_typed(key) else key.shape[:-1]
    if batch:
        raise StreamError(
            f"one key is needed, not a batch of them of shape {batch}: map over the keys with "
            "jax.vmap(lambda key: init(key, shape))."
        )


def typed_key(source: Any) -> Any:
    """A key for ``jax.random``."""
    if _is_typed(source):
        _check_single(source)
        return source
    if _is_legacy(source) and source.ndim == 1 and source.shape != (2,):
        (size,) = jax.random.key_data(jax.random.key(0)).shape  # of the default implementation
        if source.shape != (size,):
            raise StreamError(
                f"a key of JAX's default implementation has {size} words, and one of "
                f"{len(source)} came: make it with jax.random.key(seed)."
            )
        return jax.random.wrap_key_data(source)
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
