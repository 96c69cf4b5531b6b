"""Right values in wrong places: sorted, patterned, uneven, too even, of low rank."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import linalg, special
from scipy.stats import qmc

from ...spec.distribution import Normal
from ..probability.transform import ppf
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import CONV, SQUARE, STANDARD, TRUNCATED, UNIFORM, row

#: The seed of what is the same for every seed.
FIXED = 20


def _fixed(s: Setting) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64DXSM(FIXED))


def _other(s: Setting) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64DXSM([s.seed, 1]))


def changed(of: Callable[[Array], Array]) -> Fault:
    """The right numbers, and then something is done to them."""
    return lambda s: of(s.draw())


def by_size(values: Array) -> Array:
    """Each row by the size of its numbers."""
    return np.take_along_axis(values, np.abs(values).argsort(axis=-1), -1)


def same(part: Any) -> Fault:
    """A part of the tensor is the same for every seed."""

    def make(s: Setting) -> Array:
        values = s.draw()
        fixed = ppf(s.law, _fixed(s).random(s.shape) + 2.0**-54)
        values[part] = fixed[part]
        return values

    return make


def pattern(size: float) -> Fault:
    """A pattern of so many deviations, the same for every seed, is added."""

    def make(s: Setting) -> Array:
        noise = _fixed(s).standard_normal(s.shape) * s.law.std
        return math.sqrt(1 - size**2) * s.draw() + size * noise

    return make


def chessboard(s: Setting) -> Array:
    """Signs by turns."""
    return np.abs(s.draw()) * (-1.0) ** np.indices(s.shape).sum(axis=0)


def graded(size: float, axis: int = -1) -> Fault:
    """The deviation grows along an axis by so much on both sides of the right one."""

    def make(s: Setting) -> Array:
        sides = [1] * len(s.shape)
        sides[axis] = -1
        return s.draw() * np.linspace(1 - size, 1 + size, s.shape[axis]).reshape(sides)

    return make


def by_turns(size: float) -> Fault:
    """Even and odd columns differ in their deviation."""
    return lambda s: s.draw() * (1 + size * (-1.0) ** np.arange(s.shape[-1]))


def jittered_scale(size: float, axes: int) -> Fault:
    """A scale of its own for every tensor, or every row."""

    def make(s: Setting) -> Array:
        sides = s.shape[:axes] + (1,) * (len(s.shape) - axes)
        return s.draw() * np.exp(size * _other(s).standard_normal(sides))

    return make


def antithetic_columns(s: Setting) -> Array:
    """The second half of the columns is the negative of the first."""
    values = s.draw()
    half = s.shape[-1] // 2
    values[..., half : 2 * half] = -values[..., :half]
    return values


def mirrored(s: Setting) -> Array:
    """The second half is the first one backwards, with the other sign."""
    flat = s.draw().reshape(-1)
    half = flat.size // 2
    flat[-half:] = -flat[:half][::-1]
    return flat.reshape(s.shape)


def antithetic_shuffled(s: Setting) -> Array:
    """Pairs of opposite numbers anywhere: each tensor's mean is the law's."""
    flat = s.draw().reshape(-1)
    half = flat.size // 2
    flat[half : 2 * half] = -flat[:half]
    return _other(s).permutation(flat).reshape(s.shape)


def period(k: int) -> Fault:
    """Values repeat after so many."""

    def make(s: Setting) -> Array:
        return np.resize(s.draw(shape=(k,)), s.shape)

    return make


def tiled(s: Setting) -> Array:
    """A quarter of the matrix, four times."""
    rows, columns = (side // 2 for side in s.shape)
    return np.tile(s.draw(shape=(rows, columns)), (2, 2))


def circulant(s: Setting) -> Array:
    """Each row is the one before it, turned by one place."""
    size = max(s.shape)
    return linalg.circulant(s.draw(shape=(size,)))[: s.shape[0], : s.shape[1]]


def toeplitz(s: Setting) -> Array:
    """Constant along diagonals."""
    numbers = s.draw(shape=(sum(s.shape) - 1,))
    return linalg.toeplitz(numbers[: s.shape[0]], numbers[s.shape[0] - 1 :])


def hankel(s: Setting) -> Array:
    """Constant along the other diagonals."""
    return toeplitz(s)[:, ::-1]


def antisymmetric(s: Setting) -> Array:
    """Minus its transpose, with the right numbers on the diagonal."""
    values = s.draw()
    upper = np.triu(values, 1)
    return upper - upper.T + np.diag(np.diag(values))


def symmetric_block(s: Setting) -> Array:
    """The leading square of a tall matrix is symmetric."""
    values = s.draw()
    side = min(s.shape)
    upper = np.triu(values[:side])
    values[:side] = upper + np.triu(upper, 1).T
    return values


def low_rank(rank: int) -> Fault:
    """A product of narrow matrices; each of its entries is normal, given the first."""

    def make(s: Setting) -> Array:
        left = s.rng.standard_normal((s.shape[0], rank))
        left /= np.linalg.norm(left, axis=1, keepdims=True)
        return left @ _other(s).standard_normal((rank, s.shape[1])) * s.law.std

    return make


def deficient(s: Setting) -> Array:
    """The last column is a mean of two others."""
    values = s.draw()
    values[:, -1] = (values[:, 0] + values[:, 1]) / math.sqrt(2)
    return values


def normalised_rows(s: Setting) -> Array:
    """Each row has the norm that was asked for on average."""
    values = s.draw()
    size = np.sqrt((values**2).mean(axis=-1, keepdims=True))
    return values / size * s.law.std


def normalised_columns(s: Setting) -> Array:
    """The same, by columns."""
    values = s.draw()
    return values / np.sqrt((values**2).mean(axis=0, keepdims=True)) * s.law.std


def centred_rows(s: Setting) -> Array:
    """Each row has a mean of zero, and the variance is put right."""
    values = s.draw()
    size = s.shape[-1]
    return (values - values.mean(axis=-1, keepdims=True)) / math.sqrt(1 - 1 / size)


def standardised(s: Setting) -> Array:
    """Each tensor has the very mean and standard deviation asked for."""
    values = s.draw()
    return (values - values.mean()) / values.std() * s.law.std + s.law.mean


def neighbours(rho: float, axis: int) -> Fault:
    """Neighbours along an axis lean on each other."""

    def make(s: Setting) -> Array:
        sides = list(s.shape)
        sides[axis] += 1
        noise = s.draw(Normal(0, s.law.std), tuple(sides))
        first = np.take(noise, range(s.shape[axis]), axis)
        second = np.take(noise, range(1, s.shape[axis] + 1), axis)
        lean = rho / (1 + math.sqrt(1 - 4 * rho**2)) * 2  # of an average of two
        return (first + lean * second) / math.sqrt(1 + lean**2)

    return make


def volatile(s: Setting) -> Array:
    """The right normal numbers, but small ones and great ones keep together."""
    n = math.prod(s.shape)
    trend = np.convolve(_other(s).standard_normal(n + 15), np.ones(16) / 4, "valid")
    mixed = 0.4 * trend + math.sqrt(1 - 0.16) * s.rng.standard_normal(n)
    below = special.ndtr(mixed)  # even, and alike for neighbours
    sign = np.where(_other(s).random(n) < 0.5, -1, 1)
    return ppf(s.law, 0.5 + sign * below / 2).reshape(s.shape)


def sobol(s: Setting) -> Array:
    """Quasi-random points, one for each row."""
    points = qmc.Sobol(s.shape[1], rng=s.seed % 2**31).random(s.shape[0])
    return ppf(s.law, np.clip(points, 2.0**-30, 1 - 2.0**-30))


def hypercube(s: Setting) -> Array:
    """Latin hypercube: every column is stratified."""
    rng = s.rng
    strata = rng.permuted(np.tile(np.arange(s.shape[0])[:, None], s.shape[1]), axis=0)
    return ppf(s.law, (strata + rng.random(s.shape)) / s.shape[0])


def stratified(s: Setting) -> Array:
    """One number of each stratum of the law, shuffled."""
    n = math.prod(s.shape)
    return ppf(s.law, (s.rng.permutation(n) + s.rng.random(n)) / n).reshape(s.shape)


def quantiles(s: Setting) -> Array:
    """The law's own quantiles, shuffled: nearly the same numbers for every seed."""
    n = math.prod(s.shape)
    return ppf(s.law, (s.rng.permutation(n) + 0.5) / n).reshape(s.shape)


def weyl(s: Setting) -> Array:
    """Multiples of the golden section, from a random start."""
    n = math.prod(s.shape)
    start = s.rng.random()
    return ppf(s.law, np.mod(start + np.arange(n) * 0.6180339887498949, 1.0)).reshape(s.shape)


def opposite(s: Setting) -> Array:
    """Every second tensor is minus the one before it."""
    values = ppf(s.law, np.random.default_rng(s.seed // 2).random(s.shape))
    return values if s.seed % 2 else 2 * s.law.mean - values


def places() -> Iterator[Mutant]:
    """Right values in wrong places."""
    rows = "each row is sorted"
    yield row("rows-sorted", TRUNCATED, rows, "np.sort", changed(lambda x: np.sort(x, -1)))
    yield row(
        "rows-sorted-bfloat16",
        UNIFORM,
        rows + ", in bfloat16",
        "np.sort",
        changed(lambda x: np.sort(x, -1)),
        dtype="bfloat16",
    )
    yield row(
        "columns-sorted",
        STANDARD,
        "each column is sorted",
        "np.sort",
        changed(lambda x: np.sort(x, 0)),
    )
    yield row("rows-by-size", UNIFORM, "each row by size", "sorting by magnitude", changed(by_size))
    yield row(
        "taps-sorted",
        TRUNCATED,
        "the taps of each kernel are sorted",
        "np.sort",
        changed(lambda x: np.sort(x, 0)),
        **CONV,
    )
    yield row(
        "rows-fixed",
        STANDARD,
        "all but the first row is the same for every seed",
        "a seed that is lost",
        same(slice(1, None)),
    )
    yield row(
        "row-fixed", TRUNCATED, "the first row is the same for every seed", "a buffer", same(0)
    )
    yield row(
        "slice-fixed",
        UNIFORM,
        "one output of a convolution is the same for every seed",
        "a cache",
        same((..., 3)),
        **CONV,
    )
    for name, where in (("", {}), ("-conv", CONV)):
        yield row(
            f"pattern-added{name}",
            STANDARD,
            "a fixed pattern of a fifth of the deviation",
            "checkpoints, positional offsets",
            pattern(0.2),
            **where,
        )
    yield row("chessboard", TRUNCATED, "signs like a chessboard", "a sign trick", chessboard)
    yield row(
        "chessboard-conv", UNIFORM, "signs like a chessboard", "a sign trick", chessboard, **CONV
    )
    yield row(
        "columns-graded",
        STANDARD,
        "the deviation grows by a tenth over the columns",
        "a depth-wise scale",
        graded(0.05),
    )
    yield row(
        "rows-graded",
        STANDARD,
        "the deviation grows by a tenth over the rows",
        "a depth-wise scale",
        graded(0.05, 0),
    )
    yield row(
        "outputs-graded",
        STANDARD,
        "the deviation grows by a tenth over the outputs",
        "a depth-wise scale",
        graded(0.05),
        **CONV,
    )
    yield row(
        "columns-by-turns",
        STANDARD,
        "even and odd columns differ by 8 %",
        "interleaved gates",
        by_turns(0.04),
    )
    yield row(
        "tensor-scales",
        STANDARD,
        "every tensor has a scale of its own",
        "a scale that is drawn",
        jittered_scale(0.1, 0),
    )
    yield row(
        "row-scales",
        STANDARD,
        "every row has a scale of its own",
        "weight normalisation",
        jittered_scale(0.1, 1),
    )
    yield row(
        "columns-antithetic",
        TRUNCATED,
        "the second half of the columns is minus the first",
        "concatenated ReLU",
        antithetic_columns,
    )
    yield row(
        "backwards",
        UNIFORM,
        "the second half is minus the first one, backwards",
        "linear-phase filters",
        mirrored,
    )
    yield row(
        "antithetic-shuffled",
        STANDARD,
        "every number has its opposite, somewhere",
        "antithetic draws",
        antithetic_shuffled,
    )
    for k in (5, 97, 343):
        yield row(
            f"period-{k}", STANDARD, f"values repeat after {k}", "np.resize of a buffer", period(k)
        )
    yield row(
        "period-4096-conv",
        UNIFORM,
        "values repeat after 4096",
        "np.resize of a buffer",
        period(4096),
        **CONV,
    )
    yield row("tiled", TRUNCATED, "a quarter, four times", "np.tile", tiled)
    yield row("circulant", STANDARD, "a circulant matrix", "structured layers", circulant)
    yield row(
        "toeplitz",
        TRUNCATED,
        "a Toeplitz matrix: constant along diagonals",
        "structured layers",
        toeplitz,
    )
    yield row(
        "hankel",
        UNIFORM,
        "a Hankel matrix: constant along the other diagonals",
        "structured layers",
        hankel,
    )
    yield row(
        "antisymmetric",
        STANDARD,
        "minus its transpose",
        "antisymmetric networks",
        antisymmetric,
        **SQUARE,
    )
    yield row(
        "symmetric-block",
        UNIFORM,
        "its leading square is symmetric",
        "tied weights",
        symmetric_block,
    )
    yield row("rank-4", STANDARD, "a matrix of rank 4", "low-rank factors", low_rank(4), **SQUARE)
    yield row(
        "rank-12", STANDARD, "a matrix of rank 12 of 24", "low-rank factors", low_rank(12), **SQUARE
    )
    yield row(
        "rank-deficient",
        STANDARD,
        "its last column depends on two others",
        "constraints",
        deficient,
        **SQUARE,
    )
    yield row(
        "rows-normalised",
        STANDARD,
        "every row has the same norm",
        "weight normalisation",
        normalised_rows,
    )
    yield row(
        "rows-normalised-uniform",
        UNIFORM,
        "every row has the same norm",
        "weight normalisation",
        normalised_rows,
        **CONV,
    )
    yield row(
        "columns-normalised",
        STANDARD,
        "every column has the same norm",
        "weight normalisation",
        normalised_columns,
    )
    yield row(
        "rows-centred",
        STANDARD,
        "every row has a mean of zero",
        "weight standardisation",
        centred_rows,
        **SQUARE,
    )
    yield row(
        "standardised",
        STANDARD,
        "the very mean and deviation asked for",
        "standardised draws",
        standardised,
    )
    yield row(
        "standardised-truncated",
        TRUNCATED,
        "the very mean and deviation asked for",
        "standardised draws",
        standardised,
    )
    yield row(
        "standardised-conv",
        STANDARD,
        "the very mean and deviation asked for",
        "standardised draws",
        standardised,
        **CONV,
    )
    yield row(
        "standardised-once",
        STANDARD,
        "the same, in one large tensor",
        "standardised draws",
        standardised,
        shape=(512, 512),
        dtype="float64",
    )
    yield row(
        "neighbours-below",
        STANDARD,
        "neighbours in a column correlated by 0.05",
        "smoothing",
        neighbours(0.05, 0),
    )
    yield row(
        "neighbours-taps",
        STANDARD,
        "neighbouring taps correlated by 0.05",
        "smoothing",
        neighbours(0.05, 1),
        **CONV,
    )
    yield row(
        "volatile",
        STANDARD,
        "small and great numbers keep together",
        "generators with a state of scale",
        volatile,
        **CONV,
    )
    yield row(
        "volatile-uniform",
        UNIFORM,
        "small and great numbers keep together",
        "generators with a state of scale",
        volatile,
    )
    yield row(
        "sobol", TRUNCATED, "Sobol's points", "quasi-random initializers", sobol, shape=(128, 8)
    )
    yield row("hypercube", UNIFORM, "a Latin hypercube", "space-filling designs", hypercube)
    yield row(
        "stratified", STANDARD, "one number of each stratum", "variance reduction", stratified
    )
    yield row(
        "stratified-bfloat16",
        TRUNCATED,
        "one number of each stratum, in bfloat16",
        "variance reduction",
        stratified,
        dtype="bfloat16",
    )
    yield row(
        "quantiles", STANDARD, "the law's quantiles, shuffled", "deterministic grids", quantiles
    )
    yield row("golden-section", UNIFORM, "multiples of the golden section", "Weyl sequences", weyl)
    yield row(
        "seeds-antithetic",
        STANDARD,
        "every second tensor is minus the one before",
        "antithetic seeds",
        opposite,
    )
