"""TensorFlow's seeds and keys: integers where they are known, tensors inside a traced function."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...errors import StreamError
from ...stream.reference import checked_key
from . import kernel

Tensor = Any
#: Two words, each an integer, or a tensor of uint32.
Key = tuple[Any, Any]


def is_tensor(value: Any) -> bool:
    """What TensorFlow says, who takes long to say it of Python's own values."""
    return not isinstance(value, (int, tuple)) and bool(tf.is_tensor(value))


def is_source(seed: Any) -> bool:
    """Whether a seed is an object of TensorFlow's: a tensor, or a generator."""
    return is_tensor(seed) or isinstance(seed, tf.random.Generator)


def words_of(source: Tensor) -> Key:
    """The words of an integer tensor: of one seed, or of a key's two."""
    if not source.dtype.is_integer or source.shape not in ((), (2,)):
        raise StreamError(
            "a seed is one integer, or the two words of a key, not a tensor of shape "
            f"{source.shape} and {source.dtype.name}."
        )
    source = tf.convert_to_tensor(source)
    if source.shape.rank == 0:
        high, low = kernel.halves(source)
    else:
        high, low = tf.unstack(kernel.halves(source)[1])
    return _word(high), _word(low)


def pair_of(key: Any) -> Key:
    """The words of what a caller takes for a key; raises :class:`StreamError` for another thing."""
    pair = words_of(key) if is_tensor(key) else key
    if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
        raise StreamError(f"a key is two words of 32 bits, as key() gives them, not {key!r}.")
    if not any(map(is_tensor, pair)):
        return checked_key(pair)
    high, low = pair
    return _word(high), _word(low)


def _word(word: Any) -> Any:
    """An integer where the word is known, else a tensor of uint32."""
    if not is_tensor(word):
        return int(word)
    known = tf.get_static_value(word)
    return tf.cast(word, tf.uint32) if known is None else int(known) & 0xFFFFFFFF


def known(key: Key) -> bool:
    """Whether the words of a key are plain integers."""
    return isinstance(key[0], int) and isinstance(key[1], int)


def eager(key: Key) -> bool:
    """Whether the tensor is wanted now."""
    return bool(tf.executing_eagerly()) and known(key)


def tensors(key: Key) -> kernel.Key:
    """The words as tensors of uint32."""
    high, low = (tf.constant(w, tf.uint32) if isinstance(w, int) else w for w in key)
    return high, low
