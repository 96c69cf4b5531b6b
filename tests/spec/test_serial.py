"""Schemes saved and read again."""

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import initspec
from initspec import Scheme, SpecError, Truncation, UnknownName, dumps, get, load, loads, save
from initspec.spec.fan_rules import MODES, RULES
from initspec.spec.gain import NONLINEARITIES
from initspec.spec.values import Values

HERE = Path(initspec.__file__).parent / "readings"
SCHEMA = json.loads((HERE / "schemes.schema.json").read_text("utf-8"))
DOCUMENT = jsonschema.Draft202012Validator({"$ref": "#/$defs/document", "$defs": SCHEMA["$defs"]})

positive = st.floats(0, 1e6)
finite = st.floats(allow_nan=False, allow_infinity=False)
scale = st.one_of(
    st.fixed_dictionaries({"std": positive}),
    st.fixed_dictionaries(
        {"mode": st.sampled_from(MODES)},
        optional={
            "factor": positive,
            "gain": positive,
            "nonlinearity": st.sampled_from(NONLINEARITIES),
            "bias_unit": st.booleans(),
            "fans": st.sampled_from(list(RULES)),
        },
    ),
)
bounds = st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)).filter(
    lambda b: b[0] < b[1]
)
truncation = st.builds(
    lambda b, unit, variance: Truncation(b[0], b[1], unit, variance),
    bounds,
    st.sampled_from(["parent", "result", "absolute"]),
    st.sampled_from(["corrected", "uncorrected", 1.3]),
)
array = st.lists(st.lists(finite, min_size=2, max_size=2), max_size=3).map(Values.of)
names = st.none() | st.text(min_size=1)
any_scheme = st.one_of(
    st.builds(
        lambda s, m, n: Scheme(distribution="normal", mean=m, name=n, **s), scale, finite, names
    ),
    st.builds(lambda s, n: Scheme(distribution="uniform", name=n, **s), scale, names),
    st.builds(
        lambda s, t: Scheme(distribution="truncated_normal", truncation=t, **s), scale, truncation
    ),
    st.builds(lambda v: Scheme(distribution="constant", value=v), finite),
    st.builds(lambda a: Scheme(distribution="array", array=a), array),
    st.builds(
        lambda p, s, side: Scheme(distribution="sparse", sparsity=p, std=s, zeros_per=side),
        st.floats(0, 1),
        positive,
        st.sampled_from(["out", "in"]),
    ),
    st.builds(lambda g: Scheme(distribution="dirac", groups=g), st.integers(1, 9)),
    st.sampled_from(list(initspec.schemes)).map(get),
)


@given(any_scheme, st.sampled_from(["toml", "json"]))
def test_round_trip(scheme: Scheme, format: str) -> None:
    text = dumps(scheme, format)
    again = loads(text, format)
    assert again == scheme
    assert again.name == scheme.name
    data = json.loads(text) if format == "json" else tomllib.loads(text)
    if format == "json":
        DOCUMENT.validate(data)


def test_files(tmp_path: Path) -> None:
    for name in ("he.toml", "he.json"):
        save(get("he_normal"), tmp_path / name)
        assert load(tmp_path / name) == get("he_normal")
    with pytest.raises(UnknownName, match="unknown format 'yaml'"):
        save(get("he_normal"), tmp_path / "he.yaml")
    assert not (tmp_path / "he.yaml").exists()


def test_the_registry_satisfies_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    document = tomllib.loads((HERE / "schemes.toml").read_text("utf-8"))
    validator.validate(document)
    document["scheme"]["he_normal"]["scheme"]["facter"] = 2.0
    with pytest.raises(jsonschema.ValidationError, match="facter"):
        validator.validate(document)


def test_the_schema_knows_every_field() -> None:
    from dataclasses import fields

    known = set(SCHEMA["$defs"]["fields"]["properties"])
    assert known == {item.name for item in fields(Scheme)} - {"name", "custom"}
    known = set(SCHEMA["$defs"]["truncation"]["properties"])
    assert known == {item.name for item in fields(Truncation)}
    assert set(SCHEMA["$defs"]["fields"]["properties"]["fans"]["enum"]) == set(RULES)


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        (
            "distribution = 'normal'\nstdd = 1.0",
            UnknownName,
            "unknown key 'stdd': did you mean 'std'",
        ),
        ("std = 1.0", SpecError, "needs the key 'distribution'"),
        (
            "spec = 2\ndistribution = 'constant'",
            SpecError,
            "format 2; this initspec reads format 1",
        ),
        ("distribution =", SpecError, "this is not TOML"),
        (
            "distribution = 'truncated_normal'\nstd = 1.0\ntruncation = { lo = -1 }",
            UnknownName,
            "unknown key of truncation 'lo': did you mean 'low'",
        ),
        (
            "distribution = 'truncated_normal'\nstd = 1.0\ntruncation = 2",
            SpecError,
            "truncation is a table",
        ),
        (
            "distribution = 'truncated_normal'\nstd = 1.0\ntruncation = { low = 'a b' }",
            SpecError,
            "truncation's low is a number, not 'a b'",
        ),
    ],
)
def test_bad_documents(text: str, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        loads(text)


def test_bad_json() -> None:
    for text, sentence in (("[1]", "a table of fields"), ("{", "this is not JSON")):
        with pytest.raises(SpecError, match=sentence):
            loads(text, "json")


def test_code_is_not_data() -> None:
    def law(shape: tuple[int, ...]) -> Any:
        return [[0.0] * shape[1]] * shape[0]

    with pytest.raises(SpecError, match="is code and cannot be saved as data"):
        dumps(get(law))


def test_infinite_bounds_are_words_in_json() -> None:
    scheme = get("truncated_normal", low=0.0, high=math.inf)
    assert json.loads(dumps(scheme, "json"))["truncation"]["high"] == "inf"
