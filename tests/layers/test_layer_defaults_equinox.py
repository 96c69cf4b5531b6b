"""Every layer of Equinox, made anew and held against its row of the table."""

from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from initspec import port
from initspec.layers.defaults import defaults, table
from initspec.layers.parameter import LayerDefault

jax = pytest.importorskip("jax")
eqx = pytest.importorskip("equinox")
pytest.importorskip("scipy")

from initspec.conformance.batteries.layer_tables import hold, hold_port, judge

SIZES: dict[str, Any] = {
    "in": 24, "out": 56, "k": (3, 5), "groups": 4, "hidden": 28, "heads": 4, "head_dim": 10,
    "vocab": 90, "kdim": 40, "vdim": 60,
}  # fmt: skip
KERNELS = {"1": (5,), "2": (3, 5), "3": (2, 3, 4)}
#: Those that hold others, or have no parameters.
WITHOUT = {
    "Conv", "ConvTranspose", "Dropout", "Identity", "Lambda", "MLP", "Pool", "Sequential",
    "Shared", "SpectralNorm", "State", "StateIndex", "StatefulLayer", "WeightNorm",
    "RotaryPositionalEmbedding",
}  # fmt: skip


def sizes_of(name: str) -> dict[str, Any]:
    digit = next((letter for letter in name if letter in KERNELS), "2")
    return {**SIZES, "k": KERNELS[digit]}


def flat(layer: Any) -> dict[str, Any]:
    """Its arrays, but for the state of running statistics."""
    leaves = jax.tree_util.tree_leaves_with_path(eqx.filter(layer, eqx.is_array))
    named = {jax.tree_util.keystr(p, simple=True, separator="."): leaf for p, leaf in leaves}
    return {name: np.asarray(leaf) for name, leaf in named.items() if "_index." not in name}


def maker(row: LayerDefault, arguments: str = "") -> Any:
    line = row.constructor().replace("key(0))", f"key(seed){arguments})")
    names = {"eqx": eqx, "jax": jax, "in_": 24, **sizes_of(row.name)}
    seeds = count()

    @eqx.filter_jit
    def compiled(seed: Any) -> Any:
        return eqx.filter(eval(line, {**names, "seed": seed}), eqx.is_array)

    def made() -> dict[str, Any]:
        return flat(compiled(np.uint32(next(seeds))))

    return made


ROWS = [
    pytest.param(row, marks=pytest.mark.slow if set(row.name) & set("13") else (), id=row.name)
    for row in table("equinox")
]


@pytest.mark.parametrize("row", ROWS)
def test_layer(row: LayerDefault) -> None:
    assert hold(row, maker(row), sizes_of(row.name)) == []


def test_attention_with_biases() -> None:
    row = defaults("equinox", "MultiheadAttention")
    options = "".join(f", use_{name}_bias=True" for name in ("query", "key", "value", "output"))
    assert hold(row, maker(row, options), SIZES, on_demand=True) == []


def test_no_layer_is_missing() -> None:
    things = {name: getattr(eqx.nn, name) for name in dir(eqx.nn) if "Pool" not in name}
    layers = {n for n, t in things.items() if isinstance(t, type) and issubclass(t, eqx.Module)}
    assert layers <= {row.name for row in table("equinox")} | WITHOUT


def test_planted_faults_are_seen() -> None:
    row = defaults("equinox", "ConvTranspose2d")
    drawn = [maker(row)()["weight"]]
    assert judge(drawn, row["weight"], SIZES) == ""
    for wrong in ("out/groups*k", "in*k", "in/groups"):
        assert judge(drawn, replace(row["weight"], fan_in=wrong), SIZES) != "", wrong


@pytest.mark.parametrize(
    "layer",
    ["torch.nn.LSTM", "keras.layers.Dense", "flax.linen.Conv", "keras.layers.LSTM", "flax.linen.LSTMCell",
     "flax.linen.GRUCell", "torch.nn.ConvTranspose2d", "flax.linen.Embed",
     "flax.linen.MultiHeadDotProductAttention", "keras.layers.PReLU"],
)  # fmt: skip
def test_ported_code_draws_by_the_laws_of_the_source(layer: str) -> None:
    found, names = port(layer, "equinox"), {}
    exec(found.code, names)
    assert "Not here" not in found.code
    assert hold_port(found, flat(names["layer"])) == []
