"""The call of a framework that has a scheme's law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InitSpecError, SpecError
from ..spec.distance import same_law
from ..spec.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ..spec.fan_rules import Fans
from ..spec.scheme import Scheme
from .argument import Argument
from .entry import Entry
from .registry import dialect, get, rows

#: Fans at which two schemes are compared; unequal, so that modes and bias units show.
_FANS = (Fans(1.0, 1.0), Fans(3.0, 11.0), Fans(640.0, 96.0))


@dataclass(frozen=True, slots=True)
class Call:
    """A row of a dialect, with the arguments that the framework is given."""

    entry: Entry
    arguments: Mapping[str, Any]

    @property
    def scheme(self) -> Scheme:
        """What the call means."""
        return self.entry.make(**self.arguments)

    @property
    def source(self) -> str:
        """The call as text, on a tensor ``weight`` where the framework fills one."""
        if self.entry.bare:
            return self.entry.call
        words = [word for word in self.entry.arguments if word in self.arguments]
        shown = [f"{word}={self.arguments[word]!r}" for word in words]
        in_place = self.entry.dialect is not None and dialect(self.entry.dialect).get("in_place")
        return f"{self.entry.call}({', '.join((['weight'] if in_place else []) + shown)})"


def call_of(scheme: Scheme, to: str) -> Call | None:
    """The call of a dialect that has a scheme's law, with the fewest arguments; None without one.

    >>> from .registry import get
    >>> call_of(get("he_uniform"), "torch").source
    'torch.nn.init.kaiming_uniform_(weight)'
    """
    calls = []
    if scheme.bind().texts:  # a text over fans, which no framework takes
        return None
    scheme = scheme.at(None).replace(name=scheme.name)
    for entry in callable_rows(to):
        arguments = _solved(scheme, entry)
        if arguments is not None:
            calls.append(Call(entry, arguments))
    return min(calls, key=lambda call: len(call.arguments), default=None)


def callable_rows(to: str) -> list[Entry]:
    """The rows of a dialect, in its newest version, that are one call without further text."""
    return [e for e in rows(to) if e.until is None and e.call and "(" not in e.call]


def _solved(scheme: Scheme, entry: Entry) -> dict[str, Any] | None:
    """The arguments with which a row has the law of a scheme."""
    choices = {word: item.values for word, item in entry.arguments.items() if not item.field}
    best: dict[str, Any] | None = None
    for chosen in itertools.product(
        *((*[None] * (word not in entry.required), *values) for word, values in choices.items())
    ):
        pairs = zip(choices, chosen, strict=True)
        given = {word: choice for word, choice in pairs if choice is not None}
        if best is not None and len(given) >= len(best):
            continue
        for candidate in _numbered(scheme, entry, given):
            if (best is None or len(candidate) < len(best)) and _same(scheme, entry, candidate):
                best = _fewest(scheme, entry, candidate)
    return best


def _fewest(scheme: Scheme, entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments without those that are at the framework's defaults."""
    for word in list(given):
        rest = {name: value for name, value in given.items() if name != word}
        if word not in entry.required and _same(scheme, entry, rest):
            given = rest
    return given


def _numbered(scheme: Scheme, entry: Entry, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Arguments with numbers that may do: those of the scheme's law, then a scale."""
    law = law_at(scheme)
    numbers = [argument for argument in entry.arguments.values() if argument.field]
    direct = dict(given)
    for argument in numbers:
        value = _number(argument.direct, scheme, law, entry)
        if value is None and argument.word in entry.required:
            value = entry.scheme.get(argument.direct)
        if value is not None:
            direct[argument.word] = short(value)
    yield direct
    candidate = _scheme(entry, direct)
    if law is None or candidate is None:
        return
    other = law_at(candidate)
    if other is None or not other.std or not law.std:
        if scheme.distribution == candidate.distribution:
            yield from _scaled(direct, numbers, scheme.gain_total / (candidate.gain_total or 1.0))
        return
    yield from _scaled(direct, numbers, law.std / other.std)


def _scaled(
    given: Mapping[str, Any], numbers: list[Argument], ratio: float
) -> Iterator[dict[str, Any]]:
    """One scale argument that makes the law wider by a ratio."""
    for argument in numbers:
        value = argument.scaled(ratio)
        if value is not None:
            yield {**given, argument.word: short(value)}


def _number(field: str, scheme: Scheme, law: Distribution | None, entry: Entry) -> float | None:
    """What an argument is that sets a field of the law itself."""
    match field:
        case "value":
            return float(scheme.value) if scheme.distribution == "constant" else None
        case "groups":
            return scheme.groups if scheme.groups > 1 else None
        case "sparsity":
            return None if scheme.sparsity is None else float(scheme.sparsity)
        case "gain" if law is None:
            return scheme.gain_total if scheme.gain_total != 1 else None
    if scheme.distribution == "sparse" and field == "std":
        return float(scheme.std)
    if law is None:
        return None
    if field == "slope" and scheme.mode is not None and 0 < scheme.variance_factor <= 2:
        return math.sqrt(2 / scheme.variance_factor - 1) or None  # of a leaky rectifier
    if scheme.mode is not None:
        return None
    if isinstance(law, Uniform):
        ends = {"low": law.low, "high": law.high}
        return law.high if field == "limit" and law.low == -law.high else ends.get(field)
    if isinstance(law, Normal):
        return {"mean": law.mu or None, "std": law.sigma}.get(field)
    if isinstance(law, TruncatedNormal):
        low, high = law.low, law.high
        if entry.scheme.get("truncation", {}).get("unit") == "absolute":
            low, high = law.mu + law.sigma * low, law.mu + law.sigma * high
        numbers = {"mean": law.mu or None, "std": law.sigma}
        return {**numbers, "truncation.low": low, "truncation.high": high}.get(field)
    return None


def _same(scheme: Scheme, entry: Entry, given: Mapping[str, Any]) -> bool:
    """Whether a row with these arguments is the scheme, but for how fans are counted."""
    candidate = _scheme(entry, given)
    if candidate is None:
        return False
    if law_at(scheme) is None:
        kinds = ("distribution", "groups", "sparsity", "zeros_per", "std", "array", "custom")
        same = all(getattr(candidate, name) == getattr(scheme, name) for name in kinds)
        return same and math.isclose(candidate.gain_total, scheme.gain_total, rel_tol=1e-12)
    for counts in _FANS:
        law, wanted = law_at(candidate, counts), law_at(scheme, counts)
        if law is None or wanted is None or not same_law(law, wanted):
            return False
    return True


def _scheme(entry: Entry, given: Mapping[str, Any]) -> Scheme | None:
    try:
        return entry.make(**given)
    except InitSpecError:  # bounds that cross, and the like
        return None


def law_at(scheme: Scheme, counts: Fans = _FANS[0]) -> Distribution | None:
    """The law for these fans, of one each unless told; None for a law of a whole tensor."""
    try:
        return scheme.given(fan_in=counts.fan_in, fan_out=counts.fan_out)
    except SpecError:
        return None


def fixed(law: Distribution) -> Scheme | None:
    """The scheme that is a law with its numbers, whatever the fans."""
    if isinstance(law, Constant):
        return Scheme(distribution="constant", value=law.value)
    if isinstance(law, Uniform):
        return Scheme(distribution="uniform", low=law.low, high=law.high)
    if isinstance(law, Normal):
        return Scheme(distribution="normal", mean=law.mu, std=law.sigma)
    if isinstance(law, TruncatedNormal):
        cut = {"low": law.low, "high": law.high, "unit": "parent", "variance": "uncorrected"}
        row = {"distribution": "truncated_normal", "mean": law.mu, "std": law.sigma}
        return get({**row, "truncation": cut})
    return None


def short(value: float) -> float:
    """The number in a person's digits, if that is the number but for its last bits."""
    short = float(f"{value:.12g}")
    return short if math.isclose(short, value, rel_tol=1e-14) else value
