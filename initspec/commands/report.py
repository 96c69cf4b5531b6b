"""``initspec report``: from the JSON of a run to one page that is read in a browser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import SpecError
from ..files.text import read_text
from ..files.writing import checked_place, write_file
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
    target = Path(args.out) if source is None or args.out else source.with_suffix(".html")
    if source is not None and target.resolve() == source.resolve():
        raise SpecError(f"-o {target} is the run itself: give the page another name.")
    checked_place(target)
    page = html(report).encode()
    write_file(target, page)
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
        try:
            return sys.stdin.read()
        except UnicodeDecodeError as error:
            raise SpecError("what came in is no text, and so no report of a run.") from error
    if source.is_dir():
        raise SpecError(f"{source} is a folder: give the file that `initspec check --json` wrote.")
    return read_text(source)


COMMAND = Command("report", "Make one page, to be read in a browser, of a run.", options, answer)
