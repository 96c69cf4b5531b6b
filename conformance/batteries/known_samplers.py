"""The samplers that initializers draw from: with one of them in hand a scale is known exactly.

An initializer draws standard numbers and multiplies them. If the same seed gives the standard
numbers too, one draw shows the factor to the last digits, where statistics would need millions.
Frameworks that are not loaded are not asked: a target that stands on one has loaded it.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ..probability.transform import ppf

Array = NDArray[Any]


def standard(law: Distribution) -> Distribution | None:
    """The law of the same kind with mean zero and standard deviation one, if it has one."""
    match law:
        case Normal():
            return Normal(0.0, 1.0)
        case Uniform():
            return Uniform(-math.sqrt(3), math.sqrt(3))
        case TruncatedNormal() if abs(law.low + law.high) < 1e-12:
            parent = TruncatedNormal(0.0, 1.0, law.low, law.high)
            return TruncatedNormal(0.0, 1 / parent.std, law.low, law.high)
    return None


def bases(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    """Names and draws of a standard law by the samplers that are loaded."""
    makers: list[Callable[..., Iterator[tuple[str, Array]]]] = [_numpy]
    makers += [_LOADED[name] for name in _LOADED if name in sys.modules]
    for maker in makers:
        try:
            with warnings.catch_warnings(action="ignore"):
                found = list(maker(law, shape, dtype, seed))
        except Exception:  # a sampler without this type, or of another version
            continue
        yield from found


def _numpy(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
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
    empty = torch.empty(shape, dtype=getattr(torch, dtype))
    match law:
        case Normal():
            found = empty.normal_(generator=generator)
        case Uniform():
            yield "torch", law.high * empty.uniform_(-1, 1, generator=generator).double().numpy()
            return
        case TruncatedNormal():
            torch.nn.init.trunc_normal_(empty, 0.0, 1.0, law.low, law.high, generator=generator)
            found = law.sigma * empty.double()
        case _:
            return
    yield "torch", found.double().numpy()


def _jax(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    random, kind = sys.modules["jax"].random, sys.modules["jax"].numpy.dtype(dtype)
    key = random.PRNGKey(seed)
    match law:
        case Normal():
            found = random.normal(key, shape, kind)
        case Uniform():
            found = law.high * np.asarray(random.uniform(key, shape, kind, -1, 1)).astype(
                np.float64
            )
        case TruncatedNormal():
            cut = random.truncated_normal(key, law.low, law.high, shape, kind)
            yield "jax", np.asarray(cut).astype(np.float64) * law.sigma
            return
        case _:
            return
    yield "jax", np.asarray(found).astype(np.float64)


def _keras(law: Distribution, shape: Shape, dtype: str, seed: int) -> Iterator[tuple[str, Array]]:
    keras = sys.modules["keras"]
    match law:
        case Normal():
            scale, made = 1.0, keras.initializers.RandomNormal(0.0, 1.0, seed=seed)
        case Uniform():
            scale, made = law.high, keras.initializers.RandomUniform(-1.0, 1.0, seed=seed)
        case TruncatedNormal() if law.low == -2 and law.high == 2:
            scale, made = law.sigma, keras.initializers.TruncatedNormal(0.0, 1.0, seed=seed)
        case _:
            return
    found = keras.ops.convert_to_numpy(made(shape, dtype=dtype))
    yield "keras", scale * np.asarray(found).astype(np.float64)


_LOADED = {"torch": _torch, "jax": _jax, "keras": _keras}
