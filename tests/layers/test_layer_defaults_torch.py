"""Every layer of PyTorch that has parameters, made anew and held against its row of the table."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from initspec import port
from initspec.layers.defaults import defaults, table
from initspec.layers.parameter import LayerDefault

torch = pytest.importorskip("torch", reason="the layers are PyTorch's")
pytest.importorskip("scipy")

from initspec.conformance.batteries.layer_tables import hold, hold_port, judge

# Rectangular, with groups and kernels, so that no two words could be taken for each other.
SIZES = {
    "in": 24, "out": 56, "in1": 12, "in2": 20, "hidden": 28, "heads": 4, "groups": 4,
    "vocab": 90, "kdim": 40, "vdim": 60, "rank": 16,
}  # fmt: skip
KERNELS = {1: (5,), 2: (3, 5), 3: (2, 3, 4)}
#: With options: the parameters that are only there on demand.
OPTIONS = {
    "MultiheadAttention": "heads, kdim=kdim, vdim=vdim, add_bias_kv=True",
    "InstanceNorm2d": "affine=True, track_running_stats=True",
}


def sizes_of(name: str) -> dict[str, Any]:
    return {**SIZES, "k": KERNELS[next((int(c) for c in name if c in "123"), 2)]}


def tensors(layer: Any) -> dict[str, Any]:
    """Its parameters and its buffers, but for the count of batches."""
    found = {**dict(layer.named_parameters()), **dict(layer.named_buffers())}
    return {n: t.detach().numpy() for n, t in found.items() if "num_batches" not in n}


def made(row: LayerDefault) -> dict[str, Any]:
    names = {"torch": torch, "in_": SIZES["in"], **sizes_of(row.name)}
    return tensors(eval(row.constructor(), names))


PLAIN = [row for row in table("torch") if not row.name.startswith("Lazy")]


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row.name)
def test_layer(row: LayerDefault) -> None:
    torch.manual_seed(0)
    few = {"at_least": 500} if row.name == "Transformer" else {}  # it has 5 million weights
    assert hold(row, lambda: made(row), sizes_of(row.name), **few) == []


@pytest.mark.parametrize("name", OPTIONS)
def test_layer_with_options(name: str) -> None:
    torch.manual_seed(0)
    row = defaults("torch", name)
    make = f"getattr(torch.nn, name)({SIZES['in']}, {OPTIONS[name]})"
    names = {"torch": torch, "name": name, **SIZES}
    faults = hold(row, lambda: tensors(eval(make, names)), sizes_of(name), on_demand=True)
    assert faults == []


def test_lazy_layers_are_those_that_they_become() -> None:
    for row in table("torch"):
        if row.name.startswith("Lazy"):
            become = getattr(torch.nn, row.name).cls_to_become.__name__
            assert row.parameters == defaults("torch", become).parameters


def test_no_layer_that_resets_its_parameters_is_missing() -> None:
    known = {row.name for row in table("torch")} | {"RNNBase", "RNNCellBase"}
    layers = (name for name in dir(torch.nn) if isinstance(getattr(torch.nn, name), type))
    assert {
        name for name in layers if hasattr(getattr(torch.nn, name), "reset_parameters")
    } <= known


def test_further_layers_the_other_direction_and_projections_draw_alike() -> None:
    torch.manual_seed(0)
    row = defaults("torch", "LSTM")
    lstm = torch.nn.LSTM(24, 28, num_layers=2, bidirectional=True, proj_size=16)
    for name, values in tensors(lstm).items():
        first = row[name.partition("_l")[0] + "_l0"]
        assert judge([values], first, {"in": 24, "hidden": 28}) == "", name


def test_the_padding_row_is_zero() -> None:
    torch.manual_seed(0)
    parameter = defaults("torch", "Embedding")["weight"]
    assert parameter.zero_row == "padding_idx"
    weight = torch.nn.Embedding(90, 56, padding_idx=3).weight.detach().numpy()
    assert (weight[3] == 0).all()
    assert judge([np.delete(weight, 3, axis=0)], parameter, SIZES) == ""


def test_planted_faults_are_seen() -> None:
    """Fans swapped, taps and groups forgotten; the wrong bound of a bias; a name too many."""
    torch.manual_seed(0)
    row, sizes = defaults("torch", "Conv2d"), sizes_of("Conv2d")
    weight, bias = row["weight"], row["bias"]
    for wrong in ("out*k", "in/groups", "in*k", "3*in/groups*k"):
        changed = {"weight": replace(weight, fan_in=wrong), "bias": bias}
        (fault,) = hold(replace(row, parameters=changed), lambda: made(row), sizes)
        assert fault.startswith("weight of torch Conv2d is not uniform")
    changed = {"weight": weight, "bias": replace(bias, bounds=None, fan_in="in")}
    (fault,) = hold(replace(row, parameters=changed), lambda: made(row), sizes)
    assert fault.startswith("bias of torch Conv2d is not uniform")
    (fault,) = hold(replace(row, parameters={"weight": weight}), lambda: made(row), sizes)
    assert fault == "bias of torch Conv2d is missing in the table"
    changed = {"weight": weight, "bias": bias, "gain": weight}
    (fault,) = hold(
        replace(row, parameters={**changed, "gain": replace(weight)}), lambda: made(row), sizes
    )
    assert fault == "gain of the table is missing in torch Conv2d"


def test_transformer_draws_anew_what_a_bare_layer_keeps() -> None:
    inside, bare = defaults("torch", "Transformer"), defaults("torch", "TransformerEncoderLayer")
    sizes = {"in": 24, "hidden": 28}
    glorot, own = math.sqrt(6 / 52), math.sqrt(1 / 24)
    law = inside["encoder.layers.0.linear1.weight"].on(sizes)
    assert law.support == pytest.approx((-glorot, glorot))
    assert bare["linear1.weight"].on(sizes).support == pytest.approx((-own, own))


PORTS = [
    "keras.layers.Dense", "keras.layers.Conv2D", "keras.layers.Conv3D", "keras.layers.Conv2DTranspose",
    "keras.layers.DepthwiseConv2D", "keras.layers.Embedding", "keras.layers.LSTM",
    "keras.layers.LSTMCell", "keras.layers.SimpleRNN", "keras.layers.BatchNormalization",
    "keras.layers.PReLU", "flax.linen.Dense", "flax.linen.Conv", "flax.linen.ConvTranspose",
    "flax.linen.Embed", "flax.linen.LSTMCell", "flax.linen.GRUCell", "flax.linen.SimpleCell",
    "flax.linen.MultiHeadDotProductAttention", "nnx.OptimizedLSTMCell", "haiku.GRU", "haiku.Linear",
    "mxnet.Dense", "neupy.Relu", "mlx.Conv2d", "chainer.LSTM", "equinox.ConvTranspose2d",
    "equinox.LSTMCell", "keras.layers.GRU", "mlx.RNN",
]  # fmt: skip


def ported(layer: str, **sizes: Any) -> Any:
    """The port to PyTorch, and the parameters that its code made."""
    found, names = port(layer, "torch", sizes), {}
    exec(found.code, names)
    return found, tensors(names["layer"])


@pytest.mark.parametrize("layer", PORTS)
def test_ported_code_draws_by_the_laws_of_the_source(layer: str) -> None:
    torch.manual_seed(0)
    found, drawn = ported(layer)
    assert "Not here" not in found.code
    assert hold_port(found, drawn) == []


def test_ported_code_with_groups() -> None:
    torch.manual_seed(0)
    for layer in ("keras.layers.Conv2D", "flax.linen.Conv", "mlx.Conv2d"):
        assert hold_port(*ported(layer, groups=4, k=(3, 5))) == []


def test_ported_code_for_names_that_are_patterns() -> None:
    """A bare encoder layer with the laws that Transformer draws."""
    torch.manual_seed(0)
    found, names = port("torch.nn.Transformer", "torch.TransformerEncoderLayer"), {}
    exec(found.code, names)
    row = defaults("torch", "Transformer")
    for name, values in tensors(names["layer"]).items():
        parameter = row[f"encoder.layers.0.{name}"]
        assert judge([values], parameter, found.sizes) == "", name


def test_a_wrong_port_is_seen() -> None:
    """Gates apart for joint ones, a bound of other fans, the forget gate in another place."""
    torch.manual_seed(0)
    found, drawn = ported("keras.layers.LSTM")
    other = port("flax.linen.LSTMCell", "torch.LSTM")
    assert [fault.partition(":")[0] for fault in hold_port(other, drawn)] == [
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0",
    ]  # fmt: skip
    moved = drawn | {"bias_ih_l0": np.roll(drawn["bias_ih_l0"], 96)}
    assert hold_port(found, moved) == ["bias_ih_l0: other numbers for the gates"]
    assert hold_port(found, drawn | {"bias_hh_l0": moved["bias_ih_l0"]}) == ["bias_hh_l0: not zero"]
