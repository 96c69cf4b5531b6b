"""Public classes say that they are initspec's, and not in which of its files they lie."""

from __future__ import annotations

from typing import ForwardRef, TypeVar

Class = TypeVar("Class", bound=type)


def public(cls: Class) -> Class:
    """Set ``__module__`` to ``"initspec"``, so that pickles and reprs survive a move of the file.

    Annotations are still read in the file that wrote them, as ``typing.get_type_hints`` needs it.

    >>> from initspec import Scheme
    >>> Scheme.__module__
    'initspec'
    """
    home = cls.__module__
    for name, hint in vars(cls).get("__annotations__", {}).items():
        if isinstance(hint, str):
            cls.__annotations__[name] = ForwardRef(hint, module=home, is_class=True)
    cls.__module__ = "initspec"
    return cls
