"""The portable stream on the CPU: the walk through memory, the threads, the choice of the kernel.

A block is walked in the order of the memory, whatever its layout: axes that are affine together
are merged, the rest is cut into rows of one shape, so that one small table of offsets serves
every row. Both kernels take their rows from here, and share them out over the same threads.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..draw import Draw
from ..errors import BackendMissing, SpecError
from ..index import Block
from ..layout import Shape
from ..stream import Key

_INLINE = 2**16  # elements below which a second thread costs more than it brings
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


def fill(
    out: NDArray[Any], dtype: str, blocks: tuple[Block, ...], key: Key, draw: Draw | None
) -> None:
    """Fill ``out``, a window of a tensor, with the numbers of ``draw``, or with words for ``None``.

    ``dtype`` names the numbers: ``"bfloat16"`` is written as its bits, in uint16. ``blocks`` are
    those of :func:`initspec.index.blocks`. The kernel is Numba's where that is installed;
    ``INITSPEC_KERNEL=numpy`` or ``numba`` in the environment says otherwise.

    Raises :class:`SpecError` for another kernel, :class:`BackendMissing` for one not installed.
    """
    _kernel()(out, dtype, blocks, key, draw)


@cache
def _kernel() -> Callable[..., None]:
    name = os.environ.get("INITSPEC_KERNEL") or "numba"
    if name not in ("numba", "numpy"):
        raise SpecError(f"INITSPEC_KERNEL is 'numpy' or 'numba', not {name!r}.")
    try:
        found: Callable[..., None] = import_module(f"{__package__}._kernel_{name}").fill
    except ImportError as error:
        if "INITSPEC_KERNEL" in os.environ:
            command = 'pip install "initspec[fast]"'
            raise BackendMissing("numba", "Numba", command) from error
        from ._kernel_numpy import fill as found
    return found


def axes(shape: Shape, steps: Shape, strides: Shape) -> tuple[int, int, tuple[Axis, ...]]:
    """What leads to the first element in memory, in bytes and in the index; the axes from there.

    They are in the order of memory, outermost first, all steps positive, merged where two are
    affine as one.
    """
    skip = base = 0
    found = []
    for size, step, stride in zip(shape, steps, strides, strict=True):
        if size > 1:
            if step < 0:
                skip, base = skip + (size - 1) * step, base + (size - 1) * stride
                step, stride = -step, -stride
            found.append(Axis(size, step, stride % _WRAP))
    merged: list[Axis] = []
    for axis in sorted(found, key=lambda axis: -axis.step):
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
    found = np.zeros(1, np.uint64)
    for size, stride in zip(sizes, strides, strict=True):
        found = np.add.outer(found, np.arange(size, dtype=np.uint64) * np.uint64(stride)).ravel()
    return found


def views(out: NDArray[Any], blocks: tuple[Block, ...]) -> list[tuple[NDArray[Any], Block]]:
    """The blocks that have an element, each with its part of ``out`` in its own shape."""
    if not out.size:
        return []
    return [
        (out if block.shape == out.shape else out[block.part].reshape(block.shape), block)
        for block in blocks
    ]


def share(
    work: Callable[[int, int], None], count: int, elements: int, threads: int = 2**10
) -> None:
    """Call ``work(start, stop)`` until ``range(count)`` is done, on threads where it is large.

    The calling thread works as well, and waits for no thread that has not begun: calls may come
    from many threads at once, from a forked process, and while the interpreter ends.
    """
    if elements < _INLINE or count < 2:
        work(0, count)
        return
    threads = min(threads, _workers())
    parts = min(count, elements // (_INLINE // 2), 8 * threads)
    turns = itertools.count()

    def take() -> None:
        for turn in turns:
            if turn >= parts:
                return
            work(turn * count // parts, (turn + 1) * count // parts)

    begun: list[Future[None]] = []
    with contextlib.suppress(RuntimeError):  # no new thread while the interpreter ends
        begun += [_pool().submit(take) for _ in range(min(parts, threads) - 1)]
    try:
        take()
    finally:
        for future in begun:
            if not future.cancel():
                future.result()


@cache
def _workers() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_workers(), "initspec")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of the threads
