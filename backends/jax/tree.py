"""Trees of parameters, as plans see them: linen's, nnx', Haiku's, Equinox', or plain ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ...errors import SpecError
from ...spec.distribution import Distribution
from ...spec.layout import Layout
from ...stream.parts import Part
from ..cpu.fill import fold_name
from . import kernel
from .keys import known
from .sharding import placed


class Leaf(NamedTuple):
    """A leaf that holds numbers: its path with dots, its shape, dtype and sharding."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    sharding: Any


def leaves(tree: Any) -> list[Leaf]:
    """The leaves of a tree in its order; those that hold no numbers of a shape are left out.

    >>> leaves({"a": [jnp.zeros((2, 3))], "f": "relu"})
    [Leaf(path='a.0', shape=(2, 3), dtype='float32', sharding=None)]
    """
    found = []
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
            continue
        if not jnp.issubdtype(leaf.dtype, jnp.floating):  # keys, counters and the like
            continue
        sharding = leaf.sharding if isinstance(leaf, jax.ShapeDtypeStruct) else None
        found.append(Leaf(_path(path), tuple(leaf.shape), str(leaf.dtype), sharding))
    return found


def _path(keys: tuple[Any, ...]) -> str:
    """The segments of a path with dots; the box around a value of nnx or linen is no segment."""
    words = []
    for key in keys:
        box = type(key).__name__ in ("FlattenedIndexKey", "GetAttrKey") and key is keys[-1]
        if box and getattr(key, "name", "value") == "value" and len(keys) > 1:
            continue
        for field in ("key", "name", "idx"):
            if hasattr(key, field):
                words.append(str(getattr(key, field)).replace("/", "."))
                break
        else:
            words.append(str(key).strip(".[]'\""))
    return ".".join(words)


#: How a leaf is drawn, or a part of it: its law, its axes, the name that is folded into its key,
#: and where it lies in the leaf.
Drawn = tuple[Distribution, Layout, str, Part | None]


def init(backend: Any, tree: Any, key: Any, drawn: Callable[[str], Sequence[Drawn]]) -> Any:
    """The tree with new arrays, each drawn by its law and its name's key; others as they are.

    ``drawn`` says it for a path. A leaf that is a ``ShapeDtypeStruct`` with a sharding gives an
    array that is made shard by shard.

    Raises :class:`SpecError` for a leaf without values of which nothing is said.
    """
    pair = backend.key(key)
    fold = fold_name if known(pair) else kernel.fold_name

    def sample(value: Any, how: Drawn, shape: tuple[int, ...], sharding: Any) -> Any:
        law, layout, name, _ = how
        options = {"layout": layout, "dtype": str(value.dtype), "out_sharding": sharding}
        return backend.sample(law, shape, key=fold(pair, name), **options)

    def leaf(path: tuple[Any, ...], value: Any) -> Any:
        holds = hasattr(value, "shape") and jnp.issubdtype(value.dtype, jnp.floating)
        parts = drawn(_path(path)) if holds else ()
        described = isinstance(value, jax.ShapeDtypeStruct)
        if not parts:
            if described:
                raise SpecError(f"{_path(path)} has no value and no rule of the plan fills it.")
            return value
        sharding = value.sharding if described else None
        shape = tuple(value.shape)
        if parts[0][3] is None:
            return sample(value, parts[0], shape, sharding)
        whole = jnp.zeros(shape, value.dtype)
        for how in parts:
            part = how[3]
            assert part is not None
            whole = whole.at[part.index].set(sample(value, how, part.shape, None))
        return placed(lambda: whole, (), sharding)

    return jax.tree_util.tree_map_with_path(leaf, tree)
