"""Variance through the layers of a deep network, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import SpecError, UnknownName


def signal(args: Any) -> tuple[dict[str, Any], list[str]]:
    """Data and lines on the variance at each layer; drawn to a file if asked."""
    out = _checked_plot(args.plot)  # what cannot be written is said before anything is drawn
    from ..analysis.propagation import signal as propagate

    found = propagate(
        args.name, args.activation, args.depth, args.width, slope=args.slope, seed=args.seed
    )
    data, lines = found.to_dict(), found.lines()
    if out is not None:
        from ..figures import signal as picture

        out.write_text(picture(found), "utf-8")
        data["plot"] = str(out)
        lines += ["", f"drawn to {out}"]
    return data, lines


def _checked_plot(path: str | None) -> Path | None:
    if path is None:
        return None
    out = Path(path)
    if out.suffix != ".svg":
        raise UnknownName("file type of a picture", out.suffix or path, (".svg",))
    if not out.parent.is_dir():
        raise SpecError(f"cannot write {out}: the folder {out.parent} does not exist.")
    return out
