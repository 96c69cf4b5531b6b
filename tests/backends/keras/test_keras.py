"""The Keras adapter. Keras has one backend for each process, so that the tests run in three.

Without ``KERAS_BACKEND`` in the environment this file starts pytest on itself, and on
``test_keras_layers.py``, once for each backend that is installed; with it, here and now.
"""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import random
import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from initspec import Custom, Layout, StreamError, backend, get
from initspec.errors import LayoutError, SpecError, UnknownName
from initspec.stream import fold_in, fold_name, key_from_seed

if find_spec("keras") is None:
    pytest.skip("could not import 'keras'", allow_module_level=True)

HERE = Path(__file__).parents[2]
FRAMEWORK = os.environ.get("KERAS_BACKEND")
ON = FRAMEWORK is not None
if ON:
    import keras

    OURS, NUMPY = backend("keras"), backend("numpy")

on = {name: pytest.mark.skipif(name != FRAMEWORK, reason=name) for name in ("tensorflow", "jax")}


def run_alone(*command, **environment):
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return done.stdout


if not ON:

    @pytest.mark.slow
    @pytest.mark.parametrize("framework", ["tensorflow", "jax", "torch"])
    def test_on(framework):
        if find_spec(framework) is None:
            pytest.skip(f"could not import {framework!r}")
        files = (
            str(Path(__file__).with_name(name))
            for name in ("test_keras.py", "test_keras_layers.py")
        )
        out = run_alone(
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", *files), KERAS_BACKEND=framework
        )
        assert " passed" in out


#: Laws that no key changes, with a shape for each.
FIXED = [
    ("zeros", (3,)),
    ("ones", (3, 4)),
    ("constant(value=0.3)", (3, 4)),
    ("identity", (3, 3)),
    ("dirac", (3, 4, 4)),
    ("bilinear", (4, 4, 2, 2)),
    (((0.5, 1.0), (2.0, 3.0)), (2, 2)),
]


def host(tensor):
    return OURS.tohost(tensor)


def equal(tensor, array):
    found = host(tensor)
    assert found.shape == array.shape
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


def dense(init, units=8, **options):
    layer = keras.layers.Dense(units, kernel_initializer=init, **options)
    layer.build((None, 8))
    return layer


class TestValues:
    """The portable stream, on this backend of Keras."""

    __test__ = ON

    def test_it_runs_where_it_should(self):
        assert keras.backend.backend() == FRAMEWORK

    def test_digests(self):
        answers = json.loads((HERE / "data" / "known_answers.json").read_text("utf-8"))
        names = {
            "normal": "he_normal@torch",
            "truncated_normal": "he_normal",
            "uniform": "he_uniform",
        }
        for row in answers["digests"]:
            init = get(names[row["law"]]).keras(seed=row["seed"], name=row["name"])
            found = host(init(tuple(row["shape_io"])))
            wanted = row["sha256_float32_little_endian"]
            assert sha256(found.astype("<f4").tobytes()).hexdigest() == wanted

    @pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float64"])
    @pytest.mark.parametrize(
        ("scheme", "shape", "layout"),
        [
            ("he_normal", (6, 4), None),
            ("glorot_uniform", (3, 3, 4, 8), "hwio, groups=2"),
            ("uniform(low=0.1, high=0.4)", (4, 9), "oi"),
            ("orthogonal", (4, 12), "keras.LSTM"),
            ("sparse(sparsity=0.5, std=1)", (6, 4), None),
            ("sparse@torch(sparsity=0.5, std=1)", (9, 4), "oi"),
            ("constant(value=0.3)", (3,), None),
            ("normal(std=1)", (), None),
            ("normal(std=1)", (0, 3), None),
            ([[1, 2], [3, 4]], (2, 2), None),
        ],
    )
    def test_equal_to_numpy(self, scheme, shape, layout, dtype):
        if (dtype, FRAMEWORK) == ("float64", "jax"):
            pytest.skip("JAX has no float64 unless it is enabled; a test of its own")
        options = {"seed": 5, "name": "w", "layout": layout, "dtype": dtype}
        equal(get(scheme).keras(**options)(shape), get(scheme).numpy(shape, **options))

    @on["jax"]
    def test_float64_on_jax(self):
        with pytest.raises(SpecError, match="JAX would give float32: enable it with"):
            get("he_normal").keras()((2, 2), "float64")
        run_alone(
            "-c",
            "import jax; jax.config.update('jax_enable_x64', True)\n"
            "import initspec\n"
            "he = initspec.get('he_normal')\n"
            "found = he.keras(seed=1)((3, 4), 'float64')\n"
            "assert (found == he.numpy((3, 4), seed=1, dtype='float64')).all()\n",
        )

    def test_dtypes(self):
        init = get("he_normal").keras(dtype="float16")
        assert host(init((2, 2))).dtype == np.float16
        assert host(init((2, 2), dtype="float32")).dtype == np.float32
        keras.config.set_floatx("bfloat16")
        try:
            assert host(get("he_normal").keras()((2, 2))).dtype.name == "bfloat16"
        finally:
            keras.config.set_floatx("float32")
        for policy, wanted in (("mixed_bfloat16", "float32"), ("bfloat16", "bfloat16")):
            assert host(dense(get("he_normal").keras(), dtype=policy).kernel).dtype.name == wanted

    def test_windows_and_words(self):
        law = get("he_normal").on((2**20, 2**14, 3))
        window = (slice(2**19 + 5, 2**19 + 9), slice(100, 140), slice(1, 3))
        options = {"key": (3, 4), "window": window}
        wanted = NUMPY.sample(law, (2**20, 2**14, 3), **options)
        equal(OURS.sample(law, (2**20, 2**14, 3), **options), wanted)
        words = host(OURS.words((3, 4), (2, 3), layout="oi"))
        wanted = NUMPY.words((3, 4), (2, 3), layout="oi")
        assert (words.astype(np.int64) % 2**32 == wanted).all()

    def test_a_layer_with_a_constraint(self):
        init = get("normal(std=1)").keras(seed=1)
        layer = dense(init, kernel_constraint="non_neg")
        assert (host(layer.kernel) == get("normal(std=1)").numpy((8, 8), seed=1)).all()


class TestSeeds:
    """Where a key comes from."""

    __test__ = ON

    def test_an_integer_gives_the_same_values_at_every_call(self):
        init = get("he_normal").keras(seed=2**40 + 1)
        equal(init((4, 4)), host(init((4, 4))))
        assert OURS.key(2**40 + 1, "w") == fold_name(key_from_seed(2**40 + 1), "w")

    def test_layers_that_share_one_without_a_seed_differ(self):
        init = get("he_normal").keras()
        assert not (host(dense(init).kernel) == host(dense(init).kernel)).any()

    def test_set_random_seed_governs(self):
        init = get("he_normal").keras()

        def both():
            keras.utils.set_random_seed(3)
            return host(dense(init).kernel), host(dense(init).kernel)

        first, again = both(), both()
        for one, other in zip(first, again, strict=True):
            assert (one == other).all()
        assert not (first[0] == first[1]).any()

    @pytest.mark.parametrize("stream", ["portable", "native"])
    @pytest.mark.parametrize(("scheme", "shape"), [*FIXED, ("he_normal", (0, 5))])
    def test_what_no_key_changes_spends_no_randomness(self, scheme, shape, stream):
        generator, state = keras.random.SeedGenerator(3), random.getstate()
        for seed in (None, generator):
            get(scheme).keras(seed=seed, stream=stream)(shape)
        assert random.getstate() == state
        assert keras.ops.convert_to_numpy(generator.state).tolist() == [3, 0]

    def test_a_bias_of_zeros_does_not_move_the_kernels(self):
        kernels = []
        for bias in ("zeros", get("zeros").keras()):
            keras.utils.set_random_seed(0)
            for _ in range(2):
                layer = dense(get("he_normal").keras(), bias_initializer=bias)
            kernels.append(host(layer.kernel))
        assert (kernels[0] == kernels[1]).all()

    def test_a_generator_advances_by_one(self):
        generator = keras.random.SeedGenerator(5)
        init = get("he_normal").keras(seed=generator, name="w")
        for count in range(3):
            key = fold_name(fold_in((0, 5), count), "w")
            law = init.scheme.on((4, 4))
            equal(init((4, 4)), NUMPY.sample(law, (4, 4), key=key))
        assert host(generator.state).tolist() == [5, 3]

    @pytest.mark.parametrize("seed", [2.5, "x", -1, 2**64])
    def test_what_is_no_seed(self, seed):
        with pytest.raises(StreamError, match=r"a seed is an integer from 0 to 2\*\*64 - 1"):
            get("he_normal").keras(seed=seed)


class Exponential(Custom):
    def __init__(self, scale=1.0):
        self.scale = scale

    def ppf(self, p):
        return -self.scale * np.log1p(-p)

    def get_config(self):
        return {"scale": self.scale}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


if ON:
    keras.saving.register_keras_serializable("tests")(Exponential)


def initializers():
    return [
        get("he_normal").keras(seed=3),
        get("glorot_uniform").keras(),
        get("truncated_normal", std=0.1, low=-3.0, high=math.inf).keras(seed=1, dtype="float16"),
        get("normal(std=0.5)").keras(seed=2**40, name="w", layout="oi, stack=3", stream="native"),
        get("he_normal").keras(seed=1, layout=Layout("oi"), input_axes=[0], output_axes=[1]),
        get(np.eye(2)).keras(),
    ]


class TestSaving:
    """Configs, models in files, copies, names."""

    __test__ = ON

    @pytest.mark.parametrize("index", range(6))
    @pytest.mark.parametrize(
        "copied",
        [
            lambda init: init.clone(),
            copy.copy,
            copy.deepcopy,
            lambda init: pickle.loads(pickle.dumps(init)),
            lambda init: type(init).from_config(init.get_config()),
            lambda init: keras.initializers.get(
                json.loads(json.dumps(keras.initializers.serialize(init)))
            ),
        ],
        ids=["clone", "copy", "deepcopy", "pickle", "config", "json"],
    )
    def test_copies(self, copied, index):
        init = initializers()[index]
        found = copied(init)
        assert type(found) is type(init)
        assert found.get_config() == init.get_config()
        assert found.scheme == init.scheme

    def test_copies_of_a_generator(self):
        init = get("he_normal").keras(seed=keras.random.SeedGenerator(5))
        init((2, 2))
        saved = json.loads(json.dumps(keras.initializers.serialize(init)))
        fresh = keras.initializers.get(saved)  # Keras saves the seed, not the state
        assert host(fresh.seed.state).tolist() == [5, 0]
        for found in (copy.deepcopy(init), pickle.loads(pickle.dumps(init))):
            assert found.seed is not init.seed
            assert host(found.seed.state).tolist() == [5, 1]

    def model(self):
        return keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.Dense(5, kernel_initializer=get("he_normal").keras(seed=1)),
                keras.layers.Dense(4, kernel_initializer=get("he_normal").keras(name="w")),
                keras.layers.Dense(3, kernel_initializer=get(Exponential(2)).keras(seed=2)),
            ]
        )

    @pytest.mark.parametrize("ending", ["keras", "h5", "json"])
    def test_models_in_files(self, ending, tmp_path):
        model = self.model()
        if ending == "json":
            found = keras.models.model_from_json(model.to_json())
        else:
            model.save(tmp_path / f"model.{ending}")
            found = keras.models.load_model(tmp_path / f"model.{ending}")
            for one, other in zip(model.weights, found.weights, strict=True):
                equal(one, host(other))
        for one, other in zip(model.layers, found.layers, strict=True):
            init = other.kernel_initializer
            assert init.get_config()["seed"] == one.kernel_initializer.get_config()["seed"]
        assert found.layers[2].kernel_initializer.scheme.custom.scale == 2

    def test_clones_of_models(self):
        model = self.model()
        found = keras.models.clone_model(model)
        assert (host(found.layers[0].kernel) == host(model.layers[0].kernel)).all()
        assert not (host(found.layers[1].kernel) == host(model.layers[1].kernel)).any()

    @pytest.mark.parametrize("imports", ["import initspec, keras", "import keras, initspec"])
    def test_a_saved_model_is_read_in_another_process(self, imports, tmp_path):
        model = keras.Sequential([keras.Input((8,)), dense(get("he_normal").keras(seed=1))])
        model.save(tmp_path / "model.keras")
        run_alone(
            "-c",
            f"import sys\n{imports}\n"
            "model = keras.models.load_model(sys.argv[1])\n"
            "assert model.layers[0].kernel_initializer.scheme == initspec.get('he_normal')\n"
            "init = keras.initializers.get('initspec>he_normal')\n"
            "assert init.scheme == initspec.get('he_normal')\n",
            str(tmp_path / "model.keras"),
        )

    @pytest.mark.parametrize(
        "name", ["he_normal", "kaiming_normal", "kaiming_uniform@torch", "zeros", "deepnet@berry"]
    )
    def test_names(self, name):
        found = keras.initializers.get(f"initspec>{name}")
        assert found.scheme == get(name)
        assert found.seed is None
        layer = dense(f"initspec>{name}")
        assert layer.kernel_initializer.scheme == get(name)

    def test_names_with_options(self):
        found = keras.initializers.get({"class_name": "initspec>he_normal", "config": {"seed": 3}})
        equal(found((4, 4)), get("he_normal").numpy((4, 4), seed=3))

    def test_what_cannot_be_saved(self):
        init = get(lambda shape: np.zeros(shape)).keras()
        with pytest.raises(TypeError, match="Cannot serialize object Function"):
            keras.initializers.serialize(init)


class TestAxes:
    """The fans of layers that name their axes, and Keras' words for a scheme."""

    __test__ = ON

    @pytest.mark.parametrize(
        ("input_axes", "output_axes", "layout"),
        [
            ([0], [1, 2], "ioo"),
            ([0, 1], [2], "iio"),
            ([-2], [-1], "bio"),
            ([0, 1], [0, 2], "xio"),
            (None, [2], "wio"),
        ],
    )
    def test_axes_become_a_layout(self, input_axes, output_axes, layout):
        scheme = get("glorot_normal")
        init = scheme.keras(seed=1, input_axes=input_axes, output_axes=output_axes)
        equal(init((4, 6, 8)), scheme.numpy((4, 6, 8), seed=1, layout=layout))

    def test_a_layout_wins(self):
        init = get("he_normal").keras(seed=1, layout="oi", input_axes=[0], output_axes=[1])
        equal(init((4, 6)), get("he_normal").numpy((4, 6), seed=1, layout="oi"))

    def test_axes_that_are_not_there(self):
        init = get("he_normal").keras(input_axes=[3], output_axes=[1])
        with pytest.raises(LayoutError, match=r"the axes \[3\] are not all in a tensor of 2 axes"):
            init((4, 6))

    def test_keras_own_words(self):
        init = get("glorot_uniform").keras()
        assert isinstance(init, keras.initializers.VarianceScaling)
        assert (init.scale, init.mode, init.distribution) == (1.0, "fan_avg", "uniform")
        init = get("he_normal@torch").keras()
        assert (round(init.scale, 12), init.mode) == (2.0, "fan_in")
        assert init.distribution == "untruncated_normal"
        assert get("zeros").keras().mode is None


class TestTracing:
    """Initializers that are called while a program is traced."""

    __test__ = ON

    @pytest.mark.filterwarnings("error::UserWarning")
    def test_layers_built_inside_a_model_that_is_called_with_symbols(self):
        class Model(keras.Model):
            def __init__(self):
                super().__init__()
                generator = keras.random.SeedGenerator(1)
                self.blocks = [
                    keras.layers.Dense(4, kernel_initializer=init)
                    for init in (
                        get("he_normal").keras(seed=1),
                        get("he_normal").keras(),
                        get("he_normal").keras(seed=generator),
                        get("orthogonal").keras(seed=2),
                        get(Exponential()).keras(),
                    )
                ]

            def call(self, x):
                for block in self.blocks:
                    x = block(x)
                return x

        model = Model()
        assert model(keras.Input((4,))).shape == (None, 4)
        equal(model.blocks[0].kernel, get("he_normal").numpy((4, 4), seed=1))
        for block in model.blocks:
            assert np.isfinite(host(block.kernel)).all()
            assert host(block.kernel).std() > 0.1

    @on["tensorflow"]
    def test_inside_tf_function(self):
        import logging

        import tensorflow as tf

        warned = []
        handler = logging.Handler()
        handler.emit = warned.append
        tf.get_logger().addHandler(handler)

        init = get("he_normal").keras(seed=keras.random.SeedGenerator(5), name="w")
        twin = get("he_normal").keras(seed=keras.random.SeedGenerator(5), name="w")
        program = tf.function(lambda: twin((4, 4)))
        for _ in range(2):
            equal(program(), host(init((4, 4))))
        unseeded = get("he_normal").keras()
        program = tf.function(lambda: unseeded((4, 4)), jit_compile=True)
        assert not (program().numpy() == program().numpy()).any()
        tf.get_logger().removeHandler(handler)
        assert not warned

    @on["jax"]
    def test_inside_jax_jit(self):
        import jax

        init = get("he_normal").keras(seed=keras.random.SeedGenerator(5), name="w")
        wanted = [host(init((4, 4))) for _ in range(2)]
        generator = keras.random.SeedGenerator(5)
        twin = get("he_normal").keras(seed=generator, name="w")

        @jax.jit
        def program(state):
            with keras.StatelessScope(state_mapping=[(generator.state, state)]) as scope:
                found = twin((4, 4))
            return found, scope.get_current_value(generator.state)

        state = generator.state.value
        for array in wanted:
            found, state = program(state)
            equal(found, array)

    @on["jax"]
    def test_large_kernels_that_keras_shards(self):
        """Above 250 MB Keras calls the initializer under ``jax.jit``, with ``out_shardings``."""
        run_alone(
            "-c",
            """
import keras, numpy as np
import keras.src.backend.jax.core as core
core.should_shard_at_init = lambda *given: True
from initspec import get
he = get("he_normal")
generator = keras.random.SeedGenerator(1)
mesh = keras.distribution.DeviceMesh((4,), ["model"], keras.distribution.list_devices())
layouts = keras.distribution.LayoutMap(mesh)
layouts[".*kernel"] = (None, "model")

def kernel(init):
    layer = keras.layers.Dense(8, kernel_initializer=init)
    layer.build((None, 8))
    assert len(layer.kernel.value.sharding.device_set) == 4
    return np.asarray(layer.kernel.value)

with keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="model").scope():
    assert (kernel(he.keras(seed=3)) == he.numpy((8, 8), seed=3)).all()
    for init in (he.keras(), he.keras(seed=generator)):
        assert not (kernel(init) == kernel(init)).any()
assert np.asarray(generator.state.value).tolist() == [1, 2]
""",
            XLA_FLAGS="--xla_force_host_platform_device_count=4",
        )

    @on["tensorflow"]
    def test_replicas_are_equal(self):
        run_alone(
            "-c",
            """
import tensorflow as tf, keras
from initspec import get
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
he = get("he_normal")
with strategy.scope():
    layers = [keras.layers.Dense(8, kernel_initializer=he.keras(seed=s)) for s in (3, None, None)]
    for layer in layers:
        layer.build((None, 8))
first = []
for layer in layers:
    one, two = strategy.experimental_local_results(layer.kernel.value)
    assert one.device != two.device
    assert (one.numpy() == two.numpy()).all()
    first.append(one.numpy())
assert (first[0] == he.numpy((8, 8), seed=3)).all()
assert not (first[1] == first[2]).any()
""",
        )


class TestNative:
    """Keras' own samplers."""

    __test__ = ON

    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    @pytest.mark.parametrize(
        "scheme",
        [
            "normal(std=2, mean=1)",
            "uniform(low=1, high=2)",
            "he_normal",
            "orthogonal",
            "sparse(sparsity=0.5, std=1)",
            "sparse@torch(sparsity=0.5, std=1)",
            "constant(value=0.3)",
        ],
    )
    def test_values_have_the_law(self, scheme, dtype):
        init = get(scheme).keras(stream="native", seed=4, dtype=dtype)
        law = init.scheme.on((200, 200))
        found = host(init((200, 200)))
        assert found.dtype.name == dtype
        values = found.astype(float)
        assert abs(values.mean() - law.mean) < 5 * law.std / 200 + 1e-3
        assert abs(values.std() - law.std) < 0.03 * law.std + 1e-4
        assert (found == host(init((200, 200)))).all()
        if law.variance:
            other = host(get(scheme).keras(stream="native", dtype=dtype)((200, 200)))
            assert (other != found).any()

    def test_equal_to_keras_own(self):
        ours = get("glorot_uniform").keras(stream="native", seed=7)
        own = keras.initializers.GlorotUniform(seed=7)
        assert host(ours((20, 30))) == pytest.approx(host(own((20, 30))), abs=1e-6)

    def test_names_and_generators(self):
        def kernel(**options):
            return host(get("he_normal").keras(stream="native", **options)((9, 9)))

        assert (kernel(seed=1, name="a") == kernel(seed=1, name="a")).all()
        assert (kernel(seed=1, name="a") != kernel(seed=1, name="b")).any()
        assert (kernel(seed=1, name="a") != kernel(seed=1)).any()
        generator = keras.random.SeedGenerator(1)
        assert (kernel(seed=generator, name="a") != kernel(seed=generator, name="a")).any()

    def test_bounds_that_keras_has_not(self):
        init = get("truncated_normal(std=1, low=-1, high=3)").keras(stream="native")
        with pytest.raises(SpecError, match=r"not from -1 to 3: use stream=\"portable\""):
            init((3, 3))


class TestErrors:
    """Sentences."""

    __test__ = ON

    @pytest.mark.parametrize(
        ("options", "error", "sentence"),
        [
            ({"stream": "x"}, UnknownName, "unknown stream 'x': known: native, portable"),
            ({"dtype": "int8"}, UnknownName, "unknown dtype 'int8'"),
            ({"layout": "zz"}, LayoutError, "has the axis 'z', which means nothing"),
        ],
    )
    def test_options(self, options, error, sentence):
        with pytest.raises(error, match=sentence):
            get("he_normal").keras(**options)

    def test_a_bias_has_no_fans(self):
        layer = keras.layers.Dense(3, bias_initializer=get("he_normal").keras())
        with pytest.raises(
            LayoutError, match=r"he_normal scales by fans: a tensor of shape \(3,\)"
        ):
            layer.build((None, 4))

    def test_the_representation(self):
        init = get("he_normal").keras(seed=0, layout="oi")
        assert repr(init) == "KerasInitializer(get('he_normal'), seed=0, layout=Layout('oi'))"


@pytest.mark.parametrize("dtype", ["complex64", "complex128", complex, np.complex64])
def test_complex_types_say_what_to_do(dtype: Any) -> None:
    with pytest.raises(SpecError, match=r"complex\d+ was asked for.*by two names, each with half"):
        get("he_normal").keras()((3, 4), dtype)
