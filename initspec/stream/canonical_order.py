"""Where in the stream an element lies: the canonical order of a tensor.

The canonical order is row-major: stacked and batch axes, then the spatial axes, then ``in``, then
``out`` (group by group). An element's index depends on the whole tensor's shape and on its
layout, and not on how it is stored or sharded, so that a window is drawn from the window alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..errors import StreamError, short_repr
from ..spec.fan_rules import Shape
from ..spec.layout import Layout

Window = tuple[slice, ...]

_ORDER = {"batch": 0, "stack": 1, "fused": 2, "spatial": 3, "vocabulary": 4, "in": 4, "group": 5}
_LAST = 6  # out


class Digit(NamedTuple):
    """One part of an axis: its ``size`` and what one step adds to the index."""

    size: int
    stride: int


class Block(NamedTuple):
    """A part of a window whose indices are affine: ``base + sum(coordinate * stride)``.

    ``part`` cuts it out of the window; ``shape`` is the part's shape, in which an axis of fused
    parameters is split in two.
    """

    part: Window
    shape: Shape
    strides: Shape
    base: int


@lru_cache(maxsize=4096)
def digits(shape: Shape, layout: Layout) -> tuple[tuple[Digit, ...], ...]:
    """For each axis its digits, major first: two where the axis fuses stacked parameters.

    >>> digits((2, 3), Layout("oi"))
    ((Digit(size=2, stride=1),), (Digit(size=3, stride=2),))
    """
    entries: list[tuple[int, int, int, int]] = []  # order, axis, place in the axis, size
    for axis, (size, role) in enumerate(zip(shape, layout.roles(shape), strict=True)):
        if layout.stack > 1 and role == "out":
            entries.append((_ORDER["fused"], axis, 0, layout.stack))
            entries.append((_LAST, axis, 1, size // layout.stack))
        else:
            entries.append((_ORDER.get(role, _LAST), axis, 0, size))
    by_place: dict[tuple[int, int], Digit] = {}
    stride = 1
    for _, axis, place, size in sorted(entries, reverse=True):
        by_place[axis, place] = Digit(size, stride)
        stride *= size
    return tuple(
        tuple(by_place[axis, place] for place in range(2) if (axis, place) in by_place)
        for axis in range(len(shape))
    )


def whole(shape: Shape) -> Window:
    """The window that is the whole tensor."""
    return tuple(slice(0, size) for size in shape)


def checked(window: Sequence[slice] | None, shape: Shape) -> Window:
    """The window with its bounds written out; raises :class:`StreamError` if it does not fit."""
    if window is None:
        return whole(shape)
    if not isinstance(window, (tuple, list)) or not all(isinstance(n, slice) for n in window):
        raise StreamError(
            f"a window has one slice for each axis, as (slice(0, 2), slice(None)), not "
            f"{short_repr(window)}."
        )
    window = tuple(window)
    if len(window) != len(shape):
        raise StreamError(
            f"a window has one slice for each axis: {len(window)} given for the shape {shape}."
        )
    cut = []
    for axis, (part, size) in enumerate(zip(window, shape, strict=True)):
        start = 0 if part.start is None else _bound(part, part.start)
        stop = size if part.stop is None else _bound(part, part.stop)
        if part.step not in (None, 1) or not 0 <= start <= stop <= size:
            raise StreamError(
                f"the window {part} lies outside axis {axis} of the shape {shape}: it needs "
                f"0 <= start <= stop <= {size} and no step."
            )
        cut.append(slice(start, stop))
    return tuple(cut)


def _bound(part: slice, value: Any) -> int:
    try:
        return int(value.__index__())
    except (AttributeError, TypeError, ValueError):
        raise StreamError(
            f"a window's bounds are integers, and {short_repr(part)} has others."
        ) from None


def extent(window: Window) -> Shape:
    """The shape of a window."""
    return tuple(part.stop - part.start for part in window)


def blocks(
    shape: Shape, layout: Layout, window: Sequence[slice] | None = None
) -> tuple[Block, ...]:
    """The affine blocks of a window: one, or up to three where it cuts fused parameters.

    >>> blocks((4, 6), Layout("io"), (slice(1, 3), slice(0, 6)))[0].base
    6
    """
    return affine(shape, layout, checked(window, shape))


def affine(shape: Shape, layout: Layout, window: Window) -> tuple[Block, ...]:
    """The affine blocks of a window that is known to fit."""
    if math.prod(shape) > 2**64:
        raise StreamError(f"a tensor of shape {shape} has more than 2**64 elements.")
    pieces = [Block((), (), (), 0)]
    for part, axis in zip(window, digits(shape, layout), strict=True):
        pieces = [
            Block(
                (*piece.part, cut.part[0]),
                piece.shape + cut.shape,
                piece.strides + cut.strides,
                piece.base + cut.base,
            )
            for piece in pieces
            for cut in _cuts(part, axis)
        ]
    return tuple(pieces)


def _cuts(part: slice, axis: tuple[Digit, ...]) -> list[Block]:
    """The affine cuts of one axis."""
    start, stop = part.start, part.stop
    if len(axis) == 1:
        stride = axis[0].stride
        return [Block((slice(0, stop - start),), (stop - start,), (stride,), start * stride)]
    major, minor = axis
    cuts: list[Block] = []
    at = start
    while at < stop:
        outer, inner = divmod(at, minor.size)
        if inner == 0 and stop - at >= minor.size:  # whole fused parameters
            count = (stop - at) // minor.size
            end = at + count * minor.size
            shape: Shape = (count, minor.size)
            strides: Shape = (major.stride, minor.stride)
        else:
            end = min(stop, (outer + 1) * minor.size)
            shape, strides = (end - at,), (minor.stride,)
        base = outer * major.stride + inner * minor.stride
        cuts.append(Block((slice(at - start, end - start),), shape, strides, base))
        at = end
    return cuts or [Block((slice(0, 0),), (0,), (minor.stride,), 0)]
