"""A scheme as users write it: a name, and arguments behind it in parentheses."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

_CALL = re.compile(r"\s*([\w.\-]+(?:@[^\s(]+)?)\s*(\(.*\))?\s*", re.DOTALL)


def split(text: str) -> tuple[str, str | None] | None:
    """The name and what stands in parentheses behind it, if anything; None for no such text.

    >>> split("normal(std=0.02)"), split("zeros"), split("2 * zeros")
    (('normal', '(std=0.02)'), ('zeros', None), None)
    """
    match = _CALL.fullmatch(text)
    return None if match is None else (match[1], match[2])


def arguments(call: str, value: Callable[[ast.expr, str], Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments by place and by word; ``value`` makes one of its node and the whole source.

    Raises ``ValueError`` for what is no list of arguments, and what ``value`` raises.

    >>> arguments("(1, mean=0.5)", lambda node, source: ast.literal_eval(node))
    ([1], {'mean': 0.5})
    """
    source = f"f{call}"
    try:
        node = ast.parse(source, mode="eval").body
        if not isinstance(node, ast.Call) or any(word.arg is None for word in node.keywords):
            raise ValueError("it is no list of arguments")
        by_place = [value(argument, source) for argument in node.args]
        return by_place, {str(word.arg): value(word.value, source) for word in node.keywords}
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"it is no list of arguments: {error}") from None
