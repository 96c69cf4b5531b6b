"""The script that runs the tests on other versions: a file that hangs stops no other."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield importlib.import_module("versions")
    for name in ("versions", "minimum"):
        sys.modules.pop(name, None)


def test_it_asks_for_what_the_tests_need(script: Any) -> None:
    rows = list(script.requirements("test", {"torch"}))
    assert {"flax", "jax>=0.4.35,!=0.11.0", "pytest", "ml-dtypes"} <= set(rows)
    assert not [row for row in rows if row.startswith(("torch", "initspec"))]
    assert [row for row in script.requirements("test", set()) if row.startswith("torch>=")]


def test_it_finds_the_files(script: Any) -> None:
    paths = script.files([])
    assert Path(__file__) in paths
    assert SCRIPTS.parents[1] / "initspec" in paths  # for its doctests
    assert script.files([Path(__file__)]) == [Path(__file__)]


@pytest.mark.slow
def test_a_file_that_hangs_is_named(script: Any, tmp_path: Path) -> None:
    texts = {
        "right": "def test_this(): pass",
        "wrong": "def test_this(): pass\ndef test_that(): assert 1 == 2",
        "empty": "",
        "hangs": "def test_this(): pass\ndef test_that():\n    while True: pass",
    }
    outcomes = {}
    for name, text in texts.items():
        path = tmp_path / f"test_{name}.py"
        path.write_text(text)
        outcomes[name] = script.run(Path(sys.executable), path, 20.0, "not slow")
    assert [outcome.verdict for outcome in outcomes.values()] == [
        *("passed", "FAILED", "no test", "STOPPED")
    ]
    assert outcomes["wrong"].counts == "2 tests, 0 skipped, 1 failed"
    assert "1 == 2" in outcomes["wrong"].output
    assert outcomes["hangs"].counts.endswith("test_hangs.py::test_that")
