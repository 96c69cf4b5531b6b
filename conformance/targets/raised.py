"""What an exception says, whatever it is: its text is a target's own code, too."""

from __future__ import annotations


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
