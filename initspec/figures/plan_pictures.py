"""The picture of a plan: the deviation of each kind of parameter, layer by layer, as SVG text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import SpecError
from ..plans.ledger import Ledger
from .marks import Axis, Dots, Line, Mark, Panel, decades
from .svg import picture

#: Kinds of parameters that a picture tells apart.
MOST = 5


def depth(ledger: Ledger) -> str:
    """The standard deviation of parameters that differ in one number of their names, over it.

    Kinds with the same deviations are one line. Raises :class:`SpecError` where no parameter is
    random, or none stands in several layers.

    >>> from initspec import Plan, Rule
    >>> rule = Rule(match="h.{layer}.w", law="normal(std=1 / (1 + layer))")
    >>> ledger = Plan(name="p", rules=(rule,)).on({f"h.{i}.w": (2, 2) for i in range(4)})
    >>> depth(ledger).startswith("<svg")
    True
    """
    courses: dict[tuple[tuple[int, float], ...], list[str]] = {}
    for skeleton, points in _kinds(ledger).items():
        if len(points) > 1 and any(std for _, std in points):
            courses.setdefault(tuple(points), []).append(_short(skeleton))
    if not courses:
        raise SpecError(f"{ledger.plan}: no random parameter stands in several layers.")
    kept = list(courses.items())[:MOST]
    layers = [float(layer) for points, _ in kept for layer, _ in points]
    y = Axis(*decades(std for points, _ in kept for _, std in points if std), log=True, count=4)
    marks: list[Mark] = []
    key = []
    for colour, (points, names) in enumerate(kept):
        line = [(float(layer), std) for layer, std in points]
        marks += [Line(line, colour), Dots(line, colour)]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        key.append((colour, ", ".join(names[:3]) + more))
    x = Axis(min(layers), max(layers), "layer")
    return picture(
        f"{ledger.plan}: standard deviation by layer",
        "; ".join(
            f"{words}: {points[0][1]:.3g} to {points[-1][1]:.3g}"
            for (points, _), (_, words) in zip(kept, key, strict=True)
        ),
        [Panel(x, y, marks, key=key)],
    )


def _kinds(ledger: Ledger) -> Mapping[str, list[tuple[int, float]]]:
    """The layer and the deviation of each parameter, by its name without the layer."""
    kinds: dict[str, list[tuple[int, float]]] = {}
    for row in ledger:
        number = re.search(r"(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])", row.name)
        if number is None or row.law is None or row.law.kind == "constant":
            continue
        skeleton = f"{row.name[: number.start()]}#{row.name[number.end() :]}"
        kinds.setdefault(skeleton, []).append((int(number[0]), row.law.std))
    return kinds


def _short(skeleton: str) -> str:
    """What follows the layer in a name, without a last ``weight``."""
    return skeleton.partition("#.")[2].removesuffix(".weight").removesuffix(".kernel") or skeleton
