"""Whose reading of a name: the data files, the versions, and each formula by hand."""

import json
import re
import subprocess
import sys
import tomllib
from functools import partial
from math import sqrt
from pathlib import Path

import jsonschema
import pytest

import initspec
from initspec import InitSpecError, SpecError, UnknownName, get, schemes
from initspec.readings.from_framework import from_call
from initspec.readings.names import Name, number
from initspec.readings.registry import dialect, dialects, readings, rows
from initspec.spec.distribution import Constant, Normal, TruncatedNormal, Uniform

HERE = Path(initspec.__file__).parent / "readings"
FILES = sorted((HERE / "dialects").glob("*.toml"))
SCHEMA = json.loads((HERE / "schemes.schema.json").read_text("utf-8"))
FILE = jsonschema.Draft202012Validator(
    {"$ref": "#/$defs/dialect_file", "$defs": SCHEMA["$defs"]},
)

# Each row on a matrix of 300 inputs and 100 outputs: the kind of law (constant, normal, uniform,
# truncated normal) and its standard deviation, by the formula of the framework's own source; c is
# the standard deviation of a standard normal cut at two.
HAND = """
torch:            zeros C 0 | ones C 0 | constant C 0 | normal N 1 | uniform U 1/sqrt(12)
                  truncated_normal T c | truncated_normal<2.12 T c
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal N sqrt(2/i) | he_uniform U sqrt(2/i)
keras:            zeros C 0 | ones C 0 | constant C 0 | normal N .05 | uniform U .1/sqrt(12)
                  truncated_normal T .05*c
                  glorot_normal T sqrt(2/(i+o)) | glorot_normal<3.15 T sqrt(2/(i+o))
                  glorot_normal<2.2 T c*sqrt(2/(i+o))
                  glorot_uniform U sqrt(2/(i+o)) | glorot_uniform<3.15 U sqrt(2/(i+o))
                  he_normal T sqrt(2/i) | he_normal<3.15 T sqrt(2/i) | he_normal<2.2 T c*sqrt(2/i)
                  he_uniform U sqrt(2/i) | he_uniform<3.15 U sqrt(2/i)
                  lecun_normal T sqrt(1/i) | lecun_normal<3.15 T sqrt(1/i)
                  lecun_normal<2.2 T c*sqrt(1/i)
                  lecun_uniform U sqrt(1/i) | lecun_uniform<3.15 U sqrt(1/i)
                  variance_scaling T sqrt(1/i) | variance_scaling<3.15 T sqrt(1/i)
                  variance_scaling<2.2 T c*sqrt(1/i)
tensorflow:       zeros C 0 | ones C 0 | constant C 0 | normal N .05 | normal<2.0 N 1
                  uniform U .1/sqrt(12) | uniform<2.0 U 1/sqrt(12)
                  truncated_normal T .05*c | truncated_normal<2.0 T c
                  uniform_unit_scaling<2.0 U sqrt(1/i)
                  variance_scaling T sqrt(1/i) | variance_scaling<1.10 T c*sqrt(1/i)
                  glorot_normal T sqrt(2/(i+o)) | glorot_normal<1.10 T c*sqrt(2/(i+o))
                  glorot_uniform U sqrt(2/(i+o))
                  he_normal T sqrt(2/i) | he_normal<1.10 T c*sqrt(2/i) | he_uniform U sqrt(2/i)
                  lecun_normal T sqrt(1/i) | lecun_normal<1.10 T c*sqrt(1/i)
                  lecun_uniform U sqrt(1/i)
tfjs:             glorot_normal T c*sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal T c*sqrt(2/i) | he_uniform U sqrt(2/i)
                  lecun_normal T c*sqrt(1/i) | lecun_uniform U sqrt(1/i)
                  variance_scaling T c*sqrt(1/i)
tf.contrib:       variance_scaling T c*sqrt(1.3*2/i) | msra T c*sqrt(1.3*2/i)
                  xavier U sqrt(2/(i+o)) | xavier_conv2d U sqrt(2/(i+o))
                  glorot U sqrt(2/(i+o)) | caffe U sqrt(1/i)
tf.contrib-docs:  variance_scaling T c*sqrt(2/i) | msra T c*sqrt(2/i)
                  xavier U sqrt(2/(i+o)) | xavier<1.3 U sqrt(2/(i+o))
                  xavier_conv2d U sqrt(2/(i+o)) | xavier_conv2d<1.3 U sqrt(2/(i+o))
jax:              zeros C 0 | ones C 0 | constant C 0 | normal N .01 | uniform U .01/sqrt(12)
                  truncated_normal T .01*c | variance_scaling T sqrt(1/i)
                  glorot_normal T sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal T sqrt(2/i) | he_uniform U sqrt(2/i)
                  lecun_normal T sqrt(1/i) | lecun_uniform U sqrt(1/i)
flax:             zeros C 0 | ones C 0 | constant C 0 | normal N .01 | uniform U .01/sqrt(12)
                  truncated_normal T .01*c | variance_scaling T sqrt(1/i)
                  glorot_normal T sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal T sqrt(2/i) | he_uniform U sqrt(2/i)
                  lecun_normal T sqrt(1/i) | lecun_uniform U sqrt(1/i)
haiku:            zeros C 0 | constant C 0 | normal N 1 | uniform U 1/sqrt(12)
                  truncated_normal T c | variance_scaling T sqrt(1/i)
                  uniform_scaling U sqrt(1/i) | lecun_normal T c*sqrt(1/i)
sonnet:           zeros C 0 | ones C 0 | constant C 0 | normal N 1 | uniform U 1/sqrt(12)
                  truncated_normal T c | variance_scaling T sqrt(1/i) | lecun_normal T c*sqrt(1/i)
equinox:          default_init U 1/sqrt(i)/sqrt(3)
mlx:              constant C 0 | normal N 1 | uniform U 1/sqrt(12)
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal N 1/sqrt(i) | he_uniform U 1/sqrt(i)
tinygrad:         zeros C 0 | ones C 0 | normal N 1 | uniform U 1/sqrt(12)
                  scaled_uniform U 1/sqrt(i*o)/sqrt(3) | glorot_uniform U sqrt(6/(i+o))/sqrt(3)
                  he_uniform U sqrt(6/(1+.01**2)/i)/sqrt(3) | he_normal N sqrt(2/(1+.01**2)/i)
chainer:          zeros C 0 | ones C 0 | constant C 0 | normal N .05 | uniform U .05/sqrt(3)
                  lecun_normal N sqrt(1/i) | lecun_uniform U sqrt(1/i)
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal N sqrt(2/i) | he_uniform U sqrt(2/i)
lasagne:          constant C 0 | normal N .01 | uniform U .01/sqrt(3)
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal N sqrt(1/i) | he_uniform U sqrt(1/i)
neupy:            constant C 0 | normal N .01 | uniform U 1/sqrt(12)
                  glorot_normal N sqrt(1/(i+o)) | glorot_uniform U sqrt(3/(i+o))/sqrt(3)
                  he_normal N sqrt(1/i) | he_uniform U sqrt(3/i)/sqrt(3)
berry:            xavier N sqrt(2/(i+o)) | deepnet N sqrt(2/o)
recipes:          zeros C 0 | uniform U 1/sqrt(12) | lecun_normal N sqrt(1/i)
                  he_normal N sqrt(2/(i+1)) | glorot_normal N sqrt(6/((i+1)+o))
mxnet:            zeros C 0 | ones C 0 | constant C 0 | uniform U .07/sqrt(3) | normal N .01
                  glorot_uniform U sqrt(3/((i+o)/2))/sqrt(3) | glorot_normal N sqrt(3/((i+o)/2))
                  he_normal N sqrt(2/(1+.25**2)/((i+o)/2))
paddle:           constant C 0 | normal N 1 | uniform U 1/sqrt(3) | truncated_normal T c
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal N sqrt(2/i) | he_uniform U sqrt(2/i)
mindspore:        zeros C 0 | ones C 0 | constant C 0 | normal N .01 | uniform U .07/sqrt(3)
                  truncated_normal T .01*c
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(2/(i+o))
                  he_normal N sqrt(2/i) | he_uniform U sqrt(2/i) | variance_scaling U sqrt(1/i)
caffe:            constant C 0 | normal N 1 | uniform U 1/sqrt(12)
                  glorot_uniform U sqrt(3/i)/sqrt(3) | he_normal N sqrt(2/i)
dl4j:             zeros C 0 | ones C 0 | normal N 1/sqrt(i) | uniform U 1/sqrt(i)/sqrt(3)
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(6/(i+o))/sqrt(3)
                  xavier_legacy N 1/sqrt(i+o) | xavier_fan_in N 1/sqrt(i)
                  he_normal N sqrt(2/i) | he_uniform U sqrt(6/i)/sqrt(3)
                  lecun_normal N 1/sqrt(i) | lecun_uniform U 3/sqrt(i)/sqrt(3)
                  sigmoid_uniform U 4*sqrt(6/(i+o))/sqrt(3)
                  var_scaling_normal_fan_in N 1/sqrt(i) | var_scaling_normal_fan_out N 1/sqrt(o)
                  var_scaling_normal_fan_avg N 1/sqrt((i+o)/2)
                  var_scaling_uniform_fan_in U 3/sqrt(i)/sqrt(3)
                  var_scaling_uniform_fan_out U 3/sqrt(o)/sqrt(3)
                  var_scaling_uniform_fan_avg U 3/sqrt((i+o)/2)/sqrt(3)
flux:             zeros C 0 | ones C 0 | truncated_normal T c | lecun_normal T sqrt(1/i)
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(24/(i+o))/sqrt(12)
                  he_normal N sqrt(2)/sqrt(i) | he_uniform U sqrt(2)*sqrt(3)/sqrt(i)/sqrt(3)
thinc:            zeros C 0 | normal N 0 | uniform U .2/sqrt(12)
                  glorot_normal N sqrt(2/(i+o)) | glorot_uniform U sqrt(6/(i+o))/sqrt(3)
                  he_normal N sqrt(2/i) | he_uniform U sqrt(6/i)/sqrt(3)
                  lecun_normal N sqrt(1/i) | lecun_uniform U sqrt(3/i)/sqrt(3)
timm:             truncated_normal T c | trunc_normal_tf T c
                  variance_scaling N sqrt(1/i) | lecun_normal T sqrt(1/i)
fvcore:           glorot_uniform U sqrt(2/(1+1))*sqrt(3/i)/sqrt(3) | he_normal N sqrt(2/o)
mmengine:         constant C 0 | normal N 1 | uniform U 1/sqrt(12) | truncated_normal T c
                  glorot_normal N sqrt(2/(i+o)) | he_normal N sqrt(2/o) | caffe2_xavier U sqrt(1/i)
"""
KINDS = {"C": Constant, "N": Normal, "U": Uniform, "T": TruncatedNormal}


def by_hand() -> dict[str, tuple[type, float]]:
    found, whose = {}, ""
    for line in HAND.strip().splitlines():
        head, colon, rest = line.partition(":")
        whose = head if colon else whose
        for part in (rest if colon else line).split("|"):
            key, kind, formula = part.split()
            base, less, version = key.partition("<")
            std = eval(formula, {"sqrt": sqrt, "i": 300, "o": 100, "c": 0.87962566103423978})
            found[f"{base}@{whose}{less}{version}"] = (KINDS[kind], std)
    return found


@pytest.mark.parametrize(("name", "wanted"), by_hand().items())
def test_each_row_has_the_formula_of_its_source(name: str, wanted: tuple[type, float]) -> None:
    law = get(name).on((300, 100), "io")
    assert type(law) is wanted[0]
    assert law.std == pytest.approx(wanted[1], rel=1e-12)


def test_no_row_is_without_a_formula_by_hand() -> None:
    single = ("constant", "normal", "uniform", "truncated_normal")
    names = {n for n, e in schemes.items() if e.dialect and e.scheme["distribution"] in single}
    assert names == set(by_hand())


# ------------------------------------------------------------------------------------ the files


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_satisfies_the_schema(path: Path) -> None:
    document = tomllib.loads(path.read_text("utf-8"))
    FILE.validate(document)
    assert "://" not in json.dumps({**document, "reference": None})
    key = next(iter(document["scheme"]))
    document["scheme"][key]["scheme"]["facter"] = 2.0
    with pytest.raises(jsonschema.ValidationError):
        FILE.validate(document)


def test_the_schema_refuses_a_row_without_a_call_or_a_unit_that_is_none() -> None:
    head = {"title": "t", "note": "n", "evidence": "run", "source": "s", "fans": "true"}
    row = {"call": "f", "scheme": {"distribution": "constant"}}
    for wrong in ({"call": None}, {"units": {"gain": "square"}}, {"since": "two"}):
        changed = {key: value for key, value in {**row, **wrong}.items() if value is not None}
        FILE.validate({"dialect": head, "scheme": {"a": row, "a<1.2": row}})
        with pytest.raises(jsonschema.ValidationError):
            FILE.validate({"dialect": head, "scheme": {"a": changed}})
    with pytest.raises(jsonschema.ValidationError):
        FILE.validate({"dialect": head, "scheme": {"a<two": row}})


def test_every_dialect_of_the_field_is_there() -> None:
    assert set(dialects()) == {path.stem for path in FILES}
    wanted = (
        "torch keras tensorflow tf.contrib tf.contrib-docs tfjs jax flax haiku sonnet equinox mlx "
        "tinygrad chainer lasagne neupy berry mxnet paddle mindspore caffe dl4j flux thinc timm "
        "fvcore mmengine recipes"
    )
    assert set(dialects()) >= set(wanted.split())


@pytest.mark.parametrize("whose", sorted(dialects()))
def test_what_scales_says_what_it_counts(whose: str) -> None:
    """An argument of the factor is on the variance, of the gain on the standard deviation."""
    wanted = {"factor": {"variance"}, "gain": {"std", "limit"}, "std": {"std"}, "limit": {"limit"}}
    wanted |= {"low": {"limit"}, "high": {"limit"}}
    for entry in rows(whose):
        for word, argument in entry.arguments.items():
            unit = wanted.get((argument.number or argument).field)
            if unit is not None:
                said = entry.units.get(word)
                odd = entry.name in ("normal@thinc",)  # a mean that is taken for a deviation
                assert odd or said in unit, (entry.name, word, said)
        assert set(entry.units) <= set(entry.arguments), entry.name


@pytest.mark.parametrize("whose", sorted(dialects()))
def test_rows_say_where_they_come_from(whose: str) -> None:
    for entry in rows(whose):
        assert entry.call or entry.title, entry.name
        assert entry.evidence in ("run", "read"), entry.name
        assert entry.source, entry.name
        assert get(entry.name).name == entry.name


@pytest.mark.parametrize("whose", sorted(dialects()))
def test_every_value_of_every_argument_makes_a_scheme(whose: str) -> None:
    numbers = {"groups": 2, "low": -9.0, "high": 9.0, "mode": "FAN_OUT"}
    for entry in rows(whose):
        for word, argument in entry.arguments.items():
            if argument.field:
                value = numbers.get(argument.field.rpartition(".")[2], 0.75)
                leaky = "nonlinearity" in entry.arguments and argument.field == "slope"
                others = {"nonlinearity": "leaky_relu"} if leaky else {}
                changed = entry.make(**{word: value}, **others)
                assert changed != entry.make(**others), (entry.name, word)
            else:
                for value in argument.choices:
                    assert entry.make(**{word: value.upper()}).formula, (entry.name, value)


@pytest.mark.parametrize("whose", sorted(dialects()))
def test_no_two_rows_answer_to_one_call(whose: str) -> None:
    """Without a version, a call without arguments is the newest row that has it."""
    newest = [readings(base, whose)[0] for base in {entry.base for entry in rows(whose)}]
    for entry in newest:
        if entry.call and "(" not in entry.call:
            assert from_call(whose, entry.call.rpartition(".")[2]).name == entry.name
        assert from_call(whose, entry.base).name == entry.name or whose in ("dl4j", "tf.contrib")
    calls = [entry.call for entry in newest if entry.call]
    assert len(calls) == len(set(calls))


# -------------------------------------------------------------------------------------- versions


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("trunc_normal@torch", "truncated_normal@torch"),
        ("trunc_normal@torch<2.12", "truncated_normal@torch<2.12"),
        ("trunc_normal@torch<=2.11", "truncated_normal@torch<2.12"),
        ("trunc_normal@torch<=2.12", "truncated_normal@torch"),
        ("trunc_normal@torch==2.9", "truncated_normal@torch<2.12"),  # nine is before twelve
        ("trunc_normal@torch==2.12.0", "truncated_normal@torch"),
        ("trunc_normal@torch>=2.12", "truncated_normal@torch"),
        ("trunc_normal@torch>=2.3", "truncated_normal@torch"),  # the newest of the range
        ("trunc_normal@torch>99", "truncated_normal@torch"),
        ("he_normal@keras", "he_normal@keras"),
        ("he_normal@keras<3.15", "he_normal@keras<3.15"),
        ("he_normal@keras==3.0", "he_normal@keras<3.15"),
        ("he_normal@keras==2.2", "he_normal@keras<3.15"),
        ("he_normal@keras==2.1.6", "he_normal@keras<2.2"),
        ("he_normal@keras<2.2", "he_normal@keras<2.2"),
        ("he_uniform@keras==1.0", "he_uniform@keras<3.15"),
        ("glorot_normal@tensorflow==1.9", "glorot_normal@tensorflow<1.10"),
        ("glorot_normal@tensorflow==1.10", "glorot_normal@tensorflow"),
        ("normal@tensorflow<2", "normal@tensorflow<2.0"),
        ("uniform_unit_scaling@tensorflow", "uniform_unit_scaling@tensorflow<2.0"),
        ("xavier@tf.contrib-docs==1.2", "xavier@tf.contrib-docs<1.3"),
    ],
)
def test_a_version_picks_its_row(asked: str, found: str) -> None:
    assert get(asked).name == schemes[asked].name == found
    assert asked in schemes


def test_what_changed_between_versions() -> None:
    shape = (512, 8, 64)
    now, before = get("glorot_uniform@keras"), get("glorot_uniform@keras<3.15")
    assert now.on(shape, "ino").variance == pytest.approx(2 / 1024)
    assert before.on(shape, "ino").variance == pytest.approx(2 / (512 * 8 + 512 * 64))
    old = get("xavier@tf.contrib-docs<1.3", uniform=False).on((300, 100))
    new = get("xavier@tf.contrib-docs", uniform=False).on((300, 100))
    assert old.variance / new.variance == pytest.approx(1.5)
    assert get("normal@tensorflow<2", 0.0, 0.02).on((3,)) == Normal(0.0, 0.02)
    assert schemes["he_normal@keras<2.2"].since is None
    assert schemes["he_normal@keras<3.15"].since == "2.2"


def test_versions_compare_by_number() -> None:
    assert number("2.9") < number("2.10") < number("2.10.1")
    assert number("2") == number("2.0.0")
    for relation, admitted in {"<": "1.9", "<=": "2", "==": "2", ">=": "2", ">": "2"}.items():
        name = Name("he_normal", "keras", relation, admitted)
        assert name.admits("2.0", "3.0") == (relation != "<"), relation
    assert not Name("a", "b", "==", "3").admits("2", "3")  # before 3, and not 3
    assert not Name("a", "b", ">=", "3").admits("2", "3")
    assert str(Name.parse("a.b-c@d.e<=1.2")) == "a.b-c@d.e<=1.2"


BAD = [
    ("he_normal@torc", UnknownName, "unknown dialect 'torc': did you mean 'torch'"),
    ("he_norml@torch", UnknownName, "unknown scheme 'he_norml@torch': did you mean 'he_normal@tor"),
    ("he_normal@torch=2.9", SpecError, "cannot read the version in 'he_normal@torch=2.9': write"),
    ("he_normal@torch<two", SpecError, "numbers after one of <, <=, ==, >= and >"),
    ("he_normal@torch~2", SpecError, "cannot read the version"),
    ("he_normal<2.0", SpecError, "cannot read 'he_normal<2.0'"),
    ("he_normal@", SpecError, "cannot read 'he_normal@'"),
    ("orthogonal@caffe", UnknownName, "unknown scheme 'orthogonal@caffe'"),
    (
        "uniform_unit_scaling@tensorflow>=2",
        SpecError,
        "holds for a version >=2: it is known before 2.0. "
        "The nearest is 'uniform_unit_scaling@tensorflow<2.0'",
    ),
    ("he_normal@torch(b=1)", UnknownName, "argument of he_normal@torch 'b'"),
    ("glorot_uniform@mxnet(factor_type='all')", UnknownName, "unknown factor_type 'all'"),
    ("glorot_uniform@mxnet(magnitude='3 m')", SpecError, "magnitude is a number, not '3 m'"),
    ("uniform@mxnet(scale=True)", SpecError, "scale is a number, not True"),
]


@pytest.mark.parametrize(("name", "error", "sentence"), BAD)
def test_bad_names(name: str, error: type[InitSpecError], sentence: str) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        get(name)
    assert name not in schemes


# ------------------------------------------------------------------------------- arguments, calls


@pytest.mark.parametrize(
    ("call", "variance"),
    [
        ("glorot_uniform@mxnet(magnitude=2.24)", 2.24 / 3 / 200),
        ("glorot_uniform@mxnet(magnitude=2.24, rnd_type='gaussian')", 2.24 / 200),
        ("glorot_uniform@mxnet('gaussian', 'in', 2)", 2 / 300),
        ("xavier@mxnet(factor_type='out')", 1 / 100),
        ("msra@mxnet(slope=0.0, factor_type='in')", 2 / 300),
        ("he_normal@lasagne(gain='relu')", 2 / 300),
        ("he_normal@lasagne(gain=3.0)", 9 / 300),
        ("he_normal@mlx(mode='fan_out', gain=1.5)", 2.25 / 100),
        ("he_normal@flux(gain=1.0)", 1 / 300),
        ("he_normal@chainer(scale=0.5, fan_option='fan_out')", 0.25 * 2 / 100),
        ("uniform@chainer(scale=0.3)", 0.3**2 / 3),
        ("uniform@jax(scale=0.3)", 0.3**2 / 12),
        ("uniform_scaling@haiku(scale=2.0)", 4 / 300),
        ("uniform_unit_scaling@tensorflow(factor=2.0)", 4 / 300),
        ("variance_scaling@mindspore(scale=2.0, distribution='truncated_normal')", 2 / 300),
        ("variance_scaling@timm(scale=2.0, mode='fan_avg', distribution='uniform')", 2 / 200),
        ("xavier@caffe(variance_norm='AVERAGE')", 1 / 200),
        ("he_normal@paddle(nonlinearity='leaky_relu')", 2 / 300),
        ("he_normal@paddle(negative_slope=0.5, nonlinearity='leaky_relu')", 2 / 1.25 / 300),
        ("he_normal@paddle(mode='fan_out')", 2 / 100),
        ("he_uniform@paddle(mode='fan_out', negative_slope=0.5, nonlinearity='leaky_relu')", 0.016),
        ("he_normal@mindspore(nonlinearity='tanh', mode='fan_out')", 25 / 9 / 100),
        ("kaiming@mmengine(distribution='uniform', mode='fan_in')", 2 / 300),
        ("he_normal@neupy(gain=2.0)", 2 / 300),
        ("normal@thinc(mean=0.1)", 0.01),
        ("kaiming_normal@torch(nonlinearity='selu', a=0.3)", 9 / 16 / 300),  # a counts no more
        ("kaiming_normal@torch(a=0.3, nonlinearity='conv2d')", 1 / 300),
    ],
)
def test_arguments_are_those_of_the_framework(call: str, variance: float) -> None:
    assert get(call).on((300, 100), "io").variance == pytest.approx(variance, rel=1e-12)


def test_the_order_of_words_does_not_matter() -> None:
    first = get("glorot_uniform@mxnet", magnitude=2.0, rnd_type="gaussian")
    assert first == get("glorot_uniform@mxnet", rnd_type="gaussian", magnitude=2.0)


@pytest.mark.parametrize(
    ("whose", "call", "name"),
    [
        ("neupy", "XavierNormal", "glorot_normal@neupy"),
        ("mxnet", "Xavier", "glorot_uniform@mxnet"),
        ("mxnet", "MSRAPrelu", "he_normal@mxnet"),
        ("caffe", "xavier", "glorot_uniform@caffe"),
        ("dl4j", "VAR_SCALING_UNIFORM_FAN_AVG", "var_scaling_uniform_fan_avg@dl4j"),
        ("dl4j", "XAVIER", "glorot_normal@dl4j"),
        ("dl4j", "RELU", "he_normal@dl4j"),
        ("flux", "kaiming_uniform", "he_uniform@flux"),
        ("thinc", "normal_init", "normal@thinc"),
        ("paddle", "KaimingUniform", "he_uniform@paddle"),
        ("tensorflow", "glorot_uniform", "glorot_uniform@tensorflow"),
        ("tf.contrib", "xavier_initializer", "xavier@tf.contrib"),
        ("tf.contrib", "xavier_initializer_conv2d", "xavier_conv2d@tf.contrib"),
        ("timm", "trunc_normal_tf_", "trunc_normal_tf@timm"),
        ("fvcore", "c2_msra_fill", "he_normal@fvcore"),
        ("flax", "zeros_init", "zeros@flax"),
        ("flax", "kaiming_normal", "he_normal@flax"),
        ("tinygrad", "kaiming_normal", "he_normal@tinygrad"),
        ("lasagne", "HeUniform", "he_uniform@lasagne"),
        ("flux", "sparse_init", "sparse@flux"),
        ("mindspore", "Sparse", "sparse@mindspore"),
        ("torch", "sparse_", "sparse@torch"),
    ],
)
def test_a_call_is_known_by_the_frameworks_own_name(whose: str, call: str, name: str) -> None:
    assert from_call(whose, call).name == name


@pytest.mark.parametrize(
    ("whose", "name", "arguments", "error", "sentence"),
    [
        ("mxnt", "Xavier", {}, UnknownName, "unknown dialect 'mxnt': did you mean 'mxnet'"),
        ("mxnet", "Xavir", {}, UnknownName, "initializer of mxnet 'Xavir': did you mean 'Xavier'"),
        ("mxnet", "Xavier", {"gain": 2}, UnknownName, "argument of mx.init.Xavier 'gain': known: "),
        ("mxnet", "LSTMBias", {}, SpecError, "'LSTMBias' of mxnet is no scheme: it is a bias"),
        ("paddle", "XavierNormal", {"fan_in": 3}, SpecError, "fan_in=3 says which axes count"),
        ("haiku", "Orthogonal", {"axis": 0}, SpecError, "axis=0 says which axes count as what"),
        ("mlx", "normal", {"dtype": "complex64"}, SpecError, "complex types have none"),
    ],
)
def test_bad_calls(
    whose: str, name: str, arguments: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=re.escape(sentence)):
        from_call(whose, name, **arguments)


def test_an_argument_may_have_the_name_of_one_of_ours() -> None:
    assert from_call("paddle", "KaimingNormal", name="a", mode="fan_in") == get("he_normal@paddle")
    for call, given in (
        (initspec.from_torch, "normal_"),
        (initspec.from_jax, "normal"),
        (partial(from_call, "mxnet"), "Xavier"),
    ):
        for word in ("name", "function", "factory", "dialect"):
            with pytest.raises(UnknownName, match=f"unknown argument of .* '{word}': "):
                call(given, **{word: "x"})
    assert initspec.from_torch("normal_", std=0.5, generator=None).std == 0.5


def test_tf_contrib_by_its_arguments() -> None:
    scheme = initspec.from_tf_contrib(factor=1.0, mode="fan_avg", uniform=True)
    assert scheme == get("glorot@tf.contrib")
    assert initspec.from_tf_contrib() == get("msra@tf.contrib")


def test_a_dialect_is_read_when_it_is_asked_for() -> None:
    code = """
from initspec import from_call, get
from initspec.readings import books, registry
read = []
real = books.tomllib.loads
books.tomllib.loads = lambda text: read.append(text) or real(text)
get("he_normal"), get("he_normal"); print(len(read))
get("kaiming_normal@torch"), from_call("torch", "kaiming_normal_"); print(len(read))
len(registry.schemes); print(len(read) == 1 + len(registry.dialects()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "2", "True"]


def test_a_dialect_says_what_it_is() -> None:
    assert dialect("neupy")["evidence"] == "read"
    assert dialect("flax")["axes"] == dialect("jax")["axes"]  # from the dialect that it extends
    assert schemes["he_normal@flax"].call == "jax.nn.initializers.he_normal"
    assert schemes["zeros@flax"].call == "flax.linen.initializers.zeros_init"
