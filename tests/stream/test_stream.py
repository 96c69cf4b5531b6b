"""The portable stream's reference: its known answers, its index and its bad input."""

import json
import math
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initspec import stream
from initspec.errors import StreamError
from initspec.spec import integer_form
from initspec.spec.layout import Layout
from initspec.stream import canonical_order

HERE = Path(__file__).parents[1]
KNOWN = json.loads((HERE / "data" / "known_answers.json").read_text())
KEYS = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))


def numbers(texts):
    return [int(text, 16) for text in texts]


def law(case):
    """The draw of a known answer, whose parameter is a parent's std or a limit."""
    size = case["parameter"]
    if "uniform" in case["scheme"]:
        return integer_form.uniform(-size, size)
    if "untruncated" in case["scheme"]:
        return integer_form.normal(0.0, size)
    return integer_form.truncated_normal(0.0, size, -2.0, 2.0)


def narrowed(values, dtype):
    """The bits of float32 numbers, rounded to a narrow type."""
    if dtype == "float16":
        return values.astype(np.float16).view(np.uint16)
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def indices(shape, layout, window=None):
    """The index of every element of a window."""
    window = canonical_order.checked(window, shape)
    found = np.zeros(canonical_order.extent(window), np.uint64)
    for block in canonical_order.blocks(shape, layout, window):
        part = np.full(block.shape, block.base, np.uint64)
        for axis, (size, stride) in enumerate(zip(block.shape, block.strides, strict=True)):
            steps = np.arange(size, dtype=np.uint64) * np.uint64(stride)
            part += steps.reshape([-1 if i == axis else 1 for i in range(part.ndim)])
        found[block.part] = part.reshape(found[block.part].shape)
    return found


def test_the_known_answers_are_those_of_this_version():
    assert KNOWN["stream"] == stream.VERSION
    assert KNOWN["table_sha256"] == stream.TABLE_SHA256


@pytest.mark.parametrize("case", KNOWN["threefry2x32_20"], ids=lambda case: case["out"][0])
def test_threefry(case):
    words = stream.threefry2x32(numbers(case["key"]), *numbers(case["counter"]))
    assert list(words) == numbers(case["out"])


@pytest.mark.parametrize("case", KNOWN["seed_to_key"], ids=lambda case: str(case["seed"]))
def test_the_key_of_a_seed(case):
    assert stream.key_from_seed(case["seed"]) == tuple(numbers(case["key"]))


@pytest.mark.parametrize("case", KNOWN["fold_in"], ids=lambda case: case["data"])
def test_fold_in(case):
    found = stream.fold_in(tuple(numbers(case["key"])), int(case["data"], 16))
    assert found == tuple(numbers(case["out"]))


@pytest.mark.parametrize("case", KNOWN["fold_name"], ids=lambda case: repr(case["name"]))
def test_the_key_of_a_name(case):
    high, low = stream.name_hash(case["name"])
    assert high << 32 | low == int(case["blake2b_8"], 16)
    found = stream.fold_name(stream.key_from_seed(case["seed"]), case["name"])
    assert found == tuple(numbers(case["key"]))


@given(KEYS)
def test_no_name_leaves_the_key_alone(key):
    assert stream.fold_name(key, None) == key != stream.fold_name(key, "")


@pytest.mark.parametrize("case", KNOWN["bits"], ids=lambda case: "".join(case["key"]))
def test_words(case):
    at = np.array([int(i) for i in case["index"]], np.uint64)
    assert stream.words(tuple(numbers(case["key"])), at).tolist() == numbers(case["bits"])


def test_the_uniform_integer():
    case = KNOWN["uniform_integer"]
    words = np.array(numbers(case["bits"]), np.uint32)
    assert stream.uniform_integer(words).tolist() == case["k"]


def test_the_normal_integer():
    case = KNOWN["normal_q28"]
    words = np.array(numbers(case["bits"]), np.uint32)
    assert stream.normal_integer(words).tolist() == case["z"]


@pytest.mark.parametrize(
    "case", KNOWN["truncated_q28"], ids=lambda case: f"{case['a']},{case['b']}"
)
def test_the_truncated_integer(case):
    cut = integer_form.truncated_normal(0.0, 1.0, case["a"], case["b"])
    assert (cut.first, cut.count) == (case["A"], case["B"])
    words = np.array(numbers(case["bits"]), np.uint32)
    assert stream.integer(words, cut).tolist() == case["z"]


@pytest.mark.parametrize(
    "case", KNOWN["cases"], ids=lambda case: f"{case['scheme']}, {case['seed']}"
)
def test_weights(case):
    key = stream.fold_name(stream.key_from_seed(case["seed"]), case["name"])
    assert key == tuple(numbers(case["key"]))
    io, oi = (case["fan_in"], case["fan_out"]), (case["fan_out"], case["fan_in"])
    for layout, shape in (("io", io), ("oi", oi)):
        at = indices(shape, Layout(layout)).ravel()
        found = stream.values(stream.words(key, at), law(case))
        assert found.view(np.uint32).tolist() == numbers(case[f"float32_row_major_{layout}"])
        if layout == "io":
            for dtype in ("bfloat16", "float16"):
                assert narrowed(found, dtype).tolist() == numbers(case[f"{dtype}_io"])


@pytest.mark.parametrize("case", KNOWN["digests"], ids=lambda case: case["law"])
def test_digests(case):
    fan_in = case["shape_io"][0]
    std = math.sqrt(2 / fan_in)
    laws = {
        "normal": integer_form.normal(0.0, std),
        "uniform": integer_form.uniform(-std * math.sqrt(3), std * math.sqrt(3)),
        "truncated_normal": integer_form.truncated_normal(0.0, std / 0.8796256610342398, -2.0, 2.0),
    }
    words = stream.words(
        stream.key_from_seed(case["seed"]), indices(tuple(case["shape_io"]), Layout("io"))
    )
    found = stream.values(words, laws[case["law"]]).astype("<f4")
    assert sha256(found.tobytes()).hexdigest() == case["sha256_float32_little_endian"]
    assert found.mean(dtype=np.float64) == pytest.approx(case["mean"], rel=1e-6)
    assert found.std(dtype=np.float64) == pytest.approx(case["std"], rel=1e-6)


# Each layout with its shape, and the canonical order reshaped and transposed into it.
ORDERS = {
    "io": ((3, 4), (3, 4), (0, 1)),
    "oi": ((4, 3), (3, 4), (1, 0)),
    "oihw": ((4, 3, 2, 5), (2, 5, 3, 4), (3, 2, 0, 1)),
    "hwio": ((2, 5, 3, 4), (2, 5, 3, 4), (0, 1, 2, 3)),
    "oidhw": ((4, 3, 2, 5, 2), (2, 5, 2, 3, 4), (4, 3, 0, 1, 2)),
    "torch.ConvTranspose2d": ((3, 4, 2, 5), (2, 5, 3, 4), (2, 3, 0, 1)),
    "oihw, groups=2": ((4, 3, 2, 5), (2, 5, 3, 4), (3, 2, 0, 1)),
    "iohw, groups=2, transposed": ((4, 3, 2, 5), (2, 5, 4, 3), (2, 3, 0, 1)),
    "boi": ((2, 4, 3), (2, 3, 4), (0, 2, 1)),
    "iob": ((3, 4, 2), (2, 3, 4), (1, 2, 0)),
    "gio": ((2, 3, 4), (3, 2, 4), (1, 0, 2)),
    "oi, stack=3": ((6, 5), (3, 5, 2), (0, 2, 1)),
    "io, stack=3": ((5, 6), (3, 5, 2), (1, 0, 2)),
    "oihw, stack=2": ((6, 4, 2, 3), (2, 2, 3, 4, 3), (0, 4, 3, 1, 2)),
}


@pytest.mark.parametrize("layout", ORDERS)
def test_a_layout_is_the_canonical_order_transposed(layout):
    shape, canonical, order = ORDERS[layout]
    wanted = np.arange(math.prod(shape)).reshape(canonical).transpose(order).reshape(shape)
    assert (indices(shape, Layout.parse(layout)) == wanted).all()


@settings(deadline=None)
@given(st.data(), st.sampled_from(sorted(ORDERS)))
def test_windows_glue_to_the_whole(data, layout):
    shape = ORDERS[layout][0]
    cuts = [
        sorted({0, size, *data.draw(st.lists(st.integers(0, size), max_size=3))}) for size in shape
    ]
    layout = Layout.parse(layout)
    whole = indices(shape, layout)
    glued = np.zeros_like(whole)
    for corner in np.ndindex(*[len(cut) - 1 for cut in cuts]):
        window = tuple(slice(cut[i], cut[i + 1]) for cut, i in zip(cuts, corner, strict=True))
        glued[window] = indices(shape, layout, window)
    assert (glued == whole).all()


def test_a_tensor_may_have_all_indices_of_64_bits():
    shape = (2**33, 2**31)
    window = (slice(2**33 - 1, 2**33), slice(2**31 - 2, 2**31))
    assert indices(shape, Layout("io"), window).tolist() == [[2**64 - 2, 2**64 - 1]]
    with pytest.raises(StreamError, match=r"more than 2\*\*64 elements"):
        canonical_order.blocks((2**33, 2**32), Layout("io"), window)


@pytest.mark.parametrize(
    "window",
    [
        (slice(0, 5), slice(0, 3)),
        (slice(-1, 2), slice(0, 3)),
        (slice(3, 2), slice(0, 3)),
        (slice(0, 4, 2), slice(0, 3)),
        (slice(0, 4),),
    ],
)
def test_a_window_outside_the_tensor(window):
    with pytest.raises(StreamError, match="window"):
        canonical_order.blocks((4, 3), Layout("io"), window)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", None])
def test_a_seed_outside_64_bits(seed):
    with pytest.raises(StreamError, match=r"from 0 to 2\*\*64 - 1"):
        stream.key_from_seed(seed)


def test_a_seed_may_be_any_integer():
    assert stream.key_from_seed(np.uint64(2**64 - 1)) == (2**32 - 1, 2**32 - 1)


def test_a_wrong_table_is_refused(tmp_path):
    wrong = tmp_path / "quantile_table.csv"
    wrong.write_bytes(Path(stream.__file__).with_name(wrong.name).read_bytes() + b"\n")
    with pytest.raises(StreamError, match=r"checksum.*not 33d94392d8c5"):
        stream.read_table(wrong)


def test_the_table_is_made_again():
    script = HERE / "scripts" / "quantile_table.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_quantile_is_exact_to_single_precision():
    special = pytest.importorskip("scipy.special")
    words = np.random.default_rng(0).integers(0, 2**32, 10**5, dtype=np.uint32)
    tail = (np.where(words >> 31, ~words, words) | 1) * 2.0**-32
    exact = special.ndtri(tail) * np.where(words >> 31, -1, 1)
    assert np.abs(stream.normal_integer(words) * 2.0**-28 - exact).max() < 4.5e-7


def test_the_ends_of_a_uniform_law() -> None:
    """The integer is never an end; a rounded sum, or a narrow type, can be."""
    ends = np.array([0, 2**32 - 1], np.uint32)
    symmetric = stream.values(ends, integer_form.uniform(-1.0, 1.0))
    assert -1 < symmetric[0] == -symmetric[1]
    assert stream.values(ends, integer_form.uniform(0.0, 1.0)).tolist() == [2.0**-25, 1.0]
    assert stream.values(ends, integer_form.uniform(1.0, 2.0)).tolist() == [1.0, 2.0]
    wide = stream.values(ends, integer_form.uniform(0.0, 1.0), "float64")
    assert 0 < wide[0] < wide[1] < 1
    rng = np.random.default_rng(0)
    for low, width in zip(rng.normal(size=500), rng.exponential(size=500), strict=True):
        values = stream.values(ends, integer_form.uniform(low, low + width))
        step = np.spacing(np.float32(max(abs(low), abs(low + width))))
        assert max(low - float(values[0]), float(values[1]) - (low + width)) <= step
