"""Real layers of Keras with our initializers: their kernels' laws, and the fans that those need.

``test_keras.py`` runs this file on each backend of Keras; ``KERAS_BACKEND=jax pytest
tests/test_keras_layers.py`` runs it on one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from initspec import backend, fans, get

if "KERAS_BACKEND" not in os.environ:
    pytest.skip("test_keras.py runs this on each backend of Keras", allow_module_level=True)

keras = pytest.importorskip("keras")
layers = keras.layers
OURS = backend("keras")


def host(tensor):
    return OURS.tohost(tensor)


@dataclass(frozen=True)
class Case:
    """A layer, its kernel, the layout to give (None: Keras names the axes) and the true fans."""

    name: str
    make: Callable[[Any], Any]
    input: tuple[int, ...]
    kernel: str
    shape: tuple[int, ...]
    given: str | None
    layout: str
    fan_in: int
    fan_out: int

    def built(self, init):
        layer = self.make(init)
        layer.build(self.input)
        found = layer
        for part in self.kernel.split("."):
            found = getattr(found, part)
        return layer, found


def attention(init, **options):
    return layers.MultiHeadAttention(4, 16, kernel_initializer=init, **options)


def attend(init):
    """A layer of attention that is built like any other."""
    layer = attention(init)
    build = layer.build
    layer.build = lambda shape: build(shape, shape)
    return layer


def grouped(init):
    layer = layers.GroupQueryAttention(8, 6, 3, kernel_initializer=init)
    build = layer.build
    layer.build = lambda shape: build(shape, shape)
    return layer


CASES = [
    Case(
        "Dense", lambda init: layers.Dense(96, kernel_initializer=init),
        (2, 64), "kernel", (64, 96), None, "keras.Dense", 64, 96,
    ),
    Case(
        "Conv1D", lambda init: layers.Conv1D(32, 5, kernel_initializer=init),
        (2, 16, 16), "kernel", (5, 16, 32), None, "keras.Conv1D", 80, 160,
    ),
    Case(
        "Conv2D", lambda init: layers.Conv2D(48, (3, 5), kernel_initializer=init),
        (2, 12, 12, 16), "kernel", (3, 5, 16, 48), None, "keras.Conv2D", 240, 720,
    ),
    Case(
        "Conv2D, grouped", lambda init: layers.Conv2D(48, 3, groups=4, kernel_initializer=init),
        (2, 12, 12, 16), "kernel", (3, 3, 4, 48),
        "keras.Conv2D, groups=4", "keras.Conv2D, groups=4", 36, 108,
    ),
    Case(
        "DepthwiseConv2D",
        lambda init: layers.DepthwiseConv2D((3, 5), depth_multiplier=2, depthwise_initializer=init),
        (2, 12, 12, 64), "kernel", (3, 5, 64, 2),
        "keras.DepthwiseConv2D", "keras.DepthwiseConv2D", 15, 30,
    ),
    Case(
        "SeparableConv2D, depthwise",
        lambda init: layers.SeparableConv2D(
            24, 3, depth_multiplier=2, depthwise_initializer=init, pointwise_initializer="ones"
        ),
        (2, 12, 12, 64), "depthwise_kernel", (3, 3, 64, 2),
        "keras.SeparableConv2D", "hwgo", 9, 18,
    ),
    Case(
        "SeparableConv2D, pointwise",
        lambda init: layers.SeparableConv2D(
            24, 3, depth_multiplier=2, depthwise_initializer="ones", pointwise_initializer=init
        ),
        (2, 12, 12, 64), "pointwise_kernel", (1, 1, 128, 24), None, "keras.Conv2D", 128, 24,
    ),
    Case(
        "Conv2DTranspose", lambda init: layers.Conv2DTranspose(48, 3, kernel_initializer=init),
        (2, 12, 12, 16), "kernel", (3, 3, 48, 16),
        "keras.Conv2DTranspose", "keras.Conv2DTranspose", 144, 432,
    ),
    Case(
        "Embedding", lambda init: layers.Embedding(500, 24, embeddings_initializer=init),
        (2, 7), "embeddings", (500, 24), "keras.Embedding", "keras.Embedding", 1, 24,
    ),
    Case(
        "EinsumDense, heads",
        lambda init: layers.EinsumDense("abc,cde->abde", (None, 4, 16), kernel_initializer=init),
        (2, 5, 64), "kernel", (64, 4, 16), None, "ioo", 64, 64,
    ),
    Case(
        "EinsumDense, out first",
        lambda init: layers.EinsumDense("ab,cb->ac", 32, kernel_initializer=init),
        (2, 64), "kernel", (32, 64), None, "oi", 64, 32,
    ),
    Case(
        "EinsumDense, experts",  # Keras takes the axis b, which is no unit at all, for an output
        lambda init: layers.EinsumDense("abc,bcd->abd", (6, 32), kernel_initializer=init),
        (2, 6, 40), "kernel", (6, 40, 32), "bio", "bio", 40, 32,
    ),
    Case(
        "MultiHeadAttention, query", attend,
        (2, 5, 48), "query_dense.kernel", (48, 4, 16),
        None, "keras.MultiHeadAttention.query", 48, 64,
    ),
    Case(
        "MultiHeadAttention, value", attend,
        (2, 5, 48), "value_dense.kernel", (48, 4, 16),
        None, "keras.MultiHeadAttention.value", 48, 64,
    ),
    Case(
        "MultiHeadAttention, output", attend,
        (2, 5, 48), "output_dense.kernel", (4, 16, 48),
        None, "keras.MultiHeadAttention.output", 64, 48,
    ),
    Case(
        "GroupQueryAttention, key", grouped,
        (2, 5, 48), "_key_dense.kernel", (48, 3, 8), None, "ino", 48, 24,
    ),
    Case(
        "GroupQueryAttention, output", grouped,
        (2, 5, 48), "_output_dense.kernel", (6, 8, 48), None, "nio", 48, 48,
    ),
    Case(
        "LSTM", lambda init: layers.LSTM(32, kernel_initializer=init),
        (2, 5, 40), "cell.kernel", (40, 128), "keras.LSTM", "keras.LSTM", 40, 32,
    ),
    Case(
        "GRU", lambda init: layers.GRU(32, kernel_initializer=init),
        (2, 5, 40), "cell.kernel", (40, 96), "keras.GRU", "keras.GRU", 40, 32,
    ),
]  # fmt: skip

every_layer = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@every_layer
@pytest.mark.parametrize(
    "scheme",
    [
        "he_normal",
        "glorot_uniform",
        "variance_scaling(factor=0.5, mode='FAN_OUT', distribution='untruncated_normal')",
        "normal(std=0.02)",
        "orthogonal(gain=2)",
    ],
)
def test_a_kernel_is_that_of_the_scheme(case, scheme):
    scheme = get(scheme)
    _, kernel = case.built(scheme.keras(seed=7, name=case.name, layout=case.given))
    assert tuple(kernel.shape) == case.shape
    wanted = scheme.numpy(case.shape, seed=7, name=case.name, layout=case.layout)
    assert host(kernel).tobytes() == wanted.tobytes()


@every_layer
@pytest.mark.parametrize("scheme", ["he_normal", "glorot_uniform", "lecun_normal"])
def test_a_kernel_has_the_law(case, scheme):
    scheme = get(scheme)
    law = scheme.given(fan_in=case.fan_in, fan_out=case.fan_out)
    keras.utils.set_random_seed(11)
    _, kernel = case.built(scheme.keras(layout=case.given))
    values = host(kernel).astype(float)
    error = ((law.kurtosis + 2) / values.size) ** 0.5
    assert abs(np.mean(values**2) / law.variance - 1) < 5 * error
    assert abs(values.mean()) < 5 * law.std / values.size**0.5
    low, high = law.support
    assert low <= values.min()
    assert values.max() <= high


@every_layer
def test_the_fans_are_those_of_the_layout(case):
    assert fans(case.shape, case.layout) == (case.fan_in, case.fan_out)


COUNTED = {
    "Dense", "Conv1D", "Conv2D", "Conv2D, grouped", "DepthwiseConv2D", "Conv2DTranspose",
    "EinsumDense, heads", "EinsumDense, out first", "EinsumDense, experts",
}  # fmt: skip


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in COUNTED], ids=lambda case: case.name
)
def test_the_fans_count_multiplications(case):
    """With a kernel of ones, an output far from the border is its fan_in, and the outputs that
    one input feeds are its fan_out."""
    layer, _ = case.built("ones")
    ones = np.ones(case.input, np.float32)
    assert host(layer(ones)).max() == case.fan_in
    one = np.zeros(case.input, np.float32)
    one[(0, *(n // 2 for n in case.input[1:]))] = 1
    assert host(layer(one)).sum() == case.fan_out


@pytest.mark.parametrize("name", ["Embedding"])
def test_an_embedding_looks_up_one_entry(name):
    case = next(case for case in CASES if case.name == name)
    layer, _ = case.built("ones")
    found = host(layer(np.zeros((1, 1), np.int32)))
    assert found.max() == case.fan_in
    assert found.sum() == case.fan_out


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("name", "gates"), [("LSTM", 4), ("GRU", 3), ("SimpleRNN", 1)])
def test_each_gate_is_orthogonal_by_itself(name, gates, dtype):
    init = get("orthogonal").keras(seed=1, layout=f"keras.{name}")
    layer = getattr(layers, name)(
        16, recurrent_initializer=init, kernel_initializer="zeros", dtype=dtype
    )
    layer.build((None, 5, 8))
    kernel = host(layer.cell.recurrent_kernel)
    assert kernel.dtype.name == dtype
    for gate in np.split(kernel.astype(float), gates, axis=1):
        error = 0.02 if dtype == "bfloat16" else 1e-6
        assert np.abs(gate.T @ gate - np.eye(16)).max() < error


def test_the_heads_of_an_orthogonal_attention():
    """One matrix from the input to all heads together, as its axes say."""
    layer = attention(get("orthogonal").keras(seed=1))
    layer.build((2, 5, 64), (2, 5, 64))
    query = host(layer.query_dense.kernel).reshape(64, 64)
    output = host(layer.output_dense.kernel).reshape(64, 64)
    for matrix in (query, output):
        assert np.abs(matrix.T @ matrix - np.eye(64)).max() < 1e-5


def test_projections_without_a_seed_differ():
    layer = attention(get("he_normal").keras())
    layer.build((2, 5, 64), (2, 5, 64))
    query, key = host(layer.query_dense.kernel), host(layer.key_dense.kernel)
    assert not (query == key).any()


def test_layers_that_use_their_kernels():
    """A model with all of it, trained for a step."""
    he = get("he_normal")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(8, 3, groups=2, kernel_initializer=he.keras(layout="keras.Conv2D, groups=2")),
            layers.SeparableConv2D(
                8, 3,
                depthwise_initializer=he.keras(layout="keras.SeparableConv2D"),
                pointwise_initializer="initspec>he_normal",
            ),
            layers.Reshape((16, 8)),
            layers.LSTM(
                6,
                kernel_initializer=he.keras(layout="keras.LSTM"),
                recurrent_initializer=get("orthogonal").keras(layout="keras.LSTM"),
            ),
            layers.Dense(1, kernel_initializer="initspec>glorot_uniform"),
        ]
    )  # fmt: skip
    model.compile("sgd", "mse")
    before = [host(weight).copy() for weight in model.trainable_weights]
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(4, 8, 8, 4)), rng.normal(size=(4, 1)), verbose=0)
    after = [host(weight) for weight in model.trainable_weights]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any((a != b).any() for a, b in zip(before, after, strict=True))
