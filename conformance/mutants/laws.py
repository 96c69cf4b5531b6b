"""Wrong laws at the right scale, or nearly: the shape, the bounds, the tails."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy import special

from ...spec.distribution import Normal, TruncatedNormal, Uniform
from .fault import Array, Fault, Setting, instead, resized
from .mutant import Mutant
from .rounding import bfloat16
from .rows import STANDARD, TRUNCATED, UNIFORM, row


def clipped(s: Setting) -> Array:
    """Clipped at the bounds where it should be drawn again."""
    law = s.law
    assert isinstance(law, TruncatedNormal)
    return np.clip(s.draw(Normal(law.mu, law.sigma)), *law.support)


def half(s: Setting) -> Array:
    """The absolute value."""
    return np.abs(s.draw())


def irwin_hall(s: Setting) -> Array:
    """Four uniform numbers added, for a normal one."""
    return (s.uniform((4, *s.shape)).sum(0) - 2) * math.sqrt(3) * s.law.std


def student(s: Setting) -> Array:
    """Student's law with ten degrees of freedom, its variance put right."""
    return special.stdtrit(10, s.uniform()) * math.sqrt(0.8) * s.law.std


def box_muller_16(s: Setting) -> Array:
    """Box and Muller's radius from 16 bits: nothing beyond 4.7 standard deviations."""
    rng = s.rng
    radius = np.sqrt(-2 * np.log((rng.integers(2**16, size=s.shape) + 1) / 2.0**16))
    return radius * np.cos(2 * np.pi * rng.random(s.shape)) * s.law.std


def leaking(s: Setting) -> Array:
    """The first of four normal draws that lies inside, else the first draw whatever it is."""
    law = s.law
    assert isinstance(law, TruncatedNormal)
    tries = special.ndtri(s.uniform((4, *s.shape)))
    inside = (tries > law.low) & (tries < law.high)
    first = np.take_along_axis(tries, inside.argmax(0)[None], 0)[0]
    return law.mu + law.sigma * first


def erfinv_bfloat16(s: Setting) -> Array:
    """The inverse error function of a bfloat16 uniform number: minus infinity clamped to -2."""
    u = bfloat16(2 * s.uniform() - 1)
    z = bfloat16(special.erfinv(np.where(u >= 1, -1.0, u)))
    return np.clip(z * math.sqrt(2) * 0.02, -2, 2)


def erfinv_words(words: Array) -> Array:
    """The same from the upper 24 bits: one value in 2**24 is -2, however small the scale."""
    u = (words >> np.uint32(8)) * 2.0**-23 - 1
    return np.clip(special.erfinv(u) * math.sqrt(2) * 0.02, -2, 2)


def closed_words(words: Array) -> Array:
    """The quantile of a number that may be zero or one: infinite."""
    return special.ndtri(words / (2.0**32 - 1))


def from_words(of: Callable[[Array], Array]) -> Fault:
    """By a map from words to values."""
    return lambda s: of(s.rng.integers(2**32, size=s.shape, dtype=np.uint32))


def beyond(s: Setting) -> Array:
    """One value just outside the bounds."""
    values = s.draw()
    values[0, 0] = s.law.support[1] * (1 + 1e-5)
    return values


def laws() -> Iterator[Mutant]:
    """Wrong laws at the right scale, or nearly."""

    def cut(at: float) -> Fault:
        share = TruncatedNormal(0, 1, -at, at).std
        return instead(lambda law: TruncatedNormal(0, law.std / share, -at, at))

    yield row(
        "clipped",
        TRUNCATED,
        "clipped at the bounds, not drawn again",
        "hand-written ports",
        clipped,
    )
    yield row(
        "bounds-absolute",
        "truncated_normal(std=0.02)",
        "bounds of -2 and 2 where two standard deviations are meant",
        "timm#1286, foundation-model-stack#289, torch.nn.init.trunc_normal_, Flux lecun_normal",
        instead(lambda law: Normal(0, 0.02)),
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
        instead(lambda law: Normal(0, law.std)),
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
        instead(lambda law: TruncatedNormal(0, 1, -4, 4)),
        tier="deep",
    )
    yield row(
        "uniform-for-truncated",
        TRUNCATED,
        "uniform, its variance right",
        "MindSpore VarianceScaling",
        instead(lambda law: resized(Uniform(-1, 1), law.std)),
    )
    yield row(
        "uniform-for-normal",
        "he_normal@torch",
        "uniform, its variance right",
        "Caffe, DL4J",
        instead(lambda law: resized(Uniform(-1, 1), law.std)),
    )
    yield row(
        "normal-for-uniform",
        "he_uniform",
        "normal, its variance right",
        "a switch read the wrong way",
        instead(lambda law: Normal(0, law.std)),
    )
    yield row(
        "truncated-for-uniform",
        "he_uniform",
        "truncated normal, its variance right",
        "a switch read the wrong way",
        cut(2),
    )
    yield row("half-normal", TRUNCATED, "absolute values", "a sign lost", half)
    yield row(
        "one-sided-wide",
        UNIFORM,
        "on (0, 2 limit) in place of (-limit, limit)",
        "tensorflow#10719",
        instead(lambda law: Uniform(0, 2 * law.support[1])),
    )
    yield row(
        "one-sided",
        UNIFORM,
        "on (0, limit) in place of (-limit, limit)",
        "jax.nn.initializers.uniform taken for a symmetric one",
        instead(lambda law: Uniform(0, law.support[1])),
    )
    yield row("irwin-hall", STANDARD, "four uniform numbers added", "embedded ports", irwin_hall)
    yield row("student", STANDARD, "tails of ten degrees of freedom", "a wrong law", student)
    yield row(
        "mean-shifted",
        STANDARD,
        "a mean of 0.02 standard deviations",
        "16-bit lattices that take the lower end",
        instead(lambda law: Normal(0.02, 1)),
        tier="deep",
    )
    yield row(
        "mean-is-std",
        "normal(mean=0.1, std=0.02)",
        "mean and standard deviation swapped",
        "a call by position",
        instead(lambda law: Normal(0.02, 0.1)),
    )
    yield row(
        "radius-of-16-bits",
        STANDARD,
        "Box and Muller's radius from 16 bits: nothing beyond 4.7",
        "embedded ports, 16-bit generators",
        box_muller_16,
        shape=(4096, 4096),
        tier="deep",
    )
    yield row(
        "leaking",
        TRUNCATED,
        "4.3e-6 of the values are not truncated",
        "Keras 3 on PyTorch, truncated_normal",
        leaking,
        tier="deep",
    )
    yield row(
        "atoms-bfloat16",
        "truncated_normal(std=0.02, low=-100, high=100)",
        "0.2 % of the values are exactly -2",
        "pytorch#145498, torchtitan#2269, timm",
        erfinv_bfloat16,
        dtype="bfloat16",
    )
    yield row(
        "atoms-float32",
        "truncated_normal(std=0.02, low=-100, high=100)",
        "one value in 2**24 is exactly -2",
        "pytorch#155588",
        from_words(erfinv_words),
        of_words=erfinv_words,
        tier="exact",
    )
    yield row(
        "infinite-ends",
        STANDARD,
        "the first and the last word are infinite",
        "log(0) in Box and Muller's method, the quantile of 0",
        from_words(closed_words),
        of_words=closed_words,
        tier="exact",
    )
    yield row(
        "one-beyond",
        TRUNCATED,
        "a single value outside the bounds",
        "rounding in a rejection loop",
        beyond,
        tier="exact",
    )
