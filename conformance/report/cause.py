"""What is wrong with a tensor: a sentence that names it, and the numbers that show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: Causes that an explanation names: the first, and what is wrong besides.
MOST = 3


class Cause(NamedTuple):
    """One thing that is wrong: its name in words, and what was measured."""

    words: str
    numbers: tuple[str, ...] = ()


def text_of(causes: Sequence[Cause]) -> str:
    """The causes as sentences, the first one first, and after them all numbers in one.

    A cause without words adds its numbers.

    >>> text_of([Cause("the sign is missing", ("least value 0",)), Cause("", ("scale 1",))])
    'The sign is missing. Least value 0; scale 1.'
    """
    told = [cause.words for cause in causes if cause.words][:MOST]
    numbers = [n for cause in causes if cause.words in ("", *told) for n in cause.numbers]
    numbers = list(dict.fromkeys(numbers))
    told += ["; ".join(numbers)] if numbers else []
    return " ".join(f"{words[:1].upper()}{words[1:]}." for words in told)


def share(count: int, n: int) -> str:
    """A count in words: ``"13 of 100 (13 %)"``.

    >>> share(13, 100), share(3, 1_000_000)
    ('13 of 100 (13%)', '3 of 1000000 (3e-06)')
    """
    part = count / max(n, 1)
    return f"{count} of {n} ({part:.2g})" if part < 1e-3 else f"{count} of {n} ({100 * part:.3g}%)"
