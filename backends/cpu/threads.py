"""Sharing the rows of a tensor among threads."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

_INLINE = 2**16  # elements below which a second thread costs more than it brings


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
        begun += [pool().submit(take) for _ in range(min(parts, threads) - 1)]
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
def pool() -> ThreadPoolExecutor:
    """The threads of this process, one for each processor that it may use."""
    return ThreadPoolExecutor(_workers(), "initspec")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)  # a child has none of the threads
