"""Every public name says what it is: a docstring, an example that runs, and the errors it raises.

``tests/test_public_names.py`` runs the examples of the public classes, pytest's own doctests the rest.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

import initspec
from initspec import conformance, protocol

#: What the adapters are documented by: a method of theirs that the protocol has needs no example.
MEMBERS = {name for name in vars(protocol.Backend) if not name.startswith("_")}
FRAMEWORKS = ("numpy", "torch", "tensorflow", "keras", "jax")


def public() -> dict[str, Any]:
    """The public names: of the package, of the suite, of the adapters, and the two contracts."""
    names = {f"initspec.{name}": getattr(initspec, name) for name in initspec.__all__}
    names["initspec.protocol.Backend"] = protocol.Backend
    if find_spec("scipy"):
        names |= {f"conformance.{n}": getattr(conformance, n) for n in conformance.__all__}
        target = import_module("initspec.conformance.targets.target").Target
        names["conformance.targets.Target"] = target
    for framework in FRAMEWORKS:
        if find_spec(framework):
            module = import_module(f"initspec.backends.{framework}")
            names |= {f"backends.{framework}.{n}": getattr(module, n) for n in module.__all__}
    return names


def documented() -> Iterator[tuple[str, Any, bool]]:
    """Functions, classes, and what users call of a class: the name, it, and whether a property."""
    for name, thing in public().items():
        if inspect.isfunction(thing) or inspect.isclass(thing):
            yield name, thing, False
        if inspect.isclass(thing):
            for member, value in vars(thing).items():
                function = getattr(value, "fget", None) or getattr(value, "__func__", value)
                adapters = name.startswith("backends.") and member in MEMBERS
                if not member.startswith("_") and inspect.isfunction(function) and not adapters:
                    yield f"{name}.{member}", function, isinstance(value, property)


def raised(function: Any) -> set[str]:
    """The errors of ours that the body of a function raises by itself."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return set()
    names = set()
    for node in ast.walk(ast.parse(source)):
        error = getattr(node, "exc", None) if isinstance(node, ast.Raise) else None
        called = error.func if isinstance(error, ast.Call) else error
        if isinstance(called, ast.Name) and hasattr(initspec, called.id):
            names.add(called.id)
    return names


def lacking(name: str, thing: Any) -> list[str]:
    """What the docstring of a public name lacks."""
    text = inspect.getdoc(thing) or ""
    lacks = [] if text else ["a docstring"]
    lacks += [] if ">>>" in text or "::" in text else ["an example"]
    if inspect.isfunction(thing):
        lacks += [f"the error {error}" for error in sorted(raised(thing)) if error not in text]
    return [f"{name} lacks {what}" for what in lacks]


def test_every_public_name_has_a_docstring_an_example_and_its_errors() -> None:
    missing = [line for name, thing, _ in documented() for line in lacking(name, thing)]
    assert missing == []


def test_there_are_many() -> None:
    assert len(list(documented())) > 100


def test_what_is_missing_is_seen() -> None:
    def bare(x: int) -> int:
        """A sentence."""
        if x < 0:
            raise initspec.SpecError("no")
        return x

    def silent() -> None:
        raise SpecError("no")

    SpecError = initspec.SpecError  # noqa: N806 - named as it is raised
    assert lacking("bare", bare) == ["bare lacks an example"]
    assert "silent lacks a docstring" in lacking("silent", silent)
    assert "silent lacks the error SpecError" in lacking("silent", silent)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_adapters_document_themselves(framework: str) -> None:
    pytest.importorskip(framework)
    module = import_module(f"initspec.backends.{framework}")
    for name in module.__all__:
        assert ">>>" in (inspect.getdoc(getattr(module, name)) or ""), name
