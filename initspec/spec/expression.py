"""Arithmetic in a text, over names that the caller binds: the product's one evaluator."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..errors import MOST, SpecError, short_repr, some
from .arguments import number
from .expression_latex import digits, latex
from .expression_steps import CONSTANTS, FUNCTIONS, OPERATORS, Step, steps

#: The names of the fans, which resolution supplies and nobody binds.
FANS = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")

#: The names that mean something of their own and cannot be bound.
RESERVED = (*FUNCTIONS, *CONSTANTS, *FANS)

LONGEST = 1000  # characters of a text
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
        return tuple(dict.fromkeys(step.word for step in self.steps if step.is_name))

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
                stack.append(float(known[step.word]) if step.is_name else step.number)
                continue
            given = stack[-step.takes :]
            del stack[-step.takes :]
            stack.append(self._done(step.word, given, known))
        return stack.pop()

    def _done(self, word: str, given: list[float], known: Mapping[str, float]) -> float:
        """What one operator or function makes of its numbers."""
        try:
            made = float((OPERATORS.get(word) or FUNCTIONS[word])(*given))
            problem = "" if math.isfinite(made) else "is beyond all float64 numbers"
        except ZeroDivisionError:
            made, problem = math.nan, "divides by zero"
        except OverflowError:
            made, problem = math.nan, "is beyond all float64 numbers"
        except ValueError:  # the root or the logarithm of a number that has none
            values = f" {word} ".join(f"{n:g}" for n in given)
            what = values if word in OPERATORS else f"{word}({values})"
            made, problem = math.nan, f"is no real number: it comes to {what}"
        if problem:
            raise SpecError(f"{short_repr(self.text)} {problem}{_where(self.names, known)}.")
        return made

    def bound(self, known: Mapping[str, float]) -> str:
        """The text with numbers in place of the names that are known.

        >>> Expression.parse("sqrt(fan_out / n)").bound({"n": 4})
        'sqrt(fan_out / 4)'
        """
        text = self.text
        for step in sorted((s for s in self.steps if s.is_name), key=lambda s: -s.at):
            if step.word in known:
                text = text[: step.at] + digits(known[step.word]) + text[step.at + len(step.word) :]
        return text

    @property
    def latex(self) -> str:
        r"""The expression in LaTeX.

        >>> print(Expression.parse("0.02 / sqrt(2 * n_layer)").latex)
        \frac{0.02}{\sqrt{2\,\mathit{n\_layer}}}
        """
        return latex(self.steps)


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
            f"{what}{short_repr(rule.text)} goes by {name}, and there are no fans here: put the "
            "scheme on a shape, or give it its fans."
        )
    words = [word for word in known if word not in FANS]
    listed = f"bound are {some(words)}" if words else "nothing is bound"
    raise SpecError(
        f"{what}{short_repr(rule.text)} has the name {name!r}, which is not bound; {listed}. Bind "
        f"it, as in scheme.bind({name}=12), or --let {name}=12."
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
                "a name to bind is letters, digits and '_', such as n_layer, not "
                f"{short_repr(name)}."
            )
        if name in RESERVED:
            kind = "a fan, which the shape says" if name in FANS else "part of the arithmetic"
            raise SpecError(f"{name!r} cannot be bound: it is {kind}. Take another name.")
        known[name] = number(name, value)
    return known


def quantity(name: str, value: Any, check: Callable[[str, Any], float] = number) -> float | str:
    """A number, or a text that stands for one: at once where it has no names.

    ``check`` says which numbers will do. Raises :class:`SpecError` for anything else.

    >>> quantity("std", "0.02 / sqrt(4)"), quantity("std", " 1 / fan_in ")
    (0.01, '1 / fan_in')
    """
    if not isinstance(value, str):
        return check(name, value)
    try:
        if len(value) > LONGEST:
            raise SpecError(f"it has {len(value)} characters, and {LONGEST} are read.")
        rule = Expression.parse(value)
        return rule.text if rule.names else check(name, rule.value())
    except SpecError as error:
        raise SpecError(f"{name} is a number, not {short_repr(value)}: {error}") from None


def _where(names: tuple[str, ...], known: Mapping[str, float]) -> str:
    pairs = [f"{name}={known[name]:g}" for name in names[:MOST]]
    return f", with {', '.join(pairs)}" if pairs else ""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Expression:
    text = text.strip()
    return Expression(text, steps(text))
