"""The pictures: well-formed, self-contained, the same each time, and true to their numbers."""

import importlib.util
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from initspec import SpecError, figures, get, signal
from initspec.analysis.mean_field import predict
from initspec.figures import curves, xor_network
from initspec.figures.marks import Axis, Dots, Floor, Line, Note, Panel, decades
from initspec.figures.singular_values import marchenko_pastur, singular_values
from initspec.figures.svg import picture

HE, SHAPE = get("he_normal"), (96, 64)
SVG = "{http://www.w3.org/2000/svg}"


def exponential(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).exponential(0.02, shape)


PICTURES: dict[str, Callable[[], str]] = {
    "density": lambda: figures.density("he_normal", SHAPE),
    "density of a convolution": lambda: figures.density(
        "he_normal@torch", (8, 4, 3, 3), "oihw, groups=2"
    ),
    "density of uniform": lambda: figures.density("glorot_uniform", SHAPE),
    "density of orthogonal": lambda: figures.density("orthogonal", SHAPE),
    "density with an atom": lambda: figures.density("sparse", SHAPE),
    "density of atoms": lambda: figures.density("bilinear", (8, 8, 4, 4), "oihw"),
    "density of zeros": lambda: figures.density("zeros", SHAPE),
    "density of one's own": lambda: figures.density(exponential, SHAPE),
    "compare": lambda: figures.compare("he_normal", "he_normal@torch", SHAPE),
    "ecdf": lambda: figures.ecdf(HE.numpy(SHAPE, seed=0), HE.on(SHAPE)),
    "ecdf outside": lambda: figures.ecdf(1.1 * HE.numpy(SHAPE, seed=0), HE.on(SHAPE)),
    "singular": lambda: figures.singular(["he_normal", "orthogonal", "sparse"], SHAPE),
    "signal": lambda: figures.signal(signal("he_normal", depth=12, width=32)),
    "signals": lambda: figures.signal(
        *(signal(name, "tanh", 12, 32) for name in ("he_normal", "zeros", "normal(std=0.01)"))
    ),
    "signal of one layer": lambda: figures.signal(signal("he_normal", depth=1, width=8)),
    "teaching": lambda: figures.teaching(50, 32),
    "xor": figures.xor,
}


@cache
def drawn(name: str) -> str:
    return PICTURES[name]()


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture(name: str) -> None:
    text = drawn(name)
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    title, described = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert described is not None
    assert title.text
    assert described.text
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert len(text.encode()) < 40_000
    assert PICTURES[name]() == text
    # Nothing from outside, and no program.
    assert re.findall(r"https?:[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|url\(|@import|<script|<image|<foreignObject|\bon\w+=", text)
    # Light and dark, by the reader's wish.
    style = root.findtext(f"{SVG}style") or ""
    assert "@media(prefers-color-scheme:dark)" in style
    assert {"--paper:#fff", "--paper:#131416"} <= set(re.findall(r"--paper:#\w+", style))
    for colour in re.findall(r'class="[^"]*\bc(\d)', text):
        assert style.count(f"--c{colour}:#") == 4
    # Text is text, and stays on the page; no number is none.
    assert not re.search(r"\bnan\b|\binf\b|None", re.sub("<desc.*</desc>", "", text))
    width = float(root.get("width", 0))
    for item in root.iter(f"{SVG}text"):
        assert 0 <= float(item.get("x", -1)) <= width
        assert item.text


def luminance(colour: str) -> float:
    full = colour if len(colour) == 6 else "".join(2 * letter for letter in colour)
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_can_be_read_on_light_and_on_dark() -> None:
    """WCAG 2: a contrast of 4.5 for text."""
    style = drawn("xor").partition("<style>")[2].partition("</style>")[0]
    for block in re.findall(r"\{(--paper[^}]*?)[;}]font|\{(--paper[^}]*)\}", style):
        colours = dict(re.findall(r"--(\w+):#(\w+)", max(block)))
        paper = luminance(colours["paper"])
        for name in ("ink", "soft", *(f"c{i}" for i in range(6))):
            low, high = sorted((paper, luminance(colours[name])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, name


# --------------------------------------------------------------------- what is drawn is the data


def panels(text: str) -> list[ET.Element]:
    return [item for item in ET.fromstring(text).iter(f"{SVG}g") if item.get("data-box")]


def points(panel: ET.Element, kind: str) -> list[tuple[float, float]]:
    """The numbers of a path of this class, from its coordinates and the panel's own axes."""
    path = next(item for item in panel.iter(f"{SVG}path") if item.get("class") == kind)
    left, top, right, bottom = map(float, panel.get("data-box", "").split())
    found = []
    for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get("d", "")):
        places = ((float(x) - left) / (right - left), (bottom - float(y)) / (bottom - top))
        pair = []
        for place, axis in zip(places, ("data-x", "data-y"), strict=True):
            low, high, form = panel.get(axis, "").split()
            ends = float(low), float(high)
            if form == "log":
                pair.append(ends[0] * (ends[1] / ends[0]) ** place)
            else:
                pair.append(ends[0] + place * (ends[1] - ends[0]))
        found.append((pair[0], pair[1]))
    return found


def test_a_line_of_variances_is_the_prediction() -> None:
    found = signal("glorot_normal", depth=12, width=32)
    forward, backward = panels(figures.signal(found))
    layers, values = zip(*points(forward, "line c0"), strict=True)
    assert layers == pytest.approx(range(1, 13), abs=0.01)
    assert values == pytest.approx(found.forward.predicted, rel=1e-2)
    layers, values = zip(*points(backward, "line c0"), strict=True)
    assert layers == pytest.approx(range(12, 0, -1), abs=0.01)  # in the order of the way back
    assert values == pytest.approx(found.backward.predicted[::-1], rel=1e-2)
    rings = points(forward, "dots c0")
    assert len(rings) == 8
    for layer, value in rings:
        assert layer == pytest.approx(round(layer), abs=0.01)
        assert value == pytest.approx(found.forward.measured[round(layer) - 1], rel=1e-2)


def test_the_teaching_picture_holds_the_recursions_numbers() -> None:
    named = {name: get(scheme) for name, scheme, _ in figures.TEACHING}
    assert set(named) == {"zeros", "too small", "Xavier", "He", "too large"}
    four = panels(drawn("teaching"))
    assert len(four) == 4
    for panel, name in zip(four, ("tanh", "relu", "tanh", "relu"), strict=True):
        side = four.index(panel) // 2
        from initspec.analysis.activations import activation

        courses = predict(2.0, activation(name), 50)
        expected = courses[0] if side == 0 else courses[1][::-1]
        values = [value for _, value in points(panel, "line c0")]  # He
        assert values == pytest.approx(expected, rel=0.05)
        texts = [item.text or "" for item in panel.iter(f"{SVG}text")]
        assert any(text.startswith("Variance of") and text.endswith(name) for text in texts)
        assert {"He", "Xavier", "zeros: 0"} <= set(texts)
        assert any("too small ↓10⁻" in text for text in texts)


def test_the_density_is_the_laws() -> None:
    (panel,) = panels(drawn("density"))
    law = HE.on(SHAPE)
    found = points(panel, "line c1")
    for x, y in found[2:-2]:
        assert y == pytest.approx(law.pdf(x), abs=0.03)
    assert {round(x, 3) for x, y in found if y < 1e-9} == {round(end, 3) for end in law.support}


def test_the_band_is_that_of_dvoretzky_kiefer_wolfowitz_and_massart() -> None:
    (panel,) = panels(drawn("ecdf"))
    n = math.prod(SHAPE)
    heights = sorted(y for _, y in points(panel, "line thin dash c2"))
    band = math.sqrt(math.log(2 / 1e-3) / (2 * n))
    assert heights == pytest.approx([-band, band], rel=1e-2)
    values = [y for _, y in points(panel, "line c0")]
    found = curves.ecdf(HE.numpy(SHAPE, seed=0), HE.on(SHAPE))
    assert max(map(abs, values)) == pytest.approx(found.distance, rel=1e-2)
    assert "inside the band" in drawn("ecdf")
    assert "outside the band" in drawn("ecdf outside")


def test_the_xor_curves() -> None:
    (panel,) = panels(drawn("xor"))
    for _, scheme, colour in figures.XOR:
        losses = xor_network.xor_losses(scheme, 400)
        for step, loss in points(panel, f"line c{colour}"):
            assert loss == pytest.approx(losses[min(round(step), 400)], abs=0.01)
    assert xor_network.xor_losses("zeros", 400)[-1] == pytest.approx(math.log(2), rel=1e-12)
    assert xor_network.xor_losses("constant(0.5)", 2000)[-1] > 0.4
    assert xor_network.xor_losses("glorot_normal", 400)[-1] < 0.01


def test_the_xor_network_is_the_tutorials() -> None:
    path = Path(__file__).parents[2] / "docs" / "tutorials" / "xor" / "xor.py"
    spec = importlib.util.spec_from_file_location("xor_tutorial_of_figures", path)
    assert spec is not None
    assert spec.loader is not None
    tutorial = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tutorial)
    assert (xor_network.HIDDEN, xor_network.RATE, xor_network.SEED) == (
        tutorial.HIDDEN,
        tutorial.RATE,
        tutorial.SEED,
    )


# --------------------------------------------------------------------------------------- curves


@pytest.mark.parametrize(
    ("scheme", "shape"),
    [
        ("he_normal", SHAPE),
        ("he_normal@torch", SHAPE),
        ("glorot_uniform", SHAPE),
        ("orthogonal", (5, 9)),
        ("orthogonal(gain=2.0)", (2, 3)),
        ("truncated_normal(mean=1.0, std=2.0)", (3, 4)),
    ],
)
def test_densities_integrate_to_the_cdf(scheme: str, shape: tuple[int, ...]) -> None:
    law = get(scheme).on(shape)
    low, high = law.ppf(0.1), law.ppf(0.7)
    x = np.linspace(low, high, 4001)
    area = np.trapezoid(law.pdf(x), x)
    assert area == pytest.approx(0.6, rel=1e-5)


@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (64, 256), (256, 64)])
def test_marchenko_and_pasturs_density(rows: int, columns: int) -> None:
    x, y = map(np.array, zip(*marchenko_pastur(rows, columns, 0.5), strict=True))
    assert np.trapezoid(y, x) == pytest.approx(1, rel=2e-3)
    # The mean of the squares is that of the matrix: variance * the longer side.
    assert np.trapezoid(y * x**2, x) == pytest.approx(0.5 * max(rows, columns), rel=5e-3)
    values = singular_values("normal(std=0.5)", (rows, columns)).values
    assert len(values) == min(rows, columns)


def test_singular_values_of_a_convolution() -> None:
    drawn = get("orthogonal").numpy((6, 4, 3, 3), seed=0, layout="oihw")
    found = singular_values("orthogonal", (6, 4, 3, 3), "oihw")
    assert (found.rows, found.columns, found.level) == (36, 6, 1.0)
    assert found.values == pytest.approx([1.0] * 6, abs=1e-5)
    flat = drawn.reshape(6, 36)
    assert np.allclose(flat @ flat.T, np.eye(6), atol=1e-5)


def test_ecdf_of_atoms_and_of_what_is_not_there() -> None:
    law = get("sparse").on((40, 30))
    assert curves.ecdf(get("sparse").numpy((40, 30), seed=0), law).inside
    assert not curves.ecdf(np.ones(100), get("zeros").on((2, 2))).inside
    assert curves.ecdf(np.zeros(100), get("zeros").on((2, 2))).distance == 0
    for values in ([], [math.nan]):
        with pytest.raises(SpecError, match="finite numbers"):
            curves.ecdf(values, law)
    with pytest.raises(SpecError, match="alpha"):
        curves.ecdf([0.0], law, 1.5)


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(SpecError, match="zeros has no density"):
        figures.compare("he_normal", "zeros", SHAPE)
    with pytest.raises(SpecError, match="one to five signals"):
        figures.signal()
    with pytest.raises(SpecError, match="singular values are taken of one"):
        singular_values("he_normal", (3, 8, 8), "bio")
    with pytest.raises(SpecError, match="two finite ends"):
        Axis(1.0, 1.0)
    with pytest.raises(SpecError, match="decades rise from above zero"):
        Axis(0.0, 1.0, log=True)


# ------------------------------------------------------------------------------------------- kit


def test_ticks() -> None:
    assert Axis(0, 7).ticks() == (0, 2, 4, 6)
    assert Axis(50, 1).place(1) == 1
    assert Axis(-0.13, 0.13).ticks() == (-0.1, 0.0, 0.1)
    decade = Axis(1e-10, 1e2, log=True)
    assert [decade.text(tick) for tick in decade.ticks()][:2] == ["10⁻⁹", "10⁻⁶"]
    assert decades([]) == (0.1, 10.0)
    assert decades([1e-5, 3e-5]) == (1e-5, 1e-3)


def test_a_line_is_cut_at_the_edge_and_not_bent() -> None:
    line = Line([(0, 0.5), (1, 2.5), (2, 0.5)], 0, "cut")
    text = picture("t", "d", [Panel(Axis(0, 2), Axis(0, 1), [line])])
    (panel,) = panels(text)
    pieces = [item for item in panel.iter(f"{SVG}path") if item.get("class") == "line c0"]
    assert len(pieces) == 2
    found = points(panel, "line c0")
    assert [x for x, _ in found] == pytest.approx([0, 0.25], abs=1e-3)
    assert [y for _, y in found] == pytest.approx([0.5, 1.0], abs=1e-3)


def test_labels_do_not_cover_each_other() -> None:
    lines = [Line([(0, 0.5), (1, 0.5 + i / 1000)], i, f"line {i}") for i in range(5)]
    text = picture("t", "d", [Panel(Axis(0, 1), Axis(0, 1), [*lines, Floor(0, 1, 5, "floor")])])
    heights = sorted(
        float(item.get("y", 0))
        for item in ET.fromstring(text).iter(f"{SVG}text")
        if (item.get("class") or "").startswith("label")
    )
    assert len(heights) == 6
    assert min(b - a for a, b in pairwise(heights)) > 14


def test_text_is_escaped() -> None:
    marks = [Note(0.5, 0.5, "a < b & c"), Dots([(0.5, 0.5)])]
    text = picture("x < y", 'the "d" & more', [Panel(Axis(0, 1), Axis(0, 1), marks)])
    root = ET.fromstring(text)
    assert root.findtext(f"{SVG}title") == "x < y"
    assert "a < b & c" in [item.text for item in root.iter(f"{SVG}text")]


def test_the_bytes_are_those_of_another_process() -> None:
    code = (
        "import sys, initspec; from initspec import figures, signal;"
        "sys.stdout.buffer.write(figures.signal(signal('he_normal', depth=12, width=32)).encode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode() == drawn("signal")
