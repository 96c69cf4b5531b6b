"""One page for each recipe: its rules, and what they say of a model."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import initspec
from initspec import figures
from initspec.plans.compare import Change, compared
from initspec.plans.law import Law
from initspec.plans.ledger import Ledger
from initspec.plans.parameter import ModelParameter
from initspec.plans.plan import Plan
from initspec.plans.recipes import names
from initspec.plans.resolve import resolved
from initspec.plans.rule import Rule
from initspec.plans.writing import dumps

sys.path.append(str(Path(__file__).parents[2] / "tests"))  # where the proofs of recipes are

from recipes.evidence import read_evidence, read_shapes, shapes_path

from .markdown import code, escaped, page, table, tick, ticks

_ZERO = re.compile(r"(?<![A-Za-z0-9])0(?![A-Za-z0-9])")


def pages() -> dict[str, str]:
    found = {"plans/index.md": _index()}
    for name in names():
        plan = initspec.plan(name)
        found[f"plans/{_file(name)}.md"] = _page(plan)
        if picture := _picture(plan):
            found[f"plans/{_file(name)}.svg"] = picture.rstrip() + "\n"
    return found


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
    parameters, symbols = _held(plan.name)
    if not parameters:
        return ()
    ledger = resolved(plan, parameters, symbols)
    return (
        "## A small model",
        f"What the {len(parameters)} tensors of a small model get, as `initspec plan explain` "
        "prints it.",
        code(str(ledger)),
        f"![The standard deviation of each kind of parameter by layer]({_file(plan.name)}.svg)"
        if _picture(plan)
        else "",
        _departs(plan, ledger),
    )


def _held(name: str) -> tuple[list[ModelParameter], dict[str, float]]:
    """The parameters of the original, as the proof saw them, and the symbols."""
    return read_shapes(name) if shapes_path(name).exists() else ([], {})


@cache
def _picture(plan: Plan) -> str:
    """The deviations of a model of 24 layers, all of which are as its first; empty without one."""
    parameters, symbols = _held(plan.name)
    layered = any("layer" in Law(rule.law).names for rule in plan.whole.rules if rule.law)
    counted = any(value == "count(layer)" for value in plan.whole.symbols.values())
    if not parameters or not (layered or counted):
        return ""
    deep: list[ModelParameter] = []
    for one in parameters:
        numbers = re.findall(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])", one.name)
        if not numbers:
            deep.append(one)
        elif numbers[0] == "0":
            deep += [replace(one, name=_ZERO.sub(str(i), one.name, count=1)) for i in range(24)]
    deep = [replace(one, path=one.name) for one in deep]
    known = {
        name: n for name, n in symbols.items() if plan.whole.symbols.get(name) != "count(layer)"
    }
    try:
        return figures.depth(resolved(plan, deep, known))
    except initspec.InitSpecError:
        return ""


def _departs(plan: Plan, ledger: Ledger) -> str:
    """What the other recipes of the same model say of the same parameters."""
    family = plan.name.rpartition("/")[2].rstrip("0123456789.-")
    rows = []
    for name in names():
        if name == plan.name or name.rpartition("/")[2].rstrip("0123456789.-") != family:
            continue
        parameters, symbols = _held(plan.name)
        other = initspec.plan(name)
        known = {word: n for word, n in symbols.items() if word in other.whole.symbols}
        try:
            found = compared(ledger, resolved(other, parameters, known))
        except initspec.InitSpecError:
            continue  # it speaks of other names
        told = "the same"
        if found.changes:
            told = "; ".join(
                f"{tick(one)}: {escaped(change.second)}"
                for one, change in _first_of_each(found.changes)
            )
        rows.append((f"[{name}]({_file(name)}.md)", told))
    if not rows:
        return ""
    return "### Who departs\n\n" + table(("Plan", "Says of these parameters"), rows)


def _first_of_each(changes: Sequence[Change]) -> list[tuple[str, Change]]:
    """One change of each kind of parameter: those that differ in numbers only are one."""
    kinds: dict[tuple[str, str], tuple[str, Change]] = {}
    for change in changes:
        skeleton = re.sub(r"\d+", "*", change.name)
        kinds.setdefault((skeleton, change.second), (skeleton, change))
    return list(kinds.values())[:8]


def _evidence(plan: Plan) -> str:
    facts = read_evidence().get(plan.name, {"how": "read"})
    if facts["how"] != "run":
        return "It was read, and not held against the code that it is of."
    config = ", ".join(f"{key} {value}" for key, value in facts.get("config", {}).items())
    others = facts.get("others", ())
    also = f" The same was seen of {', '.join(map(escaped, others))}." if others else ""
    return (
        f"Held against {escaped(facts['package'])} {escaped(facts['version'])} "
        f"({escaped(config)}) on {facts['date']}: {facts['tests']} tests of {facts['tensors']} "
        f"tensors, the smallest p-value {facts['smallest_p']:.2g}, where one below "
        f"{facts['limit']:.1e} would have refused it.{also}"
    )
