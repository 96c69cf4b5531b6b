"""Schemes, their names, and what they become on a shape."""

import math
import pickle
from collections.abc import Callable

import numpy as np
import pytest

from initspec import (
    Custom,
    InitSpecError,
    LayoutError,
    Scheme,
    SpecError,
    UnknownName,
    get,
    register,
    schemes,
)
from initspec.readings.registry import dialects, references


def test_every_row_makes_a_scheme() -> None:
    assert len(schemes) >= 50
    for name, entry in schemes.items():
        scheme = get(name)
        assert scheme.name == name == entry.name
        assert entry.title
        assert scheme.formula
        assert scheme.latex
        assert entry.summary or entry.dialect
        assert all(key in references() for key in entry.references)
        assert entry.dialect is None or entry.dialect in dialects()
        assert eval(repr(scheme), {"get": get}) == scheme


def test_every_reference_and_dialect_is_used() -> None:
    assert {key for entry in schemes.values() for key in entry.references} == set(references())
    assert {entry.dialect for entry in schemes.values()} - {None} == set(dialects())


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("xavier_normal", "glorot_normal"),
        ("kaiming_uniform", "he_uniform"),
        ("msra_normal", "he_normal"),
        ("xavier_normal@torch", "glorot_normal@torch"),
        ("kaiming_normal@keras", "he_normal@keras"),
        ("xavier@neupy", "glorot_normal@neupy"),
    ],
)
def test_aliases(alias: str, name: str) -> None:
    assert get(alias) == get(name)
    assert get(alias).name == name


def test_the_bare_name_is_truncated_and_the_torch_reading_is_not() -> None:
    bare, torch = get("he_normal"), get("he_normal@torch")
    assert bare.on((256, 512)).std == pytest.approx(torch.on((256, 512)).std)
    assert bare.on((256, 512)).kurtosis < -0.6
    assert torch.on((256, 512)).kurtosis == 0


def test_arguments_by_text_by_keyword_and_by_place() -> None:
    by_text = get("he_normal(mode='FAN_OUT', nonlinearity='leaky_relu', slope=0.2)")
    by_keyword = get("he_normal", mode="fan_out", nonlinearity="leaky_relu", slope=0.2)
    assert by_text == by_keyword
    assert by_keyword.on((10, 40)).variance == pytest.approx(2 / 1.04 / 40)
    assert get("normal", 0.02) == get("normal(std=0.02)") == get("normal(0.02)")
    assert eval(repr(by_keyword), {"get": get}) == by_keyword


def test_variance_scaling() -> None:
    for word, kind in (
        ("truncated_normal", "truncated_normal"),
        ("normal", "normal"),
        ("untruncated_normal", "normal"),
        ("uniform", "uniform"),
    ):
        scheme = get("variance_scaling", factor=3.0, mode="FAN_GEO_AVG", distribution=word)
        assert scheme.distribution == kind
        assert scheme.on((4, 9)).variance == pytest.approx(3 / 6)


def test_values_compare_hash_and_pickle() -> None:
    a, b = get("he_normal"), get("kaiming_normal")
    assert a == b
    assert len({a, b}) == 1
    assert pickle.loads(pickle.dumps(a)) == a
    assert a != get("he_normal@torch")
    with pytest.raises(AttributeError):
        a.factor = 2.0  # type: ignore[misc]
    changed = a.replace(mode="FAN_OUT")
    assert changed.name is None
    assert (
        eval(repr(changed), {"Scheme": Scheme, "Truncation": type(changed.truncation)}) == changed
    )


def test_a_zero_sized_tensor_has_a_law() -> None:
    assert get("he_normal").on((0, 4)).variance == pytest.approx(2.0)
    assert get("glorot_uniform").on((0, 0)).variance == pytest.approx(1.0)


def test_given_fans() -> None:
    assert get("he_normal").given(fan_in=50, fan_out=1).variance == pytest.approx(0.04)
    with pytest.raises(SpecError, match="fan_in is a finite number of at least 0, not -1"):
        get("he_normal").given(fan_in=-1, fan_out=1)
    with pytest.raises(SpecError, match="needs a shape"):
        get("orthogonal").given(fan_in=1, fan_out=1)


def test_structured_laws() -> None:
    assert get("orthogonal", gain=2.0).on((30, 20)).variance == pytest.approx(4 / 30)
    gates = get("orthogonal").on((80, 20), "torch.LSTM")
    assert gates.variance == pytest.approx(1 / 20)  # each gate by itself
    delta = get("delta_orthogonal").on((3, 3, 8, 16))
    assert delta.variance == pytest.approx(1 / 16 / 9)
    assert get("identity").on((4, 4)).mean == 0.25
    assert get("sparse", sparsity=0.55).on((20, 7)).variance == pytest.approx(0.01**2 * 9 / 20)
    per_in = get("sparse", sparsity=0.55, zeros_per="in")  # ceil(0.55 * 7) of 7 outputs
    assert per_in.on((20, 7)).variance == pytest.approx(0.01**2 * 3 / 7)
    assert per_in.on((7, 20), "oi") == per_in.on((20, 7), "io")
    gates = per_in.on((28, 20), "oi, stack=4")  # each gate by itself
    assert (gates.zeros, gates.count, gates.length) == (4, 4, 7)
    assert get("sparse@torch", sparsity=0.55) == per_in
    assert get("dirac", groups=2).on((8, 4, 3, 3), "oihw, groups=2").mean == pytest.approx(8 / 288)
    assert get("bilinear").on((4, 4, 3, 3)).support == (0, 0.5625)


class Cauchy(Custom):
    def ppf(self, p: np.ndarray) -> np.ndarray:
        return np.tan(np.pi * (p - 0.5))

    def cdf(self, x: float) -> float:
        return math.atan(x) / math.pi + 0.5


def test_a_custom_law_answers_what_it_defines() -> None:
    law = get(Cauchy()).on((3, 4))
    assert law.ppf(0.75) == pytest.approx(1)
    assert law.cdf(1) == pytest.approx(0.75)
    with pytest.raises(SpecError, match="does not define 'variance': add it to your class"):
        _ = law.variance
    with pytest.raises(SpecError, match="neither sample\\(self, shape\\) nor ppf\\(self, p\\)"):
        type("Nothing", (Custom,), {})


def test_registering() -> None:
    mine = register("cauchy-for-a-test", Cauchy())
    assert get("cauchy-for-a-test") == mine
    assert register("he_normal", "he_normal") == get("he_normal")
    with pytest.raises(SpecError, match="the name 'he_normal' is taken by get\\('he_normal'\\)"):
        register("he_normal", "he_uniform")
    with pytest.raises(SpecError, match="takes no arguments"):
        get("cauchy-for-a-test", scale=2)
    with pytest.raises(SpecError, match="letters, digits"):
        register("two words", "zeros")


BAD: list[tuple[Callable[[], object], type[InitSpecError], str]] = [
    (lambda: get("he_norml"), UnknownName, "unknown scheme 'he_norml': did you mean 'he_normal'"),
    (lambda: get("HeNormal"), UnknownName, "did you mean 'he_normal'"),
    (
        lambda: get("he_normal@tourch"),
        UnknownName,
        "unknown dialect 'tourch': did you mean 'torch'",
    ),
    (lambda: get("bilinear@torch"), UnknownName, "unknown scheme 'bilinear@torch'"),
    (lambda: get("he_normal", mod="FAN_IN"), UnknownName, "argument of he_normal 'mod'.*'mode'"),
    (lambda: get("zeros", 1.0), SpecError, "zeros takes no arguments, and 1 were given"),
    (lambda: get("normal", 1.0, std=2.0), SpecError, "'std' is given twice"),
    (lambda: get("normal(std=)"), SpecError, "cannot read the arguments of 'normal\\(std=\\)'"),
    (lambda: get("two words"), SpecError, "cannot read 'two words': write a name"),
    (lambda: get("he_normal", mode="FAN"), UnknownName, "unknown mode 'FAN': known: FAN_AVG"),
    (lambda: get("he_normal", nonlinearity="relo"), UnknownName, "did you mean 'relu'"),
    (
        lambda: get("he_normal", slope=0.2),
        SpecError,
        "a slope belongs to 'leaky_relu', not to 'relu'",
    ),
    (
        lambda: get("variance_scaling", factor=-1.0),
        SpecError,
        "factor is a finite number of at least 0, not -1",
    ),
    (
        lambda: get("variance_scaling", factor=math.inf),
        SpecError,
        "factor is a finite number of at least 0, not inf",
    ),
    (
        lambda: get("variance_scaling", distribution="gauss"),
        UnknownName,
        "known: normal, truncated_normal",
    ),
    (lambda: get("normal", std=-0.1), SpecError, "std is a finite number of at least 0, not -0.1"),
    (
        lambda: get("normal", std=math.nan),
        SpecError,
        "std is a finite number of at least 0, not nan",
    ),
    (lambda: get("normal", std="0.1x"), SpecError, "std is a number, not '0.1x'"),
    (lambda: get("uniform", low=1.0, high=-1.0), SpecError, "low < high, not low=1.0, high=-1.0"),
    (
        lambda: get("truncated_normal", low=2.0, high=1.0),
        SpecError,
        "low < high, not low=2.0, high=1.0",
    ),
    (lambda: get("sparse", sparsity=1.5), SpecError, "from 0 to 1, not 1.5"),
    (lambda: get("sparse", sparsity=-0.5), SpecError, "from 0 to 1, not -0.5"),
    (
        lambda: get("sparse", zeros_per="outs"),
        UnknownName,
        "unknown zeros_per 'outs': did you mean 'out'",
    ),
    (lambda: get({"distribution": "dirac", "zeros_per": "in"}), SpecError, "takes no 'zeros_per'"),
    (lambda: get("dirac", groups=0), SpecError, "groups is an integer of at least 1, not 0"),
    (lambda: get("he_normal@neupy", gain="2x"), SpecError, "gain is a number, not '2x'"),
    (lambda: get(3), SpecError, "a scheme is a name, a mapping of fields, an array"),
    (lambda: get([["a"]]), SpecError, "an array of numbers was expected"),
    (lambda: get([[math.nan]]), SpecError, "an array of finite numbers was expected"),
    (
        lambda: get([[1.0, 2.0]]).on((2, 1)),
        SpecError,
        r"shape \(1, 2\) was given for a tensor of shape \(2, 1\)",
    ),
    (
        lambda: get("he_normal").on((64,)),
        LayoutError,
        r"he_normal scales by fans: a tensor of shape \(64,\)",
    ),
    (lambda: get("he_normal").on(()), LayoutError, "has no fans"),
    (lambda: get("zeros").on((3, 4), "oihw"), LayoutError, "names 4 axes"),
    (lambda: get("zeros").on((3, -1)), LayoutError, "sizes of at least 0, not \\(3, -1\\)"),
    (lambda: get("zeros").on("ab"), LayoutError, "sizes of at least 0, not 'ab'"),  # type: ignore[arg-type]
    (lambda: get("orthogonal").on((5,)), LayoutError, "is no matrix"),
    (lambda: get("delta_orthogonal").on((3, 3, 8, 4)), SpecError, "has 8 inputs and 4 outputs"),
    (lambda: get("identity").on((3, 3, 4, 4)), LayoutError, "use dirac"),
    (lambda: get("dirac").on((4, 4)), LayoutError, "use identity"),
    (lambda: get("dirac", groups=3).on((3, 3, 4, 4)), SpecError, "not divisible by 3 groups"),
    (lambda: Scheme(distribution="gauss"), UnknownName, "unknown distribution 'gauss'"),
    (lambda: Scheme(distribution="normal"), SpecError, "mode or std, not nothing"),
    (lambda: Scheme(distribution="normal", std=1.0, mode="FAN_IN"), SpecError, "not mode and std"),
    (
        lambda: Scheme(distribution="uniform", low=1.0),
        SpecError,
        "by one of mode, std, or low and high",
    ),
    (
        lambda: Scheme(distribution="constant", std=1.0),
        SpecError,
        "takes no 'std'; it takes 'value'",
    ),
    (lambda: Scheme(distribution="array"), SpecError, "needs 'array'"),
    (
        lambda: Scheme(distribution="normal", mode="FAN_IN", fans="keras"),
        UnknownName,
        "unknown fan rule 'keras': known: .*naive",
    ),
]


@pytest.mark.parametrize(("make", "error", "sentence"), BAD)
def test_bad_input(make: Callable[[], object], error: type[InitSpecError], sentence: str) -> None:
    with pytest.raises(error, match=sentence) as caught:
        make()
    assert isinstance(caught.value, ValueError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))
