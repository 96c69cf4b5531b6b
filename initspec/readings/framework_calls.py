"""A framework's call as a scheme, by its dialect's names; and its own object, by what it tells.

No framework is imported: a function or an initializer that is given says itself what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..errors import SpecError, UnknownName, short_repr
from ..spec.arguments import plain, text
from ..spec.scheme import Scheme
from .entry import Entry
from .own_names import dialect_of_module, normal, own_names
from .rows import dialect as head_of


def called(dialect: str, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Scheme:
    """The scheme of a call whose arguments may have any names: see :func:`initspec.from_call`."""
    head = head_of(dialect)
    entry = _entry(dialect, name)
    ignored, axes = head.get("ignored", ()), _axes(entry, head)
    given = {}
    for word, value in kwargs.items():
        if word in entry.arguments:
            given[word] = _plain(word, value)
        elif word in ignored:
            _check_real(entry, word, value)
        elif word in axes:
            _check_axes(entry, word, value, axes[word])
        else:
            known = [*entry.arguments, *ignored, *axes] or ["none"]
            raise UnknownName(f"argument of {entry.call or entry.name}", word, known)
    return entry.make(*(_plain("the first argument", value) for value in args), **given)


def of_framework(given: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Scheme | None:
    """The scheme of a framework's own initializer, or of one of ours; None for all else.

    Functions and classes are called with the arguments, and so is a ``functools.partial`` of one.

    Raises :class:`SpecError` for one that does not tell its arguments, or lacks one.
    """
    if isinstance(given, partial):
        return of_framework(given.func, (*given.args, *args), {**given.keywords, **kwargs})
    kind = given if isinstance(given, type) or hasattr(given, "__code__") else type(given)
    module = getattr(kind, "__module__", None) or ""
    if module.startswith("initspec.backends."):
        scheme = getattr(given, "scheme", None)
        return scheme if isinstance(scheme, Scheme) else None
    dialect = dialect_of_module(module)
    if dialect is None or not (callable(given) or hasattr(given, "get_config")):
        return None
    name = str(kind.__name__)
    if kind is given:
        maker, inner, _ = kind.__qualname__.partition(".<locals>")
        known = normal(name) in own_names(dialect)[0]  # as PyTorch's deprecated ones, all closures
        if inner and not known:
            raise SpecError(_closed(maker, dialect))
        words = {*kwargs, *list(_entry(dialect, name).arguments)[: len(args)]}
        lacking = [word for word in _entry(dialect, name).required if word not in words]
        if lacking:
            raise SpecError(
                f"{name} of {dialect} needs {', '.join(lacking)}: write "
                f"from_call({dialect!r}, {name!r}, {lacking[0]}=...)."
            )
        return called(dialect, name, args, kwargs)
    if args or kwargs:
        raise SpecError(f"{name} of {dialect} has its arguments: give its class with others.")
    if not hasattr(given, "get_config"):
        raise SpecError(_closed(name, dialect))
    return called(dialect, name, (), given.get_config())


def _closed(maker: str, dialect: str) -> str:
    return (
        f"an initializer that {maker} of {dialect} has made does not tell its arguments: write "
        f"from_call({dialect!r}, {maker!r}, ...) with them."
    )


def _entry(dialect: str, name: str) -> Entry:
    names, absent = own_names(dialect)
    key = normal(text("the name of an initializer", name))
    if key in names:
        return names[key]
    if key in absent:
        raise SpecError(f"{name!r} of {dialect} is no scheme: {absent[key]}")
    aliases = [alias.partition("@")[0] for entry in names.values() for alias in entry.aliases]
    calls = [entry.call.rpartition(".")[2] for entry in names.values() if "(" not in entry.call]
    known = {*aliases, *filter(None, calls), *(entry.base for entry in names.values())}
    listed = f"`initspec list --dialect {dialect}` names all."
    raise UnknownName(f"initializer of {dialect}", name, known, listed=listed)


def _plain(word: str, value: Any) -> Any:
    """A number of NumPy's as Python's; a tensor is refused."""
    if getattr(value, "shape", ()):
        raise SpecError(f"{word} is an array of shape {value.shape}: leave the tensor out.")
    return plain(value)


def _check_real(entry: Entry, word: str, value: Any) -> None:
    written = short_repr(value)
    if "complex" in written:
        raise SpecError(f"{entry.call}: {word}={written} has no law here; complex types have none.")


def _axes(entry: Entry, head: Mapping[str, Any]) -> Mapping[str, Any]:
    """The words for axes, of laws that depend on which axis is which."""
    tied = "orthogonal" in entry.scheme["distribution"]
    axes: Mapping[str, Any] = head.get("axes", {})
    return axes if tied or "mode" in entry.scheme else {}


def _check_axes(entry: Entry, word: str, value: Any, default: Any) -> None:
    usual = None if default == "none" else default
    if value != usual and not (usual == [] and value in ((), [])):
        raise SpecError(
            f"{entry.call}: {word}={short_repr(value)} says which axes count as what. Leave it "
            "out, and name the axes where there is a tensor: "
            "from_call(...).on(shape, layout='hwio')."
        )
