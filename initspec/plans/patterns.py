"""Patterns over the names of parameters: ``**.h.{layer}.mlp.c_proj.weight``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ..errors import SpecError, short_repr

_REST = "_rest"  # what the first ** stands for
_DIGITS = 100  # of a capture, which is a float64 in expressions
_LONGEST = 2000  # characters of a pattern
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKEN = re.compile(
    r"\{(?P<braces>[^{}]*)\}|(?P<any>\*+)|(?P<one>\?)|(?P<text>[^{}*?]+)|(?P<odd>.)"
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that a name matches as a whole, and the numbers that it captures there.

    The segments of a name are parted by dots; a slash is read as a dot. ``*`` and ``?`` stand for
    any text and any letter within a segment, ``**`` for any number of whole segments, none
    included, ``{a,b}`` for one of these texts, and ``{layer}`` for a whole number, which it
    captures. A pattern that begins with ``re:`` is a regular expression; its named groups capture,
    and each captures a whole number. A group in it is not repeated by ``*``, ``+`` or ``{}``, as
    such an expression may take for ever.

    Raises :class:`SpecError` for a pattern that cannot be read.

    >>> Pattern("**.h.{layer}.{c_attn,c_proj}.weight").match("model.h.11.c_proj.weight")
    {'layer': 11}
    >>> Pattern("**.bias").match("bias"), Pattern("*.bias").match("a.b.bias")
    ({}, None)
    """

    text: str
    _code: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise SpecError(
                f"a pattern is a text such as '**.mlp.*.weight', not {short_repr(self.text)}."
            )
        object.__setattr__(self, "_code", _compiled(self.text))

    @property
    def captures(self) -> tuple[str, ...]:
        """The names of the numbers that it captures.

        >>> Pattern("layers.{layer}.experts.{expert}.weight").captures
        ('layer', 'expert')
        """
        return tuple(word for word in self._code.groupindex if word != _REST)

    def match(self, name: str) -> Mapping[str, int] | None:
        """The captured numbers, or None where the name does not match."""
        found = self._code.fullmatch(name)
        if found is None:
            return None
        numbers = {}
        for word, text in found.groupdict().items():
            if word == _REST:
                continue
            if text is not None and not text.isdecimal():
                raise SpecError(
                    f"the pattern {self.text!r} captures {word} = {text!r} in {name!r}, and a "
                    "capture is a whole number: make its group (?P<...>[0-9]+)."
                )
            if text is not None:
                if len(text) > _DIGITS:
                    raise SpecError(
                        f"the pattern {self.text!r} captures {word} of {len(text)} digits; a "
                        f"capture has at most {_DIGITS}. Where no number is meant, write '*'."
                    )
                numbers[word] = int(text)
        return numbers


@lru_cache(maxsize=4096)
def _compiled(text: str) -> re.Pattern[str]:
    if not text:
        raise SpecError("a pattern is empty: '**' matches every name.")
    if len(text) > _LONGEST:
        raise SpecError(
            f"the pattern {short_repr(text)} has {len(text)} characters, more than {_LONGEST}: "
            "give several."
        )
    try:
        if text.startswith("re:"):
            code = re.compile(text[3:])
            _check_groups(text)
            return code
        return re.compile(_regular(text.replace("/", ".")), re.DOTALL)
    except (re.error, OverflowError, RecursionError) as error:
        raise SpecError(f"the pattern {text!r} cannot be read: {error}.") from None


def _check_groups(text: str) -> None:
    """Refuse a repeated group: nested repetitions may take longer than anybody waits."""
    bare = re.sub(r"\\.", "", text, flags=re.DOTALL)  # no escapes
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "", bare)  # and no sets of letters
    if re.search(r"\)(?:[*+]|\{[0-9,])", bare):
        raise SpecError(
            f"the pattern {text!r} repeats a group, which may take for ever on a long name: repeat "
            "single letters or [...], or write a pattern with '**' for any number of segments."
        )


def _regular(glob: str) -> str:
    r"""A glob as a regular expression.

    >>> _regular("**.h.*")
    '(?P<_rest>(?:[^.]+\\.)*)h\\.[^.]*'
    """
    seen: set[str] = set()
    segments = [
        None if segment == "**" else "".join(_tokens(segment, glob, seen))
        for segment in _segments(glob)
    ]
    parts: list[str] = []
    for at, segment in enumerate(segments):
        last = at == len(segments) - 1
        if segment is not None:
            parts.append(segment if last or segments[at + 1 :] == [None] else segment + r"\.")
        else:
            group = r"(?:\.[^.]+)*" if last and parts else ".*" if last else r"(?:[^.]+\.)*"
            parts.append(f"(?P<{_REST}>{group})" if None not in segments[:at] else group)
    return "".join(parts)


def _segments(glob: str) -> Iterator[str]:
    """The parts between dots; a dot within braces parts nothing."""
    depth, segment = 0, ""
    for letter in glob:
        depth += (letter == "{") - (letter == "}")
        if letter == "." and not depth:
            yield segment
            segment = ""
        else:
            segment += letter
    yield segment


def _tokens(segment: str, glob: str, seen: set[str]) -> Iterator[str]:
    for token in _TOKEN.finditer(segment):
        if token["text"]:
            yield re.escape(token["text"])
        elif token["one"]:
            yield "[^.]"
        elif token["any"]:
            if len(token["any"]) > 1:
                raise SpecError(
                    f"the pattern {glob!r}: '**' stands for whole segments, as in '**.weight'; "
                    "within a segment write '*'."
                )
            yield "[^.]*"
        elif token["braces"] is not None:
            yield _braces(token["braces"], glob, seen)
        else:
            raise SpecError(f"the pattern {glob!r}: {token['odd']!r} has no partner.")


def _braces(inside: str, glob: str, seen: set[str]) -> str:
    if "," in inside:
        words = [word.strip() for word in inside.split(",")]
        return "(?:" + "|".join(re.escape(word).replace(r"\*", "[^.]*") for word in words) + ")"
    if not re.fullmatch(_NAME, inside):
        raise SpecError(
            f"the pattern {glob!r}: {{{inside}}} is no capture, which has a name as {{layer}}, and "
            "no choice, which has commas as {a,b}."
        )
    if inside in seen:
        return f"(?P={inside})"
    seen.add(inside)
    return f"(?P<{inside}>[0-9]+)"


def renamed(
    pattern: Pattern, template: str, name: str, more: Mapping[str, str] | None = None
) -> str | None:
    """A name in other words: captures and the first ``**`` are carried over; None without a match.

    ``more`` are further words for names in braces.

    Raises :class:`SpecError` for a name in braces that the pattern does not capture.

    >>> renamed(Pattern("h_{layer}.kernel"), "h.{layer}.weight", "h_3.kernel")
    'h.3.weight'
    >>> renamed(Pattern("transformer.**"), "**", "transformer.h.3.weight")
    'h.3.weight'
    """
    found = pattern._code.fullmatch(name)
    if found is None:
        return None
    words = {**found.groupdict(), **(more or {})}
    rest = (words.pop(_REST, "") or "").strip(".")
    segments = [rest if segment == "**" else segment for segment in template.split(".")]
    text = ".".join(segment for segment in segments if segment)
    return re.sub(rf"\{{({_NAME})\}}", lambda braces: str(words[braces[1]]), text)


def check_template(pattern: Pattern, template: str, more: Sequence[str] = ()) -> None:
    """Refuse a name that asks for what its pattern does not capture."""
    for word in re.findall(rf"\{{({_NAME})\}}", template):
        if word not in (*pattern.captures, *more):
            raise SpecError(
                f"the name {template!r} asks for {{{word}}}, which its pattern does not capture; "
                f"it captures {', '.join(pattern.captures) or 'nothing'}."
            )
