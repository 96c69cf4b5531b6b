"""Laws of the user's own under the suite: by their cdf, by their ppf, or by what they say."""

import json
import math
import sys
from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import special, stats

from initspec import Custom, InitSpecError, SpecError, UnknownName, get
from initspec.commands.main import main
from initspec.conformance import check, own, parametrize, suite
from initspec.conformance.batteries import independence, marginal
from initspec.conformance.design import Budget
from initspec.conformance.judge import judge
from initspec.conformance.mutants import kill_matrix, own_laws
from initspec.conformance.own import Exponential
from initspec.conformance.probability import bounds, transform
from initspec.conformance.probability.own_law import Own, Sampled, seen
from initspec.conformance.targets.claims import claimed

SHAPE = (86, 8)
#: The level of one decision in a run of 2,000 cells.
LEVEL = Budget(cells=2000).decision


class Logistic(Custom):
    """By a cdf that takes floats alone; drawn by NumPy."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def sample(self, shape, rng):
        return rng.logistic(0, self.scale, shape)

    def cdf(self, x):
        return 1 / (1 + math.exp(-x / self.scale))  # overflows below -710 scales


class Gumbel(Custom):
    """By quantiles alone."""

    def ppf(self, p):
        return -np.log(-np.log(p))


class Cauchy(Custom):
    """Without moments."""

    def ppf(self, p):
        return np.tan(np.pi * (p - 0.5))

    def cdf(self, x):
        return 0.5 + np.arctan(x) / np.pi


class Signs(Custom):
    """Atoms alone."""

    def ppf(self, p):
        return np.where(p < 0.5, -1.0, 1.0)


class Dropped(Custom):
    """A normal law, three quarters of which are zero."""

    def ppf(self, p):
        tail = np.where(p < 0.5, p, 1 - p)
        return np.where(tail > 0.125, 0.0, np.sign(p - 0.5) * -special.ndtri(4 * tail))

    def cdf(self, x):
        return special.ndtr(x) / 4 + 0.75 * (x >= 0)


class Apart(Custom):
    """Nothing around zero: a quantile function with a jump."""

    def ppf(self, p):
        return np.where(p < 0.25, p - 1, 1 + p)


LAWS = {
    "exponential": Exponential(0.5),
    "cut exponential": Exponential(2.0, 3.0),
    "logistic": Logistic(0.1),
    "gumbel": Gumbel(),
    "cauchy": Cauchy(),
    "signs": Signs(),
    "dropped": Dropped(),
    "apart": Apart(),
}


def law_of(custom):
    return seen(get(custom).on(SHAPE))


def drawn(make):
    """A target of this process: NumPy's generator of the seed goes to ``make(rng, shape)``."""
    return lambda shape, seed: make(np.random.default_rng(seed), shape).astype(np.float32)


# ----------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("custom", LAWS.values(), ids=LAWS)
def test_a_law_and_its_inverse(custom):
    law = law_of(custom)
    assert law.problem == ""
    p = np.array([1e-9, 1e-4, 0.1, 0.3, 0.6, 0.99, 1 - 1e-9])
    x = law.quantiles(p)
    below, above = law.both(x)
    near = 1e-6 * (np.abs(x) + 1e-6)
    assert (law.both(x - near)[0] <= p + 1e-6).all()
    assert (law.both(x + near)[0] >= p - 1e-6).all()
    np.testing.assert_allclose(below + above, 1, atol=1e-12)


def test_what_is_missing_follows_from_what_is_there():
    class Cdf(Custom):
        sample = Gumbel.ppf

        def cdf(self, x):
            return np.exp(-np.exp(-x))

    p = np.array([1e-12, 1e-3, 0.5, 0.9, 1 - 1e-9])
    by_cdf, by_ppf = law_of(Cdf()), law_of(Gumbel())
    np.testing.assert_allclose(by_cdf.quantiles(p), Gumbel().ppf(p), rtol=1e-6)
    x = np.linspace(-3, 15, 101)
    np.testing.assert_allclose(by_ppf.both(x)[0], Cdf().cdf(x), atol=1e-12)
    for law in (by_cdf, by_ppf):
        assert law.mean == pytest.approx(np.euler_gamma, rel=1e-6)
        assert law.variance == pytest.approx(math.pi**2 / 6, rel=1e-6)
        assert law.kurtosis == pytest.approx(12 / 5, rel=1e-3)
        assert law.support == (-math.inf, math.inf)


def test_moments_that_are_not_there_are_no_numbers():
    law = law_of(Cauchy())
    assert [math.isnan(value) for value in (law.variance, law.std, law.kurtosis)] == [True] * 3
    assert law.support == (-math.inf, math.inf), "tan(pi / 2) is no end"
    assert law_of(Exponential()).support == (0.0, math.inf)
    assert law_of(Signs()).support == (-1.0, 1.0)
    assert law_of(Signs()).variance == pytest.approx(1)
    assert law_of(Apart()).mean == pytest.approx(-0.21875 + 1.21875, rel=1e-3)
    assert law_of(Dropped()).kurtosis == pytest.approx(9, rel=1e-3)


def test_a_cut_exponential_is_scipys():
    law, there = Exponential(2.0, 3.0), stats.truncexpon(3.0, scale=2.0)
    x = np.linspace(0.01, 5.99, 50)
    np.testing.assert_allclose(law.cdf(x), there.cdf(x), rtol=1e-12)
    np.testing.assert_allclose(law.sf(x), there.sf(x), rtol=1e-9)
    np.testing.assert_allclose(law.ppf(there.cdf(x)), x, rtol=1e-12)
    assert (law.mean, law.variance) == pytest.approx((there.mean(), there.var()))
    whole = Exponential(0.5)
    np.testing.assert_allclose(whole.sf(x), np.exp(-2 * x), rtol=1e-12)
    assert (whole.mean, whole.variance) == (0.5, 0.25)


def test_floats_or_arrays_properties_or_methods():
    class Methods(Exponential):
        def mean(self):
            return 1.0

        def support(self):
            return 0, math.inf

        def cdf(self, x):
            if x.is_integer():  # which an array has not
                return -math.expm1(-x)
            return -math.expm1(-x)

    law = law_of(Methods())
    assert law.problem == ""
    assert (law.mean, law.support) == (1.0, (0.0, math.inf))
    assert get(Methods()).on(SHAPE).support == (0, math.inf)
    assert law.cdf(1.0) == pytest.approx(1 - math.exp(-1))


def test_the_power_of_a_law_is_that_of_its_best_test():
    class Normal(Custom):
        ppf = staticmethod(special.ndtri)

    assert law_of(Normal()).sensitivity == pytest.approx(math.sqrt(2), rel=1e-3)
    assert law_of(Normal()).effort == pytest.approx(1, rel=1e-3)
    law = law_of(Exponential())
    assert 2 < law.effort < 3
    # Five times the stated size is seen each time, a fifth of it not once.
    n = 4000
    size = 1.06 * (bounds.z(LEVEL / 2) + bounds.z(1e-6)) / math.sqrt(n) / law.sensitivity

    def refused(factor, seed):
        x = factor * np.random.default_rng(seed).exponential(1, n)
        u = transform.transform(x, law, "float64", np.random.default_rng(1))
        return min(f.p for f in marginal.battery(x, u, law, "float64", 22)) < LEVEL

    assert all(refused(1 + size, seed) for seed in range(20))
    assert not any(refused(1 + size / 5, seed) for seed in range(20))


# ---------------------------------------------------------------------------------- right and wrong


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("custom", LAWS.values(), ids=LAWS)
def test_a_right_law_passes(custom, dtype):
    report = check("numpy", custom, shape=SHAPE, dtype=dtype)
    assert report.verdict == "PASS", report.lines()
    tests = {item.test for item in report.records[0].decisions}
    assert {"law", "ks", "m1", "m4", "mean", "variance", "support", "lag", "duplicates"} <= tests
    report = check("numpy", custom, shape=SHAPE, dtype=dtype, tier="exact")
    assert report.verdict == "PASS", report.lines()
    tests = {item.test for item in report.records[0].decisions if not item.note}
    assert {"law", "seed", "seeds", "globals", "reference", "known", "support"} <= tests
    assert ("words" in tests) == (custom.ppf is not None)


def test_right_samplers_are_refused_no_more_often_than_stated():
    rng = np.random.default_rng(3)
    found = {}
    for _ in range(150):
        for name in ("exponential", "cauchy", "signs", "dropped"):
            law = law_of(LAWS[name])
            x = law.quantiles(rng.random((4, 16, 16))).astype(np.float32).astype(float)
            u = transform.transform(x.ravel(), law, "float32", rng)
            chance = marginal.most_likely(law, "float32", 22)
            w = independence.scores(u.u).reshape(x.shape)
            for finding in (
                *marginal.battery(x.ravel(), u, law, "float32", 22),
                *independence.battery(w, x, chance),
            ):
                found.setdefault(finding.test, []).append(finding.p)
    for test, values in found.items():
        for level in (0.1, 0.01):
            count = int(np.count_nonzero(np.array(values) <= level))
            assert count <= stats.binom.isf(1e-6, len(values), level), (test, level)
    assert 0.05 < np.mean(np.array(found["mean"]) <= 0.1) < 0.15, "exact, not merely bounded"
    assert 0.05 < np.mean(np.array(found["variance"]) <= 0.1) < 0.15


def test_every_mutant_of_a_law_of_ones_own_dies():
    rows = kill_matrix.kill_matrix(own_laws.own_laws(), ("stat", "exact"))
    assert [row.mutant.id for row in rows if not row.killed_by] == []
    assert len(rows) == 7


WRONG = {
    "scale": (lambda rng, shape: rng.exponential(1.0, shape), {"ks", "mean"}, "scale 2.0"),
    "shifted": (lambda rng, shape: rng.exponential(0.5, shape) + 0.01, {"least"}, "scale is right"),
    "sign": (lambda rng, shape: -rng.exponential(0.5, shape), {"support"}, "The mean is off"),
    "rounded": (
        lambda rng, shape: np.round(rng.exponential(0.5, shape), 4),
        {"collisions"},
        "Values repeat",
    ),
    "far": (lambda rng, shape: rng.exponential(1e6, shape), {"ks"}, "scale 2"),
    "rows": (
        lambda rng, shape: np.repeat(rng.exponential(0.5, (shape[0] // 2, shape[1])), 2, axis=0),
        {"rows"},
        "Rows are copies",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_sampler_is_refused_and_told_why(name):
    make, tests, words = WRONG[name]
    report = check(drawn(make), Exponential(0.5), shape=SHAPE)
    assert report.verdict == "FAIL"
    record = report.records[0]
    assert tests <= {item.test for item in record.failed}
    assert words in record.explanation


@pytest.mark.parametrize("custom", [Exponential(0.5), Cauchy()])
def test_few_values_are_inconclusive_whatever_moments_there_are(custom):
    few, many = law_of(custom).quantiles(np.random.default_rng(2).random((2, 700, 1000)))
    report = check(few[:10, :10].astype("float32"), custom)
    assert report.verdict == "INCONCLUSIVE"
    assert "100 values show no error of the scale below" in report.records[0].sentence
    assert check(many.astype("float32"), custom).conforms


def test_values_where_a_cdf_overflows_are_no_fault_of_the_law():
    far = drawn(lambda rng, shape: rng.logistic(0, 1e5, shape))
    report = check(far, Logistic(1e-3), shape=SHAPE)
    assert "law" not in {item.test for item in report.records[0].failed}
    assert report.verdict == "FAIL"


def test_copies_of_a_law_with_atoms_are_told_from_chance():
    report = check("numpy", Dropped(), shape=(64, 64))
    shares = [d.statistic for d in report.records[0].decisions if d.test == "duplicates"]
    assert report.conforms
    assert shares[0] > 0.5, "so many are equal by chance"

    def copied(rng, shape):
        half = law_of(Dropped()).quantiles(rng.random((shape[0], shape[1] // 2)))
        return np.tile(half, 2)

    report = check(drawn(copied), Dropped(), shape=(64, 64))
    assert "duplicates" in {item.test for item in report.records[0].failed}


# ------------------------------------------------------------------------------ laws that are none


def broken(**methods):
    return type("Mine", (Logistic,), methods)()


BROKEN = {
    "falls": (broken(cdf=lambda self, x: 0.5 + math.sin(x) / (2 + x**2)), "its cdf"),
    "above one": (broken(cdf=lambda self, x: 1.5 / (1 + math.exp(-x))), "a probability lies"),
    "below zero": (broken(cdf=lambda self, x: -math.exp(-abs(x))), "a probability lies"),
    "nan": (broken(cdf=lambda self, x: math.nan), "a probability lies"),
    "raises": (broken(cdf=lambda self, x: 1 / 0), "its cdf raised ZeroDivisionError"),
    "never one": (broken(cdf=lambda self, x: 0.9 * (x > 0)), "never ends upwards: 0.1"),
    "never zero": (broken(cdf=lambda self, x: 0.1 + 0.9 * (x > 0)), "never ends downwards: 0.1"),
    "mean": (broken(mean=0.1), "it says the mean 0.1, and by its cdf it is"),
    "variance": (broken(variance=3.0), "it says the variance 3, and by its cdf it is 3.28"),
    "negative": (broken(variance=-1.0), "it says the variance -1"),
    "support": (broken(support=(1.0, -1.0)), "its support goes from 1 to -1"),
    "sf": (broken(sf=lambda self, x: 0.5 / (1 + math.exp(x))), "together they are one"),
    "disagree": (broken(ppf=lambda self, p: 2 * special.logit(p)), "the quantile of"),
    "ppf falls": (broken(ppf=lambda self, p: -special.logit(p), cdf=None), "its ppf falls"),
    "ppf nan": (broken(ppf=lambda self, p: np.nan * p, cdf=None), "is nan"),
    "outside": (
        broken(ppf=lambda self, p: special.logit(p), cdf=None, support=(0.0, 9.0)),
        "outside of its support",
    ),
}


@pytest.mark.parametrize("tier", ["stat", "exact"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_law_that_is_none_is_refused_by_a_sentence(name, tier):
    custom, words = BROKEN[name]
    target = drawn(lambda rng, shape: rng.logistic(0, 1, shape))
    report = check(target, custom, shape=SHAPE, tier=tier)
    record = report.records[0]
    assert record.verdict == "FAIL"
    assert [item.test for item in record.failed] == ["law"]
    assert "is no law: " in record.sentence
    assert words in record.sentence


def test_a_cdf_that_breaks_where_the_values_lie_is_refused_too():
    class Hole(Logistic):
        def cdf(self, x):
            return math.nan if 3e-5 < x % 1 < 9e-5 else super().cdf(x)

    report = check("numpy", Hole(), shape=SHAPE)
    assert report.verdict == "FAIL"
    assert "its cdf at " in report.records[0].sentence
    assert "is nan" in report.records[0].sentence


# -------------------------------------------------------------------------------- neither cdf nor ppf


class Alone(Custom):
    """A sampler alone."""

    def __init__(self, **said):
        self.__dict__.update(said)

    def sample(self, shape, rng):
        return rng.exponential(0.5, shape)


def test_a_sampler_alone_is_inconclusive_and_says_what_to_add():
    report = check("numpy", Alone(), shape=SHAPE)
    assert report.verdict == "INCONCLUSIVE"
    assert "defines neither cdf(self, x) nor ppf(self, p)" in report.records[0].sentence
    assert isinstance(law_of(Alone()), Sampled)
    assert not isinstance(law_of(Alone()), Own)
    assert check("numpy", Alone(), shape=SHAPE, tier="exact").conforms, "without statistics"
    function = check("numpy", lambda shape, rng: rng.random(shape), shape=SHAPE)
    assert function.verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("said", "tests"),
    [
        ({"mean": 0.5, "variance": 0.25, "kurtosis": 6.0}, {"mean", "variance", "support"}),
        ({"mean": 0.5, "variance": 0.25}, {"mean", "support"}),
        ({"support": (0.0, 40.0), "mean": 0.5, "variance": 0.25}, {"mean", "variance", "support"}),
        ({"mean": 0.5}, {"support"}),
    ],
)
def test_what_a_sampler_says_is_held(said, tests):
    custom, has_support = Alone(**said), "support" in said
    record = check("numpy", custom, shape=SHAPE).records[0]
    assert record.verdict == "INCONCLUSIVE"
    said = {"mean", "variance", "support"}
    assert {item.test for item in record.decisions} & said == tests
    wrong = check(drawn(lambda rng, shape: -rng.exponential(1.5, shape)), custom, shape=SHAPE)
    failed = {item.test for item in wrong.records[0].failed}
    assert failed == (tests if has_support else tests - {"support"})
    assert wrong.verdict == ("FAIL" if failed else "INCONCLUSIVE")


def test_the_median_of_means_is_refused_no_more_often_than_stated():
    rng = np.random.default_rng(8)
    heavy = rng.standard_t(3, (400, 2000)) / math.sqrt(3)
    p = np.array([bounds.median_of_means(x, 0.0, 1.0, 1e-3)[1] for x in heavy])
    for level in (0.1, 0.01):
        assert (p <= level).sum() <= stats.binom.isf(1e-6, p.size, level)
    assert bounds.median_of_means(heavy[0] + 1, 0.0, 1.0, 1e-12)[1] < 1e-20
    assert bounds.median_of_means(np.ones(3), 0.0, 1.0, 1e-12)[1] == 1.0


# ------------------------------------------------------------------------------------ by its name

LIBRARY = """
import numpy as np
import initspec

class Exponential(initspec.Custom):
    def __init__(self, scale=0.1):
        self.scale = scale
    def ppf(self, p):
        return -self.scale * np.log1p(-p)

def right(shape, seed):
    return np.random.default_rng(seed).exponential(0.5, shape).astype("float32")

def wrong(shape, seed):
    return np.random.default_rng(seed).exponential(2.0, shape).astype("float32")

half = Exponential(0.5)
scheme = initspec.get(half)
number = 3
TABLE = {"library_of_laws:half": right}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "library_of_laws.py").write_text(LIBRARY, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    sys.modules.pop("library_of_laws", None)


def test_a_law_is_named_as_a_target_is(project):
    for text in ("Exponential(0.5)", "Exponential(scale=0.5)", "half", "scheme"):
        scheme = claimed(f"library_of_laws:{text}")
        assert scheme.name == f"library_of_laws:{text}"
        assert scheme.custom.scale == 0.5
    assert claimed("library_of_laws:Exponential").custom.scale == 0.1
    assert claimed("he_normal") == get("he_normal")
    assert claimed(Exponential).custom == Exponential()
    with pytest.raises(SpecError, match="names int, which is no law"):
        claimed("library_of_laws:number")
    with pytest.raises(SpecError, match="raised TypeError"):
        claimed("library_of_laws:Exponential(rate=2)")
    with pytest.raises(UnknownName, match="did you mean 'Exponential'"):
        claimed("library_of_laws:Exponental")
    with pytest.raises(InitSpecError, match="cannot be imported"):
        claimed("library_of_lore:half")


def test_the_command_judges_a_law_of_ones_own(project, capsys):
    law = "library_of_laws:Exponential(0.5)"
    shape = ["--shape", "86x8"]
    assert main(["check", "library_of_laws:right", "--as", law, *shape]) == 0
    assert f"library_of_laws:right as {law} 86x8" in capsys.readouterr().out
    assert main(["check", "library_of_laws:wrong", "--as", law, *shape]) == 1
    assert "scale 4.0" in capsys.readouterr().out
    assert main(["check", "library_of_laws:half", "--as", law, *shape]) == 0
    assert main(["check", "library_of_laws:TABLE", *shape]) == 0
    capsys.readouterr()
    assert main(["check", "numpy", "--as", law, *shape, "--dtype", "float32", "--json", "-"]) == 0
    records = json.loads(capsys.readouterr().out)["records"]
    assert {record["target"] for record in records} == {"numpy"}
    assert {record["scheme"] for record in records} == {law}
    assert main(["check", "numpy", "--as", "library_of_laws:number"]) == 2
    assert "which is no law" in capsys.readouterr().err


def test_the_fixture_and_the_mark_take_a_law_of_ones_own(assert_conforms):
    assert_conforms(drawn(lambda rng, shape: rng.exponential(0.5, shape)), Exponential(0.5))
    with pytest.raises(AssertionError, match="scale 2"):
        assert_conforms(drawn(lambda rng, shape: rng.exponential(1, shape)), Exponential(0.5))


@parametrize({Exponential(0.5): Exponential(0.5), Gumbel(): Gumbel()})
def test_parametrize_takes_laws(conformance_check):
    assert conformance_check(shape=SHAPE).conforms


def test_the_option_of_pytest_takes_a_law(project):
    from initspec.conformance.pytest_plugin import _claims

    law = "library_of_laws:Exponential(scale=0.5)"
    ((target, scheme, name),) = _claims(f"library_of_laws:right={law}")
    assert (target, scheme) == ("library_of_laws:right", law)
    assert name.endswith(law)


def test_a_law_that_cannot_be_hashed_is_refused_with_a_sentence():
    @dataclass
    class Loose(Logistic):
        scale: float = 2.0

    with pytest.raises(SpecError, match="frozen dataclass"):
        check("numpy", Loose())


def test_the_name_of_a_law_is_the_same_in_every_process():
    assert repr(Logistic(0.1)) == "Logistic(scale=0.1)"
    assert get(Logistic(0.1)).formula == "Logistic(scale=0.1)"
    assert "0x" not in repr(get(lambda shape: None).custom)

    @dataclass(frozen=True)
    class Frozen(Logistic):
        scale: float = 2.0

    assert repr(Frozen()).endswith("Frozen(scale=2.0)")


def test_the_matrix_has_a_law_of_ones_own_in_every_backend_and_stream():
    cells = suite.own_cells(["numpy", "torch"])
    assert {cell.scheme.name for cell in cells} == {own.OWN}
    assert {(cell.target.backend, cell.stream, cell.tier) for cell in cells} == {
        (name, stream, tier)
        for name in ("numpy", "torch")
        for stream in ("portable", "native")
        for tier in ("exact", "stat")
    }
    budget = Budget(cells=1000)
    records = [judge(cell, budget) for cell in suite.own_cells(["numpy"])]
    assert {record.verdict for record in records} == {"PASS"}
