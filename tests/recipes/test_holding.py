"""What holds an original against a recipe sees what is wrong, and lets pass what is right."""

from __future__ import annotations

import numpy as np
import pytest

import initspec
from recipes.evidence import read_shapes
from recipes.holding import Drawn, hold

DEPTH = "sqrt(2 * n_layer)"


def changed(plan, old, new):
    """The plan with another text in its laws."""
    from initspec.plans.reading import from_dict
    from initspec.plans.writing import to_dict

    data = to_dict(plan)
    assert any(old in rule["law"] for rule in data["rule"])
    for rule in data["rule"]:
        rule["law"] = rule["law"].replace(old, new)
    return from_dict(data)


@pytest.fixture(scope="module")
def model():
    """A GPT-2 as its recipe says."""
    plan = initspec.plan("gpt2")
    parameters, symbols = read_shapes("gpt2")
    rng = np.random.default_rng(1)
    values = {}
    for row in plan.on({one.path: one.shape for one in parameters}, **symbols):
        draw = rng.normal(row.law.mean, row.law.std, row.parameter.shape)
        values[row.parameter.path] = draw.astype(np.float32)
    return Drawn(parameters, values)


def test_what_is_right_passes(model):
    verdict = hold(initspec.plan("gpt2"), model, {})
    assert not verdict.refused
    assert not verdict.blunt


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        pytest.param(f" / {DEPTH}", "", "c_proj", id="the depth is left out"),
        pytest.param(DEPTH, "sqrt(n_layer)", "c_proj", id="one addition a layer"),
        pytest.param("std=0.02)", "std=0.01)", "wpe", id="another std"),
        pytest.param("ones", "zeros", "ln_f", id="another constant"),
        pytest.param("normal(std=0.02)", "uniform(low=-0.0346, high=0.0346)", "wte", id="uniform"),
    ],
)
def test_what_is_wrong_is_seen(model, old, new, seen):
    refused = hold(changed(initspec.plan("gpt2"), old, new), model, {}).refused
    assert any(seen in result.of for result in refused)


def test_one_value_that_is_not_as_the_rest_is_seen(model):
    for name, value in (("h.0.ln_1.bias", 1e-30), ("h.1.attn.c_attn.weight", np.nan)):
        values = {key: np.array(x) for key, x in model.values.items()}
        path = next(one.path for one in model.parameters if one.path.endswith(name))
        values[path].reshape(-1)[3] = value
        (result, *_) = hold(initspec.plan("gpt2"), Drawn(model.parameters, values), {}).refused
        assert result.of == name
