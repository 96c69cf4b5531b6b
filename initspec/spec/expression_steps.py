"""Arithmetic in a text, read: its grammar, and the steps in which it is computed."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..errors import SpecError, UnknownName, short_repr

DEEPEST = 40  # parentheses, signs and powers within each other


def _power(base: float, exponent: float) -> float:
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    return math.pow(base, exponent)


OPERATORS: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "%": operator.mod,
        "^": _power,
    }
)
FUNCTIONS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        "sqrt": math.sqrt,
        "log": math.log,
        "exp": math.exp,
        "floor": math.floor,
        "ceil": math.ceil,
        "min": min,
        "max": max,
    }
)
CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi})
_ANY = ("min", "max")  # functions of one argument or more

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|//|[-+*/^%(),]))"
)
_ALL = f"There are {', '.join(FUNCTIONS)}."
_INSTEAD = {"**": "a power is written ^", "//": "a quotient that is cut is floor(a / b)"}


class Step(NamedTuple):
    """One step of an expression: what it does, and with how many of the numbers before it.

    >>> steps("1 / n")[-1]
    Step(word='/', takes=2, number=0.0, at=0)
    """

    word: str
    takes: int = 0
    number: float = 0.0
    at: int = 0  # where a name stands in the text

    @property
    def is_name(self) -> bool:
        """Whether it is a name that must be bound."""
        return bool(self.word) and not self.takes and self.word not in CONSTANTS


def steps(text: str) -> tuple[Step, ...]:
    """The steps of a text, each behind the numbers that it takes.

    Raises :class:`SpecError` for a text that is no arithmetic.

    >>> [step.word or step.number for step in steps("2 * (n + 1)")]
    [2.0, 'n', 1.0, '+', '*']
    """
    reader = _Reader(text)
    reader.sum(0)
    if reader.tokens[reader.place][0] != "end":
        reader.refuse("an operator, such as + or *,")
    return tuple(reader.steps)


class _Reader:
    """Reads a text from left to right into steps, each behind what it takes."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0
        self.steps: list[Step] = []
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                rest = text[at:].lstrip()
                raise SpecError(
                    f"cannot read {rest[:20]!r} in {short_repr(text)}: write numbers, names, "
                    "+ - * / ^ %, parentheses, and functions such as sqrt(n)."
                )
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind)))
            at = match.end()
        self.tokens.append(("end", "", len(text)))

    def refuse(self, wanted: str) -> None:
        kind, word, at = self.tokens[self.place]
        if word in _INSTEAD:
            raise SpecError(f"cannot read {word!r} in {short_repr(self.text)}: {_INSTEAD[word]}.")
        found = "its end" if kind == "end" else f"{word!r} at {at}"
        raise SpecError(f"cannot read {short_repr(self.text)}: {wanted} was expected, not {found}.")

    def next(self, *words: str) -> str:
        """The next sign, taken, if it is one of these; else an empty text."""
        kind, word, _ = self.tokens[self.place]
        if kind != "sign" or word not in words:
            return ""
        self.place += 1
        return word

    def sum(self, depth: int) -> None:
        self.product(depth)
        while sign := self.next("+", "-"):
            self.product(depth)
            self.steps.append(Step(sign, 2))

    def product(self, depth: int) -> None:
        self.signed(depth)
        while sign := self.next("*", "/", "%"):
            self.signed(depth)
            self.steps.append(Step(sign, 2))

    def signed(self, depth: int) -> None:
        if depth > DEEPEST:
            raise SpecError(
                f"{short_repr(self.text)} is nested too deeply: {DEEPEST} levels are read."
            )
        sign = self.next("+", "-")
        if not sign:
            self.power(depth)
            return
        if sign == "-":
            self.steps.append(Step("", number=-0.0))
        self.signed(depth + 1)
        if sign == "-":
            self.steps.append(Step("-", 2))

    def power(self, depth: int) -> None:
        self.single(depth)
        if self.next("^"):
            self.signed(depth + 1)
            self.steps.append(Step("^", 2))

    def single(self, depth: int) -> None:
        kind, word, at = self.tokens[self.place]
        if self.next("("):
            self.sum(depth + 1)
            self.close("')'")
            return
        if kind not in ("number", "name"):
            self.refuse("a number, a name or '('")
        self.place += 1
        if kind == "number":
            self.literal(word)
        elif self.next("("):
            self.call(word, depth + 1)
        elif word in FUNCTIONS:
            raise SpecError(
                f"{word!r} in {short_repr(self.text)} is a function: write {word}(...)."
            )
        elif word in CONSTANTS:
            self.steps.append(Step(word, number=CONSTANTS[word]))
        else:
            self.steps.append(Step(word, at=at))

    def literal(self, word: str) -> None:
        value = float(word)
        if not math.isfinite(value):
            raise SpecError(f"{word} in {short_repr(self.text)} is beyond all float64 numbers.")
        self.steps.append(Step("", number=value))

    def call(self, word: str, depth: int) -> None:
        if word not in FUNCTIONS:
            raise SpecError(str(UnknownName("function", word, FUNCTIONS, listed=_ALL)))
        self.sum(depth)
        takes = 1
        while self.next(","):
            self.sum(depth)
            takes += 1
        if takes > 1 and word not in _ANY:
            raise SpecError(f"{word} in {short_repr(self.text)} takes one number, not {takes}.")
        self.close("')'" if word not in _ANY else "',' or ')'")
        if word not in _ANY or takes > 1:  # the least of one number is that number
            self.steps.append(Step(word, takes))

    def close(self, wanted: str) -> None:
        if not self.next(")"):
            self.refuse(wanted)
