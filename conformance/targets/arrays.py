"""An array, or the file of one, as a target: one tensor with a shape of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...errors import InitSpecError, SpecError, UnknownName
from ...files.reading import tensors
from ...spec.fan_rules import Shape
from .host import narrowed, numpy_dtype, tohost
from .target import Target

Array = NDArray[Any]


class ArrayTarget(Target):
    """An array, which is what it is: one tensor, whatever the seed."""

    ignores_seed: bool = True
    fixed_shape: Shape
    out_first: bool

    def __init__(
        self, array: Array, name: str, text: str | None = None, *, out_first: bool = False
    ) -> None:
        self.name, self.text, self.out_first = name, text, out_first
        self._array = array
        self.fixed_shape = array.shape

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """The array; rounded, if it is of a wider type than is asked for."""
        tensor = narrowed(self._array, dtype)
        self.rounded_from = "" if tensor.dtype == self._array.dtype else self._array.dtype.name
        return tensor


def of_file(text: str) -> ArrayTarget:
    """The target of a file's array; a file that PyTorch has written says so.

    Raises :class:`InitSpecError` as :func:`read` does.
    """
    return ArrayTarget(read(text), text, text, out_first=_is_of_torch(Path(text.partition("#")[0])))


def _is_of_torch(path: Path) -> bool:
    """Whether a file of safetensors names PyTorch as its framework."""
    if path.suffix.lower() != ".safetensors":
        return False
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return bool((header.get("__metadata__") or {}).get("format") == "pt")


def read(text: str) -> Array:
    """The array of a file: ``.npy``, ``.npz`` and ``.safetensors``, the latter two with ``#name``.

    Raises :class:`InitSpecError` where there is none.
    """
    path, _, name = text.partition("#")
    try:
        held = {stored.name: stored for stored in tensors(Path(path))}
        flat = Path(path).suffix.lower() == ".npy"  # whose one array has no name
        stored = held[_chosen(path, "" if flat else name, held)]
        array = tohost(stored.read())
    except SpecError as error:  # not of the command: other targets go on
        raise InitSpecError(str(error)) from error
    return array if stored.dtype is None else array.view(numpy_dtype(stored.dtype))


def _chosen(path: str, name: str, held: Mapping[str, Any]) -> str:
    if not name and len(held) == 1:
        return next(iter(held))
    if name not in held:
        raise UnknownName(f"array of {path}", name, held, f"Write it as in '{path}#name'.")
    return name
