"""Real Haiku modules."""

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
hk = pytest.importorskip("haiku")

import jax.numpy as jnp

from initspec import backend, get, initializer
from initspec.backends.jax.adapter import HaikuInitializer


def params(module: Any, shape: tuple[int, ...], key: Any = None) -> Any:
    """The parameters that a module makes for itself."""
    transformed = hk.transform(lambda x: module()(x))
    made = transformed.init(jax.random.key(9) if key is None else key, jnp.ones(shape))
    (found,) = made.values()
    return found


@pytest.mark.parametrize("legacy", [False, True])
def test_linear(legacy: bool) -> None:
    he = get("he_normal")
    keys = []

    def noted(shape: Any, dtype: Any) -> Any:
        keys.append(hk.next_rng_key())
        return he.jax(keys[-1], shape, dtype)

    key = jax.random.PRNGKey(9) if legacy else jax.random.key(9)
    made = params(lambda: hk.Linear(96, w_init=he.haiku), (2, 64), key)["w"]
    by_hand = params(lambda: hk.Linear(96, w_init=noted), (2, 64), key)["w"]
    assert np.array_equal(made, by_hand)
    words = keys[0] if legacy else jax.random.key_data(keys[0])
    law = he.on((64, 96))
    expected = backend("numpy").sample(law, (64, 96), key=tuple(np.asarray(words).tolist()))
    assert np.array_equal(made, expected)
    assert made.var() == pytest.approx(2 / 64, rel=0.1)
    assert float(jnp.abs(made).max()) <= law.support[1]


def test_conv_and_bias() -> None:
    w_init = backend("jax").haiku(get("glorot_uniform"), layout="hwio, groups=4")
    made = params(
        lambda: hk.Conv2D(64, 3, feature_group_count=4, w_init=w_init, b_init=get("ones").haiku),
        (1, 8, 8, 32),
    )
    assert made["w"].shape == (3, 3, 8, 64)
    law = get("glorot_uniform").given(fan_in=72, fan_out=144)
    assert float(made["w"].var()) == pytest.approx(law.variance, rel=0.05)
    assert law.support[0] < float(made["w"].min()) < 0.99 * law.support[0]
    assert np.array_equal(made["b"], np.ones(64))


def test_a_seed_takes_no_key() -> None:
    """So that the other parameters' keys do not move."""
    w_init = backend("jax").haiku(get("he_normal"), seed=42, name="w")
    made = params(lambda: hk.Linear(8, w_init=w_init), (1, 4))["w"]
    assert np.array_equal(made, get("he_normal").numpy((4, 8), seed=42, name="w"))
    assert np.array_equal(w_init((4, 8), jnp.float32), made)  # outside of any transform
    assert get("zeros").haiku((3,), jnp.bfloat16).dtype == jnp.bfloat16


@pytest.mark.parametrize("name", ["identity", "dirac", "bilinear", "zeros"])
def test_what_no_key_changes_takes_no_key(name: str) -> None:
    shape = {"dirac": (3, 4, 4), "bilinear": (2, 2, 4, 4)}.get(name, (4, 4))
    assert get(name).haiku(shape, jnp.float32).shape == shape  # outside of any transform
    assert get("he_normal").haiku((0, 4), jnp.float32).shape == (0, 4)


def test_value_semantics() -> None:
    he = get("he_normal")
    assert he.haiku == he.haiku
    assert hash(he.haiku) == hash(HaikuInitializer(initializer("he_normal", backend="jax")))
    assert he.haiku != get("he_uniform").haiku
