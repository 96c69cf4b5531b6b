"""NumPy: a new array, or one given as ``out=``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import stream as _stream
from ...errors import SpecError
from ...protocol import check_stream
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ...spec.scheme import Scheme
from ...stream.dtypes import dtype_name, typed
from ...stream.placement import Placement
from ...stream.reference import Key, fresh_key
from ..cpu import laws as host_laws
from ..cpu.fill import fill as fill_words
from . import native

Array = NDArray[Any]


class NumpyBackend:
    """The NumPy backend: see :class:`initspec.Backend`.

    >>> from initspec import backend, get
    >>> law = get("he_normal").on((256, 512))
    >>> numpy = backend("numpy")
    >>> numpy.sample(law, (256, 512), key=numpy.key(0), dtype="float16").shape
    (256, 512)
    """

    name = "numpy"
    out_first = False

    def key(self, source: Any = None, name: str | None = None) -> Key:
        """From a seed, a ``Generator`` or ``BitGenerator`` (one 64-bit draw), a ``SeedSequence``
        (its first word), or ``None``: then from the operating system, as NumPy does.

        Raises :class:`StreamError` for a seed that is none.
        """
        match source:
            case None:
                key = fresh_key()
            case np.random.Generator():
                key = _stream.key_from_seed(int(source.integers(2**64, dtype=np.uint64)))
            case np.random.BitGenerator():
                return self.key(np.random.Generator(source), name)
            case np.random.SeedSequence():
                key = _stream.key_from_seed(int(source.generate_state(1, np.uint64)[0]))
            case _:
                key = _stream.key_from_seed(source)
        return _stream.fold_name(key, name)

    def words(
        self,
        key: Key,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Array:
        """The words as an array of uint32, of the window's shape."""
        place = Placement.of(shape, layout, window)
        out = np.empty(place.extent, np.uint32)
        fill_words(out, "uint32", place.blocks, key, None)
        return out

    def sample(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        key: Key,
        layout: Layout | str | None = None,
        dtype: str = "float32",
        window: Sequence[slice] | None = None,
    ) -> Array:
        """A new array from the portable stream, of the window's shape."""
        place = Placement.of(shape, layout, window)
        kind = dtype_name(dtype)
        return typed(host_laws.draw(distribution, place, key=key, dtype=kind), kind)

    def native(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        source: Any = None,
        layout: Layout | str | None = None,
        dtype: str = "float32",
    ) -> Array:
        """Drawn by ``numpy.random.Generator``; a seed makes a PCG64DXSM."""
        place = Placement.of(shape, layout)
        kind = dtype_name(dtype)
        return typed(native.draw(distribution, place, native.generator(source), kind), kind)

    def tohost(self, array: Any) -> Array:
        """The array itself."""
        return np.asarray(array)

    def initializer(self, scheme: Scheme, **options: Any) -> NumpyInitializer:
        """A callable ``(shape, **overrides)``; see :meth:`array` for the options."""
        return NumpyInitializer(scheme, **options)

    def array(
        self,
        scheme: Scheme,
        shape: Shape | list[int],
        *,
        seed: int | np.random.SeedSequence | None = None,
        rng: np.random.Generator | None = None,
        dtype: Any = None,
        out: Array | None = None,
        layout: Layout | str | None = None,
        name: str | None = None,
        stream: str = "portable",
        window: Sequence[slice] | None = None,
    ) -> Array:
        """A new array of the scheme's law, or ``out`` filled with it.

        ``seed`` is an integer of 64 bits and ``rng`` a ``Generator``; with neither the values are
        new each time. ``dtype`` is that of ``out``, else float32 (the type in which all backends
        agree; float64 has the same integers, scaled in float64). ``layout`` names the axes, by
        default ``(..., in, out)``. ``name`` is the parameter's, folded into the key. ``window``,
        one slice for each axis, gives that part of the tensor of the given shape, computed alone.

        Raises :class:`SpecError` where options contradict each other or ``out`` does not fit;
        nothing is written then.

        >>> from initspec import get
        >>> get("normal(std=1.0)").numpy((2, 3), seed=0)
        array([[ 1.6226429 ,  2.0252647 , -0.43359455],
               [-0.07861742,  0.17609113, -0.972089  ]], dtype=float32)
        """
        if seed is not None and rng is not None:
            raise SpecError("give seed= or rng=, not both: each of them is a source of randomness.")
        check_stream(stream)
        law = scheme.on(shape, layout)
        if dtype is None:
            dtype = "float32" if out is None else out.dtype
        kind = dtype_name(dtype)
        place = Placement.of(shape, layout, window)
        if out is not None:
            _check_out(out, place.extent, kind)
        source = seed if rng is None else rng
        if stream == "native":
            drawn = self.native(law, place.shape, source=source, layout=layout, dtype=kind)
            drawn = drawn[place.window]
            if out is None:
                return drawn
            out[...] = drawn
            return out
        key = self.key(source, name)
        if out is None:
            return typed(host_laws.draw(law, place, key=key, dtype=kind), kind)
        bits = out.view(np.uint16) if kind == "bfloat16" else out
        host_laws.fill(bits, law, place, key=key, dtype=kind)
        return out


@dataclass(frozen=True, slots=True, weakref_slot=True)
class NumpyInitializer:
    """A scheme with its options: call it with a shape.

    >>> from initspec import initializer
    >>> init = initializer("normal(std=1.0)", backend="numpy", seed=0)
    >>> init((2, 3))
    array([[ 1.6226429 ,  2.0252647 , -0.43359455],
           [-0.07861742,  0.17609113, -0.972089  ]], dtype=float32)
    """

    scheme: Scheme
    seed: Any = None
    rng: Any = None
    name: str | None = None
    layout: Layout | str | None = None
    dtype: Any = None
    stream: str = "portable"

    def __post_init__(self) -> None:
        check_stream(self.stream)

    def __call__(self, shape: Shape | list[int], **overrides: Any) -> Array:
        """The array, as :meth:`NumpyBackend.array` makes it; overrides replace the options."""
        options = {name: getattr(self, name) for name in _OPTIONS}
        return self.scheme.numpy(shape, **{**options, **overrides})  # type: ignore[no-any-return]


#: The options of an initializer: its fields but the scheme.
_OPTIONS = tuple(field.name for field in fields(NumpyInitializer) if field.name != "scheme")


def _check_out(out: Array, shape: Shape, dtype: str) -> None:
    if out.shape != shape:
        raise SpecError(f"out has the shape {out.shape}, and {shape} was asked for.")
    if dtype_name(out.dtype) != dtype:
        raise SpecError(f"out is of {out.dtype}, and dtype={dtype!r} was asked for.")
    if not out.flags.writeable:
        raise SpecError("out is read-only; pass an array that can be written.")
