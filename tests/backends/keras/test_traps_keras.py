"""Kernels that Keras makes equal are seen as copies."""

import runpy
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("scipy")

from initspec.conformance import check

TRAPS = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "traps.py"))


@pytest.mark.parametrize(("trap", "count"), [("attention", 3), ("shared", 2)])
def test_copies_are_refused(trap: str, count: int) -> None:
    where = {"shape": (count, 48, 48), "layout": "sio"}
    found = check(TRAPS[trap], "glorot_uniform", **where).records[0]
    assert found.verdict == "FAIL"
    assert {item.test for item in found.failed} >= {"duplicates"}

    def fresh(shape: tuple[int, ...], seed: int) -> np.ndarray:
        parts = [TRAPS["shared"]((1, *shape[1:]), seed + 10**6 * i) for i in range(shape[0])]
        return np.concatenate(parts)

    assert check(fresh, "glorot_uniform", **where).conforms
