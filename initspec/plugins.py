"""Backends by name: the entry points, ours and those of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, distributions, entry_points
from importlib.util import find_spec
from typing import Any

from .errors import BackendMissing, InitSpecError, SpecError, UnknownName

GROUP = "initspec.backends"

#: What every backend has: the members of :class:`initspec.protocol.Backend`, which stands above.
MEMBERS = ("name", "out_first", "key", "words", "sample", "native", "tohost", "initializer")


#: Where the built-in backends are: nobody else's package takes their names.
_OURS = "initspec.backends."


@cache
def doors() -> Mapping[str, tuple[EntryPoint, ...]]:
    """The entry points of the backends, by name; several where packages offer one name."""
    known: dict[str, dict[str, EntryPoint]] = {}
    for door in _entry_points():
        known.setdefault(door.name, {}).setdefault(door.value, door)
    ours = {
        name: tuple(door for value, door in offers.items() if value.startswith(_OURS))
        for name, offers in known.items()
    }
    if not any(ours.values()):
        raise InitSpecError("initspec is not installed, only importable: run `pip install -e .`")
    return {name: ours[name] or tuple(offers.values()) for name, offers in known.items()}


def _entry_points() -> Iterator[EntryPoint]:
    try:
        yield from entry_points(group=GROUP)
    except Exception:  # a package whose own files are damaged
        for package in distributions():
            with suppress(Exception):
                yield from package.entry_points.select(group=GROUP)


def available() -> Mapping[str, bool]:
    """The backends that are known, and whether their framework is installed. Imports none.

    >>> available()["numpy"]
    True
    """
    return {name: _installed(name, offers[0].value) for name, offers in sorted(doors().items())}


def _installed(name: str, value: str) -> bool:
    # A built-in backend bears its framework's name; another's package stands for itself.
    package = name if value.startswith(_OURS) else re.split("[.:]", value)[0].strip()
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def backend(name: str) -> Any:
    """The backend of this name.

    Raises :class:`UnknownName` if there is none, :class:`BackendMissing` if its framework is not
    installed, with the command that installs it, :class:`InitSpecError` if two packages offer it.

    >>> backend("numpy").name, backend("numpy").out_first
    ('numpy', False)
    """
    _load(name)
    return _loaded[name]


_loaded: dict[str, Any] = {}


def _load(name: str) -> None:
    """Remember a backend, so that a program that is being compiled may ask for it."""
    if not isinstance(name, str) or name not in doors():
        raise UnknownName("backend", name, doors())
    door, *others = doors()[name]
    if others:
        raise InitSpecError(
            f"two packages offer the backend {name!r}: {door.value} and {others[0].value}. "
            "Uninstall one of them."
        )
    _loaded[name] = _adapter(name, door)


# torch.compile calls it while it reads a program, and does not look inside.
_load._dynamo_marked_constant = True  # type: ignore[attr-defined]


@cache
def _adapter(name: str, door: EntryPoint) -> Any:
    try:
        adapter = door.load()()
    except ModuleNotFoundError as error:
        raise _missing(name, error) from error
    except InitSpecError:
        raise
    except Exception as error:
        raise SpecError(
            f"backend {name!r} cannot be imported from {door.value!r}: "
            f"{type(error).__name__}: {error}"
        ) from error
    lacking = [member for member in MEMBERS if not hasattr(adapter, member)]
    if lacking:
        raise InitSpecError(
            f"{door.value} is no backend: it lacks methods of "
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
