"""From one framework's layer to another's: what each draws, how far apart, and how to get it."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SpecError, UnknownName
from ..public import public
from ..spec.arguments import text
from ..spec.layer_layouts import in_name
from .defaults import defaults, frameworks, general, generalised, kinds, table
from .pairs import Pair, pairs_of, title
from .parameter import LayerDefault
from .sizes import Sizes

_VERSION = re.compile(r"(<=|>=|==|<|>).*")


@public
@dataclass(frozen=True, slots=True)
class Port:
    """A layer beside its counterpart; ``code`` makes the counterpart with the layer's laws.

    The numbers are those of ``sizes``. ``code`` is empty where initspec has no adapter.

    >>> from initspec import port
    >>> answer = port("torch.nn.Linear", to="flax")
    >>> [pair.source.name for pair in answer.pairs]
    ['weight', 'bias']
    """

    source: LayerDefault
    target: LayerDefault
    sizes: Sizes
    pairs: tuple[Pair, ...]
    code: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        >>> from initspec import port
        >>> sorted(port("torch.nn.Linear", to="flax").to_dict())[:2]
        ['code', 'parameters']
        """
        return {
            "source": {"framework": self.source.framework, "layer": self.source.name},
            "target": {"framework": self.target.framework, "layer": self.target.name},
            "sizes": {word: list(n) if _many(n) else n for word, n in self.sizes.items()},
            "parameters": [pair.to_dict() for pair in self.pairs],
            "code": self.code,
        }

    def lines(self) -> list[str]:
        """What each side draws, and the code.

        >>> from initspec import port
        >>> len(port("torch.nn.Linear", to="flax").lines()) > 5
        True
        """
        source, target = self.source, self.target
        sizes = ", ".join(f"{word}={n}" for word, n in self.sizes.items())
        lines = textwrap.wrap(f"{title(source)} -> {title(target)}, in numbers at {sizes}", 98)
        for pair in self.pairs:
            lines += ["", *_pair_lines(pair, source, target)]
        if not self.code:
            return [*lines, "", f"initspec has no adapter for {_head(target)['title']}: no code."]
        return [*lines, "", f"{_head(source)['title']}'s laws in {_head(target)['title']}:", "", *(
            f"    {line}".rstrip() for line in self.code.splitlines()
        )]  # fmt: skip


def port(layer: str, to: str, sizes: Sizes | None = None) -> Port:
    """What a layer's parameters draw by default, what its counterpart's would, and the way over.

    ``layer`` is a name such as ``"torch.nn.Linear"`` or ``"keras<3.15.MultiHeadAttention"``, and
    ``to`` a framework, or one of its layers. ``sizes`` by word take the place of the example's.

    Raises :class:`UnknownName` for a framework or layer that the tables do not hold, and
    :class:`SpecError` where the target has no such layer.

    >>> answer = port("torch.nn.Linear", "flax", {"in": 300, "out": 100})
    >>> [round(pair.variance_ratio, 6) for pair in answer.pairs]
    [3.0, 0.0]
    >>> print(answer.code)
    import math
    <BLANKLINE>
    import initspec
    import jax
    import jax.numpy as jnp
    from flax import linen as nn
    <BLANKLINE>
    in_, out = 300, 100
    kernel = initspec.get("variance_scaling", distribution="uniform", factor=1 / 3, mode="FAN_IN")
    limit = 1 / math.sqrt(in_)
    bias = initspec.get("uniform", low=-limit, high=limit)
    layer = nn.Dense(out, kernel_init=kernel.jax, bias_init=bias.jax)
    params = layer.init(jax.random.key(0), jnp.ones((1, in_)))
    """
    from .port_code import code

    source = find(layer)
    target = _counterpart(source, to)
    given = {**_example(source, target), **_given(sizes or {}, source)}
    measured = generalised(source.kind, given)
    pairs = tuple(pairs_of(source, target, measured))
    text = code(source, target, pairs, measured) if "adapter" in _head(target) else ""
    return Port(source, target, _spoken(source, target, measured), pairs, text)


def find(name: str) -> LayerDefault:
    """The row that a dotted name means: ``"torch.nn.Linear"``, ``"nnx.Linear"``.

    >>> find("tf.keras.layers.Dense").framework
    'keras'
    """
    stem, bracket, options = text("a layer's name", name).partition("(")
    place, _, layer = stem.rpartition(".")
    return defaults(_framework(place, name), f"{layer}{bracket}{options}")


def _framework(place: str, name: str) -> str:
    version = _VERSION.search(place)
    bare = place[: version.start()] if version else place
    known = {module: key for key, head in frameworks().items() for module in head["modules"]}
    known |= {key: key for key in frameworks()}
    if bare not in known:
        raise UnknownName("framework", bare or name, known, "Write torch.nn.Linear.")
    return known[bare] + (version[0] if version else "")


def _counterpart(source: LayerDefault, to: str) -> LayerDefault:
    """The layer of the same kind, by preference of as many dimensions, and a cell for a cell."""
    text("a framework, or a layer of it,", to)
    try:
        framework = _framework(to, to)
    except UnknownName:
        if "." not in to:
            raise
        return _same_kind(source, find(to))
    known = table(_VERSION.sub("", framework))
    rows = [row for row in known if row.kind == source.kind]
    rows = rows or [row for row in known if row.kind == general(source.kind)]
    if not rows:
        raise SpecError(f"{framework} has no layer of the kind {source.kind!r} in the tables.")
    best = max(rows, key=lambda row: (_dims(row) == _dims(source), _cell(row) == _cell(source)))
    return defaults(framework, best.name)


def _same_kind(source: LayerDefault, target: LayerDefault) -> LayerDefault:
    if target.kind not in (source.kind, general(source.kind)):
        raise SpecError(
            f"{title(target)} is of the kind {target.kind!r}, and {title(source)} of "
            f"{source.kind!r}: they have no parameters in common."
        )
    return target


def _dims(row: LayerDefault) -> int:
    """How many spatial axes the layer's name speaks of; none where it leaves them open."""
    return int(in_name(row.name).get("dims", 0))


def _cell(row: LayerDefault) -> bool:
    """Whether it is one step of a recurrence."""
    return bool(in_name(row.name).get("step", False))


def _example(source: LayerDefault, target: LayerDefault) -> dict[str, Any]:
    sizes = dict(kinds()[source.kind])
    if "k" in sizes:
        sizes["k"] = (3,) * (_dims(source) or _dims(target) or 2)
    return sizes


def _given(sizes: Sizes, source: LayerDefault) -> dict[str, Any]:
    known = kinds()[source.kind]
    for word in sizes:
        if word.rstrip("_") not in known:
            raise UnknownName(f"size of {title(source)}", word, known)
    (first, *_) = source.values()
    return dict(first.sizes(sizes))


def _spoken(source: LayerDefault, target: LayerDefault, sizes: Sizes) -> Sizes:
    """The sizes that one of the two speaks of."""
    text = " ".join(
        " ".join((parameter.shape, parameter.fan_in, parameter.layout or ""))
        for row in (source, target)
        for parameter in row.values()
        if not parameter.when
    )
    return {word: n for word, n in sizes.items() if re.search(rf"\b{word}\b", text)}


# ---------------------------------------------------------------------------------- in words


def _pair_lines(pair: Pair, source: LayerDefault, target: LayerDefault) -> list[str]:
    theirs = ", ".join(item.name for item in pair.targets)
    head = " -> ".join(filter(None, (pair.source.name if pair.source else "", theirs)))
    if pair.source is None:
        head = f"(nothing) -> {theirs}"
    width = max(len(source.framework), len(target.framework)) + 2
    lines = textwrap.wrap(head, 98, subsequent_indent="  ")
    sides = [(source, pair.source), (target, pair.targets[0] if pair.targets else None)]
    for row, parameter in sides:
        if parameter is not None:
            lines += _wrap(f"{row.framework:{width}}{_mark(row)}", parameter.formula, width)
            lines += _wrap(" " * width, parameter.note, width)
    return [*lines, *_wrap("", " ".join(filter(None, (_numbers(pair), pair.remark))), 0)]


def _numbers(pair: Pair) -> str:
    if pair.same:
        return "The same law."
    parts = []
    if pair.variance_ratio in (0, math.inf):
        parts.append(f"By default it {'varies' if pair.variance_ratio else 'does not vary'}")
    elif pair.variance_ratio is not None:
        parts.append(f"By default the variance is {pair.variance_ratio:.4g} times as large")
    if pair.ks is not None:
        parts.append(f"Kolmogorov distance {pair.ks:.4g}")
    return "; ".join(parts) + "." if parts else ""


def _mark(row: LayerDefault) -> str:
    return "" if row.evidence == "run" else "(read, not run) "


def _wrap(head: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        f"{head}{text}" if text else "",
        96,
        initial_indent="  ",
        subsequent_indent=" " * (width + 2),
        break_on_hyphens=False,
    )


def _head(row: LayerDefault) -> Mapping[str, Any]:
    return frameworks()[row.framework]


def _many(value: object) -> bool:
    return isinstance(value, tuple)
