"""Text from outside, such as a tensor's name or an exception's words, made fit to be shown."""

from __future__ import annotations

import json
import re
from typing import Any

#: Characters of a name and of a sentence that are shown; what is longer is cut.
NAME, SENTENCE = 300, 2000


def escaped(text: object, most: int | None = None) -> str:
    r"""A text in one line that a terminal, XML, HTML and Markdown can show.

    Characters that cannot be printed, such as escape codes, line breaks and the halves of
    characters, stand as Python writes them; a text of more than ``most`` characters is cut.

    >>> print(escaped("w\x1b[31m\n"), escaped("weight", 4))
    w\x1b[31m\n wei…
    """
    line = str(text)
    if most is not None and len(line) > most:
        line = line[: most - 1] + "…"
    return line if line.isprintable() else "".join(map(_escape, line))


def _escape(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")


def sentence(text: object, most: int | None = SENTENCE) -> str:
    r"""The words of a text in one line, as :func:`escaped` shows them.

    >>> sentence("first line\n  second line")
    'first line second line'
    """
    return escaped(" ".join(str(text).split()), most)


def json_text(data: Any, indent: int | None = None) -> str:
    r"""Plain data as JSON; in its texts, what cannot be printed is escaped.

    >>> print(json_text({"name": "\u009b31m é"}))
    {"name": "\u009b31m é"}
    """
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    return re.sub(r"[^\n -~]+", _json_escape, text)


def _json_escape(match: re.Match[str]) -> str:
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in match.group())
