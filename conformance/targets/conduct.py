"""How a target treats what it is handed and what it hands out: generators, tensors, threads, seeds.

It is looked at in the target's own process, where a tensor's memory and a generator can be seen.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
#: A tensor of a seed, as the target handed it out.
Draw = Callable[[Any], Array]

#: Seconds that a draw in another thread has.
_PATIENCE = 30.0


def buffers(draw: Draw, seed: int) -> str:
    """What is wrong with the memory of three tensors that are kept while they are drawn."""
    first = draw(seed)
    kept = first.tobytes()
    others = [draw(seed + 1), draw(seed)]
    if first.tobytes() != kept:
        return "a tensor that was handed out changes while the next one is drawn"
    if any(_share(first, other) for other in others):
        return "two tensors share their memory: who changes one changes the other"
    return ""


def _share(first: Array, second: Array) -> bool:
    """Whether two arrays that can be written are one memory."""
    if not (first.flags.writeable and second.flags.writeable):
        return False
    try:
        return np.shares_memory(first, second, max_work=10_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return False


def generators(pairs: list[tuple[Array, Array]]) -> str:
    """What is wrong with two tensors from one generator, for each of two generators."""
    (first, second), (_, other) = pairs
    if first.tobytes() == second.tobytes():
        return (
            "two draws from one generator have the same values: it takes nothing from the "
            "generator, or puts it back"
        )
    if second.tobytes() == other.tobytes():
        return "after one draw every generator goes on alike: the target seeds it"
    return ""


def threads(draw: Draw, seed: int) -> str:
    """Whether another thread draws other values, though two draws of this one are the same."""
    drawn: list[bytes] = []

    def work() -> None:
        try:
            drawn.append(draw(seed).tobytes())
        except Exception:  # it may refuse: then nothing is known
            drawn.append(b"")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    is_other = drawn and drawn[0] and drawn[0] != draw(seed).tobytes()
    return "the same seed gave other values in another thread" if is_other else ""


def signs(draw: Draw) -> str:
    """Whether -1 is taken for 1, and not by Python's ``random``, which takes every seed so."""
    try:
        negative, positive = draw(-1).tobytes(), draw(1).tobytes()
    except Exception:  # no negative seeds, as NumPy has none
        return ""
    if negative != positive:
        return ""
    with _overheard() as seeds:
        draw(-1)
    return "" if -1 in seeds else "the seeds -1 and 1 gave the same values"


@contextmanager
def _overheard() -> Iterator[list[Any]]:
    """The seeds that Python's ``random`` is given meanwhile."""
    seeds: list[Any] = []
    method, function = random.Random.seed, random.seed

    def overheard(self: random.Random, a: Any = None, version: int = 2) -> None:
        seeds.append(a)
        method(self, a, version)

    def overheard_globally(a: Any = None, version: int = 2) -> None:
        seeds.append(a)
        function(a, version)

    random.Random.seed, random.seed = overheard, overheard_globally  # type: ignore[method-assign]
    try:
        yield seeds
    finally:
        random.Random.seed, random.seed = method, function  # type: ignore[method-assign]
