"""The command line. Each command makes one answer, which is printed as text or as JSON.

Exit codes: 0 done; 1 what was checked does not conform; 2 the command cannot be done as it was
given; 3 what it needs is not installed, or nothing could be tested.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from .. import __version__, versions
from ..errors import BackendMissing, InitSpecError
from . import (
    check,
    demo,
    diff,
    doctor,
    fans,
    generate,
    infer,
    listing,
    port,
    power,
    report,
    sample,
    schema,
    show,
    signal,
)
from .command import Answer, Command

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
    try:
        answer = command.answer(args)
    except InitSpecError as error:
        if as_json:
            print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        else:
            print(f"initspec: {error}", file=sys.stderr)
        return 3 if isinstance(error, BackendMissing) else 2
    try:
        _print(answer, as_json)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
    return answer.code


def _print(answer: Answer, as_json: bool) -> None:
    if not as_json:
        print("\n".join(answer.lines))
        return
    from ..spec.serial import printable

    print(json.dumps(printable(answer.data), indent=2, ensure_ascii=False))


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
