"""``initspec port``: a layer beside its counterpart in another framework."""

from __future__ import annotations

import argparse

from ..errors import SpecError
from .arguments import sizes
from .command import Answer, Command


def options(parser: argparse.ArgumentParser) -> None:
    """A layer, where it goes, and sizes."""
    parser.add_argument("layer", help="a layer: torch.nn.Linear, keras.layers.Dense")
    parser.add_argument("--to", required=True, help="a framework, or one of its layers: flax")
    text = "sizes in place of the example's: in=256 out=512 k=3x3"
    parser.add_argument("--size", nargs="+", default=[], metavar="WORD=N", help=text)


def answer(args: argparse.Namespace) -> Answer:
    """What each of the two layers draws, and the code from one to the other."""
    from ..layers.port import port

    ported = port(args.layer, args.to, dict(map(_size, args.size)))
    return Answer(ported.to_dict(), ported.lines())


def _size(text: str) -> tuple[str, int | tuple[int, ...]]:
    """``in=256`` or ``k=3x3``: the kernel alone has a size for each axis."""
    word, _, value = text.partition("=")
    try:
        numbers = sizes(value)
    except argparse.ArgumentTypeError:
        numbers = ()
    if not numbers or min(numbers) < 0 or (len(numbers) > 1 and word != "k"):
        raise SpecError(f"a size is written as in=256 or k=3x3, not {text!r}.")
    return word, numbers if word == "k" else numbers[0]


COMMAND = Command(
    "port", "Say what a layer draws by default, and how to have it elsewhere.", options, answer
)
