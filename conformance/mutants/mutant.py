"""A mutant: an initializer with one fault, and the claim that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ..cases import files
from ..cell import Cell
from ..probability.own_law import seen
from ..targets.called import CallTarget
from ..targets.claims import claimed
from ..targets.target import completed
from .fault import Fault, Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A sampler that claims to be a scheme and is not; a target as any other."""

    #: Its name, unique in the registry.
    id: str
    #: The scheme that it claims to be, as text.
    claim: str
    #: What is wrong, in words.
    what: str
    #: Where the fault was seen: issues, releases, documents.
    source: str
    #: Draws a tensor with the fault.
    make: Fault = field(repr=False)
    #: The tensor on which the fault shows.
    shape: Shape = (86, 8)
    layout: str = "io"
    dtype: str = "float32"
    #: The quickest tier that must refuse it.
    tier: str = "stat"
    #: Why no test can refuse it, or needs to; such a mutant must pass. Empty for all others.
    equivalent: str = ""
    #: What it is handed for a seed: see :attr:`.target.Target.seed_as`.
    seed_as: str = ""
    #: The function to judge in place of ``make``, where the fault lies in what it does with a seed,
    #: a generator or its tensors.
    function: Callable[..., Any] | None = field(default=None, repr=False)
    #: Its map from words to values, where the fault lies in it.
    of_words: Callable[[NDArray[Any]], NDArray[Any]] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name of the target."""
        return f"mutant {self.id}"

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> NDArray[Any]:
        """A tensor with the fault."""
        from ...stream import dtypes

        layout = Layout.parse(self.layout)
        law = seen(claimed(self.claim).on(shape, layout))
        values = self.make(Setting(law, shape, layout, seed, dtype))
        rounded = dtypes.rounded(np.asarray(values), dtype)
        return rounded.view(dtypes.bfloat16()) if dtype == "bfloat16" else rounded

    @property
    def transform(self) -> Callable[..., NDArray[Any]] | None:
        """The map from words to values, where the fault lies in it."""
        of = self.of_words
        return None if of is None else lambda words, law, dtype: of(words)

    @property
    def cell(self) -> Cell:
        """The cell that judges it."""
        return Cell(
            target=completed(self) if self.function is None else CallTarget(self.function),
            scheme=claimed(self.claim),
            shape=self.shape,
            layout=Layout.parse(self.layout),
            dtype=self.dtype,
            tier=self.tier,
        )


def as_case(mutant: Mutant, killed_by: Sequence[str]) -> dict[str, Any]:
    """A mutant as a case of kind ``mutant``."""
    layout = Layout.parse(mutant.layout)
    return {
        "id": mutant.id,
        "description": mutant.what,
        "claim": mutant.claim,
        "source": mutant.source,
        "tensor": files.tensor(mutant.shape, layout),
        "dtype": mutant.dtype,
        "tier": mutant.tier,
        "killed_by": list(killed_by),
        "equivalent": mutant.equivalent,
    }
