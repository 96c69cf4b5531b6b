"""The exact tier: what holds for every draw, so that there is no chance in it and no false alarm.

Every finding has a p-value of 0 or 1. What a target does not let one ask is said to be not
applicable, and passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from ...spec.distribution import Distribution
from ..cell import Cell
from ..drawing import draw_one
from ..finding import Finding
from ..probability.own_law import Own
from . import documented, fixed, number_types, seeds
from .coupling import base_coupling, self_coupling
from .end_words import ends, injected
from .known_answers import known
from .known_samplers import standard
from .marginal import own_law
from .stream_reference import layouts, reference

Array = NDArray[Any]


def battery(cell: Cell) -> Iterator[Finding]:
    """Every exact test of a cell. Structure and type are checked with each draw."""
    law = cell.law
    if isinstance(law, Own):
        yield own_law(law)
        if law.problem:
            return
    values = draw_one(cell, cell.shape, cell.dtype, cell.seed)
    yield from fixed.battery(cell, law, values)
    yield from contract(cell, law, values)


def contract(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """What holds of a target beyond one tensor of it: of seeds, buffers, types and shapes.

    ``values`` is the first tensor that was drawn, with the seed of the cell. The statistical tiers
    have these tests, too; there the values of 16 bits are left to the statistics, because
    frameworks' own samplers round some of them otherwise than float32's, which is no fault of who
    calls them.
    """
    if isinstance(law, Own) and law.problem:
        return
    yield from seeds.seeds(cell, law, values)
    of_values = cell.tier == "exact" or not cell.dtype.endswith("16")
    if of_values:
        yield number_types.types(cell, law, values)
        yield self_coupling(cell, law, values)
    yield documented.counted(cell)
    yield documented.formula(cell, cell.scheme.on(cell.shape, cell.layout))
    if (law.elementwise and law.std > 0) or (type(law) is Own and law.custom.ppf is not None):
        yield ends(cell, law)
    if cell.is_portable:
        yield from _portable(cell, law, values)
    elif of_values:
        yield base_coupling(cell, law, values)


def _portable(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """An adapter of the portable stream against the reference."""
    name = cell.target.backend
    yield reference(cell, values)
    yield known(name)
    kind = standard(law)
    if kind is not None:  # the scale has been seen; the rest is the same for every scale
        yield layouts(name, kind, cell.dtype)
        yield injected(name, kind, cell.dtype)
