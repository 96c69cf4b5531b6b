"""A named scheme in words: its reading first, then its formula, then numbers on a shape."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from ..errors import SpecError
from ..readings.entry import Entry
from ..readings.registry import dialect, readings, references, schemes
from ..spec.fan_rules import RULES, Shape
from ..spec.layout import Layout, fans
from ..spec.scheme import Scheme


def described(scheme: Scheme) -> tuple[dict[str, Any], list[str]]:
    """Data and lines on what a scheme means, and on who reads its name otherwise."""
    entry = schemes.get(scheme.name.partition("(")[0]) if scheme.name else None
    data: dict[str, Any] = {"name": scheme.name, "formula": scheme.formula, "latex": scheme.latex}
    lines = [scheme.name or repr(scheme)]
    if entry is not None:
        lines[0] += (
            f", {entry.title}" if entry.dialect else f", without a dialect: {shared_by(entry)}"
        )
        data |= _facts(entry)
        data["other_readings"] = {other.name: other.make().formula for other in _others(entry)}
    lines += _wrap("Law", scheme.formula)
    lines += _wrap("Fans", fan_rule(scheme.fans)) if scheme.needs_fans else []
    lines += _meaning(entry) if entry is not None else []
    lines.append(f"  LaTeX:       {scheme.latex}")
    if entry is not None:
        lines += _sources(entry)
    return data, lines


#: The dialects that bare names mostly follow, in the order of their naming.
_FOLLOWED = ("keras", "tensorflow", "jax", "torch")


def shared_by(entry: Entry) -> str:
    """Whose reading a bare name is: the dialects of :data:`_FOLLOWED` with the same law.

    >>> shared_by(schemes["he_normal"])
    'the reading that Keras, TensorFlow and JAX share'
    >>> shared_by(schemes["sparse"])
    'a reading of its own'
    """
    law = entry.make().formula
    newest = {name: readings(entry.base, name)[:1] for name in _FOLLOWED}
    titles = [
        dialect(name)["title"]
        for name, rows in newest.items()
        if any(row.make().formula == law for row in rows)
    ]
    if not titles:
        return "a reading of its own"
    *others, last = titles
    return f"the reading that {', '.join(others)} and {last} share" if others else f"as {last}"


def on_shape(scheme: Scheme, shape: Shape, layout: str | None) -> tuple[dict[str, Any], list[str]]:
    """Data and lines on the numbers of a scheme's law on a shape."""
    numbers = _numbers(scheme, shape, layout)
    lines = ["", f"On shape {shape}, layout {numbers['layout']}:"]
    lines += [
        f"  {name + ':':11} {_text(value)}"
        for name, value in numbers.items()
        if name not in ("shape", "layout")
    ]
    return numbers, [*lines, *assumed(layout, len(shape))]


def assumed(given: str | None, ndim: int) -> list[str]:
    """A line that says which order of the axes was assumed, where none was given.

    >>> print(*assumed(None, 2))
    No --layout was given: io is assumed, as Keras and JAX store it; PyTorch's order is oi.
    """
    if given is not None or ndim < 2:
        return []
    ours, theirs = (Layout.of(None, ndim, out_first=first) for first in (False, True))
    return [
        f"No --layout was given: {ours} is assumed, as Keras and JAX store it; PyTorch's order is "
        f"{theirs}."
    ]


def table(entries: Sequence[Entry]) -> tuple[list[dict[str, Any]], list[str]]:
    """Data and lines on entries of the registry, a line for each."""
    formulas = {entry.name: entry.make().formula for entry in entries}
    data = [
        {"name": entry.name, **_facts(entry), "formula": formulas[entry.name]} for entry in entries
    ]
    width = max(map(len, formulas))
    lines = []
    for entry in entries:
        also = f"  (also {', '.join(entry.aliases)})" if entry.aliases else ""
        lines.append(f"{entry.name:{width}}  {formulas[entry.name]}{also}")
    return data, lines


def fan_rule(name: str) -> str:
    """A fan rule in one sentence: the first of its docstring.

    >>> fan_rule("elements")
    'elements: fan_in = fan_out = the number of elements.'
    """
    law = (RULES[name].__doc__ or "").partition("\n")[0].replace("`", "")
    return f"{name}: {law}"


def of_dialect(name: str) -> list[str]:
    """What a dialect says of itself, and which of its framework's names are no schemes."""
    head = dialect(name)
    lines = [f"{name}: {head['title']} {head.get('version', '')}".rstrip()]
    lines += _wrap("Meaning", head["note"])
    lines += _wrap("Fans", fan_rule(head["fans"]))
    lines += _wrap("Source", _evidence(head["source"], head["evidence"]))
    for word, reason in head["absent"].items():
        lines += _wrap("No scheme", f"{word}: {reason}")
    return [*lines, ""]


def _evidence(source: str, evidence: str) -> str:
    return f"{source} ({'run' if evidence == 'run' else 'read, not run'})"


def _facts(entry: Entry) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "title": entry.title,
        "dialect": entry.dialect,
        "summary": entry.summary,
        "note": entry.note,
        "aliases": list(entry.aliases),
        "arguments": list(entry.arguments),
        "references": [dict(references()[key]) for key in entry.references],
    }
    if entry.dialect:
        facts |= {
            "call": entry.call,
            "units": dict(entry.units),
            "fans": entry.make().fans,
            "version": entry.version,
            "since": entry.since,
            "until": entry.until,
            "evidence": entry.evidence,
            "source": entry.source,
        }
    return facts


def _others(entry: Entry) -> list[Entry]:
    return [other for other in readings(entry.base) if other.name != entry.name]


def _meaning(entry: Entry) -> list[str]:
    lines = _wrap("Also called", ", ".join(entry.aliases))
    if entry.dialect:
        lines += _wrap("Dialect", dialect(entry.dialect)["note"])
        lines += _wrap("Holds", _span(entry))
        lines += _wrap("Source", _evidence(entry.source, entry.evidence))
    return [
        *lines,
        *_readings(entry),
        *_wrap("Note", entry.note),
        *_wrap("Purpose", entry.summary),
    ]


def _span(entry: Entry) -> str:
    """For which versions a row holds, and which of them was read or run."""
    held = [f"since {entry.since}"] if entry.since else []
    held += [f"before {entry.until}"] if entry.until else []
    seen = "" if entry.until or not entry.version else f"as of {entry.version}"
    return ", ".join(filter(None, [*held, seen]))


def _readings(entry: Entry) -> list[str]:
    """Who reads the name how, one line for each law; nobody reads it twice."""
    here, laws = entry.make().formula, dict[str, list[str]]()
    for other in _others(entry):
        at = other.name[len(other.base) :] or "without a dialect"
        laws.setdefault(other.make().formula, []).append(at)
    same = laws.pop(here, [])
    lines = _wrap("Same law", ", ".join(same))
    for formula, names in laws.items():
        lines += _wrap("Otherwise", f"{', '.join(names)}: {formula}")
    return lines


def _sources(entry: Entry) -> list[str]:
    words = [
        f"{word} (on {entry.units[word]})" if word in entry.units else word
        for word in entry.arguments
    ]
    lines = _wrap("Arguments", ", ".join(words))
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


def _numbers(scheme: Scheme, shape: Shape, layout: str | None) -> dict[str, Any]:
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
