"""Types: a narrow one holds the same numbers, rounded; a wide one is no narrow one, widened."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution, TruncatedNormal
from ...stream import dtypes
from ..cell import Cell
from ..drawing import draw_one
from ..finding import Finding, certain, not_applicable
from ..probability.complex_law import PARTS
from .coupling import FEW

Array = NDArray[Any]


def types(cell: Cell, law: Distribution, values: Array) -> Finding:
    """A narrow type holds the float32 numbers, rounded: so it must if many of them agree."""
    if cell.dtype in ("float32", *PARTS):
        return not_applicable("types", "float32 is what the others are held against")
    try:
        float32 = draw_one(cell, cell.shape, "float32", cell.seed)
    except Exception as error:
        return not_applicable("types", f"no float32 of this target: {error}")
    if cell.dtype == "float64":
        # The portable stream has numbers of 24 bits by its definition, in every type.
        if not cell.is_portable and law.elementwise and law.std > 0 and values.size >= FEW:
            how = _widened(values, law)
            if how:
                note = f"its float64 values are float32 numbers, widened{how}"
                return certain("types", values.size, note)
        if not cell.is_portable:
            return not_applicable("types", "float64 is drawn from more bits")
        size = abs(law.mean) if math.isfinite(law.mean) else 0.0
        least = max(size, float(np.abs(values).max(initial=0.0)), 1e-300) * 2.0**-21
        wrong = int(np.count_nonzero(np.abs(float32 - values) > least))
        return certain("types", wrong, f"{wrong} values are not near the float32 ones")
    same = dtypes.widened(dtypes.rounded(float32.astype(np.float32), cell.dtype)) == values
    share = float(same.mean()) if same.size else 1.0
    if not cell.is_portable and share < 0.25:  # of other bits no more than a hundredth agrees
        return not_applicable("types", f"{cell.dtype} is drawn from other bits than float32")
    wrong = int(np.count_nonzero(~same))
    return certain("types", wrong, f"{wrong} values are not the float32 ones, rounded to nearest")


def _widened(values: Array, law: Distribution) -> str:
    """How float64 values are those of float32: as they are, or before a scale; else nothing.

    A number of 53 bits is so near to one of 24 with a chance of ``2**-25``.
    """
    low, high = law.support
    scales = [(0.0, 1.0, " as they are"), (law.mean, law.std, ", then scaled")]
    scales += [(law.mean, law.sigma, ", then scaled")] if isinstance(law, TruncatedNormal) else []
    if math.isfinite(high - low):
        scales += [
            (low, high - low, ", then scaled"),
            (law.mean, (high - low) / 2, ", then scaled"),
        ]
    for middle, scale, how in scales:
        if not 0 < scale < math.inf or not math.isfinite(middle):
            continue
        numbers = (values - middle) / scale
        # A number near the middle has lost digits of its own in the difference.
        error = 2.0**-50 * (np.abs(numbers) + abs(middle) / scale)
        narrow = np.abs(numbers.astype(np.float32) - numbers) <= error
        told = error < 2.0**-27 * np.abs(numbers)
        if told.mean() > 0.5 and narrow[told].mean() > 0.9:
            return how
    return ""
