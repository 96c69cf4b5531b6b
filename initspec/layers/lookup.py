"""The role and the layout of a parameter of a live layer, by what the layer's type is called.

No framework is imported: the name of a class and of its module say which row of the tables is its.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from ..spec.layer_layouts import document, in_name, main, resolved, stems, weights
from ..spec.layer_layouts import names as names_of

#: Where a layer keeps its number of groups.
_GROUPS = ("groups", "feature_group_count")


@dataclass(frozen=True, slots=True)
class LayerParameter:
    """What the tables say of a parameter of a live layer.

    ``framework`` and ``layer`` name the row, ``kind`` is the layer's, ``parameter`` the name in
    the row, and ``role`` what it is in the layer: ``"kernel"``, ``"bias"``. ``layout`` can be
    given to :meth:`Layout.parse`: the name of the layer where that stands for the axes, the axes
    otherwise, with the layer's groups. It is None for a vector, and where it is not known.
    """

    framework: str
    layer: str
    kind: str
    parameter: str
    role: str
    layout: str | None


def lookup(layer: Any, parameter: str, ndim: int) -> str | None:
    """The layout of a parameter of ``ndim`` axes, as text; None where no table knows it.

    >>> Conv2d = type("Conv2d", (), {"groups": 4, "__module__": "torch.nn.modules.conv"})
    >>> lookup(Conv2d(), "weight", 4)
    'torch.Conv2d, groups=4'
    """
    known = identify(layer, parameter, ndim)
    return known.layout if known else None


def identify(layer: Any, parameter: str, ndim: int) -> LayerParameter | None:
    """What the tables say of a layer's parameter, a tensor of ``ndim`` axes; None if nothing.

    ``layer`` is an object of a framework's class or of a class derived from it. ``parameter`` is a
    path with dots or slashes, of which the end counts: ``"mha/query/kernel"``. A recurrent layer's
    further layers and directions, ``weight_ih_l1_reverse``, are as its first.

    >>> MultiHeadAttention = type("MultiHeadAttention", (), {"__module__": "keras.src.layers"})
    >>> identify(MultiHeadAttention(), "mha/query/kernel", 3)
    LayerParameter(framework='keras', layer='MultiHeadAttention', kind='attention', \
parameter='query/kernel', role='query', layout='keras.MultiHeadAttention.query')
    """
    path = re.sub(r"_l\d+(_reverse)?$", "_l0", parameter.replace("/", "."))
    for stem, row, name in _rows(layer):
        known = {key: data for keys, data in row["parameter"].items() for key in keys.split()}
        fitting = [key for key in known if _fits(path, key.replace("/", "."))]
        if fitting:
            key = max(fitting, key=len)
            layout = _layout(layer, stem, name, key, ndim)
            return LayerParameter(stem, name, row["kind"], key, known[key]["role"], layout)
    return None


#: The tables of frameworks whose parameters' own names tell of which layer they are.
_TELLING = ("flax", "haiku")
_LONGEST = 3  # segments of a name of theirs, at most


def layout_by_name(name: str, ndim: int) -> str | None:
    """The layout of a parameter of ``ndim`` axes of which the name alone is known, if it tells.

    It does where all layers of Flax and Haiku that have a parameter of that name, without further
    arguments, hold it alike: an ``embedding``, an attention's ``query.kernel``, a matrix.

    >>> layout_by_name("wte.embedding", 2), layout_by_name("attn.query.kernel", 3)
    ('vo', 'ino')
    >>> layout_by_name("conv.kernel", 3)
    """
    return _layout_by_end(".".join(name.split(".")[-_LONGEST:]), ndim)


@lru_cache(maxsize=4096)
def _layout_by_end(name: str, ndim: int) -> str | None:
    layouts: dict[int, set[str]] = {}
    for stem in _TELLING:
        for layer, held in weights(stem).items():
            for weight in held:
                pattern = weight.parameter.replace("/", ".")
                if "(" in layer or not _fits(name, pattern):
                    continue
                text = resolved(weight.layout, ndim, in_name(layer).get("dims"))
                axes = text.partition(",")[0]
                if len(axes) == ndim and "=" not in text:
                    layouts.setdefault(len(pattern), set()).add(axes)
    longest = layouts.get(max(layouts, default=0), set())
    return longest.pop() if len(longest) == 1 else None


def _rows(layer: Any) -> Iterator[tuple[str, Any, str]]:
    """The rows of a layer's class and of those above it, newest versions first.

    A row for an argument, ``"ConvTranspose(transpose_kernel=True)"``, goes before the one without.
    """
    for cls in type(layer).__mro__:
        first, second, *_ = *cls.__module__.split("."), ""
        stem = second if second in stems() and first in stems() else first
        if stem not in stems():
            continue
        own: list[tuple[str, Any, str]] = []
        for row in document(stem).get("layer", ()):
            for name in row["names"]:
                bare, _, argument = name.partition("(")
                if bare == cls.__name__ and _has(layer, argument.rstrip(")")):
                    own.append((stem, row, name))
        yield from sorted(own, key=lambda item: "(" not in item[2])


def _has(layer: Any, argument: str) -> bool:
    name, _, value = argument.partition("=")
    return not name or str(getattr(layer, name, None)) == value


def _fits(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*.{pattern}")


def _layout(layer: Any, stem: str, name: str, parameter: str, ndim: int) -> str | None:
    held = weights(stem).get(name, ())
    weight = next((weight for weight in held if weight.parameter == parameter), None)
    if weight is None or "groups=in" in weight.layout:
        return None
    dims = in_name(name).get("dims")
    text = resolved(weight.layout, ndim, dims)
    if len(text.partition(",")[0]) != ndim:
        return None
    spoken = f"{document(stem).get('within', stem)}.{name}"
    bare = main(held)
    if bare is None or bare.layout != weight.layout:
        spoken = f"{spoken}.{weight.role}"
    if spoken in names_of(stem) and resolved(weight.layout, None, dims) == text:
        text = spoken
    groups = next(filter(None, (getattr(layer, word, None) for word in _GROUPS)), 1)
    return f"{text}, groups={groups}" if groups > 1 and "groups=" in weight.layout else text
