"""One porting page for each kind of layer: what each framework draws, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from initspec.errors import InitSpecError
from initspec.layers.defaults import frameworks, kinds, roles
from initspec.layers.defaults import table as rows
from initspec.layers.parameter import LayerDefault, Parameter
from initspec.readings.registry import get
from initspec.spec.scheme import Scheme
from initspec.spec.truncation import Truncation

from .markdown import NONE, code, escaped, number, page, plain, table, tick, ticks

_NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "mgu": "MGU", "prelu": "PReLU"}
_NAMES |= {"lora": "LoRA", "conv_lstm": "Convolutional LSTM", "rms_norm": "RMS norm"}
_NAMES |= {"conv": "Convolution", "conv_transpose": "Transposed convolution"}
_NAMES |= {"depthwise": "Depthwise convolution", "separable": "Separable convolution"}
_NAMES |= {"conv_local": "Locally connected convolution"}


def pages() -> dict[str, str]:
    found = {f"layers/{kind}.md": _page(kind) for kind in kinds()}
    return {"layers/index.md": _index(), **found}


def title(kind: str) -> str:
    return _NAMES.get(kind) or kind.replace("_", " ").capitalize()


def _index() -> str:
    return page(
        "Layers",
        "What the layers of each framework draw when nobody says otherwise, side by side: what "
        "changes when a model is ported. `initspec port torch.nn.Linear --to flax` says it for one "
        "layer, with the code that gives the one in the other.",
        "<!-- contents -->",
        table(
            ("Kind", "Layers"),
            [(f"[{title(kind)}]({kind}.md)", _layers(kind)) for kind in kinds()],
        ),
        "## The frameworks",
        "Where a framework is run, a test builds its layers and holds the laws, the names and the "
        "shapes of their parameters against them. Where it was read, all three, and the order of "
        "the gates, are those of its source. Of those that say so, the layers of one release were "
        "also built once, by hand, and held against the table in the same way; no test repeats it.",
        table(
            ("", "Version", "Evidence", "Source"),
            [
                (head["title"], head["version"], _evidence(head), tick(head["source"]))
                for head in frameworks().values()
            ],
        ),
    )


def _layers(kind: str) -> str:
    found = dict.fromkeys(
        frameworks()[row.framework]["title"] for group in _groups(kind) for row in group
    )
    return ", ".join(found)


def _groups(kind: str) -> list[list[LayerDefault]]:
    """The rows of a kind, those that were run first; layers of one row of a table together."""
    groups: dict[int, list[LayerDefault]] = {}
    for framework in frameworks():
        for row in rows(framework):
            if row.kind == kind:
                groups.setdefault(id(row.parameters), []).append(row)
    return sorted(groups.values(), key=lambda group: (group[0].evidence != "run", _title(group[0])))


def _evidence(head: Mapping[str, Any]) -> str:
    if head["evidence"] == "run":
        return "run"
    return f"read; built once, of {head['built']}" if "built" in head else "read, not run"


def _page(kind: str) -> str:
    groups, sizes = _groups(kind), kinds()[kind]
    played = {parameter.role for group in groups for parameter in group[0].parameters.values()}
    return page(
        title(kind),
        f"What each framework draws unless told otherwise; of which version, [the list](index.md) "
        f"says. Standard deviations are those of {_sizes(sizes)}"
        + ("; in a variance `k` is the number of taps." if "k" in sizes else "."),
        *(part for role in roles() if role in played for part in _role(role, groups, sizes)),
        *_notes(groups),
        *_code(groups),
    )


def _sizes(sizes: Mapping[str, Any]) -> str:
    return ticks(
        f"{word} = {'×'.join(map(str, n)) if isinstance(n, tuple) else n}"
        for word, n in sizes.items()
    )


def _code(groups: list[list[LayerDefault]]) -> Iterator[str]:
    """The command that writes code: from any framework to one that is run, if there are two."""
    rows: dict[str, LayerDefault] = {}
    for group in groups:
        rows.setdefault(group[0].framework, group[0])
    first = sorted(rows.values(), key=lambda row: row.framework != "torch")
    run = [name for name in ("flax", "keras", "torch", *sorted(rows)) if name in rows]
    run = [name for name in run if "adapter" in frameworks()[name]]
    pairs = ((row, to) for row in first for to in run if to != row.framework)
    for row, to in pairs:
        module = (frameworks()[row.framework].get("modules") or [row.framework])[0]
        yield "## The code"
        yield "To have one framework's start in another, ask for the lines:"
        yield code(f"$ initspec port {module}.{row.name} --to {to}", "console")
        return


def _role(role: str, groups: list[list[LayerDefault]], sizes: Mapping[str, Any]) -> Iterator[str]:
    """A table: a line for each law that a framework's layers have for this role."""
    found: dict[tuple[str, ...], tuple[dict[str, None], dict[str, None]]] = {}
    for group in groups:
        for parameter in group[0].parameters.values():
            if parameter.role == role:
                law = (*_law(parameter), _std(parameter, sizes))
                line = (_title(group[0]), _span(group[0]), _shape(parameter), *law)
                layers, names = found.setdefault(line, ({}, {}))
                layers |= dict.fromkeys(row.name for row in group)
                names |= {parameter.name: None}
    yield f"## {role.replace('_', ' ').capitalize()}"
    yield f"{roles()[role].capitalize()}."
    yield table(
        ("Framework", "Version", "Layer", "Parameter", "Shape", "Law", "Variance", "Std"),
        [
            (title, span, ticks(layers), ticks(names), *rest)
            for (title, span, *rest), (layers, names) in found.items()
        ],
        right=(7,),
    )


def _span(row: LayerDefault) -> str:
    held = [f"since {row.since}"] if row.since else []
    return ", ".join([*held, *([f"before {row.until}"] if row.until else [])])


def _shape(parameter: Parameter) -> str:
    return tick(f"({', '.join(parameter.shape.split())})")


def _law(parameter: Parameter) -> tuple[str, str]:
    """The kind of law, and its variance in words of sizes."""
    scheme = parameter.scheme
    if scheme is not None and scheme.distribution in _KINDS:
        law, variance = _KINDS[scheme.distribution], tick(_variance(parameter, scheme))
        law += f", {_cut(scheme.truncation)}" if scheme.truncation else ""
        law += f", mean {scheme.mean:g}" if scheme.mean else ""
        law += f"; the row {parameter.zero_row} is zero" if parameter.zero_row else ""
    else:
        law, variance = parameter.formula.replace(_HAAR, "orthogonal"), ""
    law += f" (only where {parameter.when})" if parameter.when else ""
    return escaped(plain(law)), variance


def _cut(cut: Truncation) -> str:
    unit = {"parent": "", "result": " of the result", "absolute": " (absolute)"}[cut.unit]
    return f"cut at {cut.low:g} and {cut.high:g}{unit}, {cut.variance}"


_HAAR = get("orthogonal").formula
_KINDS = {"normal": "normal", "uniform": "uniform", "truncated_normal": "normal"}


def _variance(parameter: Parameter, scheme: Scheme) -> str:
    if scheme.mode is None:
        return f"{scheme.given(fan_in=1, fan_out=1).variance:.4g}"
    fan_in, fan_out = parameter.fan_words()
    twice = 2 if scheme.mode == "FAN_AVG" else 1
    n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": f"({fan_in} + {fan_out})"}[scheme.mode]
    factor = Fraction(twice * scheme.variance_factor).limit_denominator(1000)
    if not math.isclose(factor, twice * scheme.variance_factor, rel_tol=1e-9):
        return f"{twice * scheme.variance_factor:.6g} / {_product(n)}"
    n = _product(n if factor.denominator == 1 else f"{factor.denominator}*{n}")
    return f"{factor.numerator} / {n}"


def _product(n: str) -> str:
    """A divisor, in parentheses where it is a product."""
    return f"({n})" if "*" in n and not n.startswith("(") else n


def _std(parameter: Parameter, sizes: Mapping[str, Any]) -> str:
    try:
        law = parameter.on(sizes)
        return number(math.sqrt(law.variance), 4)
    except InitSpecError:
        return NONE


def _notes(groups: list[list[LayerDefault]]) -> list[str]:
    lines = [f"- {_who(group)}: {text}" for group in groups if (text := _told(group[0]))]
    read = dict.fromkeys(_title(group[0]) for group in groups if group[0].evidence != "run")
    if read:
        lines.append(f"- Read in the source and not run by a test: {', '.join(read)}.")
    return ["## Notes", "\n".join(lines)] if lines else []


def _who(group: list[LayerDefault]) -> str:
    return f"**{_title(group[0])}** {ticks(row.name for row in group)}"


def _told(row: LayerDefault) -> str:
    """All that a row says besides its laws; what several parameters share is said once."""
    found = [f"Its gates stand in the order `{row.gate_order}`."] if row.gate_order else []
    found += [escaped(plain(row.note))] if row.note else []
    shared: dict[str, list[str]] = {}
    for parameter in row.parameters.values():
        if parameter.note:
            shared.setdefault(parameter.note, []).append(parameter.name)
    found += [f"{ticks(names)}: {escaped(plain(note))}" for note, names in shared.items()]
    return " ".join(found)


def _title(row: LayerDefault) -> str:
    return str(frameworks()[row.framework]["title"])
