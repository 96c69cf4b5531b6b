"""``initspec list``: the named schemes."""

from __future__ import annotations

import argparse

from .command import Answer, Command

_END = (
    "`initspec show NAME` says more, and for a name without @ whose reading it is: mostly that of "
    "Keras, TensorFlow and JAX."
)


def options(parser: argparse.ArgumentParser) -> None:
    """A dialect to keep to."""
    text = "only the readings of this dialect, such as torch"
    parser.add_argument("--dialect", help=text)


def answer(args: argparse.Namespace) -> Answer:
    """All named schemes, or those of one dialect with what it says of itself."""
    from ..readings.registry import rows, schemes
    from .scheme_in_words import of_dialect, table

    if args.dialect is None:
        head, entries = [], list(schemes.values())
    else:
        entries = list(rows(args.dialect))
        head = of_dialect(args.dialect)
    data, lines = table(entries)
    return Answer(data, [*head, *lines, "", _END])


COMMAND = Command("list", "List the named schemes.", options, answer)
