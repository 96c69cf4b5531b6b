"""Arithmetic in a text, as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence

from .expression_steps import CONSTANTS, FUNCTIONS, Step

_BINDS = {"+": 1, "-": 1, "*": 3, "%": 3, "/": 4, "^": 5}
_LATEX_FANS = {
    "fan_in": r"\mathrm{fan_{in}}",
    "fan_out": r"\mathrm{fan_{out}}",
    "fan_avg": r"\mathrm{fan_{avg}}",
    "fan_geo_avg": r"\sqrt{\mathrm{fan_{in}}\,\mathrm{fan_{out}}}",
}


def latex(steps: Sequence[Step]) -> str:
    r"""The steps of an expression in LaTeX.

    >>> from .expression_steps import steps
    >>> print(latex(steps("(a + b) * 2")))
    \left(\mathit{a} + \mathit{b}\right) \cdot 2
    """
    stack: list[tuple[str, int]] = []  # each with how closely it binds
    for step in steps:
        if not step.takes:
            stack.append((_name(step.word) if step.word else digits(step.number), 9))
            continue
        given = stack[-step.takes :]
        del stack[-step.takes :]
        stack.append(_applied(step.word, given))
    return stack.pop()[0]


def digits(value: float) -> str:
    """A number as a text that reads as itself.

    >>> digits(12.0), digits(-0.5)
    ('12', '(-0.5)')
    """
    value = float(value)
    text = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return f"({text})" if value < 0 else text


def _name(word: str) -> str:
    if word in CONSTANTS:
        return rf"\{word}"
    escaped = word.replace("_", r"\_")
    return _LATEX_FANS.get(word) or rf"\mathit{{{escaped}}}"


def _applied(word: str, given: list[tuple[str, int]]) -> tuple[str, int]:
    """An operator or a function with its arguments, and how closely it binds."""
    if word in FUNCTIONS:
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
    return (
        f"{_wrapped(left, left_binds, binds)}{sign}{_wrapped(right, right_binds, binds + 1)}",
        binds,
    )


def _wrapped(text: str, binds: int, least: int) -> str:
    return text if binds >= least else rf"\left({text}\right)"
