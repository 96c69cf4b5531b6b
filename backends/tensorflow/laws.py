"""Laws that tie the elements of a tensor together, in programs of TensorFlow that are traced."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from ...errors import StreamError
from ...spec.custom import CustomLaw, takes_rng
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ...spec.tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil
from ...stream.canonical_order import Window
from . import kernel

Tensor = Any
Draws = Callable[[Shape], Tensor]


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


def placed(numbers: Tensor, shape: Shape, layout: Layout, window: Window) -> Tensor:
    """The window of a tensor, from all its numbers in canonical order."""
    flat = tf.reshape(numbers, [-1])
    return tf.gather(flat, tf.cast(kernel.index(shape, layout, window, wide=True), tf.int64))


def rounded(numbers: Tensor, dtype: str) -> Tensor:
    """Numbers of float64 or float32 in a dtype, narrow ones by way of float32."""
    return numbers if dtype == "float64" else tf.cast(tf.cast(numbers, tf.float32), dtype)


def needs_key(law: Distribution) -> bool:
    """Whether the numbers change with the key."""
    match law:
        case Stencil() | Given():
            return False
        case CustomLaw():
            return law.custom.ppf is not None or takes_rng(law.custom)
    return law.kind != "constant"


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
    found = tf.numpy_function(
        lambda p: np.asarray(law.custom.ppf(p), np.float64), [p], tf.float64, stateful=False
    )
    return tf.ensure_shape(found, words.shape)


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
