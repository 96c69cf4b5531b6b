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


class Line:
    """One line on the terminal that is written over."""

    def __init__(self) -> None:
        self.started = self.shown = time.monotonic()

    def show(self, text: str) -> None:
        """Write over what is there; text from outside is made fit to be shown."""
        print(f"\r{escaped(text)[: _width()]:{_width()}}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leaves no trace."""
        print(f"\r{'':{_width()}}\r", end="", file=sys.stderr, flush=True)


def _width() -> int:
    return shutil.get_terminal_size().columns - 1


class Progress(Line):
    """How many cells are judged, once a run turns out to be long."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = 0

    def __call__(self, done: int, total: int, record: Record) -> None:
        now = time.monotonic()
        self.refused += record.verdict in ("FAIL", "ERROR", "INCONCLUSIVE")
        if now - self.started < LONG or now - self.shown < 0.1:
            return
        self.shown = now
        bad = f", {self.refused} not passed" if self.refused else ""
        self.show(f"{done}/{total}{bad}  {record.cell}")


class Bar(Line):
    """The share of bytes that are done, their rate and the time that is left."""

    def __call__(self, done: int, total: int, name: str) -> None:
        now = time.monotonic()
        if now - self.shown < 0.2:
            return
        self.shown = now
        rate = done / max(now - self.started, 1e-9)
        left = (total - done) / max(rate, 1)
        self.show(f"{done / total:4.0%}  {rate / 1e6:,.0f} MB/s  {left:,.0f} s left  {name}")
