"""Reading a report from JSON, with each field checked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any, TypeVar

from ...errors import SpecError
from .record import VERDICTS, Decision, Moments, Picture, Record, Report

T = TypeVar("T")

#: The format that :meth:`initspec.conformance.report.record.Report.to_dict` writes, and its version.
FORMAT, VERSION = "initspec.report", 1


def read(text: str, where: str) -> Report:
    """The report that a JSON document holds: the inverse of its ``to_json``.

    Raises :class:`SpecError` for what is no JSON, has another format or a newer one, holds no
    cells, or has a cell that cannot be read. Fields that are not known are left alone.
    """
    wanted = "write one with `initspec check ... --json run.json`."
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{where} is not JSON ({error}): {wanted}") from error
    name, _, version = _words(data.get("format") if isinstance(data, dict) else "").partition("/")
    if name != FORMAT:
        raise SpecError(f"{where} is JSON, but no report of a run: {wanted}")
    if version != str(VERSION):
        raise SpecError(
            f"{where} has the format {name}/{version}, and this initspec reads {name}/{VERSION}: "
            "use the version that wrote it, or a newer one."
        )
    rows = data.get("records")
    if not isinstance(rows, list) or not rows:
        raise SpecError(f"{where} holds no cells: nothing was tested, so there is nothing to show.")
    versions = data.get("versions")
    return Report(
        records=tuple(_record(row, f"cell {i} of {where}") for i, row in enumerate(rows, 1)),
        alpha=_chance(data, "alpha", where),
        beta=_chance(data, "beta", where),
        seed=_words(data.get("seed", "")),
        versions={_words(k): _words(v) for k, v in versions.items()}
        if isinstance(versions, dict)
        else {},
    )


# ------------------------------------------------------------------------------------------ fields


def _record(row: Any, where: str) -> Record:
    verdict = _field(row, "verdict", where)
    if verdict not in VERDICTS:
        raise SpecError(f"{where}: a verdict is one of {', '.join(VERDICTS)}, not {verdict!r}.")
    scale, layout = row.get("scale"), row.get("layout")
    return Record(
        cell=_words(_field(row, "cell", where)),
        target=_words(_field(row, "target", where)),
        scheme=_words(_field(row, "scheme", where)),
        shape=_many(row.get("shape", ()), where, _whole),
        layout=None if layout is None else _words(layout),
        dtype=_words(row.get("dtype", "")),
        tier=_words(row.get("tier", "")),
        verdict=verdict,
        sentence=_words(row.get("sentence", "")),
        seed=_whole(row.get("seed", 0), where),
        n=_whole(row.get("n", 0), where),
        scale=None if scale is None else _three(_many(scale, where, _number), where),
        explanation=_words(row.get("explanation", "")),
        seconds=_number(row.get("seconds", 0.0), where),
        decisions=_many(row.get("decisions", ()), where, _decision),
        expected=_words(row.get("expected", "")),
        picture=None if row.get("picture") is None else _picture(row["picture"], where),
    )


def _decision(row: Any, where: str) -> Decision:
    least = row.get("detectable") if isinstance(row, dict) else None
    return Decision(
        test=_words(_field(row, "test", where)),
        verdict=_words(_field(row, "verdict", where)),
        p=_number(_field(row, "p", where), where),
        alpha=_number(_field(row, "alpha", where), where),
        statistic=_number(row.get("statistic", 0.0), where),
        n=_whole(row.get("n", 0), where),
        detectable=None if least is None else _number(least, where),
        unit=_words(row.get("unit", "")),
        note=_words(row.get("note", "")),
        applies=row.get("applies", True) is not False,
    )


def _picture(row: Any, where: str) -> Picture:
    counts = _many(_field(row, "counts", where), where, _whole)
    expected = _many(_field(row, "expected", where), where, _number)
    if len(counts) != len(expected) or 0 < len(counts) < 3:
        raise SpecError(f"{where}: its picture has {len(counts)} counts, {len(expected)} expected.")
    return Picture(
        low=_number(_field(row, "low", where), where),
        high=_number(_field(row, "high", where), where),
        counts=counts,
        expected=expected,
        measured=_moments(_field(row, "measured", where), where),
        law=_moments(_field(row, "law", where), where),
    )


def _moments(row: Any, where: str) -> Moments:
    skewness, kurtosis = (_field(row, name, where) for name in ("skewness", "kurtosis"))
    return Moments(
        mean=_number(_field(row, "mean", where), where),
        std=_number(_field(row, "std", where), where),
        skewness=None if skewness is None else _number(skewness, where),
        kurtosis=None if kurtosis is None else _number(kurtosis, where),
    )


def _field(row: Any, name: str, where: str) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise SpecError(f"{where} lacks {name!r}.")
    return row[name]


def _words(value: Any) -> str:
    """A text, without the halves of characters that JSON can hold and no file can."""
    return str(value).encode("utf-8", "replace").decode()


def _number(value: Any, where: str) -> float:
    """A number; JSON has words in place of an infinity and of what is no number."""
    if isinstance(value, (int, float)) or value in ("inf", "-inf", "nan"):
        with contextlib.suppress(OverflowError):
            return float(value)
    raise SpecError(f"{where}: a number was expected, not {value!r}.")


def _chance(data: Any, name: str, where: str) -> float:
    value = _number(_field(data, name, where), where)
    if not 0 < value < 1:
        raise SpecError(f"{where}: {name} is a chance between 0 and 1, not {value:g}.")
    return value


def _whole(value: Any, where: str) -> int:
    if isinstance(value, int):
        return value
    raise SpecError(f"{where}: a whole number was expected, not {value!r}.")


def _many(value: Any, where: str, item: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(value, (list, tuple)):
        raise SpecError(f"{where}: a list was expected, not {value!r}.")
    return tuple(item(one, where) for one in value)


def _three(values: tuple[float, ...], where: str) -> tuple[float, float, float]:
    if len(values) != 3:
        raise SpecError(f"{where}: a scale and its interval are three numbers, not {values}.")
    return values[0], values[1], values[2]
