"""Every module of Haiku, made anew and held against its row of the table."""

from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from initspec import port
from initspec.layers.defaults import defaults, table
from initspec.layers.parameter import LayerDefault
from initspec.layers.sizes import identifiers

jax = pytest.importorskip("jax")
hk = pytest.importorskip("haiku")
pytest.importorskip("scipy")

import jax.numpy as jnp

from initspec.conformance.batteries.layer_tables import hold, hold_port, judge

SIZES: dict[str, Any] = {
    "in": 24, "out": 56, "k": (3, 5), "groups": 4, "hidden": 28, "heads": 4, "head_dim": 10,
    "vocab": 90, "kdim": 40, "vdim": 60, "multiplier": 3,
}  # fmt: skip
KERNELS = {"1": (5,), "2": (3, 5), "3": (2, 3, 4)}
#: Modules without parameters of their own.
WITHOUT = {
    "AvgPool", "ConvND", "ConvNDTranspose", "DeepRNN", "EMAParamsTree", "ExponentialMovingAverage",
    "Flatten", "IdentityCore", "MaxPool", "Module", "RNNCore", "ResetCore", "Reshape",
    "SNParamsTree", "Sequential", "SpectralNorm",
}  # fmt: skip


def sizes_of(name: str) -> dict[str, Any]:
    digit = next((letter for letter in name if letter in KERNELS), "2")
    return {**SIZES, "k": KERNELS[digit]}


def flat(params: Any) -> dict[str, Any]:
    """Without the module's own name in front."""
    return {
        f"{module.partition('/')[2].removeprefix('~/')}.{name}".removeprefix("."): np.asarray(value)
        for module, values in params.items()
        for name, value in values.items()
    }


def maker(row: LayerDefault) -> Any:
    """A function that makes the module anew, each time from another key."""
    names = {"hk": hk, "jnp": jnp, "in_": SIZES["in"], **sizes_of(row.name)}

    def run() -> Any:
        arguments = "w_init=hk.initializers.VarianceScaling()" if "Multi" in row.name else ""
        layer = eval(row.constructor(arguments), names)
        return layer(*eval(f"({identifiers(row.inputs)},)", {**names, "layer": layer}))

    init = jax.jit(hk.transform_with_state(run).init)
    seeds = count()

    def made() -> dict[str, Any]:
        return flat(init(jax.random.PRNGKey(next(seeds)))[0])

    return made


ROWS = [
    pytest.param(row, marks=pytest.mark.slow if set(row.name) & set("13") else (), id=row.name)
    for row in table("haiku")
]


@pytest.mark.parametrize("row", ROWS)
def test_module(row: LayerDefault) -> None:
    assert hold(row, maker(row), sizes_of(row.name)) == []


def test_no_module_is_missing() -> None:
    things = {name: getattr(hk, name) for name in dir(hk)}
    modules = {n for n, t in things.items() if isinstance(t, type) and issubclass(t, hk.Module)}
    assert modules <= {row.name for row in table("haiku")} | WITHOUT


def test_attention_has_no_default() -> None:
    row = defaults("haiku", "MultiHeadAttention")
    assert row["query.w"].required == "w_init"
    with pytest.raises(ValueError, match="provide a weight initializer"):
        hk.transform(lambda x: hk.MultiHeadAttention(4, 10, model_size=6)(x, x, x)).init(
            jax.random.PRNGKey(0), jnp.ones((1, 3, 8))
        )


def test_planted_faults_are_seen() -> None:
    """The variance corrected, where Haiku's own default is not; the state not counted."""
    row = defaults("haiku", "Conv2D")
    drawn = [maker(row)()["w"]]
    assert judge(drawn, row["w"], SIZES) == ""
    corrected = defaults("haiku", "GRU")["w_i"].scheme
    assert judge(drawn, replace(row["w"], scheme=corrected), SIZES) != ""
    row = defaults("haiku", "LSTM")
    drawn = [maker(row)()["linear.w"]]
    assert judge(drawn, row["linear.w"], SIZES) == ""
    assert judge(drawn, replace(row["linear.w"], fan_in="in"), SIZES) != ""


@pytest.mark.parametrize(
    "layer",
    ["torch.nn.Linear", "keras.layers.Conv2D", "torch.nn.Conv3d", "torch.nn.MultiheadAttention",
     "keras.layers.DepthwiseConv2D", "torch.nn.Embedding", "flax.linen.LayerNorm"],
)  # fmt: skip
def test_ported_code_draws_by_the_laws_of_the_source(layer: str) -> None:
    found, names = port(layer, "haiku"), {}
    exec(found.code, names)
    faults = hold_port(found, flat(names["params"]))
    if layer.endswith("Attention"):  # w_init serves four kernels, of two laws
        assert "# Not here: linear.w; MultiHeadAttention takes no initializer for it" in found.code
        assert [fault.partition(":")[0] for fault in faults] == ["linear.w"]
    else:
        assert ("Not here" in found.code) is (layer == "torch.nn.Embedding")  # its row of zeros
        assert faults == []
