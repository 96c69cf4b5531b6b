"""Signal propagation: how a scheme carries variance through the layers of a deep network.

The network is the plainest one: ``z[l] = phi(z[l-1]) W[l]`` with square weights and no biases,
where ``phi(z[0])`` is an input of mean square one. Forward it is the variance of ``z[l]`` that is
followed, backward that of the gradient with respect to ``z[l]``, which is one at the last layer.

The prediction is the mean field's (Poole et al. 2016, Schoenholz et al. 2017), which is exact as
the width grows: with weights of mean zero and ``s = width * Var(w)``, and ``x`` standard normal,
``q[1] = s``, ``q[l+1] = s E[phi(sqrt(q[l]) x)**2]`` and
``g[l] = s E[phi'(sqrt(q[l]) x)**2] g[l+1]``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from .activations import Activation, Array
from .activations import activation as find
from .curves import called
from .distribution import Distribution
from .errors import InitSpecError, SpecError
from .registry import get
from .scheme import Scheme
from .structure import Given, Stencil, Structured

#: Beyond this a variance is called infinite: squares of larger numbers leave float64.
LIMIT = 1e300

#: A change by no more than this factor, from the first layer to the last, keeps the variance.
KEPT = 10.0

_OFF = 0.01
_MOST = 2**28  # weights that a simulated network holds at once: 1 GiB
_NAMED = ("lecun_normal", "he_normal")  # what is recommended where it does as well as any


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


@dataclass(frozen=True, slots=True)
class Signal:
    """The variance of activations, forward, and of gradients, backward, at each layer.

    Item ``i`` of a course is layer ``i + 1``. ``weight_variance`` is ``width * Var(w)``, None where
    the weights are not random with mean zero, so that the recursion does not hold.
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
        """What a layer multiplies the variance of activations by: the geometric mean."""
        return _per_layer(self._changes[0], self.depth)

    @property
    def backward_factor(self) -> float:
        """What a layer multiplies the variance of gradients by on the way back."""
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
        return _advice(find(self.activation.partition("(")[0], self.slope), self.depth)

    @property
    def sentence(self) -> str:
        """What it means."""
        head = f"{self.scheme} with {self.activation}"
        if self.depth == 1:
            return f"{head}: one layer has nothing to keep; take a depth of 2 or more."
        forward, backward = (_Verdict(change, self.depth) for change in self._changes)
        said = f"over {self.depth} layers the variance of activations {forward.one}"
        if forward.kind == backward.kind:
            said = f"over {self.depth} layers the variances of activations and of gradients "
            sizes = dict.fromkeys((forward.size, backward.size))  # said once where they are equal
            said += forward.both + f" ({' and '.join(sizes)})" * any(sizes)
        else:
            said += f"{forward.said}, that of gradients {backward.one}{backward.said}"
        return f"{head}: {said}. {self._advice}".rstrip()

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        words = ("scheme", "activation", "depth", "width", "seed", "networks", "batch")
        return {
            **{word: getattr(self, word) for word in words},
            "weight_variance": self.weight_variance,
            "forward": {**self.forward.to_dict(), "factor": self.forward_factor},
            "backward": {**self.backward.to_dict(), "factor": self.backward_factor},
            "sentence": self.sentence,
        }

    def lines(self) -> list[str]:
        """A table of some layers, and what it means."""
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


def signal(
    scheme: Any,
    activation: str = "relu",
    depth: int = 50,
    width: int = 512,
    *,
    slope: float | None = None,
    seed: int = 0,
    networks: int | None = None,
    batch: int = 64,
) -> Signal:
    """How the variance of activations and of gradients goes through a fully connected network.

    ``scheme`` is a name, or anything that :func:`initspec.get` takes, and is put on square weights
    of ``width`` inputs and outputs; the networks' weights are those of ``scheme.numpy(...,
    seed=seed, name="network.0.layer.1")`` and so on. ``batch`` inputs go through each of
    ``networks`` networks: 3 unless given, or 1 where a weight is one law of a whole tensor, such
    as an orthogonal one, which takes longer and varies less.

    The mean over networks is what the recursion predicts; one network strays from it, with relu
    and independent weights by a factor whose logarithm has a variance of ``5 depth / width``.

    Raises :class:`UnknownName` for an activation that does not exist, :class:`SpecError` for a
    scheme that square weights cannot have and for sizes that cannot be.

    >>> found = signal("he_normal", depth=8, width=64)
    >>> round(found.forward.predicted[-1], 12), round(found.backward.predicted[0], 12)
    (2.0, 1.0)
    >>> round(signal("lecun_normal", depth=8, width=64).forward_factor, 12)
    0.5
    """
    phi = find(activation, slope)
    _check_sizes(depth, width, networks, batch)
    made = get(scheme)
    law = _law(made, width)
    count = (1 if isinstance(law, Structured) else 3) if networks is None else networks
    runs = [_simulated(made, phi, depth, width, batch, seed, run) for run in range(count)]
    variance = weight_variance(law, width)
    predicted = (None, None) if variance is None else predict(variance, phi, depth)
    forward, backward = (
        _course(predicted[side], np.array([run[side] for run in runs])) for side in (0, 1)
    )
    return Signal(
        called(made),
        phi.name,
        depth,
        width,
        seed,
        count,
        batch,
        variance,
        forward,
        backward,
        slope,
    )


def weight_variance(law: Distribution, width: int) -> float | None:
    """``width * Var(w)``, or None for weights that are not random with mean zero.

    >>> round(weight_variance(get("he_uniform").on((64, 64)), 64), 12)
    2.0
    """
    if isinstance(law, (Given, Stencil)):
        return None
    try:
        mean, variance = law.mean, law.variance
    except SpecError:  # a custom law that does not say
        return None
    return width * variance if mean == 0 else None


# ---------------------------------------------------------------------------------- prediction


def predict(
    variance: float, phi: Activation, depth: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The variance of activations and of gradients at each layer, by the recursion.

    ``variance`` is the weights' own, times the width.

    >>> forward, backward = predict(1.0, find("relu"), 3)
    >>> [round(q, 12) for q in forward], [round(g, 12) for g in backward]
    ([1.0, 0.5, 0.25], [0.25, 0.5, 1.0])
    """
    forward, backward = _recursion(np.array([variance]), phi, depth)
    return tuple(forward[:, 0].tolist()), tuple(backward[:, 0].tolist())


def _recursion(variance: Array, phi: Activation, depth: int) -> tuple[Array, Array]:
    """Both variances for several weights at once; rows are layers."""
    nodes, chances = _normal()
    forward, slopes = [variance], []
    with np.errstate(all="ignore"):
        for _ in range(depth - 1):
            scale = np.sqrt(np.minimum(forward[-1], LIMIT))
            value, slope = phi(np.multiply.outer(scale, nodes))
            forward.append(_finite(variance * (value**2 @ chances)))
            slopes.append(variance * (slope**2 @ chances))
        backward = np.ones((depth, variance.size))
        for layer in range(depth - 2, -1, -1):
            backward[layer] = _finite(slopes[layer] * backward[layer + 1])
    return np.array(forward), backward


@cache
def _normal() -> tuple[Array, Array]:
    """Nodes and weights for the expectation of a function of a standard normal number.

    Gauss and Legendre's rule in panels that grow finer towards zero. Gauss and Hermite's, of 128
    nodes, is off by 0.7 % for the slope of selu, which jumps at zero, and by far more where
    tanh is steep; this one is exact to rounding for both.
    """
    edges = [0.0, *(2.0**power for power in range(-12, 2)), 3.0, 4.0, 6.0, 8.0, 10.0]
    node, weight = np.polynomial.legendre.leggauss(10)
    halves = [(b - a) / 2 for a, b in pairwise(edges)]
    x = np.concatenate([a + half * (node + 1) for a, half in zip(edges, halves, strict=False)])
    w = np.concatenate([half * weight for half in halves]) * np.exp(-(x**2) / 2)
    w = np.concatenate([w[::-1], w])
    return np.concatenate([-x[::-1], x]), w / w.sum()


def _finite(variance: Array) -> Array:
    return np.where(variance < LIMIT, variance, np.inf)


# ---------------------------------------------------------------------------------- simulation


def _simulated(
    scheme: Scheme, phi: Activation, depth: int, width: int, batch: int, seed: int, run: int
) -> tuple[Array, Array]:
    """Both variances at each layer of one network, over its units and a batch of inputs."""
    head = f"network.{run}"
    weights = [
        np.asarray(scheme.numpy((width, width), seed=seed, name=f"{head}.layer.{layer + 1}"))
        for layer in range(depth)
    ]
    value, back = (_unit(batch, width, seed, f"{head}.{end}") for end in ("input", "gradient"))
    forward, backward = np.empty(depth), np.empty(depth)
    slopes = []
    with np.errstate(all="ignore"):
        for layer in range(depth):
            z = value @ weights[layer].astype(np.float64)
            forward[layer] = np.mean(z**2)
            value, slope = phi(_bounded(z))
            slopes.append(slope)
        backward[-1] = 1.0
        for layer in range(depth - 2, -1, -1):
            back = (back @ weights[layer + 1].T.astype(np.float64)) * slopes[layer]
            backward[layer] = np.mean(back**2)
            back = _bounded(back)
    return _finite(forward), _finite(backward)


def _unit(batch: int, width: int, seed: int, name: str) -> Array:
    """Rows of normal numbers, each of mean square one."""
    drawn = get("normal", std=1.0).numpy((batch, width), seed=seed, name=name, dtype="float64")
    rows: Array = drawn / np.sqrt(np.mean(drawn**2, axis=1, keepdims=True))
    return rows


def _bounded(z: Array) -> Array:
    """Numbers whose squares are finite, so that what explodes is still a number."""
    return np.clip(z, -math.sqrt(LIMIT), math.sqrt(LIMIT))


def _course(predicted: tuple[float, ...] | None, runs: Array) -> Course:
    mean, low, high = (tuple(of(runs, axis=0).tolist()) for of in (np.mean, np.min, np.max))
    return Course(predicted, mean, low, high)


# -------------------------------------------------------------------------------------- advice


@lru_cache(maxsize=64)
def keeper(phi: Activation, depth: int) -> float:
    """The ``width * Var(w)`` whose predicted variances change least over so many layers.

    It makes the greater of ``|log(q[depth] / q[1])|`` and ``|log(g[1] / g[depth])|`` least, also
    where the weights are 1 % off either way; it is looked for between 1/4 and 256.

    >>> round(keeper(find("relu"), 20), 4), round(keeper(find("linear"), 20), 4)
    (2.0, 1.0)
    """
    grid = np.linspace(math.log(1 / 4), math.log(256.0), 49)
    while True:
        best = int(np.argmin(_strain(np.exp(grid), phi, depth)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
        if high - low < 1e-4:
            return math.exp(grid[best])
        grid = np.linspace(low, high, 11)


def _strain(variance: Array, phi: Activation, depth: int) -> Array:
    """The greatest change, as a logarithm, of both variances and of weights 1 % off.

    Weights off by a little show a balance that tips over: networks of finite width do not keep
    it. What such an error does to a linear network, 1 % a layer, is no fault and taken off.
    """
    nearby = np.multiply.outer(np.exp([-_OFF, 0.0, _OFF]), variance).ravel()
    forward, backward = _recursion(nearby, phi, depth)
    with np.errstate(all="ignore"):
        changes = np.abs(np.log([forward[-1] / forward[0], backward[0] / backward[-1]]))
    worst = np.nan_to_num(changes, nan=np.inf).max(axis=0).reshape(3, -1).max(axis=0)
    return np.asarray(worst - depth * _OFF)


def _advice(phi: Activation, depth: int) -> str:
    best = float(f"{keeper(phi, depth):.3g}")
    factors = [get(name).variance_factor for name in _NAMED]
    strains = _strain(np.array([best, *factors]), phi, depth).tolist()
    name = f"variance_scaling(factor={best:g}, mode='FAN_IN')"
    close = [i for i, strain in enumerate(strains[1:]) if strain <= strains[0] + math.log(1.1)]
    if close:
        name = _NAMED[close[0]]
    if min(strains) <= math.log(KEPT):
        return f"For {phi.name}, {name} keeps both."
    return f"For {phi.name} no variance keeps both so deep; {name} comes nearest."


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
        far = not KEPT**-4 <= self.change <= KEPT**4
        if self.change < 1:
            return "vanish" if far else "shrink"
        return "explode" if far else "grow"

    @property
    def one(self) -> str:
        other = {"lost": "is lost", "kept": "keeps its size", "vanish": "vanishes"}
        return other.get(self.kind, f"{self.kind}s")

    @property
    def both(self) -> str:
        other = {"lost": "are both lost", "kept": "both keep their size"}
        return other.get(self.kind, f"both {self.kind}")

    @property
    def said(self) -> str:
        return f" ({self.size})" if self.size else ""

    @property
    def size(self) -> str:
        if self.kind == "lost":
            return ""
        if self.kind == "kept":
            return f"times {self.change:.2g}"
        return f"times {self.change:.2g}, {_per_layer(self.change, self.depth):.3g} a layer"


# ----------------------------------------------------------------------------------- bad input


def _check_sizes(depth: int, width: int, networks: int | None, batch: int) -> None:
    sizes = {"depth": (depth, 1), "width": (width, 2), "batch": (batch, 1)}
    if networks is not None:
        sizes["networks"] = (networks, 1)
    for name, (given, least) in sizes.items():
        if isinstance(given, bool) or not isinstance(given, int) or given < least:
            raise SpecError(f"{name} is an integer of at least {least}, not {given!r}.")
    if depth * width**2 > _MOST:
        raise SpecError(
            f"{depth} layers of {width} units have {depth * width**2:,} weights, more than the "
            f"{_MOST:,} that are held at once: take fewer or narrower layers."
        )


def _law(scheme: Scheme, width: int) -> Distribution:
    try:
        return scheme.on((width, width), "io")
    except InitSpecError as error:
        raise SpecError(
            f"{called(scheme)} cannot be the start of a layer of {width} units: {error}"
        ) from None


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
