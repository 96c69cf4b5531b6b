"""What a name means: its reading first, then its formula, then numbers on a shape."""

from __future__ import annotations

import textwrap
from typing import Any

from .errors import SpecError
from .layout import Layout, fans
from .registry import Entry, dialects, get, references, schemes
from .scheme import Scheme

_BARE = "without a dialect: the reading that Keras, TensorFlow and JAX share"


def show(
    name: str, shape: list[int] | None, layout: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Data and lines on a scheme; with a shape also its numbers."""
    scheme = get(name)
    entry = schemes.get((scheme.name or "").partition("(")[0])
    data: dict[str, Any] = {"name": scheme.name, "formula": scheme.formula, "latex": scheme.latex}
    lines = [scheme.name or repr(scheme)]
    if entry is not None:
        lines[0] += f", {entry.title}" if entry.dialect else f", {_BARE}"
        data |= _facts(entry)
    lines += _wrap("Law", scheme.formula)
    lines += _meaning(entry) if entry is not None else []
    lines.append(f"  LaTeX:       {scheme.latex}")
    if entry is not None:
        lines += _sources(entry)
    if shape is not None:
        numbers = _numbers(scheme, tuple(shape), layout)
        data["on"] = numbers
        lines += ["", f"On shape {tuple(shape)}, layout {numbers['layout']}:"]
        lines += [
            f"  {key + ':':11} {_text(value)}"
            for key, value in numbers.items()
            if key not in ("shape", "layout")
        ]
    return data, lines


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "title": entry.title,
        "dialect": entry.dialect,
        "summary": entry.summary,
        "note": entry.note,
        "aliases": list(entry.aliases),
        "arguments": list(entry.arguments),
        "other_readings": {other.name: other.make().formula for other in _others(entry)},
        "references": [dict(references()[key]) for key in entry.references],
    }


def _others(entry: Entry) -> list[Entry]:
    base = entry.name.partition("@")[0]
    return [
        other
        for name, other in schemes.items()
        if name.partition("@")[0] == base and name != entry.name
    ]


def _meaning(entry: Entry) -> list[str]:
    lines = _wrap("Also called", ", ".join(entry.aliases))
    if entry.dialect:
        lines += _wrap("Dialect", dialects()[entry.dialect]["note"])
    others = _others(entry)
    if others:
        lines.append("  Other readings:")
        lines += [f"    {other.name}: {other.make().formula}" for other in others]
    return [*lines, *_wrap("Note", entry.note), *_wrap("Purpose", entry.summary)]


def _sources(entry: Entry) -> list[str]:
    lines = _wrap("Arguments", ", ".join(entry.arguments))
    for key in entry.references:
        source = references()[key]
        lines += _wrap("Reference", " ".join(filter(None, (source["text"], source.get("url")))))
    return lines


def _wrap(title: str, text: str) -> list[str]:
    if not text:
        return []
    return textwrap.wrap(
        text,
        92,
        initial_indent=f"  {title + ':':13}",
        subsequent_indent=" " * 15,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _numbers(scheme: Scheme, shape: tuple[int, ...], layout: str | None) -> dict[str, Any]:
    law = scheme.on(shape, layout)
    axes = Layout.of(layout, len(shape))
    numbers: dict[str, Any] = {"shape": list(shape), "layout": str(axes)}
    if scheme.needs_fans:
        count = fans(shape, axes, scheme.fans)
        numbers |= {"fan_in": count.fan_in, "fan_out": count.fan_out}
    for name in ("mean", "variance", "std", "limits", "support", "kurtosis"):
        try:
            numbers[name] = getattr(law, name)
        except SpecError as error:  # a custom law that does not say
            numbers[name] = str(error)
    return numbers


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_text(item) for item in value)})"
    return f"{value:.9g}" if isinstance(value, float) else str(value)
