"""Targets given as text live in a process of their own: both ends of the pipe to it.

``python -m initspec.conformance.targets.process`` answers questions on its standard input, one at a time. A
frame is a head in JSON and the bytes of an array: whatever a target does, this process unpickles
nothing. What a target prints goes to the standard error, of which the end is kept to explain a
death; it never meets the frames.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import math
import os
import queue
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendMissing, InitSpecError, NotInstalled
from ...spec.fan_rules import Shape
from .calls import Maker, numpy_dtype
from .text import NoTable, entries, load

Array = NDArray[Any]

_HEAD = struct.Struct(">IQ")
_MOST = 1 << 30  # bytes of one answer
_BATCH = 1 << 25  # bytes of weights that are asked for at a time
_FIRST, _SEEDS = 8, 512  # and tensors: first few, then more from what answers fast
_FAST = 0.5  # seconds
_GRACE = 2.0  # seconds in which a process that hangs may say where


class Lost(Exception):  # noqa: N818 - the process, not a fault of ours
    """The process ended, or had to be ended; the sentence says how."""


def send(pipe: IO[bytes], head: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame."""
    text = json.dumps(head).encode()
    pipe.write(_HEAD.pack(len(text), len(body)) + text)
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None at the end, and for what is no frame."""
    try:
        head, body = _HEAD.unpack(pipe.read(_HEAD.size))
        if head + body > _MOST:
            return None
        found = json.loads(pipe.read(head)), pipe.read(body)
    except (OSError, ValueError, struct.error):
        return None
    return found if len(found[1]) == body else None


class Process:
    """The process of a target, started when it is first asked, and anew after it was lost."""

    def __init__(self, time_limit: float) -> None:
        self.time_limit = time_limit
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer to a question; raises :class:`Lost` if none comes in time."""
        with self._lock:
            if self._running is None:
                self._running = _Running()
                self._stop = weakref.finalize(self, _end, self._running.process)
            try:
                return self._running.ask(question, self.time_limit)
            except BaseException:  # an answer that comes later would be taken for the next one
                self._running = None
                self._stop()
                raise


class _Running:
    """A process that runs, and two threads that empty its pipes."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "initspec.conformance.targets.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that what a target starts ends with it
        )
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.said: deque[bytes] = deque(maxlen=40)
        for work in (
            lambda: _collect(self.process.stdout, self.answers),
            lambda: _overhear(self.process.stderr, self.said),
        ):
            threading.Thread(target=work, daemon=True).start()

    def ask(self, question: dict[str, Any], limit: float) -> tuple[dict[str, Any], bytes]:
        started = time.monotonic()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: the missing answer says so
            send(self.process.stdin, {**question, "limit": limit, "path": sys.path})
        with contextlib.suppress(queue.Empty):
            answer = self.answers.get(timeout=limit + _GRACE)
            if answer is not None:
                return answer
        raise Lost(self._death(time.monotonic() - started >= limit, limit))

    def _death(self, late: bool, limit: float) -> str:
        if late:
            _end(self.process)
            place = re.search(r'recent call first\):\s+(File ".*", line \d+ in \S+)', self._last())
            return (
                f"the target did not answer within {limit:g} s and was stopped"
                f"{', in ' + place[1] if place else ''}. A slow one needs a longer time limit"
            )
        try:
            code = self.process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            return "the target wrote into the pipe of its process, or closed it, and was stopped"
        if code < 0:
            name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
            memory = ", as happens for want of memory" if name == "SIGKILL" else ""
            return f"the process of the target was killed by {name}{memory}{self._words()}"
        return f"the target ended its process with exit code {code}{self._words()}"

    def _last(self) -> str:
        time.sleep(0.05)  # for the thread that reads them
        return b"".join(self.said).decode(errors="replace")

    def _words(self) -> str:
        lines = [line.strip() for line in self._last().splitlines() if line.strip()]
        return f"; its last words: {lines[-1][:200]}" if lines else ""


def _collect(pipe: IO[bytes] | None, answers: queue.SimpleQueue[Any]) -> None:
    assert pipe is not None
    answer: Any = ()
    while answer is not None:
        answer = receive(pipe)
        answers.put(answer)


def _overhear(pipe: IO[bytes] | None, said: deque[bytes]) -> None:
    assert pipe is not None
    with contextlib.suppress(OSError, ValueError):
        while line := pipe.readline(1000):
            said.append(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and on POSIX all that it started."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_GRACE)


class TextTarget:
    """A target given as text, in a process; ``claim`` chooses the entry, where it is a table."""

    resolution = 22

    def __init__(self, text: str, process: Process, claim: str | None = None) -> None:
        self.name = self.text = text
        self._process, self._claim = process, claim
        self._known: dict[str, Any] | None = None
        self._problem: Exception | None = None
        self._pace = _FIRST

    @property
    def out_first(self) -> bool:
        """Whether its usual layout is PyTorch's."""
        return bool(self._facts.get("out_first"))

    @property
    def fixed_shape(self) -> Shape | None:
        """The shape of a layer's parameter."""
        shape = self._facts.get("fixed_shape")
        return None if shape is None else tuple(shape)

    @property
    def layout(self) -> str | None:
        """The axes of a layer's parameter, where they are known."""
        return self._facts.get("layout")

    @property
    def _facts(self) -> dict[str, Any]:
        """Nothing is known of what cannot be loaded: then :meth:`draw` says why."""
        if self._known is None:
            try:
                self._known = self._ask({"do": "facts"})[0]
            except Exception as problem:
                self._known, self._problem = {}, problem
        return self._known

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """One tensor."""
        return self.draw_many(shape, dtype=dtype, seeds=[seed])[0]

    def draw_many(self, shape: Shape, *, dtype: str, seeds: Sequence[int]) -> list[Array]:
        """A tensor for each seed.

        Raises :class:`~initspec.conformance.targets.target.Unjudged` with a sentence for all that can go
        wrong; the next call is answered by a new process.
        """
        if not self._facts and self._problem:
            raise self._problem
        kind = numpy_dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        step = max(1, min(_SEEDS, _BATCH // max(size, 1)))
        found: list[Array] = []
        while len(found) < len(seeds):
            part = [int(seed) for seed in seeds[len(found) :][: min(step, self._pace)]]
            started = time.monotonic()
            question = {"do": "draw", "shape": shape, "dtype": dtype, "seeds": part}
            _, body = self._ask(question)
            if len(body) != size * len(part):
                _unjudged("the process of the target answered something else than was asked")
            found.extend(np.frombuffer(body, kind).reshape(len(part), *shape))
            fast = time.monotonic() - started < _FAST
            self._pace = min(2 * self._pace, _SEEDS) if fast else max(self._pace // 2, 1)
        return found

    def _ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            head, body = self._process.ask({**question, "text": self.name, "claim": self._claim})
        except Lost as problem:
            _unjudged(f"{problem}.")
        if "problem" in head:
            _unjudged(head["problem"], head["missing"])
        return head, body


def names(text: str, process: Process) -> list[str]:
    """The entries of a table given as text; raises :class:`InitSpecError` where it is none."""
    try:
        head, _ = process.ask({"do": "entries", "text": text})
    except Lost as problem:
        raise InitSpecError(f"{text}: {problem}.") from None
    if "problem" in head:
        kind = NoTable if head.get("no_table") else InitSpecError
        raise (NotInstalled if head["missing"] else kind)(head["problem"])
    return list(head["entries"])


def _unjudged(sentence: str, missing: bool = False) -> NoReturn:
    from ..report.record import ERROR, SKIP
    from .target import Unjudged

    raise Unjudged(SKIP if missing else ERROR, sentence)


def main() -> NoReturn:
    """Answer questions until there are no more."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    errors = os.dup(2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    makers: dict[Any, Maker] = {}
    while (question := receive(questions)) is not None:
        asked = question[0]
        sys.path[:] = asked["path"]
        faulthandler.dump_traceback_later(asked["limit"], exit=True, file=errors)
        try:
            head, body = _answer(asked, makers)
        except InitSpecError as error:
            head, body = _problem(str(error), isinstance(error, BackendMissing)), b""
            head["no_table"] = isinstance(error, NoTable)
        except SystemExit as error:
            head, body = _problem(f"the target called sys.exit({error.code!r:.100})"), b""
        except BaseException as error:
            head, body = _problem(f"the target raised {type(error).__name__}: {error!s:.1000}"), b""
        faulthandler.cancel_dump_traceback_later()
        send(answers, head, body)
    os._exit(0)  # no framework's cleaning up: nobody waits for it


def _problem(sentence: str, missing: bool = False) -> dict[str, Any]:
    return {"problem": sentence, "missing": missing}


def _answer(asked: dict[str, Any], makers: dict[Any, Maker]) -> tuple[dict[str, Any], bytes]:
    text, claim = asked["text"], asked.get("claim")
    if asked["do"] == "entries":
        return {"entries": entries(text)}, b""
    made = makers.get((text, claim)) or makers.setdefault((text, claim), load(text, claim))
    if asked["do"] == "facts":
        facts = ("out_first", "fixed_shape", "layout")
        return {name: getattr(made, name) for name in facts}, b""
    shape, dtype = tuple(asked["shape"]), asked["dtype"]
    drawn = []
    for seed in asked["seeds"]:
        array = made.draw(shape, dtype, seed)
        if array.shape != shape:
            raise InitSpecError(f"asked for the shape {shape}, the target answered {array.shape}")
        if array.dtype.name != dtype:
            raise InitSpecError(f"asked for {dtype}, the target answered {array.dtype.name}")
        drawn.append(np.ascontiguousarray(array).tobytes())
    return {}, b"".join(drawn)


if __name__ == "__main__":
    main()
