"""The command ``initspec report``: from the JSON of a run to one page that is read in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..conformance.report.reading import read
from ..errors import SpecError


def report(args: Any) -> tuple[Any, list[str]]:
    """Write the page of a run; data and lines on it."""
    from ..conformance.report.page import html

    source = None if args.run == "-" else Path(args.run)
    if args.out is None and source is None:
        raise SpecError("say where to write the page of what comes in: -o report.html.")
    found = read(_text(source), str(source or "what came in"))
    page = html(found).encode()
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
        "cells": len(found.records),
        "verdict": found.verdict,
    }
    size = f"{max(len(page) // 1000, 1)} kB"
    return data, [f"{target}: {found.verdict}, {len(found.records)} cells, {size}"]


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
