"""Gains: what a nonlinearity asks for, and what `gain` multiplies in each law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import initspec
from initspec import SpecError, UnknownName, get
from initspec.analysis.activations import ACTIVATIONS, activation
from initspec.spec.gain import NONLINEARITIES, canonical, gain

NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def second_moment(name: str) -> float:
    """``E[f(z)**2]`` for a standard normal z, on each side of zero by itself."""
    total = 0.0
    for low, high in ((-14.0, -4.0), (-4.0, 0.0), (0.0, 4.0), (4.0, 14.0)):
        z = (NODES + 1) / 2 * (high - low) + low
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        value, _ = activation(name)(z)
        total += float(np.sum(WEIGHTS * value**2 * density)) * (high - low) / 2
    return total


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_of_signal_has_a_gain(name: str) -> None:
    exact = f"{name}_exact" if name in ("tanh", "sigmoid", "selu") else name
    if name != "leaky_relu":  # whose slope is that of PyTorch, and exact as it is
        assert math.isclose(gain(exact) ** 2, 1 / second_moment(name), rel_tol=1e-10)
    assert get("he_normal", nonlinearity=name).on((8, 4)).variance > 0


@pytest.mark.parametrize(
    ("name", "square"),
    [("gelu", 2.3517), ("silu", 2.8108), ("elu", 1.5505), ("mish", 2.2107), ("relu", 2.0)],
)
def test_the_squares_of_the_gains(name: str, square: float) -> None:
    law = get("variance_scaling", nonlinearity=name, distribution="normal").on((64, 8))
    assert abs(law.variance * 64 - square) < 5e-5


@pytest.mark.parametrize(
    ("name", "torch_gain"),
    [("tanh", 5 / 3), ("selu", 0.75), ("sigmoid", 1.0), ("linear", 1.0), ("relu", math.sqrt(2))],
)
def test_the_names_of_pytorch_keep_their_gains(name: str, torch_gain: float) -> None:
    assert gain(name) == torch_gain
    torch = pytest.importorskip("torch")
    assert torch.nn.init.calculate_gain(name) == torch_gain


def test_other_spellings_are_one_scheme() -> None:
    assert canonical("swish") == "silu"
    assert get("he_normal", nonlinearity="swish") == get("he_normal", nonlinearity="silu")
    assert get("he_normal", nonlinearity="tanh-exact") == get(
        "he_normal", nonlinearity="tanh_exact"
    )
    assert get("he_normal", nonlinearity="identity") == get("he_normal", nonlinearity="linear")
    for name in NONLINEARITIES:
        scheme = get("he_normal", nonlinearity=name)
        assert initspec.loads(initspec.dumps(scheme)) == scheme


def test_what_is_unknown() -> None:
    with pytest.raises(UnknownName, match="did you mean 'gelu'"):
        get("he_normal", nonlinearity="gellu")
    for dialect in ("torch", "paddle", "mindspore"):
        with pytest.raises(UnknownName, match="no gain for it") as caught:
            get(f"he_normal@{dialect}", nonlinearity="gelu")
        assert "selu" not in str(caught.value)
    with pytest.raises(SpecError, match="a slope belongs to 'leaky_relu', not to 'gelu'"):
        get("he_normal", nonlinearity="gelu", slope=0.1)


# -------------------------------------------------------------------------------- gains of all laws

FIXED: list[Any] = [
    "normal(std=0.02)",
    "uniform(low=-0.1, high=0.3)",
    "truncated_normal(std=0.02)",
    "trunc_normal@torch(std=0.02)",
    "constant(value=-2.0)",
    "ones",
    "orthogonal",
    "delta_orthogonal",
    "identity",
    "dirac",
    "bilinear",
    "sparse(sparsity=0.5, std=0.1)",
    "he_normal",
    "he_uniform@torch",
    "siren",
    "siren_first",
    "mup_readout",
]


@pytest.mark.parametrize("name", FIXED)
def test_a_gain_multiplies_every_law(name: str) -> None:
    shape, layout = ((3, 3, 4, 6), "hwio") if name in ("dirac", "bilinear") else ((8, 6), "io")
    if name == "delta_orthogonal":
        shape, layout = (3, 3, 4, 6), "hwio"
    plain, half = get(name), get(name).replace(gain=get(name).bind().gain * 0.5)
    laws = plain.on(shape, layout), half.on(shape, layout)
    assert math.isclose(laws[1].std, laws[0].std / 2, rel_tol=1e-12)
    values = [scheme.numpy(shape, seed=0, name="w", layout=layout) for scheme in (plain, half)]
    assert np.allclose(values[1], values[0] / 2, rtol=1e-5, atol=1e-12)
    if plain.distribution in ("constant", "identity", "dirac", "bilinear"):
        assert laws[1].mean == laws[0].mean / 2
    text = plain.replace(gain=f"{plain.bind().gain!r} * a").bind(a=0.5)
    assert text.on(shape, layout) == laws[1]
    assert half.formula != plain.formula
    assert half.latex != plain.latex


def test_a_gain_leaves_the_mean_and_absolute_bounds() -> None:
    law = get("normal", mean=0.5, std=0.1, gain=0.5).on((2, 2))
    assert (law.mean, law.std) == (0.5, 0.05)
    cut = get("trunc_normal@torch", std=1.0, a=-2, b=2).replace(gain=0.5).on((2, 2))
    assert cut.support == (-2.0, 2.0)
    assert cut.sigma == 0.5


def test_a_gain_of_zero_is_zero() -> None:
    for name in FIXED:
        shape = (3, 3, 4, 6) if name in ("dirac", "bilinear", "delta_orthogonal") else (8, 6)
        scheme = get(name).replace(gain=0.0)
        assert not scheme.numpy(shape, seed=0).any(), name


def test_a_factor_of_a_fixed_scale_multiplies_its_variance() -> None:
    law = get({"distribution": "normal", "std": 0.02, "factor": 4.0}).on((2, 2))
    assert law.std == 0.04
    relu = get({"distribution": "uniform", "low": -1.0, "high": 1.0, "nonlinearity": "relu"})
    assert relu.on((2, 2)).high == math.sqrt(2)


def test_a_given_array_and_a_law_of_ones_own_have_a_gain() -> None:
    assert get([[1.0, 2.0]]).replace(gain=3).numpy((1, 2)).tolist() == [[3.0, 6.0]]
    own = get(initspec_exponential()).replace(gain=0.5)
    law = own.on((4, 3))
    assert (law.mean, law.variance, law.support) == (0.25, 0.0625, (0.0, math.inf))
    assert math.isclose(law.cdf(0.3), get(initspec_exponential()).on((4, 3)).cdf(0.6))
    assert math.isclose(law.ppf(0.7), get(initspec_exponential()).on((4, 3)).ppf(0.7) / 2)
    assert math.isclose(
        law.pdf(0.3), 2 * get(initspec_exponential()).on((4, 3)).pdf(0.6), rel_tol=1e-5
    )
    plain = get(initspec_exponential()).numpy((4, 3), seed=1, name="w")
    assert np.allclose(own.numpy((4, 3), seed=1, name="w"), plain / 2)
    sampled = get(lambda shape, rng: rng.normal(size=shape))
    twice = sampled.replace(gain=2.0).numpy((4, 3), seed=1, name="w")
    assert np.allclose(twice, 2 * sampled.numpy((4, 3), seed=1, name="w"))
    assert sampled.replace(gain=0.0).numpy((2,), seed=1).tolist() == [0.0, 0.0]


def initspec_exponential() -> Any:
    from initspec.conformance.own import Exponential

    return Exponential(0.5)


def test_pytorchs_default_over_the_root_of_the_depth_is_one_line() -> None:
    scheme = get("he_uniform@torch", a=math.sqrt(5)).replace(gain="1 / sqrt(2 * L)").bind(L=8)
    assert math.isclose(scheme.on((64, 9), "oi").limits[1], 1 / math.sqrt(9) / 4)


def test_generated_calls_have_the_gain() -> None:
    assert initspec.generate(get("normal", std=0.02, gain=0.5), "torch").source.endswith(
        "std=0.01)"
    )
    assert "0.5" in initspec.generate(get("constant", value=2, gain=0.25), "keras").source
    assert "-0.5, b=0.5" in initspec.generate(
        get("uniform", low=-1, high=1, gain=0.5), "torch"
    ).source.replace("a=", "")


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "keras", "jax"])
@pytest.mark.parametrize(
    "scheme",
    [
        get("he_normal", nonlinearity="gelu", gain=0.5),
        get("uniform", low=-0.1, high=0.2, gain=0.5),
        get("constant", value=3.0, gain=0.5),
        get("sparse", gain=2.0),
        get([[1.0, 2.0], [3.0, 5.0]] * 2).replace(gain=0.3),
        get(initspec_exponential()).replace(gain=0.5),
        get("siren_first"),
        get("siren"),
        get("mup_readout", gain=2.0),
        get("variance_scaling", power=0.5, mode="FAN_AVG", distribution="uniform"),
    ],
    ids=lambda scheme: scheme.name or scheme.distribution,
)
def test_every_backend_draws_the_same_bits(backend: str, scheme: Any) -> None:
    pytest.importorskip(backend)
    shape = (4, 2)
    wanted = scheme.numpy(shape, seed=3, name="w")
    adapter = initspec.backend(backend)
    drawn = adapter.sample(
        scheme.on(shape, "io"),
        shape,
        key=adapter.key(3, "w"),
        layout=initspec.Layout("io"),
        dtype="float32",
    )
    assert np.array_equal(np.asarray(adapter.tohost(drawn)), wanted)


# ------------------------------------------------------------------------------ powers of the fan


def test_siren_and_mup() -> None:
    assert get("siren_first").on((3, 256)).limits == (-1 / 3, 1 / 3)
    assert get("siren_first").on((256, 3), "oi").limits == (-1 / 3, 1 / 3)
    limit = get("siren").on((256, 256)).limits[1]
    assert math.isclose(limit, math.sqrt(6 / 256) / 30, rel_tol=1e-15)
    assert math.isclose(get("siren", omega=1.0).on((256, 4)).limits[1], math.sqrt(6 / 256))
    assert get("siren", omega="w").bind(w=10) == get("siren", omega=10.0)
    with pytest.raises(SpecError, match="divides"):
        get("siren", omega=0)
    assert get("mup_readout").on((64, 10)).std == 1 / 64
    assert get("mup_readout", mode="FAN_OUT").on((64, 10)).std == 0.1
    law = get("variance_scaling", power=3, factor=2.0, mode="FAN_AVG").on((2, 6))
    assert math.isclose(law.variance, 2 / 4**3)
    assert get("variance_scaling", power=0).on((9, 9)).std == pytest.approx(1.0)


def test_powers_in_words() -> None:
    scheme = get("variance_scaling", power=2, mode="FAN_AVG", distribution="normal")
    assert scheme.formula == "normal, mean 0, variance 4 / (fan_in + fan_out)^2"
    assert scheme.latex.endswith(r"\right)^{2}}")
    assert get("mup_readout").formula == "normal, mean 0, variance 1 / fan_in^2"
    written = get("variance_scaling", power="1 + p")
    assert written.bind(p=1) == get("variance_scaling", power=2)
    assert initspec.loads(initspec.dumps(written)) == written


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"std": 1.0, "power": 2.0}, "a power belongs to a mode"),
        ({"mode": "FAN_IN", "power": -1e6}, "beyond float64"),
        ({"mode": "FAN_IN", "power": "x"}, "'x', which is not bound"),
    ],
)
def test_powers_that_cannot_be(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        get({"distribution": "normal", **fields}).on((8, 4))


def test_generated_code_of_a_power_runs() -> None:
    torch = pytest.importorskip("torch")
    code = initspec.generate(get("mup_readout", gain=2.0), "torch").source
    weight = torch.empty(50, 400)
    exec(code, {"torch": torch, "weight": weight})
    assert abs(float(weight.std()) * 400 / 2 - 1) < 0.03
    average = get("variance_scaling", power=2, mode="FAN_AVG", distribution="uniform")
    exec(initspec.generate(average, "torch").source, {"torch": torch, "weight": weight})
    assert abs(float(weight.std()) * 225 - 1) < 0.03


def test_infer_names_them() -> None:
    for name in ("siren_first", "mup_readout", "he_normal(nonlinearity='gelu')"):
        values = get(name).numpy((400, 300), seed=5, name="w")
        answer = initspec.infer(values, "io")
        assert name in str(answer), name


def test_diff_says_the_power() -> None:
    difference = initspec.diff("mup_readout", "lecun_normal", (64, 8))
    assert "the power 2 of its fan" in str(difference)
