"""From one framework's layer to another's: the numbers, the names and the text.

That the code runs, and draws what it says, is tested with each framework in test_layer_defaults_*.
"""

import json
import math
from typing import Any

import numpy as np
import pytest

import initspec
from initspec import SpecError, UnknownName, port
from initspec.commands.main import main
from initspec.layers.defaults import frameworks, kinds, table
from initspec.layers.port import find
from initspec.spec.distribution import Triangular

RUN = [name for name, head in frameworks().items() if "adapter" in head]


def pairs(layer: str, to: str) -> dict[str, Any]:
    return {pair.source.name: pair for pair in port(layer, to).pairs if pair.source is not None}


def test_numbers() -> None:
    found = pairs("torch.nn.Linear", "flax")
    assert found["weight"].variance_ratio == pytest.approx(3)
    assert found["weight"].ks == pytest.approx(0.174731, abs=1e-6)
    assert found["bias"].variance_ratio == 0
    assert found["bias"].ks == 0.5
    assert pairs("torch.nn.Linear", "equinox")["weight"].same
    old = pairs("keras<3.15.MultiHeadAttention", "keras")["query/kernel"]
    assert old.variance_ratio == pytest.approx((96 * 6 + 96 * 16) / (96 + 96))
    assert port("torch.nn.Linear", "flax").sizes == {"in": 256, "out": 512}


def test_equal_layers_need_nothing() -> None:
    found = port("torch.nn.Linear", "equinox")
    assert all(pair.same for pair in found.pairs)
    assert "initspec" not in found.code


def test_a_pair_of_stacked_and_separate_parameters() -> None:
    (first, *_) = port("torch.nn.MultiheadAttention", "flax").pairs
    assert first.source is not None
    assert first.source.name == "in_proj_weight"
    assert [target.name for target in first.targets] == [
        "query.kernel",
        "key.kernel",
        "value.kernel",
    ]
    assert first.variance_ratio == pytest.approx(2)


def test_parameters_without_a_counterpart_are_named() -> None:
    lonely = pairs("torch.nn.LSTM", "keras")["bias_hh_l0"]
    assert lonely.targets == ()
    assert lonely.remark == "keras LSTM has no such parameter: its one bias needs the sum."
    (lonely,) = (pair for pair in port("mxnet.LSTM", "keras").pairs if not pair.targets)
    assert lonely.remark.endswith("has no such parameter, and needs none: it is zero there.")
    surplus = [pair for pair in port("keras.layers.LSTM", "torch").pairs if pair.source is None]
    assert [target.name for pair in surplus for target in pair.targets] == ["bias_hh_l0"]
    assert surplus[0].remark == "keras LSTM has no such parameter; zero leaves its law."


@pytest.mark.parametrize(
    ("layer", "to", "ratio", "ks"),
    [
        ("torch.nn.LSTM", "flax", 0, 0.5),
        ("torch.nn.LSTMCell", "equinox", 0.5, 0.125),
        ("torch.nn.RNN", "mlx", 0.5, 0.125),
        ("paddle.LSTM", "equinox", 0.5, 0.125),
        ("equinox.LSTMCell", "torch", 2, 0.125),
        ("mlx.RNN", "torch", 2, 0.125),
        ("flax.linen.LSTMCell", "torch", math.inf, 0.5),
        ("torch.nn.LSTM", "paddle", 1, 0),
    ],
)
def test_two_biases_are_their_sum(layer: str, to: str, ratio: float, ks: float) -> None:
    """What reaches a gate is compared: b_ih + b_hh, both uniform on (-1 / sqrt(h), 1 / sqrt(h))."""
    (pair,) = (pair for pair in port(layer, to).pairs if pair.source and pair.source.role == "bias")
    assert pair.variance_ratio == pytest.approx(ratio)
    assert pair.ks == pytest.approx(ks)
    assert pair.same is (ratio == 1)
    assert ("triangular on (-0.204124, 0.204124)" in pair.remark) is (ratio != 1)  # 2 / sqrt(96)


def test_the_code_adds_two_biases() -> None:
    for layer, to in (("torch.nn.LSTM", "keras"), ("torch.nn.RNN", "nnx"), ("paddle.LSTM", "flax")):
        code = port(layer, to).code
        assert "limit = 1 / math.sqrt(hidden)\n" in code
        assert "both_biases = initspec.get(Sum(limit))" in code
        assert ("register_keras_serializable" in code) is (to == "keras")
        assert "lambda" not in code
    assert "both_biases" not in port("tinygrad.LSTMCell", "keras").code  # two zeros
    code = port("equinox.LSTMCell", "torch").code  # the one bias as it is, beside a zero
    assert "recurrent_bias.torch_(layer.bias_hh)" in code
    assert "layer.bias_ih)" not in code


def test_the_sum_of_two_biases_has_its_law() -> None:
    names: dict[str, Any] = {"initspec": initspec}
    code = port("torch.nn.LSTM", "flax").code
    exec(code[code.index("class Sum") : code.index("in_, hidden")], names)
    law = names["Sum"](0.5)
    p = np.linspace(0, 1, 101)
    assert law.ppf(p) == pytest.approx([Triangular(1.0).ppf(q) for q in p], abs=1e-12)


@pytest.mark.parametrize("layer", ["torch.nn.Embedding", "torch.nn.EmbeddingBag"])
def test_the_code_keeps_a_row_of_zeros(layer: str) -> None:
    for to in ("keras", "equinox"):
        code = port(layer, to).code
        name = layer.rpartition(".")[2]
        assert f"padding_idx = None  # as torch {name} is given it: that row is zero" in code
        assert "if padding_idx is not None:\n    rows" in code
    for to in ("flax", "nnx", "haiku"):
        code = port(layer, to).code.replace("\n# ", " ")
        assert "Not here: row padding_idx of embedding" in code
        assert "makes it zero where padding_idx is given: set it to zero in what init" in code
    assert "layer.weight.data[padding_idx] = 0" in port("mindspore.Embedding", "torch").code
    assert "padding_idx" not in port("keras.layers.Embedding", "torch").code


def test_a_gru_multiplies_its_second_bias_in_one_gate() -> None:
    for to, where in (("nnx", "in any gate"), ("flax", "but in the new gate")):
        found = port("torch.nn.GRU", to)
        (lonely,) = (pair for pair in found.pairs if pair.source.name == "bias_hh_l0")
        assert lonely.remark.endswith(f"has no second one {where}.")
        assert "# Not here: bias_hh_l0; torch GRU adds it to its other bias" in found.code
    found = port("equinox.GRUCell", "torch")
    assert "# Not here: bias_n; equinox GRUCell has it in the new gate alone." in found.code
    assert "Not here" not in port("flax.linen.GRUCell", "torch").code  # of zeros
    keras = pairs("torch.nn.GRU", "keras")  # whose bias has two rows
    assert [pair.targets[0].name for name, pair in keras.items() if "bias" in name] == ["bias"] * 2
    assert port("keras.layers.GRU", "torch").pairs[-1].source.name == "bias"


def test_what_cannot_be_said_is_said() -> None:
    code = port("keras.layers.LSTM", "flax").code
    assert (
        "# Not here: hi.kernel, hf.kernel, hg.kernel, ho.kernel; all gates are one orthogonal"
        in code
    )
    assert "# Not here: w_init" not in code
    code = port("torch.nn.LSTM", "haiku").code
    assert "# Not here: linear.w; one kernel on one side and two on the other." in code


def test_frameworks_without_an_adapter() -> None:
    found = port("torch.nn.Linear", "mlx")
    assert found.code == ""
    assert found.lines()[-1] == "initspec has no adapter for MLX: no code."
    assert "(read, not run)" in "\n".join(found.lines())


def test_the_forget_gate_moves_with_the_order_of_gates() -> None:
    code = port("chainer.LSTM", "torch").code
    assert (
        "bias = initspec.get([0.0] * hidden + [1.0] * hidden + [0.0] * hidden + [0.0] * hidden)"
        in code
    )


def test_sizes() -> None:
    found = port("torch.nn.Conv2d", "keras", {"in": 16, "groups": 4, "k": (5, 3)})
    assert found.sizes == {"in": 16, "out": 96, "k": (5, 3), "groups": 4}
    assert 'kernel.keras(layout="hwio, groups=4")' in found.code
    # equal by chance: the fan is hidden, and not in
    code = port("torch.nn.LSTM", "flax", {"in": 96}).code
    assert "limit = 1 / math.sqrt(hidden)" in code


def test_names() -> None:
    for name, framework, layer in (
        ("torch.nn.Linear", "torch", "Linear"),
        ("keras.layers.Dense", "keras", "Dense"),
        ("tf.keras.layers.Dense", "keras", "Dense"),
        ("flax.linen.Dense", "flax", "Dense"),
        ("flax.nnx.Linear", "nnx", "Linear"),
        ("nnx.ConvTranspose(transpose_kernel=True)", "nnx", "ConvTranspose(transpose_kernel=True)"),
        ("hk.Linear", "haiku", "Linear"),
        ("keras<3.15.MultiHeadAttention", "keras", "MultiHeadAttention"),
    ):
        row = find(name)
        assert (row.framework, row.name) == (framework, layer)
    assert find("keras<3.15.MultiHeadAttention").until == "3.15"
    assert port("torch.nn.LSTM", "nnx.OptimizedLSTMCell").target.name == "OptimizedLSTMCell"
    assert port("torch.nn.LSTMCell", "keras").target.name == "LSTMCell"
    assert port("torch.nn.Conv1d", "keras").target.name == "Conv1D"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (("torch.nn.Linaer", "flax"), UnknownName, "did you mean 'Linear'"),
        (("torhc.nn.Linear", "flax"), UnknownName, "did you mean 'torch.nn'"),
        (("Linear", "flax"), UnknownName, "unknown framework"),
        (("torch.nn.Linear", "flex"), UnknownName, "did you mean"),
        (("torch.nn.Bilinear", "keras"), SpecError, "keras has no layer of the kind 'bilinear'"),
        (("torch.nn.Linear", "keras.Conv2D"), SpecError, "no parameters in common"),
        (("torch.nn.Linear", "flax", {"hidden": 3}), UnknownName, "unknown size"),
    ],
)
def test_bad_input(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        port(*call)


def test_every_layer_ports_to_every_framework_that_has_its_kind() -> None:
    """Each gives an answer, as data and as text, and code that compiles."""
    count = 0
    for framework in frameworks():
        for row in table(framework):
            for to in frameworks():
                if row.until or row.kind not in {other.kind for other in table(to)}:
                    continue
                found = port(f"{framework}.{row.name}", to)
                json.dumps(found.to_dict())
                assert all(len(line) <= 120 for line in found.lines())
                compile(found.code, row.name, "exec")
                count += 1
    assert count > 900


# ------------------------------------------------------------------------------------- the command


def test_command(capsys: Any) -> None:
    assert main(["port", "torch.nn.Linear", "--to", "flax", "--size", "in=300", "out=100"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("torch Linear -> flax Dense, in numbers at in=300, out=100\n")
    assert "layer = nn.Dense(out, kernel_init=kernel.jax, bias_init=bias.jax)" in text
    assert main(["port", "torch.nn.Conv2d", "--to", "keras", "--size", "k=5x3", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["sizes"] == {"in": 64, "out": 96, "k": [5, 3], "groups": 1}
    assert [row["role"] for row in data["parameters"]] == ["kernel", "bias"]
    assert data["parameters"][0]["source_draws"].startswith("uniform about 0")
    assert data["code"].startswith("import math")


def test_command_refuses(capsys: Any) -> None:
    assert main(["port", "torch.nn.Linear", "--to", "flax", "--size", "in:300"]) == 2
    assert "a size is written as in=256 or k=3x3" in capsys.readouterr().err
    assert main(["port", "torch.nn.Linaer", "--to", "flax"]) == 2
    assert "did you mean 'Linear'" in capsys.readouterr().err


def test_kinds_of_the_main_frameworks_meet() -> None:
    """The kinds that all of them have are those that port is for."""
    shared = set.intersection(*({row.kind for row in table(name)} for name in RUN))
    assert shared >= {"dense", "conv", "conv_transpose", "embedding", "lstm", "gru", "attention"}
    assert shared <= set(kinds())
