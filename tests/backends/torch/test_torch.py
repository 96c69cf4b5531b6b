"""The PyTorch backend: the stream's numbers in a tensor's memory, as PyTorch's users expect them."""

import copy
import functools
import hashlib
import json
import math
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import initspec
from initspec import Custom, LayoutError, SpecError, StreamError, UnknownName, get, stream
from initspec.backends.chance import SameKeys
from initspec.plugins import backend
from initspec.protocol import Backend
from initspec.spec.layout import Layout
from initspec.spec.tensor_laws import DeltaOrthogonal
from initspec.stream.canonical_order import Block, blocks

torch = pytest.importorskip("torch", reason="the PyTorch backend needs torch")
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune, skip_init
from torch.overrides import TorchFunctionMode

from initspec.backends.torch import writing

ANSWERS = json.loads((Path(__file__).parents[2] / "data" / "known_answers.json").read_text())
DTYPES = ("float64", "float32", "bfloat16", "float16")
HE = get("he_normal")


def bits(tensor: Any) -> Any:
    """The bits of a tensor as unsigned integers."""
    kinds = {8: torch.int64, 4: torch.int32, 2: torch.int16}
    found = tensor.detach().contiguous().view(kinds[tensor.itemsize]).numpy()
    return found.view(f"u{tensor.itemsize}")


def same(tensor: Any, array: Any) -> bool:
    """Whether a tensor holds a NumPy array, bit for bit."""
    array = np.asarray(array, order="C")
    return tensor.shape == array.shape and bool(
        (bits(tensor) == array.view(f"u{array.itemsize}")).all()
    )


def statistic(values: Any, law: Any) -> float:
    """Kolmogorov and Smirnov's distance times the root of the number of values."""
    ordered = np.sort(np.asarray(values, np.float64).ravel())
    cdf = np.array([law.cdf(x) for x in ordered])
    steps = np.arange(ordered.size + 1) / ordered.size
    return float(np.maximum(cdf - steps[:-1], steps[1:] - cdf).max() * math.sqrt(ordered.size))


# The stream


@pytest.mark.parametrize(
    "case", ANSWERS["cases"], ids=lambda case: f"{case['scheme']}-{case['seed']}"
)
@pytest.mark.parametrize("layout", ["io", "oi"])
def test_known_answers(case: dict[str, Any], layout: str) -> None:
    spec = {
        "he normal, untruncated": "he_normal@torch",
        "he normal, truncated at two parent standard deviations, variance corrected": "he_normal",
        "he uniform": "he_uniform",
    }[case["scheme"]]
    shape = (case["fan_in"], case["fan_out"])
    for dtype in DTYPES[1:]:
        tensor = torch.empty(shape if layout == "io" else shape[::-1], dtype=getattr(torch, dtype))
        get(spec).torch_(tensor, seed=case["seed"], name=case["name"], layout=layout)
        found = [f"{word:0{2 * tensor.itemsize}x}" for word in bits(tensor).ravel()]
        if dtype == "float32":
            assert found == case[f"float32_row_major_{layout}"]
        else:
            canonical = np.array(found).reshape(tensor.shape)
            canonical = canonical if layout == "io" else canonical.T
            assert canonical.ravel().tolist() == case[f"{dtype}_io"]


@pytest.mark.parametrize("answer", ANSWERS["digests"], ids=lambda answer: answer["law"])
def test_digests(answer: dict[str, Any]) -> None:
    spec = {"normal": "he_normal@torch", "truncated_normal": "he_normal"}.get(
        answer["law"], "he_uniform"
    )
    weight = get(spec).torch(
        answer["shape_io"], seed=answer["seed"], name=answer["name"], layout="io"
    )
    digest = hashlib.sha256(weight.numpy().tobytes()).hexdigest()
    assert digest == answer["sha256_float32_little_endian"]


LAYOUTS = {
    1: ["o"],
    2: ["oi", "io", "vo", "oi, stack=3", "io, stack=4", "oi, groups=2"],
    3: ["oiw", "wio", "boi", "ino"],
    4: ["oihw", "hwio", "iohw, transposed", "hwoi, transposed", "hwgo"],
}
ELEMENTWISE = [
    "he_normal", "he_normal@torch", "glorot_uniform", "lecun_normal", "uniform(-0.3, 0.9)",
    "normal(mean=0.7, std=0.1)", "truncated_normal(mean=-0.2, std=0.3)", "constant(0.1)",
]  # fmt: skip
STRUCTURED = [
    "sparse(sparsity=0.3, std=0.5)", "sparse(sparsity=0.3, zeros_per='in')", "orthogonal",
]  # fmt: skip


@st.composite
def cases(draw: Any) -> tuple[str, tuple[int, ...], str, tuple[slice, ...]]:
    """A scheme, a shape, a layout that fits and a window."""
    ndim = draw(st.sampled_from([1, 2, 3, 4]))
    layout = draw(st.sampled_from(LAYOUTS[ndim]))
    shape = tuple(
        draw(st.integers(1, 6)) * (12 if letter == "o" else 1) for letter in layout[:ndim]
    )
    window = []
    for size in shape:
        start = draw(st.integers(0, size))
        window.append(slice(start, draw(st.integers(start, size))))
    names = ELEMENTWISE[4:] if ndim == 1 else ELEMENTWISE + STRUCTURED
    return draw(st.sampled_from(names)), shape, layout, tuple(window)


@settings(deadline=None, max_examples=150)
@given(
    case=cases(),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**64 - 1),
    name=st.sampled_from([None, "", "encoder.0.weight", "Schicht_ü"]),
    order=st.randoms(use_true_random=False),
)
def test_numpy_gives_the_same_bits(
    case: Any, dtype: str, seed: int, name: str | None, order: Any
) -> None:
    spec, shape, layout, window = case
    numpy = backend("numpy")
    expected = numpy.array(
        get(spec), shape, seed=seed, name=name, layout=layout,
        dtype="float32" if dtype == "bfloat16" else dtype,
    )  # fmt: skip
    if dtype == "bfloat16":  # the float32 numbers, rounded
        expected = bits(torch.from_numpy(expected.copy()).to(torch.bfloat16))
    axes = list(range(len(shape)))
    order.shuffle(axes)
    memory = torch.empty([2 * shape[axis] + 1 for axis in axes], dtype=getattr(torch, dtype))
    tensor = memory[tuple(slice(1, None, 2) for _ in axes)].permute(
        [axes.index(axis) for axis in range(len(axes))]
    )
    memory.fill_(7)
    assert get(spec).torch_(tensor, seed=seed, name=name, layout=layout) is tensor
    assert same(tensor, expected)
    assert int((memory == 7).sum()) >= memory.numel() - tensor.numel()  # and nothing beside it
    part = get(spec).torch(shape, seed=seed, name=name, layout=layout, dtype=dtype, window=window)
    assert same(part, expected[window])


def test_the_usual_layout_is_pytorch_s() -> None:
    weight = HE.torch((16, 8, 3, 3), seed=1)
    assert same(weight, HE.numpy((3, 3, 8, 16), seed=1).transpose(3, 2, 0, 1))
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / 72), rel=0.05)


def test_words_and_sample_obey_the_protocol() -> None:
    torch_, numpy = backend("torch"), backend("numpy")
    assert isinstance(torch_, Backend)
    key = torch_.key(7, "a")
    assert key == numpy.key(7, "a") == stream.fold_name(stream.key_from_seed(7), "a")
    window = (slice(1, 4), slice(0, 2))
    for part in (None, window):
        words = torch_.words(key, (6, 5), layout="oi", window=part)
        assert words.dtype == torch.uint32
        assert (torch_.tohost(words) == numpy.words(key, (6, 5), layout="oi", window=part)).all()
        for dtype in DTYPES:
            law = HE.on((6, 5), "oi")
            arguments: Any = {"key": key, "layout": "oi", "dtype": dtype, "window": part}
            found = torch_.tohost(torch_.sample(law, (6, 5), **arguments))
            assert found.tobytes() == numpy.sample(law, (6, 5), **arguments).tobytes()
    assert torch_.key() != torch_.key()


def test_tensor_takes_dtype_device_and_requires_grad() -> None:
    assert HE.torch((2, 3)).dtype == torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        assert HE.torch((2, 3)).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert HE.torch([2, 3], dtype="bfloat16").dtype == torch.bfloat16
    assert HE.torch((2, 3), device="meta").is_meta
    weight = HE.torch((2, 3), requires_grad=True)
    assert weight.is_leaf
    assert weight.requires_grad
    assert not HE.torch((2, 3)).requires_grad
    for wrong in ("int8", torch.int8, torch.float8_e4m3fn):
        with pytest.raises(UnknownName, match="unknown dtype"):
            HE.torch((2, 3), dtype=wrong)
    with pytest.raises(StreamError, match="lies outside axis 0"):
        HE.torch((2, 3), window=(slice(0, 3), slice(0, 3)))


@pytest.mark.parametrize("shape", [(), (0,), (5,), (0, 3), (3, 0), (0, 3, 2, 2)])
@pytest.mark.parametrize("spec", ["normal(std=2.0)", "zeros", "uniform(-1, 1)"])
def test_odd_shapes(shape: tuple[int, ...], spec: str) -> None:
    assert same(get(spec).torch(shape, seed=3), get(spec).numpy(shape, seed=3))


def test_a_fan_scheme_refuses_a_bias() -> None:
    bias = torch.full((4,), 7.0)
    with pytest.raises(LayoutError, match="he_normal scales by fans"):
        HE.torch_(bias, seed=0)
    assert (bias == 7).all()


def test_given_arrays_and_custom_laws() -> None:
    assert get([[1.0, 2.0], [3.0, 4.0]]).torch((2, 2)).tolist() == [[1, 2], [3, 4]]

    class Exponential(Custom):
        def sample(self, shape: Any, rng: Any) -> Any:
            return rng.exponential(0.5, shape)

    scheme = get(Exponential())
    weight = torch.empty(4, 5)
    assert same(scheme.torch_(weight, seed=5), scheme.numpy((4, 5), seed=5))
    with pytest.raises(SpecError, match="was given for a tensor of shape"):
        get([[1.0, 2.0]]).torch_(torch.empty(3, 3))


# Tensors


def test_fills_a_leaf_parameter_in_place() -> None:
    layer = nn.Linear(8, 4)
    weight, version, address = layer.weight, layer.weight._version, layer.weight.data_ptr()
    assert HE.torch_(layer.weight, seed=0) is weight
    assert layer.weight.data_ptr() == address
    assert weight.is_leaf
    assert weight.requires_grad
    assert weight._version > version  # autograd refuses what was saved before


def test_autograd_notices_a_fill_after_the_forward_pass() -> None:
    layer = nn.Linear(3, 2)
    loss = (layer(torch.ones(1, 3, requires_grad=True)) ** 2).sum()
    HE.torch_(layer.weight, seed=0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_of_any_strides(dtype: str) -> None:
    kind = getattr(torch, dtype)
    expected = bits(HE.torch((6, 4, 3, 3), seed=2, dtype=dtype))
    last = torch.empty(6, 4, 3, 3, dtype=kind).to(memory_format=torch.channels_last)
    turned = torch.empty(3, 3, 4, 6, dtype=kind).permute(3, 2, 0, 1)
    sliced = torch.empty(12, 9, 3, 5, dtype=kind)[::2, 1::2, :, 1:4]
    for tensor in (last, turned, sliced):
        strides = tensor.stride()
        HE.torch_(tensor, seed=2)
        assert tensor.stride() == strides
        assert (bits(tensor) == expected).all()
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_a_view_of_a_parameter_is_filled_for_good() -> None:
    attention = nn.MultiheadAttention(8, 2)
    for number, part in enumerate(attention.in_proj_weight.chunk(3)):
        HE.torch_(part, seed=number)
    for number, part in enumerate(attention.in_proj_weight.detach().chunk(3)):
        assert same(part, HE.numpy((8, 8), seed=number, layout="oi"))


def test_meta_tensors_stay_as_they_are() -> None:
    layer = nn.Linear(4, 3, device="meta")
    state = torch.get_rng_state()
    assert HE.torch_(layer.weight) is layer.weight
    assert layer.weight.is_meta
    assert (torch.get_rng_state() == state).all()
    layer.to_empty(device="cpu")
    assert same(HE.torch_(layer.weight, seed=1), HE.numpy((3, 4), seed=1, layout="oi"))


def test_skip_init_and_apply() -> None:
    init_ = initspec.initializer("he_normal", backend="torch", seed=4)

    def fill(module: Any) -> None:
        if isinstance(module, nn.Linear):
            init_(module.weight)

    model = nn.Sequential(skip_init(nn.Linear, 8, 4), nn.ReLU(), nn.Linear(4, 2)).apply(fill)
    for place, shape in ((0, (4, 8)), (2, (2, 4))):
        assert same(model[place].weight, HE.numpy(shape, seed=4, layout="oi"))


def test_shared_and_copied_parameters() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    HE.torch_(first.weight, seed=1)
    assert second.weight is first.weight
    assert (copy.deepcopy(second).weight == first.weight).all()


def test_inference_mode() -> None:
    with torch.inference_mode():
        inside = torch.empty(3, 2)
        HE.torch_(inside, seed=1)
    assert same(inside.clone(), HE.numpy((3, 2), seed=1, layout="oi"))
    with pytest.raises(SpecError, match=r"made in torch.inference_mode\(\)"):
        HE.torch_(inside, seed=2)


def _lazy() -> Any:
    return nn.LazyLinear(3).weight


KEPT: list[Any] = []  # modules, whose parameters' names an error tells


def _parametrized(wrap: Any) -> Any:
    KEPT[:] = [wrap(nn.Linear(4, 4))]
    return KEPT[0].weight


class _Twice(nn.Module):
    def forward(self, weight: Any) -> Any:
        return 2 * weight


def _wrapper() -> Any:
    class Wrapper(torch.Tensor):
        @classmethod
        def __torch_dispatch__(
            cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            raise AssertionError("nothing may be asked of it")

    return torch.Tensor._make_wrapper_subclass(Wrapper, (3, 3))


def _resized(size: int) -> Any:
    tensor = torch.zeros(3, 3)
    tensor.untyped_storage().resize_(size)
    return tensor


def _emptied() -> Any:
    tensor = nn.Parameter(torch.zeros(0))
    tensor.ds_shape = torch.Size((3, 3))
    return tensor


REFUSED: dict[str, tuple[Any, str]] = {
    "expanded": (lambda: torch.zeros(1, 4).expand(3, 4), "share memory"),
    "overlapping": (lambda: torch.zeros(9).as_strided((4, 4), (1, 1)), "share memory"),
    "integer": (lambda: torch.zeros(3, 3, dtype=torch.int64), "cannot be drawn, only float64"),
    "float8": (
        lambda: torch.zeros(3, 3).to(torch.float8_e5m2),
        "fill a float32 tensor, then convert",
    ),
    "complex": (
        lambda: torch.zeros(3, 3, dtype=torch.complex64),
        r"fill its \.real and its \.imag",
    ),
    "quantised": (
        lambda: torch.quantize_per_tensor(torch.zeros(3, 3), 0.1, 0, torch.qint8),
        "fill a float32 tensor, then convert",
    ),
    "sparse": (lambda: torch.zeros(3, 3).to_sparse(), "has no place for every element"),
    "lazy": (_lazy, "has no shape yet"),
    "parametrized": (
        lambda: _parametrized(
            lambda m: parametrize.register_parametrization(m, "weight", _Twice())
        ),
        "values written into it would be lost",
    ),
    "weight_norm": (
        lambda: _parametrized(parametrizations.weight_norm),
        r"weight\.original0, module\.parametrizations\.weight\.original1.*assign module\.weight",
    ),
    "old weight_norm": (lambda: _parametrized(nn.utils.weight_norm), r"weight_g, module\.weight_v"),
    "orthogonal": (lambda: _parametrized(parametrizations.orthogonal), "would be lost"),
    "spectral_norm": (lambda: _parametrized(parametrizations.spectral_norm), "would be lost"),
    "wrapper": (_wrapper, "holds its values in a way of its own"),
    "nested": (
        lambda: torch.nested.nested_tensor([torch.zeros(2, 3), torch.zeros(4, 3)]),
        r"fill the tensors of its unbind\(\)",
    ),
    "negative": (lambda: torch.zeros(3, 3, dtype=torch.complex64).conj().imag, "resolve_neg"),
    "resized": (lambda: _resized(0), "its storage was resized to 0"),
    "resized in part": (lambda: _resized(20), "needs 36 bytes"),
    "emptied by ZeRO": (lambda: _emptied(), r"shape \(3, 3\) is partitioned by DeepSpeed"),
    "pruned": (
        lambda: _parametrized(lambda m: prune.l1_unstructured(m, "weight", amount=2)),
        r"fill module\.weight_orig\.",
    ),
    "module": (lambda: nn.Linear(3, 3), r"give init_\(module.weight\)"),
    "array": (lambda: np.zeros((3, 3)), "fills a torch.Tensor, not ndarray"),
}


@pytest.mark.filterwarnings(
    "ignore:.*weight_norm.*:FutureWarning", "ignore:.*quantiz.*", "ignore:.*nested.*"
)
@pytest.mark.parametrize("kind", REFUSED)
def test_refuses_what_cannot_be_filled(kind: str) -> None:
    make, sentence = REFUSED[kind]
    tensor = make()
    state = torch.get_rng_state()
    dense = kind in ("expanded", "overlapping", "integer", "complex", "parametrized")
    before = tensor.detach().clone() if dense else None
    with pytest.raises(SpecError, match=sentence):
        HE.torch_(tensor)
    assert (torch.get_rng_state() == state).all()
    assert not dense or torch.equal(tensor, before)


def test_a_parametrized_weight_is_filled_through_its_original() -> None:
    layer = parametrizations.weight_norm(nn.Linear(4, 3))
    HE.torch_(layer.parametrizations.weight.original1, seed=1)
    assert same(layer.parametrizations.weight.original1, HE.numpy((3, 4), seed=1, layout="oi"))
    layer.weight = HE.torch((3, 4), seed=2)
    assert np.allclose(layer.weight.detach(), HE.numpy((3, 4), seed=2, layout="oi"), atol=1e-6)


# Seeds


def test_manual_seed_governs_and_consecutive_parameters_differ() -> None:
    def pair() -> tuple[Any, Any]:
        torch.manual_seed(5)
        return HE.torch((4, 4)), HE.torch((4, 4))

    first, second = pair()
    again = pair()
    assert not torch.equal(first, second)
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])


def test_one_draw_of_64_bits_is_the_key() -> None:
    generator = torch.Generator().manual_seed(9)
    drawn = torch.empty((), dtype=torch.int64)
    drawn.random_(-(2**63), None, generator=torch.Generator().manual_seed(9))
    state = torch.get_rng_state()
    weight = HE.torch((4, 4), generator=generator)
    assert torch.equal(weight, HE.torch((4, 4), seed=int(drawn) % 2**64))
    assert (torch.get_rng_state() == state).all()  # the default generator is not touched
    assert not torch.equal(weight, HE.torch((4, 4), generator=generator))
    seen = [backend("torch").key(generator) for _ in range(64)]
    assert {high >> 31 for high, _ in seen} == {0, 1}  # all 64 bits
    assert {low >> 31 for _, low in seen} == {0, 1}


@pytest.mark.parametrize("stream", ["portable", "native"])
def test_what_needs_no_numbers_asks_no_generator(stream: str) -> None:
    generator = torch.Generator()
    for scheme in (get("zeros"), get("constant", value=2.0), get("identity"), get(np.eye(3))):
        for options in ({}, {"generator": generator}):
            before = torch.get_rng_state(), generator.get_state()
            scheme.torch_(torch.empty(3, 3), stream=stream, **options)
            scheme.torch((3, 3), stream=stream, **options)
            get("normal").torch((0, 3), stream=stream, **options)
            assert torch.equal(torch.get_rng_state(), before[0])
            assert torch.equal(generator.get_state(), before[1])


def test_one_seed_for_two_tensors_is_warned_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initspec.backends.torch.adapter.same_keys", SameKeys())
    one, two = torch.empty(3, 3), torch.empty(4, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            HE.torch_(one, seed=7)
        HE.torch_(two, seed=8)
        HE.torch_(two, seed=7, name="two")
        get("zeros").torch_(two, seed=7)
        HE.torch((4, 3), seed=7, window=(slice(0, 2), slice(0, 3)))
    with pytest.warns(initspec.SameKeyWarning, match=r"seed=7 and no name, .*\(3, 3\), .*\(4, 3\)"):
        HE.torch_(two, seed=7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HE.torch_(torch.empty(2, 2), seed=7)


def test_names_fold_in() -> None:
    assert same(HE.torch((4, 4), seed=1, name="a"), HE.numpy((4, 4), seed=1, name="a", layout="oi"))
    assert not torch.equal(HE.torch((4, 4), seed=1, name="a"), HE.torch((4, 4), seed=1, name="b"))
    first, second = (
        HE.torch((4, 4), generator=torch.Generator().manual_seed(1), name=name) for name in "ab"
    )
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"seed": -1}, StreamError, "a seed is an integer from 0"),
        ({"seed": 2**64}, StreamError, "a seed is an integer from 0"),
        ({"seed": "x"}, StreamError, "a seed is an integer from 0"),
        ({"seed": 1, "generator": torch.Generator()}, SpecError, "generator= or seed=, not both"),
        ({"generator": 3}, SpecError, "is a torch.Generator, not 3"),
        ({"stream": "nativ"}, UnknownName, "did you mean 'native'"),
        ({"layout": "oihw"}, LayoutError, "names 4 axes"),
    ],
)
def test_bad_options(options: dict[str, Any], error: type[Exception], sentence: str) -> None:
    tensor = torch.full((3, 3), 7.0)
    with pytest.raises(error, match=sentence):
        HE.torch_(tensor, **options)
    assert (tensor == 7).all()


# Guards of others: emulated, as their packages write them


def test_weights_that_transformers_loaded_are_kept() -> None:
    weight = nn.Parameter(torch.full((4, 4), 7.0))
    packed = torch.zeros(3, dtype=torch.uint8)  # a quantised weight is no weight of its shape
    weight._is_hf_initialized = packed._is_hf_initialized = True  # type: ignore[attr-defined]
    state = torch.get_rng_state()
    for tensor in (weight, packed):
        assert HE.torch_(tensor) is tensor
    assert (weight == 7).all()
    assert (torch.get_rng_state() == state).all()
    weight._is_hf_initialized = False  # type: ignore[attr-defined]
    assert not (HE.torch_(weight) == 7).any()


def test_patched_names_of_torch_nn_init_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    original = nn.init.uniform_

    def guarded(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        return tensor if getattr(tensor, "loaded", False) else original(tensor, *args, **kwargs)

    monkeypatch.setattr(nn.init, "uniform_", guarded)
    loaded, fresh = torch.full((4, 4), 7.0), torch.full((4, 4), 7.0)
    loaded.loaded = True  # type: ignore[attr-defined]
    assert (HE.torch_(loaded) == 7).all()
    assert not (HE.torch_(fresh) == 7).any()
    monkeypatch.setattr(nn.init, "uniform_", lambda *args, **kwargs: None)  # no_init_weights
    assert (HE.torch_(fresh.fill_(7)) == 7).all()
    assert not (HE.torch((4, 4)) == 7).any()  # a new tensor is nobody's loaded weight


def test_a_patch_from_before_initspec_came_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in PyTorch's place at our import is not taken for PyTorch's own."""
    original = nn.init.uniform_
    assert writing._genuine("uniform_") is original
    assert writing.is_untouched()

    @functools.wraps(original)
    def skip(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        return tensor

    monkeypatch.setattr(nn.init, "uniform_", skip)
    monkeypatch.setattr(writing, "_UNIFORM", writing._genuine("uniform_"))
    assert (HE.torch_(torch.full((4, 4), 7.0)) == 7).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_large_new_tensors_and_views_are_what_numpy_draws(dtype: torch.dtype) -> None:
    """Their memory is new, and lies on huge pages; a view's has steps of its own."""
    shape = (1500, 2100)
    new = HE.torch(shape, seed=3, dtype=dtype)
    room = torch.zeros(2100, 3000, dtype=dtype)
    view = room[:, ::2].T
    HE.torch_(view, seed=3)
    wanted = HE.numpy(shape, seed=3, layout="oi", dtype="float32")
    assert torch.equal(new, torch.from_numpy(wanted).to(dtype))
    assert torch.equal(view, new)
    assert not room[:, 1::2].any()
    assert new.any()
    assert HE.torch((0, 2100), seed=3).shape == (0, 2100)


def test_a_layout_that_is_none_is_refused() -> None:
    with pytest.raises(LayoutError, match="a layout is a text"):
        HE.torch_(torch.zeros(4, 4), layout=["o", "i"])


class EmptyInit(TorchFunctionMode):
    """Lightning's ``_EmptyInit``."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


class Passive(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def test_a_mode_that_skips_initialisation_is_honoured() -> None:
    weight, fresh = nn.Parameter(torch.full((4, 4), 7.0)), None
    with EmptyInit():
        assert HE.torch_(weight) is weight
        fresh = HE.torch((4, 4), seed=1)
    assert (weight == 7).all()
    assert torch.equal(fresh, HE.torch((4, 4), seed=1))
    with Passive():
        assert HE.torch_(weight, seed=1) is weight
    assert torch.equal(weight, HE.torch((4, 4), seed=1))
    with torch.device("cpu"):
        assert not (HE.torch_(torch.full((4, 4), 7.0)) == 7).any()


# The framework's own sampler


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "spec",
    ["he_normal", "he_normal@torch", "he_uniform", "truncated_normal(mean=0.5, std=0.2)",
     "sparse(sparsity=0.5, std=1.0)", "sparse@torch(sparsity=0.5, std=1.0)"],
)  # fmt: skip
def test_native_draws_obey_their_law(spec: str, dtype: str) -> None:
    weight = get(spec).torch((64, 128), seed=11, stream="native", dtype=dtype)
    law = get(spec).on((64, 128), out_first=True)
    assert not torch.equal(weight, get(spec).torch((64, 128), seed=11, dtype=dtype))
    values = weight.numpy()
    if spec.startswith("sparse"):
        axis = 0 if "@torch" in spec else 1  # of (out, in)
        assert ((values == 0).sum(axis) == values.shape[axis] / 2).all()
        law, values = get("normal(std=1.0)").on((1,)), values[values != 0]
    assert statistic(values, law) < 2.2  # one run in eight thousand


def test_native_is_pytorch_s_own_stream() -> None:
    expected = torch.empty(6, 5).normal_(
        0, math.sqrt(2 / 5), generator=torch.Generator().manual_seed(3)
    )
    scheme = get("he_normal@torch")
    assert torch.equal(scheme.torch((6, 5), seed=3, stream="native"), expected)
    torch.manual_seed(3)
    assert torch.equal(scheme.torch_(torch.empty(6, 5), stream="native"), expected)
    law = scheme.on((6, 5), out_first=True)
    assert torch.equal(backend("torch").native(law, (6, 5), source=3), expected)
    named = [scheme.torch((6, 5), seed=3, name=name, stream="native") for name in "ab"]
    assert not torch.equal(*named)
    assert torch.equal(
        scheme.torch((6, 5), seed=3, stream="native", window=(slice(2, 4), slice(1, 5))),
        expected[2:4, 1:5],
    )


@pytest.mark.parametrize("source", ["native", "portable"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "layout"), [((24, 8), "oi"), ((8, 24), "oi"), ((8, 24), "io, stack=3")]
)
def test_orthogonal_in_every_dtype(
    source: str, dtype: str, shape: tuple[int, int], layout: str
) -> None:
    weight = get("orthogonal", gain=2.0).torch(
        shape, seed=1, layout=layout, dtype=dtype, stream=source
    )
    parts = weight.double().chunk(3, dim=1) if "stack" in layout else [weight.double()]
    error = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-2, "bfloat16": 1e-1}[dtype]
    for part in parts:
        tall = part if part.shape[0] >= part.shape[1] else part.T
        assert torch.allclose(tall.T @ tall, 4 * torch.eye(tall.shape[1]).double(), atol=error)
    if source == "portable" and dtype == "float64":
        expected = get("orthogonal", gain=2.0).numpy(shape, seed=1, layout=layout, dtype=dtype)
        assert np.allclose(weight, expected, atol=1e-6)


@pytest.mark.parametrize("source", ["native", "portable"])
def test_kernels_with_a_middle(source: str) -> None:
    scheme = get("delta_orthogonal")
    law = scheme.on((8, 4, 3, 3), out_first=True)
    assert isinstance(law, DeltaOrthogonal)
    weight = scheme.torch((8, 4, 3, 3), seed=1, stream=source)
    middle = weight[:, :, 1, 1]
    assert torch.allclose(middle.T @ middle, torch.eye(4), atol=1e-5)
    assert int((weight != 0).sum()) == 32
    dirac = get("dirac").torch((4, 4, 3, 3), stream=source)
    assert torch.equal(dirac, nn.init.dirac_(torch.empty(4, 4, 3, 3)))


# The initializer


def test_the_initializer_is_a_frozen_value() -> None:
    init_ = initspec.initializer("he_normal", backend="torch", seed=1, name="w", layout="io")
    assert init_ == pickle.loads(pickle.dumps(init_))
    assert hash(init_) == hash(pickle.loads(pickle.dumps(init_)))
    with pytest.raises(AttributeError):
        init_.seed = 2
    weight = nn.Parameter(torch.empty(3, 4))
    assert init_(weight) is weight
    assert same(weight, HE.numpy((3, 4), seed=1, name="w", layout="io"))
    assert same(init_(weight, seed=2, name=None), HE.numpy((3, 4), seed=2, layout="io"))
    with pytest.raises(SpecError, match=r"the tensor is of torch\.float32"):
        initspec.initializer("he_normal", backend="torch", dtype="bfloat16")(weight)
    with pytest.raises(UnknownName, match="unknown stream"):
        initspec.initializer("he_normal", backend="torch", stream="own")


def test_a_remembered_fill_is_that_of_its_scheme_and_layout() -> None:
    from initspec.spec import scheme_law

    seen = set()
    for n in range(200):  # freed and made again in the same place, if they were not held
        seen.add(float(get("constant", n + 0.5).torch((1,))))
        scheme_law.law_on.cache_clear()
    assert len(seen) == 200
    for layout in ("oi", "io", "oi", "oi, stack=3"):
        expected = HE.numpy((6, 6), seed=1, layout=layout)
        assert same(HE.torch((6, 6), seed=1, layout=layout), expected)


# The kernel of integer operations, which other devices use


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", ELEMENTWISE[:-1])
def test_integer_operations_agree_with_the_reference(
    spec: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from initspec.backends.torch import kernel
    from initspec.stream import dtypes

    monkeypatch.setattr(kernel, "MOST", 50)  # in many pieces
    for shape, layout, window in (
        ((12, 5, 3, 3), "oihw", None),
        ((12, 7), "oi, stack=3", (slice(2, 11), slice(1, 6))),
        ((2**40, 2**24), "oi", (slice(2**39 + 1, 2**39 + 9), slice(2**23, 2**23 + 9))),
        ((3, 0), "oi", None),
    ):
        law, axes, key = get(spec).on(shape, layout), Layout.parse(layout), (3, 2**31 + 7)
        size = shape if window is None else tuple(part.stop - part.start for part in window)
        out = torch.empty(size, dtype=getattr(torch, dtype))
        kernel.fill(out, blocks(shape, axes, window), key, law.draw)
        for block in blocks(shape, axes, window):
            expected = dtypes.rounded(stream.values(_reference(key, block), law.draw, dtype), dtype)
            assert (
                bits(out[block.part].reshape(block.shape)) == expected.view(f"u{out.itemsize}")
            ).all()


def _reference(key: Any, block: Block) -> Any:
    index = np.full(block.shape, block.base, np.uint64)
    for axis, stride in enumerate(block.strides):
        steps = np.arange(block.shape[axis], dtype=np.uint64) * np.uint64(stride)
        index += steps.reshape([-1 if n == axis else 1 for n in range(len(block.shape))])
    return stream.words(key, index)


# Cost

_PEAK = """
import sys, torch
from initspec import get
from initspec.backends.torch import kernel, writing
def peak(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024
scheme = get(sys.argv[1])
tensor = torch.zeros(4096, 2048).T
if sys.argv[2] == "device":
    writing.fill_words = lambda view, dtype, blocks, key, draw: kernel.fill(
        tensor[:view.shape[0], :view.shape[1]], blocks, key, draw)
for _ in range(3):
    scheme.torch_(tensor[:512, :512], seed=0)
open("/proc/self/clear_refs", "w").write("5")
before = peak("VmRSS")
scheme.torch_(tensor if sys.argv[2] == "cpu" else tensor[:128], seed=0)
print(peak("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are read from /proc")
@pytest.mark.parametrize("kernel", ["cpu", "device"])
def test_at_most_8_mib_beside_the_tensor(kernel: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _PEAK, "he_normal", kernel],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(ran.stdout) < 8
