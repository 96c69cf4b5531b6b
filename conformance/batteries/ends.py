"""The least and the greatest value that a law may show in a type: exact for the portable stream."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..probability.own_law import Own
from ..probability.transform import neighbours
from .stream_reference import values_of

#: How often a sampler rounds that computes in its type: its scale, two of whose roundings show (of
#: JAX' in float32, 2.4 half steps are seen at the end), and the product; besides, a mean that is
#: added, and the sum.
ROUNDINGS, WITH_MEAN = 3, 5

_END_WORDS = np.array([0, 2**32 - 1], np.uint32)


def ends_of(
    law: Distribution, dtype: str, *, portable: bool = False, more: int = 0
) -> tuple[float, float]:
    """The bounds that no value of the law may leave, infinite where the law has none.

    The portable stream gives a greater word no smaller number, so that its bounds are the numbers
    of the first and of the last word. Any other sampler has half a step of the type for each of its
    roundings, and of ``more``; where a mean is added, steps at the greatest number that it adds.

    >>> ends_of(Uniform(0.0, 1.0), "float32", portable=True)
    (2.9802322387695312e-08, 1.0)
    >>> ends_of(Uniform(-1.0, 1.0), "float32", portable=True)
    (-0.9999999403953552, 0.9999999403953552)
    >>> ends_of(Uniform(-1.0, 1.0), "float32") == (-1 - 3 * 2**-24, 1 + 3 * 2**-24)
    True
    """
    low, high = law.support
    if not (math.isfinite(low) or math.isfinite(high)):
        return low, high
    if portable:
        exact = _of_words(law, dtype)
        if exact is not None:
            return (
                exact[0] if math.isfinite(low) else low,
                exact[1] if math.isfinite(high) else high,
            )
    added = _added(law)
    count = more + (WITH_MEAN if added else ROUNDINGS)
    below, above = _half_step(low, added, dtype), _half_step(high, added, dtype)
    return low - count * below, high + count * above


def _of_words(law: Distribution, dtype: str) -> tuple[float, float] | None:
    """The numbers of the first and the last word; None for a law that is not drawn by words."""
    if isinstance(law, Own):
        if getattr(law.custom, "ppf", None) is None:
            return None
    elif not isinstance(law, (Normal, TruncatedNormal, Uniform)):
        return None
    first, last = values_of(_END_WORDS, law, dtype).tolist()
    return (first, last) if math.isfinite(first) and math.isfinite(last) else None


def _added(law: Distribution) -> float:
    """The greatest number that a sampler adds, in magnitude; zero where it adds none."""
    match law:
        case Uniform(low, high) if low != -high:
            return max(abs(low), abs(high))
        case TruncatedNormal(mu, sigma, low, high) if mu != 0:
            return max([abs(mu), *(sigma * abs(z) for z in (low, high) if math.isfinite(z))])
    return 0.0


def _half_step(end: float, added: float, dtype: str) -> float:
    """Half the distance of a type's numbers about an end, or where the numbers are that are added.

    Of float64 the whole distance, since its halves are no numbers.
    """
    if not math.isfinite(end):
        return 0.0
    size: NDArray[np.float64] = np.array([max(abs(end), added)])
    return float((neighbours(size, dtype)[1] - size)[0])
