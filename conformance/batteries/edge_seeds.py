"""Seeds at the edges: zero, negative ones, none, large ones, and NumPy's integers.

A target may refuse a seed with an exception. What it answers has to be of the law, the same again
for the same seed, and the same for an integer of NumPy as for that of Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution
from ..cell import Cell
from ..drawing import checked
from ..finding import Finding
from ..targets.target import Unjudged
from . import fixed
from .coupling import FEW

Array = NDArray[Any]

#: Seeds that have to give the same again: zero, which some take for none, and those beyond.
_AGAIN = (0, -1, 2**31, 2**32, 2**63, 2**64 + 1)

#: Seeds of 32 bits, which all samplers tell from the smaller ones.
_LARGE = (2**31, 2**31 + 1, 2**32 - 1)

#: Seeds that many take in place of one that they hold for none.
_USUAL = (42, 123, 1234)

#: Integers of NumPy, each with its neighbour of Python.
_NUMPY = (np.int64(7), np.int32(7), np.uint32(7))


def problems(cell: Cell, law: Distribution, values: Array) -> list[str]:
    """What is wrong with the draws of seeds at the edges, a sentence for each.

    What ``values``, drawn with a usual seed, are wrong in as well is no matter of the seed.
    """
    if cell.target.ignores_seed or cell.target.seed_as == "nothing":
        return []
    is_integer = cell.target.seed_as == "integer"
    usual = _drawn(cell, 7)
    is_right = not (_of_law(cell, law, 7, usual) or _wrong(cell, law, values))
    wrong = []
    for seed in _AGAIN if is_integer else (0,):
        first, again = _drawn(cell, seed), _drawn(cell, seed)
        if first is not None and again is not None and not np.array_equal(first, again):
            wrong.append(f"the seed {seed} gave other values the second time")
        wrong += _of_law(cell, law, seed, first) if is_right else []
    if not is_integer:
        return wrong
    wrong += _of_law(cell, law, None, _drawn(cell, None)) if is_right else []
    for number in _NUMPY:
        drawn = _drawn(cell, number)
        if drawn is not None and usual is not None and not np.array_equal(drawn, usual):
            wrong.append(f"the seed {number!r} gave other values than 7")
    return wrong


def large(cell: Cell) -> dict[int, bytes]:
    """Draws of large seeds, and of usual ones, where the target takes integers of any size."""
    if cell.target.seed_as != "integer":
        return {}
    drawn = {seed: _drawn(cell, seed) for seed in (*_LARGE, *_USUAL)}
    return {
        seed: checked(values, cell.shape, cell.dtype).tobytes()
        for seed, values in drawn.items()
        if values is not None
    }


def _drawn(cell: Cell, seed: Any) -> Array | None:
    """A draw; None where the target refuses the seed."""
    try:
        return np.asarray(cell.target.draw(cell.shape, dtype=cell.dtype, seed=seed))
    except Exception:
        return None


def _of_law(cell: Cell, law: Distribution, seed: Any, drawn: Array | None) -> list[str]:
    """What shows in one draw that it is none of the law's."""
    if drawn is None:
        return []
    try:
        values = checked(drawn, cell.shape, cell.dtype)
    except Unjudged as problem:
        return [f"with the seed {seed}: {problem}"]
    return [f"with the seed {seed}: {note}" for note in _wrong(cell, law, values)]


def _wrong(cell: Cell, law: Distribution, values: Array) -> list[str]:
    """What is wrong with one tensor, whatever the chance."""
    findings: list[Finding] = list(fixed.battery(cell, law, values))
    notes = [item.note or item.test for item in findings if not item.p]
    is_spread = law.elementwise and law.std > 0 and values.size >= FEW
    if is_spread and np.unique(values).size == 1:
        notes.append(f"all values are {values.flat[0]:g}")
    return notes
