"""Schemes as plain data, TOML and JSON, without loss."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from ..errors import SpecError, UnknownName, short_repr
from ..files.text import read_text
from ..files.writing import write_file
from .arguments import number
from .fields import SPEC
from .scheme import Scheme
from .traced import TracedScheme, is_read_by_dynamo
from .truncation import Truncation
from .values import Values

_FIELDS = tuple(item.name for item in fields(Scheme) if item.name != "custom")
_TRUNCATION = tuple(item.name for item in fields(Truncation))


Given = ParamSpec("Given")


def in_programs(function: Callable[Given, Scheme]) -> Callable[Given, Scheme]:
    """Let ``torch.compile`` read calls of a function that gives a scheme: there it is a text."""

    def text(args: Any, kwargs: Any) -> str:
        return text_in_program(function(*args, **kwargs))

    text._dynamo_marked_constant = True  # type: ignore[attr-defined]

    @wraps(function)
    def scheme(*args: Given.args, **kwargs: Given.kwargs) -> Scheme:
        if is_read_by_dynamo():
            if len(args) == 1 and isinstance(args[0], (Scheme, TracedScheme)):
                return args[0]  # type: ignore[return-value]
            return TracedScheme(text(args, kwargs))  # type: ignore[return-value]
        return function(*args, **kwargs)

    return scheme


def text_in_program(scheme: Scheme) -> str:
    """A scheme as JSON; raises :class:`SpecError` for a custom law, which no program can hold."""
    if not isinstance(scheme, Scheme):
        raise SpecError("a traced program holds a scheme alone: make the layout outside of it.")
    if scheme.custom is not None:
        raise SpecError(
            f"{scheme!r} is code, which a traced program (torch.compile, vmap, a FakeTensor) "
            "cannot hold: fill the tensor outside of it."
        )
    return dumps(scheme, "json")


def to_dict(scheme: Scheme) -> dict[str, Any]:
    """A scheme as numbers, strings, booleans, lists and dictionaries.

    Fields at their defaults are left out. Raises :class:`SpecError` for a custom law, which is
    code and not data.

    >>> from initspec import get
    >>> to_dict(get("normal(std=0.02)"))
    {'spec': 1, 'distribution': 'normal', 'std': 0.02, 'name': 'normal(std=0.02)'}
    """
    if not isinstance(scheme, Scheme):
        raise SpecError(f"a scheme was expected, not {short_repr(scheme)}: initspec.get makes one.")
    return scheme.to_dict()


def from_dict(data: Mapping[str, Any]) -> Scheme:
    """The scheme that :func:`to_dict` wrote; unknown keys are errors.

    >>> from_dict({"distribution": "uniform", "mode": "FAN_AVG"}).on((2, 4)).support
    (-1.0, 1.0)
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"a scheme is a table of fields, not {short_repr(data)}.")
    row: dict[str, Any] = dict(data)
    spec = row.pop("spec", SPEC)
    if spec != SPEC:
        raise SpecError(
            f"this is a scheme of format {short_repr(spec)}; this initspec reads format {SPEC}."
        )
    for key in row:
        if key not in _FIELDS:
            raise UnknownName("key", key, _FIELDS)
    if "distribution" not in row:
        raise SpecError("a scheme needs the key 'distribution'.")
    if "truncation" in row:
        row["truncation"] = _truncation(row["truncation"])
    if "array" in row:
        row["array"] = Values.of(row["array"])
    return Scheme(**row)


def _truncation(table: object) -> Truncation:
    if not isinstance(table, Mapping):
        raise SpecError(
            f"truncation is a table with {', '.join(_TRUNCATION)}, not {short_repr(table)}."
        )
    for key in table:
        if key not in _TRUNCATION:
            raise UnknownName("key of truncation", key, _TRUNCATION)
    row: dict[str, Any] = dict(table)
    for bound in {"low", "high"} & row.keys():
        row[bound] = _in(row[bound])
    return Truncation(**row)


def _in(value: Any) -> float | str:
    if value in ("inf", "-inf"):
        return float(value)
    if isinstance(value, str):
        return value
    return number("a bound of a truncation", value, finite=False)


def dumps(scheme: Scheme, format: str = "toml") -> str:
    """A scheme as TOML or JSON text.

    Raises :class:`UnknownName` for another format, :class:`SpecError` for a custom law, which is
    code and not data.

    >>> from initspec import get
    >>> print(dumps(get("normal(std=0.02)")), end="")
    spec = 1
    distribution = "normal"
    std = 0.02
    name = "normal(std=0.02)"
    """
    data = to_dict(scheme)
    if not isinstance(format, str):
        raise UnknownName("format", format, ("json", "toml"))
    if format == "json":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    if format == "toml":
        return "".join(f"{key} = {toml_value(value)}\n" for key, value in data.items())
    raise UnknownName("format", format, ("json", "toml"))


@in_programs
def loads(text: str, format: str = "toml") -> Scheme:
    r"""The scheme in TOML or JSON text.

    Raises :class:`SpecError` for a text that is neither, or no scheme, and :class:`UnknownName` for
    another format, and for a key or a name that does not exist.

    >>> loads(dumps(loads("distribution = 'normal'\nstd = 0.02")))
    Scheme(distribution='normal', std=0.02)
    """
    if not isinstance(text, str):
        raise SpecError(f"TOML or JSON text was expected, not {short_repr(text)}.")
    if not isinstance(format, str):
        raise UnknownName("format", format, ("json", "toml"))
    try:
        if format == "json":
            data = json.loads(text)
        elif format == "toml":
            data = tomllib.loads(text)
        else:
            raise UnknownName("format", format, ("json", "toml"))
    except UnknownName:
        raise
    except (ValueError, RecursionError) as error:  # also for an integer of too many digits
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise SpecError(f"this is not {format.upper()}: {reason}.") from error
    return from_dict(data)


def save(scheme: Scheme, path: str | Path) -> None:
    """Write a scheme to a ``.toml`` or ``.json`` file, whole or not at all.

    Raises :class:`SpecError`, which is an ``OSError``, too, where the file cannot be written; it is
    then what it was before.

    >>> import tempfile
    >>> from initspec import get
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(get("he_normal"), f"{folder}/he.toml")
    ...     load(f"{folder}/he.toml") == get("he_normal")
    True
    """
    write_file(path, dumps(scheme, _format(path)))


@in_programs
def load(path: str | Path) -> Scheme:
    """Read a scheme from a ``.toml`` or ``.json`` file.

    Raises :class:`SpecError` for one that cannot be read (then it is an ``OSError``, too), or that
    holds no scheme.

    >>> import tempfile
    >>> from initspec import get
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(get("he_normal"), f"{folder}/he.json")
    ...     load(f"{folder}/he.json").mode
    'FAN_IN'
    """
    kind = _format(path)
    return loads(read_text(path), kind)


def _format(path: str | Path) -> str:
    if not isinstance(path, (str, os.PathLike)):
        raise SpecError(f"a path was expected, not {short_repr(path)}.")
    return Path(path).suffix.removeprefix(".") or "toml"


def toml_value(value: Any) -> str:
    """Plain data as a value of TOML.

    >>> toml_value({"low": -2, "unit": "std"})
    '{ low = -2, unit = "std" }'
    """
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # Every JSON string is a TOML string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def printable(value: Any) -> Any:
    """Plain data for JSON, which has no infinity and no NaN: they become words.

    >>> printable({"support": (-1.0, float("inf"))})
    {'support': [-1.0, 'inf']}
    """
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, dict):
        return {key: printable(item) for key, item in value.items()}
    return [printable(item) for item in value] if isinstance(value, (list, tuple)) else value
