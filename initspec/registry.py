"""The named schemes: what each name means, and whose reading it is.

Bare names are rows of ``schemes.toml``; a dialect's are rows of ``dialects/<dialect>.toml``, which
is read when that dialect is first asked for.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .custom import Custom, Function
from .entry import Entry
from .errors import SpecError, UnknownName
from .names import Name, number
from .scheme import Scheme
from .structure import Values

__all__ = [
    "Entry",
    "Registry",
    "dialect",
    "dialects",
    "get",
    "readings",
    "references",
    "register",
    "rows",
    "schemes",
]

_CALL = re.compile(r"\s*([\w.\-]+(?:@[^\s(]+)?)\s*(\(.*\))?\s*", re.DOTALL)
_PLAIN = re.compile(r"[\w.\-]+(@[\w.\-]+)?")
_HERE = Path(__file__).parent


class Registry(Mapping[str, Entry]):
    """A read-only view of the named schemes: name to :class:`Entry`.

    A name may narrow the versions that it asks for: ``trunc_normal@torch<2.12``. It means the
    newest row that holds for one of them, so that a name without a version means the newest.

    >>> schemes["he_normal"].aliases
    ('kaiming_normal', 'msra_normal')
    >>> schemes["kaiming_normal@torch"].name
    'he_normal@torch'
    """

    def __getitem__(self, name: str) -> Entry:
        parsed = Name.parse(name)
        found = _find(parsed)
        if found is None:
            raise _unknown(parsed)
        return found

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and _find(Name.parse(name)) is not None
        except SpecError:
            return False

    def __iter__(self) -> Iterator[str]:
        for dialect in (None, *_dialects()):
            yield from _book(dialect).entries

    def __len__(self) -> int:
        return sum(len(_book(dialect).entries) for dialect in (None, *_dialects()))


#: The named schemes, by name.
schemes: Mapping[str, Entry] = Registry()


@dataclass(frozen=True, slots=True)
class _Book:
    """The rows of one file: what it says of itself, and its rows by name and by base."""

    head: Mapping[str, Any]
    entries: Mapping[str, Entry]
    versions: Mapping[str, tuple[Entry, ...]]  # of each base, the newest first
    aliases: Mapping[str, str]  # to the base


@cache
def _dialects() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (_HERE / "dialects").glob("*.toml")))


@cache
def _document(dialect: str | None) -> dict[str, Any]:
    path = _HERE / "dialects" / f"{dialect}.toml" if dialect else _HERE / "schemes.toml"
    return tomllib.loads(path.read_text("utf-8"))


@cache
def _book(dialect: str | None) -> _Book:
    document = _document(dialect)
    head = {**document.get("dialect", {}), "absent": document.get("absent", {})}
    table: dict[str, Any] = document["scheme"]
    entries = {}
    for key, row in table.items():
        base, _, until = key.partition("<")
        newest = {**table.get(base, {}), "since": None} if until else {}  # an older row's rest
        entry = _entry(Name(base, dialect), until, {**newest, **row}, head)
        entries[entry.name] = entry
    if "extends" in head:
        source = _book(head["extends"])
        head = {**source.head, **head}
        entries |= _taken_over(dialect, source, {entry.base for entry in entries.values()})
    versions: dict[str, tuple[Entry, ...]] = {}
    for entry in entries.values():
        versions[entry.base] = (*versions.get(entry.base, ()), entry)
    for base, found in versions.items():
        versions[base] = tuple(sorted(found, key=_age, reverse=True))
    aliases = {
        Name.parse(alias).base: entry.base for entry in entries.values() for alias in entry.aliases
    }
    return _Book(head, entries, versions, aliases)


def _taken_over(dialect: str | None, source: _Book, own: set[str]) -> dict[str, Entry]:
    """The rows of the dialect that this one extends, but for those that it has itself."""
    found = {}
    for entry in source.entries.values():
        if entry.base not in own and entry.until is None:
            aliases = tuple(f"{alias.partition('@')[0]}@{dialect}" for alias in entry.aliases)
            name = f"{entry.base}@{dialect}"
            found[name] = replace(entry, name=name, aliases=aliases)
    return found


def _age(entry: Entry) -> tuple[bool, tuple[int, ...]]:
    return entry.until is None, number(entry.until or "0")


def _entry(name: Name, until: str, row: Mapping[str, Any], head: Mapping[str, Any]) -> Entry:
    """A row as an entry; what the row does not say of itself, its dialect's head does."""
    words = row.get("arguments", {})
    arguments = {word: word for word in words} if isinstance(words, list) else words
    at = f"@{name.dialect}" if name.dialect else ""
    fields = dict(row["scheme"])
    if "mode" in fields and "fans" in head:
        fields.setdefault("fans", head["fans"])
    said = {key: head[key] for key in ("version", "evidence", "source") if key in head}
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
    return Entry(**{**said, **row, **changed, "until": until or None})


def _find(name: Name) -> Entry | None:
    """The newest row that the name admits."""
    if name.dialect is not None and name.dialect not in _dialects():
        return None
    book = _book(name.dialect)
    for base in _bases(name):
        for entry in book.versions.get(base, ()):
            if name.admits(entry.since, entry.until):
                return entry
    return None


def _bases(name: Name) -> list[str]:
    """What the base may be called in this dialect, whose own word goes first."""
    own = _book(name.dialect).aliases.get(name.base, name.base)
    return [name.base, own, _book(None).aliases.get(name.base, own)]


def _unknown(name: Name) -> Exception:
    if name.dialect is None:
        known = {name for book in map(_book, (None, *_dialects())) for name in _words(book)}
        return UnknownName("scheme", str(name), known)
    if name.dialect not in _dialects():
        return UnknownName("dialect", name.dialect, _dialects(), f"(in {str(name)!r})")
    book = _book(name.dialect)
    rows = next((book.versions[base] for base in _bases(name) if base in book.versions), ())
    if not rows:
        return UnknownName("scheme", str(Name(name.base, name.dialect)), _words(book))
    spans = " and ".join(filter(None, (_span(entry) for entry in reversed(rows))))
    near = rows[0] if name.relation in (">", ">=") else rows[-1]
    return SpecError(
        f"no row of {str(Name(name.base, name.dialect))!r} holds for a version "
        f"{name.relation}{name.version}: it is known {spans}. The nearest is {near.name!r}."
    )


def _span(entry: Entry) -> str:
    since = f"from {entry.since} on" if entry.since else ""
    return " ".join(filter(None, (since, f"before {entry.until}" if entry.until else "")))


def _words(book: _Book) -> set[str]:
    return {*book.entries, *(alias for entry in book.entries.values() for alias in entry.aliases)}


def dialects() -> Mapping[str, Mapping[str, Any]]:
    """The dialects: whose reading a name can ask for after its ``@``."""
    return MappingProxyType({name: _book(name).head for name in _dialects()})


def dialect(name: str) -> Mapping[str, Any]:
    """What one dialect says of itself; raises :class:`UnknownName`, with the nearest offered.

    >>> dialect("torch")["fans"]
    'torch'
    """
    if name not in _dialects():
        raise UnknownName("dialect", name, _dialects())
    return _book(name).head


def references() -> Mapping[str, Mapping[str, str]]:
    """The papers that the rows cite, by key."""
    return MappingProxyType(_document(None)["reference"])


def rows(name: str | None) -> tuple[Entry, ...]:
    """The rows of a dialect, or of the bare names, each version by itself."""
    if name is not None:
        dialect(name)  # which may be unknown
    return tuple(_book(name).entries.values())


def readings(base: str, dialect: str | None = None) -> tuple[Entry, ...]:
    """Every row of a base name: in one dialect, or in all of them and without one.

    >>> [entry.name for entry in readings("he_normal", "torch")]
    ['he_normal@torch']
    """
    asked = (None, *_dialects()) if dialect is None else (dialect,)
    return tuple(entry for name in asked for entry in _book(name).versions.get(base, ()))


def get(spec: Any, /, *args: Any, **kwargs: Any) -> Scheme:
    """The scheme that ``spec`` names.

    ``spec`` is a name (``"he_normal"``, ``"he_normal@torch"``, ``"trunc_normal@torch<2.12"``,
    ``"normal(std=0.02)"``), whose arguments may follow; a mapping of a scheme's fields; an array
    or nested lists, which stand for themselves; an instance of :class:`Custom`; a function of the
    shape; or a scheme.

    Raises :class:`UnknownName` for a name or an argument that does not exist.

    >>> get("variance_scaling", factor=2.0, mode="FAN_OUT")
    get("variance_scaling(factor=2.0, mode='FAN_OUT')")
    >>> get([[1, 0], [0, 1]]).distribution
    'array'
    """
    if isinstance(spec, str):
        return _named(spec, args, kwargs)
    if args or kwargs:
        raise SpecError(f"only a name takes arguments, not {type(spec).__name__}.")
    if isinstance(spec, Scheme):
        return spec
    if isinstance(spec, Entry):
        return spec.make()
    if isinstance(spec, Mapping):
        from .serial import from_dict

        return from_dict(spec)
    if isinstance(spec, type) and issubclass(spec, Custom):
        spec = spec()
    if isinstance(spec, Custom):
        return Scheme(distribution="custom", custom=spec)
    if hasattr(spec, "__array__") or isinstance(spec, Iterable):
        return Scheme(distribution="array", array=Values.of(spec))
    if callable(spec):
        return Scheme(distribution="custom", custom=Function(spec))
    raise SpecError(
        "a scheme is a name, a mapping of fields, an array, a Custom or a function of the shape, "
        f"not {spec!r}."
    )


def _named(text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Scheme:
    match = _CALL.fullmatch(text)
    if match is None:
        raise SpecError(
            f"cannot read {text!r}: write a name, such as 'he_normal' or 'normal(std=0.02)'."
        )
    name, call = match.groups()
    if call:
        written = _arguments(text, call)
        args, kwargs = (*written[0], *args), {**written[1], **kwargs}
    mine = _custom().get(name)
    if mine is not None:
        if args or kwargs:
            raise SpecError(f"{name} was registered as it is and takes no arguments.")
        return mine
    return schemes[name].make(*args, **kwargs)


def _arguments(text: str, call: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        node = ast.parse(f"f{call}", mode="eval").body
        if not isinstance(node, ast.Call):
            raise ValueError
        return [ast.literal_eval(arg) for arg in node.args], {
            str(word.arg): ast.literal_eval(word.value) for word in node.keywords
        }
    except (SyntaxError, ValueError):
        raise SpecError(
            f"cannot read the arguments of {text!r}: write them as in 'normal(std=0.02)'."
        ) from None


@cache
def _custom() -> dict[str, Scheme]:
    return {}


def register(name: str, spec: Any) -> Scheme:
    """Give a scheme of one's own a name, for this process; returns the scheme.

    Raises :class:`SpecError` where the name is taken by another scheme.

    >>> register("tiny", "normal(std=1e-4)").on((2, 2)).std
    0.0001
    """
    if _PLAIN.fullmatch(name) is None:
        raise SpecError(f"a name is made of letters, digits, '_', '.' and '-', not {name!r}.")
    scheme = get(spec).replace(name=name)
    taken = schemes[name].make() if name in schemes else _custom().setdefault(name, scheme)
    if taken != scheme:
        raise SpecError(f"the name {name!r} is taken by {taken!r}, which is another scheme.")
    return taken
