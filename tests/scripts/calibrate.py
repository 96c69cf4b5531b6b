"""How often right samplers are refused: thousands of cells of known samplers, with fresh seeds.

    python tests/scripts/calibrate.py [--cells 20000] [--minutes M] [--processes P] [--out F]

The suite says that a decision's p-value is at most ``a`` with a probability of at most ``a``, and
that a run is refused at most once in 1e9. Here the samplers are right (SciPy's and NumPy's, and
the portable stream's own), so that what is counted are false alarms. Prints a table and writes
JSON; the exit status is 1 if there was one FAIL, or more small p-values than chance allows.
"""

import argparse
import json
import math
import platform
import secrets
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime

import numpy as np
from scipy import special

from initspec.conformance import design
from initspec.conformance.cell import Cell
from initspec.conformance.design import Budget
from initspec.conformance.judge import judge
from initspec.conformance.mutants.complexes import polar
from initspec.conformance.mutants.fault import Setting
from initspec.conformance.mutants.sparse import sparse
from initspec.conformance.own import OWN
from initspec.conformance.probability import complex_law, transform
from initspec.conformance.probability.complex_law import PARTS
from initspec.conformance.probability.own_law import seen
from initspec.conformance.report.record import ERROR, FAIL
from initspec.conformance.targets.backend import BackendTarget
from initspec.conformance.targets.claims import claimed
from initspec.conformance.targets.target import Target
from initspec.spec.layout import Layout
from initspec.stream import dtypes
from initspec.stream.dtypes import DTYPES

DRAWS = 2**12
LEVELS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6)
ELEMENTWISE = (
    "he_normal",
    "he_normal@torch",
    "glorot_uniform",
    "lecun_normal",
    "normal(std=1.0)",
    "normal(mean=0.3, std=0.02)",
    "uniform",
    "uniform(low=2.0, high=3.0)",
    "truncated_normal(std=0.02, low=-3.0, high=1.0)",
    "truncated_normal(std=1.0, low=2.0, high=3.0)",
    OWN,
)
ROUND = ("he_normal", "he_normal@torch", "glorot_uniform", "normal(mean=0.3, std=0.02)")
SHAPES = (((86, 8), "io"), ((5, 7, 8, 6), "hwio"), ((12, 4, 3, 3), "oihw, groups=2"))
SQUARE = (((24, 24), "io"),)
MATRICES = (((16, 16), "io"), ((8, 24), "io"), ((24, 8), "io"), ((16, 64), "io, stack=4"))


class Right(Target):
    """A right sampler by SciPy's quantiles of NumPy's random bits, or by QR with its signs."""

    def __init__(self, name, claim, layout):
        self.name, self.claim, self.layout = name, claim, layout

    def draw(self, shape, *, dtype, seed):
        layout = Layout.parse(self.layout)
        scheme = claimed(self.claim)
        law = seen(scheme.on(shape, layout))
        rng = np.random.Generator(np.random.Philox(seed))
        if dtype in PARTS:
            law = complex_law.modulus(scheme, law)
            squares, turns = law.quantiles(rng.random(shape)), rng.random(shape)
            return (law.centre + polar(squares, turns)).astype(dtype)
        if law.kind == "orthogonal":
            values = _orthogonal(law, shape, layout, rng)
        elif law.kind == "sparse":
            make = sparse(lambda rows, zeros: zeros)
            values = make(Setting(law, shape, layout, seed))
        else:
            values = transform.ppf(law, rng.random(shape) + 2.0**-54)
        rounded = dtypes.rounded(np.asarray(values), dtype)
        return rounded.view(dtypes.bfloat16()) if dtype == "bfloat16" else rounded


def _orthogonal(law, shape, layout, rng):
    wide = law.rows < law.columns
    sides = (law.columns, law.rows) if wide else (law.rows, law.columns)
    q, r = np.linalg.qr(special.ndtri(rng.random((law.count, *sides)) + 2.0**-54))
    q = q * np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)[:, None, :] * law.gain
    q = q.swapaxes(1, 2) if wide else q
    return q.swapaxes(0, 1).reshape(shape)  # the stacked matrices lie side by side


def plan():
    """One round of cells: every law, type and shape, from both sources."""
    rows = []
    for claim in ELEMENTWISE:
        for shape, layout in (*SHAPES, *SQUARE):
            rows += [(claim, shape, layout, dtype) for dtype in DTYPES]
    rows += [("orthogonal", *place, dtype) for place in MATRICES for dtype in DTYPES]
    rows += [
        (f"sparse(sparsity={share}, std=0.01)", (40, 24), "io", dtype)
        for share in (0.1, 0.5, 0.9)
        for dtype in DTYPES
    ]
    cells = [(source, *row) for row in rows for source in ("quantiles", "portable")]
    for claim in ROUND:  # laws in the complex plane, which the stream does not have
        cells += [("quantiles", claim, *SHAPES[0], dtype) for dtype in PARTS]
    return cells


def judged(job):
    """The p-values of one cell and its verdict."""
    (source, claim, shape, layout, dtype), number, run, cells = job
    design.DRAWS["stat"] = DRAWS
    scheme, axes = claimed(claim), Layout.parse(layout)
    name = f"{source} {number}"
    target = (
        Right(name, claim, layout)
        if source == "quantiles"
        else BackendTarget("numpy", scheme, axes, "portable", name)
    )
    cell = Cell(target=target, scheme=scheme, shape=shape, layout=axes, dtype=dtype, run=run)
    record = judge(cell, Budget(cells=cells))
    refused = record.sentence if record.verdict in (FAIL, ERROR) else ""
    return record.cell, refused, [(item.test, item.p) for item in record.decisions]


def most(n, level):
    """The greatest count that chance explains at 1e-6."""
    return int(special.pdtrik(1 - 1e-6, n * level)) + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so many")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, help="by default a fresh one")
    parser.add_argument("--out", help="a file for the JSON")
    options = parser.parse_args()
    run = secrets.randbits(62) if options.seed is None else options.seed
    rows, started = plan(), time.monotonic()
    jobs = ((rows[i % len(rows)], i, run, options.cells) for i in range(options.cells))
    counts = {level: Counter() for level in LEVELS}
    tested, refused, smallest, done = Counter(), [], {}, 0
    with ProcessPoolExecutor(options.processes) as pool:
        while batch := [job for _, job in zip(range(400), jobs, strict=False)]:
            for cell, sentence, decisions in pool.map(judged, batch, chunksize=20):
                done += 1
                refused += [f"{cell}: {sentence}"] if sentence else []
                for test, p in decisions:
                    tested[test] += 1
                    smallest[test] = min(p, smallest.get(test, 1.0))
                    for level in LEVELS:
                        counts[level][test] += p < level
            minutes = (time.monotonic() - started) / 60
            print(f"{done} cells in {minutes:.1f} min, {len(refused)} refused", file=sys.stderr)
            if minutes > options.minutes:
                break
    report(options, run, done, started, tested, counts, smallest, refused)
    excess = [
        test
        for level in LEVELS
        for test, n in tested.items()
        if counts[level][test] > most(n, level)
    ]
    if excess:
        print(f"more small p-values than chance allows: {', '.join(sorted(set(excess)))}")
    sys.exit(int(bool(refused or excess)))


def report(options, run, done, started, tested, counts, smallest, refused):
    """The table, and the same as JSON."""
    total = sum(tested.values())
    print(
        f"{'test':20} {'decisions':>9} " + " ".join(f"{f'p < {x:.0e}':>9}" for x in LEVELS), "least"
    )
    for test in sorted(tested):
        row = " ".join(f"{counts[level][test] / tested[test]:9.2e}" for level in LEVELS)
        print(f"{test:20} {tested[test]:9} {row} {smallest[test]:.1e}")
    row = " ".join(f"{counts[level].total() / total:9.2e}" for level in LEVELS)
    print(f"{'all':20} {total:9} {row} {min(smallest.values()):.1e}")
    print(f"{done} cells, {len(refused)} refused", *refused, sep="\n")
    if options.out:
        data = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{platform.machine()}, {options.processes} processes",
            "python": platform.python_version(),
            "numpy": np.__version__,
            "seed": run,
            "draws": DRAWS,
            "cells": done,
            "minutes": round((time.monotonic() - started) / 60, 2),
            "decisions": total,
            "refused": refused,
            "levels": {f"{level:.0e}": counts[level].total() for level in LEVELS},
            "tests": {
                test: {
                    "decisions": tested[test],
                    "least": smallest[test],
                    **{f"{level:.0e}": counts[level][test] for level in LEVELS},
                }
                for test in sorted(tested)
            },
        }
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
