"""An inference in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..errors import InitSpecError
from ..spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..spec.fan_rules import Fans
from ..spec.layout import Layout, fans
from .candidates import Match, Origin
from .fit import ALPHA


def some(origins: tuple[Origin, ...], most: int) -> str:
    named = ", ".join(map(str, origins[:most]))
    return named + (f" and {len(origins) - most} more names" if len(origins) > most else "")


def laws_in_words(count: int) -> str:
    return f"{count} more law{'s' * (count > 1)}"


def sentence_of(
    sample: Any,
    groups: tuple[tuple[Match, ...], ...],
    looks: tuple[Distribution, ...],
    needed: int | None,
    layouts: tuple[Layout, ...],
) -> str:
    if not groups and sample.n > 1:
        if not looks:
            return f"None of ours: {_strange(sample)}."
        also = (
            f" ({' and '.join(law.words for law in looks[1:])} fits as well)" if looks[1:] else ""
        )
        return f"None of ours: {looks[0].words}{also}, {_scale(sample, looks[0], layouts)}."
    if needed is not None:
        stds = [one.law.std for one in groups[0]] if groups else []
        alike = (
            f"{len(stds)} laws fit alike, of standard deviations from {min(stds):.3g} to "
            f"{max(stds):.3g}; "
            if len(stds) > 1
            else ""
        )
        values = f"{sample.n:,} values are" if sample.n > 1 else "One value is"
        return f"{values} too few to say anything: {alike}about {needed:,} tell such laws apart."
    first = groups[0]
    also = f"; or {laws_in_words(len(first) - 1)}" if len(first) > 1 else ""
    return f"Could be {first[0].origins[0]}: {first[0].law.words}{also}."


def _fitted(sample: Any) -> Iterator[Distribution]:
    """A law of each family, with the tensor's own numbers."""
    n, low, high = sample.n, sample.low, sample.high
    std = math.sqrt(sample.variance)
    mean = sample.mean if abs(sample.mean) > 4 * std / math.sqrt(n) else 0.0
    yield Normal(mean, std)
    gap = (high - low) / (n - 1)
    limit = max(-low, high) * (1 + 1 / n)
    even = abs(low + high) < 20 * gap
    yield Uniform(-limit, limit) if even else Uniform(low - gap, high + gap)
    wide = max(mean - low, high - mean) / 2
    yield TruncatedNormal(
        mean, max(std / TruncatedNormal(0.0, 1.0, -2.0, 2.0).std, wide), -2.0, 2.0
    )


def looks_like(sample: Any) -> tuple[Distribution, ...]:
    """The laws of usual families, with the tensor's own numbers, that fit: the likeliest first."""
    from .fit import refusal

    if sample.n < 2 or sample.low == sample.high:
        return ()
    fits = [law for law in _fitted(sample) if refusal(law, sample, ALPHA) is None]
    return tuple(sorted(fits, key=sample.log_likelihood, reverse=True))


#: How many different numbers samplers make that work in a narrow type themselves; a law rounded
#: to that type has thousands.
_LEVELS = {"bfloat16": 384, "float16": 1024}


def _strange(sample: Any) -> str:
    """What a tensor of no usual family has about it."""
    from .fit import refusal

    if sample.dtype in _LEVELS and sample.distinct <= _LEVELS[sample.dtype] < sample.n / 4:
        return (
            f"it has only {sample.distinct} different numbers, as samplers that work in "
            f"{sample.dtype} itself make them (JAX's is one): no law that is known here"
        )
    refusals = [refusal(law, sample, ALPHA) for law in _fitted(sample)]
    numbers = f"mean {sample.mean:.3g}, std {math.sqrt(sample.variance):.3g}"
    if any(found is not None and found.test == "matrix" for found in refusals):
        return (
            f"its elements hang together, {numbers}; a part of low rank, as training adds, "
            "makes its largest singular value larger than chance does"
        )
    number, count = sample.longest
    if any(found is not None and found.test == "repeats" for found in refusals):
        return f"the number {number:.6g} stands in it {count:,} times; {numbers}"
    return (
        f"neither normal nor uniform nor a normal law cut at two parent stds; {numbers}, "
        f"excess kurtosis {sample.kurtosis:.3g}"
    )


def _scale(sample: Any, law: Distribution, layouts: tuple[Layout, ...]) -> str:
    """The scale of a law that is no scheme's, by the fans that could stand behind it."""
    if len(sample.values.shape) < 2:
        if isinstance(law, Uniform) and law.low == -law.high:
            return (
                f"a limit of 1 / sqrt({law.high**-2:.0f}); a bias bounded by its weight's fan_in, "
                "as PyTorch's, has that in its place"
            )
        return "which is no scheme's scale"
    counted = []
    for layout in layouts:
        try:
            count: Fans = fans(sample.values.shape, layout)
        except InitSpecError:
            continue
        counted.append(
            f"{law.variance * count.fan_in:.3g} / fan_in or {law.variance * count.fan_out:.3g} / "
            f"fan_out with layout {layout}"
        )
    scales = f", {'; '.join(counted)}" if counted else ""
    return f"which is no scheme's scale on this shape (variance {law.variance:.4g}{scales})"
