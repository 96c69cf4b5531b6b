"""The law that a rule gives: a scheme whose numbers may be expressions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import SpecError, short_repr
from ..readings.registry import get
from ..readings.written import arguments, split
from ..spec.expression import Expression
from ..spec.scheme import Scheme

#: The name of the law that a layer draws by itself, as the tables of ``initspec/layers`` have it.
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Law:
    """A scheme by name, with arguments that are constants or expressions over names.

    ``text`` is what the rule says: ``"normal(std=0.02 / sqrt(2 * n_layer))"``, or the name alone.
    ``"default"`` is what the layer itself draws, and takes a ``gain``.

    >>> law = Law("normal(std=0.02 / sqrt(2 * n_layer))")
    >>> law.names, law.scheme({"n_layer": 12}).std
    (('n_layer',), 0.004082482904638631)
    """

    text: str

    def __post_init__(self) -> None:
        _parsed(self.text)

    @property
    def name(self) -> str:
        """The scheme's name, with its dialect."""
        return _parsed(self.text)[0]

    @property
    def is_default(self) -> bool:
        """Whether the layer's own law is meant."""
        return self.name == DEFAULT

    @property
    def names(self) -> tuple[str, ...]:
        """The names that its expressions ask for, each once."""
        _, args, words = _parsed(self.text)
        used = [
            name
            for value in (*args, *words.values())
            if isinstance(value, Expression)
            for name in value.names
        ]
        return tuple(dict.fromkeys(used))

    def numbers(self, names: Mapping[str, float]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments, positional and by word, with numbers for the expressions."""
        _, args, words = _parsed(self.text)
        return [_value(arg, names) for arg in args], {
            word: _value(value, names) for word, value in words.items()
        }

    def scheme(self, names: Mapping[str, float]) -> Scheme:
        """The scheme with its numbers, where ``names`` binds what the expressions ask for.

        Raises :class:`SpecError` for a name that is not bound and for a scheme that cannot be, and
        :class:`UnknownName` for one that does not exist.
        """
        args, words = self.numbers(names)
        return _scheme(self.name, tuple(args), tuple(words.items()))


def _value(value: Any, names: Mapping[str, float]) -> Any:
    if not isinstance(value, Expression):
        return value
    number = value.value(names)
    return int(number) if number == int(number) and abs(number) < 2**53 else number


@lru_cache(maxsize=4096)
def _scheme(name: str, args: tuple[Any, ...], words: tuple[tuple[str, Any], ...]) -> Scheme:
    return get(name, *args, **dict(words))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[str, tuple[Any, ...], Mapping[str, Any]]:
    """The name of a law and its arguments: plain constants, or expressions."""
    if not isinstance(text, str):
        raise SpecError(f"a law is a text such as 'normal(std=0.02)', not {short_repr(text)}.")
    parts = split(text)
    if parts is None:
        raise SpecError(
            f"cannot read the law {text!r}: write a scheme's name, such as 'zeros' or "
            "'normal(std=0.02 / sqrt(2 * n_layer))'."
        )
    name, call = parts
    if call is None:
        return name, (), {}
    try:
        args, words = arguments(call, _argument)
    except SpecError as error:
        raise SpecError(f"the law {text!r}: {error}") from None
    except ValueError:
        raise SpecError(
            f"cannot read the arguments of the law {text!r}: write them as in "
            "'normal(std=0.02 / sqrt(2 * n_layer))'."
        ) from None
    return name, tuple(args), words


def _argument(node: ast.expr, source: str) -> Any:
    """A constant as it is: a text, a truth, a number; all else is an expression."""
    if isinstance(node, ast.Constant) and not isinstance(node.value, (bytes, complex)):
        return node.value
    return Expression.parse(ast.get_source_segment(source, node) or "")
