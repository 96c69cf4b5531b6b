"""Writing a tensor to a ``.npy`` or ``.safetensors`` file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import SpecError, UnknownName


def checked_out(path: str | None) -> Path | None:
    """The file to write; what cannot be written is said before anything is drawn."""
    if path is None:
        return None
    out = Path(path)
    if out.suffix not in (".npy", ".safetensors"):
        raise UnknownName("file type", out.suffix or path, (".npy", ".safetensors"))
    if not out.parent.is_dir():
        raise SpecError(f"cannot write {out}: the folder {out.parent} does not exist.")
    if out.suffix == ".safetensors":
        _safetensors()
    return out


def _safetensors() -> Any:
    from ..errors import BackendMissing

    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise BackendMissing("numpy", "safetensors", "pip install safetensors") from None
    return safetensors.numpy


def write(out: Path, array: Any, data: dict[str, Any]) -> None:
    import numpy as np

    if out.suffix == ".npy":
        np.save(out, array)
        return
    metadata = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()
    }
    out.write_bytes(_safetensors().save({data["name"] or "weight": array}, metadata))
