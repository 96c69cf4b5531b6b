"""The layouts of the frameworks' layers by name, read out of the tables of what layers draw.

``initspec/layers/tables`` says the layout of each parameter once. Here a name such as
``"torch.Conv2d"`` or ``"keras.MultiHeadAttention.query"`` is found in the table of its framework,
the only one that is read for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UnknownName, nearest

TABLES = Path(__file__).parents[1] / "layers" / "tables"

#: The roles of the parameter that a layer's bare name stands for.
MAIN = ("kernel", "embedding", "depthwise", "joined", "qkv")


class Weight(NamedTuple):
    """A parameter of a layer, and its axes as the table writes them: ``"oi*, groups=groups"``.

    ``*`` stands for the spatial axes, and ``when`` is the condition under which it exists.
    """

    parameter: str
    role: str
    layout: str
    when: str


class Axes(NamedTuple):
    """The layout that a name means; ``grouped_by_input`` where its groups are input channels.

    Of such a layer the kernel does not say how many groups it has.
    """

    text: str
    grouped_by_input: bool = False


@cache
def document(stem: str) -> Mapping[str, Any]:
    """A table as its file has it."""
    import tomllib

    return tomllib.loads((TABLES / f"{stem}.toml").read_text("utf-8"))


@cache
def stems() -> tuple[str, ...]:
    """The tables that there are, by the names of their files."""
    return tuple(sorted(path.stem for path in TABLES.glob("*.toml") if path.stem != "kinds"))


@cache
def weights(stem: str) -> Mapping[str, tuple[Weight, ...]]:
    """The parameters with a layout of each layer of a framework, in its newest version.

    Left out are those where a letter stands for several words of the shape, as in locally
    connected layers: their axes hang on more than a number of spatial ones.
    """
    layers: dict[str, tuple[Weight, ...]] = {}
    for row in document(stem).get("layer", ()):
        held = tuple(
            Weight(name, data["role"], data["layout"], data.get("when", ""))
            for names, data in row["parameter"].items()
            if _lettered(data)
            for name in names.split()
        )
        for layer in row["names"]:
            layers.setdefault(layer, held)
    return layers


def _lettered(data: Mapping[str, Any]) -> bool:
    axes = data.get("layout", "").partition(",")[0]
    return len(axes) == len(data["shape"].split()) > 1


@cache
def in_name(layer: str) -> Mapping[str, Any]:
    """What a layer's name says by itself: ``dims`` spatial axes, or that it is one ``step``.

    >>> in_name("Conv2DTranspose"), in_name("LSTMCell"), in_name("Dense")
    ({'dims': 2}, {'step': True}, {})
    """
    said: dict[str, Any] = {}
    for pattern, data in document("kinds")["name"].items():
        if fnmatchcase(layer, pattern):
            said = {**data, **said}
    return said


def find(name: str, ndim: int | None = None) -> Axes:
    """The layout that a dotted name means, for a tensor of ``ndim`` axes where that is known.

    A layer whose name says no number of spatial axes has as many as ``ndim`` leaves, or two; an
    axis of heads may be missing. Raises :class:`UnknownName` with the nearest names.

    >>> find("torch.Conv2d").text, find("flax.Conv", 3).text
    ('oihw', 'wio')
    """
    stem, rest = place(name)
    other = document(stem).get("layout", {}).get(rest, {})
    if isinstance(other, str):
        return Axes(other)
    layer, _, part = other.get("of", rest).partition(".")
    weight = _weight(weights(stem).get(layer, ()), part)
    if weight is None:
        raise unknown("layout", name, names(stem))
    dims = other.get("dims") or in_name(layer).get("dims")
    return Axes(resolved(weight.layout, ndim, dims), "groups=in" in weight.layout)


def place(name: str) -> tuple[str, str]:
    """The table of a dotted name, and what of the name is its layer.

    >>> place("torch.nn.Conv2d"), place("flax.nnx.GRUCell")
    (('torch', 'Conv2d'), ('nnx', 'GRUCell'))
    """
    first, second, *_ = *name.split("."), ""
    stem = second if second in stems() and first in stems() else first
    if stem not in stems():
        raise unknown("layout", name, [f"{known}.{name.partition('.')[2]}" for known in stems()])
    modules = sorted(document(stem)["modules"], key=len, reverse=True)
    module = next((module for module in modules if name.startswith(f"{module}.")), stem)
    return stem, name.removeprefix(f"{module}.")


def _weight(held: Iterable[Weight], part: str) -> Weight | None:
    """The parameter that a name means, by its path, its holder or its role; None if several."""
    if not part:
        return main(held)
    tests = (
        lambda weight: _dotted(weight) == part,
        lambda weight: _dotted(weight).rpartition(".")[0] == part,
        lambda weight: weight.role == part,
    )
    for test in tests:
        if meant := [weight for weight in held if test(weight)]:
            return meant[0] if len({weight.layout for weight in meant}) == 1 else None
    return None


def _dotted(weight: Weight) -> str:
    return weight.parameter.replace("/", ".")


def main(held: Iterable[Weight]) -> Weight | None:
    """The parameter that a layer's bare name stands for: one is the main one, or all are alike."""
    always = [weight for weight in held if not weight.when]
    chief = [weight for weight in always if weight.role in MAIN]
    for alike in (always, chief):
        if len({weight.layout for weight in alike}) == 1:
            return (chief or alike)[0]
    return None


def resolved(layout: str, ndim: int | None, dims: int | None = None) -> str:
    """A layout of the tables with its spatial axes written out, without sizes that vary.

    >>> resolved("oi*, groups=groups", 4), resolved("ino", 2)
    ('oihw', 'io')
    """
    axes, *options = layout.split(", ")
    if "*" in axes:
        rest = 2 if ndim is None else max(ndim - len(axes) + 1, 0)
        axes = axes.replace("*", spatial(rest if dims is None else dims))
    if len(axes) - 1 == ndim:
        axes = axes.replace("n", "", 1)
    fixed = [word for word in options if not word.partition("=")[2].strip("0123456789")]
    return ", ".join([axes, *fixed])


def spatial(count: int) -> str:
    """The letters of so many spatial axes."""
    return ("", "w", "hw", "dhw")[count] if count < 4 else "x" * count


@cache
def names(stem: str) -> tuple[str, ...]:
    """The names that are layouts in a framework: layers, and roles where a layer has several."""
    found: list[str] = []
    for layer, held in weights(stem).items():
        if "(" in layer or not held:  # such a one has a name of its own under [layout]
            continue
        if main(held):
            found.append(layer)
        else:
            roles = dict.fromkeys(weight.role for weight in held if not weight.when)
            found += [f"{layer}.{role}" for role in roles if _weight(held, role)]
    found += [name for name in document(stem).get("layout", {}) if name not in found]
    return tuple(f"{document(stem).get('within', stem)}.{name}" for name in found)


def layer_called(text: str) -> str:
    """The full name of a layer that the tables hold, as `initspec port` takes it; else empty.

    >>> layer_called("nn.Linear"), layer_called("tf.keras.layers.Dense"), layer_called("he_normal")
    ('torch.nn.Linear', 'keras.layers.Dense', '')
    """
    path, _, layer = text.rpartition(".")
    for stem in sorted(stems(), key=lambda stem: (stem not in ("torch", "keras", "flax"), stem)):
        held = (name for row in document(stem).get("layer", ()) for name in row["names"])
        modules = document(stem).get("modules", ())
        name = next((name for name in held if name.lower() == layer.lower()), None)
        if name and any(module == path or _ends(module, path) for module in modules):
            return f"{modules[0]}.{name}"
    return ""


def holds_layers(module: str) -> bool:
    """Whether a module of a framework is one of layers alone.

    >>> holds_layers("torch.nn"), holds_layers("torch"), holds_layers("torch.nn.init")
    (True, False, False)
    """
    return "." in module and any(module in document(stem).get("modules", ()) for stem in stems())


def _ends(module: str, path: str) -> bool:
    return not path or f".{module}".endswith(f".{path}")


def unknown(kind: str, given: str, known: Iterable[str]) -> UnknownName:
    """The error for a name of many that could have been meant, with at most five near ones."""
    every = list(known)
    near = difflib.get_close_matches(given, every, n=5, cutoff=0.0)
    far = len(every) > len(near) and not nearest(given, near)
    return UnknownName(kind, given, near, f"These are the nearest of {len(every)}." if far else "")
