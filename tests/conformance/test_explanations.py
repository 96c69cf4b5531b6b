"""The first sentence of an explanation names the fault: ninety wrong initializers of all kinds."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import special

import initspec
from initspec.conformance import check

CONV, GROUPED = ((5, 7, 8, 38), "hwio"), ((48, 8, 3, 3), "oihw, groups=4")
SQUARE, FLAT = ((16, 16), "io"), ((86, 8), "io")


class Wrong(NamedTuple):
    """A maker of wrong weights, what it claims to be, and how its explanation begins."""

    claim: str
    make: Callable[[np.random.Generator, tuple[int, ...]], Any]
    first: str
    on: tuple[tuple[int, ...], str] = FLAT
    dtype: str = "float32"


def fan(on=FLAT, mode="FAN_IN"):
    return initspec.fans(*on).n(mode)


def normal(std):
    return lambda rng, shape: rng.standard_normal(shape) * std


def uniform(limit):
    return lambda rng, shape: rng.uniform(-limit, limit, shape)


def cut(std, at=2.0):
    """Cut at so many standard deviations of a parent of this one."""
    inside = special.ndtr(at) - special.ndtr(-at)

    def make(rng, shape):
        return special.ndtri(special.ndtr(-at) + inside * rng.random(shape)) * std

    return make


def of(make, change):
    return lambda rng, shape: change(make(rng, shape))


def qr(rng, shape):
    return np.linalg.qr(rng.standard_normal(shape))[0]


def haar(rng, shape):
    wide = shape[0] < shape[1]
    q, r = np.linalg.qr(rng.standard_normal(shape[::-1] if wide else shape))
    q = q * np.sign(np.diag(r))
    return q.T if wide else q


def rotation(rng, shape):
    q = haar(rng, shape)
    q[:, 0] *= np.sign(np.linalg.det(q))
    return q


def low_rank(rng, shape):
    return rng.standard_normal((shape[0], 4)) @ rng.standard_normal((4, shape[1])) * 0.1


def mixture(rng, shape):
    wide = np.where(rng.random(shape) < 0.1, 3.0, 1.0)
    return rng.standard_normal(shape) * wide / math.sqrt(1.8)


def laplace(rng, shape):
    return rng.laplace(0, math.sqrt(0.5), shape)


def triangular(rng, shape):
    return (rng.random(shape) + rng.random(shape) - 1) * math.sqrt(6)


def logistic(rng, shape):
    return rng.logistic(0, math.sqrt(3) / math.pi, shape)


def student(rng, shape):
    return rng.standard_t(5, shape) * math.sqrt(0.6)


def sparse(share, axis=0):
    def make(rng, shape):
        values = rng.standard_normal(shape) * 0.01
        places = np.argsort(rng.random(shape), axis=axis)
        values[places < round(share * shape[axis])] = 0
        return values

    return make


def symmetric(sign):
    def make(rng, shape):
        upper = np.triu(rng.standard_normal(shape), 1)
        return upper + sign * upper.T + (np.diag(rng.standard_normal(shape[0])) if sign > 0 else 0)

    return make


def padding(rng, shape):
    values = rng.standard_normal(shape)
    values[:4] = 0
    return values


def rows_of_sizes(rng, shape):
    return rng.standard_normal(shape) * np.linspace(0.5, 1.5, shape[0])[:, None]


def tiled(rng, shape):
    return np.tile(rng.standard_normal((1, shape[1])), (shape[0], 1))


def repeated(rng, shape):
    return np.concatenate([rng.standard_normal((shape[0], shape[1] // 4))] * 4, axis=1)


def coarse(bits):
    def make(rng, shape):
        u = (rng.integers(2**bits, size=shape) + 0.5) / 2**bits
        return special.ndtri(u) if bits > 8 else (2 * u - 1) * 0.05

    return make


def smoothed(rng, shape):
    z = rng.standard_normal((shape[0], shape[1] + 1))
    return (z[:, 1:] + 0.3 * z[:, :-1]) / math.sqrt(1.09)


_HE = math.sqrt(2 / 86)
_SHARE = 0.8796256610342398

WRONG = {
    # fans
    "fan-out": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / 8)),
        "The scale is too large, explained by 2/fan_out.",
    ),
    "fan-avg": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / 47)),
        "The scale is too large, explained by 2/average of the fans.",
    ),
    "fan-sum": Wrong(
        "glorot_normal@torch",
        normal(math.sqrt(1 / 94)),
        "The scale is too small, explained by 1/sum of the fans.",
    ),
    "fan-geometric": Wrong(
        "glorot_normal@torch",
        normal(math.sqrt(1 / math.sqrt(86 * 8))),
        "The scale is too large, explained by 1/geometric mean of the fans.",
    ),
    "fan-unrooted": Wrong(
        "variance_scaling(factor=2.0, distribution='normal')",
        normal(math.sqrt(2) / 86),
        "The scale is too small, explained by a fan without its root.",
    ),
    "groups-not-divided": Wrong(
        "variance_scaling(factor=1.0, mode='FAN_AVG', distribution='normal')",
        normal(math.sqrt(2 / (72 + 432))),
        "The scale is too small, explained by groups miscounted: fan_out of all groups.",
        GROUPED,
    ),
    "groups-divided-twice": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / 18)),
        "The scale is too large, explained by groups miscounted: fan_in divided by them twice.",
        GROUPED,
    ),
    "groups-times": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / 288)),
        "The scale is too small, explained by groups miscounted: fan_in of all groups.",
        GROUPED,
    ),
    "kernel-forgotten": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / 8)),
        "The scale is too large, explained by the kernel's size left out of the fans.",
        CONV,
    ),
    "kernel-squared": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / (8 * 35**2))),
        "The scale is too small, explained by the kernel's size counted twice in the fans.",
        CONV,
    ),
    "kernel-of-one-fan": Wrong(
        "glorot_uniform@torch",
        uniform(math.sqrt(6 / (8 * 35 + 38))),
        "The scale is too large, explained by the kernel's size left out of fan_out.",
        CONV,
    ),
    "transposed-kernel": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / (38 * 35))),
        "The scale is too small, explained by 2/fan_out.",
        CONV,
    ),
    "order-of-the-axes": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / (7 * 8 * 38))),
        "The scale is too small, explained by all axes but the first two taken for a kernel's.",
        CONV,
    ),
    "stack": Wrong(
        "glorot_uniform",
        uniform(math.sqrt(6 / (32 + 96))),
        "The scale is too small, explained by whole axes counted, groups and stacks not divided.",
        ((32, 96), "io, stack=3"),
    ),
    # factors
    "gain-missing": Wrong(
        "glorot_normal@torch(gain=1.6666666666666667)",
        normal(math.sqrt(1 / 47)),
        "The scale is too small, explained by the gain left out.",
    ),
    "gain-squared": Wrong(
        "glorot_normal@torch(gain=1.6666666666666667)",
        normal(math.sqrt(1 / 47) * (5 / 3) ** 2),
        "The scale is too large, explained by the gain squared.",
    ),
    "gain-rooted": Wrong(
        "glorot_normal@torch(gain=1.6666666666666667)",
        normal(math.sqrt(5 / 3 / 47)),
        "The scale is too small, explained by the gain taken for a factor of the variance.",
    ),
    "lecun-for-he": Wrong(
        "he_normal@torch",
        normal(math.sqrt(1 / 86)),
        "The scale is too small, explained by 1/fan_in.",
    ),
    "root-five": Wrong(
        "he_uniform@torch",
        uniform(math.sqrt(1 / 86)),
        "The scale is too small, explained by 1/(3 fan_in), PyTorch's default of a layer "
        "(kaiming_uniform_ with a=sqrt(5)).",
    ),
    "variance-for-std": Wrong(
        "normal(std=0.02)",
        normal(0.02**2),
        "The scale is too small, explained by the variance taken for the standard deviation.",
    ),
    "std-for-variance": Wrong(
        "normal(std=0.02)",
        normal(math.sqrt(0.02)),
        "The scale is too large, explained by the root of the variance taken twice.",
    ),
    "std-for-limit": Wrong(
        "he_uniform@torch",
        uniform(_HE),
        "The scale is too small, explained by the standard deviation taken for the limit.",
    ),
    "limit-for-std": Wrong(
        "he_uniform@torch",
        uniform(3 * _HE),
        "The scale is too large, explained by the limit taken for the standard deviation.",
    ),
    "unexplained": Wrong("normal(std=0.02)", normal(0.0317), "The scale is too large."),
    # truncations
    "uncorrected": Wrong(
        "he_normal",
        cut(_HE),
        "The scale is too small, explained by a truncation that is not corrected.",
    ),
    "corrected-twice": Wrong(
        "he_normal",
        cut(_HE / _SHARE**2),
        "The scale is too large, explained by a truncation corrected twice.",
    ),
    "corrected-undocumented": Wrong(
        "truncated_normal@torch(std=0.02, a=-0.04, b=0.04)",
        cut(0.02 / _SHARE),
        "The scale is too large, explained by a correction for the truncation, which is not "
        "documented.",
    ),
    "no-truncation": Wrong(
        "he_normal", normal(_HE), "The truncation is missing: the values are normal."
    ),
    "absolute-bounds": Wrong(
        "he_normal",
        normal(_HE / _SHARE),
        "The truncation is missing: the values are normal, with the parent's standard deviation, "
        "as where a=-2 and b=2 of PyTorch's trunc_normal_ are absolute bounds and cut nothing.",
    ),
    "cut-at-one-and-a-half": Wrong(
        "he_normal",
        cut(_HE / 0.743, 1.5),
        "The law is a normal one cut at 1.51 standard deviations of its parent, not a normal one "
        "cut at two standard deviations of its parent.",
    ),
    "cut-at-three": Wrong(
        "normal(std=1.0)",
        cut(1.0135, 3.0),
        "The law is a normal one cut at ",  # 2.99 or 3.00
    ),
    "cut-for-normal": Wrong(
        "normal(std=1.0)",
        cut(1.0),
        "The law is a normal one cut at two standard deviations of its parent, not normal.",
    ),
    "clipped": Wrong(
        "he_normal@torch",
        of(normal(_HE), lambda x: np.clip(x, -2 * _HE, 2 * _HE)),
        "The values are clipped at -0.304997 and 0.304997: what lies beyond is set to the bound.",
    ),
    "clipped-far-out": Wrong(
        "normal(std=1.0)",
        of(normal(1.0), lambda x: np.clip(x, -3.2, 3.2)),
        "The values are clipped at -3.2 and 3.2: what lies beyond is set to the bound.",
    ),
    # laws
    "uniform-for-normal": Wrong(
        "normal(std=1.0)", uniform(math.sqrt(3)), "The law is uniform, not normal."
    ),
    "normal-for-uniform": Wrong(
        "glorot_uniform", normal(math.sqrt(1 / 47)), "The law is normal, not uniform."
    ),
    "laplace": Wrong("normal(std=1.0)", laplace, "The law is Laplace's, not normal."),
    "triangular": Wrong("normal(std=1.0)", triangular, "The law is triangular, not normal."),
    "triangular-for-cut": Wrong(
        "he_normal",
        of(triangular, lambda x: x * _HE),
        "The law is triangular, not a normal one cut at two standard deviations of its parent.",
    ),
    "logistic": Wrong(
        "normal(std=1.0)",
        logistic,
        "The law is ",  # logistic, or Student's with 8 degrees
    ),
    "student": Wrong("normal(std=1.0)", student, "The law is Student's with 5 degrees of freedom"),
    "cauchy": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: rng.standard_cauchy(shape),
        "The law is Student's with 1 degree of freedom, not normal.",
    ),
    "mixture": Wrong("normal(std=1.0)", mixture, "The law is a mixture of two normal ones"),
    "skewed": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: (rng.gamma(2.0, 1.0, shape) - 2) / math.sqrt(2),
        "The law is skewed: it is not normal.",
    ),
    "signs-alone": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: rng.choice([-1.0, 1.0], shape),
        "There are only 2 different values.",
    ),
    # places
    "shifted": Wrong(
        "normal(std=1.0)",
        of(normal(1.0), lambda x: x + 0.1),
        "The mean is off by +0.102 standard deviations.",
    ),
    "swapped-arguments": Wrong(
        "normal(mean=0.1, std=0.02)",
        of(normal(0.1), lambda x: x + 0.02),
        "The mean and the standard deviation are swapped.",
    ),
    "absolute": Wrong(
        "he_normal@torch",
        of(normal(_HE), np.abs),
        "The sign is missing: no value is negative, and their sizes are right.",
    ),
    "one-sided": Wrong(
        "uniform",
        lambda rng, shape: rng.uniform(0, 0.05, shape),
        "The sign is missing: no value is negative, and their sizes are right.",
    ),
    # nothing drawn, too little drawn
    "zeros": Wrong(
        "he_normal", lambda rng, shape: np.zeros(shape), "All values are zero: nothing is drawn."
    ),
    "constant": Wrong(
        "he_normal@torch",
        lambda rng, shape: np.full(shape, _HE),
        "All values are 0.152499: nothing is drawn.",
    ),
    "constant-of-the-seed": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: np.full(shape, rng.standard_normal()),
        "Each tensor is filled with one number: what is drawn is a single value.",
    ),
    "seed-ignored": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: np.random.default_rng(0).standard_normal(shape),
        "The seed is ignored: every seed gives the same tensor.",
    ),
    "seed-is-a-sign": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: (
            np.random.default_rng(0).standard_normal(shape) * rng.choice([-1.0, 1.0], shape)
        ),
        "The seed changes the signs alone.",
    ),
    "seed-is-an-order": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: rng.permutation(
            np.random.default_rng(0).standard_normal(shape).ravel()
        ).reshape(shape),
        "Every seed gives the same values in another order.",
    ),
    "dropped-out": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) > 0.1),
        "Values are set to zero: the law has no such pile at zero.",
    ),
    "padding-row": Wrong(
        "normal(std=1.0)",
        padding,
        "4 rows are zero in every tensor: the law has no such pile at zero.",
    ),
    "masked": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: np.tril(rng.standard_normal(shape)),
        "The same places are zero in every tensor: the law has no such pile at zero.",
        SQUARE,
    ),
    "one-value": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: np.where(rng.random(shape) < 0.04, 0.25, rng.standard_normal(shape)),
        "One value, 0.25, stands in too many places.",
    ),
    "quantised": Wrong(
        "normal(std=1.0)",
        of(normal(1.0), lambda x: np.round(x * 64) / 64),
        "The values lie on a grid: they are quantised.",
    ),
    "eight-bits": Wrong(
        "uniform", coarse(8), "The values lie on a grid: they are quantised, as of 8 random bits."
    ),
    "sixteen-bits": Wrong(
        "normal(std=1.0)",
        coarse(16),
        "Values repeat too often: the sampler has too few random bits.",
    ),
    "half-precision": Wrong(
        "normal(std=1.0)",
        of(normal(1.0), lambda x: x.astype(np.float16).astype(np.float32)),
        "Every value is a number of float16: it was drawn, or rounded, in 16 bits.",
    ),
    # structure
    "symmetric": Wrong(
        "normal(std=1.0)",
        symmetric(1),
        "The matrix is symmetric: it equals its transpose.",
        SQUARE,
    ),
    "antisymmetric": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: (x := rng.standard_normal(shape)) / math.sqrt(2) - x.T / math.sqrt(2),
        "The matrix is antisymmetric: it is the negative of its transpose.",
        SQUARE,
    ),
    "low-rank": Wrong(
        "normal(std=0.2)",
        low_rank,
        "The matrix has a low rank: its rows and columns depend on each other.",
    ),
    "orthogonal-for-normal": Wrong(
        "normal(std=0.25)",
        haar,
        "The matrix is orthogonal: its elements are not independent.",
        SQUARE,
    ),
    "tiled": Wrong("normal(std=1.0)", tiled, "All rows are copies of one."),
    "gates-equal": Wrong(
        "normal(std=1.0)", repeated, "4 blocks along axis 1 are copies of each other."
    ),
    "sorted": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: np.sort(rng.standard_normal(shape), axis=0),
        "The values of each column are sorted.",
    ),
    "rows-of-other-sizes": Wrong(
        "normal(std=1.0)", rows_of_sizes, "The scale differs from row to row."
    ),
    "pattern-added": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: rng.standard_normal(shape) + np.linspace(-0.5, 0.5, shape[1]),
        "The mean differs from column to column.",
    ),
    "smoothed": Wrong("normal(std=1.0)", smoothed, "Columns are correlated."),
    # whole tensors
    "qr": Wrong(
        "orthogonal",
        qr,
        "The signs are not fair, as after QR without the sign fix: multiply Q's columns by the "
        "signs of R's diagonal.",
        SQUARE,
    ),
    "rotations": Wrong(
        "orthogonal",
        rotation,
        "The determinant has always the same sign: rotations are drawn, and no reflections.",
        SQUARE,
    ),
    "orthogonal-gain": Wrong(
        "orthogonal(gain=1.4142135623730951)",
        haar,
        "The matrix is orthogonal with a wrong gain, explained by the gain left out.",
        SQUARE,
    ),
    "orthogonal-elsewhere": Wrong(
        "orthogonal",
        lambda rng, shape: haar(rng, (shape[0] * shape[1], shape[2] * shape[3])).reshape(shape),
        "The matrix is orthogonal on other axes than the layout's.",
        ((3, 3, 4, 16), "hwio"),
    ),
    "normal-for-orthogonal": Wrong(
        "orthogonal",
        normal(0.25),
        "The matrix is not orthogonal: its columns are not orthonormal.",
        SQUARE,
    ),
    "permutations": Wrong(
        "orthogonal",
        lambda rng, shape: (
            np.eye(shape[0])[rng.permutation(shape[0])] * rng.choice([-1.0, 1.0], shape[0])
        ),
        "The matrix is an identity or a permutation, not one drawn from all orthogonal ones.",
        SQUARE,
    ),
    "sparse-share": Wrong(
        "sparse(sparsity=0.1, std=0.01)",
        sparse(0.2),
        "Each output unit has 16 zeros in place of 8.",
        ((80, 48), "io"),
    ),
    "sparse-lines": Wrong(
        "sparse(sparsity=0.1, std=0.01)",
        sparse(0.1, axis=1),
        "The zeros lie in the wrong lines: each row has as many, and the output units have not.",
        ((80, 48), "io"),
    ),
    "sparse-scale": Wrong(
        "sparse(sparsity=0.1, std=0.02)",
        sparse(0.1),
        "The scale is too small, explained by a quarter of the variance.",
        ((80, 48), "io"),
    ),
    "dense": Wrong(
        "sparse(sparsity=0.1, std=0.01)",
        normal(0.01),
        "The matrix is dense: no value is zero.",
        ((80, 48), "io"),
    ),
    "identity-shifted": Wrong(
        "identity",
        lambda rng, shape: np.eye(*shape, k=1),
        "The tensor is shifted by one place along axis 0.",
        ((24, 16), "io"),
    ),
    "identity-scaled": Wrong(
        "identity", lambda rng, shape: np.eye(*shape) * 2, "The tensor has another factor.", SQUARE
    ),
    "not-zeros": Wrong("zeros", normal(0.02), "The values are not all 0."),
    "ones-for-zeros": Wrong("zeros", lambda rng, shape: np.ones(shape), "All values are 1, not 0."),
    # narrow types
    "bfloat16-fan": Wrong(
        "he_normal@torch",
        normal(math.sqrt(2 / 8)),
        "The scale is too large, explained by 2/fan_out.",
        FLAT,
        "bfloat16",
    ),
    "float16-zeros": Wrong(
        "normal(std=1.0)",
        lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) > 0.05),
        "Values are set to zero: the law has no such pile at zero.",
        FLAT,
        "float16",
    ),
    "float64-laplace": Wrong(
        "normal(std=1.0)", laplace, "The law is Laplace's, not normal.", FLAT, "float64"
    ),
}


def record_of(wrong):
    from initspec.stream import dtypes

    def target(shape, seed):
        values = np.asarray(wrong.make(np.random.default_rng(seed), shape), np.float64)
        rounded = dtypes.rounded(values, wrong.dtype)
        return rounded.view(dtypes.bfloat16()) if wrong.dtype == "bfloat16" else rounded

    shape, layout = wrong.on
    report = check(target, wrong.claim, shape=shape, layout=layout, dtype=wrong.dtype)
    return report.records[0], report.lines()


#: Those that were misleading once; the others take a minute.
QUICK = (
    "qr",
    "zeros",
    "clipped",
    "absolute-bounds",
    "constant",
    "antisymmetric",
    "triangular",
    "lecun-for-he",
    "groups-not-divided",
    "fan-geometric",
)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in WRONG]
)
def test_the_first_sentence_names_the_fault(name):
    wrong = WRONG[name]
    record, lines = record_of(wrong)
    assert record.verdict == "FAIL"
    assert record.explanation.startswith(wrong.first), record.explanation
    told = [line.strip() for line in lines]
    at = next(place for place, line in enumerate(told) if line.startswith(wrong.first[:30]))
    assert told[at + 1].startswith("refused by")
    assert told[at + 2].startswith("initspec.conformance.check(target,")


def test_a_scale_that_few_values_leave_open_is_not_called_right():
    drawn = np.random.default_rng(5).uniform(-1, 1, (6, 8)).astype("float32")
    record = check(drawn + np.float32(2), "normal(std=0.7)").records[0]
    assert record.verdict == "FAIL"
    assert "is right" not in record.explanation
    assert "times the documented one are excluded" in record.explanation
    assert record.explanation.startswith("The mean is off by")


def test_no_formula_is_named_twice():
    record, _ = record_of(WRONG["lecun-for-he"])
    assert " or " not in record.explanation


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: np.where(x > 2.5, np.nan, x), "values are NaN or infinite ("),
        (lambda x: np.where(x > 2.5, np.inf, x), " infinite)"),
        (lambda x: x.T, "the target answered (8, 86): its axes in the other order"),
        (lambda x: x[:-1], "the target answered (85, 8)"),
        (lambda x: x.astype("float16"), "asked for float32, the target answered float16"),
        (lambda x: x.astype("int32"), "asked for float32, the target answered int32"),
    ],
)
def test_what_cannot_be_judged_says_why_and_how_to_repeat_it(make, words):
    def target(shape, seed):
        return make(np.random.default_rng(seed).standard_normal(shape).astype("float32"))

    report = check(target, "normal(std=1.0)", shape=(86, 8))
    assert report.verdict == "ERROR"
    assert words in report.records[0].sentence
    assert report.lines()[1].strip().startswith("initspec.conformance.check(target,")


# --------------------------------------------------------------- what holds of more than one tensor


def drawn(shape, seed, std=1.0):
    return np.float32(np.random.default_rng(seed).standard_normal(shape) * std)


def one_buffer(held):
    def fill(shape, seed):
        held.setdefault(shape, np.empty(shape, np.float32))[...] = drawn(shape, seed)
        return held[shape]

    return fill


CONTRACT = {
    "unseeded": (lambda shape, seed: drawn(shape, None), "The same seed gives other values."),
    "zero-is-none": (
        lambda shape, seed: drawn(shape, seed or None),
        "The seed 0 gave other values the second time.",
    ),
    "few-bits": (
        lambda shape, seed: drawn(shape, seed % 997),
        "Different seeds give the same values.",
    ),
    "one-buffer": (one_buffer({}), "Two tensors share their memory"),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_a_contract_that_is_broken_is_told_first_and_no_scale_beside_it(name):
    target, first = CONTRACT[name]
    record = check(target, "normal(std=1.0)", shape=(86, 8)).records[0]
    assert record.verdict == "FAIL"
    assert record.explanation.startswith(first), record.explanation
    assert "is right" not in record.explanation


def test_a_scale_of_one_shape_alone_is_told_as_such():
    def target(shape, seed):
        return drawn(shape, seed, math.sqrt(2 / 86))  # whatever the shape

    record = check(target, "he_normal@torch", shape=(86, 8), layout="io").records[0]
    assert record.explanation.startswith("The scale does not follow the formula from one shape")
    assert "is right" not in record.explanation


def test_a_wrong_scale_is_told_beside_a_broken_contract():
    def target(shape, seed):
        return drawn(shape, seed or None, math.sqrt(2 / 8))

    record = check(target, "he_normal@torch", shape=(86, 8), layout="io").records[0]
    assert "The seed 0 gave other values" in record.explanation
    assert "The scale is too large, explained by 2/fan_out" in record.explanation


@pytest.mark.parametrize(
    ("values", "claim", "what_to_do"),
    [
        (drawn((4, 6), 3), "normal(std=1.0)", "would do, from the function that draws"),
        (haar(np.random.default_rng(1), (16, 16)), "orthogonal", "hand over the function"),
    ],
)
def test_what_stays_open_ends_with_what_to_do(values, claim, what_to_do):
    record = check(values, claim).records[0]
    assert record.verdict == "INCONCLUSIVE"
    assert what_to_do in record.sentence.rpartition(":")[2]
