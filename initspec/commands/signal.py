"""``initspec signal``: variance through the layers of a deep network."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import UnknownName
from ..files.writing import checked_place
from .arguments import scheme_argument, scheme_of
from .command import Answer, Command, Output

_ACTIVATIONS = (
    "relu (the default), elu, gelu, leaky_relu, linear, mish, selu, sigmoid, silu, softplus, "
    "softsign or tanh"
)


def options(parser: argparse.ArgumentParser) -> None:
    """A scheme, the network, and a file to draw it to."""
    scheme_argument(parser)
    parser.add_argument("--activation", default="relu", help=_ACTIVATIONS)
    text = "the negative slope of leaky_relu (default: 0.01)"
    parser.add_argument("--slope", type=float, help=text)
    parser.add_argument("--depth", type=int, default=50, help="layers (default: 50)")
    parser.add_argument("--width", type=int, default=512, help="units in each (default: 512)")
    parser.add_argument("--seed", type=int, default=0, help="an integer of 64 bits (default: 0)")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw it to this file")


def answer(args: argparse.Namespace) -> Answer:
    """The variance at each layer; drawn to a file if asked."""
    out = _checked_plot(args.plot)  # what cannot be written is said before anything is drawn
    from ..analysis.propagation import signal

    variances = signal(
        scheme_of(args), args.activation, args.depth, args.width, slope=args.slope, seed=args.seed
    )
    data, lines = variances.to_dict(), variances.lines()
    files = []
    if out is not None:
        from ..figures import signal as picture

        files.append(Output(out, picture(variances), f"drawn to {out}"))
        data["plot"] = str(out)
    return Answer(data, lines, files=files)


def _checked_plot(path: str | None) -> Path | None:
    if path is None:
        return None
    out = Path(path)
    if out.suffix != ".svg":
        raise UnknownName("file type of a picture", out.suffix or path, (".svg",))
    return checked_place(out)


COMMAND = Command(
    "signal", "Follow variance through the layers of a deep network.", options, answer
)
