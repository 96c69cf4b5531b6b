"""Directives as comments, so that each page is plain Markdown wherever it is read.

``<!-- contents: Tutorials -->`` makes the list or the table that follows a part of the navigation,
under that caption: the first link of each of its lines. ``<!-- autofunction: initspec.get -->``
puts the documentation of that function there, from its docstring; so do ``autoclass`` and its like.
A docstring names what it refers to as its readers would: by its last word.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.util.nodes import make_refnode

_CONTENTS = re.compile(r"^<!-- contents(?:: (.*?))? -->\n+((?:[^#\n].*\n|\n(?=[-|*]))*)", re.M)
_LINK = re.compile(r"\]\(([^)#:]+)\.md\)")
_AUTODOC = re.compile(r"^<!-- (auto\w+): (\S+)\.(\w+) -->$", re.M)


def _contents(match: re.Match[str]) -> str:
    caption, listed = match.groups()
    links = [found[1] for line in listed.splitlines() if (found := _LINK.search(line))]
    head = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *head, "", *links, "```", "", listed])


def _autodoc(match: re.Match[str]) -> str:
    directive, home, word = match.groups()
    members = "   :members:\n" if directive == "autoclass" else ""
    return f"```{{eval-rst}}\n.. currentmodule:: {home}\n\n.. {directive}:: {word}\n{members}```"


def _read(app: Any, page: str, source: list[str]) -> None:
    source[0] = _AUTODOC.sub(_autodoc, _CONTENTS.sub(_contents, source[0]))


def _anywhere(app: Any, env: Any, node: Any, content: Any) -> Any:
    """A docstring's reference to a name of another module, where the name alone is unique."""
    target = node.get("reftarget", "").lstrip(".")
    objects = env.domains.python_domain.objects
    found = {
        (home.docname, home.node_id)
        for name, home in objects.items()
        if name.endswith(f".{target}") and node.get("refdomain") == "py"
    }
    return (
        make_refnode(app.builder, node["refdoc"], *found.pop(), content)
        if len(found) == 1
        else None
    )


def setup(app: Any) -> dict[str, Any]:
    app.connect("source-read", _read)
    app.connect("missing-reference", _anywhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
