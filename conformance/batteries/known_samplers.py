"""The samplers that initializers draw from: with one of them in hand a scale is known exactly.

An initializer draws standard numbers and multiplies them. If the same seed gives the standard
numbers too, one draw shows the factor to the last digits, where statistics would need millions.
Frameworks that are not loaded are not asked: a target that stands on one has loaded it. SciPy is
loaded for NumPy's quantiles alone, so that the process of a target does without it.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape

Array = NDArray[Any]
#: Names and draws of a law, a shape, a dtype and a seed.
Sampler = Callable[[Distribution, Shape, str, int], Iterator[tuple[str, Array]]]

#: The laws that samplers draw, by kind, and the names of their parameters.
_LAWS: dict[str, tuple[Callable[..., Distribution], tuple[str, ...]]] = {
    "normal": (Normal, ("mu", "sigma")),
    "uniform": (Uniform, ("low", "high")),
    "truncated_normal": (TruncatedNormal, ("mu", "sigma", "low", "high")),
}


def standard(law: Distribution) -> Distribution | None:
    """The law of the same kind with mean zero and standard deviation one, if it has one.

    >>> standard(Normal(2.0, 3.0))
    Normal(mu=0.0, sigma=1.0)
    """
    match law:
        case Normal():
            return Normal(0.0, 1.0)
        case Uniform():
            return Uniform(-math.sqrt(3), math.sqrt(3))
        case TruncatedNormal() if abs(law.low + law.high) < 1e-12:
            parent = TruncatedNormal(0.0, 1.0, law.low, law.high)
            return TruncatedNormal(0.0, 1 / parent.std, law.low, law.high)
    return None


def as_data(law: Distribution) -> dict[str, Any]:
    """A standard law as plain data, for a question to another process; :func:`from_data` reads it.

    >>> from_data(as_data(Normal(0.0, 1.0)))
    Normal(mu=0.0, sigma=1.0)
    """
    return {"kind": law.kind, **{name: getattr(law, name) for name in _LAWS[law.kind][1]}}


def from_data(data: Mapping[str, Any]) -> Distribution:
    """The law of :func:`as_data`."""
    law, parameters = _LAWS[data["kind"]]
    return law(*(data[name] for name in parameters))


def bases(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    """Names and draws of a standard law, by NumPy and by the frameworks that are loaded."""
    yield from of_numpy(law, shape, dtype, seed)
    yield from of_frameworks(law, shape, dtype, seed)


def of_numpy(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    """Names and draws of a standard law by NumPy's generators."""
    return _all((_numpy,), law, shape, dtype, seed)


def of_frameworks(
    law: Distribution, shape: Shape, dtype: str, seed: int
) -> Iterator[tuple[str, Array]]:
    """Names and draws of a standard law by the frameworks that this process has loaded."""
    samplers = [sampler for name, sampler in _FRAMEWORKS.items() if name in sys.modules]
    return _all(samplers, law, shape, dtype, seed)


def _all(
    samplers: Iterable[Sampler], law: Distribution, shape: Shape, dtype: str, seed: int
) -> Iterator[tuple[str, Array]]:
    for sampler in samplers:
        try:
            with warnings.catch_warnings(action="ignore"):
                draws = list(sampler(law, shape, dtype, seed))
        except Exception:  # a sampler without this type, or of another version
            continue
        yield from draws


def _numpy(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    from ..probability.transform import ppf  # SciPy

    generators: dict[str, Callable[[], Any]] = {
        "default_rng": lambda: np.random.default_rng(seed),
        "PCG64DXSM": lambda: np.random.Generator(np.random.PCG64DXSM(seed)),
        "RandomState": lambda: np.random.RandomState(seed % 2**32),
    }
    for name, make in generators.items():
        legacy = name == "RandomState"
        uniform = make().random_sample(shape) if legacy else make().random(shape)
        yield f"numpy {name}, by quantiles", ppf(law, uniform)
        if isinstance(law, Normal):
            yield f"numpy {name}", make().standard_normal(shape)
            if not legacy:
                yield f"numpy {name} float32", make().standard_normal(shape, np.float32)


def _torch(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    torch = sys.modules["torch"]
    generator = torch.Generator().manual_seed(seed)
    tensor = torch.empty(shape, dtype=getattr(torch, dtype))
    match law:
        case Normal():
            scale = 1.0
            tensor.normal_(generator=generator)
        case Uniform():
            scale = law.high
            tensor.uniform_(-1, 1, generator=generator)
        case TruncatedNormal():
            scale = law.sigma
            torch.nn.init.trunc_normal_(tensor, 0.0, 1.0, law.low, law.high, generator=generator)
        case _:
            return
    yield "torch", scale * tensor.double().numpy()


def _jax(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    random, kind = sys.modules["jax"].random, sys.modules["jax"].numpy.dtype(dtype)
    key = random.PRNGKey(seed)
    match law:
        case Normal():
            scale, numbers = 1.0, random.normal(key, shape, kind)
        case Uniform():
            scale, numbers = law.high, random.uniform(key, shape, kind, -1)
        case TruncatedNormal():
            low, high = map(_whole, (law.low, law.high))
            numbers = random.truncated_normal(key, low, high, shape, kind)
            scale = law.sigma
        case _:
            return
    yield "jax", scale * np.asarray(numbers).astype(np.float64)


def _whole(bound: float) -> float:
    """A bound as initializers write it: JAX compiles anew for 2.0 what it has for 2."""
    return int(bound) if bound.is_integer() else bound


def _keras(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    keras = sys.modules["keras"]
    match law:
        case Normal():
            scale, sampler = 1.0, keras.initializers.RandomNormal(0.0, 1.0, seed=seed)
        case Uniform():
            scale, sampler = law.high, keras.initializers.RandomUniform(-1.0, 1.0, seed=seed)
        case TruncatedNormal() if law.low == -2 and law.high == 2:
            scale, sampler = law.sigma, keras.initializers.TruncatedNormal(0.0, 1.0, seed=seed)
        case _:
            return
    numbers = keras.ops.convert_to_numpy(sampler(shape, dtype=dtype))
    yield "keras", scale * np.asarray(numbers).astype(np.float64)


_FRAMEWORKS: dict[str, Sampler] = {"torch": _torch, "jax": _jax, "keras": _keras}
