"""Pictures of networks, as SVG text: variance through the layers, and the loss of XOR.

Each function returns one whole document. The same arguments give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..analysis.propagation import signal as propagate
from ..analysis.signal import Course, Signal
from ..errors import SpecError
from .marks import Axis, Dots, Floor, Line, Mark, Panel, decades, power
from .svg import picture
from .xor_network import thinned, xor_losses

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


def signal(*signals: Signal) -> str:
    """The variance of activations and of gradients over depth, one colour for each signal."""
    if not 1 <= len(signals) <= 5:
        raise SpecError(f"a picture holds one to five signals, not {len(signals)}.")
    names = _names(signals)
    panels = []
    for title, side in (("activations", "forward"), ("gradients", "backward")):
        courses = [getattr(each, side) for each in signals]
        y = Axis(*decades(v for course in courses for v in _shown(course)), log=True, count=6)
        marks: list[Mark] = []
        for colour, (each, course) in enumerate(zip(signals, courses, strict=True)):
            marks += _course(course, colour, names[colour] if len(signals) > 1 else "", side, y)
            marks += _rings(course, each.depth, colour)
        x = _layers(max(each.depth for each in signals), side)
        panels.append(Panel(x, y, marks, f"Variance of {title}"))
    first = signals[0]
    title = "Variance through the layers"
    if len({each.scheme for each in signals}) == 1:
        title = f"{first.scheme}: variance through the layers"
    if len({each.activation for each in signals}) == 1:
        title += f", with {first.activation}"
    runs = "one network" if first.networks == 1 else f"{first.networks} networks, least to greatest"
    return picture(
        title,
        " ".join(each.sentence for each in signals),
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
            for (name, _, colour), each in zip(TEACHING, signals, strict=True):
                course: Course = getattr(each, side)
                marks += _course(course, colour, name, side, y)
                marks += _rings(course, depth, colour)
            x = _layers(depth, side)
            panels.append(Panel(x, y, marks, f"Variance of {title}, {activation}"))
    starts = ", ".join(f"{name} is {scheme}" for name, scheme, _ in TEACHING if name != scheme)
    return picture(
        "What the first weights do to a deep network",
        f"Four panels over {depth} layers, variance in decades. With relu, He keeps the variance "
        "of activations and of gradients, Xavier halves both at each layer. With tanh, Xavier "
        "loses little, He keeps activations while gradients grow. Weights too small lose both, "
        "weights too large make gradients explode, and zeros pass nothing on.",
        panels,
        subtitle=f"Variance at each of {depth} layers of {width} units; line: predicted, rings: "
        f"measured on one network. Gradients go from the last layer to the first. Here {starts}.",
        columns=2,
        width=860,
        height=240,
    )


def xor(starts: Sequence[tuple[str, str, int]] = XOR, steps: int = 400) -> str:
    """The loss of the XOR network of the tutorial, from good starts and from bad ones."""
    marks: list[Mark] = []
    for name, scheme, colour in starts:
        losses = thinned(xor_losses(scheme, steps))
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
    schemes = [each.scheme for each in signals]
    activations = [each.activation for each in signals]
    if len(set(activations)) == 1:
        return schemes
    if len(set(schemes)) == 1:
        return activations
    return [f"{scheme}, {phi}" for scheme, phi in zip(schemes, activations, strict=True)]
