"""A parameter of a framework's layer, as an initializer: the layer is built anew."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ...errors import InitSpecError, SpecError, UnknownName
from ...layers.lookup import lookup
from ...spec.fan_rules import Shape
from .calls import Maker
from .host import numpy_dtype, tohost
from .signatures import CONVENTIONS
from .source import seed_keras
from .text import Reference

Build = Callable[[Reference, Any, str, int], tuple[Any, dict[str, Any]]]


def parameter(layer_type: Any, reference: Reference) -> Maker:
    """A parameter of a layer, which is built anew for each seed.

    The name is the last part of the parameter's path, or more of it where that is not enough.
    Raises :class:`InitSpecError` for a class of no known framework, and
    :class:`UnknownName` for a parameter that the layer does not have.
    """
    build = _builder(layer_type)
    name = reference.parameter or ""

    def make(shape: Shape, dtype: str, seed: int) -> Any:
        return _pick(build(reference, layer_type, dtype, seed)[1], name)[1]

    layer, held = build(reference, layer_type, "float32", 0)
    path, value = _pick(held, name)
    layer = _owner(layer, path, build)
    shape = tohost(value).shape
    is_global = build in (_torch, _keras)
    return Maker(
        make=make,
        out_first=build in (_torch, _equinox),
        fixed_shape=shape,
        layout=lookup(layer, path, len(shape)),
        seed_as="nothing" if is_global else "generator",
        advances=is_global,
    )


def _builder(layer_type: Any) -> Build:
    kinds: dict[tuple[str, str], Build] = {
        ("keras.layers", "Layer"): _keras,  # which on PyTorch is a Module as well
        ("torch.nn", "Module"): _torch,
        ("flax.linen", "Module"): _linen,
        ("flax.nnx", "Module"): _nnx,
        ("equinox", "Module"): _equinox,
        ("haiku", "Module"): _haiku,
    }
    if isinstance(layer_type, type):
        for (module, name), build in kinds.items():
            loaded = module.partition(".")[0] in sys.modules
            if loaded and issubclass(layer_type, getattr(import_module(module), name)):
                return build
    elif "torch" in sys.modules and callable(layer_type):
        return _torch  # a function that makes a module
    raise InitSpecError(
        f"{layer_type!r:.100} is no layer of PyTorch, Keras, Flax, Haiku or Equinox: '#' names a "
        f"layer's parameter. In general {CONVENTIONS}."
    )


def _torch(text: Reference, layer_type: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        layer = layer_type(*text.args, **text.options)
    finally:
        torch.set_default_dtype(before)
    return layer, {name.replace(".", "/"): value for name, value in layer.named_parameters()}


def _keras(text: Reference, layer_type: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    if text.inputs is None:
        raise SpecError(
            "a Keras layer has no weights before it is built: end the target with the shape of "
            "its input, as in 'keras.layers:Dense(96)#kernel@(None, 40)'."
        )
    seed_keras(seed)
    layer = layer_type(*text.args, **{"dtype": dtype, **text.options})
    layer.build(*_shapes(text.inputs))
    return layer, {weight.path: weight for weight in layer.weights}


def _linen(text: Reference, layer_type: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    import jax

    if text.inputs is None:
        raise SpecError(
            "a Flax linen layer has no parameters before it has seen an input: end the target "
            "with the input's shape, as in 'flax.linen:Dense(96)#kernel@(1, 40)'."
        )
    typed = {"param_dtype": numpy_dtype(dtype)} if hasattr(layer_type, "param_dtype") else {}
    layer = layer_type(*text.args, **{**typed, **text.options})
    inputs = [jax.numpy.zeros([n or 1 for n in shape]) for shape in _shapes(text.inputs)]
    held = layer.init(jax.random.key(seed), *inputs).get("params", {})
    return layer, import_module("flax.traverse_util").flatten_dict(held, sep="/")


def _nnx(text: Reference, layer_type: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    from flax import nnx

    taken = inspect.signature(layer_type.__init__).parameters
    own = {"rngs": nnx.Rngs(seed), "param_dtype": numpy_dtype(dtype)}
    own = {name: value for name, value in own.items() if name in taken}
    layer = layer_type(*text.args, **{**own, **text.options})
    held = nnx.to_flat_state(nnx.state(layer, nnx.Param))
    return layer, {"/".join(map(str, path)): value for path, value in held}


def _equinox(text: Reference, layer_type: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    import jax

    taken = inspect.signature(layer_type).parameters
    own = {"key": jax.random.key(seed), "dtype": numpy_dtype(dtype)}
    own = {name: value for name, value in own.items() if name in taken}
    layer = layer_type(*text.args, **{**own, **text.options})
    arrays = import_module("equinox").filter(layer, import_module("equinox").is_inexact_array)
    held = jax.tree_util.tree_flatten_with_path(arrays)[0]
    return layer, {jax.tree_util.keystr(path, simple=True, separator="/"): v for path, v in held}


def _haiku(text: Reference, layer_type: Any, dtype: str, seed: int) -> tuple[Any, dict[str, Any]]:
    import jax

    if text.inputs is None:
        raise SpecError(
            "a Haiku layer has no parameters before it has seen an input: end the target with the "
            "input's shape, as in 'haiku:Linear(96)#w@(1, 40)'."
        )
    built: list[Any] = []

    def forward(*inputs: Any) -> Any:
        built.append(layer_type(*text.args, **text.options))
        return built[0](*inputs)

    zeros = jax.numpy.zeros
    inputs = [zeros([n or 1 for n in shape], dtype) for shape in _shapes(text.inputs)]
    init = import_module("haiku").transform_with_state(forward).init
    held, _ = init(jax.random.key(seed), *inputs)
    return built[0], {
        f"{module}/{name}": value for module, own in held.items() for name, value in own.items()
    }


def _owner(layer: Any, path: str, build: Build) -> Any:
    """The layer that a parameter is of, which is in another where its path says so."""
    names = path.split("/")[:-1]
    if build is _torch:
        return layer.get_submodule(".".join(names))
    if build is _equinox:
        for name in names:
            layer = layer[int(name)] if name.isdecimal() else getattr(layer, name)
    return layer


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
