"""How one cell of a run is judged again, alone: a line for a shell, or a call for Python."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..errors import InitSpecError
from ..spec.scheme import Scheme
from .cell import Cell
from .design import Budget
from .targets.backend import BackendTarget
from .targets.claims import claimed

#: A run's chance of a false alarm where none is given.
_USUAL = Budget().alpha


def reproduced_by(cell: Cell, alpha: float = _USUAL, options: Sequence[str] = ()) -> str:
    """What judges a cell of the same name, and so with the same seed.

    It is a line for a shell where the target and the scheme have names there, and a call of
    :func:`initspec.conformance.check` for an object of a process. A cell alone has all of the error
    budget, so that what was refused in a run is refused again; ``alpha`` is said where the run's
    was more than the usual one, and the line for a shell has the ``options`` too. Varied seeds
    are varied again.
    """
    return _command(cell, alpha, options) or _call(cell, alpha)


def _command(cell: Cell, alpha: float, options: Sequence[str]) -> str:
    """The line for a shell; empty where there is none."""
    text = cell.target.text
    if cell.stream:
        words = ["--backend", cell.target.name, "--stream", cell.stream]
    elif text is not None:
        words = [text]
    else:
        return ""
    if not _has_name(cell.scheme):
        return ""
    words += ["--as", cell.scheme.name or ""]
    if cell.shape:
        words += ["--shape", "x".join(map(str, cell.shape)), "--layout", str(cell.layout)]
    elif cell.target.fixed_shape is None:  # no option says "no axes"
        return ""
    words += ["--dtype", cell.dtype, "--tier", cell.tier]
    words += ["--alpha", f"{alpha:g}"] if alpha > _USUAL else []
    words += ["--vary-seeds"] if cell.run else []
    return in_shell("initspec", "check", *words, *options)


def in_shell(*words: str) -> str:
    """The words as a line for a shell.

    >>> print(in_shell("check", "lib:TABLE['he_normal']", "--as", "normal(std=0.02)"))
    check "lib:TABLE['he_normal']" --as 'normal(std=0.02)'
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """In double quotes where single ones stand in it, and nothing that these would not hold."""
    if "'" in word and not set(word) & set('"$`\\!'):
        return f'"{word}"'
    return shlex.quote(word)


def _call(cell: Cell, alpha: float) -> str:
    """The call for Python, with a comment on what the target is where no text says it."""
    target, comment = "target", f"  # target: {cell.target.name}"
    if isinstance(cell.target, BackendTarget) and cell.target.name == cell.target.backend:
        target, comment = repr(cell.target.name), ""
    elif (text := getattr(cell.target, "text", None)) is not None:
        target, comment = repr(text), ""
    scheme = repr(cell.scheme.name) if _has_name(cell.scheme) else repr(cell.scheme)
    options: dict[str, object] = {"shape": cell.shape}
    options |= {"layout": str(cell.layout)} if cell.shape else {}
    options |= {"dtype": cell.dtype, "tier": cell.tier}
    options |= {"alpha": alpha} if alpha > _USUAL else {}
    options |= {"vary_seeds": True} if cell.run else {}
    words = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"initspec.conformance.check({target}, {scheme}, {words}){comment}"


def _has_name(scheme: Scheme) -> bool:
    """Whether the scheme's name, read again, is the scheme."""
    if scheme.name is None:
        return False
    if scheme.custom is not None:  # named by the text that imports it, or by its user
        return ":" in scheme.name.partition("(")[0]
    try:
        return claimed(scheme.name) == scheme
    except InitSpecError:
        return False
