"""The pictures that explain, and a page that shows them all with the line that draws each."""

from __future__ import annotations

import initspec
from initspec import figures

from .markdown import code, page

_SHAPE = (256, 512)
#: File, what it shows, and the line that draws it.
_PICTURES = (
    (
        "teaching",
        "What the first weights do to a network of fifty layers",
        "figures.teaching()",
    ),
    (
        "xor",
        "The network that zeros cannot train",
        "figures.xor()",
    ),
    (
        "truncation",
        "One name, two laws: Keras cuts at two parent standard deviations, PyTorch does not",
        f'figures.compare("he_normal@keras", "he_normal@torch", {_SHAPE}, "io")',
    ),
    (
        "ecdf",
        "Values that have the law stay inside the band",
        "figures.ecdf(\n"
        f'    initspec.get("he_normal").numpy({_SHAPE}, seed=0),\n'
        f'    initspec.get("he_normal").on({_SHAPE}, "io"),\n)',
    ),
    (
        "ecdf_refused",
        "The same values without the cut leave it",
        "figures.ecdf(\n"
        f'    initspec.get("he_normal@torch").numpy({_SHAPE}, seed=0),\n'
        f'    initspec.get("he_normal").on({_SHAPE}, "io"),\n)',
    ),
    (
        "singular",
        "Singular values: a matrix of independent numbers, and an orthogonal one",
        f'figures.singular(("glorot_normal", "orthogonal"), {_SHAPE}, "io")',
    ),
)


def pages() -> dict[str, str]:
    drawn = {f"pictures/{name}.svg": _drawn(line).rstrip() + "\n" for name, _, line in _PICTURES}
    return {**drawn, "pictures.md": _page()}


def _drawn(line: str) -> str:
    svg: str = eval(line, {"figures": figures, "initspec": initspec})
    return svg


def _page() -> str:
    parts = [
        "Each is a line of Python, and SVG that follows the reader's light or dark. "
        "`initspec.plot` has the same for Matplotlib, and `initspec signal --plot` draws the "
        "course of any scheme."
    ]
    for name, title, line in _PICTURES:
        text = f"import initspec\nfrom initspec import figures\n\nsvg = {line}"
        parts += [f"## {title}", f"![{title}](pictures/{name}.svg)", code(text, "py")]
    return page("Pictures", *parts)
