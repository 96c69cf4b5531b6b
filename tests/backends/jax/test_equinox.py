"""Real Equinox modules, initialised again by ``eqx.tree_at``."""

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
eqx = pytest.importorskip("equinox")

import jax.numpy as jnp

from initspec import get, initializer


def he(layout: str, **options: Any) -> Any:
    return initializer("he_normal", backend="jax", layout=layout, **options)


def test_linear_in_one_line() -> None:
    linear = eqx.nn.Linear(64, 96, key=jax.random.key(0))
    made = eqx.tree_at(lambda m: m.weight, linear, he("oi")(jax.random.key(5), linear.weight.shape))
    assert made.weight.shape == (96, 64)
    assert np.array_equal(made.weight, get("he_normal").numpy((64, 96), seed=5).T)
    assert made.weight.var() == pytest.approx(2 / 64, rel=0.1)
    assert np.array_equal(made.bias, linear.bias)
    x = jnp.arange(64.0)
    np.testing.assert_allclose(made(x), made.weight @ x + made.bias, rtol=1e-5)


def test_grouped_convolution() -> None:
    conv = eqx.nn.Conv2d(32, 64, 3, groups=4, key=jax.random.key(0))
    init = initializer("glorot_uniform", backend="jax", layout="equinox.Conv2d, groups=4")
    made = eqx.tree_at(lambda m: m.weight, conv, init(jax.random.key(1), conv.weight.shape))
    law = get("glorot_uniform").given(fan_in=72, fan_out=144)
    assert made.weight.shape == (64, 8, 3, 3)
    assert float(made.weight.var()) == pytest.approx(law.variance, rel=0.05)
    expected = get("glorot_uniform").numpy((3, 3, 8, 64), seed=1, layout="hwio, groups=4")
    assert np.array_equal(made.weight, expected.transpose(3, 2, 0, 1))


def test_inside_filter_jit_and_filter_vmap() -> None:
    def make(key: Any) -> Any:
        linear = eqx.nn.Linear(8, 4, key=key)
        return eqx.tree_at(lambda m: m.weight, linear, he("oi")(key, (4, 8)))

    keys = jax.random.split(jax.random.key(2), 3)
    alone = [make(key).weight for key in keys]
    assert np.array_equal(eqx.filter_jit(make)(keys[0]).weight, alone[0])
    assert np.array_equal(eqx.filter_vmap(make)(keys).weight, np.stack(alone))
    abstract = eqx.filter_eval_shape(make, keys[0])
    assert abstract.weight.shape == (4, 8)


def test_every_linear_of_a_model_by_name() -> None:
    model = eqx.nn.MLP(8, 3, 16, 2, key=jax.random.key(0))
    weights = [layer.weight for layer in model.layers]
    new = [
        he("oi", name=f"layers.{n}.weight", seed=42)(None, weight.shape)
        for n, weight in enumerate(weights)
    ]
    made = eqx.tree_at(lambda m: [layer.weight for layer in m.layers], model, new)
    for n, layer in enumerate(made.layers):
        shape = layer.weight.shape
        expected = get("he_normal").numpy(shape, seed=42, layout="oi", name=f"layers.{n}.weight")
        assert np.array_equal(layer.weight, expected)
