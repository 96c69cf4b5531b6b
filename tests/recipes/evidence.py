"""What is kept of a proof: shapes of the original, and what was seen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from initspec.plans.parameter import ModelParameter
from initspec.plans.plan import Plan
from initspec.plans.writing import to_dict

HERE = Path(__file__).parent
EVIDENCE = HERE / "evidence"
SHAPES = HERE / "shapes"

#: What may change without a new proof.
WORDS = ("note", "source", "title", "references")
#: How many classes of a layer are kept.
KINDS = 3


def digest(plan: Plan) -> str:
    """A digest of what a plan says, its words aside."""

    def plain(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: plain(value) for key, value in data.items() if key not in WORDS}
        return [plain(one) for one in data] if isinstance(data, list) else data

    text = json.dumps(plain(to_dict(plan.whole)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shapes_path(recipe: str) -> Path:
    """The file with the parameters of a recipe's original."""
    return SHAPES / f"{recipe.replace('/', '__')}.json"


def write_shapes(recipe: str, parameters: list[ModelParameter], symbols: dict[str, float]) -> None:
    """Keep what a plan sees of the original, and the symbols of the proof."""
    rows = [json.dumps(_plain(one)) for one in parameters]
    head = f'{{"symbols": {json.dumps(symbols)},\n "parameters": [\n'
    shapes_path(recipe).write_text(head + ",\n".join(rows) + "\n]}\n", "utf-8")


def _plain(one: ModelParameter) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for field in fields(one):
        value = getattr(one, field.name)
        if value != field.default and not (field.name == "path" and value == one.name):
            data[field.name] = value[:KINDS] if field.name == "kinds" else value
    return data


def read_shapes(recipe: str) -> tuple[list[ModelParameter], dict[str, float]]:
    """The parameters that a plan saw of the original, and the symbols."""
    data = json.loads(shapes_path(recipe).read_text("utf-8"))
    return [_parameter(row) for row in data["parameters"]], data["symbols"]


def _parameter(row: dict[str, Any]) -> ModelParameter:
    words = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return ModelParameter(**{"path": words["name"], **words})


def read_evidence() -> dict[str, dict[str, Any]]:
    """What was seen of each recipe."""
    return {
        path.stem.replace("__", "/"): json.loads(path.read_text("utf-8"))
        for path in sorted(EVIDENCE.glob("*.json"))
    }


def write_evidence(recipe: str, found: dict[str, Any]) -> None:
    """Keep what was seen of a recipe."""
    path = EVIDENCE / f"{recipe.replace('/', '__')}.json"
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
