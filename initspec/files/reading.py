"""Tensors in files: ``.npy``, ``.npz`` and ``.safetensors``, of which nothing is ever unpickled.

A file may be damaged, or made to do damage. A tensor is read when its time comes, and is refused by
a sentence where it is not what the file says, or more than the machine can hold; the others of the
file are read all the same.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from ..errors import FileError, InitSpecError, SpecError, UnknownName
from ..plain_text import NAME, sentence
from .memory import ask_for_memory

#: Bytes beyond which a compressed tensor may be a bomb, and so many times its size in the file:
#: numbers that were drawn shrink to a fifth, at most.
_LARGE, _SHRUNK = 1 << 28, 100

#: Bytes that the format lets a header of safetensors have.
_HEADER = 100_000_000

#: Bytes that judging a number takes, beside its own.
_JUDGED = 24


class Stored(NamedTuple):
    """A tensor in a file: its name, what reads it, and its dtype where NumPy has none for it.

    ``read()`` returns a NumPy array; bfloat16 comes as its bits, in uint16. It raises
    :class:`SpecError` where the file does not hold what it says, or too much.
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
    except InitSpecError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:
        raise _broken(path, error) from None


def _broken(path: Path, why: Exception | str) -> SpecError:
    """What is wrong with a file; the libraries that read one raise whatever comes to their mind."""
    if isinstance(why, MemoryError):
        return SpecError(f"{path} cannot be read: there is not enough memory for it.")
    lines = str(why).splitlines()
    words = sentence(lines[0] if lines else type(why).__name__, NAME).rstrip(".")
    return SpecError(f"{path} cannot be read as {path.suffix}: {words}.")


# ------------------------------------------------------------------------------------------ NumPy


def _npy(path: Path) -> list[Stored]:
    size = path.stat().st_size
    return [_stored(path, path.stem, lambda: path.open("rb"), size)]


def _npz(path: Path) -> list[Stored]:
    archive = zipfile.ZipFile(path)  # left open for those who read: it lists its files but once
    size = path.stat().st_size
    return [
        _stored(
            path,
            info.filename.removesuffix(".npy"),
            partial(_unpacked, path, archive, info, size),
            info.file_size,
        )
        for info in archive.infolist()
        if not info.is_dir()
    ]


def _unpacked(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> IO[bytes]:
    packed = max(min(info.compress_size, size), 1)
    if info.file_size > _LARGE and info.file_size > _SHRUNK * packed:
        raise SpecError(
            f"{path} cannot be read as {path.suffix}: {sentence(info.filename, NAME)} unpacks to "
            f"{info.file_size:,} bytes, {info.file_size // packed} times its size in the file, "
            "which no weights do; save it without compression."
        )
    return archive.open(info)


def _stored(path: Path, name: str, opened: Callable[[], IO[bytes]], size: int) -> Stored:
    try:
        with opened() as file:
            kind = _header(file)[1]
        dtype = "bfloat16" if _is_bfloat16(kind) else None
    except Exception:  # told by whoever reads it
        dtype = None
    return Stored(name, partial(_array, path, opened, size), dtype)


def _array(path: Path, opened: Callable[[], IO[bytes]], size: int) -> Any:
    """The array in a file, or in one of an archive, that is ``size`` bytes long."""
    try:
        with opened() as file:
            shape, dtype, by_columns = _header(file)
            return _filled(file, shape, dtype, size - file.tell(), "F" if by_columns else "C")
    except InitSpecError:
        raise
    except Exception as error:
        raise _broken(path, error) from None


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], Any, bool]:
    """The shape, the type and whether the first axis runs fastest."""
    import numpy as np

    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"weights are not stored in version {version[0]}.{version[1]} of it")
    shape, by_columns, dtype = readers[version](file)
    return shape, dtype, by_columns


def _is_bfloat16(dtype: Any) -> bool:
    """NumPy writes the bfloat16 of ml_dtypes as two bytes of no type."""
    return bool(dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None)


def _filled(file: IO[bytes], shape: tuple[int, ...], dtype: Any, rest: int, order: str) -> Any:
    """The numbers that follow a header, of which the file has ``rest`` bytes."""
    import numpy as np

    if not all(type(n) is int and 0 <= n < 1 << 63 for n in shape):
        raise ValueError(f"the sizes of a shape are whole numbers, not {shape}")
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded, since nothing is unpickled")
    needed = math.prod(shape) * dtype.itemsize
    if needed > rest:
        raise ValueError(f"its header names {needed:,} bytes of numbers, and {rest:,} follow")
    ask_for_memory(needed + _JUDGED * math.prod(shape), f"a tensor of shape {shape}")
    numbers: Any = np.empty(needed, np.uint8)
    if file.readinto(numbers) != needed:  # type: ignore[attr-defined]
        raise ValueError("it ends within its numbers")
    kind = np.dtype("<u2") if _is_bfloat16(dtype) else dtype
    return numbers.view(kind).reshape(shape, order=order)


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
    size, header = safetensors_header(path)
    return [
        Stored(
            name,
            partial(_slice, path, 8 + size, row),
            "bfloat16" if isinstance(row, dict) and row.get("dtype") == "BF16" else None,
        )
        for name, row in header.items()
        if name != "__metadata__"
    ]


def safetensors_header(path: Path) -> tuple[int, dict[str, Any]]:
    """The bytes of a file's header and what it says, not yet checked.

    Raises :class:`SpecError` for what is no such header.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > path.stat().st_size - 8:
            raise _broken(path, "it ends within its header, which is longer than the file")
        if size > _HEADER:
            raise _broken(path, f"its header has {size:,} bytes, and may have {_HEADER:,}")
        text = file.read(size)
    try:
        return size, dict(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise _broken(path, "its header is not what the format says") from None


def _slice(path: Path, begin: int, row: Any) -> Any:
    """The tensor between two offsets of a file whose numbers begin at a byte."""
    import numpy as np

    try:
        kind, shape, (start, end) = row["dtype"], row["shape"], row["data_offsets"]
        sizes = [*shape, start, end]
        if not all(type(n) is int and 0 <= n < 1 << 63 for n in sizes):
            raise ValueError
        if not isinstance(kind, str):
            raise ValueError
    except (ValueError, TypeError, KeyError):
        raise _broken(path, "its header is not what the format says") from None
    if kind not in _TYPES:
        raise SpecError(f"weights are not drawn in numbers of type {sentence(kind, 20)}.")
    dtype = np.dtype(_TYPES[kind])
    rest = path.stat().st_size - begin
    if not start <= end <= rest or end - start != math.prod(shape) * dtype.itemsize:
        raise _broken(path, "the header names bytes that are not there")
    try:
        with path.open("rb") as file:
            file.seek(begin + start)
            return _filled(file, tuple(shape), dtype, end - start, "C")
    except InitSpecError:
        raise
    except Exception as error:
        raise _broken(path, error) from None
