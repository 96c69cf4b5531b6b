"""The public names: written in one table, imported on first use, documented by examples that run."""

import ast
import doctest
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

import initspec

HOME = Path(initspec.__file__)


def typed_names() -> dict[str, str]:
    """Each name that type checkers see, with the module that it is imported from."""
    (block,) = (
        node for node in ast.parse(HOME.read_text("utf-8")).body if isinstance(node, ast.If)
    )
    return {
        alias.name: node.module or ""
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def examples(name: str) -> list[doctest.DocTest]:
    """The examples of a public name and of its methods, read where it is written."""
    value, home = getattr(initspec, name), import_module(f"initspec.{initspec._HOMES[name]}")
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        value = type(value)  # the registry is an object
    return doctest.DocTestFinder().find(value, name, home, globs=dict(vars(home)))


def failures(tests: list[doctest.DocTest]) -> int:
    runner = doctest.DocTestRunner(verbose=False)
    return sum(runner.run(test, out=lambda text: None).failed for test in tests)


# ------------------------------------------------------------------------------------- the table


def test_type_checkers_and_python_see_the_same_names() -> None:
    modules = {"figures": "", "plot": "figures"}
    assert typed_names() == {**initspec._HOMES, **modules}
    assert set(modules) == set(initspec._MODULES)
    assert initspec.__all__ == sorted(set(initspec.__all__))


@pytest.mark.parametrize("name", initspec.__all__)
def test_a_name_imports(name: str) -> None:
    value = getattr(initspec, name)
    assert value is getattr(import_module(f"initspec.{initspec._HOMES[name]}"), name)
    assert name in dir(initspec)


def test_an_unknown_name_does_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = initspec.nonsense
    with pytest.raises(ImportError):
        from initspec import nonsense  # noqa: F401


def test_importing_initspec_imports_no_name_and_nothing_heavy() -> None:
    ask = "import sys, initspec; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    imported = done.stdout.split()
    assert [name for name in imported if name.startswith("initspec")] == [
        *("initspec", "initspec.keras_names", "initspec.moved", "initspec.versions")
    ]
    assert not {"numpy", "scipy", "dataclasses", "inspect", "tomllib", "json"} & set(imported)


# --------------------------------------------------------------------------------------- classes

CLASSES = [name for name in initspec.__all__ if inspect.isclass(getattr(initspec, name))]


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_initspecs(name: str) -> None:
    cls = getattr(initspec, name)
    assert (cls.__module__, cls.__qualname__) == ("initspec", name)
    assert str(cls) == f"<class 'initspec.{name}'>"
    for hint in get_type_hints(cls).values():
        assert not isinstance(hint, str)


def test_classes_are_no_others() -> None:
    """No class that is not public says so."""
    marked = {
        node.name
        for path in HOME.parent.rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Name) and decorator.id == "public"
    }
    assert marked == set(CLASSES)


# -------------------------------------------------------------------------------------- examples


@pytest.mark.parametrize("name", initspec.__all__)
def test_examples_run(name: str) -> None:
    """pytest passes by the classes' examples, for they do not say in which file they lie."""
    assert failures(examples(name)) == 0


def test_examples_of_classes_are_found() -> None:
    found = {name for name in CLASSES if any(test.examples for test in examples(name))}
    assert {"Custom", "Layout", "Scheme"} <= found
    written = {test.name: len(test.examples) for test in examples("Scheme")}
    assert written["Scheme"] == 2
    assert written["Scheme.on"] == 2


def test_a_wrong_example_is_found() -> None:
    planted = examples("Scheme")
    (example, *_) = next(test for test in planted if test.name == "Scheme.given").examples[1:]
    example.want = "0.1\n"
    assert failures(planted) == 1
