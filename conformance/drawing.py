"""Drawing the tensors of a cell, and checking what comes back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..spec.distribution import Constant, Distribution
from ..spec.fan_rules import Shape
from ..spec.tensor_laws import Given, Sparse, Stencil
from ..stream.canonical_order import digits
from .design import DRAWS, replicates
from .finding import Finding
from .probability.complex_law import PARTS
from .probability.own_law import Own
from .report.record import ERROR
from .targets.target import Unjudged

if TYPE_CHECKING:
    from .cell import Cell

Array = NDArray[Any]


#: Laws without chance.
FIXED = (Constant, Stencil, Given)


def draw_all(cell: Cell, seed: int) -> Array:
    """Replicates of the tensor, each with a seed of its own; checked for what they are."""
    target = cell.target
    once = getattr(target, "once", False)  # an array is one tensor
    law = cell.law
    share = 1 - law.share if isinstance(law, Sparse) and cell.tier != "exact" else 1.0
    wanted = DRAWS[cell.tier] if share in (0.0, 1.0) else math.ceil(DRAWS[cell.tier] / share)
    if isinstance(law, Own) and not law.problem and cell.tier != "exact":
        wanted = math.ceil(DRAWS[cell.tier] * law.effort)
    if isinstance(law, FIXED):  # a few seeds show that none matters
        wanted = min(wanted, 8 * max(math.prod(cell.shape), 1))
    count = 1 if once else replicates(cell.shape, wanted)
    seeds = [(seed + replicate) % 2**31 for replicate in range(count)]
    many = getattr(target, "draw_many", None)
    drawn: Iterable[Any] = (
        many(cell.shape, dtype=cell.dtype, seeds=seeds)
        if many
        else (target.draw(cell.shape, dtype=cell.dtype, seed=one) for one in seeds)
    )
    found = np.empty((count, *cell.shape), np.complex128 if cell.dtype in PARTS else np.float64)
    for replicate, tensor in enumerate(drawn):
        found[replicate] = checked(tensor, cell.shape, cell.dtype)
    return found


def checked(drawn: Any, shape: Shape, dtype: str) -> Array:
    """The tensor as float64 or complex128; a wrong shape or type, NaN or infinity is an error."""
    array = np.asarray(drawn)
    if array.shape != shape:
        raise Unjudged(ERROR, f"asked for the shape {shape}, the target answered {array.shape}")
    held = array.dtype.name
    if held != dtype:
        raise Unjudged(ERROR, f"asked for {dtype}, the target answered {held}")
    values = array.astype(np.complex128 if dtype in PARTS else np.float64)
    wrong = int(np.count_nonzero(~np.isfinite(values)))
    if wrong:
        raise Unjudged(ERROR, f"{wrong} of {values.size} values are NaN or infinite")
    return values


def exactly(law: Distribution, cell: Cell, values: Array) -> Finding:
    """Fixed numbers are fixed: every value is the one that the law puts in its place."""
    from ..backends.cpu import laws as host_laws
    from ..stream import dtypes

    dtype = PARTS.get(cell.dtype, cell.dtype)
    wanted = host_laws.array(law, cell.shape, key=(0, 0), layout=cell.layout, dtype=dtype)
    wrong = int(np.count_nonzero(values != dtypes.widened(wanted)))
    return Finding("exact", wrong, 0.0 if wrong else 1.0, f"{wrong} values differ" if wrong else "")


def canonical(values: Array, cell: Cell) -> Array:
    """Replicates in canonical order, flat: the order in which rows and columns are defined."""
    count = values.shape[0]
    index = np.zeros(cell.shape, np.int64)
    for axis, parts in enumerate(digits(cell.shape, cell.layout)):
        along = np.zeros(cell.shape[axis], np.int64)
        rest = np.arange(cell.shape[axis])
        for digit in reversed(parts):
            rest, here = np.divmod(rest, max(digit.size, 1))
            along += here * digit.stride
        index += along.reshape([-1 if a == axis else 1 for a in range(len(cell.shape))])
    found = np.empty((count, index.size))
    found[:, index.ravel()] = values.reshape(count, -1)
    return found


def draw_one(cell: Cell, shape: Shape, dtype: str, seed: int) -> Array:
    from .drawing import checked

    return checked(cell.target.draw(shape, dtype=dtype, seed=seed), shape, dtype)
