"""The probability transform: from values to uniform numbers, with the rounding taken back.

A value ``x`` of a type stands for all reals that round to it, from ``a`` to ``b``. With ``V``
uniform, ``F(a) + V (F(b) - F(a))`` is exactly uniform if ``x`` is the rounding of a draw from
``F``, however coarse the type. So one battery on uniform numbers serves every law and type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...errors import SpecError
from ...spec.distribution import Distribution, Normal, Triangular, TruncatedNormal, Uniform
from ...spec.marginals import HaarEntry
from ...stream import dtypes
from .own_law import Own

Array = NDArray[np.float64]

#: A standard normal law cut at two, as most frameworks cut it: its standard deviation is 0.8796.
CUT_AT_TWO = TruncatedNormal(0.0, 1.0, -2.0, 2.0)

_PART = 2**18
#: Mantissa bits that each type stores, and its least exponent; of a complex type those that the
#: rounding of its parts, and of the angle that they were made from, leaves of a squared modulus.
TYPES = {
    **{name: (kind.mantissa, kind.least) for name, kind in dtypes.TYPES.items()},
    "complex128": (48, -1022),
    "complex64": (19, -149),
}


class Uniforms(NamedTuple):
    """``u`` and its complement ``1 - u``, both with all their digits."""

    u: Array
    complement: Array


def cdf(law: Distribution, x: Array) -> Array:
    """``P(value <= x)`` for arrays."""
    return _both(law, x)[0]


def complement(law: Distribution, x: Array) -> Array:
    """``P(value > x)`` for arrays, with all its digits."""
    return _both(law, x)[1]


def ppf(law: Distribution, p: Array) -> Array:
    """The quantile function for arrays, by SciPy."""
    if isinstance(law, Uniform):
        return law.low + (law.high - law.low) * p
    if isinstance(law, Normal):
        return np.asarray(law.mu + law.sigma * special.ndtri(p))
    if isinstance(law, TruncatedNormal):
        if law.low > 0:
            top, bottom = special.ndtr(-law.low), special.ndtr(-law.high)
            z = -special.ndtri(top + p * (bottom - top))
        else:
            bottom, top = special.ndtr(law.low), special.ndtr(law.high)
            z = special.ndtri(bottom + p * (top - bottom))
        return np.asarray(law.mu + law.sigma * np.clip(z, law.low, law.high))
    if isinstance(law, HaarEntry):
        tail = np.minimum(p, 1 - p)
        size = np.sqrt(special.betaincinv(0.5, (law.n - 1) / 2, 1 - 2 * tail))
        return np.asarray(law.gain * np.copysign(size, p - 0.5))
    if isinstance(law, Own):
        return law.quantiles(p)
    raise SpecError(f"{law!r} has no quantile function for arrays.")


def _both(law: Distribution, x: Array) -> tuple[Array, Array]:
    """The probabilities below and above each ``x``, without cancellation."""
    if isinstance(law, Uniform):
        width = law.high - law.low
        below = np.clip((x - law.low) / width, 0, 1)
        return below, np.clip((law.high - x) / width, 0, 1)
    if isinstance(law, Normal):
        z = (x - law.mu) / law.sigma
        return special.ndtr(z), special.ndtr(-z)
    if isinstance(law, TruncatedNormal):
        z = np.clip((x - law.mu) / law.sigma, law.low, law.high)
        total = _mass(np.array(law.low), np.array(law.high))
        return _mass(np.array(law.low), z) / total, _mass(z, np.array(law.high)) / total
    if isinstance(law, Triangular):
        tail = np.clip(1 - np.abs(x) / law.limit, 0, 1) ** 2 / 2
        return np.where(x < 0, tail, 1 - tail), np.where(x < 0, 1 - tail, tail)
    if isinstance(law, HaarEntry):
        square = np.clip((x / law.gain) ** 2, 0, 1)
        inside = special.betainc(0.5, (law.n - 1) / 2, square) / 2
        outside = special.betainc((law.n - 1) / 2, 0.5, 1 - square) / 2
        low, high = np.where(x < 0, outside, 0.5 + inside), np.where(x < 0, 0.5 + inside, outside)
        return low, high
    if isinstance(law, Own):
        return law.both(x)
    raise SpecError(f"{law!r} has no distribution function for arrays.")


def _mass(low: Array, high: Array) -> Array:
    """The standard normal probability between bounds, from the side where it is small."""
    flip = low > 0
    return np.where(
        flip,
        special.ndtr(-low) - special.ndtr(-high),
        special.ndtr(high) - special.ndtr(low),
    )


def neighbours(x: Array, dtype: str) -> tuple[Array, Array]:
    """The ends of the interval that rounds to each ``x`` of a type.

    Those of float64 are its neighbours themselves: what lies between two is no float64.
    """
    bits, least = TYPES[dtype]
    if dtype == "float64":
        return np.nextafter(x, -np.inf), np.nextafter(x, np.inf)
    mantissa, exponent = np.frexp(x)
    exponent = np.where(x == 0, least, exponent)  # the numbers next to zero are the closest
    unit = np.ldexp(1.0, np.maximum(exponent - 1 - bits, least))
    # Below a power of two the spacing halves, unless it is the least there is.
    inner = np.where((np.abs(mantissa) == 0.5) & (exponent - 1 - bits > least), unit / 2, unit)
    down, up = np.where(x > 0, inner, unit), np.where(x < 0, inner, unit)
    return x - down / 2, x + up / 2


def transform(
    x: Array, law: Distribution, dtype: str, jitter: np.random.Generator, resolution: int = 22
) -> Uniforms:
    """Uniform numbers from values of ``law`` rounded to ``dtype``; ``jitter`` draws ``V``.

    A sampler of ``resolution`` bits may meet the very end of its support, as ``[0, 1)`` meets zero:
    such a value stands for one of its steps, however close the numbers of the type lie there.
    """
    flat = x.reshape(-1)
    u, complement = np.empty((2, x.size))
    for part in parts(flat):
        u[part], complement[part] = _transform(flat[part], law, dtype, jitter, 2.0**-resolution)
    return Uniforms(u.reshape(x.shape), complement.reshape(x.shape))


def parts(x: Array) -> Iterator[slice]:
    """The array in pieces, so that what is made of each on the way stays small."""
    return (slice(start, start + _PART) for start in range(0, x.size, _PART))


def _transform(
    x: Array, law: Distribution, dtype: str, jitter: np.random.Generator, step: float
) -> tuple[Array, Array]:
    low, high = neighbours(x, dtype)
    (below_low, above_low), (below_high, above_high) = _both(law, low), _both(law, high)
    first, last = law.support
    below_high = np.where(
        (low <= first) & (first <= high), np.maximum(below_high, step), below_high
    )
    above_low = np.where((low <= last) & (last <= high), np.maximum(above_low, step), above_low)
    v = jitter.random(x.shape)
    return below_low + v * (below_high - below_low), above_high + (1 - v) * (above_low - above_high)


def heaviest(law: Distribution, dtype: str, resolution: int) -> float:
    """A bound on the probability of one value: of the type, or of a sampler of so many bits."""
    grid = ppf(law, np.concatenate([np.linspace(1e-6, 1 - 1e-6, 4097), 2.0 ** -np.arange(7.0, 40)]))
    low, high = neighbours(_rounded(grid, dtype), dtype)
    cell = float((cdf(law, high) - cdf(law, low)).max())
    return max(cell, 2.0**-resolution)


def coarse(x: Array, dtype: str) -> Array:
    """Rounded to as many bits as :data:`TYPES` has for a squared modulus."""
    mantissa, exponent = np.frexp(x)
    bits = TYPES[dtype][0] + 1
    return np.asarray(np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits))


def _rounded(x: Array, dtype: str) -> Array:
    if dtype.startswith("complex"):
        return coarse(x, dtype)
    return dtypes.nearest(x, dtype)
