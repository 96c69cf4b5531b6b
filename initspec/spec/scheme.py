"""A scheme: the rule for a weight's initial values, as data, before any shape is known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from typing import Any, Self

from ..errors import SpecError
from ..plugins import backend
from ..public import public
from .arguments import at_least_zero
from .distribution import Distribution
from .expression import FANS, checked_names
from .fan_rules import Fans, Shape
from .fields import SchemeFields
from .layout import Layout, checked_layout, checked_shape
from .scheme_law import element_law, law_on
from .sizing import bound
from .traced import TracedScheme, is_read_by_dynamo, outside_programs


@public
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Scheme(SchemeFields):
    """A distribution whose scale is fixed, or follows from the fans of the tensor it is put on.

    With fans ``variance = (gain * gain(nonlinearity, slope))**2 * factor / n**power``, where ``n``
    is the fan that ``mode`` names (``FAN_IN``, ``FAN_OUT``, ``FAN_AVG``, ``FAN_GEO_AVG``),
    ``fan_in`` plus one if ``bias_unit``, and ``power`` is 1 unless given. So ``factor`` multiplies
    the variance and ``gain`` the standard deviation. Without ``mode`` the scale is ``std``, or
    ``low`` and ``high`` of a uniform law; ``gain`` multiplies these, a constant's ``value``, and
    every number of an array, a matrix or a law of one's own. It leaves the mean, and bounds of a
    truncation that are absolute.

    A number may be a text over sizes: ``std="0.02 / sqrt(2 * n_layer)"``. :meth:`bind` gives its
    names their numbers; ``fan_in``, ``fan_out``, ``fan_avg`` and ``fan_geo_avg`` are the tensor's.

    Raises :class:`SpecError` for fields that contradict each other or cannot be, and
    :class:`UnknownName` for a distribution, mode or nonlinearity that does not exist.

    >>> scheme = Scheme(distribution="uniform", mode="FAN_AVG")
    >>> scheme.on((300, 100)).support
    (-0.1224744871391589, 0.1224744871391589)
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The names that :meth:`bind` must be given before the scheme has a law.

        >>> from initspec import get
        >>> get("normal", std="0.02 / sqrt(2 * n_layer)").names
        ('n_layer',)
        """
        words = (name for rule in self.texts.values() for name in rule.names)
        return tuple(dict.fromkeys(name for name in words if name not in FANS))

    def bind(self, /, **sizes: float) -> Self:
        """The scheme with numbers in place of the names in its texts; those of fans stay.

        What is bound and not named by the scheme is ignored, so that one set of sizes serves all
        the schemes of a model. Raises :class:`SpecError` where a name is left without a number, or
        is reserved, and where a text has no finite value.

        >>> from initspec import get
        >>> get("normal", std="0.02 / sqrt(2 * n_layer)").bind(n_layer=50, n_head=8).std
        0.002
        """
        return bound(self, checked_names(sizes))

    def __setstate__(self, state: list[Any]) -> None:
        """Read a pickle; one of an older version lacks the last fields, which have defaults."""
        for place, item in enumerate(fields(self)):
            value = state[place] if place < len(state) else item.default
            object.__setattr__(self, item.name, value)

    @outside_programs
    def on(
        self,
        shape: Shape | list[int],
        layout: Layout | str | None = None,
        *,
        out_first: bool = False,
    ) -> Distribution:
        """The law of a tensor of this shape.

        ``layout`` names the axes (``"oihw"``, ``"torch.Conv2d"``); without one the usual order is
        taken: ``(..., in, out)``, or with ``out_first`` PyTorch's ``(out, in, ...)``.

        Raises :class:`LayoutError` where the layout does not fit, or where fans are needed and
        the tensor has none, as a bias has none.

        >>> from initspec import get
        >>> round(get("he_normal").on((64, 32, 3, 3), "oihw").variance, 9)
        0.006944444
        """
        return law_on(self, checked_shape(shape), checked_layout(layout), out_first)

    @outside_programs
    def given(self, *, fan_in: float, fan_out: float) -> Distribution:
        """The law for known fans, where there is no tensor yet.

        Raises :class:`SpecError` for fans that are negative or not finite, and for a scheme whose
        law is one of a whole tensor.

        >>> from initspec import get
        >>> round(get("xavier@berry").given(fan_in=300, fan_out=100).std, 6)
        0.070711
        """
        fans = Fans(at_least_zero("fan_in", fan_in), at_least_zero("fan_out", fan_out))
        law = element_law(self, fans)
        if law is None:
            raise SpecError(f"{self!r} needs a shape: its law is not one of single elements.")
        return law

    def replace(self, **changes: Any) -> Self:
        """The same scheme with other fields; it has no name any more.

        >>> from initspec import get
        >>> round(get("he_normal").replace(mode="FAN_OUT").on((10, 40)).variance, 9)
        0.05
        """
        if is_read_by_dynamo():
            return TracedScheme(self, (changes,))  # type: ignore[return-value]
        return dataclasses.replace(self, **{"name": None, **changes})

    @property
    def title(self) -> str:
        """The name, or the formula of a scheme without one.

        >>> from initspec import get
        >>> get("he_normal").title, get("he_normal").replace(mean=0.5, gain=0.1).title[:28]
        ('he_normal', 'truncated normal, mean 0.5, ')
        """
        return self.name or self.formula

    @property
    def formula(self) -> str:
        """The law as one line of text: see :mod:`initspec.spec.formula`.

        >>> from initspec import get
        >>> get("glorot_uniform").formula
        'uniform about 0, variance 2 / (fan_in + fan_out), limit sqrt(3 * variance)'
        """
        from .formula import text

        return text(self)

    @property
    def latex(self) -> str:
        r"""The law in LaTeX.

        >>> from initspec import get
        >>> print(get("normal(std=0.02)").latex)
        w \sim \mathcal{N}(0, \sigma^2),\ \sigma^2 = 0.02^2
        """
        from .formula import latex

        return latex(self)

    @outside_programs
    def numpy(self, shape: Shape | list[int], **options: Any) -> Any:
        """A new NumPy array: see :meth:`initspec.backends.numpy.adapter.NumpyBackend.array`.

        >>> from initspec import get
        >>> get("he_normal").numpy((256, 128), seed=0, name="encoder.0").shape
        (256, 128)
        """
        return backend("numpy").array(self, shape, **options)

    def torch_(self, tensor: Any, **options: Any) -> Any:
        """Fill a tensor in place: see :meth:`initspec.backends.torch.adapter.TorchBackend.fill`.

        >>> from initspec import get
        >>> import torch
        >>> layer = torch.nn.Linear(256, 128)
        >>> get("he_normal").torch_(layer.weight, seed=0, name="encoder.0").shape
        torch.Size([128, 256])
        """
        return backend("torch").fill(self, tensor, **options)

    def torch(self, shape: Shape | list[int], **options: Any) -> Any:
        """A new PyTorch tensor: see :meth:`initspec.backends.torch.adapter.TorchBackend.tensor`.

        >>> from initspec import get
        >>> get("he_normal").torch((128, 256), seed=0, name="encoder.0").shape
        torch.Size([128, 256])
        """
        return backend("torch").tensor(self, shape, **options)

    def keras(self, **options: Any) -> Any:
        """A Keras initializer: see :class:`initspec.backends.keras.adapter.KerasBackend`.

        >>> from initspec import get
        >>> get("he_normal").keras(seed=0, name="encoder.0").get_config()["seed"]
        0
        """
        return backend("keras").initializer(self, **options)

    def tensorflow(self, **options: Any) -> Any:
        """A TensorFlow initializer: see :mod:`initspec.backends.tensorflow.adapter`.

        >>> from initspec import get
        >>> get("he_normal").tensorflow(seed=0, name="encoder.0")((256, 128)).shape
        TensorShape([256, 128])
        """
        return backend("tensorflow").initializer(self, **options)

    @property
    def jax(self) -> Any:
        """The JAX initializer ``(key, shape, dtype=None, out_sharding=None)`` of this scheme.

        >>> from initspec import get
        >>> import jax
        >>> get("he_normal").jax(jax.random.key(0), (256, 128)).shape
        (256, 128)
        """
        return backend("jax").initializer(self)

    @property
    def haiku(self) -> Any:
        """The Haiku initializer ``(shape, dtype)``; its key comes from ``hk.next_rng_key()``.

        >>> from initspec import get
        >>> import haiku as hk, jax
        >>> net = hk.transform(lambda x: hk.Linear(8, w_init=get("he_normal").haiku)(x))
        >>> net.init(jax.random.key(0), jax.numpy.ones((1, 4)))["linear"]["w"].shape
        (4, 8)
        """
        return backend("jax").haiku(self)


def called(scheme: Scheme) -> str:
    """A scheme's name for a heading: of a user's own law that of its class or function.

    >>> from initspec import get
    >>> called(get("he_normal")), called(get([[1.0, 0.0]]))
    ('he_normal', 'a given array')
    """
    if scheme.name is None and scheme.custom is not None:
        code = getattr(scheme.custom, "function", scheme.custom)
        return str(getattr(code, "__name__", type(code).__name__))
    return scheme.title
