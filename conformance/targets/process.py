"""The process in which targets given as text live, seen from outside.

It is started when it is first asked, answers one question at a time, and is ended where it takes
too long or dies. What a target prints goes to the standard error, of which the end is kept to
explain a death; it never meets the frames of :mod:`initspec.conformance.targets.frames`.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from .frames import receive, send
from .text import FOLDERS

_GUARD = str(Path(__file__).with_name("guard.py"))
_GRACE = 2.0  # seconds in which a process that hangs may say where


class Lost(Exception):  # noqa: N818 - the process, not a fault of ours
    """The process ended, or had to be ended; the sentence says how."""


class Process:
    """The process of a target, started when it is first asked, and anew after it was lost."""

    def __init__(self, time_limit: float, variables: Mapping[str, str] | None = None) -> None:
        self.time_limit, self._variables = time_limit, dict(variables or {})
        self._lock = threading.Lock()
        self._running: _Running | None = None

    @cached_property
    def twin(self) -> Process:
        """Another process, in which Python's hashes of texts are others."""
        fixed = os.environ.get("PYTHONHASHSEED", "random")
        other = str((int(fixed) + 1) % 2**32) if fixed.isdigit() else "random"
        return Process(
            self.time_limit, {"PYTHONHASHSEED": other, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        )

    def ask(self, question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The answer to a question; raises :class:`Lost` if none comes in time."""
        with self._lock:
            if self._running is None:
                self._running = _Running(self._variables)
                self._stop = weakref.finalize(self, self._running.end)
            try:
                return self._running.ask(question, self.time_limit)
            except BaseException:  # an answer that comes later would be taken for the next one
                self._running = None
                self._stop()
                raise


class _Running:
    """A process that runs, and two threads that empty its pipes."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.process, self._leash = _started({**os.environ, **variables} if variables else None)
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.errors: deque[bytes] = deque(maxlen=40)
        for work in (
            lambda: _collect(self.process.stdout, self.answers),
            lambda: _overhear(self.process.stderr, self.errors),
        ):
            threading.Thread(target=work, daemon=True).start()

    def ask(self, question: dict[str, Any], limit: float) -> tuple[dict[str, Any], bytes]:
        started = time.monotonic()
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: the missing answer says so
            send(self.process.stdin, {**question, "limit": limit, "path": [*FOLDERS, *sys.path]})
        with contextlib.suppress(queue.Empty):
            answer = self.answers.get(timeout=limit + _GRACE)
            if answer is not None:
                return answer
        raise Lost(self._death(time.monotonic() - started >= limit, limit))

    def _death(self, late: bool, limit: float) -> str:
        if late:
            self.end()
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

    def end(self) -> None:
        """End the process with all that it started."""
        _end(self.process, self._leash)

    def _last(self) -> str:
        time.sleep(0.05)  # for the thread that reads them
        return b"".join(self.errors).decode(errors="replace")

    def _words(self) -> str:
        lines = [line.strip() for line in self._last().splitlines() if line.strip()]
        return f"; its last words: {lines[-1][:200]}" if lines else ""


def _collect(pipe: IO[bytes] | None, answers: queue.SimpleQueue[Any]) -> None:
    assert pipe is not None
    answer: Any = ()
    while answer is not None:
        answer = receive(pipe)
        answers.put(answer)


def _overhear(pipe: IO[bytes] | None, errors: deque[bytes]) -> None:
    assert pipe is not None
    with contextlib.suppress(OSError, ValueError):
        while line := pipe.readline(1000):
            errors.append(line)


def _started(
    environment: Mapping[str, str] | None,
) -> tuple[subprocess.Popen[bytes], IO[bytes] | None]:
    """The process, and the leash whose closing ends it with all that it started.

    On POSIX it is the guard of the worker that is started; it holds no other end of the leash than
    its own, so that the worker ends with this process, however this one ends.
    """
    command = [sys.executable, "-m", "initspec.conformance.targets.worker"]
    pipe = subprocess.PIPE
    if os.name != "posix":
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        return process, None
    guarded, leash = os.pipe()
    try:
        guard = [sys.executable, "-I", "-S", _GUARD, str(guarded), *command]
        process = subprocess.Popen(
            guard,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            pass_fds=[guarded],
            start_new_session=True,
            env=environment,
        )
    except BaseException:
        os.close(leash)
        raise
    finally:
        os.close(guarded)
    return process, open(leash, "wb")


def _end(process: subprocess.Popen[bytes], leash: IO[bytes] | None) -> None:
    """End a process, and on POSIX all that it started."""
    if leash is None:
        process.kill()
    else:
        leash.close()
    try:
        process.wait(timeout=_GRACE)
    except subprocess.TimeoutExpired:  # a guard that is stopped, say
        process.kill()
        process.wait()
