"""The cases: data that keeps to its schema, is fresh, and that the spec agrees with."""

import json
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("scipy")
jsonschema = pytest.importorskip("jsonschema")

from initspec import conformance
from initspec.conformance.cases import files, generate
from initspec.conformance.cases.files import KINDS, Case, read, read_all
from initspec.conformance.cases.run import problem
from initspec.readings.registry import schemes
from initspec.spec.layout import layers

HERE = Path(__file__).parents[1]
SCHEMA = json.loads((files.FOLDER / files.SCHEMA).read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def document(kind):
    return json.loads((files.FOLDER / f"{kind}.json").read_text("utf-8"))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("kind", KINDS)
def test_files_keep_to_the_schema(kind):
    assert [error.message for error in VALIDATOR.iter_errors(document(kind))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_refuses_what_it_should(kind):
    data = document(kind)
    del data["cases"][0]["description"]
    data["cases"][1]["surplus"] = 1
    messages = " ".join(error.message for error in VALIDATOR.iter_errors(data))
    assert "'description' is a required property" in messages
    assert "'surplus' was unexpected" in messages


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique(kind):
    assert [name for name, n in Counter(case.id for case in read(kind)).items() if n > 1] == []


def test_no_generated_file_is_stale():
    assert generate.stale() == []


def test_a_stale_file_is_found(monkeypatch, capsys):
    real = generate.generated
    monkeypatch.setattr(generate, "generated", lambda kind: real(kind)[1:])
    assert generate.main(["--check"]) == 1
    assert "spec.json" in capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_the_spec_agrees_with_every_case(kind):
    wrong = {case.id: problem(case) for case in read(kind)}
    assert {name: found for name, found in wrong.items() if found} == {}


PLANTED = {
    "spec": lambda body: body["expect"].update(std="0x1.0p+0"),
    "layer": lambda body: body["true"].update(fan_in=13),
    "known_answer": lambda body: body["answer"].update(out=["00000000", "00000000"]),
    "adversarial": lambda body: body["integers"].reverse(),
    "negative": lambda body: body.update(says="something else"),
    "duplicate": lambda body: body.update(equal=not body["equal"]),
    "mutant": lambda body: body.update(claim="zeros"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_case_is_found(kind):
    case = read(kind)[0]
    body = json.loads(json.dumps(dict(case.body)))
    PLANTED[kind](body)
    assert problem(Case(kind, case.id, case.description, body))


def test_a_negative_case_that_is_right_is_found():
    body = {"scheme": "he_normal", "shape": [8, 8], "error": "SpecError", "says": "anything"}
    assert problem(Case("negative", "right", "nothing wrong", body)).startswith("raises nothing")


def test_every_scheme_and_layer_has_a_case():
    wanted = {*schemes, *generate.ARGUED, "array"}
    assert {case.id.split("/")[0] for case in read("spec")} == wanted
    assert {case.id.split("/")[0] for case in read("layer")} == set(layers())


def test_the_known_answers_are_those_of_the_definition():
    data = json.loads((HERE / "data" / "known_answers.json").read_text("utf-8"))
    wanted = []
    for value in data.values():
        if isinstance(value, list):
            wanted += value
        elif isinstance(value, dict):
            wanted.append(value)
    found = [case.body["answer"] for case in read("known_answer")]
    assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, wanted))


def test_all_cases_are_read():
    found = Counter(case.kind for case in conformance.cases())
    assert set(found) == set(KINDS)
    assert sum(found.values()) == len(read_all())


def test_usage_is_shown(capsys):
    assert generate.main([]) == 2
    assert "--write" in capsys.readouterr().out
