"""How initializers are called: each framework's way, and its seed."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ...backends.numpy.adapter import NumpyInitializer
from ...errors import InitSpecError
from ...readings.registry import get
from ...spec.custom import Custom
from ...spec.fan_rules import Shape
from ...spec.scheme import Scheme
from . import conduct
from .host import is_torch, narrowed, seed_periods, seeded, tohost, torch, unrelated, wide
from .raised import raised
from .signatures import CONVENTIONS, Call, title
from .source import Source, seed_keras

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """An initializer behind the one call ``make(shape, dtype, seed)``, and what is known of it.

    ``out_first`` says that its usual layout is PyTorch's; ``fixed_shape`` and ``layout`` are those
    of a layer's parameter, which has no other. ``typed`` says that it is told the dtype; what is
    not gives its own, and is rounded where that is a wider one. ``advances`` says that it draws
    from a generator that goes on from draw to draw. ``seed_as`` and ``ignores_seed`` are those of a
    :class:`.target.Target`.
    """

    make: Callable[[Shape, str, Any], Any]
    out_first: bool = False
    fixed_shape: Shape | None = None
    layout: str | None = None
    typed: bool = True
    seed_as: str = "generator"
    advances: bool = False
    ignores_seed: bool = False

    @property
    def seed_periods(self) -> tuple[int, ...]:
        """See :attr:`.target.Target.seed_periods`."""
        return seed_periods()

    def draw(self, shape: Shape, dtype: str, seed: int) -> Array:
        """The tensor on the host, rounded where it is of a wider type and was not told this one."""
        return self.fitted(self.answer(shape, dtype, seed), dtype)

    def answer(self, shape: Shape, dtype: str, seed: int | None) -> Array:
        """The tensor on the host, as it was answered.

        The global generators are seeded with the seed where nothing else is handed over, and with
        something unrelated where the seed is, and put back.
        """
        with seeded(seed if self.seed_as == "nothing" else unrelated()), wide(dtype):
            return tohost(self.make(shape, dtype, seed))

    def conduct(self, shape: Shape, dtype: str, seed: int) -> dict[str, str]:
        """See :meth:`.target.Target.conduct`."""

        def draw(number: Any) -> Array:
            return self.answer(shape, dtype, number)

        problems = {"buffer": conduct.buffers(draw, seed), "thread": conduct.threads(draw, seed)}
        if self.seed_as == "integer":
            problems["sign"] = conduct.signs(draw)
        pairs = [self._twice(shape, dtype, number) for number in (seed, seed + 1)]
        if pairs[0] and pairs[1]:
            problems["generator"] = conduct.generators([pairs[0], pairs[1]])
        return problems

    def _twice(self, shape: Shape, dtype: str, seed: int) -> tuple[Array, Array] | None:
        """Two tensors from one generator, which goes on; None where there is none that does."""
        if not self.advances:
            return None
        source = Source(seed)
        with seeded(seed if self.seed_as == "nothing" else unrelated()), wide(dtype):
            first = tohost(self.make(shape, dtype, source)).copy()
            second = tohost(self.make(shape, dtype, source)).copy()
        return None if source.is_key else (first, second)

    def fitted(self, tensor: Array, dtype: str) -> Array:
        """The tensor, rounded where it is of a wider type and was not told this one."""
        return tensor if self.typed else narrowed(tensor, dtype)


def maker(origin: Any, args: Sequence[Any] = (), options: Mapping[str, Any] | None = None) -> Maker:
    """The way to call an initializer; arguments are its own, or those of what makes it.

    A law of the user's own, or a scheme, is drawn by NumPy.
    Raises :class:`InitSpecError` with the conventions that are known where it follows none.

    >>> maker(lambda shape, seed: [seed] * shape[0]).draw((3,), "float32", 5)
    array([5, 5, 5])
    """
    options = dict(options or {})
    if isinstance(origin, type) and issubclass(origin, Custom):
        origin, args, options = _made(origin, args, options), (), {}
    if isinstance(origin, (Custom, Scheme)):
        return _ours(NumpyInitializer(get(origin)))
    if _is_configured(origin):
        is_ready = not (isinstance(origin, type) or args or options)
        return _configured(origin if is_ready else _made(origin, args, options))
    if isinstance(origin, type):
        return maker(_made(origin, args, options))
    if hasattr(origin, "__array__") and not callable(origin):
        return _array(origin)
    if not callable(origin):
        raise InitSpecError(f"{origin!r:.200} cannot be called: {CONVENTIONS}.")
    if dataclasses.is_dataclass(origin) and isinstance(getattr(origin, "scheme", None), Scheme):
        return _ours(origin)
    call = Call.of(origin).given(options)
    if call.makes_weights:
        return _of_call(call.bound(args, options))
    if call.missing and not (args or options):
        raise InitSpecError(
            f"{title(origin)} has the parameters {', '.join(call.missing)}, which the suite does "
            f"not know: {CONVENTIONS}. Other parameters need a value, as in 'module:attr(gain=2)' "
            "or by functools.partial."
        )
    product = _made(origin, args, options)
    if not callable(product) or isinstance(product, type):
        raise InitSpecError(
            f"{title(origin)} gave {product!r:.100}, which is no initializer: {CONVENTIONS}."
        )
    return maker(product)


def _of_call(call: Call) -> Maker:
    """A function whose parameters all have a role or a value."""
    if call.fills:
        torch()  # raises where it is missing
    return Maker(
        make=call,
        out_first=call.fills,
        typed=call.is_typed,
        seed_as=call.seed_as,
        advances=call.advances,
    )


def _array(origin: Any) -> Maker:
    """An array, which is one tensor, whatever the seed."""
    array = tohost(origin)
    return Maker(
        make=lambda shape, dtype, seed: array,
        out_first=is_torch(origin),
        fixed_shape=array.shape,
        typed=False,
        ignores_seed=True,
    )


def _made(origin: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    try:
        return origin(*args, **options)
    except Exception as error:
        shown = [*map(repr, args), *(f"{name}={value!r}" for name, value in options.items())]
        raise InitSpecError(
            f"{title(origin)}({', '.join(shown)}) raised {raised(error)}. It was "
            f"called for the initializer that it makes; {CONVENTIONS}."
        ) from error


def _is_configured(origin: Any) -> bool:
    """Whether it is Keras' initializer, or one with the same three methods."""
    kind = origin if isinstance(origin, type) else type(origin)
    if not all(hasattr(kind, name) for name in ("get_config", "from_config", "__call__")):
        return False
    return "shape" in inspect.signature(kind.__call__).parameters


def _configured(origin: Any) -> Maker:
    """Keras' initializers keep their seed in their config; without one the global seed governs."""
    config = origin.get_config()
    is_typed = "dtype" in inspect.signature(origin).parameters

    has_seed = "seed" in config

    def make(shape: Shape, dtype: str, seed: Any) -> Any:
        init = origin
        if has_seed:
            init = type(origin).from_config({**config, "seed": seed})
        elif "keras" in sys.modules:
            seed_keras(seed)
        return init(shape, dtype=dtype) if is_typed else init(shape)

    seed_as = "generator" if has_seed else "nothing"
    return Maker(make=make, typed=is_typed, seed_as=seed_as, advances=not has_seed)


def _ours(origin: Any) -> Maker:
    """An initializer of initspec, of any backend, whose options are replaced."""
    generators = {name: None for name in ("rng", "generator") if hasattr(origin, name)}

    def make(shape: Shape, dtype: str, seed: int) -> Any:
        init = dataclasses.replace(origin, seed=seed, dtype=dtype, **generators)
        return Call.of(init)(shape, dtype, seed)

    return Maker(make=make, out_first=Call.of(origin).fills)
