"""Arithmetic in a text, over names that the caller binds: the product's one evaluator."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import MOST, SpecError, UnknownName, shown
from .arguments import number

#: The names of the fans, which resolution supplies and nobody binds.
FANS = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")

LONGEST = 500  # characters of a text
DEEPEST = 40  # parentheses, signs and powers within each other


def _power(base: float, exponent: float) -> float:
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    return math.pow(base, exponent)


_OPERATORS: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "%": operator.mod,
        "^": _power,
    }
)
_FUNCTIONS: Mapping[str, Callable[..., float]] = MappingProxyType(
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
_CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi})
_ANY = ("min", "max")  # functions of one argument or more

#: The names that mean something of their own and cannot be bound.
RESERVED = (*_FUNCTIONS, *_CONSTANTS, *FANS)

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|//|[-+*/^%(),]))"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALL = f"There are {', '.join(_FUNCTIONS)}."
_INSTEAD = {"**": "a power is written ^", "//": "a quotient that is cut is floor(a / b)"}


class Step(NamedTuple):
    """One step of an expression: what it does, and with how many of the numbers before it."""

    word: str
    takes: int = 0
    number: float = 0.0
    at: int = 0  # where a name stands in the text


@dataclass(frozen=True, slots=True)
class Expression:
    """A short arithmetic text: ``+ - * / ^ %``, parentheses, a few functions, ``pi`` and names.

    The functions are ``sqrt``, ``log``, ``exp``, ``floor``, ``ceil`` of one argument, ``min`` and
    ``max`` of one or more. Numbers are float64. ``^`` binds closest and to the right, also before a
    sign in front (``-2^2`` is -4), then ``* / %``, then ``+ -``, both to the left; what stands
    first is computed first. ``a % b`` has the sign of ``b``.

    >>> rule = Expression.parse("0.02 / sqrt(2 * n_layer)")
    >>> rule.names, rule.value({"n_layer": 50})
    (('n_layer',), 0.002)
    """

    text: str
    steps: tuple[Step, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Read a text; raises :class:`SpecError` for one that is no such arithmetic.

        >>> Expression.parse("2 ^ 3 ^ 2").value()
        512.0
        """
        return _parsed(text)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that must be bound, fans included, in the order of the text."""
        return tuple(dict.fromkeys(step.word for step in self.steps if _is_name(step)))

    def value(self, known: Mapping[str, float] | None = None) -> float:
        """The number, for these values of the names.

        Raises :class:`SpecError` for a name that is not bound, and for a result, also one on the
        way, that is no finite real number.

        >>> Expression.parse("min(1, sqrt(fan_out / fan_in))").value({"fan_in": 4, "fan_out": 1})
        0.5
        """
        known = known or {}
        check_bound(self, known)
        stack: list[float] = []
        for step in self.steps:
            if not step.takes:
                stack.append(float(known[step.word]) if _is_name(step) else step.number)
                continue
            given = stack[-step.takes :]
            del stack[-step.takes :]
            stack.append(self._done(step.word, given, known))
        return stack.pop()

    def _done(self, word: str, given: list[float], known: Mapping[str, float]) -> float:
        """What one operator or function makes of its numbers."""
        try:
            made = float((_OPERATORS.get(word) or _FUNCTIONS[word])(*given))
            problem = "" if math.isfinite(made) else "is beyond all float64 numbers"
        except ZeroDivisionError:
            made, problem = math.nan, "divides by zero"
        except OverflowError:
            made, problem = math.nan, "is beyond all float64 numbers"
        except ValueError:  # the root or the logarithm of a number that has none
            values = f" {word} ".join(f"{n:g}" for n in given)
            what = values if word in _OPERATORS else f"{word}({values})"
            made, problem = math.nan, f"is no real number: it comes to {what}"
        if problem:
            raise SpecError(f"{shown(self.text)} {problem}{_where(self.names, known)}.")
        return made

    def bound(self, known: Mapping[str, float]) -> str:
        """The text with numbers in place of the names that are known.

        >>> Expression.parse("sqrt(fan_out / n)").bound({"n": 4})
        'sqrt(fan_out / 4)'
        """
        text = self.text
        for step in sorted((s for s in self.steps if _is_name(s)), key=lambda s: -s.at):
            if step.word in known:
                text = text[: step.at] + _digits(known[step.word]) + text[step.at + len(step.word) :]
        return text

    @property
    def latex(self) -> str:
        r"""The expression in LaTeX.

        >>> print(Expression.parse("0.02 / sqrt(2 * n_layer)").latex)
        \frac{0.02}{\sqrt{2\,\mathit{n\_layer}}}
        """
        stack: list[tuple[str, int]] = []  # each with how closely it binds
        for step in self.steps:
            if not step.takes:
                stack.append((_latex_name(step.word) if step.word else _digits(step.number), 9))
                continue
            given = stack[-step.takes :]
            del stack[-step.takes :]
            stack.append(_latex(step.word, given))
        return stack.pop()[0]


def _is_name(step: Step) -> bool:
    return bool(step.word) and not step.takes and step.word not in _CONSTANTS


def check_bound(rule: Expression, known: Mapping[str, Any], what: str = "") -> None:
    """Refuse an expression with a name that is not known; the error lists those that are.

    ``what`` says whose text it is: ``"std = "``.
    """
    missing = [name for name in rule.names if name not in known]
    if not missing:
        return
    name = missing[0]
    if name in FANS:
        raise SpecError(
            f"{what}{shown(rule.text)} goes by {name}, and there are no fans here: put the scheme on a "
            "shape, or give it its fans."
        )
    words = [word for word in known if word not in FANS]
    more = f" and {len(words) - MOST} more" if len(words) > MOST else ""
    listed = f"bound are {', '.join(words[:MOST])}{more}" if words else "nothing is bound"
    raise SpecError(
        f"{what}{shown(rule.text)} has the name {name!r}, which is not bound; {listed}. Bind it, as in "
        f"scheme.bind({name}=12)."
    )


def checked_names(sizes: Mapping[str, Any]) -> dict[str, float]:
    """Names and numbers that a caller binds; refuses names that are reserved, or none.

    >>> checked_names({"n_layer": 12})
    {'n_layer': 12.0}
    """
    known = {}
    for name, value in sizes.items():
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise SpecError(
                f"a name to bind is letters, digits and '_', such as n_layer, not {shown(name)}."
            )
        if name in RESERVED:
            kind = "a fan, which the shape says" if name in FANS else "part of the arithmetic"
            raise SpecError(f"{name!r} cannot be bound: it is {kind}. Take another name.")
        known[name] = number(name, value)
    return known


def quantity(
    name: str, value: Any, check: Callable[[str, Any], float] = number
) -> float | str:
    """A number, or a text that stands for one: at once where it has no names.

    ``check`` says which numbers will do. Raises :class:`SpecError` for anything else.

    >>> quantity("std", "0.02 / sqrt(4)"), quantity("std", " 1 / fan_in ")
    (0.01, '1 / fan_in')
    """
    if not isinstance(value, str):
        return check(name, value)
    try:
        rule = Expression.parse(value)
        return rule.text if rule.names else check(name, rule.value())
    except SpecError as error:
        raise SpecError(f"{name} is a number or arithmetic over sizes: {error}") from None


def _where(names: tuple[str, ...], known: Mapping[str, float]) -> str:
    pairs = [f"{name}={known[name]:g}" for name in names[:MOST]]
    return f", with {', '.join(pairs)}" if pairs else ""


def _digits(value: float) -> str:
    """A number as a text that reads as itself."""
    value = float(value)
    text = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return f"({text})" if value < 0 else text


# -------------------------------------------------------------------------------------- reading


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Expression:
    text = text.strip()
    if len(text) > LONGEST:
        raise SpecError(f"a text of {len(text)} characters is too long: {LONGEST} are read.")
    reader = _Reader(text)
    reader.sum(0)
    if reader.tokens[reader.place][0] != "end":
        reader.refuse("an operator, such as + or *,")
    return Expression(text, tuple(reader.steps))


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
                    f"cannot read {rest[:20]!r} in {shown(text)}: write numbers, names, "
                    "+ - * / ^ %, parentheses, and functions such as sqrt(n)."
                )
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind)))
            at = match.end()
        self.tokens.append(("end", "", len(text)))

    def refuse(self, wanted: str) -> None:
        kind, word, at = self.tokens[self.place]
        if word in _INSTEAD:
            raise SpecError(f"cannot read {word!r} in {shown(self.text)}: {_INSTEAD[word]}.")
        found = "its end" if kind == "end" else f"{word!r} at {at}"
        raise SpecError(f"cannot read {shown(self.text)}: {wanted} was expected, not {found}.")

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
            raise SpecError(f"{shown(self.text)} is nested too deeply: {DEEPEST} levels are read.")
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
        elif word in _FUNCTIONS:
            raise SpecError(f"{word!r} in {shown(self.text)} is a function: write {word}(...).")
        elif word in _CONSTANTS:
            self.steps.append(Step(word, number=_CONSTANTS[word]))
        else:
            self.steps.append(Step(word, at=at))

    def literal(self, word: str) -> None:
        value = float(word)
        if not math.isfinite(value):
            raise SpecError(f"{word} in {shown(self.text)} is beyond all float64 numbers.")
        self.steps.append(Step("", number=value))

    def call(self, word: str, depth: int) -> None:
        if word not in _FUNCTIONS:
            raise SpecError(str(UnknownName("function", word, _FUNCTIONS, listed=_ALL)))
        self.sum(depth)
        takes = 1
        while self.next(","):
            self.sum(depth)
            takes += 1
        if takes > 1 and word not in _ANY:
            raise SpecError(f"{word} in {shown(self.text)} takes one number, not {takes}.")
        self.close("')'" if word not in _ANY else "',' or ')'")
        if word not in _ANY or takes > 1:  # the least of one number is that number
            self.steps.append(Step(word, takes))

    def close(self, wanted: str) -> None:
        if not self.next(")"):
            self.refuse(wanted)


# ---------------------------------------------------------------------------------------- LaTeX

_BINDS = {"+": 1, "-": 1, "*": 3, "%": 3, "/": 4, "^": 5}
_LATEX_FANS = {
    "fan_in": r"\mathrm{fan_{in}}",
    "fan_out": r"\mathrm{fan_{out}}",
    "fan_avg": r"\mathrm{fan_{avg}}",
    "fan_geo_avg": r"\sqrt{\mathrm{fan_{in}}\,\mathrm{fan_{out}}}",
}


def _latex_name(word: str) -> str:
    if word in _CONSTANTS:
        return rf"\{word}"
    escaped = word.replace("_", r"\_")
    return _LATEX_FANS.get(word) or rf"\mathit{{{escaped}}}"


def _latex(word: str, given: list[tuple[str, int]]) -> tuple[str, int]:
    """An operator or a function with its arguments, and how closely it binds."""
    if word in _FUNCTIONS:
        inner = r",\ ".join(text for text, _ in given)
        named = {
            "sqrt": rf"\sqrt{{{inner}}}",
            "floor": rf"\lfloor {inner} \rfloor",
            "ceil": rf"\lceil {inner} \rceil",
        }
        return named.get(word, rf"\{word}\left({inner}\right)"), 9
    (left, left_binds), (right, right_binds) = given
    if word == "/":
        return rf"\frac{{{left}}}{{{right}}}", 4
    if word == "-" and left == "0":  # a sign
        return f"-{_wrapped(right, right_binds, 2)}", 2
    if word == "^":
        return f"{_wrapped(left, left_binds, 6)}^{{{right}}}", 5
    binds = _BINDS[word]
    sign = {"*": r"\,", "%": r" \bmod "}.get(word, f" {word} ")
    if word == "*" and right[:1].isdigit():
        sign = r" \cdot "
    return f"{_wrapped(left, left_binds, binds)}{sign}{_wrapped(right, right_binds, binds + 1)}", binds


def _wrapped(text: str, binds: int, least: int) -> str:
    return text if binds >= least else rf"\left({text}\right)"
