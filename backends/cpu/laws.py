"""Every law as a NumPy array: what the NumPy backend is made of, and the others fall back on."""

from __future__ import annotations

import math
from collections.abc import Callable
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
from ...stream.canonical_order import Block
from ...stream.dtypes import rounded, storage
from ...stream.placement import Placement
from ...stream.reference import Key
from .fill import fill as fill_words
from .threads import share

_HUGE = 1 << 21  # bytes of a huge page
_SLAB = 1 << 18  # elements whose 64-bit indices are held at a time

Array = NDArray[Any]
#: Independent standard normal numbers in an array of the given shape.
Normals = Callable[[Shape], NDArray[np.float64]]
#: Independent words of 32 bits, whose order says which elements come first.
Ranks = Callable[[Shape], NDArray[np.uint32]]


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


def array(law: Distribution, shape: Shape, *, key: Key, layout: Layout | str, dtype: str) -> Array:
    """A new array (bfloat16 as its bits) of a law on a whole tensor."""
    return draw(law, Placement.of(shape, layout), key=key, dtype=dtype)


def draw(law: Distribution, place: Placement, *, key: Key, dtype: str) -> Array:
    """A new array (bfloat16 as its bits) of a law where it is placed."""
    out = np.empty(place.extent, storage(dtype))
    fill(out, law, place, key=key, dtype=dtype)
    return out


def fill(out: Array, law: Distribution, place: Placement, *, key: Key, dtype: str) -> None:
    """Write a law into ``out``, which has the shape of the placement's window."""
    if law.elementwise:
        fill_words(out, dtype, place.blocks, key, law.draw)
        return
    if law.kind == "constant":
        value = rounded(np.array(law.mean), dtype)
        in_parts(out, lambda part: part.fill(value))
        return

    def normals(size: Shape) -> NDArray[np.float64]:
        numbers = np.empty(size)
        fill_words(numbers, "float64", _in_order(numbers.size), key, normal(0.0, 1.0))
        return numbers

    def ranks(size: Shape) -> NDArray[np.uint32]:
        words = np.empty(size, np.uint32)
        fill_words(words, "uint32", _in_order(words.size), stream.fold_in(key, 1), None)
        return words

    structured(out, law, place, dtype, normals, ranks, key)


def in_parts(out: Array, work: Callable[[Array], object]) -> None:
    """Do elementwise work on an array part by part, so that an interrupt waits for one of them.

    >>> out = np.zeros((2, 3))
    >>> in_parts(out.T, lambda part: part.fill(1.0))
    >>> out.sum()
    np.float64(6.0)
    """
    if out.ndim == 0:
        work(out)
        return
    flat = out if out.flags.c_contiguous else out.T
    if flat.flags.c_contiguous:
        along = flat.reshape(-1)
    else:
        along = np.moveaxis(out, int(np.argmax(out.shape)), 0)

    def part(start: int, stop: int) -> None:
        work(along[start:stop])

    share(part, along.shape[0], out.size)


def _in_order(size: int) -> tuple[Block, ...]:
    """The block of an array that lies in canonical order itself, whatever its axes."""
    return (Block((Ellipsis,), (size,), (1,), 0),)  # type: ignore[arg-type]


def structured(
    out: Array,
    law: Distribution,
    place: Placement,
    dtype: str,
    normals: Normals,
    ranks: Ranks,
    key: Key,
) -> None:
    """Write a law whose elements are tied together.

    ``normals`` and ``ranks`` make the numbers that it needs, of the portable stream or of a
    framework's sampler; ``key`` is for a law of the user's own code.

    Raises :class:`SpecError` for a law that is not known here.
    """
    match law:
        case Stencil():
            _by_index(out, place, dtype, lambda index: stencil(law, index))
        case CustomLaw() if law.custom.ppf is not None:

            def quantile(index: NDArray[np.uint64]) -> Array:
                p = (stream.words(key, index) + 0.5) * 2.0**-32
                return np.asarray(law.custom.ppf(p), np.float64)

            _by_index(out, place, dtype, quantile)
        case CustomLaw() | Given():
            out[...] = rounded(given(law, place.shape, key)[place.window], dtype)
        case Orthogonal():
            store(out, orthogonal(law, normals), place, dtype)
        case DeltaOrthogonal():
            store(out, delta_orthogonal(law, normals), place, dtype)
        case Sparse():
            store(out, sparse(law, normals, ranks, dtype), place, dtype)
        case _:
            raise SpecError(f"no backend knows how to draw {law!r}.")


def store(out: Array, canonical: Array, place: Placement, dtype: str) -> None:
    """Copy the window of a whole tensor in canonical order to where its elements are stored."""
    flat = rounded(np.ascontiguousarray(canonical), dtype).reshape(-1)
    for block in place.blocks:
        if 0 in block.shape:
            continue
        strides = tuple(stride * flat.itemsize for stride in block.strides)
        source = np.lib.stride_tricks.as_strided(flat[block.base :], block.shape, strides)
        target = out[block.part]
        target[...] = source.reshape(target.shape)


def _by_index(
    out: Array, place: Placement, dtype: str, values: Callable[[NDArray[np.uint64]], Array]
) -> None:
    """Write values that depend on the index alone, a slab at a time."""
    for block in place.blocks:
        target = out[block.part]
        for start in range(0, target.size, _SLAB):
            stop = min(start + _SLAB, target.size)
            index = np.full(stop - start, block.base, np.uint64)
            coordinates = np.unravel_index(np.arange(start, stop), block.shape)
            for along, stride in zip(coordinates, block.strides, strict=True):
                index += along.astype(np.uint64) * np.uint64(stride)
            target.flat[start:stop] = rounded(values(index), dtype)


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
    kernel = np.zeros((law.count, law.taps, law.rows, law.columns))
    if kernel.size:
        matrix = Orthogonal(law.gain, law.count, law.rows, law.columns)
        kernel[:, law.middle] = orthogonal(matrix, normals)
    return kernel


def sparse(law: Sparse, normals: Normals, ranks: Ranks, dtype: str) -> Array:
    """Normal numbers with the lowest-ranking ones of each line set to zero, ties by index."""
    size = (law.count, law.rows, law.columns)
    kind: Any = np.float64 if dtype == "float64" else np.float32  # as the normal law is drawn
    values: Array = normals(size).astype(kind) * kind(law.sigma)
    order = np.argsort(ranks(size), axis=law.axis, kind="stable")
    first = np.take(order, np.arange(law.zeros), axis=law.axis)
    np.put_along_axis(values, first, 0.0, axis=law.axis)
    return values


def given(law: Given | CustomLaw, shape: Shape, key: Key) -> Array:
    """An array that stands in the scheme, or that a user's code makes.

    Raises :class:`SpecError` where that code answers with another shape.
    """
    if isinstance(law, Given):
        return np.asarray(law.values.array())
    rng = {"rng": np.random.default_rng(list(key))} if takes_rng(law.custom) else {}
    values = np.asarray(law.custom.sample(shape, **rng))
    if values.shape != shape:
        raise SpecError(
            f"{law.custom!r} was asked for the shape {shape} and answered with {values.shape}."
        )
    return values
