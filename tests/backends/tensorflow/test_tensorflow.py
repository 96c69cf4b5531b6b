"""The TensorFlow adapter: known answers, graphs, XLA, replicas, and what its users expect."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initspec import Layout, StreamError, backend, get
from initspec.errors import LayoutError, SpecError, UnknownName
from initspec.spec.custom import Custom
from initspec.spec.distribution import TruncatedNormal
from initspec.spec.integer_form import Draw
from initspec.stream.canonical_order import whole

tf = pytest.importorskip("tensorflow")

from initspec.backends.tensorflow import kernel

DTYPES = ("float32", "float64", "bfloat16", "float16")
OURS, NUMPY = backend("tensorflow"), backend("numpy")

ANSWERS = json.loads((Path(__file__).parents[2] / "data" / "known_answers.json").read_text("utf-8"))
NAMES = {
    "he normal, untruncated": "he_normal@torch",
    "he normal, truncated at two parent standard deviations, variance corrected": "he_normal",
    "he uniform": "he_uniform",
}
LAWS = {
    "normal": "he_normal@torch",
    "truncated_normal": "he_normal",
    "uniform": "he_uniform",
}


def eager(make, key):
    return make(key)


def function(make, key):
    """The key is traced."""
    return tf.function(make)(key)


def compiled(make, key):
    return tf.function(make, jit_compile=True)(key)


def known(make, key):
    """The key is a constant of the program."""
    return tf.function(lambda: make(key), jit_compile=True)()


MODES = pytest.mark.parametrize("run", [eager, function, compiled, known])


def words_of(text):
    return [int(word, 16) for word in text]


def equal(tensor, array):
    """The same bits."""
    found = OURS.tohost(tensor)
    assert found.shape == array.shape
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


# Known answers


@MODES
def test_known_answers(run):
    stored = {"float32": np.uint32, "bfloat16": np.uint16, "float16": np.uint16}
    wanted = []
    makes = []
    for case in ANSWERS["cases"]:
        scheme = get(NAMES[case["scheme"]])
        for column in case:
            dtype, _, layout = column.replace("_row_major", "").partition("_")
            if layout not in ("io", "oi"):
                continue
            shape = (case["fan_in"], case["fan_out"])[:: 1 if layout == "io" else -1]
            law = scheme.on(shape, layout)
            wanted.append((shape, stored[dtype], words_of(case[column])))
            pair = OURS.key(case["seed"], case["name"])
            assert pair == tuple(words_of(case["key"]))
            makes.append((law, shape, layout, dtype, pair))
    keys = tf.constant([make[-1] for make in makes], tf.uint32)

    def all_of(keys):
        return [
            OURS.sample(law, shape, key=key, layout=layout, dtype=dtype)
            for (law, shape, layout, dtype, _), key in zip(makes, tf.unstack(keys), strict=True)
        ]

    found = run(all_of, keys)
    assert len(found) == len(wanted) >= 24
    for tensor, (shape, bits, answer) in zip(found, wanted, strict=True):
        assert tensor.shape == shape
        assert tensor.numpy().view(bits).ravel().tolist() == answer


@MODES
@pytest.mark.parametrize("row", ANSWERS["digests"], ids=lambda row: row["law"])
def test_digests(run, row):
    from hashlib import sha256

    shape = tuple(row["shape_io"])
    law = get(LAWS[row["law"]]).on(shape)
    key = tf.constant(OURS.key(row["seed"], row["name"]), tf.uint32)
    found = run(lambda key: OURS.sample(law, shape, key=key), key)
    assert (
        sha256(found.numpy().astype("<f4").tobytes()).hexdigest()
        == (row["sha256_float32_little_endian"])
    )


def test_words_at_any_index():
    shape = (2**32, 2**32)
    for row in ANSWERS["bits"]:
        key = tuple(words_of(row["key"]))
        for index, word in zip(row["index"], words_of(row["bits"]), strict=True):
            high, low = divmod(int(index), 2**32)
            window = (slice(high, high + 1), slice(low, low + 1))
            assert OURS.words(key, shape, window=window).numpy().item() == word


def test_words_beyond_32_bits_in_a_program():
    row = ANSWERS["bits"][-1]
    known = zip(map(int, row["index"][-6:]), words_of(row["bits"][-6:]), strict=True)
    wanted = dict(known)
    key = tf.constant(words_of(row["key"]), tf.uint32)

    @tf.function
    def found(key):
        def word(index):
            high, low = divmod(index, 2**32)
            window = (slice(high, high + 1), slice(low, low + 1))
            return OURS.words(key, (2**32, 2**32), window=window)[0, 0]

        return [word(index) for index in wanted]

    assert [int(word) for word in found(key)] == list(wanted.values())
    assert max(wanted) >= 2**63


def test_threefry_and_folding():
    def tensors(words):
        return tuple(tf.constant(int(word, 16), tf.uint32) for word in words)

    for row in ANSWERS["threefry2x32_20"]:
        found = kernel.threefry2x32(tensors(row["key"]), *tensors(row["counter"]))
        assert [int(word) for word in found] == words_of(row["out"])
    for row in ANSWERS["fold_in"]:
        found = kernel.fold_in(tensors(row["key"]), int(row["data"], 16))
        assert [int(word) for word in found] == words_of(row["out"])

    @tf.function
    def named(seed, name):
        return OURS.key(seed, name)

    for row in ANSWERS["fold_name"]:
        found = named(tf.constant(row["seed"], tf.uint64), row["name"])
        assert [int(word) for word in found] == words_of(row["key"])


# Equal to the reference, bit for bit

LAYOUTS = {
    "io": 2, "oi": 2, "oi, stack=3": 2, "ioo": 3, "bio": 3, "hwio": 4, "oihw": 4, "hwgo": 4,
}  # fmt: skip
SCHEMES = (
    "he_normal",
    "glorot_uniform",
    "he_normal@torch",
    "uniform(low=0.1, high=0.4)",
    "truncated_normal(std=0.5, mean=-0.2)",
    "normal(std=0.1, mean=0.3)",
)


@st.composite
def tensors(draw):
    layout = draw(st.sampled_from(sorted(LAYOUTS)))
    size = st.integers(0, 7)
    shape = [draw(size) for _ in range(LAYOUTS[layout])]
    if "stack" in layout:
        shape[0] *= 3
    window = []
    for n in shape:
        start = draw(st.integers(0, n))
        window.append(slice(start, draw(st.integers(start, n))))
    scheme = get(draw(st.sampled_from(SCHEMES)))
    options = {
        "key": tuple(draw(st.integers(0, 2**32 - 1)) for _ in range(2)),
        "layout": layout,
        "dtype": draw(st.sampled_from(DTYPES)),
        "window": draw(st.sampled_from([None, tuple(window)])),
    }
    return scheme.on(tuple(shape), layout), tuple(shape), options


@given(tensors())
@settings(max_examples=200, deadline=None)
def test_eager_equals_numpy(tensor):
    law, shape, options = tensor
    equal(OURS.sample(law, shape, **options), NUMPY.sample(law, shape, **options))


@given(tensors(), st.booleans())
@settings(max_examples=15, deadline=None)
def test_programs_equal_numpy(tensor, jit):
    law, shape, options = tensor
    wanted = NUMPY.sample(law, shape, **options)
    key = tf.constant(options.pop("key"), tf.uint32)
    program = tf.function(lambda key: OURS.sample(law, shape, key=key, **options), jit_compile=jit)
    equal(program(key), wanted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "scheme", ["normal(std=0.1, mean=0.3)", "uniform(low=0.1, high=0.4)", "truncated_normal(std=0.1, mean=0.3)"]
)  # fmt: skip
def test_a_shift_is_a_second_rounding(scheme, dtype):
    """XLA would fuse the product with the sum: a tenth of the values would differ."""
    shape = (256, 64)
    law = get(scheme).on(shape)
    wanted = NUMPY.sample(law, shape, key=(1, 2), dtype=dtype)
    make = tf.function(lambda key: OURS.sample(law, shape, key=key, dtype=dtype), jit_compile=True)
    equal(make(tf.constant([1, 2], tf.uint32)), wanted)


def test_the_guard_is_needed():
    """The same program without the minimum is fused: if not, the test above shows nothing."""

    @tf.function(jit_compile=True)
    def fused(word):
        draw = Draw("normal", 0.1 * 2.0**-28)
        return kernel._values(word, draw, "float32") + tf.constant(0.3, tf.float32)

    shape = (256, 64)
    law = get("normal(std=0.1, mean=0.3)").on(shape)
    wanted = NUMPY.sample(law, shape, key=(1, 2))
    assert (fused(OURS.words((1, 2), shape)).numpy() != wanted).any()


def test_windows_of_a_tensor_that_fits_no_memory():
    shape = (2**20, 2**14, 3)
    window = (slice(2**19 + 5, 2**19 + 9), slice(100, 140), slice(1, 3))
    law = get("he_uniform").on(shape)
    wanted = NUMPY.sample(law, shape, key=(3, 4), window=window)
    equal(OURS.sample(law, shape, key=(3, 4), window=window), wanted)
    program = tf.function(lambda key: OURS.sample(law, shape, key=key, window=window))
    equal(program(tf.constant([3, 4], tf.uint32)), wanted)


@pytest.mark.parametrize(
    ("scheme", "shape", "layout", "error"),
    [
        ("orthogonal", (6, 4), "io", 1e-6),
        ("orthogonal", (4, 24), "io, stack=4", 1e-6),
        ("orthogonal", (3, 5), "oi", 1e-6),
        ("orthogonal", (0, 5), "io", 0),
        ("delta_orthogonal", (3, 3, 4, 6), "hwio", 1e-6),
        ("sparse(sparsity=0.4, std=0.1)", (7, 6), "oi", 0),
        ("sparse(sparsity=0, std=0.1)", (7, 6), "io", 0),
        ("sparse(sparsity=0.4, std=0.1, zeros_per='in')", (12, 5), "oi, stack=2", 0),
        ("sparse(sparsity=0, std=0.1, zeros_per='in')", (7, 6), "io", 0),
        ("identity", (4, 5), "io", 0),
        ("dirac", (3, 3, 4, 4), "hwio", 0),
        ("bilinear", (4, 4, 2, 2), "hwio", 0),
        ("constant(value=0.3)", (3, 2), "io", 0),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_laws_of_whole_tensors(scheme, shape, layout, error, dtype):
    law = get(scheme).on(shape, layout)
    options = {"layout": layout, "dtype": dtype}
    wanted = NUMPY.sample(law, shape, key=(3, 4), **options)
    equal(OURS.sample(law, shape, key=(3, 4), **options), wanted)
    make = tf.function(lambda key: OURS.sample(law, shape, key=key, **options), jit_compile=True)
    found = make(tf.constant([3, 4], tf.uint32)).numpy()
    assert found.dtype == wanted.dtype
    assert found.shape == shape
    spacing = 0.01 if dtype == "bfloat16" and error else error
    assert np.abs(found.astype(float) - wanted.astype(float)).max(initial=0) <= spacing


def test_ties_go_by_index():
    """In a sparse law; equal words are too rare to wait for."""
    from initspec.backends.tensorflow import laws
    from initspec.spec.tensor_laws import Sparse

    def found(side):
        ones, zeros = (lambda n: tf.ones(n, tf.float64)), (lambda n: tf.zeros(n, tf.uint32))
        return laws.canonical(Sparse(1.0, 2, 1, 4, 3, side), ones, zeros, "float32")

    assert found("out").numpy()[0].tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 1], [1, 1, 1]]
    assert found("in").numpy()[0].tolist() == [[0, 0, 1]] * 4


# Custom laws


class Exponential(Custom):
    def ppf(self, p):
        return -np.log1p(-p)


class Generated(Custom):
    def sample(self, shape, rng):
        return rng.exponential(1.0, shape)


class Counting(Custom):
    def sample(self, shape):
        return np.arange(np.prod(shape), dtype=float).reshape(shape)


@pytest.mark.parametrize("custom", [Exponential(), Generated(), Counting(), np.eye(3, 4)])
def test_custom_laws(custom):
    scheme = get(custom)
    wanted = scheme.numpy((3, 4), seed=5)
    init = scheme.tensorflow(seed=5)
    equal(init((3, 4)), wanted)
    equal(tf.function(lambda: init((3, 4)), jit_compile=True)(), wanted)


def test_custom_laws_with_a_traced_key():
    def traced(custom):
        law = get(custom).on((3, 4))
        make = tf.function(lambda key: OURS.sample(law, (3, 4), key=key))
        return make(tf.constant([0, 5], tf.uint32))

    equal(traced(Exponential()), get(Exponential()).numpy((3, 4), seed=5))
    equal(traced(Counting()), Counting().sample((3, 4)).astype(np.float32))
    with pytest.raises(StreamError, match=r"give seed= an integer, .* or define ppf\(self, p\)"):
        traced(Generated())


# Keys


def test_keys_follow_the_seed():
    assert OURS.key(2**63 + 5) == (2**31, 5)
    assert OURS.key(tf.constant(2**63 + 5, tf.uint64)) == (2**31, 5)
    assert OURS.key(tf.constant(-1, tf.int64)) == (2**32 - 1, 2**32 - 1)
    assert OURS.key(tf.Variable([7, -1])) == (7, 2**32 - 1)
    assert OURS.key(np.int64(3), "w") == NUMPY.key(3, "w")
    generator = tf.random.Generator.from_seed(1)
    first = OURS.key(generator)
    assert first != OURS.key(generator)
    assert first == OURS.key(tf.random.Generator.from_seed(1))


def test_set_seed_governs_what_has_no_seed():
    init = get("he_normal").tensorflow()

    def both():
        tf.random.set_seed(3)
        return init((20, 20)).numpy(), init((20, 20)).numpy()

    (first, second), again = both(), both()
    assert not (first == second).any()
    assert (first == again[0]).all()
    assert (second == again[1]).all()


def test_no_seed_in_a_program_gives_other_values_at_every_run():
    init = get("he_normal").tensorflow(name="w")
    program = tf.function(lambda: init((20, 20)))
    first, second = program().numpy(), program().numpy()
    assert not (first == second).any()
    assert np.std(first) == pytest.approx(init.scheme.on((20, 20)).std, rel=0.2)


@pytest.mark.parametrize("seed", [2.5, "x", -1, 2**64])
def test_what_is_no_seed(seed):
    with pytest.raises(StreamError, match=r"a seed is an integer from 0 to 2\*\*64 - 1"):
        get("he_normal").tensorflow(seed=seed)
    with pytest.raises(StreamError, match="a seed is an integer"):
        OURS.key(seed)


def test_tensors_that_are_no_seed():
    for seed in (tf.constant(1.5), tf.constant([1, 2, 3])):
        with pytest.raises(StreamError, match=r"a seed is one integer, or the two words of a key"):
            OURS.key(seed)
    with pytest.raises(StreamError, match="a key is two words of 32 bits"):
        OURS.sample(get("ones").on((2,)), (2,), key=5)


# The initializer


@pytest.mark.parametrize(
    "key",
    [
        *((1.5, 2), (2**32, 3), (-1, 3), ("a", "b"), ((1, 2), (3, 4)), (1, 2, 3), None, "ab"),
        *(np.zeros((2, 2), np.uint32), np.array([1.0, 2.0]), {1: 2, 3: 4}, {1, 2}),
    ],
    ids=repr,
)
def test_what_is_no_key(key):
    for law in (get("he_normal").on((3, 4)), get("orthogonal").on((3, 4))):
        with pytest.raises(StreamError, match=r"a key is two words of 32 bits, as key\(\) gives"):
            OURS.sample(law, (3, 4), key=key)
    with pytest.raises(StreamError, match=r"a key is two words of 32 bits"):
        OURS.words(key, (3, 4))


def test_words_of_tensors_are_not_cut():
    law = get("he_normal").on((3, 4))
    with pytest.raises(StreamError, match="a key is two words of 32 bits"):
        OURS.key(tf.constant([2**32, 2], tf.int64))
    for words in ((tf.constant(1.5), 2), (tf.constant([1, 2]), 2)):
        with pytest.raises(StreamError, match="a key is two words of 32 bits"):
            OURS.sample(law, (3, 4), key=words)
    with pytest.raises(StreamError, match=r"shape \(4, 2\) and int32: of a batch .* one at a time"):
        OURS.key(tf.zeros((4, 2), tf.int32))
    bits = OURS.sample(law, (3, 4), key=tf.constant([-1, 2], tf.int32))  # as TensorFlow's seeds
    equal(bits, NUMPY.sample(law, (3, 4), key=(2**32 - 1, 2)))
    program = tf.function(lambda key: OURS.sample(law, (3, 4), key=key))
    equal(program(tf.constant([-1, 2], tf.int32)), bits.numpy())
    found = OURS.sample(law, (3, 4), key=np.array([7, 2], np.uint32))
    equal(found, NUMPY.sample(law, (3, 4), key=(7, 2)))


@pytest.mark.parametrize("stream", ["portable", "native"])
def test_what_no_key_changes_spends_no_randomness(stream):
    cases = [("zeros", (3,)), ("ones", (3, 4)), ("identity", (3, 3)), ("dirac", (3, 4, 4))]
    cases += [("bilinear", (4, 4, 2, 2)), (((0.5, 1.0), (2.0, 3.0)), (2, 2))]
    cases += [("he_normal", (0, 4)), ("orthogonal", (4, 0))]
    tf.random.set_seed(3)
    expected = tf.random.uniform((2,)).numpy()
    tf.random.set_seed(3)
    generator = tf.random.Generator.from_seed(3)
    state = generator.state.numpy()
    for scheme, shape in cases:
        for seed in (None, generator):
            get(scheme).tensorflow(seed=seed, stream=stream)(shape)
    assert (tf.random.uniform((2,)).numpy() == expected).all()
    assert (generator.state.numpy() == state).all()


def test_tf_function_takes_an_initializer():
    init = get("he_normal").tensorflow(seed=1)
    equal(tf.function(init)((6, 5)), init((6, 5)).numpy())
    with pytest.raises(UnknownName, match="unknown dtype 'flot32': did you mean 'float32'"):
        tf.function(init)((6, 5), "flot32")


def test_an_initializer_makes_variables():
    init = get("he_normal").tensorflow(seed=0, name="dense/kernel")
    wanted = get("he_normal").numpy((256, 128), seed=0, name="dense/kernel")
    equal(tf.Variable(init((256, 128))), wanted)
    equal(tf.Variable(lambda: init((256, 128))), wanted)
    equal(init(tf.TensorShape([256, 128])), wanted)
    equal(init(tf.constant([256, 128]), tf.float32), wanted)


def test_dtypes_of_the_call_and_of_the_initializer():
    init = get("he_normal").tensorflow(seed=0, dtype="bfloat16")
    assert init.dtype == "bfloat16"
    assert init((4, 4)).dtype == tf.bfloat16
    for dtype in (tf.float64, "float64", np.float64, np.dtype("float64")):
        equal(init((4, 4), dtype), get("he_normal").numpy((4, 4), seed=0, dtype="float64"))
    assert get("he_normal").tensorflow()((4, 4)).dtype == tf.float32


def test_memory_is_aligned_and_shared():
    """TensorFlow aborts where a tensor that it is handed is not aligned to 64 bytes."""
    for n in (1, 3, 1000, 2**20 + 1):
        for dtype in DTYPES:
            tensor = get("normal(std=1)").tensorflow(dtype=dtype)((n,))
            assert np.asarray(tensor).ctypes.data % 64 == 0
            assert np.isfinite(float(tf.reduce_sum(tensor + tensor)))


def peak(make):
    """How many bytes the process grows by, at most, while ``make`` runs."""

    def status(word):
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(word)).split()[1])

    Path("/proc/self/clear_refs").write_text("5", "utf-8")
    before = status("VmRSS")
    kept = make()
    return status("VmHWM") - before, kept


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux")
def test_memory_is_the_tensor_and_little_more():
    """Also of a known key in a program, which TensorFlow would compute while it optimises it."""
    shape = (2048, 4096)
    init = get("normal(std=1)").tensorflow(seed=1)
    program = tf.function(lambda: init(shape))
    for make in (lambda: init(shape), program):
        tf.function(lambda: init((256, 256)))()
        init((256, 256))
        grown, tensor = peak(make)
        assert tensor.shape == shape
        assert grown < 4 * (2048 * 4096) + (32 << 20)


def test_empty_and_scalar_shapes():
    init = get("normal(std=1)").tensorflow(seed=1)
    program = tf.function(lambda key: OURS.sample(get("normal(std=1)").on(()), (), key=key))
    for dtype in DTYPES:
        equal(init((), dtype), get("normal(std=1)").numpy((), seed=1, dtype=dtype))
    equal(program(tf.constant([0, 1], tf.uint32)), get("normal(std=1)").numpy((), seed=1))
    assert init((0, 3)).shape == (0, 3)


def test_parts_of_a_sharded_variable():
    init = get("he_normal").tensorflow(seed=0)
    part = init((10, 4), partition_shape=(3, 4), partition_offset=(5, 0))
    equal(part, get("he_normal").numpy((10, 4), seed=0)[5:8])
    with pytest.raises(SpecError, match="belong together"):
        init((10, 4), partition_shape=(3, 4))
    with pytest.raises(StreamError, match="lies outside axis 0"):
        init((10, 4), partition_shape=(6, 4), partition_offset=(5, 0))


@pytest.mark.parametrize(
    "init",
    [
        get("he_normal").tensorflow(),
        get("he_uniform").tensorflow(seed=np.int64(7), name="w", layout="oihw", dtype=tf.float16),
        get("normal(std=0.5)").tensorflow(layout=Layout("oi", stack=3), stream="native"),
    ],
)
def test_an_initializer_is_a_value(init):
    for copy in (
        pickle.loads(pickle.dumps(init)),
        type(init).from_config(json.loads(json.dumps(init.get_config()))),
    ):
        assert copy == init
        assert hash(copy) == hash(init)
    assert init != get("zeros").tensorflow()


def test_what_cannot_be_saved():
    with pytest.raises(SpecError, match="cannot be saved: give an integer, or none"):
        get("he_normal").tensorflow(seed=tf.random.Generator.from_seed(1)).get_config()
    with pytest.raises(SpecError, match="is code and cannot be saved as data"):
        get(Exponential()).tensorflow().get_config()


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"stream": "x"}, UnknownName, "unknown stream 'x': known: native, portable"),
        ({"dtype": "int8"}, UnknownName, "unknown dtype 'int8'"),
        ({"layout": "zz"}, LayoutError, "has the axis 'z', which means nothing"),
    ],
)
def test_bad_options(options, error, sentence):
    with pytest.raises(error, match=sentence):
        get("he_normal").tensorflow(**options)


def test_bad_shapes():
    init = get("he_normal").tensorflow(seed=0)
    with pytest.raises(LayoutError, match=r"has no fans"):
        init((3,))
    with pytest.raises(LayoutError, match=r"a shape is a tuple of sizes"):
        init((None, 3))
    with pytest.raises(LayoutError, match="is not known while the function is traced"):
        tf.function(init)(tf.constant([2, 3]))
    with pytest.raises(LayoutError, match="has no fans"):  # no other error from AutoGraph
        tf.function(lambda: init((3,)))()


@pytest.fixture
def log():
    """What TensorFlow warns of."""
    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    tf.get_logger().addHandler(handler)
    yield records
    tf.get_logger().removeHandler(handler)


def test_autograph_leaves_the_code_alone(log):
    init = get("orthogonal").tensorflow()
    assert tf.function(lambda: init((4, 4)))().shape == (4, 4)
    assert not log


# The native stream


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(
    "law",
    [
        get("normal(std=2, mean=1)").on((300, 300)),
        get("uniform(low=1, high=2)").on((300, 300)),
        get("truncated_normal(std=1)").on((300, 300)),
        TruncatedNormal(0.5, 2.0, 1.0, 3.0),
    ],
    ids=lambda law: law.kind,
)
def test_native_values_have_the_law(law, dtype):
    found = OURS.native(law, (300, 300), source=5, dtype=dtype).numpy()
    assert found.dtype.name == dtype
    values = found.astype(float)
    n, slack = values.size, 0.02 if dtype == "bfloat16" else 0.0
    # Of 128 numbers in bfloat16, each the lower end of its step.
    step = (law.high - law.low) / 128 if dtype == "bfloat16" and law.kind == "uniform" else 0.0
    assert abs(values.mean() - law.mean) < 5 * law.std / n**0.5 + step
    assert abs(values.std() / law.std - 1) < 5 * ((law.kurtosis + 2) / n / 4) ** 0.5 + 1e-3
    low, high = law.support
    assert low - slack <= values.min()
    assert values.max() <= high + slack
    same = OURS.native(law, (300, 300), source=5, dtype=dtype).numpy()
    assert (found == same).all()
    other = OURS.native(law, (300, 300), source=6, dtype=dtype).numpy()
    assert (found == other).mean() < 0.1


def test_native_in_xla_equals_eager():
    init = get("he_uniform").tensorflow(seed=1, name="w", stream="native")
    inside = tf.function(lambda: init((30, 30)), jit_compile=True)
    assert (inside().numpy() == init((30, 30)).numpy()).all()
    assert (inside().numpy() != get("he_uniform").tensorflow(seed=1)((30, 30)).numpy()).any()


def test_native_laws_of_whole_tensors():
    for dtype, error in (("float64", 1e-12), ("bfloat16", 0.05)):
        q = get("orthogonal").tensorflow(stream="native", seed=1)((8, 5), dtype).numpy()
        gram = q.astype(float).T @ q.astype(float)
        assert np.abs(gram - np.eye(5)).max() < error
    sparse = get("sparse(sparsity=0.5, std=1)").tensorflow(stream="native", seed=1)((8, 50))
    assert ((sparse.numpy() == 0).sum(axis=0) == 4).all()
    sparse = get("sparse@torch(sparsity=0.5)").tensorflow(stream="native", seed=1)((8, 50))
    assert ((sparse.numpy() == 0).sum(axis=1) == 25).all()


# Elsewhere


def run_alone(code, **environment):
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_replicas_are_equal():
    out = run_alone(
        """
import tensorflow as tf
from initspec import get
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
wanted = get("he_normal").numpy((64, 32), seed=0)
with strategy.scope():
    variables = [
        tf.Variable(get("he_normal").tensorflow(seed=0)((64, 32))),
        tf.Variable(lambda: get("he_normal").tensorflow(seed=0)((64, 32))),
        tf.Variable(lambda: get("he_normal").tensorflow()((64, 32))),
    ]
for number, variable in enumerate(variables):
    one, two = strategy.experimental_local_results(variable)
    print(one.device[-1], two.device[-1], bool((one.numpy() == two.numpy()).all()))
    if number < 2:
        assert (one.numpy() == wanted).all()

@tf.function
def inside():
    make = get("he_normal").tensorflow(seed=0)
    return strategy.run(lambda: make((64, 32)))

for replica in strategy.experimental_local_results(inside()):
    assert (replica.numpy() == wanted).all()
"""
    )
    assert out.split() == ["0", "1", "True"] * 3


def test_keras_may_be_on_another_backend():
    """``import tensorflow`` may import Keras by itself; ours must not, nor depend on its backend."""
    run_alone(
        """
import builtins, sys, tensorflow
before = {name for name in sys.modules if name.partition(".")[0] == "keras"}
from initspec import get
found = get("he_normal").tensorflow(seed=0)((4, 4)).numpy()
assert (found == get("he_normal").numpy((4, 4), seed=0)).all()
assert {name for name in sys.modules if name.partition(".")[0] == "keras"} == before
""",
        KERAS_BACKEND="numpy",
    )


def test_values_without_a_law_of_elements_have_no_draw():
    with pytest.raises(StreamError, match=r"only .* of .* words fall between"):
        OURS.sample(TruncatedNormal(0.0, 1.0, 6.0, 7.0), (2, 2), key=(0, 1))


def test_words_are_uint32():
    key = (5, 6)
    wanted = NUMPY.words(key, (3, 8), layout="oi, stack=3")
    equal(OURS.words(key, (3, 8), layout="oi, stack=3"), wanted)
    inside = tf.function(lambda key: OURS.words(key, (3, 8), layout="oi, stack=3"))
    equal(inside(tf.constant(key, tf.uint32)), wanted)
    part = whole((3, 8))
    equal(OURS.tohost(OURS.words(key, (3, 8), window=part)), NUMPY.words(key, (3, 8)))


def test_keys_map():
    law = get("he_normal").on((3, 2))
    keys = tf.constant([[0, 1], [0, 2]], tf.uint32)
    found = tf.vectorized_map(lambda key: OURS.sample(law, (3, 2), key=key), keys)
    for seed, tensor in zip((1, 2), found, strict=True):
        equal(tensor, get("he_normal").numpy((3, 2), seed=seed))


@pytest.mark.parametrize("dtype", ["complex64", "complex128", complex, np.complex64])
def test_complex_types_say_what_to_do(dtype: Any) -> None:
    with pytest.raises(SpecError, match=r"complex\d+ was asked for.*by two names, each with half"):
        get("he_normal").tensorflow()((3, 4), dtype)
