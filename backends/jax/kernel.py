"""The portable stream in XLA: unsigned 32-bit operations, element by element, on iotas.

Nothing here looks at another element, so that XLA partitions it: under ``jit`` with
``out_shardings`` a device computes its shard and asks no other for anything. Everything that is
not a shape is an argument of the compiled program, so that other scales and windows run it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ... import stream
from ...errors import StreamError
from ...spec.fan_rules import Shape
from ...spec.integer_form import WORDS, Draw
from ...spec.layout import Layout
from ...stream.canonical_order import checked, digits

_U32 = np.uint32
_WRAP = 2**64

Pair = tuple[Any, Any]


class Axis(NamedTuple):
    """How an axis adds to the index: ``coordinate * stride``.

    Where it fuses stacked parameters, ``(coordinate + start) // size * major`` as well, and the
    remainder for the coordinate. ``size`` is zero elsewhere.
    """

    stride: int
    size: int = 0
    major: int = 0
    start: int = 0


class Walk(NamedTuple):
    """The indices of a window, less that of its first element. ``wide``: they need 64 bits."""

    shape: Shape
    axes: tuple[Axis, ...]
    wide: bool


class Form(NamedTuple):
    """What of a draw decides which operations there are; its numbers are arguments."""

    kind: str
    truncated: bool
    shifted: bool
    dtype: str


def words(key: Pair, shape: Shape, layout: Layout, window: Sequence[slice] | None = None) -> Any:
    """The words of a window, as uint32."""
    steps, base = walk(shape, layout, window)
    return _words(steps, *_scalars(*key, *_halves(base)))


def values(
    key: Pair,
    draw: Draw,
    dtype: str,
    shape: Shape,
    layout: Layout,
    window: Sequence[slice] | None = None,
    sharding: Any = None,
) -> Any:
    """The numbers of a law in a window, equal to ``stream.values`` in every bit.

    With a sharding each of its devices computes its shard alone.

    Raises :class:`StreamError` for numbers so small that XLA would flush them to zero.
    """
    steps, base = walk(shape, layout, window)
    form = Form(draw.kind, draw.truncated, draw.shift != 0, dtype)
    program = _program(sharding)
    return program(form, steps, *_scalars(*key, *_halves(base)), *_numbers(draw, dtype))


def index(shape: Shape, layout: Layout) -> Any:
    """The index of each element of a tensor of less than ``2**32``, as uint32."""
    return _index(walk(shape, layout, None)[0], _U32(0), _U32(0))[1]


def walk(shape: Shape, layout: Layout, window: Sequence[slice] | None) -> tuple[Walk, int]:
    """The walk through a window, and the index that it starts from."""
    parts = checked(window, shape)
    starts, stops = tuple(part.start for part in parts), tuple(part.stop for part in parts)
    return _walk(shape, layout, starts, stops)


@lru_cache(maxsize=4096)
def _walk(shape: Shape, layout: Layout, starts: Shape, stops: Shape) -> tuple[Walk, int]:
    base = last = 0
    axes = []
    for axis, start, stop in zip(digits(shape, layout), starts, stops, strict=True):
        count = stop - start
        if len(axis) == 1:
            step = Axis(axis[0].stride)
            base += start * step.stride
            last += max(count - 1, 0) * step.stride
        else:
            major, minor = axis
            whole, inner = divmod(start, max(minor.size, 1))
            step = Axis(minor.stride, minor.size, major.stride, inner)
            base += whole * major.stride
            last += (inner + count) // max(minor.size, 1) * major.stride
            last += max(minor.size - 1, 0) * minor.stride
            if inner + count >= 2**32:
                raise StreamError(
                    f"an axis of {major.size} fused parameters of {minor.size} has more places "
                    "than 32 bits count: stack the parameters on an axis of their own."
                )
        axes.append(step)
    wide = base % 2**32 + last >= 2**32
    extent = tuple(stop - start for start, stop in zip(starts, stops, strict=True))
    return Walk(extent, tuple(axes), wide), base % _WRAP


def threefry2x32(key: Pair, high: Any, low: Any) -> Pair:
    """Threefry-2x32 with 20 rounds; see :func:`initspec.stream.threefry2x32`."""
    k0, k1 = _computed_once(key)
    schedule = (k0, k1, k0 ^ k1 ^ _U32(stream.PARITY))
    x0, x1 = high + k0, low + k1
    for group in range(5):
        for rotation in stream.ROTATIONS[group % 2]:
            x0 = x0 + x1
            x1 = (x1 << _U32(rotation)) | (x1 >> _U32(32 - rotation))
            x1 = x1 ^ x0
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + (schedule[(group + 2) % 3] + _U32(group + 1))
    return x0, x1


@jax.jit
def fold_in(key: Pair, data: Any) -> Pair:
    """A key of its own for each ``data``; see :func:`initspec.stream.fold_in`."""
    return threefry2x32(key, _U32(0), data)


def fold_name(key: Pair, name: str | None) -> Pair:
    """The key of a named parameter; see :func:`initspec.stream.fold_name`."""
    if name is None:
        return key
    for half in stream.name_hash(name):
        key = fold_in(_scalars(*key), _U32(half))
    return key


@partial(jax.jit, static_argnums=0)
def _words(steps: Walk, k0: Any, k1: Any, high: Any, low: Any) -> Any:
    return _word(steps, k0, k1, high, low)


@cache
def _program(sharding: Any) -> Any:
    options = {} if sharding is None else {"out_shardings": sharding}
    return jax.jit(_values, static_argnums=(0, 1), **options)


def _values(
    form: Form,
    steps: Walk,
    k0: Any,
    k1: Any,
    base_high: Any,
    base_low: Any,
    scale: Any,
    shift: Any,
    bound: Any,
    first: Any,
    count: Any,
    lowest: Any,
    highest: Any,
) -> Any:
    word = _word(steps, k0, k1, base_high, base_low)
    if form.kind == "uniform":
        integer = (word >> _U32(8)).astype(np.int32) * np.int32(2) - np.int32(2**24 - 1)
    elif form.truncated:
        integer = jnp.clip(_quantile(first + high_product(word, count)), lowest, highest)
    else:
        integer = _quantile(word)
    number = integer.astype(scale.dtype) * scale
    if form.shifted:
        # The sum is a rounding of its own. The minimum changes nothing, and keeps XLA from fusing
        # product and sum into one rounding, as it does on the CPU.
        number = jnp.minimum(number, bound) + shift
    return number.astype(form.dtype)


def _word(steps: Walk, k0: Any, k1: Any, base_high: Any, base_low: Any) -> Any:
    high, low = _index(steps, base_high, base_low)
    x0, x1 = threefry2x32((k0, k1), high, low)
    return x0 ^ x1


def _index(steps: Walk, base_high: Any, base_low: Any) -> Pair:
    """The two halves of each element's index; the high one is a scalar where it never changes."""
    high, low = base_high, lax.full(steps.shape, base_low)
    for place, axis in enumerate(steps.axes):
        if steps.shape[place] < 2 and not axis.size:
            continue
        at = lax.broadcasted_iota(np.uint32, steps.shape, place)
        parts = [(at, axis.stride)]
        if axis.size:
            at = at + _U32(axis.start)
            size = _U32(min(axis.size, 2**32 - 1))  # which no place reaches
            parts = [(at // size, axis.major), (at % size, axis.stride)]
        for coordinate, stride in parts:
            added_high, added_low = _halves(stride)
            if not steps.wide:
                low = low + coordinate * _U32(added_low)
                continue
            step = coordinate * _U32(added_low)
            low = low + step
            carry = (low < step).astype(np.uint32)
            high = high + carry + high_product(coordinate, _U32(added_low))
            high = high + coordinate * _U32(added_high)
    return high, low


def high_product(a: Any, b: Any) -> Any:
    """The high 32 bits of a product of 32-bit integers."""
    half = _U32(0xFFFF)
    a1, a0, b1, b0 = a >> _U32(16), a & half, b >> _U32(16), b & half
    left = a1 * b0 + ((a0 * b0) >> _U32(16))
    right = a0 * b1 + (left & half)
    return a1 * b1 + (left >> _U32(16)) + (right >> _U32(16))


def _computed_once(words: Any) -> Any:
    """The words as arrays of the program, which the operations behind them read.

    XLA would fuse the cipher with each look-up, or other cipher, that reads them. From JAX 0.11 on
    its compiler for the CPU writes a fusion out once for each path through it, which takes minutes
    where the key has a name. An element's word costs four bytes while the program runs.
    """
    maps_barriers = jax.__version_info__ >= (0, 4, 38)  # vmap refuses one before
    if not maps_barriers:
        return words
    return lax.optimization_barrier(words)  # type: ignore[no-untyped-call]


def _quantile(word: Any) -> Any:
    c0, c1 = stream.table()
    word = _computed_once(word)
    positive = word >= _U32(2**31)
    tail = jnp.where(positive, ~word, word) | _U32(1)
    bits = lax.bitcast_convert_type(tail.astype(np.int32).astype(np.float32), np.uint32)
    # An unsigned index within bounds is looked up without a test of its sign or size.
    chord = (bits >> _U32(15)) - _U32(127 << 8)
    top, slope = (jnp.asarray(c).at[chord].get(mode="promise_in_bounds") for c in (c0, c1))
    quantile = top - ((slope * (bits & _U32(0x7FFF))) >> _U32(12)).astype(np.int32)
    return jnp.where(positive, quantile, -quantile)


@lru_cache(maxsize=1024)
def _numbers(draw: Draw, dtype: str) -> tuple[Any, ...]:
    kind: Any = np.float64 if dtype == "float64" else np.float32
    scale, shift = kind(draw.scale), kind(draw.shift)
    least = float(np.finfo(kind).tiny) * 2**24
    small = any(0 < abs(number) < least for number in (draw.scale, draw.shift))
    if small or draw.after != 1:
        raise StreamError(
            f"XLA rounds numbers below {np.finfo(kind).tiny:.0e} to zero, and this law of scale "
            f"{draw.scale * (2**24 if draw.kind == 'uniform' else 2**28):.2g} and mean "
            f"{draw.shift:.2g} has such: draw it in float64, or larger, and scale the result."
        )
    return (
        scale,
        shift,
        np.finfo(kind).max,
        _U32(draw.first),
        _U32(draw.count % WORDS),
        np.int32(draw.lowest),
        np.int32(draw.highest),
    )


def _halves(number: int) -> tuple[int, int]:
    return number >> 32 & 0xFFFFFFFF, number & 0xFFFFFFFF


def _scalars(*numbers: Any) -> tuple[Any, ...]:
    return tuple(_U32(n) if isinstance(n, int) else n for n in numbers)
