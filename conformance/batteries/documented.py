"""What is documented of a cell, fans and standard deviation, against a count by hand."""

from __future__ import annotations

import math

from ...readings.registry import get
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, fans
from ..cell import Cell
from ..finding import Finding, certain, not_applicable
from .by_hand import FORMULAS, contraction, naive


def counted(cell: Cell) -> Finding:
    """The fans of the cell's layout are those that a count of multiplications finds."""
    if not cell.scheme.needs_fans:
        return not_applicable("fans", "the scheme has none")
    shape = small(cell.shape, cell.layout)
    by_hand = contraction(shape, cell.layout), naive(shape, cell.layout)
    by_rule = fans(shape, cell.layout), fans(shape, cell.layout, "naive")
    wrong = any(tuple(a) != tuple(b) for a, b in zip(by_rule, by_hand, strict=True))
    return certain("fans", wrong, f"{by_rule} of {shape}, counted are {by_hand}")


def small(shape: Shape, layout: Layout) -> Shape:
    """A tensor of the layout that is quick to count, whose sizes all differ where they can."""
    if math.prod(shape) <= 2**16:
        return shape
    parts = layout.groups * layout.stack
    return tuple(parts * (axis + 1) for axis in range(len(shape)))


def formula(cell: Cell, law: Distribution) -> Finding:
    """The standard deviation of a named scheme is that of its formula, written out by hand."""
    name = cell.scheme.name or ""
    if name not in FORMULAS or cell.scheme != get(name):
        return not_applicable("formula", "the scheme is not a named one at its defaults")
    if not cell.scheme.needs_fans:
        fan_in, fan_out = 1, 1
    elif cell.scheme.fans != "true":
        fan_in, fan_out = naive(cell.shape, cell.layout)
        if (fan_in, fan_out) != fans(cell.shape, cell.layout, cell.scheme.fans):
            return not_applicable("formula", "its fans are counted by a rule of their own")
    elif math.prod(cell.shape) <= 2**20:
        fan_in, fan_out = contraction(cell.shape, cell.layout)
    else:
        return not_applicable("formula", "the tensor is too large to count")
    by_hand = FORMULAS[name](max(fan_in, 1), max(fan_out, 1))
    wrong = not math.isclose(law.std, by_hand, rel_tol=1e-12)
    return certain("formula", wrong, f"std {law.std!r}, by hand {by_hand!r}")
