"""The API: its public names, with the first sentence of each; Sphinx puts the rest beneath."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import initspec

from .markdown import escaped, page, plain, sentence, table, tick

#: The public names by subject; those that no subject has stand at the end.
_SUBJECTS = {
    "Schemes": ("get", "register", "schemes", "Scheme", "Truncation", "Custom"),
    "Laws and layouts": ("Distribution", "fans", "Fans", "Layout"),
    "Arrays": ("initializer", "backend", "available", "Backend"),
    "A framework's own calls": (
        *("from_torch", "from_keras", "from_jax", "from_tf_contrib", "from_call", "generate"),
    ),
    "Comparing": ("diff", "Difference", "equivalent", "infer", "Inference"),
    "Layers": ("defaults", "LayerDefault", "port", "Port"),
    "Signals": ("signal", "Signal"),
    "Files": ("save", "load", "dumps", "loads"),
    "Errors": (
        *("InitSpecError", "SpecError", "LayoutError", "UnknownName", "StreamError"),
        "BackendMissing",
    ),
}

#: The adapters by their modules; their frameworks are not imported here, nor by Sphinx.
_ADAPTERS = {
    "initspec.backends.numpy.adapter": ("NumpyBackend", "NumpyInitializer"),
    "initspec.backends.torch.adapter": ("TorchBackend", "TorchInitializer"),
    "initspec.backends.torch.writing": ("Plan",),
    "initspec.backends.tensorflow.adapter": ("TensorFlowBackend", "TensorFlowInitializer"),
    "initspec.backends.keras.adapter": ("KerasBackend",),
    "initspec.backends.jax.adapter": ("JaxBackend", "JaxInitializer", "HaikuInitializer"),
}

#: What public functions return, or read, and nobody makes by hand.
_PARTS = {
    "initspec.readings.entry": ("Entry",),
    "initspec.readings.to_framework": ("Code",),
    "initspec.analysis.difference": ("Side",),
    "initspec.spec.distance": ("ks",),
    "initspec.analysis.candidates": ("Match", "Origin"),
    "initspec.stream.canonical_order": ("Block",),
    "initspec.stream.placement": ("Placement",),
    "initspec.layers.parameter": ("Parameter",),
    "initspec.layers.pairs": ("Pair",),
    "initspec.analysis.signal": ("Course",),
    "initspec.spec.tensor_laws": ("Values",),
    "initspec.spec.integer_form": ("Draw",),
    "initspec.conformance.report.record": ("Decision", "Moments", "Picture"),
}

_MODULES = ("initspec.conformance", "initspec.stream", "initspec.spec.fan_rules")


def pages() -> dict[str, str]:
    found = {
        "api/initspec.md": _page("initspec", _public(), initspec.__doc__),
        "api/backends.md": _page("initspec.backends", _adapters(), _module("initspec.backends")),
    }
    found["api/parts.md"] = _page("Parts", _parts(), _ABOUT_PARTS)
    for name in _MODULES:
        found[f"api/{name.partition('.')[2]}.md"] = _page(name, {"": _names(name)}, _module(name))
    return {"api/index.md": _index(), **found}


def _index() -> str:
    homes = ("initspec", "initspec.backends", *_MODULES)
    return page(
        "The API",
        "What is public, from its docstrings. Whatever is not named here may change at any time.",
        "<!-- contents -->",
        table(
            ("Module", ""),
            [
                *((f"[{name}]({_file(name)})", escaped(sentence(_module(name)))) for name in homes),
                ("[Parts](parts.md)", _ABOUT_PARTS),
            ],
        ),
    )


def _file(module: str) -> str:
    return f"{module.partition('.')[2] or module}.md"


def _public() -> dict[str, dict[str, str]]:
    """The names of ``initspec`` by subject, with their first sentences."""
    left = [name for name in initspec.__all__ if not any(name in s for s in _SUBJECTS.values())]
    subjects = {**_SUBJECTS, **({"Other": tuple(left)} if left else {})}
    return {
        subject: {f"initspec.{name}": _said(getattr(initspec, name)) for name in names}
        for subject, names in subjects.items()
        if all(name in initspec.__all__ for name in names)
    }


def _said(found: Any) -> str:
    if inspect.isclass(found) or callable(found):
        return sentence(inspect.getdoc(found))
    return sentence(inspect.getdoc(type(found)))


def _names(module: str) -> dict[str, str]:
    """The public functions and classes that a module defines."""
    home = import_module(module)
    words = getattr(home, "__all__", None) or [
        word
        for word, found in vars(home).items()
        if not word.startswith("_") and getattr(found, "__module__", "") == module
    ]
    return {f"{module}.{word}": _said(getattr(home, word)) for word in words}


def _parts() -> dict[str, dict[str, str]]:
    return {
        "": {
            f"{module}.{word}": _said(getattr(import_module(module), word))
            for module, words in _PARTS.items()
            for word in words
        }
    }


_ABOUT_PARTS = "What public functions return, or take, and nobody makes by hand."


def _adapters() -> dict[str, dict[str, str]]:
    """The adapters' classes, read and not imported."""
    return {
        "": {
            f"{module}.{word}": sentence(_docstring(module, word))
            for module, words in _ADAPTERS.items()
            for word in words
        }
    }


def _docstring(module: str, word: str) -> str:
    tree = ast.parse(_source(module).read_text("utf-8"))
    found = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == word)
    return ast.get_docstring(next(found)) or ""


def _module(name: str) -> str:
    return ast.get_docstring(ast.parse(_source(name).read_text("utf-8"))) or ""


def _source(module: str) -> Path:
    home = Path(initspec.__file__).parent.joinpath(*module.split(".")[1:])
    return home / "__init__.py" if home.is_dir() else home.with_suffix(".py")


def _page(module: str, subjects: Mapping[str, Mapping[str, str]], text: str | None) -> str:
    about = plain((text or "").partition(">>>")[0].strip())
    parts: list[str] = []
    for subject, names in subjects.items():
        parts += [f"## {subject}"] if subject else []
        rows = [(_shown(name, module), escaped(said)) for name, said in names.items()]
        parts += [table(("Name", ""), rows), _autodoc(names)]
    return page(module, about, *parts)


def _shown(name: str, module: str) -> str:
    return tick(name.removeprefix(f"{module}."))


def _autodoc(names: Iterable[str]) -> str:
    """What docs/_extensions/plain.py reads."""
    return "\n\n".join(f"<!-- auto{_kind(name)}: {name} -->" for name in names)


def _kind(name: str) -> str:
    home, _, word = name.rpartition(".")
    if home in _ADAPTERS:
        return "class"
    found = getattr(import_module(home), word)
    if inspect.isclass(found):
        return "exception" if issubclass(found, Exception) else "class"
    return "function" if callable(found) else "data"
