"""The tables of what layers draw: well formed, complete, and with the numbers that were measured."""

import math
import re
from typing import Any

import pytest

from initspec import InitSpecError, LayoutError, SpecError, UnknownName, defaults
from initspec.layers.defaults import frameworks, kinds, roles, table
from initspec.layers.parameter import LayerDefault, Parameter
from initspec.layers.sizes import evaluate, python
from initspec.readings.registry import schemes

ROWS = [row for framework in frameworks() for row in table(framework)]
TRUNCATED = 0.87962566103423978**2  # of a normal law's variance, cut at 2 standard deviations

# Sizes of which no two, and no two products that a fan could be, are equal.
SIZES: dict[str, Any] = {
    "in": 48, "out": 60, "in1": 11, "in2": 13, "k": (3, 5), "groups": 4, "multiplier": 7,
    "vocab": 97, "hidden": 29, "heads": 6, "head_dim": 17, "kdim": 37, "vdim": 41, "kv_heads": 2,
    "rank": 19, "places": (23, 31),
}  # fmt: skip
I, O, K, G, M, V, H = 48, 60, 15, 4, 7, 97, 29  # noqa: E741


def uniform(square: float) -> tuple[str, float]:
    """U(-b, b) by the square of its bound."""
    return "uniform", square / 3


def normal(variance: float) -> tuple[str, float]:
    return "normal", variance


def cut(variance: float) -> tuple[str, float]:
    return "truncated_normal", variance


def parent(variance: float) -> tuple[str, float]:
    """Cut at two standard deviations of a parent of this variance, not corrected."""
    return "truncated_normal", variance * TRUNCATED


def always(value: float) -> tuple[str, float]:
    return "constant", value


def haar(variance: float) -> tuple[str, float]:
    return "orthogonal", variance


HEADS = 6 * 17
#: Cell by cell, what was measured or read: framework, layer, parameter, law, squared scale.
CELLS = [
    # dense, and its bias
    ("torch", "Linear", "weight", uniform(1 / I)), ("torch", "Linear", "bias", uniform(1 / I)),
    ("keras", "Dense", "kernel", uniform(6 / (I + O))), ("keras", "Dense", "bias", always(0)),
    ("flax", "Dense", "kernel", cut(1 / I)), ("flax", "Dense", "bias", always(0)),
    ("nnx", "Linear", "kernel", cut(1 / I)), ("nnx", "Linear", "bias", always(0)),
    ("haiku", "Linear", "w", parent(1 / I)), ("haiku", "Linear", "b", always(0)),
    ("sonnet", "Linear", "w", parent(1 / I)), ("sonnet", "Linear", "b", always(0)),
    ("equinox", "Linear", "weight", uniform(1 / I)), ("equinox", "Linear", "bias", uniform(1 / I)),
    ("mlx", "Linear", "weight", uniform(1 / I)), ("mlx", "Linear", "bias", uniform(1 / I)),
    ("tinygrad", "Linear", "weight", uniform(1 / I)), ("tinygrad", "Linear", "bias", uniform(1 / I)),
    ("chainer", "Linear", "W", normal(1 / I)), ("chainer", "Linear", "b", always(0)),
    ("lasagne", "DenseLayer", "W", uniform(6 / (I + O))), ("lasagne", "DenseLayer", "b", always(0)),
    ("neupy", "Linear", "weight", normal(1 / I)), ("neupy", "Relu", "weight", normal(2 / I)),
    ("neupy", "Linear", "bias", always(0)),
    ("mxnet", "Dense", "weight", uniform(0.07**2)), ("mxnet", "Dense", "bias", always(0)),
    ("paddle", "Linear", "weight", uniform(6 / (I + O))), ("paddle", "Linear", "bias", always(0)),
    ("flux", "Dense", "weight", uniform(6 / (I + O))), ("flux", "Dense", "bias", always(0)),
    ("mindspore", "Dense", "weight", uniform(1 / I)), ("mindspore", "Dense", "bias", uniform(1 / I)),
    ("caffe", "InnerProduct", "weight", always(0)), ("neupy", "LeakyRelu", "weight", normal(1 / I)),
    # convolutions
    ("torch", "Conv2d", "weight", uniform(G / (I * K))), ("torch", "Conv2d", "bias", uniform(G / (I * K))),
    ("keras", "Conv2D", "kernel", uniform(6 / ((I / G + O) * K))), ("keras", "Conv2D", "bias", always(0)),
    ("flax", "Conv", "kernel", cut(G / (I * K))), ("flax", "Conv", "bias", always(0)),
    ("nnx", "Conv", "kernel", cut(G / (I * K))),
    ("haiku", "Conv2D", "w", parent(G / (I * K))), ("sonnet", "Conv2D", "w", parent(1 / (I * K))),
    ("equinox", "Conv2d", "weight", uniform(G / (I * K))), ("equinox", "Conv2d", "bias", uniform(G / (I * K))),
    ("mlx", "Conv2d", "weight", uniform(G / (I * K))), ("mlx", "Conv2d", "bias", always(0)),
    ("mlx==0.32.3", "Conv2d", "weight", uniform(1 / (I * K))),
    ("mlx", "Conv3d", "weight", uniform(1 / (I * K))),
    ("mindspore", "Conv2d", "weight", uniform(G / (I * K))), ("mindspore", "Conv1d", "bias", uniform(G / (I * K))),
    ("caffe", "Convolution", "weight", always(0)), ("caffe", "Convolution", "bias", always(0)),
    ("chainer", "LocalConvolution2D", "W", normal(1 / (I * K * 23 * 31))),
    ("lasagne", "LocallyConnected2DLayer", "W", uniform(6 / ((I + O) * K * 23 * 31))),
    ("tinygrad", "Conv2d", "weight", uniform(1 / (I * K))), ("tinygrad", "Conv2d", "bias", uniform(1 / (I * K))),
    ("chainer", "Convolution2D", "W", normal(G / (I * K))), ("chainer", "Convolution2D", "b", always(0)),
    ("lasagne", "Conv2DLayer", "W", uniform(6 / ((I / G + O) * K))),
    ("neupy", "Convolution", "weight", normal(2 / (I * K))),
    ("mxnet", "Conv2D", "weight", uniform(0.07**2)),
    ("paddle", "Conv2D", "weight", normal(2 / (I * K))),
    ("flux", "Conv", "weight", uniform(6 / ((I / G + O) * K))),
    ("flax", "ConvLocal", "kernel", cut(1 / (I * K * 23 * 31))),
    # transposed
    ("torch", "ConvTranspose2d", "weight", uniform(G / (O * K))),
    ("torch", "ConvTranspose2d", "bias", uniform(G / (O * K))),
    ("keras", "Conv2DTranspose", "kernel", uniform(6 / ((O + I) * K))), ("keras", "Conv2DTranspose", "bias", always(0)),
    ("flax", "ConvTranspose", "kernel", cut(1 / (I * K))),
    ("flax", "ConvTranspose(transpose_kernel=True)", "kernel", cut(1 / (O * K))),
    ("nnx", "ConvTranspose", "kernel", cut(1 / (I * K))),
    ("nnx", "ConvTranspose(transpose_kernel=True)", "kernel", cut(1 / (O * K))),
    ("haiku", "Conv2DTranspose", "w", parent(1 / (I * K))), ("sonnet", "Conv2DTranspose", "w", parent(1 / (I * K))),
    ("equinox", "ConvTranspose2d", "weight", uniform(G / (I * K))),
    ("mlx", "ConvTranspose2d", "weight", uniform(1 / (I * K))), ("mlx", "ConvTranspose2d", "bias", always(0)),
    ("tinygrad", "ConvTranspose2d", "weight", uniform(1 / (I * K))),
    ("chainer", "Deconvolution2D", "W", normal(G / (O * K))),
    ("lasagne", "TransposedConv2DLayer", "W", uniform(6 / ((I + O) * K))),
    ("neupy", "Deconvolution", "weight", normal(2 / (O * K))),
    ("mxnet", "Conv2DTranspose", "weight", uniform(0.07**2)),
    ("paddle", "Conv2DTranspose", "weight", uniform(6 / ((I + O / G) * K))),
    ("flux", "ConvTranspose", "weight", uniform(6 / ((I + O / G) * K))),
    ("mindspore", "Conv2dTranspose", "weight", uniform(G / (O * K))), ("mindspore", "Conv1dTranspose", "weight", uniform(G / (O * K))),
    # depthwise
    ("keras", "DepthwiseConv2D", "kernel", uniform(6 / ((I + M) * K))),
    ("keras", "SeparableConv2D", "depthwise_kernel", uniform(6 / ((I + M) * K))),
    ("keras", "SeparableConv2D", "pointwise_kernel", uniform(6 / (I * M + O))),
    ("haiku", "DepthwiseConv2D", "w", parent(1 / K)), ("sonnet", "DepthwiseConv2D", "w", parent(1 / K)),
    ("chainer", "DepthwiseConvolution2D", "W", normal(1 / (I * K))),
    ("flux", "DepthwiseConv", "weight", uniform(6 / ((1 + I * M) * K))),
    # embeddings
    ("torch", "Embedding", "weight", normal(1)), ("keras", "Embedding", "embeddings", uniform(0.05**2)),
    ("flax", "Embed", "embedding", normal(1 / O)), ("nnx", "Embed", "embedding", normal(1 / O)),
    ("haiku", "Embed", "embeddings", parent(1)), ("sonnet", "Embed", "embeddings", parent(1)),
    ("equinox", "Embedding", "weight", normal(1)), ("mlx", "Embedding", "weight", normal(1 / O)),
    ("tinygrad", "Embedding", "weight", uniform(6 / (V + O))), ("chainer", "EmbedID", "W", normal(1)),
    ("lasagne", "EmbeddingLayer", "W", normal(0.01**2)), ("neupy", "Embedding", "weight", normal(1 / V)),
    ("mxnet", "Embedding", "weight", uniform(0.07**2)), ("paddle", "Embedding", "weight", uniform(6 / (V + O))),
    ("flux", "Embedding", "weight", normal(1)), ("mindspore", "Embedding", "embedding_table", normal(0.01**2)),
    # cells
    *(("torch", "LSTM", name, uniform(1 / H)) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0")),
    *(("torch", "GRU", name, uniform(1 / H)) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")),
    *(("torch", "RNN", name, uniform(1 / H)) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")),
    ("keras", "LSTM", "kernel", uniform(6 / (I + 4 * H))), ("keras", "LSTM", "recurrent_kernel", haar(1 / (4 * H))),
    ("keras", "GRU", "kernel", uniform(6 / (I + 3 * H))), ("keras", "GRU", "recurrent_kernel", haar(1 / (3 * H))),
    ("keras", "GRU", "bias", always(0)),
    ("keras", "SimpleRNN", "kernel", uniform(6 / (I + H))), ("keras", "SimpleRNN", "recurrent_kernel", haar(1 / H)),
    ("keras", "SimpleRNN", "bias", always(0)),
    ("keras", "ConvLSTM2D", "recurrent_kernel", haar(1 / (H * K))),
    ("flax", "LSTMCell", "ii.kernel", cut(1 / I)), ("flax", "LSTMCell", "hf.kernel", haar(1 / H)),
    ("flax", "OptimizedLSTMCell", "hf.kernel", haar(1 / H)), ("flax", "LSTMCell", "hf.bias", always(0)),
    ("flax", "GRUCell", "hr.kernel", haar(1 / H)), ("flax", "GRUCell", "in.kernel", cut(1 / I)),
    ("flax", "MGUCell", "if.bias", always(1)), ("flax", "MGUCell", "in.bias", always(0)),
    ("flax", "SimpleCell", "i.kernel", cut(1 / I)), ("flax", "SimpleCell", "h.kernel", haar(1 / H)),
    ("nnx", "LSTMCell", "hf.kernel", haar(1 / H)),
    ("nnx", "OptimizedLSTMCell", "dense_i.kernel", cut(1 / I)),
    ("nnx", "OptimizedLSTMCell", "dense_h.kernel", haar(1 / (4 * H))),
    ("nnx", "GRUCell", "dense_h.kernel", haar(1 / (3 * H))), ("nnx", "GRUCell", "dense_i.bias", always(0)),
    ("haiku", "LSTM", "linear.w", parent(1 / (I + H))), ("haiku", "LSTM", "linear.b", always(0)),
    ("haiku", "GRU", "w_i", cut(1 / I)), ("haiku", "GRU", "w_h", cut(1 / H)), ("haiku", "GRU", "b", always(0)),
    ("haiku", "VanillaRNN", "linear.w", parent(1 / I)), ("haiku", "VanillaRNN", "linear_1.w", parent(1 / H)),
    ("sonnet", "LSTM", "w_i", parent(1 / I)), ("sonnet", "LSTM", "w_h", parent(1 / H)),
    ("sonnet", "GRU", "w_i", uniform(6 / (I + 3 * H))), ("sonnet", "GRU", "w_h", uniform(6 / (4 * H))), ("sonnet", "GRU", "b", always(0)),
    ("sonnet", "VanillaRNN", "hidden_to_hidden.w", parent(1 / H)), ("sonnet", "LSTM", "projection", parent(1 / H)),
    ("sonnet", "Conv2DLSTM", "input_to_hidden.w", parent(1 / (I * K))), ("sonnet", "Conv2DLSTM", "hidden_to_hidden.w", parent(1 / (H * K))),
    *(("equinox", "LSTMCell", name, uniform(1 / H)) for name in ("weight_ih", "weight_hh", "bias")),
    *(("equinox", "GRUCell", name, uniform(1 / H)) for name in ("weight_ih", "weight_hh", "bias", "bias_n")),
    *(("mlx", "LSTM", name, uniform(1 / H)) for name in ("Wx", "Wh", "bias")),
    *(("mlx", "GRU", name, uniform(1 / H)) for name in ("Wx", "Wh", "b", "bhn")),
    *(("mlx", "RNN", name, uniform(1 / H)) for name in ("Wxh", "Whh", "bias")),
    ("tinygrad", "LSTMCell", "weight_ih", uniform(1 / H)), ("tinygrad", "LSTMCell", "weight_hh", uniform(1 / H)),
    ("tinygrad", "LSTMCell", "bias_ih", always(0)), ("tinygrad", "LSTMCell", "bias_hh", always(0)),
    ("chainer", "LSTM", "upward.W", normal(1 / I)), ("chainer", "LSTM", "lateral.W", normal(1 / H)),
    ("chainer", "NStepLSTM", "0.w3", normal(1 / I)), ("chainer", "NStepLSTM", "0.w4", normal(1 / H)), ("chainer", "NStepLSTM", "0.b1", always(0)),
    ("chainer", "GRU", "W_r.W", normal(1 / I)), ("chainer", "GRU", "U.W", normal(1 / H)), ("chainer", "GRU", "U_z.b", always(0)),
    ("chainer", "NStepRNNTanh", "0.w1", normal(1 / H)), ("chainer", "StatefulMGU", "W_f.W", normal(1 / (I + H))),
    ("lasagne", "LSTMLayer", "W_in_to_cell", normal(0.1**2)), ("lasagne", "LSTMLayer", "W_hid_to_cell", normal(0.1**2)),
    ("lasagne", "LSTMLayer", "W_cell_to_forgetgate", normal(0.1**2)), ("lasagne", "GRULayer", "W_in_to_hidden_update", normal(0.1**2)),
    ("lasagne", "RecurrentLayer", "W_hid_to_hid", uniform(0.01**2)),
    ("neupy", "LSTM", "input_weights", normal(1 / I)), ("neupy", "LSTM", "hidden_weights", normal(1 / H)),
    ("neupy", "GRU", "input_weights", normal(1 / I)), ("neupy", "LSTM", "weight_cell_to_outgate", normal(1 / H)),
    ("mxnet", "LSTM", "l0_i2h_weight", uniform(0.07**2)), ("mxnet", "LSTMCell", "h2h_weight", uniform(0.07**2)),
    ("mxnet", "GRU", "l0_h2h_weight", uniform(0.07**2)), ("mxnet", "RNNCell", "i2h_bias", always(0)),
    *(("paddle", name, "weight_ih_l0", uniform(1 / H)) for name in ("LSTM", "GRU", "SimpleRNN")),
    *(("mindspore", name, "bias_hh_l0", uniform(1 / H)) for name in ("LSTM", "GRU", "RNN")),
    ("paddle", "LSTM", "bias_hh_l0", uniform(1 / H)), ("paddle", "GRUCell", "weight_hh", uniform(1 / H)),
    ("flux", "LSTM", "cell.Wi", uniform(6 / (I + 4 * H))), ("flux", "LSTMCell", "Wh", uniform(6 / (H + 4 * H))),
    ("flux", "GRU", "cell.Wi", uniform(6 / (I + 3 * H))), ("flux", "RNNCell", "Wh", uniform(6 / (2 * H))),
    ("flux", "LSTM", "cell.bias", always(0)), ("caffe", "LSTM", "W_hc", always(0)),
    # attention
    ("torch", "MultiheadAttention", "in_proj_weight", uniform(6 / (4 * I))),
    ("torch", "MultiheadAttention", "k_proj_weight", uniform(6 / (I + 37))),
    ("torch", "MultiheadAttention", "v_proj_weight", uniform(6 / (I + 41))),
    ("torch", "MultiheadAttention", "in_proj_bias", always(0)),
    ("torch", "MultiheadAttention", "bias_k", normal(1 / I)), ("torch", "MultiheadAttention", "bias_v", normal(1 / I)),
    ("torch", "MultiheadAttention", "out_proj.weight", uniform(1 / I)),
    ("torch", "MultiheadAttention", "out_proj.bias", always(0)),
    ("keras", "MultiHeadAttention", "query/kernel", uniform(6 / (I + HEADS))),
    ("keras", "MultiHeadAttention", "query/bias", always(0)),
    ("keras", "MultiHeadAttention", "attention_output/kernel", uniform(6 / (HEADS + O))),
    ("keras<3.15", "MultiHeadAttention", "query/kernel", uniform(6 / (I * 6 + I * 17))),
    ("keras==3.14", "EinsumDense", "kernel", uniform(6 / (I * 6 + I * 17))),
    ("keras>=3.15", "EinsumDense", "kernel", uniform(6 / (I + HEADS))),
    ("flax", "MultiHeadDotProductAttention", "query.kernel", cut(1 / I)),
    ("flax", "MultiHeadDotProductAttention", "out.kernel", cut(1 / HEADS)),
    ("flax", "Einsum", "kernel", cut(1 / (I * 6))), ("nnx", "Einsum", "kernel", cut(1 / (I * 6))),
    ("nnx", "MultiHeadAttention", "key.kernel", cut(1 / I)),
    ("equinox", "MultiheadAttention", "key_proj.weight", uniform(1 / 37)),
    ("equinox", "MultiheadAttention", "output_proj.weight", uniform(1 / HEADS)),
    ("mlx", "MultiHeadAttention", "value_proj.weight", uniform(1 / 41)), ("mlx", "MultiHeadAttention", "key_proj.bias", uniform(1 / 37)),
    ("paddle", "MultiHeadAttention", "v_proj.weight", uniform(6 / (I + 41))), ("paddle", "MultiHeadAttention", "out_proj.weight", uniform(6 / (2 * I))),
    ("flux", "MultiHeadAttention", "k_proj.weight", uniform(6 / (37 + HEADS))),
    ("mindspore", "MultiheadAttention", "in_proj_weight", uniform(6 / (4 * I))), ("mindspore", "MultiheadAttention", "bias_k", normal(1 / I)),
    ("mindspore", "MultiheadAttention", "out_proj.bias", uniform(1 / I)), ("mindspore", "MultiheadAttention", "in_proj_bias", always(0)),
    ("torch", "Transformer", "decoder.layers.5.multihead_attn.in_proj_weight", uniform(6 / (4 * I))),
    ("torch", "Transformer", "encoder.layers.0.linear1.weight", uniform(6 / (I + H))),
    ("torch", "Transformer", "encoder.layers.0.linear1.bias", uniform(1 / I)),
    ("torch", "TransformerEncoderLayer", "linear2.weight", uniform(1 / H)),
    # norms, slopes and the rest
    *((f, n, p, always(1)) for f, n, p in (
        ("torch", "LayerNorm", "weight"), ("keras", "BatchNormalization", "gamma"), ("flax", "RMSNorm", "scale"),
        ("nnx", "GroupNorm", "scale"), ("haiku", "LayerNorm", "scale"), ("sonnet", "BatchNorm", "scale"),
        ("equinox", "GroupNorm", "weight"), ("mlx", "RMSNorm", "weight"), ("tinygrad", "LayerNorm", "weight"),
        ("keras", "BatchNormalization", "moving_variance"), ("torch", "BatchNorm2d", "running_var"),
        ("mxnet", "BatchNorm", "running_var"), ("paddle", "InstanceNorm2D", "scale"), ("paddle", "BatchNorm2D", "_variance"),
        ("neupy", "BatchNorm", "running_inv_std"), ("lasagne", "BatchNormLayer", "inv_std"), ("flux", "BatchNorm", "σ²"),
        ("flux", "LayerNorm", "diag.scale"), ("mindspore", "LayerNorm", "gamma"), ("caffe", "Scale", "scale"),
    )),
    *((f, n, p, always(0)) for f, n, p in (
        ("torch", "GroupNorm", "bias"), ("keras", "LayerNormalization", "beta"), ("flax", "BatchNorm", "bias"),
        ("nnx", "LayerNorm", "bias"), ("haiku", "GroupNorm", "offset"), ("sonnet", "LayerNorm", "offset"),
        ("equinox", "LayerNorm", "bias"), ("mlx", "LayerNorm", "bias"), ("tinygrad", "BatchNorm", "bias"),
        ("keras", "BatchNormalization", "moving_mean"), ("torch", "BatchNorm1d", "running_mean"),
        ("sonnet", "BatchNorm", "moving_variance.average"), ("caffe", "BatchNorm", "variance"),
        ("mxnet", "GroupNorm", "beta"), ("paddle", "LayerNorm", "bias"), ("neupy", "GroupNorm", "beta"), ("flux", "GroupNorm", "β"),
    )),
    ("torch", "PReLU", "weight", always(0.25)), ("keras", "PReLU", "alpha", always(0)),
    ("flax", "PReLU", "negative_slope", always(0.01)), ("equinox", "PReLU", "negative_slope", always(0.25)),
    ("mlx", "PReLU", "weight", always(0.25)),
    *((f, n, p, always(0.25)) for f, n, p in (
        ("chainer", "PReLU", "W"), ("lasagne", "ParametricRectifierLayer", "alpha"), ("mxnet", "PReLU", "alpha"),
        ("neupy", "PRelu", "alpha"), ("paddle", "PReLU", "_weight"), ("mindspore", "PReLU", "w"), ("caffe", "PReLU", "slope"),
    )),
    ("mlx", "Bilinear", "weight", uniform(1 / 11)), ("mlx", "Bilinear", "bias", uniform(1 / 11)),
    ("mindspore", "BiDense", "weight", uniform(1 / 11)), ("paddle", "Bilinear", "weight", uniform(6 / ((11 + O) * 13))),
    ("flux", "Bilinear", "weight", uniform(6 / ((11 + 13) * O))), ("paddle", "Bilinear", "bias", always(0)),
    ("chainer", "Bilinear", "W", normal(1 / (13 * O))), ("chainer", "Bilinear", "V1", normal(1 / O)),
    ("torch", "Bilinear", "weight", uniform(1 / 11)), ("torch", "Bilinear", "bias", uniform(1 / 11)),
    ("keras", "Dense", "lora_kernel_a", uniform(6 / I)), ("keras", "Dense", "lora_kernel_b", always(0)),
    ("nnx", "LoRA", "lora_a", uniform(6 / I)), ("nnx", "LoRA", "lora_b", always(0)),
]  # fmt: skip


@pytest.mark.parametrize(("framework", "layer", "parameter", "wanted"), CELLS)
def test_cell(framework: str, layer: str, parameter: str, wanted: tuple[str, float]) -> None:
    law = defaults(framework, layer)[parameter].on(SIZES)
    kind, number = wanted
    assert law.kind == kind
    assert (law.mean if kind == "constant" else law.variance) == pytest.approx(number, rel=1e-12)


def test_every_framework_of_the_survey_has_a_table() -> None:
    assert set(frameworks()) == {
        "caffe", "chainer", "equinox", "flax", "flux", "haiku", "keras", "lasagne", "mindspore",
        "mlx", "mxnet", "neupy", "nnx", "paddle", "sonnet", "tinygrad", "torch",
    }  # fmt: skip
    assert {framework for framework, *_ in CELLS} >= set(frameworks())


def test_what_was_not_run_says_so() -> None:
    run = {name for name, head in frameworks().items() if head["evidence"] == "run"}
    assert run == {"torch", "keras", "flax", "nnx", "haiku", "equinox"}
    assert {head["evidence"] for head in frameworks().values()} == {"run", "read"}
    for name, head in frameworks().items():
        assert head["source"]
        assert head["version"]
        assert ("adapter" in head) == (name in run)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.framework} {row.name} {row.until}")
def test_row_is_well_formed(row: LayerDefault) -> None:
    assert row.kind in kinds()
    sizes = kinds()[row.kind] | {"groups": 4, "multiplier": 3, "rank": 2, "kdim": 7}
    stem = row.framework, row.name
    assert bool(row.make) == (frameworks()[row.framework]["evidence"] == "run"), stem
    for name, parameter in row.items():
        assert parameter.role in roles(), (stem, name)
        said = [parameter.scheme is not None, bool(parameter.gates), bool(parameter.required)]
        assert sum(said) == 1, (stem, name)
        shape = parameter.shape_on(sizes)
        assert all(n > 0 for n in shape), (stem, name)
        axes = parameter.layout_on(sizes)
        assert len(axes.roles(shape)) == len(shape), (stem, name)
        assert parameter.formula
        if not parameter.required:
            assert parameter.on(sizes).variance >= 0
            if parameter.gates:
                assert len(parameter.gates) == len(row.gate_order)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.framework} {row.name} {row.until}")
def test_every_parameter_takes_its_own_shape(row: LayerDefault) -> None:
    """What a shape does not tell, as a bias its inputs, is asked for by name, and then enough."""
    sizes = {"groups": 4, "rank": 2, **kinds()[row.kind]}
    dims = re.search("[123](?=[dD])", row.name)
    if dims and "k" in sizes:
        sizes["k"] = (3, 5, 2)[: int(dims[0])]
    if dims and "places" in sizes:
        sizes["places"] = (8, 7, 6)[: int(dims[0])]
    for name, parameter in row.items():
        if parameter.required:
            continue
        shape, law = parameter.shape_on(sizes), parameter.on(sizes)
        more = {word: n for word, n in sizes.items() if word != "groups" or n > 1}
        assert parameter.on(shape, **more) == law, name
        missing = asked_of(parameter, shape, sizes["groups"])
        if missing is None:
            assert parameter.on(shape, groups=sizes["groups"]) == law, name
        else:
            assert parameter.role.endswith("bias"), name
            assert missing not in parameter.shape, name


def asked_of(parameter: Parameter, shape: tuple[int, ...], groups: int) -> str | None:
    """The size that the law needs beside a shape, by the error that asks for it."""
    try:
        parameter.on(shape, groups=groups)
    except SpecError as error:
        return str(error).split("needs the size '")[1].split("'")[0]
    return None


@pytest.mark.parametrize(
    ("call", "law"),
    [
        (
            lambda: defaults("keras", "SeparableConv2D")["pointwise_kernel"].on((1, 1, 32, 48)),
            uniform(6 / (32 + 48)),
        ),
        (
            lambda: defaults("keras", "SeparableConv1D")["pointwise_kernel"].on((1, 32, 48)),
            uniform(6 / (32 + 48)),
        ),
        (
            lambda: defaults("equinox", "Conv2d")["bias"].on((48, 1, 1), in_=16, k=(3, 3)),
            uniform(1 / 144),
        ),
        (
            lambda: defaults("mlx", "MultiHeadAttention")["out_proj.weight"].on((96, 72)),
            uniform(1 / 72),
        ),
    ],
)
def test_shapes_that_hold_products_and_ones(call: Any, law: tuple[str, float]) -> None:
    assert (call().kind, call().variance) == (law[0], pytest.approx(law[1], rel=1e-12))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: defaults("equinox", "Conv2d")["bias"].on((48, 2, 1), in_=16, k=(3, 3)),
            r"bias has the shape \(out, ones\), not \(48, 2, 1\)",
        ),
        (
            lambda: defaults("haiku", "SeparableDepthwiseConv2D")["depthwise_conv2_d.w"].on(
                (3, 1, 1, 127), in_=64
            ),
            r"not \(3, 1, 1, 127\)",
        ),
        (
            lambda: defaults("haiku", "SeparableDepthwiseConv2D")["depthwise_conv2_d_1.w"].on(
                in_=64, multiplier=2, k=3
            ),
            "cannot be worked out of these sizes",
        ),
        (
            lambda: defaults("torch", "Conv2d")["weight"].on((8, 4, 3, 3), groups=0),
            "of weight needs in/groups, which cannot be worked out",
        ),
    ],
)
def test_shapes_and_sizes_that_cannot_be_are_sentences(call: Any, words: str) -> None:
    with pytest.raises(InitSpecError, match=words):
        call()


def test_kernels_are_rectangular_in_the_examples() -> None:
    """No two sizes of an example are equal, but for what a layer makes equal."""
    for kind, sizes in kinds().items():
        numbers = [n for word, n in sizes.items() if word not in ("k", "places", "kdim", "vdim")]
        if kind != "attention":
            assert len(set(numbers)) == len(numbers), kind


def test_fans_in_words_are_the_fans_in_numbers() -> None:
    """Read off primes, they say at any sizes what the rule counts on the shape."""
    counted = 0
    for row in ROWS:
        for name, parameter in row.items():
            if parameter.scheme is not None and parameter.scheme.needs_fans:
                words, numbers = parameter.fan_words(), parameter.fans(SIZES)
                for fan in ("fan_in", "fan_out"):
                    text, number = str(getattr(words, fan)), getattr(numbers, fan)
                    assert evaluate(text, SIZES) == number, (row.name, name, text)
                counted += 1
    assert counted > 200


def test_forget_gate() -> None:
    law = defaults("keras", "LSTM")["bias"].on((20,))
    assert law.values.array().tolist() == [0] * 5 + [1] * 5 + [0] * 10  # type: ignore[attr-defined]
    law = defaults("sonnet", "LSTM")["b"].on((8,))
    assert law.values.array().tolist() == [0, 0, 1, 1, 0, 0, 0, 0]  # type: ignore[attr-defined]
    chainer = defaults("chainer", "LSTM")
    law = chainer["upward.b"].on((8,))
    assert law.values.array().tolist() == [0, 0, 1, 0, 0, 0, 1, 0]  # type: ignore[attr-defined]
    assert chainer.gate_order[chainer["upward.b"].gates.index(1.0)] == "f"
    assert defaults("flux<0.15", "LSTM").gate_order == "ifgo"
    assert defaults("flux==0.14", "LSTM")["cell.b"].gates == (0, 1, 0, 0)
    assert not defaults("flux", "LSTM")["cell.bias"].gates


@pytest.mark.parametrize(
    ("framework", "layer", "order"),
    [
        ("caffe", "LSTM", "ifog"), ("chainer", "GRU", "rzn"), ("chainer", "NStepLSTM", "ifgo"),
        ("flux", "LSTMCell", "ifgo"), ("flux", "GRU", "rzn"), ("lasagne", "LSTMLayer", "ifgo"),
        ("lasagne", "GRULayer", "rzn"), ("mindspore", "LSTM", "ifgo"), ("mindspore", "GRUCell", "rzn"),
        ("mlx", "LSTM", "ifgo"), ("mlx", "GRU", "rzn"), ("mxnet", "LSTM", "ifgo"), ("mxnet", "GRU", "rzn"),
        ("neupy", "LSTM", "ifgo"), ("neupy", "GRU", "rzn"), ("paddle", "LSTM", "ifgo"),
        ("paddle", "GRU", "rzn"), ("sonnet", "LSTM", "ifgo"), ("sonnet", "GRU", "zrn"),
        ("tinygrad", "LSTMCell", "ifgo"),
    ],
)  # fmt: skip
def test_gates_that_were_read(framework: str, layer: str, order: str) -> None:
    assert defaults(framework, layer).gate_order == order


@pytest.mark.parametrize(
    ("framework", "layer", "parameter", "shape"),
    [  # of layers that were built once by hand
        ("chainer", "Deconvolution2D", "W", (48, 15, 3, 5)),
        ("chainer", "DepthwiseConvolution2D", "W", (7, 48, 3, 5)),
        ("chainer", "LocalConvolution2D", "W", (60, 23, 31, 48, 3, 5)),
        ("chainer", "Bilinear", "W", (11, 13, 60)), ("chainer", "StatefulMGU", "W_f.W", (29, 77)),
        ("mindspore", "BiDense", "weight", (60, 11, 13)), ("mlx", "Bilinear", "weight", (60, 13, 11)),
        ("mindspore", "Conv2dTranspose", "weight", (48, 15, 3, 5)),
        ("mlx", "Conv2d", "weight", (60, 3, 5, 12)), ("mlx", "ConvTranspose2d", "weight", (60, 3, 5, 48)),
        ("mlx", "LSTM", "Wx", (116, 48)), ("mxnet", "GRU", "l0_h2h_weight", (87, 29)),
        ("mxnet", "Conv2DTranspose", "weight", (48, 15, 3, 5)),
        ("paddle", "Linear", "weight", (48, 60)), ("paddle", "Bilinear", "bias", (1, 60)),
        ("paddle", "MultiHeadAttention", "k_proj.weight", (37, 48)),
        ("sonnet", "Conv2DTranspose", "w", (3, 5, 60, 48)), ("sonnet", "DepthwiseConv2D", "w", (3, 5, 48, 7)),
        ("sonnet", "GRU", "w_h", (29, 87)), ("tinygrad", "ConvTranspose2d", "weight", (48, 15, 3, 5)),
    ],
)  # fmt: skip
def test_shapes_that_were_built(
    framework: str, layer: str, parameter: str, shape: tuple[int, ...]
) -> None:
    assert defaults(framework, layer)[parameter].shape_on(SIZES) == shape


def test_a_shape_that_a_release_changed() -> None:
    sizes = {"in": 48, "groups": 4}
    assert defaults("mxnet==1.9.1", "GroupNorm")["gamma"].shape_on(sizes) == (4,)
    assert defaults("mxnet", "GroupNorm")["gamma"].shape_on(sizes) == (48,)


def test_joint_and_per_gate() -> None:
    joint = defaults("keras", "LSTM")["recurrent_kernel"].on((8, 32))
    each = defaults("flax", "LSTMCell")["hi.kernel"].on((8, 8))
    assert (joint.count, joint.rows, joint.columns) == (1, 8, 32)  # type: ignore[attr-defined]
    assert (each.count, each.rows, each.columns) == (1, 8, 8)  # type: ignore[attr-defined]


def test_a_shape_tells_the_sizes() -> None:
    weight = defaults("torch", "Conv2d")["weight"]
    assert weight.sizes((48, 4, 3, 5), groups=4) == {"groups": 4, "out": 48, "in": 16, "k": (3, 5)}
    assert weight.on((48, 4, 3, 5), groups=4) == weight.on(weight.sizes((48, 4, 3, 5), groups=4))
    joined = defaults("haiku", "LSTM")["linear.w"]
    assert joined.sizes((40, 64)) == {"hidden": 16, "in": 24}
    stacked = defaults("torch", "MultiheadAttention")["in_proj_weight"]
    assert stacked.sizes((36, 12)) == {"in": 12}


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: defaults("torhc", "Linear"), UnknownName, "did you mean 'torch'"),
        (lambda: defaults("torch", "Linaer"), UnknownName, "did you mean 'Linear'"),
        (lambda: defaults("keras", "Dens"), UnknownName, "did you mean 'Dense'"),
        (lambda: defaults("keras<two", "Dense"), SpecError, "version"),
        (lambda: defaults("torch", "Linear")["wieght"], UnknownName, "did you mean 'weight'"),
        (lambda: defaults("torch", "Linear")["bias"].on((5,)), SpecError, "needs the size 'in'"),
        (lambda: defaults("torch", "Conv2d")["bias"].on(in_=8), SpecError, "'k': give it, as in on(k=(3, 3))"),
        (lambda: defaults("torch", "Linear")["weight"].on((5, 4, 3)), LayoutError, "has the shape"),
        (lambda: defaults("torch", "Linear")["weight"].on((5,)), LayoutError, "has the shape"),
        (lambda: defaults("torch", "LSTM")["weight_ih_l0"].on((5, 4)), LayoutError, "has the shape"),
        (lambda: defaults("haiku", "MultiHeadAttention")["query.w"].on(SIZES), SpecError, "w_init"),
        (lambda: defaults("torch", "Linear")["weight"].on({"in": -1}), LayoutError, "shape"),
    ],
)  # fmt: skip
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        call()


def test_formulas_are_expressions_of_known_words() -> None:
    known = {word for sizes in kinds().values() for word in sizes} | {"ones", "places"}
    for row in ROWS:
        for parameter in row.values():
            for text in (parameter.shape, parameter.fan_in, parameter.fan_out):
                words = set(re.findall(r"[a-z_]+[a-z0-9_]*", text))
                assert words <= known, (row.framework, row.name, text)


def test_python_of_a_formula() -> None:
    assert python("in1*in") == "in1*in_"
    assert python("k[0]*k") == "k[0]*math.prod(k)"
    assert evaluate("out/groups*k", SIZES) == O // G * K
    assert math.isclose(evaluate("in/out", SIZES), 0.8)


def test_names_of_schemes_resolve_to_bare_ones() -> None:
    """A name in a table is a bare one; other schemes are written out, or named in its file."""
    for row in ROWS:
        for parameter in row.values():
            if parameter.scheme is not None and parameter.scheme.name:
                assert parameter.scheme.name in schemes
                assert parameter.scheme.name in (
                    "zeros",
                    "ones",
                    "orthogonal",
                    "lecun_normal",
                    "he_uniform",
                )
