"""Functions that make weights, by their signatures: what each parameter is given.

PyTorch's functions are told by a tensor that they fill, JAX's by a key before a shape, the others
by the names of their parameters.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from ...errors import InitSpecError, SpecError, UnknownName
from ...spec.fan_rules import Shape
from .host import numpy_dtype, torch
from .raised import raised
from .source import Source, generator, number

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

#: What a tensor of PyTorch is often called, beside its own name.
_WEIGHTS = ("w", "weight", "weights", "param", "parameter", "kernel")

#: What each framework hands a function for its random numbers.
_SOURCES = ("rng", "generator", "key")

#: Functions that draw from the global generator, whatever generator they are handed.
_GLOBAL = (("torch", "sparse_"), ("transformers", "sparse_"))


def title(callee: Any) -> str:
    """The name of what is called."""
    return str(getattr(callee, "__qualname__", None) or type(callee).__qualname__)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A function and what each of its parameters is given: a role, or a value of its own."""

    function: Any
    parameters: tuple[inspect.Parameter, ...]
    roles: Mapping[str, str]
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, function: Any) -> Call:
        """Read a signature.

        Raises :class:`InitSpecError` where there is none, and for what is async or yields.
        """
        _check_answers(function)
        try:
            parameters = tuple(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            raise InitSpecError(
                f"{title(function)} has no signature that can be read: wrap it in a function of "
                f"shape and seed. In general {CONVENTIONS}."
            ) from None
        roles = {}
        for place, parameter in enumerate(parameters):
            role = _role(function, parameter, place, parameters)
            if role and not (role == "generator" and _is_global(function)):
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

    def given(self, options: Mapping[str, Any]) -> Call:
        """Without the roles that were guessed for parameters which have a value of their own.

        ``init_method_normal(sigma=0.02)`` makes a function that fills, and fills nothing itself.
        """
        roles = {
            name: role
            for name, role in self.roles.items()
            if name not in options or name.lower().strip("_") in _ROLES
        }
        return dataclasses.replace(self, roles=roles)

    def bound(self, args: Sequence[Any], options: Mapping[str, Any]) -> Call:
        """With values for the parameters that have no role."""
        name_of = title(self.function)
        free = [
            item.name
            for item in self.parameters
            if item.name not in self.roles
            and item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)
        ]
        if len(args) > len(free):
            raise SpecError(f"{name_of} takes {len(free)} arguments of its own, not {len(args)}.")
        values = {**dict(zip(free, args, strict=False)), **options}
        for name in options:
            if name in self.roles:
                raise SpecError(f"{name_of}: the suite itself gives {name!r}; leave it out.")
            if name not in free and not any(p.kind is p.VAR_KEYWORD for p in self.parameters):
                raise UnknownName(f"argument of {name_of}", name, free or ["none"])
        call = dataclasses.replace(self, values=values)
        if call.missing:
            raise SpecError(
                f"{name_of} needs a value for {', '.join(call.missing)}: give it, as in "
                f"'{name_of}({call.missing[0]}=...)'."
            )
        return call

    @property
    def fills(self) -> bool:
        """Whether it fills a tensor of PyTorch in place."""
        return "tensor" in self.roles.values()

    @property
    def is_typed(self) -> bool:
        """Whether it is told the dtype."""
        return self.fills or "dtype" in self.roles.values()

    @property
    def seed_as(self) -> str:
        """What it is handed for a seed: see :attr:`.target.Target.seed_as`."""
        roles = self.roles.values()
        if "seed" in roles:
            return "integer"
        return "nothing" if set(_SOURCES).isdisjoint(roles) else "generator"

    @property
    def advances(self) -> bool:
        """Whether it draws from a generator that goes on, its own or the global ones."""
        return self.seed_as == "nothing" or not {"rng", "generator"}.isdisjoint(self.roles.values())

    def __call__(self, shape: Shape, dtype: str, seed: Any) -> Any:
        """Call the function; where it refuses what a parameter was taken for, try the others.

        Raises :class:`InitSpecError` where it fills a tensor that is none of PyTorch's parameters,
        or answers another than it was given.
        """
        refused: Exception | None = None
        for package in ("", *self._others()):
            try:
                return self._called(shape, dtype, seed, package)
            except (TypeError, AttributeError) as error:
                refused = refused or error
        assert refused is not None
        raise refused

    def _others(self) -> Iterator[str]:
        """Those whose generators and types a function may ask for, if it may ask for any."""
        if self.fills or {"rng", "generator", "dtype"}.isdisjoint(self.roles.values()):
            return
        yield from (name for name in ("torch", "jax", "numpy") if name in sys.modules)

    def _called(self, shape: Shape, dtype: str, seed: Any, package: str) -> Any:
        if not self.fills:
            return self._answer(self._given(shape, dtype, seed, package))
        given = self._given(shape, dtype, seed, "torch")
        try:
            return _filled(self, given, self._answer(given))
        except RuntimeError as error:
            given = self._given(shape, dtype, seed, "torch", is_learnt=False)
            try:
                self._answer(given)
            except Exception:
                raise error from None
            raise InitSpecError(
                f"{title(self.function)} fills a plain tensor, and raised {raised(error)} for a "
                "torch.nn.Parameter, which requires a gradient: fill it under torch.no_grad()."
            ) from error

    def _given(
        self, shape: Shape, dtype: str, seed: Any, package: str, is_learnt: bool = True
    ) -> dict[str, Any]:
        given: dict[str, Any] = dict(self.values)
        for item in self.parameters:
            if item.name in self.roles:
                given[item.name] = self._value(item, shape, dtype, seed, package)
        if not is_learnt:
            given[self._tensor].requires_grad_(False)
        return given

    @property
    def _tensor(self) -> str:
        return next(name for name, role in self.roles.items() if role == "tensor")

    def _answer(self, given: Mapping[str, Any]) -> Any:
        given = dict(given)
        first = [item.name for item in self.parameters if item.kind is item.POSITIONAL_ONLY]
        by_place = [given.pop(name) for name in first if name in given]
        return self.function(*by_place, **given)

    def _value(
        self, parameter: inspect.Parameter, shape: Shape, dtype: str, seed: Any, package: str
    ) -> Any:
        """What a parameter is given; an empty ``package`` stands for the one that it speaks."""
        role = self.roles[parameter.name]
        is_torch = package == "torch" or (
            not package and role != "rng" and _speaks(self.function, "torch", parameter)
        )
        match role:
            case "tensor":  # not-a-numbers, so that what is not written shows
                framework = torch()
                numbers = framework.full(shape, float("nan"), dtype=getattr(framework, dtype))
                return framework.nn.Parameter(numbers)
            case "shape":
                return shape
            case "dtype":
                return getattr(torch(), dtype) if is_torch else numpy_dtype(dtype)
            case "seed":
                return number(seed)
            case "rng" | "generator" if is_torch and not (role == "rng" and self.fills):
                framework = torch()
                return generator(seed, "torch", lambda n: framework.Generator().manual_seed(n))
            case "rng" | "generator" if package != "jax":
                return generator(seed, "numpy", np.random.default_rng)
            case _:
                import jax

                if isinstance(seed, Source):
                    seed.is_key = True
                return jax.random.key(number(seed))


def _check_answers(function: Any) -> None:
    """Refuses what has to be awaited, or yields: an initializer answers an array at once."""
    for called in (function, type(function).__call__ if callable(function) else None):
        if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
            raise InitSpecError(
                f"{title(function)} is async, and an initializer answers at once: wrap it in a "
                "function that awaits it, as in `lambda shape, seed: asyncio.run(f(shape, seed))`."
            )
        if inspect.isgeneratorfunction(called):
            raise InitSpecError(
                f"{title(function)} is a generator function, which yields: wrap it in a function "
                "that returns an array."
            )


def _filled(call: Call, given: Mapping[str, Any], answer: Any) -> Any:
    """The tensor that was handed over, which is the one to judge."""
    tensor = given[call._tensor]
    if not isinstance(answer, torch().Tensor) or answer is tensor:
        return tensor
    is_same = answer.shape == tensor.shape and answer.data_ptr() == tensor.data_ptr()
    if is_same or not tensor.numel():
        return tensor
    shape = f"asked for the shape {tuple(tensor.shape)}, the target answered {tuple(answer.shape)}"
    left = " and left that one unwritten (its values are NaN)" if tensor.isnan().all() else ""
    raise InitSpecError(
        f"{'' if answer.shape == tensor.shape else shape + ': '}{title(call.function)} answered "
        f"another tensor than the one that it was given{left}: what fills in place answers the "
        "same tensor, or nothing."
    )


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
    if role is None and _writes(function, parameter) and not _has_shape(all_):
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


def _writes(function: Any, parameter: inspect.Parameter) -> bool:
    """Whether it writes the data of its parameter, or PyTorch's is the parameter's usual name."""
    if parameter.default is not parameter.empty or not _speaks(function, "torch", parameter):
        return False
    names = getattr(getattr(_inner(function), "__code__", None), "co_names", ())
    return "data" in names or parameter.name.lower() in _WEIGHTS


def _has_shape(parameters: Sequence[inspect.Parameter]) -> bool:
    return any(_ROLES.get(item.name.lower().strip("_")) == "shape" for item in parameters)


def _is_global(function: Any) -> bool:
    inner = _inner(function)
    package = str(getattr(inner, "__module__", "")).partition(".")[0]
    return (package, getattr(inner, "__name__", "")) in _GLOBAL


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
    return package in set(_packages(inner, set()))


def _packages(function: Any, seen: set[Any]) -> Iterator[str]:
    """The packages of what a function names, and of what its own module's functions name."""
    seen.add(function)
    try:
        names = inspect.getclosurevars(function)
    except (TypeError, ValueError):
        return
    yield from names.unbound
    for value in (*names.globals.values(), *names.nonlocals.values()):
        module = getattr(value, "__name__", "") if inspect.ismodule(value) else _module(value)
        yield str(module).partition(".")[0]
        inner = inspect.unwrap(value) if isinstance(value, FunctionType) else None
        if inner is not None and inner not in seen and _module(inner) == _module(function):
            yield from _packages(inner, seen)


def _module(value: Any) -> str:
    """The module of a value, or of its type where it has none: torch.empty is PyTorch's."""
    owner = getattr(value, "__self__", None)
    return str(getattr(value, "__module__", None) or type(owner or value).__module__)
