"""TensorFlow's seeds and keys: integers where they are known, tensors inside a traced function."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import tensorflow as tf

from ...errors import StreamError
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
            f"{source.shape} and {source.dtype.name}: of a batch of keys take one at a time."
        )
    source = tf.convert_to_tensor(source)
    if source.shape.rank == 0:
        high, low = kernel.halves(source)
        return _word(high), _word(low)
    high, low = tf.unstack(source)
    return _word(high), _word(low)


def pair_of(key: Any) -> Key:
    """The words of what a caller takes for a key; raises :class:`StreamError` for another thing."""
    if is_tensor(key):
        return words_of(key)
    if not isinstance(key, (tuple, list, np.ndarray)) or len(key) != 2:
        raise _no_key(key)
    high, low = key
    return _word(high), _word(low)


def _word(word: Any) -> Any:
    """An integer where the word is known, else a tensor of uint32.

    A tensor of signed integers has the bits of a word, as TensorFlow's own seeds do.
    """
    bits, least = word, 0
    if is_tensor(word):
        if not word.dtype.is_integer or word.shape != ():
            raise _no_key(word)
        bits, least = tf.get_static_value(word), -(2**31)
        if bits is None:
            return word if word.dtype == tf.uint32 else kernel.halves(word)[1]
    try:
        number = operator.index(bits)
    except TypeError:
        raise _no_key(word) from None
    if not least <= number < 2**32:
        raise _no_key(word)
    return number & 0xFFFFFFFF


def _no_key(key: Any) -> StreamError:
    return StreamError(
        f"a key is two words of 32 bits, as key() gives them, not {key!r}: key(seed) makes one of "
        "an integer."
    )


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
