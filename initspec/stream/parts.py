"""A part of a tensor that is a parameter of its own: q of fused q, k and v, a layer of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..spec.fan_rules import Shape


@dataclass(frozen=True, slots=True)
class Part:
    """Where a part lies in its tensor: for each axis a run ``(start, stop)``, or one place.

    An axis of which one place is meant is none of the part's own.

    >>> third = Part(((0, 4), (16, 24)))
    >>> third.shape, Part((2, (0, 8))).shape
    ((4, 8), (8,))
    """

    cuts: tuple[int | tuple[int, int], ...]

    @classmethod
    def whole(cls, shape: Shape) -> Part:
        """The part that is all of a tensor."""
        return cls(tuple((0, n) for n in shape))

    @property
    def shape(self) -> Shape:
        """The shape of the part."""
        return tuple(cut[1] - cut[0] for cut in self.cuts if not isinstance(cut, int))

    @property
    def index(self) -> tuple[Any, ...]:
        """What picks the part out of an array."""
        return tuple(cut if isinstance(cut, int) else slice(*cut) for cut in self.cuts)

    def block(self, axis: int, start: int, stop: int) -> Part:
        """A run of this part's own axis."""
        place, (low, _) = self._axis(axis)
        return self._with(place, (low + start, low + stop))

    def at(self, axis: int, place: int) -> Part:
        """One place of this part's own axis, which the new part does not have."""
        where, (low, _) = self._axis(axis)
        return self._with(where, low + place)

    def _axis(self, axis: int) -> tuple[int, tuple[int, int]]:
        own = [(at, cut) for at, cut in enumerate(self.cuts) if not isinstance(cut, int)]
        return own[axis]

    def _with(self, place: int, cut: int | tuple[int, int]) -> Part:
        return Part((*self.cuts[:place], cut, *self.cuts[place + 1 :]))

    def overlap(self, window: Sequence[slice]) -> tuple[tuple[slice, ...], tuple[Any, ...]] | None:
        """What a window of the tensor has of this part; None where it has nothing.

        Gives the window of the part, and what picks it out of an array of the tensor's window.

        >>> Part(((0, 4), (16, 24))).overlap((slice(2, 4), slice(20, 32)))
        ((slice(2, 4, None), slice(4, 8, None)), (slice(0, 2, None), slice(0, 4, None)))
        """
        own: list[slice] = []
        here: list[Any] = []
        for cut, shown in zip(self.cuts, window, strict=True):
            low, high = (cut, cut + 1) if isinstance(cut, int) else cut
            start, stop = max(low, shown.start), min(high, shown.stop)
            if start >= stop:
                return None
            if isinstance(cut, int):
                here.append(cut - shown.start)
            else:
                own.append(slice(start - low, stop - low))
                here.append(slice(start - shown.start, stop - shown.start))
        return tuple(own), tuple(here)
