"""How much memory there is, asked before so much is taken that the system ends the process."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..errors import SpecError

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory_left() -> int | None:
    """Bytes that may still be taken, as far as the system says; None where it does not."""
    limits = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        limits.append(1024 * int(line.split()[1]))
    for name in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # ValueError: of the word "max"
            limits.append(int(Path(name).read_text()))
    if not limits:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(limits, default=None)


def ask_for_memory(size: int, what: str) -> None:
    """Raises :class:`SpecError` where the machine has not so many bytes for what is named."""
    left = memory_left()
    if left is not None and size > left:
        raise SpecError(
            f"{what} takes {size / 1e9:,.1f} GB of memory, and {left / 1e9:,.1f} GB are left here."
        )
