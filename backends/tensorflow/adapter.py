"""TensorFlow: an initializer ``(shape, dtype=None)``, eager, in ``tf.function`` and under XLA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from ... import stream as _stream
from ...errors import InitSpecError, LayoutError, SpecError, StreamError
from ...protocol import check_stream
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.integer_form import normal
from ...spec.layout import Layout, checked_shape
from ...spec.scheme import Scheme
from ...spec.serial import from_dict, to_dict
from ...spec.tensor_laws import Law, Orthogonal, alone
from ...stream import dtypes
from ...stream.canonical_order import Window, blocks, checked, extent, whole
from ..cpu import laws as host_laws
from ..cpu.fill import fill as fill_words
from . import kernel, laws

Tensor = Any
Key = tuple[Any, Any]
Method = TypeVar("Method", bound=Callable[..., Any])


def as_it_is(method: Method) -> Method:
    """A method that AutoGraph neither rewrites nor hides the errors of."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except InitSpecError as error:
            setattr(error, "ag_pass_through", True)  # noqa: B010
            raise

    found: Method = tf.autograph.experimental.do_not_convert(call)
    return found


class TensorFlowBackend:
    """The TensorFlow backend: see :class:`initspec.Backend`."""

    name = "tensorflow"
    out_first = False

    @as_it_is
    def key(self, source: Any = None, name: str | None = None) -> Key:
        """From a seed, an integer tensor of one seed or of a key's two words, a
        ``tf.random.Generator`` (one 64-bit draw), or ``None``: then from TensorFlow's own random
        numbers, which ``tf.random.set_seed`` governs.

        The words are integers where they are known, and tensors in a function that is traced: one
        with ``None`` gives other values at every run. (XLA does not look at ``set_seed``.)
        """
        if source is None:
            words = tf.random.uniform((2,), tf.int32.min, tf.int32.max, tf.int32)
            key = _words(words)
        elif isinstance(source, tf.random.Generator):
            key = _words(source.uniform_full_int((), tf.uint64))
        elif _is_tensor(source):
            key = _words(source)
        else:
            key = _stream.key_from_seed(source)
        return _stream.fold_name(key, name) if _known(key) else kernel.fold_name(key, name)

    @as_it_is
    def words(
        self,
        key: Any,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        shape, axes, part, key = _arguments(shape, layout, window, key)
        if not _eager(key):
            return kernel.sample(None, "", _tensors(key), shape, axes, part)
        out = host_laws.aligned(extent(part), "uint32")
        fill_words(out, "uint32", blocks(shape, axes, part), key, None)
        return _handed(out, "uint32")

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
        shape, axes, part, key = _arguments(shape, layout, window, key)
        name = dtypes.dtype_name(dtype)
        if _eager(key):
            return _array(distribution, shape, axes, name, None if window is None else part, key)
        pair = _tensors(key)
        if distribution.elementwise:
            return kernel.sample(distribution.draw, name, pair, shape, axes, part)

        def normals(size: Shape) -> Tensor:
            return _flat(pair, size, "float64")

        def words(size: Shape) -> Tensor:
            return _flat(kernel.fold_in(pair, 1), size, "")

        return _structured(distribution, shape, axes, name, part, normals, words, key)

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
        shape, axes, part, key = _arguments(shape, layout, None, self.key(source))
        name = dtypes.dtype_name(dtype)
        high, low = _tensors(key)
        seed = tf.bitcast(tf.stack([low, high]), tf.int32)
        if isinstance(distribution, (Normal, Uniform, TruncatedNormal)):
            return _drawn(distribution, shape, seed, tf.as_dtype(name))
        if isinstance(distribution, Orthogonal) and alone(distribution, shape, axes):
            axis = alone(distribution, shape, axes)[-1]
            return tf.cast(laws.orthogonal(distribution, shape, axis, seed, _wide(name)), name)

        def normals(size: Shape) -> Tensor:
            return tf.random.stateless_normal(size, seed, dtype=tf.float64, alg="philox")

        def words(size: Shape) -> Tensor:
            return tf.random.stateless_uniform(
                size, tf.bitwise.invert(seed), None, None, tf.uint32, alg="philox"
            )

        return _structured(distribution, shape, axes, name, part, normals, words, key)

    def tohost(self, array: Any) -> NDArray[Any]:
        return np.asarray(tf.convert_to_tensor(array).numpy())  # asarray fails on 0-d bfloat16

    def initializer(self, scheme: Scheme, **options: Any) -> TensorFlowInitializer:
        """The initializer of a scheme: see :class:`TensorFlowInitializer` for the options."""
        return TensorFlowInitializer(scheme, **options)


@dataclass(frozen=True, slots=True)
class TensorFlowInitializer:
    """A scheme as TensorFlow's callable: ``init(shape, dtype=None)``.

    ``seed`` is an integer (every call gives the same values), a ``tf.random.Generator`` (one draw
    for each call), an integer tensor, or ``None``: a new key for every call, governed by
    ``tf.random.set_seed``. ``name`` is the parameter's, folded into the key. ``layout`` names the
    axes, by default ``(..., in, out)``. ``dtype`` is taken where the call names none; without
    either it is float32. ``stream`` is ``"portable"`` or ``"native"``: what
    ``tf.random_normal_initializer`` and its like draw of the same seed, bit for bit.

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
        if not (self.seed is None or _is_source(self.seed)):
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
        backend = TensorFlowBackend()
        key = backend.key(self.seed, self.name)
        if self.stream == "native":
            source = tf.stack(_tensors(key))
            found = backend.native(law, sizes, source=source, layout=self.layout, dtype=wanted)
            return found if part is None else found[part]
        return backend.sample(law, sizes, key=key, layout=self.layout, dtype=wanted, window=part)

    def get_config(self) -> dict[str, Any]:
        """The options as plain data; raises :class:`SpecError` for a seed that is none."""
        if _is_source(self.seed):
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
        """The initializer that :meth:`get_config` described."""
        return cls(**{**config, "scheme": from_dict(config["scheme"])})


def _is_source(seed: Any) -> bool:
    return _is_tensor(seed) or isinstance(seed, tf.random.Generator)


def _is_tensor(value: Any) -> bool:
    """What TensorFlow says, who takes long to say it of Python's own values."""
    return not isinstance(value, (int, tuple)) and bool(tf.is_tensor(value))


def _shape(shape: Any) -> Shape:
    if not _is_tensor(shape):
        return checked_shape(shape)
    known = tf.get_static_value(shape)
    if known is None:
        raise LayoutError(
            f"the shape {shape} is not known while the function is traced: pass a tuple."
        )
    return checked_shape(np.ravel(known).tolist())


def _partition(shape: Shape, size: Any, offset: Any) -> Window | None:
    if (size is None) != (offset is None):
        raise SpecError("partition_shape and partition_offset belong together: give both.")
    if size is None:
        return None
    bounds = zip(_shape(offset), _shape(size), strict=True)
    return checked(tuple(slice(start, start + count) for start, count in bounds), shape)


def _arguments(
    shape: Any, layout: Layout | str | None, window: Sequence[slice] | None, key: Any
) -> tuple[Shape, Layout, Window, Key]:
    sizes = checked_shape(shape)
    axes = Layout.of(layout, len(sizes))
    axes.roles(sizes)
    pair = _words(key) if _is_tensor(key) else key
    if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
        raise StreamError(f"a key is two words of 32 bits, as key() gives them, not {key!r}.")
    high, low = pair
    return sizes, axes, checked(window, sizes), (_word(high), _word(low))


def _words(source: Tensor) -> Key:
    """The words of an integer tensor: of one seed, or of a key's two."""
    if not source.dtype.is_integer or source.shape not in ((), (2,)):
        raise StreamError(
            "a seed is one integer, or the two words of a key, not a tensor of shape "
            f"{source.shape} and {source.dtype.name}."
        )
    source = tf.convert_to_tensor(source)
    if source.shape.rank == 0:
        high, low = kernel.halves(source)
    else:
        high, low = tf.unstack(kernel.halves(source)[1])
    return _word(high), _word(low)


def _word(word: Any) -> Any:
    """An integer where the word is known, else a tensor of uint32."""
    if not _is_tensor(word):
        return int(word)
    known = tf.get_static_value(word)
    return tf.cast(word, tf.uint32) if known is None else int(known) & 0xFFFFFFFF


def _known(key: Key) -> bool:
    return isinstance(key[0], int) and isinstance(key[1], int)


def _eager(key: Key) -> bool:
    """Whether the tensor is wanted now."""
    return bool(tf.executing_eagerly()) and _known(key)


def _tensors(key: Key) -> Key:
    high, low = (tf.constant(w, tf.uint32) if isinstance(w, int) else w for w in key)
    return high, low


def _handed(array: NDArray[Any], dtype: str) -> Tensor:
    """An aligned array as a tensor, without a copy."""
    found = tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.bitcast(found, tf.bfloat16) if dtype == "bfloat16" else found


def _array(
    law: Distribution, shape: Shape, layout: Layout, dtype: str, window: Window | None, key: Key
) -> Tensor:
    out = host_laws.aligned(shape if window is None else extent(window), dtype)
    host_laws.fill(out, law, shape, key=key, layout=layout, dtype=dtype, window=window)
    return _handed(out, dtype)


def _flat(key: Key, size: Shape, dtype: str) -> Tensor:
    """The standard normal numbers of a key in canonical order, or its words."""
    draw = normal(0.0, 1.0) if dtype else None
    return kernel.sample(draw, dtype, key, size, Layout("x" * len(size)), whole(size))


def _structured(
    law: Distribution,
    shape: Shape,
    layout: Layout,
    dtype: str,
    part: Window,
    normals: laws.Draws,
    words: laws.Draws,
    key: Key,
) -> Tensor:
    """A law whose elements are tied together, inside a program or from the native sampler."""
    if law.kind == "constant":
        return laws.rounded(tf.fill(extent(part), tf.constant(law.mean, tf.float64)), dtype)
    if not laws.needs_key(law) or (isinstance(law, Law) and _known(key)):
        out = np.empty(extent(part), dtypes.storage(dtype))
        pair = key if _known(key) else (0, 0)
        host_laws.fill(out, law, shape, key=pair, layout=layout, dtype=dtype, window=part)
        found = tf.constant(out)
        return tf.bitcast(found, tf.bfloat16) if dtype == "bfloat16" else found
    if isinstance(law, Law):
        found = kernel.sample(None, "", _tensors(key), shape, layout, part)
        return laws.rounded(laws.quantile(law, found), dtype)
    numbers = laws.canonical(law, normals, words, dtype)
    return laws.rounded(laws.placed(numbers, shape, layout, part), dtype)


def _wide(dtype: str) -> Any:
    return tf.float64 if dtype == "float64" else tf.float32


def _drawn(
    law: Normal | Uniform | TruncatedNormal, shape: Shape, seed: Tensor, kind: Any
) -> Tensor:
    random = tf.random
    if isinstance(law, Uniform):
        return random.stateless_uniform(shape, seed, law.low, law.high, kind, alg="philox")
    if isinstance(law, Normal):
        return random.stateless_normal(shape, seed, law.mu, law.sigma, kind, alg="philox")
    if (law.low, law.high) == (-2.0, 2.0):
        return random.stateless_truncated_normal(shape, seed, law.mu, law.sigma, kind, alg="philox")
    wide = _wide(kind.name)  # there is no narrow one
    numbers = (law.mu, law.sigma, *law.support)
    mean, std, low, high = (tf.constant(n, wide) for n in numbers)
    cut = random.stateless_parameterized_truncated_normal(shape, seed, mean, std, low, high)
    return tf.cast(cut, kind)
