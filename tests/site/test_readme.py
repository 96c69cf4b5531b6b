"""Every Python block of the README and of the documents runs, each in a fresh interpreter."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import initspec

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, code in enumerate(FENCE.findall(page.read_text("utf-8")))
]


LIBRARIES = ("equinox", "flax", "haiku", "sklearn")  # of layers, without a backend of their own


def needed(code: str) -> list[str]:
    return [name for name in initspec.available() if re.search(rf"\b{name}\b", code)]


def absent(code: str) -> list[str]:
    libraries = [name for name in LIBRARIES if re.search(rf"\b{name}\b", code)]
    return [
        *(name for name in needed(code) if not initspec.available()[name]),
        *(name for name in libraries if find_spec(name) is None),
    ]


@pytest.mark.parametrize("code", BLOCKS)
def test_a_block_runs(code: str, tmp_path: Path) -> None:
    if missing := absent(code):
        pytest.skip(f"not installed: {', '.join(missing)}")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "docs" / "examples")},
    )
    assert done.returncode == 0, done.stderr
    if "print(ledger)" in code:
        page = next(page for page in PAGES if code in page.read_text("utf-8"))
        if page.name == "README.md":
            assert done.stdout in page.read_text("utf-8")


def test_the_readme_has_a_block_for_each_framework() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    found = {name for code in FENCE.findall(text) for name in needed(code)}
    assert found == set(initspec.available())


def test_the_commands_of_the_readme_are_real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shlex

    from initspec.commands.main import main

    text = (ROOT / "README.md").read_text("utf-8")
    commands = re.findall(r"^\$ initspec (.*)$", text, re.MULTILINE)
    assert len(commands) == 13
    monkeypatch.chdir(tmp_path)
    assert main(["sample", "he_normal", "--shape", "64", "96", "--out", "weights.safetensors"]) == 0
    for command in commands:
        argv = shlex.split(command, comments=True)
        if argv[0] == "check":
            continue  # whose result is a 1, and which tests/test_check.py runs
        if "--backend" in argv and not initspec.available()[argv[argv.index("--backend") + 1]]:
            continue
        assert main(argv) == 0


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
