"""The JSON Schema of the data files, as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import initspec

from .markdown import anchor, code, escaped, page, table, tick, ticks


def pages() -> dict[str, str]:
    return {"schema.md": _page()}


def _page() -> str:
    path = Path(initspec.__file__).parent / "readings" / "schemes.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    parts: list[str] = []
    for name, part in schema["$defs"].items():
        parts += [f"## Part: {name}", *_part(part)]
    return page(
        "The JSON Schema",
        "Schemes and dialects are data, and this is their grammar: JSON Schema, draft 2020-12. "
        "`initspec schema` prints it.",
        code("$ initspec schema > schemes.schema.json", "console"),
        "## The file schemes.toml",
        escaped(schema.get("description", "")),
        *_part({key: item for key, item in schema.items() if key != "description"}),
        *parts,
    )


def _part(part: Mapping[str, Any]) -> Iterator[str]:
    if "description" in part:
        yield escaped(part["description"])
    properties = _properties(part)
    if properties:
        required = {*part.get("required", ())}
        yield table(
            ("Key", "Type", "", ""),
            [
                (
                    tick(key),
                    _type(item),
                    escaped(item.get("description", "")),
                    "required" if key in required else "",
                )
                for key, item in properties.items()
            ],
        )
    else:
        yield _type(part)


def _properties(part: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(part.get("properties", {}))
    for other in part.get("allOf", ()):
        found |= other.get("properties", {})
    return found


def _type(item: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in item:
        name, *key = item["$ref"].removeprefix("#/$defs/").split("/properties/")
        return f"{'as its ' + tick(key[0]) + ' in ' if key else ''}[{name}](#part-{anchor(name)})"
    if "const" in item:
        return tick(json.dumps(item["const"]))
    if "enum" in item:
        return f"one of {ticks(map(str, item['enum']))}"
    for word in ("oneOf", "anyOf"):
        if word in item:
            return " or ".join(dict.fromkeys(map(_type, item[word])))
    kinds = item.get("type", "")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    for key, link in (("items", "of"), ("additionalProperties", "with values:")):
        inner = item.get(key)
        if isinstance(inner, Mapping) and (told := _type(inner)):
            text += f" {link} {told}"
    bounds = [f"at least {item['minimum']}"] if "minimum" in item else []
    bounds += [f"above {item['exclusiveMinimum']}"] if "exclusiveMinimum" in item else []
    bounds += [f"at most {item['maximum']}"] if "maximum" in item else []
    return ", ".join([text, *bounds]).strip(", ")
