"""``initspec check``: judge what makes weights, and report it."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import SpecError
from ..files.writing import checked_place
from .arguments import checked_chance, shape_option
from .command import Answer, Command, Output
from .progress import Progress

if TYPE_CHECKING:
    from ..conformance.deviations import Deviation
    from ..conformance.report.record import Report
    from ..conformance.selection import Selected, Selection


#: A report of no more cells than these shows those that pass, too.
FEW = 12

#: Seconds for each answer of a target.
TIME_LIMIT = 60.0


def options(parser: argparse.ArgumentParser) -> None:
    """What to judge, how, and where the report goes."""
    text = "print one JSON document, or write it to this file"
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE.json", help=text)
    text = "a backend, or package.module:name, such as torch.nn.init:kaiming_normal_"
    parser.add_argument("target", nargs="*", metavar="TARGET", help=text)
    text = "what it claims to be: a scheme, or package.module:Law; may be repeated"
    parser.add_argument("--as", action="append", dest="claims", metavar="SCHEME", help=text)
    text = "judge this adapter, or all; may be repeated"
    parser.add_argument("--backend", action="append", help=text)
    shape_option(parser, "one shape")
    parser.add_argument("--layout", help="the roles of the shape's axes: oihw, torch.Conv2d")
    parser.add_argument("--dtype", action="append", help="may be repeated")
    parser.add_argument("--stream", action="append", help="of adapters: portable or native")
    text = (
        "how deep: exact is what needs no chance; stat, the default, has statistics, too; deep has "
        "more of them. Adapters have exact by itself, and beside stat with --backend all alone"
    )
    parser.add_argument("--tier", choices=("exact", "stat", "deep"), help=text)
    text = "processes that share the cells of adapters (default: 1)"
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help=text)
    text = "only cells whose names fit: 'torch and not bfloat'"
    parser.add_argument("-k", metavar="EXPR", help=text)
    text = "the run's chance of a false alarm"
    parser.add_argument("--alpha", type=float, default=1e-9, help=text)
    parser.add_argument("--vary-seeds", action="store_true", help="draw fresh seeds")
    text = "seconds for each answer of a target (default: 60)"
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT, metavar="S", help=text)
    text = "known deviations: a TOML file, or 'known' for those that come with the suite"
    parser.add_argument("--deviations", metavar="FILE", help=text)
    parser.add_argument("--junit", metavar="FILE", help="write JUnit's XML")
    parser.add_argument("--summary", metavar="FILE", help="append a table in Markdown")
    parser.add_argument("--power", action="store_true", help="say what each test could see")
    text = "show the cells that pass, too"
    parser.add_argument("-v", "--verbose", action="store_true", help=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A run: what it judges, how strictly, and where it is reported."""

    selection: Selection
    """What is judged."""
    alpha: float
    """The chance that a run of right initializers is refused."""
    vary_seeds: bool
    """Whether seeds are fresh, in place of those that the cells' names fix."""
    jobs: int
    """Processes that share the cells of adapters."""
    deviations: str | None
    """The file of known deviations; ``known`` is the suite's own."""
    json: str | None
    """The file for the report as JSON; ``-`` prints it."""
    junit: str | None
    """The file for JUnit's XML."""
    summary: str | None
    """The file that a Markdown table is appended to."""
    power: bool
    """Whether to say what each test could see."""
    verbose: bool
    """Whether to show the cells that pass."""

    @classmethod
    def of(cls, args: argparse.Namespace) -> Options:
        """The options as parsed; raises :class:`SpecError` for a value that cannot be."""
        checked_chance("--alpha", args.alpha)
        if not args.time_limit > 0:
            raise SpecError(f"--time-limit is a number of seconds, not {args.time_limit:g}.")
        if args.jobs < 1:
            raise SpecError(f"--jobs is a number of processes, not {args.jobs}.")
        _check_writable(args.json, args.junit, args.summary)
        return cls(
            selection=_selection(args),
            alpha=args.alpha,
            vary_seeds=args.vary_seeds,
            jobs=args.jobs,
            deviations=args.deviations,
            json=args.json,
            junit=args.junit,
            summary=args.summary,
            power=args.power,
            verbose=args.verbose,
        )

    @property
    def repeated(self) -> list[str]:
        """The options that one cell of the run needs, too, to be judged alike."""
        limit = self.selection.time_limit
        return [
            *(["--time-limit", f"{limit:g}"] if limit != TIME_LIMIT else []),
            *(["--deviations", self.deviations] if self.deviations is not None else []),
        ]


def _selection(args: argparse.Namespace) -> Selection:
    from ..conformance.selection import Selection

    def chosen(values: list[str] | None) -> tuple[str, ...] | None:
        return None if values is None else tuple(values)

    return Selection(
        targets=tuple(args.target),
        backends=tuple(args.backend or ()),
        claims=chosen(args.claims),
        shape=args.shape,
        layout=args.layout,
        dtypes=chosen(args.dtype),
        streams=chosen(args.stream),
        tier=args.tier,
        names=args.k,
        time_limit=args.time_limit,
    )


def _check_writable(json: str | None, junit: str | None, summary: str | None) -> None:
    """Refuses files that cannot be written before anything runs."""
    if json not in (None, "-") and not json.endswith(".json"):
        raise SpecError(
            f"--json took {json!r} for its file, which must end in .json: write the targets "
            "before it, or `--json -`."
        )
    for path in (json, junit, summary):
        if path is not None and path != "-":
            checked_place(path)


# -------------------------------------------------------------------------------------------- run


def answer(args: argparse.Namespace) -> Answer:
    """Judge what the command line names."""
    from ..conformance import require

    require()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from ..conformance.selection import select
    from ..conformance.targets.text import FOLDERS

    options = Options.of(args)
    known = _deviations(options.deviations)
    FOLDERS[:] = [os.getcwd()]  # a target may be a file that is here
    with contextlib.redirect_stdout(sys.stderr):  # frameworks and targets may print
        selected = select(options.selection)
        report = run(selected, options)
    if known is not None:
        from ..conformance.deviations import apply

        report = apply(report, known)
    lines = _lines(report, options)
    return Answer(report.to_dict(), lines, report.exit_code, _files(report, options))


def _deviations(path: str | None) -> Sequence[Deviation] | None:
    if path is None:
        return None
    from ..conformance.deviations import load

    return load(None if path == "known" else path)


def run(selected: Selected, options: Options) -> Report:
    """Judge the cells, and the clauses of the specification where everything was judged."""
    from ..conformance import suite

    progress = Progress() if sys.stderr.isatty() else None
    report = suite.run(
        selected.cells,
        alpha=options.alpha,
        vary_seeds=options.vary_seeds,
        progress=progress,
        jobs=options.jobs,
        repeated=options.repeated,
    )
    if progress is not None:
        progress.clear()
    records = [*report.records, *selected.records]
    if options.selection.is_whole:
        from ..conformance import clauses
        from ..conformance.reproduction import in_shell

        seeds = ["--vary-seeds"] if options.vary_seeds else []
        command = in_shell("initspec", "check", "--backend", "all", *seeds, *options.repeated)
        records += [replace(record, command=command) for record in clauses.records(report)]
    return replace(report, records=tuple(records))


# ----------------------------------------------------------------------------------------- report


def _lines(report: Report, options: Options) -> list[str]:
    lines = report.lines(verbose=options.verbose or len(report.records) <= FEW)
    return [*_shown_power(report), *lines] if options.power else lines


def _files(report: Report, options: Options) -> list[Output]:
    outputs = []
    if options.json is not None and options.json != "-":
        outputs.append(Output(options.json, report.to_json()))
    if options.junit is not None:
        outputs.append(Output(options.junit, report.to_junit()))
    if options.summary is not None:
        outputs.append(Output(options.summary, report.to_markdown(), append=True))
    return outputs


def _shown_power(report: Report) -> Iterator[str]:
    """What the run could see, each answer once."""
    seen: set[str] = set()
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


COMMAND = Command("check", "Judge what makes weights.", options, answer, own_json=True)
