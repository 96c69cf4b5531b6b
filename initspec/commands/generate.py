"""The command ``initspec generate``."""

from __future__ import annotations

from typing import Any

from .answer import Answer
from .arguments import shape_argument


def write_source(args: Any) -> Answer:
    from ..readings.to_framework import generate

    shape = None if args.shape is None else shape_argument(args.shape)
    found = generate(args.name, args.to, shape, args.layout)
    return Answer(found.to_dict(), found.lines())
