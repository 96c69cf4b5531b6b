"""Pickles that initspec 0.1 made, before its files had rooms, load."""

import base64
import json
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from initspec import Distribution
from initspec.moved import MOVED, RENAMED

PICKLES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "data" / "pickles_0.1.json").read_text("utf-8")
)


def loaded(name: str) -> Any:
    framework = name.removesuffix(" initializer")
    if framework != name:
        pytest.importorskip(framework)
    return pickle.loads(base64.b64decode(PICKLES[name]["pickle"]))


@pytest.mark.parametrize("name", PICKLES)
def test_an_old_pickle_loads(name: str) -> None:
    value = loaded(name)
    expected = PICKLES[name]["repr"]
    renamed = expected.replace(f"{name}(", f"{RENAMED.get(name, name)}(", 1)
    assert repr(value) in (expected, renamed)
    assert repr(pickle.loads(pickle.dumps(value))) == repr(value)


def test_every_law_of_0_1_is_among_them() -> None:
    values = [loaded(name) for name in PICKLES if not name.endswith("initializer")]
    laws = {type(value).__name__ for value in values if isinstance(value, Distribution)}
    assert {"Constant", "Normal", "Uniform", "TruncatedNormal", "Triangular"} <= laws
    assert {"HaarEntry", "Spiked", "Discrete"} <= laws
    assert {"Orthogonal", "DeltaOrthogonal", "Stencil", "Sparse", "Given"} <= laws


@pytest.mark.parametrize("name", PICKLES)
def test_new_pickles_name_public_classes_by_initspec_alone(name: str) -> None:
    text = pickle.dumps(loaded(name), 0)
    for old in MOVED:
        assert f"initspec.{old}\n".encode() not in text
    for home in (b"initspec.spec.scheme", b"initspec.spec.fan_rules", b"initspec.spec.layout"):
        assert home not in text


@pytest.mark.parametrize("old", MOVED)
def test_homes_are_there(old: str) -> None:
    for home in MOVED[old].split():
        if home.startswith("backends."):
            pytest.importorskip(home.split(".")[1])
        import_module(f"initspec.{home}")


def test_other_modules_are_not_found() -> None:
    for name in ("initspec.nonsense", "initspec.backends._nonsense", "initspec.scheme.nonsense"):
        with pytest.raises(ModuleNotFoundError):
            import_module(name)


def test_it_is_no_api() -> None:
    module = import_module("initspec.scheme")
    assert module.Scheme is import_module("initspec").Scheme
    with pytest.raises(AttributeError, match="no pickle of initspec holds"):
        _ = module.math


def test_the_finder_is_asked_last_and_stands_once() -> None:
    code = (
        "import importlib, sys, initspec; importlib.reload(initspec);"
        "homes = [type(finder).__module__ for finder in sys.meta_path];"
        "print(homes[-1], homes.count('initspec.moved'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["initspec.moved", "1"]
