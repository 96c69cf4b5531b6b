"""Pictures of laws, as SVG text: densities, distribution functions, singular values.

Each function returns one whole document. The same arguments give the same bytes.

>>> picture = density("he_normal", (64, 96))
>>> picture.startswith("<svg") and "<title" in picture and "http" not in picture[60:]
True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..analysis.diff import diff
from ..errors import SpecError
from ..spec.distribution import Distribution
from ..spec.fan_rules import Shape
from ..spec.layout import Layout
from . import curves
from .marks import (
    Area,
    Axis,
    Band,
    Bars,
    Dots,
    Line,
    Mark,
    Note,
    Panel,
    Rule,
    Stems,
    number,
)
from .singular_values import singular_values
from .svg import picture


def density(
    scheme: Any, shape: Shape | list[int], layout: Layout | str | None = None, *, seed: int = 0
) -> str:
    """The density of a scheme's law on a shape, over the histogram of one drawn tensor."""
    data = curves.density(scheme, shape, layout, seed=seed)
    title = f"{data.name} on shape {_shape(shape)}"
    law = data.law
    moments = _moments(law)
    if not data.bars:
        return _atoms(data, title, moments)
    x, y = _density_axes([data])
    marks: list[Mark] = [Bars(data.bars, 0), Line(data.curve, 1)]
    key = [(0, f"{data.draws:,} draws")]
    if data.curve:
        key.append((1, "the law"))
        std = math.sqrt(law.variance) if not data.atoms else None
        if std:
            marks += [Rule(x=law.mean + side * std, colour=5) for side in (-1, 1)]
            marks.append(Note(law.mean + std, 0.96 * y.high, "mean + std"))
            marks.append(Note(law.mean - std, 0.96 * y.high, "mean − std", side="left"))
    caption = ""
    if data.atoms:
        caption = _shares(data)
    return picture(
        title,
        f"A histogram of {data.draws:,} draws under the density of the law: {moments}.",
        [Panel(x, y, marks, "Density", key)],
        subtitle=moments,
        caption=caption,
    )


def compare(
    a: Any,
    b: Any,
    shape: Shape | list[int],
    layout: Layout | str | None = None,
    *,
    seed: int = 0,
) -> str:
    """Two schemes on one shape: their densities, and the difference of their cdfs.

    Raises :class:`SpecError` for laws that have no density, such as constants.
    """
    pair = [curves.density(scheme, shape, layout, seed=seed) for scheme in (a, b)]
    for data in pair:
        if not data.curve:
            raise SpecError(f"{data.name} has no density that could be drawn beside another's.")
    difference = diff(a, b, shape, layout)
    x, y = _density_axes(pair)
    marks: list[Mark] = []
    for colour, data in enumerate(pair):
        marks += [Area(data.curve, colour), Line(data.curve, colour)]
    first, second = (data.law for data in pair)
    grid = [x.low + (x.high - x.low) * i / 240 for i in range(241)]
    gap = [(place, second.cdf(place) - first.cdf(place)) for place in grid]
    at, peak = max(gap, key=lambda point: abs(point[1]))
    limit = 1.3 * max(abs(peak), 1e-9)
    side = Axis(-limit, limit, count=4)
    other: list[Mark] = [Rule(y=0.0), Line(gap, 4)]
    away = peak + math.copysign(0.09, peak) * limit
    other += [Dots([(at, peak)], 4), Note(at, away, number(round(abs(peak), 5)), 4)]
    key = [(colour, data.name) for colour, data in enumerate(pair)]
    return picture(
        f"{pair[0].name} and {pair[1].name} on shape {_shape(shape)}",
        "Left the densities of both laws, right the second cdf less the first. "
        + difference.sentence,
        [
            Panel(x, y, marks, "Density", key),
            Panel(x, side, other, "Difference of the cdfs", [(4, "second − first")]),
        ],
        columns=2,
        caption=difference.sentence,
    )


def ecdf(values: Any, law: Distribution, *, alpha: float = 1e-3, name: str = "values") -> str:
    """The empirical cdf of values less the law's, in the band that it leaves once in 1/alpha."""
    data = curves.ecdf(values, law, alpha)
    limit = 1.25 * max(data.distance, data.band)
    places = [x for x, _ in data.curve]
    width = max(places[-1] - places[0], 1e-12 + abs(places[0]) * 1e-6)
    x = Axis(places[0] - 0.02 * width, places[-1] + 0.02 * width, "value", count=7)
    word = "inside" if data.inside else "outside"
    verdict = (
        f"The greatest difference, {data.distance:.3g}, lies {word} the band of {data.band:.3g}: "
        + ("nothing speaks against the law." if data.inside else "the values have another law.")
    )
    colour = 0 if data.inside else 1
    return picture(
        f"ECDF of {data.draws:,} {name} less the law's cdf",
        f"The difference of both distribution functions over the values. {verdict}",
        [
            Panel(
                x,
                Axis(-limit, limit, count=4),
                [
                    Band(-data.band, data.band, 2, "band"),
                    Rule(y=0.0),
                    Line(data.curve, colour),
                ],
                key=[(colour, "ECDF − cdf"), (2, f"stays inside with probability {1 - alpha:g}")],
            )
        ],
        caption=verdict,
    )


def singular(
    schemes: Sequence[Any],
    shape: Shape | list[int],
    layout: Layout | str | None = None,
    *,
    seed: int = 0,
) -> str:
    """The singular values of one drawn weight of each scheme, beside what its law makes of them."""
    spectra = [singular_values(scheme, shape, layout, seed=seed) for scheme in schemes]
    panels = []
    for spectrum in spectra:
        heights = [*(height for *_, height in spectrum.bars), *(y for _, y in spectrum.curve)]
        places = [spectrum.values[0], *(x for x, _ in spectrum.curve)]
        right = 1.08 * max(*places, spectrum.level or 0.0, 1e-9)
        x = Axis(0.0, right, "singular value")
        if spectrum.bars:
            marks: list[Mark] = [Bars(spectrum.bars, 0), Line(spectrum.curve, 1)]
            key = [(0, f"{len(spectrum.values)} values")]
            key += [(1, "Marchenko and Pastur")] if spectrum.curve else []
            y = Axis(0.0, 1.1 * max(heights))
        else:
            y = Axis(0.0, 1.15, shown=(0.0, 0.5, 1.0))
            marks = [Stems([(spectrum.values[0], 1.0)], 0)]
            key = [(0, f"all {len(spectrum.values)} are {number(round(spectrum.values[0], 4))}")]
        panels.append(Panel(x, y, marks, spectrum.name, key))
    return picture(
        f"Singular values on shape {_shape(shape)}",
        "The histogram of the singular values of one drawn weight, for each of "
        + ", ".join(spectrum.name for spectrum in spectra)
        + ", with the density of Marchenko and Pastur for independent elements.",
        panels,
        subtitle=f"one weight of {spectra[0].rows} by {spectra[0].columns} each; orthogonal ones "
        "stretch every direction alike",
        columns=min(len(panels), 2),
        height=220,
    )


# ----------------------------------------------------------------------------------------- parts


def _shape(shape: Shape | list[int]) -> str:
    return "(" + ", ".join(str(n) for n in shape) + ")"


def _moments(law: Distribution) -> str:
    try:
        words = [f"mean {law.mean:.4g}", f"standard deviation {law.std:.4g}"]
        low, high = law.support
    except SpecError:
        return "a law of one's own"
    if math.isfinite(low) and math.isfinite(high) and low < high:
        words.append(f"between {low:.4g} and {high:.4g}")
    return ", ".join(words).replace("-", "−")


def _density_axes(densities: Sequence[curves.Density]) -> tuple[Axis, Axis]:
    places = [x for data in densities for x, _ in data.curve] or [
        x for data in densities for bar in data.bars for x in bar[:2]
    ]
    heights = [y for data in densities for _, y in data.curve]
    barred = [data for data in densities if not data.curve or len(densities) == 1]
    heights += [height for data in barred for *_, height in data.bars]
    low, high = min(places), max(places)
    room = 0.06 * (high - low)
    return Axis(low - room, high + room, "value", count=6), Axis(0.0, 1.12 * max(heights))


def _atoms(data: curves.Density, title: str, moments: str) -> str:
    values = [value for value, _ in data.atoms]
    room = 0.15 * (max(values) - min(values)) or max(abs(values[0]), 1.0)
    x = Axis(min(values) - room, max(values) + room, "value")
    marks: list[Mark] = [Stems(data.atoms, 0)]
    return picture(
        title,
        f"The probability of each value: {moments}.",
        [Panel(x, Axis(0.0, 1.1, shown=(0.0, 0.5, 1.0)), marks, "Probability")],
        subtitle=moments,
        caption=_shares(data),
    )


def _shares(data: curves.Density) -> str:
    """How much of a tensor each single value takes."""
    parts = [f"{100 * share:.4g} % are {number(at)}" for at, share in data.atoms]
    more = len(parts) - 8
    return "Of the values " + ", ".join(parts[:8]) + (f", and {more} more." if more > 0 else ".")
