"""One cell: a target on one scheme, shape, layout and type, drawn and judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ..spec.distribution import Distribution
from ..spec.fan_rules import Shape
from ..spec.layout import Layout
from ..spec.scheme import Scheme
from .design import cell_seed
from .probability import complex_law
from .probability.complex_law import PARTS
from .probability.own_law import seen
from .report.record import Record
from .targets.target import Target

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What is judged: a target and what it claims to be."""

    target: Target
    scheme: Scheme
    shape: Shape
    layout: Layout
    dtype: str = "float32"
    tier: str = "stat"
    stream: str = ""
    run: int = 0

    @property
    def name(self) -> str:
        """The identity of the cell, from which its seed is made."""
        size = "x".join(map(str, self.shape)) or "scalar"
        stream = f"-{self.stream}" if self.stream else ""
        claim = self.scheme.title
        return (
            f"{self.target.name}{stream} as {claim} {size} {self.layout} {self.dtype} {self.tier}"
        )

    @property
    def law(self) -> Distribution:
        """The law that the values are held against; in a complex type, their squared moduli."""
        law = seen(self.scheme.on(self.shape, self.layout))
        return complex_law.modulus(self.scheme, law) if self.dtype in PARTS else law

    @property
    def seed(self) -> int:
        """The seed of the cell's first tensor, made from its name."""
        return cell_seed(self.name, self.run)

    @property
    def has_contract(self) -> bool:
        """Whether the tests without chance belong to it, in the statistical tiers, too.

        Those of an adapter's streams have cells of their own.
        """
        return self.tier == "exact" or not self.stream

    @property
    def is_portable(self) -> bool:
        """Whether an adapter draws from the portable stream, of which every bit is known."""
        return self.target.stream == "portable"


def blank(cell: Cell) -> Record:
    """The record of a cell that is not judged yet."""
    return Record(
        cell=cell.name,
        target=cell.target.name,
        scheme=cell.scheme.title,
        shape=cell.shape,
        layout=str(cell.layout),
        dtype=cell.dtype,
        tier=cell.tier,
        stream=cell.stream,
        seed=cell.seed,
    )
