"""The native stream on Keras is ``keras.initializers``, bit for bit, on each of its backends.

Keras has one backend for each process: without ``KERAS_BACKEND`` in the environment this file
starts pytest on itself once for each of them, as ``test_keras.py`` does.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from initspec import get

if find_spec("keras") is None:
    pytest.skip("could not import 'keras'", allow_module_level=True)

FRAMEWORK = os.environ.get("KERAS_BACKEND")
ON = FRAMEWORK is not None
if ON:
    import keras

if not ON:

    @pytest.mark.slow
    @pytest.mark.parametrize("framework", ["tensorflow", "jax", "torch"])
    def test_on(framework: str) -> None:
        if find_spec(framework) is None:
            pytest.skip(f"could not import {framework!r}")
        env = {**os.environ, "KERAS_BACKEND": framework, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__)
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
        assert " passed" in done.stdout


DTYPES = ("float32", "bfloat16", "float16")
#: On JAX each shape and dtype is compiled; elsewhere every seed has a shape of its own.
SHAPES = {
    "float32": ((3, 2, 5, 8), (7, 12), (2, 9, 4)),
    "bfloat16": ((3, 2, 5, 8),),
    "float16": ((3, 2, 5, 8),),
}


def host(tensor: Any) -> tuple[str, bytes]:
    """The dtype and the bits: all three have their numbers in float32."""
    name = keras.backend.standardize_dtype(tensor.dtype)
    return name, keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")).tobytes()


def native(name: str, seed: Any = None, **arguments: Any) -> Any:
    return get(f"{name}@keras", **arguments).keras(seed=seed, stream="native")


def theirs(name: str, seed: Any = None, **arguments: Any) -> Any:
    own = getattr(keras.initializers, LAWS[name][0])
    return own(**arguments, **({} if seed is None else {"seed": seed}))


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
        "distribution": rng.choice(["truncated_normal", "untruncated_normal", "uniform", "normal"]),
    }


def gain(rng: random.Random) -> dict[str, Any]:
    return {"gain": rng.choice([1.0, 2 * rng.random()])}


LAWS: dict[str, tuple[str, Callable[[random.Random], dict[str, Any]]]] = {
    "random_normal": ("RandomNormal", normal),
    "random_uniform": ("RandomUniform", uniform),
    "truncated_normal": ("TruncatedNormal", normal),
    "variance_scaling": ("VarianceScaling", scaling),
    "glorot_normal": ("GlorotNormal", fixed),
    "glorot_uniform": ("GlorotUniform", fixed),
    "he_normal": ("HeNormal", fixed),
    "he_uniform": ("HeUniform", fixed),
    "lecun_normal": ("LecunNormal", fixed),
    "lecun_uniform": ("LecunUniform", fixed),
    "orthogonal": ("Orthogonal", gain),
}


class TestParity:
    """Ours and theirs, of the same seed."""

    __test__ = ON

    @pytest.mark.parametrize("name", LAWS)
    def test_equal_to_keras_own(self, name):
        rng = random.Random(name)
        for seed in range(90):
            dtype = DTYPES[seed % 3]
            if name == "orthogonal" and dtype != "float32":
                continue  # Keras has none
            shape = rng.choice(SHAPES[dtype])
            if FRAMEWORK != "jax":
                kernel = (rng.randint(1, 4) for _ in range(rng.randint(0, 3)))
                shape = (*kernel, rng.randint(1, 40), rng.randint(1, 60))
            arguments = LAWS[name][1](rng)
            ours = native(name, seed, **arguments)(shape, dtype)
            own = theirs(name, seed, **arguments)(shape, dtype)
            assert host(ours) == host(own), (seed, shape, dtype, arguments)

    @pytest.mark.parametrize("name", ["he_normal", "he_uniform", "orthogonal", "random_normal"])
    def test_a_generator_goes_on_alike(self, name):
        mine, yours = (keras.random.SeedGenerator(11) for _ in range(2))
        shape = (7, 12)
        ours, own = native(name, mine), theirs(name, yours)
        for _ in range(3):
            assert host(ours(shape)) == host(own(shape))
        assert host(mine.state.value) == host(yours.state.value)

    def test_seeds(self):
        """Below ``2**31`` on every backend; where Keras takes longer ones, those as they are."""
        most = {"tensorflow": 2**63, "jax": 2**32, "torch": 2**64}[FRAMEWORK]
        for seed in (0, 7, 2**31 - 1, 2**31 + 5, 2**32 - 1, 2**40 + 3, 2**63 - 1, 2**64 - 1):
            ours = host(native("he_normal", seed)((7, 12)))
            if seed < most:
                assert ours == host(theirs("he_normal", seed)((7, 12))), seed
            assert ours == host(native("he_normal", seed)((7, 12)))

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_fixed_laws(self, dtype):
        rng = random.Random(0)
        for _ in range(20):
            value = 3 * rng.random()
            own = keras.initializers.Constant(-value)((3, 5), dtype)
            assert host(native("constant", value=-value)((3, 5), dtype)) == host(own)
            own = keras.initializers.Identity(value)((3, 5), dtype)
            assert host(native("identity", gain=value)((3, 5), dtype)) == host(own)
        for name, own in (("zeros", keras.initializers.Zeros), ("ones", keras.initializers.Ones)):
            assert host(native(name)((4,), dtype)) == host(own()((4,), dtype))

    def test_fixed_laws_leave_a_generator_alone(self):
        generator = keras.random.SeedGenerator(3)
        for scheme, shape in (("zeros", (3,)), ("identity", (3, 4)), ("dirac", (3, 2, 4))):
            get(scheme).keras(seed=generator, stream="native")(shape)
        assert host(generator.state.value) == host(keras.random.SeedGenerator(3).state.value)

    @pytest.mark.parametrize("name", ["he_normal", "glorot_uniform", "orthogonal"])
    def test_a_layer_of_either_is_one_layer(self, name):
        kernels = []
        for init in (native(name, 5), theirs(name, 5)):
            layer = keras.layers.Conv2D(12, (3, 5), groups=2, kernel_initializer=init)
            layer.build((None, 16, 16, 6))
            kernels.append(host(layer.kernel.value))
        assert kernels[0] == kernels[1]

    def test_kernels_whose_fans_keras_miscounts(self):
        kernels = []
        for init in (native("he_normal", 5), theirs("he_normal", 5)):
            layer = keras.layers.DepthwiseConv2D((3, 5), 2, depthwise_initializer=init)
            layer.build((None, 16, 16, 6))
            kernels.append(host(layer.kernel.value))
        assert kernels[0] == kernels[1]

    def test_narrow_orthogonal_is_rounded_once(self):
        own = keras.ops.cast(theirs("orthogonal", 3)((8, 5), "float32"), "bfloat16")
        assert host(native("orthogonal", 3)((8, 5), "bfloat16")) == host(own)

    def test_orthogonal_around_another_axis(self):
        init = get("orthogonal@keras").keras(seed=1, stream="native", layout="oihw")
        own = theirs("orthogonal", 1)((3, 2, 4, 12))
        assert host(init((12, 3, 2, 4))) == host(keras.ops.moveaxis(own, -1, 0))
