"""The sizes of a layer, and the expressions over them in the layers' tables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

from ..errors import LayoutError, SpecError
from ..spec.layout import Layout, checked_shape

#: The sizes of a layer, by the words of the tables.
Sizes = Mapping[str, Any]

SPREAD = ("k", "places", "ones")  # words that stand for several axes


# ----------------------------------------------------------------------------- words and numbers


def python(text: str) -> str:
    """A formula of the tables as Python: ``in`` is a keyword there, and ``k`` a tuple.

    >>> python("in/groups*k")
    'in_/groups*math.prod(k)'
    """
    return re.sub(r"\b(k|places)\b(?![\[)])", r"math.prod(\1)", identifiers(text))


def identifiers(text: str) -> str:
    """A line of the tables as Python, where ``in`` is a keyword: its words are ``in_`` and ``k``.

    >>> identifiers("nn.Conv(out, k, feature_group_count=groups)"), identifiers("(1, in)")
    ('nn.Conv(out, k, feature_group_count=groups)', '(1, in_)')
    """
    return re.sub(r"\bin\b", "in_", text)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> CodeType:
    return compile(python(text), text, "eval")


def evaluate(text: str, sizes: Sizes, name: str = "this") -> float:
    """A formula of the tables, in numbers.

    Raises :class:`SpecError` for a word that has no size.

    >>> evaluate("in/groups*k", {"in": 16, "groups": 4, "k": (3, 5)})
    60
    """
    code = _compiled(text)
    known = {"in_" if word == "in" else word: n for word, n in sizes.items()}
    for word in code.co_names:
        if word not in known and word not in ("math", "prod"):
            word = word.rstrip("_")
            raise SpecError(
                f"the law of {name} needs the size {word!r}: give it, as in "
                f"on({'in_' if word == 'in' else word}={'(3, 3)' if word in SPREAD else 64})."
            )
    value = eval(code, {"math": math, "__builtins__": {}}, known)
    return int(value) if value == int(value) else value


def whole_number(text: str, sizes: Sizes, name: str) -> int:
    value = evaluate(text, sizes, name)
    if not isinstance(value, int):
        raise LayoutError(f"{name}: {text} is {value:g}, and an axis has a whole number of places.")
    return value


def spread(word: str, sizes: Sizes, name: str) -> list[int] | None:
    """The axes that a word stands for where it is one that stands for several."""
    if word not in SPREAD:
        return None
    source = "k" if word == "ones" else word
    evaluate(source, sizes, name)
    return [1] * len(sizes[source]) if word == "ones" else list(sizes[source])


def size_of(word: str, given: Any) -> Any:
    if word in ("k", "places"):
        return checked_shape(given)
    (size,) = checked_shape(given if hasattr(given, "__index__") else (-1,))
    return size


def names_in(word: str) -> list[str]:
    return [name.rstrip("_") for name in _compiled(word).co_names if name not in ("math", "prod")]


def layout_text(text: str | None, ndim: int, sizes: Sizes, name: str) -> Layout:
    if text is None:
        return Layout("o" * ndim)
    axes, *options = text.split(", ")
    count = ndim - len(axes) + 1
    space = ("", "w", "hw", "dhw")[count] if count < 4 else "x" * count
    fields: dict[str, Any] = {"transposed": "transposed" in options}
    for option in options:
        word, _, value = option.partition("=")
        if value:
            fields[word] = whole_number(value, sizes, name)
    return Layout(axes.replace("*", space), **fields)
