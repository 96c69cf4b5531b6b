"""Frames: a head in JSON and the bytes of arrays, so that neither end of a pipe unpickles."""

from __future__ import annotations

import json
import struct
from typing import IO, Any

import numpy as np

_HEAD = struct.Struct(">IQ")
MOST = 1 << 30  # bytes of one frame


def send(pipe: IO[bytes], head: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame."""
    text = json.dumps(head).encode()
    pipe.write(_HEAD.pack(len(text), len(body)) + text)
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None at the end, and for what is no frame."""
    try:
        head, body = _HEAD.unpack(pipe.read(_HEAD.size))
        if head + body > MOST:
            return None
        frame = json.loads(pipe.read(head)), pipe.read(body)
    except (OSError, ValueError, struct.error):
        return None
    return frame if len(frame[1]) == body else None


def packed(seed: Any) -> Any:
    """A seed as plain data that keeps its type: None, an integer of Python or of NumPy.

    >>> unpacked(packed(np.int32(7)))
    np.int32(7)
    """
    if isinstance(seed, np.integer):
        return [seed.dtype.name, int(seed)]
    return seed if seed is None else int(seed)


def unpacked(data: Any) -> Any:
    """The seed of :func:`packed`."""
    return np.dtype(data[0]).type(data[1]) if isinstance(data, list) else data
