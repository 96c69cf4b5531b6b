"""``initspec schema``: the JSON Schema of the schemes, the dialects and a saved scheme."""

from __future__ import annotations

import argparse
import json
from importlib.resources import files

from .command import Answer, Command, no_options


def answer(args: argparse.Namespace) -> Answer:
    """The schema, as it stands in its file."""
    text = files("initspec").joinpath("readings", "schemes.schema.json").read_text("utf-8")
    return Answer(json.loads(text), [text.rstrip()])


COMMAND = Command(
    "schema",
    "Print the JSON Schema of the schemes, the dialects and a saved scheme.",
    no_options,
    answer,
)
