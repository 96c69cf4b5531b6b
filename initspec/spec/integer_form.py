"""How a law turns words into numbers: integers up to one multiplication.

A :class:`Draw` is all that a kernel needs to know of a distribution. Every kernel, in every
framework, computes ``float(integer(word)) * scale`` (times ``after``, for tiny laws) and, where
``shift`` is not zero, adds it in a second rounding. See `docs/stream.md` for the definition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from functools import lru_cache

WORDS = 2**32
#: The greatest quantile that a word has, in standard deviations: that of the last chord.
REACH = 1672422682 / 2**28


@dataclass(frozen=True, slots=True)
class Draw:
    """The integer form of one law.

    ``kind`` is ``"uniform"`` (the integer is odd, 24 bits and a sign) or ``"normal"`` (28
    fractional bits). A truncated normal is a normal whose word is first mapped to
    ``first + (word * count >> 32)`` and whose integer is then clipped to ``[lowest, highest]``.
    """

    kind: str
    scale: float
    shift: float = 0.0
    first: int = 0
    count: int = WORDS
    lowest: int = -(2**31)
    highest: int = 2**31 - 1
    #: What the product is multiplied by once more: one, but for laws so small that ``scale`` alone
    #: would lose digits in the type.
    after: float = 1.0

    @property
    def truncated(self) -> bool:
        """Whether the word is mapped and the integer clipped."""
        return self.count != WORDS

    @property
    def bound(self) -> float:
        """A number that no product of integer and scale reaches, for no integer is ``2**32``.

        A kernel that a compiler could fuse takes ``min(product, bound) + shift``: the minimum
        changes nothing, and keeps the product and the sum two roundings.

        >>> normal(0.5, 1.0).bound
        16.0
        """
        return self.scale * self.after * 2.0**32

    def in_type(self, dtype: str) -> Draw:
        """The form whose scale keeps its digits in a type: that of tiny laws is in two steps.

        >>> normal(0.0, 1e-37).in_type("float32").after == 2.0**-64
        True
        """
        if dtype == "float64" or self.after != 1 or not 0 < self.scale < 2.0**-126:
            return self
        return replace(self, scale=self.scale * 2.0**64, after=2.0**-64)


def _scaled(size: float, bits: int) -> tuple[float, float]:
    """``size * 2**-bits`` in one step, or in two where float64 would lose digits of it."""
    scale = size * 2.0**-bits
    if size > 0 and scale < 2.0**-1022:
        return size * 2.0 ** (64 - bits), 2.0**-64
    return scale, 1.0


@lru_cache(maxsize=1024)
def uniform(low: float, high: float) -> Draw:
    """Between ``low`` and ``high``: ``limit * odd / 2**24 + middle``.

    The integer stands for no end; where there is a middle, the rounded sum can be one.
    """
    limit, middle = (high - low) / 2, (low + high) / 2
    if math.isinf(limit):
        limit = high / 2 - low / 2
    if math.isinf(middle):
        middle = low / 2 + high / 2
    scale, after = _scaled(limit, 24)
    return Draw("uniform", scale, middle, after=after)


@lru_cache(maxsize=1024)
def normal(mean: float, std: float) -> Draw:
    """A normal law by its quantile, in 28 fractional bits."""
    scale, after = _scaled(std, 28)
    return Draw("normal", scale, mean, after=after)


@lru_cache(maxsize=1024)
def truncated_normal(mean: float, std: float, low: float, high: float) -> Draw:
    """A normal law with parent ``mean`` and ``std``, between ``low`` and ``high`` parent stds."""
    first = cumulative_words(low)
    last = WORDS - first if high == -low else cumulative_words(high)
    scale, after = _scaled(std, 28)
    return Draw(
        "normal",
        scale,
        mean,
        first,
        last - first,
        max(math.ceil(max(low, -7.0) * 2**28), -(2**31)),
        min(math.floor(min(high, 7.0) * 2**28), 2**31 - 1),
        after,
    )


def cumulative_words(x: float) -> int:
    """``floor(Phi(x) * 2**32)``, the same on every machine.

    Computed in decimal arithmetic of 60 digits, which is defined to the last digit, by the series
    ``Phi(x) = 1/2 + phi(x) * sum(x**(2k+1) / (2k+1)!!)``, all of whose terms have one sign.

    >>> cumulative_words(-2.0)
    97711072
    """
    if abs(x) > 7:  # 2**32 * Phi(-7) is 0.005
        return WORDS if x > 0 else 0
    context = Context(prec=60)
    square = context.multiply(Decimal(x), Decimal(x))
    term = total = Decimal(x)
    odd = 1
    while abs(term) > Decimal("1e-50"):
        odd += 2
        term = context.divide(context.multiply(term, square), Decimal(odd))
        total = context.add(total, term)
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494")
    density = context.divide(
        context.exp(context.divide(-square, Decimal(2))),
        context.sqrt(context.multiply(Decimal(2), pi)),
    )
    probability = context.add(Decimal("0.5"), context.multiply(density, total))
    return math.floor(context.multiply(probability, Decimal(WORDS)))
