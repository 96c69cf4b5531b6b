"""The parameters of two layers, paired by role."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SpecError
from ..spec.distance import distance_or_none, same_law, variance_ratio
from ..spec.distribution import Distribution, Triangular, Uniform
from ..spec.tensor_laws import Structured
from .defaults import second_biases
from .parameter import LayerDefault, Parameter
from .sizes import Sizes

#: Roles of stacked parameters, with those of their parts.
PARTS: Mapping[str, tuple[str, ...]] = {
    "qkv": ("query", "key", "value"),
    "qkv_bias": ("query_bias", "key_bias", "value_bias"),
    "joined": ("kernel", "recurrent"),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Parameters of one role on both sides, and how far apart their laws are.

    ``source`` is None where the source has no such parameter, ``targets`` is empty where the
    target has none. ``variance_ratio`` is the target's variance by the source's, ``ks`` their
    Kolmogorov distance; both are None where they are not known. Where one side adds a second bias
    to its first they are those of the sum, which is what reaches a gate. ``remark``
    says what no number does.
    """

    source: Parameter | None
    targets: tuple[Parameter, ...]
    same: bool | None
    variance_ratio: float | None
    ks: float | None
    remark: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        known = [parameter for parameter in (self.source, *self.targets) if parameter is not None]
        return {
            "role": known[0].role,
            "source": self.source and self.source.name,
            "source_draws": self.source and self.source.formula,
            "targets": [target.name for target in self.targets],
            "target_draws": self.targets[0].formula if self.targets else None,
            "same": self.same,
            "variance_ratio": self.variance_ratio,
            "ks": self.ks,
            "remark": self.remark,
        }


# ---------------------------------------------------------------------------------- the pairs


def pairs_of(source: LayerDefault, target: LayerDefault, sizes: Sizes) -> Iterator[Pair]:
    """The parameters of both layers by role, the source's first, with numbers for these sizes."""
    ours, theirs = _by_role(source), _by_role(target)
    met: set[str] = set()
    for role, parameters in ours.items():
        roles = [name for name in (role, *PARTS.get(role, ()), *_wholes(role)) if name in theirs]
        met.update(roles)
        targets = tuple(item for name in roles for item in theirs[name])
        if not targets and role == "recurrent_bias" and _two_rows(theirs):
            yield _pair(parameters[0], theirs["bias"], sizes, source, target)
        elif not targets:
            yield Pair(parameters[0], (), None, None, None, _lonely(role, source, target))
        elif len(parameters) == len(targets) and _differ(parameters):
            for parameter, counterpart in zip(parameters, targets, strict=True):
                yield _pair(parameter, (counterpart,), sizes, source, target)
        else:
            yield _pair(parameters[0], targets, sizes, source, target)
    for role, targets in theirs.items():
        if role == "recurrent_bias" and _two_rows(ours):
            yield _pair(ours["bias"][0], targets, sizes, source, target)
        elif role not in met:
            yield Pair(None, targets, None, None, None, _surplus(role, source))


def _differ(parameters: tuple[Parameter, ...]) -> bool:
    """Whether parameters of one role have laws of their own, as two layers in one have."""
    return len({parameter.rule for parameter in parameters}) > 1


def _by_role(row: LayerDefault) -> dict[str, tuple[Parameter, ...]]:
    """What is there without asking for it."""
    by_role: dict[str, tuple[Parameter, ...]] = {}
    for parameter in row.values():
        if not parameter.when:
            by_role[parameter.role] = (*by_role.get(parameter.role, ()), parameter)
    return by_role


def _wholes(role: str) -> Iterable[str]:
    return (whole for whole, parts in PARTS.items() if role in parts)


def _two_rows(roles: Mapping[str, tuple[Parameter, ...]]) -> bool:
    """Whether the bias holds that of the state too, in a second row."""
    return any(parameter.second_row == "recurrent_bias" for parameter in roles.get("bias", ()))


def added(row: LayerDefault, other: LayerDefault) -> Parameter | None:
    """The second bias that a layer adds to its first, where the other layer has one alone.

    None where it is zero. The cells of a GRU are no such layers: in one of their gates the second
    bias is multiplied before it is added.

    >>> from initspec.layers.port import find
    >>> second = added(find("torch.nn.LSTM"), find("keras.layers.LSTM"))
    >>> second.name
    'bias_hh_l0'
    """
    if second_biases().get(row.kind) != "added" or "recurrent_bias" in _by_role(other):
        return None
    second = _by_role(row).get("recurrent_bias", ())
    return next((parameter for parameter in second if not parameter.always_zero), None)


def apart(row: LayerDefault, other: LayerDefault) -> str:
    """What a GRU's second bias does that the other layer cannot; empty where it can, or is zero."""
    ours, theirs = _by_role(row), _by_role(other)
    multiplied = second_biases().get(row.kind) == "multiplied"
    (second, *_) = (*ours.get("recurrent_bias", ()), None)
    if not multiplied or second is None or second.always_zero or _two_rows(theirs):
        return ""
    gates = {_gates(parameter) for parameter in theirs.get("recurrent_bias", ())}
    if _gates(second) in gates:
        return ""
    if _gates(second) < max(gates, default=0):
        return f"{title(row)} has it in the new gate alone"
    where = "but in the new gate" if gates else "in any gate"
    return f"{title(row)} adds it to its other bias, and {title(other)} has no second one {where}"


def _gates(bias: Parameter) -> int:
    """How many gates a bias of a cell has numbers for."""
    return math.prod(bias.shape_on({"hidden": 1}))


def _lonely(role: str, source: LayerDefault, target: LayerDefault) -> str:
    text = f"{title(target)} has no such parameter"
    if role == "recurrent_bias" and added(source, target):
        return f"{text}: its one bias needs the sum."
    if role == "recurrent_bias":
        return f"{apart(source, target) or f'{text}, and needs none: it is zero there'}."
    return f"{text}."


def _surplus(role: str, source: LayerDefault) -> str:
    text = f"{title(source)} has no such parameter"
    return text + ("; zero leaves its law." if role == "recurrent_bias" else ".")


def _pair(
    source: Parameter,
    targets: tuple[Parameter, ...],
    sizes: Sizes,
    left: LayerDefault,
    right: LayerDefault,
) -> Pair:
    target = targets[0]
    if source.required or target.required:
        row, parameter = (left, source) if source.required else (right, target)
        remark = f"{title(row)} has no default: {parameter.required} is given by the caller."
        return Pair(source, targets, None, None, None, remark)
    seconds: tuple[Parameter | None, Parameter | None] = (None, None)
    if source.role == target.role == "bias":
        seconds = added(left, right), added(right, left)
    if any(seconds):
        return _summed(source, targets, sizes, (left, right), seconds)
    laws = source.on(sizes), target.on(sizes)
    same = same_entries(source, target, sizes)
    tied = any(isinstance(law, Structured) and law.kind != "array" for law in laws)
    remark = "" if same or not tied else "Entries of an orthogonal matrix depend on each other."
    if "recurrent_bias" in (source.role, target.role):
        reason = apart(left, right) or apart(right, left)
        remark = f"{reason}." if reason else ""
    if same:
        return Pair(source, targets, True, 1.0, 0.0, remark)
    ratio = variance_ratio(*(law.variance for law in laws))
    return Pair(source, targets, False, ratio, distance_or_none(*laws), remark)


def _summed(
    source: Parameter,
    targets: tuple[Parameter, ...],
    sizes: Sizes,
    rows: tuple[LayerDefault, LayerDefault],
    seconds: tuple[Parameter | None, Parameter | None],
) -> Pair:
    """A bias on one side against the sum of two on the other."""
    laws, remark = [], ""
    for row, first, second in zip(rows, (source, targets[0]), seconds, strict=True):
        law = first.on(sizes)
        if second is not None:
            law = total(law, second.on(sizes))
            remark = (
                f"{title(row)} adds {second.name} to it: what reaches a gate is the sum of both, "
                f"triangular on (-{law.limit:.6g}, {law.limit:.6g}), of twice the variance; the "
                "numbers are those of the sum."
            )
        laws.append(law)
    ratio = variance_ratio(*(law.variance for law in laws))
    return Pair(source, targets, False, ratio, distance_or_none(*laws), remark)


def total(first: Distribution, second: Distribution) -> Triangular:
    """The law of the sum of two independent numbers, both uniform on ``(-limit, limit)``."""
    if not (isinstance(first, Uniform) and first == second and first.low == -first.high):
        raise SpecError(f"the law of the sum of {first!r} and {second!r} is not known here.")
    return Triangular(2 * first.high)


def same_entries(source: Parameter, target: Parameter, sizes: Sizes) -> bool:
    """Whether both draw the same law, whatever the axes are called."""
    first, second = source.on(sizes), target.on(sizes)
    if source.gates or target.gates:
        return source.gates == target.gates
    if isinstance(first, Structured) or isinstance(second, Structured):
        kind = first.kind == second.kind and source.scheme == target.scheme
        return kind and source.joint == target.joint and first.variance == second.variance
    return same_law(first, second)


def title(row: LayerDefault) -> str:
    """A layer with its framework, for people: ``torch Linear``."""
    return f"{row.framework} {row.name}"
