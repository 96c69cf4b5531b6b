"""Texts in files, read."""

from __future__ import annotations

from pathlib import Path

from ..errors import FileError, SpecError


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8.

    Raises :class:`FileError` where there is none, and :class:`SpecError` for what is no text.
    """
    try:
        return Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise SpecError(f"{path} is no text in UTF-8.") from None
    except (OSError, ValueError) as error:  # ValueError: of a path with a zero byte
        if Path(path).is_dir():
            raise FileError(f"cannot read {path}: it is a folder; name a file in it.") from error
        why = getattr(error, "strerror", None) or error
        raise FileError(f"cannot read {path}: {why}.") from error
