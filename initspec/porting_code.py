"""The lines that make a layer with another one's laws."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .compare import same_law
from .errors import InitSpecError, SpecError
from .layer_defaults import LayerDefault, Parameter, Sizes, frameworks, identifiers, kinds, python
from .layout import Layout, fans
from .registry import Entry, schemes
from .scheme import Scheme
from .serial import to_dict

if TYPE_CHECKING:
    from .porting import Pair


class Said(NamedTuple):
    """A scheme in the code: the variable that holds it, and whether it asks for the tensor's axes.

    ``joint`` says that it takes all gates as one matrix.
    """

    name: str
    axes: bool = False
    joint: bool = False


@dataclass(slots=True)
class _Lines:
    """The parts of the code, in the order in which they are printed."""

    schemes: dict[str, str] = field(default_factory=dict)  # by variable
    arguments: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)  # names by reason

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

    def used(self, text: str) -> list[str]:
        """The lines of the variables that the program speaks of, in their order."""
        found: list[str] = []
        for name, value in reversed(self.schemes.items()):
            if re.search(rf"\b{name}\b", re.sub(r"\b\w+=", "", text)):
                found.insert(0, f"{name} = {value}")
                text += f"\n{value}"
        return found


Filled = dict[str, tuple[Parameter, Said]]


def code(source: LayerDefault, target: LayerDefault, pairs: Sequence[Pair], sizes: Sizes) -> str:
    """A program that makes ``target`` with the laws of ``source``, as far as they can be said.

    What cannot be said in the target is named in a comment.
    """
    lines = _Lines()
    filled: Filled = {}
    cases = sizes, _generic(source, sizes)
    for pair in pairs:
        for parameter, said in _said(pair, source, target, cases, lines):
            if filled.setdefault(parameter.name, (parameter, said))[1] != said:
                lines.remark(parameter.name, "one tensor here for several laws there")
    _STYLES[frameworks()[target.framework]["adapter"]](target, filled, sizes, lines)
    return _program(target, sizes, lines)


def _generic(source: LayerDefault, sizes: Sizes) -> Sizes:
    """Sizes that are equal by no chance: the example's, but for what the shape hangs on."""
    kept = {word: n for word, n in sizes.items() if word in ("groups", "k")}
    found = {**sizes, **kinds()[source.kind], **kept}
    if source.kind == "depthwise":
        found |= {"groups": found["in"], "out": found["in"] * found["multiplier"]}
    return found


def _said(
    pair: Pair,
    source: LayerDefault,
    target: LayerDefault,
    cases: Sequence[Sizes],
    lines: _Lines,
) -> Iterator[tuple[Parameter, Said]]:
    """For each parameter of the target that is to change: the scheme that it is to have."""
    ours = pair.source
    if ours is None:
        for parameter in pair.targets:
            if parameter.role == "recurrent_bias":
                yield parameter, Said(lines.let("recurrent_bias", 'initspec.get("zeros")'))
        return
    from .porting import added, apart

    if "recurrent_bias" in (ours.role, *(parameter.role for parameter in pair.targets)):
        reason = apart(source, target)
        if reason:
            lines.remark(ours.name, reason)
    second = added(source, target) if ours.role == "bias" else None
    for parameter in pair.targets:
        if second is not None and parameter.role == "bias":
            yield parameter, Said(lines.let("both_biases", _sum(ours, second, cases, lines)))
            continue
        if ours.required or _same(ours, parameter, cases):
            continue
        if ours.role == "recurrent_bias" and parameter.role == "bias":
            continue  # its second row, with the law of the first
        try:
            if "joined" in {ours.role, parameter.role} and ours.role != parameter.role:
                raise SpecError("one kernel on one side and two on the other")
            yield parameter, _scheme(ours, parameter, cases, (source, target), lines)
        except SpecError as error:
            lines.remark(parameter.name, str(error))


def _sum(first: Parameter, second: Parameter, cases: Sequence[Sizes], lines: _Lines) -> str:
    """Two biases for the one that stands for both: drawn each by itself, and added."""
    from .porting import total

    for sizes in cases:
        total(first.on(sizes), second.on(sizes))
    assert first.scheme is not None
    limit = _limit(first, first.scheme, lines)
    return f"initspec.get(lambda shape, rng: rng.uniform(-{limit}, {limit}, (2, *shape)).sum(0))"


def _same(source: Parameter, target: Parameter, cases: Sequence[Sizes]) -> bool:
    from .porting import same_entries

    if target.required:
        return False
    return all(same_entries(source, target, sizes) for sizes in cases)


def _scheme(
    source: Parameter,
    target: Parameter,
    cases: Sequence[Sizes],
    rows: tuple[LayerDefault, LayerDefault],
    lines: _Lines,
) -> Said:
    """The source's law for the target's tensor, as a variable."""
    scheme = source.scheme
    role = target.role if target.role in ("qkv", "qkv_bias") else source.role
    if scheme is None:
        return Said(lines.let(role, _by_gate(source, target, *rows)))
    if scheme.distribution == "orthogonal":
        if source.joint and not _stack(target):
            raise SpecError("all gates are one orthogonal matrix there, and apart here")
        return Said(lines.let(role, named(scheme)), axes=True, joint=source.joint)
    if not scheme.needs_fans:
        return Said(lines.let(role, named(scheme)))
    if all(_true(source, target, sizes) for sizes in cases):
        return Said(lines.let(role, named(replace(scheme, fans="true", name=None))), axes=True)
    return Said(lines.let(role, _in_numbers(source, scheme, lines)))


def _stack(parameter: Parameter) -> int:
    match = re.search(r"stack=(\d+)", parameter.layout or "")
    return int(match[1]) if match else 0


def _true(source: Parameter, target: Parameter, sizes: Sizes) -> bool:
    """Whether the true fans of the target's tensor are those that the source counts."""
    if target.layout is None or source.scheme is None:
        return False
    shape, layout = target.shape_on(sizes), target.layout_on(sizes)
    if target.called:
        layout = replace(layout, stack=1)
    found = replace(source.scheme, fans="true").given(**fans(shape, layout)._asdict())
    return same_law(found, source.on(sizes))


def _by_gate(source: Parameter, target: Parameter, left: LayerDefault, right: LayerDefault) -> str:
    """Constants by gate, in the target's order of gates."""
    if set(source.gates) == {source.gates[0]}:
        return f'initspec.get("constant", value={source.gates[0]!r})'
    order = [left.gate_order.find(gate) for gate in right.gate_order]
    words = target.shape.split()
    if len(words) != 1 or -1 in order or not words[0].startswith(f"{len(order)}*"):
        raise SpecError("one number for each gate there, and the gates are apart here")
    each = words[0].partition("*")[2]
    parts = " + ".join(f"[{source.gates[index]!r}] * {each}" for index in order)
    return f"initspec.get({parts})"


def _in_numbers(source: Parameter, scheme: Scheme, lines: _Lines) -> str:
    """The scale written out, for fans that the target's tensor does not tell."""
    if scheme.distribution == "uniform":
        limit = _limit(source, scheme, lines)
        return f'initspec.get("uniform", low=-{limit}, high={limit})'
    std = lines.let("std", _root(*_quotient(source, scheme)))
    if scheme.distribution == "normal":
        return f'initspec.get("normal", std={std})'
    cut = Scheme(distribution="truncated_normal", std=1.0, truncation=scheme.truncation)
    fields = _fields(cut)
    return _mapping(fields).replace('"std": 1.0', f'"std": {std}')


def _limit(source: Parameter, scheme: Scheme, lines: _Lines) -> str:
    """The limit of a uniform law, as a variable."""
    variance, n = _quotient(source, scheme)
    return lines.let("limit", _root(3 * variance, n))


def _quotient(source: Parameter, scheme: Scheme) -> tuple[float, str]:
    """What the variance has above its fan, and the fan in words."""
    fan_in, fan_out = (python(str(word)) for word in source.fan_words())
    n, doubled = {
        "FAN_IN": (fan_in, 1),
        "FAN_OUT": (fan_out, 1),
        "FAN_AVG": (f"{fan_in} + {fan_out}", 2),
        "FAN_GEO_AVG": (f"math.sqrt({fan_in} * {fan_out})", 1),
    }[scheme.mode or ""]
    return doubled * scheme.variance_factor, n


def _root(variance: float, n: str) -> str:
    simple = re.fullmatch(r"[\w.()]+", n) is not None
    if math.isclose(variance, 1):
        return f"1 / math.sqrt({n})"
    return f"math.sqrt({variance:.15g} / {n if simple else f'({n})'})"


def _fields(scheme: Scheme) -> dict[str, Any]:
    data = to_dict(replace(scheme, name=None))
    del data["spec"]
    return data


#: Names that say little without their arguments.
_OPEN = ("variance_scaling", "normal", "uniform", "constant", "truncated_normal")


def named(scheme: Scheme) -> str:
    """An expression that is a scheme: by a bare name where there is one, else by its fields.

    >>> from initspec import get
    >>> named(get({"distribution": "uniform", "mode": "FAN_AVG"}))
    'initspec.get("glorot_uniform")'
    """
    for name, entry in schemes.items():
        if name not in _OPEN and entry.dialect is None and _plain(entry) == scheme:
            return f'initspec.get("{name}")'
    calls: tuple[tuple[str, dict[str, Any]], ...] = (
        ("constant", {"value": scheme.value}),
        ("normal", {"std": scheme.std}),
        ("uniform", {"low": scheme.low, "high": scheme.high}),
        (
            "variance_scaling",
            {
                "distribution": scheme.distribution,
                "factor": scheme.variance_factor,
                "mode": scheme.mode,
            },
        ),
    )
    for name, words in calls:
        try:
            if schemes[name].make(**words) == scheme:
                said = ", ".join(f"{word}={_value(value)}" for word, value in words.items())
                return f'initspec.get("{name}", {said})'
        except InitSpecError:  # numbers that this name does not take
            continue
    return _mapping(_fields(scheme))


def _mapping(fields: dict[str, Any]) -> str:
    """One line for each field: such a mapping is long."""
    rows = (f'    "{key}": {item!r},'.replace("'", '"') for key, item in fields.items())
    return "\n".join(("initspec.get({", *rows, "})"))


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    whole = round(1 / value) if isinstance(value, float) and value else 0
    return f"1 / {whole}" if whole > 2 and value == 1 / whole else repr(value)


def _plain(entry: Entry) -> Scheme | None:
    """The scheme of a name without arguments; None where it needs some."""
    try:
        return entry.make()
    except SpecError:
        return None


# ------------------------------------------------------------------------------ by framework


def _layout(parameter: Parameter, said: Said, sizes: Sizes, *, out_first: bool = False) -> str:
    """The layout to hand over, where the adapter would take another one for granted."""
    if not said.axes or parameter.layout is None or parameter.called:
        return ""
    axes = parameter.layout_on(sizes)
    axes = replace(axes, stack=1) if said.joint else axes
    usual = Layout.of(None, len(axes.axes), out_first=out_first)
    return "" if axes == usual else f'"{axes}"'


def _keras(row: LayerDefault, filled: Filled, sizes: Sizes, lines: _Lines) -> None:
    def call(parameter: Parameter, said: Said) -> str:
        layout = _layout(parameter, said, sizes)
        return f"{said.name}.keras({f'layout={layout}' if layout else ''})"

    lines.after.append(f"layer.build({identifiers(row.inputs)})")
    for name, init in _arguments(row, filled, lines, call).items():
        lines.after += [
            f'weight = next(w for w in layer.weights if w.path.endswith("/{name}"))',
            f"weight.assign({init}(weight.shape))",
        ]


def _jax(row: LayerDefault, filled: Filled, sizes: Sizes, lines: _Lines) -> None:
    _refused(row, lines, _arguments(row, filled, lines, partial(_jax_init, sizes)))
    if row.inputs:
        inputs, call = identifiers(row.inputs), "params = layer.init(jax.random.key(0), {})"
        if len(inputs) > 60:
            lines.after.append(f"inputs = {inputs}")
            inputs = "*inputs"
        lines.after.append(call.format(inputs))


def _jax_init(sizes: Sizes, parameter: Parameter, said: Said) -> str:
    layout = _layout(parameter, said, sizes)
    if layout:
        return f'initspec.initializer({said.name}, backend="jax", layout={layout})'
    return f"{said.name}.jax"


def _haiku(row: LayerDefault, filled: Filled, sizes: Sizes, lines: _Lines) -> None:
    def call(parameter: Parameter, said: Said) -> str:
        layout = _layout(parameter, said, sizes)
        if layout:
            return f'initspec.backend("jax").haiku({said.name}, layout={layout})'
        return f"{said.name}.haiku"

    _refused(row, lines, _arguments(row, filled, lines, call))
    lines.after.append(f"return layer({identifiers(row.inputs)})")


def _torch(row: LayerDefault, filled: Filled, sizes: Sizes, lines: _Lines) -> None:
    for name, (parameter, said) in filled.items():
        layout = _layout(parameter, said, sizes, out_first=True)
        options = f", layout={layout}" if layout else ""
        if "*" in name:
            lines.after += [
                "for name, weight in layer.named_parameters():",
                f'    if fnmatch(name, "{name}"):',
                f"        {said.name}.torch_(weight{options})",
            ]
        else:
            lines.after.append(f"{said.name}.torch_(layer.{name}{options})")


def _equinox(row: LayerDefault, filled: Filled, sizes: Sizes, lines: _Lines) -> None:
    for place, (name, (parameter, said)) in enumerate(filled.items(), 1):
        init = _jax_init(sizes, parameter, said)
        lines.after += [
            f"init = {init}",
            f"made = init(jax.random.key({place}), layer.{name}.shape)",
            f"layer = eqx.tree_at(lambda layer: layer.{name}, layer, made)",
        ]


_STYLES = {"keras": _keras, "jax": _jax, "haiku": _haiku, "torch": _torch, "equinox": _equinox}


def _arguments(
    row: LayerDefault, filled: Filled, lines: _Lines, call: Callable[[Parameter, Said], str]
) -> dict[str, str]:
    """Say laws by the layer's arguments; returns those that cannot, by parameter.

    An argument that serves several parameters says one law for all of them, or, where it must be
    given, the law of the first.
    """
    inits = {name: call(*filled[name]) for name in filled}
    laws: dict[str, dict[str, str]] = {}  # by argument: an initializer for each law
    of: dict[str, str] = {}  # by parameter: its law
    for parameter in row.values():
        if parameter.argument and not parameter.when:
            of[parameter.name] = ""
            if parameter.name in filled:
                said = filled[parameter.name][1]
                law = call(parameter, said._replace(name=lines.schemes[said.name]))
                of[parameter.name] = law
            found = laws.setdefault(parameter.argument, {})
            found.setdefault(of[parameter.name], inits.get(parameter.name, ""))
    left = {}
    for name, init in inits.items():
        parameter = filled[name][0]
        served = laws.get(parameter.argument, {})
        (first, *others) = served or {"": ""}
        if not served or (others and not parameter.required) or of[name] != first:
            left[name] = init
        elif (line := f"{parameter.argument}={served[first]}") not in lines.arguments:
            lines.arguments.append(line)
    return left


def _refused(row: LayerDefault, lines: _Lines, left: Iterable[str]) -> None:
    for name in left:
        lines.remark(name, f"{row.name} takes no initializer for it alone")


def _program(row: LayerDefault, sizes: Sizes, lines: _Lines) -> str:
    head = frameworks()[row.framework]
    made = [*_made(row, lines.arguments), *lines.after]
    if head["adapter"] == "haiku":
        made = [
            "",
            "",
            "def forward():",
            *(f"    {line}" for line in made),
            "",
            "",
            "params, state = hk.transform_with_state(forward).init(jax.random.PRNGKey(0))",
        ]
    body = [*lines.used("\n".join(made)), *made]
    text = "\n".join(body)
    top = [
        *(["import math"] if "math." in text else []),
        *(["from fnmatch import fnmatch"] if "fnmatch(" in text else []),
    ]
    top += [""] if top else []
    remarks = [
        line
        for reason, names in lines.remarks.items()
        for line in textwrap.wrap(
            f"Not here: {', '.join(names)}; {reason}.",
            98,
            initial_indent="# ",
            subsequent_indent="# ",
        )
    ]
    known = ["import initspec"] if "initspec." in text else []
    return "\n".join([*top, *known, *head["imports"], "", *_words(sizes, text), *body, *remarks])


def _made(row: LayerDefault, arguments: list[str]) -> list[str]:
    """The line that makes the layer, or several where it is long."""
    line = f"layer = {row.constructor(', '.join(arguments))}"
    if len(line) <= 92:
        return [line]
    name, _, inside = row.constructor("{inits}" if arguments else "").partition("(")
    before, _, after = inside.removesuffix(")").partition("{inits}")
    parts = [*_filled(before), *(f"    {argument}," for argument in arguments), *_filled(after)]
    return [f"layer = {name}(", *parts, ")"]


def _filled(text: str) -> list[str]:
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


def _words(sizes: Sizes, text: str) -> list[str]:
    """The sizes that the code speaks of, by name."""
    used = [
        (identifiers(word), n)
        for word, n in sizes.items()
        if re.search(rf"\b{identifiers(word)}\b", re.sub(r"\w+=", "", text))
    ]
    if not used:
        return []
    names, values = zip(*used, strict=True)
    return [f"{', '.join(names)} = {', '.join(repr(value) for value in values)}"]
