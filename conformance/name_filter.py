"""Choosing among names by an expression: ``torch and not (native or float16)``."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import SpecError

NameTest = Callable[[str], bool]

_TOKEN = re.compile(r"""\s*(?:(?P<mark>[()])|(?P<quoted>"[^"]+"|'[^']+')|(?P<word>[^\s()'"]+))""")


def name_test(expression: str) -> NameTest:
    """A test of names: words are sought in them whatever their case, joined by ``not``, ``and``,
    ``or`` and parentheses. A word with spaces or parentheses of its own stands in quotes.

    Raises :class:`SpecError` for what cannot be read.

    >>> test = name_test("he_normal and not (torch or 'normal 86x8')")
    >>> test("jax as HE_normal 5x7x8x38"), test("torch as he_normal"), test("jax as he_normal 86x8")
    (True, False, False)
    """
    return _Reader(expression).read()


class _Reader:
    """The tokens of an expression, which are taken off one by one."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens: list[tuple[str, str]] = []
        place, end = 0, len(expression.rstrip())
        while place < end:
            match = _TOKEN.match(expression, place)
            if match is None:
                raise self.unreadable("a quote is not closed")
            kind = str(match.lastgroup)
            text = match[kind].strip("'\"") if kind == "quoted" else match[kind]
            if kind == "word" and text in ("not", "and", "or"):
                kind = "mark"
            self.tokens.append((kind, text))
            place = match.end()

    def read(self) -> NameTest:
        test = self.disjunction()
        if self.tokens:
            raise self.unreadable(f"{self.tokens[0][1]!r} comes unexpected")
        return test

    def disjunction(self) -> NameTest:
        tests = [self.conjunction()]
        while self.take("or"):
            tests.append(self.conjunction())
        return lambda name: any(test(name) for test in tests)

    def conjunction(self) -> NameTest:
        tests = [self.term()]
        while self.take("and"):
            tests.append(self.term())
        return lambda name: all(test(name) for test in tests)

    def term(self) -> NameTest:
        if self.take("not"):
            refused = self.term()
            return lambda name: not refused(name)
        if self.take("("):
            inner = self.disjunction()
            if not self.take(")"):
                raise self.unreadable("a parenthesis is not closed")
            return inner
        if not self.tokens or self.tokens[0][0] == "mark":
            token = repr(self.tokens[0][1]) if self.tokens else "the end"
            raise self.unreadable(f"a word is wanted where {token} stands")
        wanted = self.tokens.pop(0)[1].casefold()
        return lambda name: wanted in name.casefold()

    def take(self, mark: str) -> bool:
        """Whether this mark comes next; it is taken away."""
        if self.tokens[:1] != [("mark", mark)]:
            return False
        del self.tokens[0]
        return True

    def unreadable(self, reason: str) -> SpecError:
        return SpecError(
            f"cannot read the selection {self.expression!r}: {reason}. "
            "Write words joined by not, and, or and parentheses."
        )
