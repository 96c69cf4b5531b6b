"""Variance through the layers: predicted, measured, said."""

import dataclasses
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import initspec
from initspec import SpecError, UnknownName, get, signal
from initspec.analysis import mean_field, propagation
from initspec.analysis.activations import ACTIVATIONS, activation
from initspec.analysis.mean_field import keeper, predict
from initspec.analysis.signal import Signal
from initspec.commands.main import main


def agrees(found: Signal, tolerance: float = 0.4) -> bool:
    """Whether every layer's measure is the prediction, as logarithms."""
    gaps = []
    for course in (found.forward, found.backward):
        assert course.predicted is not None
        gaps += [
            abs(math.log(m / p)) for m, p in zip(course.measured, course.predicted, strict=True)
        ]
    return max(gaps) < tolerance


# ---------------------------------------------------------------------------------- prediction


@pytest.mark.parametrize(
    ("name", "slope", "variance"),
    [("relu", None, 2.0), ("leaky_relu", 0.2, 2 / 1.04), ("linear", None, 1.0)],
)
def test_the_gain_keeps_both_variances(name: str, slope: float | None, variance: float) -> None:
    forward, backward = predict(variance, activation(name, slope), 200)
    assert forward == pytest.approx([variance] * 200, rel=1e-12)
    assert backward == pytest.approx([1.0] * 200, rel=1e-12)


def test_xavier_halves_with_relu() -> None:
    forward, backward = predict(1.0, activation("relu"), 60)
    assert forward == pytest.approx([0.5**i for i in range(60)], rel=1e-12)
    assert backward == pytest.approx([0.5**i for i in range(59, -1, -1)], rel=1e-12)


def test_xavier_with_tanh_decays_as_one_over_twice_the_depth() -> None:
    """``E[tanh(z)**2] = q - 2 q**2 + ...``, whose solution goes as ``1 / (2 l)``."""
    forward, backward = predict(1.0, activation("tanh"), 4000)
    assert 2 * 4000 * forward[-1] == pytest.approx(1, rel=0.01)
    q = forward[3000]
    assert backward[3000] / backward[3001] == pytest.approx(1 - 2 * q, abs=10 * q**2)


def test_selu_rests_at_one() -> None:
    """Klambauer et al. 2017: mean 0 and variance 1 is its fixed point; gradients grow by 1.0716."""
    forward, backward = predict(1.0, activation("selu"), 50)
    assert forward == pytest.approx([1.0] * 50, rel=1e-12)
    assert backward[0] ** (1 / 49) == pytest.approx(1.0715749924557993, rel=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("q", [0.01, 1.0, 30.0])
def test_expectations_are_exact(name: str, q: float) -> None:
    integrate = pytest.importorskip("scipy.integrate")
    phi, spread = activation(name), math.sqrt(q)

    def expected(which: int) -> float:
        def integrand(x: float) -> float:
            value = float(phi(np.array([spread * x]))[which][0])
            return value**2 * math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)

        halves = [
            integrate.quad(integrand, *ends, epsabs=0, epsrel=1e-11, limit=300)[0]
            for ends in ((-10, 0), (0, 10))
        ]
        return sum(halves)

    # From layer 1 with the variance q on: q[2] = q E[phi**2] and g[1] = q E[phi'**2].
    forward, backward = predict(q, phi, 2)
    assert forward == pytest.approx([q, q * expected(0)], rel=1e-10)
    assert backward == pytest.approx([q * expected(1), 1.0], rel=1e-10)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives(name: str) -> None:
    phi, z, step = activation(name), np.linspace(-6, 6, 1001) + 3e-4, 1e-5
    rise = (phi(z + step)[0] - phi(z - step)[0]) / (2 * step)
    assert phi(z)[1] == pytest.approx(rise, abs=1e-8)
    far = np.array([-1e150, 1e150])
    assert np.isfinite(phi(far)).all()


def test_gelu_is_the_error_functions() -> None:
    z = np.linspace(-10, 10, 4321)
    exact = [x * math.erfc(-x / math.sqrt(2)) / 2 for x in z.tolist()]
    assert activation("gelu")(z)[0] == pytest.approx(exact, abs=1e-12)


# ------------------------------------------------------------------------------------- measure


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("scheme", ["he_normal", "glorot_uniform"])
def test_what_is_measured_is_what_is_predicted(scheme: str, name: str) -> None:
    assert agrees(signal(scheme, name, 6, 256, networks=8))


@pytest.mark.parametrize(
    "scheme",
    [
        "orthogonal(gain=2.0)",
        "sparse(std=0.1)",
        "he_normal@torch",
        "variance_scaling(factor=1.5, mode='FAN_AVG', distribution='uniform')",
    ],
)
def test_schemes_of_other_kinds(scheme: str) -> None:
    assert agrees(signal(scheme, "tanh", 6, 192, networks=6))


def test_a_forgotten_gain_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert agrees(signal("he_normal", depth=6, width=256))
    whole = mean_field.weight_variance
    monkeypatch.setattr(propagation, "weight_variance", lambda law, n: (whole(law, n) or 0) / 2)
    assert not agrees(signal("he_normal", depth=6, width=256))


def test_gradients_are_those_of_the_network() -> None:
    """Against differences: the cotangent's product with ``z[last]``, by every unit of ``z[l]``."""
    depth, width, batch, step = 4, 6, 3, 1e-6
    phi, scheme = activation("tanh"), get("he_normal")
    weights = [
        scheme.numpy((width, width), seed=5, name=f"network.0.layer.{i + 1}").astype(float)
        for i in range(depth)
    ]
    ends = [
        get("normal", std=1.0).numpy(
            (batch, width), seed=5, name=f"network.0.{end}", dtype="float64"
        )
        for end in ("input", "gradient")
    ]
    value, back = (rows / np.sqrt(np.mean(rows**2, axis=1, keepdims=True)) for rows in ends)
    states = []
    for weight in weights:
        states.append(value @ weight)
        value = np.tanh(states[-1])

    def after(z: np.ndarray, layer: int) -> float:
        for weight in weights[layer + 1 :]:
            z = np.tanh(z) @ weight
        return float(np.sum(z * back))

    found = signal(scheme, "tanh", depth, width, seed=5, networks=1, batch=batch)
    for layer, state in enumerate(states):
        gradient = np.empty_like(state)
        for place in np.ndindex(*state.shape):
            moved = np.zeros_like(state)
            moved[place] = step
            rise = after(state + moved, layer) - after(state - moved, layer)
            gradient[place] = rise / (2 * step)
        assert found.forward.measured[layer] == pytest.approx(np.mean(state**2), rel=1e-12)
        assert found.backward.measured[layer] == pytest.approx(np.mean(gradient**2), rel=1e-6)
    assert phi.name == found.activation


def test_orthogonal_weights_keep_a_linear_signal_exactly() -> None:
    found = signal("orthogonal", "linear", 20, 48)
    assert found.networks == 1
    assert found.forward.measured == pytest.approx([1.0] * 20, abs=1e-5)
    assert found.backward.measured == pytest.approx([1.0] * 20, abs=1e-5)


def test_zeros_pass_nothing_on() -> None:
    found = signal("zeros", depth=5, width=16)
    assert found.forward.predicted == found.forward.measured == (0.0,) * 5
    assert found.backward.predicted == found.backward.measured == (0.0,) * 4 + (1.0,)
    assert "are both lost. For relu, he_normal keeps both." in found.sentence


def test_weights_with_a_mean_are_measured_alone() -> None:
    for scheme in ("ones", "identity", "uniform(0.0, 1.0)", np.eye(16)):
        found = signal(scheme, depth=3, width=16)
        assert found.weight_variance is None
        assert found.forward.predicted is None
        assert "Nothing is predicted" in "\n".join(found.lines())
    assert signal("identity", "linear", 3, 16).forward.measured == pytest.approx((1.0,) * 3)


@pytest.mark.filterwarnings("error")
def test_what_leaves_the_numbers_is_infinite_or_zero() -> None:
    for name in ("relu", "silu", "gelu"):
        found = signal("normal(std=100.0)", name, 120, 16)
        assert found.forward.predicted[-1] == found.forward.measured[-1] == math.inf
        assert found.backward.predicted[0] == found.backward.measured[0] == math.inf
        assert not any(map(math.isnan, (*found.forward.measured, *found.backward.measured)))
    lost = signal("normal(std=1e-8)", "relu", 60, 16)
    assert lost.forward.predicted[-1] == lost.forward.measured[-1] == 0
    assert "lost" in lost.sentence


# ------------------------------------------------------------------------------------ sentences


@pytest.mark.parametrize(
    ("scheme", "name", "words"),
    [
        ("he_normal", "relu", "both keep their size (times 1)."),
        ("glorot_normal", "relu", "both vanish (times 1.8e-15, 0.5 a layer). For relu, he_normal"),
        (
            "glorot_normal",
            "sigmoid",
            "of activations shrinks a little (times 0.26), that of gradients vanishes",
        ),
        ("he_normal", "tanh", "of activations shrinks a little (times 0.31), that of gradients"),
        ("lecun_normal", "tanh", "mode='FAN_IN') holds both within a factor of 4."),
        (
            "he_normal",
            "linear",
            "both explode (times 5.6e+14, 2 a layer). For linear, lecun_normal",
        ),
        (
            "he_normal",
            "silu",
            "For silu no variance keeps both so deep; variance_scaling(factor=2.4",
        ),
        (
            "he_normal",
            "gelu",
            "For gelu no variance keeps both so deep; variance_scaling(factor=2.17",
        ),
    ],
)
def test_the_sentence(scheme: str, name: str, words: str) -> None:
    assert words in signal(scheme, name, 50, 8, networks=1, batch=1).sentence


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "selu", "elu"])
def test_what_is_advised_does_keep_both(name: str) -> None:
    sentence = signal("zeros", name, 30, 8).sentence
    advised = re.split(" (?:keeps|holds) both", sentence.partition(f"For {name}, ")[2])[0]
    assert "he_normal" not in advised  # it was derived for another activation
    found = signal(advised, name, 30, 256, networks=2)
    for course in (found.forward, found.backward):
        assert 1 / 15 < course.measured[-1] / course.measured[0] < 15


def test_the_keeper_of_homogeneous_activations_is_their_gain() -> None:
    for name, slope in (("relu", None), ("leaky_relu", 0.3), ("linear", None)):
        assert keeper(activation(name, slope), 30) == pytest.approx(
            initspec.get("he_normal").variance_factor / (1 + (slope or 0) ** 2)
            if name != "linear"
            else 1.0,
            rel=1e-3,
        )


def test_a_signal_is_a_frozen_value_and_plain_data() -> None:
    found = signal("he_normal", "leaky_relu", 7, 16, slope=0.1)
    assert found == signal("he_normal", "leaky_relu", 7, 16, slope=0.1)
    assert found != signal("he_normal", "leaky_relu", 7, 16, slope=0.1, seed=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.depth = 8  # type: ignore[misc]
    data = json.loads(json.dumps(found.to_dict()))
    assert data["activation"] == "leaky_relu(0.1)"
    assert data["forward"]["predicted"] == list(found.forward.predicted or ())
    assert len(data["backward"]["measured"]) == 7
    layers = [line.split()[0] for line in found.lines()[4:8]]
    assert layers == ["1", "2", "5", "7"]
    assert isinstance(found, initspec.Signal)


# ------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"activation": "rleu"}, UnknownName, "did you mean 'relu'"),
        ({"activation": "tanh", "slope": 0.1}, SpecError, "a slope belongs to 'leaky_relu'"),
        ({"activation": "leaky_relu", "slope": math.inf}, SpecError, "slope is a finite number"),
        ({"width": 1}, SpecError, "width is an integer of at least 2, not 1"),
        ({"depth": 0}, SpecError, "depth is an integer of at least 1, not 0"),
        ({"depth": 2.5}, SpecError, "depth is an integer"),
        ({"networks": 0}, SpecError, "networks is an integer of at least 1"),
        ({"width": 100_000}, SpecError, "take fewer or narrower layers"),
        ({"scheme": "he_norml"}, UnknownName, "did you mean 'he_normal'"),
        ({"scheme": "dirac"}, SpecError, "dirac cannot be the start of a layer of 512 units"),
        ({"scheme": "delta_orthogonal"}, SpecError, "cannot be the start of a layer"),
        ({"scheme": [[1.0, 2.0]]}, SpecError, "they must be equal"),
    ],
)
def test_bad_input(options: dict[str, object], error: type[Exception], words: str) -> None:
    given = {"scheme": "he_normal", **options}
    with pytest.raises(error, match=words.replace("(", r"\(")):
        signal(given.pop("scheme"), **given)


def test_one_layer_has_nothing_to_keep() -> None:
    assert "one layer has nothing to keep" in signal("he_normal", depth=1, width=8).sentence


# ---------------------------------------------------------------------------------- command line


def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    argv = ["signal", "he_normal", "--activation", "tanh", "--depth", "12", "--width", "32"]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "layer    predicted   measured   factor" in out
    assert "he_normal with tanh: over 12 layers" in " ".join(out.split())
    picture = tmp_path / "out.svg"
    assert main([*argv, "--json", "--plot", str(picture)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["plot"] == str(picture)
    assert len(data["forward"]["predicted"]) == 12
    assert picture.read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--plot", "out.png"], "unknown file type of a picture '.png'"),
        (["--plot", "no/such/folder/out.svg"], "there is no such folder"),
        (["--activation", "gellu"], "did you mean 'gelu'"),
        (["--width", "1"], "width is an integer of at least 2"),
    ],
)
def test_command_bad_input(capsys: pytest.CaptureFixture[str], more: list[str], words: str) -> None:
    assert main(["signal", "he_normal", *more]) == 2
    assert words in " ".join(capsys.readouterr().err.split()).replace("\\", "/")


def test_numpy_is_enough() -> None:
    code = (
        "import sys, initspec; initspec.signal('he_normal', depth=2, width=4); initspec.figures;"
        "print(*{'scipy', 'torch', 'jax', 'tensorflow', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
