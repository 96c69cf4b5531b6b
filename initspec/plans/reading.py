"""Plans out of TOML and JSON text."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from ..errors import InitSpecError, SpecError, UnknownName, short_repr
from ..files.text import read_text
from .fields import FORMAT
from .names import Rename
from .plan import Plan
from .rule import Rule
from .tie import Tie
from .writing import TABLES, TEXTS

#: What one entry of each table is.
_KINDS: Mapping[str, type] = {"rule": Rule, "tie": Tie, "name": Rename}

#: Finds the plan that another one extends.
Find = Callable[[str], Plan]


def from_dict(data: Mapping[str, Any], where: str = "this plan", find: Find | None = None) -> Plan:
    """The plan that :func:`initspec.plans.writing.to_dict` wrote.

    Unknown keys are errors that name the rule.

    ``find`` gives the plan that this one extends.

    >>> from_dict({"plan": "p", "rule": [{"match": "**", "law": "zeros"}]}).rules[0].law
    'zeros'
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"{where} is a table of fields, not {short_repr(data)}.")
    row = dict(data)
    version = row.pop("format", FORMAT)
    if version != FORMAT:
        raise SpecError(
            f"{where} has format {short_repr(version)}; this initspec reads format {FORMAT}."
        )
    known = ("plan", *TEXTS, "extends", "references", "symbols", "let", *TABLES)
    for key in row:
        if key not in known:
            raise UnknownName(f"key of {where}", key, known)
    if not isinstance(row.get("plan"), str):
        raise SpecError(f'{where} needs its name, as in plan = "gpt2".')
    made: dict[str, Any] = {"name": row.pop("plan")}
    for key, field in TABLES.items():
        rows = row.pop(key, [])
        if not isinstance(rows, (list, tuple)):
            raise SpecError(
                f"{where}: {key} is a list of tables, [[{key}]], not {short_repr(rows)}."
            )
        made[field] = tuple(
            _table(_KINDS[key], item, f"{where}, {key} {at}") for at, item in enumerate(rows, 1)
        )
    for key in ("symbols", "let"):
        table = row.pop(key, {})
        if not isinstance(table, Mapping):
            raise SpecError(f"{where}: {key} is a table, [{key}], not {short_repr(table)}.")
        made[key] = {word: None if value == "required" else value for word, value in table.items()}
    if "extends" in row:
        base = row.pop("extends")
        if not isinstance(base, str) or find is None:
            raise SpecError(f"{where}: extends is the name of a plan, not {short_repr(base)}.")
        made["extends"] = find(base)
    try:
        return Plan(**made, **row)
    except TypeError as error:
        raise SpecError(f"{where}: {error}.") from None


def _table(kind: type, item: Any, where: str) -> Any:
    if not isinstance(item, Mapping):
        raise SpecError(f"{where} is a table of fields, not {short_repr(item)}.")
    known = [field.name for field in fields(kind)]
    for key in item:
        if key not in known:
            raise UnknownName(f"key of {where}", key, known)
    needed = [f.name for f in fields(kind) if f.default is MISSING and f.name not in item]
    if needed:
        raise SpecError(f"{where} needs the key {needed[0]!r}.")
    try:
        return kind(**item)
    except InitSpecError as error:
        raise SpecError(f"{where}: {error}") from None


def loads(
    text: str, format: str = "toml", where: str = "this plan", find: Find | None = None
) -> Plan:
    """The plan in TOML or JSON text.

    Raises :class:`SpecError` for a text that is neither, or no plan, and :class:`UnknownName` for a
    key that does not exist.
    """
    if format not in ("json", "toml"):
        raise UnknownName("format", format, ("json", "toml"))
    try:
        data = json.loads(text) if format == "json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise SpecError(f"{where} is not {format.upper()}: {reason}.") from error
    return from_dict(data, where, find)


def load(path: str | Path, find: Find | None = None) -> Plan:
    """Read a plan from a ``.toml`` or ``.json`` file."""
    suffix = Path(path).suffix.removeprefix(".") or "toml"
    return loads(read_text(path), suffix, str(path), find)
