"""Markdown, from data."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

#: What every generated file carries in its first line.
MARK = "Written by docs/generate.py"
HEAD = f"<!-- {MARK} from the data of initspec/; change them, not this page. -->"
#: For a number that there is not.
NONE = "–"


def page(title: str, *parts: str) -> str:
    """A whole page; empty parts are left out."""
    return "\n\n".join([HEAD, f"# {title}", *filter(None, parts)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table; the columns named in ``right`` are of numbers. Empty columns are left out."""
    rows = [[_cell(cell) for cell in row] for row in rows]
    kept = [i for i, word in enumerate(head) if any(row[i] for row in rows)]
    rule = ["---:" if i in right else "---" for i in kept]
    lines = [[head[i] for i in kept], rule, *([row[i] for i in kept] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def tick(text: str) -> str:
    """As code, whatever it holds."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}" if text else ""


def ticks(words: Iterable[str]) -> str:
    return ", ".join(map(tick, words))


def anchor(heading: str) -> str:
    """The fragment that code hosts and Sphinx give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def number(value: Any, digits: int = 6) -> str:
    """A number for people: six digits, and infinity by its sign."""
    if value is None:
        return NONE
    if isinstance(value, (tuple, list)):
        return f"({', '.join(number(item, digits) for item in value)})"
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        text = f"{value:.{digits}g}" if isinstance(value, float) else str(value)
        return text.replace("-", "−") if text.startswith("-") else text
    return str(value)


def plain(docstring: str) -> str:
    """A docstring's text as Markdown: its double ticks and roles become code."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", docstring)
    return text.replace("``", "`")


def sentence(docstring: str | None) -> str:
    """The first sentence or paragraph of a docstring, on one line."""
    first = (docstring or "").strip().partition("\n\n")[0]
    return plain(" ".join(first.split()))


def escaped(text: str) -> str:
    """Prose that may hold asterisks and underscores which mean themselves."""
    return re.sub(r"([*<>])", r"\\\1", text)
