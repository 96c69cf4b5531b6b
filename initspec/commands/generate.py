"""``initspec generate``: a scheme as source text of a framework."""

from __future__ import annotations

import argparse

from .arguments import layout_option, scheme_argument, scheme_of, shape_option
from .command import Answer, Command


def options(parser: argparse.ArgumentParser) -> None:
    """A scheme, the framework to write it for, and a shape where the text needs its numbers."""
    scheme_argument(parser)
    parser.add_argument("--to", required=True, help="the framework: torch, keras, jax, mxnet")
    shape_option(parser, "the weight's shape, for its numbers")
    layout_option(parser)


def answer(args: argparse.Namespace) -> Answer:
    """The source text, with what it says of itself."""
    from ..readings.to_framework import generate
    from ..spec.layout import checked_shape

    shape = None if args.shape is None else checked_shape(args.shape)
    source = generate(scheme_of(args), args.to, shape, args.layout)
    return Answer(source.to_dict(), source.lines())


COMMAND = Command("generate", "Say a scheme as source text of a framework.", options, answer)
