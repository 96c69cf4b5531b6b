"""Single values and places: bounds that hold, right samplers that pass, words that say it."""

import math

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import stats

from initspec.conformance import check
from initspec.conformance.batteries import atoms, evenness, family, lags, places
from initspec.conformance.batteries.place_scores import Scores
from initspec.conformance.batteries.places_words import throughout
from initspec.conformance.design import DECISIONS, Budget
from initspec.conformance.judge import judge
from initspec.conformance.mutants import kill_matrix
from initspec.conformance.mutants.registry import registry
from initspec.conformance.probability import products, repeats, spacings, transform
from initspec.conformance.report import seen
from initspec.spec.distribution import Normal, TruncatedNormal, Uniform

LAWS = {
    "normal": Normal(0.0, 0.1),
    "uniform": Uniform(-0.25, 0.25),
    "shifted": Uniform(2.0, 3.0),
    "truncated": TruncatedNormal(0.0, 0.17, -2.0, 2.0),
    "one-sided": TruncatedNormal(0.0, 1.0, 1.0, 3.0),
}
RESOLUTION = 22


def narrowed(x, dtype):
    return x if dtype == "float64" else transform._rounded(x, dtype)


def ideal(rng, law, shape, dtype):
    return narrowed(transform.ppf(law, rng.random(shape) + 2.0**-54), dtype)


def box_muller_24(rng, law, shape, dtype):
    """PyTorch's and JAX's: a radius and an angle of 24 bits, two numbers at once, zeros in pairs."""
    n = math.prod(shape)
    bits = (rng.integers(2**24, size=(2, -(-n // 2))) + 1) / 2.0**24
    radius, angle = np.sqrt(-2 * np.log(bits[0])).astype(np.float32), 2 * np.pi * bits[1]
    z = np.stack([radius * np.cos(angle), radius * np.sin(angle)]).reshape(-1)[:n]
    return narrowed(law.mu + law.sigma * z.reshape(shape), dtype)


def bits_23(rng, law, shape, dtype):
    """An inverse transform of 23 bits, each the lower end of its step."""
    u = np.maximum(rng.integers(2**23, size=shape), 0.5) / 2.0**23
    return narrowed(transform.ppf(law, u), dtype)


def rounded_twice(rng, law, shape, dtype):
    """Standard numbers of the type, scaled in the type: some values have two cells, some none."""
    z = narrowed(rng.standard_normal(shape), dtype)
    return narrowed(law.sigma * z, dtype)


SAMPLERS = (
    *((ideal, law) for law in LAWS),
    (box_muller_24, "normal"),
    (bits_23, "normal"),
    (bits_23, "uniform"),
    (rounded_twice, "normal"),
)


def p_values(x, law, dtype, seed=1):
    """The p-values of everything that is new here."""
    rng = np.random.default_rng(seed)
    u = transform.transform(x.reshape(-1), law, dtype, rng, RESOLUTION)
    scores = Scores(u, x.shape, law, RESOLUTION, rng)
    found = [atoms.atoms(x, law, dtype, RESOLUTION), lags.lags(scores.centred)]
    return {item.test: item.p for item in (*found, *family.family(scores))}


def calibrated(rounds, shapes, seed):
    """P(p <= a) <= a for every test, within what chance allows at 1e-6 for each count."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(rounds):
        sampler, name = SAMPLERS[number % len(SAMPLERS)]
        dtype = ("float32", "bfloat16", "float16", "float64")[number // len(SAMPLERS) % 4]
        x = sampler(rng, LAWS[name], shapes[number % len(shapes)], dtype)
        for test, p in p_values(x, LAWS[name], dtype, int(rng.integers(2**31))).items():
            assert 0 <= p <= 1
            found.setdefault(test, []).append(p)
    for test, values in found.items():
        for level in (0.1, 0.01, 0.001):
            count = int(np.count_nonzero(np.array(values) <= level))
            allowed = stats.binom.isf(1e-6, len(values), level)
            assert count <= allowed, f"{test}: {count} of {len(values)} at {level}"
    return found


SHAPES = [(8, 12, 10), (1, 24, 18), (5, 3, 2, 4, 6), (16, 9), (3, 16, 16), (40, 5, 3), (2, 1, 7)]


def test_right_samplers_are_refused_no_more_often_than_stated():
    found = calibrated(rounds=280, shapes=SHAPES, seed=20)
    assert np.mean(np.array(found["places"]) <= 0.1) > 0.01  # exact tests use up their level


@pytest.mark.slow
def test_right_samplers_are_refused_no_more_often_than_stated_in_many_rounds():
    calibrated(rounds=4000, shapes=SHAPES, seed=21)


@pytest.mark.parametrize(("sampler", "name"), SAMPLERS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_right_samplers_pass_at_full_size(sampler, name, dtype):
    x = sampler(np.random.default_rng(31), LAWS[name], (96, 86, 8), dtype)
    assert min(p_values(x, LAWS[name], dtype).values()) > 1e-6


def test_zeros_that_come_in_pairs_are_allowed():
    # A radius of zero makes two: in four million values of 24 bits there may be a few.
    assert repeats.foretold(4, 2**22, 2.0**-24) > 1e-4
    assert repeats.foretold(2, 2**10, 2.0**-24) > 1e-8
    assert repeats.foretold(40, 2**17, 2.0**-22) < 1e-14


# ---------------------------------------------------------------------------------- sound bounds


def test_ties_and_nothing_beyond_have_a_sound_bound():
    rng = np.random.default_rng(12)
    p = np.empty(4000)
    for k in range(p.size):  # of 400 values at equal distances, in all of which a uniform law is
        x = rng.integers(400, size=60)
        counts = int((x == x.min()).sum()), int((x == x.max()).sum())
        beyond = (1 - 2 * min(x.min(), 399 - x.max()) / 400) ** 60
        p[k] = repeats.tied_within(counts, 60, 1 / 400 / 0.7, beyond)
    for level in (0.2, 0.05, 0.01, 0.001):
        assert (p <= level).sum() <= stats.binom.isf(1e-6, p.size, level)


@pytest.mark.parametrize(("n", "size"), [(20, 50), (60, 8), (400, 4000)])
def test_the_most_frequent_value_has_a_sound_bound(n, size):
    rng = np.random.default_rng(3)
    chances = np.sort(rng.dirichlet(np.ones(size)))
    least = np.empty(2000)
    for k in range(least.size):
        counts = rng.multinomial(n, chances).astype(float)
        least[k] = repeats.most_frequent(counts, n, chances).min()
    for level in (0.2, 0.05, 0.01):
        count = int((least <= level).sum())
        assert count <= stats.binom.isf(1e-6, least.size, level)


def test_the_bound_on_ties_at_the_ends_is_sound():
    rng = np.random.default_rng(4)
    p = np.empty(3000)
    for k in range(p.size):
        x = rng.integers(300, size=40)
        counts = int((x == x.min()).sum()), int((x == x.max()).sum())
        inside = (x.max() - x.min() + 1) / 300
        p[k] = repeats.tied(counts, 40, (1 / 300 / inside, 1 / 300 / inside))
    for level in (0.2, 0.05, 0.01):
        assert (p <= level).sum() <= stats.binom.isf(1e-6, p.size, level)


def test_a_sum_along_paths_has_a_sound_bound():
    # The exact log determinant of a path's adjacency, against the bound for each of its edges.
    for nodes in (2, 3, 7, 50):
        adjacency = np.eye(nodes, k=1) + np.eye(nodes, k=-1)
        for t in (0.01, 0.2, 0.45, 0.499):
            exact = -np.linalg.slogdet(np.eye(nodes) - t * adjacency)[1] / 2
            bound = -(nodes - 1) * math.log((1 + math.sqrt(1 - 4 * t * t)) / 2) / 2
            assert exact <= bound + 1e-12
    rng = np.random.default_rng(5)
    w = math.sqrt(12) * (rng.random((20_000, 30)) - 0.5)
    sums = np.abs((w[:, 1:] * w[:, :-1]).sum(axis=1))
    for quantile in (0.5, 0.9, 0.99, 0.999):
        assert products.paths(float(np.quantile(sums, quantile)), 29) >= 0.9 * (1 - quantile)
    assert products.paths(0.05 * 2**17, 2**17) < 1e-60


@pytest.mark.parametrize("n", [1, 2, 8, 200])
def test_even_spacings_have_a_sound_bound(n):
    rng = np.random.default_rng(6)
    p = np.array([spacings.moran(rng.random((3, n)))[1] for _ in range(2000)])
    for level in (0.1, 0.01):
        assert (p <= level).sum() <= stats.binom.isf(1e-6, p.size, level)


def test_stratified_points_are_too_even():
    rng = np.random.default_rng(6)
    for n in (8, 200):
        strata = (np.arange(n) + rng.random((200, n))) / n
        assert spacings.moran(strata)[1] < 1e-14


def test_scores_of_a_law_have_the_density_that_is_stated():
    rng = np.random.default_rng(7)
    for law in LAWS.values():
        x = ideal(rng, law, (40_000,), "float64")
        u = transform.transform(x, law, "float64", rng, RESOLUTION)
        scores = Scores(u, (1, x.size), law, RESOLUTION, rng)
        linear = scores.linear.reshape(-1)
        assert abs(linear.mean()) < 0.03
        assert abs(linear.std() - 1) < 0.03
        counts, edges = np.histogram(linear, 40)
        density = counts / x.size / np.diff(edges)
        assert density.max() <= scores.density * 1.15
        assert density.max() >= scores.density * 0.85


# ----------------------------------------------------------------------- what is seen, and is said


def normal(shape, seed=5):
    return np.random.default_rng(seed).standard_normal(shape)


def record_of(x, claim="normal(std=1.0)"):
    return check(x.astype(np.float32), claim).records[0]


def padded(x):
    return np.where(np.arange(len(x))[:, None] == 3, 0, x)


ARRAYS = {
    "row 3 is 0 throughout": padded,
    "the last 40 values are 0 throughout": lambda x: np.where(
        np.arange(x.size).reshape(x.shape) >= x.size - 40, 0, x
    ),
    "values are clipped": lambda x: np.clip(x, -3.5, 3.5),
    "the mean grows with the column": lambda x: np.sort(x, axis=1),
    "the mean falls with the row": lambda x: -np.sort(-x, axis=0),
    "the spread grows with the column": lambda x: np.take_along_axis(
        x, np.abs(x).argsort(axis=1), 1
    ),
    "values of neighbours along axis": lambda x: (
        np.abs(x) * (-1.0) ** np.indices(x.shape).sum(axis=0)
    ),
    "values repeat with period 1000": lambda x: np.resize(x.reshape(-1)[:1000], x.shape),
    "the very mean and standard deviation": lambda x: (x - x.mean()) / x.std(),
    "they are normalised": lambda x: x / np.sqrt((x**2).mean(axis=1, keepdims=True)),
    "they are centred": lambda x: (
        (x - x.mean(axis=1, keepdims=True)) / math.sqrt(1 - 1 / x.shape[1])
    ),
}


@pytest.mark.parametrize("words", ARRAYS)
def test_one_array_is_enough_and_the_sentence_says_what_was_seen(words):
    record = record_of(ARRAYS[words](normal((512, 256))))
    assert record.verdict == "FAIL"
    assert words in f"{record.explanation} {record.sentence}", record.explanation


def test_the_first_sentence_names_a_dead_row_and_not_the_resolution():
    record = judge(registry()["padding-row"].cell, Budget())
    assert record.explanation.startswith("Row 0 is zero in every tensor")
    assert "resolution" not in record.explanation


@pytest.mark.parametrize(
    ("mutant", "words"),
    [
        ("rows-fixed", "row 1, row 2, row 3 and 82 more are the same for every seed"),
        ("dead-unit", "slice 7 of axis 3 is 0 throughout"),
        ("period-97", "values repeat with period 97"),
        ("pattern-added", "the places have values of their own, whatever the seed"),
        ("columns-by-turns", "even and odd ones differ"),
        ("rank-12", "matrices of 24 x 24 have a rank of about 12"),
        ("hypercube", "more even than chance"),
    ],
)
def test_each_fault_is_told_as_what_it_is(mutant, words):
    record = judge(registry()[mutant].cell, Budget(cells=kill_matrix.CELLS))
    assert words in f"{record.explanation} {record.sentence}", record.explanation


def test_a_wrong_scale_is_not_told_as_a_fault_of_places():
    record = check(0.5 * normal((512, 256)), "normal(std=1.0)").records[0]
    tests = {item.test for item in record.failed}
    assert "variance" in tests
    assert not tests & {"places", "norms", "rows", "columns", "lag", "squares", "neighbours"}


def test_a_cell_stays_within_its_decisions():
    for name in ("padding-row", "zeros-in-place", "complex-square"):
        record = judge(registry()[name].cell, Budget())
        with_chance = [
            item for item in record.decisions if item.test not in {**seen.CONDUCT, **seen.CONTRACT}
        ]
        assert 0 < len(with_chance) <= DECISIONS


def test_values_beyond_the_support_are_no_pattern_of_places():
    x = np.random.default_rng(10).uniform(-1.5, 1.5, (512, 256))
    record = record_of(x, "uniform(-1, 1)")
    tests = {item.test for item in record.failed}
    assert "support" in tests
    assert not tests & {"places", "norms", "rows", "columns", "lag", "squares", "neighbours"}


@pytest.mark.parametrize("shape", [(), (1,), (2,), (1, 1), (3, 1, 1), (1, 5), (2, 2, 2, 2, 2, 2)])
def test_small_and_odd_shapes_are_judged(shape):
    x = ideal(np.random.default_rng(8), LAWS["uniform"], (7, *shape), "float32")
    assert min(p_values(x, LAWS["uniform"], "float32").values()) > 1e-9


def test_where_something_holds_in_every_draw():
    equal = np.zeros((3, 6, 4), bool)
    assert throughout(equal) == ""
    equal[:, :, 2] = True
    assert throughout(equal) == "column 2 is"
    equal[:] = True
    assert throughout(equal) == "every value is"
    tail = np.zeros((3, 6, 4), bool)
    tail[:, -1, 1:] = True
    assert throughout(tail) == "the last 3 values are"


def test_the_rank_of_wide_and_tall_matrices():
    rng = np.random.default_rng(9)
    law = LAWS["normal"]
    for shape in ((30, 8), (8, 30)):
        left, right = rng.standard_normal((4, shape[0], 3)), rng.standard_normal((4, 3, shape[1]))
        x = left @ right * law.sigma / math.sqrt(3)
        u = transform.transform(x.reshape(-1), law, "float32", rng, RESOLUTION)
        scores = Scores(u, x.shape, law, RESOLUTION, rng)
        finding = evenness.rank(scores)
        assert finding.statistic == 3
        assert finding.p < 1e-14
    assert places.places(scores).test == "places"


def test_one_dependent_column_is_seen_wherever_it_is():
    rng = np.random.default_rng(11)
    law = LAWS["normal"]
    x = ideal(rng, law, (4, 20, 20), "float64")
    x[:, :, 3] = x[:, :, 0]
    x = narrowed(x, "float32")
    u = transform.transform(x.reshape(-1), law, "float32", rng, RESOLUTION)
    assert evenness.rank(Scores(u, x.shape, law, RESOLUTION, rng)).p < 1e-14
