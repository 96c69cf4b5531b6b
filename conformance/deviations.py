"""Known deviations of the frameworks, as data: what fails, by which test, since when, and why.

A FAIL is expected where an entry of ``deviations.toml`` names the cell and its tests refuse it; no
other test may refuse it too, so that a new fault cannot hide behind an old one. An entry whose cell
passes is out of date and fails the run, and so does one that matches nothing of its target.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import SpecError, UnknownName
from .report.record import ERROR, FAIL, PASS, Record, Report

#: The file that comes with the suite.
FILE = Path(__file__).with_name("deviations.toml")

_PATTERNS = ("target", "scheme", "dtype", "tier", "cell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One entry: patterns as a shell's for the cells it is about, and what is wrong with them.

    All tests of ``failing`` must refuse such a cell; those of ``also`` may. ``keras`` restricts
    it to Keras on one of its backends.
    """

    #: A pattern of the target.
    target: str
    #: The tests that must refuse such a cell.
    failing: tuple[str, ...]
    #: What is wrong, in words.
    reason: str
    #: The framework that it was seen in, and its version.
    framework: str
    version: str
    #: The issue, or where else it is told.
    link: str
    #: Patterns of the scheme, the type, the tier and the cell's name.
    scheme: str = "*"
    dtype: str = "*"
    tier: str = "*"
    cell: str = "*"
    #: The tests that may refuse it, too.
    also: tuple[str, ...] = ()
    #: Keras on this of its backends alone.
    keras: str = ""

    @property
    def applies(self) -> bool:
        """Whether this is the backend of Keras that it is about."""
        return self.keras in ("", os.environ.get("KERAS_BACKEND") or "tensorflow")

    def matches(self, record: Record, *names: str) -> bool:
        """Whether a record is what the patterns of these names say, by default of all."""
        return all(
            fnmatchcase(getattr(record, name), getattr(self, name)) for name in names or _PATTERNS
        )

    def expects(self, record: Record) -> bool:
        """Whether the record fails just as the entry says."""
        failed = {item.test for item in record.failed}
        return set(self.failing) <= failed <= {*self.failing, *self.also}

    def __str__(self) -> str:
        return f"{self.target} as {self.scheme} in {self.dtype}, failing {', '.join(self.failing)}"


def load(path: str | Path | None = None) -> tuple[Deviation, ...]:
    """The entries of a file, by default of the one that comes with the suite.

    Raises :class:`SpecError` for a file that cannot be read, an entry that lacks a field or has
    one of a wrong type, and :class:`UnknownName` for a field that does not exist.

    >>> {entry.framework for entry in load()} == {"torch", "jax", "keras", "flax"}
    True
    """
    source = FILE if path is None else Path(path)
    try:
        data = tomllib.loads(source.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"the deviations of {source} cannot be read: {error}") from error
    unknown = sorted(set(data) - {"deviation"})
    if unknown:
        raise UnknownName(f"key of {source}", unknown[0], ["deviation"])
    rows = data.get("deviation", [])
    if not isinstance(rows, list):
        raise SpecError(f"{source}: write the entries as tables, each under [[deviation]].")
    return tuple(_entry(row, f"entry {place} of {source}") for place, row in enumerate(rows, 1))


_FIELDS = {item.name: str(item.type) for item in fields(Deviation)}
_NEEDED = ("target", "failing", "reason", "framework", "version", "link")


def _entry(row: Any, where: str) -> Deviation:
    if not isinstance(row, dict):
        raise SpecError(f"{where} is a table of {', '.join(_FIELDS)}, not {row!r}.")
    for name, value in row.items():
        if name not in _FIELDS:
            raise UnknownName(f"field of {where}", name, _FIELDS)
        many = _FIELDS[name].startswith("tuple")
        parts = value if many and isinstance(value, list) else [None if many else value]
        if not all(isinstance(part, str) for part in parts):
            wanted = "a list of texts" if many else "a text"
            raise SpecError(f"{where}: {name} is {wanted}, not {value!r}.")
    for name in _NEEDED:
        if not row.get(name):
            raise SpecError(f"{where} lacks {name!r}.")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Deviation(**values)


def apply(report: Report, deviations: Iterable[Deviation]) -> Report:
    """The report with every known FAIL marked as expected.

    What an entry says fails and passes becomes a FAIL; an entry about a target of the run, in a
    type and tier of it, that matches no cell of it becomes an ERROR.
    """
    entries = [entry for entry in deviations if entry.applies]
    records = tuple(_judged(record, entries) for record in report.records)
    return replace(report, records=(*records, *_unmatched(report, entries)))


def _judged(record: Record, entries: Sequence[Deviation]) -> Record:
    about = [entry for entry in entries if entry.matches(record)]
    if not about:
        return record
    if record.verdict == PASS:
        sentence = f"repaired: remove the entry {about[0]} from the deviations"
        return replace(record, verdict=FAIL, sentence=sentence)
    if record.verdict == FAIL:
        known = next((entry for entry in about if entry.expects(record)), None)
        if known is not None:
            return replace(record, expected=f"{known.reason} ({known.link})")
        tests = ", ".join(item.test for item in record.failed)
        departure = f"expected was {about[0]}, and it fails {tests}"
        sentence = f"{record.sentence}; {departure}"
        return replace(record, sentence=sentence, departure=departure)
    return record


def _unmatched(report: Report, entries: Sequence[Deviation]) -> Iterable[Record]:
    for entry in entries:
        here = [
            record for record in report.records if entry.matches(record, "target", "dtype", "tier")
        ]
        if here and not any(entry.matches(record) for record in here):
            yield Record(
                cell=f"deviation {entry}",
                target=here[0].target,
                scheme="",
                dtype=here[0].dtype,
                tier=here[0].tier,
                verdict=ERROR,
                sentence=f"no cell of the run is '{entry.cell}' as '{entry.scheme}': "
                "correct the entry or remove it",
            )
