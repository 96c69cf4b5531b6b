"""The plans that come with initspec, by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import SpecError, UnknownName, short_repr
from .plan import Plan
from .reading import from_dict, load, loads

FOLDER = Path(__file__).with_name("recipes")


@cache
def names() -> tuple[str, ...]:
    """The names of the recipes.

    >>> "gpt2" in names()
    True
    """
    return tuple(sorted(path.stem.replace("__", "/") for path in FOLDER.glob("*.toml")))


def plan(spec: Any, /) -> Plan:
    """The plan that ``spec`` names: a recipe, a ``.toml`` or ``.json`` file, a mapping, a plan.

    Raises :class:`UnknownName` for a recipe that does not exist, and :class:`SpecError` for what is
    no plan, with the file and the rule.

    >>> import initspec
    >>> initspec.plan("gpt2").title
    'GPT-2, as OpenAI describes it'
    """
    return _plan(spec, ())


def _plan(spec: Any, within: tuple[str, ...]) -> Plan:
    """A plan; ``within`` are those that extend it."""
    if isinstance(spec, Plan):
        return spec
    if isinstance(spec, Mapping):
        return from_dict(spec, find=lambda name: _plan(name, within))
    if not isinstance(spec, (str, os.PathLike)):
        raise SpecError(
            "a plan is the name of a recipe, as 'gpt2', the path of a .toml or .json file, or a "
            f"mapping, not {short_repr(spec)}."
        )
    name = os.fspath(spec)
    if name in within:
        raise SpecError(f"plans extend each other in a circle: {' -> '.join([*within, name])}.")

    def find(base: str) -> Plan:
        return _plan(base, (*within, name))

    if isinstance(spec, os.PathLike) or name.endswith((".toml", ".json")):
        return load(name, find)
    if name not in names():
        raise UnknownName("plan", name, names(), listed="`initspec plan list` names all.")
    text = _path(name).read_text("utf-8")
    return loads(text, where=f"the recipe {name}", find=find)


def _path(name: str) -> Path:
    return FOLDER / f"{name.replace('/', '__')}.toml"
