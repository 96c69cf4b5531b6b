"""The commands ``initspec check`` and ``initspec power``."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BackendMissing, InitSpecError, NotInstalled, SpecError, UnknownName
from .registry import schemes

if TYPE_CHECKING:
    from .conformance._worker import Process
    from .conformance.cell import Cell, Target
    from .conformance.record import Record, Report
    from .layout import Layout, Shape

#: A report of no more cells than these shows those that pass, too.
FEW = 12
#: Seconds after which a run is long.
LONG = 1.0
#: A dialect of a framework's own, by the package that a target comes from.
_DIALECTS = {"torch": "torch", "keras": "keras", "tensorflow": "keras", "tf_keras": "keras"}


def check(args: Any) -> tuple[Any, list[str], int]:
    """Judge what the command line names; data, lines and the exit code."""
    from .conformance import require

    require()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does: a target may be a file that is here
    from . import _select
    from .conformance import suite
    from .conformance.design import Budget

    budget = Budget(alpha=_chance("--alpha", args.alpha))
    if not args.time_limit > 0:
        raise SpecError(f"--time-limit is a number of seconds, not {args.time_limit:g}.")
    if args.jobs < 1:
        raise SpecError(f"--jobs is a number of processes, not {args.jobs}.")
    _writable(args)
    listed = _deviations(args.deviations)
    with contextlib.redirect_stdout(sys.stderr):  # frameworks and targets may print
        cells, broken = _cells(args)
        if args.k is not None:
            chosen = _select.selection(args.k)
            cells = [cell for cell in cells if chosen(cell.name)]
            broken = [record for record in broken if chosen(record.cell)]
            if not cells and not broken:
                raise NotInstalled(f"no cell's name fits -k {args.k!r}: nothing was tested.")
        progress = _Progress() if sys.stderr.isatty() else None
        report = suite.run(
            cells,
            alpha=budget.alpha,
            vary_seeds=args.vary_seeds,
            progress=progress,
            jobs=args.jobs,
        )
        if progress is not None:
            progress.clear()
        if _whole(args):
            from .conformance import clauses

            broken += clauses.records(report)
    report = replace(report, records=(*report.records, *broken))
    if listed is not None:
        from .conformance.deviations import apply

        report = apply(report, listed)
    _write(args, report)
    lines = report.lines(verbose=args.verbose or len(report.records) <= FEW)
    if args.power:
        lines = [*_shown_power(report), *lines]
    return report.to_dict(), lines, report.exit_code


# ------------------------------------------------------------------------------------------ cells


def _cells(args: Any) -> tuple[list[Cell], list[Record]]:
    """What is to be judged, and the records of what cannot be."""
    from .backends import available

    backends = list(args.backend or ())
    targets: list[str] = []
    for text in args.target:
        (backends if text in available() else targets).append(text)
    if not backends and not targets:
        raise SpecError(
            "say what to check: a target, such as `initspec check torch.nn.init:kaiming_normal_ "
            "--as he_normal@torch`, or an adapter, `initspec check --backend all`."
        )
    from .conformance.own import claimed

    for claim in args.claims or ():
        claimed(claim)  # an unknown name is refused before anything runs
    shapes = _shapes(args)
    cells, broken = _backend_cells(backends, shapes, args)
    for text in targets:
        more, records = _target_cells(text, shapes, args)
        cells += more
        broken += records
    return cells, broken


def _shapes(args: Any) -> list[tuple[Shape, Layout]] | None:
    from .layout import Layout
    from .scheme import checked_shape

    if args.shape is None:
        if args.layout is not None:
            raise SpecError(f"--layout {args.layout} goes with a --shape.")
        return None
    shape = checked_shape(tuple(size for sizes in args.shape for size in sizes))
    layout = Layout.of(args.layout, len(shape))
    layout.roles(shape)  # refuses a layout that does not fit
    return [(shape, layout)]


def _dtypes(args: Any, usual: Sequence[str], more: Sequence[str] = ()) -> Sequence[str]:
    from .conformance.suite import DTYPES

    for dtype in args.dtype or ():
        if dtype not in (*DTYPES, *more):
            hint = "" if more else "Adapters have no complex types; others' targets may."
            raise UnknownName("dtype", dtype, (*DTYPES, *more), hint)
    return args.dtype or usual


def _whole(args: Any) -> bool:
    """Whether all adapters are judged, and in everything."""
    narrow = (args.claims, args.shape, args.dtype, args.stream, args.k, args.tier)
    return "all" in (args.backend or ()) and all(choice is None for choice in narrow)


def _backend_cells(
    names: Sequence[str], shapes: list[tuple[Shape, Layout]] | None, args: Any
) -> tuple[list[Cell], list[Record]]:
    from . import backends
    from .conformance import suite
    from .conformance.record import SKIP, Record

    known, absent = backends.available(), []
    wanted = list(dict.fromkeys(names))
    if "all" in wanted:
        wanted = [name for name, here in known.items() if here]
        absent = [name for name, here in known.items() if not here]
    for name in wanted:
        backends.backend(name)  # unknown, or not installed
    streams = [backends.check_stream(stream) for stream in args.stream or backends.STREAMS]
    if not names:
        return [], []
    if _whole(args):
        cells = suite.matrix(wanted)
    else:
        cells = suite.backend_cells(
            wanted,
            only=args.claims,
            shapes=shapes,
            dtypes=_dtypes(args, suite.DTYPES),
            streams=streams,
            tier=args.tier or "stat",
        )
    sentence = 'not installed: pip install "initspec[{}]"'
    skipped = [
        Record(cell=name, target=name, scheme="", verdict=SKIP, sentence=sentence.format(name))
        for name in absent
    ]
    return cells, skipped


def _target_cells(
    text: str, shapes: list[tuple[Shape, Layout]] | None, args: Any
) -> tuple[list[Cell], list[Record]]:
    """The cells of a target; one that cannot be had is a record, and the others go on."""
    from .conformance import suite
    from .conformance._worker import Process
    from .conformance.complexes import PARTS
    from .conformance.record import ERROR, SKIP, Record

    cells: list[Cell] = []
    records = []
    claims = args.claims or [""]
    process = Process(args.time_limit)  # one for all claims: a framework takes seconds to load
    for claim in claims:
        try:
            pairs = _claimed(text, claim, process, args)
        except (SpecError, UnknownName):  # of the command, not of the target
            raise
        except InitSpecError as error:
            verdict = SKIP if isinstance(error, BackendMissing) else ERROR
            name = f"{text} as {claim}" if claim else text
            records.append(
                Record(cell=name, target=text, scheme=claim, verdict=verdict, sentence=str(error))
            )
            continue
        for scheme, target in pairs:
            shape, layout = shapes[0] if shapes else (None, None)
            cells += suite.target_cells(
                target,
                scheme,
                shape=shape,
                layout=layout if args.layout else None,
                dtypes=_dtypes(args, ("float32",), tuple(PARTS)),
                tier=args.tier or "stat",
            )
    return cells, records


def _claimed(text: str, claim: str, process: Process, args: Any) -> list[tuple[str, Target]]:
    """A scheme and a target; with no scheme claimed, the text names a table of them."""
    from .conformance import targets

    if claim:
        return [(claim, targets.resolve(text, scheme=claim, process=process))]
    likely = suggestion(text)
    if likely is not None:
        raise Unclaimed(text, likely)
    try:
        return list(targets.resolve_table(text, time_limit=args.time_limit).items())
    except InitSpecError as error:
        if "table" in str(error):  # it is there, and is something else
            raise Unclaimed(text, None) from error
        raise


class Unclaimed(SpecError):  # noqa: N818 - it says what is wrong
    """A target of which nobody says what it should be."""

    def __init__(self, text: str, likely: str | None) -> None:
        offer = f"its name suggests `--as {likely}`" if likely else "such as `--as he_normal`"
        super().__init__(f"say what {text} claims to be, {offer}; `initspec list` shows the names.")


def suggestion(text: str) -> str | None:
    """The scheme that a target's name suggests.

    >>> suggestion("torch.nn.init:kaiming_normal_"), suggestion("keras.initializers:HeNormal")
    ('he_normal@torch', 'he_normal@keras')
    >>> suggestion("jax.nn.initializers:he_normal()"), suggestion("mylib.init:TABLE")
    ('he_normal', None)
    """
    module, _, attribute = text.partition(":")
    name = re.split(r"[(#@]", attribute)[0].rpartition(".")[2]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    dialect = _DIALECTS.get(module.partition(".")[0])
    for likely in ([f"{snake}@{dialect}"] if dialect else []) + [snake]:
        if likely in schemes:
            return schemes[likely].name
    return None


# ---------------------------------------------------------------------------------------- reports


def _deviations(path: str | None) -> Any:
    if path is None:
        return None
    from .conformance.deviations import load

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


class _Progress:
    """One line on the terminal that is written over, once a run turns out to be long."""

    def __init__(self) -> None:
        self.started = self.shown = time.monotonic()
        self.refused = 0

    def __call__(self, done: int, total: int, record: Record) -> None:
        now = time.monotonic()
        self.refused += record.verdict in ("FAIL", "ERROR", "INCONCLUSIVE")
        if now - self.started < LONG or now - self.shown < 0.1:
            return
        self.shown = now
        bad = f", {self.refused} not passed" if self.refused else ""
        width = shutil.get_terminal_size().columns - 1
        line = f"{done}/{total}{bad}  {record.cell}"[:width]
        print(f"\r{line:{width}}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leaves no trace."""
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{'':{width}}\r", end="", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------ power


def power(args: Any) -> tuple[Any, list[str], int]:
    """What a fault needs, or what so many values show; data, lines and the exit code."""
    from .conformance import require

    require()
    from .conformance import power as size
    from .conformance.design import DRAWS, Budget

    if args.law not in size.LAWS:
        raise UnknownName("law", args.law, size.LAWS)
    for option, count in (("--n", args.n), ("--cells", args.cells)):
        if count is not None and count < 1:
            raise SpecError(f"{option} counts from one, not {count}.")
    budget = Budget(
        alpha=_chance("--alpha", args.alpha), beta=_chance("--beta", args.beta), cells=args.cells
    )
    law, alpha, beta = size.LAWS[args.law], budget.decision, budget.beta
    data: dict[str, Any] = {
        "law": args.law,
        "alpha": budget.alpha,
        "cells": budget.cells,
        "decision": alpha,
        "beta": beta,
    }
    lines = [
        f"{args.law} law; {alpha:.1e} for each decision (a run of {budget.cells} at "
        f"{budget.alpha:g}); a fault of the size given is missed at most once in {1 / beta:.0e}.",
        "",
    ]
    if args.n is not None:
        shown = {kind: size.detectable(kind, args.n, law, alpha, beta) for kind in size.KINDS}
        bits = size.betrayed_bits(args.n, law, alpha, beta)
        data |= {"n": args.n, "detectable": shown | {"bits": bits}}
        lines.append(f"{args.n:,} values show")
        lines += [f"  {kind:11} {shown[kind]:9.3%} {unit}" for kind, unit in size.KINDS.items()]
        lines.append(f"  {'resolution':11} {bits:6} bits or fewer, by repeated values")
        return data, lines, 0
    error = _error(args.error)
    needs = {kind: size.needed(kind, error, law, alpha, beta) for kind in size.KINDS}
    bits_need = {bits: size.needed_for_bits(bits, law, alpha, beta) for bits in (8, 12, 16, 20)}
    data |= {"error": error, "needed": needs | {"bits": bits_need}}
    rows: list[tuple[str, str, int | None]] = [
        (kind, f"{error:g} {unit}", needs[kind]) for kind, unit in size.KINDS.items()
    ]
    rows += [("resolution", f"{bits} bits", n) for bits, n in bits_need.items()]
    width = max(len(text) for _, text, _ in rows)
    for kind, text, n in rows:
        tier = next((name for name, draws in DRAWS.items() if n is not None and n <= draws), "")
        reach = f"--tier {tier}" if tier else "more than any tier draws"
        lines.append(f"{kind:11} {text:{width}}  n = {n or 0:>13,}  {reach}")
    return data, lines, 0


def _chance(option: str, value: float) -> float:
    if not 0 < value < 1:
        raise SpecError(f"{option} is a chance between 0 and 1, such as 1e-9, not {value:g}.")
    return value


def _error(text: str) -> float:
    """``1%`` or ``0.01``."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise SpecError(f"--error is a share, such as 1% or 0.01, not {text!r}.")
    return value


def sizes(text: str) -> tuple[int, ...]:
    """``86``, ``86x8`` or ``86,8``, for the command line's ``--shape``.

    >>> sizes("86x8")
    (86, 8)
    """
    return tuple(int(size) for size in re.split("[x,]", text.strip(",x()")))
