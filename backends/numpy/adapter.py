"""NumPy: a new array, or one given as ``out=``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ... import stream as _stream
from ...errors import SpecError
from ...protocol import check_stream
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_shape
from ...spec.number_types import check_held
from ...spec.scheme import Scheme
from ...spec.scheme_law import law_on
from ...stream.dtypes import DTYPES, dtype_name, storage, typed
from ...stream.placement import Placement
from ...stream.reference import Key, checked_key, fresh_key
from ..chance import SameKeys, draws
from ..cpu import laws as host_laws
from ..cpu.fill import fill as fill_words
from ..cpu.fill import fold_name
from . import native

Array = NDArray[Any]

same_keys = SameKeys()
_MOST_PLANS = 4096
#: The names of the types of arrays, which NumPy takes longer to say.
_NAMES = {np.dtype(name): name for name in DTYPES if name != "bfloat16"}


class _Plan(NamedTuple):
    """What is known of a law on an array before it is drawn."""

    law: Distribution
    place: Placement
    random: bool  # whether it needs random numbers


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

    def __init__(self) -> None:
        # By the identity of a scheme, which is held: to hash it takes longer than a small draw.
        self._plans: dict[Any, tuple[Scheme, _Plan]] = {}

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
        return fold_name(key, name)

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
        fill_words(out, "uint32", place.blocks, checked_key(key), None)
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
        check_held(distribution, kind)
        drawn = host_laws.draw(distribution, place, key=checked_key(key), dtype=kind)
        return typed(drawn, kind)

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
        check_held(distribution, kind)
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
        Tensors of one seed without a name are fully correlated: give each parameter its own.

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
        plan = self._plan(scheme, shape, layout, window)
        law, place = plan.law, plan.place
        if out is None:
            kind = dtype_name("float32" if dtype is None else dtype)
        else:
            kind = _checked_out(out, place.extent, dtype)
        check_held(law, kind)
        source = seed if rng is None else rng
        random = plan.random
        if not random and (source is None or rng is not None):
            source = 0  # which asks no generator
        unnamed = random and name is None and window is None and isinstance(seed, int | np.integer)
        if stream == "native":
            drawn = self.native(law, place.shape, source=source, layout=layout, dtype=kind)
            drawn = drawn[place.window]
            memory = out.ctypes.data if unnamed and out is not None else None
            if out is None:
                out = drawn
            else:
                out[...] = drawn
            if unnamed:
                same_keys.note(seed, out, out.shape, memory=memory)
            return out
        key = self.key(source, name)
        memory = out.ctypes.data if unnamed and out is not None else None
        if out is None:
            out = typed(host_laws.draw(law, place, key=key, dtype=kind), kind)
        else:
            bits = np.asarray(out)
            if kind == "bfloat16" or not out.dtype.isnative:
                bits = bits.view(storage(kind))  # in the order of bytes of this machine
            host_laws.fill(bits, law, place, key=key, dtype=kind)
            if not out.dtype.isnative:
                host_laws.in_parts(bits, lambda part: part.byteswap(inplace=True))
        if unnamed:
            same_keys.note(seed, out, out.shape, memory=memory)
        return out

    def _plan(
        self,
        scheme: Scheme,
        shape: Shape | list[int],
        layout: Layout | str | None,
        window: Sequence[slice] | None,
    ) -> _Plan:
        """What is known of a draw before it begins, from a cache where it is of a whole tensor."""
        sizes = checked_shape(shape)
        plain = window is None and (layout is None or isinstance(layout, (str, Layout)))
        asked = id(scheme), sizes, layout
        held = self._plans.get(asked) if plain else None
        if held is None:
            place = Placement.of(sizes, layout, window)
            law = law_on(scheme, place.shape, place.layout, self.out_first)
            held = scheme, _Plan(law, place, draws(law, place.shape))
            if plain:
                if len(self._plans) >= _MOST_PLANS:
                    self._plans.clear()
                self._plans[asked] = held
        return held[1]


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


def _checked_out(out: Any, shape: Shape, dtype: Any) -> str:
    """The name of the dtype in which ``out`` is filled, by default its own.

    Raises :class:`SpecError` where it cannot be filled with a tensor of that shape and dtype.
    """
    if not isinstance(out, np.ndarray):
        raise SpecError(
            f"out is {type(out).__name__!r}, and a NumPy array is expected: pass "
            f"np.empty({shape}, np.float32), or leave it out."
        )
    stored = _NAMES.get(out.dtype) or out.dtype.name
    default = stored if stored in DTYPES else "float32"
    kind = default if dtype is None else dtype_name(dtype)
    if out.shape != shape:
        raise SpecError(f"out has the shape {out.shape}, and {shape} was asked for.")
    if out.dtype.kind == "c":
        raise SpecError(
            f"out is of {out.dtype}, and the laws are of real numbers: fill out.real and out.imag "
            "by two names, each with half the variance."
        )
    if stored != kind:
        asked = f"{kind} is drawn by default" if dtype is None else f"dtype={kind!r} was asked for"
        bits = "; give the bits of bfloat16 as out.view(ml_dtypes.bfloat16)"
        raise SpecError(f"out is of {out.dtype}, and {asked}{bits * (out.dtype == np.uint16)}.")
    if not out.flags.writeable:
        raise SpecError("out is read-only; pass an array that can be written.")
    if isinstance(out, np.ma.MaskedArray) and np.ma.is_masked(out):
        raise SpecError("out hides elements under its mask; pass out.data, which has none.")
    if not out.flags.forc and _overlaps(out):
        raise SpecError(
            f"out has elements that share memory (its strides are {out.strides}); pass a copy, "
            "out.copy()."
        )
    return kind


def _overlaps(out: Array) -> bool:
    """Whether two elements lie in the same bytes, as in a view with a stride of zero."""
    axes = [(abs(step), size) for size, step in zip(out.shape, out.strides, strict=True)]
    reach, nested = out.itemsize, True
    for step, size in sorted(axes):
        if size > 1:
            nested, reach = nested and step >= reach, reach + (size - 1) * step
    if nested or not out.size:
        return False
    at = np.zeros(1, np.int64)
    for step, size in axes:
        at = np.add.outer(at, np.arange(size) * step).ravel()
    return bool(np.diff(np.sort(at)).min() < out.itemsize)
