"""Imports go down: no circle among files, and no arrow back up among the rooms."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("initspec", "backends", "conformance")

#: The rooms of the architecture, the ground floor first. A file imports from its own room and
#: from those below. Rooms on one line do not know each other.
FLOORS = (
    ("initspec/public", "initspec/moved", "initspec/keras_names", "initspec/computed_weights"),
    ("initspec/errors", "initspec/versions", "initspec/plain_text", "initspec/__init__"),
    ("initspec/plugins", "initspec/files"),
    ("initspec/spec",),
    ("initspec/stream", "initspec/protocol"),
    ("initspec/readings",),
    ("backends",),
    ("initspec/layers",),
    ("initspec/analysis", "initspec/plans"),
    ("initspec/figures",),
    ("conformance",),
    ("initspec/commands",),
    ("initspec/__main__",),
)


def modules() -> dict[str, Path]:
    """Every module by its dotted name, each once: the two links are not followed."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if any(parent.is_symlink() for parent in path.parents):
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            parts = parts if parts[0] == "initspec" else ("initspec", *parts)
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported(name: str, source: str, is_package: bool, known: set[str]) -> set[str]:
    """The modules that a source imports, anywhere in it, at the top or lazily."""
    package = name if is_package else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = parts[: len(parts) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                found.add(inner if inner in known else origin)
    return {target for target in found & known if target != name}


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    paths = modules()
    return {
        name: imported(name, path.read_text(), path.name == "__init__.py", set(paths))
        for name, path in paths.items()
    }


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The sets of modules that import each other in a loop (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in graph[name]:
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            members = stack[stack.index(name) :]
            del stack[-len(members) :]
            if len(members) > 1:
                found.append(sorted(members))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def floor(name: str) -> int:
    """The floor of the room that a module is in."""
    path = name.replace(".", "/")
    path = (
        path.removeprefix("initspec/")
        if path.split("/")[1:2] in (["backends"], ["conformance"])
        else path
    )
    path = "initspec/__init__" if path == "initspec" else path
    levels = [
        level
        for level, rooms in enumerate(FLOORS)
        if any(path == room or path.startswith(f"{room}/") for room in rooms)
    ]
    assert levels, f"{name} is in no room: add it to FLOORS"
    return levels[0]


def upward(graph: dict[str, set[str]]) -> list[str]:
    """The imports that go from a room to one above it."""
    return [
        f"{name} -> {target}"
        for name, targets in sorted(graph.items())
        for target in sorted(targets)
        if floor(target) > floor(name) and name != "initspec"
    ]


def test_no_files_import_each_other_in_a_circle(graph) -> None:
    assert circles(graph) == []


def test_no_room_imports_from_a_room_above(graph) -> None:
    assert upward(graph) == []


def test_planted_circles_and_arrows_are_found(graph) -> None:
    planted = {name: set(targets) for name, targets in graph.items()}
    planted["initspec.errors"] = {"initspec.spec.scheme"}
    assert any("initspec.errors" in members for members in circles(planted))
    assert "initspec.errors -> initspec.spec.scheme" in upward(planted)


def test_lazy_and_relative_imports_are_seen() -> None:
    known = {"initspec.a", "initspec.b.c", "initspec.b"}
    source = "def f():\n    from . import a\n    from .b import c\n    from .b.c import x\n"
    assert imported("initspec", source, True, known) == {"initspec.a", "initspec.b.c"}


def test_no_private_module_is_imported_from_another_folder(graph) -> None:
    wrong = [
        f"{name} -> {target}"
        for name, targets in graph.items()
        for target in targets
        if target.rpartition(".")[2].startswith("_")
        and not target.endswith("__")
        and target.rpartition(".")[0] != name.rpartition(".")[0]
    ]
    assert wrong == []
