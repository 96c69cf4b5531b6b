"""The law that a scheme has on a shape."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from ..errors import LayoutError, SpecError
from . import tensor_laws
from .custom import Bound, CustomLaw, asked
from .distribution import Constant, Distribution, Normal, Scale, TruncatedNormal, Uniform
from .fan_rules import Fans, Shape
from .fields import SchemeFields
from .layout import Layout, fans
from .values import Values


@lru_cache(maxsize=4096)
def law_on(
    scheme: SchemeFields, shape: Shape, layout: Layout | str | None, out_first: bool
) -> Distribution:
    """The law of a tensor: :meth:`initspec.Scheme.on`."""
    axes = Layout.of(layout, len(shape), out_first=out_first)
    axes.roles(shape)  # a layout that does not fit is refused whatever the law
    count = None
    if scheme.needs_fans:
        try:
            count = fans(shape, axes, scheme.fans)
        except LayoutError as error:
            name = scheme.name or scheme.distribution
            raise LayoutError(f"{name} scales by fans: {error}") from None
    scheme = scheme.at(count)
    law = element_law(scheme, count or Fans(1, 1))
    if law is not None:
        return law
    gain = scheme.gain_total
    match scheme.distribution:
        case "orthogonal":
            return tensor_laws.orthogonal(gain, shape, axes)
        case "delta_orthogonal":
            return tensor_laws.delta_orthogonal(gain, shape, axes)
        case "identity" | "dirac" | "bilinear":
            return tensor_laws.stencil(scheme.distribution, gain, scheme.groups, shape, axes)
        case "sparse":
            assert scheme.sparsity is not None
            assert scheme.std is not None
            return tensor_laws.sparse(scheme.sparsity, scheme.std, scheme.zeros_per, shape, axes)
        case "array":
            assert scheme.array is not None
            values = scheme.array if gain == 1 else Values.of(scheme.array.array() * gain)
            return tensor_laws.given(values, shape)
    return _custom_law(scheme.custom, gain, shape, axes, count)


def _custom_law(
    custom: Any, gain: float, shape: Shape, axes: Layout, count: Fans | None
) -> Distribution:
    """A user's law, with what it asks for and its gain."""
    if gain == 0:
        return Constant(0.0)
    words = asked(custom)
    if gain != 1 or words:
        custom = Bound(custom, gain, count, axes if "layout" in words else None)
    return CustomLaw(custom, shape)


def element_law(scheme: SchemeFields, count: Fans) -> Distribution | None:
    """The law of schemes whose elements are independent, else None."""
    scheme = scheme.at(count)
    if scheme.distribution == "constant":
        return Constant(scheme.value)
    if scheme.distribution not in ("normal", "uniform", "truncated_normal"):
        return None
    if scheme.low is not None and scheme.high is not None:
        return Uniform(scheme.low, scheme.high)
    scale: Scale | None = None
    if scheme.mode is None:
        assert scheme.std is not None
        std, limit = scheme.std, math.sqrt(3) * scheme.std
    else:
        scale = _scale(scheme, count, scheme.mode)
        variance = scale.variance
        if scheme.power != 1:  # which no framework's own sampler knows: it is drawn by its numbers
            variance = _of_power(scale.factor, scale.n, scheme.power)
            scale = None
        std, limit = math.sqrt(variance), math.sqrt(3 * variance)
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


def _scale(scheme: SchemeFields, count: Fans, mode: str) -> Scale:
    gain = scheme.gain * math.sqrt(scheme.factor * scheme.squared_gain)
    counted = Fans(count.fan_in + scheme.bias_unit, count.fan_out)
    return Scale(scheme.variance_factor, gain, mode, counted)


def _of_power(variance_factor: float, n: float, power: float) -> float:
    """A variance that goes with another power of the fan than the first."""
    try:
        variance = variance_factor / math.pow(n, power)
    except (OverflowError, ZeroDivisionError):
        variance = 0.0 if power > 0 else math.inf
    if not math.isfinite(variance):
        raise SpecError(f"the variance {variance_factor:g} / {n:g}**{power:g} is beyond float64.")
    return variance
