"""What the wheel holds, and that it works away from the tree."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import initspec

ROOT = Path(__file__).parent.parent
SUFFIXES = (".py", ".pyi", ".toml", ".json", ".csv", ".typed", ".html", ".css", ".js")

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="needs the source tree"
)


def copied(room: Path) -> Path:
    """The committed and the changed files of the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    for name in filter(None, listed):
        source, target = ROOT / name, room / "tree" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.exists():
            target.write_bytes(source.read_bytes())
    return room / "tree"


def built(room: Path, **environment: str) -> Path:
    """A wheel of the tree."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(room), str(copied(room))],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return next(room.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built by the compiler that is there."""
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def without_compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built where every compiler fails."""
    return built(tmp_path_factory.mktemp("without"), CC=FALSE)


def kernels(names: set[str]) -> set[str]:
    """The compiled kernels among the files of a wheel."""
    return {
        name for name in names if re.fullmatch(r"initspec/backends/cpu/_kernel\..*(so|pyd)", name)
    }


FALSE = shutil.which("false") or "no compiler"
COMPILER = shutil.which(str(sysconfig.get_config_var("CC") or "cc").split()[0])

#: Folders that stand beside initspec/ in the repository and install inside it.
LINKED = ("backends", "conformance")


def test_the_wheel_holds_every_file_and_one_folder(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name for name in names if ".dist-info/" not in name}
    assert {name.partition("/")[0] for name in inside} == {"initspec"}
    expected = set()
    for folder, home in (("initspec", "initspec"), *((n, f"initspec/{n}") for n in LINKED)):
        for path in (ROOT / folder).rglob("*"):
            below = path.relative_to(ROOT / folder)
            linked = folder == "initspec" and below.parts[0] in LINKED
            if path.suffix in SUFFIXES and not linked:
                expected.add(f"{home}/{below.as_posix()}")
    assert inside - kernels(inside) == expected
    assert len(kernels(inside)) == (COMPILER is not None)
    if sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert wheel.name.split("-")[2:4] == ["cp311", "abi3"]  # one for every Python from there on


def test_the_source_distribution_holds_the_kernel(tmp_path: Path) -> None:
    command = [sys.executable, "setup.py", "--quiet", "sdist", "--dist-dir", str(tmp_path)]
    subprocess.run(command, cwd=copied(tmp_path), check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.py", "pyproject.toml", "backends/cpu/_kernel.c"} <= inside


@pytest.mark.parametrize("made", ["wheel", "without_compiler"])
def test_the_wheel_works_away_from_the_tree(
    made: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wheel: Path = request.getfixturevalue(made)
    there = bool(kernels(set(zipfile.ZipFile(wheel).namelist())))
    assert there == (made == "wheel" and COMPILER is not None)
    site = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(site),
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    code = """
import initspec, sys
assert initspec.__file__.startswith(sys.argv[1]), initspec.__file__
from initspec.commands.main import main
from initspec.backends.cpu.fill import compiled, described
assert compiled() == (sys.argv[2] == "True"), described()
sys.exit(main(["sample", "he_normal", "--shape", "256", "512", "--seed", "42", "--digest"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(site), str(there)],
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "66b378dfce8839adb77228aac806691a9c056ddc15850055e38ac6b1da7cd1a1" in done.stdout


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == initspec.__version__
    assert f"## {initspec.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"version: {initspec.__version__}" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_the_links_stand() -> None:
    for folder in ("backends", "conformance"):
        assert (ROOT / "initspec" / folder).resolve() == (ROOT / folder).resolve()


def test_constraints_pin_what_must_be_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    assert "torch==2.13.0" in pins
    assert all(re.fullmatch(r"(#.*|[\w.-]+==[\w.]+)?", line) for line in pins.splitlines())


def test_extras() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert [name.partition(">")[0] for name in project["dependencies"]] == ["numpy"]
    extras = set(project["optional-dependencies"])
    assert {
        "torch",
        "tensorflow",
        "keras",
        "jax",
        "fast",
        "conformance",
        "plot",
        "docs",
        "test",
        "all",
    } <= extras


def test_tests_that_cannot_be_imported_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import nowhere_at_all\n\ndef test_it(): pass\n")
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, done.stdout
    assert "nowhere_at_all" in done.stdout
