"""The text of a target: ``module:attr(a=0.2)``, an entry of a table, a parameter of a layer."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ...errors import InitSpecError, NotInstalled, SpecError, UnknownName
from .raised import raised

#: What a target may need; one that is not installed is skipped, and another package is an error.
FRAMEWORKS = ("torch", "tensorflow", "keras", "tf_keras", "jax", "flax", "haiku", "equinox")

FORM = (
    "write 'module:attr', 'module:attr(a=0.2)', 'module:TABLE', 'module:TABLE[\"he_normal\"]', or "
    "a layer's parameter, 'module:Layer(40, 96)#weight', with its input's shape where it needs "
    "one, '#kernel@(None, 40)'; arguments are literals"
)

#: Folders in which what a text names is looked for before Python's own path. `initspec check` names
#: the current one here: nothing else that it imports may come from there.
FOLDERS: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a text says: where the initializer is, and what it is called with."""

    module: str
    path: tuple[str, ...]
    entry: str | None = None
    called: bool = False
    args: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    parameter: str | None = None
    inputs: Any = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a text. Nothing of it is executed: arguments are literals.

        Raises :class:`SpecError` where it cannot be read.

        >>> Reference.parse("torch.nn:Conv2d(16, 48, 3, groups=4)#weight").options
        {'groups': 4}
        """
        module, colon, rest = text.strip().partition(":")
        dotted = all(part.isidentifier() for part in module.split("."))
        if not (colon and dotted and text.isprintable()):
            raise SpecError(f"cannot read the target {text!r}: {FORM}.")
        try:
            # What follows '#' is a comment to Python, so that its parser finds the '#' that counts.
            node: ast.AST = ast.parse(rest.strip(), mode="eval").body
            end = getattr(node, "end_col_offset", 0)
            tail = rest.strip().encode()[end:].decode().strip()
            fields = cls._called(node) | cls._parameter(tail)
        except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
            raise SpecError(f"cannot read the target {text!r}: {FORM}.") from None
        return cls(module=module, **fields)

    @staticmethod
    def _called(node: ast.AST) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if isinstance(node, ast.Call):
            fields["called"] = True
            fields["args"] = tuple(ast.literal_eval(value) for value in node.args)
            fields["options"] = {
                str(word.arg): ast.literal_eval(word.value) for word in node.keywords
            }
            if any(word.arg is None for word in node.keywords):
                raise ValueError
            node = node.func
        if isinstance(node, ast.Subscript):
            fields["entry"] = str(ast.literal_eval(node.slice))
            node = node.value
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise ValueError
        return {**fields, "path": (node.id, *names)}

    @staticmethod
    def _parameter(tail: str) -> dict[str, Any]:
        if not tail:
            return {}
        name, _, shape = tail.removeprefix("#").partition("@")
        if not name.strip() or tail[0] != "#":
            raise ValueError
        return {
            "parameter": name.strip().replace(".", "/"),
            "inputs": ast.literal_eval(shape.strip()) if shape else None,
        }

    def _hint(self) -> str:
        """How to write it where the module is an attribute of another, as flax.nnx.initializers."""
        above, _, name = self.module.rpartition(".")
        held = getattr(sys.modules.get(above), name, None)
        if held is None:
            return ""
        attribute = ".".join((name, *self.path))
        return f". {name} is an attribute of {above}: write '{above}:{attribute}'"

    def find(self) -> Any:
        """Import what the text names.

        Raises :class:`InitSpecError` where that does not work, with what Python said.
        """
        try:
            with _folders_first():
                named: Any = import_module(self.module)
        except Exception as error:
            package = self.module.partition(".")[0]
            lacks = isinstance(error, ModuleNotFoundError) and error.name == package
            if lacks and package in FRAMEWORKS:
                raise NotInstalled(
                    f"{self.module} needs {package}, which is not installed."
                ) from error
            raise InitSpecError(
                f"{self.module} cannot be imported: {raised(error)}{self._hint()}"
            ) from error
        for name in self.path:
            try:
                named = getattr(named, name)
            except AttributeError:
                kind, listed = f"attribute of {self.module}", f"dir({self.module}) names all."
                raise UnknownName(kind, name, _offered(named), listed=listed) from None
        if self.entry is None:
            return named
        try:
            return named[self.entry]
        except (KeyError, TypeError, IndexError):
            known = named if isinstance(named, Mapping) else ["none: it is no table"]
            title = f"entry of {self.module}:{'.'.join(self.path)}"
            raise UnknownName(title, self.entry, map(str, known)) from None


@contextmanager
def _folders_first() -> Iterator[None]:
    folders = list(FOLDERS)
    sys.path[:0] = folders
    try:
        yield
    finally:
        for folder in folders:
            if folder in sys.path:
                sys.path.remove(folder)


def _offered(named: Any) -> list[str]:
    """What a module, or a class, has of its own: nothing private, and nobody else's."""
    root = str(getattr(named, "__module__", None) or getattr(named, "__name__", "")).split(".")[0]
    return [
        name
        for name, value in inspect.getmembers_static(named)
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and str(getattr(value, "__module__", None) or root).split(".")[0] == root
    ] or ["none"]


def importable(text: str, target: Any) -> bool:
    """Whether a text that is imported, and nothing more, is this very object.

    >>> import math
    >>> importable("math:sqrt", math.sqrt), importable("math:floor", math.sqrt)
    (True, False)
    """
    module, _, path = text.partition(":")
    spec = getattr(sys.modules.get(module), "__spec__", None)
    if spec is None or not all(part.isidentifier() for part in path.split(".")):
        return False  # of a script, or made by a function
    try:
        return Reference(module=module, path=tuple(path.split("."))).find() is target
    except InitSpecError:
        return False
