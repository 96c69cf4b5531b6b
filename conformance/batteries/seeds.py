"""Seeds and types: the same seed gives the same values, and every type holds the same numbers."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution
from ...stream import dtypes
from ..cell import Cell
from ..drawing import draw_one
from ..finding import Finding, certain, not_applicable
from ..probability.complex_law import PARTS
from . import edge_seeds
from .coupling import FEW
from .fixed import is_fixed

Array = NDArray[Any]

#: Seeds that must all differ: small ones, neighbours, and the ends of 31 bits.
SEEDS = (0, 1, 2, 3, 255, 256, 65536, 2**31 - 2, 2**31 - 1)


def seeds(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """The same seed gives the same values, another seed others, and no global state moves."""
    before = _global_state()
    again = draw_one(cell, cell.shape, cell.dtype, cell.seed)
    moved = [name for name, state in _global_state().items() if before.get(name) != state]
    wrong = int(np.count_nonzero(again != values))
    if wrong and cell.target.seed_as == "nothing":
        yield not_applicable("seed", "it takes no seed, and draws from a generator of its own")
    else:
        edges = edge_seeds.problems(cell, law, values)
        note = f"the same seed gave {wrong} other values" if wrong else "; ".join(edges[:5])
        yield certain("seed", wrong or len(edges), note)
    if cell.target.stream:
        note = f"a draw with a seed moved the global state of {' and '.join(moved)}"
        yield certain("globals", len(moved), note)
    if cell.target.ignores_seed:
        yield not_applicable("seeds", "the target is an array")
        return
    if is_fixed(law) or values.size < FEW:
        yield not_applicable("seeds", "too few values are random")
        return
    # A framework's own sampler may take fewer bits of a seed than there are.
    others = SEEDS if cell.target.stream != "native" else range(8)
    tried = {*others, cell.seed}
    drawn = {seed: draw_one(cell, cell.shape, cell.dtype, seed).tobytes() for seed in tried}
    drawn |= edge_seeds.large(cell)
    equal = [(a, b) for a in drawn for b in drawn if a < b and drawn[a] == drawn[b]]
    traits = [pair for pair in equal if pair[1] - pair[0] in cell.target.seed_periods]
    faults = [pair for pair in equal if pair not in traits]
    pairs = ", ".join(f"{a} and {b}" for a, b in (faults or traits)[:3])
    note = f"the same values with the seeds {pairs}"
    if traits and not faults:
        trait = f"{note}, as TensorFlow's own samplers give them: no fault of the target"
        yield Finding("seeds", 0.0, 1.0, trait)
    else:
        yield certain("seeds", len(faults), note)


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


def types(cell: Cell, law: Distribution, values: Array) -> Finding:
    """A narrow type holds the float32 numbers, rounded: so it must if many of them agree."""
    if cell.dtype in ("float32", *PARTS):
        return not_applicable("types", "float32 is what the others are held against")
    try:
        float32 = draw_one(cell, cell.shape, "float32", cell.seed)
    except Exception as error:
        return not_applicable("types", f"no float32 of this target: {error}")
    if cell.dtype == "float64":
        narrow = int(np.count_nonzero(values.astype(np.float32) == values))
        if law.elementwise and law.std > 0 and values.size >= FEW and narrow == values.size:
            return certain("types", narrow, "its float64 values are float32 numbers, widened")
        if not cell.is_portable:
            return not_applicable("types", "float64 is drawn from more bits")
        size = abs(law.mean) if math.isfinite(law.mean) else 0.0
        least = max(size, float(np.abs(values).max(initial=0.0)), 1e-300) * 2.0**-21
        wrong = int(np.count_nonzero(np.abs(float32 - values) > least))
        return certain("types", wrong, f"{wrong} values are not near the float32 ones")
    same = dtypes.widened(dtypes.rounded(float32.astype(np.float32), cell.dtype)) == values
    share = float(same.mean()) if same.size else 1.0
    if not cell.is_portable and share < 0.25:  # of other bits no more than a hundredth agrees
        return not_applicable("types", f"{cell.dtype} is drawn from other bits than float32")
    wrong = int(np.count_nonzero(~same))
    return certain("types", wrong, f"{wrong} values are not the float32 ones, rounded to nearest")
