"""Weights straight to disk: the same bytes however they are cut, and nothing half written."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import initspec
from initspec import InitSpecError, SpecError, get
from initspec.files.shapes import shapes_in
from initspec.files.shards import size_in_bytes
from initspec.plans import to_disk

safetensors = pytest.importorskip("safetensors.numpy")

SHAPES = {f"h.{i}.weight": (40, 30) for i in range(5)} | {
    "o": (12, 8),
    "b": (7,),
    "s": (),
    "e": (0, 3),
}
PLAN = initspec.plan(
    {
        "plan": "p",
        "rule": [
            {"match": "h.{layer}.weight", "law": "he_normal"},
            {"match": "o", "law": "orthogonal"},
            {"match": "{b,s,e}", "law": "constant(value=0.5)"},
        ],
    }
)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("dtype", [None, "bfloat16", "float16", "float64"])
def test_it_is_what_numpy_draws(tmp_path: Path, dtype: str | None) -> None:
    PLAN.write(tmp_path, SHAPES, seed=3, dtype=dtype)
    kind = dtype or "float32"
    stored = safetensors.load_file(tmp_path / "model.safetensors") if dtype != "bfloat16" else None
    for name, shape in SHAPES.items():
        law = {"h": "he_normal", "o": "orthogonal"}.get(name[0], "constant(value=0.5)")
        out = name.endswith("weight")
        layout = "oi" if out else None
        drawn = get(law).numpy(shape, seed=3, name=name, layout=layout, dtype=kind)
        if stored is None:
            held = {t.name: t for t in _read(tmp_path / "model.safetensors")}[name].read()
            np.testing.assert_array_equal(held, np.asarray(drawn).view(np.uint16))
        else:
            np.testing.assert_array_equal(stored[name], drawn)


def _read(path: Path) -> Any:
    from initspec.files.reading import tensors

    return tensors(path)


def test_small_windows_give_the_same_bytes(tmp_path: Path, monkeypatch: Any) -> None:
    PLAN.write(tmp_path / "a", SHAPES, seed=3)
    monkeypatch.setattr(to_disk, "WINDOW", 100)
    PLAN.write(tmp_path / "b", SHAPES, seed=3)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_shards_their_index_and_who_writes_them(tmp_path: Path) -> None:
    ledger = PLAN.write(tmp_path / "a", SHAPES, seed=3, shard="10KB")
    files = contents(tmp_path / "a")
    index = json.loads(files["model.safetensors.index.json"])
    assert index["metadata"]["total_size"] == sum(4 * row.parameter.size for row in ledger)
    assert set(index["weight_map"]) == set(SHAPES)
    count = len([name for name in files if name.endswith(".safetensors")])
    for at in range(count, 0, -1):
        PLAN.write(tmp_path / "b", SHAPES, seed=3, shard="10KB", only=[at])
    assert contents(tmp_path / "b") == files
    described = shapes_in(tmp_path / "a" / "model.safetensors.index.json")
    assert {name: row.shape for name, row in described.items()} == SHAPES
    assert len(PLAN.on(tmp_path / "a" / "model.safetensors.index.json")) == len(SHAPES)
    with pytest.raises(SpecError, match="only counts files"):
        PLAN.write(tmp_path / "b", SHAPES, seed=3, shard="10KB", only=[count + 1])


def test_the_metadata_say_how_it_was_made(tmp_path: Path) -> None:
    ledger = PLAN.write(tmp_path, SHAPES, seed=3)
    with (tmp_path / "model.safetensors").open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        facts = json.loads(file.read(size))["__metadata__"]
    assert size % 8 == 0
    assert (facts["initspec.seed"], facts["initspec.stream"]) == ("3", "initspec/1")
    assert len(facts["initspec.plan_sha256"]) == 64
    sums = json.loads((tmp_path / "model.safetensors.sums.json").read_text())["sha256"]
    assert sums == {row.name: row.digest for row in ledger}


def test_what_is_whole_is_kept_and_what_is_not_is_written_again(tmp_path: Path) -> None:
    PLAN.write(tmp_path, SHAPES, seed=3, shard="10KB")
    files = contents(tmp_path)
    first, second = sorted(tmp_path.glob("*.safetensors"))[:2]
    kept = first.stat().st_mtime_ns
    second.write_bytes(second.read_bytes()[:-1])
    (tmp_path / f"{second.name}.sums.json").write_text("{")
    PLAN.write(tmp_path, SHAPES, seed=3, shard="10KB")
    assert contents(tmp_path) == files
    assert first.stat().st_mtime_ns == kept
    PLAN.write(tmp_path, SHAPES, seed=4, shard="10KB")
    assert contents(tmp_path) != files


def test_a_disk_that_refuses(tmp_path: Path, monkeypatch: Any) -> None:
    PLAN.write(tmp_path, SHAPES, seed=3)
    files = contents(tmp_path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(to_disk, "_put", full)
    with pytest.raises(OSError, match="No space left on device"):
        PLAN.write(tmp_path, SHAPES, seed=4)
    left = contents(tmp_path)
    assert {name: left.get(name) for name in files if name != "model.safetensors.sums.json"} == {
        name: data for name, data in files.items() if name != "model.safetensors.sums.json"
    }
    assert not [name for name in left if name.startswith(".")]
    with pytest.raises(InitSpecError, match="cannot make the folder"):
        PLAN.write(tmp_path / "model.safetensors", SHAPES, seed=3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "int8"}, "unknown dtype"),
        ({"shard": "5 parsecs"}, "a size is"),
        ({"shard": 0}, "a size is"),
        ({"shard": "9" * 400 + "GB"}, "a size is"),
        ({"only": 1}, "only is a list"),
        ({"only": "1"}, "only is a list"),
        ({"only": [True]}, "only counts files"),
        ({"seed": -1}, "a seed is"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InitSpecError, match=words):
        PLAN.write(tmp_path / "x", SHAPES, **{"seed": 0, **options})
    assert not (tmp_path / "x").exists()


KILLED = """
import sys, initspec
plan = initspec.plan({"plan": "p", "rule": [{"match": "**", "law": "normal(std=1.0)"}]})
plan.write(sys.argv[1], {f"w{i}": (2000, 2000) for i in range(12)}, seed=0, shard="16MB",
           progress=lambda *_: print("on", flush=True))
"""


def test_a_killed_writer_leaves_whole_files_and_another_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert running.stdout is not None
    for _ in range(6):
        running.stdout.readline()
    running.send_signal(signal.SIGKILL)
    running.wait()
    for path in tmp_path.glob("model-*.safetensors"):
        assert path.stat().st_size > 16_000_000
    two = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait() for one in two] == [0, 0]
    names = sorted(path.name for path in tmp_path.glob("model-*.safetensors"))
    assert len(names) == 12
    drawn = get("normal(std=1.0)").numpy((2000, 2000), seed=0, name="w11")
    np.testing.assert_array_equal(safetensors.load_file(tmp_path / names[-1])["w11"], drawn)


def test_sizes() -> None:
    assert size_in_bytes("1.5 MB") == 1_500_000
    for wrong in ("", "GB", "-1GB", True, None):
        with pytest.raises(SpecError):
            size_in_bytes(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "[]", "no list of shapes"),
        ("a.json", "{", "JSON"),
        ("a.json", '{"w": "x"}', "shape of w"),
        ("a.json", '{"w": {"shape": [2], "dtype": "int7"}}', "unknown dtype"),
        ("a.index.json", "{}", "no weight_map"),
        ("a.index.json", '{"weight_map": {"w": "../x.safetensors"}}', "outside its folder"),
        ("a.index.json", '{"weight_map": {"w": "x.safetensors"}}', "cannot be read"),
        ("a.safetensors", "x", "header"),
        ("a.bin", "x", "unknown file of shapes"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InitSpecError, match=words):
        shapes_in(tmp_path / name)


@pytest.mark.parametrize("name", ["__metadata__", "a\ud800"])
def test_names_that_a_file_cannot_have(tmp_path: Path, name: str) -> None:
    plan = initspec.plan({"plan": "p", "rule": [{"match": "**", "law": "ones"}]})
    with pytest.raises(SpecError, match="cannot have the name"):
        plan.write(tmp_path, {name: (2,)}, seed=0)
    assert not list(tmp_path.iterdir())


def test_the_index_of_smaller_files_goes(tmp_path: Path) -> None:
    PLAN.write(tmp_path, SHAPES, seed=0, shard=5000)
    assert (tmp_path / "model.safetensors.index.json").exists()
    PLAN.write(tmp_path, SHAPES, seed=0)
    assert not (tmp_path / "model.safetensors.index.json").exists()
