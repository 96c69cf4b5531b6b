"""Pictures on Matplotlib's axes: each function takes ``ax=``, draws on it and returns it.

Without ``ax`` a new figure is made. Needs the extra ``plot``; :mod:`initspec.figures` draws the
same numbers as SVG and needs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..analysis.signal import Course, Signal
from ..errors import ExtraMissing, SpecError
from ..spec.distribution import Distribution
from ..spec.fan_rules import Shape
from ..spec.layout import Layout
from . import curves
from .singular_values import singular_values as _singular_values

try:
    import matplotlib  # noqa: F401 - asked for here, so that what is missing is said at once
except ImportError:
    raise ExtraMissing("initspec.plot", "Matplotlib", "plot") from None

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_SIDES = ("forward", "backward")


def density(
    scheme: Any,
    shape: Shape | list[int],
    layout: Layout | str | None = None,
    *,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """The density of a scheme's law over the histogram of one drawn tensor.

    >>> density("he_normal", (64, 96)).get_title()
    'he_normal on shape (64, 96)'
    """
    data = curves.density(scheme, shape, layout, seed=seed)
    axes = _axes(ax)
    if data.bars:
        left, right, heights = zip(*data.bars, strict=True)
        axes.stairs(heights, (*left, right[-1]), fill=True, alpha=0.35, label="draws")
    if data.curve:
        axes.plot(*zip(*data.curve, strict=True), color="C1", label="law")
    for place, share in data.atoms:
        word = f"{share:.4g} at {place:.4g}"
        axes.axvline(place, color="C2", linestyle="--", label=word)
    axes.set(title=f"{data.name} on shape {tuple(shape)}", xlabel="value", ylabel="density")
    axes.legend()
    return axes


def ecdf(values: Any, law: Distribution, *, alpha: float = 1e-3, ax: Axes | None = None) -> Axes:
    """The empirical cdf of values less the law's, in the band that it leaves once in 1/alpha.

    >>> from initspec import get
    >>> he = get("he_normal")
    >>> axes = ecdf(he.numpy((64, 96), seed=0), he.on((64, 96)))
    >>> axes.get_ylabel()
    'ECDF - cdf'
    """
    data = curves.ecdf(values, law, alpha)
    axes = _axes(ax)
    axes.axhspan(-data.band, data.band, color="C2", alpha=0.2, label=f"band, alpha = {alpha:g}")
    axes.plot(*zip(*data.curve, strict=True), color="C0", linewidth=1, label="difference")
    axes.set(title=f"{data.draws:,} values", xlabel="value", ylabel="ECDF - cdf")
    axes.legend()
    return axes


def singular_values(
    scheme: Any,
    shape: Shape | list[int],
    layout: Layout | str | None = None,
    *,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """The singular values of one drawn weight, beside what its law makes of them.

    >>> singular_values("he_normal", (64, 96)).get_xlabel()
    'singular value'
    """
    data = _singular_values(scheme, shape, layout, seed=seed)
    axes = _axes(ax)
    if data.bars:
        left, right, heights = zip(*data.bars, strict=True)
        axes.stairs(heights, (*left, right[-1]), fill=True, alpha=0.35, label="one weight")
    else:
        axes.axvline(data.values[0], color="C0", label=f"all {len(data.values)}")
    if data.curve:
        axes.plot(*zip(*data.curve, strict=True), color="C1", label="Marchenko and Pastur")
    title = f"{data.name}, {data.rows} by {data.columns}"
    axes.set(title=title, xlabel="singular value", ylabel="density")
    axes.legend()
    return axes


def signal(*signals: Signal, side: str = "forward", ax: Axes | None = None) -> Axes:
    """The variance of activations (``side="forward"``) or of gradients (``"backward"``) by layer.

    A line is what is predicted, rings what is measured, a shade the networks' range.

    >>> import initspec
    >>> answer = initspec.signal("he_normal", depth=4, width=32)
    >>> signal(answer, side="backward").get_yscale()
    'log'
    """
    if side not in _SIDES:
        raise SpecError(f"side is 'forward' or 'backward', not {side!r}.")
    axes = _axes(ax)
    for i, each in enumerate(signals):
        course: Course = getattr(each, side)
        layers: Sequence[int] = range(1, each.depth + 1)
        colour = f"C{i}"
        axes.plot(layers, course.best, color=colour, label=f"{each.scheme}, {each.activation}")
        axes.plot(layers, course.measured, "o", color=colour, fillstyle="none", markersize=4)
        axes.fill_between(layers, course.low, course.high, color=colour, alpha=0.2)
    what = "activations" if side == "forward" else "gradients"
    axes.set(xlabel="layer", ylabel=f"variance of {what}", yscale="log")
    if signals:
        axes.legend()
    return axes


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots()[1]
