"""A scheme: the rule for a weight's initial values, as data, before any shape is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

from . import structure
from .distribution import Constant, Distribution, Normal, Scale, TruncatedNormal, Uniform
from .errors import LayoutError, SpecError, UnknownName
from .fan_rules import MODES, RULES, Fans
from .gain import squared
from .layout import Layout, Shape, fans
from .structure import Values
from .truncation import Truncation

_SCALE = ("mode", "factor", "gain", "nonlinearity", "slope", "bias_unit", "fans", "std")
_GAIN = ("gain", "nonlinearity", "slope")

#: The fields that each distribution takes besides its name.
TAKES: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "normal": (*_SCALE, "mean"),
    "uniform": (*_SCALE, "mean", "low", "high"),
    "truncated_normal": (*_SCALE, "mean", "truncation"),
    "orthogonal": _GAIN,
    "delta_orthogonal": _GAIN,
    "identity": _GAIN,
    "dirac": (*_GAIN, "groups"),
    "bilinear": (*_GAIN, "groups"),
    "sparse": ("sparsity", "std", "zeros_per"),
    "array": ("array",),
    "custom": ("custom",),
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Scheme:
    """A distribution whose scale is fixed, or follows from the fans of the tensor it is put on.

    With fans ``variance = (gain * gain(nonlinearity, slope))**2 * factor / n``, where ``n`` is the
    fan that ``mode`` names (``FAN_IN``, ``FAN_OUT``, ``FAN_AVG``, ``FAN_GEO_AVG``), ``fan_in``
    plus one if ``bias_unit``. So ``factor`` multiplies the variance and ``gain`` the standard
    deviation. Without ``mode`` the scale is ``std``, or ``low`` and ``high`` of a uniform law.

    Raises :class:`SpecError` for fields that contradict each other or cannot be, and
    :class:`UnknownName` for a distribution, mode or nonlinearity that does not exist.

    >>> scheme = Scheme(distribution="uniform", mode="FAN_AVG")
    >>> scheme.on((300, 100)).support
    (-0.1224744871391589, 0.1224744871391589)
    """

    distribution: str
    mode: str | None = None
    factor: float = 1.0
    gain: float = 1.0
    nonlinearity: str | None = None
    slope: float | None = None
    bias_unit: bool = False
    fans: str = "true"
    mean: float = 0.0
    std: float | None = None
    low: float | None = None
    high: float | None = None
    value: float = 0.0
    truncation: Truncation | None = None
    groups: int = 1
    sparsity: float | None = None
    zeros_per: str = "out"
    array: Values | None = None
    custom: Any = None
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.distribution not in TAKES:
            raise UnknownName("distribution", self.distribution, TAKES)
        if self.mode is not None:
            mode = str(self.mode).upper()
            if mode not in MODES:
                raise UnknownName("mode", self.mode, MODES)
            object.__setattr__(self, "mode", mode)
        if self.distribution == "truncated_normal" and self.truncation is None:
            object.__setattr__(self, "truncation", Truncation())
        _check_fields(self)
        _check_numbers(self)

    @property
    def gain_total(self) -> float:
        """``gain`` times the gain of the nonlinearity: what multiplies the standard deviation."""
        return self.gain * math.sqrt(self._squared)

    @property
    def variance_factor(self) -> float:
        """What the variance has above its fan: ``factor`` times the square of ``gain_total``."""
        return self.factor * self.gain**2 * self._squared

    @property
    def _squared(self) -> float:
        return squared(self.nonlinearity, self.slope) if self.nonlinearity else 1.0

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
        return _on(self, checked_shape(shape), layout, out_first)

    def given(self, *, fan_in: float, fan_out: float) -> Distribution:
        """The law for known fans, where there is no tensor yet.

        >>> from initspec import get
        >>> round(get("xavier@berry").given(fan_in=300, fan_out=100).std, 6)
        0.070711
        """
        for side, value in (("fan_in", fan_in), ("fan_out", fan_out)):
            if not (math.isfinite(value) and value >= 0):
                raise SpecError(f"{side} is a finite number of at least 0, not {value!r}.")
        found = _element_law(self, Fans(fan_in, fan_out))
        if found is None:
            raise SpecError(f"{self!r} needs a shape: its law is not one of single elements.")
        return found

    @property
    def needs_fans(self) -> bool:
        """Whether the scale follows from the fans."""
        return self.mode is not None

    def replace(self, **changes: Any) -> Scheme:
        """The same scheme with other fields; it has no name any more.

        >>> from initspec import get
        >>> round(get("he_normal").replace(mode="FAN_OUT").on((10, 40)).variance, 9)
        0.05
        """
        return replace(self, **{"name": None, **changes})

    def to_dict(self) -> dict[str, Any]:
        """The fields that are not at their defaults, as plain data: see :mod:`initspec.serial`."""
        from .serial import to_dict

        return to_dict(self)

    @property
    def formula(self) -> str:
        """The law as one line of text: see :mod:`initspec.formula`."""
        from .formula import text

        return text(self)

    @property
    def latex(self) -> str:
        """The law in LaTeX."""
        from .formula import latex

        return latex(self)

    def numpy(self, shape: Shape | list[int], **options: Any) -> Any:
        """A new NumPy array: see :meth:`initspec.backends._numpy.NumpyBackend.array`."""
        return _backend("numpy").array(self, shape, **options)

    def torch_(self, tensor: Any, **options: Any) -> Any:
        """Fill a tensor in place: see :meth:`initspec.backends._torch.TorchBackend.fill`."""
        return _backend("torch").fill(self, tensor, **options)

    def torch(self, shape: Shape | list[int], **options: Any) -> Any:
        """A new PyTorch tensor: see :meth:`initspec.backends._torch.TorchBackend.tensor`."""
        return _backend("torch").tensor(self, shape, **options)

    def keras(self, **options: Any) -> Any:
        """A Keras initializer: see :class:`initspec.backends._keras.KerasBackend`."""
        return _backend("keras").initializer(self, **options)

    def tensorflow(self, **options: Any) -> Any:
        """A TensorFlow initializer: see :mod:`initspec.backends._tensorflow`."""
        return _backend("tensorflow").initializer(self, **options)

    @property
    def jax(self) -> Any:
        """The JAX initializer ``(key, shape, dtype=None, out_sharding=None)`` of this scheme."""
        return _backend("jax").initializer(self)

    @property
    def haiku(self) -> Any:
        """The Haiku initializer ``(shape, dtype)``; its key comes from ``hk.next_rng_key()``."""
        return _backend("jax").haiku(self)

    def __repr__(self) -> str:
        if self.name:
            return f"get({self.name!r})"
        changed = [
            f"{item.name}={getattr(self, item.name)!r}"
            for item in fields(self)
            if item.name != "name" and getattr(self, item.name) != item.default
        ]
        return f"Scheme({', '.join(changed)})"


def checked_shape(shape: Any) -> Shape:
    """A shape as a tuple of sizes; raises :class:`LayoutError` for what is none."""
    if type(shape) is tuple and all(type(n) is int and n >= 0 for n in shape):
        return shape
    try:
        sizes = tuple(n.__index__() for n in ((shape,) if hasattr(shape, "__index__") else shape))
    except (TypeError, AttributeError):
        sizes = (-1,)
    if any(n < 0 for n in sizes):
        raise LayoutError(f"a shape is a tuple of sizes of at least 0, not {shape!r}.")
    return sizes


_loaded: dict[str, Any] = {}


def _backend(name: str) -> Any:
    _load(name)
    return _loaded[name]


def _load(name: str) -> None:
    if name not in _loaded:
        from .backends import backend

        _loaded[name] = backend(name)


# torch.compile calls it while it reads a program, and does not look inside.
_load._dynamo_marked_constant = True  # type: ignore[attr-defined]


@lru_cache(maxsize=4096)
def _on(scheme: Scheme, shape: Shape, layout: Layout | str | None, out_first: bool) -> Distribution:
    axes = Layout.of(layout, len(shape), out_first=out_first)
    axes.roles(shape)  # a layout that does not fit is refused whatever the law
    if scheme.mode is not None:
        try:
            count = fans(shape, axes, scheme.fans)
        except LayoutError as error:
            name = scheme.name or scheme.distribution
            raise LayoutError(f"{name} scales by fans: {error}") from None
        law = _element_law(scheme, count)
    else:
        law = _element_law(scheme, Fans(1, 1))
    if law is not None:
        return law
    gain = scheme.gain_total
    match scheme.distribution:
        case "orthogonal":
            return structure.orthogonal(gain, shape, axes)
        case "delta_orthogonal":
            return structure.delta_orthogonal(gain, shape, axes)
        case "identity" | "dirac" | "bilinear":
            return structure.stencil(scheme.distribution, gain, scheme.groups, shape, axes)
        case "sparse":
            assert scheme.sparsity is not None
            assert scheme.std is not None
            return structure.sparse(scheme.sparsity, scheme.std, scheme.zeros_per, shape, axes)
        case "array":
            assert scheme.array is not None
            return structure.given(scheme.array, shape)
    return structure.Law(scheme.custom, shape)


def _element_law(scheme: Scheme, count: Fans) -> Distribution | None:
    """The law of schemes whose elements are independent, else None."""
    if scheme.distribution == "constant":
        return Constant(scheme.value)
    if scheme.distribution not in ("normal", "uniform", "truncated_normal"):
        return None
    if scheme.low is not None and scheme.high is not None:
        return Uniform(scheme.low, scheme.high)
    scale = None
    if scheme.mode is None:
        assert scheme.std is not None
        std, limit = scheme.std, math.sqrt(3) * scheme.std
    else:
        scale = _scale(scheme, count, scheme.mode)
        std, limit = math.sqrt(scale.variance), math.sqrt(3 * scale.variance)
    if scheme.distribution == "normal":
        return Normal(scheme.mean, std, scale=scale)
    if scheme.distribution == "uniform":
        return Uniform(scheme.mean - limit, scheme.mean + limit, scale=scale)
    cut = scheme.truncation
    assert cut is not None
    return TruncatedNormal(
        scheme.mean,
        *cut.parent(scheme.mean, std),
        scale=scale if cut.variance == "corrected" else None,
        bounds=(cut.low, cut.high) if cut.unit == "absolute" else None,
    )


def _scale(scheme: Scheme, count: Fans, mode: str) -> Scale:
    gain = scheme.gain * math.sqrt(scheme.factor * scheme._squared)
    counted = Fans(count.fan_in + scheme.bias_unit, count.fan_out)
    return Scale(scheme.variance_factor, gain, mode, counted)


def _check_fields(scheme: Scheme) -> None:
    kind, takes = scheme.distribution, TAKES[scheme.distribution]
    for item in fields(scheme):
        if item.name in ("distribution", "name", *takes):
            continue
        if getattr(scheme, item.name) != item.default:
            raise SpecError(
                f"distribution {kind!r} takes no {item.name!r}; it takes {_list(takes)}."
            )
    if "mode" in takes:
        scales = [
            word
            for word, given in (
                ("mode", scheme.mode is not None),
                ("std", scheme.std is not None),
                ("low and high", scheme.low is not None or scheme.high is not None),
            )
            if given
        ]
        if len(scales) != 1 or (scheme.low is None) != (scheme.high is None):
            wanted = "mode, std, or low and high" if kind == "uniform" else "mode or std"
            got = " and ".join(scales) or "nothing"
            raise SpecError(f"distribution {kind!r} needs its scale by one of {wanted}, not {got}.")
    for name in ("sparsity", "std", "array", "custom"):
        if name in takes and "mode" not in takes and getattr(scheme, name) is None:
            raise SpecError(f"distribution {kind!r} needs {name!r}.")
    if scheme.fans not in RULES:
        raise UnknownName("fan rule", scheme.fans, RULES)
    if scheme.zeros_per not in structure.SIDES:
        raise UnknownName("zeros_per", scheme.zeros_per, structure.SIDES)


def _check_numbers(scheme: Scheme) -> None:
    for name in ("factor", "gain", "std", "slope", "mean", "low", "high", "value", "sparsity"):
        value = getattr(scheme, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SpecError(f"{name} is a number, not {value!r}.")
        positive = name in ("factor", "std", "gain")
        if not math.isfinite(value) or (positive and value < 0):
            kind = "finite number of at least 0" if positive else "finite number"
            raise SpecError(f"{name} is a {kind}, not {value!r}.")
        object.__setattr__(scheme, name, float(value))
    if scheme.low is not None and scheme.high is not None and not scheme.low < scheme.high:
        raise SpecError(f"bounds need low < high, not low={scheme.low}, high={scheme.high}.")
    if not 0 <= (scheme.sparsity or 0) <= 1:
        raise SpecError(f"sparsity is the fraction of zeros, from 0 to 1, not {scheme.sparsity}.")
    if not isinstance(scheme.groups, int) or scheme.groups < 1:
        raise SpecError(f"groups is an integer of at least 1, not {scheme.groups!r}.")
    if scheme.slope is not None and scheme.nonlinearity is None:
        raise SpecError("a slope belongs to nonlinearity='leaky_relu'.")
    if scheme.nonlinearity is not None:
        squared(scheme.nonlinearity, scheme.slope)
    if scheme.array is not None and not isinstance(scheme.array, Values):
        raise SpecError("array holds Values: write get(array), or Values.of(array).")


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names)
