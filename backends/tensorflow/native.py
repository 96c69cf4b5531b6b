"""TensorFlow's own sampler, stateless and by Philox: what ``stream="native"`` draws with."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.tensor_laws import Orthogonal, alone
from ...stream.placement import Placement
from . import laws
from .keys import Key, tensors

Tensor = Any


def draw(law: Distribution, place: Placement, key: Key, dtype: str) -> Tensor:
    """A tensor of the law on a whole tensor; the low word of the key is the first of the seed."""
    high, low = tensors(key)
    seed = tf.bitcast(tf.stack([low, high]), tf.int32)
    if isinstance(law, (Normal, Uniform, TruncatedNormal)):
        return _numbers(law, place.shape, seed, tf.as_dtype(dtype))
    if isinstance(law, Orthogonal) and (axes := alone(law, place.shape, place.layout)):
        matrix = laws.orthogonal(law, place.shape, axes[-1], seed, _wide(dtype))
        return tf.cast(matrix, dtype)

    def normals(size: Shape) -> Tensor:
        return tf.random.stateless_normal(size, seed, dtype=tf.float64, alg="philox")

    def words(size: Shape) -> Tensor:
        return tf.random.stateless_uniform(
            size, tf.bitwise.invert(seed), None, None, tf.uint32, alg="philox"
        )

    return laws.structured(law, place, dtype, normals, words, key)


def _numbers(
    law: Normal | Uniform | TruncatedNormal, shape: Shape, seed: Tensor, kind: Any
) -> Tensor:
    random = tf.random
    if isinstance(law, Uniform):
        return random.stateless_uniform(shape, seed, law.low, law.high, kind, alg="philox")
    if isinstance(law, Normal):
        return random.stateless_normal(shape, seed, law.mu, law.sigma, kind, alg="philox")
    if (law.low, law.high) == (-2.0, 2.0):
        return random.stateless_truncated_normal(shape, seed, law.mu, law.sigma, kind, alg="philox")
    wide = _wide(kind.name)  # there is no narrow one
    numbers = (law.mu, law.sigma, *law.support)
    mean, std, low, high = (tf.constant(n, wide) for n in numbers)
    cut = random.stateless_parameterized_truncated_normal(shape, seed, mean, std, low, high)
    return tf.cast(cut, kind)


def _wide(dtype: str) -> Any:
    """The type in which TensorFlow draws where it has no narrow one."""
    return tf.float64 if dtype == "float64" else tf.float32
