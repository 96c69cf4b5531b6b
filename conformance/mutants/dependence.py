"""Right values that depend on each other within a tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...spec.distribution import Normal
from ..probability.transform import ppf
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import GATES, SQUARE, STANDARD, TRUNCATED, row


def broadcast(s: Setting) -> Array:
    """One row, tiled."""
    return np.broadcast_to(s.draw(shape=s.shape[-1:]), s.shape)


def two_rows(s: Setting) -> Array:
    """The second row is the first."""
    values = s.draw()
    values[1] = values[0]
    return values


def antithetic(s: Setting) -> Array:
    """The second half of the rows is the negative of the first."""
    values = s.draw()
    middle = values.shape[0] // 2
    values[middle : 2 * middle] = -values[:middle]
    return values


def permuted(s: Setting) -> Array:
    """Every row is a permutation of the first."""
    rng = s.rng
    row = ppf(s.law, rng.random(s.shape[-1]) + 2.0**-54)
    return rng.permuted(np.broadcast_to(row, s.shape), axis=1)


def symmetric(s: Setting) -> Array:
    """Equal to its transpose."""
    upper = np.triu(s.draw())
    return upper + np.triu(upper, 1).T


def ordered(s: Setting) -> Array:
    """The right numbers, sorted."""
    return np.sort(s.draw().reshape(-1)).reshape(s.shape)


def autoregressive(rho: float) -> Fault:
    """Each value leans on the one before it."""

    def make(s: Setting) -> Array:
        n = math.prod(s.shape)
        weights = rho ** np.arange(24) * math.sqrt(1 - rho**2)
        noise = s.draw(Normal(0, s.law.std), (n + 24,))
        return np.convolve(noise, weights)[24 : 24 + n].reshape(s.shape)

    return make


def box_muller_twice(s: Setting) -> Array:
    """Box and Muller's cosine used for both numbers of a pair."""
    return np.repeat(s.draw(shape=(math.prod(s.shape) // 2,)), 2).reshape(s.shape)


def zero_column(s: Setting) -> Array:
    """One column of zeros."""
    values = s.draw()
    values[..., 0] = 0
    return values


def copied_blocks(parts: int) -> Fault:
    """The parts of the last axis, such as q, k and v or the shards of a weight, are copies."""

    def make(s: Setting) -> Array:
        width = s.shape[-1] // parts
        return np.tile(s.draw(shape=(*s.shape[:-1], width)), parts)

    return make


def dependence() -> Iterator[Mutant]:
    """Right values that depend on each other within a tensor."""
    yield row("row-tiled", TRUNCATED, "one row, tiled", "broadcasting", broadcast)
    yield row("two-rows-equal", TRUNCATED, "two rows are copies", "an index off by one", two_rows)
    yield row(
        "rows-antithetic",
        TRUNCATED,
        "the second half of the rows is minus the first",
        "antithetic draws",
        antithetic,
    )
    yield row(
        "rows-permuted", TRUNCATED, "rows are permutations of each other", "shuffling", permuted
    )
    yield row(
        "symmetric",
        TRUNCATED,
        "equal to its transpose",
        "a product with itself",
        symmetric,
        **SQUARE,
    )
    yield row("sorted", TRUNCATED, "the right numbers in order", "quasi-random points", ordered)
    yield row(
        "correlated-0.05",
        STANDARD,
        "neighbours correlated by 0.05",
        "weak generators",
        autoregressive(0.05),
    )
    yield row(
        "correlated-0.2",
        STANDARD,
        "neighbours correlated by 0.2",
        "weak generators",
        autoregressive(0.2),
    )
    yield row(
        "pairs-equal",
        STANDARD,
        "Box and Muller's pair is one number twice",
        "hand-written ports",
        box_muller_twice,
    )
    yield row("zero-column", STANDARD, "a column of zeros", "sign(0) of a QR factor", zero_column)
    yield row(
        "blocks-equal",
        "glorot_uniform",
        "two blocks of the weight are copies",
        "TensorFlow's partitioned variables, torchtitan#3106, flax#2665",
        copied_blocks(2),
    )
    yield row(
        "gates-equal",
        "glorot_uniform",
        "four gates are copies",
        "Keras with an integer seed",
        copied_blocks(4),
        **GATES,
    )
    yield row(
        "qkv-equal",
        "glorot_uniform",
        "q, k and v are copies",
        "Keras MultiHeadAttention with an integer seed",
        copied_blocks(3),
        shape=(32, 96),
        layout="io, stack=3",
    )
