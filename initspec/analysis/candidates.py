"""The laws that a tensor of a given shape could have been drawn from, and who calls them what."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from ..errors import InitSpecError
from ..layers.defaults import frameworks, table
from ..layers.parameter import Parameter
from ..readings.argument import Argument
from ..readings.entry import Entry
from ..readings.registry import dialects, schemes
from ..spec.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ..spec.fan_rules import Shape
from ..spec.layer_layouts import in_name
from ..spec.layout import Layout
from ..spec.scheme import Scheme

#: The arguments that people give, by the field that an argument sets. Names of nonlinearities and
#: the like are all tried.
USUAL: Mapping[str, tuple[Any, ...]] = {
    "std": (0.02, 0.01, 0.05, 1.0),
    "mode": ("FAN_IN", "FAN_OUT", "FAN_AVG"),
    "gain": (math.sqrt(2), 5 / 3, 0.75),
    "factor": (1.0, 2.0),
    "slope": (math.sqrt(5), 0.01, 0.1, 0.2),
    "nonlinearity": ("relu", "tanh", "selu", "linear", "gelu", "silu"),
    "limit": (0.01, 0.05, 0.1),
    "zeros_per": ("in",),
}

#: What is given at most one at a time: each of them says how large the weights are.
_LEVEL = ("gain", "factor", "slope", "nonlinearity", "std", "limit")

_BOUNDS = ((0.0, 1.0), (-1.0, 1.0), (-0.1, 0.1), (-0.05, 0.05), (-0.01, 0.01))


@dataclass(frozen=True, slots=True)
class Origin:
    """A name that a tensor could have come from, and the layouts under which it could.

    ``layouts`` is empty where the layout makes no difference.
    """

    name: str
    layouts: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} [{' or '.join(self.layouts)}]" if self.layouts else self.name


@dataclass(frozen=True, slots=True)
class Candidate:
    """A law, and under which names and layouts it comes to be one of a tensor.

    The layout is that of a law of a whole tensor; a law of single elements needs none.
    """

    law: Distribution
    layout: Layout | None
    origins: tuple[Origin, ...]


@lru_cache(maxsize=256)
def candidates(
    shape: Shape, layouts: tuple[Layout, ...], framework: str | None = None
) -> tuple[Candidate, ...]:
    """Every law of the registry on this shape, each once, under all its names.

    Schemes take their default arguments and those of :data:`USUAL`; those that do not go on this
    shape, as schemes with fans on a bias, are left out. ``framework`` keeps the bare names and that
    dialect's.

    >>> by_name = {law.origins[0].name: law for law in candidates((64, 96), (Layout("io"),))}
    >>> round(by_name["he_normal@torch"].law.std, 6)
    0.176777
    """
    names_of: dict[tuple[Distribution, Layout | None], dict[str, list[str]]] = {}
    for scheme, names in _rules(framework):
        for layout in layouts:
            law = _law(scheme, shape, layout)
            if law is not None:
                whole = not (law.elementwise or isinstance(law, Constant))
                under = names_of.setdefault((law, layout if whole else None), {})
                for name in names:
                    under.setdefault(name, []).append(str(layout))
    return tuple(
        Candidate(law, layout, _origins(under, len(layouts)))
        for (law, layout), under in names_of.items()
    )


def filled(
    fields: Mapping[str, Any],
    shape: Shape,
    layouts: tuple[Layout, ...],
    framework: str | None = None,
) -> Iterator[Candidate]:
    """The laws whose arguments for ``fields`` can be read off the tensor: a constant's value."""
    for entry in _entries(framework):
        words = {
            item.direct: word for word, item in entry.arguments.items() if item.direct in fields
        }
        if len(words) < len(fields):
            continue
        given = {words[field]: value for field, value in fields.items()}
        for layout in layouts:
            try:
                scheme = entry.make(**given)
            except InitSpecError:
                continue
            law = _law(scheme, shape, layout)
            if law is not None:
                yield Candidate(law, layout, (Origin(scheme.name or "", (str(layout),)),))


@cache
def _ranks() -> Mapping[str, int]:
    """The places of the dialects that are named first."""
    return {name: head["rank"] for name, head in dialects().items() if "rank" in head}


@lru_cache(maxsize=1 << 14)
def plainest(name: str) -> tuple[bool, float, str]:
    """A sorting key: defaults before arguments, bare names before dialects, what most use first.

    >>> sorted(["he_normal@caffe", "he_normal@torch(a=0.1)", "he_normal@torch"], key=plainest)
    ['he_normal@torch', 'he_normal@caffe', 'he_normal@torch(a=0.1)']
    """
    if "#" in name:  # a layer's default, behind the schemes of its framework
        return False, _ranks().get(name.partition(".")[0], len(_ranks()) + 1) + 0.5, name
    called, _, _ = name.partition("(")
    dialect = called.partition("@")[2]
    rank = _ranks().get(dialect, len(_ranks()) + 1)
    return "(" in name, rank if dialect else 0, name


def _origins(under: Mapping[str, list[str]], tried: int) -> tuple[Origin, ...]:
    return tuple(
        Origin(name, () if len(under[name]) == tried else tuple(under[name]))
        for name in sorted(under, key=plainest)
    )


@lru_cache(maxsize=256)
def layer_candidates(shape: Shape, framework: str | None = None) -> tuple[Candidate, ...]:
    """What the frameworks' layers draw by default in a parameter of this shape.

    A name is that of the layer and its parameter: ``"torch.nn.LSTM#weight_ih_l0"``.

    >>> laws = layer_candidates((128, 20), "torch")
    >>> [law.law.limits[1] for law in laws if law.origins[0].name.startswith("torch.nn.LSTM#")]
    [0.1767766952966]
    """
    names_of: dict[Distribution, dict[str, None]] = {}
    for stem in frameworks() if framework is None else {framework} & set(frameworks()):
        module = frameworks()[stem]["modules"][0]
        for row in table(stem):
            dims = in_name(row.name).get("dims")
            for parameter in row.values():
                words = parameter.shape.split()
                if dims and "k" in words and len(shape) - len(words) + 1 != dims:
                    continue  # Conv1d, and a kernel of two axes
                law = _default(parameter, shape)
                if law is not None:
                    names_of.setdefault(law, {})[f"{module}.{row.name}#{parameter.name}"] = None
    return tuple(
        Candidate(law, None, tuple(map(Origin, sorted(names, key=lambda name: plainest(name)[:2]))))
        for law, names in names_of.items()  # layers of one framework in the order of its table
    )


def _default(parameter: Parameter, shape: Shape) -> Distribution | None:
    """The law of a layer's parameter where its shape says all that the law needs."""
    try:
        law = _rounded(parameter.on(shape))
    except (InitSpecError, ArithmeticError, TypeError):  # a shape that asks for k[0], and so on
        return None
    return law if isinstance(law, (Normal, Uniform, TruncatedNormal)) else None


def _law(scheme: Scheme, shape: Shape, layout: Layout) -> Distribution | None:
    try:
        law = scheme.on(shape, layout)
        if not math.isfinite(law.variance):
            return None
    except InitSpecError:
        return None
    return _rounded(law)


def _rounded(law: Distribution) -> Distribution | None:
    """A law with its last digits rounded; None for one without width."""
    match law:  # numbers that differ in their last digits are one law
        case Normal():
            return Normal(_round(law.mu), _round(law.sigma)) if law.sigma else None
        case Uniform():
            return Uniform(_round(law.low), _round(law.high)) if law.low < law.high else None
        case TruncatedNormal() if law.sigma == 0:
            return None
        case TruncatedNormal() if min(-law.low, law.high) > 9:  # nothing is cut
            return Normal(_round(law.mu), _round(law.sigma))
        case TruncatedNormal():
            ends = _round(law.low), _round(law.high)
            return TruncatedNormal(_round(law.mu), _round(law.sigma), *ends)
    return law


def _round(x: float) -> float:
    return float(f"{x:.13g}")


def _entries(framework: str | None) -> Iterator[Entry]:
    for entry in schemes.values():
        if framework is None or entry.dialect in (None, framework):
            yield entry


@lru_cache(maxsize=16)
def _rules(framework: str | None) -> tuple[tuple[Scheme, tuple[str, ...]], ...]:
    """Every scheme that differs from the others on some shape, with its names."""
    names_of: dict[Scheme, list[str]] = {}
    for entry in _entries(framework):
        for scheme in _variants(entry):
            names_of.setdefault(_canonical(scheme), []).append(scheme.name or "")
    return tuple((scheme, tuple(names)) for scheme, names in names_of.items())


def _canonical(scheme: Scheme) -> Scheme:
    """The same rule with all that multiplies its scale in one field."""
    if scheme.mode is not None:
        field, level = "factor", scheme.variance_factor
    else:
        scheme = scheme.folded()
        field, level = "gain", scheme.gain_total
    plain = {"factor": 1.0, "gain": 1.0, "nonlinearity": None, "slope": None}
    return scheme.replace(**{**plain, field: _round(level)})


def _variants(entry: Entry) -> Iterator[Scheme]:
    """A row's scheme with its defaults, and with each choice of the usual arguments."""
    levels: list[dict[str, Any]] = [{}]
    others: list[list[dict[str, Any]]] = []
    ends: dict[str, str] = {}
    for word, argument in entry.arguments.items():
        field = _field(argument)
        if field in ("low", "high"):
            ends[field] = word
            continue
        if field == "gain" and (argument.divides or _is_scaled(entry)):
            continue
        choices = [{word: value} for value in _values(argument)]
        if field in _LEVEL:
            levels += choices
        else:
            others.append([{}, *choices])
    if len(ends) == 2:
        levels += [{ends["low"]: low, ends["high"]: high} for low, high in _BOUNDS]
    if any(argument.direct == "value" for argument in entry.arguments.values()):
        return  # a constant's value is read off the tensor
    for parts in itertools.product(levels, *others):
        given = {word: value for part in parts for word, value in part.items()}
        try:
            yield entry.make(**given)
        except InitSpecError:  # arguments that contradict each other
            continue


def _is_scaled(entry: Entry) -> bool:
    """Whether a row says how large the weights are, so that people seldom give it a gain."""
    fixed = {"std", "low", "nonlinearity"} & entry.scheme.keys()
    return bool(fixed) or (entry.dialect is None and entry.scheme.get("mode") == "FAN_IN")


def _field(argument: Argument) -> str:
    """The field that an argument sets; the word of its choices where it is one of several."""
    if argument.field:
        return argument.field
    fields = {name for change in argument.choices.values() for name in change}
    return next((name for name in _LEVEL if name in fields and "mode" not in fields), "")


def _values(argument: Argument) -> tuple[Any, ...]:
    numbers = () if argument.number is None else _values(argument.number)
    return (*argument.values, *USUAL.get(argument.field, ()), *numbers)
