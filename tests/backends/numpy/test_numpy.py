"""The NumPy backend."""

import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

from initspec import (
    Custom,
    LayoutError,
    SpecError,
    StreamError,
    UnknownName,
    backend,
    get,
    initializer,
    stream,
)
from initspec.spec.layout import Layout
from initspec.stream.canonical_order import blocks

HE = get("he_normal")


def reference(scheme: str, shape: tuple[int, ...], layout: str, seed: int) -> np.ndarray:
    """The values by the readable reference and the coordinates alone."""
    axes = Layout.parse(layout)
    index = np.empty(shape, np.uint64)
    for block in blocks(shape, axes):
        steps = np.indices(block.shape).reshape(len(block.shape), -1)
        flat = block.base + sum(
            place * stride for place, stride in zip(steps, block.strides, strict=True)
        )
        index[block.part] = flat.reshape(index[block.part].shape)
    words = stream.words(stream.key_from_seed(seed), index)
    return stream.values(words, get(scheme).on(shape, layout).draw)


@pytest.mark.parametrize(
    "scheme", ["he_normal", "he_normal@torch", "glorot_uniform", "uniform@torch"]
)
@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((86, 8), "io"),
        ((8, 86), "oi"),
        ((3, 5, 7, 8), "hwio"),
        ((8, 7, 3, 5), "oihw"),
        ((12, 5), "oi, stack=3"),
    ],
)
def test_values_are_the_reference(scheme: str, shape: tuple[int, ...], layout: str) -> None:
    made = get(scheme).numpy(shape, seed=5, layout=layout)
    assert made.dtype == np.float32
    assert np.array_equal(made, reference(scheme, shape, layout, 5))


@pytest.mark.parametrize(
    "scheme",
    [
        "he_normal",
        "glorot_uniform",
        "orthogonal",
        "sparse",
        "sparse@torch(sparsity=0.5)",
        "delta_orthogonal",
        "dirac",
        "bilinear",
    ],
)
def test_layouts_hold_the_same_weight(scheme: str) -> None:
    ours = get(scheme).numpy((3, 5, 7, 8), seed=1, layout="hwio")
    theirs = get(scheme).numpy((8, 7, 3, 5), seed=1, layout="oihw")
    assert np.array_equal(ours, theirs.transpose(2, 3, 1, 0))
    assert ours.any()


@pytest.mark.parametrize(
    "scheme",
    [
        "he_normal",
        "uniform@torch",
        "orthogonal",
        "sparse",
        "sparse@torch(sparsity=0.5)",
        "delta_orthogonal",
        "dirac",
        "bilinear",
        "constant(2.0)",
    ],
)
@given(data=st.data())
def test_windows_are_parts_of_the_whole(scheme: str, data: st.DataObject) -> None:
    shape = (6, 4, 3, 3)
    cut = []
    for size in shape:
        start = data.draw(st.integers(0, size))
        cut.append(slice(start, data.draw(st.integers(start, size))))
    whole = get(scheme).numpy(shape, seed=3, layout="oihw")
    part = get(scheme).numpy(shape, seed=3, layout="oihw", window=cut)
    assert np.array_equal(part, whole[tuple(cut)])


class Cauchy(Custom):
    def ppf(self, p: np.ndarray) -> np.ndarray:
        return np.tan(np.pi * (p - 0.5))


class Ramp(Custom):
    def sample(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.exponential(size=shape)


def test_custom_laws() -> None:
    law = get(Cauchy())
    whole = law.numpy((40, 50), seed=9)
    assert np.array_equal(whole, law.numpy((50, 40), seed=9, layout="oi").T)
    assert np.array_equal(
        whole[3:5], law.numpy((40, 50), seed=9, window=(slice(3, 5), slice(0, 50)))
    )
    word = stream.words(stream.key_from_seed(9), np.array([0], np.uint64))[0]
    assert whole[0, 0] == np.float32(np.tan(np.pi * ((float(word) + 0.5) * 2**-32 - 0.5)))
    ramp = get(Ramp())
    assert np.array_equal(ramp.numpy((3, 4), seed=1), ramp.numpy((3, 4), seed=1))
    assert not np.array_equal(ramp.numpy((3, 4), seed=1), ramp.numpy((3, 4), seed=2))
    assert get(lambda shape: np.ones(shape)).numpy((2, 2)).sum() == 4
    with pytest.raises(SpecError, match=r"asked for the shape \(2, 2\) and answered with \(3,\)"):
        get(lambda shape: np.ones(3)).numpy((2, 2))


def test_seeds_generators_and_names() -> None:
    w = HE.numpy((8, 8), seed=4)
    assert np.array_equal(w, HE.numpy((8, 8), seed=4))
    assert np.array_equal(w, HE.numpy((8, 8), seed=np.int64(4)))
    assert not np.array_equal(w, HE.numpy((8, 8), seed=4, name="a"))
    assert not np.array_equal(
        HE.numpy((8, 8), seed=4, name="b"), HE.numpy((8, 8), seed=4, name="a")
    )
    assert not np.array_equal(HE.numpy((8, 8)), HE.numpy((8, 8)))
    rng = np.random.default_rng(0)
    first, second = HE.numpy((8, 8), rng=rng), HE.numpy((8, 8), rng=rng)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, HE.numpy((8, 8), rng=np.random.default_rng(0)))
    sequence = np.random.SeedSequence(3)
    assert np.array_equal(HE.numpy((8, 8), seed=sequence), HE.numpy((8, 8), seed=sequence))
    assert backend("numpy").key(2**64 - 1) == (2**32 - 1, 2**32 - 1)


def test_dtypes() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    single = HE.numpy((64, 32), seed=1)
    assert np.array_equal(HE.numpy((64, 32), seed=1, dtype="float16"), single.astype(np.float16))
    narrow = HE.numpy((64, 32), seed=1, dtype="bfloat16")
    assert narrow.dtype == ml_dtypes.bfloat16
    assert np.array_equal(narrow, single.astype(ml_dtypes.bfloat16))
    double = HE.numpy((64, 32), seed=1, dtype=np.float64)
    assert double.dtype == np.float64
    assert np.allclose(double, single, rtol=1e-6)
    for dtype in ("float16", "bfloat16", "float64"):
        square = get("orthogonal").numpy((6, 4), seed=1, dtype=dtype).astype(np.float64)
        assert np.allclose(square.T @ square, np.eye(4), atol={"float64": 1e-12}.get(dtype, 0.02))


def test_out_is_filled_and_returned() -> None:
    out = np.zeros((16, 8), np.float32)
    assert HE.numpy((16, 8), seed=1, out=out) is out
    assert np.array_equal(out, HE.numpy((16, 8), seed=1))
    wide = np.zeros((8, 32), np.float16)
    strided = wide.T[::2]
    HE.numpy((16, 8), seed=1, out=strided)
    assert np.array_equal(strided, HE.numpy((16, 8), seed=1, dtype="float16"))
    assert not wide.T[1::2].any()


@pytest.mark.parametrize("scheme", ["he_normal", "orthogonal", "constant(2.0)", "sparse"])
@pytest.mark.parametrize("stream", ["portable", "native"])
@pytest.mark.parametrize("dtype", [">f4", ">f2", ">f8", "<f4", "bfloat16"])
def test_out_in_any_order_of_bytes(scheme: str, stream: str, dtype: str) -> None:
    kind = (
        np.dtype(dtype)
        if dtype != "bfloat16"
        else np.dtype(pytest.importorskip("ml_dtypes").bfloat16).newbyteorder(">")
    )
    draw = get(scheme).numpy
    wanted = draw((4, 6), seed=0, dtype=kind.name, stream=stream)
    room = np.zeros((8, 12), kind)
    records = np.zeros((4, 6), [("mark", "u1"), ("x", kind)])  # the field is not aligned
    for out in (np.empty((4, 6), kind), np.empty((4, 6), kind, "F"), room[::2, ::-2], records["x"]):
        assert draw((4, 6), seed=0, out=out, stream=stream) is out
        assert out.dtype == kind
        assert np.array_equal(out.astype(np.float64), wanted.astype(np.float64))
    assert not room.astype(np.float64)[1::2].any()
    assert not records["mark"].any()


def test_out_in_a_file(tmp_path: Path) -> None:
    out = np.memmap(tmp_path / "w", ">f4", "w+", shape=(4, 6))
    HE.numpy((4, 6), seed=0, out=out)
    out.flush()
    assert np.array_equal(np.fromfile(tmp_path / "w", ">f4"), HE.numpy((4, 6), seed=0).ravel())
    with pytest.raises(SpecError, match="out is read-only"):
        HE.numpy((4, 6), seed=0, out=np.memmap(tmp_path / "w", ">f4", "r", shape=(4, 6)))


def test_out_whose_rows_lie_between_each_other() -> None:
    out = as_strided(np.zeros(12, np.float32), (2, 3), (12, 8))
    assert np.array_equal(HE.numpy((2, 3), seed=0, out=out), HE.numpy((2, 3), seed=0))


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ([[0.0] * 3] * 2, "out is 'list', and a NumPy array is expected"),
        (np.float32(1), "out is 'float32', and a NumPy array is expected"),
        (np.zeros((2, 3), object), "out is of object, and float32 is drawn by default"),
        (np.zeros((2, 3), np.int64), "out is of int64"),
        (np.zeros((2, 3), np.uint16), r"bits of bfloat16 as out.view\(ml_dtypes.bfloat16\)"),
        (np.zeros((2, 3), [("x", "f4")]), "out is of .*, and float32 is drawn"),
        (np.broadcast_to(np.float32(0), (2, 3)), "out is read-only"),
        (as_strided(np.zeros(3, "f4"), (2, 3), (0, 4)), "share memory.*pass a copy"),
        (as_strided(np.zeros(4, "f4"), (2, 3), (4, 4)), "share memory.*pass a copy"),
        (np.ma.array(np.zeros((2, 3), "f4"), mask=np.eye(2, 3)), "under its mask; pass out.data"),
    ],
)
def test_out_that_cannot_be_filled(out: Any, sentence: str) -> None:
    before = np.array(out).tobytes()
    with pytest.raises(SpecError, match=sentence):
        HE.numpy((2, 3), seed=0, out=out)
    assert np.array(out).tobytes() == before


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 0, 2, 2), (5,), (1,)])
def test_small_shapes(shape: tuple[int, ...]) -> None:
    for scheme in ("zeros", "normal", "uniform", "truncated_normal"):
        assert get(scheme).numpy(shape, seed=0).shape == shape
    if len(shape) >= 2:
        for scheme in ("he_normal", "orthogonal", "sparse"):
            assert get(scheme).numpy(shape, seed=0).shape == shape


@pytest.mark.parametrize(
    "scheme",
    [
        "he_normal",
        "normal@torch",
        "glorot_uniform",
        "truncated_normal(low=2.5, high=4.0)",
        "orthogonal",
        "sparse",
        "sparse@torch(sparsity=0.5)",
        "zeros",
        "identity",
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_native_has_the_law(scheme: str, dtype: str) -> None:
    law = get(scheme).on((128, 96))
    made = get(scheme).numpy((128, 96), seed=1, stream="native", dtype=dtype)
    assert made.dtype == dtype
    assert np.array_equal(made, get(scheme).numpy((128, 96), seed=1, stream="native", dtype=dtype))
    assert made.astype(np.float64).mean() == pytest.approx(law.mean, abs=5 * law.std / 110 + 1e-12)
    assert made.astype(np.float64).std() == pytest.approx(law.std, rel=0.06)
    low, high = law.support
    assert low - 1e-3 <= made.min()
    assert made.max() <= high + 1e-3


def test_the_initializer_is_a_value() -> None:
    made = initializer("he_normal", backend="numpy", seed=3, layout="oi", name="w")
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(
        initializer("kaiming_normal", backend="numpy", seed=3, layout="oi", name="w")
    )
    assert np.array_equal(made((4, 6)), HE.numpy((4, 6), seed=3, layout="oi", name="w"))
    assert made((4, 6), dtype="float64").dtype == np.float64


def test_threads_do_not_disturb_each_other() -> None:
    expected = HE.numpy((200, 300), seed=8)
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(HE.numpy((200, 300), seed=8)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(np.array_equal(made, expected) for made in found)


def test_bad_input_writes_nothing() -> None:
    out = np.full((4, 4), 7.0, np.float32)
    frozen = out.copy()
    frozen.flags.writeable = False
    for options, error, sentence in [
        ({"seed": -1}, StreamError, "0 to 2\\*\\*64 - 1, not -1"),
        ({"seed": 2**64}, StreamError, "Take it modulo"),
        ({"seed": 1.5}, StreamError, "not 1.5"),
        ({"seed": 1, "rng": np.random.default_rng(0)}, SpecError, "seed= or rng=, not both"),
        ({"layout": "oihw"}, LayoutError, "names 4 axes"),
        ({"stream": "fast"}, UnknownName, "unknown stream 'fast': known: native, portable"),
        ({"dtype": "int8"}, UnknownName, "unknown dtype 'int8'"),
        ({"dtype": "complex64"}, SpecError, "the laws are of real numbers: draw the real and"),
        ({"dtype": "float64"}, SpecError, "out is of float32, and dtype='float64' was asked for"),
        ({"window": (slice(0, 5), slice(0, 4))}, StreamError, "lies outside axis 0"),
        ({"window": (slice(0, 4, 2), slice(0, 4))}, StreamError, "no step"),
        ({"window": (slice(0, 4),)}, StreamError, "1 given for the shape"),
        (
            {"window": (slice(0, 2), slice(0, 4))},
            SpecError,
            r"out has the shape \(4, 4\), and \(2, 4\)",
        ),
    ]:
        with pytest.raises(error, match=sentence):
            HE.numpy((4, 4), out=out, **options)
    with pytest.raises(SpecError, match="out is read-only"):
        HE.numpy((4, 4), out=frozen, seed=1)
    assert (out == 7).all()


def test_unknown_backend() -> None:
    with pytest.raises(UnknownName, match="unknown backend 'torhc': did you mean 'torch'"):
        initializer("zeros", backend="torhc")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_sparse_keeps_the_normal_stream(dtype: str) -> None:
    """The elements that are not zero are those of the normal law of the same key, to the bit."""
    sparse = get("sparse", sparsity=0.6, std=0.3).numpy((40, 30), seed=6, dtype=dtype)
    normal = get("normal", std=0.3).numpy((40, 30), seed=6, dtype=dtype)
    kept = sparse != 0
    assert kept.sum(0).tolist() == [16] * 30
    assert np.array_equal(sparse[kept], normal[kept])
    words = backend("numpy").words(stream.fold_in((0, 6), 1), (40, 30))
    assert np.array_equal(kept, words.argsort(0).argsort(0) >= 24)
    sparse = get("sparse", sparsity=0.6, std=0.3, zeros_per="in").numpy(
        (40, 30), seed=6, dtype=dtype
    )
    kept = sparse != 0
    assert kept.sum(1).tolist() == [12] * 40
    assert np.array_equal(sparse[kept], normal[kept])
    assert np.array_equal(kept, words.argsort(1).argsort(1) >= 18)


def test_ties_of_sparse_go_by_index() -> None:
    """Equal words are too rare to wait for."""
    from initspec.backends.cpu import laws as host_laws
    from initspec.spec.tensor_laws import Sparse

    def found(side: str) -> list[list[float]]:
        law = Sparse(1.0, 2, 1, 4, 3, side)
        return host_laws.sparse(law, np.ones, lambda n: np.zeros(n, np.uint32), "float32")[
            0
        ].tolist()

    assert found("out") == [[0, 0, 0], [0, 0, 0], [1, 1, 1], [1, 1, 1]]
    assert found("in") == [[0, 0, 1]] * 4


@pytest.mark.parametrize("shape", [(4.0, 4), ("4", 4), (-4, 4), 4.0])
def test_a_shape_is_refused_though_one_that_is_equal_was_drawn(shape: Any) -> None:
    scheme = get("normal(std=1.0)")
    assert scheme.numpy((4, 4), seed=0).shape == (4, 4)
    with pytest.raises(LayoutError, match="a shape is a tuple of sizes"):
        scheme.numpy(shape, seed=0)


def test_a_scheme_that_takes_the_place_of_another_has_its_own_law() -> None:
    """What is known of a scheme is kept by its identity, which a new object can inherit."""
    for std in range(1, 200):
        scheme = get("normal", std=float(std))
        drawn = scheme.numpy((4, 4), seed=0)
        assert abs(drawn[0, 0] / std - 1.62264) < 1e-5


def test_a_layout_that_is_none_is_refused() -> None:
    with pytest.raises(LayoutError, match="a layout is a text"):
        get("he_normal").numpy((4, 4), layout=["i", "o"])
