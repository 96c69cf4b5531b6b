"""Plans as TOML and JSON, without loss."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from ..errors import InitSpecError, SpecError, UnknownName, shown
from ..files.text import read_text
from ..files.writing import write_file
from ..spec.serial import toml_value
from .names import Rename
from .plan import FORMAT, Plan
from .rule import Rule
from .tie import Tie

#: The tables of a file: the key of each, the field, and what one of them is.
_TABLES = {"rule": ("rules", Rule), "tie": ("ties", Tie), "name": ("names", Rename)}
_TEXTS = ("name", "title", "note", "source", "extends")


def from_dict(data: Mapping[str, Any], where: str = "this plan") -> Plan:
    """The plan that :func:`to_dict` wrote; unknown keys are errors that name the rule.

    >>> from_dict({"plan": "p", "rule": [{"match": "**", "law": "zeros"}]}).rules[0].law
    'zeros'
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"{where} is a table of fields, not {shown(data)}.")
    row = dict(data)
    version = row.pop("format", FORMAT)
    if version != FORMAT:
        raise SpecError(
            f"{where} has format {shown(version)}; this initspec reads format {FORMAT}."
        )
    known = ("plan", *_TEXTS[1:], "references", "symbols", "let", *_TABLES)
    for key in row:
        if key not in known:
            raise UnknownName(f"key of {where}", key, known)
    if not isinstance(row.get("plan"), str):
        raise SpecError(f'{where} needs its name, as in plan = "gpt2".')
    made: dict[str, Any] = {"name": row.pop("plan")}
    for key, (field, kind) in _TABLES.items():
        rows = row.pop(key, [])
        if not isinstance(rows, (list, tuple)):
            raise SpecError(f"{where}: {key} is a list of tables, [[{key}]], not {shown(rows)}.")
        made[field] = tuple(
            _table(kind, item, f"{where}, {key} {at}") for at, item in enumerate(rows, 1)
        )
    for key in ("symbols", "let"):
        table = row.pop(key, {})
        if not isinstance(table, Mapping):
            raise SpecError(f"{where}: {key} is a table, [{key}], not {shown(table)}.")
        made[key] = {word: None if value == "required" else value for word, value in table.items()}
    try:
        return Plan(**made, **row)
    except TypeError as error:
        raise SpecError(f"{where}: {error}.") from None


def _table(kind: type, item: Any, where: str) -> Any:
    if not isinstance(item, Mapping):
        raise SpecError(f"{where} is a table of fields, not {shown(item)}.")
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


def to_dict(plan: Plan) -> dict[str, Any]:
    """The plan as plain data, without what is at its default.

    >>> plan = from_dict({"plan": "p", "rule": [{"match": "**", "law": "zeros"}]})
    >>> to_dict(plan)["rule"]
    [{'match': '**', 'law': 'zeros'}]
    """
    data: dict[str, Any] = {"format": FORMAT, "plan": plan.name}
    for key in (*_TEXTS[1:], "references"):
        if value := getattr(plan, key):
            data[key] = list(value) if isinstance(value, tuple) else value
    if plan.symbols:
        data["symbols"] = {w: "required" if v is None else v for w, v in plan.symbols.items()}
    if plan.let:
        data["let"] = dict(plan.let)
    for key, (field, _) in _TABLES.items():
        if rows := getattr(plan, field):
            data[key] = [_fields(row) for row in rows]
    return data


def _fields(row: Any) -> dict[str, Any]:
    data = {}
    for field in fields(row):
        value = getattr(row, field.name)
        if value == field.default:
            continue
        if isinstance(value, tuple):
            value = value[0] if len(value) == 1 else list(value)
        data[field.name] = value
    return data


def dumps(plan: Plan, format: str = "toml") -> str:
    """A plan as TOML or JSON text.

    >>> print(dumps(from_dict({"plan": "p", "rule": [{"match": "**", "law": "zeros"}]})), end="")
    format = 1
    plan = "p"
    <BLANKLINE>
    [[rule]]
    match = "**"
    law = "zeros"
    """
    data = to_dict(plan)
    if format == "json":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    if format != "toml":
        raise UnknownName("format", format, ("json", "toml"))
    plain = {key: value for key, value in data.items() if key not in (*_TABLES, "symbols", "let")}
    blocks = ["".join(f"{key} = {toml_value(value)}\n" for key, value in plain.items())]
    for key in ("symbols", "let"):
        if key in data:
            lines = (f"{word} = {toml_value(value)}\n" for word, value in data[key].items())
            blocks.append(f"[{key}]\n" + "".join(lines))
    for key in _TABLES:
        for row in data.get(key, ()):
            lines = (f"{word} = {toml_value(value)}\n" for word, value in row.items())
            blocks.append(f"[[{key}]]\n" + "".join(lines))
    return "\n".join(blocks)


def loads(text: str, format: str = "toml", where: str = "this plan") -> Plan:
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
    return from_dict(data, where)


def load(path: str | Path) -> Plan:
    """Read a plan from a ``.toml`` or ``.json`` file."""
    suffix = Path(path).suffix.removeprefix(".") or "toml"
    return loads(read_text(path), suffix, str(path))


def save(plan: Plan, path: str | Path) -> None:
    """Write a plan to a ``.toml`` or ``.json`` file, whole or not at all."""
    write_file(path, dumps(plan, Path(path).suffix.removeprefix(".") or "toml"))
