"""The JSON Schema of plans: every recipe is one, and it knows the keys that are read."""

import json
from dataclasses import fields
from importlib.resources import files
from typing import Any

import pytest

import initspec
from initspec import Rename, Rule, Tie
from initspec.plans.recipes import names
from initspec.plans.writing import to_dict

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = json.loads(files("initspec").joinpath("plans", "plan.schema.json").read_text("utf-8"))


@pytest.mark.parametrize("name", names())
def test_every_recipe_is_a_plan(name: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(to_dict(initspec.plan(name)))


@pytest.mark.parametrize(("part", "kind"), [("rule", Rule), ("tie", Tie), ("name", Rename)])
def test_it_has_the_keys_that_are_read(part: str, kind: type) -> None:
    assert set(SCHEMA["$defs"][part]["properties"]) == {field.name for field in fields(kind)}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"plan": "p", "rules": []},
        {"plan": "p", "rule": [{"match": "x"}]},
        {"plan": "p", "rule": [{"match": "x", "law": "ones", "given": "y"}]},
        {"plan": "p", "rule": [{"match": 7, "law": "ones"}]},
        {"plan": "p", "tie": [{"same": ["x"]}]},
        {"plan": "p", "name": [{"here": "x"}]},
    ],
)
def test_it_refuses_what_is_refused(wrong: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(wrong)
    with pytest.raises(initspec.InitSpecError):
        initspec.plan(wrong)
