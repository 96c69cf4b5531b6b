"""How far apart two laws are, in numbers and in words."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import accumulate
from typing import Any

from .distribution import (
    Constant,
    Discrete,
    Distribution,
    Normal,
    Spiked,
    Triangular,
    TruncatedNormal,
    Uniform,
)
from .errors import SpecError
from .layout import Layout, Shape, fans
from .registry import get, schemes
from .scheme import Scheme, checked_shape
from .structure import (
    DeltaOrthogonal,
    Given,
    Orthogonal,
    Sparse,
    Stencil,
    Structured,
)
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
        marginal = law.marginal if isinstance(law, Structured) and law.kind != "custom" else law
        match marginal:
            case Constant():
                return cls((marginal.value,), (1.0,), 0.0, None)
            case Discrete():
                return cls(marginal.values, tuple(accumulate(marginal.weights)), 0.0, None)
            case Spiked() if marginal.base.kind in _DENSITIES:
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


_DENSITIES = ("normal", "uniform", "truncated_normal")


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


# --------------------------------------------------------------------------------------- one law


def equivalent(
    a: Any, b: Any, shape: Shape | list[int], layout: Layout | str | None = None
) -> bool:
    """Whether two schemes are one law on this shape, equal to rounding.

    Laws of single elements are one where their Kolmogorov distance is at most 1e-12, laws of a
    whole tensor where all their fields are equal to rounding. ``a`` and ``b`` are names, or
    anything that :func:`initspec.get` takes.

    >>> equivalent("glorot_normal@neupy(gain=2)", "glorot_normal@torch", (512, 256))
    True
    >>> equivalent("he_normal@keras", "he_normal@torch", (512, 256))
    False
    """
    size = checked_shape(shape)
    return same_law(get(a).on(size, layout), get(b).on(size, layout))


def same_law(a: Distribution, b: Distribution) -> bool:
    """Whether two laws on the same shape and layout are one, to rounding."""
    a, b = _simplest(a), _simplest(b)
    if a == b:
        return True
    if isinstance(a, Structured) or isinstance(b, Structured):
        return _close(a, b)
    if a.variance == 0 or b.variance == 0:
        return a.variance == b.variance and _close(a.mean, b.mean)
    return ks(a, b) <= ROUNDING


def _simplest(law: Distribution) -> Distribution:
    """A law of a whole tensor that has one value everywhere is that constant."""
    if isinstance(law, Structured) and law.kind != "custom":
        low, high = law.support
        return Constant(low) if low == high else law
    return law


def _close(a: Any, b: Any) -> bool:
    """Equal, with numbers anywhere inside equal to rounding."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=ROUNDING)
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_close, a, b))
    if is_dataclass(a):
        own = (item.name for item in fields(a) if item.compare)
        return all(_close(getattr(a, name), getattr(b, name)) for name in own)
    return bool(a == b)


# -------------------------------------------------------------------------------------- the diff


@dataclass(frozen=True, slots=True)
class Side:
    """One of two schemes, on a shape; numbers that its law does not say are None."""

    name: str
    formula: str
    law: Distribution
    mean: float | None
    variance: float | None
    support: tuple[float, float]
    kurtosis: float | None

    @classmethod
    def of(cls, scheme: Scheme, law: Distribution) -> Side:
        """The numbers of a law; a custom one may leave some of them out."""
        name = scheme.name or repr(scheme)
        mean, variance, kurtosis = (_said(law, word) for word in ("mean", "variance", "kurtosis"))
        return cls(name, scheme.formula, law, mean, variance, law.support, kurtosis)

    def to_dict(self) -> dict[str, Any]:
        """As plain data; the law is named by its kind."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**data, "law": self.law.kind, "support": list(self.support)}


def _said(law: Distribution, word: str) -> float | None:
    try:
        return float(getattr(law, word))
    except SpecError:
        return None


@dataclass(frozen=True, slots=True)
class Difference:
    """What tells two schemes apart on one shape.

    ``variance_ratio`` is the second's variance by the first's. ``ks`` is the Kolmogorov distance of
    single elements, None where :func:`ks` knows none. ``draws_ks`` and ``draws_variance`` are how
    many draws of the second show that they are not the first's: by Kolmogorov and Smirnov's test at
    a false alarm rate of 1e-3, ``(1.949 / ks)**2``, and by a variance that is five standard errors
    off, ``25 (kurtosis + 2) / (variance_ratio - 1)**2``; infinity where it never shows.
    """

    shape: Shape
    layout: str
    first: Side
    second: Side
    same: bool
    variance_ratio: float | None
    ks: float | None
    draws_ks: float
    draws_variance: float
    sentence: str

    @property
    def draws(self) -> float:
        """How many draws show it, by whichever test needs fewer; infinity where none does."""
        return min(self.draws_ks, self.draws_variance)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "shape": list(self.shape),
            "layout": self.layout,
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "same": self.same,
            "variance_ratio": self.variance_ratio,
            "ks": self.ks,
            "draws": {"ks": self.draws_ks, "variance": self.draws_variance},
            "sentence": self.sentence,
        }

    def lines(self) -> list[str]:
        """Two columns, what tells them apart, and what it means."""
        import textwrap

        width, head = 40, "  "
        table = [f"on shape {self.shape}, layout {self.layout}", ""]
        for word in ("name", "formula", "mean", "variance", "std", "support", "kurtosis"):
            cells = [
                textwrap.wrap(_cell(side, word), width, break_on_hyphens=False) or [""]
                for side in (self.first, self.second)
            ]
            for i in range(max(map(len, cells))):
                left, right = (cell[i] if i < len(cell) else "" for cell in cells)
                title = word if i == 0 and word != "name" else ""
                table.append(f"{head}{title:10}{left:{width}}  {right}".rstrip())
        ratio = "unknown" if self.variance_ratio is None else f"{self.variance_ratio:.6g}"
        distance = "unknown" if self.ks is None else f"{self.ks:.6g}"
        table += [
            "",
            f"{head}variance ratio       {ratio}",
            f"{head}Kolmogorov distance  {distance}",
            f"{head}draws that show it   {_count(self.draws_ks)} by Kolmogorov-Smirnov, "
            f"{_count(self.draws_variance)} by the variance",
            "",
        ]
        return table + textwrap.wrap(self.sentence, 96)


def _cell(side: Side, word: str) -> str:
    if word in ("name", "formula"):
        return str(getattr(side, word))
    if word == "support":
        return f"({side.support[0]:.6g}, {side.support[1]:.6g})"
    if word == "std":
        value = None if side.variance is None else math.sqrt(side.variance)
    else:
        value = getattr(side, word)
    return "unknown" if value is None else f"{value:.6g}"


def _count(n: float) -> str:
    return f"{n:,.0f}" if math.isfinite(n) else "no number"


def diff(
    a: Any, b: Any, shape: Shape | list[int], layout: Layout | str | None = None
) -> Difference:
    """Two schemes side by side on one shape, and one sentence that says what it means.

    ``a`` and ``b`` are names, or anything that :func:`initspec.get` takes. Raises
    :class:`UnknownName` and :class:`LayoutError` as ``get`` and ``Scheme.on`` do.

    >>> found = diff("he_normal@keras", "he_normal@torch", (512, 256), "io")
    >>> found.draws_ks
    13677
    >>> print(found.sentence)
    The scale is the same; the first is cut at -2 and 2 standard deviations of its parent, the \
second is not cut; it shows from 13,677 draws.
    """
    size = checked_shape(shape)
    pair = get(a), get(b)
    first, second = (Side.of(scheme, scheme.on(size, layout)) for scheme in pair)
    same = same_law(first.law, second.law)
    distance = 0.0 if same else _distance(first.law, second.law)
    ratio = 1.0 if same else _ratio(first, second)
    found = Difference(
        shape=size,
        layout=str(Layout.of(layout, len(size))),
        first=first,
        second=second,
        same=same,
        variance_ratio=ratio,
        ks=distance,
        draws_ks=draws(distance),
        draws_variance=_draws_by_variance(first, ratio),
        sentence="",
    )
    return replace(found, sentence=_sentence(pair, found))


def draws(distance: float | None) -> float:
    """How many draws show a Kolmogorov distance at a false alarm rate of 1e-3.

    >>> draws(0.5)
    15
    """
    if not distance or distance <= ROUNDING:
        return math.inf
    return max(1, round((KOLMOGOROV / distance) ** 2))


def _distance(a: Distribution, b: Distribution) -> float | None:
    try:
        return ks(a, b)
    except SpecError:
        return None


def _ratio(first: Side, second: Side) -> float | None:
    if first.variance is None or second.variance is None:
        return None
    if first.variance == 0:
        return 1.0 if second.variance == 0 else math.inf
    return second.variance / first.variance


def _draws_by_variance(first: Side, ratio: float | None) -> float:
    if ratio is None or first.kurtosis is None or abs(ratio - 1) <= ROUNDING:
        return math.inf
    if first.variance == 0:
        return 1  # any other value shows
    return max(1, round(25 * (first.kurtosis + 2) / (ratio - 1) ** 2))


# -------------------------------------------------------------------------------------- in words


def _sentence(pair: tuple[Scheme, Scheme], found: Difference) -> str:
    if found.same:
        return "They are one law on this shape: no number of draws tells them apart."
    first, second = found.first.law, found.second.law
    parts = [*_places(found), *_scales(pair, found), *_families(first, second)]
    if math.isfinite(found.draws):
        parts.append(f"it shows from {_count(found.draws)} draw{'s' * (found.draws > 1)}")
    elif isinstance(first, Structured) or isinstance(second, Structured):
        parts.append("one element at a time does not show it, the whole tensor does")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _places(found: Difference) -> Iterator[str]:
    first, second = found.first.mean, found.second.mean
    if {found.first.law.kind, found.second.law.kind} == {"constant"}:
        return  # their values are named below
    if first is not None and second is not None and not _close(first, second):
        yield f"the mean of the first is {first:.6g}, of the second {second:.6g}"


_TIMES = {1 / 2: "half", 2: "twice", 3: "three times", 4: "four times", 6: "six times"} | {
    1 / 3: "a third of",
    1 / 4: "a quarter of",
    1 / 6: "a sixth of",
}


def _scales(pair: tuple[Scheme, Scheme], found: Difference) -> Iterator[str]:
    ratio = found.variance_ratio
    if ratio is None:
        yield "a law does not say its variance"
    elif math.isinf(ratio) or ratio == 0:
        return  # what the laws are says it all
    elif abs(ratio - 1) > 1e-9:
        times = next((word for value, word in _TIMES.items() if _near(ratio, value)), None)
        yield f"the second has {times or f'{ratio:.4g} times'} the variance"
        yield from _reasons(pair, found)
    elif found.first.variance:
        yield "the scale is the same"


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9)


_FANS = {
    "FAN_IN": "fan_in",
    "FAN_OUT": "fan_out",
    "FAN_AVG": "the average of the fans",
    "FAN_GEO_AVG": "the geometric mean of the fans",
}


def _reasons(pair: tuple[Scheme, Scheme], found: Difference) -> Iterator[str]:
    """Why the variances differ, as the fields of both schemes tell it."""
    a, b = pair
    if a.mode is not None and b.mode is not None:
        counts = [
            fans(found.shape, found.layout, scheme.fans).n(scheme.mode or "", scheme.bias_unit)
            for scheme in pair
        ]
        if counts[0] != counts[1]:
            one, two = (
                f"{_FANS[scheme.mode or '']}{' and the bias' * scheme.bias_unit}, {n:g}"
                for scheme, n in zip(pair, counts, strict=True)
            )
            yield f"the first divides by {one}, the second by {two}"
        if not _near(a.variance_factor, b.variance_factor):
            one, two = _told(a.variance_factor, b.variance_factor)
            yield (f"the first has the factor {one} above its fan, the second {two}")
    elif a.mode is not None or b.mode is not None:
        fixed, scaled = ("second", "first") if a.mode else ("first", "second")
        yield f"the {scaled} follows the fans, the {fixed} does not"
    taken = [_taken(*side) for side in zip(pair, (found.first.law, found.second.law), strict=True)]
    if taken[0] != taken[1]:
        for word, correction in zip(("first", "second"), taken, strict=True):
            if correction == "uncorrected":
                yield f"the {word} does not make up for what its cut takes"
            elif correction:
                yield f"the {word} multiplies its parent's variance by {correction:g}"
    yield from _units(pair)


def _taken(scheme: Scheme, law: Distribution) -> str | float:
    """What is done, short of correcting it, about the variance that a cut takes."""
    cut = scheme.truncation
    if cut is None or not isinstance(law, TruncatedNormal) or cut.variance == "corrected":
        return ""
    return cut.variance if law.variance < law.sigma**2 * (1 - 1e-9) else ""


def _units(pair: tuple[Scheme, Scheme]) -> Iterator[str]:
    """Both were given the same argument, and one counts it in variances."""
    one, two = (_multipliers(scheme) for scheme in pair)
    for word in one.keys() & two.keys():
        if one[word] != two[word]:
            yield f"{word} multiplies the first's {one[word]} and the second's {two[word]}"


def _multipliers(scheme: Scheme) -> dict[str, str]:
    """What each argument that was given multiplies."""
    name, called, arguments = (scheme.name or "").partition("(")
    if not called or name not in schemes:
        return {}
    entry, words = schemes[name], {"std": "standard deviation"}
    by_field = {"factor": "variance", "gain": "standard deviation"}
    found = {}
    for word, target in entry.arguments.items():
        unit = entry.units.get(word, "")
        multiplied = words.get(unit, unit) or by_field.get(str(target).partition("*")[0])
        if multiplied and f"{word}=" in arguments:
            found[word] = multiplied
    return found


def _families(first: Distribution, second: Distribution) -> Iterator[str]:
    if {first.kind, second.kind} == {"normal", "truncated_normal"}:
        one, two = (_cut(law) or "not cut" for law in (first, second))
        yield f"the first is {one}, the second is {two}"
        return
    one, two = _family(first), _family(second)
    if one != two:
        yield f"the first is {one}, the second {two}"


def _cut(law: Distribution) -> str:
    if not isinstance(law, TruncatedNormal):
        return ""
    return f"cut at {law.low:g} and {law.high:g} standard deviations of its parent"


def _told(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart, at least four.

    >>> _told(2.0, 1.9998), _told(2.0, 1 / 3)
    (('2', '1.9998'), ('2', '0.3333'))
    """
    for digits in range(4, 17):
        one, two = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if one != two:
            break
    return one, two


def _family(law: Distribution) -> str:
    match law:
        case TruncatedNormal():
            return f"a normal law {_cut(law)}"
        case Normal() | Uniform():
            return f"a {law.kind} law"
        case Constant():
            return f"always {law.value:g}"
        case Orthogonal() | DeltaOrthogonal():
            matrix = f"an orthogonal matrix of {law.rows} by {law.columns}"
            return f"{law.count} times {matrix}" if law.count > 1 else matrix
        case Stencil():
            return "a fixed pattern"
        case Given():
            return "a given array"
        case Sparse():
            return f"a matrix with {law.zeros} zeros in the {law.length} weights of each {law.unit}"
    return repr(law)
