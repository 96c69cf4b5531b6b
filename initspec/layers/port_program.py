"""The lines of a ported program."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import NamedTuple

from .defaults import frameworks
from .parameter import LayerDefault, Parameter
from .sizes import Sizes, identifiers


class Said(NamedTuple):
    """A scheme in the code: the variable that holds it, and whether it asks for the tensor's axes.

    ``joint`` says that it takes all gates as one matrix.
    """

    name: str
    axes: bool = False
    joint: bool = False


@dataclass(slots=True)
class Lines:
    """The parts of the code, in the order in which they are printed."""

    schemes: dict[str, str] = field(default_factory=dict)  # by variable
    arguments: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)  # names by reason

    def let(self, name: str, text: str) -> str:
        """A variable that holds this, of this name or the next one that is free."""
        free, number = name, 1
        while self.schemes.setdefault(free, text) != text:
            number += 1
            free = f"{name}_{number}"
        return free

    def remark(self, name: str, reason: str) -> None:
        """Say why a parameter is not here."""
        names = self.remarks.setdefault(reason, [])
        if name not in names:
            names.append(name)

    def used(self, text: str) -> list[str]:
        """The lines of the variables that the program speaks of, in their order."""
        found: list[str] = []
        for name, value in reversed(self.schemes.items()):
            if re.search(rf"\b{name}\b", re.sub(r"\b\w+=", "", text)):
                found.insert(0, f"{name} = {value}")
                text += f"\n{value}"
        return found


Filled = dict[str, tuple[Parameter, Said]]


def program(row: LayerDefault, sizes: Sizes, lines: Lines) -> str:
    head = frameworks()[row.framework]
    made = [*_made(row, lines.arguments), *lines.after]
    if head["adapter"] == "haiku":
        made = [
            "",
            "",
            "def forward():",
            *(f"    {line}" for line in made),
            "",
            "",
            "params, state = hk.transform_with_state(forward).init(jax.random.PRNGKey(0))",
        ]
    body = [*lines.used("\n".join(made)), *made]
    text = "\n".join(body)
    top = [
        *(["import math"] if "math." in text else []),
        *(["from fnmatch import fnmatch"] if "fnmatch(" in text else []),
    ]
    top += [""] if top else []
    remarks = [
        line
        for reason, names in lines.remarks.items()
        for line in textwrap.wrap(
            f"Not here: {', '.join(names)}; {reason}.",
            98,
            initial_indent="# ",
            subsequent_indent="# ",
        )
    ]
    known = ["import initspec"] if "initspec." in text else []
    return "\n".join([*top, *known, *head["imports"], "", *_words(sizes, text), *body, *remarks])


def _made(row: LayerDefault, arguments: list[str]) -> list[str]:
    """The line that makes the layer, or several where it is long."""
    line = f"layer = {row.constructor(', '.join(arguments))}"
    if len(line) <= 92:
        return [line]
    name, _, inside = row.constructor("{inits}" if arguments else "").partition("(")
    before, _, after = inside.removesuffix(")").partition("{inits}")
    parts = [*_filled(before), *(f"    {argument}," for argument in arguments), *_filled(after)]
    return [f"layer = {name}(", *parts, ")"]


def _filled(text: str) -> list[str]:
    """Arguments on as few lines as they need."""
    text = text.strip(", ")
    if not text:
        return []
    indent = "    "
    return textwrap.wrap(
        f"{text},",
        92,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _words(sizes: Sizes, text: str) -> list[str]:
    """The sizes that the code speaks of, by name."""
    used = [
        (identifiers(word), n)
        for word, n in sizes.items()
        if re.search(rf"\b{identifiers(word)}\b", re.sub(r"\w+=", "", text))
    ]
    if not used:
        return []
    names, values = zip(*used, strict=True)
    return [f"{', '.join(names)} = {', '.join(repr(value) for value in values)}"]
