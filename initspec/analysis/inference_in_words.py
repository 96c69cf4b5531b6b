"""An inference in words."""

from __future__ import annotations

import math
import re

from ..errors import InitSpecError
from ..spec.distribution import Distribution, Uniform
from ..spec.layout import Layout, fans
from .candidates import Origin, plainest
from .goodness_of_fit import every, refusal, surprising, usual_families
from .matches import Groups
from .sample import Line, Sample


def names_in_words(origins: tuple[Origin, ...], most: int) -> str:
    """The first ``most`` names, and how many more there are."""
    named = ", ".join(map(str, origins[:most]))
    return named + (f" and {len(origins) - most} more names" if len(origins) > most else "")


def laws_in_words(count: int) -> str:
    """``"1 more law"``, ``"2 more laws"``."""
    return f"{count} more law{'s' * (count > 1)}"


def sentence_of(
    sample: Sample,
    groups: Groups,
    looks: tuple[Distribution, ...],
    needed: int | None,
    layouts: tuple[Layout, ...],
    zero: Line | None = None,
) -> str:
    """What an inference means, in one sentence; ``zero`` is a row or column that was set apart."""
    if not groups and sample.n > 1:
        if not looks:
            return f"None of ours: {_strange(sample)}."
        also = (
            f" ({' and '.join(law.words for law in looks[1:])} fits as well)" if looks[1:] else ""
        )
        return f"None of ours: {_about(looks[0])}{also}, {_scale(sample, looks[0], layouts)}."
    if needed is not None:
        stds = [match.law.std for match in groups[0]] if groups else []
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
    if zero is not None:
        line = ("row", "column")[zero.axis]
        also += f"; {line} {zero.place} is zero, as the one of a padding index is"
    return f"Could be {_headline(first[0].origins)}: {first[0].law.words}{also}."


def _headline(origins: tuple[Origin, ...]) -> str:
    """The plainest name; where it is no bare one of every layout, also a well known layer's."""
    layer = next((origin.name for origin in origins if "#" in origin.name), "")
    called, _, parameter = layer.partition("#")
    default = f"the default of {called} ({parameter})" if layer else ""
    if origins[0].name == layer:
        return default
    plain = not origins[0].layouts and "@" not in origins[0].name
    return (
        str(origins[0]) if plain or not layer or not _ranked(called) else f"{origins[0]}, {default}"
    )


def _ranked(layer: str) -> bool:
    return plainest(f"x@{layer.partition('.')[0]}")[1] < plainest("x@nobody")[1]


#: A number that stands in a tensor more often than this chance is what is strange about it.
_SURPRISE = 1e-5


def _digits(x: float) -> float:
    """Two digits: as much as an estimate from a few hundred numbers holds."""
    return float(f"{x:.2g}")


def _about(law: Distribution) -> str:
    """A law whose numbers are estimates, with three digits of them."""
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda match: f"{float(match[0]):.3g}", law.words)


#: How many different numbers samplers make that work in a narrow type themselves; a law rounded
#: to that type has thousands.
_LEVELS = {"bfloat16": 384, "float16": 1024}


def _strange(sample: Sample) -> str:
    """What a tensor of no usual family has about it."""
    if sample.dtype in _LEVELS and sample.distinct <= _LEVELS[sample.dtype] < sample.n / 4:
        return (
            f"it has only {sample.distinct} different numbers, as samplers that work in "
            f"{sample.dtype} itself make them (JAX's is one): no law that is known here"
        )
    refusals = [refusal(law, sample) for law in usual_families(sample)]
    tests = {refused.test for refused in refusals if refused is not None}
    numbers = f"mean {sample.mean:.3g}, std {math.sqrt(sample.variance):.3g}"
    lines, copies = sample.doubled
    if copies:
        return f"{copies:,} of its {lines} are copies of others; {numbers}"
    if "matrix" in tests:
        return (
            f"its elements hang together, {numbers}; a part of low rank, as training adds, "
            "makes its largest singular value larger than chance does"
        )
    for law in usual_families(sample):
        repeats = next(refused for refused in every(law, sample) if refused.test == "repeats")
        if repeats.p < _SURPRISE:
            number, count = surprising(law, sample)
            return f"the number {number:.6g} stands in it {count:,} times; {numbers}"
    return (
        f"neither normal nor uniform nor a normal law cut at two parent stds; {numbers}, "
        f"excess kurtosis {sample.kurtosis:.3g}"
    )


def _scale(sample: Sample, law: Distribution, layouts: tuple[Layout, ...]) -> str:
    """The scale of a law that is no scheme's, by the fans that could stand behind it."""
    if len(sample.values.shape) < 2:
        if isinstance(law, Uniform) and law.low == -law.high:
            return (
                f"a limit of about 1 / sqrt({_digits(law.high**-2):g}); a bias bounded by its "
                "weight's fan_in, as PyTorch's, has that in its place"
            )
        return "which is no scheme's scale"
    scales = []
    for layout in layouts:
        try:
            fan_in, fan_out = fans(sample.values.shape, layout)
        except InitSpecError:
            continue
        scales.append(
            f"{law.variance * fan_in:.3g} / fan_in or {law.variance * fan_out:.3g} / "
            f"fan_out with layout {layout}"
        )
    by_fans = f", {'; '.join(scales)}" if scales else ""
    return f"which is no scheme's scale on this shape (variance {law.variance:.4g}{by_fans})"
