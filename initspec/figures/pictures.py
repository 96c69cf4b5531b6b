"""The pictures of the reference, as SVG text; the numbers come from :mod:`initspec.figures.curves`.

Each function returns one whole document. The same arguments give the same bytes.

>>> picture = density("he_normal", (64, 96))
>>> picture.startswith("<svg") and "<title" in picture and "http" not in picture[60:]
True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..analysis.propagation import signal as propagate
from ..analysis.signal import Course, Signal
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
    Floor,
    Line,
    Mark,
    Note,
    Panel,
    Rule,
    Stems,
    decades,
    number,
    power,
)
from .svg import picture

#: The starts of the picture that teaches: a name for each, its scheme, and its colour.
TEACHING = (
    ("too large", "normal(std=0.1)", 1),
    ("He", "he_normal", 0),
    ("Xavier", "glorot_normal", 2),
    ("too small", "normal(std=0.01)", 3),
    ("zeros", "zeros", 5),
)

#: The starts of the XOR network.
XOR = (
    ("zeros", "zeros", 5),
    ("all 0.5", "constant(0.5)", 3),
    ("too small", "normal(std=0.1)", 1),
    ("Glorot", "glorot_normal", 0),
)


def density(
    scheme: Any, shape: Shape | list[int], layout: Layout | str | None = None, *, seed: int = 0
) -> str:
    """The density of a scheme's law on a shape, over the histogram of one drawn tensor."""
    found = curves.density(scheme, shape, layout, seed=seed)
    title = f"{found.name} on shape {_shape(shape)}"
    law = found.law
    said = _moments(law)
    if not found.bars:
        return _atoms(found, title, said)
    x, y = _density_axes([found])
    marks: list[Mark] = [Bars(found.bars, 0), Line(found.curve, 1)]
    key = [(0, f"{found.draws:,} draws")]
    if found.curve:
        key.append((1, "the law"))
        std = math.sqrt(law.variance) if not found.atoms else None
        if std:
            marks += [Rule(x=law.mean + side * std, colour=5) for side in (-1, 1)]
            marks.append(Note(law.mean + std, 0.96 * y.high, "mean + std"))
            marks.append(Note(law.mean - std, 0.96 * y.high, "mean − std", side="left"))
    caption = ""
    if found.atoms:
        caption = _shares(found)
    return picture(
        title,
        f"A histogram of {found.draws:,} draws under the density of the law: {said}.",
        [Panel(x, y, marks, "Density", key)],
        subtitle=said,
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
    from ..analysis.diff import diff

    pair = [curves.density(scheme, shape, layout, seed=seed) for scheme in (a, b)]
    for found in pair:
        if not found.curve:
            raise SpecError(f"{found.name} has no density that could be drawn beside another's.")
    said = diff(a, b, shape, layout)
    x, y = _density_axes(pair)
    marks: list[Mark] = []
    for colour, found in enumerate(pair):
        marks += [Area(found.curve, colour), Line(found.curve, colour)]
    first, second = (found.law for found in pair)
    grid = [x.low + (x.high - x.low) * i / 240 for i in range(241)]
    gap = [(place, second.cdf(place) - first.cdf(place)) for place in grid]
    at, peak = max(gap, key=lambda point: abs(point[1]))
    limit = 1.3 * max(abs(peak), 1e-9)
    side = Axis(-limit, limit, count=4)
    other: list[Mark] = [Rule(y=0.0), Line(gap, 4)]
    away = peak + math.copysign(0.09, peak) * limit
    other += [Dots([(at, peak)], 4), Note(at, away, number(round(abs(peak), 5)), 4)]
    key = [(colour, found.name) for colour, found in enumerate(pair)]
    return picture(
        f"{pair[0].name} and {pair[1].name} on shape {_shape(shape)}",
        f"Left the densities of both laws, right the second cdf less the first. {said.sentence}",
        [
            Panel(x, y, marks, "Density", key),
            Panel(x, side, other, "Difference of the cdfs", [(4, "second − first")]),
        ],
        columns=2,
        caption=said.sentence,
    )


def ecdf(values: Any, law: Distribution, *, alpha: float = 1e-3, name: str = "values") -> str:
    """The empirical cdf of values less the law's, in the band that it leaves once in 1/alpha."""
    found = curves.ecdf(values, law, alpha)
    limit = 1.25 * max(found.distance, found.band)
    places = [x for x, _ in found.curve]
    width = max(places[-1] - places[0], 1e-12 + abs(places[0]) * 1e-6)
    x = Axis(places[0] - 0.02 * width, places[-1] + 0.02 * width, "value", count=7)
    word = "inside" if found.inside else "outside"
    verdict = (
        f"The greatest difference, {found.distance:.3g}, lies {word} the band of {found.band:.3g}: "
        + ("nothing speaks against the law." if found.inside else "the values have another law.")
    )
    colour = 0 if found.inside else 1
    return picture(
        f"ECDF of {found.draws:,} {name} less the law's cdf",
        f"The difference of both distribution functions over the values. {verdict}",
        [
            Panel(
                x,
                Axis(-limit, limit, count=4),
                [
                    Band(-found.band, found.band, 2, "band"),
                    Rule(y=0.0),
                    Line(found.curve, colour),
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
    found = [curves.singular_values(scheme, shape, layout, seed=seed) for scheme in schemes]
    panels = []
    for one in found:
        top = max([height for *_, height in one.bars] + [y for _, y in one.curve], default=1.0)
        right = 1.08 * max(one.values[0], *(x for x, _ in one.curve), one.level or 0.0, 1e-9)
        x = Axis(0.0, right, "singular value")
        if one.bars:
            marks: list[Mark] = [Bars(one.bars, 0), Line(one.curve, 1)]
            key = [(0, f"{len(one.values)} values")]
            key += [(1, "Marchenko and Pastur")] if one.curve else []
            y = Axis(0.0, 1.1 * top)
        else:
            y = Axis(0.0, 1.15, shown=(0.0, 0.5, 1.0))
            marks = [Stems([(one.values[0], 1.0)], 0)]
            key = [(0, f"all {len(one.values)} are {number(round(one.values[0], 4))}")]
        panels.append(Panel(x, y, marks, one.name, key))
    return picture(
        f"Singular values on shape {_shape(shape)}",
        "The histogram of the singular values of one drawn weight, for each of "
        + ", ".join(one.name for one in found)
        + ", with the density of Marchenko and Pastur for independent elements.",
        panels,
        subtitle=f"one weight of {found[0].rows} by {found[0].columns} each; orthogonal ones "
        "stretch every direction alike",
        columns=min(len(panels), 2),
        height=220,
    )


def signal(*signals: Signal) -> str:
    """The variance of activations and of gradients over depth, one colour for each signal."""
    if not 1 <= len(signals) <= 5:
        raise SpecError(f"a picture holds one to five signals, not {len(signals)}.")
    names = _names(signals)
    panels = []
    for title, side in (("activations", "forward"), ("gradients", "backward")):
        courses = [getattr(one, side) for one in signals]
        y = Axis(*decades(v for course in courses for v in _shown(course)), log=True, count=6)
        marks: list[Mark] = []
        for colour, (one, course) in enumerate(zip(signals, courses, strict=True)):
            marks += _course(course, colour, names[colour] if len(signals) > 1 else "", side, y)
            marks += _rings(course, one.depth, colour)
        x = _layers(max(one.depth for one in signals), side)
        panels.append(Panel(x, y, marks, f"Variance of {title}"))
    first = signals[0]
    title = "Variance through the layers"
    if len({one.scheme for one in signals}) == 1:
        title = f"{first.scheme}: variance through the layers"
    if len({one.activation for one in signals}) == 1:
        title += f", with {first.activation}"
    runs = "one network" if first.networks == 1 else f"{first.networks} networks, least to greatest"
    return picture(
        title,
        " ".join(one.sentence for one in signals),
        panels,
        subtitle=f"{first.width} units a layer; line: predicted, rings: measured on {runs}; the "
        "gradient is 1 at the last layer",
        caption=signals[0].sentence if len(signals) == 1 else "",
        columns=2,
    )


def teaching(depth: int = 50, width: int = 512, *, seed: int = 0) -> str:
    """The picture that teaches the subject: five starts, under tanh and under relu.

    The variance of activations and of gradients over depth, for zeros, too small, Xavier, He and
    too large: predicted, and measured on one network each.
    """
    y = Axis(1e-16, 1e16, log=True, count=4)
    columns = {
        activation: [
            propagate(scheme, activation, depth, width, seed=seed, networks=1)
            for _, scheme, _ in TEACHING
        ]
        for activation in ("tanh", "relu")
    }
    panels = []
    for title, side in (("activations", "forward"), ("gradients", "backward")):
        for activation, signals in columns.items():
            marks: list[Mark] = []
            for (name, _, colour), found in zip(TEACHING, signals, strict=True):
                course: Course = getattr(found, side)
                marks += _course(course, colour, name, side, y)
                marks += _rings(course, depth, colour)
            x = _layers(depth, side)
            panels.append(Panel(x, y, marks, f"Variance of {title}, {activation}"))
    said = ", ".join(f"{name} is {scheme}" for name, scheme, _ in TEACHING if name != scheme)
    return picture(
        "What the first weights do to a deep network",
        f"Four panels over {depth} layers, variance in decades. With relu, He keeps the variance "
        "of activations and of gradients, Xavier halves both at each layer. With tanh, Xavier "
        "loses little, He keeps activations while gradients grow. Weights too small lose both, "
        "weights too large make gradients explode, and zeros pass nothing on.",
        panels,
        subtitle=f"Variance at each of {depth} layers of {width} units; line: predicted, rings: "
        f"measured on one network. Gradients go from the last layer to the first. Here {said}.",
        columns=2,
        width=860,
        height=240,
    )


def xor(starts: Sequence[tuple[str, str, int]] = XOR, steps: int = 400) -> str:
    """The loss of the XOR network of the tutorial, from good starts and from bad ones."""
    marks: list[Mark] = []
    for name, scheme, colour in starts:
        losses = curves.thinned(curves.xor_losses(scheme, steps))
        marks.append(Line(losses, colour, name))
    y = Axis(0.0, 1.0)
    return picture(
        "A network that zeros cannot train",
        "The mean cross-entropy over the steps of gradient descent. From zeros it stays at log 2; "
        "from a constant the units stay equal, so that it never gets to zero; from weights too "
        "small it stays long before it falls; from Glorot's it falls at once.",
        [Panel(Axis(0, steps, "steps of gradient descent"), y, marks)],
        subtitle="XOR, learned by four tanh units and a sigmoid: mean cross-entropy",
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


def _density_axes(found: Sequence[curves.Density]) -> tuple[Axis, Axis]:
    places = [x for one in found for x, _ in one.curve] or [
        x for one in found for bar in one.bars for x in bar[:2]
    ]
    heights = [y for one in found for _, y in one.curve]
    heights += [bar[2] for one in found for bar in one.bars if not one.curve or len(found) == 1]
    low, high = min(places), max(places)
    room = 0.06 * (high - low)
    return Axis(low - room, high + room, "value", count=6), Axis(0.0, 1.12 * max(heights))


def _atoms(found: curves.Density, title: str, said: str) -> str:
    values = [value for value, _ in found.atoms]
    room = 0.15 * (max(values) - min(values)) or max(abs(values[0]), 1.0)
    x = Axis(min(values) - room, max(values) + room, "value")
    marks: list[Mark] = [Stems(found.atoms, 0)]
    return picture(
        title,
        f"The probability of each value: {said}.",
        [Panel(x, Axis(0.0, 1.1, shown=(0.0, 0.5, 1.0)), marks, "Probability")],
        subtitle=said,
        caption=_shares(found),
    )


def _shares(found: curves.Density) -> str:
    """How much of a tensor each single value takes."""
    parts = [f"{100 * share:.4g} % are {number(at)}" for at, share in found.atoms]
    more = len(parts) - 8
    return "Of the values " + ", ".join(parts[:8]) + (f", and {more} more." if more > 0 else ".")


def _layers(depth: int, side: str) -> Axis:
    """Layers in the order in which the variance goes through them."""
    last = max(depth, 2)
    inner = [layer for layer in Axis(1, last).ticks() if layer == int(layer) and layer > 1]
    inner = [layer for layer in inner if layer == last or last - layer > 0.06 * last]
    shown = tuple(dict.fromkeys((1.0, *inner, float(last))))
    if side == "forward":
        return Axis(1, last, "layer", shown=shown)
    return Axis(last, 1, "layer, from the last to the first", shown=shown)


def _shown(course: Course) -> list[float]:
    return [*course.best, *course.low, *course.high]


def _course(course: Course, colour: int, label: str, side: str, y: Axis) -> list[Mark]:
    """A line in the order of its way, named with its last value where that is out of sight."""
    points = [(float(i + 1), value) for i, value in enumerate(course.best)]
    if side == "backward":
        points.reverse()
    lost = [layer for layer, value in points if value <= 0]
    if lost:
        return [Floor(lost[0], lost[-1], colour, f"{label}: 0" if label else "0")]
    last = points[-1][1]
    if label and math.isfinite(last) and not y.low <= last <= y.high:
        label += f" {'↑' if last > y.high else '↓'}{power(last)}"
    return [Line(points, colour, label)]


def _rings(course: Course, depth: int, colour: int) -> list[Mark]:
    count = min(depth, 8)
    layers = sorted({round(1 + i * (depth - 1) / max(count - 1, 1)) for i in range(count)})
    kept = [layer for layer in layers if course.measured[layer - 1] > 0]
    points = [(float(layer), course.measured[layer - 1]) for layer in kept]
    spans = [(course.low[layer - 1], course.high[layer - 1]) for layer in kept]
    return [Dots(points, colour, spans if course.low != course.high else ())]


def _names(signals: Sequence[Signal]) -> list[str]:
    schemes = [one.scheme for one in signals]
    activations = [one.activation for one in signals]
    if len(set(activations)) == 1:
        return schemes
    if len(set(schemes)) == 1:
        return activations
    return [f"{scheme}, {phi}" for scheme, phi in zip(schemes, activations, strict=True)]
