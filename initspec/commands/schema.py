"""``initspec schema``: the JSON Schema of the data: schemes and dialects, or plans."""

from __future__ import annotations

import argparse
import json
from importlib.resources import files

from .command import Answer, Command

_FILES = {"schemes": ("readings", "schemes.schema.json"), "plan": ("plans", "plan.schema.json")}


def options(parser: argparse.ArgumentParser) -> None:
    """Which of them."""
    text = "of schemes, dialects and a saved scheme; or of a plan"
    parser.add_argument("data", nargs="?", choices=tuple(_FILES), default="schemes", help=text)


def answer(args: argparse.Namespace) -> Answer:
    """The schema, as it stands in its file."""
    text = files("initspec").joinpath(*_FILES[args.data]).read_text("utf-8")
    return Answer(json.loads(text), [text.rstrip()])


COMMAND = Command(
    "schema",
    "Print the JSON Schema of the schemes, the dialects and a saved scheme, or of plans.",
    options,
    answer,
)
