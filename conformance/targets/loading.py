"""The initializer that a text names, imported and ready to be called."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import InitSpecError
from .calls import Maker, maker
from .parameters import parameter
from .text import Reference


class NoTable(InitSpecError):  # noqa: N818 - it says what is wrong
    """What a text names is there, and is no table of initializers."""


def load(text: str, claim: str | None = None) -> Maker:
    """The initializer of a text; of a table, the entry of the scheme that it claims to be.

    >>> load("initspec.conformance.targets.loading:load")
    Traceback (most recent call last):
    ...
    initspec.InitSpecError: load has the parameters text, which the suite does not know...
    """
    reference = Reference.parse(text)
    named, tabled = reference.find(), reference.entry is not None
    if isinstance(named, Mapping):
        if claim is None or claim not in named:
            raise InitSpecError(
                f"{text} is a table, and {claim!r} is not in it: name one of its entries, as in "
                f"{text}[{next(iter(named), 'name')!r}]."
            )
        named, tabled = named[claim], True
    if tabled and isinstance(named, str):
        return load(named)
    if reference.parameter is not None:
        return parameter(named, reference)
    return maker(named, reference.args, reference.options)


def entries(text: str) -> list[str]:
    """The names in a table of initializers.

    Raises :class:`NoTable` where the text names something else.
    """
    table = Reference.parse(text).find()
    if not isinstance(table, Mapping) or not table:
        raise NoTable(
            f"{text} is {type(table).__name__}, not a table: a table maps names of schemes to "
            "initializers."
        )
    return [str(name) for name in table]
