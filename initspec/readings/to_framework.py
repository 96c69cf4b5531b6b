"""A scheme as source text of a framework: its own call, or what else says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import InitSpecError, SpecError, UnknownName
from ..spec.distribution import Normal, TruncatedNormal, Uniform
from ..spec.fan_rules import Fans
from ..spec.layout import Layout, fans
from ..spec.scheme import Scheme
from .call import call_of, callable_rows, fixed, law_at, short
from .registry import dialect, dialects, get

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
    if not isinstance(to, str) or to not in dialects():
        raise UnknownName("dialect", to, dialects())
    wanted = get(scheme)
    law = None if shape is None else wanted.on(shape, layout)
    call = call_of(wanted, to)
    if call is not None:
        note = _fans_note(wanted, call.scheme, to, shape, layout)
        if not (note and law is not None):
            return _code(wanted, to, call.source, note)
    if law is not None:
        numbers = fixed(law)
        call = call_of(numbers, to) if numbers is not None else None
        if call is not None:
            axes = Layout.of(layout, len(shape or ()))
            note = f"The numbers are those of the shape {tuple(shape or ())}, layout '{axes}'."
            return _code(wanted, to, call.source, note)
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


# ----------------------------------------------------------------------------------------- text


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
    scheme: Scheme, theirs: Scheme, to: str, shape: tuple[int, ...] | None, layout: Any
) -> str:
    """Where the framework's fans are not the scheme's."""
    if scheme.mode is None or scheme.fans == theirs.fans:
        return ""
    title = dialect(to)["title"]
    if shape is None:
        return (
            f"{title} counts fans by the rule {theirs.fans!r}, the scheme by {scheme.fans!r}: they "
            "differ on grouped, depthwise, transposed and stacked weights. Give the shape and the "
            "layout for numbers."
        )
    counts, wanted = (fans(tuple(shape), layout, side.fans) for side in (theirs, scheme))
    if counts == wanted:
        return ""
    return f"{title} counts {tuple(counts)} and the scheme {tuple(wanted)}."


def _reason(scheme: Scheme, to: str) -> str:
    """Why there is no one call."""
    others = [entry.make() for entry in callable_rows(to)]
    if scheme.distribution not in {other.distribution for other in others}:
        return f"it has no {scheme.distribution.replace('_', ' ')} law"
    sides = {other.zeros_per for other in others if other.distribution == "sparse"}
    if scheme.distribution == "sparse" and scheme.zeros_per not in sides:
        side, other = ("in", "out") if scheme.zeros_per == "in" else ("out", "in")
        return f"its sparse law counts zeros for each {other}put unit, not for each {side}put unit"
    if scheme.texts:
        return "it takes numbers, and this one goes by the fans"
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
        call = call_of(scheme.replace(zeros_per="in"), "torch")
        if call is None:
            return None
        return f"# weight is (out, in)\n{call.source.replace('(weight', '(weight.mT')}"
    law = law_at(scheme)
    if scheme.texts or scheme.mode is None or law is None or scheme.mean:
        return None
    n, ones = _TORCH_N[scheme.mode], Fans(1, 1).n(scheme.mode, scheme.bias_unit)
    if scheme.power != 1:
        whole = f"({n})" if "*" in n and not n.startswith("((") else n
        n, ones = f"{whole} ** {scheme.power:g}", ones**scheme.power
    lines = [
        "# weight is (out, in, ...), without groups",
        f"fan_in = weight[0].numel(){' + 1  # the bias unit' if scheme.bias_unit else ''}",
    ]
    if scheme.mode != "FAN_IN":
        lines.append("fan_out = weight.shape[0] * weight[0, 0].numel()")
    if isinstance(law, Uniform):
        lines += [
            f"limit = ({short(ones * law.high**2)!r} / {n}) ** 0.5",
            "torch.nn.init.uniform_(weight, -limit, limit)",
        ]
        return "\n".join(lines)
    if not isinstance(law, (Normal, TruncatedNormal)):
        return None
    lines.append(f"std = ({short(ones * law.sigma**2)!r} / {n}) ** 0.5")
    if isinstance(law, Normal):
        lines.append("torch.nn.init.normal_(weight, std=std)")
    else:
        low, high = (f"{short(side)!r} * std" for side in (law.low, law.high))
        lines.append(f"torch.nn.init.trunc_normal_(weight, std=std, a={low}, b={high})")
    return "\n".join(lines)
