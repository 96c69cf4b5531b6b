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
    import initspec.figures as figures  # noqa: F401 - a module, public as it is
    import initspec.plot as plot  # noqa: F401

    from .backends import Backend, available, backend, initializer
    from .calls import from_call, from_jax, from_keras, from_tf_contrib, from_torch
    from .codegen import generate
    from .compare import Difference, diff, equivalent
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
    from .inference import Inference, infer
    from .layer_defaults import LayerDefault, defaults
    from .layout import Fans, Layout, fans
    from .porting import Port, port
    from .propagation import Signal, signal
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
    "Difference": "compare",
    "Distribution": "distribution",
    "Fans": "layout",
    "Inference": "inference",
    "InitSpecError": "errors",
    "LayerDefault": "layer_defaults",
    "Layout": "layout",
    "LayoutError": "errors",
    "Port": "porting",
    "Scheme": "scheme",
    "Signal": "propagation",
    "SpecError": "errors",
    "StreamError": "errors",
    "Truncation": "truncation",
    "UnknownName": "errors",
    "available": "backends",
    "backend": "backends",
    "defaults": "layer_defaults",
    "diff": "compare",
    "generate": "codegen",
    "dumps": "serial",
    "equivalent": "compare",
    "fans": "layout",
    "from_call": "calls",
    "from_jax": "calls",
    "from_keras": "calls",
    "from_tf_contrib": "calls",
    "from_torch": "calls",
    "get": "registry",
    "infer": "inference",
    "initializer": "backends",
    "load": "serial",
    "loads": "serial",
    "port": "porting",
    "register": "registry",
    "save": "serial",
    "schemes": "registry",
    "signal": "propagation",
}

# Modules that are public as they are, and needed by few.
_MODULES = ("figures", "plot")

__all__ = [
    "Backend",
    "BackendMissing",
    "Custom",
    "Difference",
    "Distribution",
    "Fans",
    "Inference",
    "InitSpecError",
    "LayerDefault",
    "Layout",
    "LayoutError",
    "Port",
    "Scheme",
    "Signal",
    "SpecError",
    "StreamError",
    "Truncation",
    "UnknownName",
    "available",
    "backend",
    "defaults",
    "diff",
    "dumps",
    "equivalent",
    "fans",
    "from_call",
    "from_jax",
    "from_keras",
    "from_tf_contrib",
    "from_torch",
    "generate",
    "get",
    "infer",
    "initializer",
    "load",
    "loads",
    "port",
    "register",
    "save",
    "schemes",
    "signal",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'initspec' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
