"""One argument of a row: which field of the scheme it sets, and how."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import SpecError, UnknownName
from ..spec.expression import quantity
from ..spec.gain import NONLINEARITIES, canonical

#: What a row says of an argument: a path, or for each value the fields that it sets.
Target = str | Mapping[str, Any]

_WORDS = {"true": True, "false": False}


def _none() -> Mapping[str, Mapping[str, Any]]:
    return MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """What an argument sets.

    ``field`` is a field of the scheme (``"std"``), one of its truncation (``"truncation.low"``), or
    ``"limit"``, which is both bounds of a uniform law; empty where each value has fields of its
    own, in ``choices``, or is a ``number``. One that ``multiplies`` or ``divides`` leaves the field
    as the row has it at its ``default``.

    >>> Argument.parse("scale", "factor*/3").scaled(2.0)  # four times the variance
    12.0
    """

    word: str
    field: str = ""
    multiplies: bool = False
    divides: bool = False
    default: float = 1.0
    choices: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=_none)
    number: Argument | None = None

    @classmethod
    def parse(cls, word: str, target: Target) -> Argument:
        """Read ``"field"``, ``"field*"``, ``"field*/default"``, ``"field/default"``, or choices."""
        if isinstance(target, str):
            name, star, default = target.partition("*")
            name, slash, divisor = name.partition("/")
            level = float(divisor or default.removeprefix("/") or 1)
            return cls(word, name, bool(star), bool(slash), level)
        choices = {value: fields for value, fields in target.items() if value != "number"}
        number = cls.parse(word, target["number"]) if "number" in target else None
        return cls(word, choices=MappingProxyType(choices), number=number)

    @property
    def direct(self) -> str:
        """The field that the argument is the value of; empty for all others."""
        return "" if self.multiplies or self.divides else self.field

    @property
    def values(self) -> tuple[Any, ...]:
        """The values that have fields of their own."""
        return tuple(_WORDS.get(value, value) for value in self.choices)

    def scaled(self, ratio: float) -> float | None:
        """The value that makes the law wider by a ratio; None where it does not scale the law."""
        power = {"factor": 2, "gain": 1}.get(self.field)
        power = -power if power is not None and self.divides else power
        return None if power is None else self.default * ratio**power

    def set(self, row: dict[str, Any], value: Any) -> None:
        """Change a scheme's fields as this value of the argument does.

        Raises :class:`UnknownName` for a value that is none of the choices, :class:`SpecError` for
        what should be a number.
        """
        if not self.field:
            self._choose(row, value)
        elif self.multiplies or self.divides:
            row[self.field] = self._times(row.get(self.field, 1.0), quantity(self.word, value))
        elif self.field == "limit":
            row["high"] = quantity(self.word, value)
            row["low"] = f"-({row['high']})" if isinstance(row["high"], str) else -row["high"]
        elif "." in self.field:
            table, _, name = self.field.partition(".")
            row[table] = {**row[table], name: value}
        else:
            row[self.field] = value

    def _times(self, level: Any, value: float | str) -> float | str:
        """What the field is, times the value over the word's default, or over that quotient."""
        if isinstance(level, str) or isinstance(value, str):
            if self.divides:
                return f"({level}) * {self.default!r} / ({value})"
            return f"({level}) * ({value}) / {self.default!r}"
        if self.divides:
            if value == 0:
                raise SpecError(f"{self.word} is a number that divides, not 0.")
            return float(level * self.default / value)
        return float(level * value / self.default)

    def _choose(self, row: dict[str, Any], value: Any) -> None:
        choices = {word.lower(): fields for word, fields in self.choices.items()}
        fields = choices.get(str(value).lower()) if isinstance(value, (str, bool)) else None
        if fields is not None:
            row |= {name: None if new == "none" else new for name, new in fields.items()}
        elif self.number is not None and _counts(value):
            self.number.set(row, value)
        else:
            number = [] if self.number is None else ["number"]
            instead = ""
            if isinstance(value, str) and canonical(value) in NONLINEARITIES:  # and no misspelling
                instead = (
                    "this framework has no gain for it. Without a dialect there is one, as in "
                    f"get('he_normal', nonlinearity={value!r})."
                )
            raise UnknownName(self.word, value, [*self.choices, *number], instead=instead)


def _counts(value: Any) -> bool:
    """Whether it is a number or arithmetic, and no word, which would be a choice misspelt."""
    return not isinstance(value, str) or not value.replace("_", "").isalpha()
