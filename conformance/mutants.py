"""The suite's own test: samplers with one planted fault each, all of which must be refused.

Every fault stands in some real code, now or once. :func:`kill_matrix` judges the mutants as the
suite judges any target and says which tests refuse which of them. A mutant that survives is a hole
in the suite; a test that refuses none has no use.

``python -m initspec.conformance.mutants [TIER ...] [--write]`` prints the matrix and stores it as
the cases of kind ``mutant``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..layout import Layout, Shape
from . import case_files
from . import faults as f
from .cell import Cell, judge
from .design import DRAWS, Budget
from .faults import Fault
from .own import claimed, seen
from .record import ERROR, FAIL, Record

#: The level at which mutants must die: that of a cell in a run of so many.
CELLS = 1000
TIERS = tuple(DRAWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A sampler that claims to be a scheme and is not; a target as any other.

    ``tier`` is the one that must refuse it. ``equivalent`` says why no test can, or needs to; such
    a mutant must pass. ``of_words`` is its map from words to values, for those that err in it.
    """

    id: str
    claim: str
    what: str
    source: str
    make: Fault = field(repr=False)
    shape: Shape = (86, 8)
    layout: str = "io"
    dtype: str = "float32"
    tier: str = "stat"
    equivalent: str = ""
    of_words: Callable[[NDArray[Any]], NDArray[Any]] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """As a target."""
        return f"mutant {self.id}"

    @property
    def resolution(self) -> int:
        """The bits that it says it resolves."""
        return 22

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> NDArray[Any]:
        """A tensor with the fault."""
        from ..backends import _host

        layout = Layout.parse(self.layout)
        law = seen(claimed(self.claim).on(shape, layout))
        values = self.make(f.Setting(law, shape, layout, seed, dtype))
        found = _host.rounded(np.asarray(values), dtype)
        return found.view(_host.bfloat16()) if dtype == "bfloat16" else found

    @property
    def transform(self) -> Callable[..., NDArray[Any]] | None:
        """The map from words to values, where the fault lies in it."""
        of = self.of_words
        return None if of is None else lambda words, law, dtype: of(words)

    @property
    def cell(self) -> Cell:
        """The cell that judges it."""
        return Cell(
            target=self,
            scheme=claimed(self.claim),
            shape=self.shape,
            layout=Layout.parse(self.layout),
            dtype=self.dtype,
            tier=self.tier,
        )


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
            rows.append(Row(mutant, refusals(record), record))
    return rows


def refusals(record: Record) -> tuple[str, ...]:
    """The tests that refuse; ``finite`` where values are no numbers."""
    if record.verdict == ERROR and "NaN or infinite" in record.sentence:
        return ("finite",)
    return tuple(sorted({item.test for item in record.failed if item.verdict == FAIL}))


def unused(rows: Iterable[Row]) -> set[str]:
    """The tests that were run and refused nothing."""
    rows = list(rows)
    run = {item.test for row in rows for item in row.record.decisions}
    return run - {test for row in rows for test in row.killed_by}


@cache
def registry() -> dict[str, Mutant]:
    """All mutants, by id."""
    from . import planted

    found: dict[str, Mutant] = {}
    for group in (
        planted.scales,
        planted.laws,
        planted.resolutions,
        planted.dependence,
        planted.tied,
        planted.own,
        planted.complexes,
    ):
        for mutant in group():
            if mutant.id in found:
                raise ValueError(f"two mutants have the id {mutant.id!r}")
            found[mutant.id] = mutant
    return found


def as_case(mutant: Mutant, killed_by: Sequence[str]) -> dict[str, Any]:
    """A mutant as a case of kind ``mutant``."""
    layout = Layout.parse(mutant.layout)
    return {
        "id": mutant.id,
        "description": mutant.what,
        "claim": mutant.claim,
        "source": mutant.source,
        "tensor": case_files.tensor(mutant.shape, layout),
        "dtype": mutant.dtype,
        "tier": mutant.tier,
        "killed_by": list(killed_by),
        "equivalent": mutant.equivalent,
    }


def differences(body: Mapping[str, Any], id: str) -> str | None:
    """What the registry says otherwise than a stored case; the matrix itself is for the tests."""
    mutant = registry().get(id)
    if mutant is None:
        return f"no mutant has the id {id!r}"
    found = as_case(mutant, body["killed_by"])
    wrong = [key for key, value in body.items() if found[key] != value]
    return f"the registry says otherwise: {', '.join(wrong)}" if wrong else None


def main(arguments: Sequence[str]) -> int:
    """Judge the mutants of the tiers named, by default of all; ``--write`` stores the matrix."""
    write = "--write" in arguments
    tiers = tuple(word for word in arguments if word != "--write") or TIERS
    if not set(tiers) <= set(TIERS):
        print(__doc__)
        return 2
    stored = {case.id: case.body["killed_by"] for case in case_files.read("mutant")}
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
        path = case_files.FOLDER / "mutant.json"
        path.write_text(case_files.text("mutant", cases), "utf-8")
    return int(bool(alive))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
