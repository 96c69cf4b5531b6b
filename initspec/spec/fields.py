"""The fields of a scheme: which distribution takes which, and what each may be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import SpecError, UnknownName, short_repr
from . import tensor_laws
from .arguments import at_least_zero, integer, number, text
from .fan_rules import MODES, RULES
from .gain import squared
from .traced import is_read_by_dynamo, refuse_in_program
from .truncation import Truncation
from .values import Values

#: The version of the format in which a scheme is saved.
SPEC = 1

_SCALE = ("mode", "factor", "gain", "nonlinearity", "slope", "bias_unit", "fans", "std")
_GAIN = ("gain", "nonlinearity", "slope")
_NUMBERS = ("factor", "gain", "std", "slope", "mean", "low", "high", "value", "sparsity")

#: The fields that each distribution takes besides its name.
TAKES: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "normal": (*_SCALE, "mean"),
    "uniform": (*_SCALE, "mean", "low", "high"),
    "truncated_normal": (*_SCALE, "mean", "truncation"),
    "orthogonal": _GAIN,
    "delta_orthogonal": _GAIN,
    "identity": _GAIN,
    "dirac": (*_GAIN, "groups"),
    "bilinear": (*_GAIN, "groups"),
    "sparse": ("sparsity", "std", "zeros_per"),
    "array": ("array",),
    "custom": ("custom",),
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SchemeFields:
    """What a scheme holds, checked when it is made; :class:`initspec.Scheme` says what it means."""

    distribution: str
    mode: str | None = None
    factor: float = 1.0
    gain: float = 1.0
    nonlinearity: str | None = None
    slope: float | None = None
    bias_unit: bool = False
    fans: str = "true"
    mean: float = 0.0
    std: float | None = None
    low: float | None = None
    high: float | None = None
    value: float = 0.0
    truncation: Truncation | None = None
    groups: int = 1
    sparsity: float | None = None
    zeros_per: str = "out"
    array: Values | None = None
    custom: Any = None
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if is_read_by_dynamo():
            refuse_in_program("Scheme(...)")
        if text("distribution", self.distribution) not in TAKES:
            raise UnknownName("distribution", self.distribution, TAKES)
        _check_kinds(self)
        if self.mode is not None:
            mode = self.mode.upper()
            if mode not in MODES:
                raise UnknownName("mode", self.mode, MODES)
            object.__setattr__(self, "mode", mode)
        if self.distribution == "truncated_normal" and self.truncation is None:
            object.__setattr__(self, "truncation", Truncation())
        _check_fields(self)
        _check_numbers(self)

    @property
    def gain_total(self) -> float:
        """``gain`` times the gain of the nonlinearity: what multiplies the standard deviation."""
        return self.gain * math.sqrt(self.squared_gain)

    @property
    def variance_factor(self) -> float:
        """What the variance has above its fan: ``factor`` times the square of ``gain_total``."""
        return self.factor * (self.gain * self.gain) * self.squared_gain

    @property
    def squared_gain(self) -> float:
        """The square of the nonlinearity's gain."""
        return squared(self.nonlinearity, self.slope) if self.nonlinearity else 1.0

    @property
    def needs_fans(self) -> bool:
        """Whether the scale follows from the fans."""
        return self.mode is not None

    def to_dict(self) -> dict[str, Any]:
        """The fields that are not at their defaults, as plain data.

        Raises :class:`SpecError` for a custom law, which is code and not data.

        >>> from initspec import get
        >>> get("normal(std=0.02)").to_dict()
        {'spec': 1, 'distribution': 'normal', 'std': 0.02, 'name': 'normal(std=0.02)'}
        """
        if self.custom is not None:
            raise SpecError(f"{self!r} is code and cannot be saved as data.")
        data: dict[str, Any] = {"spec": SPEC}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "distribution" and value == item.default:
                continue
            if isinstance(value, Truncation):
                value = value.to_dict()
            elif isinstance(value, Values):
                value = value.array().tolist()
            data[item.name] = value
        return data

    def __repr__(self) -> str:
        if self.name:
            return f"get({self.name!r})"
        changed = [
            f"{item.name}={getattr(self, item.name)!r}"
            for item in fields(self)
            if item.name != "name" and getattr(self, item.name) != item.default
        ]
        return f"Scheme({', '.join(changed)})"


def _check_kinds(scheme: SchemeFields) -> None:
    """Each field is of its kind, before any is compared; numbers become floats."""
    for name in ("fans", "zeros_per"):
        text(name, getattr(scheme, name))
    for name in ("mode", "nonlinearity", "name"):
        if getattr(scheme, name) is not None:
            text(name, getattr(scheme, name))
    if not isinstance(scheme.bias_unit, bool):
        raise SpecError(f"bias_unit is True or False, not {short_repr(scheme.bias_unit)}.")
    if scheme.truncation is not None and not isinstance(scheme.truncation, Truncation):
        raise SpecError(
            "truncation is a Truncation, as Truncation(-2, 2), not "
            f"{short_repr(scheme.truncation)}."
        )
    if scheme.array is not None and not isinstance(scheme.array, Values):
        raise SpecError("array holds Values: write get(array), or Values.of(array).")
    _check_hash(scheme.custom)
    for item in fields(scheme):
        if item.name in _NUMBERS:
            value = getattr(scheme, item.name)
            if value is not None or item.default is not None:
                check = at_least_zero if item.name in ("factor", "std", "gain") else number
                object.__setattr__(scheme, item.name, check(item.name, value))
    object.__setattr__(scheme, "groups", integer("groups", scheme.groups, 1))


def _check_hash(custom: Any) -> None:
    try:
        hash(custom)
    except TypeError:
        raise SpecError(
            f"{short_repr(custom)} has no hash, and laws are kept by theirs: make its class a "
            "frozen "
            "dataclass, or give it __hash__."
        ) from None


def _check_fields(scheme: SchemeFields) -> None:
    kind, takes = scheme.distribution, TAKES[scheme.distribution]
    for item in fields(scheme):
        if item.name in ("distribution", "name", *takes):
            continue
        if getattr(scheme, item.name) != item.default:
            raise SpecError(
                f"distribution {kind!r} takes no {item.name!r}; it takes {_list(takes)}."
            )
    if "mode" in takes:
        scales = [
            word
            for word, given in (
                ("mode", scheme.mode is not None),
                ("std", scheme.std is not None),
                ("low and high", scheme.low is not None or scheme.high is not None),
            )
            if given
        ]
        if len(scales) != 1 or (scheme.low is None) != (scheme.high is None):
            wanted = "mode, std, or low and high" if kind == "uniform" else "mode or std"
            got = " and ".join(scales) or "nothing"
            raise SpecError(f"distribution {kind!r} needs its scale by one of {wanted}, not {got}.")
    for name in ("sparsity", "std", "array", "custom"):
        if name in takes and "mode" not in takes and getattr(scheme, name) is None:
            raise SpecError(f"distribution {kind!r} needs {name!r}.")
    if scheme.fans not in RULES:
        raise UnknownName("fan rule", scheme.fans, RULES)
    if scheme.zeros_per not in tensor_laws.SIDES:
        raise UnknownName("zeros_per", scheme.zeros_per, tensor_laws.SIDES)


def _check_numbers(scheme: SchemeFields) -> None:
    if scheme.low is not None and scheme.high is not None and not scheme.low < scheme.high:
        raise SpecError(f"bounds need low < high, not low={scheme.low}, high={scheme.high}.")
    if not 0 <= (scheme.sparsity or 0) <= 1:
        raise SpecError(f"sparsity is the fraction of zeros, from 0 to 1, not {scheme.sparsity}.")
    if scheme.slope is not None and scheme.nonlinearity is None:
        raise SpecError("a slope belongs to nonlinearity='leaky_relu'.")
    if scheme.nonlinearity is not None:
        squared(scheme.nonlinearity, scheme.slope)


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names)
