"""What the tensors of a file could have come from, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..analysis.inference import infer as _infer
from ..errors import InitSpecError, SpecError, UnknownName
from ..files.reading import tensors
from ..spec.layout import Layout


def infer(args: Any) -> tuple[dict[str, Any], list[str], int]:
    """Data, lines and the exit code: 2 where not one tensor of the file says anything."""
    path = Path(args.file)
    layout = Layout.parse(args.layout) if args.layout is not None else None
    answers: dict[str, Any] = {}
    lines: list[str] = []
    failed = fitted = 0
    for stored in tensors(path):
        try:
            array = stored.read()
            fits = layout if layout is not None and len(layout.axes) == array.ndim else None
            fitted += fits is not None
            found = _infer(array, fits, args.framework, dtype=stored.dtype)
        except UnknownName:
            raise  # of the framework, and so the same for every tensor
        except InitSpecError as error:
            failed += 1
            answers[stored.name] = {"error": str(error)}
            lines.append(f"{stored.name}: {error}")
            continue
        answers[stored.name] = found.to_dict()
        first, *more = found.lines()
        lines += [f"{stored.name} {found.shape} {found.dtype}: {first}", *more]
    if not answers:
        raise SpecError(f"{path} holds no tensors.")
    if layout is not None and not fitted:
        raise SpecError(f"no tensor of {path} has the {len(layout.axes)} axes of '{layout}'.")
    return {"file": str(path), "tensors": answers}, lines, 2 if failed == len(answers) else 0
