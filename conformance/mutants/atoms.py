"""One value too often: padding, masks, dead units, clipping, fills, copies of a value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..probability.transform import ppf
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import CONV, STANDARD, TRUNCATED, UNIFORM, row


def _other(s: Setting) -> np.random.Generator:
    """Chance of its own, so that a fault's place does not depend on the values."""
    return np.random.Generator(np.random.PCG64DXSM([s.seed, 1]))


def filled(index: Any, value: float = 0.0) -> Fault:
    """A slice of the tensor holds one value."""

    def make(s: Setting) -> Array:
        values = s.draw()
        values[index] = value
        return values

    return make


def flat(start: float, value: Callable[[Setting], float] = lambda s: 0.0) -> Fault:
    """What lies beyond this share of the tensor's memory is not touched."""

    def make(s: Setting) -> Array:
        values = s.draw()
        values.reshape(-1)[math.floor(values.size * start) :] = value(s)
        return values

    return make


def masked(share: float, value: float = 0.0) -> Fault:
    """So many values, anywhere, are another."""

    def make(s: Setting) -> Array:
        return np.where(_other(s).random(s.shape) < share, value, s.draw())

    return make


def sign_of_zero(s: Setting) -> Array:
    """A mask that is multiplied: negative values leave a negative zero."""
    return s.draw() * (_other(s).random(s.shape) >= 0.002)


def clipped_at(deviations: float) -> Fault:
    """Clipped so far out that few values are met."""
    return lambda s: np.clip(
        s.draw(), s.law.mean - deviations * s.law.std, s.law.mean + deviations * s.law.std
    )


def clipped_above(deviations: float) -> Fault:
    """The same, on one side."""
    return lambda s: np.minimum(s.draw(), s.law.mean + deviations * s.law.std)


def odd_one(s: Setting) -> Array:
    """Numbers are made in pairs, and the last one of an odd number is left as it was."""
    values = s.draw().reshape(-1)
    values[values.size // 2 * 2 :] = 0
    return values.reshape(s.shape)


def repeated(count: int) -> Fault:
    """So many places hold the first value."""

    def make(s: Setting) -> Array:
        values = s.draw()
        at = _other(s).choice(values.size, count, replace=False)
        values.reshape(-1)[at] = values.reshape(-1)[0]
        return values

    return make


def twice(s: Setting) -> Array:
    """One value of each tensor is the copy of another."""
    values = s.draw()
    at = _other(s).choice(values.size, 2, replace=False)
    values.reshape(-1)[at[0]] = values.reshape(-1)[at[1]]
    return values


def constant_row(s: Setting) -> Array:
    """One row is one random number, broadcast."""
    values = s.draw()
    values[3] = values[3].reshape(-1)[0]
    return values


def from_few(size: int) -> Fault:
    """Each value is chosen from a pool that is drawn once for a tensor."""

    def make(s: Setting) -> Array:
        pool = ppf(s.law, s.rng.random(size) + 2.0**-54)
        return pool[_other(s).integers(size, size=s.shape)]

    return make


def on_grid(levels: int) -> Fault:
    """Quantised to so many levels between the bounds, or four deviations."""

    def make(s: Setting) -> Array:
        values = s.draw()
        reach = min(s.law.support[1], 4 * s.law.std)
        step = 2 * reach / (levels - 1)
        return np.clip(np.round(values / step) * step, -reach, reach)

    return make


def atoms() -> Iterator[Mutant]:
    """One value too often."""
    yield row("padding-row", STANDARD, "row 0 is zero", "an embedding's padding index", filled(0))
    yield row(
        "padding-row-large",
        STANDARD,
        "row 0 of many is zero",
        "an embedding's padding index",
        filled(0),
        shape=(4096, 32),
    )
    yield row(
        "padding-row-last", TRUNCATED, "the last row is zero", "padding at the end", filled(-1)
    )
    yield row(
        "padding-row-bfloat16",
        STANDARD,
        "row 5 is zero, in bfloat16",
        "an embedding's padding index",
        filled(5),
        dtype="bfloat16",
    )
    yield row(
        "dead-unit",
        "glorot_uniform",
        "one output of a convolution is zero",
        "masks of structured pruning",
        filled((..., 7)),
        **CONV,
    )
    yield row(
        "dead-input",
        TRUNCATED,
        "one input of a convolution is one half of its deviation throughout",
        "a buffer that is reused",
        filled((slice(None), slice(None), 2), 0.01),
        **CONV,
    )
    yield row(
        "zeros-1-in-1000", STANDARD, "0.1 % of zeros", "NaN that were made zero", masked(1e-3)
    )
    yield row(
        "zeros-1-in-1000-uniform",
        UNIFORM,
        "0.1 % of zeros",
        "NaN that were made zero",
        masked(1e-3),
    )
    yield row(
        "zeros-1-in-1000-float16",
        TRUNCATED,
        "0.1 % of zeros, in float16",
        "NaN that were made zero",
        masked(1e-3),
        dtype="float16",
        **CONV,
    )
    yield row(
        "zeros-1-in-10000",
        STANDARD,
        "0.01 % of zeros, in a large tensor",
        "NaN that were made zero",
        masked(1e-4),
        shape=(1024, 1024),
    )
    yield row(
        "zeros-negative",
        STANDARD,
        "0.2 % of masked values, with their signs",
        "masks",
        sign_of_zero,
    )
    yield row(
        "zeros-negative-only",
        UNIFORM,
        "0.1 % of negative zeros",
        "a mask of minus one times zero",
        masked(1e-3, -0.0),
    )
    yield row(
        "fill-anywhere",
        STANDARD,
        "0.1 % of the values are 0.25",
        "nan_to_num with a number",
        masked(1e-3, 0.25),
    )
    yield row("clipped-at-3", STANDARD, "clipped at three deviations", "clamp_", clipped_at(3))
    yield row(
        "clipped-at-3-bfloat16",
        STANDARD,
        "clipped at three deviations, in bfloat16",
        "clamp_",
        clipped_at(3),
        dtype="bfloat16",
    )
    yield row(
        "clipped-at-4",
        STANDARD,
        "clipped at four deviations",
        "clamp_",
        clipped_at(4),
        shape=(512, 512),
    )
    yield row(
        "clipped-at-4-above",
        "normal(std=0.02)",
        "clipped at four deviations, above alone",
        "clamp_max_",
        clipped_above(4),
        shape=(1024, 512),
    )
    yield row("tail-zero", STANDARD, "the last 1 % is zero", "a loop that ends early", flat(0.99))
    yield row(
        "tail-other",
        TRUNCATED,
        "the last 1 % is what the memory held",
        "torch.empty, and a loop that ends early",
        flat(0.99, lambda s: 0.125),
        **CONV,
    )
    yield row(
        "odd-one-out",
        STANDARD,
        "the last of an odd number of values is zero",
        "Box and Muller's pairs",
        odd_one,
        shape=(43, 15),
    )
    yield row(
        "odd-one-out-large",
        STANDARD,
        "the same, in tensors of which there are few",
        "Box and Muller's pairs",
        odd_one,
        shape=(5, 7, 9, 37),
        layout="hwio",
    )
    yield row(
        "value-12-times",
        TRUNCATED,
        "twelve places of each tensor hold one value",
        "an index that stays",
        repeated(12),
    )
    yield row("value-twice", STANDARD, "two places of each tensor hold one value", "a copy", twice)
    yield row("row-constant", STANDARD, "one row is one number", "broadcasting", constant_row)
    yield row(
        "pool-of-4096",
        UNIFORM,
        "values are chosen from a pool of 4096",
        "tables of random numbers",
        from_few(4096),
    )
    for levels in (15, 255, 4095):
        yield row(
            f"levels-{levels}",
            TRUNCATED,
            f"quantised to {levels} levels",
            "fake quantisation",
            on_grid(levels),
        )
