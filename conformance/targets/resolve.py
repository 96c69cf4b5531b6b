"""Anything that makes weights, as a target of the suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ... import plugins
from ...errors import InitSpecError, SpecError, UnknownName
from ...files.reading import tensors
from ...readings.entry import Entry
from ...readings.registry import get
from ...spec.custom import Custom
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ...spec.scheme import Scheme
from ..report.record import ERROR
from .backend import BackendTarget
from .calls import maker, narrowed, numpy_dtype, tohost
from .claims import claimed
from .process import Process, TextTarget, names
from .target import Target, Unjudged
from .text import FORM, NoTable, Reference, importable

Array = NDArray[Any]

_FILES = (".npy", ".npz", ".safetensors")


def resolve(
    target: Any, *, scheme: Any = None, time_limit: float = 60.0, process: Process | None = None
) -> Target:
    """The target that something stands for.

    ``target`` is a backend's name (it draws ``scheme`` from the portable stream), a text
    ``"module:attr"``, ``"module:attr(a=0.2)"``, ``"module:TABLE['he_normal']"`` or
    ``"torch.nn:Linear(40, 96)#weight"``, an array or the name of a file with one (``"w.npy"``,
    ``"w.npz#name"``, ``"w.safetensors#name"``), an initializer of PyTorch, Keras, JAX or initspec,
    a function of shape and seed, or a target already.

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
        own = get(target)
        return BackendTarget("numpy", own, None, "portable", own.title)
    if isinstance(target, Mapping):
        name = _title(scheme)
        if name not in target:
            raise UnknownName("entry of the table", name, map(str, target))
        return resolve(target[name], scheme=scheme, time_limit=time_limit)
    if isinstance(target, (list, tuple)):
        return ArrayTarget(tohost(target), "array")
    if not isinstance(target, type):
        if hasattr(target, "draw") and hasattr(target, "name"):
            return target
        if hasattr(target, "__array__"):
            kind = type(target).__module__.partition(".")[0]
            return ArrayTarget(tohost(target), f"{kind} array")
    return CallTarget(target)


def resolve_table(table: Any, *, time_limit: float = 60.0) -> dict[str, Target]:
    """A table of initializers, or the text that names one: scheme to target.

    The entries of a text share one process.
    Raises :class:`InitSpecError` where the text cannot be imported or is no table.
    """
    if isinstance(table, Mapping):
        return {
            str(name): resolve(one, scheme=name, time_limit=time_limit)
            for name, one in table.items()
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
        return ArrayTarget(read(text), text, text)
    if ":" not in text:
        hint = f"Backends are known by name; of what is importable {FORM}."
        raise UnknownName("target", text, plugins.available(), hint)
    Reference.parse(text)
    return TextTarget(text, process, _title(scheme))


def _title(scheme: Any) -> str | None:
    return scheme if isinstance(scheme, str) else getattr(scheme, "name", None)


def _is_custom(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, Custom)


class CallTarget:
    """An initializer that is called in this process."""

    resolution = 22
    fixed_shape = None

    def __init__(self, found: Any) -> None:
        self._found, self._maker = found, maker(found)
        self.out_first = self._maker.out_first
        self.name = title(found)
        self.text = self.name if importable(self.name, found) else None

    def placed(self, layout: Layout) -> CallTarget:
        """For a layout: initspec's own initializers are told it, where they have none."""
        if getattr(self._found, "layout", layout) is None and hasattr(self._found, "scheme"):
            return CallTarget(replace(self._found, layout=layout))
        return self

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """The initializer's tensor; what it raises is passed on."""
        try:
            return self._maker.draw(shape, dtype, seed)
        except SystemExit as error:
            raise Unjudged(ERROR, f"the target called sys.exit({error.code!r})") from None


class ArrayTarget:
    """An array, which is what it is: one tensor, whatever the seed."""

    resolution = 22
    #: One tensor is all there is.
    once = True

    def __init__(self, array: Array, name: str, text: str | None = None) -> None:
        self.name, self.text = name, text
        self._array = array
        self.fixed_shape: Shape = array.shape

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """The array; rounded, if it is of a wider type than is asked for."""
        return narrowed(self._array, dtype)


def title(found: Any) -> str:
    """A name for what was given, the same in every run."""
    inner, options = found, dict[str, Any]()
    while hasattr(inner, "func"):  # functools.partial
        options = {**inner.keywords, **options}
        inner = inner.func
    kind = inner if hasattr(inner, "__qualname__") else type(inner)
    shown = [
        f"{name}={value!r}"
        for name, value in options.items()
        if isinstance(value, (int, float, str, bool, tuple))
    ]
    call = f"({', '.join(shown)})" if shown else ""
    return f"{kind.__module__}:{kind.__qualname__}{call}"


def read(text: str) -> Array:
    """The array of a file: ``.npy``, ``.npz`` and ``.safetensors``, the latter two with ``#name``.

    Raises :class:`InitSpecError` where there is none.
    """
    path, _, name = text.partition("#")
    try:
        held = {stored.name: stored for stored in tensors(Path(path))}
        flat = Path(path).suffix.lower() == ".npy"  # whose one array has no name
        found = held[_one(path, "" if flat else name, held)]
        array = tohost(found.read())
    except SpecError as error:  # not of the command: other targets go on
        raise InitSpecError(str(error)) from error
    return array if found.dtype is None else array.view(numpy_dtype(found.dtype))


def _one(path: str, name: str, held: Mapping[str, Any]) -> str:
    if not name and len(held) == 1:
        return next(iter(held))
    if name not in held:
        raise UnknownName(f"array of {path}", name, held, f"Write it as in '{path}#name'.")
    return name
