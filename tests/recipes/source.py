"""Code of repositories that cannot be imported as it stands: pieces of it, and stand-ins."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from recipes.original import checkout, on_path


def pieces(repository: str, file: str, names: tuple[str, ...], **head: Any) -> Any:
    """The functions and classes of these names, run as they stand in a file that is a script.

    ``head`` is what else the file has imported or set. Of several of one name the last one counts.
    """
    path = checkout(repository) / file
    tree = ast.parse(path.read_text("utf-8"))
    wanted = [node for node in tree.body if getattr(node, "name", None) in names]
    module = ModuleType(path.stem)
    module.__dict__.update(head)
    exec(compile(ast.Module(body=wanted, type_ignores=[]), str(path), "exec"), module.__dict__)
    return module


@contextmanager
def alone(repository: str, **stand_ins: Any) -> Iterator[None]:
    """The repository's folder on the path, and modules of these names, ``a__b`` for a.b, beside.

    What was imported from there is forgotten afterwards, so that two repositories may both have
    ``models``.
    """
    before = set(sys.modules)
    for name, holds in stand_ins.items():
        module = ModuleType(name.replace("__", "."))
        module.__dict__.update(holds)
        module.__path__ = []
        sys.modules[module.__name__] = module
    folder = str(checkout(repository))
    try:
        with on_path(repository):
            yield
    finally:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if name.replace(".", "__") in stand_ins or file.startswith(folder):
                del sys.modules[name]
