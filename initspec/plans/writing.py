"""Plans as TOML and JSON text, without loss."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import UnknownName
from ..files.writing import write_file
from ..spec.serial import toml_value
from .fields import FORMAT, PlanFields

#: The tables of a file: the key of each, and the field.
TABLES = {"rule": "rules", "tie": "ties", "name": "names"}

#: The texts of a plan.
TEXTS = ("title", "note", "source")


def to_dict(plan: PlanFields) -> dict[str, Any]:
    """The plan as plain data, without what is at its default.

    >>> import initspec
    >>> plan = initspec.plan({"plan": "p", "rule": [{"match": "**", "law": "zeros"}]})
    >>> to_dict(plan)["rule"]
    [{'match': '**', 'law': 'zeros'}]
    """
    data: dict[str, Any] = {"format": FORMAT, "plan": plan.name}
    if plan.extends is not None:
        data["extends"] = plan.extends.name
    for key in (*TEXTS, "references"):
        if value := getattr(plan, key):
            data[key] = list(value) if isinstance(value, tuple) else value
    if plan.symbols:
        data["symbols"] = {w: "required" if v is None else v for w, v in plan.symbols.items()}
    if plan.let:
        data["let"] = dict(plan.let)
    for key, field in TABLES.items():
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
            alone = len(value) == 1 and isinstance(value[0], str) and field.name != "same"
            value = value[0] if alone else list(value)
        data[field.name] = value
    return data


def dumps(plan: PlanFields, format: str = "toml") -> str:
    """A plan as TOML or JSON text.

    >>> import initspec
    >>> plan = initspec.plan({"plan": "p", "rule": [{"match": "**", "law": "zeros"}]})
    >>> print(dumps(plan), end="")
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
    plain = {key: value for key, value in data.items() if key not in (*TABLES, "symbols", "let")}
    blocks = ["".join(f"{key} = {toml_value(value)}\n" for key, value in plain.items())]
    for key in ("symbols", "let"):
        if key in data:
            lines = (f"{word} = {toml_value(value)}\n" for word, value in data[key].items())
            blocks.append(f"[{key}]\n" + "".join(lines))
    for key in TABLES:
        for row in data.get(key, ()):
            lines = (f"{word} = {toml_value(value)}\n" for word, value in row.items())
            blocks.append(f"[[{key}]]\n" + "".join(lines))
    return "\n".join(blocks)


def save(plan: PlanFields, path: str | Path) -> None:
    """Write a plan to a ``.toml`` or ``.json`` file, whole or not at all."""
    write_file(path, dumps(plan, Path(path).suffix.removeprefix(".") or "toml"))
