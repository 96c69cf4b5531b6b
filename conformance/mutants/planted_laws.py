"""Faults of the law: its shape, its resolution, laws of the user, complex types."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...spec.distribution import Normal, TruncatedNormal, Uniform
from ..own import OWN
from . import faults as f
from .faults import Fault
from .mutant import Mutant
from .rows import STANDARD, TRUNCATED, UNIFORM, row


def laws() -> Iterator[Mutant]:
    """Wrong laws at the right scale, or nearly."""

    def cut(at: float) -> Fault:
        one = TruncatedNormal(0, 1, -at, at).std
        return f.instead(lambda law: TruncatedNormal(0, law.std / one, -at, at))

    yield row(
        "clipped",
        TRUNCATED,
        "clipped at the bounds, not drawn again",
        "hand-written ports",
        f.clipped,
    )
    yield row(
        "bounds-absolute",
        "truncated_normal(std=0.02)",
        "bounds of -2 and 2 where two standard deviations are meant",
        "timm#1286, foundation-model-stack#289, torch.nn.init.trunc_normal_, Flux lecun_normal",
        f.instead(lambda law: Normal(0, 0.02)),
    )
    yield row(
        "bounds-of-result",
        TRUNCATED,
        "cut at three standard deviations, its variance right",
        "hand-written ports",
        cut(3),
    )
    yield row(
        "normal-for-truncated",
        TRUNCATED,
        "not truncated, its variance right",
        "torch.nn.init, DL4J VAR_SCALING_NORMAL",
        f.instead(lambda law: Normal(0, law.std)),
    )
    yield row(
        "truncated-for-normal",
        "he_normal@torch",
        "truncated, its variance right",
        "Keras' VarianceScaling(distribution='normal')",
        cut(2),
    )
    yield row(
        "cut-at-three", STANDARD, "truncated at three, its variance right", "spaCy's thinc", cut(3)
    )
    yield row(
        "cut-at-four",
        STANDARD,
        "truncated at four standard deviations",
        "look-up tables of the inverse normal",
        f.instead(lambda law: TruncatedNormal(0, 1, -4, 4)),
        tier="deep",
    )
    yield row(
        "uniform-for-truncated",
        TRUNCATED,
        "uniform, its variance right",
        "MindSpore VarianceScaling",
        f.instead(lambda law: f.resized(Uniform(-1, 1), law.std)),
    )
    yield row(
        "uniform-for-normal",
        "he_normal@torch",
        "uniform, its variance right",
        "Caffe, DL4J",
        f.instead(lambda law: f.resized(Uniform(-1, 1), law.std)),
    )
    yield row(
        "normal-for-uniform",
        "he_uniform",
        "normal, its variance right",
        "a switch read the wrong way",
        f.instead(lambda law: Normal(0, law.std)),
    )
    yield row(
        "truncated-for-uniform",
        "he_uniform",
        "truncated normal, its variance right",
        "a switch read the wrong way",
        cut(2),
    )
    yield row("half-normal", TRUNCATED, "absolute values", "a sign lost", f.half)
    yield row(
        "one-sided-wide",
        UNIFORM,
        "on (0, 2 limit) in place of (-limit, limit)",
        "tensorflow#10719",
        f.instead(lambda law: Uniform(0, 2 * law.support[1])),
    )
    yield row(
        "one-sided",
        UNIFORM,
        "on (0, limit) in place of (-limit, limit)",
        "jax.nn.initializers.uniform taken for a symmetric one",
        f.instead(lambda law: Uniform(0, law.support[1])),
    )
    yield row("irwin-hall", STANDARD, "four uniform numbers added", "embedded ports", f.irwin_hall)
    yield row("student", STANDARD, "tails of ten degrees of freedom", "a wrong law", f.student)
    yield row(
        "mean-shifted",
        STANDARD,
        "a mean of 0.02 standard deviations",
        "16-bit lattices that take the lower end",
        f.instead(lambda law: Normal(0.02, 1)),
        tier="deep",
    )
    yield row(
        "mean-is-std",
        "normal(mean=0.1, std=0.02)",
        "mean and standard deviation swapped",
        "a call by position",
        f.instead(lambda law: Normal(0.02, 0.1)),
    )
    yield row(
        "radius-of-16-bits",
        STANDARD,
        "Box and Muller's radius from 16 bits: nothing beyond 4.7",
        "embedded ports, 16-bit generators",
        f.box_muller_16,
        shape=(4096, 4096),
        tier="deep",
    )
    yield row(
        "leaking",
        TRUNCATED,
        "4.3e-6 of the values are not truncated",
        "Keras 3 on PyTorch, truncated_normal",
        f.leaking,
        tier="deep",
    )
    yield row(
        "atoms-bfloat16",
        "truncated_normal(std=0.02, low=-100, high=100)",
        "0.2 % of the values are exactly -2",
        "pytorch#145498, torchtitan#2269, timm",
        f.erfinv_bfloat16,
        dtype="bfloat16",
    )
    yield row(
        "atoms-float32",
        "truncated_normal(std=0.02, low=-100, high=100)",
        "one value in 2**24 is exactly -2",
        "pytorch#155588",
        f.from_words(f.erfinv_words),
        of_words=f.erfinv_words,
        tier="exact",
    )
    yield row(
        "infinite-ends",
        STANDARD,
        "the first and the last word are infinite",
        "log(0) in Box and Muller's method, the quantile of 0",
        f.from_words(f.closed_words),
        of_words=f.closed_words,
        tier="exact",
    )
    yield row(
        "one-beyond",
        TRUNCATED,
        "a single value outside the bounds",
        "rounding in a rejection loop",
        f.beyond,
        tier="exact",
    )


def resolutions() -> Iterator[Mutant]:
    """Too few random bits, and wrong rounding."""
    for bits in (8, 12, 16, 18, 20):
        yield row(
            f"bits-{bits}",
            UNIFORM,
            f"{2**bits} distinct values",
            "generators of few bits",
            f.lattice(bits),
        )
    yield row(
        "bits-8-floor",
        UNIFORM,
        "256 distinct values, each the lower end of its step",
        "TensorFlow and JAX, 16-bit uniforms",
        f.lattice(8, 0),
    )
    yield row(
        "bits-8-normal",
        STANDARD,
        "a normal law from 8 bits",
        "jax.random.normal in bfloat16",
        f.lattice(8),
        dtype="bfloat16",
    )
    yield row(
        "bits-7-bfloat16",
        UNIFORM,
        "128 distinct values where bfloat16 has thousands",
        "jax.random.uniform in bfloat16",
        f.lattice(7, 0),
        dtype="bfloat16",
    )
    yield row(
        "bits-truncated",
        TRUNCATED,
        "to bfloat16 by leaving bits out",
        "1bit-MONSTER#640",
        f.truncated_bits,
        dtype="bfloat16",
        tier="deep",
    )
    yield row(
        "upper-bound-wraps",
        UNIFORM,
        "what rounds to the upper bound becomes the lower one",
        "torch.Tensor.uniform_ in 16-bit types: pytorch#2740, #96947, #197079",
        f.wrapped,
        dtype="bfloat16",
    )
    yield row(
        "upper-bound-wraps-once",
        UNIFORM,
        "the same, seen on one tensor by its float32 twin",
        "torch.Tensor.uniform_ in 16-bit types",
        f.wrapped,
        shape=(344, 200),
        dtype="bfloat16",
        tier="exact",
    )
    yield row(
        "overflowing", STANDARD, "some values are infinite", "float16 overflow", f.overflowing
    )
    yield row(
        "half-open",
        UNIFORM,
        "a lower bound that can be drawn, on a lattice of 24 bits",
        "torch.rand",
        f.lattice(24, 0),
        equivalent="the bound has a chance of 2**-24, that of any other value of the lattice",
    )


def own() -> Iterator[Mutant]:
    """A law of the user's own, drawn wrongly."""
    yield row(
        "own-rate",
        OWN,
        "the scale taken for the rate",
        "torch.Tensor.exponential_(lambd) beside numpy's exponential(scale)",
        lambda s: 4 * s.draw(),
    )
    yield row(
        "own-scale",
        OWN,
        "five per cent too large",
        "a constant rounded by hand",
        lambda s: 1.05 * s.draw(),
    )
    yield row(
        "own-shifted",
        OWN,
        "shifted by a fiftieth of the scale",
        "a term added against log(0)",
        lambda s: s.draw() + 0.01,
    )
    yield row(
        "own-clipped",
        OWN,
        "clipped at six times the scale",
        "a guard against outliers",
        lambda s: np.minimum(s.draw(), 3.0),
    )
    yield row(
        "own-normal",
        OWN,
        "a normal law of the same mean and variance",
        "a sampler that knows moments alone",
        lambda s: s.draw(Normal(0.5, 0.5)),
    )
    yield row(
        "own-rng-ignored",
        OWN,
        "the generator that it is given is left unused",
        "hand-written samplers",
        f.same,
    )
    yield row(
        "own-rng-global",
        OWN,
        "other values at every call with the same seed",
        "numpy.random in place of the generator that is given",
        f.unrepeatable,
        tier="exact",
    )


def complexes() -> Iterator[Mutant]:
    """Complex numbers that are not what their scheme means."""

    def complex_row(id: str, claim: str, what: str, source: str, make: Fault) -> Mutant:
        return row(f"complex-{id}", claim, what, source, make, dtype="complex64")

    normal, uniform = "he_normal@torch", "he_uniform"
    yield complex_row(
        "parts-whole",
        normal,
        "real and imaginary part have the whole variance each",
        "Haiku VarianceScaling",
        f.of_parts(lambda law: law),
    )
    yield complex_row(
        "square-doubled",
        uniform,
        "both parts even on (-limit, limit) of the real law: 2 limit**2 / 3",
        "Equinox layers",
        f.of_parts(lambda law: law),
    )
    yield complex_row(
        "square",
        uniform,
        "even on a square in place of a disk, its variance right",
        "hand-written ports",
        f.of_parts(lambda law: f.resized(law, law.std / math.sqrt(2))),
    )
    yield complex_row(
        "jax-constant",
        TRUNCATED,
        "the constant 0.9531 = sqrt(1 - 5 exp(-4)) in place of 0.9620: its normaliser left out",
        "jax.nn.initializers",
        lambda s: f.round_cut(f.pairs(s), s.law.variance, 0.95311164380491208),
    )
    yield complex_row(
        "not-cut",
        TRUNCATED,
        "not truncated, its variance right",
        "hand-written ports",
        lambda s: f.round_normal(f.pairs(s), s.law.variance),
    )
    yield complex_row(
        "parts-cut",
        TRUNCATED,
        "each part cut by itself, its variance right",
        "hand-written ports",
        f.of_parts(lambda law: f.resized(law, law.std / math.sqrt(2))),
    )
    yield complex_row(
        "real", normal, "the imaginary part is zero", "a real array cast", lambda s: s.draw() + 0j
    )
    yield complex_row(
        "seed-ignored",
        normal,
        "the same tensor for every seed",
        "hand-written samplers",
        lambda s: f.round_normal(f.pairs(f.unseeded(s)), s.law.variance),
    )
    yield complex_row(
        "row-tiled",
        normal,
        "one row, tiled",
        "broadcasting",
        lambda s: np.broadcast_to(
            f.round_normal(s.uniform((2, s.shape[-1])), s.law.variance), s.shape
        ),
    )
    yield complex_row(
        "coarse",
        normal,
        "moduli of 12 bits",
        "generators of few bits",
        lambda s: f.round_normal(
            np.stack([(np.floor(4096 * s.uniform()) + 0.5) / 4096, f.pairs(s)[1]]), s.law.variance
        ),
    )
    yield complex_row(
        "angle-of-row",
        normal,
        "one angle for each row",
        "broadcasting",
        lambda s: f.shared(s, rows=True),
    )
    yield complex_row(
        "angle-of-no-seed",
        normal,
        "angles are those of another key, which is always the same",
        "one of two keys that is not split",
        lambda s: f.shared(s, rows=False),
    )
    yield complex_row(
        "one-key",
        normal,
        "modulus and angle from one uniform number",
        "one key used twice",
        lambda s: f.round_normal(np.stack([s.uniform()] * 2), s.law.variance),
    )
