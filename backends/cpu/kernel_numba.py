# mypy: disable-error-code="call-arg, import-untyped, no-untyped-call, no-untyped-def"
# mypy: disable-error-code="var-annotated"
"""The portable stream on the CPU, compiled by Numba.

A row is drawn in three loops over a buffer that stays in the first-level cache: words, integers,
numbers. Apart, each is vectorised at full width; in one, the table's gather halves it. Four
words are drawn side by side, because the rounds of one wait for each other.

Rows and tables are handed over as addresses: a call then costs a microsecond, not ten, and the
code is compiled in a third of the time.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache, partial
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.serialize import dumps
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from ... import stream
from ...spec.fan_rules import Shape
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block
from ...stream.reference import Key
from .threads import share
from .walk import index_offsets, memory_offsets, rows, views

if config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise RuntimeError("NUMBA_DISABLE_JIT is set")

MOST = 2048  # elements of a row
_PAD = 64  # what a row's words are filled up to: four vectors

_KINDS = {"words": 0, "uniform": 1, "normal": 2, "truncated": 3}
_STORED = {  # the type that tells the dtypes apart
    "float64": types.float64,
    "float32": types.float32,
    "bfloat16": types.uint16,
    "float16": types.int16,
    "uint32": types.uint32,
}

_u16, _u32, _u64 = types.uint16, types.uint32, types.uint64
_i32, _i64 = types.int32, types.int64
_f32, _f64 = types.float32, types.float64
_njit: Any = partial(njit, nogil=True, error_model="numpy")
_compiled = _njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)  # Python calls the kernel alone


class _Checked(CompileResultCacheImpl):
    """What is kept of a compiled function, with its checksum: damaged code is never run."""

    def reduce(self, data: Any) -> tuple[bytes, bytes]:
        code = dumps(super().reduce(data))
        return sha256(code).digest(), code

    def rebuild(self, target_context: Any, reduced_data: Any) -> Any:
        checksum, code = reduced_data
        if sha256(code).digest() != checksum:
            raise ValueError("its checksum is another")
        return super().rebuild(target_context, pickle.loads(code))


class _Cache(FunctionCache):
    """Numba's cache on the disk, without which every process compiles for seconds, but draws."""

    _impl_class = _Checked

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            result = super().load_overload(sig, target_context)
            # Two processes that write at once can each give its name to the other's code.
            if result is not None and tuple(result.signature.args) != tuple(sig):
                raise ValueError("it is that of another dtype")
            return result
        except Exception as error:
            with suppress(Exception):
                self.flush()
            self._warn(f"is damaged ({error or type(error).__name__}): it is compiled anew.")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception as error:
            self._warn(f"cannot be written ({error}): every process compiles it anew.")

    def _warn(self, sentence: str) -> None:
        text = f"the compiled kernel in {self.cache_path} {sentence}"
        warnings.warn(text, RuntimeWarning, stacklevel=1)


def _kept(function: Callable[..., None]) -> Any:
    """Compiled, and kept on the disk where that can be written."""
    dispatcher = _njit()(function)
    with suppress(Exception):
        dispatcher._cache = _Cache(function)
    return dispatcher


def _chords() -> NDArray[np.uint64]:
    """Both columns of the quantile table in one, so that a chord is gathered at once."""
    c0, c1 = stream.table()
    return c0.view(np.uint32) | (c1.astype(np.uint64) << np.uint64(32))


_CHORDS = _chords()  # a constant of the compiled code: nothing can alias it


@intrinsic
def _threefry(typing: Any, high: Any, low: Any, key0: Any, key1: Any) -> Any:
    """The words of the counters in two tuples: both halves of Threefry-2x32-20, xored."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)

        def rotated(x: Any, by: int) -> Any:
            return builder.or_(builder.shl(x, word(by)), builder.lshr(x, word(32 - by)))

        x0, x1 = (cgutils.unpack_tuple(builder, counter) for counter in arguments[:2])
        key0, key1 = arguments[2:]
        schedule = (key0, key1, builder.xor(builder.xor(key0, key1), word(stream.PARITY)))
        x0 = [builder.add(x, key0) for x in x0]
        x1 = [builder.add(x, key1) for x in x1]
        for group in range(5):
            for rotation in stream.ROTATIONS[group % 2]:
                x0 = [builder.add(a, b) for a, b in zip(x0, x1, strict=True)]
                x1 = [builder.xor(a, rotated(b, rotation)) for a, b in zip(x0, x1, strict=True)]
            injected = builder.add(schedule[(group + 2) % 3], word(group + 1))
            x0 = [builder.add(x, schedule[(group + 1) % 3]) for x in x0]
            x1 = [builder.add(x, injected) for x in x1]
        words = [builder.xor(a, b) for a, b in zip(x0, x1, strict=True)]
        return context.make_tuple(builder, signature.return_type, words)

    return low(high, low, key0, key1), generate


@intrinsic
def _array(typing: Any, address: Any, like: Any) -> Any:
    """The array of such elements at an address, as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(like)(types.int64, like), generate


@intrinsic
def _buffer(typing: Any) -> Any:
    """The words of a row, on the stack."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.alloca_once(builder, ir.IntType(32), size=MOST)

    return types.CPointer(types.uint32)(), generate


@_compiled
def _words(word, size, index, low, high, wide, key0, key1):
    """The words of a row; ``wide`` where the high half of the index changes within it."""
    k0, k1, row_low, row_high = _u32(key0), _u32(key1), _u32(index), _u32(index >> 32)
    if wide:
        for i in range(size >> 6 << 6):
            below = _u32(row_low + low[i])
            above = _u32(row_high + high[i] + _u32(below < row_low))
            word[i] = _threefry((above,), (below,), k0, k1)[0]
        return
    a = size >> 6 << 4  # shifts show the compiler that no vector is left half full
    b, c = 2 * a, 3 * a
    same = (row_high, row_high, row_high, row_high)
    for i in range(a):
        lows = (
            _u32(row_low + low[i]),
            _u32(row_low + low[a + i]),
            _u32(row_low + low[b + i]),
            _u32(row_low + low[c + i]),
        )
        word[i], word[a + i], word[b + i], word[c + i] = _threefry(same, lows, k0, k1)


@_compiled
def _integers(word, size, kind, first, count, lowest, highest):
    """The integers of a row, in the place of its words."""
    first, count, lowest, highest = _u32(first), _u32(count), _i32(lowest), _i32(highest)
    size = size >> 6 << 6
    if kind == 1:
        for i in range(size):
            word[i] = _u32((word[i] >> _u32(8) << _u32(1)) - _u32(2**24 - 1))
        return
    if kind == 3:
        for i in range(size):
            word[i] = _u32(first + _u32((_u64(word[i]) * count) >> _u64(32)))
    for i in range(size):
        sign = _u32(_i32(word[i]) >> _i32(31))
        w = np.float32(_i32((word[i] ^ sign) | _u32(1))).view(np.uint32)
        chord = _CHORDS[_u64(w >> _u32(15)) - _u64(127 << 8)]  # an unsigned index wraps no end
        drop = ((chord >> _u64(32)) * _u64(w & _u32(0x7FFF))) >> _u64(12)
        quantile = _u32(chord - drop)
        word[i] = _u32(min(max(_i32(sign - (quantile ^ sign)), lowest), highest))


def _number(integer, scale, after, shift, like):
    """An integer's number in the type of ``like``."""


@overload(_number, jit_options={"forceinline": True})
def _number_of(integer, scale, after, shift, like):
    def float64(integer, scale, after, shift, like):
        return _f64(integer) * scale * after + shift

    def float32(integer, scale, after, shift, like):
        return _f32(integer) * _f32(scale) * _f32(after) + _f32(shift)

    def bfloat16(integer, scale, after, shift, like):
        x = np.float32(_f32(integer) * _f32(scale) * _f32(after) + _f32(shift)).view(np.uint32)
        return _u16(_u32(x + _u32(0x7FFF) + ((x >> _u32(16)) & _u32(1))) >> _u32(16))

    def float16(integer, scale, after, shift, like):
        x = np.float32(_f32(integer) * _f32(scale) * _f32(after) + _f32(shift)).view(np.uint32)
        size = np.uint32(x & _u32(0x7FFFFFFF))
        if size >= _u32(143 << 23):  # 2**16: what is rounded there comes out right below
            half = _u32(0x7C00)
        elif size < _u32(113 << 23):  # subnormal: the sum with 1/2 is rounded at 2**-24
            half = _u32(np.float32(size.view(np.float32) + _f32(0.5)).view(np.uint32))
        else:
            half = _u32(_u32(size + _u32(0xFFF) + ((size >> _u32(13)) & _u32(1))) >> _u32(13))
            half = _u32(half - _u32(112 << 10))
        return _u16((half & _u32(0x7FFF)) | ((x >> _u32(16)) & _u32(0x8000)))

    def word(integer, scale, after, shift, like):
        return _u32(integer)

    return {
        types.float64: float64,
        types.float32: float32,
        types.uint16: bfloat16,
        types.int16: float16,
        types.uint32: word,
    }[like]


@_compiled
def _numbers(word, out, size, scale, after, shift, like):
    """Write the numbers of a contiguous row."""
    for i in range(size):
        out[i] = _number(_i32(word[i]), scale, after, shift, like)


@_compiled
def _scattered(word, address, memory, size, scale, after, shift, like):
    """Write the numbers of a row, number ``i`` at ``memory[i]`` bytes from the address."""
    for i in range(size):
        _array(address + memory[i], like)[0] = _number(_i32(word[i]), scale, after, shift, like)


@_kept
def _fill(
    start, stop, address, base, outer, axes, low, high, memory, span, length, last,
    key0, key1, kind, first, count, lowest, highest, scale, after, shift, like,
):  # fmt: skip
    """Rows ``start`` to ``stop``; the names are those of ``Rows`` and ``Draw``."""
    word, axis_of = _buffer(), _array(outer, _i64(0))
    low_of, high_of = _array(low, _u32(0)), _array(high, _u32(0))
    for row in range(start, stop):
        at, index, left, size = address, base, row, length
        for axis in range(3 * axes - 3, -1, -3):
            coordinate = left % axis_of[axis]
            left //= axis_of[axis]
            at += coordinate * axis_of[axis + 1]
            index += coordinate * axis_of[axis + 2]
            if axis == 3 * axes - 3 and coordinate == axis_of[axis] - 1:
                size = last
        wide = _i64(_u32(index)) + span >= 2**32
        padded = (size + 63) >> 6 << 6
        _words(word, padded, index, low_of, high_of, wide, key0, key1)
        if kind:
            _integers(word, padded, kind, first, count, lowest, highest)
        if memory:
            _scattered(word, at, _array(memory, _i64(0)), size, scale, after, shift, like)
        else:
            _numbers(word, _array(at, like), size, scale, after, shift, like)


def signature(dtype: str) -> tuple[Any, ...]:
    """The types that ``_fill`` is compiled for."""
    return (*[_i64] * 19, _f64, _f64, _f64, _STORED[dtype])


@cache
def entry(dtype: str) -> Callable[..., None]:
    """The compiled kernel of a dtype, from the disk if it was compiled before."""
    _fill.compile(signature(dtype))
    compiled: Callable[..., None] = _fill.overloads[signature(dtype)].entry_point
    return compiled


class _Walk(NamedTuple):
    """Rows as the kernel takes them: ``arguments`` holds addresses into ``tables``."""

    skip: int
    base: int
    total: int
    arguments: tuple[int, ...]
    tables: tuple[NDArray[Any], ...]


@lru_cache(maxsize=64)
def _walk(shape: Shape, steps: Shape, strides: Shape, itemsize: int) -> _Walk:
    walk = rows(shape, steps, strides, itemsize, MOST, _PAD)
    outer = np.array(walk.outer, np.uint64).ravel()
    offsets = np.pad(index_offsets(walk.inner), (0, -walk.length % _PAD))
    low, high = offsets.astype(np.uint32), (offsets >> np.uint64(32)).astype(np.uint32)
    memory = memory_offsets(walk.inner)
    scattered = 0 if walk.contiguous else memory.ctypes.data
    return _Walk(
        walk.skip,
        walk.base,
        walk.total,
        (
            outer.ctypes.data, len(walk.outer), low.ctypes.data, high.ctypes.data, scattered,
            walk.span, walk.length, walk.last,
        ),
        (outer, low, high, memory),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _law(draw: Draw | None, dtype: str) -> tuple[float, ...]:
    if draw is None:
        return 0, 0, 0, 0, 0, 0.0, 1.0, 0.0, 0
    draw = draw.in_type(dtype)
    kind = _KINDS["truncated" if draw.truncated else draw.kind]
    shift = draw.shift or -0.0  # adding it changes no bit
    return kind, draw.first, draw.count, draw.lowest, draw.highest, draw.scale, draw.after, shift, 0


def fill(
    out: NDArray[Any], dtype: str, blocks: tuple[Block, ...], key: Key, draw: Draw | None
) -> None:
    """Fill ``out`` with the numbers of ``draw``, or with words for ``None``.

    The arguments are those of :func:`initspec.backends.cpu.fill.fill`.
    """
    kernel, law = entry(dtype), _law(draw, dtype)
    for view, block in views(out, blocks):
        walk = _walk(block.shape, view.strides, block.strides, view.itemsize)
        address = view.ctypes.data + walk.skip
        base = (block.base + walk.base + 2**63) % 2**64 - 2**63
        fixed = (address, base, *walk.arguments, *key, *law)
        share(partial(_call, (view, walk), kernel, fixed), walk.total, view.size)


def _call(
    memory: object, kernel: Callable[..., None], fixed: tuple[float, ...], start: int, stop: int
) -> None:
    """Rows ``start`` to ``stop``; ``memory`` holds what the addresses in ``fixed`` point to."""
    kernel(start, stop, *fixed)
