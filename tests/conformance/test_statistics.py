"""The suite's statistics themselves: no false alarms, sound bounds, and power where it is stated."""

import json
import math
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import special, stats

from initspec import UnknownName
from initspec.conformance import check
from initspec.conformance.batteries import independence, marginal, orthogonal, sparse
from initspec.conformance.design import Budget
from initspec.conformance.probability import bounds, transform
from initspec.spec.distance import dkw, dkw_distance
from initspec.spec.distribution import Normal, TruncatedNormal, Uniform
from initspec.spec.marginals import HaarEntry
from initspec.spec.tensor_laws import DeltaOrthogonal, Orthogonal, Sparse

LAWS = {
    "uniform": Uniform(-0.25, 0.25),
    "shifted": Uniform(2.0, 3.0),
    "normal": Normal(0.0, 0.1),
    "off-centre": Normal(1.5, 0.5),
    "truncated": TruncatedNormal(0.0, 0.17, -2.0, 2.0),
    "one-sided": TruncatedNormal(0.0, 1.0, 1.0, 3.0),
    "haar-entry": HaarEntry(1.0, 16),
}
DTYPES = ("float64", "float32", "bfloat16", "float16")
#: The level of one decision in a run of 2,000 cells.
LEVEL = Budget(cells=2000).decision
RESOLUTION = 22


def rounded(x, dtype):
    return (
        transform._rounded(np.asarray(x, float), dtype)
        if dtype != "float64"
        else np.asarray(x, float)
    )


def draw(law, shape, rng):
    return transform.ppf(law, rng.random(shape) + 2.0**-54)


def marginal_p(x, law, dtype="float32", jitter=1):
    u = transform.transform(x, law, dtype, np.random.default_rng(jitter))
    return {f.test: f.p for f in marginal.battery(x, u, law, dtype, RESOLUTION)}


def independence_p(x, law, dtype="float32", jitter=1):
    """Of replicates of a matrix: three axes."""
    u = transform.transform(x, law, dtype, np.random.default_rng(jitter)).u
    return {f.test: f.p for f in independence.battery(independence.scores(u), x)}


def haar(rng, count, rows, columns, entries=None):
    long, short = max(rows, columns), min(rows, columns)
    q, r = np.linalg.qr((entries or rng.standard_normal)((count, long, short)))
    q = q * np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)[:, None, :]
    return q if rows >= columns else q.swapaxes(1, 2)


def orthogonal_p(q, dtype="float32", gain=1.0, count=1):
    law = Orthogonal(gain, count, *q.shape[1:])
    flat = rounded(gain * q, dtype).reshape(q.shape[0] // count, -1)
    return {f.test: f.p for f in orthogonal.battery(flat, law, dtype)}


def sparse_draws(rng, count, law, dtype):
    x = draw(Normal(0.0, law.sigma), (count, law.count, law.rows, law.columns), rng)
    x[rng.random(x.shape).argsort(axis=law.axis + 1) < law.zeros] = 0.0
    return rounded(x, dtype).reshape(count, -1)


def sparse_p(x, law, dtype="float32"):
    cell = SimpleNamespace(dtype=dtype, target=SimpleNamespace(resolution=RESOLUTION))
    return {f.test: f.p for f in sparse.sparse_battery(x, law, cell)}


# ------------------------------------------------------------------------------- no false alarms


def null_marginal(rng, n, dtype, law):
    return marginal_p(rounded(draw(law, n, rng), dtype), law, dtype, int(rng.integers(2**31)))


def null_independence(rng, n, dtype, law):
    side = math.isqrt(n // 4)
    x = rounded(draw(law, (4, side, side), rng), dtype)
    return independence_p(x, law, dtype, int(rng.integers(2**31)))


def null_orthogonal(rng, n, dtype, shape):
    q = haar(rng, 2 * max(n // 64, 8), *shape)
    return orthogonal_p(q, dtype, 1.5, 2)


def null_sparse(rng, n, dtype, about):
    law = Sparse(0.01, *about)
    return sparse_p(sparse_draws(rng, max(n // 64, 8), law, dtype), law, dtype)


BATTERIES = (
    *((null_marginal, law) for law in LAWS.values()),
    (null_independence, LAWS["uniform"]),
    (null_independence, LAWS["truncated"]),
    (null_orthogonal, (4, 4)),
    (null_orthogonal, (6, 3)),
    (null_orthogonal, (2, 5)),
    (null_sparse, (3, 1, 12, 6, "out")),
    (null_sparse, (9, 1, 12, 6, "out")),
    (null_sparse, (4, 1, 6, 12, "in")),
)


def calibrated(rounds, sizes, seed):
    """P(p <= a) <= a for every test, within what chance allows at 1e-6 for each count."""
    rng = np.random.default_rng(seed)
    found = defaultdict(list)
    for number in range(rounds):
        dtype, n = DTYPES[number % 4], sizes[number // 4 % len(sizes)]
        for battery, about in BATTERIES:
            for test, p in battery(rng, n, dtype, about).items():
                assert 0 <= p <= 1
                found[battery.__name__, test].append(p)
    for (battery, test), values in found.items():
        for level in (0.1, 0.01, 0.001):
            count = int(np.count_nonzero(np.array(values) <= level))
            allowed = stats.binom.isf(1e-6, len(values), level)
            assert count <= allowed, f"{battery} {test}: {count} of {len(values)} at {level}"
    return {key: np.array(values) for key, values in found.items()}


def test_right_samplers_are_refused_no_more_often_than_stated():
    found = calibrated(rounds=120, sizes=(256, 1024, 4096), seed=20)
    # Were all p-values one, the claim would be empty: the exact tests use up their level.
    for key in (("null_marginal", "ks"), ("null_orthogonal", "determinant")):
        assert 0.02 < np.mean(found[key] <= 0.1) <= 0.15


@pytest.mark.slow
def test_right_samplers_are_refused_no_more_often_than_stated_in_many_rounds():
    calibrated(rounds=1600, sizes=(64, 256, 1024, 4096), seed=21)


def test_a_calibration_that_is_off_is_seen(monkeypatch):
    monkeypatch.setattr(marginal, "dkw", lambda gap, n: min(1, math.exp(-3 * n * gap**2)))
    with pytest.raises(AssertionError, match="ks"):
        calibrated(rounds=60, sizes=(256,), seed=20)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_right_samplers_pass_at_full_size(law, dtype):
    x = rounded(draw(law, 2**17, np.random.default_rng(30)), dtype)
    assert min(marginal_p(x, law, dtype).values()) > 1e-6


# ---------------------------------------------------------------------------------- sound bounds


@pytest.mark.parametrize("n", [1, 5, 40, 400])
def test_chernoff_is_above_the_exact_tail_of_squares(n):
    bound = bounds.Chernoff(lambda u: special.ndtri(u) ** 2)
    for mean in (0.2, 0.6, 1.3, 2.0, 4.0):
        exact = special.chdtrc(n, n * mean) if mean > 1 else special.chdtr(n, n * mean)
        assert bound.p(mean, n) >= 2 * min(exact, 0.5) * (1 - 1e-9) or bound.p(mean, n) == 1
    assert bounds.chi_square(2.0 * n, n) <= bound.p(2.0, n)


@pytest.mark.parametrize("n", [2, 3, 12])
def test_chernoff_is_above_the_exact_tail_of_uniform_sums(n):
    bound = bounds.Chernoff(lambda u: u)
    for mean in (0.55, 0.7, 0.9):
        # Irwin and Hall: the volume of the corner of a cube
        x = n * (1 - mean)
        terms = [(-1) ** k * math.comb(n, k) * (x - k) ** n for k in range(math.floor(x) + 1)]
        exact = sum(terms) / math.factorial(n)
        assert exact <= bound.p(mean, n) / 2
        assert bound.p(1 - mean, n) == pytest.approx(bound.p(mean, n), rel=1e-3)


def test_chernoff_costs_little():
    bound = bounds.Chernoff(lambda u: special.ndtri(u) ** 2)
    n = 10_000
    mean = special.chdtri(n, 1e-14) / n
    assert 1e-14 < bound.p(mean, n) / 2 < 1e-12


def test_the_correlation_is_above_simulated_tails():
    rng = np.random.default_rng(4)
    a, b = (independence.scores(rng.random((200_000, 6))) for _ in range(2))
    means = np.abs((a * b).mean(axis=1))
    for quantile in (0.5, 0.9, 0.99, 0.999):
        mean = float(np.quantile(means, quantile))
        assert independence.correlation(mean, 6) >= (1 - quantile) * 0.9
    assert independence.correlation(0.1, 100_000) < 1e-100


def test_an_unknown_tier_is_refused():
    with pytest.raises(UnknownName, match="tier 'exakt': did you mean 'exact'"):
        check("numpy", "he_normal", tier="exakt")


@pytest.mark.parametrize("n", [10, 100, 5000])
def test_dkw_is_above_the_exact_law(n):
    for p in (0.5, 0.1, 1e-3, 1e-9, 1e-14):
        gap = dkw_distance(p, n)
        assert stats.kstwo.sf(gap, n) <= p * (1 + 1e-9)
        assert dkw(gap, n) == pytest.approx(p)


@pytest.mark.parametrize(("n", "share"), [(1, 0.5), (20, 0.5), (64, 0.01), (1000, 0.9)])
def test_the_binomial_is_exact(n, share):
    for count in {0, 1, n // 3, n // 2, n - 1, n}:
        low, high = stats.binom.cdf(count, n, share), stats.binom.sf(count - 1, n, share)
        assert bounds.binomial(count, n, share) == pytest.approx(min(1, 2 * min(low, high)))
        assert bounds.binomial_above(count, n, share) == pytest.approx(high)


def test_poisson_is_above_the_exact_tail():
    for mean in (0.01, 1.0, 30.0):
        for count in range(1, 100, 7):
            assert bounds.poisson_above(count, mean) >= stats.poisson.sf(count - 1, mean) * 0.999999
    assert bounds.poisson_above(0, 0) == 1
    assert bounds.poisson_above(1, 0) == 0


def test_the_smallest_is_exact():
    for n in (1, 50, 2**20):
        for p in (0.3, 1e-4, 1e-12):
            low = -math.expm1(math.log1p(-p / 2) / n)
            assert bounds.smallest(low, n) == pytest.approx(p)


def test_rademacher_is_above_the_exact_tail():
    weights = np.array([3.0, 1.0, 1.0, 0.5, 0.1, 2.0, 2.0, 1.5])
    signs = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    sums = np.abs(signs @ weights)
    for total in sums:
        exact = float(np.mean(sums >= total - 1e-12))
        assert orthogonal.rademacher(float(total), float(weights @ weights)) >= exact
    assert orthogonal.rademacher(0.0, 0.0) == 1


@pytest.mark.parametrize(("rows", "zeros"), [(12, 3), (12, 9), (40, 36)])
def test_the_hypergeometric_rate_is_above_the_exact_tail(rows, zeros):
    law = stats.hypergeom(rows, zeros, zeros)
    for count in range(max(0, 2 * zeros - rows), zeros + 1):
        bound = math.exp(-sparse._hypergeometric_rate(float(count), rows, zeros))
        exact = law.sf(count - 1) if count > law.mean() else law.cdf(count)
        assert bound >= exact * (1 - 1e-9)
    assert sparse._hypergeometric_rate(zeros**2 / rows, rows, zeros) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["uniform", "normal", "truncated"])
def test_what_is_stated_as_detectable_is_detected(name):
    law, n, beta = LAWS[name], 2**14, 0.01
    error = bounds.detectable_scale(n, law.kurtosis, LEVEL, beta)
    rng = np.random.default_rng(7)
    for sign in (-1, 1):
        missed = 0
        for _ in range(40):
            x = law.mean + (draw(law, n, rng) - law.mean) * (1 + sign * error)
            missed += marginal.second_moment(x, law).p >= LEVEL
        assert missed <= 4  # 0.4 expected


def test_the_distance_that_is_stated_as_detectable_is_detected():
    n, beta = 2**13, 0.01
    distance = bounds.detectable_distance(n, LEVEL, beta)
    rng = np.random.default_rng(8)
    for _ in range(40):
        # A part of the lower half is moved up: the distribution functions differ by `distance`.
        u = rng.random(n)
        u[(u < 0.5) & (rng.random(n) < 2 * distance)] += 0.5
        assert marginal.ks(transform.Uniforms(u, 1 - u)).p < LEVEL


# ----------------------------------------------------------------------------------------- power

N = 2**17
TN = LAWS["truncated"]
SIZE = (190, 86, 8)  # replicates, rows, columns: about 2**17


def resized(law, ratio):
    return TruncatedNormal(law.mu, law.sigma * ratio, law.low, law.high)


def student(rng, law):
    x = rng.standard_t(10, N) * math.sqrt(0.8)
    return law.mean + law.std * x


def lattice(bits):
    def make(rng, law):
        return transform.ppf(law, (np.floor(rng.random(N) * 2.0**bits) + 0.5) / 2.0**bits)

    return make


CUT = 0.8796256610342398
FAULTS = {
    "uncorrected truncation": (TN, lambda r, law: draw(resized(law, CUT), N, r)),
    "corrected twice": (TN, lambda r, law: draw(resized(law, 1 / CUT), N, r)),
    "the factor 1.3": (TN, lambda r, law: draw(resized(law, CUT * math.sqrt(1.3)), N, r)),
    "1/n for 2/n": (LAWS["normal"], lambda r, law: draw(law, N, r) / math.sqrt(2)),
    "swapped fans": (LAWS["normal"], lambda r, law: draw(law, N, r) * math.sqrt(86 / 8)),
    "swapped fans, uniform": (LAWS["uniform"], lambda r, law: draw(law, N, r) * math.sqrt(86 / 8)),
    "limit for std": (LAWS["uniform"], lambda r, law: draw(law, N, r) / math.sqrt(3)),
    "clipped": (TN, lambda r, law: np.clip(r.normal(0, law.sigma, N), *law.support)),
    "not truncated": (TN, lambda r, law: r.normal(0, law.std, N)),
    "half normal": (LAWS["normal"], lambda r, law: np.abs(draw(law, N, r))),
    "one-sided": (LAWS["uniform"], lambda r, law: r.uniform(0, law.high, N)),
    "uniform for normal": (
        LAWS["normal"],
        lambda r, law: r.uniform(-1, 1, N) * math.sqrt(3) * law.std,
    ),
    "student": (LAWS["normal"], student),
    "four uniforms": (
        LAWS["normal"],
        lambda r, law: (r.random((4, 4 * N)).sum(0) - 2) * math.sqrt(3) * law.std,
    ),
    "scale 3 % off": (LAWS["normal"], lambda r, law: 1.03 * draw(law, N, r)),
    "scale 2.5 % off, truncated": (TN, lambda r, law: draw(resized(law, 1.025), N, r)),
    "scale 0.5 % off, uniform": (LAWS["uniform"], lambda r, law: 0.995 * draw(law, N, r)),
    **{f"{bits} bits": (LAWS["uniform"], lattice(bits)) for bits in (8, 12, 16, 18, 20)},
    "8 bits, normal": (LAWS["normal"], lattice(8)),
    "20 bits, truncated": (TN, lattice(20)),
    "leak of 1e-4": (
        TN,
        lambda r, law: np.where(r.random(N) < 1e-4, 3 * law.sigma, draw(law, N, r)),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_laws_are_refused(fault):
    law, make = FAULTS[fault]
    for seed in (1, 2, 3):
        x = rounded(make(np.random.default_rng(seed), law), "float32")
        assert min(marginal_p(x, law).values()) < LEVEL, f"seed {seed}"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_uniform_of_a_few_bits_is_refused_in_narrow_types(dtype):
    law, bits = LAWS["uniform"], {"bfloat16": 7, "float16": 10}[dtype]
    x = rounded(
        transform.ppf(law, np.floor(np.random.default_rng(5).random(N) * 2.0**bits) / 2.0**bits),
        dtype,
    )
    assert min(marginal_p(x, law, dtype).values()) < LEVEL


def test_an_upper_bound_that_wraps_round_is_refused():
    law = Uniform(0.0, 1.0)
    x = rounded(draw(law, 2**20, np.random.default_rng(5)), "bfloat16")
    x[x == 1] = 0
    assert marginal_p(x, law, "bfloat16")["edges"] < LEVEL


def autoregressive(rho):
    def make(x):
        flat = x.reshape(-1)
        for i in range(1, flat.size):
            flat[i] = rho * flat[i - 1] + math.sqrt(1 - rho**2) * flat[i]
        return x

    return make


def rows_permuted(x):
    rng = np.random.default_rng(9)
    for matrix in x:
        for row in matrix[1:]:
            row[:] = rng.permutation(matrix[0])
    return x


def changed(change):
    def make(x):
        change(x)
        return x

    return make


def antithetic(x):
    x[:, 43:] = -x[:, :43]


def overlapping(x):
    flat = x.reshape(x.shape[0], -1)
    stream = np.random.default_rng(3).standard_normal(flat.size) * 0.1
    for i in range(len(flat)):
        flat[i] = stream[400 * i : 400 * i + flat.shape[1]]


DEPENDENT = {
    "one seed for all": changed(lambda x: x.__setitem__(slice(None), x[0].copy())),
    "two rows equal": changed(lambda x: x.__setitem__((slice(None), 5), x[:, 70])),
    "one row tiled": changed(lambda x: x.__setitem__(slice(None), x[:, :1].copy())),
    "two columns equal": changed(lambda x: x.__setitem__((..., 3), x[..., 6])),
    "second half negated": changed(antithetic),
    "rows permuted": rows_permuted,
    "autoregressive, 0.05": autoregressive(0.05),
    "autoregressive, 0.2": autoregressive(0.2),
    "streams overlap": changed(overlapping),
}


@pytest.mark.parametrize("fault", DEPENDENT)
def test_dependence_is_refused(fault):
    law = LAWS["normal"]
    for seed in (1, 2, 3):
        x = draw(law, SIZE, np.random.default_rng(seed))
        x = rounded(DEPENDENT[fault](x.copy()), "float32")
        found = independence_p(x, law) | marginal_p(x.reshape(-1), law)
        assert min(found.values()) < LEVEL, f"seed {seed}: {found}"


def test_a_symmetric_matrix_is_refused():
    law = LAWS["normal"]
    x = draw(law, (32, 64, 64), np.random.default_rng(1))
    upper = np.triu(x)
    x = upper + np.triu(x, 1).swapaxes(1, 2)
    assert independence_p(x, law)["symmetry"] < LEVEL


# ------------------------------------------------------------------------- matrices of their own


def unsigned(rng, count, rows, columns):
    q = np.linalg.qr(rng.standard_normal((count, max(rows, columns), min(rows, columns))))[0]
    return q if rows >= columns else q.swapaxes(1, 2)


def rotations(rng, count, rows, columns):
    q = haar(rng, count, rows, columns)
    q[:, :, 0] *= np.linalg.slogdet(q).sign[:, None]
    return q


@pytest.mark.parametrize("shape", [(16, 16), (8, 24), (24, 8), (3, 3), (2, 2)])
def test_a_missing_sign_fix_is_refused_by_64_matrices(shape):
    q = unsigned(np.random.default_rng(2), 64, *shape)
    assert orthogonal_p(q)["diagonal"] < LEVEL


def test_rotations_alone_are_refused_by_64_matrices():
    q = rotations(np.random.default_rng(2), 64, 16, 16)
    assert orthogonal_p(q)["determinant"] < LEVEL
    assert min(orthogonal_p(haar(np.random.default_rng(2), 64, 16, 16)).values()) > 1e-4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(16, 16), (8, 24), (24, 8)])
def test_matrices_from_wrong_numbers_are_refused_by_512(shape, dtype):
    rng = np.random.default_rng(3)
    q = haar(rng, 512, *shape, lambda size: rng.uniform(-1, 1, size))
    assert orthogonal_p(q, dtype)["rotation"] < LEVEL


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_wrong_gain_is_refused(dtype):
    q = haar(np.random.default_rng(4), 16, 12, 8)
    law = Orthogonal(1.0, 1, 12, 8)
    flat = rounded(1.02 * q, dtype).reshape(16, -1)
    assert {f.test: f.p for f in orthogonal.battery(flat, law, dtype)}["norm"] == 0


def test_normal_matrices_are_not_orthogonal():
    q = np.random.default_rng(4).standard_normal((16, 12, 8)) / math.sqrt(12)
    assert orthogonal_p(q)["residual"] == 0


def test_copies_of_matrices_are_refused():
    q = haar(np.random.default_rng(4), 64, 8, 8)
    q[63] = q[17]
    assert orthogonal_p(q)["duplicates"] < LEVEL
    q[1::2] = q[::2]
    assert orthogonal_p(q)["tensors"] < LEVEL
    assert orthogonal_p(q, count=2)["blocks"] < LEVEL
    # Small matrices of a narrow type meet by chance, and that is no fault.
    small = haar(np.random.default_rng(4), 2000, 2, 2)
    assert orthogonal_p(small, "bfloat16")["duplicates"] == 1


def test_the_taps_beside_the_middle_are_zero():
    law = DeltaOrthogonal(1.0, 3, 1, 1, 4, 6)
    x = np.zeros((64, 1, 3, 4, 6))
    x[:, 0, 1] = haar(np.random.default_rng(5), 64, 4, 6)
    flat = rounded(x, "float32").reshape(64, -1)
    assert min(f.p for f in orthogonal.delta_battery(flat, law, "float32")) > 1e-4
    flat[7, 3] = 1e-7
    assert {f.test: f.p for f in orthogonal.delta_battery(flat, law, "float32")}["taps"] == 0


@pytest.mark.parametrize("side", ["out", "in"])
def test_wrong_zeros_are_refused(side):
    sides = (40, 24) if side == "out" else (24, 40)
    law, rng = Sparse(0.01, 9, 1, *sides, side), np.random.default_rng(6)
    size = (64, 1, 40, 24)  # with the lines as columns
    x = draw(Normal(0, 0.01), size, rng)

    def p(mask):
        values = rounded(np.where(mask, 0.0, x), "float32")
        return sparse_p((values if side == "out" else values.swapaxes(2, 3)).reshape(64, -1), law)

    right = rng.random(size).argsort(axis=2) < 9
    assert min(p(right).values()) > 1e-4
    fewer = right.copy()
    fewer[3, 0, np.argmax(right[3, 0, :, 5]), 5] = False
    assert p(fewer)["zeros"] == 0
    assert p(rng.random(size).argsort(axis=2) < 10)["zeros"] < LEVEL
    assert p(np.broadcast_to(np.arange(40)[:, None] < 9, size))["positions"] < LEVEL
    assert p(np.broadcast_to(right[..., :1], size))["masks"] < LEVEL
    assert p(np.broadcast_to(right[:1], size))["tensors"] < LEVEL
    assert p(rng.random(size) < 9 / 40)["zeros"] == 0
    x *= 1.2
    assert p(right)["variance"] < LEVEL


# ------------------------------------------------------------------- rounding, and the ends of it


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_interval_of_a_value_is_what_rounds_to_it(dtype):
    rng = np.random.default_rng(1)
    x = np.concatenate([[0.0, 1.0, -2.0, 0.25], rng.standard_normal(200)])
    x = rounded(x, dtype)
    low, high = transform.neighbours(x, dtype)
    if dtype == "float64":  # the ends fall between the numbers of float64
        assert np.all((low <= x) & (x <= high))
        return
    width = high - low
    for inner in (low + 1e-3 * width, high - 1e-3 * width):
        same = rounded(inner, dtype) == x
        assert same[1:].all(), x[~same]
    for outer in (low - 1e-3 * width, high + 1e-3 * width):
        other = rounded(outer, dtype) != x
        assert other[1:].all(), x[~other]
    assert high[0] == -low[0] == 2.0 ** (transform.TYPES[dtype][1] - 1)


def test_a_half_open_interval_may_give_its_end():
    law = Uniform(0.0, 1.0)
    x = np.floor(np.random.default_rng(2).random(2**17) * 2**24) / 2**24
    x[5] = 0.0
    assert min(marginal_p(rounded(x, "float32"), law).values()) > 1e-6
    x[5:40] = 0.0
    assert marginal_p(rounded(x, "float32"), law)["edges"] < LEVEL


def test_the_calibration_kept_is_the_one_that_the_page_states():
    root = Path(__file__).parents[1]
    kept = json.loads((root / "data" / "calibration.json").read_text("utf-8"))
    assert kept["cells"] >= 20_000
    assert kept["refused"] == []
    page = " ".join((root.parent / "docs" / "conformance.md").read_text("utf-8").split())
    stated = f"{kept['date']}: {kept['cells']:,} cells, {kept['decisions']:,} decisions, none"
    assert stated in page
