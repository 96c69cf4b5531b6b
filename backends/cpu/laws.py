"""Every law as a NumPy array: what the NumPy backend is made of, and the others fall back on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import stream
from ...errors import SpecError
from ...spec.custom import CustomLaw, takes_rng
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.integer_form import normal
from ...spec.layout import Layout
from ...spec.tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil
from ...stream.canonical_order import Block, blocks, checked, extent, whole
from ...stream.dtypes import rounded, storage
from ...stream.reference import Key
from .fill import fill as fill_words

_HUGE = 1 << 21  # bytes of a huge page
_SLAB = 1 << 18  # elements whose 64-bit indices are held at a time

Array = NDArray[Any]
Normals = Callable[[Shape], NDArray[np.float64]]


def aligned(shape: Shape, dtype: str) -> Array:
    """New memory for a dtype that a framework takes over without a copy.

    They want it aligned to 64 bytes. What is large begins at a huge page, so that its first touch,
    which costs as much as the numbers, is shared by the threads.
    """
    kind = storage(dtype)
    size = math.prod(shape) * kind.itemsize
    grain = 64 if size < 2 * _HUGE else _HUGE
    memory = np.empty(size + grain, np.uint8)
    start = -memory.ctypes.data % grain
    return memory[start : start + size].view(kind).reshape(shape)


def fill(
    out: Array,
    distribution: Distribution,
    shape: Shape,
    *,
    key: Key,
    layout: Layout,
    dtype: str,
    window: Sequence[slice] | None = None,
) -> None:
    """Write a law, or the window of it, into ``out``, which has the window's shape."""
    if distribution.elementwise:
        fill_words(out, dtype, blocks(shape, layout, window), key, distribution.draw)
        return
    if distribution.kind == "constant":
        out[...] = rounded(np.array(distribution.mean), dtype)
        return

    def normals(size: Shape) -> NDArray[np.float64]:
        found = np.empty(size)
        fill_words(found, "float64", _flat(found.size), key, normal(0.0, 1.0))
        return found

    def ranks(size: Shape) -> NDArray[np.uint32]:
        found = np.empty(size, np.uint32)
        fill_words(found, "uint32", _flat(found.size), stream.fold_in(key, 1), None)
        return found

    structured(out, distribution, shape, layout, dtype, window, normals, ranks, key)


def _flat(size: int) -> tuple[Block, ...]:
    return (Block((Ellipsis,), (size,), (1,), 0),)  # type: ignore[arg-type]


def structured(
    out: Array,
    distribution: Distribution,
    shape: Shape,
    layout: Layout,
    dtype: str,
    window: Sequence[slice] | None,
    normals: Normals,
    ranks: Callable[[Shape], Array],
    key: Key,
) -> None:
    """Write a law whose elements are tied together, from normal numbers and ranking words."""
    match distribution:
        case Stencil():
            _by_index(out, blocks(shape, layout, window), dtype, lambda i: stencil(distribution, i))
        case CustomLaw() if distribution.custom.ppf is not None:

            def quantile(index: NDArray[np.uint64]) -> Array:
                p = (stream.words(key, index) + 0.5) * 2.0**-32
                return np.asarray(distribution.custom.ppf(p), np.float64)

            _by_index(out, blocks(shape, layout, window), dtype, quantile)
        case CustomLaw() | Given():
            values = given(distribution, shape, key)
            out[...] = rounded(values[checked(window, shape)], dtype)
        case Orthogonal():
            place(out, orthogonal(distribution, normals), blocks(shape, layout, window), dtype)
        case DeltaOrthogonal():
            values = delta_orthogonal(distribution, normals)
            place(out, values, blocks(shape, layout, window), dtype)
        case Sparse():
            values = sparse(distribution, normals, ranks, dtype)
            place(out, values, blocks(shape, layout, window), dtype)
        case _:
            raise SpecError(f"no backend knows how to draw {distribution!r}.")


def place(out: Array, canonical: Array, parts: tuple[Block, ...], dtype: str) -> None:
    """Copy a whole tensor in canonical order to where its elements are stored."""
    flat = rounded(np.ascontiguousarray(canonical), dtype).reshape(-1)
    for block in parts:
        if 0 in block.shape:
            continue
        strides = tuple(stride * flat.itemsize for stride in block.strides)
        source = np.lib.stride_tricks.as_strided(flat[block.base :], block.shape, strides)
        target = out[block.part]
        target[...] = source.reshape(target.shape)


def _by_index(
    out: Array, parts: tuple[Block, ...], dtype: str, values: Callable[[NDArray[np.uint64]], Array]
) -> None:
    """Write values that depend on the index alone, a slab at a time."""
    for block in parts:
        target = out[block.part]
        flat = np.arange(0, target.size, _SLAB)
        for start in flat.tolist():
            place_in = np.arange(start, min(start + _SLAB, target.size))
            index = np.full(place_in.shape, block.base, np.uint64)
            for where, stride in zip(
                np.unravel_index(place_in, block.shape), block.strides, strict=True
            ):
                index += where.astype(np.uint64) * np.uint64(stride)
            numbers = rounded(values(index), dtype)
            target.flat[start : start + place_in.size] = numbers


def stencil(law: Stencil, index: NDArray[np.uint64]) -> Array:
    """The numbers of a stencil at canonical indices."""
    columns, rows = np.uint64(max(law.columns, 1)), np.uint64(max(law.rows, 1))
    column, row = index % columns, index // columns % rows
    tap = index // (columns * rows)
    weights = np.array([law.gain])
    for profile in law.profiles:
        weights = np.multiply.outer(weights, profile).reshape(-1)
    matches = row == column % np.uint64(max(law.columns // law.groups, 1))
    return np.where(matches, weights[tap % np.uint64(weights.size)], 0.0)


def orthogonal(law: Orthogonal, normals: Normals) -> NDArray[np.float64]:
    """Haar matrices in canonical order, from normal ones: QR with the signs of R put right."""
    if 0 in (law.count, law.rows, law.columns):
        return np.zeros((law.count, law.rows, law.columns))
    matrix = normals((law.count, law.rows, law.columns))
    wide = law.rows < law.columns
    q, r = np.linalg.qr(matrix.swapaxes(1, 2) if wide else matrix)
    signs = np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)
    q *= (law.gain * signs)[:, None, :]
    return np.asarray(q.swapaxes(1, 2) if wide else q)


def delta_orthogonal(law: DeltaOrthogonal, normals: Normals) -> NDArray[np.float64]:
    """A Haar matrix at the middle tap, in canonical order."""
    found = np.zeros((law.count, law.taps, law.rows, law.columns))
    if found.size:
        found[:, law.middle] = orthogonal(
            Orthogonal(law.gain, law.count, law.rows, law.columns), normals
        )
    return found


def sparse(law: Sparse, normals: Normals, ranks: Callable[[Shape], Array], dtype: str) -> Array:
    """Normal numbers with the lowest-ranking ones of each line set to zero, ties by index."""
    size = (law.count, law.rows, law.columns)
    kind: Any = np.float64 if dtype == "float64" else np.float32  # as the normal law is drawn
    values: Array = normals(size).astype(kind) * kind(law.sigma)
    order = np.argsort(ranks(size), axis=law.axis, kind="stable")
    first = np.take(order, np.arange(law.zeros), axis=law.axis)
    np.put_along_axis(values, first, 0.0, axis=law.axis)
    return values


def given(law: Given | CustomLaw, shape: Shape, key: Key) -> Array:
    """An array that stands in the scheme, or that a user's code makes."""
    if isinstance(law, Given):
        return np.asarray(law.values.array())
    rng = {"rng": np.random.default_rng(list(key))} if takes_rng(law.custom) else {}
    values = np.asarray(law.custom.sample(shape, **rng))
    if values.shape != shape:
        raise SpecError(
            f"{law.custom!r} was asked for the shape {shape} and answered with {values.shape}."
        )
    return values


def array(
    distribution: Distribution,
    shape: Shape,
    *,
    key: Key,
    layout: Layout,
    dtype: str,
    window: Sequence[slice] | None = None,
) -> Array:
    """A new array (bfloat16 as its bits) of a law, or of the window of it."""
    part = whole(shape) if window is None else checked(window, shape)
    out = np.empty(extent(part), storage(dtype))
    fill(out, distribution, shape, key=key, layout=layout, dtype=dtype, window=window)
    return out
