"""``initspec plan``: the answers, the exit codes, what is printed."""

import json
import sys
from pathlib import Path

import pytest

from initspec.commands.main import main

SHAPES = {
    "transformer.wte.weight": [100, 8],
    "transformer.wpe.weight": [16, 8],
    "transformer.ln_f.weight": [8],
    "transformer.ln_f.bias": [8],
}
for layer in range(2):
    SHAPES[f"transformer.h.{layer}.mlp.c_fc.weight"] = [8, 32]
    SHAPES[f"transformer.h.{layer}.mlp.c_proj.weight"] = [32, 8]


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["plan", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def shapes(tmp_path: Path) -> str:
    path = tmp_path / "shapes.json"
    path.write_text(json.dumps(SHAPES))
    return str(path)


def test_list_show_and_lint(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "gpt2" in run(capsys, "list")[1].split()
    code, text, _ = run(capsys, "show", "gpt2")
    assert code == 0
    (tmp_path / "mine.toml").write_text(text)
    code, out, _ = run(capsys, "lint", str(tmp_path / "mine.toml"))
    assert (code, out.startswith("gpt2: ")) == (0, True)
    (tmp_path / "bad.toml").write_text('plan = "x"\n[[rule]]\nmatch = "w"\nlaw = "normal(std=a)"\n')
    code, _, error = run(capsys, "lint", str(tmp_path / "bad.toml"))
    assert code == 2
    assert "rule 1 (match = w): nothing binds 'a'" in error
    code, _, error = run(capsys, "show", "gtp2")
    assert (code, "did you mean 'gpt2'" in error) == (2, True)


def test_explain(capsys: pytest.CaptureFixture[str], shapes: str) -> None:
    code, out, _ = run(capsys, "explain", "gpt2", shapes)
    assert code == 0
    assert out.splitlines()[0] == "gpt2: 8 parameters, 1,968 values; n_layer = 2"
    assert "h.{0-1}.mlp.c_proj.weight" in out
    code, out, _ = run(
        capsys, "explain", "gpt2", shapes, "h.1.mlp.c_proj.weight", "--set", "n_layer=8"
    )
    assert (code, "law     normal, std 0.005" in out) == (0, True)
    data = json.loads(run(capsys, "explain", "gpt2", shapes, "--json")[1])
    assert [row["rule"] for row in data["parameters"]][:2] == [3, 3]
    for wrong in (("n_layers=8",), ("n_layer",), ("n_layer=x",)):
        assert run(capsys, "explain", "gpt2", shapes, "--set", *wrong)[0] == 2


def test_a_model_by_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small_models.py").write_text(
        "def make(width=8):\n    return {'wte': {'weight': (100, width)}}\n"
        "def fails():\n    raise RuntimeError('no')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    mine = tmp_path / "mine.toml"
    mine.write_text('plan = "mine"\n[[rule]]\nmatch = "**"\nlaw = "normal(std=1.0)"\n')
    code, out, _ = run(capsys, "explain", str(mine), "small_models:make(width=16)")
    assert (code, "(100, 16)" in out) == (0, True)
    code, _, error = run(capsys, "explain", str(mine), "small_models:fails")
    assert (code, "RuntimeError: no" in error) == (2, True)
    assert run(capsys, "explain", str(mine), "nonsense_models:make")[0] == 2
    sys.modules.pop("small_models")


def test_diff(capsys: pytest.CaptureFixture[str], shapes: str, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(
        'plan = "other"\nextends = "gpt2"\n[[rule]]\nmatch = "**.c_proj.weight"\n'
        'law = "normal(std=0.02)"\n'
    )
    code, out, _ = run(capsys, "diff", "gpt2", str(other), shapes)
    assert code == 0
    assert out.splitlines() == [
        "gpt2 and other: 6 parameters alike, 2 different",
        "  h.{0-1}.mlp.c_proj.weight",
        "      gpt2: normal, std 0.01",
        "      other: normal, std 0.02  2 times",
    ]


def test_write(capsys: pytest.CaptureFixture[str], shapes: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    code, out, _ = run(
        capsys, "write", "gpt2", shapes, str(folder), "--seed", "3", "--shard", "2KB"
    )
    assert code == 0
    assert "gpt2, seed 3, 1,968 values" in out
    assert (folder / "model.safetensors.index.json").exists()
    ledger = json.loads((folder / "ledger.json").read_text())
    assert (ledger["plan"], ledger["seed"]) == ("gpt2", 3)
    code, _, error = run(
        capsys, "write", "gpt2", shapes, str(folder / "ledger.json"), "--seed", "3"
    )
    assert (code, "cannot make the folder" in error) == (2, True)
