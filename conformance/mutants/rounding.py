"""Too few random bits, and wrong rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..probability.transform import ppf
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import STANDARD, TRUNCATED, UNIFORM, row


def lattice(bits: int, offset: float = 0.5) -> Fault:
    """From so many random bits; ``offset`` 0 takes the lower end of each step."""
    steps = 2.0**bits
    return lambda s: ppf(s.law, np.maximum(np.floor(s.uniform() * steps) + offset, 0.25) / steps)


def bfloat16(values: Array) -> Array:
    """Numbers rounded to bfloat16."""
    from ...stream import dtypes

    return dtypes.widened(dtypes.rounded(np.asarray(values), "bfloat16"))


def truncated_bits(s: Setting) -> Array:
    """To bfloat16 by leaving bits out, not by rounding."""
    bits = s.draw().astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32).astype(np.float64)


def wrapped(s: Setting) -> Array:
    """What rounds to the upper bound becomes the lower bound."""
    low, high = s.law.support
    values = s.draw()
    if s.dtype == "float32":
        return values
    values = bfloat16(values)
    return np.where(values >= bfloat16(np.array(high)), low, values)


def overflowing(s: Setting) -> Array:
    """One value in a thousand is infinite."""
    return np.where(s.uniform() > 0.999, np.inf, s.draw())


def rounding() -> Iterator[Mutant]:
    """Too few random bits, and wrong rounding."""
    for bits in (8, 12, 16, 18, 20):
        yield row(
            f"bits-{bits}",
            UNIFORM,
            f"{2**bits} distinct values",
            "generators of few bits",
            lattice(bits),
        )
    yield row(
        "bits-8-floor",
        UNIFORM,
        "256 distinct values, each the lower end of its step",
        "TensorFlow and JAX, 16-bit uniforms",
        lattice(8, 0),
    )
    yield row(
        "bits-8-normal",
        STANDARD,
        "a normal law from 8 bits",
        "jax.random.normal in bfloat16",
        lattice(8),
        dtype="bfloat16",
    )
    yield row(
        "bits-7-bfloat16",
        UNIFORM,
        "128 distinct values where bfloat16 has thousands",
        "jax.random.uniform in bfloat16",
        lattice(7, 0),
        dtype="bfloat16",
    )
    yield row(
        "bits-truncated",
        TRUNCATED,
        "to bfloat16 by leaving bits out",
        "1bit-MONSTER#640",
        truncated_bits,
        dtype="bfloat16",
        tier="deep",
    )
    yield row(
        "upper-bound-wraps",
        UNIFORM,
        "what rounds to the upper bound becomes the lower one",
        "torch.Tensor.uniform_ in 16-bit types: pytorch#2740, #96947, #197079",
        wrapped,
        dtype="bfloat16",
    )
    yield row(
        "upper-bound-wraps-once",
        UNIFORM,
        "the same, seen on one tensor by its float32 twin",
        "torch.Tensor.uniform_ in 16-bit types",
        wrapped,
        shape=(344, 200),
        dtype="bfloat16",
        tier="exact",
    )
    yield row("overflowing", STANDARD, "some values are infinite", "float16 overflow", overflowing)
    yield row(
        "half-open",
        UNIFORM,
        "a lower bound that can be drawn, on a lattice of 24 bits",
        "torch.rand",
        lattice(24, 0),
        equivalent="the bound has a chance of 2**-24, that of any other value of the lattice",
    )
