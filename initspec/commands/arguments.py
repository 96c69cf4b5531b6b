"""Arguments that several commands read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import SpecError


def chance(option: str, value: float) -> float:
    if not 0 < value < 1:
        raise SpecError(f"{option} is a chance between 0 and 1, such as 1e-9, not {value:g}.")
    return value


def sizes(text: str) -> tuple[int, ...]:
    """``86``, ``86x8`` or ``86,8``, for the command line's ``--shape``.

    >>> sizes("86x8")
    (86, 8)
    """
    return tuple(int(size) for size in re.split("[x,]", text.strip(",x()")))


def shape_argument(numbers: Sequence[int]) -> tuple[int, ...]:
    from ..spec.layout import checked_shape

    return checked_shape(tuple(numbers))
