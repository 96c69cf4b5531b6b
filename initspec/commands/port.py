"""A layer beside its counterpart in another framework, on the command line."""

from __future__ import annotations

from typing import Any

from ..errors import SpecError
from ..layers.port import port as find


def port(args: Any) -> tuple[dict[str, Any], list[str]]:
    """Data and lines on what each of them draws, and the code from one to the other."""
    found = find(args.layer, args.to, dict(map(_size, args.size)))
    return found.to_dict(), found.lines()


def _size(text: str) -> tuple[str, int | tuple[int, ...]]:
    word, _, value = text.partition("=")
    numbers = value.split("x")
    if not all(number.isdecimal() for number in numbers):
        raise SpecError(f"a size is written as in=256 or k=3x3, not {text!r}.")
    sizes = tuple(map(int, numbers))
    return word, sizes if word == "k" else sizes[0]
