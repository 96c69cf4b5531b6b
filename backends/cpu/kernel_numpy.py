"""The portable stream on the CPU in NumPy: chunk by chunk, in place, on threads.

A chunk and its buffers stay in the cache, and every operation on it is long enough to be worth
releasing the lock of the interpreter.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ... import stream
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block
from ...stream.reference import I32, U32, Key
from .threads import share
from .walk import Axis, Rows, index_offsets, rows, views

MOST = 3 * 2**17  # elements of a chunk, whose words are made at once: calls are few and long
PART = 2**15  # elements whose quantiles are looked up at once, with wider buffers
THREADS = 2  # with 8 bytes for each element of a chunk and 20 for each of a part: 7.3 MiB
_WIDTH = 512  # elements of the finer of two tables of offsets
_SPACING = 272  # keeps equal places of two buffers out of one set of the cache
_MASK = 2**32 - 1

_u32 = np.uint32


class _Walk(NamedTuple):
    """Rows. An offset's low half is a sum of a ``coarse`` and a ``fine`` one, its high half is
    zero where ``high`` is a single one.
    """

    rows: Rows
    coarse: U32
    fine: U32
    high: U32


@lru_cache(maxsize=2)
def _walk(*of: Any) -> _Walk:
    walk = rows(*of)
    *outer, (size, step, stride) = walk.inner or (Axis(1, 0, 0),)
    if not outer:
        outer = [Axis(-(-size // _WIDTH), 0, stride * _WIDTH % 2**64)]
        size = min(size, _WIDTH)
    fine, coarse = (index_offsets(tuple(axes)) for axes in ([Axis(size, step, stride)], outer))
    high = np.zeros(1, _u32)
    if walk.span >= 2**32:
        high = (index_offsets(walk.inner) >> np.uint64(32)).astype(_u32)
    return _Walk(walk, coarse.astype(_u32), fine.astype(_u32), high)


def fill(
    out: NDArray[Any], dtype: str, blocks: tuple[Block, ...], key: Key, draw: Draw | None
) -> None:
    """Fill ``out`` with the numbers of ``draw``, or with words for ``None``.

    The arguments are those of :func:`initspec.backends.cpu.fill.fill`.
    """
    for view, block in views(out, blocks):
        _fill(view, dtype, block, key, draw)


def _fill(view: NDArray[Any], dtype: str, block: Block, key: Key, draw: Draw | None) -> None:
    wide = dtype == "float64"
    in_place = view.itemsize == 4 and view.flags.c_contiguous  # its memory holds the words
    most = PART if wide else MOST if in_place else MOST // 2
    walk = _walk(block.shape, view.strides, block.strides, view.itemsize, most, most)
    rows = walk.rows
    axes = (*rows.outer, *rows.inner)
    rising: Any = (..., *(slice(None, None, -1 if step < 0 else 1) for step in view.strides))
    tiles = as_strided(view[rising], [axis.size for axis in axes], [axis.step for axis in axes])
    chunks: list[_Chunk] = []  # those that no thread uses

    def work(start: int, stop: int) -> None:
        try:
            chunk = chunks.pop()
        except IndexError:
            chunk = _Chunk(walk.coarse.size * walk.fine.size, in_place)
        with np.errstate(all="ignore"):  # what overflows is infinite, in every kernel
            for row in range(start, stop):
                at, size, index = _row(rows, row)
                part = tiles[at][: size * rows.inner[0].size // rows.length]
                word = part.reshape(-1).view(_u32) if in_place else chunk.word[:size]
                chunk.words(word, walk, (block.base + index) % 2**64, key)
                if draw is None:
                    part[...] = word.reshape(part.shape)
                else:
                    chunk.numbers(chunk.integers(word, draw), draw, dtype, part)
        chunks.append(chunk)

    share(work, rows.total, view.size, THREADS)


def _row(walk: Rows, row: int) -> tuple[tuple[Any, ...], int, int]:
    """The coordinates of a row, the number of its elements and the index of its first."""
    at = np.unravel_index(row, [axis.size for axis in walk.outer])
    size = walk.last if walk.outer and at[-1] == walk.outer[-1].size - 1 else walk.length
    steps = (int(i) * axis.stride for i, axis in zip(at, walk.outer, strict=True))
    return at, size, walk.base + sum(steps)


class _Chunk:
    """The buffers for a chunk of ``size`` elements, and the three stages within them.

    ``sign``, ``index`` and ``wide`` have room for a part of it, ``word`` for nothing where the
    words are made ``in_place``.
    """

    def __init__(self, size: int, in_place: bool) -> None:
        part = min(size, PART)
        self.word = np.empty(0 if in_place else size, _u32)
        self.other, self.spare = np.empty((2, size + _SPACING), _u32)[:, :size]
        self.sign = np.empty(part, np.int32)
        self.index, self.wide = np.empty((2, part + _SPACING), np.int64)[:, :part]

    def words(self, x0: U32, walk: _Walk, index: int, key: Key) -> None:
        """The words of a row whose first element has the 64-bit ``index``, to ``x0``."""
        schedule = (*key, key[0] ^ key[1] ^ stream.PARITY)
        high, low = index >> 32, index & _MASK
        size, width = x0.size, walk.fine.size
        x1, turned = self.other[:size], self.spare[:size]
        grid = self.other[: -(-size // width) * width].reshape(-1, width)
        coarse = walk.coarse[: len(grid), None]
        state: Any = _u32((high + key[0]) & _MASK)  # a scalar until there is more to say
        if low + walk.rows.span < 2**32:
            np.add(coarse + _u32((low + key[1]) & _MASK), walk.fine, out=grid)
        else:
            np.add(coarse + _u32(low), walk.fine, out=grid)
            np.less(x1, _u32(low), out=x0, casting="unsafe")
            x0 += walk.high[:size]
            x0 += state
            x1 += _u32(key[1])
            state = x0
        for group in range(5):
            for rotation in stream.ROTATIONS[group % 2]:
                state = np.add(state, x1, out=x0)
                np.left_shift(x1, _u32(rotation), out=turned)
                x1 >>= _u32(32 - rotation)
                x1 |= turned
                x1 ^= x0
            x0 += _u32(schedule[(group + 1) % 3])
            x1 += _u32((schedule[(group + 2) % 3] + group + 1) & _MASK)
        x0 ^= x1

    def integers(self, word: U32, draw: Draw) -> I32:
        """The integers of a law, in the place of its words."""
        integer = word.view(np.int32)
        if draw.kind == "uniform":
            word >>= _u32(8)
            word <<= _u32(1)
            integer -= np.int32(2**24 - 1)
            return integer
        for start in range(0, word.size, PART):
            self._normal(word[start : start + PART], draw)
        return integer

    def _normal(self, word: U32, draw: Draw) -> None:
        integer = word.view(np.int32)
        if draw.truncated:
            wide = self.wide[: word.size].view(np.uint64)
            wide[...] = word
            wide *= np.uint64(draw.count)
            wide >>= np.uint64(32)
            np.copyto(word, wide, casting="unsafe")
            word += _u32(draw.first)
        self._quantile(word, integer)
        if draw.truncated:
            np.clip(integer, np.int32(draw.lowest), np.int32(draw.highest), out=integer)

    def _quantile(self, word: U32, integer: I32) -> None:
        size = word.size
        index, chord = self.index[:size], self.wide[:size].view(np.uint64)
        drop, spare, sign = self.other[:size], self.spare[:size], self.sign[:size]
        np.right_shift(integer, np.int32(31), out=sign)
        integer ^= sign
        word |= _u32(1)
        drop.view(np.float32)[...] = integer
        np.right_shift(drop, _u32(15), out=spare)
        index[...] = spare
        _chords().take(index, out=chord, mode="clip")
        np.copyto(word, chord, casting="unsafe")
        chord >>= np.uint64(32)
        np.copyto(spare, chord, casting="unsafe")
        drop &= _u32(0x7FFF)
        drop *= spare
        drop >>= _u32(12)
        word -= drop
        integer ^= sign
        np.subtract(sign, integer, out=integer)

    def numbers(self, integer: I32, draw: Draw, dtype: str, out: NDArray[Any]) -> None:
        """Write the numbers of the integers to ``out``, of any strides."""
        size = integer.size
        number: NDArray[Any] = self.other[:size].view(np.float32)
        if dtype == "float64":
            number = self.wide[:size].view(np.float64)
        number[...] = integer
        draw = draw.in_type(dtype)
        scale = stream.scale_of(draw, dtype)
        if dtype == "float32":
            np.multiply(number.reshape(out.shape), scale, out=out)
            if draw.after != 1:
                out *= np.float32(draw.after)
            if draw.shift:
                out += np.float32(draw.shift)
            return
        number *= scale
        if draw.after != 1:
            number *= number.dtype.type(draw.after)
        if draw.shift:
            number += number.dtype.type(draw.shift)
        if dtype == "bfloat16":
            odd, number = self.spare[:size], number.view(_u32)
            np.right_shift(number, _u32(16), out=odd)
            odd &= _u32(1)
            number += odd
            number += _u32(0x7FFF)
            number >>= _u32(16)
        np.copyto(out, number.reshape(out.shape), casting="unsafe")


@cache
def _chords() -> NDArray[np.uint64]:
    """Both columns of the quantile table in one, at ``bits of float32(v) >> 15``."""
    c0, c1 = stream.table()
    chords = c0.view(_u32) | (c1.astype(np.uint64) << np.uint64(32))
    return np.concatenate([np.zeros(127 << 8, np.uint64), chords])
