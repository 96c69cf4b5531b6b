"""The portable stream on the CPU in NumPy: chunk by chunk, in place, on threads.

A chunk and its buffers stay in the second-level cache, and every operation on it is long enough
to release the lock of the interpreter.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from .. import stream
from ..draw import Draw
from ..index import Block
from ..stream import U32, Key
from ._cpu import Rows, rows, share, views

MOST = 2**15  # elements of a chunk
THREADS = 6  # of 32 bytes an element: 6 MiB
_SPACING = 272  # keeps equal places of two buffers from the same set of the cache

_u32 = np.uint32


@cache
def _chords() -> NDArray[np.uint64]:
    """Both columns of the quantile table in one, from the first exponent on."""
    c0, c1 = stream.table()
    packed = c0.view(_u32) | (c1.astype(np.uint64) << np.uint64(32))
    return np.concatenate([np.zeros(127 << 8, np.uint64), packed])


def _halves(wide: NDArray[np.uint64]) -> tuple[U32, U32]:
    """The low and the high halves, as strided views."""
    low, high = wide.view(_u32).reshape(-1, 2).T[:: 1 if np.little_endian else -1]
    return low, high


class _Chunk:
    """The buffers of a chunk of up to ``size`` elements, and what is done in them."""

    def __init__(self, size: int) -> None:
        buffers = np.empty((4, size + _SPACING), _u32)[:, :size]
        self.word, self.other, self.spare, sign = buffers
        self.sign = sign.view(np.int32)
        self.index, self.wide = np.empty((2, size + _SPACING), np.int64)[:, :size]

    def words(self, walk: Rows, size: int, index: int, key: Key) -> U32:
        """The words of a row whose first element has the 64-bit ``index``."""
        high, low = index >> 32, index & 0xFFFFFFFF
        x0, x1, t = self.word[:size], self.other[:size], self.spare[:size]
        k0, k1 = _u32(key[0]), _u32(key[1])
        schedule = (k0, k1, k0 ^ k1 ^ _u32(0x1BD11BDA))
        np.add(walk.low[:size], _u32(low), out=x1)
        if low + walk.span < 2**32:
            x0[...] = (high + key[0]) & 0xFFFFFFFF
        else:
            np.less(x1, _u32(low), out=x0, casting="unsafe")
            x0 += walk.high[:size]
            x0 += _u32((high + key[0]) & 0xFFFFFFFF)
        x1 += k1
        for group in range(5):
            for rotation in stream._ROTATIONS[group % 2]:
                x0 += x1
                np.left_shift(x1, _u32(rotation), out=t)
                x1 >>= _u32(32 - rotation)
                x1 |= t
                x1 ^= x0
            x0 += schedule[(group + 1) % 3]
            x1 += _u32((int(schedule[(group + 2) % 3]) + group + 1) & 0xFFFFFFFF)
        x0 ^= x1
        return x0

    def integers(self, word: U32, draw: Draw) -> NDArray[np.int32]:
        """The integers of a law, in the place of its words."""
        integer = word.view(np.int32)
        if draw.kind == "uniform":
            word >>= _u32(8)
            word <<= _u32(1)
            integer -= np.int32(2**24 - 1)
            return integer
        size = word.size
        index, wide = self.index[:size], self.wide[:size].view(np.uint64)
        drop, spare = self.other[:size], self.spare[:size]
        if draw.truncated:
            wide[...] = word
            wide *= np.uint64(draw.count)
            wide += np.uint64(draw.first << 32)
            word[...] = _halves(wide)[1]
        sign = np.right_shift(integer, np.int32(31), out=self.sign[:size])
        integer ^= sign
        word |= _u32(1)
        drop.view(np.float32)[...] = integer
        np.right_shift(drop, _u32(15), out=spare)
        index[...] = spare
        _chords().take(index, out=wide, mode="clip")
        drop &= _u32(0x7FFF)
        spare[...] = _halves(wide)[1]
        drop *= spare
        drop >>= _u32(12)
        np.copyto(word, wide, casting="unsafe")
        word -= drop
        integer ^= sign
        np.subtract(sign, integer, out=integer)
        if draw.truncated:
            np.maximum(integer, np.int32(draw.lowest), out=integer)
            np.minimum(integer, np.int32(draw.highest), out=integer)
        return integer

    def numbers(self, integer: NDArray[np.int32], draw: Draw, dtype: str, out: Any) -> None:
        """Write the numbers of the integers to ``out``, of any strides."""
        if dtype == "float64":
            number = self.wide[: integer.size].view(np.float64)
        else:
            number = self.other[: integer.size].view(np.float32)
        number[...] = integer
        number *= stream.scale_of(draw, dtype)
        if draw.shift:
            number += number.dtype.type(draw.shift)
        if dtype == "bfloat16":
            bits, odd = number.view(_u32), self.spare[: integer.size]
            np.right_shift(bits, _u32(16), out=odd)
            odd &= _u32(1)
            bits += odd
            bits += _u32(0x7FFF)
            bits >>= _u32(16)
            number = bits
        np.copyto(out, number.reshape(out.shape), casting="unsafe")


def fill(
    out: NDArray[Any], dtype: str, blocks: tuple[Block, ...], key: Key, draw: Draw | None
) -> None:
    """Fill ``out`` with the numbers of ``draw``, or with words for ``None``; see ``_cpu.fill``."""
    for view, block in views(out, blocks):
        walk = rows(block.shape, view.strides, block.strides, view.itemsize, MOST, MOST)
        rising = tuple(slice(None, None, -1 if step < 0 else 1) for step in view.strides)
        axes = (*walk.outer, *walk.inner)
        tiles = as_strided(view[(..., *rising)], [n for n, _, _ in axes], [step for _, step, _ in axes])

        def work(start: int, stop: int) -> None:
            chunk = _Chunk(walk.length)
            with np.errstate(all="ignore"):  # overflow is an infinity, as everywhere
                for row in range(start, stop):
                    at, size, index = _row(walk, row)
                    word = chunk.words(walk, size, (block.base + index) % 2**64, key)
                    part = tiles[at][: size * walk.inner[0].size // walk.length]
                    if draw is None:
                        part[...] = word.reshape(part.shape)
                    else:
                        chunk.numbers(chunk.integers(word, draw), draw, dtype, part)

        share(work, walk.count, view.size, THREADS)


def _row(walk: Rows, row: int) -> tuple[tuple[int, ...], int, int]:
    """The coordinates of a row, the number of its elements and the index of its first."""
    at = np.unravel_index(row, [axis.size for axis in walk.outer])
    size = walk.last if walk.outer and at[-1] == walk.outer[-1].size - 1 else walk.length
    steps = (int(i) * axis.stride for i, axis in zip(at, walk.outer, strict=True))
    return at, size, walk.base + sum(steps)
