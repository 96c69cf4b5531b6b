"""One page for each dialect, and the table of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from initspec.readings.entry import Entry
from initspec.readings.registry import dialect, dialects, rows

from .markdown import anchor, escaped, page, plain, table, tick, ticks
from .names import versions

_EVIDENCE = {
    "run": "Run: tests hold these rows against the framework itself.",
    "read": "Read in the source, and not run.",
}


def pages() -> dict[str, str]:
    found = {f"dialects/{name}.md": _page(name, head) for name, head in dialects().items()}
    return {"dialects/index.md": _index(), **found}


def _index() -> str:
    return page(
        "Dialects",
        "A dialect is a framework's own reading of the names: its calls, the words and the units "
        "of their arguments, its way to count fans. A name asks for it behind an `@`, and for an "
        "older version behind that: `he_normal@keras<2.2`.",
        "<!-- contents -->",
        table(
            ("Dialect", "", "Version", "Evidence", "Fans", "Rows"),
            [
                (
                    f"[{name}]({name}.md)",
                    head["title"],
                    head.get("version", ""),
                    "run" if head["evidence"] == "run" else "read, not run",
                    _rule(head["fans"]),
                    str(len(rows(name))),
                )
                for name, head in dialects().items()
            ],
            right=(5,),
        ),
    )


def _rule(name: str) -> str:
    return f"[{name}](../fans.md#{anchor(name)})"


def _page(name: str, head: Mapping[str, Any]) -> str:
    entries = rows(name)
    return page(
        name,
        f"**{head['title']}**{' ' + head['version'] if head.get('version') else ''}",
        escaped(plain(head["note"])),
        table(("", ""), [(title, text) for title, text in _facts(head).items() if text]),
        "## Its names",
        table(
            ("Name", "Its call", "Law", "Versions", "Seen"),
            [
                (
                    _linked(entry),
                    tick(entry.call),
                    escaped(entry.make().formula),
                    versions(entry),
                    entry.evidence if entry.evidence != head["evidence"] else "",
                )
                for entry in entries
            ],
        ),
        *_arguments(entries),
        *_notes(entries),
        *_absent(head),
        "```console\n" + f"$ initspec list --dialect {name}\n```",
    )


def _facts(head: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Evidence": _EVIDENCE[head["evidence"]],
        "Source": tick(head["source"]),
        "Fans": _rule(head["fans"]),
        "Extends": _extended(head),
        "Ignored arguments": ticks(head.get("ignored", ())),
        "Arguments that a layout replaces": ticks(head.get("axes", ())),
    }


def _extended(head: Mapping[str, Any]) -> str:
    if "extends" not in head:
        return ""
    other = head["extends"]
    return f"[{dialect(other)['title']}]({other}.md)"


def _linked(entry: Entry) -> str:
    """The name, which leads to the page of the bare name where there is one."""
    if entry.base in {row.name for row in rows(None)}:
        return f"[{tick(entry.name)}](../schemes/{entry.base}.md)"
    return tick(entry.name)


def _arguments(entries: tuple[Entry, ...]) -> list[str]:
    """The calls' own words, with what each counts; of several versions those of the newest."""
    lines = []
    for entry in entries:
        if entry.until is None:
            for word, argument in entry.arguments.items():
                unit = entry.units.get(word, "")
                values = [*argument.choices, *(["number"] if argument.number else [])]
                choices = " or ".join(map(tick, values))
                choices = "required" if word in entry.required else choices
                lines.append((tick(entry.name), tick(word), _UNITS[unit], choices))
    found = table(("Name", "Argument", "Counts the", "Choices"), lines)
    return ["## Their arguments", found] if lines else []


_UNITS = {"": "", "variance": "variance", "std": "standard deviation", "limit": "limit"}


def _notes(entries: tuple[Entry, ...]) -> list[str]:
    """What there is to know of single rows; what several share is said once."""
    notes: dict[str, list[str]] = {}
    for entry in entries:
        if entry.note:
            notes.setdefault(entry.note, []).append(entry.name)
    lines = [f"- {ticks(names)}: {escaped(plain(note))}" for note, names in notes.items()]
    return ["## Notes", "\n".join(lines)] if lines else []


def _absent(head: Mapping[str, Any]) -> list[str]:
    lines = [f"- {tick(word)}: {escaped(plain(reason))}" for word, reason in head["absent"].items()]
    return ["## Not a scheme", "\n".join(lines)] if lines else []
