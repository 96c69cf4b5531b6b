"""How fast the conformance suite judges, and in how much memory.

    python tests/benchmarks/suite.py [--matrix] [--jobs N] [--json]

The time of one cell of 2**17 values after they are drawn, by law and type; the peak of memory at
2**24 values; with ``--matrix`` the time of the whole matrix of the adapters that are installed.
"""

import argparse
import json
import resource
import statistics
import sys
import time

from initspec import available
from initspec.conformance import drawing, judge, suite
from initspec.conformance.design import DRAWS, Budget

LAWS = ("he_normal", "he_normal@torch", "glorot_uniform", "orthogonal", "sparse")
MIB = 2**20


def judging(scheme: str, dtype: str) -> float:
    """Seconds that a cell takes beside its drawing, the median of seven."""
    one = suite.backend_cells(["numpy"], only=[scheme], dtypes=[dtype], streams=["portable"])[0]
    drawn = drawing.draw_all(one, 1)
    real = drawing.draw_all
    drawing.draw_all = lambda *args: drawn
    try:
        judge.judge(one, Budget())  # tables that are made once
        seconds = []
        for _ in range(7):
            started = time.perf_counter()
            judge.judge(one, Budget())
            seconds.append(time.perf_counter() - started)
    finally:
        drawing.draw_all = real
    return statistics.median(seconds)


def peak(draws: int) -> float:
    """MiB of resident memory that a cell of so many values needs at most, all included."""
    usual, DRAWS["deep"] = DRAWS["deep"], draws
    try:
        chosen = {"only": ["he_normal"], "dtypes": ["float32"], "streams": ["portable"]}
        suite.run(suite.backend_cells(["numpy"], tier="deep", **chosen)[:1])
    finally:
        DRAWS["deep"] = usual
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def matrix(jobs: int) -> tuple[int, float, str]:
    """The cells of the whole matrix, its seconds and its verdict."""
    names = [name for name, here in available().items() if here]
    started = time.perf_counter()
    report = suite.run(suite.matrix(names), jobs=jobs)
    return len(report.records), time.perf_counter() - started, report.verdict


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matrix", action="store_true", help="the whole matrix, too")
    parser.add_argument("--jobs", type=int, default=2, help="its processes (default: 2)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    args = parser.parse_args()
    found: dict[str, object] = {
        f"{law} {dtype}, 2**17 values, seconds": round(judging(law, dtype), 4)
        for law in LAWS
        for dtype in ("float32", "bfloat16")
    }
    found["2**24 values, MiB at the peak"] = round(peak(2**24))
    if args.matrix:
        count, seconds, verdict = matrix(args.jobs)
        found["matrix, cells"] = count
        found[f"matrix, seconds in {args.jobs} processes"] = round(seconds, 1)
        found["matrix, verdict"] = verdict
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        width = max(map(len, found))
        print("\n".join(f"{name:{width}}  {value}" for name, value in found.items()))


if __name__ == "__main__":  # processes that are spawned import this file
    main()
