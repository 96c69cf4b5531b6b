"""A mutant as one row of a table, and the tensors that faults are planted in."""

from __future__ import annotations

from typing import Any

from .fault import Fault
from .mutant import Mutant

CONV: dict[str, Any] = {"shape": (5, 7, 8, 38), "layout": "hwio"}
GROUPED: dict[str, Any] = {"shape": (48, 4, 3, 3), "layout": "oihw, groups=4"}
DEPTHWISE: dict[str, Any] = {"shape": (3, 3, 16, 2), "layout": "hwgo"}
TRANSPOSED: dict[str, Any] = {"shape": (3, 3, 24, 8), "layout": "hwoi, transposed"}
HEADS: dict[str, Any] = {"shape": (64, 8, 8), "layout": "ino"}
QKV: dict[str, Any] = {"shape": (96, 32), "layout": "oi, stack=3"}
GATES: dict[str, Any] = {"shape": (24, 64), "layout": "io, stack=4"}
SQUARE: dict[str, Any] = {"shape": (24, 24)}
MATRIX: dict[str, Any] = {"shape": (16, 16)}

TRUNCATED, NORMAL, UNIFORM = "he_normal", "normal(std=0.02)", "uniform"
STANDARD = "normal(std=1.0)"
HAAR, GAINED = "orthogonal", "orthogonal(gain=1.4142135623730951)"


def row(id: str, claim: str, what: str, source: str, make: Fault, **where: Any) -> Mutant:
    """A mutant by place: its name, claim, fault in words, source and maker; then where it shows."""
    return Mutant(id=id, claim=claim, what=what, source=source, make=make, **where)
