"""The shapes of a model's parameters, out of a file of which no value is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from ..errors import FileError, SpecError, UnknownName, short_repr
from .reading import safetensors_header
from .shards import CODES

_DTYPES = {code: dtype for dtype, code in CODES.items()}
_KINDS = (".safetensors", ".index.json", ".json")


@dataclass(frozen=True, slots=True)
class Described:
    """A tensor that a file describes."""

    shape: tuple[int, ...]
    dtype: str = "float32"


def shapes_in(path: str | PathLike[str]) -> dict[str, Described]:
    """The shapes and dtypes by name: of a safetensors file, of those of an index, or of a list.

    A list is JSON: ``{"wte.weight": [50257, 768]}``, or with a dtype ``{"wte.weight": {"shape":
    [50257, 768], "dtype": "bfloat16"}}``. Tensors of whole numbers are left out.

    Raises :class:`SpecError` for a file that is none of these, or damaged, and :class:`FileError`
    for one that cannot be read.
    """
    place = Path(path)
    name = place.name.lower()
    if not name.endswith(_KINDS):
        hint = "A pickle (.pt, .bin) is not opened: save the weights as safetensors."
        raise UnknownName("file of shapes", place.name, _KINDS, hint)
    try:
        if name.endswith(".safetensors"):
            return _safetensors(place)
        data = json.loads(place.read_text("utf-8"))
    except OSError as error:
        raise FileError(f"{place} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{place} cannot be read as JSON: {error}.") from None
    if name.endswith(".index.json"):
        return _indexed(place, data)
    return _listed(place, data)


def _safetensors(path: Path) -> dict[str, Described]:
    _, header = safetensors_header(path)
    shapes = {}
    for name, row in header.items():
        if name != "__metadata__" and isinstance(row, dict) and row.get("dtype") in _DTYPES:
            shapes[name] = Described(_shape(path, name, row.get("shape")), _DTYPES[row["dtype"]])
    return shapes


def _indexed(path: Path, data: Any) -> dict[str, Described]:
    places = data.get("weight_map") if isinstance(data, dict) else None
    if not isinstance(places, dict) or not all(isinstance(n, str) for n in places.values()):
        raise SpecError(f"{path} is no index of safetensors files: it has no weight_map.")
    files = dict.fromkeys(places.values())
    for file in files:
        if Path(file).name != file:
            raise SpecError(
                f"{path} names the file {short_repr(file)}, which lies outside its folder."
            )
    headers: dict[str, Described] = {}
    for file in files:
        headers |= shapes_in(path.with_name(file))
    return {name: headers[name] for name in places if name in headers}


def _listed(path: Path, data: Any) -> dict[str, Described]:
    if not isinstance(data, Mapping):
        raise SpecError(f'{path} is no list of shapes by name, as {{"w": [64, 32]}}.')
    shapes = {}
    for name, row in data.items():
        table = row if isinstance(row, dict) else {"shape": row}
        dtype = table.get("dtype", "float32")
        if dtype not in CODES:
            raise UnknownName(f"dtype of {name} in {path}", dtype, CODES)
        shapes[name] = Described(_shape(path, name, table.get("shape")), dtype)
    return shapes


def _shape(path: Path, name: str, shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, list) or not all(type(n) is int and 0 <= n < 1 << 63 for n in shape):
        raise SpecError(f"{path}: the shape of {name} is a list of sizes, not {short_repr(shape)}.")
    return tuple(shape)
