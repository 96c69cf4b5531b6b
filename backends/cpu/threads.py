"""Sharing the rows of a tensor among threads.

A signal's handler may raise at almost any moment of the calling thread, and may draw itself. So no
lock is held here that a handler could wait for, and a call that ends, however it ends, leaves no
thread behind that writes.
"""

from __future__ import annotations

import itertools
import os
from _thread import LockType, allocate_lock, start_new_thread
from collections.abc import Callable
from functools import cache
from queue import SimpleQueue

_INLINE = 2**16  # elements below which a second thread costs more than it brings
_LARGEST = 2**19  # elements of a part: an interrupt waits for it, some 20 ms in the NumPy kernel


def share(
    work: Callable[[int, int], None], count: int, elements: int, threads: int = 2**10
) -> None:
    """Call ``work(start, stop)`` until ``range(count)`` is done, on threads where it is large.

    The calling thread works as well, and waits for no thread that has not begun: calls may come
    from many threads at once, from a signal's handler, from a forked process, and while the
    interpreter ends. ``work`` holds what it writes to, so that no address outlives its memory.

    After an error or an interrupt no part is begun any more, and the call ends when those that
    have begun are done.
    """
    if elements < _INLINE or count < 2:
        work(0, count)
        return
    threads = min(threads, _workers())
    parts = max(min(elements // (_INLINE // 2), 8 * threads), elements // _LARGEST)
    job = _Job(_pool, work, count, min(count, parts))
    try:
        try:
            try:
                try:
                    job.pool.offer(job, min(job.parts, threads) - 1)
                    job.take_parts()
                finally:
                    job.over = True  # no call, so that nothing can come between
                    job.end()
            finally:
                job.end()  # an interrupt can come as a call begins, one for each of these
        finally:
            job.end()
    finally:
        job.end()
    if job.errors:
        raise job.errors.pop()
    if job.pool is not _pool:  # a signal's handler has forked: the helpers are not in this process
        work(0, count)


class _Job:
    """The parts of one call, taken by turns, and a lock for each thread that helps."""

    def __init__(
        self, pool: _Pool, work: Callable[[int, int], None], count: int, parts: int
    ) -> None:
        self.pool, self.work, self.count, self.parts = pool, work, count, parts
        self.turns = itertools.count()
        self.over = False
        self.helpers: list[LockType] = []
        self.errors: list[BaseException] = []

    def take_parts(self) -> None:
        """Do one part after the other, until none is left."""
        for turn in self.turns:
            if self.over or turn >= self.parts:
                return
            self.work(turn * self.count // self.parts, (turn + 1) * self.count // self.parts)

    def help(self) -> None:
        """Take parts on a thread of the pool.

        The lock is made before ``over`` is looked at: either the caller sees it, or this thread
        sees that the call has ended.
        """
        lock = allocate_lock()
        lock.acquire()
        self.helpers.append(lock)
        try:
            self.take_parts()
        except BaseException as error:
            self.over = True
            self.errors.append(error)
        finally:
            self.helpers.remove(lock)  # what counts: an interrupt can lose a lock that is acquired
            lock.release()

    def end(self) -> None:
        """Wait for the parts that have begun, whatever interrupts; raise the interrupt then."""
        interrupt: BaseException | None = None
        while True:
            try:
                while self.helpers and self.pool is _pool:
                    for lock in self.helpers[:1]:
                        lock.acquire(timeout=1)
                break
            except BaseException as error:
                interrupt = error
        self.work = _nothing  # a thread that comes too late keeps no tensor alive
        if interrupt is not None:
            try:
                raise interrupt
            finally:
                del interrupt  # else it holds this frame, and this frame it


def _nothing(start: int, stop: int) -> None:
    """What is left to do of a call that has ended."""


class _Pool:
    """The threads of this process, started when they are needed, at most one for each processor."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()  # its ``put`` waits for nobody
        self.started = 0

    def offer(self, job: _Job, helpers: int) -> None:
        """Ask for threads that help."""
        while self.started < helpers:
            try:
                start_new_thread(_serve, (self.jobs,))
            except RuntimeError:  # no new thread: too many, or the interpreter ends
                break
            self.started += 1
        for _ in range(min(helpers, self.started)):
            self.jobs.put(job)


def _serve(jobs: SimpleQueue[_Job]) -> None:
    while True:
        jobs.get().help()


@cache
def _workers() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


_pool = _Pool()


def _begin_anew() -> None:
    """A forked child has none of the threads."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
