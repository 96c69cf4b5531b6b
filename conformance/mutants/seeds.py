"""Seeds that are ignored, shortened, or not enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from ..probability.transform import ppf
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import TRUNCATED, row


def unseeded(s: Setting) -> Setting:
    """The same whatever the seed is."""
    return Setting(s.law, s.shape, s.layout, 12345)


def same(s: Setting) -> Array:
    """The seed is ignored."""
    return unseeded(s).draw()


def seeds(of: Callable[[int], int]) -> Fault:
    """The seed loses digits."""
    return lambda s: Setting(s.law, s.shape, s.layout, of(s.seed)).draw()


_DRAWS = itertools.count()


def unrepeatable(s: Setting) -> Array:
    """Other values at every call, whatever the seed."""
    return Setting(s.law, s.shape, s.layout, s.seed + 2**40 * next(_DRAWS)).draw()


def signed_copies(s: Setting) -> Array:
    """One tensor for every seed, but for its sign."""
    return same(s) * (-1) ** (s.seed % 2)


def overlapping(s: Setting) -> Array:
    """The stream of the next seed starts 400 numbers later in the same stream."""
    stream = np.random.Philox(key=np.array([7, 0], np.uint64)).advance(100 * s.seed)
    return ppf(s.law, np.random.Generator(stream).random(s.shape) + 2.0**-54)


def seeding() -> Iterator[Mutant]:
    """Tensors that depend on their seed in a wrong way."""
    yield row(
        "seed-ignored",
        TRUNCATED,
        "the same tensor for every seed",
        "netket#241, nntile#21, keras-hub#352, torch.nn.init.sparse_",
        same,
    )
    yield row(
        "seed-halved",
        TRUNCATED,
        "seeds 2 k and 2 k + 1 are one",
        "a seed's last bit lost",
        seeds(lambda seed: seed // 2),
    )
    yield row(
        "seed-period",
        TRUNCATED,
        "seeds repeat after 128",
        "Keras' SeedGenerator, of a short period",
        seeds(lambda seed: seed % 128),
    )
    yield row(
        "seed-of-8-bits",
        TRUNCATED,
        "seeds repeat after 256",
        "a seed in a byte",
        seeds(lambda seed: seed % 256),
        tier="exact",
    )
    yield row(
        "unrepeatable",
        TRUNCATED,
        "other values at every call with the same seed",
        "PyTorch's and Flux's sparse initializers, whose generator is ignored",
        unrepeatable,
        tier="exact",
    )
    yield row(
        "seed-is-a-sign",
        TRUNCATED,
        "tensors of other seeds differ in sign",
        "antithetic draws",
        signed_copies,
    )
    yield row(
        "streams-overlap",
        TRUNCATED,
        "the next seed's stream starts 400 values later",
        "counters advanced by too little; Keras' SeedGenerator",
        overlapping,
    )
