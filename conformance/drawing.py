"""Drawing the tensors of a cell, and checking what comes back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spec.distribution import Constant
from ..spec.fan_rules import Shape
from ..spec.tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil
from ..stream.canonical_order import digits
from .cell import Cell
from .design import DRAWS, MATRICES, MOST, replicates
from .probability.complex_law import PARTS
from .probability.own_law import Own
from .report.record import ERROR
from .targets.raised import other_shape
from .targets.target import Unjudged

Array = NDArray[Any]

#: Laws without chance.
FIXED = (Constant, Stencil, Given)
#: Laws of whole matrices, of which each matrix is a single draw.
WHOLE = (Orthogonal, DeltaOrthogonal)


def draw_all(cell: Cell, seed: int) -> Array:
    """Replicates of the tensor, each with a seed of its own; checked for what they are."""
    count = 1 if cell.target.ignores_seed else _replicates(cell)
    seeds = [(seed + replicate) % 2**31 for replicate in range(count)]
    tensors = cell.target.draw_many(cell.shape, dtype=cell.dtype, seeds=seeds)
    values = np.empty((count, *cell.shape), np.complex128 if cell.dtype in PARTS else np.float64)
    for replicate, tensor in enumerate(tensors):
        values[replicate] = checked(tensor, cell.shape, cell.dtype)
    return values


def _replicates(cell: Cell) -> int:
    """How many tensors hold the values that a cell needs, and the matrices."""
    count, law = replicates(cell.shape, _wanted(cell)), cell.law
    if cell.tier == "exact" or not isinstance(law, WHOLE):
        return count
    least = -(-MATRICES // max(law.count, 1))
    return max(count, least) if least * math.prod(cell.shape) <= MOST else count


def _wanted(cell: Cell) -> int:
    """How many values a cell needs: zeros say nothing, and some laws need more than others."""
    law, wanted = cell.law, DRAWS[cell.tier]
    if isinstance(law, FIXED):  # a few seeds show that none matters
        return min(wanted, 8 * max(math.prod(cell.shape), 1))
    if cell.tier == "exact":
        return wanted
    if isinstance(law, Sparse) and law.share < 1:
        return math.ceil(wanted / (1 - law.share))
    if isinstance(law, Own) and not law.problem:
        return math.ceil(wanted * law.effort)
    return wanted


def draw_one(cell: Cell, shape: Shape, dtype: str, seed: int) -> Array:
    """One tensor of the cell's target; checked for what it is."""
    return checked(cell.target.draw(shape, dtype=dtype, seed=seed), shape, dtype)


def checked(drawn: Any, shape: Shape, dtype: str) -> Array:
    """The tensor as float64 or complex128.

    Raises :class:`Unjudged` for a wrong shape or type, and for NaN and infinities.
    """
    array = np.asarray(drawn)
    if array.shape != shape:
        raise Unjudged(ERROR, other_shape(shape, array.shape))
    if array.dtype.name != dtype:
        raise Unjudged(ERROR, f"asked for {dtype}, the target answered {array.dtype.name}")
    values = array.astype(np.complex128 if dtype in PARTS else np.float64)
    wrong = int(np.count_nonzero(~np.isfinite(values)))
    if wrong:
        nans = int(np.count_nonzero(np.isnan(values)))
        kinds = f"{nans} NaN, {wrong - nans} infinite"
        raise Unjudged(ERROR, f"{wrong} of {values.size} values are NaN or infinite ({kinds})")
    return values


def canonical(values: Array, cell: Cell) -> Array:
    """Replicates in canonical order, flat: the order in which rows and columns are defined."""
    index = np.zeros(cell.shape, np.int64)
    for axis, parts in enumerate(digits(cell.shape, cell.layout)):
        along = np.zeros(cell.shape[axis], np.int64)
        rest = np.arange(cell.shape[axis])
        for digit in reversed(parts):
            rest, here = np.divmod(rest, max(digit.size, 1))
            along += here * digit.stride
        index += along.reshape([-1 if a == axis else 1 for a in range(len(cell.shape))])
    ordered = np.empty((values.shape[0], index.size))
    ordered[:, index.ravel()] = values.reshape(values.shape[0], -1)
    return ordered
