"""Sentences on what went wrong in a target: what it raised, whose text is its own code, too."""

from __future__ import annotations


def other_shape(wanted: tuple[int, ...], given: tuple[int, ...]) -> str:
    """An answer of a shape that was not asked for.

    >>> other_shape((2, 3), (3, 2))
    'asked for the shape (2, 3), the target answered (3, 2): its axes in the other order'
    """
    order = ": its axes in the other order" if given == wanted[::-1] else ""
    return f"asked for the shape {wanted}, the target answered {given}{order}"


def raised(error: BaseException, most: int = 1000) -> str:
    """The kind of an exception and its text, of which no more than so many characters.

    >>> raised(ValueError("no such scale"))
    'ValueError: no such scale'
    >>> class Mute(Exception):
    ...     def __str__(self):
    ...         return 1 / 0
    >>> raised(Mute())
    'Mute, whose text cannot be had: its __str__ raised ZeroDivisionError'
    """
    kind = type(error).__name__
    try:
        return f"{kind}: {str(error)[:most]}"
    except (Exception, SystemExit) as another:
        return f"{kind}, whose text cannot be had: its __str__ raised {type(another).__name__}"
