"""How initializers are called: each framework's way, told by type and signature, and its seed."""

from __future__ import annotations

import dataclasses
import inspect
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.numpy.adapter import NumpyInitializer
from ...errors import BackendMissing, InitSpecError, SpecError, UnknownName
from ...readings.registry import get
from ...spec.custom import Custom
from ...spec.fan_rules import Shape
from ...spec.scheme import Scheme
from ...stream import dtypes

Array = NDArray[Any]

CONVENTIONS = (
    "an initializer is a PyTorch function f(tensor, ...) that fills in place, a Keras initializer "
    "(class or instance), a JAX initializer (key, shape, dtype) or what makes one, or a function "
    "of shape and, in any order, of seed (an integer), rng (a numpy.random.Generator), "
    "generator (PyTorch's) and dtype, by these names"
)

#: What a parameter of this name is given.
_ROLES = {
    "tensor": "tensor",
    "shape": "shape",
    "size": "shape",
    "dims": "shape",
    "dtype": "dtype",
    "seed": "seed",
    "random_state": "seed",
    "rng": "rng",
    "generator": "generator",
    "gen": "generator",
    "key": "key",
    "rng_key": "key",
    "prng_key": "key",
}
_TENSOR = re.compile(r"\b(Tensor|Parameter)\b")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """An initializer behind the one call ``make(shape, dtype, seed)``, and what is known of it.

    ``out_first`` says that its usual layout is PyTorch's; ``fixed_shape`` and ``layout`` are those
    of a layer's parameter, which has no other. ``typed`` says that it is told the dtype; what is
    not gives its own, and is rounded where that is a wider one.
    """

    make: Callable[[Shape, str, int], Any]
    out_first: bool = False
    fixed_shape: Shape | None = None
    layout: str | None = None
    typed: bool = True

    def draw(self, shape: Shape, dtype: str, seed: int) -> Array:
        """The tensor on the host. The global generators are seeded for it, and put back."""
        with seeded(seed), wide(dtype):
            found = tohost(self.make(shape, dtype, seed))
        return found if self.typed else narrowed(found, dtype)


def maker(found: Any, args: Sequence[Any] = (), options: Mapping[str, Any] | None = None) -> Maker:
    """The way to call an initializer; arguments are its own, or those of what makes it.

    A law of the user's own, or a scheme, is drawn by NumPy.
    Raises :class:`InitSpecError` with the conventions that are known where it follows none.

    >>> maker(lambda shape, seed: [seed] * shape[0]).draw((3,), "float32", 5)
    array([5, 5, 5])
    """
    options = dict(options or {})
    if isinstance(found, type) and issubclass(found, Custom):
        found, args, options = _made(found, args, options), (), {}
    if isinstance(found, (Custom, Scheme)):
        return _ours(NumpyInitializer(get(found)))
    if _is_configured(found):
        made = _made(found, args, options) if isinstance(found, type) or args or options else found
        return _configured(made)
    if isinstance(found, type):
        return maker(_made(found, args, options))
    if not callable(found):
        raise InitSpecError(f"{found!r:.200} cannot be called: {CONVENTIONS}.")
    if dataclasses.is_dataclass(found) and isinstance(getattr(found, "scheme", None), Scheme):
        return _ours(found)
    call = Call.of(found)
    if call.makes_weights:
        return call.bound(args, options).maker()
    if call.missing and not (args or options):
        raise InitSpecError(
            f"{_title(found)} has the parameters {', '.join(call.missing)}, which the suite does "
            f"not know: {CONVENTIONS}. Other parameters need a value, as in 'module:attr(gain=2)' "
            "or by functools.partial."
        )
    made = _made(found, args, options)
    if not callable(made) or isinstance(made, type):
        raise InitSpecError(
            f"{_title(found)} gave {made!r:.100}, which is no initializer: {CONVENTIONS}."
        )
    return maker(made)


def _made(found: Any, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    try:
        return found(*args, **options)
    except Exception as error:
        shown = [*map(repr, args), *(f"{name}={value!r}" for name, value in options.items())]
        raise InitSpecError(
            f"{_title(found)}({', '.join(shown)}) raised {type(error).__name__}: {error}. It was "
            f"called for the initializer that it makes; {CONVENTIONS}."
        ) from error


def _title(found: Any) -> str:
    return str(getattr(found, "__qualname__", None) or type(found).__qualname__)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A function and what each of its parameters is given: a role, or a value of its own."""

    function: Any
    parameters: tuple[inspect.Parameter, ...]
    roles: Mapping[str, str]
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, function: Any) -> Call:
        """Read a signature."""
        try:
            parameters = tuple(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            raise InitSpecError(
                f"{_title(function)} has no signature that can be read: wrap it in a function of "
                f"shape and seed. In general {CONVENTIONS}."
            ) from None
        roles = {}
        for place, parameter in enumerate(parameters):
            role = _role(function, parameter, place, parameters)
            if role:
                roles[parameter.name] = role
        return cls(function, parameters, roles)

    @property
    def makes_weights(self) -> bool:
        """Whether it is told where to put weights, or how many."""
        return not {"tensor", "shape"}.isdisjoint(self.roles.values())

    @property
    def missing(self) -> list[str]:
        """The parameters without a value."""
        return [
            item.name
            for item in self.parameters
            if item.default is item.empty
            and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
            and item.name not in {**self.roles, **self.values}
        ]

    def bound(self, args: Sequence[Any], options: Mapping[str, Any]) -> Call:
        """With values for the parameters that have no role."""
        title = _title(self.function)
        free = [
            item.name
            for item in self.parameters
            if item.name not in self.roles
            and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
        ]
        if len(args) > len(free):
            raise SpecError(f"{title} takes {len(free)} arguments of its own, not {len(args)}.")
        values = {**dict(zip(free, args, strict=False)), **options}
        for name in options:
            if name in self.roles:
                raise SpecError(f"{title}: the suite itself gives {name!r}; leave it out.")
            if name not in free and not any(p.kind is p.VAR_KEYWORD for p in self.parameters):
                raise UnknownName(f"argument of {title}", name, free or ["none"])
        call = dataclasses.replace(self, values=values)
        if call.missing:
            raise SpecError(
                f"{title} needs a value for {', '.join(call.missing)}: give it, as in "
                f"'{title}({call.missing[0]}=...)'."
            )
        return call

    def maker(self) -> Maker:
        """The one call, with the roles filled."""
        roles = set(self.roles.values())
        in_place = "tensor" in roles
        if in_place:
            _torch()
        return Maker(make=self, out_first=in_place, typed=in_place or "dtype" in roles)

    def __call__(self, shape: Shape, dtype: str, seed: int) -> Any:
        """Call the function."""
        given: dict[str, Any] = dict(self.values)
        tensor = None
        for item in self.parameters:
            if item.name in self.roles:
                given[item.name] = self._value(item, shape, dtype, seed)
            if self.roles.get(item.name) == "tensor":
                tensor = given[item.name]
        first = [item.name for item in self.parameters if item.kind is item.POSITIONAL_ONLY]
        placed = [given.pop(name) for name in first if name in given]
        found = self.function(*placed, **given)
        return found if tensor is None or isinstance(found, type(tensor)) else tensor

    def _value(self, parameter: inspect.Parameter, shape: Shape, dtype: str, seed: int) -> Any:
        match self.roles[parameter.name]:
            case "tensor":  # not-a-numbers, so that what is not written shows
                torch = _torch()
                return torch.full(shape, float("nan"), dtype=getattr(torch, dtype))
            case "shape":
                return shape
            case "dtype":
                of_torch = _speaks(self.function, "torch", parameter)
                return getattr(_torch(), dtype) if of_torch else numpy_dtype(dtype)
            case "seed":
                return seed
            case "key":
                import jax

                return jax.random.key(seed)
            case "generator" if _speaks(self.function, "torch", parameter):
                return _torch().Generator().manual_seed(seed)
            case _:
                return np.random.default_rng(seed)


def _role(
    function: Any, parameter: inspect.Parameter, place: int, all_: Sequence[inspect.Parameter]
) -> str | None:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return None
    name = parameter.name.lower().strip("_")
    role = _ROLES.get(name)
    if place > 0:
        return role if role != "tensor" else None
    if role is None and (_TENSOR.search(str(parameter.annotation)) or _fills(function)):
        return "tensor"
    before_shape = len(all_) > 1 and _ROLES.get(all_[1].name) == "shape"
    if role in (None, "rng") and before_shape and _speaks(function, "jax", parameter):
        return "key"
    return role


def _fills(function: Any) -> bool:
    """Whether a function fills in place: PyTorch marks that by a trailing ``_``, as in normal_."""
    inner = _inner(function)
    names = getattr(getattr(inner, "__code__", None), "co_names", ())
    return any(re.search(r"[^_]_$", name) for name in (getattr(inner, "__name__", ""), *names))


def _inner(function: Any) -> Any:
    """The Python function behind partial objects, methods, wrappers and callable objects."""
    while hasattr(function, "func"):
        function = function.func
    if not hasattr(function, "__code__") and not hasattr(function, "__wrapped__"):
        function = type(function).__call__
    return inspect.unwrap(getattr(function, "__func__", function))


def _speaks(function: Any, package: str, parameter: inspect.Parameter) -> bool:
    """Whether a parameter is of a package: by annotation or default, or the function uses it."""
    if package in f"{parameter.annotation} {type(parameter.default).__module__}":
        return True
    inner = _inner(function)
    kin = {"jax": ("jax", "flax", "haiku", "equinox"), "torch": ("torch", "timm")}[package]
    if str(getattr(inner, "__module__", "")).partition(".")[0] in kin:
        return True
    try:
        seen = inspect.getclosurevars(inner)
    except (TypeError, ValueError):
        return False
    held = [*seen.globals.values(), *seen.nonlocals.values()]
    roots = {str(getattr(value, "__name__", "")).partition(".")[0] for value in held}
    return package in roots | seen.unbound


def _is_configured(found: Any) -> bool:
    """Whether it is Keras' initializer, or one with the same three methods."""
    kind = found if isinstance(found, type) else type(found)
    if not all(hasattr(kind, name) for name in ("get_config", "from_config", "__call__")):
        return False
    return "shape" in inspect.signature(kind.__call__).parameters


def _configured(found: Any) -> Maker:
    """Keras' initializers keep their seed in their config; without one the global seed governs."""
    own = found.get_config()
    dtype_is_taken = "dtype" in inspect.signature(found).parameters

    def make(shape: Shape, dtype: str, seed: int) -> Any:
        if "seed" in own:
            one = type(found).from_config({**own, "seed": seed})
        else:
            one = found
            if "keras" in sys.modules:
                sys.modules["keras"].utils.set_random_seed(seed)
        return one(shape, dtype=dtype) if dtype_is_taken else one(shape)

    return Maker(make=make, typed=dtype_is_taken)


def _ours(found: Any) -> Maker:
    """An initializer of initspec, of any backend, whose options are replaced."""
    generators = {name: None for name in ("rng", "generator") if hasattr(found, name)}

    def make(shape: Shape, dtype: str, seed: int) -> Any:
        one = dataclasses.replace(found, seed=seed, dtype=dtype, **generators)
        return Call.of(one)(shape, dtype, seed)

    return Maker(make=make, out_first=Call.of(found).maker().out_first)


def tohost(found: Any) -> Array:
    """What an initializer answered, as a NumPy array; what is none is a :class:`TypeError`."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(found, torch.Tensor):
        found = found.detach().cpu()
        if found.dtype == torch.bfloat16:
            bits: Array = found.contiguous().view(torch.int16).numpy()
            return bits.view(dtypes.bfloat16())
        return np.asarray(found)
    if not (hasattr(found, "__array__") or isinstance(found, (list, tuple, int, float, complex))):
        raise TypeError(f"it answered {type(found).__name__}, where an array is expected")
    try:
        array = np.asarray(found)
    except ValueError as error:
        raise TypeError(f"it answered {type(found).__name__} that is no array: {error}") from error
    if array.dtype.kind in "OUSMmV" and array.dtype.name != "bfloat16":
        raise TypeError(f"it answered an array of {array.dtype.name}, where numbers are expected")
    return array


def narrowed(array: Array, dtype: str) -> Array:
    """Rounded to the dtype, if it was wider; a narrower one is left for what it is."""
    wanted = numpy_dtype(dtype)
    kind = "c" if wanted.kind == "c" else "f"  # bfloat16's is neither
    wider = array.dtype.kind == kind and array.dtype.itemsize > wanted.itemsize
    return array.astype(wanted) if wider else array


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """NumPy's type of this name; bfloat16 is that of ml_dtypes."""
    return dtypes.bfloat16() if dtype == "bfloat16" else np.dtype(dtype)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's, NumPy's and, where it is loaded, PyTorch's global generators, seeded."""
    torch: Any = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if torch:
        torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch:
            torch.set_rng_state(before[2])


def wide(dtype: str) -> Any:
    """JAX makes float64 only where it is told to."""
    jax: Any = sys.modules.get("jax")
    return jax.enable_x64(True) if jax and dtype in ("float64", "complex128") else nullcontext()


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError:
        raise BackendMissing("torch", "torch", 'pip install "initspec[torch]"') from None
    return torch
