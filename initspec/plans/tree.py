"""A tree of JAX arrays, drawn by a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import plugins
from ..protocol import by_path
from .fields import PlanFields
from .model import Shapes
from .resolve import resolved


def drawn_tree(
    plan: PlanFields, tree: Any, key: Any, symbols: Mapping[str, float], *, strict: bool = False
) -> Any:
    """The tree with new arrays: see :meth:`initspec.Plan.init`."""
    backend: Any = plugins.backend("jax")
    shapes = Shapes({leaf.path: leaf for leaf in backend.leaves(tree)})
    ledger = resolved(plan, shapes.parameters(), symbols, strict=strict)
    rows = by_path(row for row in ledger if row.law is not None)

    def drawn(path: str) -> list[tuple[Any, ...]]:
        return [(row.law, row.layout, row.name, row.parameter.part) for row in rows.get(path, ())]

    return backend.tree(tree, key, drawn)
