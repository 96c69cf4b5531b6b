# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-def, untyped-decorator"
"""The portable stream as one Triton kernel: a CUDA tensor is written once, and nothing read.

What a launch must know (the key, the law, the axes) is one small vector of int64, so that no
number of it is compiled in: there is one program for each kind of law, dtype and count of axes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import triton
import triton.language as tl
from torch import Tensor

from ... import stream
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block
from ..cpu.walk import axes

BLOCK = 1024
_KINDS = {"uniform": 0, "normal": 1, "truncated": 2}
_PARITY = tl.constexpr(stream.PARITY)
_HEAD = 12  # numbers before the axes, of three each


@triton.jit
def _mixed(x0, x1, r0: tl.constexpr, r1: tl.constexpr, r2: tl.constexpr, r3: tl.constexpr):
    """Four rounds of Threefry."""
    x0 += x1
    x1 = ((x1 << r0) | (x1 >> (32 - r0))) ^ x0
    x0 += x1
    x1 = ((x1 << r1) | (x1 >> (32 - r1))) ^ x0
    x0 += x1
    x1 = ((x1 << r2) | (x1 >> (32 - r2))) ^ x0
    x0 += x1
    x1 = ((x1 << r3) | (x1 >> (32 - r3))) ^ x0
    return x0, x1


@triton.jit
def _word(index, k0, k1):
    k2 = k0 ^ k1 ^ _PARITY
    x0 = (index >> 32).to(tl.uint32) + k0
    x1 = index.to(tl.uint32) + k1
    x0, x1 = _mixed(x0, x1, 13, 15, 26, 6)
    x0, x1 = x0 + k1, x1 + (k2 + 1)
    x0, x1 = _mixed(x0, x1, 17, 29, 16, 24)
    x0, x1 = x0 + k2, x1 + (k0 + 2)
    x0, x1 = _mixed(x0, x1, 13, 15, 26, 6)
    x0, x1 = x0 + k0, x1 + (k1 + 3)
    x0, x1 = _mixed(x0, x1, 17, 29, 16, 24)
    x0, x1 = x0 + k1, x1 + (k2 + 4)
    x0, x1 = _mixed(x0, x1, 13, 15, 26, 6)
    x0, x1 = x0 + k2, x1 + (k0 + 5)
    return x0 ^ x1


@triton.jit
def _quantile(word, chords, mask):
    positive = word > 0x7FFFFFFF
    tail = tl.where(positive, word ^ 0xFFFFFFFF, word) | 1
    bits = tail.to(tl.int32).to(tl.float32).to(tl.uint32, bitcast=True)
    row = chords + 2 * ((bits >> 15).to(tl.int32) - (127 << 8))
    c0 = tl.load(row, mask=mask, other=0)
    c1 = tl.load(row + 1, mask=mask, other=0).to(tl.uint32)
    quantile = c0 - ((c1 * (bits & 0x7FFF)) >> 12).to(tl.int32)
    return tl.where(positive, quantile, -quantile)


@triton.jit
def _fill(
    out,
    numbers,
    chords,
    RANK: tl.constexpr,  # noqa: N803
    KIND: tl.constexpr,  # noqa: N803
    SHIFTED: tl.constexpr,  # noqa: N803
    TINY: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    size = tl.load(numbers)
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    mask = place < size
    where = tl.load(numbers + 1) + tl.zeros((BLOCK,), tl.int64)
    index = tl.load(numbers + 2) + tl.zeros((BLOCK,), tl.int64)
    left = place
    for axis in tl.static_range(RANK):  # innermost first
        count = tl.load(numbers + 12 + 3 * axis)
        here = left % count
        left = left // count
        where += here * tl.load(numbers + 13 + 3 * axis)
        index += here * tl.load(numbers + 14 + 3 * axis)
    k0 = tl.load(numbers + 3).to(tl.uint32)
    k1 = tl.load(numbers + 4).to(tl.uint32)
    word = _word(index.to(tl.uint64), k0, k1)
    if KIND == 0:
        integer = ((word >> 8) * 2).to(tl.int32) - 0xFFFFFF
    elif KIND == 1:
        integer = _quantile(word, chords, mask)
    else:
        first = tl.load(numbers + 5).to(tl.uint32)
        mapped = (word.to(tl.uint64) * tl.load(numbers + 6).to(tl.uint64)) >> 32
        integer = _quantile(first + mapped.to(tl.uint32), chords, mask)
        lowest, highest = tl.load(numbers + 7).to(tl.int32), tl.load(numbers + 8).to(tl.int32)
        integer = tl.minimum(tl.maximum(integer, lowest), highest)
    if out.dtype.element_ty == tl.float64:
        scale = tl.load(numbers + 9).to(tl.float64, bitcast=True)
        shift = tl.load(numbers + 10).to(tl.float64, bitcast=True)
        bound = tl.load(numbers + 11).to(tl.float64, bitcast=True)
        value = integer.to(tl.float64) * scale
    else:
        scale = tl.load(numbers + 9).to(tl.int32).to(tl.float32, bitcast=True)
        shift = tl.load(numbers + 10).to(tl.int32).to(tl.float32, bitcast=True)
        bound = tl.load(numbers + 11).to(tl.int32).to(tl.float32, bitcast=True)
        value = integer.to(tl.float32) * scale
    if TINY:
        value = value * 5.421010862427522e-20  # 2**-64: see Draw.after
    if SHIFTED:
        # Two roundings: see Draw.bound.
        value = tl.minimum(value, bound) + shift
    if out.dtype.element_ty == tl.bfloat16:  # to nearest even, also where Triton is interpreted
        bits = value.to(tl.uint32, bitcast=True)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        tl.store(out + where, bits.to(tl.uint16).to(tl.bfloat16, bitcast=True), mask=mask)
    else:
        tl.store(out + where, value.to(out.dtype.element_ty), mask=mask)


@lru_cache(maxsize=16)
def _chords(device: torch.device) -> Tensor:
    """Both columns of the quantile table, side by side."""
    c0, c1 = stream.table()
    return torch.from_numpy(np.stack([c0, c1.view(np.int32)], axis=1)).to(device)


def fill(out: Tensor, blocks: tuple[Block, ...], key: stream.Key, draw: Draw) -> None:
    """Fill ``out``, a window of a tensor, with the numbers of ``draw``.

    ``blocks`` are those of :func:`initspec.stream.canonical_order.blocks`.
    """
    kind = _KINDS["truncated" if draw.truncated else draw.kind]
    draw = draw.in_type("float64" if out.dtype == torch.float64 else "float32")
    for block in blocks:
        view = out[block.part].view(block.shape)
        if view.numel():
            numbers = torch.tensor(_numbers(view, block, key, draw)).to(out.device)
            _fill[(triton.cdiv(view.numel(), BLOCK),)](
                view, numbers, _chords(out.device),
                RANK=(len(numbers) - _HEAD) // 3, KIND=kind, SHIFTED=draw.shift != 0,
                TINY=draw.after != 1, BLOCK=BLOCK,
                enable_fp_fusion=False,
            )  # fmt: skip


def _numbers(view: Tensor, block: Block, key: stream.Key, draw: Draw) -> list[int]:
    skip, base, merged = axes(block.shape, tuple(view.stride()), block.strides)
    wide = view.dtype == torch.float64
    kind, bits = (np.float64, np.int64) if wide else (np.float32, np.int32)
    law = [int(kind(x).view(bits)) for x in (draw.scale, draw.shift, draw.bound)]
    head = [view.numel(), skip, block.base + base, *key, draw.first, draw.count]
    tail = [number for axis in reversed(merged) for number in axis]
    return [
        (number + 2**63) % 2**64 - 2**63
        for number in (*head, draw.lowest, draw.highest, *law, *tail)
    ]
