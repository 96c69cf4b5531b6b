"""Every recipe that comes with initspec: whole, proven, and alive on the model that it is of."""

from __future__ import annotations

import pytest

import initspec
from initspec.plans.reading import loads
from initspec.plans.recipes import FOLDER, names
from initspec.plans.resolve import resolved
from initspec.plans.writing import dumps
from recipes import evidence

RECIPES = names()
EVIDENCE = evidence.read_evidence()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_whole(name):
    plan = initspec.plan(name)
    assert plan.name == name
    assert plan.title, "a recipe has a title"
    assert plan.source, "a recipe says where it is from"


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("format", ["toml", "json"])
def test_a_recipe_goes_round(name, format):
    plan = initspec.plan(name)
    text = dumps(plan, format)
    assert loads(text, format, find=initspec.plan) == plan


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_proven_as_it_is(name):
    assert name in EVIDENCE, "run tests/scripts/recipes.py"
    assert EVIDENCE[name]["digest"] == evidence.digest(initspec.plan(name)), (
        f"{name} is not as it was proven: run tests/scripts/recipes.py {name}"
    )


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_covers_its_original(name):
    parameters, symbols = evidence.read_shapes(name)
    ledger = resolved(initspec.plan(name), parameters, symbols)
    assert len(ledger) == EVIDENCE[name]["tensors"]


def test_evidence_and_shapes_are_of_recipes_that_exist():
    assert sorted(EVIDENCE) == sorted(RECIPES)
    files = {path.stem.replace("__", "/") for path in evidence.SHAPES.glob("*.json")}
    assert files == set(RECIPES)
    assert len(list(FOLDER.glob("*.toml"))) == len(RECIPES)


@pytest.mark.parametrize("name", sorted(EVIDENCE))
def test_what_was_run_was_within_the_limit(name):
    found = EVIDENCE[name]
    if found["how"] == "run":
        assert found["smallest_p"] >= found["limit"]
        assert found["tests"] >= found["tensors"]
