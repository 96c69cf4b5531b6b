"""The files of schemes and dialects, each read once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .argument import Argument
from .entry import Entry
from .names import Name, number

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Book:
    """The rows of one file by name and by base, and its head: what it says of them all."""

    head: Mapping[str, Any]
    entries: Mapping[str, Entry]
    versions: Mapping[str, tuple[Entry, ...]]  # of each base, the newest first
    aliases: Mapping[str, str]  # to the base


@cache
def dialect_names() -> tuple[str, ...]:
    """Every dialect that has a file."""
    return tuple(sorted(path.stem for path in (_HERE / "dialects").glob("*.toml")))


@cache
def document_of(dialect: str | None) -> dict[str, Any]:
    """The file of a dialect, or of the bare names, as it stands."""
    path = _HERE / "dialects" / f"{dialect}.toml" if dialect else _HERE / "schemes.toml"
    return tomllib.loads(path.read_text("utf-8"))


@cache
def book_of(dialect: str | None) -> Book:
    """The rows of a dialect, those that it takes over included, or of the bare names."""
    document = document_of(dialect)
    head = {**document.get("dialect", {}), "absent": document.get("absent", {})}
    table: dict[str, Any] = document["scheme"]
    entries = {}
    for key, row in table.items():
        base, _, until = key.partition("<")
        newest = {**table.get(base, {}), "since": None} if until else {}  # an older row's rest
        entry = _entry(Name(base, dialect), until, {**newest, **row}, head)
        entries[entry.name] = entry
    if "extends" in head:
        source = book_of(head["extends"])
        head = {**source.head, **head}
        entries |= _taken_over(dialect, source, {entry.base for entry in entries.values()})
    versions: dict[str, tuple[Entry, ...]] = {}
    for entry in entries.values():
        versions[entry.base] = (*versions.get(entry.base, ()), entry)
    for base, rows in versions.items():
        versions[base] = tuple(sorted(rows, key=_age, reverse=True))
    aliases = {
        Name.parse(alias).base: entry.base for entry in entries.values() for alias in entry.aliases
    }
    return Book(head, entries, versions, aliases)


def _taken_over(dialect: str | None, source: Book, known: set[str]) -> dict[str, Entry]:
    """The rows of the dialect that this one extends, but for those that it has itself."""
    entries = {}
    for entry in source.entries.values():
        if entry.base not in known and entry.until is None:
            aliases = tuple(f"{alias.partition('@')[0]}@{dialect}" for alias in entry.aliases)
            name = f"{entry.base}@{dialect}"
            entries[name] = replace(entry, name=name, aliases=aliases)
    return entries


def _age(entry: Entry) -> tuple[bool, tuple[int, ...]]:
    return entry.until is None, number(entry.until or "0")


def _entry(name: Name, until: str, row: Mapping[str, Any], head: Mapping[str, Any]) -> Entry:
    """A row as an entry; what the row does not say of itself, its dialect's head does."""
    targets = row.get("arguments", {})
    if isinstance(targets, list):
        targets = {word: word for word in targets}
    arguments = {word: Argument.parse(word, target) for word, target in targets.items()}
    at = f"@{name.dialect}" if name.dialect else ""
    fields = dict(row["scheme"])
    if "mode" in fields and "fans" in head:
        fields.setdefault("fans", head["fans"])
    shared = {key: head[key] for key in ("version", "evidence", "source") if key in head}
    changed = {
        "name": f"{name}<{until}" if until else str(name),
        "title": row.get("title") or row.get("call", ""),
        "scheme": MappingProxyType(fields),
        "arguments": MappingProxyType(arguments),
        "units": MappingProxyType(row.get("units", {})),
        "aliases": () if until else tuple(alias + at for alias in row.get("aliases", ())),
        "references": tuple(row.get("references", ())),
        "required": tuple(row.get("required", ())),
    }
    return Entry(**{**shared, **row, **changed, "until": until or None})


def find(name: Name) -> Entry | None:
    """The newest row that the name admits."""
    if name.dialect is not None and name.dialect not in dialect_names():
        return None
    book = book_of(name.dialect)
    for base in bases(name):
        for entry in book.versions.get(base, ()):
            if name.admits(entry.since, entry.until):
                return entry
    return None


def bases(name: Name) -> list[str]:
    """What the base may be called in this dialect, whose own word goes first."""
    base = book_of(name.dialect).aliases.get(name.base, name.base)
    return [name.base, base, book_of(None).aliases.get(name.base, base)]


def words_of(book: Book) -> set[str]:
    """Every name and alias of a book."""
    return {*book.entries, *(alias for entry in book.entries.values() for alias in entry.aliases)}
