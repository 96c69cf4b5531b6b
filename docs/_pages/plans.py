"""One page for each recipe: its rules, and what they say of a model."""

from __future__ import annotations

import json
from pathlib import Path

import initspec
from initspec.plans.ledger import Ledger
from initspec.plans.plan import Plan
from initspec.plans.recipes import names
from initspec.plans.rule import Rule
from initspec.plans.writing import dumps

from .markdown import code, escaped, page, table, tick, ticks

#: The shapes of a small model of each recipe, from its original code.
SHAPES = Path(__file__).parents[2] / "tests" / "recipes" / "shapes"
#: What the runs of the original code found, one file for each recipe.
EVIDENCE = SHAPES.with_name("evidence")


def pages() -> dict[str, str]:
    found = {f"plans/{_file(name)}.md": _page(initspec.plan(name)) for name in names()}
    return {"plans/index.md": _index(), **found}


def _file(name: str) -> str:
    return name.replace("/", "-")


def _index() -> str:
    rows = []
    for name in names():
        plan = initspec.plan(name)
        rows.append((f"[{name}]({_file(name)}.md)", escaped(plan.title), escaped(plan.source)))
    return page(
        "Plans",
        "What every parameter of a model gets, by the name of a recipe: "
        '`initspec.plan("gpt2")`. Where a port departs from the paper, both stand here, and '
        "`initspec plan diff` tells them apart. [The how-to](../../how-to/whole-model.md) says how "
        "one is put on a model, and how to write one.",
        "<!-- contents -->",
        table(("Plan", "", "Read in"), rows),
    )


def _page(plan: Plan) -> str:
    whole = plan.whole
    return page(
        plan.name,
        f"**{escaped(plan.title)}.** {escaped(plan.note)}".strip(),
        f"Source: {escaped(plan.source)}" if plan.source else "",
        "## Rules",
        "The first rule that selects a parameter gives its law.",
        table(
            ("", "Selects", "Law", ""),
            [
                (str(at), _selector(rule), _law(rule), escaped(rule.note))
                for at, rule in enumerate(whole.rules, 1)
            ],
        ),
        _symbols(whole),
        *_model(plan),
        _evidence(plan),
        "## As data",
        code(dumps(plan), "toml"),
    )


def _selector(rule: Rule) -> str:
    words = []
    for field in ("match", "kind", "param", "role"):
        found = getattr(rule, field)
        words += [f"{field} {ticks(found)}"] if found else []
    words += [f"ndim {rule.ndim}"] if rule.ndim is not None else []
    words += [f"when {tick(rule.when)}"] if rule.when else []
    words += ["buffers"] if rule.buffers else []
    return "; ".join(words)


def _law(rule: Rule) -> str:
    if rule.law is None:
        return f"given: {escaped(rule.given or '')}"
    more = f", axes {tick(rule.layout)}" if rule.layout else ""
    more += f", fans of {tick(rule.fans_of)}" if rule.fans_of else ""
    return tick(rule.law) + more


def _symbols(plan: Plan) -> str:
    rows = [(tick(name), _default(value)) for name, value in plan.symbols.items()]
    rows += [(tick(name), tick(str(value))) for name, value in plan.let.items()]
    return table(("Name", "Stands for"), rows)


def _default(value: object) -> str:
    return "given by the caller" if value is None else tick(str(value))


def _model(plan: Plan) -> tuple[str, ...]:
    path = SHAPES / f"{plan.name.replace('/', '__')}.json"
    if not path.exists():
        return ()
    shapes = json.loads(path.read_text("utf-8"))
    ledger: Ledger = plan.on(path)
    return (
        "## A small model",
        f"What the {len(shapes)} tensors of a small model get, as `initspec plan explain "
        f"{plan.name}` prints it.",
        code(str(ledger)),
    )


def _evidence(plan: Plan) -> str:
    path = EVIDENCE / f"{plan.name.replace('/', '__')}.json"
    if not path.exists():
        return "It was read, and not held against the code that it is of."
    facts = json.loads(path.read_text("utf-8"))
    config = ", ".join(f"{key} {value}" for key, value in facts.get("config", {}).items())
    return (
        f"Held against {escaped(facts['package'])} {escaped(facts['version'])} ({config}) on "
        f"{facts['date']}: {facts['tests']} tests of {facts['tensors']} tensors, the smallest "
        f"p-value {facts['smallest_p']:.2g}, where {facts['limit']:.1e} would have refused it."
    )
