"""A law of the user's own, as the suite holds values against it: on arrays, and checked.

A class says as much as it likes; the suite needs the distribution function on arrays, and moments.
What is missing follows from what is there: a cdf from the quantiles and the reverse by bisection,
moments by quadrature. What is there twice has to agree, or it is the law that is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...errors import InitSpecError
from ...spec.custom import Custom, CustomLaw
from ...spec.distribution import Distribution
from . import bounds

Array = NDArray[np.float64]


#: Probabilities below it have no digits in ``1 - cdf``, and no meaning here.
LEAST = 2.0**-53
#: What a class says twice may differ by so much: of probability, and of a standard deviation.
_NEAR, _MOMENT = 1e-6, 2e-3


class Broken(InitSpecError):  # noqa: N818 - it says what is wrong
    """A class whose law is none; the sentence says why."""


@lru_cache(maxsize=256)
def seen(law: Distribution) -> Distribution:
    """The law as the suite uses it: a user's own one with arrays and numbers, others as they are.

    >>> from initspec import get
    >>> from initspec.conformance.own import Exponential
    >>> seen(get(Exponential(0.5)).on((2, 3))).quantiles(np.array([0.0, 0.5]))
    array([0.        , 0.34657359])
    """
    if not isinstance(law, CustomLaw):
        return law
    known = any(getattr(law.custom, name, None) is not None for name in ("cdf", "ppf"))
    return Own(law.custom) if known else Sampled(law.custom)


class Sampled(Distribution):
    """A law of which only a sampler is known, and the moments and the support that its class says.

    Numbers that it does not say are not-a-numbers.
    """

    kind = "custom"

    def __init__(self, custom: Custom) -> None:
        self.custom = custom

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.custom!r})"

    def stated(self, name: str) -> float:
        """A number that the class says, as a method, a property or an attribute; else NaN."""
        number = getattr(self.custom, name, None)
        return math.nan if number is None else float(number() if callable(number) else number)

    @property
    def mean(self) -> float:
        return self.stated("mean")

    @property
    def variance(self) -> float:
        return self.stated("variance")

    @property
    def kurtosis(self) -> float:
        return self.stated("kurtosis")

    @property
    def support(self) -> tuple[float, float]:
        low, high = CustomLaw(self.custom, ()).support
        return float(low), float(high)


class Own(Sampled):
    """A law that its class gives by ``cdf``, by ``ppf``, or by both."""

    @cached_property
    def mean(self) -> float:
        """What the class says, else by quadrature; NaN where there is none to be had."""
        stated = self.stated("mean")
        return self.computed[0] if math.isnan(stated) else stated

    @cached_property
    def variance(self) -> float:
        stated = self.stated("variance")
        return self.computed[1] if math.isnan(stated) else stated

    @cached_property
    def kurtosis(self) -> float:
        stated = self.stated("kurtosis")
        return self.computed[2] if math.isnan(stated) else stated

    @cached_property
    def support(self) -> tuple[float, float]:
        """What the class says, else the quantiles of zero and one."""
        if getattr(self.custom, "support", None) is not None or not self._has("ppf"):
            return super().support
        ends = []
        for p, unknown in ((0.0, -math.inf), (1.0, math.inf)):
            try:
                with np.errstate(all="ignore"):
                    end = float(np.asarray(self.custom.ppf(np.array([p, p])))[0])
            except Exception:
                end = math.nan
            far = 1e12 * float(np.ptp(self._call("ppf", np.array([0.25, 0.75]))))
            ends.append(end if abs(end) <= far else unknown)  # tan(pi / 2) is 1.6e16, not infinite
        return ends[0], ends[1]

    def _cdf(self, x: float) -> float:
        return float(self.both(np.array([x, x]))[0][0])

    def _ppf(self, p: float) -> float:
        return float(self.quantiles(np.array([p, p]))[0])

    def _has(self, name: str) -> bool:
        return getattr(self.custom, name, None) is not None

    # ------------------------------------------------------------------------------- on arrays

    def both(self, x: Array) -> tuple[Array, Array]:
        """The probabilities of at most ``x`` and of more, neither of them below :data:`LEAST`.

        Raises :class:`Broken` where the class answers something else than a probability.
        """
        low, high = self.support
        if self._has("cdf"):  # which may overflow where there is nothing of the law
            below, above = self._asked(np.clip(x, *self._bracket))
        else:
            below = self._reached(np.clip(x, low, high))
            above = 1 - below
        under, over = x < low, x >= high
        below = np.where(under, 0.0, np.where(over, 1.0, below))
        above = np.where(under, 1.0, np.where(over, 0.0, above))
        return np.maximum(below, LEAST), np.maximum(above, LEAST)

    def quantiles(self, p: Array) -> Array:
        """The least ``x`` whose cdf reaches each ``p``."""
        return self._call("ppf", p) if self._has("ppf") else self._inverse(p)

    def _asked(self, x: Array) -> tuple[Array, Array]:
        below = self._probabilities("cdf", x)
        return below, self._probabilities("sf", x) if self._has("sf") else 1 - below

    def _probabilities(self, name: str, x: Array) -> Array:
        values = self._call(name, x)
        wrong = ~((values >= -1e-9) & (values <= 1 + 1e-9))
        if wrong.any():
            at = int(wrong.argmax())
            raise Broken(
                f"{self.custom!r} is no law: its {name} at {x.flat[at]:.6g} is "
                f"{values.flat[at]:.6g}, and a probability lies between 0 and 1"
            )
        return np.clip(values, 0.0, 1.0)

    def _call(self, name: str, x: Array) -> Array:
        """A method of the class on an array; one that takes floats is given them one by one."""
        method = getattr(self.custom, name)
        with np.errstate(all="ignore"):
            if name not in self._scalar:
                try:
                    answer = np.asarray(method(x.copy()), np.float64)
                    if answer.shape == x.shape:
                        return answer
                except Exception:  # a float is all that it takes, perhaps
                    pass
            try:
                each = [float(method(float(value))) for value in x.flat]
            except Exception as error:
                raise Broken(
                    f"{self.custom!r} is no law: its {name} raised {type(error).__name__}: {error}"
                ) from error
        if x.size > 1:
            self._scalar.add(name)
        return np.array(each, np.float64).reshape(x.shape)

    @cached_property
    def _scalar(self) -> set[str]:
        return set()

    def _reached(self, x: Array) -> Array:
        """The greatest ``p`` whose quantile is at most ``x``: by bisection, from a table."""
        steps = 4096
        at = np.searchsorted(self._table, x, side="right")
        low, high = at / steps, (at + 1) / steps
        for _ in range(42):  # a step of the table, down to 2**-54
            middle = (low + high) / 2
            up = self._call("ppf", middle) <= x
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        return low

    @cached_property
    def _table(self) -> Array:
        return np.maximum.accumulate(self._call("ppf", np.arange(1, 4096) / 4096))

    def _inverse(self, p: Array) -> Array:
        """By bisection of the cdf, and in the upper half of what lies above."""
        first, last = self._bracket
        low, high = np.full(p.shape, first), np.full(p.shape, last)
        upper = p > 0.5
        for _ in range(200):
            middle = low / 2 + high / 2
            if not ((low < middle) & (middle < high)).any():
                break
            below, above = self._asked(middle)
            right = np.where(upper, above <= 1 - p, below >= p)
            low, high = np.where(right, low, middle), np.where(right, middle, high)
        return high

    @cached_property
    def _bracket(self) -> tuple[float, float]:
        """The support, or bounds beyond which there is next to nothing of the law."""
        low, high = self.support
        if math.isinf(low):
            low = self._grown(min(high, 0.0), -1.0, 0)
        if math.isinf(high):
            high = self._grown(max(low, 0.0), 1.0, 1)
        return low, high

    def _grown(self, start: float, sign: float, side: int) -> float:
        for power in range(-100, 1000):
            x = start + sign * 2.0**power
            left = float(self._asked(np.array([x, x]))[side][0])
            if left <= 2.0**-50:
                return x
        upper = "its sf" if self._has("sf") else "1 - its cdf"
        name, where = (upper, "upwards") if side else ("its cdf", "downwards")
        raise Broken(f"{self.custom!r} is no law: {name} never ends {where}: {left:g} at {x:g}")

    # ----------------------------------------------------------------------------- its numbers

    @cached_property
    def computed(self) -> tuple[float, float, float]:
        """Mean, variance and excess kurtosis by quadrature; NaN where the tails carry too much."""
        u, weights = _nodes()
        x = self.quantiles(u)
        tail = (u < 2.0**-25) | (u > 1 - 2.0**-25)

        def settled(power: int, about: float) -> float:
            parts = weights * (x - about) ** power
            size = np.abs(parts)
            return float(parts.sum()) if size[tail].sum() <= 0.01 * size.sum() else math.nan

        mean = settled(1, 0.0)
        variance = settled(2, mean)
        fourth = settled(4, mean)
        return mean, variance, fourth / variance**2 - 3 if variance > 0 else math.nan

    @cached_property
    def sensitivity(self) -> float:
        """How far the best test of the battery moves, in its standard deviations, where all values
        are multiplied by ``1 + e``: divided by ``e``. It is the root of two for a normal law.
        """
        if self.std == 0:
            return math.inf
        u, weights = _nodes()
        x, step = self.quantiles(u), 0.01
        sides = [np.clip(self.both(x * size)[0], 1e-9, 1 - 1e-9) for size in (1 + step, 1 - step)]
        moved = [weights @ (f(sides[0]) - f(sides[1])) for f in _FUNCTIONS]
        return max(float(np.abs(moved).max()) / (2 * step), 1e-3)

    @property
    def effort(self) -> float:
        """How many times the draws of a normal law show as small an error of the scale."""
        return min(max(1.0, 2 / self.sensitivity**2), 16.0)

    # ------------------------------------------------------------------------- is it one at all

    @cached_property
    def problem(self) -> str:
        """Why it is no law, or empty."""
        try:
            return next(self._problems(), "")
        except Broken as error:
            return str(error)
        except Exception as error:
            return f"{self.custom!r} is no law: it raised {type(error).__name__}: {error}"

    def _problems(self) -> Iterator[str]:
        title = f"{self.custom!r} is no law:"
        low, high = self.support
        if not low <= high:
            yield f"{title} its support goes from {low:g} to {high:g}"
        if self._has("cdf") and self._has("sf"):
            places = np.linspace(*self._bracket, 2001)
            below, above = self._asked(places)
            wrong = np.abs(below + above - 1) > _NEAR
            if wrong.any():
                at = int(wrong.argmax())
                yield (
                    f"{title} at {places[at]:.6g} its cdf is {below[at]:.6g} and its sf "
                    f"{above[at]:.6g}: together they are one"
                )
        p = _grid()
        x = self.quantiles(p)
        if not np.isfinite(x).all():
            at = int((~np.isfinite(x)).argmax())
            yield f"{title} its quantile of {p[at]:.6g} is {x[at]}"
        falls = np.diff(x) < -1e-9 * np.maximum(np.abs(x[1:]), np.abs(x[:-1]))
        if falls.any():
            at = int(falls.argmax())
            yield (
                f"{title} its ppf falls from {x[at]:.6g} at {p[at]:.6g} to {x[at + 1]:.6g} at "
                f"{p[at + 1]:.6g}"
            )
        near = 1e-6 * (np.abs(x) + abs(x[-1] - x[0]) * 1e-6)
        outside = (x < low - near) | (x > high + near)
        if outside.any():
            at = int(outside.argmax())
            yield (
                f"{title} its quantile of {p[at]:.6g} is {x[at]:.6g}, outside of its support, "
                f"{low:g} to {high:g}"
            )
        if self._has("cdf"):
            yield from self._cdf_problems(title, p, x, near)
        yield from self._moment_problems(title)

    def _cdf_problems(self, title: str, p: Array, x: Array, near: Array) -> Iterator[str]:
        places = np.unique(np.concatenate([x, np.linspace(x[0], x[-1], 2001)]))
        below = self._probabilities("cdf", places)
        falls = np.diff(below) < -1e-9
        if falls.any():
            at = int(falls.argmax())
            yield (
                f"{title} its cdf falls from {below[at]:.6g} at {places[at]:.6g} to "
                f"{below[at + 1]:.6g} at {places[at + 1]:.6g}"
            )
        left, right = self.both(x - near)[0], self.both(x + near)[0]
        apart = np.maximum(left - p, p - right)
        if apart.max() > _NEAR:
            at = int(apart.argmax())
            place, wanted, reached = x[at], p[at], float(self.both(x)[0][at])
            yield (
                f"{title} its cdf at {place:.6g}, the quantile of {wanted:.6g}, is {reached:.6g}"
                if self._has("ppf")
                else f"{title} its cdf at {place:.6g} is {reached:.6g} and does not reach "
                f"{wanted:.6g}"
            )

    def _moment_problems(self, title: str) -> Iterator[str]:
        source = "cdf" if not self._has("ppf") else "ppf"
        mean, variance, _ = self.computed
        stated = self.stated("mean")
        spread = math.sqrt(variance) if variance > 0 else 0.0
        if abs(stated - mean) > _MOMENT * spread + 1e-9 * abs(mean):
            yield f"{title} it says the mean {stated:.6g}, and by its {source} it is {mean:.6g}"
        stated = self.stated("variance")
        if stated < 0 or abs(stated - variance) > 2 * _MOMENT * variance + 1e-300:
            yield (
                f"{title} it says the variance {stated:.6g}, "
                f"and by its {source} it is {variance:.6g}"
            )


@lru_cache(maxsize=1)
def _grid() -> Array:
    """Probabilities at which a law is put to the question."""
    tail = 2.0 ** -np.arange(40.0, 8.0, -1)
    return np.concatenate([tail, np.linspace(0.004, 0.996, 497), 1 - tail[::-1]])


@lru_cache(maxsize=1)
def _nodes() -> tuple[Array, Array]:
    """Nodes and weights on (0, 1), close enough that a law with jumps has its moments, too."""
    tail = 2.0 ** -np.arange(50.0, 8.0, -1)
    edges = np.concatenate([tail, np.linspace(2.0**-8, 1 - 2.0**-8, 509)[1:-1], 1 - tail[::-1]])
    return bounds.panels(edges, 4)


def normal_scores(u: Array, complement: Array) -> Array:
    """Uniform numbers as standard normal ones, with all the digits of both tails."""
    return np.where(u < 0.5, special.ndtri(u), -special.ndtri(complement))


#: What the battery averages, each with mean zero and variance one.
_FUNCTIONS: tuple[Callable[[Array], Array], ...] = (
    *(bounds.legendre(degree) for degree in (1, 2, 3, 4)),
    lambda u: normal_scores(u, 1 - u),
    lambda u: (normal_scores(u, 1 - u) ** 2 - 1) / math.sqrt(2),
)
