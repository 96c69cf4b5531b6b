"""The distance of two laws, in closed form, and whether they are one law."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from itertools import accumulate
from typing import Any

from ..errors import SpecError
from .custom import CustomLaw
from .distribution import Constant, Distribution, Normal, Triangular, TruncatedNormal, Uniform
from .marginals import Discrete, Spiked
from .tensor_laws import Structured
from .truncation import mass

#: Numbers that differ by no more than this, relative to their size, are equal to rounding.
ROUNDING = 1e-12

#: Kolmogorov's quantile: ``P(sqrt(n) D > 1.949) = 1e-3``.
KOLMOGOROV = 1.949


# ------------------------------------------------------------------------------------- distance


def ks(a: Distribution, b: Distribution) -> float:
    """The Kolmogorov distance ``sup_x |F(x) - G(x)|`` of the laws of one element.

    It lies between 0 and 1, has no unit, and is exact to 1e-12. Between the ends of their supports
    and their atoms the logarithms of both densities are at most quadratic, so that ``F - G`` is
    greatest at one of these places or where the densities cross, which is a root in closed form.

    Normal, uniform, truncated normal, constant and discrete laws are compared, and their mixtures
    with atoms, and a triangular law with all but the normal ones; of a law of a whole tensor, such
    as a sparse one, it is the law of one element at a place chosen evenly. Raises
    :class:`SpecError` for other laws (an entry of an orthogonal matrix, a custom law), unless they
    are equal.

    >>> from initspec import get
    >>> keras, torch = (get(name).on((512, 256)) for name in ("he_normal@keras", "he_normal@torch"))
    >>> round(ks(keras, torch), 6)
    0.016665
    """
    if a == b:
        return 0.0
    f, g = _Mixture.of(a), _Mixture.of(b)
    places = {*f.atoms, *g.atoms, *_ends(f, g), *_crossings(f, g)}
    return max(
        (abs(side(f, x) - side(g, x)) for x in places for side in (_Mixture.at, _Mixture.before)),
        default=0.0,
    )


@dataclass(frozen=True, slots=True)
class _Mixture:
    """Atoms, with their cumulated weights, and one law with a density for the rest."""

    atoms: tuple[float, ...]
    reached: tuple[float, ...]
    rest: float
    law: Distribution | None

    @classmethod
    def of(cls, law: Distribution) -> _Mixture:
        marginal = law.marginal if isinstance(law, Structured) else law
        match marginal:
            case Constant():
                return cls((marginal.value,), (1.0,), 0.0, None)
            case Discrete():
                return cls(marginal.values, tuple(accumulate(marginal.weights)), 0.0, None)
            case Spiked() if marginal.base.elementwise:
                return cls((0.0,), (marginal.zeros,), 1 - marginal.zeros, marginal.base)
            case Normal() | Uniform() | TruncatedNormal() | Triangular():
                if marginal.variance == 0:
                    return cls((marginal.mean,), (1.0,), 0.0, None)
                return cls((), (), 1.0, marginal)
        raise SpecError(
            f"the Kolmogorov distance of {law!r} is not known in closed form: normal, uniform, "
            "truncated normal, constant and discrete laws have one. Compare variances, or draws."
        )

    def at(self, x: float) -> float:
        """``P(value <= x)``."""
        return self._below(x, bisect.bisect_right(self.atoms, x))

    def before(self, x: float) -> float:
        """``P(value < x)``."""
        return self._below(x, bisect.bisect_left(self.atoms, x))

    def _below(self, x: float, count: int) -> float:
        smooth = self.rest * self.law.cdf(x) if self.law is not None else 0.0
        return smooth + (self.reached[count - 1] if count else 0.0)


def _ends(f: _Mixture, g: _Mixture) -> Iterator[float]:
    for law in (f.law, g.law):
        if law is not None:
            yield from (end for end in (*law.support, law.mean) if math.isfinite(end))


def _crossings(f: _Mixture, g: _Mixture) -> Iterator[float]:
    """Where both densities are equal: the roots of a quadratic, in the narrower law's units."""
    if f.law is None or g.law is None:
        return
    if isinstance(f.law, Triangular) or isinstance(g.law, Triangular):
        yield from _on_slopes(f, g)
        return
    middle, scale = min((_parent(f.law), _parent(g.law)), key=lambda place: place[1])
    one, two = _log_density(f, middle, scale), _log_density(g, middle, scale)
    square, slope, level = (x - y for x, y in zip(one, two, strict=True))
    for root in _roots(square, slope, level):
        if math.isfinite(root):
            yield middle + scale * root


def _on_slopes(f: _Mixture, g: _Mixture) -> Iterator[float]:
    """Where the density of a triangular law is that of a uniform one."""
    slopes, flat = (f, g) if isinstance(f.law, Triangular) else (g, f)
    if not (isinstance(slopes.law, Triangular) and isinstance(flat.law, Uniform)):
        raise SpecError("the Kolmogorov distance of these two laws is not known in closed form.")
    limit, height = slopes.law.limit, flat.rest / (flat.law.high - flat.law.low)
    x = limit - height / slopes.rest * limit**2
    yield from (-x, x)


def _parent(law: Distribution) -> tuple[float, float]:
    if isinstance(law, (Normal, TruncatedNormal)):
        return law.mu, law.sigma
    return law.mean, law.std


def _log_density(part: _Mixture, middle: float, scale: float) -> tuple[float, float, float]:
    """``log f(middle + scale t)`` as coefficients of ``t**2``, ``t`` and one."""
    law = part.law
    level = math.log(part.rest) if part.rest else -math.inf
    if isinstance(law, Uniform):
        return 0.0, 0.0, level - math.log(law.high - law.low)
    assert isinstance(law, (Normal, TruncatedNormal))
    inside = mass(law.low, law.high) if isinstance(law, TruncatedNormal) else 1.0
    level -= math.log(law.sigma * inside) + math.log(2 * math.pi) / 2
    start, step = (middle - law.mu) / law.sigma, scale / law.sigma
    return -(step**2) / 2, -step * start, level - start**2 / 2


def _roots(square: float, slope: float, level: float) -> Iterator[float]:
    if not all(map(math.isfinite, (square, slope, level))):
        return
    discriminant = slope**2 - 4 * square * level
    if discriminant < 0:
        return
    folded = -(slope + math.copysign(math.sqrt(discriminant), slope)) / 2
    if square:
        yield folded / square
    if folded:
        yield level / folded


def same_law(a: Distribution, b: Distribution) -> bool:
    """Whether two laws on the same shape and layout are one, to rounding."""
    a, b = _simplest(a), _simplest(b)
    if a == b:
        return True
    if isinstance(a, (Structured, CustomLaw)) or isinstance(b, (Structured, CustomLaw)):
        return close(a, b)
    if a.variance == 0 or b.variance == 0:
        return a.variance == b.variance and close(a.mean, b.mean)
    return ks(a, b) <= ROUNDING


def _simplest(law: Distribution) -> Distribution:
    """A law of a whole tensor that has one value everywhere is that constant."""
    if isinstance(law, Structured):
        low, high = law.support
        return Constant(low) if low == high else law
    return law


def close(a: Any, b: Any) -> bool:
    """Equal, with numbers anywhere inside equal to rounding."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=ROUNDING)
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(close, a, b))
    if is_dataclass(a):
        own = (item.name for item in fields(a) if item.compare)
        return all(close(getattr(a, name), getattr(b, name)) for name in own)
    return bool(a == b)


def draws(distance: float | None) -> float:
    """How many draws show a Kolmogorov distance at a false alarm rate of 1e-3.

    >>> draws(0.5)
    15
    """
    if not distance or distance <= ROUNDING:
        return math.inf
    return max(1, round((KOLMOGOROV / distance) ** 2))


def variance_ratio(first: float, second: float) -> float:
    """The second of two variances by the first: 1 where both are 0, infinite where one is.

    >>> variance_ratio(0.5, 1.0), variance_ratio(0.0, 0.0), variance_ratio(0.0, 1.0)
    (2.0, 1.0, inf)
    """
    if first == 0:
        return 1.0 if second == 0 else math.inf
    return second / first


def distance_or_none(a: Distribution, b: Distribution) -> float | None:
    """The Kolmogorov distance of :func:`ks`, None where it is not known in closed form."""
    try:
        return ks(a, b)
    except SpecError:
        return None


def dkw(distance: float, n: int) -> float:
    """A bound on the chance of a distance: ``2 exp(-2 n D**2)``, for every law and every ``n``.

    By Dvoretzky, Kiefer and Wolfowitz (1956), with Massart's constant (1990).
    """
    return min(1.0, 2 * math.exp(-2 * n * distance**2))


def dkw_distance(p: float, n: int) -> float:
    """The distance whose :func:`dkw` is ``p``.

    >>> round(dkw_distance(1e-9, 10_000), 4)
    0.0327
    """
    return math.sqrt(math.log(2 / p) / (2 * n))
