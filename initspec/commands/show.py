"""``initspec show``: what a name means, who reads it otherwise, and its numbers on a shape."""

from __future__ import annotations

import argparse

from .arguments import layout_option, scheme_argument, scheme_of, shape_option
from .command import Answer, Command


def options(parser: argparse.ArgumentParser) -> None:
    """A scheme, and a shape to put it on."""
    scheme_argument(parser)
    shape_option(parser, "put the scheme on this shape")
    layout_option(parser)


def answer(args: argparse.Namespace) -> Answer:
    """The scheme in words; with a shape also its numbers."""
    from .scheme_in_words import described, on_shape

    scheme = scheme_of(args)
    data, lines = described(scheme)
    if args.shape is not None:
        data["on"], more = on_shape(scheme, args.shape, args.layout)
        lines += more
    return Answer(data, lines)


COMMAND = Command(
    "show", "Say what a name means, who reads it otherwise, and its numbers.", options, answer
)
