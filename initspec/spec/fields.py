"""The fields of a scheme: which distribution takes which, and what each may be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from ..errors import SpecError, UnknownName
from . import tensor_laws
from .fan_rules import MODES, RULES
from .gain import squared
from .truncation import Truncation
from .values import Values

#: The version of the format in which a scheme is saved.
SPEC = 1

_SCALE = ("mode", "factor", "gain", "nonlinearity", "slope", "bias_unit", "fans", "std")
_GAIN = ("gain", "nonlinearity", "slope")

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
        if self.distribution not in TAKES:
            raise UnknownName("distribution", self.distribution, TAKES)
        if self.mode is not None:
            mode = str(self.mode).upper()
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
        return self.factor * self.gain**2 * self.squared_gain

    @property
    def squared_gain(self) -> float:
        """The square of the nonlinearity's gain."""
        return squared(self.nonlinearity, self.slope) if self.nonlinearity else 1.0

    @property
    def needs_fans(self) -> bool:
        """Whether the scale follows from the fans."""
        return self.mode is not None

    def replace(self, **changes: Any) -> Self:
        """The same scheme with other fields; it has no name any more.

        >>> from initspec import get
        >>> round(get("he_normal").replace(mode="FAN_OUT").on((10, 40)).variance, 9)
        0.05
        """
        return replace(self, **{"name": None, **changes})

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
    for name in ("factor", "gain", "std", "slope", "mean", "low", "high", "value", "sparsity"):
        value = getattr(scheme, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SpecError(f"{name} is a number, not {value!r}.")
        positive = name in ("factor", "std", "gain")
        if not math.isfinite(value) or (positive and value < 0):
            kind = "finite number of at least 0" if positive else "finite number"
            raise SpecError(f"{name} is a {kind}, not {value!r}.")
        object.__setattr__(scheme, name, float(value))
    if scheme.low is not None and scheme.high is not None and not scheme.low < scheme.high:
        raise SpecError(f"bounds need low < high, not low={scheme.low}, high={scheme.high}.")
    if not 0 <= (scheme.sparsity or 0) <= 1:
        raise SpecError(f"sparsity is the fraction of zeros, from 0 to 1, not {scheme.sparsity}.")
    if not isinstance(scheme.groups, int) or scheme.groups < 1:
        raise SpecError(f"groups is an integer of at least 1, not {scheme.groups!r}.")
    if scheme.slope is not None and scheme.nonlinearity is None:
        raise SpecError("a slope belongs to nonlinearity='leaky_relu'.")
    if scheme.nonlinearity is not None:
        squared(scheme.nonlinearity, scheme.slope)
    if scheme.array is not None and not isinstance(scheme.array, Values):
        raise SpecError("array holds Values: write get(array), or Values.of(array).")


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names)
