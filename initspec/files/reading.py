"""Tensors in files: ``.npy``, ``.npz`` and ``.safetensors``, of which nothing is ever unpickled."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import SpecError, UnknownName


class Stored(NamedTuple):
    """A tensor in a file: its name, what reads it, and its dtype where NumPy has none for it.

    ``read()`` returns a NumPy array; bfloat16 comes as its bits, in uint16. It raises
    :class:`SpecError` where the file does not hold what it says.
    """

    name: str
    read: Callable[[], Any]
    dtype: str | None = None


def tensors(path: Path) -> list[Stored]:
    """The tensors of a file, none of them read yet.

    Raises :class:`UnknownName` for another type of file, and :class:`SpecError` for one that cannot
    be read as what its name says.
    """
    formats = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}
    suffix = path.suffix.lower()
    if suffix not in formats:
        hint = "A pickle (.pt, .pkl) is not opened: save the weights as safetensors."
        raise UnknownName("file type", path.suffix or str(path), formats, hint)
    try:
        if path.stat().st_size == 0:
            raise SpecError(f"{path} is empty.")
        return formats[suffix](path)
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror or error}.") from None


def _broken(path: Path, why: str) -> SpecError:
    return SpecError(f"{path} cannot be read as {path.suffix}: {why.strip().rstrip('.')}.")


# ------------------------------------------------------------------------------------------ NumPy

#: What NumPy raises for a file that is damaged.
_UNREADABLE = (
    ValueError,
    EOFError,
    OSError,
    KeyError,
    OverflowError,
    MemoryError,
    zipfile.BadZipFile,
)


def _npy(path: Path) -> list[Stored]:
    return [Stored(path.stem, partial(_array, path, None))]


def _npz(path: Path) -> list[Stored]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
    except zipfile.BadZipFile as error:
        raise _broken(path, str(error)) from None
    return [Stored(name, partial(_array, path, name)) for name in names]


def _array(path: Path, name: str | None) -> Any:
    """The array of a ``.npy`` file, or the one of this name in a ``.npz`` file."""
    import numpy as np

    try:
        if name is None:
            with path.open("rb") as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        with np.load(path, allow_pickle=False) as archive:
            array = archive[name]
    except _UNREADABLE as error:
        raise _broken(path, str(error).partition("\n")[0]) from None
    if not isinstance(array, np.ndarray):
        raise _broken(path, f"{name} is no array")
    return array


# ------------------------------------------------------------------------------------ safetensors

#: The types of the format, as NumPy's; bfloat16 by its bits.
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


def _safetensors(path: Path) -> list[Stored]:
    """The format is eight bytes of length, so much JSON, and the numbers.

    It is read here and not by the package safetensors, which gives NumPy no bfloat16.
    """
    import numpy as np

    data = np.memmap(path, np.uint8, "r")
    size = int.from_bytes(data[:8].tobytes(), "little")
    if data.size < 8 or size > data.size - 8:
        raise _broken(path, "it ends within its header, which is longer than the file")
    numbers = data[8 + size :]
    try:
        header = json.loads(data[8 : 8 + size].tobytes())
        return [
            Stored(
                name,
                partial(_slice, path, numbers, row["dtype"], row["shape"], *row["data_offsets"]),
                "bfloat16" if row["dtype"] == "BF16" else None,
            )
            for name, row in header.items()
            if name != "__metadata__"
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _broken(path, "its header is not what the format says") from None


def _slice(path: Path, numbers: Any, kind: str, shape: list[int], start: int, end: int) -> Any:
    """The tensor between two offsets, copied out of the file."""
    import numpy as np

    if kind not in _TYPES:
        raise SpecError(f"weights are not drawn in numbers of type {kind}.")
    dtype = np.dtype(_TYPES[kind])
    if not 0 <= start <= end <= numbers.size or end - start != math.prod(shape) * dtype.itemsize:
        raise _broken(path, "the header names bytes that are not there")
    return np.frombuffer(numbers[start:end].tobytes(), dtype).reshape(shape)
