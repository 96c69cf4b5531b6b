"""The portable stream on the CPU, compiled from ``_kernel.c`` when the package is built.

Rows and tables are handed over as addresses, and what stays the same from call to call in a struct
of C, packed once.
"""

from __future__ import annotations

import math
import struct
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import stream
from ...spec import integer_form
from ...spec.fan_rules import Shape
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block, whole
from ...stream.dtypes import rounded, storage
from ...stream.reference import Key
from ._kernel import fill as _draw_rows
from ._kernel import fold_in as fold_in
from ._kernel import levels
from ._kernel import use_huge_pages as use_huge_pages
from .threads import share
from .walk import index_offsets, memory_offsets, rows, views

#: What there is code for and this processor runs, the fastest last.
LEVELS = levels()

MOST = 2048  # elements of a row
_GROUP = 64  # what the tables of a row are filled up to

_KINDS = {"words": 0, "uniform": 1, "normal": 2, "truncated": 3}
_TYPES = {"float64": 0, "float32": 1, "bfloat16": 2, "float16": 3, "uint32": 4}


class _Walk(NamedTuple):
    """Rows as the kernel takes them: ``packed`` holds addresses into ``tables``."""

    total: int
    size: int
    packed: bytes
    tables: tuple[NDArray[Any], ...]


@lru_cache(maxsize=64)
def _walk(shape: Shape, steps: Shape, strides: Shape, itemsize: int) -> _Walk:
    walk = rows(shape, steps, strides, itemsize, MOST, _GROUP)
    outer = np.array(walk.outer, np.uint64).ravel()
    offsets = np.pad(index_offsets(walk.inner), (0, -walk.length % _GROUP))
    low, high = offsets.astype(np.uint32), (offsets >> np.uint64(32)).astype(np.uint32)
    memory = memory_offsets(walk.inner)
    packed = struct.pack(
        "=qQ8q",
        walk.skip, walk.base, len(walk.outer), walk.length, walk.last, walk.span,
        low.ctypes.data, high.ctypes.data, 0 if walk.contiguous else memory.ctypes.data,
        outer.ctypes.data,
    )  # fmt: skip
    return _Walk(walk.total, math.prod(shape), packed, (outer, low, high, memory))


@lru_cache(maxsize=64)
def _walk_in_elements(shape: Shape, steps: Shape, strides: Shape, itemsize: int) -> _Walk:
    return _walk(shape, tuple(step * itemsize for step in steps), strides, itemsize)


@cache
def _chords() -> NDArray[np.uint64]:
    """Both columns of the quantile table in one, so that a chord is one load."""
    c0, c1 = stream.table()
    return c0.view(np.uint32) | (c1.astype(np.uint64) << np.uint64(32))


@lru_cache(maxsize=256)
def _law(draw: Draw | None, dtype: str, level: int) -> bytes:
    draw = Draw("words", 0.0) if draw is None else draw.in_type(dtype)
    kind = _KINDS["truncated" if draw.truncated else draw.kind]
    return struct.pack(
        "=8q3d",
        level, kind, _TYPES[dtype], _chords().ctypes.data,
        draw.first, draw.count, draw.lowest, draw.highest,
        draw.scale, draw.after, draw.shift or -0.0,  # adding it changes no bit
    )  # fmt: skip


def fill(
    out: NDArray[Any],
    dtype: str,
    blocks: tuple[Block, ...],
    key: Key,
    draw: Draw | None,
    level: int = len(LEVELS) - 1,
) -> None:
    """Fill ``out`` with the numbers of ``draw``, or with words for ``None``.

    The arguments are those of :func:`initspec.backends.cpu.fill.fill`; ``level`` is the place of
    one of :data:`LEVELS`.
    """
    law = _law(draw, dtype, level)
    for view, block in views(out, blocks):
        walk = _walk(block.shape, view.strides, block.strides, view.itemsize)
        work = partial(_draw_rows, view, walk.packed, law, block.base % 2**64, *key)
        share(work, walk.total, view.size)  # this frame holds the tables meanwhile


def fill_memory(
    address: int,
    steps: Shape,
    itemsize: int,
    dtype: str,
    block: Block,
    key: Key,
    draw: Draw,
) -> None:
    """Fill the memory of a block with at least one element, as :func:`fill` does.

    ``steps`` counts elements; the caller holds the memory.
    """
    walk = _walk_in_elements(block.shape, steps, block.strides, itemsize)
    law = _law(draw, dtype, len(LEVELS) - 1)
    work = partial(_draw_rows, address, walk.packed, law, block.base % 2**64, *key)
    share(work, walk.total, walk.size)


#: One law for each type, so that every kind of law is there.
_CHECKED = {
    "uint32": None,
    "float64": integer_form.uniform(-0.1, 0.7),
    "float32": integer_form.truncated_normal(0.1, 0.4, -1.0, 2.5),
    "bfloat16": integer_form.normal(-0.3, 1.7),
    "float16": integer_form.normal(0.0, 1e-5),
}


def check() -> None:
    """Draw a few numbers of every type in which all that differs between builds would show.

    Raises :class:`RuntimeError` where they are not those of the reference.
    """
    key, base, shape = (2**31 + 5, 7), 2**32 - 300, (600,)
    if fold_in(*key, 2**32 - 3) != stream.fold_in(key, 2**32 - 3):
        raise RuntimeError("it folds wrong keys")
    index = np.uint64(base) + np.arange(shape[0], dtype=np.uint64)
    block = (Block(whole(shape), shape, (1,), base),)
    words = stream.words(key, index)
    for dtype, draw in _CHECKED.items():
        out = np.empty(shape, storage(dtype))
        fill(out, dtype, block, key, draw)
        wanted = words if draw is None else rounded(stream.values(words, draw, dtype), dtype)
        if out.tobytes() != wanted.tobytes():
            raise RuntimeError(f"it draws wrong numbers of type {dtype}")
