"""TensorFlow: an initializer ``(shape, dtype=None)``, eager, in ``tf.function`` and under XLA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ... import stream as _stream
from ...errors import LayoutError, SpecError
from ...protocol import check_stream
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_shape
from ...spec.number_types import check_held
from ...spec.scheme import Scheme
from ...spec.serial import from_dict, to_dict
from ...stream import dtypes
from ...stream.canonical_order import Window, checked
from ...stream.placement import Placement
from ..chance import SameKeys, draws
from ..cpu import laws as host_laws
from ..cpu.fill import fill as fill_words
from ..cpu.fill import fold_name
from . import kernel, laws, native
from .autograph import as_it_is
from .keys import Key, eager, is_source, is_tensor, known, pair_of, tensors, words_of

Tensor = Any

same_keys = SameKeys()


class TensorFlowBackend:
    """The TensorFlow backend: see :class:`initspec.Backend`.

    >>> from initspec import backend, get
    >>> law = get("he_normal").on((256, 512))
    >>> ours = backend("tensorflow")
    >>> ours.sample(law, (256, 512), key=ours.key(0)).shape
    TensorShape([256, 512])
    """

    name = "tensorflow"
    out_first = False

    @as_it_is
    def key(self, source: Any = None, name: str | None = None) -> Key:
        """From a seed, an integer tensor of one seed or of a key's two words, a
        ``tf.random.Generator`` (one 64-bit draw), or ``None``: then from TensorFlow's own random
        numbers, which ``tf.random.set_seed`` governs.

        The words are integers where they are known, and tensors in a function that is traced: one
        with ``None`` gives other values at every run. (XLA does not look at ``set_seed``.)

        Raises :class:`StreamError` for what is no seed and no key.
        """
        if source is None:
            words = tf.random.uniform((2,), tf.int32.min, tf.int32.max, tf.int32)
            key = words_of(words)
        elif isinstance(source, tf.random.Generator):
            key = words_of(source.uniform_full_int((), tf.uint64))
        elif is_tensor(source):
            key = words_of(source)
        else:
            key = _stream.key_from_seed(source)
        return fold_name(key, name) if known(key) else kernel.fold_name(key, name)

    @as_it_is
    def words(
        self,
        key: Any,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        """The words as a tensor of uint32, of the window's shape."""
        place, pair = Placement.of(shape, layout, window), pair_of(key)
        if not eager(pair):
            return kernel.sample(None, "", tensors(pair), place)
        out = host_laws.aligned(place.extent, "uint32")
        fill_words(out, "uint32", place.blocks, pair, None)
        return laws.handed(out, "uint32")

    @as_it_is
    def sample(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        key: Any,
        layout: Layout | str | None = None,
        dtype: Any = "float32",
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        """A new tensor from the portable stream, of the window's shape; ``key`` may be traced.

        Raises :class:`StreamError` for what is no key, and in a traced function for a law whose
        code needs one.
        """
        place, pair = Placement.of(shape, layout, window), pair_of(key)
        draw = laws.host_array if eager(pair) else laws.portable
        kind = dtypes.dtype_name(dtype)
        check_held(distribution, kind)
        return draw(distribution, place, kind, pair)

    @as_it_is
    def native(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        source: Any = None,
        layout: Layout | str | None = None,
        dtype: Any = "float32",
    ) -> Tensor:
        """Drawn by ``tf.random.stateless_*`` with Philox, the same eager and under XLA up to the
        last bits of its logarithms.

        The two words of ``seed=`` are the key's, the low one first: below ``2**31`` the seed and
        zero, as TensorFlow's own initializers have them, whose bits these are, in every dtype.
        """
        place = Placement.of(shape, layout)
        kind = dtypes.dtype_name(dtype)
        check_held(distribution, kind)
        key = pair_of(self.key(source)) if draws(distribution, place.shape) else (0, 0)
        return native.draw(distribution, place, key, kind)

    def tohost(self, array: Any) -> NDArray[Any]:
        """The array as NumPy's; bfloat16 as ``ml_dtypes.bfloat16``."""
        return np.asarray(tf.convert_to_tensor(array).numpy())  # asarray fails on 0-d bfloat16

    def initializer(self, scheme: Scheme, **options: Any) -> TensorFlowInitializer:
        """The initializer of a scheme: see :class:`TensorFlowInitializer` for the options."""
        return TensorFlowInitializer(scheme, **options)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class TensorFlowInitializer:
    """A scheme as TensorFlow's callable: ``init(shape, dtype=None)``.

    ``seed`` is an integer (every call gives the same values), a ``tf.random.Generator`` (one draw
    for each call), an integer tensor, or ``None``: a new key for every call, governed by
    ``tf.random.set_seed``. ``name`` is the parameter's, folded into the key. ``layout`` names the
    axes, by default ``(..., in, out)``. ``dtype`` is taken where the call names none; without
    either it is float32. ``stream`` is ``"portable"`` or ``"native"``: what
    ``tf.random_normal_initializer`` and its like draw of the same seed, bit for bit.
    Tensors of one seed without a name are fully correlated: give each parameter its own.

    It works in ``tf.function``, under XLA and under ``tf.distribute``, compares, hashes and
    pickles.

    >>> import tensorflow as tf
    >>> from initspec import get
    >>> tf.Variable(get("he_normal").tensorflow(seed=0)((256, 128))).shape
    TensorShape([256, 128])
    """

    scheme: Scheme
    seed: Any = None
    name: str | None = None
    layout: Layout | str | None = None
    dtype: Any = None
    stream: str = "portable"

    def __post_init__(self) -> None:
        check_stream(self.stream)
        if isinstance(self.layout, str):
            object.__setattr__(self, "layout", Layout.parse(self.layout))
        if self.dtype is not None:
            object.__setattr__(self, "dtype", dtypes.dtype_name(self.dtype))
        if not (self.seed is None or is_source(self.seed)):
            high, low = _stream.key_from_seed(self.seed)
            object.__setattr__(self, "seed", high << 32 | low)

    @as_it_is
    def __call__(
        self,
        shape: Any,
        dtype: Any = None,
        *,
        partition_shape: Any = None,
        partition_offset: Any = None,
    ) -> Tensor:
        """The tensor; with ``partition_shape`` and ``partition_offset``, which TensorFlow gives
        the initializer of a sharded variable, the part of it, computed alone.

        Raises :class:`LayoutError` for a scheme of fans on a bias, and for a shape that is not
        known while a function is traced.
        """
        sizes = _shape(shape)
        law = self.scheme.on(sizes, self.layout)
        wanted = dtypes.dtype_name((self.dtype or "float32") if dtype is None else dtype)
        part = _partition(sizes, partition_shape, partition_offset)
        backend, random = TensorFlowBackend(), draws(law, sizes)
        key = backend.key(self.seed, self.name) if random else (0, 0)
        if self.stream == "native":
            source = tf.stack(tensors(key))
            tensor = backend.native(law, sizes, source=source, layout=self.layout, dtype=wanted)
            tensor = tensor if part is None else tensor[part]
        else:
            tensor = backend.sample(
                law, sizes, key=key, layout=self.layout, dtype=wanted, window=part
            )
        plain = self.name is None and part is None and isinstance(self.seed, int)
        if plain and random and tf.executing_eagerly():
            same_keys.note(self.seed, tensor, sizes, maker=self)
        return tensor

    def get_config(self) -> dict[str, Any]:
        """The options as plain data; raises :class:`SpecError` for a seed that is none.

        >>> from initspec import get
        >>> get("he_normal").tensorflow(seed=1).get_config()["seed"]
        1
        """
        if is_source(self.seed):
            raise SpecError(f"seed={self.seed!r} cannot be saved: give an integer, or none.")
        return {
            "scheme": to_dict(self.scheme),
            "seed": self.seed,
            "name": self.name,
            "layout": None if self.layout is None else str(self.layout),
            "dtype": self.dtype,
            "stream": self.stream,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TensorFlowInitializer:
        """The initializer that :meth:`get_config` described.

        >>> from initspec import get
        >>> init = get("he_normal").tensorflow(seed=1)
        >>> type(init).from_config(init.get_config()) == init
        True
        """
        return cls(**{**config, "scheme": from_dict(config["scheme"])})


def _shape(shape: Any) -> Shape:
    if not is_tensor(shape):
        return checked_shape(shape)
    sizes = tf.get_static_value(shape)
    if sizes is None:
        raise LayoutError(
            f"the shape {shape} is not known while the function is traced: pass a tuple."
        )
    return checked_shape(np.ravel(sizes).tolist())


def _partition(shape: Shape, size: Any, offset: Any) -> Window | None:
    if (size is None) != (offset is None):
        raise SpecError("partition_shape and partition_offset belong together: give both.")
    if size is None:
        return None
    bounds = zip(_shape(offset), _shape(size), strict=True)
    return checked(tuple(slice(start, start + count) for start, count in bounds), shape)
