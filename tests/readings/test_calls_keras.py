"""Keras' own initializers as schemes.

Keras draws on a backend that one process chooses once: without ``KERAS_BACKEND`` in the environment
this file runs itself in a process of its own, on the first backend that is installed.
"""

import copy
import inspect
import math
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from initspec import SpecError, UnknownName, from_keras, get, schemes
from initspec.readings.registry import dialect, rows

if find_spec("keras") is None:
    pytest.skip("could not import 'keras'", allow_module_level=True)

ON = "KERAS_BACKEND" in os.environ
if ON:
    import keras

    MAKERS = keras.initializers

NEWEST = [entry for entry in rows("keras") if entry.until is None]
OUTSIDE = {*dialect("keras")["ignored"], *dialect("keras")["axes"]}

if not ON:

    @pytest.mark.slow
    def test_in_a_process_of_its_own() -> None:
        found = [name for name in ("jax", "torch", "tensorflow") if find_spec(name)]
        if not found:
            pytest.skip("Keras has no backend here")
        env = {**os.environ, "KERAS_BACKEND": found[0], "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
        assert " passed" in done.stdout


def calls() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("HeNormal", {}),
        ("HeUniform", {"seed": 3}),
        ("GlorotNormal", {}),
        ("GlorotUniform", {}),
        ("LecunNormal", {}),
        ("LecunUniform", {}),
        ("RandomNormal", {"mean": 0.5, "stddev": 0.3}),
        ("RandomUniform", {"minval": -0.3, "maxval": 0.7}),
        ("TruncatedNormal", {"stddev": 0.3}),
        ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
        ("VarianceScaling", {"mode": "fan_avg", "distribution": "untruncated_normal"}),
        ("VarianceScaling", {"scale": 0.5, "distribution": "normal"}),
        ("Constant", {"value": 0.25}),
        ("Zeros", {}),
        ("Ones", {}),
    ]


class TestKeras:
    """With Keras itself."""

    __test__ = ON

    @pytest.mark.parametrize("entry", NEWEST, ids=lambda entry: entry.name)
    def test_a_row_has_the_words_of_its_class_in_their_order(self, entry: Any) -> None:
        cls = getattr(MAKERS, entry.call.rpartition(".")[2])
        words = [*inspect.signature(cls.__init__).parameters][1:]
        taken = [word for word in words if word not in {*OUTSIDE, "args", "kwargs"}]
        assert taken == [*entry.arguments]
        assert from_keras(cls) == get(entry.name)

    def test_every_class_is_a_row_or_says_why_not(self) -> None:
        public = {
            cls.__name__
            for cls in vars(MAKERS).values()
            if inspect.isclass(cls) and cls is not MAKERS.Initializer
        }
        calls = {entry.call.rpartition(".")[2] for entry in NEWEST}
        assert public == calls | set(dialect("keras")["absent"])

    @pytest.mark.parametrize(("name", "config"), calls())
    def test_an_initializer_draws_what_its_scheme_says(
        self, name: str, config: dict[str, Any]
    ) -> None:
        shape = (9, 40, 96)  # (taps, in / groups, out) of four groups
        one = getattr(MAKERS, name)(**{"seed": 5, **config} if "seed" in config else config)
        scheme = from_keras(one)
        assert scheme.name is not None
        assert schemes[scheme.name.partition("(")[0]].call == f"keras.initializers.{name}"
        found = np.asarray(keras.ops.convert_to_numpy(one(shape)), np.float64)
        law, n = scheme.on(shape, "wio, groups=4"), found.size
        assert found.mean() == pytest.approx(law.mean, abs=6 * law.std / math.sqrt(n) + 1e-7)
        if law.std > 0:
            spread = math.sqrt((law.kurtosis + 2) / n)  # of the variance, relatively
            assert found.var() / law.variance == pytest.approx(1, abs=6 * spread)
            standard = (found - law.mean) / law.std
            assert (standard**4).mean() - 3 == pytest.approx(law.kurtosis, abs=0.2)
        low, high = law.support
        assert low - 1e-6 <= found.min() <= found.max() <= high + 1e-6

    @pytest.mark.parametrize(("name", "config"), calls())
    def test_an_instance_its_config_its_class_and_its_name_are_one(
        self, name: str, config: dict[str, Any]
    ) -> None:
        one = getattr(MAKERS, name)(**config)
        scheme = from_keras(one)
        assert from_keras(MAKERS.serialize(one)) == scheme
        assert from_keras({"class_name": name, "config": one.get_config()}) == scheme
        assert from_keras(type(one), **one.get_config()) == scheme
        assert from_keras(name, **config) == scheme
        assert from_keras(copy.deepcopy(one)) == scheme

    def test_a_seed_generator_does_not_matter(self) -> None:
        seed = keras.random.SeedGenerator(3)
        assert from_keras(MAKERS.HeNormal(seed=seed)) == get("he_normal@keras")

    def test_names_that_keras_knows(self) -> None:
        for name in ("he_normal", "HeNormal", "glorot_uniform", "zeros", "orthogonal", "normal"):
            cls = type(MAKERS.get(name))
            assert from_keras(name) == from_keras(cls)

    def test_axes_are_a_layouts_to_say(self) -> None:
        one = MAKERS.HeNormal(input_axes=[0], output_axes=[1, 2])
        with pytest.raises(SpecError, match=r"input_axes=\[0\] says which axes .* name the axes"):
            from_keras(one)
        theirs = keras.ops.convert_to_numpy(one((300, 8, 64)))
        ours = get("he_normal@keras").on((300, 8, 64), "ino")
        assert theirs.var() == pytest.approx(ours.variance, rel=0.02)

    def test_our_own_initializer_is_its_scheme(self) -> None:
        he = get("he_normal")
        init = he.keras(seed=3, name="a", dtype="float16")
        for given in (init, init.get_config(), keras.initializers.serialize(init)):
            assert from_keras(given) == he

    def test_bad_calls(self) -> None:
        with pytest.raises(SpecError, match="it is a fixed transform for spectrograms"):
            from_keras(MAKERS.STFT("real"))
        with pytest.raises(SpecError, match="from_keras reads what keras defines, and int is of"):
            from_keras(int)


def test_a_config_alone_where_one_initializer_has_its_words() -> None:
    config = {"scale": 2.0, "mode": "fan_out", "distribution": "uniform", "seed": None}
    assert from_keras(config) == from_keras("VarianceScaling", **config)
    assert from_keras({"minval": -1.0, "maxval": 2.0, "seed": 1}).low == -1
    for words, said in (
        ({"mean": 0.0, "stddev": 1.0}, "could be keras.initializers.RandomNormal, keras.initial"),
        ({"gain": 1.0}, "Identity, keras.initializers.Orthogonal"),
        ({"seed": None}, "does not say whose it is"),
        ({"units": 3}, "a config with 'units' does not say whose it is. Give keras.init"),
    ):
        with pytest.raises(SpecError, match=said):
            from_keras(words)


def test_configs_need_no_keras() -> None:
    assert from_keras({"class_name": "HeNormal", "config": {"seed": 3}}) == get("he_normal@keras")
    assert from_keras({"class_name": "Zeros"}) == get("zeros@keras")
    with pytest.raises(UnknownName, match="initializer of keras 'HeNorml': did you mean"):
        from_keras({"class_name": "HeNorml", "config": {}})
    with pytest.raises(UnknownName, match=r"of keras\.initializers\.HeNormal 'scale'"):
        from_keras("HeNormal", scale=2.0)
    with pytest.raises(UnknownName, match="unknown distribution 'gauss'"):
        from_keras("VarianceScaling", distribution="gauss")


def test_get_takes_keras_own_initializers() -> None:
    keras = pytest.importorskip("keras")
    initializers = keras.initializers
    assert get(initializers.HeNormal(seed=3)) == get("he_normal@keras")
    assert get(initializers.HeNormal) == get("he_normal@keras")
    wide = get(initializers.VarianceScaling(2.0, "fan_out", "uniform"))
    assert (wide.mode, wide.distribution, wide.factor) == ("FAN_OUT", "uniform", 2.0)
    with pytest.raises(SpecError, match="give its class"):
        get(initializers.HeNormal(), scale=2.0)


def test_configs_of_old_files() -> None:
    """TensorFlow 1 and Keras 2 wrote a dtype, and some layers a name."""
    old = {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "dtype": "float32"}
    assert from_keras({"class_name": "VarianceScaling", "config": old}) == from_keras(
        "VarianceScaling", scale=1.0, mode="fan_avg", distribution="uniform"
    )
    named = {"class_name": "HeNormal", "config": {"seed": 3, "name": "a", "dtype": "float16"}}
    assert from_keras(named) == get("he_normal@keras")
    assert from_keras({"minval": -1.0, "maxval": 2.0, "dtype": "float32"}).low == -1
    with pytest.raises(SpecError, match="complex types have none"):
        from_keras({"class_name": "Zeros", "config": {"dtype": "complex64"}})
    with pytest.raises(SpecError, match="the config of 'Zeros' is a mapping of arguments, not 'a'"):
        from_keras({"class_name": "Zeros", "config": "a"})
    for word in ("initializer", "dialect", "units"):
        with pytest.raises(UnknownName, match=f"unknown argument of .*HeNormal '{word}'"):
            from_keras("HeNormal", **{word: 3})


def test_what_initspec_made_is_its_scheme() -> None:
    he = get("he_normal@torch")
    config = {"scheme": he.to_dict(), "seed": 3, "name": "a", "layout": None, "dtype": "float16"}
    saved = {"class_name": "KerasInitializer", "registered_name": "initspec>Initializer"}
    for given in (config, {**saved, "config": config}, "initspec>he_normal@torch"):
        assert from_keras(given) == he
    assert from_keras({"class_name": "initspec>he_normal@torch", "config": {}}) == he
    with pytest.raises(SpecError, match=r"read it with keras\.initializers\.deserialize"):
        from_keras({**saved, "config": {"scheme": {"custom": {"class_name": "Mine"}}}})
    with pytest.raises(SpecError, match="has its arguments: give it alone"):
        from_keras("initspec>he_normal", scale=2.0)
