"""Reading a report from JSON, with each field checked against the type that its class declares."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ...errors import SpecError
from ...plain_text import sentence
from .record import FORMAT, VERDICTS, VERSION, Picture, Record, Report


def read(text: str, where: str) -> Report:
    """The report that a JSON document holds: the inverse of its ``to_json``.

    Raises :class:`SpecError` for what is no JSON, has another format or a newer one, holds no
    cells, or has a cell that cannot be read. Fields that are not known are left alone.
    """
    try:
        return _report(text, where)
    except RecursionError as error:
        raise SpecError(f"{where} is no report of a run: it is nested too deeply.") from error


def _report(text: str, where: str) -> Report:
    wanted = "write one with `initspec check ... --json run.json`."
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{where} is not JSON ({error}): {wanted}") from error
    name, _, version = _text(data.get("format") if isinstance(data, dict) else "").partition("/")
    if name != FORMAT:
        raise SpecError(f"{where} is JSON, but no report of a run: {wanted}")
    if version != str(VERSION):
        raise SpecError(
            f"{where} has the format {name}/{version[:20]}, and this initspec reads "
            f"{name}/{VERSION}: use the version that wrote it, or a newer one."
        )
    rows = data.get("records")
    if not isinstance(rows, list) or not rows:
        raise SpecError(f"{where} holds no cells: nothing was tested, so there is nothing to show.")
    versions = data.get("versions")
    return Report(
        records=tuple(_record(row, f"cell {i} of {where}") for i, row in enumerate(rows, 1)),
        alpha=_chance(data, "alpha", where),
        beta=_chance(data, "beta", where),
        seed=_text(data.get("seed", "")),
        versions={_text(k): _text(v) for k, v in versions.items()}
        if isinstance(versions, dict)
        else {},
    )


# ------------------------------------------------------------------------------------------ fields


def _record(row: Any, where: str) -> Record:
    verdict = _field(row, "verdict", where)
    if verdict not in VERDICTS:
        raise SpecError(
            f"{where}: a verdict is one of {', '.join(VERDICTS)}, not {_given(verdict)}."
        )
    record: Record = _read(Record, row, where)
    if record.picture is not None:
        _check_bins(record.picture, where)
    return record


def _check_bins(picture: Picture, where: str) -> None:
    counts, expected = len(picture.counts), len(picture.expected)
    if counts != expected or 0 < counts < 3:
        raise SpecError(f"{where}: its picture has {counts} counts, {expected} expected.")


@cache
def _types(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, row: Any, where: str) -> Any:
    """A dataclass from the keys of a JSON object; a field with a default may be missing."""
    values = {}
    for item in fields(kind):
        needed = item.default is MISSING and item.default_factory is MISSING
        if needed or (isinstance(row, dict) and item.name in row):
            values[item.name] = _value(
                _types(kind)[item.name], _field(row, item.name, where), where
            )
    return kind(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    """A value of a declared type: a scalar, a tuple, another dataclass, or None beside one."""
    parts = get_args(kind)
    if get_origin(kind) is UnionType:
        (present,) = (part for part in parts if part is not NoneType)
        return None if value is None else _value(present, value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise SpecError(f"{where}: a list was expected, not {_given(value)}.")
        items = tuple(_value(parts[0], item, where) for item in value)
        if parts[-1] is not Ellipsis and len(items) != len(parts):
            raise SpecError(
                f"{where}: a scale and its interval are three numbers, not {_given(items)}."
            )
        return items
    return _read(kind, value, where) if is_dataclass(kind) else _SCALARS[kind](value, where)


def _field(row: Any, name: str, where: str) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise SpecError(f"{where} lacks {name!r}.")
    return row[name]


def _text(value: Any, where: str = "") -> str:
    """A text, without the halves of characters that JSON can hold and no file can."""
    return str(value).encode("utf-8", "replace").decode()


def _given(value: Any) -> str:
    """A value as an error shows it."""
    return sentence(repr(value), 100)


def _number(value: Any, where: str) -> float:
    """A number; JSON has words in place of an infinity and of what is no number."""
    if isinstance(value, (int, float)) or value in ("inf", "-inf", "nan"):
        with contextlib.suppress(OverflowError):
            return float(value)
    raise SpecError(f"{where}: a number was expected, not {_given(value)}.")


def _chance(data: Any, name: str, where: str) -> float:
    value = _number(_field(data, name, where), where)
    if not 0 < value < 1:
        raise SpecError(f"{where}: {name} is a chance between 0 and 1, not {value:g}.")
    return value


def _whole(value: Any, where: str) -> int:
    if isinstance(value, int) and abs(value) < 1 << 65:  # seeds have 64 bits
        return value
    raise SpecError(f"{where}: a whole number was expected, not {_given(value)}.")


def _truth(value: Any, where: str) -> bool:
    if isinstance(value, bool):
        return value
    raise SpecError(f"{where}: true or false was expected, not {_given(value)}.")


_SCALARS: dict[Any, Callable[[Any, str], Any]] = {
    str: _text,
    float: _number,
    int: _whole,
    bool: _truth,
}
