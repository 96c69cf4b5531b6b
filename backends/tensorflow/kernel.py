"""The portable stream in TensorFlow's integer operations, for programs that are traced.

Each program is one function that XLA compiles: a single loop that writes the tensor, where
TensorFlow's own executor would write one for each of some two hundred operations.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import tensorflow as tf

from ... import stream
from ...errors import StreamError
from ...spec.integer_form import Draw
from ...stream.canonical_order import digits
from ...stream.placement import Placement

Tensor = Any
#: Two scalars of uint32.
Key = tuple[Tensor, Tensor]

_and, _or, _xor = tf.bitwise.bitwise_and, tf.bitwise.bitwise_or, tf.bitwise.bitwise_xor
_left, _right = tf.bitwise.left_shift, tf.bitwise.right_shift


def _u32(value: Any) -> Tensor:
    return tf.constant(value, tf.uint32)


def _u64(value: int) -> Tensor:
    return tf.constant(value, tf.uint64)


def halves(number: Tensor) -> Key:
    """The high and the low word of integers of 64 bits, or of fewer."""
    wide = tf.cast(number, tf.uint64)
    low = tf.cast(_and(wide, _u64(0xFFFFFFFF)), tf.uint32)
    return tf.cast(_right(wide, _u64(32)), tf.uint32), low


def threefry2x32(key: Key, high: Tensor, low: Tensor) -> tuple[Tensor, Tensor]:
    """Threefry-2x32 with 20 rounds, on tensors of uint32: :func:`initspec.stream.threefry2x32`."""
    k0, k1 = key
    schedule = (k0, k1, _xor(_xor(k0, k1), _u32(stream.PARITY)))
    x0, x1 = high + schedule[0], low + schedule[1]
    for group in range(5):
        for rotation in stream.ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = _or(_left(x1, _u32(rotation)), _right(x1, _u32(32 - rotation)))
            x1 = _xor(x1, x0)
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + (schedule[(group + 2) % 3] + _u32(group + 1))
    return x0, x1


def fold_in(key: Key, data: Any) -> Key:
    """A key of its own for each ``data``, a word: :func:`initspec.stream.fold_in`."""
    return threefry2x32(key, _u32(0), data if tf.is_tensor(data) else _u32(data))


def fold_name(key: Key, name: str | None) -> Key:
    """The key of a named parameter: :func:`initspec.stream.fold_name`."""
    if name is None:
        return key
    high, low = stream.name_hash(name)
    return fold_in(fold_in(key, high), low)


def index(place: Placement, wide: bool) -> Tensor:
    """The canonical index of each element of a window, in uint64 or, if not wide, in uint32."""
    kind = tf.uint64 if wide else tf.uint32
    total = tf.zeros(place.extent, kind)
    axes = zip(place.window, digits(place.shape, place.layout), strict=True)
    for axis, (part, parts) in enumerate(axes):
        count = part.stop - part.start
        along = tf.range(count, dtype=tf.int64) + tf.constant(part.start, tf.int64)
        step = tf.zeros((count,), kind)
        for digit in reversed(parts[1:]):  # the parameters that an axis fuses
            size = max(digit.size, 1)
            step += tf.cast(along % size, kind) * tf.constant(digit.stride, kind)
            along //= size
        step += tf.cast(along, kind) * tf.constant(parts[0].stride, kind)
        total += tf.reshape(step, [count if at == axis else 1 for at in range(len(place.shape))])
    return total


def _words(key: Key, place: Placement) -> Tensor:
    if math.prod(place.shape) <= 2**32:
        high, low = _u32(0), index(place, wide=False)
    else:
        high, low = halves(index(place, wide=True))
    x0, x1 = threefry2x32(key, high, low)
    return _xor(x0, x1)


def _uniform_integer(word: Tensor) -> Tensor:
    return tf.cast(_right(word, _u32(8)), tf.int32) * 2 - (2**24 - 1)


def _normal_integer(word: Tensor) -> Tensor:
    c0, c1 = stream.table()
    positive = _right(word, _u32(31)) > _u32(0)
    tail = _or(tf.where(positive, tf.bitwise.invert(word), word), _u32(1))
    bits = tf.bitcast(tf.cast(tf.cast(tail, tf.int32), tf.float32), tf.uint32)
    chord = tf.cast(_right(bits, _u32(15)), tf.int32) - (127 << 8)
    product = tf.gather(_u32(c1), chord) * _and(bits, _u32(0x7FFF))
    quantile = tf.gather(tf.constant(c0), chord) - tf.cast(_right(product, _u32(12)), tf.int32)
    return tf.where(positive, quantile, -quantile)


def _integer(word: Tensor, draw: Draw) -> Tensor:
    if draw.kind == "uniform":
        return _uniform_integer(word)
    if not draw.truncated:
        return _normal_integer(word)
    product = tf.cast(word, tf.uint64) * _u64(draw.count)
    mapped = tf.cast(_u64(draw.first) + _right(product, _u64(32)), tf.uint32)
    return tf.clip_by_value(_normal_integer(mapped), draw.lowest, draw.highest)


def _values(word: Tensor, draw: Draw, dtype: str) -> Tensor:
    kind = tf.float64 if dtype == "float64" else tf.float32
    if draw.in_type(kind.name).after != 1:
        raise StreamError(
            "XLA rounds numbers below the least normal one to zero, and this law of mean "
            f"{draw.shift:.2g} has such: draw it outside of tf.function, in float64, or larger, "
            "and scale the result."
        )
    number = tf.cast(_integer(word, draw), kind) * tf.constant(draw.scale, kind)
    if draw.shift != 0:
        bound = tf.constant(draw.bound, kind)  # two roundings: see Draw.bound
        number = tf.minimum(number, bound) + tf.constant(draw.shift, kind)
    return tf.cast(number, dtype)


@lru_cache(maxsize=1024)
def _program(draw: Draw | None, dtype: str, place: Placement) -> Any:
    """The compiled function of a key's two words, for one law on one window."""

    def initspec(high: Tensor, low: Tensor) -> Tensor:
        # A zero that TensorFlow takes for unknown: else it would compute the tensor of a known
        # key by itself, operation by operation, while it optimises the graph.
        zero = tf.cast(tf.raw_ops.Empty(shape=[], dtype=tf.int32, init=True), tf.uint32)
        words = _words((high, low + zero), place)
        return words if draw is None else _values(words, draw, dtype)

    word = tf.TensorSpec((), tf.uint32)
    with tf.init_scope():
        program = tf.function(initspec, jit_compile=True, autograph=False)
        return program.get_concrete_function(word, word)


def sample(draw: Draw | None, dtype: str, key: Key, place: Placement) -> Tensor:
    """The numbers of a law on a window of a tensor, or its words if ``draw`` is ``None``.

    ``key`` may be traced. Equal, bit for bit, to :func:`initspec.stream.values`, whether the
    program around it is compiled or not.
    """
    return _program(draw, dtype, place)(*key)
