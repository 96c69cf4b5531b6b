"""The exact tier: what holds for every draw, so that there is no chance in it and no false alarm.

Every finding has a p-value of 0 or 1. What a target does not let one ask is said to be not
applicable, and passes.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...readings.registry import get
from ...spec.distribution import Constant, Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, fans
from ...spec.tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil
from ...stream import dtypes
from ..cell import is_portable
from ..design import cell_seed
from ..drawing import draw_one
from ..finding import Finding, certain, not_applicable
from ..probability.complex_law import PARTS, Modulus
from ..probability.own_law import Own
from . import marginal, orthogonal
from .by_hand import FORMULAS, contraction, naive
from .coupling import FEW, base_coupling, self_coupling
from .known_samplers import standard
from .marginal import own_law
from .stream_answers import ends, injected, known, layouts, reference

if TYPE_CHECKING:
    from ..cell import Cell


Array = NDArray[Any]

#: Seeds that must all differ: small ones, neighbours, and the ends of 31 bits.
SEEDS = (0, 1, 2, 3, 255, 256, 65536, 2**31 - 2, 2**31 - 1)


def battery(cell: Cell) -> Iterator[Finding]:
    """Every exact test of a cell. Structure and type are checked with each draw."""
    law = cell.law
    if isinstance(law, Own):
        yield own_law(law)
        if law.problem:
            return
    seed = cell_seed(cell.name, cell.run)
    values = draw_one(cell, cell.shape, cell.dtype, seed)
    yield from fixed(cell, law, values)
    yield from seeds(cell, law, values, seed)
    yield types(cell, law, values, seed)
    yield self_coupling(cell, law, values, seed)
    yield counted(cell)
    yield formula(cell, cell.scheme.on(cell.shape, cell.layout))
    if (law.elementwise and law.std > 0) or (type(law) is Own and law.custom.ppf is not None):
        yield ends(cell, law)
    if is_portable(cell):
        name: str = cell.target.backend  # type: ignore[attr-defined]
        yield reference(cell, values, seed)
        yield known(name)
        kind = standard(law)
        if kind is not None:  # the scale has been seen; the rest is the same for every scale
            yield layouts(name, kind, cell.dtype)
            yield injected(name, kind, cell.dtype)
    else:
        yield base_coupling(cell, law, values, seed)


# ------------------------------------------------------------------------------- support, constants


def fixed(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """What is not random: constants and stencils, bounds, orthogonality, the number of zeros."""
    from ..drawing import canonical, exactly

    if isinstance(law, (Constant, Stencil, Given)) or law.std == 0:
        known_law = law if isinstance(law, (Stencil, Given)) else Constant(law.mean)
        yield exactly(known_law, cell, values[None])
    elif isinstance(law, Orthogonal):
        flat = canonical(values[None], cell).reshape(-1, law.rows, law.columns) / law.gain
        tall = flat if law.rows >= law.columns else flat.swapaxes(1, 2)
        yield from orthogonal.identity(tall, cell.dtype)
    elif isinstance(law, DeltaOrthogonal):
        flat = canonical(values[None], cell).reshape(-1, law.taps, law.rows, law.columns)
        middle = flat[:, law.middle].swapaxes(1, 2) / law.gain  # no more rows than columns
        wrong = int(np.count_nonzero(np.delete(flat, law.middle, axis=1)))
        yield certain("taps", wrong, f"{wrong} values beside the middle tap are not zero")
        yield from orthogonal.identity(middle, cell.dtype)
    elif isinstance(law, Sparse):
        flat = canonical(values[None], cell).reshape(-1, law.rows, law.columns)
        missing = int(np.maximum(law.zeros - (flat == 0).sum(axis=law.axis), 0).sum())
        yield certain("zeros", missing, f"{missing} zeros too few")
    elif isinstance(law, Modulus):
        squares = law.squares(values.reshape(-1), cell.dtype)
        yield marginal.support(squares, law, cell.dtype)._replace(test="modulus.support")
    else:
        yield marginal.support(values.reshape(-1), law, cell.dtype)


# ------------------------------------------------------------------------------------------- seeds


def seeds(cell: Cell, law: Distribution, values: Array, seed: int) -> Iterator[Finding]:
    """The same seed gives the same values, another seed others, and no global state moves."""
    before = _global_state()
    again = draw_one(cell, cell.shape, cell.dtype, seed)
    moved = [name for name, state in _global_state().items() if before.get(name) != state]
    wrong = int(np.count_nonzero(again != values))
    yield certain("seed", wrong, f"the same seed gave {wrong} other values")
    if hasattr(cell.target, "stream"):
        note = f"a draw with a seed moved the global state of {' and '.join(moved)}"
        yield certain("globals", len(moved), note)
    if getattr(cell.target, "once", False):
        yield not_applicable("seeds", "the target is an array")
        return
    if isinstance(law, (Constant, Stencil, Given)) or law.std == 0 or values.size < FEW:
        yield not_applicable("seeds", "too few values are random")
        return
    # A framework's own sampler may take fewer bits of a seed than there are.
    tried = {*SEEDS, seed} if getattr(cell.target, "stream", "") != "native" else {*range(8), seed}
    drawn = {one: draw_one(cell, cell.shape, cell.dtype, one).tobytes() for one in tried}
    equal = [(a, b) for a in drawn for b in drawn if a < b and drawn[a] == drawn[b]]
    pairs = ", ".join(f"{a} and {b}" for a, b in equal[:3])
    yield certain("seeds", len(equal), f"the same values with the seeds {pairs}")


def _global_state() -> dict[str, str]:
    """The generators that a draw with a seed of its own has to leave alone."""
    numpy: Any = np.random.get_state(legacy=False)
    found = {
        "random": repr(random.getstate()),
        "numpy": numpy["state"]["key"].tobytes().hex() + str(numpy["state"]["pos"]),
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = torch.get_rng_state().numpy().tobytes().hex()
    return found


# ------------------------------------------------------------------------------------------- types


def types(cell: Cell, law: Distribution, values: Array, seed: int) -> Finding:
    """A narrow type holds the float32 numbers, rounded: so it must if many of them agree."""
    if cell.dtype in ("float32", *PARTS):
        return not_applicable("types", "float32 is what the others are held against")
    try:
        wide = draw_one(cell, cell.shape, "float32", seed)
    except Exception as error:
        return not_applicable("types", f"no float32 of this target: {error}")
    portable = is_portable(cell)
    if cell.dtype == "float64":
        if not portable:
            return not_applicable("types", "float64 is drawn from more bits")
        size = abs(law.mean) if math.isfinite(law.mean) else 0.0
        least = max(size, float(np.abs(values).max(initial=0.0)), 1e-300) * 2.0**-21
        wrong = int(np.count_nonzero(np.abs(wide - values) > least))
        return certain("types", wrong, f"{wrong} values are not near the float32 ones")
    same = dtypes.widened(dtypes.rounded(wide.astype(np.float32), cell.dtype)) == values
    share = float(same.mean()) if same.size else 1.0
    if not portable and share < 0.25:  # of other bits no more than a hundredth agrees
        return not_applicable("types", f"{cell.dtype} is drawn from other bits than float32")
    wrong = int(np.count_nonzero(~same))
    return certain("types", wrong, f"{wrong} values are not the float32 ones, rounded to nearest")


# ------------------------------------------------------------------------------ fans and formulas


def counted(cell: Cell) -> Finding:
    """The fans of the cell's layout are those that a count of multiplications finds."""
    if cell.scheme.mode is None:
        return not_applicable("fans", "the scheme has none")
    shape = small(cell.shape, cell.layout)
    wanted = contraction(shape, cell.layout), naive(shape, cell.layout)
    found = fans(shape, cell.layout), fans(shape, cell.layout, "naive")
    wrong = any(tuple(a) != tuple(b) for a, b in zip(found, wanted, strict=True))
    return certain("fans", wrong, f"{found} of {shape}, counted are {wanted}")


def small(shape: Shape, layout: Layout) -> Shape:
    """A tensor of the layout that is quick to count, whose sizes all differ where they can."""
    if math.prod(shape) <= 2**16:
        return shape
    parts = layout.groups * layout.stack
    return tuple(parts * (axis + 1) for axis in range(len(shape)))


def formula(cell: Cell, law: Distribution) -> Finding:
    """The standard deviation of a named scheme is that of its formula, written out by hand."""
    name = cell.scheme.name or ""
    if name not in FORMULAS or cell.scheme != get(name):
        return not_applicable("formula", "the scheme is not a named one at its defaults")
    if cell.scheme.mode is None:
        fan_in, fan_out = 1, 1
    elif cell.scheme.fans != "true":
        fan_in, fan_out = naive(cell.shape, cell.layout)
        if (fan_in, fan_out) != fans(cell.shape, cell.layout, cell.scheme.fans):
            return not_applicable("formula", "its fans are counted by a rule of their own")
    elif math.prod(cell.shape) <= 2**20:
        fan_in, fan_out = contraction(cell.shape, cell.layout)
    else:
        return not_applicable("formula", "the tensor is too large to count")
    wanted = FORMULAS[name](max(fan_in, 1), max(fan_out, 1))
    wrong = not math.isclose(law.std, wanted, rel_tol=1e-12)
    return certain("formula", wrong, f"std {law.std!r}, by hand {wanted!r}")
