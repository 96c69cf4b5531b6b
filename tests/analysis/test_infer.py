"""Inference, measured: how often the true law is named, and a foreign one refused."""

import json
import math
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initspec import LayoutError, SpecError, UnknownName, get, infer, schemes
from initspec.analysis.candidates import candidates, plainest
from initspec.analysis.goodness_of_fit import every, refusal
from initspec.analysis.grid import cumulated
from initspec.analysis.sample import Sample
from initspec.commands.main import main
from initspec.spec.distance import draws, ks, same_law
from initspec.spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from initspec.spec.layout import Layout
from initspec.stream import dtypes

# Rectangular, with kernels, none of two equal sides.
SHAPES = [
    *(((a, b), layout) for a, b in ((64, 96), (128, 96), (80, 300)) for layout in ("io", "oi")),
    *(((a, b, k), "oiw") for a, b, k in ((48, 64, 3), (96, 40, 5))),
    *(((k, a, b), "wio") for a, b, k in ((48, 64, 3), (96, 40, 5))),
    *(((a, b, k, j), "oihw") for a, b, k, j in ((32, 48, 3, 3), (64, 24, 5, 3))),
    *(((k, j, a, b), "hwio") for a, b, k, j in ((32, 48, 3, 3), (64, 24, 5, 3))),
    *(((96, 64), "oi, stack=3"), ((64, 32, 3, 3), "oihw, groups=4")),
]


@cache
def laws(shape: tuple[int, ...], layout: str) -> list[tuple[str, Distribution]]:
    """The names that can be drawn on a shape, and their laws."""
    found = []
    for one in candidates(shape, (Layout.parse(layout),)):
        name = one.origins[0].name
        found += [(name, get(name).on(shape, layout))]
    return found


def usual(layout: str) -> str | None:
    """None where inference is to find the layout by itself."""
    return layout if "," in layout else None


def missed(count: int, seed: int) -> list[str]:
    """Draw from random schemes of the registry; those whose law is not in the first group."""
    rng, wrong = np.random.default_rng(seed), []
    for _ in range(count):
        shape, layout = SHAPES[rng.integers(len(SHAPES))]
        choices = laws(shape, layout)
        name, law = choices[rng.integers(len(choices))]
        dtype = ("float32", "float32", "float64", "float16", "bfloat16")[rng.integers(5)]
        key = int(rng.integers(2**32))
        array = get(name).numpy(shape, seed=key, layout=layout, dtype=dtype)
        found = infer(array, usual(layout))
        group = found.groups[0] if found.groups else ()
        if not any(same_law(match.law, law) for match in group):
            wrong.append(f"{name} on {shape}, {layout}, {dtype}, seed {key}: {found.sentence}")
    return wrong


def foreign(
    rng: np.random.Generator, shape: tuple[int, ...], layout: str
) -> Iterator[tuple[str, Any]]:
    """Tensors of laws that are none of ours, of mean nought and variance one where they can."""
    n, outputs = math.prod(shape), shape[0] if layout.startswith("o") else shape[-1]
    yield "exponential", rng.exponential(1, shape)
    yield "exponential less its mean", rng.exponential(1, shape) - 1
    for df in (2, 3, 5, 8, 10):
        scale = math.sqrt((df - 2) / df) if df > 2 else 0.5
        yield f"Student t with {df}", rng.standard_t(df, shape) * scale
    yield "Laplace", rng.laplace(0, math.sqrt(0.5), shape)
    spread = rng.uniform(0.55, 0.95)
    scales = np.sqrt(np.where(rng.random(shape) < 0.5, 1 + spread, 1 - spread))
    yield "mixture of two scales", rng.standard_normal(shape) * scales
    rank = int(rng.integers(1, 4))
    update = rng.standard_normal((outputs, rank)) @ rng.standard_normal((rank, n // outputs))
    update *= rng.uniform(0.4, 1) / math.sqrt(rank)
    update = update if layout.startswith("o") else update.T
    yield f"normal plus rank {rank}", rng.standard_normal(shape) + update.reshape(shape)
    yield "shifted", rng.standard_normal(shape) + rng.choice([-1, 1]) * rng.uniform(0.1, 1)
    cut = rng.uniform(0.8, 3)
    yield f"clipped at {cut:.3g}", np.clip(rng.standard_normal(shape), -cut, cut)
    yield "pruned", np.where(rng.random(shape) < 0.1, 0, rng.standard_normal(shape))
    yield "eight values", np.round(rng.standard_normal(shape) * 2) / 2


def accepted(count: int, seed: int) -> tuple[int, list[str]]:
    """Draw foreign tensors at the scale of a scheme; how many, and those that got a name."""
    rng, wrong, total = np.random.default_rng(seed), [], 0
    while total < count:
        shape, layout = SHAPES[rng.integers(len(SHAPES))]
        scales = [law.std for _, law in laws(shape, layout) if isinstance(law, Normal)]
        for kind, values in foreign(rng, shape, layout):
            # the hard case: as wide as a law that is known here
            scaled = values * (scales[rng.integers(len(scales))] / max(values.std(), 1e-9))
            dtype = ("float32", "float64", "float16")[rng.integers(3)]
            found = infer(scaled.astype(dtype), usual(layout))
            total += 1
            if found.groups:
                wrong.append(f"{kind} on {shape}, {dtype}: {found.sentence}")
    return total, wrong


def test_the_true_law_is_in_the_first_group() -> None:
    assert missed(150, seed=1) == []


def test_a_foreign_law_is_refused() -> None:
    total, wrong = accepted(150, seed=1)
    assert len(wrong) <= total // 100, "\n".join(wrong)


@pytest.mark.slow
def test_of_2000_tensors_999_in_1000_get_their_law() -> None:
    wrong = missed(2000, seed=2)
    assert len(wrong) <= 2, "\n".join(wrong)


@pytest.mark.slow
def test_of_2000_foreign_tensors_99_in_100_are_refused() -> None:
    total, wrong = accepted(2000, seed=2)
    assert len(wrong) <= total // 100, "\n".join(wrong)


# ---------------------------------------------------------------------------------- the tests of fit


LAWS = [Normal(0.1, 0.05), Uniform(-0.1, 0.3), TruncatedNormal(0.0, 0.02, -2.0, 2.0)]


@pytest.mark.parametrize("law", LAWS, ids=[law.kind for law in LAWS])
@pytest.mark.parametrize(("shape", "dtype"), [((7,), "float64"), ((30, 40), "float32")])
@pytest.mark.parametrize("narrow", [None, "bfloat16"])
def test_no_test_refuses_its_own_law_more_often_than_said(
    law: Distribution, shape: tuple[int, ...], dtype: str, narrow: str | None
) -> None:
    rng, runs = np.random.default_rng(3), 150
    quantiles = np.array([law.ppf((k + 0.5) / 4096) for k in range(4096)])
    step = np.diff(quantiles, append=quantiles[-1])
    least: dict[str, list[float]] = {}
    for _ in range(runs):
        place = rng.integers(4095, size=shape)
        values = quantiles[place] + rng.random(shape) * step[place]
        kind = narrow or dtype
        values = dtypes.widened(dtypes.rounded(values, kind))
        for test, p in every(law, Sample(values, kind)):
            least.setdefault(test, []).append(p)
    for test, p in least.items():
        for alpha in (0.2, 0.05, 0.01):
            count = sum(one <= alpha for one in p)
            # four standard errors above what is promised
            assert count <= alpha * runs + 4 * math.sqrt(alpha * runs), (test, alpha)


@pytest.mark.parametrize("law", LAWS, ids=[law.kind for law in LAWS])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_rounding_is_taken_into_account(law: Distribution, dtype: str) -> None:
    """Quantiles, rounded, are as many below each place as the law says."""
    n = 1 << 15
    exact = np.array([law.ppf((k + 0.5) / n) for k in range(n)])
    values = dtypes.widened(dtypes.rounded(exact, dtype))
    sample = Sample(values, dtype)
    expected, _, counts = cumulated(law, sample)
    assert len(counts) > 200
    assert np.abs(counts / n - expected).max() <= 1.5 / n
    assert {test: p for test, p in every(law, sample) if p < 0.1} == {}


def test_each_test_sees_what_it_is_for() -> None:
    rng, law, shape = np.random.default_rng(5), Normal(0.0, 1.0), (96, 128)
    good = rng.standard_normal(shape)
    outlier, clipped = good.copy(), np.clip(good, -2.6, 2.6)
    outlier[3, 4] = 9.0
    low_rank = good + 0.4 * np.outer(rng.standard_normal(96), rng.standard_normal(128))
    seen = {
        "mean": good + 0.1,
        "scale": good * 1.1,
        "extremes": outlier,
        "shape": rng.laplace(0, math.sqrt(0.5), shape).clip(-4, 4),
        "matrix": low_rank / low_rank.std(),
    }
    assert refusal(law, Sample(good, "float64")) is None
    for test, values in seen.items():
        found = {name: p for name, p in every(law, Sample(values, "float64"))}
        assert found[test] < 1e-5, test
    assert dict(every(law, Sample(clipped, "float64")))["repeats"] < 1e-5
    cut = TruncatedNormal(0.0, 1.0, -2.0, 2.0)
    assert refusal(cut, Sample(np.array([0.0, 2.001]), "float64")) == ("support", 0.0)
    assert refusal(cut, Sample(np.array([0.1, 1.9]), "float64")) is None


# ----------------------------------------------------------------------------------- what is named


@pytest.mark.parametrize(
    ("name", "shape", "layout"),
    [
        ("he_normal", (64, 96), "io"),
        ("he_normal@torch", (96, 64), "oi"),
        ("glorot_uniform", (3, 5, 32, 48), "hwio"),
        ("lecun_normal@keras", (3, 3, 64, 4), "hwgo"),
        ("truncated_normal(std=0.02)", (64, 96), "io"),
        ("uniform@torch", (64, 96), "oi"),
        ("he_uniform@torch(a=2.23606797749979)", (48, 32, 3, 3), "oihw"),
        ("zeros", (9,), "o"),
        ("ones", (9,), "o"),
        ("constant(value=0.25)", (9, 5), "io"),
        ("identity", (64, 96), "io"),
        ("dirac", (48, 32, 3, 3), "oihw"),
        ("dirac(groups=4)", (48, 8, 3, 3), "oihw"),
        ("bilinear", (5, 3, 8, 12), "hwio"),
        ("orthogonal", (64, 96), "io"),
        ("orthogonal(gain=1.3)", (64, 96), "io"),
        ("orthogonal", (48, 32, 3, 3), "oihw"),
        ("orthogonal", (96, 30), "oi, stack=3"),
        ("delta_orthogonal", (3, 3, 32, 48), "hwio"),
        ("sparse", (64, 96), "io"),
        ("sparse(sparsity=0.3)", (96, 64), "oi"),
        ("sparse@torch(sparsity=0.3)", (96, 64), "oi"),
        ("sparse(sparsity=0.3, zeros_per='in')", (48, 96), "io"),
        ("sparse(zeros_per='in')", (64, 96), "io"),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_names(name: str, shape: tuple[int, ...], layout: str, dtype: str) -> None:
    array = get(name).numpy(shape, seed=11, layout=layout, dtype=dtype)
    found = infer(array, layout)
    assert name in found.names
    assert found.dtype == dtype
    assert found.needed is None


def test_a_stack_is_orthogonal_only_with_its_layout() -> None:
    array = get("orthogonal").numpy((96, 64), seed=0, layout="oi, stack=3")
    assert not any(name.startswith("orthogonal") for name in infer(array, "oi").names)


def test_the_plainest_name_of_a_group_goes_first() -> None:
    """Where likelihood says nothing: tinygrad's he_uniform has 0.9999 of the variance."""
    likelier = 0
    for seed in range(6):
        found = infer(get("he_uniform").numpy((64, 96), seed=seed, layout="io"), "io")
        first, by_name = found.groups[0][0], {m.names[0]: m for m in found.groups[0]}
        assert first.names[0] == "he_uniform"
        assert found.sentence.startswith("Could be he_uniform: uniform on")
        likelier += by_name["he_uniform@tinygrad"].log_likelihood > first.log_likelihood
        plain = [plainest(match.names[0])[:2] for match in found.groups[0]]
        assert plain == sorted(plain)
    assert likelier > 1  # so that likelihood alone would have named it first


def test_equally_plain_names_go_by_likelihood() -> None:
    """Some 2,000 numbers, which 1 / 47 and 1 / 46 fit both."""
    first, second = infer(get("lecun_normal").numpy((47, 45), seed=2), "io").groups[0][:2]
    assert (first.names[0], second.names[0]) == ("lecun_normal", "glorot_normal")
    assert first.log_likelihood > second.log_likelihood


def test_both_usual_layouts_are_tried() -> None:
    array = get("lecun_normal").numpy((64, 24, 5, 3), seed=0, layout="oihw")
    found = infer(array)
    assert found.layouts == ("hwio", "oihw")
    origin = found.groups[0][0].origins[0]
    assert (origin.name, origin.layouts) == ("lecun_normal", ("oihw",))
    assert "lecun_normal" not in infer(array, "hwio").names
    assert "[oihw]" in found.sentence
    assert infer(get("glorot_normal").numpy((64, 96), seed=0)).groups[0][0].origins[0].layouts == ()


def test_a_framework_has_its_layout_and_its_names() -> None:
    array = get("he_normal@torch").numpy((96, 64), seed=0, layout="oi")
    found = infer(array, framework="torch")
    assert found.layouts == ("oi",)
    assert found.names[0] == "he_normal@torch"
    assert all("@" not in name or "@torch" in name for name in found.names)
    assert infer(array.T, framework="keras").layouts == ("io",)
    with pytest.raises(UnknownName, match="did you mean 'torch'"):
        infer(array, framework="tourch")


def test_a_truncated_law_is_likelier_than_the_normal_one_that_fits_worse() -> None:
    found = infer(get("he_normal").numpy((64, 96), seed=0), "io")
    assert "he_normal" in found.names
    assert "he_normal@torch" not in found.names
    assert isinstance(found.law, TruncatedNormal)


def test_bits_of_bfloat16_and_numbers_since_widened() -> None:
    import ml_dtypes

    wide = get("he_uniform").numpy((64, 96), seed=0, dtype="float32")
    narrow = wide.astype(ml_dtypes.bfloat16)
    expected = infer(narrow, "io")
    assert expected.dtype == "bfloat16"
    assert "he_uniform" in expected.names
    assert infer(narrow.view(np.uint16), "io", dtype="bfloat16") == expected
    widened = infer(narrow.astype(np.float64), "io")
    assert widened.groups == expected.groups  # tested as what it was rounded to
    half = infer(wide.astype(np.float16), "io", dtype="float16")
    assert half.names == expected.names


def test_a_scale_of_nobody() -> None:
    values = np.random.default_rng(0).normal(0, 0.7, (64, 96))
    found = infer(values)
    assert (found.groups, found.names, found.law) == ((), (), None)
    assert isinstance(found.looks, Normal)
    assert found.looks.sigma == pytest.approx(0.7, rel=0.03)
    assert found.sentence.startswith("None of ours: normal, std 0.69")
    assert "no scheme's scale on this shape" in found.sentence
    bias = infer(np.random.default_rng(0).uniform(-(512**-0.5), 512**-0.5, 256))
    assert isinstance(bias.looks, Uniform)
    assert "a limit of about 1 / sqrt(510)" in bias.sentence


def test_what_is_strange_about_a_tensor_is_said() -> None:
    rng = np.random.default_rng(0)
    normal = rng.normal(0, 0.7, (96, 128))
    update = np.outer(rng.normal(size=96), rng.normal(size=128))
    assert "hang together" in infer(normal + 0.4 * update).sentence
    assert "the number 0 stands in it" in infer(normal * (rng.random((96, 128)) < 0.7)).sentence
    assert "excess kurtosis" in infer(rng.laplace(size=(96, 128))).sentence
    levels = dtypes.rounded(rng.integers(128, size=(96, 128)) / 64 - 1, "bfloat16")
    assert "only 128 different numbers" in infer(levels, dtype="bfloat16").sentence


def test_copies_are_no_training() -> None:
    doubled = np.random.default_rng(0).normal(0, 0.7, (64, 96))
    doubled[32:] = doubled[:32]
    assert "32 of its rows are copies of others" in infer(doubled).sentence
    assert "32 of its columns are copies of others" in infer(doubled.T.copy()).sentence


def test_the_surprising_number_is_named_and_not_the_commonest() -> None:
    clipped = np.random.default_rng(0).normal(0, 0.7, (64, 96)).clip(-0.9, None)
    assert "the number -0.9 stands in it" in infer(clipped).sentence
    common = np.random.default_rng(0).normal(0, 0.7, (64, 96))
    common.flat[::23] = 0.25
    assert "the number 0.25 stands in it 268 times" in infer(common.astype(np.float32)).sentence


@pytest.mark.parametrize("axis", [0, 1])
def test_a_zero_row_is_set_apart(axis: int) -> None:
    table = get("normal(std=0.02)").numpy((64, 96), seed=0)
    table[(slice(None),) * axis + (3,)] = 0
    found = infer(table)
    assert "normal(std=0.02)" in found.names
    assert not any(name.startswith("sparse") for name in found.names)
    word = ("Row", "Column")[axis]
    hint = ", as the one of a padding index is" * (axis == 0)
    assert found.sentence.startswith(f"{word} 3 is zero{hint}; the rest could be normal(std=0.02)")
    assert "sparse" in infer(get("sparse").numpy((64, 96), seed=0)).names[0]


def test_integers_are_no_weights() -> None:
    for dtype in ("int64", "int32", "uint8", "bool"):
        with pytest.raises(SpecError, match=f"numbers of {dtype} are no weights"):
            infer(np.arange(6).reshape(2, 3).astype(dtype))


@pytest.mark.parametrize(
    ("shape", "limit", "name"),
    [
        ((128, 20), 32**-0.5, "torch.nn.LSTM#weight_ih_l0"),
        ((128, 32), 32**-0.5, "torch.nn.Linear#weight"),
        ((96, 20), 32**-0.5, "torch.nn.GRU#weight_ih_l0"),
        ((64, 32, 3, 3), 288**-0.5, "torch.nn.Conv2d#weight"),
        ((200, 300), 300**-0.5, "torch.nn.Linear#weight"),
        ((400,), 100**-0.5, "torch.nn.LSTM#bias_ih_l0"),
    ],
)
def test_what_layers_draw_by_default(shape: tuple[int, ...], limit: float, name: str) -> None:
    found = infer(np.random.default_rng(0).uniform(-limit, limit, shape).astype(np.float32))
    assert name in found.names
    layer, _, parameter = name.partition("#")
    assert f"the default of {layer} ({parameter})" in found.sentence


def test_too_small_to_say_anything() -> None:
    values = np.random.default_rng(0).normal(0, 0.02, (3, 4))
    found = infer(values)
    assert found.needed is not None
    assert found.sentence.startswith("12 values are too few to say anything")
    assert f"about {found.needed:,} " in found.sentence
    # as many as said do tell them apart
    side = math.isqrt(found.needed) + 1
    assert infer(np.random.default_rng(0).normal(0, 0.02, (side, side + 3))).needed is None
    one = infer(np.float32(0.3))
    assert one.sentence.startswith("One value is too few")
    assert one.needed == draws(ks(Normal(0, 1), Normal(0, math.sqrt(0.5))))


@pytest.mark.parametrize(
    ("array", "options", "error", "words"),
    [
        (np.zeros((0, 3)), {}, SpecError, r"shape \(0, 3\) is empty"),
        (np.array([1.0, math.nan, math.inf]), {}, SpecError, "2 of 3 values are NaN or infinite"),
        (np.array(["a"]), {}, SpecError, "weights are of float64, float32"),
        (np.array([1j]), {}, SpecError, "not complex128"),
        (np.array([None, {}]), {}, SpecError, "not object"),
        (np.array([[1, 2]], np.uint16), {}, SpecError, "need dtype='bfloat16'"),
        (np.zeros((2, 3)), {"dtype": "float16"}, SpecError, "float64, not of float16"),
        (np.zeros((2, 3)), {"dtype": "float17"}, UnknownName, "did you mean 'float16'"),
        ([[1.0], [1.0, 2.0]], {}, SpecError, "an array of numbers was expected"),
        (np.zeros((2, 3)), {"layout": "oihw"}, LayoutError, "names 4 axes"),
    ],
)
def test_what_is_no_tensor(
    array: Any, options: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        infer(array, **options)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 6), max_size=4),
    st.sampled_from(["float64", "float32", "float16"]),
    st.integers(0, 9),
)
def test_any_small_tensor_gets_a_sentence(sizes: list[int], dtype: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.choice([0.0, 1.0, -0.5, 1e-8, 6e4, rng.normal()], sizes)
    found = infer(np.asarray(values, dtype))
    assert found.sentence.endswith(".")
    json.dumps(found.to_dict(), allow_nan=True)


def test_an_inference_is_a_value() -> None:
    found = infer(get("he_normal").numpy((64, 96), seed=0))
    assert pickle.loads(pickle.dumps(found)) == found
    with pytest.raises(AttributeError):
        found.needed = 3  # type: ignore[misc]


def test_every_entry_can_be_a_candidate() -> None:
    """No row is left out by mistake: each comes up on some shape, or has a value to be read."""
    named = {"array", "custom"}
    for shape in ((64, 96), (5, 3, 32, 48), (9,)):
        layouts = tuple(Layout.of(None, len(shape), out_first=first) for first in (False, True))
        for one in candidates(shape, layouts):
            named |= {origin.name.partition("(")[0] for origin in one.origins}
    for entry in schemes.values():
        if entry.name not in named:
            assert "value" in {argument.field for argument in entry.arguments.values()}, entry.name


# -------------------------------------------------------------------------------- the command line


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(("infer", *argv))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weight = get("he_normal").numpy((64, 96), seed=0)
    np.save(tmp_path / "one.npy", weight)
    code, out, _ = run(capsys, str(tmp_path / "one.npy"))
    assert code == 0
    assert out.startswith("one (64, 96) float32: Could be he_normal [io]: normal cut at -2 and 2")
    bad = np.array([1.0, math.nan])
    np.savez(tmp_path / "two.npz", **{"a.weight": weight, "a.bias": np.zeros(96), "bad": bad})
    code, out, _ = run(capsys, str(tmp_path / "two.npz"), "--layout", "io", "--json")
    data = json.loads(out)["tensors"]
    assert code == 0
    assert data["a.weight"]["layouts"] == ["io"]
    assert data["a.bias"]["groups"][0][0]["names"][0]["name"] == "zeros"
    assert "1 of 2 values are NaN" in data["bad"]["error"]
    code, out, err = run(capsys, str(tmp_path / "two.npz"), "--layout", "oihw")
    assert code == 2
    assert "has the 4 axes of 'oihw'" in err
    code, _, err = run(capsys, str(tmp_path / "one.npy"), "--framework", "tourch")
    assert code == 2
    assert "did you mean 'torch'" in err
    np.save(tmp_path / "nan.npy", bad)
    assert run(capsys, str(tmp_path / "nan.npy"))[0] == 2


def safetensors(path: Path, header: Any, numbers: bytes) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    return path


def test_safetensors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weight = get("he_normal@torch").numpy((96, 64), seed=0, layout="oi", dtype="bfloat16")
    bits, steps = weight.view(np.uint16).tobytes(), np.arange(3).tobytes()
    header = {
        "__metadata__": {"format": "pt"},
        "fc.weight": {"dtype": "BF16", "shape": [96, 64], "data_offsets": [0, len(bits)]},
        "steps": {"dtype": "I64", "shape": [3], "data_offsets": [len(bits), len(bits) + 24]},
        "odd": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]},
    }
    path = safetensors(tmp_path / "w.safetensors", header, bits + steps)
    code, out, _ = run(capsys, str(path), "--framework", "torch")
    assert code == 0
    assert "fc.weight (96, 64) bfloat16: Could be he_normal@torch: normal" in out
    assert "odd: weights are not drawn in numbers of type F8_E4M3." in out


def test_as_the_package_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = pytest.importorskip("safetensors.numpy")
    weight = get("glorot_uniform").numpy((64, 96), seed=0)
    package.save_file({"w": weight, "b": np.zeros(3, np.float16)}, tmp_path / "w.safetensors")
    code, out, _ = run(capsys, str(tmp_path / "w.safetensors"))
    assert code == 0
    assert "w (64, 96) float32: Could be glorot_uniform: uniform" in out
    assert "b (3,) float16: Could be zeros" in out


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def test_files_that_hold_no_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exploded = tmp_path / "exploded"
    objects = np.array([Bomb(exploded)], object)
    np.save(tmp_path / "objects.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "objects.npz", w=objects)
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps(Bomb(exploded)))
    np.savez(tmp_path / "none.npz")
    (tmp_path / "text.npy").write_text("weights")
    (tmp_path / "text.npz").write_text("weights")
    (tmp_path / "empty.npz").touch()
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Bomb(exploded)))
    (tmp_path / "folder.npy").mkdir()
    whole = (tmp_path / "good.npy", tmp_path / "short.npy")
    np.save(whole[0], np.zeros(100))
    whole[1].write_bytes(whole[0].read_bytes()[:-9])
    row = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
    safetensors(tmp_path / "short.safetensors", {"w": row}, b"123")
    safetensors(tmp_path / "list.safetensors", [1], b"")
    safetensors(tmp_path / "odd.safetensors", {"w": {"dtype": "F32"}}, b"")
    safetensors(tmp_path / "bare.safetensors", {}, b"")
    (tmp_path / "long.safetensors").write_bytes(b"\xff" * 20)
    (tmp_path / "tiny.safetensors").write_bytes(b"abc")
    for name, words in {
        "objects.npy": "cannot be read as .npy: Object arrays cannot be loaded",
        "objects.npz": "cannot be read as .npz: Object arrays cannot be loaded",
        "pickle.npy": "cannot be read as .npy",
        "none.npz": "holds no tensors",
        "text.npy": "cannot be read as .npy",
        "text.npz": "File is not a zip file",
        "empty.npz": "is empty",
        "missing.npy": "No such file",
        "folder.npy": "cannot be read as .npy",
        "model.pt": "A pickle (.pt, .pkl) is not opened",
        "short.npy": "cannot be read as .npy",
        "short.safetensors": "names bytes that are not there",
        "list.safetensors": "its header is not what the format says",
        "odd.safetensors": "its header is not what the format says",
        "bare.safetensors": "holds no tensors",
        "long.safetensors": "ends within its header",
        "tiny.safetensors": "ends within its header",
    }.items():
        code, out, err = run(capsys, str(tmp_path / name))
        assert code == 2, name
        assert words in out + err, name
        assert "Traceback" not in err
    assert not exploded.exists()
