"""One page for each bare scheme, and the table of all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import initspec
from initspec import fans
from initspec.errors import SpecError
from initspec.readings.argument import Argument
from initspec.readings.entry import Entry
from initspec.readings.registry import dialect, dialects, references, rows
from initspec.spec.distribution import Distribution
from initspec.spec.scheme import Scheme

from .answers import answers
from .derivations import derivation
from .examples import example, in_words, spaced
from .figures import figure, shown
from .lines import lines
from .markdown import code, escaped, number, page, table, tick, ticks
from .names import names


def pages() -> dict[str, str]:
    found = {"schemes/index.md": _index()}
    for entry in rows(None):
        found[f"schemes/{entry.name}.md"] = _page(entry)
        found[f"schemes/{entry.name}.svg"] = figure(entry)
    return found


def _index() -> str:
    head = ("Scheme", "Also called", "Law")
    own = [(e.base, e) for name in dialects() for e in rows(name) if e.base not in _bare()]
    return page(
        "Schemes",
        "A bare name has one meaning, mostly the reading that Keras, TensorFlow and JAX share. "
        "Each page says what the law is and where it comes from, its numbers, who calls it what "
        "and who means something else, how to have it in each framework, and the numbers that a "
        "seed gives.",
        "<!-- contents -->",
        table(head, [(f"[{e.name}]({e.name}.md)", ticks(e.aliases), _law(e)) for e in rows(None)]),
        "## Names that one framework alone has",
        "They are asked for with their dialect.",
        table(
            ("Name", "Law", "Whose"),
            [(tick(e.name), _law(e), _whose(e)) for _, e in sorted(own, key=_by_name)],
        ),
    )


def _by_name(pair: tuple[str, Entry]) -> tuple[str, str]:
    return pair[0], pair[1].name


def _bare() -> set[str]:
    return {entry.name for entry in rows(None)}


def _law(entry: Entry) -> str:
    return escaped(entry.make().formula)


def _whose(entry: Entry) -> str:
    assert entry.dialect
    return f"[{dialect(entry.dialect)['title']}](../dialects/{entry.dialect}.md)"


def _page(entry: Entry) -> str:
    scheme = entry.make()
    also = f", also called {ticks(entry.aliases)}" if entry.aliases else ""
    return page(
        entry.name,
        f"**{entry.title}**{also}. {entry.summary}",
        _formula(scheme),
        escaped(f"In words: {scheme.formula}."),
        escaped(entry.note),
        shown(entry),
        "## Where it comes from",
        derivation(entry),
        "## In numbers",
        *_numbers(scheme),
        *_arguments(entry),
        "## In each framework",
        *lines(entry),
        "## Who calls what by this name",
        *names(entry),
        "## Known answers",
        *answers(entry),
        *_sources(entry),
    )


def _formula(scheme: Scheme) -> str:
    """The law, one condition on a line, so that it fits on a narrow page."""
    return "\n\n".join(f"$$\n{line}\n$$" for line in scheme.latex.split(r",\ "))


# ------------------------------------------------------------------------------------- in numbers

_MOMENTS = (
    ("mean", "mean"),
    ("variance", "variance"),
    ("std", "standard deviation"),
    ("kurtosis", "excess kurtosis"),
    ("limits", "limits"),
    ("support", "support"),
)


def _numbers(scheme: Scheme) -> Iterator[str]:
    shape, layout = example(scheme)
    law = scheme.on(shape, layout)
    yield f"On a weight of {in_words((shape, layout))}:"
    found = [(title, _said(law, word)) for word, title in _MOMENTS]
    if scheme.needs_fans:
        count = fans(shape, layout)
        found = [("fan_in", number(count.fan_in)), ("fan_out", number(count.fan_out)), *found]
    yield table(("", ""), found, right=(1,))
    yield code(
        f"$ initspec show {scheme.name} --shape {spaced(shape)} --layout {layout}", "console"
    )


def _said(law: Distribution, word: str) -> str:
    try:
        return number(getattr(law, word))
    except SpecError:
        return number(None)


@cache
def _fields() -> dict[str, Any]:
    path = Path(initspec.__file__).parent / "readings" / "schemes.schema.json"
    schema = json.loads(path.read_text("utf-8"))["$defs"]
    found: dict[str, Any] = {**schema["fields"]["properties"]}
    found |= {f"truncation.{k}": v for k, v in schema["truncation"]["properties"].items()}
    return found


def _arguments(entry: Entry) -> Iterator[str]:
    if entry.arguments:
        yield "## Arguments"
        yield table(
            ("", "Default", ""),
            [
                (tick(word), tick(_default(entry, argument)), _meaning(argument))
                for word, argument in entry.arguments.items()
            ],
        )
        word = next(iter(entry.arguments))
        yield f'Write them behind the name, `"{entry.name}({word}=...)"`, or give them to `get`.'


def _default(entry: Entry, argument: Argument) -> str:
    if not argument.field:
        return str(entry.scheme.get("distribution", ""))
    value: Any = entry.make()
    for part in argument.field.split("."):
        value = getattr(value, part)
    return str(value)


def _meaning(argument: Argument) -> str:
    if not argument.field:
        return f"One of {ticks(argument.choices)}."
    field = _fields().get(argument.field, {})
    choices = f"One of {ticks(field['enum'])}." if "enum" in field else ""
    return " ".join(filter(None, (field.get("description", ""), choices)))


def _sources(entry: Entry) -> Iterator[str]:
    if entry.references:
        yield "## References"
        lines = []
        for key in entry.references:
            source = references()[key]
            link = f" <{source['url']}>" if "url" in source else ""
            lines.append(f"- {source['text']}{link}")
        yield "\n".join(lines)
