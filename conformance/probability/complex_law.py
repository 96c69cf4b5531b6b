"""The law of a complex number: its squared modulus and its angle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SpecError
from ...spec.custom import Custom
from ...spec.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ...spec.scheme import Scheme
from ...spec.tensor_laws import Given, Stencil
from ..own import Exponential
from . import transform
from .own_law import Own

Array = NDArray[Any]


#: The complex types, and the real type of their parts.
PARTS = {"complex64": "float32", "complex128": "float64"}


@dataclass(frozen=True)
class Disk(Custom):
    """The squared modulus of a number that is even on a disk: even on ``(0, top)``."""

    top: float

    def ppf(self, p: Array) -> Array:
        """``top p``."""
        return self.top * p

    def cdf(self, x: Array) -> Array:
        """``x / top``."""
        return np.clip(x / self.top, 0.0, 1.0)

    @property
    def support(self) -> tuple[float, float]:
        """Zero and the square of the radius."""
        return 0.0, self.top


class Unknown(SpecError):  # noqa: N818 - it says what is not judged
    """A scheme that is given no meaning in a complex type."""


class Modulus(Own):
    """The law of the squared modulus about ``centre``."""

    def __init__(self, custom: Custom, centre: float) -> None:
        super().__init__(custom)
        self.centre = centre

    @property
    def sensitivity(self) -> float:
        """Of the number itself, whose scale is the root of its square's."""
        return 2 * super().sensitivity

    def squares(self, values: Array, dtype: str) -> NDArray[np.float64]:
        """Complex values as squared moduli, with the bits that the rounding of the parts leaves."""
        gap = values - self.centre
        return transform.coarse(gap.real**2 + gap.imag**2, dtype)


@lru_cache(maxsize=256)
def modulus(scheme: Scheme, law: Distribution) -> Distribution:
    """The law of the squared modulus where ``law`` is the scheme's in a real type.

    Laws without chance are themselves. Raises :class:`Unknown` for what has no meaning here.

    >>> from initspec import get
    >>> he = get("he_normal")
    >>> law = modulus(he, he.on((50, 3)))
    >>> round(law.mean, 9), law.support[1] > 4 * law.mean
    (0.04, True)
    """
    if isinstance(law, (Constant, Stencil, Given)):
        return law
    if law.elementwise and law.std == 0:
        return Constant(law.mean)
    match law:
        case Normal():
            return Modulus(Exponential(law.variance), law.mean)
        case Uniform() if scheme.low is None:
            return Modulus(Disk(2 * law.variance), law.mean)
        case TruncatedNormal() if math.isclose(law.low, -law.high):
            cut, rule = law.high**2, scheme.truncation
            if rule is None or rule.variance != "corrected":
                return Modulus(Exponential(law.sigma**2, cut), law.mean)
            if rule.unit == "parent":
                size = law.variance / Exponential(1.0, cut).mean
                return Modulus(Exponential(size, cut), law.mean)
    raise Unknown(
        f"the suite does not know what {scheme.title} means in a complex type: it "
        "knows normal and uniform laws by their variance, normal ones cut evenly at parent "
        "standard deviations, and fixed numbers."
    )
