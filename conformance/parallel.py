"""Judging cells, in this process or in several."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from .cell import Cell, blank
from .design import Budget
from .judge import judge
from .report.record import ERROR, Record
from .targets.text import FOLDERS

#: Cells that a process takes at a time: few, so that all end together.
_CHUNK = 24


def judged(cells: Sequence[Cell], budget: Budget, jobs: int = 1) -> Iterator[tuple[int, Record]]:
    """The place and the record of each cell, as they come.

    More than one of the ``jobs`` takes the cells of backends, which are made anew in each process;
    what lives in a process of its own already, as a target does, stays here.
    """
    away: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        backend = cell.target.backend
        if jobs > 1 and backend:
            away.setdefault(backend, []).append(place)
        else:
            yield place, judge(cell, budget)
    chunks = [
        places[start : start + _CHUNK]
        for places in away.values()
        for start in range(0, len(places), _CHUNK)
    ]
    if not chunks:
        return
    # A forked child would hang in the threads of the frameworks that the parent has loaded.
    spawn = get_context("spawn")
    held, leash = spawn.Pipe(duplex=False)
    pool = ProcessPoolExecutor(min(jobs, len(chunks)), spawn, _begin, (held, FOLDERS))
    is_whole = False
    try:
        sent = {
            pool.submit(_judge_all, [cells[place] for place in chunk], budget): chunk
            for chunk in chunks
        }
        for done in as_completed(sent):
            chunk, error = sent[done], done.exception()
            records = done.result() if error is None else []
            for place in chunk[len(records) :]:
                sentence = f"the process that judged it ended: {error}"
                records.append(replace(blank(cells[place]), verdict=ERROR, sentence=sentence))
            yield from zip(chunk, records, strict=True)
        is_whole = True
    finally:
        if not is_whole:  # interrupted, say: nobody waits for what is judged just now
            for process in list((pool._processes or {}).values()):
                process.kill()
        pool.shutdown(cancel_futures=True)
        leash.close()
        held.close()


def _judge_all(cells: list[Cell], budget: Budget) -> list[Record]:
    return [judge(cell, budget) for cell in cells]


def _begin(leash: Connection, folders: Sequence[str]) -> None:
    """Before the first cell: print nowhere but to the errors, and end when the parent ends."""
    sys.path.extend(folders)  # last: a law's file may be there, and nothing else is taken from it
    sys.stdout = sys.stderr  # the answer of the run is printed by the parent
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent ends its processes
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    """End this process when the other end of the leash is closed, as it is by any death."""
    wait([leash])
    os._exit(1)
