"""The number types that weights are drawn in: names, storage, rounding."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendMissing, SpecError, UnknownName, short_repr
from ..spec.number_types import TYPES as TYPES

Array = NDArray[Any]

DTYPES = tuple(TYPES)

#: By how much of itself rounding to nearest moves a number, and the least step of the type.
ROUNDING = {name: (2.0 ** -(kind.mantissa + 1), 2.0**kind.least) for name, kind in TYPES.items()}


def dtype_name(dtype: Any) -> str:
    """``"float32"`` and its like, from a name or from any framework's dtype.

    Raises :class:`UnknownName` for a type that no weights are drawn in, and :class:`SpecError` for
    a complex one, with what to do.
    """
    if isinstance(dtype, str) and dtype in TYPES:
        return dtype
    kind = dtype
    if (
        dtype is float
        or dtype is complex
        or (isinstance(dtype, type) and issubclass(dtype, np.generic))
    ):
        kind = np.dtype(dtype)
    kind = getattr(kind, "dtype", kind)  # of jax.numpy.float32 and its like
    name = getattr(kind, "name", None) or _written(kind)
    if isinstance(dtype, str):  # NumPy's other words for a type: "f4", "double", "<f2"
        with contextlib.suppress(Exception):
            name = np.dtype(dtype).name
    if name not in TYPES:
        if str(name).startswith("complex"):
            raise SpecError(
                f"{name} was asked for, and the laws are of real numbers: draw the real and the "
                "imaginary part by two names, each with half the variance."
            )
        raise UnknownName("dtype", short_repr(dtype) if dtype is None else name, DTYPES)
    return str(name)


def _written(kind: Any) -> str:
    """The last word of what a dtype prints: ``torch.float32`` has no name but that."""
    try:
        return str(kind).rpartition(".")[2]
    except Exception:  # of somebody's class
        return short_repr(kind)


def storage(dtype: str) -> np.dtype[Any]:
    """The NumPy type that holds a dtype; for ``"uint32"``, the type of words, itself."""
    return np.dtype(TYPES[dtype].storage if dtype in TYPES else dtype)


def bfloat16() -> np.dtype[Any]:
    """NumPy's bfloat16, which comes with the package ml_dtypes."""
    try:
        import ml_dtypes
    except ModuleNotFoundError:
        raise BackendMissing("numpy", "ml_dtypes for bfloat16", "pip install ml_dtypes") from None
    kind: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return kind


def typed(array: Array, dtype: str) -> Array:
    """An array in the storage of a dtype, as one of that dtype."""
    return array.view(bfloat16()) if dtype == "bfloat16" else array


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


def nearest(values: Array, dtype: str) -> NDArray[np.float64]:
    """The number of a type that is nearest to each."""
    with np.errstate(over="ignore"):
        return widened(rounded(np.asarray(values), dtype))


def narrowest(values: Array, dtype: str) -> str:
    """The narrowest type that holds all of these numbers: that of a checkpoint since widened."""
    for name in ("bfloat16", "float16", "float32"):
        narrower = TYPES[name].mantissa < TYPES[dtype].mantissa
        if narrower and np.array_equal(nearest(values, name), values):
            return name
    return dtype


def next_above(values: Array, dtype: str) -> NDArray[np.float64]:
    """The next number of a type above each."""
    if dtype != "bfloat16":
        kind = np.dtype(dtype).type
        return np.asarray(np.nextafter(values.astype(dtype), kind(np.inf)), np.float64)
    bits = np.asarray(values + 0.0, np.float32).view(np.int32) >> 16
    bits = np.where(values == 0, 0, bits)
    above = np.where(values >= 0, bits + 1, bits - 1).astype(np.int32) << 16
    return np.asarray(above.view(np.float32), np.float64)
