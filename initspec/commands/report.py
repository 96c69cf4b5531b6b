"""``initspec report``: from the JSON of a run to one page that is read in a browser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import SpecError
from .command import Answer, Command


def options(parser: argparse.ArgumentParser) -> None:
    """The run, and where its page goes."""
    text = "what `initspec check ... --json run.json` wrote; - reads it from what comes in"
    parser.add_argument("run", metavar="run.json", help=text)
    text = "the page (default: the run's name, with .html)"
    parser.add_argument("-o", "--out", metavar="FILE.html", help=text)


def answer(args: argparse.Namespace) -> Answer:
    """Write the page of a run."""
    from ..conformance.report.page import html
    from ..conformance.report.reading import read

    source = None if args.run == "-" else Path(args.run)
    if args.out is None and source is None:
        raise SpecError("say where to write the page of what comes in: -o report.html.")
    report = read(_text(source), str(source or "what came in"))
    page = html(report).encode()
    target = Path(args.out) if source is None or args.out else source.with_suffix(".html")
    if source is not None and target.resolve() == source.resolve():
        raise SpecError(f"-o {target} is the run itself: give the page another name.")
    try:
        target.write_bytes(page)
    except OSError as error:
        raise SpecError(f"cannot write {target}: {error.strerror or error}.") from error
    data = {
        "file": str(target),
        "bytes": len(page),
        "cells": len(report.records),
        "verdict": report.verdict,
    }
    size = f"{max(len(page) // 1000, 1)} kB"
    return Answer(data, [f"{target}: {report.verdict}, {len(report.records)} cells, {size}"])


def _text(source: Path | None) -> str:
    if source is None:
        return sys.stdin.read()
    if source.is_dir():
        raise SpecError(f"{source} is a folder: give the file that `initspec check --json` wrote.")
    try:
        return source.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SpecError(f"{source} is no text, and so no report of a run.") from error
    except OSError as error:
        raise SpecError(f"cannot read {source}: {error.strerror or error}.") from error


COMMAND = Command("report", "Make one page, to be read in a browser, of a run.", options, answer)
