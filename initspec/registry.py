"""The named schemes: what each name means, and whose reading it is."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .custom import Custom, Function
from .errors import SpecError, UnknownName
from .scheme import Scheme
from .structure import Values
from .truncation import Truncation

#: Which field an argument of a name sets: a path, or for each value the fields that it sets.
Target = str | Mapping[str, Mapping[str, Any]]

_NAME = re.compile(r"\s*([\w.\-]+(?:@[\w.\-]+)?)\s*(\(.*\))?\s*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the registry: a name and all that is known of it."""

    name: str
    title: str
    scheme: Mapping[str, Any]
    summary: str = ""
    note: str = ""
    aliases: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    arguments: Mapping[str, Target] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def dialect(self) -> str | None:
        """Whose reading this is; None for the bare name."""
        return self.name.partition("@")[2] or None

    def make(self, *args: Any, **kwargs: Any) -> Scheme:
        """The scheme for these arguments, which are the row's own words.

        >>> schemes["variance_scaling@tf.contrib"].make(factor=1.0, uniform=True).distribution
        'uniform'
        """
        words = list(self.arguments)
        if len(args) > len(words):
            raise SpecError(f"{self.name} takes {_count(words)}, and {len(args)} were given.")
        given = dict(zip(words, args, strict=False))
        for word in given.keys() & kwargs.keys():
            raise SpecError(f"{self.name}: {word!r} is given twice.")
        given |= kwargs
        row: dict[str, Any] = {key: value for key, value in self.scheme.items()}
        for word, value in given.items():
            if word not in self.arguments:
                hint = "" if words else f"{self.name} takes no arguments."
                raise UnknownName(f"argument of {self.name}", word, words or ["none"], hint)
            _set(row, word, self.arguments[word], value)
        shown = ", ".join(f"{word}={value!r}" for word, value in given.items())
        return _build(row, f"{self.name}({shown})" if shown else self.name)


def _set(row: dict[str, Any], word: str, target: Target, value: Any) -> None:
    if not isinstance(target, str):
        key = str(value).lower() if isinstance(value, bool) else str(value)
        if key not in target:
            raise UnknownName(word, value, target)
        for field, change in target[key].items():
            row[field] = None if change == "none" else change
    elif target.endswith("*"):
        _number(word, value)
        row[target[:-1]] = row.get(target[:-1], 1.0) * value
    elif "." in target:
        table, _, field = target.partition(".")
        row[table] = {**row[table], field: value}
    else:
        row[target] = value


def _number(word: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SpecError(f"{word} is a number, not {value!r}.")


def _build(row: dict[str, Any], name: str) -> Scheme:
    if row["distribution"] != "truncated_normal":
        row.pop("truncation", None)
    elif "truncation" in row:
        row["truncation"] = Truncation(**row["truncation"])
    return Scheme(**row, name=name)


def _count(words: list[str]) -> str:
    return f"the arguments {', '.join(words)}" if words else "no arguments"


class Registry(Mapping[str, Entry]):
    """A read-only view of the named schemes: name to :class:`Entry`.

    >>> schemes["he_normal"].aliases
    ('kaiming_normal', 'msra_normal')
    >>> schemes["kaiming_normal@torch"].name
    'he_normal@torch'
    """

    def __getitem__(self, name: str) -> Entry:
        found = _resolve(name)
        if found is None:
            _, at, dialect = name.partition("@")
            if at and dialect not in dialects():
                raise UnknownName("dialect", dialect, dialects(), f"(in {name!r})")
            raise UnknownName("scheme", name, [*_table(), *_aliases()])
        return _table()[found]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _resolve(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(_table())

    def __len__(self) -> int:
        return len(_table())


#: The named schemes, by name.
schemes: Mapping[str, Entry] = Registry()


def _resolve(name: str) -> str | None:
    aliases = _aliases()
    if name in _table():
        return name
    if name in aliases:
        return aliases[name]
    base, at, dialect = name.partition("@")
    same = f"{aliases.get(base, base)}{at}{dialect}"  # xavier_normal@torch is glorot_normal@torch
    return same if same in _table() else None


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("schemes.toml").read_text("utf-8"))


@cache
def _table() -> dict[str, Entry]:
    return {name: _entry(name, row) for name, row in _document()["scheme"].items()}


@cache
def _aliases() -> dict[str, str]:
    return {alias: entry.name for entry in _table().values() for alias in entry.aliases}


def _entry(name: str, row: Mapping[str, Any]) -> Entry:
    words = row.get("arguments", {})
    arguments = {word: word for word in words} if isinstance(words, list) else words
    return Entry(
        **{
            **row,
            "name": name,
            "scheme": MappingProxyType(row["scheme"]),
            "arguments": MappingProxyType(arguments),
            "aliases": tuple(row.get("aliases", ())),
            "references": tuple(row.get("references", ())),
        }
    )


def dialects() -> Mapping[str, Mapping[str, str]]:
    """The dialects: whose reading a name can ask for after its ``@``."""
    return MappingProxyType(_document()["dialect"])


def references() -> Mapping[str, Mapping[str, str]]:
    """The papers that the rows cite, by key."""
    return MappingProxyType(_document()["reference"])


def get(spec: Any, /, *args: Any, **kwargs: Any) -> Scheme:
    """The scheme that ``spec`` names.

    ``spec`` is a name (``"he_normal"``, ``"he_normal@torch"``, ``"normal(std=0.02)"``), whose
    arguments may follow; a mapping of a scheme's fields; an array or nested lists, which stand for
    themselves; an instance of :class:`Custom`; a function of the shape; or a scheme.

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
    match = _NAME.fullmatch(text)
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
    if _NAME.fullmatch(name) is None or "(" in name:
        raise SpecError(f"a name is made of letters, digits, '_', '.' and '-', not {name!r}.")
    scheme = get(spec).replace(name=name)
    taken = schemes[name].make() if name in schemes else _custom().setdefault(name, scheme)
    if taken != scheme:
        raise SpecError(f"the name {name!r} is taken by {taken!r}, which is another scheme.")
    return taken
