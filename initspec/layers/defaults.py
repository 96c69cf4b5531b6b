"""What a framework's layers draw by default: the tables, read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from ..errors import UnknownName
from ..readings.names import Name
from ..readings.registry import get
from ..spec.arguments import text
from ..spec.layer_layouts import document, stems, unknown
from ..spec.scheme import Scheme
from .parameter import LayerDefault, Parameter
from .sizes import Sizes, size_of, whole_number


def defaults(framework: str, layer: str) -> LayerDefault:
    """What a layer's parameters draw when nobody says otherwise.

    ``framework`` may say a version, as a name does: ``"keras<3.15"``, ``"keras==3.14"``; the newest
    that it admits is meant. Raises :class:`UnknownName` for a framework, a layer or a version that
    the tables do not hold, with the nearest that they do.

    >>> defaults("torch", "Linear")["bias"].formula
    'uniform about 0, variance 0.3333333333 / fan_in, limit sqrt(3 * variance); fan_in = in'
    >>> defaults("keras<3.15", "MultiHeadAttention").until
    '3.15'
    """
    text("a framework", framework)
    text("a layer", layer)
    wanted = Name.parse(f"layer@{framework}")
    name = wanted.dialect or ""
    if name not in frameworks():
        raise UnknownName("framework", name, frameworks())
    rows = [row for row in table(name) if row.name == layer]
    if not rows:
        raise unknown(f"layer of {name}", layer, dict.fromkeys(row.name for row in table(name)))
    for row in rows:  # the newest first
        if wanted.admits(row.since or None, row.until or None):
            return row
    spans = [f"{name}>={row.since}" if row.since else f"{name}<{row.until}" for row in rows]
    raise UnknownName(f"version for {layer}", framework, spans)


@cache
def frameworks() -> Mapping[str, Mapping[str, Any]]:
    """The frameworks that have a table, with what its head says: title, version, evidence.

    ``built``, where a framework was read, is the release whose layers were built once by hand and
    held against the rows.
    """
    apart = ("layer", "scheme", "layout")
    return MappingProxyType(
        {
            name: MappingProxyType(
                {key: v for key, v in document(name).items() if key not in apart}
            )
            for name in stems()
            if "layer" in document(name) and not document(name).get("layouts_only")
        }
    )


@cache
def kinds() -> Mapping[str, Sizes]:
    """The kinds of layers, each with the sizes that examples take."""
    return MappingProxyType(
        {
            kind: {word: size_of(word, n) for word, n in sizes.items()}
            for kind, sizes in document("kinds")["kind"].items()
        }
    )


@cache
def second_biases() -> Mapping[str, str]:
    """What becomes of the second bias of a kind of layer: ``"added"`` or ``"multiplied"``."""
    return MappingProxyType(document("kinds")["second_bias"])


def general(kind: str) -> str:
    """The kind that a kind is a case of, or none: a depthwise convolution is a grouped one.

    >>> general("depthwise"), general("dense")
    ('conv', '')
    """
    return str(document("kinds")["case"].get(kind, {}).get("of", ""))


def generalised(kind: str, sizes: Sizes) -> dict[str, Any]:
    """The sizes with those by which the more general kind speaks of the same layer.

    >>> generalised("depthwise", {"in": 8, "multiplier": 2})
    {'in': 8, 'multiplier': 2, 'groups': 8, 'out': 16}
    """
    words = document("kinds")["case"].get(kind, {}).get("sizes", {})
    return {**sizes, **{word: whole_number(text, sizes, word) for word, text in words.items()}}


@cache
def roles() -> Mapping[str, str]:
    """The roles that a parameter can play, each with what it means."""
    return MappingProxyType(document("kinds")["role"])


@cache
def table(framework: str) -> tuple[LayerDefault, ...]:
    """All rows of a framework, one for each name and span of versions."""
    head = document(framework)
    schemes = {name: get(fields) for name, fields in head.get("scheme", {}).items()}
    about = {key: head[key] for key in ("version", "evidence", "source")}
    return tuple(
        LayerDefault(framework=framework, name=name, **{**about, **row})
        for names, row in (_row(row, schemes) for row in head["layer"])
        for name in names
    )


def _row(row: Mapping[str, Any], schemes: Mapping[str, Scheme]) -> tuple[list[str], dict[str, Any]]:
    fields = dict(row)
    parameters: dict[str, Parameter] = {}
    for names, data in fields.pop("parameter").items():
        for name in names.split():  # "ii.kernel if.kernel": one law for each of them
            parameters[name] = _parameter(name, data, schemes, parameters)
    if "gates" in fields:
        fields["gate_order"] = fields.pop("gates")
    return fields.pop("names"), {**fields, "parameters": MappingProxyType(parameters)}


def _parameter(
    name: str,
    data: Mapping[str, Any],
    schemes: Mapping[str, Scheme],
    before: Mapping[str, Parameter],
) -> Parameter:
    fields = dict(data)
    if "scheme" in fields:
        given = fields["scheme"]
        fields["scheme"] = (
            schemes[given] if isinstance(given, str) and given in schemes else get(given)
        )
    if "fans_of" in fields:
        fields["bounds"] = before[fields.pop("fans_of")]
    if "gates" in fields:
        fields["gates"] = tuple(fields["gates"])
    return Parameter(name=name, **fields)
