"""JAX: an initializer ``(key, shape, dtype=None, out_sharding=None)``, as its layers call one.

Flax (linen and nnx) and Equinox take it as it is, Haiku through :class:`HaikuInitializer`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ... import stream as _stream
from ...errors import BackendMissing, SpecError, StreamError
from ...protocol import check_stream
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_shape
from ...spec.scheme import Scheme
from ...stream import dtypes
from ...stream.canonical_order import Window, checked, extent
from ...stream.reference import fresh_key
from ..cpu import fill as cpu_fill
from ..cpu import laws as host_laws
from . import kernel, native
from .kernel import Pair
from .keys import default_device, key_pair, known, named, typed_key
from .sharding import constrained, everywhere, mesh_of, placed, put, sharding_of, untraced

_LARGE = 2**22  # where XLA, its compilation included, is as fast as the kernel in NumPy
_FIXED = ("constant", "stencil", "array")  # laws that no key changes


class JaxBackend:
    """The JAX backend: see :class:`initspec.Backend`."""

    name = "jax"
    out_first = False

    def key(self, source: Any = None, name: str | None = None) -> Pair:
        """From a typed key, a legacy ``uint32[2]`` one, traced or not, a seed, or ``None``: then
        from the operating system.

        The two words are integers, or arrays where the key is traced or lives on another device
        than the default one.

        Raises :class:`StreamError` for a batch of keys, and for keys that have not 64 bits.
        """
        pair = fresh_key() if source is None else key_pair(source)
        return _stream.fold_name(pair, name) if known(pair) else kernel.fold_name(pair, name)

    def words(
        self,
        key: Pair,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Any:
        shape = checked_shape(shape)
        return kernel.words(key, shape, Layout.of(layout, len(shape)), window)

    def sample(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        key: Pair,
        layout: Layout | str | None = None,
        dtype: Any = "float32",
        window: Sequence[slice] | None = None,
        out_sharding: Any = None,
    ) -> Any:
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape))
        part = checked(window, shape)
        wanted = _dtype(dtype)
        sharding = sharding_of(out_sharding)
        if not distribution.elementwise:
            make = _structured(distribution, shape, axes, wanted, part)
            return placed(make, key, sharding)
        if sharding is None and _on_host(key, math.prod(extent(part))):
            return put(_array(distribution, shape, axes, wanted, part, key))
        draw = distribution.draw
        if sharding is not None and untraced():
            return kernel.values(key, draw, wanted, shape, axes, part, sharding)
        return placed(
            lambda *pair: kernel.values(pair, draw, wanted, shape, axes, part), key, sharding
        )

    def native(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        source: Any = None,
        layout: Layout | str | None = None,
        dtype: Any = "float32",
        out_sharding: Any = None,
    ) -> Any:
        """Drawn by ``jax.nn.initializers``, bit for bit, with a key of any implementation; a seed
        makes a Threefry key, that of ``jax.random.key(seed)``.
        """
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape))
        wanted = _dtype(dtype)
        sharding = sharding_of(out_sharding)
        key = typed_key(source)
        if distribution.kind in native.KINDS:
            return placed(
                lambda key: native.draw(key, distribution, shape, axes, wanted), (key,), sharding
            )
        words = jax.random.bits(key, (2,), np.uint32)
        make = _structured(distribution, shape, axes, wanted, checked(None, shape))
        return placed(make, (words[0], words[1]), sharding)

    def tohost(self, array: Any) -> Any:
        return np.asarray(array)

    def initializer(self, scheme: Scheme, **options: Any) -> JaxInitializer:
        """The initializer of a scheme: see :class:`JaxInitializer` for the options."""
        return JaxInitializer(scheme, **options)

    def haiku(self, scheme: Scheme, **options: Any) -> HaikuInitializer:
        """The initializer ``(shape, dtype)`` that Haiku's modules take as ``w_init=``."""
        return HaikuInitializer(self.initializer(scheme, **options))


@dataclass(frozen=True, slots=True, weakref_slot=True)
class JaxInitializer:
    """A scheme as JAX's own callable: ``init(key, shape, dtype=None, out_sharding=None)``.

    ``layout`` names the axes, by default ``(..., in, out)``. ``name`` is the parameter's, folded
    into the key. With ``seed`` the values are those of that seed in every framework, and the key
    of the call is not looked at: it may be ``None``. ``dtype`` is taken where the call names none;
    without either it is JAX's default. ``stream`` is ``"portable"`` or ``"native"``: what
    ``jax.nn.initializers`` draw of the same key, bit for bit.

    It works under ``jit``, ``vmap`` over keys, ``eval_shape`` and ``jit(out_shardings=...)``,
    compares, hashes and pickles: two that are equal are one static argument.

    >>> import jax
    >>> from initspec import get
    >>> he = get("he_normal").jax
    >>> he(jax.random.key(0), (256, 512)).shape
    (256, 512)
    >>> he == get("he_normal").jax
    True
    """

    scheme: Scheme
    seed: int | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    layout: Layout | str | None = field(default=None, kw_only=True)
    dtype: Any = field(default=None, kw_only=True)
    stream: str = field(default="portable", kw_only=True)

    def __post_init__(self) -> None:
        check_stream(self.stream)
        if isinstance(self.layout, str):
            object.__setattr__(self, "layout", Layout.parse(self.layout))
        if self.dtype is not None:
            object.__setattr__(self, "dtype", _dtype_name(self.dtype))
        if self.seed is not None:
            high, low = _stream.key_from_seed(self.seed)
            object.__setattr__(self, "seed", high << 32 | low)

    def __call__(
        self, key: Any, shape: Shape | Sequence[int], dtype: Any = None, out_sharding: Any = None
    ) -> Any:
        """The array. ``out_sharding`` is a ``NamedSharding``, or a ``PartitionSpec`` of the mesh
        that is set; each device computes its shard alone.

        Raises :class:`LayoutError` for a scheme of fans on a bias, :class:`StreamError` for what
        is no key, :class:`SpecError` for a float64 that JAX would not give.
        """
        return self._draw(key, shape, dtype, None, out_sharding)

    def window(
        self, key: Any, shape: Shape | Sequence[int], window: Sequence[slice], dtype: Any = None
    ) -> Any:
        """A part of the tensor of the whole ``shape``, computed alone: one slice for each axis.

        It is what ``jax.make_array_from_callback`` asks for:
        ``make_array_from_callback(shape, sharding, lambda part: init.window(key, shape, part))``.

        >>> import jax
        >>> from initspec import get
        >>> he = get("he_normal").jax
        >>> key = jax.random.key(0)
        >>> part = he.window(key, (256, 512), (slice(8, 16), slice(None)))
        >>> bool((part == he(key, (256, 512))[8:16]).all())
        True
        """
        return self._draw(key, shape, dtype, window, None)

    def _draw(
        self,
        key: Any,
        shape: Shape | Sequence[int],
        dtype: Any,
        window: Sequence[slice] | None,
        out_sharding: Any,
    ) -> Any:
        sizes = checked_shape(shape)
        law = self.scheme.on(sizes, self.layout)
        options: dict[str, Any] = {
            "layout": self.layout,
            "dtype": _dtype(self.dtype if dtype is None else dtype),
            "out_sharding": out_sharding,
        }
        source = 0 if law.kind in _FIXED else key if self.seed is None else self.seed
        if source is None:
            raise StreamError(
                "an initializer of JAX needs a key: pass one, such as jax.random.key(0), or make "
                "the initializer with seed=."
            )
        backend = JaxBackend()
        if self.stream == "portable":
            pair = backend.key(source, self.name)
            return backend.sample(law, sizes, key=pair, window=window, **options)
        found = backend.native(law, sizes, source=named(typed_key(source), self.name), **options)
        return found if window is None else found[checked(window, sizes)]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class HaikuInitializer:
    """A scheme as Haiku's callable ``(shape, dtype)``, with the key of ``hk.next_rng_key()``.

    Raises :class:`BackendMissing` where Haiku is not installed.
    """

    initializer: JaxInitializer

    def __post_init__(self) -> None:
        _haiku()

    def __call__(self, shape: Shape | Sequence[int], dtype: Any = None) -> Any:
        init = self.initializer
        fixed = init.seed is not None or init.scheme.distribution in ("constant", "array")
        return init(None if fixed else _haiku().next_rng_key(), shape, dtype)


def _haiku() -> Any:
    try:
        import haiku
    except ModuleNotFoundError as error:
        if error.name != "haiku":
            raise
        raise BackendMissing("haiku", "dm-haiku", "pip install dm-haiku") from error
    return haiku


def _on_host(key: Pair, size: int) -> bool:
    """Whether the host's kernel serves: it knows the key, the array is wanted now and in the
    memory of the host, and no compiled program would overtake it.
    """
    here = known(key) and untraced() and default_device().platform == "cpu"
    return here and (size < _LARGE or _compiled())


@cache
def _compiled() -> bool:
    return not cpu_fill._kernel().__module__.endswith("kernel_numpy")


def _structured(law: Distribution, shape: Shape, layout: Layout, dtype: str, part: Window) -> Any:
    """A function of a key's words that gives a law whose elements are tied together.

    The host makes it, also inside a program: a matrix is orthogonalised by one library alone.
    """
    size, kind = extent(part), jnp.dtype(dtype)

    def make(high: Any, low: Any) -> Any:
        if law.kind == "constant":
            return jnp.full(size, dtypes.rounded(np.array(law.mean), dtype).view(kind), kind)
        if known((high, low)) and untraced():
            return put(_array(law, shape, layout, dtype, part, (high, low)))
        found = jax.pure_callback(
            lambda *key: _array(law, shape, layout, dtype, part, (int(key[0]), int(key[1]))),
            jax.ShapeDtypeStruct(size, kind),  # type: ignore[no-untyped-call]
            jnp.asarray(high, np.uint32),
            jnp.asarray(low, np.uint32),
            vmap_method="sequential",
        )
        # What a callback gives is on one device, which a program under a mesh cannot return.
        mesh = mesh_of()
        return found if mesh is None else constrained(found, everywhere(mesh))

    return make


def _array(
    law: Distribution, shape: Shape, layout: Layout, dtype: str, part: Window, key: Pair
) -> Any:
    """A host array that JAX takes over without a copy."""
    out = host_laws.aligned(extent(part), dtype)
    host_laws.fill(out, law, shape, key=key, layout=layout, dtype=dtype, window=part)
    return out.view(jnp.dtype(dtype))


def _dtype(dtype: Any) -> str:
    """The name of a dtype, JAX's default one for ``None``; refuses what JAX would not give."""
    default = str(jnp.result_type(float))
    name = default if dtype is None else _dtype_name(dtype)
    if name == "float64" and default != "float64":
        raise SpecError(
            "float64 was asked for, and JAX would give float32: enable it with "
            'jax.config.update("jax_enable_x64", True).'
        )
    return name


def _dtype_name(dtype: Any) -> str:
    if dtype is float:
        return str(jnp.result_type(float))
    if jnp.issubdtype(dtype, np.complexfloating):
        raise SpecError(
            f"{jnp.dtype(dtype)} was asked for, and the laws are of real numbers: draw the real "
            "and the imaginary part by two names, each with half the variance."
        )
    return dtypes.dtype_name(dtype)
