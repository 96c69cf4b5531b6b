"""A third party's backend, installed as its own distribution."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOY = Path(__file__).parent / "toy_plugin"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The toy backend on the path, as pip installs it."""
    room = tmp_path_factory.mktemp("toy")
    source = shutil.copytree(
        TOY, room / "source", ignore=shutil.ignore_patterns("build", "*.egg-info")
    )
    site = room / "site"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
    ]
    done = subprocess.run(
        [*command, "--target", str(site), str(source)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": str(site)}


def run(environment: dict[str, str], *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv], env=environment, capture_output=True, text=True, cwd=TOY.anchor
    )


def test_the_command_line_draws_with_it(environment: dict[str, str]) -> None:
    argv = (
        "-m",
        "initspec",
        "sample",
        "he_normal",
        "--shape",
        "256",
        "512",
        "--seed",
        "42",
        "--json",
    )
    done = run(environment, *argv, "--digest", "--backend", "toy")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sha256"].startswith("66b378dfce8839ad")
    native = run(environment, *argv, "--digest", "--backend", "toy", "--stream", "native")
    data = json.loads(native.stdout)
    assert abs(data["std"] - 0.0884) < 0.001


def test_the_library_finds_it(environment: dict[str, str]) -> None:
    code = """
import initspec
print(initspec.available()["toy"], type(initspec.backend("toy")).__name__)
print(initspec.initializer("constant(2.0)", backend="toy", seed=1)((2, 1)))
"""
    done = run(environment, "-c", code)
    assert done.stdout.splitlines() == ["True ToyBackend", "[[2.0], [2.0]]"], done.stderr


def test_two_backends_of_one_name_are_an_error(environment: dict[str, str], tmp_path: Path) -> None:
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[initspec.backends]\ntoy = other:Backend\n")
    both = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}{os.pathsep}{tmp_path}"}
    done = run(both, "-m", "initspec", "sample", "zeros", "--shape", "2", "--backend", "toy")
    assert done.returncode == 2
    assert "two packages offer the backend 'toy': " in done.stderr
    assert "other:Backend" in done.stderr


def test_a_class_that_is_no_backend_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    info = tmp_path / "empty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: empty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[initspec.backends]\nempty = builtins:object\n")
    both = {**environment, "PYTHONPATH": str(tmp_path)}
    done = run(both, "-m", "initspec", "sample", "zeros", "--shape", "2", "--backend", "empty")
    assert "builtins:object is no backend: it lacks methods" in done.stderr


OFFERS = """[initspec.backends]
numpy = thief:Backend
torch = thief:Backend
twice = thief:Backend
raises = raises:Backend
exits = thief:nothing
absent = no_such_module:Backend
malformed = 1 + 1
"""
ASKED = """
import initspec
print(type(initspec.backend("numpy")).__module__, initspec.get("zeros").numpy((2,)))
known = initspec.available()
print(known["numpy"], known["raises"], known["absent"], known["malformed"])
for name in ("twice", "raises", "exits", "absent", "malformed"):
    try:
        initspec.backend(name)
    except initspec.InitSpecError as error:
        print(error)
"""


def test_a_plug_in_breaks_itself_alone(tmp_path: Path) -> None:
    for name, offers in (
        ("one", OFFERS),
        ("other", "[initspec.backends]\ntwice = other:Backend\n"),
    ):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(offers)
    (tmp_path / "thief.py").write_text("class Backend: pass\n")
    (tmp_path / "raises.py").write_text("1 / 0\n")
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(tmp_path)]))
    done = run({**os.environ, "PYTHONPATH": path}, "-c", ASKED)
    assert done.stderr == ""
    ours, known, twice, *failed = done.stdout.splitlines()
    assert ours == "initspec.backends.numpy.adapter [0. 0.]"
    assert known == "True True False False"
    assert "two packages offer the backend 'twice': " in twice
    assert [sentence.partition(" cannot be imported")[0] for sentence in failed] == [
        f"backend {name!r}" for name in ("raises", "exits", "absent", "malformed")
    ]
    assert "ZeroDivisionError: division by zero" in failed[0]
