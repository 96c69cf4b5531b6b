"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import re

from ..errors import SpecError

SCHEME = "a name: he_normal, he_normal@torch, 'normal(std=0.02)'"
LAYOUT = "the roles of the axes: oihw, torch.Conv2d"


def scheme_argument(parser: argparse.ArgumentParser) -> None:
    """The name of a scheme, as ``args.name``."""
    parser.add_argument("name", help=SCHEME)


def layout_option(parser: argparse.ArgumentParser, text: str = LAYOUT) -> None:
    """``--layout``, a text that :meth:`initspec.Layout.of` reads."""
    parser.add_argument("--layout", help=text)


def sizes(text: str) -> tuple[int, ...]:
    """``86``, ``86x8`` or ``86,8``, for the ``--shape`` of `check`.

    >>> sizes("86x8")
    (86, 8)
    """
    return tuple(int(size) for size in re.split("[x,]", text.strip(",x()")))


def checked_chance(option: str, value: float) -> float:
    """The value of an option that is a probability; raises :class:`SpecError` for another one."""
    if not 0 < value < 1:
        raise SpecError(f"{option} is a chance between 0 and 1, such as 1e-9, not {value:g}.")
    return value
