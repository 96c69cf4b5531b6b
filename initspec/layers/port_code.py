"""The lines that make a layer with another one's laws."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..errors import SpecError
from ..readings.spelling import fields_in_source, mapping, named
from ..spec.distance import same_law
from ..spec.layout import fans
from ..spec.scheme import Scheme
from .defaults import frameworks, generalised, kinds
from .pairs import Pair, added, apart, same_entries, total
from .parameter import LayerDefault, Parameter
from .port_program import Assignments, Program, Variable
from .port_styles import STYLES
from .sizes import Sizes, python


def code(source: LayerDefault, target: LayerDefault, pairs: Sequence[Pair], sizes: Sizes) -> str:
    """A program that makes ``target`` with the laws of ``source``, as far as they can be said.

    What cannot be said in the target is named in a comment.
    """
    program = Program()
    assigned: Assignments = {}
    cases = sizes, _generic(source, sizes)
    for pair in pairs:
        for parameter, variable in _assignments(pair, source, target, cases, program):
            if assigned.setdefault(parameter.name, (parameter, variable))[1] != variable:
                program.remark(parameter.name, "one tensor here for several laws there")
    STYLES[frameworks()[target.framework]["adapter"]](target, assigned, sizes, program)
    for pair in pairs:
        if pair.source is not None and pair.source.zero_row:
            for parameter in pair.targets:
                program.zero_row(source, pair.source, target, parameter)
    return program.printed(target, sizes)


def _generic(source: LayerDefault, sizes: Sizes) -> Sizes:
    """Sizes that are equal by no chance: the example's, but for what the shape hangs on."""
    kept = {word: n for word, n in sizes.items() if word in ("groups", "k")}
    return generalised(source.kind, {**sizes, **kinds()[source.kind], **kept})


def _assignments(
    pair: Pair,
    source: LayerDefault,
    target: LayerDefault,
    cases: Sequence[Sizes],
    program: Program,
) -> Iterator[tuple[Parameter, Variable]]:
    """For each parameter of the target that is to change: the scheme that it is to have."""
    ours = pair.source
    if ours is None:
        for parameter in pair.targets:
            if parameter.role == "recurrent_bias":
                yield parameter, Variable(program.let("recurrent_bias", 'initspec.get("zeros")'))
        return
    if "recurrent_bias" in (ours.role, *(parameter.role for parameter in pair.targets)):
        reason = apart(source, target)
        if reason:
            program.remark(ours.name, reason)
    second = added(source, target) if ours.role == "bias" else None
    for parameter in pair.targets:
        if second is not None and parameter.role == "bias":
            yield (
                parameter,
                Variable(program.let("both_biases", _sum(ours, second, cases, program, target))),
            )
            continue
        if ours.required or _same(ours, parameter, cases):
            continue
        if ours.role == "recurrent_bias" and parameter.role == "bias":
            continue  # its second row, with the law of the first
        try:
            if "joined" in {ours.role, parameter.role} and ours.role != parameter.role:
                raise SpecError("one kernel on one side and two on the other")
            yield parameter, _scheme(ours, parameter, cases, (source, target), program)
        except SpecError as error:
            program.remark(parameter.name, str(error))


#: The law of two independent uniform numbers added. A class, and no function: it can be saved.
_SUM = [
    "class Sum(initspec.Custom):",
    '    """Two numbers, each uniform on (-limit, limit), added."""',
    "",
    "    def __init__(self, limit):",
    "        self.limit = limit",
    "",
    "    def ppf(self, p):",
    "        size = 1 - (1 - abs(2 * p - 1)) ** 0.5",
    "        return 2 * self.limit * size * (2 * (p > 0.5) - 1)",
]
_SAVED = [
    "",
    "    def get_config(self):",
    '        return {"limit": self.limit}',
    "",
    "    @classmethod",
    "    def from_config(cls, config):",
    "        return cls(**config)",
]


def _sum(
    first: Parameter,
    second: Parameter,
    cases: Sequence[Sizes],
    program: Program,
    target: LayerDefault,
) -> str:
    """The law of the one bias that stands for two, which are added."""
    for sizes in cases:
        total(first.on(sizes), second.on(sizes))
    assert first.scheme is not None
    keras = frameworks()[target.framework]["adapter"] == "keras"
    register = ['@keras.saving.register_keras_serializable(package="ported")']
    program.classes = [*register, *_SUM, *_SAVED] if keras else _SUM
    return f"initspec.get(Sum({_limit(first, first.scheme, program)}))"


def _same(source: Parameter, target: Parameter, cases: Sequence[Sizes]) -> bool:
    if target.required:
        return False
    return all(same_entries(source, target, sizes) for sizes in cases)


def _scheme(
    source: Parameter,
    target: Parameter,
    cases: Sequence[Sizes],
    rows: tuple[LayerDefault, LayerDefault],
    program: Program,
) -> Variable:
    """The source's law for the target's tensor, as a variable."""
    scheme = source.scheme
    role = target.role if target.role in ("qkv", "qkv_bias") else source.role
    if scheme is None:
        return Variable(program.let(role, _by_gate(source, target, *rows)))
    if scheme.distribution == "orthogonal":
        if source.joint and not _stack(target):
            raise SpecError("all gates are one orthogonal matrix there, and apart here")
        return Variable(program.let(role, named(scheme)), axes=True, joint=source.joint)
    if not scheme.needs_fans:
        return Variable(program.let(role, named(scheme)))
    if all(_fans_agree(source, target, sizes) for sizes in cases):
        return Variable(
            program.let(role, named(replace(scheme, fans="true", name=None))), axes=True
        )
    return Variable(program.let(role, _in_numbers(source, scheme, program)))


def _stack(parameter: Parameter) -> int:
    match = re.search(r"stack=(\d+)", parameter.layout or "")
    return int(match[1]) if match else 0


def _fans_agree(source: Parameter, target: Parameter, sizes: Sizes) -> bool:
    """Whether the true fans of the target's tensor are those that the source counts."""
    if target.layout is None or source.scheme is None:
        return False
    shape, layout = target.shape_on(sizes), target.layout_on(sizes)
    if target.called:
        layout = replace(layout, stack=1)
    law = replace(source.scheme, fans="true").given(**fans(shape, layout)._asdict())
    return same_law(law, source.on(sizes))


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


def _in_numbers(source: Parameter, scheme: Scheme, program: Program) -> str:
    """The scale written out, for fans that the target's tensor does not tell."""
    if scheme.distribution == "uniform":
        limit = _limit(source, scheme, program)
        return f'initspec.get("uniform", low=-{limit}, high={limit})'
    std = program.let("std", _root(*_quotient(source, scheme)))
    if scheme.distribution == "normal":
        return f'initspec.get("normal", std={std})'
    cut = Scheme(distribution="truncated_normal", std=1.0, truncation=scheme.truncation)
    fields = fields_in_source(cut)
    return mapping(fields).replace('"std": 1.0', f'"std": {std}')


def _limit(source: Parameter, scheme: Scheme, program: Program) -> str:
    """The limit of a uniform law, as a variable."""
    variance, n = _quotient(source, scheme)
    return program.let("limit", _root(3 * variance, n))


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
