"""The answer of a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What a command found: data for machines, lines for people, and the exit code."""

    data: Any
    lines: Sequence[str]
    code: int = 0
