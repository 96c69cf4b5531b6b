"""Targets given as text: ``module:attr(a=0.2)``, an entry of a table, a parameter of a layer."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ...errors import InitSpecError, NotInstalled, SpecError, UnknownName
from ...layers.lookup import lookup
from ...spec.fan_rules import Shape
from .calls import CONVENTIONS, Maker, maker, numpy_dtype, tohost

#: What a target may need; one that is not installed is skipped, and another package is an error.
FRAMEWORKS = ("torch", "tensorflow", "keras", "tf_keras", "jax", "flax", "haiku", "equinox")

FORM = (
    "write 'module:attr', 'module:attr(a=0.2)', 'module:TABLE', 'module:TABLE[\"he_normal\"]', or "
    "a layer's parameter, 'module:Layer(40, 96)#weight', with its input's shape where it needs "
    "one, '#kernel@(None, 40)'; arguments are literals"
)


class NoTable(SpecError):  # noqa: N818 - it says what is wrong
    """A text that was to name a table of initializers and names something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a text says: where the initializer is, and what it is called with."""

    module: str
    path: tuple[str, ...]
    entry: str | None = None
    called: bool = False
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    parameter: str | None = None
    inputs: Any = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a text. Nothing of it is executed: arguments are literals.

        Raises :class:`SpecError` where it cannot be read.

        >>> Reference.parse("torch.nn:Conv2d(16, 48, 3, groups=4)#weight").options
        {'groups': 4}
        """
        module, colon, rest = text.strip().partition(":")
        dotted = all(part.isidentifier() for part in module.split("."))
        if not (colon and dotted and text.isprintable()):
            raise SpecError(f"cannot read the target {text!r}: {FORM}.")
        try:
            # What follows '#' is a comment to Python, so that its parser finds the '#' that counts.
            node: ast.AST = ast.parse(rest.strip(), mode="eval").body
            end = getattr(node, "end_col_offset", 0)
            tail = rest.strip().encode()[end:].decode().strip()
            fields = cls._called(node) | cls._parameter(tail)
        except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
            raise SpecError(f"cannot read the target {text!r}: {FORM}.") from None
        return cls(module=module, **fields)

    @staticmethod
    def _called(node: ast.AST) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if isinstance(node, ast.Call):
            fields["called"] = True
            fields["args"] = tuple(ast.literal_eval(value) for value in node.args)
            fields["options"] = {
                str(word.arg): ast.literal_eval(word.value) for word in node.keywords
            }
            if any(word.arg is None for word in node.keywords):
                raise ValueError
            node = node.func
        if isinstance(node, ast.Subscript):
            fields["entry"] = str(ast.literal_eval(node.slice))
            node = node.value
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise ValueError
        return {**fields, "path": (node.id, *names)}

    @staticmethod
    def _parameter(tail: str) -> dict[str, Any]:
        if not tail:
            return {}
        name, _, shape = tail.removeprefix("#").partition("@")
        if not name.strip() or tail[0] != "#":
            raise ValueError
        return {
            "parameter": name.strip().replace(".", "/"),
            "inputs": ast.literal_eval(shape.strip()) if shape else None,
        }

    def find(self) -> Any:
        """Import what the text names.

        Raises :class:`InitSpecError` where that does not work, with what Python said.
        """
        try:
            found: Any = import_module(self.module)
        except Exception as error:
            package = self.module.partition(".")[0]
            lacks = isinstance(error, ModuleNotFoundError) and error.name == package
            if lacks and package in FRAMEWORKS:
                raise NotInstalled(
                    f"{self.module} needs {package}, which is not installed."
                ) from error
            raise InitSpecError(
                f"{self.module} cannot be imported: {type(error).__name__}: {error}"
            ) from error
        for name in self.path:
            try:
                found = getattr(found, name)
            except AttributeError:
                others = [other for other in dir(found) if not other.startswith("__")]
                raise UnknownName(f"attribute of {self.module}", name, others) from None
        if self.entry is None:
            return found
        try:
            return found[self.entry]
        except (KeyError, TypeError, IndexError):
            known = found if isinstance(found, Mapping) else ["none: it is no table"]
            title = f"entry of {self.module}:{'.'.join(self.path)}"
            raise UnknownName(title, self.entry, map(str, known)) from None


def load(text: str, claim: str | None = None) -> Maker:
    """The initializer of a text; of a table, the entry of the scheme that it claims to be.

    >>> load("initspec.conformance.targets.text:load")
    Traceback (most recent call last):
    ...
    initspec.errors.InitSpecError: load has the parameters text, which the suite does not know...
    """
    reference = Reference.parse(text)
    found, tabled = reference.find(), reference.entry is not None
    if isinstance(found, Mapping):
        if claim is None or claim not in found:
            raise InitSpecError(
                f"{text} is a table, and {claim!r} is not in it: name one of its entries, as in "
                f"{text}[{next(iter(found), 'name')!r}]."
            )
        found, tabled = found[claim], True
    if tabled and isinstance(found, str):
        return load(found)
    if reference.parameter is not None:
        return parameter(found, reference)
    return maker(found, reference.args, reference.options)


def importable(text: str, target: Any) -> bool:
    """Whether a text that is imported, and nothing more, is this very object.

    >>> import math
    >>> importable("math:sqrt", math.sqrt), importable("math:floor", math.sqrt)
    (True, False)
    """
    module, _, path = text.partition(":")
    spec = getattr(sys.modules.get(module), "__spec__", None)
    if spec is None or not all(part.isidentifier() for part in path.split(".")):
        return False  # of a script, or made by a function
    try:
        return Reference(module=module, path=tuple(path.split("."))).find() is target
    except InitSpecError:
        return False


def entries(text: str) -> list[str]:
    """The names in a table of initializers.

    Raises :class:`NoTable` where the text names something else.
    """
    found = Reference.parse(text).find()
    if not isinstance(found, Mapping) or not found:
        raise NoTable(
            f"{text} is {type(found).__name__}, not a table: a table maps names of schemes to "
            "initializers."
        )
    return [str(name) for name in found]


def parameter(found: Any, reference: Reference) -> Maker:
    """A parameter of a layer, which is built anew for each seed.

    The name is the last part of the parameter's path, or more of it where that is not enough.
    Raises :class:`InitSpecError` for a class of no known framework, and
    :class:`UnknownName` for a parameter that the layer does not have.
    """
    build = _builder(found)
    name = reference.parameter or ""

    def make(shape: Shape, dtype: str, seed: int) -> Any:
        return _pick(build(reference, found, dtype, seed)[1], name)[1]

    layer, held = build(reference, found, "float32", 0)
    path, value = _pick(held, name)
    if build is _torch:  # which knows the layer that the parameter is of
        layer = layer.get_submodule(".".join(path.split("/")[:-1]))
    shape = tohost(value).shape
    return Maker(
        make=make,
        out_first=build is _torch,
        fixed_shape=shape,
        layout=lookup(layer, path, len(shape)),
    )


Build = Callable[[Reference, Any, str, int], tuple[Any, dict[str, Any]]]


def _builder(found: Any) -> Build:
    kinds: dict[tuple[str, str], Build] = {
        ("keras.layers", "Layer"): _keras,  # which on PyTorch is a Module as well
        ("torch.nn", "Module"): _torch,
        ("flax.linen", "Module"): _linen,
        ("flax.nnx", "Module"): _nnx,
    }
    if isinstance(found, type):
        for (module, name), build in kinds.items():
            loaded = module.partition(".")[0] in sys.modules
            if loaded and issubclass(found, getattr(import_module(module), name)):
                return build
    elif "torch" in sys.modules and callable(found):
        return _torch  # a function that makes a module
    raise InitSpecError(
        f"{found!r:.100} is no layer of PyTorch, Keras or Flax: '#' names a layer's parameter. "
        f"In general {CONVENTIONS}."
    )


def _torch(text: Reference, found: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        layer = found(*text.args, **text.options)
    finally:
        torch.set_default_dtype(before)
    return layer, {name.replace(".", "/"): value for name, value in layer.named_parameters()}


def _keras(text: Reference, found: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    keras: Any = import_module("keras")
    if text.inputs is None:
        raise SpecError(
            "a Keras layer has no weights before it is built: end the target with the shape of "
            "its input, as in 'keras.layers:Dense(96)#kernel@(None, 40)'."
        )
    keras.utils.set_random_seed(seed)
    layer = found(*text.args, **{"dtype": dtype, **text.options})
    layer.build(*_shapes(text.inputs))
    return layer, {weight.path: weight for weight in layer.weights}


def _linen(text: Reference, found: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    import jax

    if text.inputs is None:
        raise SpecError(
            "a Flax linen layer has no parameters before it has seen an input: end the target "
            "with the input's shape, as in 'flax.linen:Dense(96)#kernel@(1, 40)'."
        )
    typed = {"param_dtype": numpy_dtype(dtype)} if hasattr(found, "param_dtype") else {}
    layer = found(*text.args, **{**typed, **text.options})
    inputs = [jax.numpy.zeros([n or 1 for n in shape]) for shape in _shapes(text.inputs)]
    held = layer.init(jax.random.key(seed), *inputs).get("params", {})
    return layer, import_module("flax.traverse_util").flatten_dict(held, sep="/")


def _nnx(text: Reference, found: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    from flax import nnx

    taken = inspect.signature(found.__init__).parameters
    own = {"rngs": nnx.Rngs(seed), "param_dtype": numpy_dtype(dtype)}
    own = {name: value for name, value in own.items() if name in taken}
    layer = found(*text.args, **{**own, **text.options})
    held = nnx.to_flat_state(nnx.state(layer, nnx.Param))
    return layer, {"/".join(map(str, path)): value for path, value in held}


def _shapes(inputs: Any) -> tuple[Shape, ...]:
    """One input's shape, or those of several."""
    several = isinstance(inputs, (tuple, list)) and inputs and isinstance(inputs[0], (tuple, list))
    return tuple(inputs) if several else (inputs,)


def _pick(held: Mapping[str, Any], name: str) -> tuple[str, Any]:
    matches = [path for path in held if f"/{path}".endswith(f"/{name}")]
    exact = [path for path in matches if path == name]
    if len(matches) != 1 and not exact:
        raise UnknownName("parameter of the layer", name, held)
    path = (exact or matches)[0]
    return path, held[path]
