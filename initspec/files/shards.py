"""Safetensors files of a whole model, and the index that says which tensor lies in which."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import SpecError, short_repr

#: What safetensors calls a dtype.
CODES = {"float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64"}
BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor that is to be written: its name in the file, dtype and shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Its bytes."""
        size = BYTES[self.dtype]
        for n in self.shape:
            size *= n
        return size


@dataclass(frozen=True, slots=True)
class Shard:
    """A file of a model: its name, its tensors in order, and the bytes before their values."""

    name: str
    tensors: tuple[Tensor, ...]
    header: bytes

    @property
    def nbytes(self) -> int:
        """The bytes of the whole file."""
        return len(self.header) + sum(tensor.nbytes for tensor in self.tensors)


def size_in_bytes(text: str | int) -> int:
    """A size such as ``"5GB"``, as Transformers writes it, in bytes.

    >>> size_in_bytes("5GB"), size_in_bytes("200 MiB")
    (5000000000, 209715200)
    """
    if isinstance(text, int) and not isinstance(text, bool) and text > 0:
        return text
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(text))
    unit = _UNITS.get(match[2].upper()) if match else None
    size = 0.0 if match is None or unit is None else float(match[1]) * unit
    if not 1 <= size < 1 << 63:
        raise SpecError(f"a size is such as '5GB' or '500MB', not {short_repr(text)}.")
    return int(size)


def shards(tensors: Sequence[Tensor], limit: int, metadata: Mapping[str, str]) -> tuple[Shard, ...]:
    """The files of a model, each of at most ``limit`` bytes of tensors, in the order given.

    A larger tensor has a file of its own.
    """
    groups: list[list[Tensor]] = [[]]
    size = 0
    for tensor in tensors:
        if groups[-1] and size + tensor.nbytes > limit:
            groups.append([])
            size = 0
        groups[-1].append(tensor)
        size += tensor.nbytes
    single = len(groups) == 1
    names = [
        "model.safetensors" if single else f"model-{at:05}-of-{len(groups):05}.safetensors"
        for at in range(1, len(groups) + 1)
    ]
    return tuple(
        Shard(name, tuple(group), _header(group, metadata))
        for name, group in zip(names, groups, strict=True)
    )


def _header(tensors: Iterable[Tensor], metadata: Mapping[str, str]) -> bytes:
    table: dict[str, object] = {"__metadata__": dict(metadata)}
    place = 0
    for tensor in tensors:
        table[tensor.name] = {
            "dtype": CODES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + tensor.nbytes],
        }
        place += tensor.nbytes
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def index(files: Sequence[Shard]) -> str:
    """The text of ``model.safetensors.index.json``."""
    total = sum(tensor.nbytes for shard in files for tensor in shard.tensors)
    places = {tensor.name: shard.name for shard in files for tensor in shard.tensors}
    return json.dumps({"metadata": {"total_size": total}, "weight_map": places}, indent=2) + "\n"
