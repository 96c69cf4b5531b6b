"""Laws that tie the elements of a tensor together, in programs of TensorFlow that are traced."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ...errors import StreamError
from ...spec.custom import CustomLaw
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.integer_form import normal
from ...spec.tensor_laws import DeltaOrthogonal, Orthogonal, Sparse
from ...stream.placement import Placement
from ..chance import draws
from ..cpu import laws as host_laws
from . import kernel
from .keys import Key, known, tensors

Tensor = Any
Draws = Callable[[Shape], Tensor]


def portable(law: Distribution, place: Placement, dtype: str, key: Key) -> Tensor:
    """A law from the portable stream."""
    pair = tensors(key)
    if law.elementwise:
        return kernel.sample(law.draw, dtype, pair, place)

    def normals(size: Shape) -> Tensor:
        return kernel.sample(normal(0.0, 1.0), "float64", pair, _in_order(size))

    def words(size: Shape) -> Tensor:
        return kernel.sample(None, "", kernel.fold_in(pair, 1), _in_order(size))

    return structured(law, place, dtype, normals, words, key)


def _in_order(size: Shape) -> Placement:
    """An array that lies in canonical order itself, whatever its axes."""
    return Placement.of(size, "x" * len(size))


def structured(
    law: Distribution, place: Placement, dtype: str, normals: Draws, words: Draws, key: Key
) -> Tensor:
    """A law whose elements are tied together, from normal numbers of float64 and ranking words."""
    if law.kind == "constant":
        return rounded(tf.fill(place.extent, tf.constant(law.mean, tf.float64)), dtype)
    if not draws(law, place.shape) or (isinstance(law, CustomLaw) and known(key)):
        pair = key if known(key) else (0, 0)
        array = tf.constant(host_laws.draw(law, place, key=pair, dtype=dtype))
        return tf.bitcast(array, tf.bfloat16) if dtype == "bfloat16" else array
    if isinstance(law, CustomLaw):
        return rounded(quantile(law, kernel.sample(None, "", tensors(key), place)), dtype)
    return rounded(placed(canonical(law, normals, words, dtype), place), dtype)


def host_array(law: Distribution, place: Placement, dtype: str, key: Key) -> Tensor:
    """A law that the host's kernel draws now, in memory that TensorFlow takes over."""
    out = host_laws.aligned(place.extent, dtype)
    host_laws.fill(out, law, place, key=key, dtype=dtype)
    return handed(out, dtype)


def handed(array: host_laws.Array, dtype: str) -> Tensor:
    """An aligned array as a tensor, without a copy."""
    tensor = tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.bitcast(tensor, tf.bfloat16) if dtype == "bfloat16" else tensor


def canonical(law: Distribution, normals: Draws, words: Draws, dtype: str) -> Tensor:
    """A whole tensor in canonical order, from normal numbers of float64 and ranking words."""
    match law:
        case Orthogonal():
            return _orthogonal(law, normals)
        case DeltaOrthogonal():
            matrix = _orthogonal(Orthogonal(law.gain, law.count, law.rows, law.columns), normals)
            taps = tf.one_hot(law.middle, law.taps, dtype=tf.float64)
            return matrix[:, None] * taps[None, :, None, None]
        case Sparse():
            return _sparse(law, normals, words, dtype)
    raise TypeError(law)


def orthogonal(law: Orthogonal, shape: Shape, axis: int, seed: Tensor, kind: Any) -> Tensor:
    """A Haar matrix around one axis by TensorFlow's own steps, and so with their bits."""
    if 0 in shape:
        return tf.zeros(shape, kind)
    around = [size for place, size in enumerate(shape) if place != axis]
    rows, columns = math.prod(around), shape[axis]
    size = (max(rows, columns), min(rows, columns))
    q, r = tf.linalg.qr(tf.random.stateless_normal(size, seed, dtype=kind, alg="philox"))
    q *= tf.sign(tf.linalg.diag_part(r))
    if rows < columns:
        q = tf.transpose(q)
    order = [*range(axis), len(shape) - 1, *range(axis, len(shape) - 1)]
    return tf.transpose(law.gain * tf.reshape(q, (*around, columns)), order)


def placed(numbers: Tensor, place: Placement) -> Tensor:
    """The window of a tensor, from all its numbers in canonical order."""
    flat = tf.reshape(numbers, [-1])
    return tf.gather(flat, tf.cast(kernel.index(place, wide=True), tf.int64))


def rounded(numbers: Tensor, dtype: str) -> Tensor:
    """Numbers of float64 or float32 in a dtype, narrow ones by way of float32."""
    return numbers if dtype == "float64" else tf.cast(tf.cast(numbers, tf.float32), dtype)


def quantile(law: CustomLaw, words: Tensor) -> Tensor:
    """A user's quantile function, which Python computes when the program runs.

    Raises :class:`StreamError` where the law has none: its code would need the key while the
    program is traced.
    """
    if law.custom.ppf is None:
        raise StreamError(
            f"{law.custom!r} samples with a generator made from the key, which is not known while "
            "a function is traced: give seed= an integer, make the tensor outside of tf.function, "
            "or define ppf(self, p)."
        )
    p = (tf.cast(words, tf.float64) + 0.5) * 2.0**-32
    numbers = tf.numpy_function(
        lambda p: np.asarray(law.custom.ppf(p), np.float64), [p], tf.float64, stateful=False
    )
    return tf.ensure_shape(numbers, words.shape)


def _orthogonal(law: Orthogonal, normals: Draws) -> Tensor:
    if 0 in (law.count, law.rows, law.columns):
        return tf.zeros((law.count, law.rows, law.columns), tf.float64)
    matrix = normals((law.count, law.rows, law.columns))
    wide = law.rows < law.columns
    q, r = tf.linalg.qr(tf.linalg.matrix_transpose(matrix) if wide else matrix)
    signs = tf.where(tf.linalg.diag_part(r) < 0, -law.gain, law.gain)
    q *= tf.cast(signs, tf.float64)[:, None, :]
    return tf.linalg.matrix_transpose(q) if wide else q


def _sparse(law: Sparse, normals: Draws, words: Draws, dtype: str) -> Tensor:
    size = (law.count, law.rows, law.columns)
    kind = tf.float64 if dtype == "float64" else tf.float32  # as the normal law itself is drawn
    numbers = tf.cast(normals(size), kind) * tf.constant(law.sigma, kind)
    if not law.zeros or 0 in size:
        return numbers
    along = [law.length if axis == law.axis else 1 for axis in range(3)]
    place = tf.reshape(tf.range(law.length, dtype=tf.int64), along)
    rank = tf.cast(words(size), tf.int64) * law.length + place  # no two are equal: ties by index
    last = tf.gather(tf.sort(rank, axis=law.axis), [law.zeros - 1], axis=law.axis)
    return tf.where(rank <= last, tf.zeros((), kind), numbers)
