"""Mathematics as MathML: written at build time, read by the browser itself.

No script, no font and no request to a network: see ``html_math_renderer`` in ``conf.py``.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def _inline(self: Any, node: nodes.Element) -> None:
    self.body.append(_written(node, "inline"))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.Element) -> None:
    self.body.append(f'<div class="math">{_written(node, "block")}</div>\n')
    raise nodes.SkipNode


def _written(node: nodes.Element, display: str) -> str:
    latex = node.astext().strip()
    text: str = convert(latex, display=display)
    if "\\" in text:  # a command that the converter does not know is left as it stands
        raise ValueError(f"{node.source}:{node.line}: cannot say in MathML: {latex}")
    text = text.replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")  # \\sim is a relation
    return _LETTERS.sub(lambda word: f"<mi>{''.join(_LETTER.findall(word[0]))}</mi>", text)


# A word is one identifier, which a screen reader reads as a word, and not one for each letter.
_LETTER = re.compile('<mi mathvariant="normal">([A-Za-z])</mi>')
_LETTERS = re.compile(f"(?:{_LETTER.pattern}){{2,}}")


def setup(app: Any) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
