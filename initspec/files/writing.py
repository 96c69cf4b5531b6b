"""Files, written whole or not at all; a tensor to a ``.npy`` or ``.safetensors`` file."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from ..errors import BackendMissing, FileError, UnknownName

_SUFFIXES = (".npy", ".safetensors")
_OPEN = re.compile(r"/(?:dev/fd|proc/self/fd)/(\d+)")  # a file that the process holds open
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}

#: What a file holds: its bytes, its text in UTF-8, or a function that writes to it.
Content = bytes | str | Callable[[IO[bytes]], object]


def write_file(path: str | Path, content: Content, *, append: bool = False) -> None:
    """Write a file so that whoever reads it sees what it was or what it becomes.

    It is written beside and then takes the place of the old one, whose permissions it keeps; a
    symbolic link is followed. What cannot be replaced, such as a pipe, a device, or a file in a
    folder that takes no other, is written to as it is. ``append`` adds to what is there, in one
    write, behind a lock, so that of two processes that append to one file neither loses its part.

    Raises :class:`FileError` where that does not work; the old file is then what it was.
    """
    try:
        held = _held_open(path)
        if held is not None:
            if sys.stdout is not None:
                sys.stdout.flush()
            with open(os.dup(held), "wb") as file:
                _put(file, content)
            return
        place = Path(os.path.realpath(path))
        old = _stat(path)
        if old is not None and not stat.S_ISREG(old.st_mode):
            with open(path, "wb") as file:
                _put(file, content)
            return
        if append:
            _append(place, old, content)
        else:
            _replace(place, old, content)
    except (OSError, ValueError, MemoryError) as error:  # ValueError: of a path with a zero byte
        raise _unwritable(path, error) from error


def _replace(place: Path, old: os.stat_result | None, content: Content) -> None:
    """Write beside a regular file, or one that is not there yet, and rename."""
    if old is not None and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    beside = place.with_name(f".initspec-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        file = beside.open("xb")
    except PermissionError:
        if old is None:
            raise
        _overwrite(place, content)
        return
    try:
        with file:
            if old is not None:
                _adopt(beside, old)
            _put(file, content)
        try:
            os.replace(beside, place)
        except OSError:  # a mounted file, or somebody else's in a folder such as /tmp
            if old is None:
                raise
            _overwrite(place, content)
    finally:
        beside.unlink(missing_ok=True)


def _overwrite(place: Path, content: Content) -> None:
    with place.open("wb") as file:
        _put(file, content)


def _append(place: Path, old: os.stat_result | None, content: Content) -> None:
    """Write at the end of a file, or leave it as it is."""
    whole = io.BytesIO()
    _put(whole, content)
    file = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0))
    try:
        _lock(file)
        before = os.fstat(file).st_size
        try:
            rest = whole.getbuffer()
            while rest:
                rest = rest[os.write(file, rest) :]
        except BaseException:
            os.ftruncate(file, before)
            if old is None and not before:
                place.unlink(missing_ok=True)
            raise
    finally:
        os.close(file)  # which gives the lock back


def _lock(file: int) -> None:
    """Wait for the others that append; where files have no locks, one write is all there is."""
    with contextlib.suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def _put(file: IO[bytes], content: Content) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content.encode("utf-8", "replace") if isinstance(content, str) else content)
    file.flush()


def _adopt(beside: Path, old: os.stat_result) -> None:
    """The owner and the permissions of the old file."""
    with contextlib.suppress(OSError, AttributeError):  # somebody else's; Windows has no owner
        os.chown(beside, old.st_uid, old.st_gid)
    beside.chmod(stat.S_IMODE(old.st_mode))


def _held_open(path: str | Path) -> int | None:
    """The descriptor that a name such as ``/dev/stdout`` stands for."""
    if os.name != "posix":
        return None
    match = _OPEN.fullmatch(str(path))
    return int(match[1]) if match else _STANDARD.get(str(path))


def _stat(path: str | Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _unwritable(path: str | Path, error: Exception) -> FileError:
    if Path(path).is_dir():
        return FileError(f"cannot write {path}: it is a folder; name a file in it.")
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return FileError(f"cannot write {path}: {why or type(error).__name__}.")


def checked_place(path: str | Path) -> Path:
    """The path of a file to write; what cannot be written is said before anything is worked out.

    Raises :class:`FileError` for a folder, for a file in a folder that does not exist, and for one
    that may not be written.
    """
    place = Path(path)
    if _held_open(place) is not None:
        return place
    if place.is_dir():
        raise FileError(f"cannot write {place}: it is a folder; name a file in it.")
    parent = Path(os.path.realpath(place)).parent
    if not parent.is_dir():
        raise FileError(f"cannot write {place}: there is no such folder, {parent} does not exist.")
    if not os.access(place if place.exists() else parent, os.W_OK):
        raise FileError(f"cannot write {place}: Permission denied.")
    return place


# --------------------------------------------------------------------------------------- tensors


def checked_out(path: str | None) -> Path | None:
    """The file of a tensor to write, if any: see :func:`checked_place`.

    Raises :class:`UnknownName` for another type of file, and :class:`BackendMissing` where the
    package safetensors is needed and missing.
    """
    if path is None:
        return None
    out = Path(path)
    if out.suffix not in _SUFFIXES:
        raise UnknownName("file type", out.suffix or path, _SUFFIXES)
    checked_place(out)
    if out.suffix == ".safetensors":
        _safetensors()
    return out


def tensor_content(out: Path, array: Any, facts: Mapping[str, Any]) -> Content:
    """What the file of a tensor holds, for a path that :func:`checked_out` let pass.

    In safetensors the tensor is called ``facts["name"]``, or "weight", and all facts go along as
    metadata, which are texts: JSON of what is none.
    """
    if out.suffix == ".npy":
        import numpy as np

        # NumPy writes past a file that is one, and then does not say that a disk is full.
        return lambda file: np.save(SimpleNamespace(write=file.write), array)
    metadata = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()
    }
    return lambda file: file.write(
        _safetensors().save({facts["name"] or "weight": array}, metadata)
    )


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise BackendMissing("numpy", "safetensors", "pip install safetensors") from None
    return safetensors.numpy
