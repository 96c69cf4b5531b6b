"""The role and the layout of a live layer's parameters, by the names of types alone."""

from typing import Any

import pytest

from initspec import Layout
from initspec.layers.lookup import identify, lookup


def layer(name: str, module: str, *bases: type, **attributes: Any) -> Any:
    return type(name, bases, {"__module__": module, **attributes})()


@pytest.mark.parametrize(
    ("name", "module", "attributes", "parameter", "ndim", "role", "layout"),
    [
        ("Linear", "torch.nn.modules.linear", {}, "weight", 2, "kernel", "torch.Linear"),
        ("Linear", "torch.nn.modules.linear", {}, "bias", 1, "bias", None),
        ("Conv2d", "torch.nn.modules.conv", {"groups": 4}, "weight", 4, "kernel",
         "torch.Conv2d, groups=4"),
        ("LSTM", "torch.nn.modules.rnn", {}, "weight_hh_l3_reverse", 2, "recurrent", "torch.LSTM"),
        ("LSTM", "torch.nn.modules.rnn", {}, "weight_hr_l0", 2, "projection", "oi"),
        ("MultiheadAttention", "torch.nn.modules.activation", {}, "out_proj.weight", 2, "output",
         "oi"),
        ("Dense", "keras.src.layers.core.dense", {}, "dense_3/kernel", 2, "kernel", "keras.Dense"),
        ("MultiHeadAttention", "keras.src.layers", {}, "mha/attention_output/kernel", 3, "output",
         "keras.MultiHeadAttention.output"),
        ("SeparableConv2D", "keras.src.layers", {}, "s/depthwise_kernel", 4, "depthwise",
         "keras.SeparableConv2D"),
        ("SeparableConv2D", "keras.src.layers", {}, "s/pointwise_kernel", 4, "pointwise", "hwio"),
        ("EinsumDense", "keras.src.layers", {}, "e/kernel", 2, "kernel", "io"),
        ("EinsumDense", "keras.src.layers", {}, "e/kernel", 3, "kernel", "keras.EinsumDense"),
        ("Conv", "flax.linen.linear", {"feature_group_count": 2}, "kernel", 3, "kernel",
         "wio, groups=2"),
        ("ConvTranspose", "flax.nnx.nn.linear", {"transpose_kernel": False}, "kernel", 4, "kernel",
         "flax.nnx.ConvTranspose"),
        ("ConvTranspose", "flax.nnx.nn.linear", {"transpose_kernel": True}, "kernel", 4, "kernel",
         "hwoi, transposed"),
        ("GRUCell", "flax.nnx.nn.recurrent", {}, "dense_h/kernel", 2, "recurrent",
         "flax.nnx.GRUCell"),
        ("Conv2d", "equinox.nn._conv", {"groups": 2}, "weight", 4, "kernel",
         "equinox.Conv2d, groups=2"),
        ("DepthwiseConv2D", "haiku._src.depthwise_conv", {}, "w", 4, "kernel", None),
    ],
)  # fmt: skip
def test_a_layer_is_known_by_the_name_of_its_type(
    name: str,
    module: str,
    attributes: dict[str, Any],
    parameter: str,
    ndim: int,
    role: str,
    layout: str | None,
) -> None:
    live = layer(name, module, **attributes)
    known = identify(live, parameter, ndim)
    assert known is not None
    assert (known.role, known.layout) == (role, layout)
    assert lookup(live, parameter, ndim) == layout
    if layout:
        assert len(Layout.parse(layout).axes) == ndim


def test_a_class_derived_from_a_layer_is_that_layer() -> None:
    Conv2d = type("Conv2d", (), {"__module__": "torch.nn.modules.conv"})  # noqa: N806
    assert lookup(layer("Mine", "my.models", Conv2d), "weight", 4) == "torch.Conv2d"


def test_what_no_table_knows_is_none() -> None:
    assert identify(layer("Mine", "my.models"), "weight", 2) is None
    assert identify(layer("Sequential", "torch.nn"), "0.weight", 2) is None
    assert identify(layer("Linear", "torch.nn"), "gain", 2) is None
    assert lookup(layer("Linear", "torch.nn"), "weight", 3) is None
