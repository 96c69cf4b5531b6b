"""Keras 3: an initializer for its layers, the same values on each of Keras' own backends."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

from ... import stream as _stream
from ...errors import LayoutError, SpecError
from ...plugins import backend
from ...protocol import check_stream
from ...readings.registry import get, schemes
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_shape
from ...spec.scheme import Scheme
from ...spec.serial import to_dict
from ...spec.tensor_laws import Law, Orthogonal, Stencil, alone
from ...stream import dtypes
from ..cpu import laws as host_laws
from ..numpy.adapter import NumpyBackend
from .seeds import seed_of, small_seed, state_key, traced

Method = TypeVar("Method", bound=Callable[..., Any])

if keras.backend.backend() == "tensorflow":
    from ..tensorflow.adapter import as_it_is
else:

    def as_it_is(method: Method) -> Method:
        """The method: only TensorFlow's AutoGraph rewrites code."""
        return method


Tensor = Any

PACKAGE = "initspec"
_OURS = ("jax", "tensorflow", "torch")  # Keras' backends that initspec has an adapter for


class KerasBackend:
    """The Keras backend: see :class:`initspec.Backend`.

    The values come from the adapter of the framework that Keras runs on; where initspec has none,
    from the host.
    """

    name = "keras"
    out_first = False

    @as_it_is
    def key(self, source: Any = None, name: str | None = None) -> Any:
        """From a seed, a ``SeedGenerator``, whose state advances by one, or ``None``: then, as
        Keras' own seeds, from Python's random numbers, which ``keras.utils.set_random_seed``
        governs.
        """
        if isinstance(source, keras.random.SeedGenerator):
            return state_key(source, name)
        if source is None:
            if keras.backend.backend() == "tensorflow" and traced():
                return backend("tensorflow").key(None, name)
            source = random.getrandbits(64)
        return _stream.fold_name(_stream.key_from_seed(source), name)

    @as_it_is
    def words(
        self,
        key: Any,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape))
        return _adapter().words(key, shape, layout=axes, window=window)

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
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape))
        found = _adapter().sample(
            distribution,
            shape,
            key=key,
            layout=axes,
            dtype=dtypes.dtype_name(dtype),
            window=window,
        )
        return keras.ops.convert_to_tensor(found)

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
        """Drawn by ``keras.random`` and ``keras.initializers``, bit for bit, in every dtype.

        They truncate at two standard deviations and nowhere else. On PyTorch, Keras takes the
        first of four normal numbers that lies inside the bounds, and if none does the first: of a
        million truncated values four lie outside.

        Raises :class:`SpecError` for other bounds, and inside a traced program for laws that the
        host finishes.
        """
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape))
        name = dtypes.dtype_name(dtype)
        seed = small_seed(source)
        match distribution:
            case Normal(mu, sigma):
                return keras.random.normal(shape, mu, sigma, name, seed)
            case Uniform(low, high):
                return keras.random.uniform(shape, low, high, name, seed)
            case TruncatedNormal(mu, sigma, -2.0, 2.0):
                return keras.random.truncated_normal(shape, mu, sigma, name, seed)
            case TruncatedNormal():
                raise SpecError(
                    "Keras truncates a normal law at two standard deviations, not from "
                    f'{distribution.low:g} to {distribution.high:g}: use stream="portable".'
                )
            case Orthogonal() if alone(distribution, shape, axes) and 0 not in shape:
                return keras.ops.cast(_orthogonal(distribution, shape, axes, name, seed), name)
            case Stencil(profiles=()) if axes.axes in ("io", "oi") and distribution.groups == 1:
                return keras.initializers.Identity(distribution.gain)(shape, name)
            case _ if distribution.kind == "constant":
                return keras.initializers.Constant(distribution.mean)(shape, name)
        key = self.key(seed) if isinstance(distribution, Law) else (0, 0)  # of a user's own code
        return _finished(distribution, shape, axes, name, seed, key)

    def tohost(self, array: Any) -> NDArray[Any]:
        return np.asarray(_adapter().tohost(keras.ops.convert_to_tensor(array)))

    def initializer(self, scheme: Scheme, **options: Any) -> KerasInitializer:
        """The initializer of a scheme: see :class:`KerasInitializer` for the options."""
        return KerasInitializer(scheme, **options)


@keras.saving.register_keras_serializable(package=PACKAGE, name="Initializer")
class KerasInitializer(keras.initializers.VarianceScaling):  # type: ignore[misc]
    """A scheme as Keras' initializer: ``init(shape, dtype=None)``.

    ``seed`` is an integer (every call gives the same values), a ``keras.random.SeedGenerator``
    (its next values), or ``None``: a new key for every call, so that layers that share one
    initializer get different kernels; ``keras.utils.set_random_seed`` governs it. ``name`` is the
    parameter's, folded into the key. ``dtype`` is taken where the call names none; without either
    it is ``keras.config.floatx()``. ``stream`` is ``"portable"`` or ``"native"``: what
    ``keras.initializers`` draw of the same seed or generator, bit for bit.

    ``layout`` names the axes, by default ``(spatial..., in, out)``; layers of another order, such
    as ``DepthwiseConv2D``, need ``layout="keras.DepthwiseConv2D"``. ``EinsumDense`` and the
    attention layers say by ``input_axes`` and ``output_axes`` which axes are summed over: those of
    neither stack independent matrices, those of both are spatial. Keras tells them only to a
    ``VarianceScaling``, which is why this is one for every scheme. It counts an axis that the
    kernel shares with the input *and* the output as an output; for such an equation
    (``"abc,bcd->abd"``) give the layout (``"bio"``).

    It is saved with a model, and read again once :mod:`initspec` has the backend loaded:
    ``initspec.backend("keras")``. From then on ``"initspec>he_normal"`` works wherever Keras takes
    an initializer by its name. The attention layers copy it for each projection, so that one with
    a seed gives equal shapes equal kernels, as Keras' own do.

    >>> import keras
    >>> from initspec import get
    >>> he = get("he_normal")
    >>> layer = keras.layers.Dense(64, kernel_initializer=he.keras(seed=0))
    >>> layer.build((None, 256))
    >>> kernel = keras.ops.convert_to_numpy(layer.kernel)
    >>> bool((kernel == he.numpy((256, 64), seed=0)).all())
    True
    """

    def __init__(
        self,
        scheme: Any,
        seed: Any = None,
        name: str | None = None,
        layout: Layout | str | None = None,
        dtype: Any = None,
        stream: str = "portable",
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        self.scheme = _scheme(scheme)
        self.seed = seed_of(seed)
        self.name = name
        self.layout = Layout.parse(layout) if isinstance(layout, str) else layout
        self.dtype = None if dtype is None else dtypes.dtype_name(dtype)
        self.stream = check_stream(stream)
        self.input_axes = input_axes
        self.output_axes = output_axes

    @as_it_is
    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """The tensor.

        Raises :class:`LayoutError` for a scheme of fans on a bias.
        """
        sizes = checked_shape(shape)
        layout = self._axes(len(sizes))
        law = self.scheme.on(sizes, layout)
        wanted = dtypes.dtype_name(_first(dtype, self.dtype, keras.config.floatx()))
        if _shapes_only():
            return keras.ops.zeros(sizes, wanted)
        ours = KerasBackend()
        if self.stream == "portable":
            key = ours.key(self.seed, self.name)
            return ours.sample(law, sizes, key=key, layout=layout, dtype=wanted)
        source = self.seed
        if isinstance(source, int):
            high, low = ours.key(source, self.name)
            source = high << 32 | low
        return ours.native(law, sizes, source=source, layout=layout, dtype=wanted)

    def _axes(self, ndim: int) -> Layout | None:
        """The layout, given or made of the axes that the layer named."""
        if self.layout is not None or self.input_axes is None or self.output_axes is None:
            return self.layout
        named = []
        for axes in (self.input_axes, self.output_axes):
            if any(not -ndim <= axis < ndim for axis in axes):
                raise LayoutError(f"the axes {list(axes)} are not all in a tensor of {ndim} axes.")
            named.append({axis % ndim for axis in axes})
        letters = {(True, False): "i", (False, True): "o", (True, True): "x", (False, False): "b"}
        inputs, outputs = named
        return Layout("".join(letters[n in inputs, n in outputs] for n in range(ndim)))

    @property
    def scale(self) -> float:
        """What the variance is multiplied by, in Keras' words."""
        return self.scheme.variance_factor

    @property
    def mode(self) -> str | None:
        """The fan that the variance is divided by, in Keras' words."""
        return self.scheme.mode and self.scheme.mode.lower()

    @property
    def distribution(self) -> str:
        """The name of the distribution, in Keras' words."""
        kind = self.scheme.distribution
        return "untruncated_normal" if kind == "normal" else kind

    def get_config(self) -> dict[str, Any]:
        """The options as Keras saves them.

        A custom law is saved if Keras can: a class with ``get_config``, registered by
        ``keras.saving.register_keras_serializable``.
        """
        custom = self.scheme.custom
        return {
            "scheme": {"custom": custom} if custom is not None else to_dict(self.scheme),
            "seed": keras.saving.serialize_keras_object(self.seed),
            "name": self.name,
            "layout": None if self.layout is None else str(self.layout),
            "dtype": self.dtype,
            "stream": self.stream,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> KerasInitializer:
        """The initializer that :meth:`get_config` described."""
        return cls(**config)

    def __reduce__(self) -> tuple[Any, ...]:
        generator = isinstance(self.seed, keras.random.SeedGenerator)
        state = keras.ops.convert_to_numpy(self.seed.state) if generator else None
        return _restored, (type(self), self.get_config(), state)

    def __repr__(self) -> str:
        options = ("seed", "name", "layout", "dtype", "input_axes", "output_axes")
        values = {name: getattr(self, name) for name in options}
        given = [f"{name}={value!r}" for name, value in values.items() if value is not None]
        return f"KerasInitializer({', '.join([repr(self.scheme), *given])})"


def _restored(cls: type[KerasInitializer], config: dict[str, Any], state: Any) -> KerasInitializer:
    """A copy. A ``SeedGenerator`` cannot be copied; one in the same state can be made."""
    found = cls.from_config(config)
    if state is not None:
        found.seed.state.assign(state)
    return found


@dataclass(frozen=True, slots=True)
class _Named:
    """What ``keras.initializers.get("initspec>he_normal")`` finds: it asks for ``from_config``."""

    scheme: str

    def from_config(self, config: Mapping[str, Any]) -> KerasInitializer:
        return KerasInitializer(self.scheme, **config)


def _register_names() -> None:
    """Every named scheme, and every alias of one, as a string that Keras understands."""
    known = keras.saving.get_custom_objects()
    for row in schemes:
        base, at, dialect = row.partition("@")
        same = schemes[base].aliases if base in schemes else ()
        for name in {row, *schemes[row].aliases, *(f"{other}{at}{dialect}" for other in same)}:
            known.setdefault(f"{PACKAGE}>{name}", _Named(name))


_register_names()


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _scheme(scheme: Any) -> Scheme:
    """The scheme that a user names, or that a config holds."""
    if isinstance(scheme, Mapping) and "custom" in scheme:
        return get(keras.saving.deserialize_keras_object(scheme["custom"]))
    return get(scheme)


def _orthogonal(law: Orthogonal, shape: Shape, layout: Layout, dtype: str, seed: Any) -> Tensor:
    """By Keras' own initializer, around the last axis that may be its last; in float32 for the
    narrow types, of which there is no QR.
    """
    axis = alone(law, shape, layout)[-1]
    around = tuple(size for place, size in enumerate(shape) if place != axis)
    wide = "float64" if dtype == "float64" else "float32"
    own = keras.initializers.Orthogonal(law.gain, seed)
    return keras.ops.moveaxis(own((*around, shape[axis]), wide), -1, axis)


def _finished(
    law: Distribution, shape: Shape, layout: Layout, dtype: str, seed: Any, key: Any
) -> Tensor:
    """A law of a whole tensor, which the host makes of Keras' random numbers."""
    if traced():
        raise SpecError(
            f'stream="native" finishes {law.kind!r} on the host, which a traced program cannot '
            'wait for: use stream="portable".'
        )
    other = seed if isinstance(seed, keras.random.SeedGenerator) else (seed + 1) % 2**31

    def normals(size: Shape) -> NDArray[np.float64]:
        return np.asarray(
            keras.ops.convert_to_numpy(keras.random.normal(size, seed=seed)), np.float64
        )

    def ranks(size: Shape) -> NDArray[np.uint32]:
        found = keras.random.randint(size, 0, 2**31 - 1, seed=other)
        return np.asarray(keras.ops.convert_to_numpy(found), np.uint32)

    out = np.empty(shape, dtypes.storage(dtype))
    host_laws.structured(out, law, shape, layout, dtype, None, normals, ranks, key)
    typed = out.view(dtypes.bfloat16()) if dtype == "bfloat16" else out
    return keras.ops.convert_to_tensor(typed)


def _adapter() -> Any:
    """The adapter that makes what Keras' backend works with."""
    framework = keras.backend.backend()
    return backend(framework) if framework in _OURS else NumpyBackend()


def _shapes_only() -> bool:
    """Whether Keras asks PyTorch for shapes, on a device that holds no values."""
    return keras.backend.backend() == "torch" and bool(keras.ops.zeros(()).is_meta)
