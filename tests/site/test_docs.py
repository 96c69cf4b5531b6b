"""The reference is what the data say, every page is found, and the site asks nobody for anything."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import initspec
from initspec.readings.registry import dialects, rows

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s:#]*)(?:#([^)\s]+))?\)")

pytestmark = pytest.mark.skipif(not REFERENCE.exists(), reason="needs the source tree")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)


# ------------------------------------------------------------------------------- written from data


def test_the_reference_is_what_the_data_say() -> None:
    done = run(DOCS / "generate.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_page_is_seen(tmp_path: Path) -> None:
    copy = shutil.copytree(REFERENCE, tmp_path / "reference")
    page = copy / "schemes" / "he_normal.md"
    page.write_text(page.read_text("utf-8").replace("2 / fan_in", "3 / fan_in"), "utf-8")
    picture = copy / "schemes" / "lecun_normal.svg"
    picture.write_text(picture.read_text("utf-8").replace("lecun_normal", "lecun"), "utf-8")
    (copy / "fans.md").unlink()
    (copy / "dialects" / "gone.md").write_text((copy / "dialects" / "torch.md").read_text("utf-8"))
    done = run(DOCS / "generate.py", "--check", "--root", copy)
    assert done.returncode == 1
    for name in ("schemes/he_normal.md", "schemes/lecun_normal.svg", "fans.md", "dialects/gone.md"):
        assert f"stale: {copy / name}" in done.stdout
    assert done.stdout.count("stale: ") == 4
    assert "python docs/generate.py" in done.stdout


def test_a_picture_may_differ_by_a_pixel_and_no_more(tmp_path: Path) -> None:
    copy = shutil.copytree(REFERENCE, tmp_path / "reference")
    picture = copy / "schemes" / "orthogonal.svg"
    text = picture.read_text("utf-8")
    number = re.search(r"(?<=[ ,])\d{3}\.\d+", text)
    assert number is not None
    for by, code in ((0.4, 0), (5.0, 1)):
        moved = f"{float(number[0]) + by:.1f}"
        picture.write_text(text[: number.start()] + moved + text[number.end() :], "utf-8")
        assert run(DOCS / "generate.py", "--check", "--root", copy).returncode == code


def test_every_row_has_its_place() -> None:
    for entry in rows(None):
        text = (REFERENCE / "schemes" / f"{entry.name}.md").read_text("utf-8")
        assert all(f"`{alias}`" in text for alias in entry.aliases)
        assert "1. " in text
        assert "\n3. " in text  # the derivation's three lines
    for name in dialects():
        text = (REFERENCE / "dialects" / f"{name}.md").read_text("utf-8")
        assert all(f"`{entry.name}`" in text for entry in rows(name))


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("torch", "tensorflow", "keras")]


@pytest.mark.parametrize("name", ["numpy", "jax", *SLOW])
def test_the_lines_for_each_framework_run(name: str, tmp_path: Path) -> None:
    """All of them in one process; and what is said there of one seed is so."""
    if not initspec.available()[name]:
        pytest.skip(f"{name} is not installed")
    title = {"numpy": "NumPy"}.get(name) or dialects()[name]["title"]
    blocks = []
    for entry in rows(None):
        text = (REFERENCE / "schemes" / f"{entry.name}.md").read_text("utf-8")
        found = re.search(rf"\*\*{title}\*\*\n\n```py\n(.*?)```", text, re.DOTALL)
        assert found is not None, entry.name
        blocks.append((entry.name, found[1]))
    script = tmp_path / "lines.py"
    script.write_text(
        f"""
import numpy as np
import initspec

for scheme, block in {blocks!r}:
    imports, ours, *theirs = block.split("\\n\\n")
    room = {{}}
    exec(imports + "\\n" + ours, room)
    weight = np.asarray(room["weight"])
    if {name!r} == "torch":
        weight = np.moveaxis(weight, (1, 0), (-2, -1))
    same = initspec.get(scheme).numpy(weight.shape, seed=42)
    assert np.allclose(weight, same, rtol=0, atol=1e-6 if "orthogonal" in scheme else 0), scheme
    exec("\\n\\n".join(theirs), room)
"""
    )
    done = run(script)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------------- the links


def links(page: Path) -> set[Path]:
    found = LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", page.read_text("utf-8"), flags=re.DOTALL))
    return {(page.parent / path).resolve() for path, _ in found}


def test_every_page_of_the_reference_is_two_links_from_the_readme() -> None:
    first = links(ROOT / "README.md")
    second = {link for page in first if page.suffix == ".md" for link in links(page)}
    for kind in ("schemes", "dialects", "layers"):
        pages = set((REFERENCE / kind).glob("*.md"))
        assert pages <= first | second, sorted(pages - first - second)


def anchors(page: Path) -> set[str]:
    """The fragments that a code host gives the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_their_fragments_lead_somewhere(page: Path) -> None:
    for path, fragment in LINK.findall(page.read_text("utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        if fragment and target.suffix == ".md":
            assert fragment in anchors(target), f"{path}#{fragment}"


# -------------------------------------------------------------------------------------- the site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("sphinx") is None:
        pytest.skip("Sphinx is not installed: pip install -e '.[docs]'")
    out = tmp_path_factory.mktemp("site")
    done = run(DOCS / "build.py", "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS).with_suffix(".html")).exists(), page
    text = (site / "reference" / "schemes" / "he_normal.html").read_text("utf-8")
    assert "<math" in text
    assert "\\mathrm" not in text


@pytest.mark.slow
def test_the_site_asks_nobody_for_anything(site: Path) -> None:
    """No script, style, font, picture or frame from elsewhere; links to read are no requests."""
    asked = re.compile(
        r"<(?:script|img|iframe|source|video|audio|embed|object)[^>]*?(?:src|data)=.(?:https?:)?//"
        r"|<link(?![^>]*rel=.canonical)[^>]*?href=.(?:https?:)?//"
        r"|url\(.?(?:https?:)?//|@import"
    )
    for page in [*site.rglob("*.html"), *site.rglob("*.css"), *site.rglob("*.svg")]:
        found = asked.search(page.read_text("utf-8"))
        assert found is None, f"{page.relative_to(site)}: {found and found[0]}"
