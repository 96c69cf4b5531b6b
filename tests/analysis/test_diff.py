"""Distances against dense maximisation, against SciPy, and against a published table."""

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import initspec
from initspec import LayoutError, SpecError, UnknownName, diff, equivalent, get
from initspec.commands.main import main
from initspec.spec.distance import draws, ks
from initspec.spec.distribution import (
    Constant,
    Distribution,
    Normal,
    Triangular,
    TruncatedNormal,
    Uniform,
)
from initspec.spec.marginals import Discrete, HaarEntry, Spiked

PLACE = st.floats(-3, 3)
WIDTH = st.floats(0.05, 20)


def laws() -> st.SearchStrategy[Distribution]:
    """Laws of every family that has a distance."""
    normal = st.builds(Normal, PLACE, WIDTH)
    uniform = st.builds(lambda low, width: Uniform(low, low + width), PLACE, WIDTH)
    cut = st.builds(
        lambda mu, sigma, low, width: TruncatedNormal(mu, sigma, low, low + width),
        PLACE,
        WIDTH,
        PLACE,
        st.floats(0.1, 5),
    )
    spiked = st.builds(Spiked, st.builds(Normal, st.just(0.0), WIDTH), st.floats(0, 0.99))
    discrete = st.dictionaries(PLACE, st.integers(1, 9), min_size=1, max_size=5).map(Discrete.of)
    return st.one_of(normal, uniform, cut, spiked, discrete, st.builds(Constant, PLACE))


def dense(a: Distribution, b: Distribution) -> float:
    """The greatest difference over many places, and on both sides of each atom."""
    p = [(i + 0.5) / 4000 for i in range(4000)]
    places = {law.ppf(q) for law in (a, b) for q in p}
    places |= {end for law in (a, b) for end in law.support if math.isfinite(end)} | {0.0}
    for law in (a, b):
        places |= set(law.values) if isinstance(law, Discrete) else set()
    places |= {math.nextafter(x, -math.inf) for x in places}
    return max(abs(a.cdf(x) - b.cdf(x)) for x in places)


@settings(max_examples=100, deadline=None)
@given(laws(), laws())
def test_no_place_has_a_greater_difference(a: Distribution, b: Distribution) -> None:
    found = ks(a, b)
    assert found == pytest.approx(ks(b, a), abs=1e-12)
    # between two quantiles of both laws neither function rises by more than a step
    assert dense(a, b) - 1e-12 <= found <= dense(a, b) + 1 / 4000 + 1e-12


@settings(max_examples=60, deadline=None)
@given(WIDTH, laws().filter(lambda law: law.kind in ("uniform", "discrete", "constant")))
def test_triangular(limit: float, other: Distribution) -> None:
    a = Triangular(limit)
    assert ks(a, other) == pytest.approx(ks(other, a), abs=1e-12)
    assert dense(a, other) - 1e-12 <= ks(a, other) <= dense(a, other) + 1 / 4000 + 1e-12
    with pytest.raises(SpecError, match="not known in closed form"):
        ks(a, Normal(0.0, 1.0))


@settings(max_examples=60, deadline=None)
@given(WIDTH, WIDTH, PLACE, PLACE)
def test_the_place_is_the_greatest_to_rounding(s: float, t: float, m: float, n: float) -> None:
    """Golden sections around the best of the dense places come to the same number."""
    a, b = Normal(m, s), TruncatedNormal(n, t, -2, 2)
    places = sorted(law.ppf((i + 0.5) / 1000) for law in (a, b) for i in range(1000))
    gaps = [abs(a.cdf(x) - b.cdf(x)) for x in places]
    best = max(range(len(gaps)), key=gaps.__getitem__)
    low, high = places[max(best - 1, 0)], places[min(best + 1, len(places) - 1)]
    for _ in range(80):
        left, right = high - (high - low) * 0.618034, low + (high - low) * 0.618034
        if abs(a.cdf(left) - b.cdf(left)) < abs(a.cdf(right) - b.cdf(right)):
            low = left
        else:
            high = right
    greatest = max(abs(a.cdf(x) - b.cdf(x)) for x in (low, high, *b.support))
    assert ks(a, b) == pytest.approx(greatest, abs=1e-12)


def test_normal_laws_in_closed_form() -> None:
    # two scales cross at sqrt(2 log(s) / (1 - 1/s**2)); two places half way
    for s in (1.01, 2.0, 1e3, 1e9):
        x = math.sqrt(2 * math.log(s) / (1 - s**-2))
        expected = abs(Normal(0, 1).cdf(x) - Normal(0, s).cdf(x))
        assert ks(Normal(0, 1), Normal(0, s)) == pytest.approx(expected, abs=1e-14)
    assert ks(Normal(0, 1), Normal(1, 1)) == pytest.approx(2 * Normal(0, 1).cdf(0.5) - 1, abs=1e-15)
    assert ks(Normal(0, 1e-200), Normal(1, 1e-200)) == 1
    assert ks(Normal(5.0, 0.0), Constant(5.0)) == 0
    assert ks(Normal(0, 1), Normal(0, 1)) == 0


def test_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.append(np.linspace(-3, 3, 400_001), [-2.0, -1.0, 2.0])
    for ours, theirs in [
        (TruncatedNormal(0, 1, -2, 2), stats.truncnorm(-2, 2)),
        (Uniform(-1, 2), stats.uniform(-1, 3)),
        (Normal(0.5, 2), stats.norm(0.5, 2)),
    ]:
        gap = np.abs(theirs.cdf(values) - stats.norm.cdf(values)).max()
        assert ks(ours, Normal(0, 1)) == pytest.approx(gap, abs=1e-9)


# Rows of the field's table of wrong initializers: two schemes on 256 inputs and 512 outputs, the
# ratio of their variances, the distance, and the draws that each test needs.
PARENT = 1 / 0.87962566103423978
TABLE = [
    ("glorot_normal@torch", "glorot_normal@neupy", 0.5, 0.083, 551, 200),
    ("glorot_uniform@torch", "glorot_uniform@neupy", 0.5, 0.146, 177, 80),
    ("xavier@berry", "glorot_normal@neupy(gain=6)", 3, 0.130, 226, 13),
    ("he_normal", "he_normal@torch", 1, 0.0167, 13_677, math.inf),
    ("glorot_uniform", "uniform(low=-0.35355339, high=0.35355339)", 16, 0.375, 27, 1),
    ("lecun_normal", "truncated_normal(std=0.0625)", 0.7737, 0.0325, 3603, 667),
    ("lecun_normal", "lecun_uniform", 1, 0.043, 2053, math.inf),
    ("truncated_normal(std=0.02)", "truncated_normal@torch(std=0.02)", 1.292, 0.023, 7339, 399),
    ("normal(std=0.02)", "zeros", 0, 0.5, 15, 50),
    ("he_normal@torch", "he_normal@torch(mode='FAN_OUT')", 0.5, 0.083, 551, 200),
    ("lecun_uniform", "uniform(low=-0.05412659, high=0.05412659)", 0.25, 0.25, 61, 36),
    ("he_uniform@torch", "he_uniform@torch(a=2.23606797749979)", 1 / 6, 0.296, 43, 29),
    ("uniform(low=-1, high=1)", "uniform@torch", 0.25, 0.5, 15, 36),
    ("normal(std=0.1)", "normal(std=0.01)", 0.01, 0.40, 24, 51),
]


@pytest.mark.parametrize(("a", "b", "ratio", "distance", "by_ks", "by_variance"), TABLE)
def test_the_field_s_table(
    a: str, b: str, ratio: float, distance: float, by_ks: int, by_variance: int
) -> None:
    found = diff(a, b, (256, 512), "io")
    assert found.variance_ratio == pytest.approx(ratio, rel=1e-3)
    assert found.ks == pytest.approx(distance, abs=6e-3 if distance > 0.2 else 6e-4)
    assert found.draws_ks == pytest.approx(by_ks, abs=0.5 + by_ks * 1e-4)
    assert found.draws_variance == pytest.approx(by_variance, abs=1.5)


def test_as_many_draws_as_said_show_it() -> None:
    """The draws that are said are those whose test just sees the distance."""
    found = diff("glorot_normal", "glorot_normal@neupy", (64, 96))
    assert found.ks is not None
    assert math.sqrt(found.draws_ks) * found.ks == pytest.approx(1.949, rel=1e-3)
    kurtosis = get("glorot_normal").on((64, 96)).kurtosis
    error = math.sqrt((kurtosis + 2) / found.draws_variance)
    assert 0.5 / error == pytest.approx(5, rel=1e-2)
    assert found.draws == found.draws_variance < found.draws_ks
    assert draws(None) == draws(0.0) == math.inf


@pytest.mark.parametrize(
    ("a", "b", "shape", "layout", "same"),
    [
        ("he_normal", "msra_normal", (64, 96), "io", True),
        ("he_normal@keras", "he_normal", (64, 96), "io", True),
        ("he_normal@keras", "he_normal", (3, 3, 16, 4), "keras.DepthwiseConv2D", False),
        ("he_normal@keras", "he_normal@torch", (64, 96), "io", False),
        ("normal(std=0.02)", "truncated_normal@torch(std=0.02)", (64, 96), "io", True),
        ("normal(std=0.02)", "normal(std=0.020001)", (64, 96), "io", False),
        ("he_uniform@torch(a=5)", "he_uniform@torch(a=5.0000000000001)", (64, 96), "io", True),
        ("zeros", "constant(value=0)", (5,), None, True),
        ("zeros", "ones", (5,), None, False),
        ("zeros", "normal(std=0.0)", (5,), None, True),
        ("zeros", "identity(gain=0.0)", (5, 3), None, True),
        ("orthogonal", "orthogonal(gain=1.0)", (8, 24), "io", True),
        ("orthogonal", "orthogonal(gain=1.4142135623730951)", (8, 24), "io", False),
        ("orthogonal(gain=1.1)", "orthogonal(gain=1.1000000000000003)", (8, 24), "io", True),
        ("orthogonal(nonlinearity='selu')", "orthogonal(gain=0.75)", (8, 24), "io", True),
        ("dirac", "dirac(groups=2)", (8, 8, 3, 5), "oihw", False),
        ("dirac", "bilinear", (8, 8, 1, 1), "oihw", True),
        ("sparse", "normal(std=0.01)", (64, 96), "io", False),
        ("sparse(sparsity=0.9)", "sparse(sparsity=0.901)", (64, 96), "io", True),
        ("sparse(sparsity=0.5)", "sparse@torch(sparsity=0.5)", (64, 96), "io", False),
        ("sparse(sparsity=0.5)", "sparse@torch(sparsity=0.5)", (64, 64), "io", False),
        ("sparse@flux", "sparse@mindspore", (64, 96), "io", True),
    ],
)
def test_equivalent(a: str, b: str, shape: tuple[int, ...], layout: str | None, same: bool) -> None:
    assert equivalent(a, b, shape, layout) is same
    assert equivalent(b, a, list(shape), layout) is same
    assert diff(a, b, shape, layout).same is same


def test_arrays_and_laws_of_one_s_own() -> None:
    class Cubed(initspec.Custom):
        def ppf(self, p: float) -> float:
            return p**3

    mine, twice = Cubed(), [[1.0, 2.0, 2.0]]
    assert equivalent(mine, mine, (2, 3))
    assert not equivalent(mine, Cubed(), (2, 3))
    assert equivalent(twice, np.array(twice), (1, 3))
    assert not equivalent(twice, [[2.0, 1.0, 2.0]], (1, 3))
    assert equivalent([[2.0, 2.0]], "constant(value=2)", (1, 2))
    found = diff(mine, "uniform@torch", (2, 3))
    assert (found.ks, found.variance_ratio, found.first.mean, found.draws) == (
        None,
        None,
        None,
        math.inf,
    )
    assert "does not say its variance" in found.sentence
    moved = diff(twice, [[2.0, 1.0, 2.0]], (1, 3))
    assert (moved.ks, moved.same) == (0, False)
    assert "the whole tensor does" in moved.sentence


@pytest.mark.parametrize(
    ("a", "b", "shape", "layout", "words"),
    [
        ("he_normal@keras", "he_normal@torch", (512, 256), "io", "The scale is the same"),
        ("he_normal@keras", "he_normal@torch", (512, 256), "io", "the second is not cut"),
        ("he_normal@keras", "he_normal@torch", (512, 256), "io", "from 13,677 draws"),
        ("xavier@berry", "glorot_normal@neupy", (9, 5), None, "second has half the variance"),
        (
            "glorot_normal@neupy(gain=2)",
            "glorot_normal@torch(gain=2)",
            (9, 5),
            None,
            "gain multiplies the first's variance and the second's standard deviation",
        ),
        ("lecun_normal", "he_normal", (9, 5), None, "factor 1 above its fan, the second 2"),
        (
            "he_normal@torch",
            "he_normal",
            (64, 32, 3, 5),
            "torch.ConvTranspose2d",
            "divides by fan_in, 480, the second by fan_in, 960",
        ),
        ("he_normal", "normal", (9, 5), None, "the first follows the fans, the second does not"),
        (
            "lecun_normal",
            "truncated_normal(std=0.1)",
            (100, 5),
            None,
            "the second does not make up for what its cut takes",
        ),
        (
            "glorot_normal",
            "xavier@tf.contrib(uniform=False)",
            (9, 5),
            None,
            "the second multiplies its parent's variance by 1.3",
        ),
        ("he_normal", "he_normal@recipes", (9, 5), None, "the second by fan_in and the bias, 10"),
        ("normal", "uniform@recipes", (9, 5), None, "mean of the first is 0, of the second 0.5"),
        ("zeros", "ones", (5,), None, "The first is always 0, the second always 1"),
        ("zeros", "normal", (5,), None, "always 0, the second a normal law; it shows from 1 draw."),
        ("orthogonal", "orthogonal", (9, 5), None, "They are one law"),
        ("orthogonal", "lecun_normal", (9, 5), None, "an orthogonal matrix of 9 by 5"),
        ("orthogonal", "zeros", (12, 5), "oi, stack=3", "3 times an orthogonal matrix of 5 by 4"),
    ],
)
def test_the_sentence(
    a: str, b: str, shape: tuple[int, ...], layout: str | None, words: str
) -> None:
    assert words in diff(a, b, shape, layout).sentence


def test_a_difference_is_a_value() -> None:
    found = diff("he_normal", "he_uniform", (9, 5))
    assert found == diff("he_normal", "he_uniform", (9, 5)) == pickle.loads(pickle.dumps(found))
    with pytest.raises(AttributeError):
        found.ks = 0.0  # type: ignore[misc]


@pytest.mark.parametrize("law", [HaarEntry(1.0, 8), Spiked(HaarEntry(1.0, 8), 0.5)])
def test_laws_without_a_distance_say_so(law: Distribution) -> None:
    assert ks(law, law) == 0
    with pytest.raises(SpecError, match="not known in closed form: normal, uniform"):
        ks(law, Normal(0, 1))


def test_what_cannot_be_compared() -> None:
    with pytest.raises(UnknownName, match="did you mean 'he_normal'"):
        diff("he_normall", "he_normal", (9, 5))
    with pytest.raises(LayoutError, match="names 4 axes"):
        diff("he_normal", "normal", (9, 5), "oihw")
    with pytest.raises(LayoutError, match="has no fans"):
        equivalent("zeros", "he_normal", (9,))


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("diff", "he_normal@keras", "he_normal@torch", "--shape", "512", "256")
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "he_normal@keras" in out.splitlines()[2]
    assert "Kolmogorov distance  0.0166654" in out
    assert "it shows from 13,677 draws." in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 100
    assert main((*argv, "--layout", "oi", "--json")) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["layout"] == "oi"
    assert data["draws"] == {"ks": 13_677, "variance": "inf"}
    assert data["second"]["support"] == ["-inf", "inf"]
    assert main(("diff", "he_normal", "he_normal@tourch", "--shape", "9", "5")) == 2
    assert "did you mean 'torch'" in capsys.readouterr().err
