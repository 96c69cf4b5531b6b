"""Types: a narrow one holds the same numbers, rounded; a wide one is no narrow one, widened."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution
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
        narrow = int(np.count_nonzero(values.astype(np.float32) == values))
        if law.elementwise and law.std > 0 and values.size >= FEW and narrow == values.size:
            return certain("types", narrow, "its float64 values are float32 numbers, widened")
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
