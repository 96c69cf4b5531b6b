"""What a deep network does to a signal: the answer, and the advice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..public import public
from ..readings.registry import get
from .activations import Activation
from .activations import activation as find
from .mean_field import keeper, predict, strain_of

#: A change by no more than this factor, from the first layer to the last, keeps the variance; one
#: within the second is a little growth or shrinkage.
KEPT, HELD = 2.0, 10.0

#: What is recommended by name where it does as well as any: for the activations it was derived for.
_NAMED = {"he_normal": ("relu", "leaky_relu"), "lecun_normal": ("linear", "selu")}


@dataclass(frozen=True, slots=True)
class Course:
    """One variance from layer 1 to the last: predicted, and measured on several networks.

    ``predicted`` is None where no recursion holds; ``measured`` is the mean over the networks,
    ``low`` and ``high`` the least and the greatest of them.
    """

    predicted: tuple[float, ...] | None
    measured: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def best(self) -> tuple[float, ...]:
        """What is predicted, or measured where nothing is."""
        return self.measured if self.predicted is None else self.predicted

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        predicted = None if self.predicted is None else list(self.predicted)
        measured = {word: list(getattr(self, word)) for word in ("measured", "low", "high")}
        return {"predicted": predicted, **measured}


@public
@dataclass(frozen=True, slots=True)
class Signal:
    """The variance of activations, forward, and of gradients, backward, at each layer.

    Item ``i`` of a course is layer ``i + 1``. ``weight_variance`` is ``width * Var(w)``, None where
    the weights are not random with mean zero, so that the recursion does not hold.

    >>> from initspec import signal
    >>> answer = signal("he_normal", "relu", depth=10, width=64)
    >>> 0.5 < answer.forward_factor < 2
    True
    """

    scheme: str
    activation: str
    depth: int
    width: int
    seed: int
    networks: int
    batch: int
    weight_variance: float | None
    forward: Course
    backward: Course
    slope: float | None = None

    @property
    def forward_factor(self) -> float:
        """What a layer multiplies the variance of activations by: the geometric mean.

        >>> from initspec import signal
        >>> signal("zeros", "relu", depth=3, width=8).forward_factor
        0.0
        """
        return _per_layer(self._changes[0], self.depth)

    @property
    def backward_factor(self) -> float:
        """What a layer multiplies the variance of gradients by on the way back.

        >>> from initspec import signal
        >>> signal("zeros", "relu", depth=3, width=8).backward_factor
        0.0
        """
        return _per_layer(self._changes[1], self.depth)

    @property
    def _changes(self) -> tuple[float, float]:
        """What the way there, and the way back, multiplies the variance by."""
        return _change(self.forward.best), _change(self.backward.best[::-1])

    @property
    def _advice(self) -> str:
        """What would keep both variances, where these weights do not."""
        if all(1 / KEPT <= change <= KEPT for change in self._changes):
            return ""
        own = max(abs(math.log(change)) if change else math.inf for change in self._changes)
        return _advice(find(self.activation.partition("(")[0], self.slope), self.depth, own)

    @property
    def sentence(self) -> str:
        """What it means.

        >>> from initspec import signal
        >>> len(signal("he_normal", "relu", depth=5, width=32).sentence) > 20
        True
        """
        head = f"{self.scheme} with {self.activation}"
        if self.depth == 1:
            return f"{head}: one layer has nothing to keep; take a depth of 2 or more."
        forward, backward = (_Verdict(change, self.depth) for change in self._changes)
        text = f"over {self.depth} layers the variance of activations {forward.alone}"
        if forward.kind == backward.kind:
            text = f"over {self.depth} layers the variances of activations and of gradients "
            sizes = dict.fromkeys((forward.size, backward.size))  # said once where they are equal
            text += forward.both + f" ({' and '.join(sizes)})" * any(sizes)
        else:
            text += forward.in_brackets
            text += f", that of gradients {backward.alone}{backward.in_brackets}"
        return f"{head}: {text}. {self._advice}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        >>> from initspec import signal
        >>> signal("he_normal", "relu", depth=5, width=32).to_dict()["depth"]
        5
        """
        words = ("scheme", "activation", "depth", "width", "seed", "networks", "batch")
        return {
            **{word: getattr(self, word) for word in words},
            "weight_variance": self.weight_variance,
            "forward": {**self.forward.to_dict(), "factor": self.forward_factor},
            "backward": {**self.backward.to_dict(), "factor": self.backward_factor},
            "sentence": self.sentence,
        }

    def lines(self) -> list[str]:
        """A table of some layers, and what it means.

        >>> from initspec import signal
        >>> len(signal("he_normal", "relu", depth=5, width=32).lines()) > 3
        True
        """
        import textwrap

        times = "" if self.networks == 1 else f", mean of {self.networks} networks"
        head = "layer    predicted   measured   factor"
        back = "    predicted   measured   factor"
        table = [
            f"{self.scheme}, {self.activation}, {self.depth} layers of {self.width} units{times}",
            "",
            f"{'':9}{'activations (forward)':30}{'':4}gradients (backward)",
            head + back,
        ]
        for layer in _some(self.depth):
            forward = _cells(self.forward, layer - 1, layer - 2)
            backward = _cells(self.backward, layer - 1, layer)
            table.append(f"{layer:5}    {forward}    {backward}".rstrip())
        if self.weight_variance is None:
            table += ["", "Nothing is predicted: the recursion needs random weights of mean zero."]
        for end, course, layer in (("last", self.forward, -1), ("first", self.backward, 0)):
            low, high = course.low[layer], course.high[layer]
            if low < high:
                what = "activations" if end == "last" else "gradients"
                table += [] if end == "first" else [""]
                table.append(
                    f"{what} at the {end} layer, from network to network: {low:.3g} to {high:.3g}"
                )
        return [*table, "", *textwrap.wrap(self.sentence, 96)]


def _advice(phi: Activation, depth: int, own: float) -> str:
    """What changes both variances least; ``own`` is the logarithm of the greater change now."""
    best = float(f"{keeper(phi, depth):.3g}")
    plain = phi.name.partition("(")[0]
    names = [name for name, derived_for in _NAMED.items() if plain in derived_for]
    factors = [get(name).variance_factor for name in names]
    least, *strains = strain_of(np.array([best, *factors]), phi, depth).tolist()
    forward, backward = predict(best, phi, depth)
    change = max(abs(math.log(_change(course) or 1e-300)) for course in (forward, backward))
    if own <= change + _NEAR:
        return f"For {phi.name} no variance does better."
    close = [name for name, strain in zip(names, strains, strict=True) if strain <= least + _NEAR]
    name = close[0] if close else f"variance_scaling(factor={best:g}, mode='FAN_IN')"
    if change <= math.log(KEPT):
        return f"For {phi.name}, {name} keeps both."
    if change <= math.log(HELD):
        return f"For {phi.name}, {name} holds both within a factor of {math.exp(change):.2g}."
    return f"For {phi.name} no variance keeps both so deep; {name} comes nearest."


_NEAR = math.log(1.1)


def _change(course: Sequence[float]) -> float:
    """The last by the first; 0 where there is nothing from the first on."""
    first, last = course[0], course[-1]
    return last / first if first and math.isfinite(first) else (math.inf if first else 0.0)


def _per_layer(change: float, depth: int) -> float:
    return change ** (1 / (depth - 1)) if depth > 1 else 1.0


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a change from the first layer to the last amounts to, in words."""

    change: float
    depth: int

    @property
    def kind(self) -> str:
        if self.change == 0:
            return "lost"
        if 1 / KEPT <= self.change <= KEPT:
            return "kept"
        words = ("shrink a little", "shrink", "vanish")
        if self.change > 1:
            words = ("grow a little", "grow", "explode")
        size = abs(math.log(self.change) / math.log(HELD))
        return words[(size > 1) + (size > 4)]

    @property
    def alone(self) -> str:
        """Of one variance: ``"keeps its size"``."""
        other = {"lost": "is lost", "kept": "keeps its size", "vanish": "vanishes"}
        verb, *rest = self.kind.split(" ", 1)
        return other.get(self.kind, " ".join((f"{verb}s", *rest)))

    @property
    def both(self) -> str:
        """Of two: ``"both keep their size"``."""
        other = {"lost": "are both lost", "kept": "both keep their size"}
        return other.get(self.kind, f"both {self.kind}")

    @property
    def in_brackets(self) -> str:
        return f" ({self.size})" if self.size else ""

    @property
    def size(self) -> str:
        if self.kind == "lost":
            return ""
        if 1 / HELD <= self.change <= HELD:
            return f"times {self.change:.2g}"
        return f"times {self.change:.2g}, {_per_layer(self.change, self.depth):.3g} a layer"


def _some(depth: int) -> Iterator[int]:
    """1, 2, 5, 10, ... and the last layer."""
    for layer in sorted({digit * 10**power for power in range(5) for digit in (1, 2, 5)}):
        if layer < depth:
            yield layer
    yield depth


def _cells(course: Course, here: int, before: int) -> str:
    predicted = "-" if course.predicted is None else f"{course.predicted[here]:.4g}"
    best, factor = course.best, ""
    if 0 <= before < len(best) and best[before] and math.isfinite(best[before]):
        factor = f"{best[here] / best[before]:.4g}"
    return f"{predicted:>9}  {course.measured[here]:9.4g}  {factor:>7}"
