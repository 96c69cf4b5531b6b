"""Mutation testing of the suite: which tests refuse which planted fault.

Every fault stands in some real code, now or once. :func:`kill_matrix` judges the mutants as the
suite judges any target. A mutant that survives is a hole in the suite; a test that refuses none
has no use.

``python -m initspec.conformance.mutants.kill_matrix [TIER ...] [--write]`` prints the matrix;
``--write`` stores it as the cases of kind ``mutant``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..cases import files
from ..design import TIERS, Budget
from ..drawing import draw_all
from ..judge import judge
from ..report.record import ERROR, FAIL, Record
from ..targets.target import Unjudged
from .mutant import Mutant, as_case
from .registry import registry

#: The level at which mutants must die: that of a cell in a run of so many.
CELLS = 1000


class Row(NamedTuple):
    """A mutant, the tests that refuse it, and the record."""

    mutant: Mutant
    killed_by: tuple[str, ...]
    record: Record


def kill_matrix(mutants: Iterable[Mutant], tiers: Sequence[str] = ("stat",)) -> list[Row]:
    """Judge the mutants of these tiers, at the level of a run of :data:`CELLS` cells."""
    budget = Budget(cells=CELLS)
    rows = []
    for mutant in mutants:
        if mutant.tier in tiers:
            record = judge(mutant.cell, budget)
            rows.append(Row(mutant, refusals(mutant, record), record))
    return rows


def refusals(mutant: Mutant, record: Record) -> tuple[str, ...]:
    """The tests that refuse; ``finite`` where a tensor has values that are no numbers."""
    if record.verdict == ERROR and not record.decisions:
        return ("finite",) if _is_unjudged(mutant, record.seed) else ()
    return tuple(sorted({item.test for item in record.failed if item.verdict == FAIL}))


def _is_unjudged(mutant: Mutant, seed: int) -> bool:
    """Whether drawing itself refuses: for a NaN or an infinity, as a mutant's shape and type are
    right. One that raises an error of its own is a broken mutant, and not refused.
    """
    try:
        draw_all(mutant.cell, seed)
    except Unjudged:
        return True
    except Exception:
        return False
    return False


def unused(rows: Iterable[Row]) -> set[str]:
    """The tests that were run and refused nothing."""
    rows = list(rows)
    run = {item.test for row in rows for item in row.record.decisions}
    return run - {test for row in rows for test in row.killed_by}


def main(arguments: Sequence[str]) -> int:
    """Judge the mutants of the tiers named, by default of all; ``--write`` stores the matrix."""
    write = "--write" in arguments
    tiers = tuple(word for word in arguments if word != "--write") or TIERS
    if not set(tiers) <= set(TIERS):
        print(__doc__)
        return 2
    stored = {case.id: case.body["killed_by"] for case in files.read("mutant")}
    rows = []
    for mutant in registry().values():
        for row in kill_matrix([mutant], tiers):
            rows.append(row)
            stored[mutant.id] = list(row.killed_by)
            print(f"{mutant.id:28} {mutant.tier:6}", ", ".join(row.killed_by) or "-", flush=True)
    alive = [row.mutant.id for row in rows if not row.killed_by and not row.mutant.equivalent]
    print("survive:", ", ".join(alive) or "none")
    print("tests that refuse nothing here:", ", ".join(sorted(unused(rows))) or "none")
    if write:
        cases = [as_case(mutant, stored.get(mutant.id, ())) for mutant in registry().values()]
        path = files.FOLDER / "mutant.json"
        path.write_text(files.text("mutant", cases), "utf-8")
    return int(bool(alive))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
