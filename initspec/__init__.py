"""initspec: weight initialisation, specified once, the same in every framework.

The way of the data: a :class:`Scheme` (a rule, as data) is put on a shape and a layout and becomes
a :class:`Distribution` (a law with numbers); a backend turns that into an array.

>>> import initspec
>>> he = initspec.get("he_normal")
>>> round(he.on((256, 512)).std, 9)
0.088388348
>>> he.numpy((256, 512), seed=42).shape
(256, 512)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backends import Backend, available, backend, initializer
    from .custom import Custom
    from .distribution import Distribution
    from .errors import (
        BackendMissing,
        InitSpecError,
        LayoutError,
        SpecError,
        StreamError,
        UnknownName,
    )
    from .layout import Fans, Layout, fans
    from .registry import get, register, schemes
    from .scheme import Scheme
    from .serial import dumps, load, loads, save
    from .truncation import Truncation

__version__ = "0.1.0"

# Where each public name lives. They are imported on first use, so that `import initspec` costs
# next to nothing and never imports NumPy or a framework.
_HOMES = {
    "Backend": "backends",
    "BackendMissing": "errors",
    "Custom": "custom",
    "Distribution": "distribution",
    "Fans": "layout",
    "InitSpecError": "errors",
    "Layout": "layout",
    "LayoutError": "errors",
    "Scheme": "scheme",
    "SpecError": "errors",
    "StreamError": "errors",
    "Truncation": "truncation",
    "UnknownName": "errors",
    "available": "backends",
    "backend": "backends",
    "dumps": "serial",
    "fans": "layout",
    "get": "registry",
    "initializer": "backends",
    "load": "serial",
    "loads": "serial",
    "register": "registry",
    "save": "serial",
    "schemes": "registry",
}

__all__ = [
    "Backend",
    "BackendMissing",
    "Custom",
    "Distribution",
    "Fans",
    "InitSpecError",
    "Layout",
    "LayoutError",
    "Scheme",
    "SpecError",
    "StreamError",
    "Truncation",
    "UnknownName",
    "available",
    "backend",
    "dumps",
    "fans",
    "get",
    "initializer",
    "load",
    "loads",
    "register",
    "save",
    "schemes",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'initspec' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
