"""How a scheme is named: what it is, whose reading of it, and of which versions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import SpecError, short_repr

#: ``he_normal``, ``he_normal@torch`` or ``trunc_normal@torch<2.12``.
_NAME = re.compile(r"([\w.\-]+)(?:@([\w.\-]+)(?:(<=|>=|==|<|>)(\d+(?:\.\d+)*))?)?")
_DIALECT = re.compile(r"[\w.\-]+@[\w.\-]*")


@dataclass(frozen=True, slots=True)
class Name:
    """A scheme's name in its parts; ``relation`` and ``version`` narrow the dialect's versions.

    >>> Name.parse("trunc_normal@torch<2.12")
    Name(base='trunc_normal', dialect='torch', relation='<', version='2.12')
    >>> Name.parse("he_normal@keras").admits(since="2.2", until=None)
    True
    >>> Name.parse("he_normal@keras<2.2").admits(since="2.2", until=None)
    False
    """

    base: str
    dialect: str | None = None
    relation: str = ""
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> Name:
        """Read a name; raises :class:`SpecError` that says how one is written."""
        if not isinstance(text, str):
            raise SpecError(f"a name is a text, such as 'he_normal@torch', not {short_repr(text)}.")
        match = _NAME.fullmatch(text)
        if match is not None:
            base, dialect, relation, version = match.groups()
            return cls(base, dialect, relation or "", version or "")
        plain = _DIALECT.match(text)
        if plain is not None and plain[0][-1] != "@":
            raise SpecError(
                f"cannot read the version in {text!r}: write {plain[0]!r}, or numbers after one "
                f"of <, <=, ==, >= and >, as in '{plain[0]}<2.12'."
            )
        raise SpecError(f"cannot read {text!r}: write a name, such as 'he_normal@torch'.")

    def __str__(self) -> str:
        at = f"@{self.dialect}" if self.dialect else ""
        return f"{self.base}{at}{self.relation}{self.version}"

    def admits(self, since: str | None, until: str | None) -> bool:
        """Whether some version from ``since`` on and before ``until`` is one of those named."""
        if not self.relation:
            return True
        wanted = number(self.version)
        begins = since is None or number(since) < wanted
        meets = since is None or number(since) <= wanted
        lasts = until is None or wanted < number(until)
        return {
            "<": begins,
            "<=": meets,
            "==": meets and lasts,
            ">=": lasts,
            ">": lasts,
        }[self.relation]


def number(version: str) -> tuple[int, ...]:
    """A version as numbers that compare; zeros at its end say nothing.

    >>> number("2.9") < number("2.12"), number("3") == number("3.0")
    (True, True)
    """
    parts = [int(part) for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
