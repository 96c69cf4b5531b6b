"""A scheme of one's own: one class with one method."""

from __future__ import annotations

import inspect
from typing import Any

from ..errors import SpecError
from ..public import public
from .fan_rules import Shape


@public
class Custom:
    """Subclass this and write one method.

    Either ``sample(self, shape)``, which returns an array of that shape; if it takes ``rng`` as
    well it is handed a ``numpy.random.Generator`` made from the key, so that it obeys the seed.
    Or ``ppf(self, p)``, the quantile function on NumPy arrays: then the values come from the
    portable stream, in every layout, window and shard: ``ppf((word + 1/2) / 2**32)``.
    ``mean``, ``variance``, ``kurtosis``, ``support``, ``cdf`` and ``sf`` (``1 - cdf``, with its
    digits) are asked for only where somebody asks the distribution for them.

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
