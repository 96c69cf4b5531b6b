"""Run the tests on the newest, or the least, versions of everything, in a fresh environment.

``python tests/scripts/versions.py newest|minimum [PATH ...]``; each file of tests is a process of
its own with a limit of time, so that one which hangs is named and the others run all the same.
The exit code is 1 where a file failed or was stopped.

PyTorch's newest wheels bring several GB of CUDA libraries: ``--without torch`` leaves it
out, and its tests are skipped; ``--pin torch=2.13.0`` takes a version that is at hand.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from minimum import PROJECT, constraints

ROOT = PROJECT.parent
#: The first TensorFlow that shares ml_dtypes with the first JAX, and a Haiku of its time.
TOGETHER = {"tensorflow": "2.17"}
OF_THAT_TIME = {"dm-haiku": "0.0.13"}
SHOWN = ("numpy", "scipy", "torch", "tensorflow", "keras", "jax", "jaxlib", "flax", "equinox")


class Outcome(NamedTuple):
    """What became of a file of tests."""

    path: str
    verdict: str
    counts: str
    seconds: float
    output: str


def requirements(extra: str, without: set[str]) -> Iterator[str]:
    """What an extra of pyproject.toml asks for, the extras that it names spelled out."""
    rows = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]
    for row in rows[extra]:
        if match := re.fullmatch(r"initspec\[(.*)\]", row):
            for name in match[1].split(","):
                yield from requirements(name, without)
        elif re.split(r"[^\w-]", row)[0] not in without:
            yield row


def install(venv: Path, pins: dict[str, str], without: set[str]) -> Path:
    """Install this tree and what its tests need; the environment's Python."""
    python = venv.absolute() / ("Scripts" if os.name == "nt" else "bin") / "python"
    constraints = venv / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()))
    rows = sorted(set(requirements("test", without)))
    command = [python, "-m", "pip", "install", "--quiet", "-c", constraints, "-e", ROOT, *rows]
    subprocess.run(command, check=True)
    return python


def installed(python: Path) -> str:
    """The versions that the tests meet, in a line."""
    listing = subprocess.check_output([python, "-m", "pip", "list", "--format=json"])
    versions = {row["name"].lower(): row["version"] for row in json.loads(listing)}
    name = subprocess.check_output([python, "--version"], text=True).strip()
    return ", ".join([name, *(f"{name} {versions[name]}" for name in SHOWN if name in versions)])


def files(paths: list[Path]) -> list[Path]:
    """The files of tests below the paths; a folder of the library is one, for its doctests."""
    found: list[Path] = []
    for path in paths or [ROOT / "tests", ROOT / "initspec"]:
        inside = sorted(path.rglob("test_*.py")) if path.is_dir() else []
        found += inside or [path]
    return found


def run(python: Path, path: Path, limit: float, marks: str) -> Outcome:
    """Run the tests of a file; all its processes end with it."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as room:
        report = Path(room) / "junit.xml"
        command = [python, "-m", "pytest", "-v", "-p", "no:cacheprovider", f"--junitxml={report}"]
        process = subprocess.Popen(
            [*command, "-m", marks, path],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=limit)
            verdict = {0: "passed", 5: "no test"}.get(process.returncode, "FAILED")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            verdict = "STOPPED"
        counts = count(report) if report.exists() else ""
    if verdict == "STOPPED":
        counts = f"in {(output.split() or [''])[-1]}"  # pytest -v names a test as it starts
    shown = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
    return Outcome(shown, verdict, counts, time.monotonic() - start, output)


def count(report: Path) -> str:
    """How many tests a report has, and how many of them were skipped and failed."""
    suite = ElementTree.parse(report).getroot()[0]
    bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return f"{suite.get('tests')} tests, {suite.get('skipped')} skipped, {bad} failed"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("versions", choices=["newest", "minimum"])
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders; all of the tests")
    parser.add_argument("--python", default=sys.executable, help="makes the environment")
    parser.add_argument("--venv", type=Path, help="where it is made and kept; a folder that goes")
    parser.add_argument("--pin", action="append", default=[], metavar="PACKAGE=VERSION")
    parser.add_argument("--without", action="append", default=[], metavar="PACKAGE")
    parser.add_argument("--limit", type=float, default=600, help="seconds for each file")
    parser.add_argument("--marks", default="not slow", help="which tests, as pytest's -m takes it")
    parser.add_argument("--jobs", type=int, default=1, help="files at a time")
    return parser.parse_intermixed_args()


def main() -> int:
    """Make the environment, run the files and print a table."""
    args = arguments()
    pins = dict(word.split("=") for word in args.pin)
    if args.versions == "minimum":
        pins = {**constraints(TOGETHER), **OF_THAT_TIME, **pins}
    with tempfile.TemporaryDirectory() as room:
        venv = args.venv or Path(room) / "venv"
        subprocess.run([args.python, "-m", "venv", venv], check=True)
        python = install(venv, pins, set(args.without))
        print(installed(python), flush=True)
        outcomes = []
        with ThreadPoolExecutor(args.jobs) as pool:
            paths = [path.absolute() for path in files(args.paths)]
            for row in pool.map(lambda path: run(python, path, args.limit, args.marks), paths):
                print(f"{row.verdict:8} {row.seconds:6.0f} s  {row.path}  {row.counts}", flush=True)
                outcomes.append(row)
    bad = [row for row in outcomes if row.verdict in ("FAILED", "STOPPED")]
    for row in bad:
        print(f"\n===== {row.path}: {row.verdict}\n{row.output}")
    print(f"\n{len(outcomes) - len(bad)} files passed, {len(bad)} failed")
    for row in bad:
        print(f"  {row.verdict} {row.path} {row.counts}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
