"""The case files: reading and writing them.

A case is one question with its answer, as JSON that any language can read; see
:mod:`initspec.conformance.cases.generate` for what each kind of file holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...spec.fan_rules import Shape
from ...spec.layout import ROLES, Layout

FORMAT = 1
FOLDER = Path(__file__).parent
SCHEMA = "case-file.schema.json"
KINDS = ("spec", "layer", "known_answer", "adversarial", "negative", "duplicate", "mutant")

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: what the spec, the stream or the suite must answer, as plain data."""

    #: Which file it stands in and how it is run: one of :data:`KINDS`.
    kind: str
    #: Its name, unique within its kind.
    id: str
    #: A sentence on what it holds.
    description: str
    #: Everything else, as in the file.
    body: Body


def read_all() -> tuple[Case, ...]:
    """Every case of every file.

    >>> sorted({case.kind for case in read_all()}) == sorted(KINDS)
    True
    """
    return tuple(case for kind in KINDS for case in read(kind))


@cache
def read(kind: str) -> tuple[Case, ...]:
    """The cases of one kind."""
    document = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    cases = []
    for item in document["cases"]:
        rest = {key: value for key, value in item.items() if key not in ("id", "description")}
        cases.append(Case(kind, item["id"], item["description"], rest))
    return tuple(cases)


def text(kind: str, cases: list[dict[str, Any]]) -> str:
    """A case file's text: one line for each case, so that changes can be read."""
    head = {"$schema": SCHEMA, "format": FORMAT, "kind": kind}
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    rows = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    return f'{opening}, "cases": [\n{rows}\n]}}\n'


def tensor(shape: Shape, layout: Layout) -> dict[str, Any]:
    """A tensor's layout, in words and numbers."""
    return {
        "layout": str(layout),
        "axes": [ROLES[letter] for letter in layout.axes],
        "shape": list(shape),
        "groups": layout.groups,
        "stack": layout.stack,
        "transposed": layout.transposed,
    }
