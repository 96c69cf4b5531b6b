"""What users hand over, as plain values: a number, an integer, a text; or a sentence that says why.

Each takes the name of the argument for its sentence, and the NumPy scalars and arrays without axes
that people compute with.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from ..errors import SpecError, short_repr


def plain(value: Any) -> Any:
    """A NumPy scalar, or an array without axes, as Python's number; all else as it is.

    >>> import numpy as np
    >>> plain(np.float64(0.5)), plain("fan_in")
    (0.5, 'fan_in')
    """
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        try:
            return value.item()
        except Exception:  # a framework's own, for a value that is not there yet
            return value
    return value


def number(name: str, value: Any, *, finite: bool = True, kind: str = "finite number") -> float:
    """A finite real number as a float; with ``finite=False`` any, NaN included.

    ``kind`` says what is expected. Raises :class:`SpecError` for anything else.

    >>> number("std", 1)
    1.0
    """
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise SpecError(f"{name} is a number, not {short_repr(value)}.")
    try:
        answer = float(value)
    except OverflowError:
        answer = math.inf
    if finite and not math.isfinite(answer):
        raise SpecError(f"{name} is a {kind}, not {short_repr(value)}.")
    return answer


def at_least_zero(name: str, value: Any) -> float:
    """A finite real number that is not negative, as a float."""
    kind = "finite number of at least 0"
    answer = number(name, value, kind=kind)
    if answer < 0:
        raise SpecError(f"{name} is a {kind}, not {short_repr(value)}.")
    return answer


def integer(name: str, value: Any, least: int, error: type[Exception] = SpecError) -> int:
    """An integer of at least ``least``; raises ``error`` for anything else."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise error(f"{name} is an integer of at least {least}, not {short_repr(value)}.")
    return int(value)


def text(name: str, value: Any, error: type[Exception] = SpecError) -> str:
    """A text; raises ``error`` for anything else."""
    if not isinstance(value, str):
        raise error(f"{name} is a text, not {short_repr(value)}.")
    return value
