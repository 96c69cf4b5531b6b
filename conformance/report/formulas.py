"""Wrong formulas of a scale, and the ratio of the standard deviation that each gives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from ...errors import InitSpecError
from ...spec.distribution import Distribution, TruncatedNormal, Uniform
from ...spec.fan_rules import Fans, Shape
from ...spec.layout import Layout, fans
from ...spec.scheme import Scheme
from ..probability.transform import CUT_AT_TWO


class Formula(NamedTuple):
    """A wrong formula and the ratio that it gives to the right standard deviation."""

    words: str
    ratio: float


def explaining(
    scheme: Scheme,
    shape: Shape,
    layout: Layout,
    law: Distribution,
    kind: str,
    low: float,
    high: float,
) -> list[str]:
    """The formulas whose ratio lies within an interval: at most two, none said twice.

    Those of the law's shape and of the fans go first; a plain factor is named where none of them
    fits. Of formulas that are one on this shape, the first is named. ``kind`` is the shape that
    the values have: see :class:`.looks.Looks`.
    """
    if not 0 < law.std < math.inf:
        return []
    groups = (
        of_the_shape(scheme, law, kind),
        of_the_formula(scheme, shape, layout, law.std),
        plain_factors(),
    )
    for formulas in groups:
        fitting = [
            formula
            for formula in formulas
            if low * 0.9999 <= formula.ratio <= high * 1.0001 and abs(formula.ratio - 1) > 1e-6
        ]
        if fitting:
            by_ratio: dict[float, str] = {}
            for formula in fitting:
                by_ratio.setdefault(round(formula.ratio, 9), formula.words)
            return list(dict.fromkeys(by_ratio.values()))[:2]
    return []


def of_the_shape(scheme: Scheme, law: Distribution, kind: str) -> Iterator[Formula]:
    """What goes wrong where a bounded law's limit, its parent and its spread are confused."""
    if isinstance(law, TruncatedNormal):
        ratio, cut = law.sigma / law.std, scheme.truncation
        is_corrected = cut is not None and cut.variance == "corrected"
        if kind in ("own", "cut") and is_corrected:
            yield Formula("a truncation that is not corrected", 1 / ratio)
            yield Formula("a truncation corrected twice", ratio)
            yield Formula("the factor 1.3 of tf.contrib", math.sqrt(1.3) / ratio)
        elif kind in ("own", "cut"):
            yield Formula("a correction for the truncation, which is not documented", ratio)
            yield Formula("a truncation that counts twice", 1 / ratio)
        elif kind == "normal":
            yield Formula("the parent's standard deviation, of which nothing is cut", ratio)
    elif kind == "cut":
        yield Formula("a truncation that is not corrected", CUT_AT_TWO.std)
    if kind == "uniform" or (kind == "own" and isinstance(law, Uniform)):
        yield Formula("the standard deviation taken for the limit", 1 / math.sqrt(3))
        yield Formula("the limit taken for the standard deviation", math.sqrt(3))
    elif isinstance(law, Uniform):
        yield Formula("the limit of the uniform law taken for the standard deviation", math.sqrt(3))


def of_the_formula(scheme: Scheme, shape: Shape, layout: Layout, std: float) -> Iterator[Formula]:
    """Fans counted or chosen wrongly, and what is left out of the formula or in it twice."""
    gain = scheme.gain_total
    if gain > 0 and scheme.nonlinearity is None and gain != 1:
        yield Formula("the gain left out", 1 / gain)
        yield Formula("the gain squared", gain)
        yield Formula("the gain taken for a factor of the variance", 1 / math.sqrt(gain))
        yield Formula("a division by the gain", 1 / gain**2)
    yield from _fan_mistakes(scheme, shape, layout, std)
    if gain > 0 and gain != 1:
        yield Formula("the gain left out", 1 / gain)
        yield Formula("the gain squared", gain)
    yield Formula("the variance taken for the standard deviation", std)
    yield Formula("the root of the variance taken twice", 1 / math.sqrt(std))


def plain_factors() -> Iterator[Formula]:
    """Numbers that turn up in formulas."""
    yield Formula("half of the variance", math.sqrt(0.5))
    yield Formula("twice the variance", math.sqrt(2))
    yield Formula("a third of the variance", math.sqrt(1 / 3))
    yield Formula("three times the variance", math.sqrt(3))
    yield Formula("one and a half times the variance", math.sqrt(1.5))
    yield Formula("two thirds of the variance", math.sqrt(2 / 3))
    yield Formula("a quarter of the variance", 0.5)
    yield Formula("four times the variance", 2.0)
    yield Formula("a sixth of the variance", math.sqrt(1 / 6))
    yield Formula("six times the variance", math.sqrt(6))


def _fan_mistakes(scheme: Scheme, shape: Shape, layout: Layout, std: float) -> Iterator[Formula]:
    if scheme.mode is None:
        return
    try:
        true, naive = fans(shape, layout), fans(shape, layout, "naive")
    except InitSpecError:
        return
    factor, mode = scheme.variance_factor, scheme.mode

    def by(words: str, n: float, over: float = factor) -> Formula:
        return Formula(words, math.sqrt(over / max(n, 1e-9) ** scheme.power) / std)

    yield from (by(words, n) for words, n in _parts(shape, layout, true, naive, mode))
    yield by(f"{factor:g}/fan_in", true.fan_in)
    yield by(f"{factor:g}/fan_out", true.fan_out)
    yield by(f"{factor:g}/average of the fans", true.n("FAN_AVG"))
    yield by(f"{factor:g}/sum of the fans", true.fan_in + true.fan_out)
    yield by(f"{factor:g}/geometric mean of the fans", true.n("FAN_GEO_AVG"))
    yield from (by(words, n) for words, n in _kernels(shape, layout, true, mode))
    yield by("fans counted with the bias unit", true.n(mode, True))
    third = "1/(3 fan_in), PyTorch's default of a layer (kaiming_uniform_ with a=sqrt(5))"
    yield by(third, 3 * true.fan_in, 1.0)
    if abs(factor - 1) > 1e-9:
        yield by("1/fan_in", true.fan_in, 1.0)
        yield by("1/fan_out", true.fan_out, 1.0)
        yield by("1/average of the fans", true.n("FAN_AVG"), 1.0)
        yield by("1/geometric mean of the fans", true.n("FAN_GEO_AVG"), 1.0)
        yield by("the factor squared", true.n(mode, scheme.bias_unit), factor**2)
    if abs(factor - 2) > 1e-9:
        yield by("2/fan_in", true.fan_in, 2.0)
        yield by("2/fan_out", true.fan_out, 2.0)
    if scheme.power != 1:
        n = true.n(mode, scheme.bias_unit)
        yield Formula("the fan itself in place of its power", math.sqrt(factor / n) / std)
    yield by("a fan without its root", true.n(mode, scheme.bias_unit) ** 2)
    yield by("a sum of the fans without its root", (true.fan_in + true.fan_out) ** 2, 2 * factor)


def _parts(
    shape: Shape, layout: Layout, true: Fans, naive: Fans, mode: str
) -> Iterator[tuple[str, float]]:
    """Groups, stacks and the axes of a kernel that stand for something else."""
    groups = layout.groups
    for role, size in zip(layout.roles(shape), shape, strict=True):
        groups *= size if role == "group" else 1
    if groups > 1:
        fan_in, fan_out = true
        if mode != "FAN_OUT":
            yield "groups miscounted: fan_in of all groups", Fans(fan_in * groups, fan_out).n(mode)
            yield (
                "groups miscounted: fan_in divided by them twice",
                Fans(fan_in / groups, fan_out).n(mode),
            )
        if mode != "FAN_IN":
            yield "groups miscounted: fan_out of all groups", Fans(fan_in, fan_out * groups).n(mode)
            yield (
                "groups miscounted: fan_out divided by them twice",
                Fans(fan_in, fan_out / groups).n(mode),
            )
        yield "groups miscounted: both fans of all groups", true.n(mode) * groups
        yield "groups miscounted: both fans divided by them twice", true.n(mode) / groups
    if naive == Fans(true.fan_out, true.fan_in):
        yield "the fans swapped", naive.n(mode)
    elif naive != true:
        yield "whole axes counted, groups and stacks not divided", naive.n(mode)


def _kernels(shape: Shape, layout: Layout, true: Fans, mode: str) -> Iterator[tuple[str, float]]:
    """The size of a kernel, forgotten or counted twice."""
    roles = layout.roles(shape)
    taps = math.prod(n for n, role in zip(shape, roles, strict=True) if role == "spatial")
    if taps > 1:
        inner = Fans(true.fan_in / taps, true.fan_out / taps)
        yield "the kernel's size left out of the fans", inner.n(mode)
        yield "the kernel's size counted twice in the fans", true.n(mode) * taps
        if mode in ("FAN_AVG", "FAN_GEO_AVG"):
            yield "the kernel's size left out of fan_in", Fans(inner.fan_in, true.fan_out).n(mode)
            yield "the kernel's size left out of fan_out", Fans(true.fan_in, inner.fan_out).n(mode)
    if len(shape) > 2:
        size = math.prod(shape)
        kernel = Fans(size / max(shape[-1], 1), size / max(shape[-2], 1))
        yield "all axes but the last two taken for a kernel's", kernel.n(mode)
        yield "the last two axes taken for the fans", Fans(shape[-2], shape[-1]).n(mode)
        first = Fans(size / max(shape[0], 1), size / max(shape[1], 1))
        yield "all axes but the first two taken for a kernel's", first.n(mode)
