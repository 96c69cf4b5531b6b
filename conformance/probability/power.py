"""What a fault needs to be seen: how many values, and what so many values show.

Each kind of fault has a function of :mod:`.bounds` that says the least fault that ``n`` values
show but for a chance of ``beta``; it is inverted by bisection.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from ...spec.distribution import Distribution, Normal, Uniform
from . import bounds
from .transform import CUT_AT_TWO, heaviest

LAWS: dict[str, Distribution] = {
    "normal": Normal(0.0, 1.0),
    "uniform": Uniform(-1.0, 1.0),
    "truncated_normal": CUT_AT_TWO,
}
#: Kinds of fault and the units of their size.
KINDS = {
    "scale": "of the standard deviation",
    "mean": "of a standard deviation",
    "cdf": "of probability, the distance of the cdf",
}
#: Bits that a right sampler of float32 has at least.
RESOLUTION = 22
#: Values beyond which nothing is drawn.
MOST = 2**60


def detectable(kind: str, n: int, law: Distribution, alpha: float, beta: float) -> float:
    """The least fault of a kind that ``n`` values show at the level ``alpha``.

    >>> round(detectable("scale", 2**17, Normal(0.0, 1.0), 3e-14, 1e-6), 4)
    0.0256
    """
    if kind == "scale":
        return bounds.detectable_scale(n, law.kurtosis, alpha, beta)
    if kind == "mean":
        return bounds.detectable_shift(n, alpha, beta)
    return bounds.detectable_distance(n, alpha, beta)


def needed(kind: str, error: float, law: Distribution, alpha: float, beta: float) -> int:
    """The least number of values that show a fault of a kind and a size.

    >>> needed("scale", 0.01, Normal(0.0, 1.0), 3e-14, 1e-6)
    857114
    """
    return least(lambda n: detectable(kind, n, law, alpha, beta) <= error)


def needed_for_bits(bits: int, law: Distribution, alpha: float, beta: float) -> int | None:
    """The least number of float32 values whose repeats betray a sampler of so many bits.

    None if none do: the type itself repeats as often.
    """
    n = least(lambda n: betrays(bits, n, law, alpha, beta), 2**40)
    return n if betrays(bits, n, law, alpha, beta) else None


def betrayed_bits(n: int, law: Distribution, alpha: float, beta: float) -> int:
    """The finest sampler, in bits, that the repeats among ``n`` float32 values betray; 0 if none.

    >>> betrayed_bits(2**17, Normal(0.0, 1.0), 3e-14, 1e-6)
    21
    """
    return max((bits for bits in range(1, 24) if betrays(bits, n, law, alpha, beta)), default=0)


def betrays(bits: int, n: int, law: Distribution, alpha: float, beta: float) -> bool:
    """Whether ``n`` values of a sampler of so many bits repeat too often, but for ``beta``."""
    mean = n + 2.0**bits * math.expm1(n * math.log1p(-(2.0**-bits)))
    repeats = mean - math.sqrt(2 * mean * math.log(1 / beta))
    allowed = n * (n - 1) / 2 * _heaviest(law)
    return bounds.poisson_above(repeats, allowed) <= alpha


@lru_cache(maxsize=8)
def _heaviest(law: Distribution) -> float:
    return heaviest(law, "float32", RESOLUTION)


def least(enough: Callable[[int], bool], most: int = MOST) -> int:
    """The least number that is enough, where every larger one is; ``most`` if none is."""
    high = 1
    while high < most and not enough(high):
        high *= 2
    low, high = high // 2, min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
