"""The JAX backend: the stream in XLA, and the initializer."""

import hashlib
import json
import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

try:
    from jax import enable_x64
except ImportError:  # before JAX 0.8
    from jax.experimental import enable_x64

import jax.numpy as jnp
from hypothesis import given, settings
from hypothesis import strategies as st

from initspec import (
    BackendMissing,
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
from initspec.backends.cpu import fill as cpu_fill
from initspec.backends.cpu import laws as host_laws
from initspec.backends.jax import kernel, laws
from initspec.spec.distribution import Normal, TruncatedNormal, Uniform
from initspec.spec.layout import Layout
from initspec.stream.placement import Placement

KNOWN = json.loads(Path(__file__).parents[2].joinpath("data", "known_answers.json").read_text())
JAX, NUMPY = backend("jax"), backend("numpy")
HE = get("he_normal")
IO = Layout.parse("io")
DTYPES = ("float32", "bfloat16", "float16")
LAWS = (
    Normal(0.0, 0.3),
    Normal(0.1, 0.3),
    Uniform(-0.2, 0.2),
    Uniform(-0.1, 0.7),
    TruncatedNormal(0.0, 0.3, -2.0, 2.0),
    TruncatedNormal(0.7, 0.3, -1.0, 2.5),
)


def pair(words: list[str]) -> tuple[int, int]:
    high, low = (int(word, 16) for word in words)
    return high, low


def bits(array: Any) -> list[str]:
    """The elements' bits, as the known answers have them."""
    host = np.asarray(array)
    return [f"{n:0{2 * host.itemsize}x}" for n in host.view(f"u{host.itemsize}").ravel().tolist()]


def same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


# The known answers


@pytest.mark.parametrize("case", KNOWN["threefry2x32_20"])
def test_threefry(case: Any) -> None:
    key, counter = (np.array(pair(case[name]), np.uint32) for name in ("key", "counter"))
    x0, x1 = jax.jit(kernel.threefry2x32)(tuple(key), *counter)
    assert (int(x0), int(x1)) == pair(case["out"])


@pytest.mark.parametrize("case", KNOWN["fold_in"])
def test_fold_in(case: Any) -> None:
    key = tuple(np.array(pair(case["key"]), np.uint32))
    x0, x1 = kernel.fold_in(key, np.uint32(int(case["data"], 16)))
    assert (int(x0), int(x1)) == pair(case["out"])


@pytest.mark.parametrize("case", KNOWN["seed_to_key"])
def test_key_of_a_seed(case: Any) -> None:
    assert JAX.key(case["seed"]) == pair(case["key"])


@pytest.mark.parametrize("case", KNOWN["fold_name"])
def test_key_of_a_name_eager_and_traced(case: Any) -> None:
    assert JAX.key(case["seed"], case["name"]) == pair(case["key"])
    traced = jax.jit(lambda key: JAX.key(key, case["name"]))(jax.random.key(case["seed"]))
    assert tuple(map(int, traced)) == pair(case["key"])


@pytest.mark.parametrize("case", KNOWN["bits"])
def test_words_anywhere_in_64_bits(case: Any) -> None:
    for index, expected in zip(map(int, case["index"]), case["bits"], strict=True):
        window = (slice(index, index + 1),)
        word = JAX.words(pair(case["key"]), (2**64,), window=window)
        assert bits(word) == [expected]


def test_quantile_of_the_known_words() -> None:
    for case in KNOWN["truncated_q28"]:
        draw = TruncatedNormal(0.0, 1.0, case["a"], case["b"]).draw
        word = np.array([int(word, 16) for word in case["bits"]], np.uint32)
        mapped = np.uint32(draw.first) + kernel.high_product(word, np.uint32(draw.count))
        found = np.clip(kernel._quantile(jnp.asarray(mapped)), draw.lowest, draw.highest)
        assert found.tolist() == case["z"]
    word = np.array([int(word, 16) for word in KNOWN["normal_q28"]["bits"]], np.uint32)
    assert jax.jit(kernel._quantile)(word).tolist() == KNOWN["normal_q28"]["z"]


def test_high_product() -> None:
    edges = np.array(
        [0, 1, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFF0001, 2**32 - 1], np.uint32
    )
    words = np.concatenate([edges, NUMPY.words((1, 2), (56,))])
    a, b = words[:, None], words[None, :]
    expected = ((a.astype(np.uint64) * b) >> np.uint64(32)).astype(np.uint32)
    assert same(jax.jit(kernel.high_product)(a, b), expected)


SCHEMES = {
    "he normal, untruncated": "he_normal@torch",
    "he normal, truncated at two parent standard deviations, variance corrected": "he_normal",
    "he uniform": "he_uniform",
}


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize(
    "case", KNOWN["cases"], ids=lambda case: f"{case['scheme']}-{case['seed']}"
)
def test_cases(case: Any, jitted: bool) -> None:
    fan_in, fan_out = case["fan_in"], case["fan_out"]
    key = jax.random.key(case["seed"])

    def make(shape: tuple[int, ...], layout: str, dtype: str) -> Any:
        init = initializer(SCHEMES[case["scheme"]], backend="jax", name=case["name"], layout=layout)
        call = jax.jit(init, static_argnums=(1, 2)) if jitted else init
        return bits(call(key, shape, dtype))

    assert make((fan_in, fan_out), "io", "float32") == case["float32_row_major_io"]
    assert make((fan_out, fan_in), "oi", "float32") == case["float32_row_major_oi"]
    for dtype in ("bfloat16", "float16"):
        assert make((fan_in, fan_out), "io", dtype) == case[f"{dtype}_io"]


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("case", KNOWN["digests"], ids=lambda case: case["law"])
def test_digests(case: Any, jitted: bool) -> None:
    names = {"normal": "he_normal@torch", "truncated_normal": "he_normal", "uniform": "he_uniform"}
    init = initializer(names[case["law"]], backend="jax", seed=case["seed"], name=case["name"])
    shape = tuple(case["shape_io"])
    made = jax.jit(lambda: init(None, shape))() if jitted else init(None, shape)
    found = hashlib.sha256(np.asarray(made).astype("<f4").tobytes()).hexdigest()
    assert found == case["sha256_float32_little_endian"]


# One stream in NumPy and in every way of running JAX


def test_words_are_those_of_jax_random() -> None:
    key = jax.random.key(12345)
    with jax.threefry_partitionable(True):  # the default since JAX 0.5
        assert same(JAX.words(JAX.key(key), (37, 11)), jax.random.bits(key, (37, 11), "uint32"))


@st.composite
def tensors(draw: Any) -> tuple[tuple[int, ...], str, tuple[slice, ...]]:
    """A shape that may be huge, a layout, and a small window."""
    layout = draw(
        st.sampled_from(
            ["o", "io", "oi", "wio", "oiw", "hwio", "oihw", "io, stack=3", "oi, stack=3"]
        )
    )
    axes = Layout.parse(layout)
    sizes = st.one_of(st.integers(1, 9), st.sampled_from([2**16 - 1, 2**21, 2**31 + 11, 2**33]))
    shape = [draw(sizes) for _ in axes.axes]
    if axes.stack > 1:
        shape[axes.axes.index("o")] = axes.stack * draw(st.sampled_from([1, 5, 1000, 2**26]))
    while np.prod(shape, dtype=object) > 2**64:
        shape[max(range(len(shape)), key=shape.__getitem__)] //= 2**15
        if axes.stack > 1:
            shape[axes.axes.index("o")] = 3 * max(shape[axes.axes.index("o")] // 3, 1)
    window = []
    for size in shape:
        count = draw(st.integers(0 if draw(st.booleans()) else 1, min(size, 6)))
        start = draw(st.integers(0, size - count) | st.just(size - count))
        window.append(slice(start, start + count))
    return tuple(shape), layout, tuple(window)


EDGES = (
    ((2**20, 2**20), "oi", (slice(2**20 - 3, 2**20), slice(4094, 4099)), LAWS[1], "float32"),
    ((2**33, 5), "io", (slice(2**32 // 5, 2**32 // 5 + 2), slice(0, 5)), LAWS[4], "float16"),
    (
        (3 * 2**21, 2**21),
        "oi, stack=3",
        (slice(2**21 - 2, 2**21 + 3), slice(5, 9)),
        LAWS[3],
        "bfloat16",
    ),
)


def check_every_way(
    shape: tuple[int, ...], layout: str, window: Any, law: Any, dtype: str, seed: int
) -> None:
    options = {"layout": layout, "window": window}
    keys = [stream.key_from_seed(seed), (0, 7)]
    words = [NUMPY.words(key, shape, **options) for key in keys]
    values = [NUMPY.sample(law, shape, key=key, dtype=dtype, **options) for key in keys]
    assert same(JAX.sample(law, shape, key=keys[0], dtype=dtype, **options), values[0])

    def make(high: Any, low: Any) -> Any:
        found = JAX.sample(law, shape, key=(high, low), dtype=dtype, **options)
        return JAX.words((high, low), shape, **options), found

    found = jax.jit(jax.vmap(make))(*np.array(keys, np.uint32).T)
    assert same(found[0], np.stack(words))
    assert same(found[1], np.stack(values))


@settings(max_examples=60, deadline=None)
@given(tensors(), st.sampled_from(LAWS), st.sampled_from(DTYPES), st.integers(0, 2**64 - 1))
def test_every_way_gives_the_bits_of_numpy(tensor: Any, law: Any, dtype: str, seed: int) -> None:
    check_every_way(*tensor, law, dtype, seed)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge[1])
def test_windows_across_two_to_the_32(edge: Any) -> None:
    shape, layout, window, *_ = edge
    steps, base = kernel.walk(shape, Layout.parse(layout), window)
    assert steps.wide
    assert base < 2**64
    check_every_way(*edge, seed=5)


@pytest.mark.parametrize("law", LAWS, ids=repr)
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (300, 70), (5, 7, 3, 3)])
def test_xla_eager_and_traced_by_constants(law: Any, shape: tuple[int, ...]) -> None:
    layout = Layout.of(None, len(shape))
    key = (0x12345678, 0x9ABCDEF0)
    expected = NUMPY.sample(law, shape, key=key)
    assert same(kernel.values(key, law.draw, "float32", shape, layout), expected)
    # With every number a constant of the program, XLA folds and fuses the most.
    assert same(jax.jit(lambda: JAX.sample(law, shape, key=key))(), expected)


@pytest.mark.parametrize("law", [Normal(0.1, 0.3), Uniform(-0.1, 0.7)], ids=repr)
def test_product_and_sum_are_two_roundings(law: Any) -> None:
    """A fused multiply-add would change a third of these."""
    shape = (256, 256)
    key = (1, 2)
    number = stream.integer(NUMPY.words(key, shape), law.draw).astype(np.float32)
    product = number * np.float32(law.draw.scale)
    fused = number.astype(np.float64) * np.float64(np.float32(law.draw.scale))
    fused = (fused + np.float64(np.float32(law.draw.shift))).astype(np.float32)
    expected = product + np.float32(law.draw.shift)
    assert (fused != expected).mean() > 0.1  # the test can tell
    made = jax.jit(lambda a, b: JAX.sample(law, shape, key=(a, b)))(np.uint32(1), np.uint32(2))
    assert same(made, expected)


def test_map_and_scan() -> None:
    init = HE.jax
    keys = jax.random.split(jax.random.key(3), 3)
    expected = np.stack([np.asarray(init(key, (4, 5))) for key in keys])
    assert same(jax.lax.map(lambda key: init(key, (4, 5)), keys), expected)
    _, found = jax.lax.scan(lambda carry, key: (carry, init(key, (4, 5))), 0, keys)
    assert same(found, expected)


@pytest.mark.parametrize("law", [*LAWS, Normal(-3.0, 1e-30)], ids=repr)
def test_float64(law: Any) -> None:
    with enable_x64(True):
        expected = NUMPY.sample(law, (40, 30), key=(1, 2), dtype="float64")
        assert same(JAX.sample(law, (40, 30), key=(1, 2), dtype="float64"), expected)
        made = jax.jit(lambda: JAX.sample(law, (40, 30), key=(1, 2), dtype="float64"))()
        assert same(made, expected)


def test_with_64_bits_float32_stays_what_it_was() -> None:
    with enable_x64(True):
        for law in LAWS[1], LAWS[5]:
            expected = NUMPY.sample(law, (40, 30), key=(1, 2))
            made = jax.jit(lambda law: JAX.sample(law, (40, 30), key=(1, 2)), static_argnums=0)
            assert same(made(law), expected)
        assert HE.jax(jax.random.key(0), (3, 4)).dtype == np.float64  # JAX's default then


@pytest.mark.parametrize("seed", [0, 2**32 + 5])
def test_layouts_are_one_weight_transposed(seed: int) -> None:
    torch = initializer("he_normal", backend="jax", seed=seed, layout="oihw")
    keras = initializer("he_normal", backend="jax", seed=seed, layout="hwio")
    a = jax.jit(lambda: torch(None, (8, 6, 3, 2)))()
    b = jax.jit(lambda: keras(None, (3, 2, 6, 8)))()
    assert same(a, np.asarray(b).transpose(3, 2, 0, 1))


# Laws of a whole tensor


class Exponential(Custom):
    def ppf(self, p: Any) -> Any:
        return -0.1 * np.log1p(-p)


class Drawn(Custom):
    def sample(self, shape: tuple[int, ...], rng: Any) -> Any:
        return rng.standard_normal(shape)


STRUCTURED = {
    "orthogonal": ("orthogonal", (8, 6), "oi"),
    "orthogonal, stacked": ("orthogonal", (6, 12), "io, stack=3"),
    "delta_orthogonal": ("delta_orthogonal", (3, 3, 4, 6), "hwio"),
    "identity": ("identity", (5, 7), "io"),
    "dirac": ("dirac", (6, 3, 3, 3), "oihw, groups=2"),
    "bilinear": ("bilinear", (4, 4, 3, 3), "hwio"),
    "sparse": ("sparse(sparsity=0.4, std=0.1)", (9, 5), "io"),
    "sparse, by inputs": ("sparse@torch(sparsity=0.4)", (12, 5), "oi, stack=2"),
    "zeros": ("zeros", (4, 3), "io"),
    "constant": ("constant(value=0.1)", (4,), "o"),
    "array": ([[1.5, 2.25], [0.1, -3.0]], (2, 2), "io"),
    "custom": (Exponential(), (6, 4), "oi"),
    "custom, drawn": (Drawn(), (6, 4), "oi"),
}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("case", STRUCTURED)
def test_structured_laws(case: str, dtype: str) -> None:
    scheme, shape, layout = STRUCTURED[case]
    init = initializer(scheme, backend="jax", layout=layout)
    law = init.scheme.on(shape, layout)

    def expected(seed: int, window: Any = None) -> Any:
        key = stream.key_from_seed(seed)
        return NUMPY.sample(law, shape, key=key, layout=layout, dtype=dtype, window=window)

    keys = jax.random.split(jax.random.key(1), 2)
    seeds = [int(h) << 32 | int(low) for h, low in np.asarray(jax.random.key_data(keys))]
    assert same(init(keys[0], shape, dtype), expected(seeds[0]))
    assert same(jax.jit(lambda key: init(key, shape, dtype))(keys[0]), expected(seeds[0]))
    many = jax.vmap(lambda key: init(key, shape, dtype))(keys)
    assert same(many, np.stack([expected(seed) for seed in seeds]))
    window = tuple(slice(1, n) for n in shape)
    assert same(init.window(keys[0], shape, window, dtype), expected(seeds[0], window))


# The initializer


def test_keys_of_every_kind() -> None:
    expected = HE.numpy((5, 6), seed=11)
    init = HE.jax
    legacy = jax.random.PRNGKey(11)
    for key in (11, np.int64(11), jnp.int32(11), jax.random.key(11), legacy, np.asarray(legacy)):
        assert same(init(key, (5, 6)), expected)
    for traced in (jax.random.key(11), legacy):
        assert same(jax.jit(lambda key: init(key, (5, 6)))(traced), expected)
    high = HE.numpy((5, 6), seed=2**32 * 9 + 8)
    assert same(init(jax.random.wrap_key_data(np.array([9, 8], np.uint32)), (5, 6)), high)


def test_a_key_of_another_implementation() -> None:
    rbg = jax.random.key(0, impl="rbg")
    with pytest.raises(StreamError, match=r"rbg has 128 bits.*impl=\"threefry2x32\""):
        HE.jax(rbg, (3, 4))
    with pytest.raises(StreamError, match="has 128 bits"):
        jax.jit(lambda key: HE.jax(key, (3, 4)))(jnp.zeros(4, np.uint32))
    native = initializer("he_normal", backend="jax", stream="native")
    assert native(rbg, (3, 4)).shape == (3, 4)


def test_what_is_no_key() -> None:
    with pytest.raises(StreamError, match="needs a key: pass one"):
        HE.jax(None, (3, 4))
    with pytest.raises(StreamError, match=r"not a batch of them of shape \(3,\).*jax.vmap"):
        HE.jax(jax.random.split(jax.random.key(0), 3), (3, 4))
    with pytest.raises(StreamError, match=r"not a batch of them of shape \(3,\).*jax.vmap"):
        HE.jax(np.zeros((3, 2), np.uint32), (3, 4))
    with pytest.raises(StreamError, match=r"traced: make a key .* jax.random.key\(seed\)"):
        jax.jit(lambda seed: HE.jax(seed, (3, 4)))(3)
    for key in (jnp.ones(2), jnp.array([1, 2]), np.array([1, 2]), jnp.bfloat16(1), np.array([3])):
        for kind in ("portable", "native"):
            with pytest.raises(StreamError, match=r"a key is jax.random.key\(seed\), or two words"):
                initializer("he_normal", backend="jax", stream=kind)(key, (3, 4))
        with pytest.raises(StreamError, match=r"a key is jax.random.key\(seed\), or two words"):
            jax.jit(lambda key: HE.jax(key, (3, 4)))(key)
    native = initializer("he_normal", backend="jax", stream="native")
    with pytest.raises(StreamError, match=r"not a batch of them of shape \(3,\).*jax.vmap"):
        native(jax.random.split(jax.random.key(0), 3), (3, 4))
    with pytest.raises(StreamError, match="implementation has 2 words, and one of 3 came"):
        native(jnp.zeros(3, np.uint32), (3, 4))
    for seed in (-1, 2**64, 1.5, "x"):
        with pytest.raises(StreamError, match="a seed is an integer from 0"):
            initializer("he_normal", backend="jax", seed=seed)


@pytest.mark.parametrize(
    "key",
    [
        *((1.5, 2), (2**32, 3), (-1, 3), ("a", "b"), ((1, 2), (3, 4)), (1, 2, 3), None, 5, "ab"),
        *({}, 1.5, np.int32(3), np.array([1, 2]), jnp.array([1.0, 2.0])),
    ],
    ids=repr,
)
def test_what_a_backend_takes_for_no_key(key: Any) -> None:
    for law in (HE.on((3, 4)), get("orthogonal").on((3, 4))):
        with pytest.raises(StreamError, match=r"a key is jax.random.key\(seed\), or two words of"):
            JAX.sample(law, (3, 4), key=key)
    with pytest.raises(StreamError, match=r"a key is jax.random.key\(seed\), or two words of"):
        JAX.words(key, (3, 4))


def test_a_backend_takes_a_key_of_jax() -> None:
    law, expected = HE.on((3, 4)), HE.numpy((3, 4), seed=11)
    for key in (jax.random.key(11), jax.random.PRNGKey(11), (0, 11), [np.uint32(0), 11]):
        assert same(JAX.sample(law, (3, 4), key=key), expected)
        assert same(jax.jit(lambda key: JAX.sample(law, (3, 4), key=key))(key), expected)
    with pytest.raises(StreamError, match="not a batch"):
        JAX.sample(law, (3, 4), key=jax.random.split(jax.random.key(0), 3))


@pytest.mark.parametrize("dtype", ["flot32", "", 3, [1], object()])
def test_what_is_no_dtype(dtype: Any) -> None:
    for call in (
        lambda: HE.jax(jax.random.key(0), (3, 4), dtype),
        lambda: initializer("he_normal", backend="jax", dtype=dtype),
        lambda: JAX.native(HE.on((3, 4)), (3, 4), source=0, dtype=dtype),
    ):
        with pytest.raises(UnknownName, match="unknown dtype"):
            call()


def test_an_empty_array_needs_no_key() -> None:
    assert HE.jax(None, (0, 5)).shape == (0, 5)
    assert get("orthogonal").jax(None, (5, 0)).shape == (5, 0)


def test_fixed_laws_need_no_key() -> None:
    assert same(get("ones").jax(None, (3,)), np.ones(3, np.float32))
    assert same(get("identity").jax(None, (3, 3)), np.eye(3, dtype=np.float32))
    rbg = jax.random.key(0, impl="rbg")
    assert same(jax.jit(lambda key: get("zeros").jax(key, (3,)))(rbg), np.zeros(3, np.float32))


def test_two_keys_from_nothing_differ() -> None:
    assert JAX.key() != JAX.key()


def test_a_seed_governs() -> None:
    init = initializer("he_normal", backend="jax", seed=42, name="w")
    expected = HE.numpy((5, 6), seed=42, name="w")
    assert same(init(None, (5, 6)), expected)
    assert same(init(jax.random.key(7), (5, 6)), expected)
    assert same(jax.jit(lambda: init(None, (5, 6)))(), expected)


def test_a_name_folds_in() -> None:
    init = initializer("he_normal", backend="jax", name="encoder")
    expected = HE.numpy((5, 6), seed=3, name="encoder")
    assert same(init(jax.random.key(3), (5, 6)), expected)
    assert same(jax.jit(lambda key: init(key, (5, 6)))(jax.random.key(3)), expected)


def test_value_semantics() -> None:
    init = initializer("he_normal", backend="jax", layout="oi", dtype=jnp.bfloat16)
    twin = initializer("he_normal", backend="jax", layout=Layout.parse("oi"), dtype="bfloat16")
    assert init == twin
    assert hash(init) == hash(twin)
    assert init != HE.jax
    assert pickle.loads(pickle.dumps(init)) == init
    assert "he_normal" in repr(init)
    assert init(jax.random.key(0), (3, 4)).dtype == jnp.bfloat16
    assert init(jax.random.key(0), (3, 4), jnp.float16).dtype == np.float16


def test_equal_ones_are_traced_once() -> None:
    traces = []

    def make(key: Any, init: Any) -> Any:
        traces.append(init)
        return init(key, (3, 4))

    jitted = jax.jit(make, static_argnums=1)
    key = jax.random.key(0)
    for _ in range(3):
        jitted(key, pickle.loads(pickle.dumps(HE.jax)))
    assert len(traces) == 1
    jitted(key, get("he_uniform").jax)
    assert len(traces) == 2


def test_another_scale_compiles_nothing() -> None:
    program = kernel._program(None)

    def draw(law: Any, window: Any = None) -> None:
        kernel.values((0, 1), law.draw, "float32", (64, 8), IO, window)

    draw(Normal(0.5, 1.0), (slice(0, 8), slice(0, 8)))
    compiled = program._cache_size()
    draw(Normal(0.25, 2.0), (slice(16, 24), slice(0, 8)))
    assert program._cache_size() == compiled
    draw(Normal(0.0, 2.0), (slice(16, 24), slice(0, 8)))
    assert program._cache_size() == compiled + 1  # no sum: another program


@pytest.mark.parametrize(
    "name", ["he_normal", "orthogonal", "zeros", "sparse(sparsity=0.1, std=1.0)"]
)
@pytest.mark.parametrize("kind", ["portable", "native"])
def test_eval_shape(name: str, kind: str) -> None:
    init = initializer(name, backend="jax", stream=kind)
    found = jax.eval_shape(lambda key: init(key, (6, 5), jnp.bfloat16), jax.random.key(0))
    assert (found.shape, found.dtype) == ((6, 5), jnp.bfloat16)
    big = jax.eval_shape(lambda key: init(key, (2**15, 2**15)), jax.random.key(0))
    assert big.shape == (2**15, 2**15)


def test_vmap_of_an_ensemble_of_matrices() -> None:
    keys = jax.random.split(jax.random.key(0), 4)
    found = jax.vmap(HE.jax, in_axes=(0, None))(keys, (3, 5))
    assert same(found, np.stack([np.asarray(HE.jax(key, (3, 5))) for key in keys]))


def test_bad_input() -> None:
    key = jax.random.key(0)
    with pytest.raises(LayoutError, match=r"he_normal scales by fans.*has no fans"):
        HE.jax(key, (3,))
    with pytest.raises(SpecError, match=r"float64 was asked for.*jax_enable_x64"):
        HE.jax(key, (3, 4), "float64")
    with pytest.raises(SpecError, match="float64 was asked for"):
        jax.jit(lambda key: HE.jax(key, (3, 4), np.float64))(key)
    with pytest.raises(SpecError, match=r"complex64 was asked for.*real numbers"):
        HE.jax(key, (3, 4), jnp.complex64)
    with pytest.raises(UnknownName, match="unknown dtype 'int8'"):
        HE.jax(key, (3, 4), "int8")
    with pytest.raises(UnknownName, match="unknown stream 'jax'"):
        initializer("he_normal", backend="jax", stream="jax")
    with pytest.raises(LayoutError, match="names 4 axes"):
        initializer("he_normal", backend="jax", layout="oihw")(key, (3, 4))
    with pytest.raises(StreamError, match="lies outside axis 0"):
        HE.jax.window(key, (3, 4), (slice(2, 4), slice(0, 4)))
    with pytest.raises(SpecError, match=r"needs a mesh: set one with jax.set_mesh"):
        HE.jax(key, (8, 4), out_sharding=jax.sharding.PartitionSpec("x"))
    with pytest.raises(SpecError, match="out_sharding is a NamedSharding"):
        HE.jax(key, (8, 4), out_sharding="x")
    tiny = get("normal(std=1e-30)").jax
    with pytest.raises(StreamError, match="XLA rounds numbers below 1e-38 to zero"):
        jax.jit(lambda key: tiny(key, (3, 4)))(key)


def test_narrow_types_are_the_float32_numbers_rounded() -> None:
    key = jax.random.key(0)
    wide = HE.jax(key, (200, 50))
    for dtype in (jnp.bfloat16, jnp.float16):
        assert same(HE.jax(key, (200, 50), dtype), wide.astype(dtype))


# Memory


def test_an_eager_array_is_made_in_place() -> None:
    shape = (1024, 2048)
    HE.jax(jax.random.key(0), shape)  # the kernel's own tables
    tracemalloc.start()
    made = HE.jax(jax.random.key(0), shape).block_until_ready()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < made.nbytes + 3 * 2**20  # of which a huge page is address space only
    law = HE.on(shape)
    window = (slice(0, 1024), slice(0, 2048))
    host = laws.host_array(law, Placement.of(shape, IO, window), "float32", (0, 1))
    assert jax.device_put(host).unsafe_buffer_pointer() == host.ctypes.data  # handed over


def test_a_program_holds_no_weights() -> None:
    init = initializer("he_normal", backend="jax", seed=3)
    lowered = jax.jit(lambda: init(None, (1024, 2048))).lower()
    assert len(lowered.as_text()) < 2**19  # the table; the weights as text would take 16 MiB
    stats = lowered.compile().memory_analysis()
    assert stats.temp_size_in_bytes < 2**20


def test_without_a_compiled_kernel_large_arrays_are_xlas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_fill, "compiled", lambda: False)
    monkeypatch.setattr(laws, "_LARGE", 1000)
    sizes = []
    fill = host_laws.fill

    def noted(out: Any, *arguments: Any, **options: Any) -> None:
        sizes.append(out.size)
        fill(out, *arguments, **options)

    monkeypatch.setattr(host_laws, "fill", noted)
    for shape in ((9, 9), (40, 41)):
        made = HE.jax(jax.random.key(3), shape)
        assert sizes == [81]
        assert same(made, kernel.values((0, 3), HE.on(shape).draw, "float32", shape, IO))


# The native stream


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "name",
    [
        "he_normal",
        "he_normal@torch",
        "he_uniform",
        "normal(std=0.2, mean=0.5)",
        "uniform(low=0.0, high=1.0)",
        "orthogonal",
        "sparse(sparsity=0.25, std=0.1)",
        "sparse(sparsity=0.25, std=0.1, zeros_per='in')",
    ],
)
def test_native_has_the_law(name: str, dtype: str) -> None:
    init = initializer(name, backend="jax", stream="native", layout="io")
    shape = (80, 100)
    law = get(name).on(shape)
    key = jax.random.key(5)
    made = init(key, shape, dtype)
    assert made.dtype == jnp.dtype(dtype)
    numbers = np.sort(np.asarray(made).astype(np.float64).ravel())
    cdf = np.array([law.cdf(x) for x in numbers])
    steps = np.arange(1, numbers.size + 1) / numbers.size
    jumps = np.array([law.cdf(np.nextafter(x, -np.inf)) for x in numbers])
    distance = max(np.max(steps - cdf), np.max(jumps - (steps - 1 / numbers.size)))
    # Dvoretzky, Kiefer, Wolfowitz, Massart: exceeded with probability 1e-6; rounding to a narrow
    # type moves a value by 2**-8 of itself.
    limit = np.sqrt(np.log(2e6) / (2 * numbers.size)) + (0.003 if dtype == "bfloat16" else 0.0005)
    assert distance < limit
    low, high = law.support
    assert 1.01 * low <= numbers[0]
    assert numbers[-1] <= 1.01 * high
    assert same(made, init(key, shape, dtype))
    if dtype == "float32":
        assert not same(made, initializer(name, backend="jax")(key, shape))


@pytest.mark.parametrize("layout", ["io", "oi"])
@pytest.mark.parametrize("shape", [(12, 5), (5, 12), (0, 4)])
def test_native_orthogonal(layout: str, shape: tuple[int, int]) -> None:
    init = initializer("orthogonal(gain=2.0)", backend="jax", stream="native", layout=layout)
    w = np.asarray(init(jax.random.key(2), shape), np.float64)
    gram = w.T @ w if shape[0] > shape[1] else w @ w.T
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_native_of_the_other_laws() -> None:
    init = initializer("delta_orthogonal", backend="jax", stream="native", layout="oihw")
    w = np.asarray(init(jax.random.key(0), (6, 4, 3, 3)), np.float64)
    np.testing.assert_allclose(w[:, :, 1, 1].T @ w[:, :, 1, 1], np.eye(4), atol=1e-5)
    assert np.count_nonzero(w) == 24
    sparse = initializer("sparse(sparsity=0.3, std=1.0)", backend="jax", stream="native")
    assert (np.asarray(sparse(jax.random.key(0), (10, 4))) == 0).sum(0).tolist() == [3] * 4
    sparse = initializer("sparse@torch(sparsity=0.3)", backend="jax", stream="native")
    assert (np.asarray(sparse(jax.random.key(0), (10, 4))) == 0).sum(1).tolist() == [2] * 10
    for scheme, shape in (("dirac", (3, 3, 2, 2)), ("zeros", (3,)), ([[1.0, 2.0]], (1, 2))):
        fixed = initializer(scheme, backend="jax", stream="native")
        assert same(fixed(jax.random.key(0), shape), get(scheme).numpy(shape, seed=0))
    drawn = initializer(Drawn(), backend="jax", stream="native")
    assert same(drawn(jax.random.key(1), (3, 4)), drawn(jax.random.key(1), (3, 4)))
    assert not same(drawn(jax.random.key(1), (3, 4)), drawn(jax.random.key(2), (3, 4)))


def test_native_obeys_seed_and_name() -> None:
    def make(**options: Any) -> Any:
        return initializer("he_normal", backend="jax", stream="native", **options)(None, (5, 6))

    assert same(make(seed=3), make(seed=3))
    assert not same(make(seed=3), make(seed=4))
    assert not same(make(seed=3), make(seed=3, name="a"))
    by_key = initializer("he_normal", backend="jax", stream="native")(jax.random.key(3), (5, 6))
    assert same(by_key, make(seed=3))


# A missing framework


def test_without_jax_the_error_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['jax'] = None\n"
        "import initspec\n"
        "try: initspec.get('he_normal').jax\n"
        "except initspec.BackendMissing as error: print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert 'needs JAX, which is not installed: pip install "initspec[jax]"' in found.stdout


def test_without_haiku_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "haiku", None)
    with pytest.raises(BackendMissing, match="pip install dm-haiku"):
        _ = HE.haiku


def test_a_traced_shape_says_what_to_do() -> None:
    init, key = get("he_normal").jax, jax.random.key(0)
    native = initializer("he_normal", "jax", stream="native")
    sentence = r"jax\.jit\(init, static_argnums=1\).*jax\.eval_shape\(lambda key"
    for program in (
        lambda: jax.jit(init)(key, (3, 4)),
        lambda: jax.jit(native)(key, (3, 4)),
        lambda: jax.eval_shape(init, key, (3, 4)),
        lambda: jax.jit(lambda n: init(key, (n, 4)))(3),
        lambda: jax.jit(lambda sizes: init(key, sizes))(jnp.array([3, 4])),
        lambda: jax.vmap(lambda n: init(key, [n, 4]))(jnp.arange(3)),
    ):
        with pytest.raises(LayoutError, match=sentence):
            program()
    assert jax.jit(init, static_argnums=1)(key, (3, 4)).shape == (3, 4)
    assert jax.eval_shape(lambda key: init(key, (256, 512)), key).shape == (256, 512)
    with pytest.raises(StreamError, match="bounds of this window are traced"):
        jax.jit(lambda n: init.window(key, (3, 4), (slice(0, n), slice(0, 4))))(2)


def test_no_shape_is_too_large_for_a_sentence() -> None:
    for name in ("zeros", "he_normal"):
        with pytest.raises(LayoutError, match="more elements than memory has addresses"):
            get(name).jax(jax.random.key(0), (2**40, 2**40))
