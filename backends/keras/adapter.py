"""Keras 3: an initializer for its layers, the same values on each of Keras' own backends."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ... import stream as _stream
from ...plugins import backend
from ...protocol import check_stream
from ...readings.registry import get
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_shape
from ...spec.number_types import check_held
from ...spec.scheme import Scheme
from ...spec.serial import to_dict
from ...stream import dtypes
from ...stream.placement import Placement
from ..chance import SameKeys, draws
from ..cpu.fill import fold_name
from . import native
from .axes import layout_of
from .framework import adapter, as_it_is, shapes_only, symbolic, traced
from .seeds import seed_of, small_seed, state_key

Tensor = Any

PACKAGE = "initspec"
same_keys = SameKeys()


class KerasBackend:
    """The Keras backend: see :class:`initspec.Backend`.

    The values come from the adapter of the framework that Keras runs on; where initspec has none,
    from the host.

    >>> from initspec import backend, get
    >>> law = get("he_normal").on((256, 512))
    >>> ours = backend("keras")
    >>> tuple(ours.sample(law, (256, 512), key=ours.key(0)).shape)
    (256, 512)
    """

    name = "keras"
    out_first = False

    @as_it_is
    def key(self, source: Any = None, name: str | None = None) -> Any:
        """From a seed, a ``SeedGenerator``, whose state advances by one, or ``None``: then, as
        Keras' own seeds, from Python's random numbers, which ``keras.utils.set_random_seed``
        governs.

        Raises :class:`StreamError` for what is no seed.
        """
        if isinstance(source, keras.random.SeedGenerator):
            return state_key(source, name)
        if source is None:
            if keras.backend.backend() == "tensorflow" and traced():
                return backend("tensorflow").key(None, name)
            source = random.getrandbits(64)
        return fold_name(_stream.key_from_seed(source), name)

    @as_it_is
    def words(
        self,
        key: Any,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        """The words, as the framework's adapter holds them, of the window's shape."""
        place = Placement.of(shape, layout, window)
        return adapter().words(key, place.shape, layout=place.layout, window=window)

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
        """A new tensor from the portable stream, of the window's shape."""
        place = Placement.of(shape, layout, window)
        tensor = adapter().sample(
            distribution,
            place.shape,
            key=key,
            layout=place.layout,
            dtype=dtypes.dtype_name(dtype),
            window=window,
        )
        return keras.ops.convert_to_tensor(tensor)

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
        place = Placement.of(shape, layout)
        kind = dtypes.dtype_name(dtype)
        check_held(distribution, kind)
        seed = small_seed(source if draws(distribution, place.shape) else 0)
        return native.draw(distribution, place, seed, kind)

    def tohost(self, array: Any) -> NDArray[Any]:
        """The array as NumPy's, by the framework's adapter."""
        return np.asarray(adapter().tohost(keras.ops.convert_to_tensor(array)))

    def model(self, model: Any) -> Any:
        """A built model or layer as plans see it: see :class:`initspec.protocol.Model`.

        >>> from initspec import backend
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> [held.path for held in backend("keras").model(model).parameters()]
        ['dense.kernel', 'dense.bias']
        """
        from .model import KerasModel

        return KerasModel(model)

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
    Tensors of one seed without a name are fully correlated: give each parameter its own.

    ``layout`` names the axes, by default ``(spatial..., in, out)``; layers of another order, such
    as ``DepthwiseConv2D``, need ``layout="keras.DepthwiseConv2D"``. ``EinsumDense`` and the
    attention layers say by ``input_axes`` and ``output_axes`` which axes are summed over: those of
    neither stack independent matrices, those of both are spatial. Keras tells them only to a
    ``VarianceScaling``, which is why this is one for every scheme. It counts an axis that the
    kernel shares with the input *and* the output as an output; for such an equation
    (``"abc,bcd->abd"``) give the layout (``"bio"``).

    It is saved with a model, and read again wherever :mod:`initspec` is imported. There
    ``"initspec>he_normal"`` works wherever Keras takes an initializer by its name. The attention
    layers copy it for each projection, so that one with a seed gives equal shapes equal kernels, as
    Keras' own do.

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
        if shapes_only():
            return keras.ops.zeros(sizes, wanted)
        random = draws(law, sizes)
        tensor = self._drawn(law, sizes, self.seed if random else 0, layout, wanted)
        if random and self.name is None and isinstance(self.seed, int) and not symbolic(tensor):
            same_keys.note(self.seed, tensor, sizes, maker=self)
        return tensor

    def _drawn(
        self, law: Distribution, sizes: Shape, source: Any, layout: Layout | None, dtype: str
    ) -> Tensor:
        ours = KerasBackend()
        if self.stream == "portable":
            key = ours.key(source, self.name)
            return ours.sample(law, sizes, key=key, layout=layout, dtype=dtype)
        if isinstance(source, int):
            high, low = ours.key(source, self.name)
            source = high << 32 | low
        return ours.native(law, sizes, source=source, layout=layout, dtype=dtype)

    def _axes(self, ndim: int) -> Layout | None:
        """The layout, given or made of the axes that the layer named."""
        if self.layout is not None or self.input_axes is None or self.output_axes is None:
            return self.layout
        return layout_of(self.input_axes, self.output_axes, ndim)

    @property
    def scale(self) -> float:
        """What the variance is multiplied by, in Keras' words.

        >>> from initspec import get
        >>> get("he_normal").keras().scale
        2.0
        """
        return self.scheme.variance_factor

    @property
    def mode(self) -> str | None:
        """The fan that the variance is divided by, in Keras' words.

        >>> from initspec import get
        >>> get("he_normal").keras().mode
        'fan_in'
        """
        return self.scheme.mode and self.scheme.mode.lower()

    @property
    def distribution(self) -> str:
        """The name of the distribution, in Keras' words.

        >>> from initspec import get
        >>> get("he_normal").keras().distribution
        'truncated_normal'
        """
        kind = self.scheme.distribution
        return "untruncated_normal" if kind == "normal" else kind

    def get_config(self) -> dict[str, Any]:
        """The options as Keras saves them.

        A custom law is saved if Keras can: a class with ``get_config``, registered by
        ``keras.saving.register_keras_serializable``.

        >>> from initspec import get
        >>> get("he_normal").keras(seed=1).get_config()["seed"]
        1
        """
        custom, gain = self.scheme.custom, self.scheme.gain
        own = {"custom": custom} | ({"gain": gain} if gain != 1 else {})
        return {
            "scheme": own if custom is not None else to_dict(self.scheme),
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
        """The initializer that :meth:`get_config` described.

        >>> from initspec import get
        >>> init = get("he_normal").keras(seed=1)
        >>> type(init).from_config(init.get_config()).get_config() == init.get_config()
        True
        """
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
    init = cls.from_config(config)
    if state is not None:
        init.seed.state.assign(state)
    return init


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def _scheme(scheme: Any) -> Scheme:
    """The scheme that a user names, or that a config holds."""
    if isinstance(scheme, Mapping) and "custom" in scheme:
        own = get(keras.saving.deserialize_keras_object(scheme["custom"]))
        return own.replace(gain=scheme["gain"]) if "gain" in scheme else own
    return get(scheme)
