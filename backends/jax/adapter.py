"""JAX: an initializer ``(key, shape, dtype=None, out_sharding=None)``, as its layers call one.

Flax (linen and nnx) and Equinox take it as it is, Haiku through :class:`HaikuInitializer`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ... import stream as _stream
from ...errors import BackendMissing, LayoutError, SpecError, StreamError
from ...protocol import check_stream
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_shape
from ...spec.number_types import check_held
from ...spec.scheme import Scheme
from ...stream import dtypes
from ...stream.placement import Placement
from ...stream.reference import fresh_key
from ..chance import SameKeys, draws
from ..cpu.fill import fold_name
from . import kernel, laws, native
from . import tree as tree_of
from .kernel import Pair
from .keys import key_pair, known, named, pair_of, typed_key
from .sharding import placed, put, sharding_of, untraced

same_keys = SameKeys()


class JaxBackend:
    """The JAX backend: see :class:`initspec.Backend`.

    >>> from initspec import backend, get
    >>> law = get("he_normal").on((256, 512))
    >>> ours = backend("jax")
    >>> ours.sample(law, (256, 512), key=ours.key(0)).shape
    (256, 512)
    """

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
        return fold_name(pair, name) if known(pair) else kernel.fold_name(pair, name)

    def words(
        self,
        key: Pair,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Any:
        """The words as an array of uint32, of the window's shape."""
        place = Placement.of(_sizes(shape), layout, window)
        return kernel.words(pair_of(key), place.shape, place.layout, place.window)

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
        """A new array from the portable stream, of the window's shape.

        ``out_sharding`` is a ``NamedSharding``, or a ``PartitionSpec`` of the mesh that is set.

        Raises :class:`SpecError` for a float64 that JAX would not give, :class:`StreamError` for
        what is no key, and for numbers that XLA would flush to zero.
        """
        place = Placement.of(_sizes(shape), layout, window)
        kind, key = _dtype(dtype), pair_of(key)
        check_held(distribution, kind)
        sharding = sharding_of(out_sharding)
        if not distribution.elementwise:
            return placed(laws.structured(distribution, place, kind), key, sharding)
        if sharding is None and laws.on_host(key, math.prod(place.extent)):
            return put(laws.host_array(distribution, place, kind, key))
        window_of = place.shape, place.layout, place.window
        if sharding is not None and untraced():
            return kernel.values(key, distribution.draw, kind, *window_of, sharding)
        return placed(
            lambda *pair: kernel.values(pair, distribution.draw, kind, *window_of), key, sharding
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
        place = Placement.of(_sizes(shape), layout)
        kind = _dtype(dtype)
        check_held(distribution, kind)
        sharding = sharding_of(out_sharding)
        key = typed_key(source)
        if distribution.kind in native.KINDS:
            return placed(lambda key: native.draw(key, distribution, place, kind), (key,), sharding)
        words = jax.random.bits(key, (2,), np.uint32)
        make = laws.structured(distribution, place, kind)
        return placed(make, (words[0], words[1]), sharding)

    def tohost(self, array: Any) -> Any:
        """The array as NumPy's, gathered from all its devices."""
        return np.asarray(array)

    def leaves(self, tree: Any) -> list[tree_of.Leaf]:
        """The leaves of a tree of parameters that hold numbers, by path.

        >>> from initspec import backend
        >>> [leaf.path for leaf in backend("jax").leaves({"params": {"w": jnp.ones((2, 3))}})]
        ['params.w']
        """
        return tree_of.leaves(tree)

    def tree(self, tree: Any, key: Any, drawn: Callable[[str], Sequence[tree_of.Drawn]]) -> Any:
        """A tree with new arrays, as plans make it: see :func:`initspec.backends.jax.tree.init`.

        >>> from initspec import Layout, backend, get
        >>> drawn = get("ones").on((2, 3)), Layout("io"), "w", None
        >>> backend("jax").tree({"w": jnp.zeros((1, 2))}, 0, lambda path: [drawn])["w"].shape
        (1, 2)
        """
        return tree_of.init(self, tree, key, drawn)

    def initializer(self, scheme: Scheme, **options: Any) -> JaxInitializer:
        """The initializer of a scheme: see :class:`JaxInitializer` for the options."""
        return JaxInitializer(scheme, **options)

    def haiku(self, scheme: Scheme, **options: Any) -> HaikuInitializer:
        """The initializer ``(shape, dtype)`` that Haiku's modules take as ``w_init=``.

        >>> from initspec import backend, get
        >>> callable(backend("jax").haiku(get("he_normal")))
        True
        """
        return HaikuInitializer(self.initializer(scheme, **options))


@dataclass(frozen=True, slots=True, weakref_slot=True)
class JaxInitializer:
    """A scheme as JAX's own callable: ``init(key, shape, dtype=None, out_sharding=None)``.

    ``layout`` names the axes, by default ``(..., in, out)``. ``name`` is the parameter's, folded
    into the key. With ``seed`` the values are those of that seed in every framework, and the key
    of the call is not looked at: it may be ``None``. ``dtype`` is taken where the call names none;
    without either it is JAX's default. ``stream`` is ``"portable"`` or ``"native"``: what
    ``jax.nn.initializers`` draw of the same key, bit for bit.
    Tensors of one seed without a name are fully correlated: give each parameter its own.

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

        Raises :class:`StreamError` for bounds that are traced, or outside of the shape.

        >>> import jax
        >>> from initspec import get
        >>> he = get("he_normal").jax
        >>> key = jax.random.key(0)
        >>> part = he.window(key, (256, 512), (slice(8, 16), slice(None)))
        >>> bool((part == he(key, (256, 512))[8:16]).all())
        True
        """
        parts = [part for part in window if isinstance(part, slice)] if _listed(window) else []
        bounds = [bound for part in parts for bound in (part.start, part.stop)]
        if any(isinstance(bound, jax.core.Tracer) for bound in bounds):
            raise StreamError(
                "the bounds of this window are traced, and a program is made for one window: give "
                "integers, which jax.jit takes by static_argnums."
            )
        return self._draw(key, shape, dtype, window, None)

    def _draw(
        self,
        key: Any,
        shape: Shape | Sequence[int],
        dtype: Any,
        window: Sequence[slice] | None,
        out_sharding: Any,
    ) -> Any:
        sizes = _sizes(shape)
        law = self.scheme.on(sizes, self.layout)
        options: dict[str, Any] = {
            "layout": self.layout,
            "dtype": _dtype(self.dtype if dtype is None else dtype),
            "out_sharding": out_sharding,
        }
        random = draws(law, sizes)
        seed = self.seed if random else 0
        source = key if seed is None else seed
        if source is None:
            raise StreamError(
                "an initializer of JAX needs a key: pass one, such as jax.random.key(0), or make "
                "the initializer with seed=."
            )
        backend = JaxBackend()
        if self.stream == "portable":
            pair = backend.key(source, self.name)
            array = backend.sample(law, sizes, key=pair, window=window, **options)
            if random and window is None:
                self._note(array, pair)
            return array
        array = backend.native(law, sizes, source=named(typed_key(source), self.name), **options)
        if window is None:
            if random:
                self._note(array)
            return array
        return array[Placement.of(sizes, self.layout, window).window]

    def _note(self, array: Any, key: Any = None) -> None:
        """Of an array that is drawn now, from a seed or from a key whose words are known."""
        if self.name is not None or not untraced():
            return
        if self.seed is not None:
            same_keys.note(self.seed, array, array.shape, maker=self)
        elif key is not None and known(key):
            same_keys.note(key, array, array.shape, told="the key {!r}")


@dataclass(frozen=True, slots=True, weakref_slot=True)
class HaikuInitializer:
    """A scheme as Haiku's callable ``(shape, dtype)``, with the key of ``hk.next_rng_key()``.

    Raises :class:`BackendMissing` where Haiku is not installed.

    A module takes it as ``hk.Linear(64, w_init=get("he_normal").haiku)``.

    >>> import haiku as hk, jax
    >>> from initspec import get
    >>> net = hk.transform(lambda x: hk.Linear(8, w_init=get("he_normal").haiku)(x))
    >>> net.init(jax.random.key(0), jax.numpy.ones((1, 4)))["linear"]["w"].shape
    (4, 8)
    """

    initializer: JaxInitializer

    def __post_init__(self) -> None:
        _haiku()

    def __call__(self, shape: Shape | Sequence[int], dtype: Any = None) -> Any:
        init = self.initializer
        sizes = _sizes(shape)
        drawn = init.seed is None and draws(init.scheme.on(sizes, init.layout), sizes)
        return init(_haiku().next_rng_key() if drawn else None, sizes, dtype)


def _haiku() -> Any:
    try:
        import haiku
    except ModuleNotFoundError as error:
        if error.name != "haiku":
            raise
        raise BackendMissing("haiku", "dm-haiku", "pip install dm-haiku") from error
    return haiku


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
    return dtypes.dtype_name(dtype)


def _sizes(shape: Shape | Sequence[int]) -> Shape:
    """The shape as plain integers; raises :class:`LayoutError` for sizes that are traced."""
    parts = shape if _listed(shape) else (shape,)
    if any(isinstance(size, jax.core.Tracer) for size in parts):
        raise LayoutError(
            "the sizes of this shape are traced, and a program is made for one shape: say so by "
            "jax.jit(init, static_argnums=1), or leave it out of the arguments, as in "
            "jax.eval_shape(lambda key: init(key, (256, 512)), key)."
        )
    return checked_shape(shape)


def _listed(value: Any) -> bool:
    return isinstance(value, (tuple, list))
