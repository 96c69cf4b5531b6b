"""Fits of whole tensors: constants, stencils, orthogonal and sparse matrices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spec.distribution import Constant, Distribution, Normal
from ..spec.fan_rules import Shape
from ..spec.layout import Layout
from ..spec.tensor_laws import DeltaOrthogonal, Orthogonal, Sparse, Stencil
from ..stream.canonical_order import blocks
from ..stream.dtypes import ROUNDING
from .goodness_of_fit import ALPHA, refusal
from .sample import Sample

Array = NDArray[Any]


def holds(law: Distribution, sample: Sample, layout: Layout, alpha: float = ALPHA) -> bool:
    """Whether a tensor is what a constant law, or a law of a whole tensor, makes.

    Orthogonality, places and fixed numbers are compared to the rounding of the type; a random
    tensor meets them with a probability of nearly zero. What they leave random is tested as single
    elements are.
    """
    if isinstance(law, Constant):
        return max(abs(sample.low - law.value), abs(sample.high - law.value)) <= sample.slack(
            law.value
        )
    shape = sample.values.shape
    if isinstance(law, Stencil):
        return _matches(law, sample, layout)
    if isinstance(law, Orthogonal):
        parts = canonical(sample.values, shape, layout).reshape(law.count, law.rows, law.columns)
        return _orthogonal(parts, law.gain, sample.dtype)
    if isinstance(law, DeltaOrthogonal):
        taps = canonical(sample.values, shape, layout)
        taps = taps.reshape(law.count, law.taps, law.rows, law.columns)
        middle = taps[:, law.middle]
        alone = np.count_nonzero(taps) == np.count_nonzero(middle)
        return bool(alone) and _orthogonal(middle, law.gain, sample.dtype)
    if isinstance(law, Sparse):
        return _sparse(law, sample, layout, alpha)
    return False


def canonical(values: Array, shape: Shape, layout: Layout) -> Array:
    """The numbers of a tensor in one row, in the stream's canonical order."""
    flat = np.empty(values.size, values.dtype)
    for block in blocks(shape, layout):
        strides = tuple(stride * flat.itemsize for stride in block.strides)
        part = np.lib.stride_tricks.as_strided(flat[block.base :], block.shape, strides)
        part[...] = values[block.part].reshape(block.shape)
    return flat


def _matches(law: Stencil, sample: Sample, layout: Layout) -> bool:
    from ..backends.cpu import laws as host_laws

    shape = sample.values.shape
    if abs(sample.high - law.support[1]) > sample.slack(law.support[1]):
        return False  # without drawing it
    exact = host_laws.array(law, shape, key=(0, 0), layout=layout, dtype="float64")
    relative, least = ROUNDING[sample.dtype]
    slack = np.abs(exact) * (2.0**-20 + 2 * relative) + least
    return bool(np.all(np.abs(sample.values - exact) <= slack))


def gain(sample: Sample, law: Orthogonal) -> float:
    """The gain at which a tensor's matrices would be orthogonal: the root of their mean square."""
    return math.sqrt(sample.square(0.0) * max(law.rows, law.columns))


def _orthogonal(parts: Array, gain: float, dtype: str) -> bool:
    """Gram's matrix of the shorter side is the identity, times the square of the gain."""
    _, rows, columns = parts.shape
    if min(rows, columns) == 0 or gain == 0:
        return False
    tall = parts if rows >= columns else parts.swapaxes(1, 2)
    close = 3e-5 + 12 * ROUNDING[dtype][0] / math.sqrt(max(rows, columns))
    for most in (8, None):  # a few columns refuse most matrices
        columns_of = tall[:, :, :most] / gain
        gram = columns_of.swapaxes(1, 2) @ columns_of
        if np.abs(gram - np.eye(gram.shape[2])).max() > close:
            return False
    return True


def _sparse(law: Sparse, sample: Sample, layout: Layout, alpha: float) -> bool:
    if not 0 < law.zeros < law.length:
        return False
    parts = canonical(sample.values, sample.values.shape, layout)
    parts = parts.reshape(law.count, law.rows, law.columns)
    if np.any(np.count_nonzero(parts == 0, axis=law.axis) != law.zeros):
        return False
    rest = Sample(parts[parts != 0], sample.dtype)
    return refusal(Normal(0.0, law.sigma), rest, alpha) is None


def zeros_of_lines(law: Sparse, sample: Sample, layout: Layout) -> int | None:
    """How many zeros each column has, or each row as the law counts, where all have as many."""
    parts = canonical(sample.values, sample.values.shape, layout)
    parts = parts.reshape(law.count, law.rows, law.columns)
    counts = np.unique(np.count_nonzero(parts == 0, axis=law.axis))
    return int(counts[0]) if counts.size == 1 else None


def stacked(sample: Sample, laws: Iterable[Distribution]) -> bool:
    """Whether an orthogonal matrix is several of them, one below the other, as gates' are.

    The columns of a tall matrix are then orthogonal, too; but blocks of one that was drawn as a
    whole are not.
    """
    haar = any(isinstance(law, Orthogonal) and law.count == 1 for law in laws)
    values = sample.values
    if not haar or values.ndim != 2 or values.shape[0] == values.shape[1]:
        return False
    tall = values if values.shape[0] > values.shape[1] else values.T
    for count in (2, 3, 4):
        rows = tall.shape[0] // count
        if tall.shape[0] % count == 0 and min(rows, tall.shape[1]) > 1:
            parts = tall.reshape(count, rows, -1)
            scale = math.sqrt(sample.square(0.0) * max(parts.shape[1:]))
            if _orthogonal(parts, scale, sample.dtype):
                return True
    return False
