"""The walk through memory: a block of a tensor, cut into rows.

A block is walked in the order of the memory, whatever its layout: axes that are affine together
are merged, the rest is cut into rows of one shape, so that one small table of offsets serves
every row.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...spec.fan_rules import Shape
from ...stream.canonical_order import Block

_WRAP = 2**64


class Axis(NamedTuple):
    """``size`` elements, ``step`` bytes apart in memory and ``stride`` apart in the index."""

    size: int
    step: int
    stride: int


class Rows(NamedTuple):
    """A block cut into ``total`` rows, one for each coordinate of the ``outer`` axes.

    A row has ``length`` elements, or ``last`` at the end of the innermost outer axis; element
    ``c`` has the index of its row plus ``index_offsets(inner)[c]``, at most ``span`` where that
    is below ``2**32``. ``skip`` bytes and ``base`` indices lead from the block's first element to
    that of the first row.
    """

    skip: int
    base: int
    outer: tuple[Axis, ...]
    inner: tuple[Axis, ...]
    total: int
    length: int
    last: int
    contiguous: bool
    span: int


def axes(shape: Shape, steps: Shape, strides: Shape) -> tuple[int, int, tuple[Axis, ...]]:
    """What leads to the first element in memory, in bytes and in the index; the axes from there.

    They are in the order of memory, outermost first, all steps positive, merged where two are
    affine as one.
    """
    skip = base = 0
    rising: list[Axis] = []
    for size, step, stride in zip(shape, steps, strides, strict=True):
        if size > 1:
            if step < 0:
                skip, base = skip + (size - 1) * step, base + (size - 1) * stride
                step, stride = -step, -stride
            rising.append(Axis(size, step, stride % _WRAP))
    merged: list[Axis] = []
    for axis in sorted(rising, key=lambda axis: -axis.step):
        size, step, stride = axis
        if merged and merged[-1][1:] == (size * step, size * stride % _WRAP):
            merged[-1] = Axis(merged[-1].size * size, step, stride)
        else:
            merged.append(axis)
    return skip, base % _WRAP, tuple(merged)


def rows(shape: Shape, steps: Shape, strides: Shape, itemsize: int, most: int, enough: int) -> Rows:
    """Cut a block into rows of at most ``most`` elements.

    ``steps`` are the strides of the array in bytes, ``strides`` those of the index. A row is
    contiguous in memory, unless it would have fewer than ``enough`` elements.
    """
    skip, base, left = axes(shape, steps, strides)
    outer, inner = list(left or (Axis(1, itemsize, 0),)), list[Axis]()
    length, contiguous = 1, True
    last = 0
    while outer and not last:
        size, step, stride = outer[-1]
        adjoins = step == length * itemsize
        part = most // length
        if part < 2 or (not adjoins and length >= enough):
            break
        outer.pop()
        contiguous &= adjoins
        if size > part:
            pieces = -(-size // part)
            last = length * (size - (pieces - 1) * part)
            outer.append(Axis(pieces, step * part, stride * part % _WRAP))
            size = part
        inner.insert(0, Axis(size, step, stride))
        length *= size
    span = min(sum((axis.size - 1) * axis.stride for axis in inner), 2**32)
    return Rows(
        skip, base, tuple(outer), tuple(inner), math.prod(axis.size for axis in outer),
        length, last or length, contiguous, span,
    )  # fmt: skip


def index_offsets(inner: tuple[Axis, ...]) -> NDArray[np.uint64]:
    """What each element of a row adds to the row's index."""
    return _grid([axis.size for axis in inner], [axis.stride for axis in inner])


def memory_offsets(inner: tuple[Axis, ...]) -> NDArray[np.int64]:
    """How many bytes into its row each element lies."""
    return _grid([axis.size for axis in inner], [axis.step for axis in inner]).astype(np.int64)


def _grid(sizes: list[int], strides: list[int]) -> NDArray[np.uint64]:
    offsets = np.zeros(1, np.uint64)
    for size, stride in zip(sizes, strides, strict=True):
        along = np.arange(size, dtype=np.uint64) * np.uint64(stride)
        offsets = np.add.outer(offsets, along).ravel()
    return offsets


def views(out: NDArray[Any], blocks: tuple[Block, ...]) -> list[tuple[NDArray[Any], Block]]:
    """The blocks that have an element, each with its part of ``out`` in its own shape."""
    if not out.size:
        return []
    return [
        (out if block.shape == out.shape else out[block.part].reshape(block.shape), block)
        for block in blocks
    ]
