"""Plans: what they may say, what each parameter gets, and every way in which one is wrong."""

import math
import pickle
from typing import Any

import pytest

import initspec
from initspec import InitSpecError, LayoutError, Plan, Rename, Rule, SpecError, Tie, UnknownName
from initspec.plans.compare import compared
from initspec.plans.one_line import initialise
from initspec.plans.reading import from_dict, loads
from initspec.plans.writing import dumps, to_dict

SHAPES = {f"h.{i}.{leaf}": (4, 8) for i in range(3) for leaf in ("up.weight", "down.weight")}
SHAPES |= {"norm.weight": (8,), "norm.bias": (8,)}


def plan(*rules: dict[str, Any], **fields: Any) -> Plan:
    return initspec.plan({"plan": "p", "rule": list(rules), **fields})


ALL = {"match": "**", "law": "zeros", "optional": True}

# ------------------------------------------------------------------------------------- what it says


def test_the_first_rule_wins_and_numbers_are_expressions() -> None:
    made = plan(
        {"match": "h.{layer}.down.weight", "law": "normal(std=base / sqrt(2 * (layer + 1)))"},
        {"match": "h.**", "law": "normal(std=base)"},
        {"match": "norm.weight", "law": "ones"},
        {"param": "bias", "law": "constant(value=n0 + n_layer)"},
        symbols={"n_layer": "count(layer)", "base": 0.5},
        let={"unused": "base ^ 2"},
    )
    ledger = made.on(SHAPES)
    assert [row.number for row in ledger] == [2, 1, 2, 1, 2, 1, 3, 4]
    assert ledger["h.2.down.weight"].law.std == 0.5 / math.sqrt(6)
    assert ledger["h.2.down.weight"].names == {"base": 0.5, "layer": 2.0}
    assert ledger["norm.bias"].law.mean == 11.0
    assert made.on(SHAPES, base=1)["h.0.up.weight"].law.std == 1.0
    assert ledger.symbols == {"n_layer": 3.0, "base": 0.5}


def test_fans_are_those_of_the_rules_layout_or_of_a_sibling() -> None:
    made = plan(
        {"match": "a.weight", "law": "he_normal", "layout": "oi"},
        {"match": "a.bias", "law": "uniform(low=-1/sqrt(fan_in), high=1/sqrt(fan_in))"}
        | {"fans_of": "weight"},
    )
    ledger = made.on({"a.weight": (4, 16), "a.bias": (4,)})
    assert ledger["a.weight"].fans == (16, 4)
    assert ledger["a.bias"].law.support == (-0.25, 0.25)


def test_the_fans_of_a_sibling_are_those_of_its_own_rules_layout() -> None:
    made = plan(
        {"match": "a.kernel", "law": "ones", "layout": "hio"},
        {"match": "a.bias", "law": "he_uniform", "fans_of": "kernel"},
    )
    ledger = made.on({"a.kernel": (3, 8, 16), "a.bias": (16,)})
    assert ledger["a.bias"].fans == (24, 48)


def test_fans_of_an_unknown_order_are_refused() -> None:
    made = plan({"match": "**", "law": "he_normal"})
    with pytest.raises(LayoutError, match="no table knows its layer"):
        made.on({"conv": (3, 4, 5)})
    assert made.on({"kernel": (4, 5)})["kernel"].fans == (4, 5)
    assert made.on({"weight": (4, 5)})["weight"].fans == (5, 4)  # PyTorch's name


def test_conditions_choose_among_rules() -> None:
    made = plan(
        {"match": "h.{layer}.**", "when": "layer % 2 == 1 and layer < top", "law": "ones"},
        {"match": "**", "law": "zeros"},
        symbols={"top": 5},
    )
    assert made.on(SHAPES)["h.1.up.weight"].law.mean == 1
    assert made.on(SHAPES)["h.2.up.weight"].law.mean == 0
    with pytest.raises(SpecError, match="selects nothing"):
        made.on(SHAPES, top=0)


def test_what_others_fill_is_in_the_ledger_and_not_drawn() -> None:
    made = plan({"match": "norm.*", "given": "copied from the teacher"}, ALL)
    row = made.on(SHAPES)["norm.weight"]
    assert (row.law, row.words) == (None, "given: copied from the teacher")
    assert made.on(SHAPES).size == 6 * 32


def test_extends_puts_the_own_rules_first() -> None:
    base = plan({"match": "**.weight", "law": "ones"}, {"param": "bias", "law": "zeros"})
    made = Plan(name="q", extends=base, rules=(Rule(match="norm.weight", law="zeros"),))
    assert [row.law.mean for row in made.on(SHAPES)] == [1] * 6 + [0, 0]


def test_it_is_a_value() -> None:
    made = initspec.plan("gpt2")
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(initspec.plan("gpt2"))
    for format in ("toml", "json"):
        assert loads(dumps(made, format), format) == made
    assert from_dict(to_dict(made)) == made


# ----------------------------------------------------------------------------------- what is wrong

WRONG_PLANS = [
    ({}, "needs its name"),
    ({"plan": "p", "rules": []}, "unknown key"),
    ({"plan": "p", "format": 9}, "format 9"),
    ({"plan": "p", "rule": {"match": "x"}}, "list of tables"),
    ({"plan": "p", "rule": [7]}, "rule 1"),
    ({"plan": "p", "rule": [{"match": "x"}]}, "rule 1: it gives law or given, and neither"),
    ({"plan": "p", "rule": [{"match": "x", "law": "ones", "given": "y"}]}, "both"),
    ({"plan": "p", "rule": [{"law": "ones"}]}, "selects by nothing"),
    ({"plan": "p", "rule": [{"match": "x", "low": "ones"}]}, "unknown key of this plan, rule 1"),
    ({"plan": "p", "rule": [{"match": 7, "law": "ones"}]}, "match is a text"),
    ({"plan": "p", "rule": [{"match": "x", "law": "normal(std=)"}]}, "cannot read"),
    ({"plan": "p", "rule": [{"match": "x", "law": "normal(std=a)"}]}, "nothing binds 'a'"),
    ({"plan": "p", "rule": [{"match": "x", "law": "normal(std=__import__('os'))"}]}, "std|law"),
    ({"plan": "p", "rule": [{"match": "x", "law": "normal(std=a.b)"}]}, "law"),
    ({"plan": "p", "rule": [{"match": "x", "law": "ones", "when": "1"}]}, "condition"),
    ({"plan": "p", "rule": [{"match": "x", "law": "ones", "when": "a > 1"}]}, "nothing binds 'a'"),
    ({"plan": "p", "rule": [{"match": "x", "law": "ones", "optional": "yes"}]}, "true or false"),
    ({"plan": "p", "rule": [{"match": "x", "law": "ones", "ndim": True}]}, "whole number"),
    ({"plan": "p", "symbols": {"fan_in": 3}}, "taken"),
    ({"plan": "p", "symbols": {"sqrt": 3}}, "taken"),
    ({"plan": "p", "symbols": {"n0": 3}}, "taken"),
    ({"plan": "p", "symbols": {"seed": 3}}, "argument of plans"),
    ({"plan": "p", "symbols": {"a b": 3}}, "no name"),
    ({"plan": "p", "symbols": {"a": [3]}}, "number"),
    ({"plan": "p", "symbols": {"a": 1}, "let": {"a": 2}}, "both"),
    ({"plan": "p", "let": {"a": "1 +"}}, "let.a"),
    (
        {"plan": "p", "symbols": {"l": 1}, "rule": [{"match": "{l}", "law": "ones"}]},
        "a capture of a rule",
    ),
    ({"plan": "p", "tie": [{"same": "x"}]}, "two names"),
    ({"plan": "p", "tie": [{}]}, "needs the key 'same'"),
    ({"plan": "p", "name": [{"here": "x", "to": "{layer}"}]}, "does not capture"),
    ({"plan": "p", "name": [{"here": "x", "to": ["a", "b"]}]}, "axis"),
    ({"plan": "p", "name": [{"here": "x", "to": ["a"], "axis": 0, "sizes": [1, 2]}]}, "sizes"),
    ({"plan": "p", "name": [{"here": "x", "to": ["a"], "axis": 0, "sizes": ["1"]}]}, "sizes"),
    ({"plan": "p", "name": [{"here": "x", "to": ["a"], "axis": 0, "sizes": 7}]}, "sizes"),
    ({"plan": "p", "name": [{"here": "x", "to": ["a"], "axis": "0"}]}, "axis is a whole"),
    ({"plan": "p", "name": [{"here": "x", "to": [], "axis": 0}]}, "empty"),
    ({"plan": "p", "name": [{"here": ["x"], "to": "a"}]}, "a name is a text"),
    ({"plan": "p", "name": [{"here": "x", "to": None}]}, "a name is a text"),
    ({"plan": "p", "name": [{"here": "x", "to": "a", "layout": 7}]}, "layout is a text"),
    ({"plan": "p", "name": [{"here": "{i}", "to": "a", "axis": 0, "each": [1]}]}, "each is a text"),
    ({"plan": "p", "tie": [{"same": 7}]}, "two names"),
    ({"plan": "p", "tie": [{"same": ["a", ["b"]]}]}, "a pattern is a text"),
    ({"plan": "p", "tie": [{"same": ["a", "b"], "optional": [None]}]}, "true or false"),
    ({"plan": "p", "references": [7]}, "references"),
    ({"plan": "p", "references": {"a": 1}}, "references"),
    ({"plan": "p", "rule": [{"match": "x", "law": "ones", "note": {}}]}, "note is a text"),
    ({"plan": "p", "extends": "nonsense"}, "unknown plan"),
    ({"plan": "p", "extends": 7}, "name of a plan"),
]


@pytest.mark.parametrize(("data", "words"), WRONG_PLANS)
def test_what_is_no_plan(data: dict[str, Any], words: str) -> None:
    with pytest.raises(InitSpecError, match=words):
        initspec.plan(data)


def test_plans_in_a_circle(tmp_path: Any) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        text = f'plan = "{name}"\nextends = "{tmp_path}/{other}.toml"\n'
        (tmp_path / f"{name}.toml").write_text(text)
    with pytest.raises(SpecError, match="circle"):
        initspec.plan(tmp_path / "a.toml")


@pytest.mark.parametrize(
    ("rules", "fields", "symbols", "words"),
    [
        ([{"match": "h.**", "law": "ones"}], {}, {}, "says nothing about 2 of 8 .*norm.weight"),
        ([{"match": "g.**", "law": "ones"}, ALL], {}, {}, "rule 1 .*selects nothing"),
        ([ALL], {"symbols": {"a": "required"}}, {}, "needs the number a"),
        ([ALL], {}, {"a": 1}, "unknown symbol"),
        ([ALL], {"symbols": {"a": 1}}, {"a": "x"}, "a is a number"),
        ([ALL], {"symbols": {"a": 1}, "let": {"b": "1 / (a - 1)"}}, {}, "let.b"),
        ([{"match": "**", "law": "normal(std=0-1)"}], {}, {}, "rule 1 .*h.0.up.weight"),
        ([{"match": "**", "law": "he_normal"}], {}, {}, r"norm.weight \(8,\).*fans"),
        ([{"match": "**", "law": "ones", "layout": "oihw"}], {}, {}, "oihw"),
        ([{"match": "**", "law": "ones", "dtype": "float64"}], {}, {}, "wants float64"),
        ([{"match": "**", "law": "nonsense"}], {}, {}, "unknown scheme"),
        ([{"match": "**", "law": "default"}], {}, {}, "no table knows"),
        ([ALL], {"name": [{"here": "h.{l}.up.weight", "to": "up"}]}, {}, "two parameters"),
        ([ALL], {"tie": [{"same": ["h.0.up.weight", "h.1.up.weight"]}]}, {}, "one tensor"),
        ([ALL], {"name": [{"here": "norm.bias", "axis": 0, "to": ["a", "b", "c"]}]}, {}, "go"),
        ([ALL], {"name": [{"here": "norm.bias", "axis": 1, "to": ["a", "b"]}]}, {}, "axis 1"),
    ],
)
def test_what_does_not_fit_a_model(
    rules: list[dict[str, Any]], fields: dict[str, Any], symbols: dict[str, Any], words: str
) -> None:
    with pytest.raises(InitSpecError, match=words):
        plan(*rules, **fields).on(SHAPES, **symbols)


def test_strict_asks_for_one_rule() -> None:
    made = plan({"match": "h.**", "law": "ones"}, {"match": "**", "law": "zeros"})
    made.on(SHAPES)
    with pytest.raises(SpecError, match=r"selected by the rules 1 .* and 2"):
        made.on(SHAPES, strict=True)


@pytest.mark.parametrize("model", [7, "x.pt", None, object(), {"w": "x"}, {"w": (-1,)}])
def test_what_is_no_model(model: Any) -> None:
    with pytest.raises(InitSpecError):
        plan(ALL).on(model)


def test_a_model_without_parameters_has_an_empty_ledger() -> None:
    assert len(plan(ALL).on({})) == 0


def test_shapes_are_not_filled_in_place() -> None:
    with pytest.raises(SpecError, match=r"plan.init"):
        plan(ALL).fill(SHAPES, seed=0)
    with pytest.raises(SpecError, match="a scheme is named"):
        initialise(SHAPES, initspec.get("he_normal"), seed=0)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------- names, parts


def test_wrappers_leave_no_trace() -> None:
    made = plan({"match": "w", "law": "ones"}, {"match": "b", "law": "zeros"})
    for name in ("module.{}", "_orig_mod.{}", "module._orig_mod.{}", "params/{}"):
        ledger = made.on({name.format("w"): (2,), name.format("b"): (2,)})
        assert [row.name for row in ledger] == ["w", "b"]
        assert ledger["w"].parameter.path == name.format("w")


def test_renames_go_one_after_the_other() -> None:
    made = plan(
        {"match": "h.{layer}.{q,k,v}.weight", "law": "normal(std=1 + layer)"},
        name=[
            {"here": "model.**", "to": "**"},
            {"here": "h.qkv.weight", "axis": 0, "each": "layer", "to": "h.{layer}.qkv.weight"},
            {"here": "h.{layer}.qkv.weight", "axis": -1, "sizes": [2, 1, 1]}
            | {"to": [f"h.{{layer}}.{part}.weight" for part in "qkv"]},
        ],
    )
    ledger = made.on({"model.h.qkv.weight": (2, 3, 16)})
    assert [row.name for row in ledger][:4] == [f"h.0.{p}.weight" for p in "qkv"] + ["h.1.q.weight"]
    assert ledger["h.1.k.weight"].parameter.shape == (3, 4)
    assert ledger["h.1.k.weight"].parameter.part.index == (1, slice(0, 3), slice(8, 12))
    assert ledger["h.1.k.weight"].law.std == 2


def test_renames_and_ties_are_values() -> None:
    assert Rename(here="a", to="b") == Rename(here="a", to="b")
    assert Tie(same=["a", "b"]).same == ("a", "b")  # type: ignore[arg-type]


def test_many_parameters_of_one_kind_are_one_line() -> None:
    text = str(plan(ALL).on(SHAPES))
    assert text.splitlines()[2].startswith("h.{0-2}.up.weight")
    assert len(text.splitlines()) == 6


def test_an_unknown_parameter_of_a_ledger() -> None:
    with pytest.raises(UnknownName, match="norm"):
        plan(ALL).on(SHAPES)["norm.weigt"]


def test_one_reference_is_one_key() -> None:
    assert initspec.plan({"plan": "p", "references": "he2015"}).references == ("he2015",)


def everything() -> initspec.Plan:
    return initspec.plan({"plan": "p", "rule": [{"match": "**", "law": "zeros"}]})


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\u202eb", "", "a#b", "a\0b"])
def test_odd_names_are_shown_in_one_line(name: str) -> None:
    ledger = everything().on({name: (2,)})
    lines = str(ledger).split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() for line in (*lines, *ledger.rows[0].lines()))
    assert ledger[name].law.std == 0
    with pytest.raises(SpecError) as caught:
        initspec.plan({"plan": "e"}).on({name: (2,)})
    assert str(caught.value).isprintable()


def test_numbers_of_names_are_shown_as_they_stand() -> None:
    long = "9" * 5000
    ledger = everything().on({"h.007.w": (2,), "h.7.w": (2,), f"h.{long}.w": (2,)})
    shown = str(ledger)
    assert all(name in shown for name in ("h.007.w", "h.7.w", f"h.{long}.w"))


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_capture_of_very_many_digits_is_refused(digits: int) -> None:
    plan = initspec.plan({"plan": "p", "rule": [{"match": "h.{i}", "law": "normal(std=1 / i)"}]})
    with pytest.raises(SpecError, match="captures i of"):
        plan.on({"h." + "9" * digits: (2,)})


def test_a_tree_that_holds_itself() -> None:
    tree: dict[str, Any] = {}
    tree["a"] = tree
    with pytest.raises(SpecError, match="holds itself"):
        everything().on(tree)


# -------------------------------------------------------------------------------------- comparison


def test_plans_differ_part_by_part() -> None:
    fused = [{"here": "qkv", "axis": 0, "to": ["q", "k", "v"]}]
    rules = [{"match": "{q,k}", "law": "normal(std=0.5)"}, {"match": "v", "law": "normal(std=1.0)"}]
    first = plan(*rules, name=fused).on({"qkv": (6, 4)})
    second = plan({"match": "**", "law": "normal(std=0.5)"}, name=fused).on({"qkv": (6, 4)})
    found = compared(first, second)
    assert (found.same, found.only_first, found.only_second) == (2, (), ())
    assert [(change.name, change.ratio) for change in found.changes] == [("v", 0.5)]


def test_a_tensor_without_elements_has_the_fans_that_a_scheme_gives_it() -> None:
    text = "normal(std=1 / sqrt(fan_in))"
    ledger = plan({"match": "**", "law": text}).on({"kernel": (0, 4)})
    assert ledger["kernel"].law == initspec.get("normal", std="1 / sqrt(fan_in)").on((0, 4))
