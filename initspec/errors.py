"""The errors of initspec: what was given, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable

from .public import public


@public
class InitSpecError(Exception):
    """Every error that initspec raises on purpose."""


@public
class SpecError(InitSpecError, ValueError):
    """A scheme or a distribution that cannot be: a negative factor, reversed bounds."""


@public
class LayoutError(InitSpecError, ValueError):
    """A layout that cannot be read, or that does not fit the shape."""


@public
class StreamError(InitSpecError, ValueError):
    """A seed, a key or a window outside the portable stream."""


@public
class UnknownName(InitSpecError, ValueError):  # noqa: N818 - it says what is wrong
    """A name that nothing answers to; the nearest known ones are offered."""

    def __init__(self, kind: str, given: object, known: Iterable[str], hint: str = "") -> None:
        self.kind, self.given, self.known = kind, given, tuple(sorted(known))
        near = nearest(str(given), self.known)
        offer = f"did you mean {_either(near)}?" if near else f"known: {', '.join(self.known)}."
        super().__init__(f"unknown {kind} {given!r}: {offer}{' ' + hint if hint else ''}")

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickle, (type(self), self.args[0], self.__dict__)


@public
class SameKeyWarning(UserWarning):
    """Two tensors were filled with one seed and no name: they begin with the same numbers."""


@public
class BackendMissing(InitSpecError, ImportError):  # noqa: N818 - it says what is wrong
    """A framework that is not installed; the message holds the command that installs it."""

    def __init__(self, backend: str, package: str, command: str) -> None:
        self.backend, self.command = backend, command
        super().__init__(f"backend {backend!r} needs {package}, which is not installed: {command}")

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickle, (type(self), self.args[0], self.__dict__)


class ExtraMissing(BackendMissing):
    """A part of initspec that needs a package which is not installed."""

    def __init__(self, part: str, package: str, extra: str) -> None:
        self.backend, self.command = part, f'pip install "initspec[{extra}]"'
        InitSpecError.__init__(
            self, f"{part} needs {package}, which is not installed: {self.command}"
        )


class NotInstalled(BackendMissing):
    """What is to be tested is not installed, so that nothing can be said of it."""

    def __init__(self, sentence: str) -> None:
        InitSpecError.__init__(self, sentence)


def nearest(given: str, known: Iterable[str]) -> list[str]:
    """Up to three known names that look like the given one.

    >>> nearest("he_norml", ["he_normal", "he_uniform", "zeros"])
    ['he_normal', 'he_uniform']
    """
    import difflib
    import re

    def snake(name: str) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_")

    names: dict[str, list[str]] = {}
    for name in known:
        names.setdefault(snake(name), []).append(name)
    near = difflib.get_close_matches(snake(given), names, n=3, cutoff=0.75)
    return [name for word in near for name in names[word]]


def _either(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _unpickle(cls: type[InitSpecError], message: str, state: dict[str, object]) -> InitSpecError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error
