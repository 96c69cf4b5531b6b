"""The commands ``initspec check`` and ``initspec power``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conformance.selection import select, whole
from ..errors import NotInstalled, SpecError
from .arguments import chance
from .progress import Progress

if TYPE_CHECKING:
    from ..conformance.report.record import Report


#: A report of no more cells than these shows those that pass, too.
FEW = 12


def check(args: Any) -> tuple[Any, list[str], int]:
    """Judge what the command line names; data, lines and the exit code."""
    from ..conformance import require

    require()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does: a target may be a file that is here
    from ..conformance import name_filter, suite
    from ..conformance.design import Budget

    budget = Budget(alpha=chance("--alpha", args.alpha))
    if not args.time_limit > 0:
        raise SpecError(f"--time-limit is a number of seconds, not {args.time_limit:g}.")
    if args.jobs < 1:
        raise SpecError(f"--jobs is a number of processes, not {args.jobs}.")
    _writable(args)
    listed = _deviations(args.deviations)
    with contextlib.redirect_stdout(sys.stderr):  # frameworks and targets may print
        cells, broken = select(args)
        if args.k is not None:
            chosen = name_filter.selection(args.k)
            cells = [cell for cell in cells if chosen(cell.name)]
            broken = [record for record in broken if chosen(record.cell)]
            if not cells and not broken:
                raise NotInstalled(f"no cell's name fits -k {args.k!r}: nothing was tested.")
        progress = Progress() if sys.stderr.isatty() else None
        report = suite.run(
            cells,
            alpha=budget.alpha,
            vary_seeds=args.vary_seeds,
            progress=progress,
            jobs=args.jobs,
        )
        if progress is not None:
            progress.clear()
        if whole(args):
            from ..conformance import clauses

            broken += clauses.records(report)
    report = replace(report, records=(*report.records, *broken))
    if listed is not None:
        from ..conformance.deviations import apply

        report = apply(report, listed)
    _write(args, report)
    lines = report.lines(verbose=args.verbose or len(report.records) <= FEW)
    if args.power:
        lines = [*_shown_power(report), *lines]
    return report.to_dict(), lines, report.exit_code


# ---------------------------------------------------------------------------------------- reports


def _deviations(path: str | None) -> Any:
    if path is None:
        return None
    from ..conformance.deviations import load

    return load(None if path == "known" else path)


def _writable(args: Any) -> None:
    """Refuses files that cannot be written before anything runs."""
    if args.json not in (None, "-") and not args.json.endswith(".json"):
        raise SpecError(
            f"--json took {args.json!r} for its file, which must end in .json: write the targets "
            "before it, or `--json -`."
        )
    for text in (args.json, args.junit, args.summary):
        if text in (None, "-"):
            continue
        path = Path(text)
        if path.is_dir() or not path.parent.is_dir():
            raise SpecError(f"cannot write {text}: there is no such folder, or it is one.")


def _write(args: Any, report: Report) -> None:
    if args.json not in (None, "-"):
        Path(args.json).write_text(report.to_json(), "utf-8")
    if args.junit is not None:
        Path(args.junit).write_text(report.to_junit(), "utf-8")
    if args.summary is not None:
        with Path(args.summary).open("a", encoding="utf-8") as file:
            file.write(report.to_markdown())


def _shown_power(report: Report) -> Iterator[str]:
    """What the run could see, each answer once."""
    seen = set()
    for record in report.records:
        parts = [
            f"{item.detectable:.3g} {item.unit} ({item.test})"
            for item in record.decisions
            if item.detectable is not None
        ]
        line = f"{record.n:,} values of {record.scheme} show {'; '.join(parts)}"
        if parts and line not in seen:
            seen.add(line)
            yield line


def check_options(sub: argparse.ArgumentParser) -> None:
    from .arguments import sizes

    word = "a backend, or package.module:name, such as torch.nn.init:kaiming_normal_"
    sub.add_argument("target", nargs="*", metavar="TARGET", help=word)
    word = "what it claims to be: a scheme, or package.module:Law; may be repeated"
    sub.add_argument("--as", action="append", dest="claims", metavar="SCHEME", help=word)
    word = "judge this adapter, or all; may be repeated"
    sub.add_argument("--backend", action="append", help=word)
    sub.add_argument("--shape", type=sizes, nargs="+", help="one shape, as 86 8 or 86x8")
    sub.add_argument("--layout", help="the roles of the shape's axes: oihw, torch.Conv2d")
    sub.add_argument("--dtype", action="append", help="may be repeated")
    sub.add_argument("--stream", action="append", help="of adapters: portable or native")
    word = "how deep (default: stat; with --backend all and nothing else, exact and stat)"
    sub.add_argument("--tier", choices=("exact", "stat", "deep"), help=word)
    word = "processes that share the cells of adapters (default: 1)"
    sub.add_argument("--jobs", type=int, default=1, metavar="N", help=word)
    word = "only cells whose names fit: 'torch and not bfloat'"
    sub.add_argument("-k", metavar="EXPR", help=word)
    sub.add_argument("--alpha", type=float, default=1e-9, help="the run's chance of a false alarm")
    sub.add_argument("--vary-seeds", action="store_true", help="draw fresh seeds")
    word = "seconds for each answer of a target (default: 60)"
    sub.add_argument("--time-limit", type=float, default=60.0, metavar="S", help=word)
    word = "known deviations: a TOML file, or 'known' for those that come with the suite"
    sub.add_argument("--deviations", metavar="FILE", help=word)
    sub.add_argument("--junit", metavar="FILE", help="write JUnit's XML")
    sub.add_argument("--summary", metavar="FILE", help="append a table in Markdown")
    sub.add_argument("--power", action="store_true", help="say what each test could see")
    sub.add_argument("-v", "--verbose", action="store_true", help="show the cells that pass, too")
