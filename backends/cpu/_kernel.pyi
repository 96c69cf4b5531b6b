"""What ``_kernel.c`` gives to Python."""

from typing import Any

def fill(
    out: Any, walk: bytes, law: bytes, base: int, key0: int, key1: int, start: int, stop: int
) -> None:
    """Draw rows into a buffer, or at an address."""

def fold_in(key0: int, key1: int, data: int) -> tuple[int, int]:
    """A key of its own for each ``data`` of 32 bits."""

def use_huge_pages(address: int, size: int) -> None:
    """Advise huge pages for memory that nobody has touched."""

def levels() -> tuple[str, ...]:
    """What there is code for and this processor runs, the fastest last."""

def source() -> int:
    """The first eight bytes of the checksum of the source that was compiled."""
