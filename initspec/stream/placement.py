"""Where a tensor lies in the stream: its shape, the roles of its axes, and the part of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from ..errors import LayoutError
from ..spec.fan_rules import Shape
from ..spec.layout import Layout, checked_shape
from . import canonical_order
from .canonical_order import Block, Window

#: No array has as many elements: of eight bytes each they would fill 63 bits of addresses.
_MOST = 2**60


@dataclass(frozen=True)
class Placement:
    """A window of a tensor, checked when it is made: what is left to draw is numbers.

    ``shape`` is the whole tensor's, ``layout`` names its axes, ``window`` has one slice for each
    axis with its bounds written out. :meth:`of` takes what users write.

    >>> part = Placement.of((4, 6), "io", (slice(1, 3), slice(None)))
    >>> part.extent, part.blocks[0].base
    ((2, 6), 6)
    """

    shape: Shape
    layout: Layout
    window: Window
    #: The shape of the window.
    extent: Shape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.layout.roles(self.shape)
        window = canonical_order.checked(self.window, self.shape)
        object.__setattr__(self, "window", window)
        object.__setattr__(self, "extent", canonical_order.extent(window))
        if max(self.extent, default=0) >= _MOST or math.prod(self.extent) >= _MOST:
            raise LayoutError(
                f"a tensor of shape {self.extent} has more elements than memory has addresses: "
                "give a smaller shape, or a window of it."
            )

    def __hash__(self) -> int:  # a slice has no hash before Python 3.12
        return hash((self.shape, self.layout, self.bounds))

    @classmethod
    def of(
        cls,
        shape: Any,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
        *,
        out_first: bool = False,
    ) -> Placement:
        """The placement of what a user asks for; without a window the whole tensor.

        Without a layout the axes are ``(..., in, out)``, or with ``out_first`` PyTorch's
        ``(out, in, ...)``.

        Raises :class:`LayoutError` for what is no shape and for a layout that does not fit it,
        :class:`StreamError` for a window outside of it.
        """
        sizes = checked_shape(shape)
        axes = Layout.of(layout, len(sizes), out_first=out_first)
        return _whole(sizes, axes) if window is None else cls(sizes, axes, window)  # type: ignore[arg-type]

    @property
    def bounds(self) -> tuple[tuple[int, int], ...]:
        """The start and the stop of the window along each axis."""
        return tuple((part.start, part.stop) for part in self.window)

    @property
    def whole(self) -> bool:
        """Whether the window is the whole tensor."""
        return self.extent == self.shape

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The affine blocks of the window: see ``initspec.stream.canonical_order.blocks``."""
        return canonical_order.affine(self.shape, self.layout, self.window)

    def part(self, window: Sequence[slice]) -> Placement:
        """Another window of the same tensor."""
        return Placement(self.shape, self.layout, tuple(window))


@lru_cache(maxsize=4096)
def _whole(shape: Shape, layout: Layout) -> Placement:
    return Placement(shape, layout, canonical_order.whole(shape))
