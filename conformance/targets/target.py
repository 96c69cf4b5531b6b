"""The contract of a target."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from ...spec.fan_rules import Shape

Array = NDArray[Any]


class Target(Protocol):
    """Anything that makes weights."""

    @property
    def name(self) -> str:
        """How it was given."""
        ...

    @property
    def resolution(self) -> int:
        """Bits that its sampler resolves in float32; a coarser one is refused."""
        ...

    @property
    def text(self) -> str | None:
        """What the command line calls it; None for an object of this process alone."""
        ...

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """A tensor of the shape, as a NumPy array in the type's values."""
        ...


class Unjudged(Exception):  # noqa: N818 - a verdict, not a fault
    """A verdict that is reached before any statistics."""

    def __init__(self, verdict: str, sentence: str) -> None:
        self.verdict = verdict
        super().__init__(sentence)
