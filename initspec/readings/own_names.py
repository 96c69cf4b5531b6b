"""Schemes by the names that frameworks have for them: ``torch.nn.init.kaiming_normal_``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from ..spec.layer_layouts import holds_layers, layer_called
from .books import book_of, dialect_names
from .entry import Entry
from .names import Name


@cache
def own_names(dialect: str) -> tuple[Mapping[str, Entry], Mapping[str, str]]:
    """What a framework's own names mean, normalised, and why some mean nothing here."""
    names: dict[str, Entry] = {}
    newest = [rows[0] for rows in book_of(dialect).versions.values()]
    for entry in newest:  # a call goes before another row's base name or alias
        if "(" not in entry.call:
            names.setdefault(normal(entry.call.rpartition(".")[2]), entry)
    for entry in newest:
        for name in (entry.base, *entry.aliases):
            names.setdefault(normal(name.partition("@")[0]), entry)
    absent = {normal(name): reason for name, reason in book_of(dialect).head["absent"].items()}
    return MappingProxyType(names), MappingProxyType(absent)


def normal(name: str) -> str:
    """A name without case and signs.

    >>> normal("xavier_uniform_") == normal("XavierUniform")
    True
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_own(name: Name) -> Entry | None:
    """The row of a framework's function or class; None where no dialect, or several, have one.

    >>> find_own(Name.parse("torch.nn.init.kaiming_normal_")).name
    'he_normal@torch'
    >>> find_own(Name.parse("HeNormal@keras")).name
    'he_normal@keras'
    """
    if name.dialect is not None:
        return _in_dialect(name)
    path, _, last = name.base.rpartition(".")
    if not path and not last.endswith("_"):  # a word that may mean anybody's
        return None
    first, *others = *called(name.base), None
    if first and (
        not others[0] or (path and _rank(first, name.base) < _rank(others[0], name.base))
    ):
        return first
    dialect = dialect_of(path)
    if dialect is None or holds_layers(path) or layer_called(name.base):
        return None
    return own_names(dialect)[0].get(normal(last))


def _in_dialect(name: Name) -> Entry | None:
    if name.dialect not in dialect_names():
        return None
    book = book_of(name.dialect)
    newest = own_names(name.dialect)[0].get(normal(name.base.rpartition(".")[2]))
    held = book.versions[newest.base] if newest else ()
    return next((row for row in held if name.admits(row.since, row.until)), None)


def called(text: str) -> list[Entry]:
    """The newest rows whose framework's call is this, or ends with it; the best known first.

    >>> [entry.dialect for entry in called("HeNormal")][:2]
    ['keras', 'tensorflow']
    """
    rows = (rows[0] for name in dialect_names() for rows in book_of(name).versions.values())
    ending = (row for row in rows if row.call == text or row.call.endswith(f".{text}"))
    return sorted(ending, key=lambda row: (_rank(row, text), row.name))


def reason_of(name: Name) -> str:
    """Why a framework's own initializer is no scheme; empty where nothing is known of it."""
    path, _, last = name.base.rpartition(".")
    dialect = name.dialect or dialect_of(path)
    if dialect not in dialect_names():
        return ""
    return own_names(dialect)[1].get(normal(last), "")


def _rank(entry: Entry, text: str) -> tuple[bool, int]:
    """By whose name the text begins with, then by how many use the dialect."""
    head: Mapping[str, Any] = book_of(entry.dialect).head
    return not text.startswith(f"{entry.dialect}."), head.get("rank", 99)


def dialect_of(path: str) -> str | None:
    """The dialect of a module: that of the last of its parts which names one.

    >>> dialect_of("tf.keras.initializers"), dialect_of("tf.initializers")
    ('keras', 'tensorflow')
    """
    if path in dialect_names():
        return path
    roots = _roots()
    return next((roots[part] for part in reversed(path.split(".")) if part in roots), None)


def dialect_of_module(module: str) -> str | None:
    """The dialect of a framework's own module of initializers; None for any other module.

    >>> dialect_of_module("tf_keras.src.initializers"), dialect_of_module("mine.keras.init")
    ('keras', None)
    """
    package, _, rest = module.partition(".")
    return dialect_of(module) if package in _roots() and "init" in rest else None


@cache
def _roots() -> Mapping[str, str]:
    """The dialects by their names, their packages and the modules that their calls begin with."""
    roots: dict[str, str] = {}
    ranked = sorted(dialect_names(), key=lambda name: book_of(name).head.get("rank", 99))
    for dialect in ranked:
        for entry in book_of(dialect).entries.values():
            root, dot, _ = entry.call.partition(".")
            if dot and root.isidentifier() and root.islower() and root not in _SHARED:
                roots.setdefault(root, dialect)
        for package in book_of(dialect).head.get("packages", ()):
            roots.setdefault(package, dialect)
    return MappingProxyType(roots | {name: name for name in ranked})


#: Modules that are called so in more than one framework.
_SHARED = ("nn", "np", "jnp")
