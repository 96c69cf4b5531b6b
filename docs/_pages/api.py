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

#: The modules of the public names by subject; those that no subject has stand at the end.
_SUBJECTS = {
    "Schemes": ("readings.registry", "spec.scheme", "spec.truncation", "spec.custom"),
    "Laws and layouts": ("spec.distribution", "spec.layout", "spec.fan_rules"),
    "Backends": ("plugins", "protocol"),
    "A framework's own calls": ("readings.from_framework", "readings.to_framework"),
    "Comparing": ("analysis.diff", "analysis.difference", "analysis.inference"),
    "Layers": ("layers.defaults", "layers.parameter", "layers.port"),
    "Signals": ("analysis.propagation", "analysis.signal"),
    "Files": ("spec.serial",),
    "Errors": ("errors",),
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
    "initspec.analysis.candidates": ("Origin",),
    "initspec.analysis.matches": ("Match",),
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
    return {
        "api/index.md": _index(),
        "api/initspec.md": _page("initspec", _public(), initspec.__doc__),
        "api/backends.md": _page("initspec.backends", _adapters(), _module("initspec.backends")),
        "api/parts.md": _page("Parts", _parts(), _ABOUT_PARTS),
    } | {f"api/{_file(name)}": _page(name, {"": _names(name)}, _module(name)) for name in _MODULES}


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
    names = {module: words.split() for module, words in initspec._NAMES.items()}
    placed = {module for modules in _SUBJECTS.values() for module in modules}
    others = tuple(module for module in names if module not in placed)
    subjects = {**_SUBJECTS, **({"Other": others} if others else {})}
    return {
        subject: {
            f"initspec.{name}": _first_sentence(getattr(initspec, name))
            for module in modules
            for name in names.get(module, ())
        }
        for subject, modules in subjects.items()
    }


def _first_sentence(value: Any) -> str:
    if inspect.isclass(value) or callable(value):
        return sentence(inspect.getdoc(value))
    return sentence(inspect.getdoc(type(value)))


def _names(module: str) -> dict[str, str]:
    """The public functions and classes that a module defines."""
    home = import_module(module)
    words = getattr(home, "__all__", None) or [
        word
        for word, value in vars(home).items()
        if not word.startswith("_") and getattr(value, "__module__", "") == module
    ]
    return {f"{module}.{word}": _first_sentence(getattr(home, word)) for word in words}


def _parts() -> dict[str, dict[str, str]]:
    return {
        "": {
            f"{module}.{word}": _first_sentence(getattr(import_module(module), word))
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
    classes = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == word)
    return ast.get_docstring(next(classes)) or ""


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
        rows = [(_shown(name, module), escaped(first)) for name, first in names.items()]
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
    value = getattr(import_module(home), word)
    if inspect.isclass(value):
        return "exception" if issubclass(value, Exception) else "class"
    return "function" if callable(value) else "data"
