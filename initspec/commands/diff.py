"""``initspec diff``: two schemes side by side on a shape."""

from __future__ import annotations

import argparse

from .arguments import layout_option, shape_option
from .command import Answer, Command


def options(parser: argparse.ArgumentParser) -> None:
    """Two schemes and a shape to put them on."""
    parser.add_argument("first", help="a name: he_normal@keras")
    parser.add_argument("second", help="another one: he_normal@torch")
    shape_option(parser, "the shape of a weight", required=True)
    layout_option(parser)


def answer(args: argparse.Namespace) -> Answer:
    """What tells the two apart."""
    from ..analysis.diff import diff

    difference = diff(args.first, args.second, args.shape, args.layout)
    return Answer(difference.to_dict(), difference.lines())


COMMAND = Command("diff", "Say what tells two schemes apart on a shape.", options, answer)
