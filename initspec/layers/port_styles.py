"""How each framework writes an initializer into a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from ..spec.layout import Layout
from .parameter import LayerDefault, Parameter
from .port_program import Assignments, Program, Variable
from .sizes import Sizes, identifiers


def _layout(
    parameter: Parameter, variable: Variable, sizes: Sizes, *, out_first: bool = False
) -> str:
    """The layout to hand over, where the adapter would take another one for granted."""
    if not variable.axes or parameter.layout is None or parameter.called:
        return ""
    axes = parameter.layout_on(sizes)
    axes = replace(axes, stack=1) if variable.joint else axes
    usual = Layout.of(None, len(axes.axes), out_first=out_first)
    return "" if axes == usual else f'"{axes}"'


def _keras(row: LayerDefault, assigned: Assignments, sizes: Sizes, program: Program) -> None:
    def call(parameter: Parameter, variable: Variable) -> str:
        layout = _layout(parameter, variable, sizes)
        return f"{variable.name}.keras({f'layout={layout}' if layout else ''})"

    program.after.append(f"layer.build({identifiers(row.inputs)})")
    for name, init in _arguments(row, assigned, program, call).items():
        program.after += [
            f'weight = next(w for w in layer.weights if w.path.endswith("/{name}"))',
            f"weight.assign({init}(weight.shape))",
        ]


def _jax(row: LayerDefault, assigned: Assignments, sizes: Sizes, program: Program) -> None:
    _remark_unsaid(row, program, _arguments(row, assigned, program, partial(_jax_init, sizes)))
    if row.inputs:
        inputs, call = identifiers(row.inputs), "params = layer.init(jax.random.key(0), {})"
        if len(inputs) > 60:
            program.after.append(f"inputs = {inputs}")
            inputs = "*inputs"
        program.after.append(call.format(inputs))


def _jax_init(sizes: Sizes, parameter: Parameter, variable: Variable) -> str:
    layout = _layout(parameter, variable, sizes)
    if layout:
        return f'initspec.initializer({variable.name}, backend="jax", layout={layout})'
    return f"{variable.name}.jax"


def _haiku(row: LayerDefault, assigned: Assignments, sizes: Sizes, program: Program) -> None:
    def call(parameter: Parameter, variable: Variable) -> str:
        layout = _layout(parameter, variable, sizes)
        if layout:
            return f'initspec.backend("jax").haiku({variable.name}, layout={layout})'
        return f"{variable.name}.haiku"

    _remark_unsaid(row, program, _arguments(row, assigned, program, call))
    program.after.append(f"return layer({identifiers(row.inputs)})")


def _torch(row: LayerDefault, assigned: Assignments, sizes: Sizes, program: Program) -> None:
    for name, (parameter, variable) in assigned.items():
        layout = _layout(parameter, variable, sizes, out_first=True)
        options = f", layout={layout}" if layout else ""
        if "*" in name:
            program.after += [
                "for name, weight in layer.named_parameters():",
                f'    if fnmatch(name, "{name}"):',
                f"        {variable.name}.torch_(weight{options})",
            ]
        else:
            program.after.append(f"{variable.name}.torch_(layer.{name}{options})")


def _equinox(row: LayerDefault, assigned: Assignments, sizes: Sizes, program: Program) -> None:
    for place, (name, (parameter, variable)) in enumerate(assigned.items(), 1):
        init = _jax_init(sizes, parameter, variable)
        program.after += [
            f"init = {init}",
            f"made = init(jax.random.key({place}), layer.{name}.shape)",
            f"layer = eqx.tree_at(lambda layer: layer.{name}, layer, made)",
        ]


STYLES = {"keras": _keras, "jax": _jax, "haiku": _haiku, "torch": _torch, "equinox": _equinox}


def _arguments(
    row: LayerDefault,
    assigned: Assignments,
    program: Program,
    call: Callable[[Parameter, Variable], str],
) -> dict[str, str]:
    """Say laws by the layer's arguments; returns the initializers that cannot be, by parameter.

    An argument that serves several parameters says one law for all of them, or, where it must be
    given, the law of the first.
    """

    def law(name: str) -> str:
        """A parameter's initializer with its scheme written out; empty for the default."""
        if name not in assigned:
            return ""
        parameter, variable = assigned[name]
        return call(parameter, variable._replace(name=program.schemes[variable.name]))

    unsaid: dict[str, str] = {}
    for name, (parameter, variable) in assigned.items():
        served = [other.name for other in _served_with(parameter, row)]
        alike = parameter.required or len({law(other) for other in served}) == 1
        if not served or not alike or law(name) != law(served[0]):
            unsaid[name] = call(parameter, variable)
        elif (
            line := f"{parameter.argument}={call(*assigned[served[0]])}"
        ) not in program.arguments:
            program.arguments.append(line)
    return unsaid


def _served_with(parameter: Parameter, row: LayerDefault) -> list[Parameter]:
    """The parameters that one argument of the layer speaks for, in the order of the table."""
    if not parameter.argument:
        return []
    same = (other for other in row.values() if other.argument == parameter.argument)
    return [other for other in same if not other.when]


def _remark_unsaid(row: LayerDefault, program: Program, names: Iterable[str]) -> None:
    for name in names:
        program.remark(name, f"{row.name} takes no initializer for it alone")
