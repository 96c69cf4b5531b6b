"""The design of a run: its error budget, and how many values each of its cells draws.

It imports nothing of the package, so that a plug-in and a command may name the tiers at no cost.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..spec.fan_rules import Shape

#: Decisions by chance that one cell takes at most; the budget of a run is shared among all of them.
#: Those without chance take no part of it.
DECISIONS = 32
#: Values that the tiers draw.
DRAWS = {"exact": 2**10, "stat": 2**17, "deep": 2**22}
#: Matrices that the statistical tiers draw at least of a law of whole matrices: a coin that falls
#: on one side so often is refused in a run of 2**27 cells.
MATRICES = 64
#: Values that are drawn at most for these.
MOST = 2**24
#: How deep a run looks, the quickest first.
TIERS = tuple(DRAWS)
#: Shapes whose fans differ enough that every wrong formula of the catalogue shows.
SHAPES: tuple[tuple[Shape, str], ...] = (
    ((86, 8), "io"),
    ((5, 7, 8, 38), "hwio"),
)
#: Relative errors of the standard deviation that a PASS has to exclude, by tier.
MARGINS = {"exact": math.inf, "stat": 0.03, "deep": 0.005}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The error rates of a run.

    ``alpha`` is the most that a run of right initializers may be refused with; ``beta`` the most
    that a fault of the size stated as detectable may pass one test with. ``alpha`` is shared
    evenly among ``cells`` cells of :data:`DECISIONS` decisions (Bonferroni), so that each cell's
    verdict is independent of the others.
    """

    alpha: float = 1e-9
    beta: float = 1e-6
    cells: int = 1

    @property
    def decision(self) -> float:
        """The level of a single decision."""
        return self.alpha / (self.cells * DECISIONS)


def cell_seed(cell: str, run: int = 0) -> int:
    """The seed of a cell: a hash of its name, so that no two cells share one.

    ``run`` is 0 by default and a fresh number where seeds are to vary.
    """
    text = f"{run}/{cell}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) >> 33  # 31 bits suit all


def replicates(shape: Shape, draws: int) -> int:
    """How many tensors of a shape hold so many values."""
    return max(1, -(-draws // max(math.prod(shape), 1)))
