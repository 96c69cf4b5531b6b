"""Arithmetic in a text: one evaluator, its errors, and schemes whose numbers are such texts."""

from __future__ import annotations

import contextlib
import math
import pickle
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import initspec
from initspec import InitSpecError, SpecError, get
from initspec.spec.expression import RESERVED, Expression

RESIDUAL = "0.02 / sqrt(2 * n_layer)"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("2 ^ 3 ^ 2", 512.0),
        ("1 - 2 - 3", -4.0),
        ("8 / 4 / 2", 1.0),
        ("0.1 + 0.2 + 0.3", 0.1 + 0.2 + 0.3),
        ("0.3 * 0.1 / 0.7 * 3", 0.3 * 0.1 / 0.7 * 3),
        ("-7 % 3", 2.0),
        ("7 % -3", -2.0),
        ("--3", 3.0),
        ("min(3, 1, 2) + max(2)", 3.0),
        ("floor(-1.5) * ceil(1.2)", -4.0),
        ("exp(log(3))", math.exp(math.log(3))),
        ("2*pi", 2 * math.pi),
        ("1e-3 + .5 + 5.", 1e-3 + 0.5 + 5.0),
        ("0.02/sqrt(2*12)", 0.02 / math.sqrt(24)),
    ],
)
def test_numbers(text: str, number: float) -> None:
    assert Expression.parse(text).value() == number
    assert get("normal", mean=text, std=1.0).mean == number


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 / 0", "divides by zero"),
        ("n / (n - 3)", "divides by zero, with n=3"),
        ("5 % 0", "divides by zero"),
        ("0 ^ -1", "divides by zero"),
        ("(-8) ^ (1/3)", "no real number"),
        ("sqrt(-1)", r"no real number: it comes to sqrt\(-1\)"),
        ("log(0)", "no real number"),
        ("exp(1000)", "beyond all float64 numbers"),
        ("1 / (1e308 * 10)", "beyond all float64 numbers"),
        ("1e999", "beyond all float64 numbers"),
        ("9 ^ 9 ^ 9 ^ 9", "beyond all float64 numbers"),
        ("2 ** 3", r"cannot read '\*\*'.*written \^"),
        ("7 // 2", r"floor\(a / b\)"),
        ("a.b", "cannot read '.b'"),
        ("x[0]", r"cannot read '\[0\]'"),
        ("__import__('os')", "cannot read"),
        ("sqr(2)", "unknown function 'sqr': did you mean 'sqrt'"),
        ("sqrt", r"is a function: write sqrt\(...\)"),
        ("sqrt(1, 2)", "takes one number, not 2"),
        ("min()", "was expected, not '\\)'"),
        ("(1", "'\\)' was expected, not its end"),
        ("1)", "an operator.* was expected"),
        ("2n", "an operator.* was expected"),
        ("", "was expected, not its end"),
        ("n_layers + 1", "'n_layers', which is not bound; bound are n"),
        ("é", "cannot read"),
    ],
)
def test_a_sentence_for_each(text: str, sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        Expression.parse(text).value({"n": 3})


@pytest.mark.parametrize(
    "text", ["(" * 5000 + "1", "-" * 5000 + "1", "2^" * 5000 + "1", "1+" * 9000]
)
def test_size_and_depth_are_bounded(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(SpecError):
        get("normal", std=text)
    with pytest.raises(SpecError):
        Expression.parse(text).value()
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("field", ["factor", "gain", "mean", "std", "value", "low", "slope"])
def test_every_number_may_be_a_text(field: str) -> None:
    fields: dict[str, Any] = {
        "factor": {"distribution": "normal", "mode": "FAN_IN"},
        "gain": {"distribution": "uniform", "mode": "FAN_IN"},
        "mean": {"distribution": "normal", "std": 1.0},
        "std": {"distribution": "truncated_normal"},
        "value": {"distribution": "constant"},
        "low": {"distribution": "uniform", "high": 9.0},
        "slope": {"distribution": "normal", "mode": "FAN_IN", "nonlinearity": "leaky_relu"},
    }[field]
    written = get({**fields, field: "2 * n / (1 + n)"})
    assert written.names == ("n",)
    bound = written.bind(n=3.0)
    assert getattr(bound, field) == 1.5
    assert bound == get({**fields, field: 1.5})
    for format in ("toml", "json"):
        assert initspec.loads(initspec.dumps(written, format), format) == written
    assert pickle.loads(pickle.dumps(written)) == written
    with pytest.raises(SpecError, match="'n', which is not bound"):
        written.on((4, 6))


def test_bounds_of_a_truncation_may_be_texts() -> None:
    written = get(
        "truncated_normal", std="d^-0.5", low="-3*d^-0.5", high="3*d^-0.5", unit="absolute"
    )
    assert initspec.loads(initspec.dumps(written)) == written
    bound = get("truncated_normal", std=0.125, low=-0.375, high=0.375, unit="absolute")
    assert written.bind(d=64) == bound
    with pytest.raises(SpecError, match="low < high"):
        get("truncated_normal", low="a", high="b").bind(a=1, b=1)


def test_texts_without_names_are_numbers_at_once() -> None:
    assert get("normal", std="0.02/sqrt(2*12)").std == 0.02 / math.sqrt(24)
    assert get("normal(std='1/4')") == get("normal", std=0.25)
    assert get("uniform@torch", a="-1/8", b="1/8") == get("uniform@torch", a=-0.125, b=0.125)
    assert initspec.loads("distribution = 'normal'\nstd = '2^-3'").std == 0.125


def test_an_argument_that_multiplies_or_bounds_takes_texts() -> None:
    written = get("uniform@mxnet", scale="1 / sqrt(n)")
    assert written.bind(n=16) == get("uniform@mxnet", scale=0.25)
    for name, entry in initspec.schemes.items():
        for argument in entry.arguments.values():
            if argument.multiplies and entry.dialect is not None:
                given = dict.fromkeys(entry.required, 1.0)
                text = entry.make(**{**given, argument.word: "a / b"}).bind(a=3, b=2)
                number = entry.make(**{**given, argument.word: 1.5})
                assert text.replace(**{argument.field: 1.0}) == number.replace(
                    **{argument.field: 1.0}
                ), name
                assert math.isclose(getattr(text, argument.field), getattr(number, argument.field))


def made_up(rng: random.Random, depth: int) -> str:
    """Arithmetic that Python reads alike, but for the sign of the power."""

    def part() -> str:
        return made_up(rng, depth - 1)

    kind = rng.random() if depth else 0.0
    if kind < 0.25:
        return rng.choice(["1.0", "2.5", "n", "m", "0.5", "0.03", "pi"])
    if kind < 0.7:
        return f"{part()} {rng.choice('+-*/%^')} {part()}"
    if kind < 0.85:
        return rng.choice([f"({part()})", f"-{part()}"])
    return rng.choice(
        [f"sqrt({part()})", f"exp({part()})", f"min({part()}, {part()})", f"log({part()})"]
    )


def test_arithmetic_is_that_of_python() -> None:
    rng, words = random.Random(7), {"n": 3.0, "m": 7.0}
    known = {name: getattr(math, name) for name in ("sqrt", "exp", "log", "pi")}
    for _ in range(2000):
        text = made_up(rng, 4)
        wanted: Any = None
        with contextlib.suppress(ArithmeticError, ValueError, TypeError):
            wanted = eval(text.replace("^", "**"), {}, {**known, "min": min, **words})
        if isinstance(wanted, complex) or wanted is None or not math.isfinite(wanted):
            with pytest.raises(SpecError):
                Expression.parse(text).value(words)
        else:
            assert Expression.parse(text).value(words) == wanted, text
            plain = Expression.parse(text).bound(words)
            assert Expression.parse(plain).value() == wanted, plain


def test_binding_names_what_is_bound() -> None:
    scheme = get("normal", std=RESIDUAL)
    assert scheme.names == ("n_layer",)
    sizes = dict.fromkeys("abcdefg", 1.0)
    with pytest.raises(SpecError, match="bound are a, b, c, d, e and 2 more"):
        scheme.bind(**sizes)
    with pytest.raises(SpecError, match="nothing is bound"):
        scheme.bind()
    assert scheme.bind(n_layer=12, n_head=3).std == 0.02 / math.sqrt(24)
    plain = get("he_normal")
    assert plain.bind(n_layer=3) is plain


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_names_cannot_be_bound(name: str) -> None:
    with pytest.raises(SpecError, match="cannot be bound"):
        get("normal", std=RESIDUAL).bind(n_layer=12, **{name: 3.0})


@pytest.mark.parametrize("value", ["3", None, True, float("nan"), float("inf"), [1]])
def test_what_is_bound_is_a_number(value: Any) -> None:
    with pytest.raises(SpecError, match="n_layer is a"):
        get("normal", std=RESIDUAL).bind(n_layer=value)


@pytest.mark.parametrize("name", ["n layer", "", "1n", "n-layer", "é"])
def test_a_name_is_letters(name: str) -> None:
    with pytest.raises(SpecError, match="a name to bind is letters"):
        get("normal", std=RESIDUAL).bind(n_layer=1, **{name: 1})


def test_fans_are_names_that_the_shape_supplies() -> None:
    scheme = get("normal", std="min(1, sqrt(fan_out / fan_in)) / sqrt(fan_in)")
    assert scheme.names == ()
    assert scheme.needs_fans
    assert scheme.on((16, 4)).std == 0.5 / 4
    assert scheme.on((4, 16), "oi").std == 0.5 / 4
    assert scheme.given(fan_in=16, fan_out=4).std == 0.5 / 4
    average = get("normal", std="1 / (fan_avg * fan_geo_avg)")
    assert average.on((2, 8)).std == 1 / (5 * 4)
    with pytest.raises(InitSpecError, match="scales by fans"):
        scheme.on((5,))
    with pytest.raises(SpecError, match="low < high"):
        get("uniform", low="1 / fan_in", high="0").on((8, 4))
    half = get("normal", std="1 / (fan_in * m)").bind(m=2)
    assert half.std == "1 / (fan_in * 2)"
    assert half.on((8, 4)).std == 1 / 16
    assert get("normal", std="1 / fan_in").on((0, 4)).std == 1.0
    with pytest.raises(SpecError, match=r"std = 'fan_in - 9': std is a finite number of at least"):
        get("normal", std="fan_in - 9").on((8, 4))


def test_the_rule_of_the_fans_holds_for_texts_too() -> None:
    scheme = get({"distribution": "normal", "std": "1 / fan_in", "fans": "naive"})
    assert scheme.on((48, 4, 3, 3), "oihw, groups=4").std == 1 / 36
    assert get("normal", std="1/fan_out").on((48, 4, 3, 3), "oihw, groups=4").std == 1 / 108


@pytest.mark.parametrize(
    ("scheme", "formula", "latex"),
    [
        (
            get("normal", std=RESIDUAL),
            f"({RESIDUAL})^2",
            r"\frac{0.02}{\sqrt{2\,\mathit{n\_layer}}}",
        ),
        (
            get("uniform", low="-1/fan_in", high="1/fan_in"),
            "uniform on (-1/fan_in, 1/fan_in)",
            r"\frac{1}{\mathrm{fan_{in}}}",
        ),
        (get("glorot_uniform", gain="2/L"), "2 * (2/L)^2 / (fan_in + fan_out)", r"\frac{2}{"),
        (get("constant", value="2*pi"), "always 6.28319", "w = 6.28319"),
        (get("orthogonal", gain="a-1"), "times (a-1)", r"\left(\mathit{a} - 1\right)"),
    ],
)
def test_in_words_and_in_latex(scheme: Any, formula: str, latex: str) -> None:
    assert formula in scheme.formula
    assert latex in scheme.latex


@pytest.mark.parametrize(
    "ask",
    [
        lambda scheme: scheme.numpy((2, 2)),
        lambda scheme: initspec.generate(scheme, "torch"),
        lambda scheme: initspec.diff(scheme, "he_normal", (4, 4)),
        lambda scheme: initspec.signal(scheme, depth=2, width=8),
        lambda scheme: scheme.variance_factor,
    ],
)
def test_what_is_not_bound_is_said(ask: Callable[[Any], Any]) -> None:
    with pytest.raises(InitSpecError, match="'n_layer', which is not bound"):
        ask(get("variance_scaling", factor="1 / n_layer"))


def test_generated_code_has_numbers() -> None:
    assert initspec.generate(get("normal", std="1/L").bind(L=4), "torch").source.endswith(
        "std=0.25)"
    )
    scheme = get("normal", std="1 / fan_in")
    assert "goes by the fans" in initspec.generate(scheme, "keras").note
    code = initspec.generate(scheme, "torch", (3, 4), "oi")
    assert code.source == "torch.nn.init.normal_(weight, std=0.25)"


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "keras", "jax"])
@pytest.mark.parametrize(
    "scheme",
    [
        get("normal", std=RESIDUAL).bind(n_layer=12),
        get("uniform", low="-1/fan_in", high="1/fan_in"),
        get("truncated_normal", std="min(1, sqrt(fan_out/fan_in)) / sqrt(fan_in)"),
    ],
    ids=["normal", "uniform", "truncated"],
)
def test_every_backend_draws_the_same_bits(backend: str, scheme: Any) -> None:
    pytest.importorskip(backend)
    wanted = scheme.numpy((24, 6), seed=3, name="w")
    adapter = initspec.backend(backend)
    law = scheme.on((24, 6), "io")
    drawn = adapter.sample(
        law, (24, 6), key=adapter.key(3, "w"), layout=initspec.Layout("io"), dtype="float32"
    )
    assert np.array_equal(np.asarray(adapter.tohost(drawn)), wanted)


def test_in_the_words_of_each_framework() -> None:
    scheme = get("normal", std="1 / fan_in")
    wanted = scheme.numpy((8, 5), seed=1, name="w")
    torch = pytest.importorskip("torch")
    drawn = scheme.torch((5, 8), seed=1, name="w").T
    assert np.array_equal(drawn.numpy(), wanted)
    assert torch.equal(torch.compile(lambda: scheme.torch((5, 8), seed=1, name="w"))().T, drawn)


def test_under_jit() -> None:
    jax = pytest.importorskip("jax")
    scheme = get("normal", std="1 / fan_in")
    key = jax.random.key(0)
    eager = scheme.jax(key, (8, 5))
    jitted = jax.jit(lambda key: scheme.jax(key, (8, 5)))(key)
    assert np.array_equal(np.asarray(eager), np.asarray(jitted))
    assert np.array_equal(np.asarray(eager), np.asarray(get("normal", std=1 / 8).jax(key, (8, 5))))


def test_keras_saves_texts() -> None:
    keras = pytest.importorskip("keras")
    ours = get("normal", std="1 / fan_in").keras(seed=1, name="w")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    assert np.array_equal(np.asarray(again((8, 5))), np.asarray(ours((8, 5))))
