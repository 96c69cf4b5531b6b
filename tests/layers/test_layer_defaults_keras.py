"""Every layer of Keras that has weights, made anew and held against its row of the table.

Keras has one backend for each process: without ``KERAS_BACKEND`` this file starts pytest on
itself with the first that is installed.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from initspec import port
from initspec.layers.defaults import defaults, table
from initspec.layers.parameter import LayerDefault
from initspec.layers.sizes import identifiers

if find_spec("keras") is None:
    pytest.skip("could not import 'keras'", allow_module_level=True)
pytest.importorskip("scipy")

from initspec.conformance.batteries.layer_tables import hold, hold_port, judge

ON = "KERAS_BACKEND" in os.environ
if ON:
    import keras
else:

    @pytest.mark.slow
    def test_on_a_backend() -> None:
        installed = [name for name in ("jax", "tensorflow", "torch") if find_spec(name)]
        if not installed:
            pytest.skip("no backend of Keras is installed")
        environment = {**os.environ, "KERAS_BACKEND": installed[0], "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]


here = pytest.mark.skipif(not ON, reason="runs in a process of its own")

SIZES: dict[str, Any] = {
    "in": 24, "out": 56, "k": (3, 5), "groups": 4, "hidden": 28, "heads": 4, "head_dim": 10,
    "vocab": 90, "kdim": 40, "vdim": 60, "kv_heads": 2, "multiplier": 3, "rank": 6,
}  # fmt: skip
KERNELS = {"1": (5,), "2": (3, 5), "3": (2, 3, 4)}
ROWS = [row for row in table("keras") if not row.until]


def sizes_of(name: str) -> dict[str, Any]:
    digit = next((letter for letter in name if letter in KERNELS), "2")
    return {**SIZES, "k": KERNELS[digit]}


def built(row: LayerDefault, change: str = "") -> Any:
    names = {"keras": keras, "in_": SIZES["in"], **sizes_of(row.name)}
    layer = eval(row.constructor(), names)
    inputs = eval(f"({identifiers(row.inputs)},)", names)
    layer.build(*inputs)
    if change:
        getattr(layer, change)(SIZES["rank"])
    return layer


def weights(row: LayerDefault, layer: Any) -> dict[str, Any]:
    """By the end of the path that the table names, the longest that fits."""
    found = {}
    for weight in layer.weights:
        if "seed_generator" in weight.path:
            continue
        name = next(
            (n for n in sorted(row, key=len, reverse=True) if f"/{weight.path}".endswith("/" + n)),
            weight.path,
        )
        found[name] = keras.ops.convert_to_numpy(weight)
    return found


@here
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_layer(row: LayerDefault) -> None:
    keras.utils.set_random_seed(0)
    assert hold(row, lambda: weights(row, built(row)), sizes_of(row.name)) == []


@here
@pytest.mark.parametrize("name", ["Dense", "Embedding", "Conv2D"])
def test_low_rank_updates(name: str) -> None:
    keras.utils.set_random_seed(0)
    row, sizes = defaults("keras", name), {**sizes_of(name), "groups": 1}
    if name == "Conv2D":
        row = replace(row, make=row.make.replace("groups=groups, ", ""))
    made = lambda: weights(row, built(row, "enable_lora"))  # noqa: E731
    assert hold(row, made, sizes, on_demand=True) == []
    assert {parameter.role for parameter in row.values()} >= {"lora_a", "lora_b"}


@here
def test_no_layer_with_weights_is_missing() -> None:
    """A layer that calls add_weight is in the table, or only wraps, normalises or embeds others."""
    other = {
        "Layer", "RNN", "Normalization", "SpectralNormalization", "TFSMLayer", "JaxLayer", "FlaxLayer",
        "TorchModuleWrapper", "STFTSpectrogram", "MelSpectrogram",
    }  # fmt: skip
    known = {row.name for row in table("keras")}

    def adds(kind: type) -> bool:
        own = [
            base
            for base in kind.__mro__
            if base.__module__.startswith("keras.src.layers") and base is not keras.layers.Layer
        ]
        return any("self.add_weight(" in inspect.getsource(base) for base in own)

    for name in dir(keras.layers):
        kind = getattr(keras.layers, name)
        if isinstance(kind, type) and issubclass(kind, keras.layers.Layer) and adds(kind):
            assert name in other or kind.__name__ in known, name


@here
def test_all_gates_are_one_orthogonal_matrix() -> None:
    keras.utils.set_random_seed(0)
    for name in ("LSTM", "GRU"):
        row = defaults("keras", name)
        drawn = [weights(row, built(row))["recurrent_kernel"]]
        assert judge(drawn, row["recurrent_kernel"], SIZES) == ""
        assert judge(drawn, replace(row["recurrent_kernel"], joint=False), SIZES) != ""


@here
def test_the_forget_gate_has_a_one_unless_told_otherwise() -> None:
    row = defaults("keras", "LSTM")
    drawn = weights(row, built(row))["bias"]
    assert drawn.reshape(4, -1).mean(axis=1).tolist() == list(row["bias"].gates)
    assert judge([np.zeros_like(drawn)], row["bias"], SIZES) == "other numbers"


@here
def test_planted_faults_are_seen() -> None:
    """True fans where Keras counts places, and the other way round since 3.15."""
    keras.utils.set_random_seed(0)
    true = defaults("keras", "MultiHeadAttention")["query/kernel"].scheme
    for name, parameter in (
        ("Conv2D", "kernel"),
        ("DepthwiseConv2D", "kernel"),
        ("LSTM", "kernel"),
    ):
        row = defaults("keras", name)
        drawn = [weights(row, built(row))[parameter] for _ in range(4)]
        assert judge(drawn, row[parameter], SIZES) == ""
        assert judge(drawn, replace(row[parameter], scheme=true), SIZES) != "", name
    row, before = (defaults(keras, "MultiHeadAttention") for keras in ("keras", "keras<3.15"))
    drawn = [weights(row, built(row))["query/kernel"] for _ in range(4)]
    assert judge(drawn, row["query/kernel"], SIZES) == ""
    assert judge(drawn, before["query/kernel"], SIZES) != ""


@here
@pytest.mark.parametrize(
    "layer",
    ["torch.nn.Linear", "torch.nn.Conv2d", "torch.nn.Conv1d", "torch.nn.ConvTranspose2d",
     "torch.nn.Embedding", "torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN",
     "torch.nn.MultiheadAttention", "flax.linen.Dense", "flax.linen.LSTMCell", "haiku.DepthwiseConv2D",
     "keras<3.15.MultiHeadAttention", "torch.nn.PReLU"],
)  # fmt: skip
def test_ported_code_draws_by_the_laws_of_the_source(layer: str) -> None:
    keras.utils.set_random_seed(0)
    found, names = port(layer, "keras"), {}
    exec(found.code, names)
    drawn = weights(found.target, names["layer"])
    assert "Not here" not in found.code
    assert hold_port(found, drawn) == []


@here
def test_ported_code_is_saved_and_cloned(tmp_path: Any) -> None:
    names: dict[str, Any] = {}
    exec(port("torch.nn.LSTM", "keras", {"in": 8, "hidden": 16}).code, names)
    model = keras.Sequential([keras.layers.Input((3, 8)), names["layer"]])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.layers[-1].get_config() == model.layers[-1].get_config()
    bias = keras.ops.convert_to_numpy(keras.models.clone_model(model).layers[-1].weights[-1])
    assert 0.25 < abs(bias).max() < 0.5  # the sum of two, each below 1 / sqrt(16)


@here
def test_a_row_of_zeros_is_kept() -> None:
    names: dict[str, Any] = {}
    code = port("torch.nn.Embedding", "keras").code
    exec(code.replace("padding_idx = None", "padding_idx = 3"), names)
    rows = keras.ops.convert_to_numpy(names["layer"].embeddings)
    assert [int(row) for row in np.flatnonzero(~rows.any(1))] == [3]


@here
def test_two_biases_are_drawn_and_added() -> None:
    """With so many units that the sum is told from one of them."""
    found, names = port("torch.nn.LSTM", "keras", {"in": 8, "hidden": 800}), {}
    exec(found.code, names)
    drawn = weights(found.target, names["layer"])
    assert hold_port(found, drawn) == []
    one = np.random.default_rng(0).uniform(-(800**-0.5), 800**-0.5, 3200)
    assert len(hold_port(found, {**drawn, "bias": one})) == 1
