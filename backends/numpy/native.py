"""NumPy's own sampler: what ``stream="native"`` draws with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.truncation import mass
from ...stream import dtypes
from ...stream.placement import Placement
from ...stream.reference import key_from_seed
from ..cpu import laws as host_laws

Array = NDArray[Any]

#: A standard normal number lies between the bounds less often: it is drawn by its quantile.
_RARE = 0.05


def generator(source: Any) -> np.random.Generator:
    """The generator given, or the PCG64DXSM of a seed; refuses what is neither."""
    if isinstance(source, np.random.Generator):
        return source
    if source is not None and not isinstance(source, np.random.SeedSequence):
        key_from_seed(source)
    return np.random.Generator(np.random.PCG64DXSM(source))


def draw(law: Distribution, place: Placement, rng: np.random.Generator, dtype: str) -> Array:
    """A new array (bfloat16 as its bits) of a law on a whole tensor."""
    out = np.empty(place.shape, dtypes.storage(dtype))
    match law:
        case Normal() | Uniform() | TruncatedNormal():
            out[...] = dtypes.rounded(_numbers(law, place.shape, rng, dtype), dtype)
        case _ if law.kind == "constant":
            out[...] = dtypes.rounded(np.array(law.mean), dtype)
        case _:
            # The generator's next 64 bits, before it draws anything else.
            key = key_from_seed(int(rng.integers(2**64, dtype=np.uint64)))
            host_laws.structured(
                out,
                law,
                place,
                dtype,
                rng.standard_normal,
                lambda size: rng.integers(2**32, size=size, dtype=np.uint32),
                key,
            )
    return out


def _numbers(
    law: Normal | Uniform | TruncatedNormal, shape: Shape, rng: np.random.Generator, dtype: str
) -> Array:
    """Numbers of float64 for float64, of float32 for the narrower types."""
    kind: Any = np.float64 if dtype == "float64" else np.float32
    if isinstance(law, Uniform):
        standard, scale, shift = rng.random(shape, kind), law.high - law.low, law.low
    elif isinstance(law, Normal):
        standard, scale, shift = rng.standard_normal(shape, kind), law.sigma, law.mu
    else:
        standard, scale, shift = _truncated(law, shape, rng), law.sigma, law.mu
    numbers: Array = standard.astype(kind) * kind(scale) + kind(shift)
    return numbers


def _truncated(law: TruncatedNormal, shape: Shape, rng: np.random.Generator) -> Array:
    """A standard normal between the bounds: by rejection, or from the quantile in a tail."""
    if mass(law.low, law.high) < _RARE:
        standard = TruncatedNormal(0.0, 1.0, law.low, law.high)
        return np.asarray(np.vectorize(standard.ppf, otypes=[float])(rng.random(shape)))
    numbers = rng.standard_normal(shape)
    flat = numbers.reshape(-1)
    while (outside := np.flatnonzero((flat < law.low) | (flat > law.high))).size:
        flat[outside] = rng.standard_normal(outside.size)
    return numbers
