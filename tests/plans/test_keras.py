"""Plans on Keras' models: names that do not hang on the process, every variable once."""

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import initspec
from initspec import SpecError, get, initialise

PLAN = initspec.plan(
    {
        "plan": "p",
        "rule": [
            {"match": "**.kernel", "law": "glorot_uniform"},
            {"match": "**.embeddings", "law": "normal(std=0.02)", "optional": True},
            {"param": ["bias", "beta"], "law": "zeros"},
            {"param": "gamma", "law": "constant(value=0.5)", "optional": True},
            {"param": "moving_*", "buffers": True, "law": "constant(value=2)", "optional": True},
        ],
    }
)


class Block(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.attention = keras.layers.MultiHeadAttention(2, 4)
        self.dense = [keras.layers.Dense(8), keras.layers.Dense(6)]
        self.norm = keras.layers.BatchNormalization()

    def call(self, x: Any) -> Any:
        y = self.attention(x, x)
        for layer in self.dense:
            y = layer(y)
        return self.norm(y)


def model() -> Any:
    given = keras.Input((5,))
    x = keras.layers.Embedding(10, 6)(given)
    x = Block(name="b0")(x)
    x = Block(name="b1")(x)
    x = keras.layers.Dense(3)(x)
    return keras.Model(given, keras.layers.Dense(2)(x))


def test_each_variable_gets_its_law_under_its_name() -> None:
    filled = model()
    ledger = PLAN.fill(filled, seed=3)
    names = [row.name for row in ledger]
    assert len(names) == len(set(names)) == len(filled.weights)
    assert {"embedding.embeddings", "b1.attention.query.kernel", "b0.dense.1.kernel"} < set(names)
    assert {"dense.kernel", "dense_1.kernel", "b0.norm.moving_mean"} < set(names)
    for name, layout in (("b0.attention.attention_output.kernel", "nio"), ("dense.kernel", "io")):
        row = ledger[name]
        assert (str(row.layout), row.assumed) == (layout, False)
        wanted = get("glorot_uniform").numpy(row.parameter.shape, seed=3, name=name, layout=layout)
        value = next(v for v in filled.weights if tuple(v.shape) == row.parameter.shape)
        if name == "dense.kernel":
            value = filled.layers[-2].kernel
        if "output" in name:
            value = filled.get_layer("b0").attention._output_dense.kernel
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(value), wanted)
    assert (keras.ops.convert_to_numpy(filled.get_layer("b1").norm.moving_mean) == 2).all()


def test_a_model_made_twice_is_the_same() -> None:
    first, second = model(), model()
    assert [row.name for row in PLAN.fill(first, seed=0)] == [
        row.name for row in PLAN.fill(second, seed=0)
    ]
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_is_not_built() -> None:
    with pytest.raises(SpecError, match=r"is not built.*model.build"):
        PLAN.on(keras.Sequential([keras.layers.Dense(2)]))


def test_a_shared_layer_is_one() -> None:
    dense = keras.layers.Dense(4)

    class Twice(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = dense, dense

        def call(self, x: Any) -> Any:
            return self.two(self.one(x))

    twice = Twice()
    twice.build((1, 4))
    dense.build((1, 4))
    assert [row.name for row in PLAN.on(twice)] == ["one.kernel", "one.bias"]


def test_half_precision_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    small = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, dtype="bfloat16"), keras.layers.Dense(2)]
    )
    initialise(small, "he_normal", seed=0)
    assert "dense.kernel    (4, 3)" in capsys.readouterr().out
    assert np.isfinite(np.asarray(small.layers[0].kernel, np.float32)).all()
