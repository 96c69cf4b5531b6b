"""Distributions against SciPy and against mpmath."""

import math
import pickle
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from initspec import Custom, SpecError, StreamError, Truncation, UnknownName, get
from initspec.spec.distribution import (
    Constant,
    Distribution,
    Normal,
    Triangular,
    TruncatedNormal,
    Uniform,
)
from initspec.spec.marginals import Discrete, HaarEntry, Spiked
from initspec.spec.tensor_laws import Structured
from initspec.spec.truncation import moments

PAIRS: list[tuple[Distribution, Any]] = [
    (Uniform(-2, 5), scipy.stats.uniform(-2, 7)),
    (Triangular(0.7), scipy.stats.triang(0.5, -0.7, 1.4)),
    (Normal(1, 3), scipy.stats.norm(1, 3)),
    (TruncatedNormal(0, 1, -2, 2), scipy.stats.truncnorm(-2, 2)),
    (TruncatedNormal(2, 0.5, -1, 2.5), scipy.stats.truncnorm(-1, 2.5, 2, 0.5)),
    (TruncatedNormal(0, 1, 3, 4), scipy.stats.truncnorm(3, 4)),
    (TruncatedNormal(0, 1, -math.inf, 0.3), scipy.stats.truncnorm(-math.inf, 0.3)),
    (TruncatedNormal(0, 1, 6, 9), scipy.stats.truncnorm(6, 9)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[repr(ours) for ours, _ in PAIRS])
def test_agrees_with_scipy(ours: Distribution, theirs: Any) -> None:
    mean, variance, kurtosis = theirs.stats("mvk")
    assert ours.mean == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert ours.variance == pytest.approx(variance, rel=1e-7)
    assert ours.kurtosis == pytest.approx(kurtosis, rel=1e-4, abs=1e-9)
    assert ours.support == pytest.approx(theirs.support())
    for p in (1e-6, 0.01, 0.2, 0.5, 0.77, 0.999):
        x = theirs.ppf(p)
        assert ours.ppf(p) == pytest.approx(x, rel=1e-9, abs=1e-12)
        assert ours.cdf(x) == pytest.approx(p, rel=1e-9)
    low, high = ours.support
    assert ours.ppf(0) == low
    assert ours.ppf(1) == high
    assert ours.cdf(low - 1) == 0
    assert ours.cdf(high + 1) == 1


BOUND = st.floats(-12, 12)


@settings(max_examples=60, deadline=None)
@given(BOUND, BOUND)
def test_truncated_moments_at_any_bounds(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    assume(high - low > 1e-3)
    mean, variance, kurtosis = moments(low, high)
    with mpmath.workdps(40):
        edges = mpmath.linspace(low, high, 9)

        def integral(f: Callable[[Any], Any]) -> Any:
            return mpmath.quad(lambda x: f(x) * mpmath.npdf(x), edges)

        total = integral(lambda x: mpmath.mpf(1))
        first = integral(lambda x: x) / total
        second = integral(lambda x: (x - first) ** 2) / total
        fourth = integral(lambda x: (x - first) ** 4) / total
    assert mean == pytest.approx(float(first), rel=1e-12, abs=1e-13)
    assert variance == pytest.approx(float(second), rel=1e-11)
    assert kurtosis == pytest.approx(float(fourth / second**2 - 3), rel=1e-8, abs=1e-8)


def test_the_famous_constant() -> None:
    assert math.sqrt(moments(-2, 2)[1]) == pytest.approx(0.87962566103423978, rel=1e-15)


@pytest.mark.parametrize(
    "cut",
    [
        Truncation(),
        Truncation(-1, 3),
        Truncation(-2, 2, "result"),
        Truncation(-1.9, 4, "result"),
        Truncation(-0.5, 0.5, "absolute"),
        Truncation(-0.1, 2, "absolute"),
    ],
)
def test_a_corrected_variance_is_the_one_asked_for(cut: Truncation) -> None:
    law = TruncatedNormal(0.0, *cut.parent(0.0, 0.25))
    assert law.std == pytest.approx(0.25, rel=1e-12)
    bounds = {"parent": law.sigma, "result": law.std, "absolute": 1.0}[cut.unit]
    assert law.support == pytest.approx((cut.low * bounds, cut.high * bounds))


def test_uncorrected_and_stated_variances() -> None:
    assert Truncation(variance="uncorrected").parent(0, 0.5) == (0.5, -2, 2)
    assert Truncation(variance=1.3).parent(0, 0.5) == (0.5 * math.sqrt(1.3), -2, 2)
    assert Truncation(-2, 2, "absolute", "uncorrected").parent(0, 0.02) == (0.02, -100, 100)
    contrib = get("variance_scaling@tf.contrib").on((256, 512))
    assert contrib.variance / (2 / 256) == pytest.approx(1.3 * moments(-2, 2)[1], rel=1e-12)
    assert contrib.variance / (2 / 256) == pytest.approx(1.00586, abs=5e-6)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Truncation(2, 1), "low < high, not low=2, high=1"),
        (lambda: Truncation(math.nan, 1), "low < high"),
        (lambda: Truncation(variance=-1.0), "positive, not -1.0"),
        (lambda: Truncation(-1.5, 1.5, "result").parent(0, 1), "more than sqrt\\(12\\) apart"),
        (lambda: Truncation(-1, 1, "absolute").parent(0, 0.9), "a uniform law's, is possible"),
        (lambda: TruncatedNormal(0, 1, 50, 60), "no probability is left between 50.0 and 60.0"),
        (lambda: Normal(0, 1).ppf(1.5), "between 0 and 1, not 1.5"),
    ],
)
def test_what_cannot_be(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        make()


def test_unknown_units_offer_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="did you mean 'absolute'"):
        Truncation(unit="absolut")
    with pytest.raises(UnknownName, match="did you mean 'corrected'"):
        Truncation(variance="correct")


def test_a_tail_too_thin_for_the_stream() -> None:
    with pytest.raises(StreamError, match='stream="native"'):
        _ = TruncatedNormal(0, 1, 5.5, 6).draw


@pytest.mark.parametrize("n", [1, 2, 3, 8, 101])
def test_entry_of_an_orthogonal_matrix(n: int) -> None:
    law = HaarEntry(1.5, n)
    beta = scipy.stats.beta(0.5, (n - 1) / 2) if n > 1 else None
    assert law.variance == 1.5**2 / n
    for x in (-1.2, -0.3, 0.0, 0.4, 1.4):
        inside = beta.cdf((x / 1.5) ** 2) if beta else 0.0
        assert law.cdf(x) == pytest.approx(0.5 + math.copysign(inside / 2, x), abs=1e-12)
        if n > 1 and law.cdf(x) < 1 - 1e-9:
            assert law.ppf(law.cdf(x)) == pytest.approx(x, abs=1e-6)
    if beta is not None:
        fourth = beta.moment(2) / beta.moment(1) ** 2
        assert law.kurtosis == pytest.approx(fourth - 3, abs=1e-12)


def test_spiked() -> None:
    law = Spiked(Normal(0, 2), 0.75)
    assert law.variance == 1.0
    assert law.kurtosis == pytest.approx(9)
    assert law.cdf(-1e-9) == pytest.approx(0.125)
    assert law.cdf(0) == pytest.approx(0.875)
    assert [law.ppf(p) for p in (0.2, 0.5, 0.86)] == [0, 0, 0]
    assert law.ppf(0.0625) == pytest.approx(-law.ppf(1 - 0.0625))
    assert law.ppf(0.0625) == pytest.approx(Normal(0, 2).ppf(0.25))


def test_discrete() -> None:
    law = Discrete.of({0.0: 3, 1.0: 1})
    assert (law.mean, law.variance) == (0.25, 0.1875)
    assert (law.cdf(-1), law.cdf(0), law.cdf(0.5), law.cdf(1)) == (0, 0.75, 0.75, 1)
    assert [law.ppf(p) for p in (0, 0.75, 0.76, 1)] == [0, 0, 1, 1]


def test_constants() -> None:
    law = Constant(0.5)
    assert (law.mean, law.variance, law.support) == (0.5, 0, (0.5, 0.5))
    assert (law.cdf(0.49), law.cdf(0.5), law.ppf(0.3)) == (0, 1, 0.5)
    assert math.isnan(law.kurtosis)
    assert Normal(1.0, 0.0).cdf(0.9) == 0
    assert Normal(1.0, 0.0).ppf(0.2) == 1


def test_distributions_are_values() -> None:
    law = get("he_normal").on((86, 8))
    assert law == get("msra_normal").on((86, 8))
    assert hash(law) == hash(get("msra_normal").on((86, 8)))
    assert pickle.loads(pickle.dumps(law)) == law
    with pytest.raises(AttributeError):
        law.mu = 1.0  # type: ignore[attr-defined]


LAWS: list[Distribution] = [
    *(ours for ours, _ in PAIRS),
    Constant(0.3),
    Normal(1, 0),
    Uniform(2, 2),
    Triangular(0),
    TruncatedNormal(1, 0, -2, 2),
    HaarEntry(1.5, 2),
    HaarEntry(2.0, 3),
    HaarEntry(1.0, 16),
    HaarEntry(1.0, 1),
    HaarEntry(0.0, 4),
    Spiked(Normal(0, 1), 0.25),
    Spiked(Normal(0, 1), 1),
    Discrete((0.0, 1.0, 4.0), (0.5, 0.25, 0.25)),
    get("orthogonal").on((4, 6)),
    get("sparse(sparsity=0.5)").on((4, 6)),
    get("dirac").on((3, 4, 4)),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[repr(ours) for ours, _ in PAIRS])
def test_the_density_agrees_with_scipy(ours: Distribution, theirs: Any) -> None:
    low, high = ours.support
    places = [theirs.ppf(p) for p in (1e-9, 0.01, 0.2, 0.5, 0.77, 0.999)] + [low, high]
    for x in places:
        assert ours.pdf(x) == pytest.approx(theirs.pdf(x), rel=1e-9, abs=1e-300)
    assert ours.pdf(low - 1) == ours.pdf(high + 1) == 0


@pytest.mark.parametrize("n", [2, 3, 4, 16, 1000])
def test_the_density_of_an_orthogonal_entry_is_a_beta_law(n: int) -> None:
    law = HaarEntry(1.5, n)
    theirs = scipy.stats.beta((n - 1) / 2, (n - 1) / 2, -1.5, 3.0)
    for x in (-1.5, -1.2, -0.1, 0.0, 0.3, 1.49, 1.5):
        assert law.pdf(x) == pytest.approx(theirs.pdf(x), rel=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_arrays_are_answered_as_numbers_are(law: Distribution) -> None:
    x = np.array([[-np.inf, -1.0, -0.0], [0.3, 1.5, np.inf]])
    p = np.array([0.0, 0.1, 0.5, 0.99, 1.0])
    for function, values in ((law.cdf, x), (law.pdf, x), (law.ppf, p)):
        answers = function(values)
        assert (answers.dtype, answers.shape) == (np.dtype(np.float64), values.shape)
        singly = [function(value) for value in values.ravel().tolist()]
        assert {type(value) for value in singly} == {float}
        assert answers.ravel().tolist() == singly
        assert function(values.tolist()).tolist() == answers.tolist()
        assert function(np.array(values)[..., :0]).size == 0
        assert math.isnan(function(math.nan))
        assert np.isnan(function([math.nan])).tolist() == [True]
    assert law.cdf(-math.inf) == 0
    assert law.cdf(math.inf) == 1
    assert law.pdf(math.inf) == law.pdf(-math.inf) == 0
    assert type(law.cdf(np.float32(0.25))) is float
    with pytest.raises(SpecError, match="between 0 and 1"):
        law.ppf([0.5, 1.5])


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_the_density_is_the_slope_of_the_cdf(law: Distribution) -> None:
    """Also at an atom, where the cdf jumps and the density is infinite."""
    for x in (-0.61, 0.0, 0.3, 1.0, 1.21, 2.0, 3.3, 6.2):
        h = 1e-5
        slope = (law.cdf(x + h) - law.cdf(x - h)) / (2 * h)
        if law.pdf(x) == math.inf:
            assert slope > 1e3
        elif x not in law.support:
            assert law.pdf(x) == pytest.approx(slope, rel=2e-3, abs=2e-4)


def test_scipy_takes_the_cdf() -> None:
    law = get("he_normal").on((64, 96))
    values = get("he_normal").numpy((64, 96), seed=3, dtype="float64").ravel()
    assert scipy.stats.kstest(values, law.cdf).pvalue > 1e-3
    assert scipy.stats.kstest(values * 1.2, law.cdf).pvalue < 1e-3


def test_a_law_of_ones_own_is_asked_for_its_density() -> None:
    class Even(Custom):
        variance = 1 / 12

        def ppf(self, p: Any) -> Any:
            return p

        def cdf(self, x: float) -> float:
            return min(max(x, 0.0), 1.0)

    class Told(Even):
        def pdf(self, x: float) -> float:
            return 7.0

    law = get(Even()).on((2, 3))
    assert law.pdf([0.25, 2.0]).tolist() == pytest.approx([1.0, 0.0])
    assert get(Told()).on((2, 3)).pdf(0.25) == 7.0
    assert not isinstance(law, Structured)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_a_law_says_itself_in_words(law: Distribution) -> None:
    assert law.words
    assert law.family
