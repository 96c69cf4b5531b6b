"""Functions that make weights, by their signatures: what each parameter is given.

PyTorch's functions are told by a tensor that they fill, JAX's by a key before a shape, the others
by the names of their parameters.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import InitSpecError, SpecError, UnknownName
from ...spec.fan_rules import Shape
from .host import numpy_dtype, torch

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
        """Read a signature."""
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
        by_place = [given.pop(name) for name in first if name in given]
        answer = self.function(*by_place, **given)
        return answer if tensor is None or isinstance(answer, type(tensor)) else tensor

    def _value(self, parameter: inspect.Parameter, shape: Shape, dtype: str, seed: int) -> Any:
        match self.roles[parameter.name]:
            case "tensor":  # not-a-numbers, so that what is not written shows
                package = torch()
                return package.full(shape, float("nan"), dtype=getattr(package, dtype))
            case "shape":
                return shape
            case "dtype":
                of_torch = _speaks(self.function, "torch", parameter)
                return getattr(torch(), dtype) if of_torch else numpy_dtype(dtype)
            case "seed":
                return seed
            case "key":
                import jax

                return jax.random.key(seed)
            case "generator" if _speaks(self.function, "torch", parameter):
                return torch().Generator().manual_seed(seed)
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
