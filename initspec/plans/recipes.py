"""The plans that come with initspec, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import SpecError, UnknownName, shown
from .plan import Plan
from .serial import from_dict, load, loads

FOLDER = Path(__file__).with_name("recipes")


@cache
def names() -> tuple[str, ...]:
    """The names of the recipes.

    >>> "gpt2" in names()
    True
    """
    return tuple(sorted(path.stem.replace("__", "/") for path in FOLDER.glob("*.toml")))


@cache
def recipe(name: str) -> Plan:
    """A recipe by its name; raises :class:`UnknownName` with the nearest ones."""
    if name not in names():
        raise UnknownName("plan", name, names(), listed="`initspec plan list` names all.")
    path = FOLDER / f"{name.replace('/', '__')}.toml"
    return loads(path.read_text("utf-8"), where=f"the recipe {name}")


def plan(spec: Any, /) -> Plan:
    """The plan that ``spec`` names: a recipe, a ``.toml`` or ``.json`` file, a mapping, a plan.

    Raises :class:`UnknownName` for a recipe that does not exist, and :class:`SpecError` for what is
    no plan, with the file and the rule.

    >>> import initspec
    >>> initspec.plan("gpt2").title
    'GPT-2, as OpenAI describes it'
    """
    if isinstance(spec, Plan):
        return spec
    if isinstance(spec, Mapping):
        return from_dict(spec)
    if isinstance(spec, os.PathLike) or (isinstance(spec, str) and _is_path(spec)):
        return load(spec)
    if isinstance(spec, str):
        return recipe(spec)
    raise SpecError(
        "a plan is the name of a recipe, as 'gpt2', the path of a .toml or .json file, or a "
        f"mapping, not {shown(spec)}."
    )


def _is_path(text: str) -> bool:
    return text.endswith((".toml", ".json"))


def extended(whole: Plan) -> Plan:
    """A plan with the rules, names and ties of those that it extends behind its own.

    Raises :class:`SpecError` for plans that extend each other in a circle.
    """
    seen = [whole.name]
    made = whole
    while made.extends is not None:
        base = plan(made.extends)
        if base.name in seen:
            raise SpecError(
                f"plans extend each other in a circle: {' -> '.join([*seen, base.name])}."
            )
        seen.append(base.name)
        made = replace(
            made,
            rules=(*made.rules, *(replace(rule, optional=True) for rule in base.rules)),
            symbols={**base.symbols, **made.symbols},
            let={**base.let, **made.let},
            ties=(*made.ties, *base.ties),
            names=(*made.names, *base.names),
            extends=base.extends,
        )
    return made
