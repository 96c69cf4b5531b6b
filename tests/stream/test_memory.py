"""Drawing needs the tensor and little more."""

import tracemalloc

import numpy as np
import pytest

import initspec
from initspec.backends.cpu import fill as cpu_fill

MIB = 2**20


@pytest.mark.parametrize("kernel", ["c", "numpy"])
@pytest.mark.parametrize("scheme", ["he_normal", "he_normal@torch", "glorot_uniform"])
@pytest.mark.parametrize(
    ("shape", "layout"), [((4096, 2048), "io"), ((4096, 2048), "oi"), ((1024, 512, 4, 4), "oihw")]
)
def test_at_most_8_mib_beside_the_tensor(
    kernel: str, scheme: str, shape: tuple[int, ...], layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernel == "c":
        pytest.importorskip("initspec.backends.cpu._kernel")
    monkeypatch.setenv("INITSPEC_KERNEL", kernel)
    cpu_fill._kernel.cache_clear()
    try:
        out = np.empty(shape, np.float32)
        draw = initspec.get(scheme).numpy
        draw((8, 8), seed=0)  # reads the table
        tracemalloc.start()
        draw(shape, seed=0, layout=layout, out=out)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    finally:
        cpu_fill._kernel.cache_clear()
    assert peak < 8 * MIB
    assert out.any()


def test_a_window_of_a_huge_tensor_costs_the_window() -> None:
    tracemalloc.start()
    shape = (2**20, 2**20)
    part = initspec.get("he_normal").numpy(
        shape, seed=0, window=(slice(5, 9), slice(2**19, 2**19 + 100))
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert part.shape == (4, 100)
    assert peak < 8 * MIB
