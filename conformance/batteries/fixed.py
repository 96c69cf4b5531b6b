"""What is not random in a tensor: constants, bounds, orthogonality, the number of zeros."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.cpu import laws as host_laws
from ...spec.distribution import Constant, Distribution
from ...spec.tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil
from ...stream import dtypes
from ..cell import Cell
from ..drawing import FIXED, canonical
from ..finding import Finding, certain
from ..probability.complex_law import PARTS, Modulus
from . import marginal, orthogonal

Array = NDArray[Any]


def is_fixed(law: Distribution) -> bool:
    """Whether a law leaves nothing to chance."""
    return isinstance(law, FIXED) or law.std == 0


def exactly(law: Distribution, cell: Cell, values: Array) -> Finding:
    """Fixed numbers are fixed: every value is the one that the law puts in its place."""
    dtype = PARTS.get(cell.dtype, cell.dtype)
    expected = host_laws.array(law, cell.shape, key=(0, 0), layout=cell.layout, dtype=dtype)
    wrong = int(np.count_nonzero(values != dtypes.widened(expected)))
    return Finding("exact", wrong, 0.0 if wrong else 1.0, f"{wrong} values differ" if wrong else "")


def battery(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """What holds for one tensor of a law, whatever was drawn."""
    if is_fixed(law):
        numbers = law if isinstance(law, (Stencil, Given)) else Constant(law.mean)
        yield exactly(numbers, cell, values[None])
    elif isinstance(law, Orthogonal):
        flat = canonical(values[None], cell).reshape(-1, law.rows, law.columns) / law.gain
        tall = flat if law.rows >= law.columns else flat.swapaxes(1, 2)
        yield from orthogonal.identity(tall, cell.dtype)
    elif isinstance(law, DeltaOrthogonal):
        flat = canonical(values[None], cell).reshape(-1, law.taps, law.rows, law.columns)
        middle = flat[:, law.middle].swapaxes(1, 2) / law.gain  # no more rows than columns
        wrong = int(np.count_nonzero(np.delete(flat, law.middle, axis=1)))
        yield certain("taps", wrong, f"{wrong} values beside the middle tap are not zero")
        yield from orthogonal.identity(middle, cell.dtype)
    elif isinstance(law, Sparse):
        flat = canonical(values[None], cell).reshape(-1, law.rows, law.columns)
        missing = int(np.maximum(law.zeros - (flat == 0).sum(axis=law.axis), 0).sum())
        yield certain("zeros", missing, f"{missing} zeros too few")
    elif isinstance(law, Modulus):
        squares = law.squares(values.reshape(-1), cell.dtype)
        yield marginal.support(squares, law, cell.dtype)._replace(test="modulus.support")
    else:
        flat = values.reshape(-1)
        yield marginal.support(flat, law, cell.dtype, portable=cell.is_portable)
