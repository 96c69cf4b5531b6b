"""From a scheme with texts to one with numbers: its names bound, its fans counted, its gain in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ..errors import SpecError
from .arguments import at_least_zero, number
from .expression import FANS, Expression, check_bound
from .fan_rules import Fans

#: A scheme: :class:`initspec.spec.fields.SchemeFields`, which stands on this.
Fields = TypeVar("Fields", bound=Any)

#: The fields that hold a number.
NUMBERS = (
    "factor",
    "gain",
    "power",
    "std",
    "slope",
    "mean",
    "low",
    "high",
    "value",
    "sparsity",
)

#: Which numbers each of them takes.
CHECKS = {name: number for name in NUMBERS} | {
    name: at_least_zero for name in ("factor", "std", "gain")
}

#: The fields that a gain multiplies where no fan sets the scale; the mean stays.
_FIXED: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "normal": ("std",),
    "uniform": ("std", "low", "high"),
    "truncated_normal": ("std",),
    "sparse": ("std",),
}

_TRUNCATION = "truncation."


def texts(scheme: Fields) -> Mapping[str, Expression]:
    """The numbers that are still texts, by their fields.

    >>> from initspec import get
    >>> list(texts(get("truncated_normal", std="d^-0.5", low="-3 * d")))
    ['std', 'truncation.low']
    """
    values = {name: getattr(scheme, name) for name in NUMBERS}
    if scheme.truncation is not None:
        ends = scheme.truncation.bounds.items()
        values |= {f"{_TRUNCATION}{name}": value for name, value in ends}
    return {name: Expression.parse(v) for name, v in values.items() if isinstance(v, str)}


def bound(scheme: Fields, known: Mapping[str, float]) -> Fields:
    """The scheme with numbers in place of the names in its texts; those of fans stay.

    >>> from initspec import get
    >>> bound(get("normal", std="1 / (m * fan_in)"), {"m": 2.0}).std
    '1 / (2 * fan_in)'
    """
    changes: dict[str, Any] = {}
    for name, rule in texts(scheme).items():
        if any(word not in FANS for word in rule.names):
            check_bound(rule, {**known, **dict.fromkeys(FANS, 1.0)}, f"{name} = ")
            changes[name] = rule.bound(known)
    return _with(scheme, changes) if changes else scheme


def fan_numbers(fans: Fans) -> dict[str, float]:
    """What the names of fans stand for in a text; at least one, as of a tensor without elements.

    >>> fan_numbers(Fans(8, 2))
    {'fan_in': 8, 'fan_out': 2, 'fan_avg': 5.0, 'fan_geo_avg': 4.0}
    """
    return {name: fans.n(name.upper()) for name in FANS}


def in_numbers(scheme: Fields, fans: Fans | None) -> Fields:
    """The scheme with numbers alone, for these fans.

    >>> from initspec import get
    >>> in_numbers(get("normal", std="1 / fan_in"), Fans(8, 4)).std
    0.125
    """
    rules = texts(scheme)
    if not rules:
        return scheme
    known = {} if fans is None else fan_numbers(fans)
    changes = {}
    for name, rule in rules.items():
        check_bound(rule, known, f"{name} = ")
        try:
            changes[name] = CHECKS.get(name, number)(name, rule.value(known))
        except SpecError as error:
            raise SpecError(f"{name} = {rule.text!r}: {error}") from None
    return _with(scheme, changes)


def folded(scheme: Fields) -> Fields:
    """The same law, with what multiplies a fixed scale in its numbers, or in their texts.

    >>> from initspec import get
    >>> folded(get("uniform", low=-1.0, high=3.0, gain=0.5))
    Scheme(distribution='uniform', low=-0.5, high=1.5)
    """
    words = _FIXED.get(scheme.distribution, ())
    unscaled = (scheme.gain, scheme.factor, scheme.nonlinearity) == (1.0, 1.0, None)
    if scheme.mode is not None or not words or unscaled:
        return scheme
    given = {name: getattr(scheme, name) for name in words}
    given = {name: value for name, value in given.items() if value is not None}
    if {"gain", "factor", "slope", *given} & texts(scheme).keys():
        times = _times(scheme)
        changes: dict[str, Any] = {name: f"({value}) * {times}" for name, value in given.items()}
    elif scheme.fixed_gain == 0 and "low" in given:
        changes = {"low": None, "high": None, "std": 0.0}
    else:
        changes = {name: value * scheme.fixed_gain for name, value in given.items()}
    plain = {"gain": 1.0, "factor": 1.0, "nonlinearity": None, "slope": None}
    answer: Fields = scheme.replace(**plain, **changes)
    return answer


def _times(scheme: Any) -> str:
    """What multiplies a fixed scale, as a text."""
    parts = [] if scheme.gain == 1 else [scheme.gain]
    if scheme.factor != 1:
        parts.append(f"sqrt({scheme.factor})")
    if isinstance(scheme.slope, str):
        parts.append(f"sqrt(2 / (1 + ({scheme.slope})^2))")
    elif scheme.nonlinearity is not None:
        parts.append(f"sqrt({scheme.squared_gain!r})")
    return " * ".join(f"({part})" if isinstance(part, str) else repr(part) for part in parts)


def _with(scheme: Fields, changes: Mapping[str, Any]) -> Fields:
    """The same scheme with other numbers, those of the truncation under its name."""
    fields = {name: value for name, value in changes.items() if not name.startswith(_TRUNCATION)}
    ends = {
        name.removeprefix(_TRUNCATION): value
        for name, value in changes.items()
        if name.startswith(_TRUNCATION)
    }
    if ends:
        fields["truncation"] = replace(scheme.truncation, **ends)
    answer: Fields = scheme.replace(**fields)
    return answer
