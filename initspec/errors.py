"""The errors of initspec: what was given, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .public import public


@public
class InitSpecError(Exception):
    """Every error that initspec raises on purpose.

    >>> from initspec import InitSpecError, get
    >>> try:
    ...     get("he_norml")
    ... except InitSpecError as error:
    ...     type(error).__name__
    'UnknownName'
    """


@public
class SpecError(InitSpecError, ValueError):
    """A scheme or a distribution that cannot be: a negative factor, reversed bounds.

    >>> from initspec import SpecError, get
    >>> try:
    ...     get("uniform(low=1.0, high=0.0)")
    ... except SpecError as error:
    ...     print(error)
    bounds need low < high, not low=1.0, high=0.0.
    """


class FileError(SpecError, OSError):
    """A file that cannot be read or written."""


@public
class LayoutError(InitSpecError, ValueError):
    """A layout that cannot be read, or that does not fit the shape.

    >>> from initspec import LayoutError, get
    >>> try:
    ...     get("he_normal").on((5,))
    ... except LayoutError as error:
    ...     print(str(error)[:41])
    he_normal scales by fans: a tensor of sha
    """


@public
class StreamError(InitSpecError, ValueError):
    """A seed, a key or a window outside the portable stream.

    >>> from initspec import StreamError, get
    >>> try:
    ...     get("ones").numpy((2,), seed=-1)
    ... except StreamError as error:
    ...     print(str(error)[:45])
    a seed is an integer from 0 to 2**64 - 1, not
    """


@public
class UnknownName(InitSpecError, ValueError):  # noqa: N818 - it says what is wrong
    """A name that nothing answers to; at most five known ones are offered, the nearest.

    ``known`` holds all of them, and ``listed`` is a sentence on where they are found. ``instead``
    stands in place of the offer, where what was given is known to be something else.

    >>> print(UnknownName("sheep", "doly", ["dolly", "shaun"]))
    unknown sheep 'doly': did you mean 'dolly'?
    >>> print(UnknownName("letter", 7, "abcdefgh", listed="`man ascii` names all."))
    unknown letter 7: known: a, b, c, d, e and 3 more. `man ascii` names all.
    """

    def __init__(
        self,
        kind: str,
        given: object,
        known: Iterable[str],
        hint: str = "",
        *,
        listed: str = "This error's `known` holds all.",
        instead: str = "",
    ) -> None:
        self.kind, self.given, self.known = kind, given, tuple(sorted(known))
        quoted = repr(given) if isinstance(given, str) else short_repr(given)
        near = nearest(given, self.known) if isinstance(given, str) else []
        offer = f"did you mean {either(near)}?" if near else f"known: {_first(self.known)}."
        if not near and len(self.known) > MOST:
            hint = f"{hint} {listed}".lstrip()
        told = instead or f"{offer} {hint}".rstrip()
        super().__init__(f"unknown {kind} {quoted}: {told}")

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickle, (type(self), self.args[0], self.__dict__)


@public
class SameKeyWarning(UserWarning):
    """Two tensors were filled with one seed and no name: they begin with the same numbers.

    Give each parameter its ``name=``; one seed serves them all. Each backend warns once: of a seed,
    and JAX' of a key, that has filled a tensor of another shape or, in place, another tensor. The
    first one counts as long as it is alive, or the initializer of a seed that drew it.

    >>> import warnings
    >>> from initspec import SameKeyWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", SameKeyWarning)  # to find out where
    """


@public
class BackendMissing(InitSpecError, ImportError):  # noqa: N818 - it says what is wrong
    """A framework that is not installed; the message holds the command that installs it.

    >>> from initspec import BackendMissing
    >>> print(BackendMissing("jax", "JAX", 'pip install "initspec[jax]"'))
    backend 'jax' needs JAX, which is not installed: pip install "initspec[jax]"
    """

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


def short_repr(value: Any) -> str:
    """A value for a sentence: its repr, in one line and not for ever; its type where that fails.

    >>> short_repr([0] * 1000)[-12:], len(short_repr([0] * 1000))
    (' 0, 0, 0,...', 72)
    """
    try:
        line = " ".join(repr(value).split())
    except Exception:  # of an integer of 5,000 digits, or of somebody's class
        return f"a value of type {type(value).__name__}"
    return line if len(line) <= 80 else f"{line[:69]}..."


#: A sentence offers no more names than these.
MOST = 5


def nearest(given: str, known: Iterable[str]) -> list[str]:
    """At most five known names that look like the given one, or that it is a part of.

    What stands before an ``@`` is compared: with names of the same dialect, and without a dialect
    with names that have none; those of dialects stand in where there are no others.

    >>> nearest("he_norml", ["he_normal", "he_uniform", "zeros"])
    ['he_normal', 'he_uniform']
    >>> nearest("zero", ["dirac", "he_normal", "identity", "normal", "ones", "uniform", "zeros"])
    ['zeros']
    """
    word, at, dialect = given.partition("@")
    texts = {name: name.partition("@") for name in known}
    same = {name: text[0] for name, text in texts.items() if text[1:] == (at, dialect)}
    return _near(word, same) or _near(word, {name: text[0] for name, text in texts.items()})


def _near(given: str, known: Mapping[str, str]) -> list[str]:
    """The known names whose text is near the given one; parts count where a list would be long."""
    around = _around(given, known) if len(known) > MOST else []
    return list(dict.fromkeys((*_alike(given, known), *around)))[:MOST]


def _snake(name: str) -> str:
    import re

    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_")


def _alike(given: str, known: Mapping[str, str]) -> list[str]:
    """The names that look like the given one: few letters differ."""
    import difflib

    names: dict[str, list[str]] = {}
    for name, text in known.items():
        names.setdefault(_snake(text), []).append(name)
    near = difflib.get_close_matches(_snake(given), names, n=3, cutoff=0.75)
    return [name for word in near for name in names[word]]


def _around(given: str, known: Mapping[str, str]) -> list[str]:
    """The names with each word of the given one, or all of whose words stand in it."""
    asked = _words(given)
    if not asked or min(map(len, asked)) < 2:
        return []
    words = {name: _words(text) for name, text in known.items()}
    held = [name for name in known if all(_begins(word, words[name]) for word in asked)]
    inside = [name for name in known if words[name] and words[name] <= asked]
    return [
        *sorted(held, key=lambda name: (not asked <= words[name], len(words[name]), name)),
        *sorted(inside, key=lambda name: (-len(words[name]), name)),
    ]


def _words(name: str) -> set[str]:
    import re

    return set(re.findall(r"[a-z]+|\d+", _snake(name)))


def _begins(word: str, words: set[str]) -> bool:
    return any(longer.startswith(word) for longer in words)


def either(names: Iterable[str]) -> str:
    """Names in words.

    >>> either(["a", "b", "c"])
    "'a', 'b' or 'c'"
    """
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _first(known: tuple[str, ...]) -> str:
    """The first names, those without a dialect before the others, and how many more there are."""
    return some(sorted(known, key=lambda name: ("@" in name, name)))


def some(names: Sequence[str]) -> str:
    """The first names, as many as a sentence offers, and how many more there are.

    >>> some(["a", "b"]), some("abcdefg")
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")


def _unpickle(cls: type[InitSpecError], message: str, state: dict[str, object]) -> InitSpecError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error
