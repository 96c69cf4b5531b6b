"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from ..errors import SpecError, short_repr

if TYPE_CHECKING:
    from ..spec.scheme import Scheme

SCHEME = "a name: he_normal, he_normal@torch, 'normal(std=0.02)'"
SHAPE = "86 8, 86x8 or 86,8"
LAYOUT = "the roles of the axes: oihw, torch.Conv2d"


def scheme_argument(parser: argparse.ArgumentParser) -> None:
    """The name of a scheme, two of its numbers, and what its texts name: see :func:`scheme_of`."""
    parser.add_argument("name", help=SCHEME)
    text = "the standard deviation, a number or arithmetic: '0.02 / sqrt(2 * n_layer)'"
    parser.add_argument("--std", help=text)
    text = "what multiplies the standard deviation, likewise"
    parser.add_argument("--gain", help=text)
    text = "a number for a name in the scheme's arithmetic; once for each name"
    parser.add_argument("--let", action="append", default=[], metavar="NAME=NUMBER", help=text)


def scheme_of(args: argparse.Namespace) -> Scheme:
    """The scheme that the options of :func:`scheme_argument` say.

    >>> parser = argparse.ArgumentParser()
    >>> scheme_argument(parser)
    >>> given = ["normal", "--std", "0.02 / sqrt(2 * n_layer)", "--let", "n_layer=50"]
    >>> scheme_of(parser.parse_args(given)).std
    0.002
    """
    from ..readings.registry import get
    from ..spec.expression import Expression

    words = {"std": args.std, "gain": args.gain}
    scheme = get(args.name, **{word: text for word, text in words.items() if text is not None})
    sizes = {}
    for text in args.let:
        name, sign, number = text.partition("=")
        if not sign:
            raise SpecError(f"--let is a name and a number, as n_layer=12, not {short_repr(text)}.")
        sizes[name.strip()] = Expression.parse(number).value()
    return scheme.bind(**sizes) if sizes else scheme


def layout_option(parser: argparse.ArgumentParser, text: str = LAYOUT) -> None:
    """``--layout``, a text that :meth:`initspec.Layout.of` reads."""
    parser.add_argument("--layout", help=text)


def shape_option(parser: argparse.ArgumentParser, text: str, required: bool = False) -> None:
    """``--shape``, as ``args.shape``: a tuple, or None where it is not given."""
    nargs = "*" if required else "+"  # no sizes at all are the shape of a scalar
    parser.add_argument(
        "--shape",
        type=sizes,
        nargs=nargs,
        action=Shape,
        required=required,
        help=f"{text}: {SHAPE}",
    )


def shape_argument(parser: argparse.ArgumentParser) -> None:
    """A shape by its place, as ``args.shape``."""
    parser.add_argument("shape", type=sizes, nargs="+", action=Shape, help=f"a shape: {SHAPE}")


class Shape(argparse.Action):
    """Keeps the parts of a shape as one tuple."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Called by argparse with the parts that were read."""
        setattr(namespace, self.dest, tuple(size for part in values for size in part))


def sizes(text: str) -> tuple[int, ...]:
    """A shape, or a part of one: ``86``, ``86x8``, ``86,8``, ``(86, 8)``.

    >>> sizes("86x8"), sizes("86,8"), sizes("(86, 8)"), sizes("86,"), sizes("()")
    ((86, 8), (86, 8), (86, 8), (86,), ())
    """
    if not text.strip() or _SIZES.fullmatch(text.strip()) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no shape: write {SHAPE}")
    return tuple(int(size) for size in re.findall(r"-?\d+", text))


_SIZES = re.compile(r"[(\[]?\s*(-?\d+(\s*[x,]\s*-?\d+)*)?\s*,?\s*[)\]]?")


def checked_chance(option: str, value: float) -> float:
    """The value of an option that is a probability; raises :class:`SpecError` for another one."""
    if not 0 < value < 1:
        raise SpecError(f"{option} is a chance between 0 and 1, such as 1e-9, not {value:g}.")
    return value
