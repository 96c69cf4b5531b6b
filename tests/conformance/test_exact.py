"""The exact tier: a second opinion on fans and formulas, coupling, seeds, and the portable stream."""

import math
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")

from hypothesis import given, settings
from hypothesis import strategies as st

import initspec
from initspec import plugins, stream
from initspec.conformance.batteries import (
    documented,
    end_words,
    exact,
    known_answers,
    known_samplers,
    stream_reference,
)
from initspec.conformance.batteries.by_hand import FORMULAS, contraction, naive
from initspec.conformance.cell import Cell
from initspec.conformance.design import Budget
from initspec.conformance.judge import judge
from initspec.conformance.probability import transform
from initspec.conformance.suite import backend_cells
from initspec.conformance.targets.backend import BackendTarget
from initspec.conformance.targets.target import completed
from initspec.readings.registry import get, schemes
from initspec.spec.distribution import Constant, Normal, TruncatedNormal, Uniform
from initspec.spec.layout import Layout, fans, layers
from initspec.stream import canonical_order, dtypes

HERE = Path(__file__).parents[1]

#: What is kept of an adapter from cell to cell.
REMEMBERED = (known_answers.known, stream_reference.layouts, end_words.injected)


@dataclass
class Maker:
    """A target: a function of law, shape, dtype and seed."""

    make: Any
    layout: Layout
    claim: str
    name: str = "maker"
    resolution: int = 22

    def draw(self, shape, *, dtype, seed):
        law = get(self.claim).on(shape, self.layout)
        found = dtypes.rounded(np.asarray(self.make(law, shape, seed)), dtype)
        return found.view(dtypes.bfloat16()) if dtype == "bfloat16" else found


def normal(law, shape, seed):
    return law.mean + law.std * np.random.default_rng(seed).standard_normal(shape)


def cell(make, claim="he_normal@torch", shape=(86, 8), layout="io", dtype="float32"):
    axes = Layout.parse(layout)
    target = make if hasattr(make, "draw") else Maker(make, axes, claim)
    return Cell(
        target=completed(target),
        scheme=get(claim),
        shape=shape,
        layout=axes,
        dtype=dtype,
        tier="exact",
    )


def findings(one):
    return {found.test: found for found in exact.battery(one)}


def refusals(one):
    found = findings(one)
    assert all(item.p in (0, 1) for item in found.values())
    return {test: item.note for test, item in found.items() if item.p == 0}


def portable(claim, shape=(86, 8), layout="io", dtype="float32"):
    axes = Layout.parse(layout)
    return cell(BackendTarget("numpy", get(claim), axes, "portable"), claim, shape, layout, dtype)


@pytest.fixture
def fresh():
    """What is remembered of a backend is forgotten, before and after it is spoilt."""
    for remembered in REMEMBERED:
        remembered.cache_clear()
    yield
    for remembered in REMEMBERED:
        remembered.cache_clear()


# ------------------------------------------------------------------------------ fans and formulas


def sizes(layout):
    """A size of its own for each axis, divisible where groups or fused parameters need it."""
    letters = "i" if layout.transposed else "o"
    parts = layout.groups * layout.stack
    found = zip(layout.axes, (2, 3, 5, 7, 4), strict=False)
    return tuple(n * parts if letter == letters else n for letter, n in found)


def presets():
    for name, layout in layers().items():
        yield pytest.param(layout, id=name)
        once = layout.axes.count("i") == layout.axes.count("o") == 1
        if "Conv" in name and once and layout.stack == 1:
            yield pytest.param(replace(layout, groups=3), id=f"{name}, groups=3")


@pytest.mark.parametrize("layout", list(presets()))
def test_the_fans_of_every_layer_are_those_of_its_contraction(layout):
    shape = sizes(layout)
    assert fans(shape, layout) == contraction(shape, layout)
    assert fans(shape, layout, "naive") == naive(shape, layout)


@pytest.mark.parametrize(("groups", "transposed"), [(1, False), (2, False), (1, True), (2, True)])
def test_the_contraction_is_that_of_the_loops_of_a_convolution(groups, transposed):
    inputs, outputs, taps, length = 4, 6, 3, 9
    per_in, per_out = inputs // groups, outputs // groups
    into, out_of = {}, {}
    for group in range(groups):
        for i in range(per_in):
            for o in range(per_out):
                for tap in range(taps):
                    for at in range(length):
                        source = group * per_in + i, at
                        sink = group * per_out + o, at + tap
                        into[sink] = into.get(sink, 0) + 1
                        out_of[source] = out_of.get(source, 0) + 1
    shape, text = (
        ((inputs, per_out, taps), "iow, transposed")
        if transposed
        else (
            (outputs, per_in, taps),
            "oiw",
        )
    )
    layout = Layout.parse(f"{text}, groups={groups}" if groups > 1 else text)
    assert contraction(shape, layout) == (max(into.values()), max(out_of.values()))


def test_a_fan_that_is_not_divided_by_its_groups_is_found(monkeypatch):
    one = portable("he_normal", (8, 3, 2), "oiw, groups=4")
    assert not refusals(one)
    monkeypatch.setattr(
        documented, "fans", lambda shape, layout, rule="true": fans(shape, layout, "naive")
    )
    assert set(refusals(one)) == {"fans"}


def test_every_named_scheme_of_single_elements_has_a_formula_by_hand():
    wanted = set()
    for name, entry in schemes.items():  # the dialects' formulas: tests/test_dialects.py
        law = (
            get(name).on((12, 5), "io")
            if get(name).distribution
            in (
                "constant",
                "normal",
                "uniform",
                "truncated_normal",
            )
            else None
        )
        wanted |= {name} if law is not None and entry.dialect is None else set()
    assert wanted <= set(FORMULAS) <= set(schemes)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_formulas_by_hand_agree(name):
    for shape, text in (((86, 8), "io"), ((5, 7, 8, 38), "hwio"), ((6, 4, 3), "iow, transposed")):
        layout = Layout.parse(text)
        assert (
            documented.formula(cell(normal, name, shape, text), get(name).on(shape, layout)).p == 1
        )


def test_a_wrong_formula_is_found():
    one = cell(normal, "he_normal")
    law = get("he_normal").on((86, 8), "io")
    assert documented.formula(one, law).note == ""
    wrong = get("he_normal").replace(factor=1.0001).on((86, 8), "io")
    assert documented.formula(one, wrong).p == 0


# --------------------------------------------------------------------------- targets of any kind


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("layout", [((86, 8), "io"), ((38, 8, 5, 7), "oihw")])
def test_a_right_initializer_passes(layout, dtype):
    shape, text = layout
    found = findings(cell(normal, "he_normal@torch", shape, text, dtype))
    assert not refusals(cell(normal, "he_normal@torch", shape, text, dtype))
    assert {"support", "seed", "seeds", "types", "coupling", "base", "fans", "formula"} <= set(
        found
    )
    for test in ("coupling", "base"):
        assert found[test].applies


def test_what_cannot_be_asked_is_said():
    def rows(law, shape, seed):  # every row from a generator of its own
        draws = [
            np.random.default_rng([seed, i]).standard_normal(shape[1:]) for i in range(shape[0])
        ]
        return law.std * np.array(draws)

    found = findings(cell(rows))
    assert {found[test].p for test in ("coupling", "base")} == {1.0}
    assert "nothing in common" in found["coupling"].note
    assert "no known sampler" in found["base"].note


WRONG = {
    "swapped fans": (
        lambda law, s, seed: normal(law, s, seed) * math.sqrt(s[0] / s[1]),
        "coupling",
    ),
    "a slope of 0.01": (lambda law, s, seed: normal(law, s, seed) / math.sqrt(1.0001), "base"),
    "one fan for all": (lambda law, s, seed: normal(law, s, seed) / law.std * 0.15, "coupling"),
    "std in bfloat16": (
        lambda law, s, seed: normal(law, s, seed) / law.std * float(np.float16(law.std)),
        "coupling",
    ),
    "absolute bounds": (
        lambda law, s, seed: np.clip(normal(law, s, seed), -0.45, 0.45),
        "coupling",
    ),
    "seed ignored": (lambda law, s, seed: normal(law, s, 7), "seeds"),
    "seed of 16 bits": (lambda law, s, seed: normal(law, s, seed % 65536), "seeds"),
    "new each time": (lambda law, s, seed: normal(law, s, None), "seed"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_faults_are_found(fault):
    make, test = WRONG[fault]
    assert test in refusals(cell(make))


def test_the_ratio_is_said_to_the_last_digits():
    note = refusals(cell(WRONG["a slope of 0.01"][0]))["base"]
    assert "0.99995 times" in note
    assert "default_rng" in note


def test_values_beyond_the_bounds_are_found():
    def leak(law, shape, seed):
        x = transform.ppf(law, np.random.default_rng(seed).random(shape))
        x.flat[3] = law.support[1] * 1.001
        return x

    assert "support" in refusals(cell(leak, "he_normal"))
    assert "support" not in refusals(cell(lambda *a: leak(*a) / 1.01, "he_normal"))


@dataclass
class Narrow(Maker):
    """Its bfloat16 is float32 with half of the bits left out."""

    def draw(self, shape, *, dtype, seed):
        x = super().draw(shape, dtype="float32", seed=seed)
        if dtype == "float32":
            return x
        return (x.view(np.uint32) >> 16).astype(np.uint16).view(dtypes.bfloat16())


def test_a_narrow_type_that_is_cut_off_is_found():
    one = cell(Narrow(normal, Layout("io"), "he_normal@torch"), dtype="bfloat16")
    assert "rounded to nearest" in refusals(one)["types"]
    other = cell(lambda law, shape, seed: normal(law, shape, [seed, shape[0]]), dtype="bfloat16")
    assert "types" not in refusals(other)


def test_a_narrow_type_of_other_bits_is_not_held_against_float32():
    @dataclass
    class Other(Maker):
        def draw(self, shape, *, dtype, seed):
            return super().draw(shape, dtype=dtype, seed=seed + (dtype == "float32"))

    found = findings(cell(Other(normal, Layout("io"), "he_normal@torch"), dtype="bfloat16"))
    assert "other bits" in found["types"].note


def test_a_draw_that_moves_the_global_state_is_found():
    class Careless(BackendTarget):
        def draw(self, shape, *, dtype, seed):
            random.random()
            return super().draw(shape, dtype=dtype, seed=seed)

    axes = Layout("io")
    one = cell(Careless("numpy", get("he_normal"), axes, "portable"), "he_normal")
    assert "random" in refusals(one)["globals"]


@pytest.mark.parametrize("claim", ["zeros", "ones", "identity"])
def test_constants_are_exact(claim):
    assert not refusals(portable(claim))
    right = get(claim).numpy((86, 8), layout="io")
    wrong = right.copy()
    wrong[2, 2] += 1e-3
    assert not refusals(cell(lambda law, shape, seed: right, claim))
    assert "exact" in refusals(cell(lambda law, shape, seed: wrong, claim))


def test_tied_elements_are_exact():
    wrong = {
        "orthogonal": (lambda law, s, seed: 1.01 * orthogonal(s, seed), "residual"),
        "delta_orthogonal": (lambda law, s, seed: np.full(s, 0.1), "taps"),
        "sparse": (lambda law, s, seed: np.random.default_rng(seed).standard_normal(s), "zeros"),
    }
    shapes = {"delta_orthogonal": ((3, 8, 16), "wio")}
    for claim, (make, test) in wrong.items():
        where = shapes.get(claim, ((24, 8), "io"))
        assert not refusals(portable(claim, *where))
        assert test in refusals(cell(make, claim, *where))


def orthogonal(shape, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal(shape))[0]


def test_a_cell_of_the_exact_tier_is_judged():
    assert judge(cell(normal), Budget()).verdict == "PASS"
    record = judge(cell(WRONG["swapped fans"][0]), Budget())
    assert record.verdict == "FAIL"
    assert "W(86, 8) / W(43, 16) is 1.414214, documented is 0.7071068" in record.sentence


# ---------------------------------------------------------------------------- the portable stream

CLAIMS = (
    "he_normal",
    "he_uniform",
    "he_normal@torch",
    "uniform@torch",
    "orthogonal",
    "sparse",
    "sparse@torch",
    "zeros",
)


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_numpy_backend_conforms(claim):
    for one in backend_cells(["numpy"], only=[claim], tier="exact"):
        assert not refusals(one), one.name


@pytest.mark.slow
def test_the_numpy_backend_conforms_in_every_scheme():
    for one in backend_cells(["numpy"], tier="exact"):
        assert not refusals(one), one.name


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "claim", [name for name in FORMULAS if not name.startswith(("zero", "one", "const"))]
)
def test_the_end_words_are_finite_in_the_support_in_order_and_symmetric(claim, dtype):
    one = portable(claim, dtype=dtype)
    assert end_words.ends(one, get(claim).on((86, 8), "io")).note == ""


@pytest.mark.parametrize(
    ("law", "spoilt", "problem"),
    [
        (Normal(0, 1), lambda x: np.where(x == x.min(), -np.inf, x), "not finite"),
        (Uniform(-1, 1), lambda x: 1.01 * x, "outside the support"),
        (Uniform(-1, 1), lambda x: x[::-1], "not in order"),
        (TruncatedNormal(0, 1, -100, 100), lambda x: np.where(x == x.min(), -100, x), "from -100"),
    ],
)
def test_wrong_end_words_are_found(law, spoilt, problem):
    one = cell(normal)
    one.target.transform = lambda words, law, dtype: stream.values(words, law.draw)
    assert end_words.ends(one, law).note == ""
    one.target.transform = lambda words, law, dtype: spoilt(stream.values(words, law.draw))
    assert problem in end_words.ends(one, law).note


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1))
def test_an_index_with_any_word_can_be_found(seed, word):
    key = stream.key_from_seed(seed)
    high, low = end_words.index_of(key, word)
    assert stream.words(key, np.array([high << 32 | low], np.uint64))[0] == word


@pytest.mark.parametrize(
    "text",
    ["io", "oi", "oi, stack=3", "hwio", "oihw, groups=2", "iohw, transposed", "bio", "hwgo", "ino"],
)
def test_the_canonical_order_is_counted_alike_twice(text):
    layout = Layout.parse(text)
    shape = (6, 4, 3, 2)[: len(layout.axes)]
    found = stream_reference.canonical_index(shape, layout)
    assert sorted(found.ravel()) == list(range(found.size))
    for block in canonical_order.blocks(shape, layout):
        places = np.full(block.shape, block.base)
        for axis, (size, stride) in enumerate(zip(block.shape, block.strides, strict=True)):
            steps = np.arange(size) * stride
            places += steps.reshape([-1 if axis == i else 1 for i in range(places.ndim)])
        assert np.array_equal(places.reshape(found[block.part].shape), found[block.part])


class Spoilt:
    """The NumPy backend with one fault."""

    def __init__(self, **faults):
        self._right, self._faults = plugins.backend("numpy"), faults

    def __getattr__(self, name):
        return self._faults.get(name) or getattr(self._right, name)


def sampling(change):
    right = plugins.backend("numpy")
    return lambda law, shape, **options: change(right, law, shape, options)


def one_word_wrong(numpy, law, shape, options):
    """The greatest word gives an infinity: -log(0)."""
    found = numpy.sample(law, shape, **options)
    words = numpy.words(
        options["key"], shape, layout=options["layout"], window=options.get("window")
    )
    found[words == 2**32 - 1] = np.inf
    return found


def row_major(numpy, law, shape, options):
    """The layout is not asked: the order is that of the memory."""
    wanted = "dhw"[: len(shape) - 2] + "io"
    return numpy.sample(law, shape, **{**options, "layout": wanted})


def window_alone(numpy, law, shape, options):
    """A window is drawn as if it were a tensor of its own."""
    window = options.pop("window", None)
    if window is not None:
        shape = tuple(part.stop - part.start for part in window)
        options["layout"] = str(options["layout"]).partition(",")[0]
    return numpy.sample(law, shape, **options)


def last_digit(numpy, law, shape, options):
    found = numpy.sample(law, shape, **options)
    bits = found.view(f"u{found.itemsize}")
    bits[...] = bits ^ 1
    return found


@pytest.mark.parametrize(
    ("change", "tests"),
    [
        (one_word_wrong, {"injected"}),
        (row_major, {"layouts", "known"}),
        (window_alone, {"reference", "layouts", "injected"}),
        (last_digit, {"reference", "layouts", "injected", "known"}),
    ],
)
def test_spoilt_backends_are_found(change, tests, monkeypatch, fresh):
    one = portable("he_normal")
    assert not refusals(one)
    for remembered in REMEMBERED:
        remembered.cache_clear()
    spoilt = Spoilt(sample=sampling(change))
    monkeypatch.setattr(plugins, "backend", lambda name: spoilt)
    assert set(refusals(one)) == tests


def test_a_wrong_key_is_found(monkeypatch, fresh):
    right = plugins.backend("numpy")
    spoilt = Spoilt(key=lambda source=None, name=None: right.key(source % 2**32, name))
    monkeypatch.setattr(plugins, "backend", lambda name: spoilt)
    assert "the key of 4294967296" in refusals(portable("he_normal"))["known"]


def test_a_standard_law_has_mean_zero_and_standard_deviation_one():
    for law in (Normal(2, 3), Uniform(-1, 5), TruncatedNormal(1, 0.3, -2, 2)):
        found = known_samplers.standard(law)
        assert (found.mean, found.std) == (pytest.approx(0, abs=1e-15), pytest.approx(1))
    assert known_samplers.standard(TruncatedNormal(0, 1, 1, 3)) is None
    assert known_samplers.standard(Constant(1.0)) is None


def test_the_suite_takes_the_exact_tier():
    from initspec.conformance import check

    assert check("numpy", "he_normal", tier="exact").conforms
    wrong = check(
        lambda shape, seed: np.float32(np.random.default_rng(seed).standard_normal(shape)),
        initspec.get("he_normal@torch"),
        tier="exact",
    )
    assert "times the documented scale" in wrong.records[0].sentence


def test_the_json_says_what_does_not_apply_and_is_read_again():
    from initspec.conformance import check
    from initspec.conformance.report.reading import read

    report = check("numpy", "he_normal", tier="exact", shape=(86, 8))
    rows = report.to_dict()["records"][0]["decisions"]
    assert {row["test"] for row in rows if "applies" in row} == {"types", "generator"}
    assert all(row.get("applies", False) is False for row in rows)
    assert read(report.to_json(), "run.json") == report
