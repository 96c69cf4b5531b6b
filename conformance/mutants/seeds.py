"""Seeds that are ignored, shortened, or not enough; generators, buffers and threads misused."""

from __future__ import annotations

import copy
import functools
import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...spec.fan_rules import Shape
from ..probability.transform import ppf
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import STANDARD, TRUNCATED, row


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


def normal(shape: Shape, seed: Any = None) -> Array:
    """Standard normal numbers by NumPy."""
    return np.random.default_rng(seed).standard_normal(shape)


def shortened(of: Callable[[int], Any]) -> Callable[..., Array]:
    """A function of a seed that loses some of it."""
    return lambda shape, seed: normal(shape, of(seed))


def seeded_once() -> Callable[..., Array]:
    """The first call has the seed, the others have none."""
    calls = itertools.count()
    return lambda shape, seed: normal(shape, None if next(calls) else seed)


def held() -> Callable[..., Array]:
    """The tensor of a seed is kept, and handed out again."""
    kept = functools.lru_cache(maxsize=None)(normal)
    return lambda shape, seed: kept(shape, seed)


def one_buffer() -> Callable[..., Array]:
    """All tensors of a shape lie in one place."""
    buffers: dict[Shape, Array] = {}

    def filled(shape: Shape, seed: Any) -> Array:
        buffer = buffers.setdefault(shape, np.empty(shape))
        buffer[...] = normal(shape, seed)
        return buffer

    return filled


def of_thread(shape: Shape, seed: int) -> Array:
    """Threads have offsets of their own."""
    return normal(shape, seed + (threading.current_thread() is not threading.main_thread()))


def unhanded(shape: Shape, rng: np.random.Generator) -> Array:
    """The global generator, in place of the one that is handed over."""
    return np.random.standard_normal(shape)


def rewound(shape: Shape, rng: np.random.Generator) -> Array:
    """The generator is put back to where it was."""
    state = rng.bit_generator.state
    drawn = rng.standard_normal(shape)
    rng.bit_generator.state = state
    return drawn


def copied(shape: Shape, rng: np.random.Generator) -> Array:
    """A copy of the generator draws, so that the generator itself stays where it is."""
    return copy.deepcopy(rng).standard_normal(shape)


def reseeded(shape: Shape, rng: np.random.Generator) -> Array:
    """The generator is seeded with a constant, after the draw."""
    drawn = rng.standard_normal(shape)
    rng.bit_generator.state = np.random.PCG64(3).state
    return drawn


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
    for id, what, source, function in FUNCTIONS:
        yield Mutant(
            id=id,
            claim=STANDARD,
            what=what,
            source=source,
            make=Setting.draw,
            function=function(),
        )


#: Faults that show in a function alone: its name, the fault, where it was seen, and its maker.
FUNCTIONS: tuple[tuple[str, str, str, Callable[[], Callable[..., Array]]], ...] = (
    (
        "seed-left-out",
        "default_rng() in place of default_rng(seed)",
        "a seed that is an argument and nothing more",
        lambda: shortened(lambda seed: None),
    ),
    (
        "seed-first-call",
        "the first call has the seed, the others have none",
        "a module that seeds itself once",
        seeded_once,
    ),
    (
        "seed-of-3-digits",
        "seeds repeat after 1000",
        "seed % 1000",
        lambda: shortened(lambda seed: seed % 1000),
    ),
    (
        "seed-of-997",
        "seeds repeat after 997",
        "a seed in a table of hashes",
        lambda: shortened(lambda seed: seed % 997),
    ),
    (
        "seed-of-6-digits",
        "seeds repeat after a million",
        "seed % 10**6",
        lambda: shortened(lambda seed: seed % 10**6),
    ),
    (
        "seed-of-31-bits",
        "seeds repeat after 2**31",
        "seed & 0x7fffffff",
        lambda: shortened(lambda seed: seed & 0x7FFFFFFF),
    ),
    (
        "seed-as-float32",
        "large seeds lose their last digits",
        "a seed that went through a float",
        lambda: shortened(lambda seed: int(np.float32(seed))),
    ),
    (
        "seed-unsigned",
        "-1 is taken for 1",
        "abs(seed)",
        lambda: shortened(abs),
    ),
    (
        "seed-or-none",
        "the seed 0 is none",
        "seed or None",
        lambda: shortened(lambda seed: seed or None),
    ),
    (
        "buffer-for-all",
        "every tensor lies in one buffer",
        "a workspace that is handed out",
        one_buffer,
    ),
    (
        "buffer-for-a-seed",
        "a tensor is handed out again for its seed",
        "functools.lru_cache around an initializer",
        held,
    ),
    (
        "thread-counts",
        "other values in another thread",
        "thread-local generators",
        lambda: of_thread,
    ),
    (
        "generator-ignored",
        "the global generator, in place of the one that is handed over",
        "torch.nn.init.sparse_, whose generator is ignored",
        lambda: unhanded,
    ),
    (
        "generator-rewound",
        "the generator is put back after the draw",
        "torch.random.fork_rng around an initializer",
        lambda: rewound,
    ),
    (
        "generator-copied",
        "a copy of the generator draws",
        "copy.deepcopy of a generator",
        lambda: copied,
    ),
    (
        "generator-reseeded",
        "the generator is seeded with a constant after the draw",
        "manual_seed(0) at the end of an initializer",
        lambda: reseeded,
    ),
)
