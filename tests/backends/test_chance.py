"""What needs no random numbers asks for none, whose generator it may be."""

import random
from typing import Any

import numpy as np
import pytest

from initspec import SameKeyWarning, get
from initspec.backends.chance import SameKeys

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


def test_one_seed_for_two_arrays_is_warned_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initspec.backends.numpy.adapter.same_keys", SameKeys())
    held = get("he_normal").numpy((3, 4), seed=5)
    with pytest.warns(SameKeyWarning, match=r"name=, and one seed serves them all") as caught:
        get("he_normal").numpy((3, 5), seed=5)
    assert held.shape == (3, 4)
    assert caught[0].filename == __file__
