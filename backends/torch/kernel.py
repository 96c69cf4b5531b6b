"""The portable stream in PyTorch's own integer operations, on any device.

For tensors that are neither on a CPU nor where Triton runs. Words are held in int64, whose 32 high
bits are masked off: no overflow, and no unsigned type, which a device may lack.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ... import stream
from ...spec.fan_rules import Shape
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block

#: Elements drawn at a time: eight intermediate tensors of int64 take 4 MiB.
MOST = 2**16

_MASK = 2**32 - 1


def words(key: stream.Key, shape: Shape, strides: Shape, base: int, device: torch.device) -> Tensor:
    """The words of an affine block, in int64."""
    index: Any = _signed(base)
    for axis, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        places = torch.arange(size, dtype=torch.int64, device=device) * _signed(stride)
        index = index + places.view((size,) + (1,) * (len(shape) - axis - 1))
    if not shape:
        index = torch.full((), index, dtype=torch.int64, device=device)
    x0, x1 = stream.threefry2x32(key, (index >> 32) & _MASK, index & _MASK)
    return x0 ^ x1  # type: ignore[no-any-return]


def numbers(word: Tensor, draw: Draw, dtype: torch.dtype, table: tuple[Tensor, Tensor]) -> Tensor:
    """The numbers of a law, from words."""
    kind = torch.float64 if dtype == torch.float64 else torch.float32
    draw = draw.in_type("float64" if kind == torch.float64 else "float32")
    value = _integer(word, draw, table).to(torch.int32).to(kind) * _rounded(draw.scale, kind)
    if draw.after != 1:
        value = value * draw.after
    if draw.shift:
        value = torch.clamp(value, max=_rounded(draw.bound, kind))  # two roundings: Draw.bound
        value = value + _rounded(draw.shift, kind)
    return value.to(dtype)


def _integer(word: Tensor, draw: Draw, table: tuple[Tensor, Tensor]) -> Tensor:
    if draw.kind == "uniform":
        return 2 * (word >> 8) - (2**24 - 1)
    if not draw.truncated:
        return _quantile(word, table)
    # word * count >> 32, in two halves so that no product leaves 63 bits.
    low = (word & 0xFFFF) * draw.count >> 16
    word = draw.first + ((word >> 16) * draw.count + low >> 16)
    return torch.clamp(_quantile(word, table), draw.lowest, draw.highest)


def _quantile(word: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    c0, c1 = table
    positive = word > 0x7FFFFFFF
    tail = torch.where(positive, _MASK - word, word) | 1
    bits = tail.to(torch.int32).to(torch.float32).view(torch.int32).to(torch.int64)
    chord = (bits >> 15) - (127 << 8)
    quantile = c0[chord] - (c1[chord] * (bits & 0x7FFF) >> 12)
    return torch.where(positive, quantile, -quantile)


@lru_cache(maxsize=16)
def table(device: torch.device) -> tuple[Tensor, Tensor]:
    """The quantile table on a device."""
    c0, c1 = stream.table()
    return (
        torch.tensor(c0, dtype=torch.int64, device=device),
        torch.tensor(c1.astype("int64"), dtype=torch.int64, device=device),
    )


def fill(out: Tensor, blocks: tuple[Block, ...], key: stream.Key, draw: Draw) -> None:
    """Fill ``out``, a window of a tensor, with the numbers of ``draw``, a piece at a time.

    ``blocks`` are those of :func:`initspec.stream.canonical_order.blocks`.
    """
    chords = table(out.device)
    for block in blocks:
        view = out[block.part].view(block.shape)
        for piece, shape, base in _pieces(view, block.shape, block.strides, block.base):
            word = words(key, shape, block.strides, base, out.device)
            piece.copy_(numbers(word, draw, out.dtype, chords))


def _pieces(
    view: Tensor, shape: Shape, strides: Shape, base: int
) -> Iterator[tuple[Tensor, Shape, int]]:
    """A block in pieces of at most ``MOST`` elements."""
    if view.numel() <= MOST:
        if view.numel():
            yield view, shape, base
        return
    axis = max(range(len(shape)), key=lambda axis: shape[axis])
    half = shape[axis] // 2
    for start, size in ((0, half), (half, shape[axis] - half)):
        part = (*shape[:axis], size, *shape[axis + 1 :])
        piece = view.narrow(axis, start, size)
        yield from _pieces(piece, part, strides, base + start * strides[axis])


def _rounded(number: float, kind: torch.dtype) -> float:
    import numpy as np

    return number if kind == torch.float64 else float(np.float32(number))


def _signed(number: int) -> int:
    """The int64 with the bits of an unsigned one."""
    return (number + 2**63) % 2**64 - 2**63
