"""From one framework's layer to another's: what each draws, how far apart, and how to get it."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .compare import ks, same_law
from .distribution import Distribution, Triangular, Uniform
from .errors import SpecError, UnknownName
from .layer_defaults import (
    LayerDefault,
    Parameter,
    Sizes,
    defaults,
    frameworks,
    kinds,
    table,
)
from .structure import Structured

_VERSION = re.compile(r"(<=|>=|==|<|>).*")

#: Roles of stacked parameters, with those of their parts.
PARTS: Mapping[str, tuple[str, ...]] = {
    "qkv": ("query", "key", "value"),
    "qkv_bias": ("query_bias", "key_bias", "value_bias"),
    "joined": ("kernel", "recurrent"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Parameters of one role on both sides, and how far apart their laws are.

    ``source`` is None where the source has no such parameter, ``targets`` is empty where the
    target has none. ``variance_ratio`` is the target's variance by the source's, ``ks`` their
    Kolmogorov distance; both are None where they are not known. Where one side adds a second bias
    to its first they are those of the sum, which is what reaches a gate. ``remark``
    says what no number does.
    """

    source: Parameter | None
    targets: tuple[Parameter, ...]
    same: bool | None
    variance_ratio: float | None
    ks: float | None
    remark: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        known = [parameter for parameter in (self.source, *self.targets) if parameter is not None]
        return {
            "role": known[0].role,
            "source": self.source and self.source.name,
            "source_draws": self.source and self.source.formula,
            "targets": [target.name for target in self.targets],
            "target_draws": self.targets[0].formula if self.targets else None,
            "same": self.same,
            "variance_ratio": self.variance_ratio,
            "ks": self.ks,
            "remark": self.remark,
        }


@dataclass(frozen=True, slots=True)
class Port:
    """A layer beside its counterpart; ``code`` makes the counterpart with the layer's laws.

    The numbers are those of ``sizes``. ``code`` is empty where initspec has no adapter.
    """

    source: LayerDefault
    target: LayerDefault
    sizes: Sizes
    pairs: tuple[Pair, ...]
    code: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "source": {"framework": self.source.framework, "layer": self.source.name},
            "target": {"framework": self.target.framework, "layer": self.target.name},
            "sizes": {word: list(n) if _many(n) else n for word, n in self.sizes.items()},
            "parameters": [pair.to_dict() for pair in self.pairs],
            "code": self.code,
        }

    def lines(self) -> list[str]:
        """What each side draws, and the code."""
        one, two = self.source, self.target
        sizes = ", ".join(f"{word}={n}" for word, n in self.sizes.items())
        lines = textwrap.wrap(f"{_title(one)} -> {_title(two)}, in numbers at {sizes}", 98)
        for pair in self.pairs:
            lines += ["", *_pair_lines(pair, one, two)]
        if not self.code:
            return [*lines, "", f"initspec has no adapter for {_head(two)['title']}: no code."]
        return [*lines, "", f"{_head(one)['title']}'s laws in {_head(two)['title']}:", "", *(
            f"    {line}".rstrip() for line in self.code.splitlines()
        )]  # fmt: skip


def port(layer: str, to: str, sizes: Sizes | None = None) -> Port:
    """What a layer's parameters draw by default, what its counterpart's would, and the way over.

    ``layer`` is a name such as ``"torch.nn.Linear"`` or ``"keras<3.15.MultiHeadAttention"``, and
    ``to`` a framework, or one of its layers. ``sizes`` by word take the place of the example's.

    Raises :class:`UnknownName` for a framework or layer that the tables do not hold, and
    :class:`SpecError` where the target has no such layer.

    >>> found = port("torch.nn.Linear", "flax", {"in": 300, "out": 100})
    >>> [round(pair.variance_ratio, 6) for pair in found.pairs]
    [3.0, 0.0]
    >>> print(found.code)
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
    from .porting_code import code

    source = find(layer)
    target = _counterpart(source, to)
    given = {**_example(source, target), **_given(sizes or {}, source)}
    measured = _measured(source, target, given)
    pairs = tuple(_pairs(source, target, measured))
    text = code(source, target, pairs, measured) if "adapter" in _head(target) else ""
    return Port(source, target, _spoken(source, target, measured), pairs, text)


def find(name: str) -> LayerDefault:
    """The row that a dotted name means: ``"torch.nn.Linear"``, ``"nnx.Linear"``.

    >>> find("tf.keras.layers.Dense").framework
    'keras'
    """
    stem, bracket, options = name.partition("(")
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
    try:
        framework = _framework(to, to)
    except UnknownName:
        if "." not in to:
            raise
        return _same_kind(source, find(to))
    rows = [row for row in table(_VERSION.sub("", framework)) if row.kind == source.kind]
    rows = rows or [
        row for row in table(_VERSION.sub("", framework)) if _fallback(source.kind) == row.kind
    ]
    if not rows:
        raise SpecError(f"{framework} has no layer of the kind {source.kind!r} in the tables.")
    best = max(rows, key=lambda row: (_dims(row) == _dims(source), _cell(row) == _cell(source)))
    return defaults(framework, best.name)


def _same_kind(source: LayerDefault, target: LayerDefault) -> LayerDefault:
    if target.kind not in (source.kind, _fallback(source.kind)):
        raise SpecError(
            f"{_title(target)} is of the kind {target.kind!r}, and {_title(source)} of "
            f"{source.kind!r}: they have no parameters in common."
        )
    return target


def _fallback(kind: str) -> str:
    """A depthwise convolution is a grouped one where a framework has no layer for it."""
    return "conv" if kind == "depthwise" else ""


def _dims(row: LayerDefault) -> int:
    return int(next((letter for letter in row.name if letter in "123"), 0))


def _cell(row: LayerDefault) -> bool:
    return row.name.endswith("Cell")


def _example(source: LayerDefault, target: LayerDefault) -> dict[str, Any]:
    sizes = dict(kinds()[source.kind])
    if "k" in sizes:
        sizes["k"] = (3,) * (_dims(source) or _dims(target) or 2)
    return sizes


def _given(sizes: Sizes, source: LayerDefault) -> dict[str, Any]:
    known = kinds()[source.kind]
    for word in sizes:
        if word.rstrip("_") not in known:
            raise UnknownName(f"size of {_title(source)}", word, known)
    (first, *_) = source.values()
    return dict(first.sizes(sizes))


def _measured(source: LayerDefault, target: LayerDefault, sizes: dict[str, Any]) -> dict[str, Any]:
    if source.kind == "depthwise":  # as a convolution of as many groups as channels
        sizes |= {"groups": sizes["in"], "out": sizes["in"] * sizes["multiplier"]}
    return sizes


def _spoken(source: LayerDefault, target: LayerDefault, sizes: Sizes) -> Sizes:
    """The sizes that one of the two speaks of."""
    text = " ".join(
        " ".join((parameter.shape, parameter.fan_in, parameter.layout or ""))
        for row in (source, target)
        for parameter in row.values()
        if not parameter.when
    )
    return {word: n for word, n in sizes.items() if re.search(rf"\b{word}\b", text)}


# ---------------------------------------------------------------------------------- the pairs


def _pairs(source: LayerDefault, target: LayerDefault, sizes: Sizes) -> Iterator[Pair]:
    ours, theirs = _by_role(source), _by_role(target)
    met: set[str] = set()
    for role, parameters in ours.items():
        roles = [name for name in (role, *PARTS.get(role, ()), *_wholes(role)) if name in theirs]
        met.update(roles)
        targets = tuple(item for name in roles for item in theirs[name])
        if not targets and role == "recurrent_bias" and _two_rows(theirs):
            yield _pair(parameters[0], theirs["bias"], sizes, source, target)
        elif not targets:
            yield Pair(parameters[0], (), None, None, None, _lonely(role, source, target))
        elif len(parameters) == len(targets) and _differ(parameters):
            for one, other in zip(parameters, targets, strict=True):
                yield _pair(one, (other,), sizes, source, target)
        else:
            yield _pair(parameters[0], targets, sizes, source, target)
    for role, targets in theirs.items():
        if role == "recurrent_bias" and _two_rows(ours):
            yield _pair(ours["bias"][0], targets, sizes, source, target)
        elif role not in met:
            yield Pair(None, targets, None, None, None, _surplus(role, source))


def _differ(parameters: tuple[Parameter, ...]) -> bool:
    """Whether parameters of one role have laws of their own, as two layers in one have."""
    return len({parameter.formula for parameter in parameters}) > 1


def _by_role(row: LayerDefault) -> dict[str, tuple[Parameter, ...]]:
    """What is there without asking for it."""
    found: dict[str, tuple[Parameter, ...]] = {}
    for parameter in row.values():
        if not parameter.when:
            found[parameter.role] = (*found.get(parameter.role, ()), parameter)
    return found


def _wholes(role: str) -> Iterable[str]:
    return (whole for whole, parts in PARTS.items() if role in parts)


def _two_rows(roles: Mapping[str, tuple[Parameter, ...]]) -> bool:
    """Whether the bias holds that of the state too, in a second row."""
    return any(parameter.shape.startswith("2 ") for parameter in roles.get("bias", ()))


def added(row: LayerDefault, other: LayerDefault) -> Parameter | None:
    """The second bias that a layer adds to its first, where the other layer has one alone.

    None where it is zero. The cells of a GRU are no such layers: in one of their gates the second
    bias is multiplied before it is added.

    >>> second = added(find("torch.nn.LSTM"), find("keras.layers.LSTM"))
    >>> second.name
    'bias_hh_l0'
    """
    if row.kind not in ("lstm", "rnn") or "recurrent_bias" in _by_role(other):
        return None
    for second in _by_role(row).get("recurrent_bias", ()):
        if second.scheme is None or second.scheme.distribution != "constant" or second.scheme.value:
            return second
    return None


def apart(row: LayerDefault, other: LayerDefault) -> str:
    """What a GRU's second bias does that the other layer cannot; empty where it can, or is zero."""
    ours, theirs = _by_role(row), _by_role(other)
    (second, *_) = (*ours.get("recurrent_bias", ()), None)
    if row.kind != "gru" or second is None or second.formula == "always 0" or _two_rows(theirs):
        return ""
    shapes = {parameter.shape for parameter in theirs.get("recurrent_bias", ())}
    if second.shape in shapes:
        return ""
    if len(second.shape) < max(map(len, shapes), default=0):
        return f"{_title(row)} has it in the new gate alone"
    where = "but in the new gate" if shapes else "in any gate"
    return f"{_title(row)} adds it to its other bias, and {_title(other)} has no second one {where}"


def _lonely(role: str, source: LayerDefault, target: LayerDefault) -> str:
    text = f"{_title(target)} has no such parameter"
    if role == "recurrent_bias" and added(source, target):
        return f"{text}: its one bias needs the sum."
    if role == "recurrent_bias":
        return f"{apart(source, target) or f'{text}, and needs none: it is zero there'}."
    return f"{text}."


def _surplus(role: str, source: LayerDefault) -> str:
    text = f"{_title(source)} has no such parameter"
    return text + ("; zero leaves its law." if role == "recurrent_bias" else ".")


def _pair(
    source: Parameter,
    targets: tuple[Parameter, ...],
    sizes: Sizes,
    left: LayerDefault,
    right: LayerDefault,
) -> Pair:
    target = targets[0]
    if source.required or target.required:
        row, parameter = (left, source) if source.required else (right, target)
        remark = f"{_title(row)} has no default: {parameter.required} is given by the caller."
        return Pair(source, targets, None, None, None, remark)
    seconds: tuple[Parameter | None, Parameter | None] = (None, None)
    if source.role == target.role == "bias":
        seconds = added(left, right), added(right, left)
    if any(seconds):
        return _summed(source, targets, sizes, (left, right), seconds)
    laws = source.on(sizes), target.on(sizes)
    same = same_entries(source, target, sizes)
    tied = any(isinstance(law, Structured) and law.kind != "array" for law in laws)
    remark = "" if same or not tied else "Entries of an orthogonal matrix depend on each other."
    if "recurrent_bias" in (source.role, target.role):
        reason = apart(left, right) or apart(right, left)
        remark = f"{reason}." if reason else ""
    if same:
        return Pair(source, targets, True, 1.0, 0.0, remark)
    return Pair(source, targets, False, _ratio(*laws), _distance(*laws), remark)


def _summed(
    source: Parameter,
    targets: tuple[Parameter, ...],
    sizes: Sizes,
    rows: tuple[LayerDefault, LayerDefault],
    seconds: tuple[Parameter | None, Parameter | None],
) -> Pair:
    """A bias on one side against the sum of two on the other."""
    laws, remark = [], ""
    for row, first, second in zip(rows, (source, targets[0]), seconds, strict=True):
        law = first.on(sizes)
        if second is not None:
            law = total(law, second.on(sizes))
            remark = (
                f"{_title(row)} adds {second.name} to it: what reaches a gate is the sum of both, "
                f"triangular on (-{law.limit:.6g}, {law.limit:.6g}), of twice the variance; the "
                "numbers are those of the sum."
            )
        laws.append(law)
    return Pair(source, targets, False, _ratio(*laws), _distance(*laws), remark)


def total(one: Distribution, two: Distribution) -> Triangular:
    """The law of the sum of two independent numbers, both uniform on ``(-limit, limit)``."""
    if not (isinstance(one, Uniform) and one == two and one.low == -one.high):
        raise SpecError(f"the law of the sum of {one!r} and {two!r} is not known here.")
    return Triangular(2 * one.high)


def same_entries(source: Parameter, target: Parameter, sizes: Sizes) -> bool:
    """Whether both draw the same law, whatever the axes are called."""
    one, two = source.on(sizes), target.on(sizes)
    if source.gates or target.gates:
        return source.gates == target.gates
    if isinstance(one, Structured) or isinstance(two, Structured):
        kind = one.kind == two.kind and source.scheme == target.scheme
        return kind and source.joint == target.joint and one.variance == two.variance
    return same_law(one, two)


def _ratio(one: Distribution, two: Distribution) -> float:
    if one.variance == 0:
        return 1.0 if two.variance == 0 else math.inf
    return two.variance / one.variance


def _distance(one: Distribution, two: Distribution) -> float | None:
    try:
        return ks(one, two)
    except SpecError:  # not in closed form
        return None


# ---------------------------------------------------------------------------------- in words


def _pair_lines(pair: Pair, one: LayerDefault, two: LayerDefault) -> list[str]:
    theirs = ", ".join(target.name for target in pair.targets)
    head = " -> ".join(filter(None, (pair.source.name if pair.source else "", theirs)))
    if pair.source is None:
        head = f"(nothing) -> {theirs}"
    width = max(len(one.framework), len(two.framework)) + 2
    lines = textwrap.wrap(head, 98, subsequent_indent="  ")
    sides = [(one, pair.source), (two, pair.targets[0] if pair.targets else None)]
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


def _title(row: LayerDefault) -> str:
    return f"{row.framework} {row.name}"


def _head(row: LayerDefault) -> Mapping[str, Any]:
    return frameworks()[row.framework]


def _many(value: object) -> bool:
    return isinstance(value, tuple)
