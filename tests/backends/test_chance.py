"""What needs no random numbers asks for none, whose generator it may be."""

import gc
import random
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from initspec import SameKeyWarning, get
from initspec.backends.chance import SameKeys, silence

FIXED = (get("zeros"), get("constant", value=2.0), get("identity"), get(np.eye(3)))


def kept(state: Any, draw: Any) -> None:
    before = state()
    for scheme in FIXED:
        draw(scheme, (3, 3))
    draw(get("normal"), (0, 3))
    assert state() == before
    draw(get("normal"), (3, 3))
    assert state() != before


@pytest.mark.parametrize("stream", ["portable", "native"])
def test_numpy(stream: str) -> None:
    rng = np.random.default_rng(0)
    kept(
        lambda: str(rng.bit_generator.state),
        lambda scheme, shape: scheme.numpy(shape, rng=rng, stream=stream),
    )


@pytest.mark.parametrize("stream", ["portable", "native"])
def test_keras(stream: str) -> None:
    keras = pytest.importorskip("keras")
    kept(random.getstate, lambda scheme, shape: scheme.keras(stream=stream)(shape))
    seeds = keras.random.SeedGenerator(0)
    kept(
        lambda: keras.ops.convert_to_numpy(seeds.state).tolist(),
        lambda scheme, shape: scheme.keras(seed=seeds, stream=stream)(shape),
    )


@pytest.mark.parametrize("stream", ["portable", "native"])
def test_tensorflow(stream: str) -> None:
    tf = pytest.importorskip("tensorflow")
    generator = tf.random.Generator.from_seed(1)
    kept(
        lambda: generator.state.numpy().tolist(),
        lambda scheme, shape: scheme.tensorflow(seed=generator, stream=stream)(shape),
    )


def _numpy(shape: Any, **options: Any) -> Any:
    return get("he_normal").numpy(shape, **options)


def _keras(shape: Any, **options: Any) -> Any:
    """As a layer has it: the initializer lives on, the tensor may not."""
    init = get("he_normal").keras(**options)
    init(shape)
    return init


def _tensorflow(shape: Any, **options: Any) -> Any:
    return get("he_normal").tensorflow(**options)(shape)


def _jax(shape: Any, **options: Any) -> Any:
    from initspec import initializer

    return initializer("he_normal", "jax", **options)(None, shape)


WAYS = {"numpy": _numpy, "keras": _keras, "tensorflow": _tensorflow, "jax": _jax}


@pytest.fixture(params=WAYS)
def draw(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip(request.param)
    module = import_module(f"initspec.backends.{request.param}.adapter")
    monkeypatch.setattr(module, "same_keys", SameKeys())
    return WAYS[request.param]


@pytest.mark.parametrize("stream", ["portable", "native"])
def test_one_seed_for_two_tensors_is_warned_of_once(draw: Any, stream: str) -> None:
    held = draw((3, 4), seed=5, stream=stream)
    with pytest.warns(
        SameKeyWarning, match=r"seed=5 and no name, .*\(3, 4\), .*\(3, 5\)"
    ) as caught:
        draw((3, 5), seed=5, stream=stream)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw((3, 6), seed=5)
    assert held is not None


def test_what_is_right_is_not_warned_of(draw: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        held = [draw((3, 4), seed=5), draw((3, 4), seed=5), draw((3, 5), seed=6)]
        held += [draw((3, 6), seed=5, name="a"), draw((7, 4), seed=5, name="b")]
        del held
        gc.collect()
        last = draw((3, 7), seed=5)  # those of before are gone
        with silence():
            draw((3, 8), seed=5)
        assert last is not None


def test_one_initializer_for_two_layers_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = pytest.importorskip("keras")
    monkeypatch.setattr("initspec.backends.keras.adapter.same_keys", SameKeys())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers = [
            keras.layers.Dense(4, kernel_initializer=get("he_normal").keras(seed=3, name=name))
            for name in "ab"
        ]
        model = keras.Sequential(layers)
        model.build((None, 6))
    shared = get("he_normal").keras(seed=3)
    layers = [keras.layers.Dense(4, kernel_initializer=shared) for _ in range(2)]
    with pytest.warns(SameKeyWarning, match="seed=3"):
        keras.Sequential(layers).build((None, 6))


def test_one_key_of_jax_for_two_arrays_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    jax = pytest.importorskip("jax")
    monkeypatch.setattr("initspec.backends.jax.adapter.same_keys", SameKeys())
    he, key = get("he_normal").jax, jax.random.key(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        held = [he(key, (3, 4)), he(key, (3, 4)), he(jax.random.key(5), (3, 5))]
        jax.jit(lambda key: (he(key, (3, 4)), he(key, (5, 4))))(key)
        jax.vmap(lambda key: (he(key, (3, 4)), he(key, (5, 4))))(jax.random.split(key, 2))
        get("zeros").jax(key, (5,))
        he.window(key, (6, 4), (slice(0, 2), slice(0, 3)))
    with pytest.warns(SameKeyWarning, match=r"the key \(0, 4\) and no name"):
        held.append(he(key, (3, 6)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        he(key, (3, 7))


def test_the_suite_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    from initspec.conformance import check

    monkeypatch.setattr("initspec.backends.numpy.adapter.same_keys", SameKeys())
    held = []

    class Held:
        name = "held"

        def draw(self, shape: Any, *, dtype: str, seed: int) -> Any:
            held.append(get("he_normal").numpy(shape, seed=seed % 2, dtype=dtype))
            held.append(get("he_normal").numpy((2, *shape), seed=seed % 2, dtype=dtype))
            return held[-2]

    with warnings.catch_warnings():
        warnings.simplefilter("error", SameKeyWarning)
        check(Held(), "he_normal", shape=(8, 8))
    assert held
