"""The native stream on TensorFlow is that of its own initializers of TF 2, bit for bit.

``tf.initializers`` is Keras's (see ``test_parity_keras.py``). What TensorFlow has apart from Keras
are the public ``tf.random_normal_initializer`` and its like, and their private siblings in
``init_ops_v2``, which draw by ``tf.random.stateless_*`` with the seed ``[seed, 0]``. The
initializers of ``tf.compat.v1`` draw from a stateful operation: no seed names their numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from initspec import get

v2 = pytest.importorskip("tensorflow.python.ops.init_ops_v2")

DTYPES = ("float32", "float64", "bfloat16", "float16")
Arguments = Callable[[random.Random], dict[str, Any]]


def same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes()


def native(name: str, seed: Any = None, **arguments: Any) -> Any:
    return get(f"{name}@keras", **arguments).tensorflow(seed=seed, stream="native")


def fixed(rng: random.Random) -> dict[str, Any]:
    return {}


def normal(rng: random.Random) -> dict[str, Any]:
    return {"mean": rng.choice([0.0, rng.uniform(-2, 2)]), "stddev": 2 * rng.random()}


def uniform(rng: random.Random) -> dict[str, Any]:
    low = rng.uniform(-2, 2)
    return {"minval": low, "maxval": low + rng.random()}


def scaling(rng: random.Random) -> dict[str, Any]:
    return {
        "scale": rng.choice([1.0, 2.0, 3 * rng.random()]),
        "mode": rng.choice(["fan_in", "fan_out", "fan_avg"]),
        "distribution": rng.choice(["truncated_normal", "untruncated_normal", "uniform"]),
    }


def gain(rng: random.Random) -> dict[str, Any]:
    return {"gain": rng.choice([1.0, 2 * rng.random()])}


LAWS: dict[str, tuple[Any, Arguments]] = {
    "normal": (tf.random_normal_initializer, normal),
    "uniform": (tf.random_uniform_initializer, uniform),
    "truncated_normal": (v2.TruncatedNormal, normal),
    "variance_scaling": (v2.VarianceScaling, scaling),
    "glorot_normal": (v2.GlorotNormal, fixed),
    "glorot_uniform": (v2.GlorotUniform, fixed),
    "he_normal": (v2.he_normal, fixed),
    "he_uniform": (v2.he_uniform, fixed),
    "lecun_normal": (v2.lecun_normal, fixed),
    "lecun_uniform": (v2.lecun_uniform, fixed),
    "orthogonal": (v2.Orthogonal, gain),
}


def sizes(rng: random.Random) -> tuple[int, ...]:
    kernel = (rng.randint(1, 4) for _ in range(rng.randint(0, 3)))
    return (*kernel, rng.randint(1, 40), rng.randint(1, 60))


@pytest.mark.parametrize("name", LAWS)
def test_equal_to_tensorflow_s_own(name: str) -> None:
    own, make = LAWS[name]
    rng = random.Random(name)
    for seed in range(100):
        dtype, shape, arguments = DTYPES[seed % 4], sizes(rng), make(rng)
        if name == "orthogonal" and dtype in ("bfloat16", "float16"):
            continue  # TensorFlow has none
        made = native(name, seed, **arguments)(shape, dtype)
        theirs = own(**arguments, seed=seed)(shape, tf.as_dtype(dtype))
        assert same(made, theirs), (seed, shape, dtype, arguments)


def test_the_seeds_that_fit_an_int32() -> None:
    """Those above are split in two words: XLA reads a seed of 64 bits otherwise than eager mode."""
    for seed in (0, 7, 2**31 - 1):
        made = native("normal", seed)((6, 5))
        assert same(made, tf.random_normal_initializer(seed=seed)((6, 5)))
        numbers = tf.random.stateless_normal((6, 5), [seed, 0], 0.0, 0.05)
        assert same(made, numbers)


def test_inside_a_program() -> None:
    ours, own = native("he_uniform", 3), v2.he_uniform(3)
    inside = tf.function(lambda init: init((9, 6)))
    assert same(inside(lambda shape: ours(shape)), inside(lambda shape: own(shape)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_fixed_laws(dtype: str) -> None:
    rng, kind = random.Random(0), tf.as_dtype(dtype)
    for _ in range(30):
        value, shape = rng.uniform(-3, 3), sizes(rng)
        made = native("constant", value=value)(shape, dtype)
        assert same(made, tf.constant_initializer(value)(shape, kind))
    assert same(native("zeros")((3, 2), dtype), tf.zeros_initializer()((3, 2), kind))
    assert same(native("ones")((4,), dtype), tf.ones_initializer()((4,), kind))
    made = native("identity", gain=1.5)((3, 5), dtype)
    assert same(made, v2.Identity(1.5)((3, 5), kind))


def test_orthogonal_around_another_axis() -> None:
    init = get("orthogonal@keras").tensorflow(seed=1, stream="native", layout="oihw")
    theirs = v2.Orthogonal(seed=1)((3, 2, 4, 12))
    made = init((12, 3, 2, 4))
    assert np.array_equal(made, np.moveaxis(theirs.numpy(), -1, 0))
