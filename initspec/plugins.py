"""Backends by name: the entry points, ours and those of others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any

from .errors import BackendMissing, InitSpecError, SpecError, UnknownName

GROUP = "initspec.backends"

#: What every backend has: the members of :class:`initspec.protocol.Backend`, which stands above.
MEMBERS = ("name", "out_first", "key", "words", "sample", "native", "tohost", "initializer")


@cache
def doors() -> Mapping[str, EntryPoint]:
    """The entry points of the backends, by name."""
    known: dict[str, EntryPoint] = {}
    for door in entry_points(group=GROUP):
        other = known.setdefault(door.name, door)
        if other.value != door.value:
            raise InitSpecError(
                f"two packages offer the backend {door.name!r}: {other.value} and {door.value}. "
                "Uninstall one of them."
            )
    if not known:
        raise InitSpecError("initspec is not installed, only importable: run `pip install -e .`")
    return known


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
        for name, door in sorted(doors().items())
    }


def backend(name: str) -> Any:
    """The backend of this name.

    Raises :class:`UnknownName` if there is none, :class:`BackendMissing` if its framework is not
    installed, with the command that installs it.
    """
    if not isinstance(name, str) or name not in doors():
        raise UnknownName("backend", name, doors())
    return _adapter(name)


@cache
def _adapter(name: str) -> Any:
    try:
        adapter = doors()[name].load()()
    except ModuleNotFoundError as error:
        raise _missing(name, error) from error
    lacking = [member for member in MEMBERS if not hasattr(adapter, member)]
    if lacking:
        raise InitSpecError(
            f"{doors()[name].value} is no backend: it lacks methods of "
            f"initspec.protocol.Backend: {', '.join(lacking[:5])}."
        )
    return adapter


#: How the frameworks of the built-in backends write themselves.
_TITLES = {"torch": "PyTorch", "tensorflow": "TensorFlow", "keras": "Keras", "jax": "JAX"}


def _missing(name: str, error: ModuleNotFoundError) -> InitSpecError:
    """The error for a backend whose framework, or something else, cannot be imported."""
    if name not in _TITLES or (error.name or "").partition(".")[0] != name:
        return SpecError(f"backend {name!r} cannot be imported: {error}")
    return BackendMissing(name, _TITLES[name], f'pip install "initspec[{name}]"')
