"""The adapters. Each is imported on first use; the rest of initspec imports no framework.

>>> backend("numpy").name
'numpy'
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any

from ..errors import BackendMissing, InitSpecError, SpecError, UnknownName
from ..protocol import Backend
from ..registry import get

if __name__ != "initspec.backends":  # two copies would break isinstance and pickling
    raise ImportError("import initspec.backends, not backends")

GROUP = "initspec.backends"
STREAMS = ("portable", "native")

__all__ = ["Backend", "available", "backend", "check_stream", "initializer", "missing"]


@cache
def _doors() -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for door in entry_points(group=GROUP):
        other = found.setdefault(door.name, door)
        if other.value != door.value:
            raise InitSpecError(
                f"two packages offer the backend {door.name!r}: {other.value} and {door.value}. "
                "Uninstall one of them."
            )
    if not found:
        raise InitSpecError("initspec is not installed, only importable: run `pip install -e .`")
    return found


def available() -> Mapping[str, bool]:
    """The backends that are known, and whether their framework is installed. Imports none.

    >>> available()["numpy"]
    True
    """
    # A built-in backend bears its framework's name; another's package stands for itself.
    ours = "initspec.backends."
    return {
        name: find_spec(name if door.value.startswith(ours) else door.module.partition(".")[0])
        is not None
        for name, door in sorted(_doors().items())
    }


@cache
def backend(name: str) -> Any:
    """The backend of this name.

    Raises :class:`UnknownName` if there is none, :class:`BackendMissing` if its framework is not
    installed, with the command that installs it.
    """
    if name not in _doors():
        raise UnknownName("backend", name, _doors())
    found = _doors()[name].load()()
    if not isinstance(found, Backend):
        raise InitSpecError(
            f"{_doors()[name].value} is no backend: it lacks methods of initspec.protocol.Backend."
        )
    return found


def initializer(scheme: Any, /, backend: str = "numpy", **options: Any) -> Any:
    """The scheme as an initializer of one framework.

    ``scheme`` is anything that :func:`initspec.get` takes. Options are ``seed``, ``name`` (the
    parameter's, folded into the key), ``layout``, ``dtype`` and ``stream`` (``"portable"``, or
    ``"native"`` for the framework's own sampler).

    >>> initializer("he_normal", backend="numpy", seed=42)((256, 512)).shape
    (256, 512)
    """
    return globals()["backend"](backend).initializer(get(scheme), **options)


def check_stream(stream: str) -> str:
    """The stream, if there is one of that name."""
    if stream not in STREAMS:
        raise UnknownName("stream", stream, STREAMS)
    return stream


def missing(backend: str, package: str, error: ModuleNotFoundError) -> Exception:
    """The error for a framework that cannot be imported."""
    if (error.name or "").partition(".")[0] not in (backend, package.lower()):
        return SpecError(f"backend {backend!r} cannot be imported: {error}")
    return BackendMissing(backend, package, f'pip install "initspec[{backend}]"')
