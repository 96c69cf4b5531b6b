"""Keras' models, as plans see them: every variable once, and the fill of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from ...errors import SpecError
from ...plugins import backend
from ...protocol import Fill, Held, by_path
from ...stream.dtypes import dtype_name


class KerasModel:
    """A built model or layer: see :class:`initspec.protocol.Model`.

    A layer is called by its name, where that was given, else by the attribute that holds it. Keras
    counts the names that it makes itself, ``dense_7``, over the whole process; here they are
    counted within the model that holds them, so that a model made twice has the same names.
    Weights that are not trained, as the moving mean of a normalisation, are buffers.

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> [(one.path, one.shape) for one in KerasModel(model).parameters()]
    [('dense.kernel', (3, 2)), ('dense.bias', (2,))]
    """

    framework = "keras"
    out_first = False

    def __init__(self, model: Any) -> None:
        self.model = model
        self._variables: dict[str, Any] = {}

    def parameters(self) -> Sequence[Held]:
        """The variables of floating point numbers, in the order of the layers.

        Raises :class:`SpecError` for a model that is not built.
        """
        _check_built(self.model)
        paths: dict[int, list[str]] = {}
        first: dict[int, tuple[Any, tuple[tuple[Any, str], ...], bool]] = {}
        for owners, leaf, variable, buffer in _variables(self.model):
            segments = [*(name for _, name in owners[1:]), leaf]
            path = ".".join(segments)
            held = paths.setdefault(id(variable), [])
            if path in held:
                continue
            held.append(path)
            layers = [layer for layer, _ in owners]
            near = tuple(
                (layers[at], ".".join(segments[at:]))
                for at in range(len(layers) - 1, max(len(layers) - 3, -1), -1)
            )
            first.setdefault(id(variable), (variable, near, buffer))
        self._variables = {paths[key][0]: one[0] for key, one in first.items()}
        return [
            Held(
                path=paths[key][0],
                shape=tuple(variable.shape),
                dtype=str(keras.backend.standardize_dtype(variable.dtype)),
                owners=near,
                also=tuple(paths[key][1:]),
                buffer=buffer,
            )
            for key, (variable, near, buffer) in first.items()
        ]

    def fill(self, fills: Iterable[Fill]) -> None:
        """Assign to each variable the values that NumPy's backend draws."""
        numpy: Any = backend("numpy")
        for path, held in by_path(fills).items():
            variable = self._variables[path]
            shape = tuple(variable.shape)
            kind = dtype_name(str(variable.dtype))
            parts = [
                numpy.sample(
                    fill.law,
                    shape if fill.part is None else fill.part.shape,
                    key=fill.key,
                    layout=fill.layout,
                    dtype=kind,
                )
                for fill in held
            ]
            drawn = parts[0]
            if held[0].part is not None:
                drawn = np.empty(shape, parts[0].dtype)
                for fill, part in zip(held, parts, strict=True):
                    assert fill.part is not None
                    drawn[fill.part.index] = part
            variable.assign(drawn)

    def value(self, path: str) -> Any:
        """The values on the host."""
        return np.asarray(keras.ops.convert_to_numpy(self._variables[path]))


def _check_built(model: Any) -> None:
    for owners in _layers(model, ((model, ""),)):
        layer = owners[-1][0]
        if not layer.built:
            name = ".".join(name for _, name in owners[1:]) or layer.name
            raise SpecError(
                f"{name} ({type(layer).__name__}) is not built and has no weights yet: call the "
                "model once on an input, or model.build(input_shape)."
            )


Owners = tuple[tuple[Any, str], ...]


def _variables(model: Any) -> Iterator[tuple[Owners, str, Any, bool]]:
    for owners in _layers(model, ((model, ""),)):
        layer = owners[-1][0]
        trained = [(variable, False) for variable in layer._trainable_variables]
        others = [(variable, True) for variable in layer._non_trainable_variables]
        for variable, buffer in (*trained, *others):
            if "float" in str(variable.dtype):
                yield owners, variable.name, variable, buffer


def _layers(layer: Any, owners: Owners) -> Iterator[Owners]:
    """A layer and all below it, each with the layers that hold it and its name in each."""
    yield owners
    seen = {id(one) for one, _ in owners}
    for name, child in _children(layer):
        if id(child) not in seen:
            yield from _layers(child, (*owners, (child, name)))


def _children(layer: Any) -> Iterator[tuple[str, Any]]:
    attributes = (
        {} if isinstance(layer, keras.Sequential) or _is_functional(layer) else _named(layer)
    )
    counts: dict[str, int] = {}
    for child in dict.fromkeys(layer._layers):
        made = _made_name(child)
        if made is None:
            yield str(child.name), child
        elif id(child) in attributes:
            yield attributes[id(child)], child
        else:
            at = counts[made] = counts.get(made, -1) + 1
            yield f"{made}_{at}" if at else made, child


def _is_functional(layer: Any) -> bool:
    return hasattr(layer, "_functional") or type(layer).__name__ == "Functional"


def _named(layer: Any) -> dict[int, str]:
    """The layers that attributes hold, by identity: directly, or in a list or a dict."""
    held = {name: value for name, value in vars(layer).items() if not _is_keras_own(name)}
    held |= vars(layer).get("_modules", {})  # where Keras runs on PyTorch
    names: dict[int, str] = {}
    for attribute, value in held.items():
        word = attribute.lstrip("_")
        children: Iterable[tuple[str, Any]] = [(word, value)]
        if isinstance(value, dict):
            children = [(f"{word}.{key}", child) for key, child in value.items()]
        elif isinstance(value, (list, tuple)):
            children = [(f"{word}.{at}", child) for at, child in enumerate(value)]
        for name, child in children:
            if isinstance(child, keras.Layer):
                names.setdefault(id(child), name)
    return names


def _is_keras_own(attribute: str) -> bool:
    """Whether Keras keeps its books there."""
    own = ("_layers", "_tracker", "_functional", "_modules", "_parameters")
    return attribute in own or attribute.startswith("_self_")


def _made_name(layer: Any) -> str | None:
    """The name that Keras made for a layer of its class, without its count; None of a given one."""
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(layer).__name__).lower()
    made = re.fullmatch(r"(.+?)(_\d+)?", layer.name)
    same = made is not None and made[1].replace("_", "") == word.replace("_", "")
    return made[1] if made is not None and same else None
