"""The parent of a target's process: what it guards ends when either end does, whoever ends it.

``python guard.py LEASH COMMAND...`` runs a command in a session of its own and ends all that came
of it when the command has ended or the pipe ``LEASH`` is closed, as it is by any death of the
process that holds its other end. Linux hands it the orphans of what it started too, also those in
sessions of their own; elsewhere only the session of the command is reached. It loads nothing but
Python's own modules, so that it starts in hundredths of a second.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time

_SUBREAPER, _DEATH_SIGNAL = 36, 1  # prctl's options
_PATIENCE = 5.0  # seconds in which what is killed has to be gone


def main(leash: int, command: list[str]) -> None:
    """Run the command, end what it leaves, and end as it ended."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP):  # of a terminal: the holder of the leash decides
        signal.signal(number, signal.SIG_IGN)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    _prctl(_SUBREAPER, 1)
    pid = _started(leash, command)
    for pipe in (0, 1):  # of which the command has the only ends
        os.close(pipe)
    status = None
    while status is None:
        ready = select.select([leash, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
        status = _reaped().get(pid)
        if leash in ready:
            break
    _end_all(pid)
    _end_as(status)


def _started(leash: int, command: list[str]) -> int:
    guard, pid = os.getpid(), os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        os.close(leash)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() == guard:
            os.execv(command[0], command)
    finally:
        os._exit(127)


def _reaped() -> dict[int, int]:
    """The children that have ended, with their status."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            ended[pid] = status
    return ended


def _end_all(group: int) -> None:
    """Kill until nothing is left; what starts more than is killed has until the patience ends."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
        living = _descendants()
        for pid in living:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        _reaped()
        if not (living and _descendants()) or time.monotonic() > deadline:
            return
        time.sleep(0.002)


def _descendants() -> list[int]:
    """The processes below this one; none where the system does not list them."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if sys.platform == "linux" and os.path.isdir("/proc") else ():
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{int(name)}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(name))
    below, unread = list[int](), [os.getpid()]
    while unread:
        unread.extend(nearest := children.get(unread.pop(), []))
        below.extend(nearest)
    return below


def _end_as(status: int | None) -> None:
    """End with the command's exit code, or by the signal that ended it."""
    code = 0 if status is None else os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)  # SIGKILL has no handler to reset
        os.kill(os.getpid(), -code)
    os._exit(code)


def _prctl(option: int, value: int) -> None:
    """Linux' ``prctl``; nothing elsewhere."""
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
