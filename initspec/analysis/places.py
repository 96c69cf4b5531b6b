"""Places in a tensor, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Lines(NamedTuple):
    """What the lines along an axis are called: ``"row"``, ``"rows"``; ``" of axis 2"``."""

    one: str
    many: str
    where: str = ""


def lines_of(ndim: int, axis: int) -> Lines:
    """What the lines along an axis of a tensor are called.

    >>> lines_of(2, 0).many, lines_of(4, 1)
    ('rows', Lines(one='slice', many='slices', where=' of axis 1'))
    """
    if ndim == 1:
        return Lines("value", "values")
    if ndim == 2:
        return (Lines("row", "rows"), Lines("column", "columns"))[axis]
    return Lines("slice", "slices", f" of axis {axis}")


def listed(words: Sequence[str]) -> str:
    """Words in a list.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def places(at: Sequence[int], word: Lines, of: int | None = None) -> str:
    """Lines by their places, in order: at most four stretches of them are named.

    With ``of``, how many there are in all, many of them are counted, too.

    >>> rows = lines_of(2, 0)
    >>> places([3], rows), places([3, 4, 5, 9], rows)
    ('row 3', 'rows 3 to 5 and 9')
    >>> places(range(0, 40, 2), rows, 96)
    '20 of its 96 rows (0, 2, 4, 6 and 16 more)'
    """
    if len(at) == 1:
        return f"{word.one} {at[0]:,}{word.where}"
    stretches: list[list[int]] = []
    for place in at:
        if stretches and place == stretches[-1][-1] + 1:
            stretches[-1].append(place)
        else:
            stretches.append([place])
    named: list[str] = []
    left = len(at)
    for stretch in stretches[:4]:
        left -= len(stretch)
        if len(stretch) < 3:
            named += [f"{place:,}" for place in stretch]
        else:
            named.append(f"{stretch[0]:,} to {stretch[-1]:,}")
    if left:
        named.append(f"{left:,} more")
    if of is not None and (left or len(at) > 4):
        return f"{len(at):,} of its {of:,} {word.many}{word.where} ({listed(named)})"
    return f"{word.many} {listed(named)}{word.where}"
