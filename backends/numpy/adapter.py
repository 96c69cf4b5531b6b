"""NumPy: a new array, or one given as ``out=``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import stream as _stream
from ...errors import SpecError
from ...protocol import check_stream
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_shape
from ...spec.scheme import Scheme
from ...stream import dtypes
from ...stream.canonical_order import blocks, checked, extent
from ...stream.reference import Key, fresh_key
from ..cpu import laws as host_laws
from ..cpu.fill import fill as fill_words

Array = NDArray[Any]


class NumpyBackend:
    """The NumPy backend: see :class:`initspec.Backend`."""

    name = "numpy"
    out_first = False

    def key(self, source: Any = None, name: str | None = None) -> Key:
        """From a seed, a ``Generator`` or ``BitGenerator`` (one 64-bit draw), a ``SeedSequence``
        (its first word), or ``None``: then from the operating system, as NumPy does.
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
        shape = checked_shape(shape)
        out = np.empty(extent(checked(window, shape)), np.uint32)
        parts = blocks(shape, Layout.of(layout, len(shape)), window)
        fill_words(out, "uint32", parts, key, None)
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
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape))
        found = host_laws.array(
            distribution, shape, key=key, layout=axes, dtype=dtypes.dtype_name(dtype), window=window
        )
        return _typed(found, dtype)

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
        shape = checked_shape(shape)
        rng = _generator(source)
        out = np.empty(shape, dtypes.storage(dtypes.dtype_name(dtype)))
        match distribution:
            case Normal() | Uniform() | TruncatedNormal():
                out[...] = dtypes.rounded(_draw(distribution, shape, rng, dtype), dtype)
            case _ if distribution.kind == "constant":
                out[...] = dtypes.rounded(np.array(distribution.mean), dtype)
            case _:
                host_laws.structured(
                    out,
                    distribution,
                    shape,
                    Layout.of(layout, len(shape)),
                    dtype,
                    None,
                    rng.standard_normal,
                    lambda size: rng.integers(2**32, size=size, dtype=np.uint32),
                    self.key(rng),
                )
        return _typed(out, dtype)

    def tohost(self, array: Any) -> Array:
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
        sizes = checked_shape(shape)
        law = scheme.on(sizes, layout)
        if dtype is None:
            dtype = "float32" if out is None else out.dtype
        wanted = dtypes.dtype_name(dtype)
        part = checked(window, sizes)
        if out is not None:
            _check_out(out, extent(part), wanted)
        source = seed if rng is None else rng
        if stream == "native":
            found = self.native(law, sizes, source=source, layout=layout, dtype=wanted)[part]
            if out is None:
                return found
            out[...] = found
            return out
        key = self.key(source, name)
        axes = Layout.of(layout, len(sizes))
        if out is None:
            return _typed(
                host_laws.array(law, sizes, key=key, layout=axes, dtype=wanted, window=window),
                wanted,
            )
        bits = out.view(np.uint16) if wanted == "bfloat16" else out
        host_laws.fill(bits, law, sizes, key=key, layout=axes, dtype=wanted, window=window)
        return out


@dataclass(frozen=True, slots=True)
class NumpyInitializer:
    """A scheme with its options: call it with a shape."""

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
        options = {name: getattr(self, name) for name in self.__slots__ if name != "scheme"}
        return self.scheme.numpy(shape, **{**options, **overrides})  # type: ignore[no-any-return]


def _typed(array: Array, dtype: str) -> Array:
    return array.view(dtypes.bfloat16()) if dtype == "bfloat16" else array


def _generator(source: Any) -> np.random.Generator:
    if isinstance(source, np.random.Generator):
        return source
    if source is not None and not isinstance(source, np.random.SeedSequence):
        _stream.key_from_seed(source)  # refuses what is no seed
    return np.random.Generator(np.random.PCG64DXSM(source))


def _draw(
    law: Normal | Uniform | TruncatedNormal, shape: Shape, rng: np.random.Generator, dtype: str
) -> Array:
    kind: Any = np.float64 if dtype == "float64" else np.float32
    if isinstance(law, Uniform):
        standard, scale, shift = rng.random(shape, kind), law.high - law.low, law.low
    elif isinstance(law, Normal):
        standard, scale, shift = rng.standard_normal(shape, kind), law.sigma, law.mu
    else:
        standard, scale, shift = _truncated(law, shape, rng), law.sigma, law.mu
    found: Array = standard.astype(kind) * kind(scale) + kind(shift)
    return found


def _truncated(law: TruncatedNormal, shape: Shape, rng: np.random.Generator) -> Array:
    """A standard normal between the bounds: by rejection, or from the quantile in a tail."""
    from ...spec.truncation import mass

    if mass(law.low, law.high) < 0.05:
        standard = TruncatedNormal(0.0, 1.0, law.low, law.high)
        return np.asarray(np.vectorize(standard.ppf, otypes=[float])(rng.random(shape)))
    found = rng.standard_normal(shape)
    flat = found.reshape(-1)
    while (outside := np.flatnonzero((flat < law.low) | (flat > law.high))).size:
        flat[outside] = rng.standard_normal(outside.size)
    return found


def _check_out(out: Array, shape: Shape, dtype: str) -> None:
    if out.shape != shape:
        raise SpecError(f"out has the shape {out.shape}, and {shape} was asked for.")
    if dtypes.dtype_name(out.dtype) != dtype:
        raise SpecError(f"out is of {out.dtype}, and dtype={dtype!r} was asked for.")
    if not out.flags.writeable:
        raise SpecError("out is read-only; pass an array that can be written.")
