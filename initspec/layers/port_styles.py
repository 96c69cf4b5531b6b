"""How each framework writes an initializer into a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from ..spec.layout import Layout
from .parameter import LayerDefault, Parameter
from .port_program import Filled, Lines, Said
from .sizes import Sizes, identifiers

# ------------------------------------------------------------------------------ by framework


def _layout(parameter: Parameter, said: Said, sizes: Sizes, *, out_first: bool = False) -> str:
    """The layout to hand over, where the adapter would take another one for granted."""
    if not said.axes or parameter.layout is None or parameter.called:
        return ""
    axes = parameter.layout_on(sizes)
    axes = replace(axes, stack=1) if said.joint else axes
    usual = Layout.of(None, len(axes.axes), out_first=out_first)
    return "" if axes == usual else f'"{axes}"'


def _keras(row: LayerDefault, filled: Filled, sizes: Sizes, lines: Lines) -> None:
    def call(parameter: Parameter, said: Said) -> str:
        layout = _layout(parameter, said, sizes)
        return f"{said.name}.keras({f'layout={layout}' if layout else ''})"

    lines.after.append(f"layer.build({identifiers(row.inputs)})")
    for name, init in _arguments(row, filled, lines, call).items():
        lines.after += [
            f'weight = next(w for w in layer.weights if w.path.endswith("/{name}"))',
            f"weight.assign({init}(weight.shape))",
        ]


def _jax(row: LayerDefault, filled: Filled, sizes: Sizes, lines: Lines) -> None:
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


def _haiku(row: LayerDefault, filled: Filled, sizes: Sizes, lines: Lines) -> None:
    def call(parameter: Parameter, said: Said) -> str:
        layout = _layout(parameter, said, sizes)
        if layout:
            return f'initspec.backend("jax").haiku({said.name}, layout={layout})'
        return f"{said.name}.haiku"

    _refused(row, lines, _arguments(row, filled, lines, call))
    lines.after.append(f"return layer({identifiers(row.inputs)})")


def _torch(row: LayerDefault, filled: Filled, sizes: Sizes, lines: Lines) -> None:
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


def _equinox(row: LayerDefault, filled: Filled, sizes: Sizes, lines: Lines) -> None:
    for place, (name, (parameter, said)) in enumerate(filled.items(), 1):
        init = _jax_init(sizes, parameter, said)
        lines.after += [
            f"init = {init}",
            f"made = init(jax.random.key({place}), layer.{name}.shape)",
            f"layer = eqx.tree_at(lambda layer: layer.{name}, layer, made)",
        ]


STYLES = {"keras": _keras, "jax": _jax, "haiku": _haiku, "torch": _torch, "equinox": _equinox}


def _arguments(
    row: LayerDefault, filled: Filled, lines: Lines, call: Callable[[Parameter, Said], str]
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


def _refused(row: LayerDefault, lines: Lines, left: Iterable[str]) -> None:
    for name in left:
        lines.remark(name, f"{row.name} takes no initializer for it alone")
