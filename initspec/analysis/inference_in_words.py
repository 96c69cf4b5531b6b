"""An inference in words."""

from __future__ import annotations

import math
import re

from ..errors import InitSpecError
from ..spec.distribution import Constant, Distribution, Uniform
from ..spec.layout import Layout, fans
from .candidates import Origin, plainest
from .goodness_of_fit import every, surprising, usual_families
from .matches import Groups
from .parts import Part
from .patterns import coarse, deficient, pattern, scales
from .places import lines_of, places
from .sample import Sample


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
    apart: tuple[str, ...] = (),
) -> str:
    """What an inference means, in one sentence that begins with what is surprising.

    ``apart`` is what was set apart, and ``sample`` what is left then.
    """
    first = "; ".join(apart)
    if not sample.n:
        return f"None of ours: {first}."
    if not groups and sample.n > 1:
        what = _foreign(sample, looks, layouts)
        return f"None of ours: {first}; of the rest, {what}." if apart else f"None of ours: {what}."
    if needed is not None:
        stds = [match.law.std for match in groups[0]] if groups else []
        alike = (
            f"{len(stds)} laws fit alike, of standard deviations from {min(stds):.3g} to "
            f"{max(stds):.3g}; "
            if len(stds) > 1
            else ""
        )
        if groups and isinstance(groups[0][0].law, Constant):  # one value
            alike = f"{groups[0][0].names[0]} makes it, and so could much else; "
        values = f"{sample.n:,} values are" if sample.n > 1 else "One value is"
        if apart:
            values = f"{_capital(first)}; the other {values[0].lower()}{values[1:]}"
        return f"{values} too few to say anything: {alike}about {needed:,} tell such laws apart."
    found = groups[0]
    also = f"; or {laws_in_words(len(found) - 1)}" if len(found) > 1 else ""
    also += _how_little(sample, found[0].law, looks)
    could = f"be {_headline(found[0].origins)}: {found[0].law.words}{also}."
    return f"{_capital(first)}; the rest could {could}" if apart else f"Could {could}"


def _how_little(sample: Sample, law: Distribution, looks: tuple[Distribution, ...]) -> str:
    """Of a few values, what they do not tell: two standard errors, and the shape."""
    if not law.elementwise or len({type(fitting) for fitting in looks}) < 2 or sample.n > 1000:
        return ""
    error = math.sqrt((law.kurtosis + 2) / sample.n)
    return f"; {sample.n:,} values tell its scale to {error:.0%}, and little of its shape"


def parts_in_words(parts: tuple[Part, ...], ndim: int) -> str:
    """A tensor whose parts have laws of their own, in one sentence."""
    said = [_law_of(part) for part in parts]
    word = lines_of(ndim, parts[0].axis)
    if len(set(said)) == 1:
        many = f"{len(parts)} parts of its {word.many}{word.where}"
        return f"None of ours as a whole: each of {many} {said[0]}."
    named = [
        f"{places(range(part.start, part.stop), word)} {words}{_gate(part, parts, ndim)}"
        for part, words in zip(parts, said, strict=True)
    ]
    return f"None of ours as a whole, for its parts have laws of their own: {'; '.join(named)}."


def _law_of(part: Part) -> str:
    if part.groups:
        match = part.groups[0][0]
        return f"could be {_headline(match.origins)} ({match.law.words})"
    assert part.looks is not None
    return f"could be {_about(part.looks)}, which is no scheme's scale"


def _gate(part: Part, parts: tuple[Part, ...], ndim: int) -> str:
    """The second quarter of a bias with a mean of one."""
    quarter = ndim == 1 and 4 * part.start == 4 * (part.stop - part.start) == parts[-1].stop
    law = part.law
    return ", as of an open forget gate" if quarter and law and round(law.mean, 1) == 1 else ""


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


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


def _digits(x: float) -> float:
    """Two digits: as much as an estimate from a few hundred numbers holds."""
    return float(f"{x:.2g}")


def _about(law: Distribution) -> str:
    """A law whose numbers are estimates, with three digits of them."""
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda match: f"{float(match[0]):.3g}", law.words)


#: A number that stands in a tensor more often than this chance is what is strange about it.
_SURPRISE = 1e-5


def _foreign(sample: Sample, looks: tuple[Distribution, ...], layouts: tuple[Layout, ...]) -> str:
    """What is known of a tensor that no scheme draws."""
    if not looks or pattern(sample):
        return _strange(sample)
    also = f" ({' and '.join(law.words for law in looks[1:])} fits as well)" if looks[1:] else ""
    return f"{_about(looks[0])}{also}, {_scale(sample, looks[0], layouts)}"


def _strange(sample: Sample) -> str:
    """What a tensor of no usual family has about it."""
    numbers = f"mean {sample.mean:.3g}, std {math.sqrt(sample.variance):.3g}"
    known = pattern(sample) or coarse(sample) or deficient(sample) or scales(sample)
    if known:
        return f"{known}; {numbers}"
    families = tuple(usual_families(sample))
    tests = {one.test for law in families for one in every(law, sample) if one.p < _SURPRISE}
    if "matrix" in tests:
        return (
            f"its elements hang together; {numbers}; a part of low rank, as training adds, "
            "makes its largest singular value larger than chance does"
        )
    for law in families:
        repeats = next(refused for refused in every(law, sample) if refused.test == "repeats")
        if repeats.p < _SURPRISE:
            number, count = surprising(law, sample)
            return (
                f"the number {sample.shortest(number):.6g} stands in it {count:,} times; {numbers}"
            )
    if "copies" in tests:
        again = sample.ordered.size - sample.distinct
        return f"{again:,} of its numbers stand in it more than once; {numbers}"
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
