"""Keras knows initspec's initializers as soon as both are imported, in either order.

A model file names its initializers by what Keras has registered, and Keras imports no module that
a file names. A finder at the head of ``sys.meta_path`` waits for ``import keras`` and has the
adapter, which registers them, loaded behind it; it finds no module itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def install() -> None:
    """Register where Keras is imported already, else wait for it."""
    if "keras" in sys.modules:
        _register()
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _register() -> None:
    # Whatever is wrong with the adapter is said when a backend is asked for, and not by a program
    # that imports Keras for other reasons.
    with suppress(Exception):
        import_module("initspec.backends.keras")


class _Finder:
    """Has Keras found by the finders behind it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "keras":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            with suppress(AttributeError):  # of a loader that takes no attribute: nothing is lost
                loader.exec_module = partial(_run, loader.exec_module)
        return spec


def _run(exec_module: Any, module: ModuleType) -> None:
    exec_module(module)
    if module.__name__ == "keras":
        _register()
