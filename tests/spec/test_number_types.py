"""Laws at the ends of the number types: right numbers, or a sentence before anything is written."""

from __future__ import annotations

import numpy as np
import pytest

import initspec
from initspec import stream
from initspec.backends.cpu import kernel_numpy
from initspec.spec import integer_form
from initspec.spec.layout import Layout
from initspec.stream import dtypes
from initspec.stream.canonical_order import blocks

SHAPE = (300, 300)


@pytest.mark.parametrize(
    ("scheme", "dtype"),
    [
        ("normal(std=1e-36)", "float32"),
        ("normal(std=1e-37)", "float32"),
        ("normal(std=1e-38)", "bfloat16"),
        ("normal(mean=1e-40, std=1e-40)", "float32"),
        ("truncated_normal(std=1e-38)", "float32"),
        ("uniform(low=-1e-40, high=1e-40)", "float32"),
        ("uniform(low=-1e308, high=1e308)", "float64"),
        ("uniform(low=1e308, high=1.5e308)", "float64"),
        ("normal(std=1e-308)", "float64"),
        ("normal(std=2e307)", "float64"),
        ("normal(std=1e37)", "bfloat16"),
        ("normal(std=1e4)", "float16"),
    ],
)
def test_numbers_that_exist_are_drawn(scheme: str, dtype: str) -> None:
    law = initspec.get(scheme).on(SHAPE)
    values = np.asarray(initspec.get(scheme).numpy(SHAPE, seed=0, dtype=dtype), np.float64)
    standard = values / law.std - law.mean / law.std
    assert np.isfinite(standard).all()
    assert np.mean(values == 0) < 0.01
    assert abs(standard.mean()) < 0.02
    assert standard.std() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("scheme", "dtype", "sentence"),
    [
        ("normal(std=1e5)", "float16", "float16 ends at 65504, and this law .* up to 623026"),
        ("normal(std=1e38)", "float32", "float32 ends at 3.40282e.38"),
        ("uniform(low=0.001, high=1e39)", "float32", "float32 ends"),
        ("truncated_normal(std=1e39)", "bfloat16", "bfloat16 ends at 3.38953e.38"),
        ("normal(std=1e308)", "float64", "float64 ends"),
        ("constant(1e39)", "float32", "float32 ends"),
        ("orthogonal(gain=1e6)", "float16", "float16 ends"),
        ("identity(gain=1e39)", "float32", "float32 ends"),
        ("sparse(0.1, std=1e39)", "float32", "float32 ends"),
        ("normal(std=1e-8)", "float16", "the least step of float16 is 6e-08"),
        ("normal(std=1e-60)", "float32", "the least step of float32"),
        ("constant(1e-60)", "float32", "the least step of float32"),
    ],
)
@pytest.mark.parametrize("how", ["portable", "native"])
def test_a_law_that_a_type_cannot_hold(how: str, scheme: str, dtype: str, sentence: str) -> None:
    out = np.full((40, 40), 7, dtype if dtype != "bfloat16" else dtypes.bfloat16())
    with pytest.raises(initspec.SpecError, match=sentence):
        initspec.get(scheme).numpy((40, 40), seed=0, out=out, stream=how)
    assert (out == 7).all()


@pytest.mark.slow
def test_every_adapter_refuses_it() -> None:
    law = initspec.get("normal(std=1e5)").on((4, 6))
    for name, installed in initspec.available().items():
        if installed and name in ("numpy", "torch", "jax", "tensorflow", "keras"):
            backend = initspec.backend(name)
            with pytest.raises(initspec.SpecError, match="float16 ends at 65504"):
                backend.sample(law, (4, 6), key=backend.key(0), dtype="float16")
            with pytest.raises(initspec.SpecError, match="float16 ends at 65504"):
                backend.native(law, (4, 6), source=0, dtype="float16")


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "draw",
    [
        integer_form.normal(0.0, 1e-37),
        integer_form.normal(1e-39, 1e-39),
        integer_form.uniform(-1e-40, 1e-40),
        integer_form.truncated_normal(0.0, 1e-38, -2.0, 2.0),
        integer_form.normal(0.0, 1e-306),
    ],
    ids=str,
)
def test_kernels_scale_tiny_laws_as_the_reference(draw: integer_form.Draw, dtype: str) -> None:
    place = blocks((64, 64), Layout("io"))
    wide = "float64" if dtype == "float64" else "float32"
    numbers = stream.values(stream.words((0, 7), np.arange(4096)), draw, wide)
    wanted = dtypes.rounded(numbers, dtype).reshape(64, 64)
    fills = [kernel_numpy.fill]
    try:
        from initspec.backends.cpu import kernel_c
    except ImportError:
        pass
    else:
        fills.append(kernel_c.fill)
    for fill in fills:
        out = np.empty((64, 64), dtypes.storage(dtype))
        fill(out, dtype, place, (0, 7), draw)
        assert np.array_equal(out, wanted)


def test_moments_of_laws_whose_squares_floats_cannot_hold() -> None:
    wide = initspec.get("uniform(low=-1e308, high=1e308)").on(())
    assert wide.std == pytest.approx(1e308 / 3**0.5)
    assert wide.cdf(5e307) == pytest.approx(0.75)
    assert wide.ppf(0.75) == pytest.approx(5e307)
    assert initspec.get("normal(std=1e200)").on(()).std == 1e200
    assert initspec.get("truncated_normal(std=1e-200)").on(()).std == pytest.approx(1e-200)
