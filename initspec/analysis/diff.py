"""How far apart two laws are, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..readings.registry import get, schemes
from ..spec.distance import (
    ROUNDING,
    close,
    distance_or_none,
    draws,
    same_law,
    variance_ratio,
)
from ..spec.distribution import Distribution, TruncatedNormal
from ..spec.fan_rules import Shape
from ..spec.layout import Layout, checked_shape, fans
from ..spec.scheme import Scheme
from .difference import Difference, Side, count_in_words

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


def diff(
    a: Any, b: Any, shape: Shape | list[int], layout: Layout | str | None = None
) -> Difference:
    """Two schemes side by side on one shape, and one sentence that says what it means.

    ``a`` and ``b`` are names, or anything that :func:`initspec.get` takes. Raises
    :class:`UnknownName` and :class:`LayoutError` as ``get`` and ``Scheme.on`` do.

    >>> answer = diff("he_normal@keras", "he_normal@torch", (512, 256), "io")
    >>> answer.draws_ks
    13677
    >>> print(answer.sentence)
    The scale is the same; the first is cut at -2 and 2 standard deviations of its parent, the \
second is not cut; it shows from 13,677 draws.
    """
    size = checked_shape(shape)
    pair = get(a), get(b)
    first, second = (Side.of(scheme, scheme.on(size, layout)) for scheme in pair)
    same = same_law(first.law, second.law)
    distance = 0.0 if same else distance_or_none(first.law, second.law)
    ratio = 1.0 if same else _ratio(first, second)
    difference = Difference(
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
    return replace(difference, sentence=_sentence(pair, difference))


def _ratio(first: Side, second: Side) -> float | None:
    if first.variance is None or second.variance is None:
        return None
    return variance_ratio(first.variance, second.variance)


def _draws_by_variance(first: Side, ratio: float | None) -> float:
    if ratio is None or first.kurtosis is None or abs(ratio - 1) <= ROUNDING:
        return math.inf
    if first.variance == 0:
        return 1  # any other value shows
    return max(1, round(25 * (first.kurtosis + 2) / (ratio - 1) ** 2))


# -------------------------------------------------------------------------------------- in words


def _sentence(pair: tuple[Scheme, Scheme], difference: Difference) -> str:
    if difference.same:
        return "They are one law on this shape: no number of draws tells them apart."
    first, second = difference.first.law, difference.second.law
    parts = [*_places(difference), *_scales(pair, difference), *_families(first, second)]
    if math.isfinite(difference.draws):
        plural = "s" * (difference.draws > 1)
        parts.append(f"it shows from {count_in_words(difference.draws)} draw{plural}")
    elif not (first.elementwise and second.elementwise):
        parts.append("one element at a time does not show it, the whole tensor does")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _places(difference: Difference) -> Iterator[str]:
    first, second = difference.first.mean, difference.second.mean
    if {difference.first.law.kind, difference.second.law.kind} == {"constant"}:
        return  # their values are named below
    if first is not None and second is not None and not close(first, second):
        yield f"the mean of the first is {first:.6g}, of the second {second:.6g}"


_TIMES = {1 / 2: "half", 2: "twice", 3: "three times", 4: "four times", 6: "six times"} | {
    1 / 3: "a third of",
    1 / 4: "a quarter of",
    1 / 6: "a sixth of",
}


def _scales(pair: tuple[Scheme, Scheme], difference: Difference) -> Iterator[str]:
    ratio = difference.variance_ratio
    if ratio is None:
        yield "a law does not say its variance"
    elif math.isinf(ratio) or ratio == 0:
        return  # what the laws are says it all
    elif abs(ratio - 1) > 1e-9:
        times = next((word for value, word in _TIMES.items() if _near(ratio, value)), None)
        yield f"the second has {times or f'{ratio:.4g} times'} the variance"
        yield from _reasons(pair, difference)
    elif difference.first.variance:
        yield "the scale is the same"


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9)


_FANS = {
    "FAN_IN": "fan_in",
    "FAN_OUT": "fan_out",
    "FAN_AVG": "the average of the fans",
    "FAN_GEO_AVG": "the geometric mean of the fans",
}


def _reasons(pair: tuple[Scheme, Scheme], difference: Difference) -> Iterator[str]:
    """Why the variances differ, as the fields of both schemes tell it."""
    a, b = pair
    if a.mode is not None and b.mode is not None:
        counts = [_divisor(scheme, difference) for scheme in pair]
        if counts[0] != counts[1]:
            one, two = (
                f"{_FANS[scheme.mode or '']}{' and the bias' * scheme.bias_unit}, {n:g}"
                for scheme, n in zip(pair, counts, strict=True)
            )
            yield f"the first divides by {one}, the second by {two}"
        if a.power != b.power:
            yield (
                f"the first divides by the power {_short(a.power)} of its fan, the second by "
                f"the power {_short(b.power)}"
            )
        if not _near(a.variance_factor, b.variance_factor):
            one, two = _told(a.variance_factor, b.variance_factor)
            yield (f"the first has the factor {one} above its fan, the second {two}")
    elif a.mode is not None or b.mode is not None:
        fixed, scaled = ("second", "first") if a.mode else ("first", "second")
        yield f"the {scaled} follows the fans, the {fixed} does not"
    taken = [_taken(a, difference.first.law), _taken(b, difference.second.law)]
    if taken[0] != taken[1]:
        for word, correction in zip(("first", "second"), taken, strict=True):
            if correction == "uncorrected":
                yield f"the {word} does not make up for what its cut takes"
            elif correction:
                yield f"the {word} multiplies its parent's variance by {correction:g}"
    yield from _units(pair)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _divisor(scheme: Scheme, difference: Difference) -> float:
    """The fan by which a scheme divides, on the shape of the difference."""
    counted = fans(difference.shape, difference.layout, scheme.fans)
    return counted.n(scheme.mode or "", scheme.bias_unit)


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
    units = {}
    for word, argument in entry.arguments.items():
        unit = entry.units.get(word, "")
        multiplied = words.get(unit, unit) or by_field.get(argument.field)
        if multiplied and f"{word}=" in arguments:
            units[word] = multiplied
    return units


def _families(first: Distribution, second: Distribution) -> Iterator[str]:
    if {first.kind, second.kind} == {"normal", "truncated_normal"}:
        one, two = (
            law.cut if isinstance(law, TruncatedNormal) else "not cut" for law in (first, second)
        )
        yield f"the first is {one}, the second is {two}"
        return
    if first.family != second.family:
        yield f"the first is {first.family}, the second {second.family}"


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
