"""A law of one's own: one class with one method, and the distribution that asks it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import SpecError
from ..public import public
from .distribution import Distribution, spike
from .fan_rules import Shape


@public
class Custom:
    """Subclass this and write one method.

    Either ``sample(self, shape)``, which returns an array of that shape; if it takes ``rng`` as
    well it is handed a ``numpy.random.Generator`` made from the key, so that it obeys the seed.
    Or ``ppf(self, p)``, the quantile function on NumPy arrays: then the values come from the
    portable stream, in every layout, window and shard: ``ppf((word + 1/2) / 2**32)``.
    ``mean``, ``variance``, ``kurtosis``, ``support``, ``cdf``, ``pdf`` and ``sf`` (``1 - cdf`` with
    its digits) are asked for only where somebody asks the distribution for them.

    The conformance suite holds elements, drawn one by one, against ``cdf``, or where there is none
    against ``ppf``: see :mod:`initspec.conformance.own`.

    A frozen dataclass makes a good subclass: it compares, hashes and prints.

    >>> import numpy as np
    >>> from initspec import Custom, get
    >>> class Exponential(Custom):
    ...     def __init__(self, scale=0.1):
    ...         self.scale = scale
    ...     def sample(self, shape, rng):
    ...         return rng.exponential(self.scale, shape)
    >>> get(Exponential(0.5)).numpy((2, 3), seed=0).shape
    (2, 3)
    """

    sample: Any = None
    ppf: Any = None

    def __init_subclass__(cls) -> None:
        if cls.sample is None and cls.ppf is None:
            raise SpecError(
                f"{cls.__name__} defines neither sample(self, shape) nor ppf(self, p): write one."
            )

    def __repr__(self) -> str:  # the same in every process: a name of the law
        held = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__qualname__}({held})"


class Function(Custom):
    """A function of the shape, as a custom law."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def sample(self, shape: Shape, **rng: Any) -> Any:
        return self.function(shape, **rng)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", None)
        return f"Function({name or repr(self.function)})"


def takes_rng(custom: Custom) -> bool:
    """Whether the method or the function behind it wants a generator."""
    target = custom.function if isinstance(custom, Function) else custom.sample
    try:
        return "rng" in inspect.signature(target).parameters
    except (TypeError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class CustomLaw(Distribution):
    """The law of a user's own class or function; it answers what that class defines."""

    custom: Any
    shape: Shape
    kind = "custom"

    def _ask(self, name: str) -> Callable[..., float]:
        answer = getattr(self.custom, name, None)
        if answer is None:
            raise SpecError(
                f"{self.custom!r} does not define {name!r}: add it to your class to have it here."
            )
        return answer if callable(answer) else lambda *args: float(answer)

    @property
    def mean(self) -> float:
        return self._ask("mean")()

    @property
    def variance(self) -> float:
        return self._ask("variance")()

    @property
    def kurtosis(self) -> float:
        return self._ask("kurtosis")()

    @property
    def support(self) -> tuple[float, float]:
        answer = getattr(self.custom, "support", (-math.inf, math.inf))
        low, high = answer() if callable(answer) else answer
        return low, high

    def _cdf(self, x: float) -> float:
        return float(self._ask("cdf")(x))

    def _ppf(self, p: float) -> float:
        return float(self._ask("ppf")(p))

    def _pdf(self, x: float) -> float:
        """What the class says, else the slope of its cdf."""
        if getattr(self.custom, "pdf", None) is not None:
            return float(self._ask("pdf")(x))
        if self.variance == 0:
            return spike(x, self.mean)
        step = 1e-4 * self.std
        return (self._cdf(x + step) - self._cdf(x - step)) / (2 * step)
