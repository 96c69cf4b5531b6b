"""``initspec infer``: what the tensors of a file could have been drawn from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import InitSpecError, SpecError, UnknownName
from ..plain_text import NAME, escaped, sentence
from .command import Answer, Command

#: Tensors of a file that are answered; each takes some hundredths of a second.
MOST = 2000


def options(parser: argparse.ArgumentParser) -> None:
    """A file, and what is known of its tensors."""
    parser.add_argument("file", help="weights.safetensors, .npz or .npy")
    text = "the roles of the axes of tensors with so many; else both usual orders are tried"
    parser.add_argument("--layout", help=text)
    text = "its layout and its dialect alone, such as torch"
    parser.add_argument("--framework", help=text)


def answer(args: argparse.Namespace) -> Answer:
    """What each tensor says; the exit code is 2 where not one of them says anything.

    A tensor that cannot be read has its error for an answer, and the others go on.
    """
    from ..analysis.inference import infer
    from ..files.reading import tensors
    from ..spec.layout import Layout

    path = Path(args.file)
    layout = Layout.parse(args.layout) if args.layout is not None else None
    answers: dict[str, Any] = {}
    lines: list[str] = []
    failed = fitted = 0
    held = tensors(path)
    for stored in held[:MOST]:
        name = escaped(stored.name, NAME)
        try:
            array = stored.read()
            fitting = layout if layout is not None and len(layout.axes) == array.ndim else None
            fitted += fitting is not None
            inference = infer(array, fitting, args.framework, dtype=stored.dtype)
        except UnknownName:
            raise  # of the framework, and so the same for every tensor
        except (InitSpecError, ArithmeticError, ValueError, MemoryError) as error:
            failed += 1
            words = sentence(error) or type(error).__name__
            answers[stored.name] = {"error": words}
            lines.append(f"{name}: {words}")
            continue
        answers[stored.name] = inference.to_dict()
        first, *more = inference.lines()
        lines += [f"{name} {inference.shape} {inference.dtype}: {first}", *more]
    if not answers:
        raise SpecError(f"{path} holds no tensors.")
    data: dict[str, Any] = {"file": str(path), "tensors": answers}
    if held[MOST:]:
        data["left_out"] = len(held) - MOST
        lines.append(
            f"{path} holds {len(held):,} tensors, of which the first {MOST:,} are answered."
        )
    if layout is not None and not fitted:
        raise SpecError(f"no tensor of {path} has the {len(layout.axes)} axes of '{layout}'.")
    code = 2 if failed == len(answers) else 0
    return Answer(data, lines, code)


COMMAND = Command(
    "infer", "Say what the tensors of a file could have been drawn from.", options, answer
)
