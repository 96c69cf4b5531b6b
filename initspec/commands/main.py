"""The command line. Each command makes one answer, which is printed as text or as JSON.

Exit codes: 0 done; 1 what was checked does not conform; 2 the command cannot be done as it was
given, or the machine refused it: a full disk, no memory; 3 what it needs is not installed, or
nothing could be tested.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Sequence

from .. import __version__, versions
from ..errors import BackendMissing, InitSpecError
from ..plain_text import escaped, json_text, sentence
from . import (
    check,
    demo,
    diff,
    doctor,
    fans,
    generate,
    infer,
    listing,
    plan,
    port,
    power,
    report,
    sample,
    schema,
    show,
    signal,
)
from .command import Answer, Command, Output

#: In the order in which ``--help`` lists them. Their files import only argparse and the like; what
#: a command works with is imported when it is called.
COMMANDS: tuple[Command, ...] = (
    listing.COMMAND,
    show.COMMAND,
    fans.COMMAND,
    generate.COMMAND,
    diff.COMMAND,
    port.COMMAND,
    infer.COMMAND,
    signal.COMMAND,
    plan.COMMAND,
    sample.COMMAND,
    check.COMMAND,
    report.COMMAND,
    power.COMMAND,
    demo.COMMAND,
    doctor.COMMAND,
    schema.COMMAND,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = parser().parse_args(argv)
    as_json = args.json in (True, "-")  # `check` may write it to a file
    command: Command = args.command
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what a terminal's encoding lacks is escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        answer = command.answer(args)
    except Exception as error:
        return _refused(error, as_json)
    codes = [answer.code]
    try:
        _print(answer, as_json)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _close_stdout()
    except Exception as error:
        _close_stdout()
        codes = [_refused(error, as_json=False)]
    codes += [_written(file, as_json) for file in answer.files]
    return 2 if 2 in codes else codes[0]


def _refused(error: Exception, as_json: bool) -> int:
    """Say why there is no answer; returns the exit code, which is never that of a verdict."""
    words = str(error)
    if isinstance(error, MemoryError):
        words = f"there is not enough memory for it{f': {words}' if words else ''}."
    elif isinstance(error, OSError) and not isinstance(error, InitSpecError):
        at = f" {error.filename}" if error.filename is not None else ""
        words = f"the system refused it{at}: {error.strerror or words or type(error).__name__}."
    elif not isinstance(error, InitSpecError):
        traceback.print_exception(error)
        words = f"a fault of initspec, which is worth a report: {type(error).__name__}: {words}"
    with contextlib.suppress(OSError):  # whoever would read it has gone
        if as_json:
            print(json_text({"error": type(error).__name__, "message": words}), flush=True)
        else:
            print(f"initspec: {sentence(words, most=None)}", file=sys.stderr, flush=True)
    return 3 if isinstance(error, BackendMissing) else 2


def _written(file: Output, as_json: bool) -> int:
    """Write a file of an answer that is printed; returns the exit code."""
    from ..files.writing import write_file

    try:
        write_file(file.path, file.content, append=file.append)
        if file.line and not as_json:
            print(escaped(file.line), flush=True)
    except BrokenPipeError:
        _close_stdout()
    except Exception as error:
        return _refused(error, as_json=False)
    return 0


def _close_stdout() -> None:
    """Leave nothing to be written when Python ends, which would fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(answer: Answer, as_json: bool) -> None:
    if as_json:
        from ..spec.serial import printable

        print(json_text(printable(answer.data), indent=2), flush=True)
        return
    text = "\n".join(answer.lines)
    print("\n".join(map(escaped, text.split("\n"))), flush=True)


def parser() -> argparse.ArgumentParser:
    """The parser of the command line; ``args.command`` is the :class:`Command` that is called."""
    top = argparse.ArgumentParser(
        prog="initspec",
        description="Weight initialisation, specified once, the same in every framework.",
    )
    version = f"initspec {__version__}, stream {versions.STREAM}, spec 1"
    top.add_argument("--version", action="version", version=version)
    subparsers = top.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        sub = subparsers.add_parser(command.name, help=command.purpose, description=command.purpose)
        sub.set_defaults(command=command)
        if not command.own_json:
            sub.add_argument("--json", action="store_true", help="print one JSON document")
        command.options(sub)
    return top
