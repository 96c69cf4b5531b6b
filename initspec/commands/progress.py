"""The line that shows how far a long run is."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

from ..plain_text import escaped

if TYPE_CHECKING:
    from ..conformance.report.record import Record

#: Seconds after which a run is long.
LONG = 1.0


class Progress:
    """One line on the terminal that is written over, once a run turns out to be long."""

    def __init__(self) -> None:
        self.started = self.shown = time.monotonic()
        self.refused = 0

    def __call__(self, done: int, total: int, record: Record) -> None:
        now = time.monotonic()
        self.refused += record.verdict in ("FAIL", "ERROR", "INCONCLUSIVE")
        if now - self.started < LONG or now - self.shown < 0.1:
            return
        self.shown = now
        bad = f", {self.refused} not passed" if self.refused else ""
        width = shutil.get_terminal_size().columns - 1
        line = escaped(f"{done}/{total}{bad}  {record.cell}")[:width]
        print(f"\r{line:{width}}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leaves no trace."""
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{'':{width}}\r", end="", file=sys.stderr, flush=True)
