"""Two schemes side by side, on the command line."""

from __future__ import annotations

from typing import Any

from ..analysis.diff import diff as compare


def diff(args: Any) -> tuple[dict[str, Any], list[str]]:
    """Data and lines on what tells two schemes apart on a shape."""
    found = compare(args.first, args.second, tuple(args.shape), args.layout)
    return found.to_dict(), found.lines()
