"""From what a user gives, anything that makes weights, to a target of the suite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import plugins
from ...errors import SpecError, UnknownName
from ...readings.entry import Entry
from ...readings.registry import get
from ...spec.custom import Custom
from ...spec.scheme import Scheme
from .arrays import ArrayTarget, of_file
from .backend import BackendTarget
from .called import CallTarget
from .claims import claimed
from .host import is_torch, tohost
from .loading import NoTable
from .process import Process
from .remote import TextTarget, names
from .target import Target, completed
from .text import FORM, Reference

_FILES = (".npy", ".npz", ".safetensors")


def resolve(
    target: Any, *, scheme: Any = None, time_limit: float = 60.0, process: Process | None = None
) -> Target:
    """The target that something stands for.

    ``target`` is a backend's name (it draws ``scheme`` from the portable stream), a text
    ``"module:attr"``, ``"module:attr(a=0.2)"``, ``"module:TABLE['he_normal']"`` or
    ``"torch.nn:Linear(40, 96)#weight"``, an array or the name of a file with one (``"w.npy"``,
    ``"w.npz#name"``, ``"w.safetensors#name"``), an initializer of PyTorch, Keras, JAX or initspec,
    a function of shape and seed, or a target: a :class:`Target`, or an object with ``name`` and
    ``draw``, and with any other of its members.

    Texts are imported and called in a process of their own, which is stopped where an answer takes
    longer than ``time_limit`` seconds; whatever happens there becomes a verdict. ``process`` is one
    that is there already, for another claim of the same text. The rest is called here.

    Raises :class:`InitSpecError` for what is none of these, with those that are.

    >>> resolve(lambda shape, seed: [[0.0, 0.5]]).draw((1, 2), dtype="float32", seed=0)
    array([[0. , 0.5]], dtype=float32)
    """
    if isinstance(target, str):
        return _of_text(target, scheme, process or Process(time_limit))
    if isinstance(target, (Scheme, Entry, Custom)) or _is_custom(target):
        drawn = get(target)
        return BackendTarget("numpy", drawn, None, "portable", drawn.name or drawn.formula)
    if isinstance(target, Mapping):
        name = _title(scheme)
        if name not in target:
            raise UnknownName("entry of the table", name, map(str, target))
        return resolve(target[name], scheme=scheme, time_limit=time_limit)
    if isinstance(target, (list, tuple)) and not callable(target):  # a named tuple may be
        return ArrayTarget(tohost(target), "array")
    if not isinstance(target, type):
        if isinstance(target, Target) or (hasattr(target, "draw") and hasattr(target, "name")):
            return completed(target)
        if hasattr(target, "__array__"):
            kind = type(target).__module__.partition(".")[0]
            return ArrayTarget(tohost(target), f"{kind} array", out_first=is_torch(target))
    return CallTarget(target)


def resolve_table(table: Any, *, time_limit: float = 60.0) -> dict[str, Target]:
    """A table of initializers, or the text that names one: scheme to target.

    The entries of a text share one process.
    Raises :class:`InitSpecError` where the text cannot be imported, and of its kinds
    :class:`~initspec.conformance.targets.loading.NoTable` where it is no table.
    """
    if isinstance(table, Mapping):
        return {
            str(name): resolve(initializer, scheme=name, time_limit=time_limit)
            for name, initializer in table.items()
        }
    reference = Reference.parse(table)
    if reference.entry is not None or reference.called or reference.parameter is not None:
        raise NoTable(f"{table!r} names no table of initializers: write 'module:TABLE'.")
    process = Process(time_limit)
    return {name: TextTarget(f"{table}[{name!r}]", process) for name in names(table, process)}


def _of_text(text: str, scheme: Any, process: Process) -> Target:
    if text in plugins.available():
        if scheme is None:
            raise SpecError(f"the backend {text!r} draws schemes: say which one.")
        plugins.backend(text)  # raises where its framework is missing
        return BackendTarget(text, claimed(scheme), None, "portable")
    if text.partition("#")[0].lower().endswith(_FILES):
        return of_file(text)
    if ":" not in text:
        hint = f"Backends are known by name; of what is importable {FORM}."
        raise UnknownName("target", text, plugins.available(), hint)
    Reference.parse(text)
    return TextTarget(text, process, _title(scheme))


def _title(scheme: Any) -> str | None:
    return scheme if isinstance(scheme, str) else getattr(scheme, "name", None)


def _is_custom(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, Custom)
