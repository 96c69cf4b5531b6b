"""PyTorch's own calls as schemes, and its fans."""

import inspect
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from initspec import Layout, SpecError, UnknownName, fans, from_torch, get, initializer
from initspec.readings.registry import dialect, rows
from initspec.spec.distribution import Normal
from initspec.spec.layout import layers

init = torch.nn.init
NEWEST = [entry for entry in rows("torch") if entry.until is None]


@pytest.mark.parametrize("entry", NEWEST, ids=lambda entry: entry.name)
def test_a_row_has_the_words_of_its_function_in_their_order(entry: Any) -> None:
    function = getattr(init, entry.call.rpartition(".")[2])
    words = list(inspect.signature(function).parameters)[1:]
    assert [word for word in words if word not in dialect("torch")["ignored"]] == [*entry.arguments]
    assert from_torch(function) == get(entry.name)


def test_every_function_is_a_row_or_says_why_not() -> None:
    public = {name for name in dir(init) if name.endswith("_") and not name.startswith("_")}
    calls = {entry.call.rpartition(".")[2] for entry in NEWEST}
    assert public == calls | set(dialect("torch")["absent"])


#: Functions of a tensor with three axes, and the same as a scheme.
CALLS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (init.kaiming_normal_, (), {}),
    (init.kaiming_normal_, (0.2, "fan_out", "leaky_relu"), {}),
    (init.kaiming_normal_, (), {"nonlinearity": "tanh", "mode": "fan_out"}),
    (init.kaiming_uniform_, (), {"a": math.sqrt(5)}),
    (init.kaiming_uniform_, (0.5,), {"nonlinearity": "selu"}),
    (init.kaiming_uniform_, (), {"nonlinearity": "conv2d"}),
    (init.kaiming_uniform_, (), {"nonlinearity": "leaky_relu"}),
    (init.xavier_normal_, (2.0,), {}),
    (init.xavier_uniform_, (), {"gain": 0.5}),
    (init.normal_, (1.0, 0.3), {}),
    (init.uniform_, (-0.3, 0.7), {}),
    (init.trunc_normal_, (0.1, 0.5, -0.4, 0.9), {}),
    (init.trunc_normal_, (), {"std": 0.02}),
    (init.constant_, (0.3,), {}),
    (init.ones_, (), {}),
    (init.zeros_, (), {}),
]


@pytest.mark.parametrize(("function", "args", "kwargs"), CALLS)
def test_a_call_draws_what_its_scheme_says(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    weight = torch.empty(96, 40, 9)  # (out, in / groups, taps) of four groups
    generator = torch.Generator().manual_seed(5)
    words = inspect.signature(function).parameters
    seeded = {"generator": generator} if "generator" in words else {}
    function(weight, *args, **kwargs, **seeded)
    law = from_torch(function, *args, **kwargs, **seeded).on((96, 40, 9), "oiw, groups=4")
    found, n = weight.double(), weight.numel()
    assert float(found.mean()) == pytest.approx(law.mean, abs=6 * law.std / math.sqrt(n) + 1e-7)
    if law.std > 0:
        spread = math.sqrt((law.kurtosis + 2) / n)  # of the variance, relatively
        assert float(found.var()) / law.variance == pytest.approx(1, abs=6 * spread)
        standard = (found - law.mean) / law.std
        assert float((standard**4).mean()) - 3 == pytest.approx(law.kurtosis, abs=0.2)
    low, high = law.support
    assert low - 1e-6 <= float(found.min()) <= float(found.max()) <= high + 1e-6


def test_the_tensor_is_left_out_and_numbers_may_be_numpys_or_torchs() -> None:
    assert from_torch(init.normal_, std=torch.tensor(0.5)) == get("normal@torch(std=0.5)")
    with pytest.raises(SpecError, match=r"an array of shape .*: leave the tensor out"):
        from_torch(init.normal_, torch.empty(3, 4))


def test_by_name() -> None:
    wanted = get("he_normal@torch", a=0.2, mode="fan_out")
    for name in ("kaiming_normal_", "torch.nn.init.kaiming_normal_", "kaiming_normal", "he_normal"):
        assert from_torch(name, a=0.2, mode="FAN_OUT") == wanted
    assert from_torch("trunc_normal_").name == "truncated_normal@torch"


def test_bad_calls() -> None:
    with pytest.raises(UnknownName, match=r"of torch\.nn\.init\.xavier_normal_ 'a': known"):
        from_torch(init.xavier_normal_, a=1)
    with pytest.raises(SpecError, match=r"from_torch reads what torch defines, and dumps is of js"):
        from_torch(json.dumps)
    with pytest.raises(SpecError, match="takes a function or its name, not 3"):
        from_torch(3)
    with pytest.raises(UnknownName, match="unknown mode 'fan_avg'"):
        from_torch(init.kaiming_normal_, mode="fan_avg")
    with pytest.raises(UnknownName, match="did you mean 'kaiming_normal"):
        from_torch("kaiming_nrmal_")


def test_sparse_counts_zeros_for_each_input_unit() -> None:
    weight = init.sparse_(torch.empty(40, 24), 0.3)
    scheme = from_torch(init.sparse_, sparsity=0.3)
    assert scheme == from_torch("sparse_", 0.3, 0.01, generator=None) == get("sparse@torch(0.3)")
    ours = scheme.torch((40, 24), seed=0)
    assert (weight == 0).sum(0).tolist() == [12] * 24 == (ours == 0).sum(0).tolist()


# ------------------------------------------------------------------------------------------- fans

SIZES = {"i": 12, "o": 24, "d": 2, "h": 3, "w": 5, "x": 5, "g": 7, "n": 4, "b": 6, "v": 100}


def variants() -> list[str]:
    grouped = [
        f"{name}, groups={4}"
        for name, layout in layers().items()
        if "Conv" in name and layout.stack == 1 and "g" not in layout.axes
    ]
    return [*layers(), *grouped, "oii", "bio", "sio", "ino", "oghw"]


def as_pytorch_stores(shape: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """The shape of the same weight in PyTorch, the axes of experts left out."""
    letters = layout.axes
    sizes: dict[str, list[int]] = {letter: [] for letter in "iodhwxgnbsv"}
    for letter, size in zip(letters, shape, strict=True):
        sizes[letter].append(size)
    heads = math.prod(sizes["n"])
    inner = letters[letters.index("n") + 1 :] if "n" in letters else ""
    owner = next((letter for letter in inner if letter in "io"), "")
    taps = [n for letter in "dhwx" for n in sizes[letter]]
    outputs = math.prod(sizes["o"] + sizes["g"] + sizes["s"]) * (heads if owner == "o" else 1)
    first, *more = sizes["i"] or [1]
    first *= heads if owner == "i" else 1
    if "v" in letters:
        return (math.prod(sizes["v"]), outputs)
    if layout.transposed:
        return (first, outputs, *taps)
    return (outputs, first, *more, *taps)


@pytest.mark.parametrize("text", variants())
def test_the_rule_of_torch_is_pytorchs_on_every_layout(text: str) -> None:
    layout = Layout.parse(text)
    shape = tuple(SIZES.get(letter, 3) for letter in layout.axes)
    stored = as_pytorch_stores(shape, layout)
    wanted = init._calculate_fan_in_and_fan_out(torch.empty(stored))
    assert fans(shape, layout, "torch") == wanted
    if text.startswith("torch."):  # there is nothing to reorder
        assert init._calculate_fan_in_and_fan_out(torch.empty(shape)) == wanted


def test_the_rule_differs_from_the_naive_one_where_places_are_not_roles() -> None:
    odd = {
        text
        for text in variants()
        for shape in [tuple(SIZES.get(letter, 3) for letter in Layout.parse(text).axes)]
        if fans(shape, text, "torch") != fans(shape, text, "naive")
    }
    assert {text for text in odd if text.startswith("torch.")} == {
        "torch.Bilinear",
        "torch.Embedding",
        "torch.EmbeddingBag",
    }


def test_a_dialect_counts_so() -> None:
    law = get("xavier_normal@torch").on((1000, 64), "torch.Embedding")
    assert law == Normal(0.0, math.sqrt(2 / 1064))
    assert get("kaiming_normal@torch").on((1000, 64), "vo").variance == pytest.approx(2 / 64)
    bilinear = get("kaiming_normal@torch", mode="fan_out").on((32, 8, 16), "torch.Bilinear")
    assert bilinear.variance == pytest.approx(2 / (32 * 16))
    depthwise = get("kaiming_normal@torch").on((3, 3, 16, 2), "keras.DepthwiseConv2D")
    assert depthwise.variance == pytest.approx(2 / 9)


def test_get_takes_pytorch_s_own_functions() -> None:
    init = torch.nn.init
    assert get(init.kaiming_normal_) == get("he_normal@torch")
    assert get(init.kaiming_normal) == get("he_normal@torch")  # the deprecated name
    assert get(init.kaiming_normal_, a=0.2) == get("he_normal@torch", a=0.2)
    assert get(partial(init.normal_, std=0.02)) == get("normal@torch", std=0.02)
    assert get(init.constant_, 2.0) == get("constant@torch", val=2.0)
    with pytest.raises(SpecError, match=r"constant_ of torch needs val: write from_call"):
        get(init.constant_)
    with pytest.raises(UnknownName, match="calculate_gain"):
        get(init.calculate_gain)


def test_get_takes_an_initializer_of_ours() -> None:
    assert get(initializer("he_normal", backend="torch", seed=3)) == get("he_normal")
