"""The tutorial docs/tutorials/xor: what it says is what happens."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import initspec

PATH = Path(__file__).parents[2] / "docs" / "tutorials" / "xor" / "xor.py"


@pytest.fixture(scope="module")
def xor() -> ModuleType:
    spec = importlib.util.spec_from_file_location("xor_tutorial", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("backend", ["numpy", "torch", "keras", "jax"])
def test_zeros_fail_and_glorot_learns(xor: ModuleType, backend: str) -> None:
    if not initspec.available()[backend]:
        pytest.skip(f"{backend} is not installed")
    train = xor.TRAIN[backend]
    for start in ("zeros", "constant(0.5)"):
        stuck = train(start)
        assert stuck.accuracy < 1
        assert xor.equal_units(stuck.hidden)
    learned = train("glorot_normal")
    assert learned.accuracy == 1
    assert not xor.equal_units(learned.hidden)
    # The same first weights everywhere, so that all learn alike.
    assert np.allclose(learned.hidden, xor.with_numpy("glorot_normal").hidden, atol=0.02)
