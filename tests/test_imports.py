"""What an import costs, in a fresh interpreter."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "scipy", "torch", "tensorflow", "keras", "jax", "ml_dtypes")


def run(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(sys.executable).parent,
    )


def imported(code: str) -> set[str]:
    ask = f"\nimport sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    return set(run(code + ask).stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import initspec",
        "import initspec; initspec.get('he_normal').on((3, 4)).ppf(0.3)",
        "import initspec; initspec.get('orthogonal').formula; initspec.fans((3, 4))",
        "import initspec; initspec.loads(initspec.dumps(initspec.get('he_normal')))",
        "import initspec; initspec.available()",
    ],
)
def test_the_spec_imports_nothing_heavy(code: str) -> None:
    assert imported(code) == set()


def test_the_test_can_fail() -> None:
    assert imported("import initspec; initspec.get('zeros').numpy((2,))") >= {"numpy"}
    assert imported("import numpy") == {"numpy"}


def test_one_backend_imports_no_other() -> None:
    assert imported("import initspec; initspec.get('zeros').numpy((2,))") <= {"numpy"}


def test_import_takes_under_30_milliseconds() -> None:
    """By the interpreter's own account; the least of five runs, for the machine may be busy."""
    costs = []
    for _ in range(5):
        log = run("import initspec", "-X", "importtime").stderr
        found = re.search(r"\|\s+(\d+) \| initspec$", log, re.MULTILINE)
        assert found is not None
        costs.append(int(found[1]))
    assert min(costs) < 30_000


def test_the_folders_are_no_packages_of_their_own() -> None:
    root = Path(__file__).parent.parent
    for folder in ("backends", "conformance"):
        if not (root / folder).is_dir():
            pytest.skip("not in a checkout")
        done = subprocess.run(
            [sys.executable, "-c", f"import {folder}"], cwd=root, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert "ImportError" in done.stderr


def test_missing_frameworks_name_the_command() -> None:
    code = """
import sys
sys.modules[{module!r}] = None
import initspec
try:
    initspec.backend({name!r})
except initspec.BackendMissing as error:
    print(error)
"""
    for module, name, package in [
        ("torch", "torch", "PyTorch"),
        ("tensorflow", "tensorflow", "TensorFlow"),
        ("keras", "keras", "Keras"),
        ("jax", "jax", "JAX"),
    ]:
        printed = run(code.format(module=module, name=name)).stdout
        assert f"backend {name!r} needs {package}, which is not installed" in printed
        assert f'pip install "initspec[{name}]"' in printed
