"""Seeds: the same one gives the same values, another one others, and nothing else moves them."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution
from ..cell import Cell
from ..drawing import checked, draw_one
from ..finding import Finding, certain, not_applicable
from . import edge_seeds
from .coupling import FEW
from .fixed import is_fixed

Array = NDArray[Any]

#: Seeds that must all differ: small ones, neighbours, and the ends of 31 bits.
SEEDS = (0, 1, 2**31 - 1, 256, 2, 3, 255, 65536, 2**31 - 2)

#: Values that are drawn for the tests of seeds, beside the first few tensors.
_MOST = 2**22

#: One of these differences of two seeds is a multiple of every number up to 1024, and of others
#: that seeds are divided by: powers of two and of ten, all ones in binary, large primes.
_BABIES = range(32)
_GIANTS = (
    *(10**9 + 32 * step for step in range(32)),
    2**30,
    10**9 + 7,
    998_244_353,
    65_535 * 32_767,
    (2**24 - 1) * 128,
    65_521 * 32_749,
    65_537 * 32_003,
    1_000_003 * 2_147,
    99_991 * 9_973 * 2,
)

_OF_ARRAY = "the target is an array, which has nothing to seed"


def seeds(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """The same seed gives the same values, another seed others, and no global state moves.

    ``values`` is the first tensor that was drawn; those that are drawn later are held against it.
    """
    if cell.target.ignores_seed:
        for test in ("seed", "seeds", "buffer", "generator"):
            yield not_applicable(test, _OF_ARRAY)
        return
    before = _global_state()
    wrong = _others(draw_one(cell, cell.shape, cell.dtype, cell.seed), values)
    moved = [name for name, state in _global_state().items() if before.get(name) != state]
    conduct = cell.target.conduct(cell.shape, dtype=cell.dtype, seed=cell.seed)
    is_random = not is_fixed(law) and values.size >= FEW
    drawn = _drawn(cell) if is_random else {}
    if wrong and cell.target.seed_as == "nothing":
        yield not_applicable("seed", "it takes no seed, and draws from a generator of its own")
    else:
        notes = [f"the same seed gave {wrong} other values"] if wrong else []
        notes = notes or list(_same_elsewhere(cell, law, values, conduct))
        yield certain("seed", wrong or len(notes), "; ".join(notes[:5]))
    if cell.target.stream:
        note = f"a draw with a seed moved the global state of {' and '.join(moved)}"
        yield certain("globals", len(moved), note)
    yield _told("buffer", conduct, "no tensors' memory can be seen")
    if not is_random:
        yield not_applicable("generator", "too few values are random")
        yield not_applicable("seeds", "too few values are random")
        return
    yield _told("generator", conduct, "it is handed no generator that goes on")
    yield _distinct(drawn, cell.target.seed_periods, conduct.get("sign", ""))


def _others(again: Array, values: Array) -> int:
    return int(np.count_nonzero(again != values))


def _told(test: str, conduct: Mapping[str, str], why_not: str) -> Finding:
    """What was seen beside the target, where it could be asked."""
    if test not in conduct:
        return not_applicable(test, why_not)
    return certain(test, bool(conduct[test]), conduct[test])


def _same_elsewhere(
    cell: Cell, law: Distribution, values: Array, conduct: Mapping[str, str]
) -> Iterator[str]:
    """Where the seed of the cell, or one at the edges, gives other values than it should."""
    if wrong := _others(draw_one(cell, cell.shape, cell.dtype, cell.seed), values):
        yield f"the same seed gave {wrong} other values, many draws later"
    if conduct.get("thread"):
        yield conduct["thread"]
    other = cell.target.elsewhere(cell.shape, dtype=cell.dtype, seed=cell.seed)
    if other is not None and not _is_near(np.asarray(other, values.dtype), values):
        yield "the same seed gave other values in another process (its hashes of texts are others)"
    yield from edge_seeds.problems(cell, law, values)


def _is_near(other: Array, values: Array) -> bool:
    """Whether two tensors are one, but for the last digits of another machine's arithmetic."""
    near = 1e-3 * float(np.abs(values).max(initial=0.0))
    return float((np.abs(other - values) <= near).mean()) > 0.9


def _drawn(cell: Cell) -> dict[int, bytes]:
    """Tensors of many seeds, as many as there is time for."""
    target, most = cell.target, _MOST // max(math.prod(cell.shape), 1)
    # A framework's own sampler may take fewer bits of a seed than there are.
    others: Iterable[int] = SEEDS if target.stream != "native" else range(8)
    tried = list(dict.fromkeys((*others, cell.seed)))[: max(most, 4)]
    drawn = {seed: draw_one(cell, cell.shape, cell.dtype, seed).tobytes() for seed in tried}
    if target.seed_as == "integer" and most >= len(SEEDS) + len(_BABIES) + len(_GIANTS):
        more = [seed for seed in (*_BABIES, *_GIANTS) if seed not in drawn]
        try:
            tensors = list(target.draw_many(cell.shape, dtype=cell.dtype, seeds=more))
        except Exception:  # it refuses some of them: then these say nothing
            tensors = []
        for seed, tensor in zip(more, tensors, strict=False):
            drawn[seed] = checked(tensor, cell.shape, cell.dtype).tobytes()
        drawn |= edge_seeds.large(cell)
    return drawn


def _distinct(drawn: Mapping[int, bytes], periods: tuple[int, ...], sign: str) -> Finding:
    """No two seeds give the same values, but for those that a framework takes for one."""
    alike: dict[bytes, list[int]] = {}
    for seed, values in drawn.items():
        alike.setdefault(values, []).append(seed)
    equal = [pair for group in alike.values() for pair in combinations(sorted(group), 2)]
    traits = [pair for pair in equal if pair[1] - pair[0] in periods]
    faults = sorted(pair for pair in equal if pair not in traits)
    pairs = ", ".join(f"{a} and {b}" for a, b in (faults or traits)[:3])
    note = f"the same values with the seeds {pairs}"
    if traits and not faults:
        trait = f"{note}, as TensorFlow's own samplers give them: no fault of the target"
        return Finding("seeds", 0.0, 1.0, trait)
    if sign and not faults:
        return certain("seeds", 1, sign)
    return certain("seeds", len(faults), note)


def _global_state() -> dict[str, str]:
    """The generators that a draw with a seed of its own has to leave alone."""
    numpy: Any = np.random.get_state(legacy=False)
    states = {
        "random": repr(random.getstate()),
        "numpy": numpy["state"]["key"].tobytes().hex() + str(numpy["state"]["pos"]),
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state().numpy().tobytes().hex()
    return states
