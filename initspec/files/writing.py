"""A tensor to a ``.npy`` or ``.safetensors`` file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import BackendMissing, SpecError, UnknownName

_SUFFIXES = (".npy", ".safetensors")


def checked_out(path: str | None) -> Path | None:
    """The file to write, if any; what cannot be written is said before anything is drawn.

    Raises :class:`UnknownName` for another type of file, :class:`SpecError` for a folder that does
    not exist, and :class:`BackendMissing` where the package safetensors is needed and missing.
    """
    if path is None:
        return None
    out = Path(path)
    if out.suffix not in _SUFFIXES:
        raise UnknownName("file type", out.suffix or path, _SUFFIXES)
    if not out.parent.is_dir():
        raise SpecError(f"cannot write {out}: the folder {out.parent} does not exist.")
    if out.suffix == ".safetensors":
        _safetensors()
    return out


def write(out: Path, array: Any, facts: Mapping[str, Any]) -> None:
    """Write a NumPy array to a file that :func:`checked_out` let pass.

    In safetensors the tensor is called ``facts["name"]``, or "weight", and all facts go along as
    metadata, which are texts: JSON of what is none.
    """
    if out.suffix == ".npy":
        import numpy as np

        np.save(out, array)
        return
    metadata = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()
    }
    out.write_bytes(_safetensors().save({facts["name"] or "weight": array}, metadata))


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise BackendMissing("numpy", "safetensors", "pip install safetensors") from None
    return safetensors.numpy
