"""The pictures on Matplotlib's axes."""

import subprocess
import sys

import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

import initspec
from initspec import get
from initspec.figures import curves, plot

SHAPE = (96, 64)


@pytest.fixture
def ax() -> Axes:
    axes = pyplot.subplots()[1]
    yield axes
    pyplot.close("all")


def test_density(ax: Axes) -> None:
    assert plot.density("he_normal", SHAPE, ax=ax) is ax
    found = curves.density("he_normal", SHAPE)
    assert ax.lines[0].get_xydata().tolist() == [list(point) for point in found.curve]
    assert ax.patches[0].get_data().values.tolist() == [height for *_, height in found.bars]
    assert ax.get_title() == "he_normal on shape (96, 64)"


def test_density_with_atoms(ax: Axes) -> None:
    plot.density("sparse", SHAPE, ax=ax)
    assert ax.lines[-1].get_label() == "0.9062 at 0"
    plot.density("zeros", SHAPE, ax=ax)
    assert ax.lines[-1].get_label() == "1 at 0"


def test_ecdf(ax: Axes) -> None:
    he = get("he_normal")
    values = he.numpy(SHAPE, seed=0)
    assert plot.ecdf(values, he.on(SHAPE), ax=ax) is ax
    found = curves.ecdf(values, he.on(SHAPE))
    assert ax.lines[0].get_xydata().tolist() == [list(point) for point in found.curve]


def test_singular_values(ax: Axes) -> None:
    assert plot.singular_values("he_normal", SHAPE, ax=ax) is ax
    assert ax.lines[0].get_label() == "Marchenko and Pastur"
    plot.singular_values("orthogonal", SHAPE, ax=ax)
    assert ax.lines[-1].get_label() == "all 64"


@pytest.mark.parametrize("side", ["forward", "backward"])
def test_signal(ax: Axes, side: str) -> None:
    both = [initspec.signal(name, depth=6, width=16) for name in ("he_normal", "zeros")]
    assert plot.signal(*both, side=side, ax=ax) is ax
    line, rings = ax.lines[:2]
    course = getattr(both[0], side)
    assert line.get_ydata().tolist() == list(course.predicted)
    assert rings.get_ydata().tolist() == list(course.measured)
    assert ax.get_yscale() == "log"
    ax.figure.canvas.draw()
    with pytest.raises(initspec.SpecError, match="'forward' or 'backward'"):
        plot.signal(*both, side="up", ax=ax)


def test_without_axes_a_figure_is_made() -> None:
    axes = plot.density("he_normal", SHAPE)
    assert axes is not plot.density("he_normal", SHAPE)
    pyplot.close("all")


def test_missing_matplotlib_is_said() -> None:
    code = """
import sys
sys.modules["matplotlib"] = None
import initspec
try:
    initspec.plot
except initspec.BackendMissing as error:
    print(error)
initspec.figures.density("zeros", (2, 2))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        'initspec.plot needs Matplotlib, which is not installed: pip install "initspec[plot]"\n'
    )
