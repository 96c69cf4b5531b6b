"""Complex numbers that are not what their scheme means."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ...spec.distribution import Distribution
from ..probability.transform import ppf
from .fault import Array, Fault, Setting, resized
from .mutant import Mutant
from .rows import TRUNCATED, row
from .seeds import unseeded


def polar(squares: Array, turns: Array) -> Array:
    """Complex numbers of a squared modulus and an angle in turns."""
    return np.asarray(np.sqrt(squares) * np.exp(2j * np.pi * turns))


def round_normal(u: Array, variance: float) -> Array:
    """Normal on the complex plane; ``u`` has uniform numbers for modulus and angle."""
    return polar(-variance * np.log1p(-u[0]), u[1])


def round_cut(u: Array, variance: float, std: float, cut: float = 2.0) -> Array:
    """The same cut at ``cut`` standard deviations, whose own one is said to be ``std``."""
    return polar(-variance / std**2 * np.log1p(u[0] * np.expm1(-(cut**2))), u[1])


def pairs(s: Setting) -> Array:
    """Two uniform numbers for each element."""
    return s.uniform((2, *s.shape))


def of_parts(of: Callable[[Distribution], Distribution]) -> Fault:
    """Real and imaginary part drawn each from a law that is made of the right one."""

    def make(s: Setting) -> Array:
        parts = ppf(of(s.law), pairs(s))
        return np.asarray(parts[0] + 1j * parts[1])

    return make


def shared(s: Setting, rows: bool) -> Array:
    """Angles shared: by the numbers of a row, or by the tensors of all seeds."""
    u = pairs(s)
    if rows:
        u[1] = u[1][..., :1]
    else:
        u[1] = unseeded(s).uniform()
    return round_normal(u, s.law.variance)


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
        of_parts(lambda law: law),
    )
    yield complex_row(
        "square-doubled",
        uniform,
        "both parts even on (-limit, limit) of the real law: 2 limit**2 / 3",
        "Equinox layers",
        of_parts(lambda law: law),
    )
    yield complex_row(
        "square",
        uniform,
        "even on a square in place of a disk, its variance right",
        "hand-written ports",
        of_parts(lambda law: resized(law, law.std / math.sqrt(2))),
    )
    yield complex_row(
        "jax-constant",
        TRUNCATED,
        "the constant 0.9531 = sqrt(1 - 5 exp(-4)) in place of 0.9620: its normaliser left out",
        "jax.nn.initializers",
        lambda s: round_cut(pairs(s), s.law.variance, 0.95311164380491208),
    )
    yield complex_row(
        "not-cut",
        TRUNCATED,
        "not truncated, its variance right",
        "hand-written ports",
        lambda s: round_normal(pairs(s), s.law.variance),
    )
    yield complex_row(
        "parts-cut",
        TRUNCATED,
        "each part cut by itself, its variance right",
        "hand-written ports",
        of_parts(lambda law: resized(law, law.std / math.sqrt(2))),
    )
    yield complex_row(
        "real", normal, "the imaginary part is zero", "a real array cast", lambda s: s.draw() + 0j
    )
    yield complex_row(
        "seed-ignored",
        normal,
        "the same tensor for every seed",
        "hand-written samplers",
        lambda s: round_normal(pairs(unseeded(s)), s.law.variance),
    )
    yield complex_row(
        "row-tiled",
        normal,
        "one row, tiled",
        "broadcasting",
        lambda s: np.broadcast_to(
            round_normal(s.uniform((2, s.shape[-1])), s.law.variance), s.shape
        ),
    )
    yield complex_row(
        "coarse",
        normal,
        "moduli of 12 bits",
        "generators of few bits",
        lambda s: round_normal(
            np.stack([(np.floor(4096 * s.uniform()) + 0.5) / 4096, pairs(s)[1]]), s.law.variance
        ),
    )
    yield complex_row(
        "angle-of-row",
        normal,
        "one angle for each row",
        "broadcasting",
        lambda s: shared(s, rows=True),
    )
    yield complex_row(
        "angle-of-no-seed",
        normal,
        "angles are those of another key, which is always the same",
        "one of two keys that is not split",
        lambda s: shared(s, rows=False),
    )
    yield complex_row(
        "one-key",
        normal,
        "modulus and angle from one uniform number",
        "one key used twice",
        lambda s: round_normal(np.stack([s.uniform()] * 2), s.law.variance),
    )
