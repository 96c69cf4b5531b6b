"""The sizes of a layer, and the expressions over them in the layers' tables: shapes and layouts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ..errors import LayoutError, SpecError
from ..spec.expression import Expression
from ..spec.fan_rules import Shape
from ..spec.layer_layouts import spatial
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


def evaluate(text: str, sizes: Sizes, name: str = "this") -> float:
    """A formula of the tables, in numbers: ``k`` is a product there, ``k[0]`` one of its sizes.

    A product may have a size where its factors have none. Raises :class:`SpecError` for a word that
    has no size, and for sizes that the formula cannot be worked out of.

    >>> evaluate("in/groups*k", {"in": 16, "groups": 4, "k": (3, 5)})
    60
    >>> evaluate("in*multiplier*k", {"in*multiplier": 32, "k": (3, 5)})
    480
    """
    rule, known = _rule(_told(text, sizes)), _flat(sizes)
    for word in rule.names:
        if word not in known:
            word, _, place = word.partition("_at_")
            if word in known:
                raise SpecError(
                    f"the law of {name} needs {text}, which cannot be worked out of these sizes: "
                    f"{word} has no place {place}."
                )
            raise SpecError(
                f"the law of {name} needs the size {word!r}: give it, as in "
                f"on({'in_' if word == 'in' else word}={'(3, 3)' if word in SPREAD else 64})."
            )
    if rule.text in known:  # as it is, for a size may be beyond what float64 counts
        return known[rule.text]
    try:
        value = rule.value(known)
    except SpecError as error:
        raise SpecError(
            f"the law of {name} needs {text}, which cannot be worked out of these sizes ({error})"
        ) from None
    return int(value) if value == int(value) else value


def _told(text: str, sizes: Sizes) -> str:
    """A formula in which products that have a size of their own are numbers."""
    for word, n in sizes.items():
        if not word.isidentifier():
            text = re.sub(rf"(?<![\w/]){re.escape(word)}(?![\w\[])", str(n), text)
    return text


def _rule(text: str) -> Expression:
    return Expression.parse(re.sub(r"\[(\d+)\]", r"_at_\1", text))


def _flat(sizes: Sizes) -> dict[str, float]:
    """The sizes as numbers: of a tuple its product, and each of its sizes by its place."""
    known: dict[str, float] = {}
    for word, n in sizes.items():
        if isinstance(n, tuple):
            known |= {f"{word}_at_{place}": size for place, size in enumerate(n)}
            n = math.prod(n)
        known[word] = n
    return known


def whole_number(text: str, sizes: Sizes, name: str) -> int:
    """A formula that says how many places an axis has; ``name`` is the parameter's, for errors."""
    value = evaluate(text, sizes, name)
    if not isinstance(value, int):
        raise LayoutError(f"{name}: {text} is {value:g}, and an axis has a whole number of places.")
    return value


def size_of(word: str, given: Any) -> Any:
    """A given size, checked: a tuple for ``k`` and ``places``, a number for other words."""
    if word in ("k", "places"):
        return checked_shape(given)
    (size,) = checked_shape(given if hasattr(given, "__index__") else (-1,))
    return size


# --------------------------------------------------------------------------- shapes and layouts


def shape_on(words: str, sizes: Sizes, name: str) -> Shape:
    """A shape in words, such as ``"out in/groups k"``, in numbers.

    >>> shape_on("out in/groups k", {"in": 16, "out": 48, "groups": 4, "k": (5,)}, "weight")
    (48, 4, 5)
    """
    shape: list[int] = []
    for word in words.split():
        if word in SPREAD:
            shape += _spread(word, sizes, name)
        else:
            shape.append(whole_number(word, sizes, name))
    return tuple(shape)


def _spread(word: str, sizes: Sizes, name: str) -> list[int]:
    """The axes of a word that stands for several; ``ones`` for as many as the kernel has."""
    source = "k" if word == "ones" and "ones" not in sizes else word
    if source not in sizes:
        evaluate(source, sizes, name)  # raises, with what to give
    return [1] * len(sizes[source]) if word == "ones" else list(sizes[source])


def solved(words: str, shape: Shape, sizes: Sizes, name: str) -> Sizes:
    """The sizes behind a shape: each axis is linear in the word that it tells.

    Of a product whose factors are not known, and of one size of a kernel, it tells that alone.

    >>> solved("4*hidden in", (32, 5), {}, "weight")
    {'hidden': 8, 'in': 5}
    >>> solved("k[0] 1 1 in*multiplier", (3, 1, 1, 128), {}, "w")
    {'k[0]': 3, 'in*multiplier': 128}
    """
    parts = words.split()
    wide = [word for word in parts if word in SPREAD]
    axes_each, rest = divmod(len(shape) - len(parts) + len(wide), max(len(wide), 1))
    misfit = LayoutError(f"{name} has the shape ({', '.join(parts)}), not {shape}.")
    if rest or axes_each < 0 or (axes_each and not wide):
        raise misfit
    known, axes, pending = dict(sizes), list(shape), []
    for word in parts:
        if word in SPREAD:
            known[word] = tuple(axes[:axes_each])
            del axes[:axes_each]
        else:
            pending.append((word, axes.pop(0)))
    for _ in parts:  # one axis may need what another one tells
        for word, n in pending:
            unknown = [size for size in _names_in(word) if size not in known]
            if len(unknown) == 1 and "[" not in word:
                first, second = ({**known, unknown[0]: value} for value in (840, 1680))
                low, high = evaluate(word, first, name), evaluate(word, second, name)
                known[unknown[0]] = round(840 + (n - low) * 840 / (high - low))
    told = {word: n for word, n in pending if not set(_names_in(word)) <= set(known)}
    known.update(told)
    if shape_on(words, known, name) != shape:
        raise misfit
    return known


def _names_in(word: str) -> list[str]:
    return list(dict.fromkeys(name.partition("_at_")[0] for name in _rule(word).names))


def layout_on(text: str | None, ndim: int, sizes: Sizes, name: str) -> Layout:
    """A layout of the tables, such as ``"oi*, groups=groups"``, for a tensor of ``ndim`` axes.

    Without a text it is that of a vector.
    """
    if text is None:
        return Layout.of(None, ndim) if ndim < 2 else Layout("o" * ndim)
    axes, *options = text.split(", ")
    fields: dict[str, Any] = {"transposed": "transposed" in options}
    for option in options:
        word, _, value = option.partition("=")
        if value:
            fields[word] = whole_number(value, sizes, name)
    return Layout(axes.replace("*", spatial(ndim - len(axes) + 1)), **fields)
