"""What the frameworks' own samplers have in common: how they see a tensor as one matrix."""

from __future__ import annotations

from ..layout import Layout, Shape
from ..structure import Orthogonal

_SIDES = {"in": "row", "vocabulary": "row", "spatial": "row", "out": "column", "group": "column"}


def alone(law: Orthogonal, shape: Shape, layout: Layout) -> tuple[int, ...]:
    """The axes that are by themselves the rows or the columns of a tensor's only matrix.

    A framework flattens a tensor around one axis: PyTorch around the first, the others around the
    last. Its orthogonal matrix is this law's where that axis is one of these.

    >>> alone(Orthogonal(1.0, 1, 18, 4), (4, 2, 3, 3), Layout("oihw"))
    (0,)
    """
    sides = [_SIDES.get(role) for role in layout.roles(shape)]
    if law.count != 1 or None in sides:
        return ()
    return tuple(axis for axis, side in enumerate(sides) if sides.count(side) == 1)
