"""The number types that weights are drawn in: names, storage, rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendMissing, UnknownName

Array = NDArray[Any]


DTYPES = ("float64", "float32", "bfloat16", "float16")


def dtype_name(dtype: Any) -> str:
    """``"float32"`` and its like, from a name or from any framework's dtype."""
    if isinstance(dtype, type) and issubclass(dtype, np.generic):
        dtype = np.dtype(dtype)
    dtype = getattr(dtype, "dtype", dtype)  # of jax.numpy.float32 and its like
    found: str = getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    if found not in DTYPES:
        raise UnknownName("dtype", found, DTYPES)
    return found


def storage(dtype: str) -> np.dtype[Any]:
    """The NumPy type that holds a dtype: bfloat16 is held as its bits, in uint16."""
    return np.dtype("uint16" if dtype == "bfloat16" else dtype)


def bfloat16() -> np.dtype[Any]:
    """NumPy's bfloat16, which comes with the package ml_dtypes."""
    try:
        import ml_dtypes
    except ModuleNotFoundError:
        raise BackendMissing("numpy", "ml_dtypes for bfloat16", "pip install ml_dtypes") from None
    found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return found


def rounded(values: Array, dtype: str) -> Array:
    """Numbers in the storage of a dtype; narrow types by way of float32, to nearest even."""
    if dtype != "bfloat16":
        narrow = values.astype(np.float32) if dtype == "float16" else values
        return narrow.astype(dtype)
    bits = np.asarray(values, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> 16).astype(
        np.uint16
    )


def widened(array: Array) -> NDArray[np.float64]:
    """The numbers in the storage of a dtype; uint16 holds the bits of bfloat16."""
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return np.asarray(array, np.float64)


#: By how much of itself rounding to nearest moves a number, and the least step of the type.
ROUNDING = {
    "float64": (2.0**-53, 0.0),
    "float32": (2.0**-24, 2.0**-149),
    "float16": (2.0**-11, 2.0**-24),
    "bfloat16": (2.0**-8, 2.0**-133),
}


# --------------------------------------------------------------------------------------- rounding


def narrowest(values: Array, dtype: str) -> str:
    """The narrowest type that holds all of these numbers: that of a checkpoint since widened."""
    for name in ("bfloat16", "float16", "float32"):
        if ROUNDING[name][0] > ROUNDING[dtype][0] and np.array_equal(nearest(values, name), values):
            return name
    return dtype


def nearest(values: Array, dtype: str) -> Array:
    from . import dtypes

    with np.errstate(over="ignore"):
        return dtypes.widened(dtypes.rounded(np.asarray(values), dtype))


def next_above(values: Array, dtype: str) -> Array:
    """The next number of a type above each."""
    if dtype != "bfloat16":
        kind = np.dtype(dtype).type
        return np.asarray(np.nextafter(values.astype(dtype), kind(np.inf)), np.float64)
    bits = np.asarray(values + 0.0, np.float32).view(np.int32) >> 16
    bits = np.where(values == 0, 0, bits)
    found = np.where(values >= 0, bits + 1, bits - 1).astype(np.int32) << 16
    return np.asarray(found.view(np.float32), np.float64)
