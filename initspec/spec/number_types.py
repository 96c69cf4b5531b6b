"""The number types that weights are drawn in, and which laws they can hold."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..errors import SpecError
from .distribution import Distribution


class NumberType(NamedTuple):
    """A type of binary numbers.

    ``mantissa`` counts the bits that it stores of one, ``least`` is the exponent of its least
    step, ``most`` that of its greatest numbers, ``storage`` the NumPy type that holds it: of
    bfloat16 the bits, in uint16.
    """

    mantissa: int
    least: int
    most: int
    storage: str

    @property
    def end(self) -> float:
        """The least magnitude that is rounded to infinity."""
        return (2 - 2.0 ** -(self.mantissa + 1)) * 2.0**self.most

    @property
    def greatest(self) -> float:
        """The greatest number."""
        return (2 - 2.0**-self.mantissa) * 2.0**self.most


TYPES = {
    "float64": NumberType(52, -1074, 1023, "float64"),
    "float32": NumberType(23, -149, 127, "float32"),
    "bfloat16": NumberType(7, -133, 127, "uint16"),
    "float16": NumberType(10, -24, 15, "float16"),
}

#: How many of a type's least steps a law's spread has at least: fewer would change its variance by
#: more than one in a thousand.
_STEPS = 8
#: The laws without a spread: their numbers may be rounded, but not to zero.
_FIXED = ("constant", "stencil", "array")


_held: dict[tuple[int, str], Distribution] = {}  # laws that were found held: a draw asks each time
_MOST = 4096


def check_held(law: Distribution, dtype: str) -> None:
    """Refuse a law that a type cannot hold; raises :class:`SpecError`.

    Its numbers would come out infinite, or so near zero that the type rounds them to zero or to a
    few of its least steps.

    >>> from .distribution import Normal
    >>> check_held(Normal(0.0, 1e5), "float16")
    Traceback (most recent call last):
    initspec.SpecError: float16 ends at 65504, and this law (normal, std 100000) draws \
numbers up to 623026: draw it in a wider type, or smaller.
    """
    if _held.get((id(law), dtype)) is law:
        return
    kind, (largest, spread) = TYPES[dtype], law.extent
    if not largest < kind.end:
        raise SpecError(
            f"{dtype} ends at {kind.greatest:.6g}, and this law ({law.words}) draws numbers up to "
            f"{largest:.6g}: draw it in a wider type, or smaller."
        )
    steps = 0.5 if law.kind in _FIXED else _STEPS
    if 0 < spread <= math.ldexp(steps, kind.least):
        raise SpecError(
            f"the least step of {dtype} is {math.ldexp(1, kind.least):.2g}, and this law "
            f"({law.words}) would be rounded to zero or a few of them: draw it in a wider type, "
            "or larger, and scale what is computed from it."
        )
    if law.elementwise:
        if len(_held) >= _MOST:
            _held.clear()
        _held[id(law), dtype] = law
