"""A law of one's own: one class with one method, and the distribution that asks it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..errors import SpecError
from ..public import public
from .distribution import Distribution, spike
from .fan_rules import Fans, Shape
from .layout import Layout


@public
class Custom:
    """Subclass this and write one method.

    Either ``sample(self, shape)``, which returns an array of that shape; if it takes ``rng`` as
    well it is handed a ``numpy.random.Generator`` made from the key, so that it obeys the seed.
    Or ``ppf(self, p)``, the quantile function on NumPy arrays: then the values come from the
    portable stream, in every layout, window and shard: ``ppf((word + 1/2) / 2**32)``.
    ``mean``, ``variance``, ``kurtosis``, ``support``, ``cdf``, ``pdf`` and ``sf`` (``1 - cdf`` with
    its digits) are asked for only where somebody asks the distribution for them.

    Any of these methods may take ``fans`` and ``layout`` besides: the :class:`initspec.Fans` and
    the :class:`initspec.Layout` of the tensor, so that a law by the fans is one in every framework,
    however it stores a weight.

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
    """A function of the shape, as a custom law.

    >>> import numpy as np
    >>> from initspec import get
    >>> def laplace(shape, fans, rng):
    ...     return rng.laplace(0, (2 * fans.fan_in) ** -0.5, shape)
    >>> get(laplace).numpy((32, 64), seed=0).shape
    (32, 64)
    """

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
    return "rng" in _words(custom, "sample")


def asked(custom: Any) -> frozenset[str]:
    """What a law asks for besides the shape: ``fans``, ``layout``, or neither.

    >>> sorted(asked(Function(lambda shape, fans, layout, rng: rng.normal(size=shape))))
    ['fans', 'layout']
    """
    return frozenset(word for name in _METHODS for word in _words(custom, name)) & _ASKED


_METHODS = ("sample", "ppf", "mean", "variance", "kurtosis", "support", "cdf", "sf", "pdf")
_ASKED = frozenset(("fans", "layout"))


def _words(custom: Any, name: str) -> frozenset[str]:
    """The parameters of a method, or of the function behind it."""
    custom = custom.custom if isinstance(custom, Bound) else custom
    function = isinstance(custom, Function) and name == "sample"
    target = custom.function if function else getattr(custom, name, None)
    try:
        return frozenset(inspect.signature(target).parameters) if callable(target) else frozenset()
    except (TypeError, ValueError):
        return frozenset()


@dataclass(frozen=True, repr=False)
class Bound(Custom):
    """A user's law times ``gain``, on a tensor with these fans and this layout.

    It answers what that law defines; the rest is None, as where a class does not define it.

    >>> from initspec import Fans
    >>> class Rayleigh(Custom):
    ...     def ppf(self, p, fans):
    ...         return (-2 * math.log1p(-p) / fans.fan_in) ** 0.5
    >>> law = Bound(Rayleigh(), 0.5, Fans(8, 4))
    >>> round(law.ppf(0.5), 6), law.cdf is None
    (0.208139, True)
    """

    custom: Custom
    gain: float = 1.0
    fans: Fans | None = None
    layout: Layout | None = None

    def __repr__(self) -> str:
        return repr(self.custom) if self.gain == 1 else f"{self.gain!r} * {self.custom!r}"

    def _method(self, name: str) -> Any:
        """A method of the law with what it asks for; None where it has none."""
        method = getattr(self.custom, name, None)
        words = _words(self.custom, name) & _ASKED
        if method is None or not words:
            return method
        return partial(method, **{word: getattr(self, word) for word in words})

    def _number(self, name: str, power: int) -> Any:
        answer = self._method(name)
        if answer is None:
            return None
        return self.gain**power * float(answer() if callable(answer) else answer)

    @property
    def sample(self) -> Any:
        method = self._method("sample")
        if method is None or self.gain == 1:
            return method
        import numpy as np

        return lambda shape, **rng: self.gain * np.asarray(method(shape, **rng))

    @property
    def ppf(self) -> Any:
        method = self._method("ppf")
        if method is None or self.gain == 1:
            return method
        return lambda p: self.gain * method(p)

    @property
    def mean(self) -> Any:
        return self._number("mean", 1)

    @property
    def variance(self) -> Any:
        return self._number("variance", 2)

    @property
    def kurtosis(self) -> Any:
        return self._number("kurtosis", 0)

    @property
    def support(self) -> tuple[float, float]:
        answer = self._method("support")
        low, high = (answer() if callable(answer) else answer) or (-math.inf, math.inf)
        return self.gain * low, self.gain * high

    @property
    def cdf(self) -> Any:
        method = self._method("cdf")
        return method and (lambda x: method(x / self.gain))

    @property
    def sf(self) -> Any:
        method = self._method("sf")
        return method and (lambda x: method(x / self.gain))

    @property
    def pdf(self) -> Any:
        method = self._method("pdf")
        return method and (lambda x: method(x / self.gain) / self.gain)


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
