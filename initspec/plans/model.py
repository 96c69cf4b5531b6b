"""What a plan is put on: a framework's model, a tree of arrays or shapes, or a file's header."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, Protocol

from .. import plugins
from ..errors import SpecError, short_repr
from ..layers.lookup import LayerParameter, identify, layout_by_name
from ..protocol import Fill, Held, Model
from ..spec.layout import checked_shape
from ..stream.reference import key_from_seed
from .ledger import Ledger
from .names import unwrapped
from .parameter import ModelParameter


class Whole(Protocol):
    """What :class:`initspec.Plan` needs of a model."""

    def parameters(self) -> list[ModelParameter]:
        """Its parameters, with what the tables of layers say of them."""
        ...

    def fill(self, ledger: Ledger, seed: int, **options: Any) -> Ledger:
        """Fill it; returns the ledger with the seed."""
        ...


def model_of(model: Any) -> Whole:
    """What was handed over, as a plan sees it; raises :class:`SpecError` for anything else."""
    for backend, kinds in (("keras", ("keras", "Layer")), ("torch", ("torch.nn", "Module"))):
        module, name = kinds
        cls = getattr(sys.modules.get(module), name, None)
        if isinstance(cls, type) and isinstance(model, cls):
            return FrameworkModel(plugins.backend(backend).model(model))
    if isinstance(model, (str, PathLike)):
        from ..files.shapes import shapes_in

        return Shapes(shapes_in(model))
    if isinstance(model, (Mapping, list, tuple)):
        try:
            shapes = list(_leaves(model, ""))
        except RecursionError:
            raise SpecError("the tree is nested too deeply, or holds itself.") from None
        if all(_has_shape(leaf) for _, leaf in shapes):
            return Shapes(_once(shapes))
    if "jax" in sys.modules and not isinstance(model, (bytes, bytearray)):
        held = plugins.backend("jax").leaves(model)
        if held:
            return Shapes(_once([(leaf.path, leaf) for leaf in held]))
    raise SpecError(
        "a plan is put on a module of PyTorch, a built Keras model, a tree of arrays or shapes by "
        f"name, or the path of a safetensors file, not on {short_repr(model)}."
    )


@dataclass(frozen=True)
class FrameworkModel:
    """A model in a framework's memory."""

    model: Model

    def parameters(self) -> list[ModelParameter]:
        """Each tensor once, with what the tables say of its layer."""
        held = self.model.parameters()
        names = iter(unwrapped([path for one in held for path in (one.path, *one.also)]))
        found = []
        for one in held:
            name, *also = (next(names) for _ in (one.path, *one.also))
            found.append(self._parameter(one, name, tuple(also)))
        return found

    def _parameter(self, held: Held, name: str, also: tuple[str, ...]) -> ModelParameter:
        known = _known(held)
        owner = held.owners[0][0] if held.owners else None
        kinds = () if owner is None else tuple(cls.__name__ for cls in type(owner).__mro__[:-1])
        return ModelParameter(
            name=name,
            also=also,
            path=held.path,
            shape=held.shape,
            dtype=held.dtype,
            kinds=kinds,
            buffer=held.buffer,
            framework=self.model.framework,
            out_first=self.model.out_first,
            table=known.framework if known else "",
            layer=known.layer if known else "",
            entry=known.parameter if known else "",
            role=known.role if known else "",
            layout=known.layout if known else None,
        )

    def fill(self, ledger: Ledger, seed: int, **options: Any) -> Ledger:
        """Fill every parameter that has a law, in the ledger's order."""
        from ..backends.cpu.fill import fold_name

        key = key_from_seed(seed)
        self.model.fill(
            (
                Fill(
                    row.parameter.path,
                    row.law,
                    row.layout,
                    fold_name(key, row.name),
                    row.parameter.part,
                )
                for row in ledger.rows
                if row.law is not None
            ),
            **options,
        )
        return replace(ledger, seed=seed)


def _known(held: Held) -> LayerParameter | None:
    """What the tables say, of the layer whose row speaks of the longest path: an attention's
    ``query/kernel`` before a dense layer's ``kernel``.
    """
    ndim = len(held.shape)
    known = [one for owner, path in held.owners if (one := identify(owner, path, ndim))]
    return max(known, key=lambda one: len(one.parameter), default=None)


@dataclass(frozen=True)
class Shapes:
    """Shapes by name; nothing is in memory, and nothing can be filled in place."""

    shapes: Mapping[str, Any]

    def parameters(self) -> list[ModelParameter]:
        """The parameters, of which no layer is known."""
        names = unwrapped(list(self.shapes))
        found = []
        for name, (path, leaf) in zip(names, self.shapes.items(), strict=True):
            shape = checked_shape(getattr(leaf, "shape", leaf))
            dtype = str(getattr(leaf, "dtype", "float32")).removeprefix("torch.")
            found.append(
                ModelParameter(
                    name=name,
                    path=path,
                    shape=shape,
                    dtype=dtype,
                    layout=layout_by_name(name, len(shape)),
                    out_first=name.rpartition(".")[2].startswith("weight"),
                )
            )
        return found

    def fill(self, ledger: Ledger, seed: int, **options: Any) -> Ledger:
        """Refused: a tree of JAX is not filled in place."""
        raise SpecError(
            "shapes and trees are not filled in place: plan.init(tree, key) gives new JAX arrays, "
            "plan.write(folder, tree, seed=0) a file."
        )


def _has_shape(leaf: Any) -> bool:
    return isinstance(leaf, (list, tuple)) or hasattr(leaf, "shape")


def _once(leaves: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    shapes: dict[str, Any] = {}
    for path, leaf in leaves:
        if path in shapes:
            raise SpecError(f"two parameters have the name {path!r}: a tree names each once.")
        shapes[path] = leaf
    return shapes


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings and sequences, by dotted path; a shape is a leaf."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, (list, tuple)) and not all(isinstance(n, int) for n in tree):
        for at, value in enumerate(tree):
            yield from _leaves(value, f"{path}.{at}" if path else str(at))
    else:
        yield path, tree
