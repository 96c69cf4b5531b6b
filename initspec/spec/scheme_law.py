"""The law that a scheme has on a shape."""

from __future__ import annotations

import math
from functools import lru_cache

from ..errors import LayoutError
from . import tensor_laws
from .custom import CustomLaw
from .distribution import Constant, Distribution, Normal, Scale, TruncatedNormal, Uniform
from .fan_rules import Fans, Shape
from .fields import SchemeFields
from .layout import Layout, fans


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
            return tensor_laws.given(scheme.array, shape)
    return CustomLaw(scheme.custom, shape)


def element_law(scheme: SchemeFields, count: Fans) -> Distribution | None:
    """The law of schemes whose elements are independent, else None."""
    scheme = scheme.at(count)
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


def _scale(scheme: SchemeFields, count: Fans, mode: str) -> Scale:
    gain = scheme.gain * math.sqrt(scheme.factor * scheme.squared_gain)
    counted = Fans(count.fan_in + scheme.bias_unit, count.fan_out)
    return Scale(scheme.variance_factor, gain, mode, counted)
