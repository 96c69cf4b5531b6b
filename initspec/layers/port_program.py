"""The program that makes a layer with another one's laws: its parts, and how it is printed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .defaults import frameworks
from .parameter import LayerDefault, Parameter
from .sizes import Sizes, identifiers


class Variable(NamedTuple):
    """A variable that holds a scheme, and whether that asks for the tensor's axes.

    ``joint`` says that it takes all gates as one matrix.
    """

    name: str
    axes: bool = False
    joint: bool = False


#: How a row is set to zero, by adapter; where parameters lie outside of the layer a remark says it.
_ZERO_ROW = {
    "keras": (
        "rows = keras.ops.convert_to_numpy(layer.{name}).copy()\n"
        "rows[{word}] = 0\n"
        "layer.{name}.assign(rows)"
    ),
    "torch": "layer.{name}.data[{word}] = 0",
    "equinox": (
        "rows = layer.{name}.at[{word}].set(0)\n"
        "layer = eqx.tree_at(lambda layer: layer.{name}, layer, rows)"
    ),
}

#: The variable that each parameter is to be drawn from, by the parameter's name.
Assignments = dict[str, tuple[Parameter, Variable]]


@dataclass(slots=True)
class Program:
    """The parts of the code, in the order in which they are printed.

    ``schemes`` has expressions by variable, ``arguments`` are those of the layer, ``after`` the
    lines behind it, ``remarks`` the names of parameters by the reason why they are not set, and
    ``classes`` the lines of a law that no name says.
    """

    schemes: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)

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

    def zero_row(
        self, source: LayerDefault, ours: Parameter, target: LayerDefault, theirs: Parameter
    ) -> None:
        """Say how a row of zeros, which the source's layer can have, comes into the target's."""
        adapter = frameworks()[target.framework]["adapter"]
        word, name = ours.zero_row, theirs.name
        if adapter not in _ZERO_ROW:
            reason = f"{source.framework} {source.name} makes it zero where {word} is given: set it"
            self.remark(f"row {word} of {name}", f"{reason} to zero in what init returns")
            return
        lines = _ZERO_ROW[adapter].format(word=word, name=name)
        self.after += [
            f"{word} = None  # as {source.framework} {source.name} is given it: that row is zero",
            f"if {word} is not None:",
            *(f"    {line}" for line in lines.splitlines()),
        ]

    def used(self, text: str) -> list[str]:
        """The lines of the variables that the program speaks of, in their order."""
        lines: list[str] = []
        for name, value in reversed(self.schemes.items()):
            if re.search(rf"\b{name}\b", re.sub(r"\b\w+=", "", text)):
                lines.insert(0, f"{name} = {value}")
                text += f"\n{value}"
        return lines

    def printed(self, row: LayerDefault, sizes: Sizes) -> str:
        """The program as text: imports, sizes, schemes, the layer, and what could not be said."""
        head = frameworks()[row.framework]
        layer = [*_constructor(row, self.arguments), *self.after]
        if head["adapter"] == "haiku":
            layer = _in_haiku(layer)
        body = [*self.used("\n".join(layer)), *layer]
        text = "\n".join(body)
        remarks = [
            line for reason, names in self.remarks.items() for line in _remark(names, reason)
        ]
        classes = ["", "", *self.classes, ""] if self.classes else []
        lines = [*_imports(head, text), *classes, "", *_sizes(sizes, text), *body, *remarks]
        return "\n".join(lines)


def _in_haiku(layer: list[str]) -> list[str]:
    """The lines of a layer inside the function that Haiku transforms."""
    return [
        "",
        "",
        "def forward():",
        *(f"    {line}" for line in layer),
        "",
        "",
        "params, state = hk.transform_with_state(forward).init(jax.random.PRNGKey(0))",
    ]


def _imports(head: Mapping[str, Any], text: str) -> list[str]:
    standard = [
        *(["import math"] if "math." in text else []),
        *(["from fnmatch import fnmatch"] if "fnmatch(" in text else []),
    ]
    known = ["import initspec"] if "initspec." in text else []
    return [*standard, *([""] if standard else []), *known, *head["imports"]]


def _remark(names: list[str], reason: str) -> list[str]:
    """A comment that says which parameters are not set, and why."""
    return textwrap.wrap(
        f"Not here: {', '.join(names)}; {reason}.",
        98,
        initial_indent="# ",
        subsequent_indent="# ",
    )


def _constructor(row: LayerDefault, arguments: list[str]) -> list[str]:
    """The line that makes the layer, or several where it is long."""
    line = f"layer = {row.constructor(', '.join(arguments))}"
    if len(line) <= 92:
        return [line]
    name, _, inside = row.constructor("{inits}" if arguments else "").partition("(")
    before, _, after = inside.removesuffix(")").partition("{inits}")
    parts = [*_wrapped(before), *(f"    {argument}," for argument in arguments), *_wrapped(after)]
    return [f"layer = {name}(", *parts, ")"]


def _wrapped(text: str) -> list[str]:
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


def _sizes(sizes: Sizes, text: str) -> list[str]:
    """The sizes that the code speaks of, by name."""
    spoken = [
        (identifiers(word), n)
        for word, n in sizes.items()
        if re.search(rf"\b{identifiers(word)}\b", re.sub(r"\w+=", "", text))
    ]
    if not spoken:
        return []
    names, values = zip(*spoken, strict=True)
    return [f"{', '.join(names)} = {', '.join(repr(value) for value in values)}"]
