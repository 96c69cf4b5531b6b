"""A scheme as source text of a framework: its own call, or what else says it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InitSpecError, SpecError, UnknownName
from ..spec.distance import same_law
from ..spec.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ..spec.fan_rules import Fans
from ..spec.layout import Layout, fans
from ..spec.scheme import Scheme
from .argument import Argument
from .entry import Entry
from .registry import dialect, dialects, get, rows

#: Fans at which two schemes are compared; unequal, so that modes and bias units show.
_FANS = ((1.0, 1.0), (3.0, 11.0), (640.0, 96.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A scheme in a framework's words.

    ``source`` is the text; ``call`` whether it is one call of the framework's own; ``note`` what
    else there is to know: why it is not, or where the framework counts other fans.
    """

    scheme: str
    to: str
    source: str
    call: bool
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "scheme": self.scheme,
            "to": self.to,
            "source": self.source,
            "call": self.call,
            "note": self.note,
        }

    def lines(self) -> list[str]:
        """The text, and the note as comments before it."""
        return [*(f"# {line}" for line in self.note.splitlines()), *self.source.splitlines()]


def generate(
    scheme: Any,
    to: str,
    shape: tuple[int, ...] | None = None,
    layout: Layout | str | None = None,
) -> Code:
    """The scheme as source text for a framework, a dialect's name.

    One call of the framework where it has one with that law: ``kaiming_normal_(weight)``. With a
    ``shape`` the fans are known, and a fixed scale says what no mode of the framework can. What
    the framework cannot say in one call is said in several (PyTorch), or by initspec's adapter,
    and the note says why.

    Raises :class:`UnknownName` for a dialect that does not exist, :class:`SpecError` where the
    framework cannot express the scheme and initspec has no adapter for it.

    >>> generate("he_normal@torch", "torch").source
    'torch.nn.init.kaiming_normal_(weight)'
    >>> generate("he_normal@torch", "keras").source
    "keras.initializers.VarianceScaling(scale=2.0, distribution='untruncated_normal')"
    """
    if to not in dialects():
        raise UnknownName("dialect", to, dialects())
    wanted = get(scheme)
    law = None if shape is None else wanted.on(tuple(shape), layout)
    found = _call(wanted, to)
    if found is not None:
        entry, arguments = found
        note = _fans_note(wanted, entry.make(**arguments), to, shape, layout)
        if not (note and law is not None):
            return _code(wanted, to, _written(entry, arguments, to), note)
    if law is not None:
        fixed = _fixed(law)
        told = _call(fixed, to) if fixed is not None else None
        if told is not None:
            axes = Layout.of(layout, len(shape or ()))
            note = f"The numbers are those of the shape {tuple(shape or ())}, layout '{axes}'."
            return _code(wanted, to, _written(*told, to), note)
    head = dialect(to)
    title = head["title"].partition(",")[0]
    reason = f"{title} cannot say it in one call: {_reason(wanted, to)}."
    steps = _steps(wanted) if to == "torch" else None
    if steps is not None:
        return Code(scheme=str(wanted.name), to=to, source=steps, call=False, note=reason)
    if "adapter" not in head:
        raise SpecError(f"{reason} initspec has no adapter for {title} that could.")
    source = f"import initspec\n\n{head['adapter'].format(scheme=_spelled(wanted))}"
    return Code(scheme=wanted.title, to=to, source=source, call=False, note=reason)


def _code(scheme: Scheme, to: str, source: str, note: str) -> Code:
    return Code(scheme=scheme.title, to=to, source=source, call=True, note=note)


# ------------------------------------------------------------------------------------- one call


def _call(scheme: Scheme, to: str) -> tuple[Entry, dict[str, Any]] | None:
    """The framework's row and arguments that have the law, with the fewest arguments."""
    found = []
    for entry in rows(to):
        if entry.until is None and entry.call and "(" not in entry.call:
            arguments = _solved(scheme, entry)
            if arguments is not None:
                found.append((entry, arguments))
    return min(found, key=lambda pair: len(pair[1]), default=None)


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
    law = _law(scheme, *_FANS[0])
    numbers = [argument for argument in entry.arguments.values() if argument.field]
    direct = dict(given)
    for argument in numbers:
        value = _number(argument.direct, scheme, law, entry)
        if value is None and argument.word in entry.required:
            value = entry.scheme.get(argument.direct)
        if value is not None:
            direct[argument.word] = _short(value)
    yield direct
    mine = _made(entry, direct)
    if law is None or mine is None:
        return
    other = _law(mine, *_FANS[0])
    if other is None or not other.std or not law.std:
        if scheme.distribution == mine.distribution:
            yield from _scaled(direct, numbers, scheme.gain_total / (mine.gain_total or 1.0))
        return
    yield from _scaled(direct, numbers, law.std / other.std)


def _scaled(
    given: Mapping[str, Any], numbers: list[Argument], ratio: float
) -> Iterator[dict[str, Any]]:
    """One scale argument that makes the law wider by a ratio."""
    for argument in numbers:
        value = argument.scaled(ratio)
        if value is not None:
            yield {**given, argument.word: _short(value)}


def _number(field: str, scheme: Scheme, law: Distribution | None, entry: Entry) -> float | None:
    """What an argument is that sets a field of the law itself."""
    match field:
        case "value":
            return scheme.value if scheme.distribution == "constant" else None
        case "groups":
            return scheme.groups if scheme.groups > 1 else None
        case "sparsity":
            return scheme.sparsity
        case "gain" if law is None:
            return scheme.gain_total if scheme.gain_total != 1 else None
    if scheme.distribution == "sparse" and field == "std":
        return scheme.std
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
    made = _made(entry, given)
    if made is None:
        return False
    if _law(scheme, *_FANS[0]) is None:
        kinds = ("distribution", "groups", "sparsity", "zeros_per", "std", "array", "custom")
        same = all(getattr(made, name) == getattr(scheme, name) for name in kinds)
        return same and math.isclose(made.gain_total, scheme.gain_total, rel_tol=1e-12)
    for fan_in, fan_out in _FANS:
        mine, wanted = _law(made, fan_in, fan_out), _law(scheme, fan_in, fan_out)
        if mine is None or wanted is None or not same_law(mine, wanted):
            return False
    return True


def _made(entry: Entry, given: Mapping[str, Any]) -> Scheme | None:
    try:
        return entry.make(**given)
    except InitSpecError:  # bounds that cross, and the like
        return None


def _law(scheme: Scheme, fan_in: float, fan_out: float) -> Distribution | None:
    try:
        return scheme.given(fan_in=fan_in, fan_out=fan_out)
    except SpecError:
        return None


def _fixed(law: Distribution) -> Scheme | None:
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


# ----------------------------------------------------------------------------------------- text


def _written(entry: Entry, arguments: Mapping[str, Any], to: str) -> str:
    if entry.bare:
        return entry.call
    words = [word for word in entry.arguments if word in arguments]
    shown = ", ".join(f"{word}={arguments[word]!r}" for word in words)
    if dialect(to).get("in_place"):
        shown = f"weight, {shown}" if shown else "weight"
    return f"{entry.call}({shown})"


def _short(value: float) -> float:
    """The number in a person's digits, if that is the number but for its last bits."""
    short = float(f"{value:.12g}")
    return short if math.isclose(short, value, rel_tol=1e-14) else value


def _spelled(scheme: Scheme) -> str:
    if scheme.name and _known(scheme):
        return f"initspec.get({scheme.name!r})"
    return f"initspec.get({scheme.to_dict()!r})"


def _known(scheme: Scheme) -> bool:
    try:
        return get(scheme.name) == scheme
    except InitSpecError:
        return False


def _fans_note(
    scheme: Scheme, made: Scheme, to: str, shape: tuple[int, ...] | None, layout: Any
) -> str:
    """Where the framework's fans are not the scheme's."""
    if scheme.mode is None or scheme.fans == made.fans:
        return ""
    title = dialect(to)["title"]
    if shape is None:
        return (
            f"{title} counts fans by the rule {made.fans!r}, the scheme by {scheme.fans!r}: they "
            "differ on grouped, depthwise, transposed and stacked weights. Give the shape and the "
            "layout for numbers."
        )
    theirs, ours = (fans(tuple(shape), layout, rule) for rule in (made.fans, scheme.fans))
    if theirs == ours:
        return ""
    return f"{title} counts {tuple(theirs)} and the scheme {tuple(ours)}."


def _reason(scheme: Scheme, to: str) -> str:
    """Why there is no one call."""
    entries = [e for e in rows(to) if e.until is None and e.call and "(" not in e.call]
    made = [entry.make() for entry in entries]
    if scheme.distribution not in {other.distribution for other in made}:
        return f"it has no {scheme.distribution.replace('_', ' ')} law"
    sides = {other.zeros_per for other in made if other.distribution == "sparse"}
    if scheme.distribution == "sparse" and scheme.zeros_per not in sides:
        mine, theirs = ("in", "out") if scheme.zeros_per == "in" else ("out", "in")
        return f"its sparse law counts zeros for each {theirs}put unit, not for each {mine}put unit"
    if scheme.bias_unit:
        return "it does not count the bias unit"
    if scheme.mode is not None and scheme.distribution == "truncated_normal":
        return "none of its laws that scale by fans is cut and corrected in this way"
    if scheme.mode is not None:
        return f"none of its laws of this kind takes {scheme.mode} with this factor"
    return "none of its laws of this kind takes these numbers"


_TORCH_N = {
    "FAN_IN": "fan_in",
    "FAN_OUT": "fan_out",
    "FAN_AVG": "((fan_in + fan_out) / 2)",
    "FAN_GEO_AVG": "(fan_in * fan_out) ** 0.5",
}


def _steps(scheme: Scheme) -> str | None:
    """PyTorch in several lines, for element laws that scale by the fans of (out, in, ...).

    Zeros for each output unit are those of the transposed weight.
    """
    if scheme.distribution == "sparse":
        told = _call(scheme.replace(zeros_per="in"), "torch")
        line = _written(*told, "torch").replace("(weight", "(weight.mT") if told else ""
        return f"# weight is (out, in)\n{line}" if told else None
    law = _law(scheme, *_FANS[0])
    if scheme.mode is None or law is None or scheme.mean:
        return None
    n, ones = _TORCH_N[scheme.mode], Fans(1, 1).n(scheme.mode, scheme.bias_unit)
    lines = [
        "# weight is (out, in, ...), without groups",
        f"fan_in = weight[0].numel(){' + 1  # the bias unit' if scheme.bias_unit else ''}",
    ]
    if scheme.mode != "FAN_IN":
        lines.append("fan_out = weight.shape[0] * weight[0, 0].numel()")
    if isinstance(law, Uniform):
        lines += [
            f"limit = ({_short(ones * law.high**2)!r} / {n}) ** 0.5",
            "torch.nn.init.uniform_(weight, -limit, limit)",
        ]
        return "\n".join(lines)
    if not isinstance(law, (Normal, TruncatedNormal)):
        return None
    lines.append(f"std = ({_short(ones * law.sigma**2)!r} / {n}) ** 0.5")
    if isinstance(law, Normal):
        lines.append("torch.nn.init.normal_(weight, std=std)")
    else:
        low, high = (f"{_short(side)!r} * std" for side in (law.low, law.high))
        lines.append(f"torch.nn.init.trunc_normal_(weight, std=std, a={low}, b={high})")
    return "\n".join(lines)
