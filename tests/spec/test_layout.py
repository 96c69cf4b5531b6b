"""Layouts and fans."""

import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import initspec
from initspec import Fans, Layout, LayoutError, UnknownName, fans, get
from initspec import backend as backend_of
from initspec.readings.rows import rows
from initspec.spec.fan_rules import RULES
from initspec.spec.layout import layers
from initspec.stream.canonical_order import blocks, digits, whole


@pytest.mark.parametrize(
    ("layout", "shape", "expected"),
    [
        # Counted by hand: inputs that feed one output, outputs that one input feeds.
        ("torch.Linear", (128, 64), (64, 128)),
        ("keras.Dense", (64, 128), (64, 128)),
        ("torch.Conv1d", (48, 16, 5), (16 * 5, 48 * 5)),
        ("torch.Conv2d", (48, 16, 3, 5), (16 * 15, 48 * 15)),
        ("torch.Conv3d", (48, 16, 3, 5, 2), (16 * 30, 48 * 30)),
        ("keras.Conv2D", (3, 5, 16, 48), (16 * 15, 48 * 15)),
        ("torch.Conv2d, groups=4", (32, 4, 3, 3), (36, 72)),
        ("keras.Conv2D, groups=4", (3, 3, 4, 32), (36, 72)),
        ("torch.Conv2d, groups=16", (32, 1, 3, 3), (9, 18)),
        ("keras.DepthwiseConv2D", (3, 3, 16, 2), (9, 18)),
        ("keras.SeparableConv2D", (3, 3, 16, 2), (9, 18)),
        ("torch.ConvTranspose2d", (16, 32, 3, 3), (144, 288)),
        ("torch.ConvTranspose2d, groups=4", (16, 8, 3, 3), (36, 72)),
        ("keras.Conv2DTranspose", (3, 3, 32, 16), (144, 288)),
        ("flax.ConvTranspose", (3, 3, 16, 32), (144, 288)),
        ("flax.ConvTranspose.transpose_kernel", (3, 3, 32, 16), (144, 288)),
        ("torch.MultiheadAttention", (192, 64), (64, 64)),
        ("torch.GRU", (384, 64), (64, 128)),
        ("torch.LSTM", (512, 64), (64, 128)),
        ("keras.LSTM", (64, 512), (64, 128)),
        ("torch.Embedding", (1000, 64), (1, 64)),
        ("torch.Bilinear", (32, 8, 16), (128, 32)),
        ("keras.MultiHeadAttention.query", (512, 8, 64), (512, 512)),
        ("keras.MultiHeadAttention.output", (8, 64, 256), (512, 256)),
        ("bio", (6, 20, 30), (20, 30)),  # six experts
        ("sio", (3, 64, 32), (64, 32)),
    ],
)
def test_true_fans(layout: str, shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    assert fans(shape, layout) == Fans(*expected)


@pytest.mark.parametrize(
    ("layout", "shape", "expected"),
    [
        ("torch.Conv2d, groups=4", (32, 4, 3, 3), (36, 288)),
        ("torch.ConvTranspose2d", (16, 32, 3, 3), (288, 144)),
        ("keras.Conv2DTranspose", (3, 3, 32, 16), (288, 144)),
        ("keras.DepthwiseConv2D", (3, 3, 16, 2), (144, 18)),
        ("torch.MultiheadAttention", (192, 64), (64, 192)),
        ("torch.Embedding", (1000, 64), (1000, 64)),
    ],
)
def test_naive_fans_are_what_frameworks_count(
    layout: str, shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    assert fans(shape, layout, rule="naive") == Fans(*expected)


@pytest.mark.parametrize(
    ("rule", "layout", "shape", "expected"),
    [
        # By hand, from what each framework's own function makes of its stored shape.
        ("torch", "torch.Conv2d, groups=4", (32, 4, 3, 5), (60, 480)),
        ("torch", "torch.ConvTranspose2d, groups=4", (16, 8, 3, 5), (8 * 15, 16 * 15)),
        ("torch", "torch.Embedding", (1000, 64), (64, 1000)),
        ("torch", "torch.Bilinear", (32, 8, 16), (8 * 16, 32 * 16)),
        ("torch", "torch.MultiheadAttention", (192, 64), (64, 192)),
        ("torch", "keras.DepthwiseConv2D", (3, 5, 16, 2), (15, 480)),  # (32, 1, 3, 5) in PyTorch
        ("torch", "keras.MultiHeadAttention.output", (8, 64, 24), (512, 24)),
        ("torch", "sio", (3, 64, 32), (64, 96)),
        ("tinygrad", "oihw", (64, 48, 3, 5), (48 * 15, 64)),
        ("tinygrad", "torch.ConvTranspose2d", (16, 8, 3, 5), (8 * 15, 16)),
        ("tinygrad", "vo", (1000, 64), (64, 1000)),
        ("tinygrad", "oi", (64, 48), (48, 64)),
        ("no_kernel", "oihw", (64, 48, 3, 5), (48, 64)),
        ("no_kernel", "hwio", (3, 5, 48, 64), (48, 64)),
        ("no_kernel", "oi", (64, 48), (48, 64)),
        ("no_kernel", "vo", (1000, 64), (1000, 64)),
        ("last_two", "keras.MultiHeadAttention.query", (512, 8, 64), (512 * 8, 512 * 64)),
        ("last_two", "keras.MultiHeadAttention.output", (8, 64, 24), (512, 192)),
        ("last_two", "keras.Conv2D, groups=4", (3, 5, 4, 32), (60, 480)),
        ("last_two", "keras.Conv2DTranspose", (3, 5, 32, 16), (480, 240)),
        ("last_two", "bio", (6, 20, 30), (120, 180)),
        ("last_two", "o", (7,), (7, 7)),
        ("last_two", "", (), (1, 1)),
        ("elements", "oihw", (64, 48, 3, 5), (64 * 48 * 15,) * 2),
        ("elements", "o", (7,), (7, 7)),
    ],
)
def test_the_frameworks_own_rules(
    rule: str, layout: str, shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    assert fans(shape, layout, rule) == Fans(*expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("true", (15, 30)),
        ("naive", (16 * 15, 2 * 15)),
        ("last_two", (16 * 15, 2 * 15)),
        ("grouped", (15, 32 * 15)),
        ("torch", (15, 32 * 15)),
    ],
)
def test_a_depthwise_kernel_counts_the_same_however_it_lies(
    rule: str, expected: tuple[int, int]
) -> None:
    for shape, layout in (
        ((3, 5, 16, 2), "keras.DepthwiseConv2D"),
        ((32, 1, 3, 5), "torch.Conv2d, groups=16"),
        ((3, 5, 1, 32), "hwio, groups=16"),
        ((2, 16, 3, 5), "oghw"),
    ):
        assert fans(shape, layout, rule) == expected, layout


def test_a_dialect_counts_as_its_framework_whatever_the_layout() -> None:
    get = initspec.get
    for name in ("he_normal", "glorot_uniform"):
        for dialect in ("keras", "keras<3.15", "tensorflow", "jax", "torch", "flax"):
            if f"{name}@{dialect}" not in initspec.schemes:
                continue
            scheme = get(f"{name}@{dialect}")
            scales = {
                scheme.on(shape, layout).std
                for shape, layout in (
                    ((3, 3, 8, 2), "hwgo"),
                    ((16, 1, 3, 3), "oihw, groups=8"),
                    ((3, 3, 1, 16), "hwio, groups=8"),
                )
            }
            assert len(scales) == 1, (name, dialect, scales)


@given(
    st.sampled_from(sorted(RULES)),
    st.sampled_from(["oihw", "hwio", "ihow", "whoi"]),
    st.tuples(*[st.integers(1, 9)] * 4),
)
def test_a_rule_by_role_means_the_same_on_any_layout(
    rule: str, layout: str, sizes: tuple[int, ...]
) -> None:
    by_letter = dict(zip("oihw", sizes, strict=True))
    shape = tuple(by_letter[letter] for letter in layout)
    assert fans(shape, layout, rule) == fans(sizes, "oihw", rule)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_counts_a_matrix_as_it_is_but_for_the_elements(rule: str) -> None:
    assert fans((300, 100), "io", rule) == ((300, 100) if rule != "elements" else (30000, 30000))
    assert fans((0, 100), "io", rule).n("FAN_IN") in (1, 100)
    assert RULES[rule].__doc__


def contraction(groups: int, inputs: int, outputs: int, taps: int) -> Fans:
    """Fans of a grouped convolution by listing each multiplication of its interior."""
    products = [
        (g * inputs + i, g * outputs + o, k)
        for g, i, o, k in itertools.product(
            range(groups), range(inputs), range(outputs), range(taps)
        )
    ]
    into = sum(1 for _, o, _ in products if o == 0)
    from_ = sum(1 for i, _, _ in products if i == 0)
    return Fans(into, from_)


@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 5),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_fans_equal_the_contraction(g: int, i: int, o: int, kernel: tuple[int, int]) -> None:
    expected = contraction(g, i, o, math.prod(kernel))
    assert fans((g * o, i, *kernel), f"oihw, groups={g}") == expected
    assert fans((*kernel, i, g * o), f"hwio, groups={g}") == expected
    assert fans((g * i, o, *kernel), f"torch.ConvTranspose2d, groups={g}") == expected
    if i == 1:
        assert fans((*kernel, g, o), "hwgo") == expected


def test_modes() -> None:
    count = Fans(9, 16)
    assert [count.n(mode) for mode in ("FAN_IN", "FAN_OUT", "FAN_AVG", "FAN_GEO_AVG")] == [
        9,
        16,
        12.5,
        12,
    ]
    assert count.n("FAN_AVG", bias_unit=True) == 13
    assert Fans(0, 0).n("FAN_IN") == 1


def test_every_layer_can_be_read() -> None:
    assert len(layers()) > 60
    for name in layers():
        assert Layout.parse(name) == Layout.parse(str(Layout.parse(name)))


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("oihq", LayoutError, "has the axis 'q', which means nothing"),
        ("oihw, group=4", LayoutError, "cannot read 'group=4'"),
        ("oihw, groups=0", LayoutError, "groups is at least 1, not 0"),
        ("ihw, groups=2", LayoutError, "it needs one 'o' axis"),
        ("oi, groups=2, stack=3", LayoutError, "both groups and a stack"),
        ("torch.Conv2", UnknownName, "did you mean 'torch.Conv2d'"),
    ],
)
def test_a_layout_that_cannot_be_read(text: str, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        Layout.parse(text)


@pytest.mark.parametrize(
    ("shape", "layout", "sentence"),
    [
        ((3, 4), "oihw", r"names 4 axes, and the shape \(3, 4\) has 2"),
        ((10, 4), "oi, stack=3", "the out axis of 10 is not divisible by 3"),
        ((9, 4, 3, 3), "torch.ConvTranspose2d, groups=2", "the in axis of 9 is not divisible by 2"),
        ((8,), None, "has no fans: it needs an input and an output axis"),
        ((), None, "has no fans"),
        ((4, 5), "in", "head axis 'n' with no 'i' or 'o' after it"),
    ],
)
def test_a_layout_that_does_not_fit(shape: tuple[int, ...], layout: str, sentence: str) -> None:
    with pytest.raises(LayoutError, match=sentence):
        fans(shape, layout)


def test_an_unknown_fan_rule() -> None:
    with pytest.raises(UnknownName, match="unknown fan rule 'naiv': did you mean 'naive'"):
        fans((3, 4), rule="naiv")


LAYOUTS = ["oihw", "hwio", "iohw, transposed", "oihw, groups=2", "hwgo", "sihw", "biow"]


@given(st.sampled_from(LAYOUTS), st.tuples(*[st.integers(1, 3)] * 4), st.data())
def test_blocks_give_each_element_its_digits(
    text: str, sizes: tuple[int, ...], data: st.DataObject
) -> None:
    layout = Layout.parse(text)
    if layout.groups > 1:
        sizes = (sizes[0] * 2, *sizes[1:])
    window = tuple(
        slice(a, data.draw(st.integers(a, n)))
        for n in sizes
        for a in [data.draw(st.integers(0, n))]
    )
    _compare(sizes, layout, window)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.data())
def test_a_window_may_cut_fused_parameters(
    stack: int, out: int, into: int, data: st.DataObject
) -> None:
    layout = Layout.parse(f"oi, stack={stack}")
    start = data.draw(st.integers(0, stack * out))
    stop = data.draw(st.integers(start, stack * out))
    _compare((stack * out, into), layout, (slice(start, stop), slice(0, into)))


def _compare(shape: tuple[int, ...], layout: Layout, window: tuple[slice, ...]) -> None:
    """Each element of the window, by blocks and by arithmetic on its coordinates."""
    import numpy as np

    found = np.full([part.stop - part.start for part in window], -1)
    for block in blocks(shape, layout, window):
        index = np.full(block.shape, block.base)
        for axis, stride in enumerate(block.strides):
            steps = np.arange(block.shape[axis]) * stride
            index = index + steps.reshape([-1 if a == axis else 1 for a in range(index.ndim)])
        found[block.part] = index.reshape(found[block.part].shape)
    for place in np.ndindex(found.shape):
        index = 0
        for at, part, axis in zip(place, window, digits(shape, layout), strict=True):
            rest = at + part.start
            for digit in reversed(axis):
                rest, value = divmod(rest, digit.size)
                index += value * digit.stride
        assert found[place] == index


@given(st.sampled_from([*LAYOUTS, "oihw, stack=2"]), st.tuples(*[st.integers(1, 3)] * 4))
def test_every_index_occurs_once(text: str, sizes: tuple[int, ...]) -> None:
    layout = Layout.parse(text)
    if layout.groups * layout.stack > 1:
        sizes = (sizes[0] * 2, *sizes[1:])
    indices = []
    for block in blocks(sizes, layout, whole(sizes)):
        for place in itertools.product(*map(range, block.shape)):
            indices.append(
                block.base + sum(c * s for c, s in zip(place, block.strides, strict=True))
            )
    assert sorted(indices) == list(range(math.prod(sizes)))


def test_canonical_order_is_spatial_in_out() -> None:
    assert digits((2, 3, 5, 7), Layout("oihw")) == (((2, 1),), ((3, 2),), ((5, 42),), ((7, 6),))
    # Depthwise: channel and multiplier are the out axis, channel first.
    assert digits((5, 7, 3, 2), Layout("hwgo")) == (((5, 42),), ((7, 6),), ((3, 2),), ((2, 1),))
    # Fused parameters come first of all.
    assert digits((6, 4), Layout("oi", stack=3)) == (((3, 8), (2, 1)), ((4, 2),))


# ------------------------------------------------------------- layouts that do not name both sides


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((8,), "i", (8, 1)),
        ((8,), "o", (1, 8)),
        ((8,), "x", (8, 8)),
        ((8,), "v", (1, 1)),
        ((8,), "b", (1, 1)),
        ((), "", (1, 1)),
        ((3, 8), "xi", (24, 3)),
        ((3, 8), "xo", (3, 24)),
        ((4, 8), "bi", (8, 1)),
        ((4, 8), "ii", (32, 1)),
        ((12, 8), "oo", (1, 96)),
        ((3, 3), "hw", (9, 9)),
    ],
)
@pytest.mark.parametrize("out_first", [False, True])
def test_a_side_that_a_written_layout_does_not_name_counts_one(
    shape: tuple[int, ...], layout: str, expected: tuple[int, int], out_first: bool
) -> None:
    assert fans(shape, layout) == fans(shape, Layout(layout)) == Fans(*expected)
    law = get("variance_scaling", distribution="normal").on(shape, layout, out_first=out_first)
    assert law.variance == pytest.approx(1 / expected[0])


def test_a_vector_whose_axis_nobody_named_has_no_fans() -> None:
    for shape in ((8,), ()):
        assumed = Layout.of(None, len(shape))
        assert assumed != Layout("o" * len(shape))
        assert pickle.loads(pickle.dumps(assumed)) == assumed
        for layout in (None, assumed):
            with pytest.raises(LayoutError, match="where a side that is not named counts one"):
                fans(shape, layout)
            with pytest.raises(LayoutError, match="he_normal scales by fans"):
                get("he_normal").on(shape, layout)
    written = get("he_normal").numpy((8,), layout="i", seed=0)
    assert written.shape == (8,)
    with pytest.raises(LayoutError, match="has no fans"):
        get("he_normal").numpy((8,), seed=0)
    assert get("zeros").numpy((8,)).shape == (8,)


@pytest.mark.parametrize(
    "dialect", ["keras", "tensorflow", "tf.contrib", "sonnet", "paddle", "haiku"]
)
def test_dialects_whose_frameworks_count_one_axis(dialect: str) -> None:
    rules = {entry.make().fans for entry in rows(dialect) if entry.make().mode}
    for rule in rules - {"true"}:  # what a layer draws by default, by the fans of its weight
        for layout in (None, "i", "o"):
            assert fans((8,), layout, rule) == Fans(8, 8)
        assert fans((), None, rule) == Fans(1, 1)
        assert fans((3, 4, 8, 6), "hwio", rule) == Fans(96, 72)


@pytest.mark.parametrize("dialect", ["jax", "torch", "neupy", "chainer", "tfjs", "lasagne"])
def test_dialects_that_count_no_vector(dialect: str) -> None:
    for rule in {entry.make().fans for entry in rows(dialect) if entry.make().mode}:
        with pytest.raises(LayoutError, match="has no fans"):
            fans((8,), None, rule)


def test_the_frameworks_count_one_axis_so() -> None:
    keras = pytest.importorskip("keras")
    scheme = get("he_uniform@keras")
    theirs = np.asarray(keras.initializers.HeUniform(seed=1)((4000,)))
    assert abs(theirs).max() == pytest.approx(scheme.on((4000,)).limits[1], rel=1e-2)
    ours = scheme.keras(seed=1, name="w")((4000,))
    assert abs(np.asarray(ours)).max() == pytest.approx(math.sqrt(6 / 4000), rel=1e-2)


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "keras", "jax"])
def test_a_vector_of_inputs_has_the_same_bits_everywhere(backend: str) -> None:
    pytest.importorskip(backend)
    scheme, layout = get("he_normal"), Layout("i")
    wanted = scheme.numpy((40,), layout="i", seed=3, name="w")
    adapter = backend_of(backend)
    drawn = adapter.sample(
        scheme.on((40,), layout), (40,), key=adapter.key(3, "w"), layout=layout, dtype="float32"
    )
    assert np.array_equal(np.asarray(adapter.tohost(drawn)), wanted)
