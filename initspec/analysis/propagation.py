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
from typing import Any

import numpy as np

from ..errors import InitSpecError, SpecError
from ..readings.registry import get
from ..spec.arguments import integer
from ..spec.custom import CustomLaw
from ..spec.distribution import Distribution
from ..spec.scheme import Scheme, called
from ..spec.tensor_laws import Structured
from .activations import Activation, Array
from .activations import activation as find
from .mean_field import LIMIT, finite, predict, weight_variance
from .signal import Course, Signal

_MOST = 2**28  # weights that a simulated network holds at once: 1 GiB


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

    >>> answer = signal("he_normal", depth=8, width=64)
    >>> round(answer.forward.predicted[-1], 12), round(answer.backward.predicted[0], 12)
    (2.0, 1.0)
    >>> round(signal("lecun_normal", depth=8, width=64).forward_factor, 12)
    0.5
    """
    phi = find(activation, slope)
    _check_sizes(depth, width, networks, batch)
    start = get(scheme)
    law = _law(start, width)
    whole = isinstance(law, (Structured, CustomLaw))
    count = (1 if whole else 3) if networks is None else networks
    runs = [_simulated(start, phi, depth, width, batch, seed, run) for run in range(count)]
    variance = weight_variance(law, width)
    predicted = (None, None) if variance is None else predict(variance, phi, depth)
    forward, backward = (
        _course(predicted[side], np.array([run[side] for run in runs])) for side in (0, 1)
    )
    return Signal(
        called(start),
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
    return finite(forward), finite(backward)


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


# ----------------------------------------------------------------------------------- bad input


def _check_sizes(depth: int, width: int, networks: int | None, batch: int) -> None:
    sizes = {"depth": (depth, 1), "width": (width, 2), "batch": (batch, 1)}
    if networks is not None:
        sizes["networks"] = (networks, 1)
    for name, (given, least) in sizes.items():
        integer(name, given, least)
    if max(depth, width) > _MOST:
        raise SpecError(f"depth and width are at most {_MOST:,}.")
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
