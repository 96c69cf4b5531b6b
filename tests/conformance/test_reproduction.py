"""The command of a record judges that cell again: the same name, the same seed, the same verdict."""

import json
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("scipy")

import initspec.conformance
from initspec.commands.main import main
from initspec.conformance import check
from initspec.conformance.report.reading import read
from initspec.conformance.report.record import FAIL, PASS, Record, Report
from initspec.conformance.reproduction import in_shell
from initspec.conformance.targets.text import importable

LIBRARY = """
import numpy as np

def he(shape, seed, gain=1.0):
    deviation = gain * np.sqrt(2 / np.prod(shape[:-1]))
    return np.random.default_rng(seed).normal(0, deviation, shape).astype("float32")

def outer():
    def inner(shape, seed): return he(shape, seed)
    return inner

TABLE = {"he_normal@torch": he, "glorot_uniform": he}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lib_again.py").write_text(LIBRARY, "utf-8")
    np.save(tmp_path / "w.npy", np.full((6, 4), 0.5, "float32"))
    np.save(tmp_path / "scalar.npy", np.float32(0.5))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "lib_again", raising=False)
    return tmp_path


def judged(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, Any]]:
    main([*argv, "--json"])
    records: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["records"]
    return records


def again(capsys: pytest.CaptureFixture[str], command: str) -> dict[str, Any]:
    program, *argv = shlex.split(command)
    assert program == "initspec"
    (record,) = judged(capsys, *argv)
    return record


def alike(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """The same cell and the same values; the level of a decision, and intervals, are the run's."""
    same = all(one[name] == two[name] for name in ("cell", "seed", "verdict", "n"))
    return same and (one["scale"] or [0])[0] == (two["scale"] or [0])[0]


@pytest.mark.parametrize(
    ("argv", "verdict"),
    [
        (["lib_again:he", "--as", "he_normal"], FAIL),
        (["lib_again:he(gain=2.0)", "--as", "he_normal@torch"], FAIL),
        (["lib_again:TABLE"], None),
        (["lib_again:TABLE", "--as", "glorot_uniform", "--shape", "9x7", "--layout", "oi"], FAIL),
        (["lib_again:he", "--as", "normal(std=0.02)", "--tier", "exact"], None),
        (["w.npy", "--as", "ones", "--layout", "oi", "--shape", "6x4"], FAIL),
        (["w.npy", "--as", "ones"], FAIL),
        (["scalar.npy", "--as", "ones"], FAIL),
        (["numpy", "--as", "he_normal", "--dtype", "float16", "--shape", "30,40"], PASS),
        (["--backend", "numpy", "--as", "zeros", "--stream", "native", "--dtype", "float64"], PASS),
    ],
)
def test_a_command_judges_the_cell_again(
    capsys: pytest.CaptureFixture[str], project: Path, argv: list[str], verdict: str | None
) -> None:
    records = judged(capsys, "check", *argv)
    assert records
    for record in records:
        assert verdict in (record["verdict"], None)
        assert alike(again(capsys, record["command"]), record)


def test_a_parameter_of_a_layer(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    argv = ["torch.nn:Linear(40, 96)#weight", "--as", "he_uniform@torch"]
    (record,) = judged(capsys, "check", *argv)
    assert record["verdict"] == FAIL
    assert "--shape 96x40 --layout oi" in record["command"]
    assert alike(again(capsys, record["command"]), record)


def test_a_run_of_many_and_what_it_was_given(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    (project / "known.toml").write_text("", "utf-8")
    argv = ["lib_again:he", "--as", "he_normal", "--as", "zeros", "--alpha", "1e-3"]
    records = judged(
        capsys, "check", *argv, "--time-limit", "30", "--deviations", "known.toml", "-k", "86x8"
    )
    assert len(records) == 2
    for record in records:
        command = record["command"]
        assert command.endswith("--alpha 0.001 --time-limit 30 --deviations known.toml")
        assert alike(again(capsys, command), record)


def test_varied_seeds_are_varied_again(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    argv = ["lib_again:he", "--as", "he_normal", "--shape", "86x8", "--vary-seeds"]
    (record,) = judged(capsys, "check", *argv)
    assert record["command"].endswith(" --vary-seeds")
    other = again(capsys, record["command"])
    assert (other["cell"], other["verdict"]) == (record["cell"], FAIL)
    assert other["seed"] != record["seed"]


def test_objects_of_a_process_have_a_call(project: Path) -> None:
    import lib_again  # type: ignore[import-not-found]

    targets = [
        partial(lib_again.he, gain=2.0),
        lib_again.outer(),
        lambda shape, seed: np.zeros(shape),
        np.ones((86, 8), "float32"),
    ]
    scheme = initspec.get("he_normal").replace(gain=3.0)
    for claim in ("he_normal", scheme):
        for target in [*targets, "numpy", lib_again.he]:
            (record,) = check(target, claim, shape=(86, 8), tier="exact").records
            if target is lib_again.he and claim == "he_normal":
                assert record.command.startswith("initspec check lib_again:he --as he_normal ")
                continue
            assert record.command.startswith("initspec.conformance.check(")
            places = {"initspec": initspec, "target": target}
            names = {"Scheme": initspec.Scheme, "Truncation": initspec.Truncation}
            (other,) = eval(record.command, places | names).records
            assert (other.cell, other.seed, other.verdict, other.command) == (
                record.cell,
                record.seed,
                record.verdict,
                record.command,
            )


def test_where_the_command_is_shown(project: Path) -> None:
    report = check("lib_again:he", "he_normal", shape=(86, 8))
    (record,) = report.records
    lines = report.lines()
    assert lines[-2].strip() == record.command
    assert f"-               {record.command}\n" in report.to_markdown()
    (failure,) = ElementTree.fromstring(report.to_junit()).iter("failure")
    assert failure.text == record.command
    assert read(report.to_json(), "it") == report
    passed = check("numpy", "zeros", shape=(4, 3))
    assert passed.records[0].command not in "\n".join(passed.lines(verbose=True))


def test_a_report_from_before_there_were_commands() -> None:
    record = Record(cell="c", target="t", scheme="s", verdict=FAIL, command="initspec check t")
    data = json.loads(Report(records=(record,), alpha=1e-9, beta=1e-6, seed="").to_json())
    del data["records"][0]["command"]
    assert read(json.dumps(data), "it").records[0].command == ""


@pytest.mark.parametrize(
    "word", ["a", "a b", "lib:T['x']", 'lib:T["x"]', "lib:T['$x']", "it's `so`", "a\\'b", "", "w!'"]
)
def test_words_of_a_shell(word: str) -> None:
    assert shlex.split(in_shell("initspec", word)) == ["initspec", word]


def test_importable(project: Path) -> None:
    import lib_again

    assert importable("lib_again:he", lib_again.he)
    assert not importable("lib_again:gone", lib_again.he)
    assert not importable("lib_again:outer.<locals>.inner", lib_again.outer())
    assert not importable("never_imported:he", lib_again.he)
