"""What a command of the command line is, and its answer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..files.writing import Content


class Output(NamedTuple):
    """A file that a command writes: where, what, and the line that says so once it is done."""

    path: str | Path
    content: Content
    line: str = ""
    append: bool = False


class Answer(NamedTuple):
    """What a command says: data for machines, lines for people, the exit code, and files.

    The files are written when the rest is printed, so that a full disk costs no answer.
    """

    data: Any
    lines: Sequence[str]
    code: int = 0
    files: Sequence[Output] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name, what it does in a sentence, its options and its function.

    ``options`` adds the arguments to a parser that has ``--json`` already, unless the command
    declares that one itself (``own_json``). ``answer`` takes what was parsed and may raise
    :class:`initspec.InitSpecError`.
    """

    name: str
    purpose: str
    options: Callable[[argparse.ArgumentParser], None]
    answer: Callable[[argparse.Namespace], Answer]
    own_json: bool = False


def no_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that has none but ``--json``."""
