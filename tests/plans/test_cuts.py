"""A tensor parted at given places, and plans that extend plans that extend plans."""

import pytest

from initspec import LayoutError, ModelParameter, Plan, Rename, Rule, SpecError, Tie
from initspec.plans.reading import loads
from initspec.plans.writing import dumps

TABLE = {"wte.weight": (50, 8)}


def padded(**fields):
    fields = {"axis": 0, "cuts": [1], "to": ["wte.padding", "wte.weight"], **fields}
    return Rename(here="wte.weight", **fields)


def plan(rename):
    rules = (Rule(match="wte.padding", law="zeros"), Rule(match="**", law="normal(std=0.02)"))
    return Plan(name="p", rules=rules, names=(rename,))


def test_a_row_of_padding_has_a_law_of_its_own():
    ledger = plan(padded()).on(TABLE)
    assert [(row.name, row.parameter.shape, row.law.std) for row in ledger] == [
        ("wte.padding", (1, 8), 0.0),
        ("wte.weight", (49, 8), 0.02),
    ]


def test_the_padding_is_written_where_it_lies():
    torch = pytest.importorskip("torch")
    model = torch.nn.ModuleDict({"wte": torch.nn.Embedding(50, 8)})
    rename = padded(cuts=[3, 4], to=["wte.before", "wte.padding", "wte.weight"])
    plan(rename).fill(model, seed=0)
    zeros = (model["wte"].weight == 0).all(1)
    assert zeros.nonzero().tolist() == [[3]]


@pytest.mark.parametrize("format", ["toml", "json"])
def test_cuts_go_round(format):
    held = plan(padded())
    assert loads(dumps(held, format), format) == held


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cuts": [1, 2]}, "one fewer than the parts, not 2 for 2"),
        ({"cuts": [0]}, "whole numbers of at least 1"),
        ({"cuts": [1.5]}, "whole numbers of at least 1"),
        ({"cuts": [True]}, "whole numbers of at least 1"),
        ({"cuts": "1"}, "whole numbers of at least 1"),
        ({"cuts": [2, 2], "to": ["a", "b", "c"]}, "cuts grow"),
        ({"cuts": [1], "sizes": [1, 2]}, "without sizes and each"),
        ({"cuts": [1], "to": "b"}, "several parameters in one tensor"),
        ({"cuts": [], "sizes": [0, 1]}, "whole numbers of at least 1"),
    ],
)
def test_cuts_that_cannot_be(fields, said):
    with pytest.raises(SpecError, match=said):
        padded(**fields)


def test_a_cut_beyond_the_tensor():
    with pytest.raises(LayoutError, match=r"cuts axis 0 of wte\.weight \(50, 8\) at 50"):
        padded(cuts=[50]).parameters(ModelParameter(name="wte.weight", shape=(50, 8)))


def test_a_plan_of_three_storeys():
    base = Plan(
        name="base",
        symbols={"std": 0.02, "other": 1},
        let={"half": "std / 2"},
        rules=(Rule(match="**.w", law="normal(std=half)"), Rule(match="**.b", law="zeros")),
        ties=(Tie(same=("a", "b")),),
    )
    middle = Plan(name="m", extends=base, rules=(Rule(match="a.w", law="normal(std=std)"),))
    top = Plan(
        name="t",
        extends=middle,
        symbols={"std": 0.08},
        rules=(Rule(match="b.w", law="normal(std=half)"),),
    )
    whole = top.whole
    assert [rule.match for rule in whole.rules] == [("b.w",), ("a.w",), ("**.w",), ("**.b",)]
    assert [rule.optional for rule in whole.rules] == [False, True, True, True]
    assert dict(whole.symbols) == {"std": 0.08, "other": 1}
    ledger = top.on({"a.w": (2, 2), "b.w": (2, 2), "c.w": (2, 2), "c.b": (2,)})
    assert [row.law.std for row in ledger] == [0.08, 0.04, 0.04, 0.0]
