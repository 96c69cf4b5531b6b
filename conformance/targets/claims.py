"""What a target claims to be: a scheme, or the text of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import SpecError
from ...readings.entry import Entry
from ...readings.registry import get
from ...spec.custom import Custom
from ...spec.scheme import Scheme
from .text import Reference


def claimed(spec: Any) -> Scheme:
    """The scheme that something is claimed to be: what :func:`initspec.get` takes, and a text.

    A text ``"module:Class"``, ``"module:Class(0.5)"`` or ``"module:name"`` is imported; it names
    a subclass of :class:`initspec.Custom`, an instance of one, or a scheme.

    >>> claimed("initspec.conformance.own:Exponential(scale=0.5)").on((2, 3)).std
    0.5
    """
    if not isinstance(spec, str) or ":" not in spec.partition("(")[0]:
        return _hashable(get(spec))
    reference = Reference.parse(spec)
    named = reference.find()
    if reference.entry is not None and isinstance(named, str):
        return claimed(named)
    if reference.called or (isinstance(named, type) and issubclass(named, Custom)):
        try:
            named = named(*reference.args, **reference.options)
        except Exception as error:
            raise SpecError(f"{spec} raised {type(error).__name__}: {error}") from error
    if not isinstance(named, (Custom, Scheme, Entry, Mapping)):
        raise SpecError(
            f"{spec} names {type(named).__name__}, which is no law: write a subclass of "
            "initspec.Custom, an instance of one, or a scheme."
        )
    return _hashable(get(named).replace(name=spec))


def _hashable(scheme: Scheme) -> Scheme:
    try:
        hash(scheme)
    except TypeError as error:
        raise SpecError(
            f"{scheme.custom!r} cannot be hashed ({error}): make its class a frozen dataclass, or "
            "give it __hash__."
        ) from error
    return scheme
