"""A scheme as the text that makes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import InitSpecError, SpecError
from ..spec.scheme import Scheme
from ..spec.serial import to_dict
from .entry import Entry
from .registry import schemes


def fields_in_source(scheme: Scheme) -> dict[str, Any]:
    """The fields of a scheme as source text has them: without its name and the format's version."""
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
    if scheme.texts:
        return mapping(fields_in_source(scheme))
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
                shown = ", ".join(f"{word}={_value(value)}" for word, value in words.items())
                return f'initspec.get("{name}", {shown})'
        except InitSpecError:  # numbers that this name does not take
            continue
    return mapping(fields_in_source(scheme))


def mapping(fields: dict[str, Any]) -> str:
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
