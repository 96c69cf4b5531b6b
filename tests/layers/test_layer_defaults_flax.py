"""Every layer of Flax, linen and nnx, made anew and held against its row of the table."""

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
pytest.importorskip("flax")
pytest.importorskip("scipy")

import jax.numpy as jnp
from flax import linen, nnx

from initspec.conformance.batteries.layer_tables import hold, hold_port, judge

# Rectangular, with groups and kernels, so that no two words could be taken for each other.
SIZES: dict[str, Any] = {
    "in": 24, "out": 56, "k": (3, 5), "groups": 4, "hidden": 28, "heads": 4, "head_dim": 10,
    "vocab": 90, "places": (7, 5), "rank": 6,
}  # fmt: skip
#: Layers that hold others, or change another one's kernel.
WITHOUT = {
    "Bidirectional", "Dropout", "Fp8DirectDotGeneralOp", "Fp8DotGeneral", "Fp8DotGeneralOp",
    "Fp8Einsum", "Module", "NANOOFp8DotGeneralOp", "RNN", "RNNCellBase", "Sequential",
    "SpectralNorm", "WeightNorm", "List", "Dict",
}  # fmt: skip


def flat(tree: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    named = {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}
    return {name: np.asarray(leaf) for name, leaf in named.items()}


def maker(row: LayerDefault) -> Any:
    """A function that makes the layer anew, each time from another key, as arrays by name."""
    names = {"jax": jax, "jnp": jnp, "nn": linen, "nnx": nnx, "in_": SIZES["in"], **SIZES}
    seeds = count()
    if row.framework == "nnx":
        line = row.constructor().replace("nnx.Rngs(0)", "nnx.Rngs(seed)")

        def nnx_made() -> dict[str, Any]:
            state = nnx.state(
                eval(line, {**names, "seed": next(seeds)}),
                (nnx.Param, nnx.LoRAParam, nnx.BatchStat),
            )
            return {n.removesuffix(".value"): v for n, v in flat(nnx.to_pure_dict(state)).items()}

        return nnx_made
    layer = eval(row.constructor(), names)
    inputs = eval(f"({identifiers(row.inputs)},)", {**names, "layer": layer})
    init = jax.jit(lambda key: layer.init(key, *inputs))

    def linen_made() -> dict[str, Any]:
        made = flat(init(jax.random.key(next(seeds))))
        return {name.partition(".")[2]: value for name, value in made.items()}

    return linen_made


ROWS = [*table("flax"), *table("nnx")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.framework} {row.name}")
def test_layer(row: LayerDefault) -> None:
    assert hold(row, maker(row), SIZES) == []


def test_no_layer_is_missing() -> None:
    for module, framework, base in ((linen, "flax", linen.Module), (nnx, "nnx", nnx.Module)):
        known = {row.name for row in table(framework)} | WITHOUT
        things = {name: getattr(module, name) for name in dir(module)}
        layers = {n for n, t in things.items() if isinstance(t, type) and issubclass(t, base)}
        assert layers <= known, framework


def test_gates_orthogonal_each_and_jointly() -> None:
    """Both are told apart: a matrix for all gates is not one for each, nor the reverse."""
    joint, each = defaults("nnx", "OptimizedLSTMCell"), defaults("nnx", "LSTMCell")
    name = "dense_h.kernel"
    assert joint[name].joint
    changed = {**joint.parameters, name: replace(joint[name], joint=False)}
    (fault,) = hold(replace(joint, parameters=changed), maker(joint), SIZES)
    assert "dense_h.kernel of nnx OptimizedLSTMCell is not a random orthogonal matrix" in fault
    assert not each["hi.kernel"].joint
    assert joint[name].on(SIZES).variance == pytest.approx(1 / (4 * 28))
    assert each["hi.kernel"].on(SIZES).variance == pytest.approx(1 / 28)


def test_planted_faults_are_seen() -> None:
    """A kernel without its taps, true fans where places decide, a forget gate without its one."""
    for framework, name, parameter, change in (
        ("flax", "Conv", "kernel", {"fan_in": "in/groups"}),
        ("flax", "Einsum", "kernel", {"fan_in": "in"}),
        ("flax", "ConvLocal", "kernel", {"fan_in": "in*k"}),
        ("nnx", "ConvTranspose(transpose_kernel=True)", "kernel", {"fan_in": "in*k"}),
        ("flax", "MGUCell", "if.bias", {"scheme": defaults("flax", "Dense")["bias"].scheme}),
        ("flax", "Embed", "embedding", {"fan_out": "vocab"}),
    ):
        row = defaults(framework, name)
        drawn = [maker(row)()[parameter]]
        assert judge(drawn, row[parameter], SIZES) == ""
        assert judge(drawn, replace(row[parameter], **change), SIZES) != "", (name, change)


def test_a_batched_dense_counts_the_batch_as_inputs() -> None:
    """The note on DenseGeneral: 16 batches make the variance 16 times too small."""
    layer = linen.DenseGeneral((40,), batch_dims=(0,), use_bias=False)
    kernel = layer.init(jax.random.key(0), jnp.ones((16, 64)))["params"]["kernel"]
    assert kernel.var() == pytest.approx(1 / (16 * 64), rel=0.05)
    assert "batch_dims" in defaults("flax", "DenseGeneral").note


PORTS = [
    ("torch.nn.Linear", "flax"), ("torch.nn.Conv2d", "flax"), ("torch.nn.ConvTranspose2d", "flax"),
    ("torch.nn.Embedding", "flax"), ("torch.nn.LSTM", "flax"), ("torch.nn.GRU", "flax"),
    ("torch.nn.RNN", "flax"), ("torch.nn.MultiheadAttention", "flax"), ("torch.nn.LayerNorm", "flax"),
    ("neupy.Relu", "flax"), ("keras.layers.Conv1D", "flax"), ("haiku.Linear", "flax"),
    ("torch.nn.Linear", "nnx"), ("torch.nn.Conv1d", "nnx"), ("torch.nn.LSTM", "nnx"),
    ("torch.nn.MultiheadAttention", "nnx"), ("keras.layers.GRU", "nnx"),
    ("nnx.LSTMCell", "nnx.OptimizedLSTMCell"),
]  # fmt: skip


def test_two_biases_are_drawn_and_added() -> None:
    """With so many units that the sum is told from one of them."""
    found, names = port("torch.nn.LSTM", "flax", {"in": 8, "hidden": 800}), {}
    exec(found.code, names)
    drawn = {name.partition(".")[2]: value for name, value in flat(names["params"]).items()}
    assert hold_port(found, drawn) == []
    biases = {name: value for name, value in drawn.items() if name.endswith(".bias")}
    assert len(biases) == 4
    one = jax.random.uniform(jax.random.key(0), (800,), minval=-(800**-0.5), maxval=800**-0.5)
    assert len(hold_port(found, {**drawn, **dict.fromkeys(biases, one)})) == 4


@pytest.mark.parametrize(("layer", "to"), PORTS)
def test_ported_code_draws_by_the_laws_of_the_source(layer: str, to: str) -> None:
    found, names = port(layer, to), {}
    exec(found.code, names)
    if to == "flax":
        drawn = {name.partition(".")[2]: value for name, value in flat(names["params"]).items()}
    else:
        drawn = flat(nnx.to_pure_dict(nnx.state(names["layer"], (nnx.Param, nnx.BatchStat))))
    # A second bias of two gates; a row of zeros, which lies in what init returns.
    assert ("Not here" in found.code) is (layer in ("torch.nn.GRU", "torch.nn.Embedding"))
    assert hold_port(found, drawn) == []
