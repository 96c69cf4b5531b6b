"""The fields of a plan, checked when it is made; :class:`initspec.Plan` says what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from ..errors import SpecError, short_repr
from ..spec.arguments import number
from ..spec.expression import RESERVED, Expression
from .condition import Condition
from .law import Law
from .names import Rename
from .names_table import Names
from .rule import Rule
from .tie import Tie

#: The version of the format in which plans are saved.
FORMAT = 1

#: What an expression of a rule may ask of the parameter itself.
OWN = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg", "ndim", "numel")
_AXES = re.compile(r"[ni][0-9]")
#: Arguments of the methods of plans, which symbols must not be called.
KEYWORDS = ("seed", "device", "dtype", "shard", "only", "progress", "strict", "model", "folder")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: A default that counts the values of a capture: ``count(layer)``.
COUNT = re.compile(r"\s*count\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFields:
    """What a plan holds."""

    name: str
    rules: tuple[Rule, ...] = ()
    symbols: Mapping[str, float | str | None] = Names()
    let: Mapping[str, float | str] = Names()
    ties: tuple[Tie, ...] = ()
    names: tuple[Rename, ...] = ()
    extends: PlanFields | None = None
    title: str = ""
    note: str = ""
    source: str = ""
    references: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        references = (self.references,) if isinstance(self.references, str) else self.references
        if not isinstance(references, (tuple, list)) or not all(
            isinstance(key, str) for key in references
        ):
            raise SpecError(
                f"plan {short_repr(self.name)}: references are a list of texts, the keys of "
                f"papers, not {short_repr(self.references)}."
            )
        object.__setattr__(self, "references", tuple(references))
        for field in ("rules", "ties", "names"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        for field in ("symbols", "let"):
            object.__setattr__(self, field, Names.of(getattr(self, field)))
        for field in ("name", "title", "note", "source"):
            if not isinstance(getattr(self, field), str):
                raise SpecError(
                    f"a plan's {field} is a text, not {short_repr(getattr(self, field))}."
                )
        captures = {word for rule in self.rules for word in rule.captures}
        for word in (*self.symbols, *self.let):
            _check_name(self, word, captures)
        for word, value in self.symbols.items():
            if value is not None:
                self._default(word, value)
        for word, value in self.let.items():
            _expression(self, f"let.{word}", value)
        if self.extends is not None and not isinstance(self.extends, PlanFields):
            raise SpecError(
                f"plan {self.name!r}: extends is a plan, as initspec.plan('gpt2'), not "
                f"{short_repr(self.extends)}."
            )
        known = {*self.whole.symbols, *self.whole.let, *OWN}
        for at, rule in enumerate(self.rules, 1):
            self._check_bound(at, rule, known)

    @property
    def whole(self) -> Self:
        """The plan with the rules, names and ties of those that it extends behind its own."""
        bases: list[PlanFields] = []
        base = self.extends
        while base is not None:
            bases.append(base)
            base = base.extends
        if not bases:
            return self
        symbols: dict[str, float | str | None] = {}
        let: dict[str, float | str] = {}
        plans: list[PlanFields] = [self, *bases]
        for plan in reversed(plans):
            symbols |= plan.symbols
            let |= plan.let
        rules = (replace(rule, optional=True) for plan in bases for rule in plan.rules)
        return replace(
            self,
            rules=(*self.rules, *rules),
            symbols=symbols,
            let=let,
            ties=tuple(tie for plan in plans for tie in plan.ties),
            names=tuple(name for plan in plans for name in plan.names),
            extends=None,
        )

    def _default(self, word: str, value: float | str) -> None:
        if isinstance(value, str) and COUNT.fullmatch(value):
            return
        _expression(self, f"symbols.{word}", value)

    def _check_bound(self, at: int, rule: Rule, known: set[str]) -> None:
        asked = list(Law(rule.law).names) if rule.law is not None else []
        asked += Condition.parse(rule.when).names if rule.when else ()
        here = {*known, *rule.captures}
        for word in asked:
            if word not in here and not _AXES.fullmatch(word):
                bound = ", ".join(sorted({*self.symbols, *self.let, *rule.captures})[:5])
                raise SpecError(
                    f"plan {self.name!r}, rule {at} ({rule}): nothing binds {word!r}. Bound here: "
                    f"{bound or 'nothing'}, and the parameter's own {', '.join(OWN)}, n0, n1; add "
                    f"{word} to [symbols] or [let], or capture it in match."
                )


def _check_name(plan: PlanFields, word: str, captures: set[str]) -> None:
    where = f"plan {plan.name!r}"
    if not _NAME.fullmatch(word):
        raise SpecError(f"{where}: {word!r} is no name: letters, digits and '_'.")
    if word in RESERVED or word in OWN or word == "count" or _AXES.fullmatch(word):
        raise SpecError(
            f"{where}: the name {word!r} is taken: it is a function, a constant or a size of the "
            "parameter itself."
        )
    if word in KEYWORDS:
        raise SpecError(f"{where}: the name {word!r} is an argument of plans; take another.")
    if word in captures:
        raise SpecError(f"{where}: {word!r} is a capture of a rule, and a symbol or let as well.")
    if word in plan.symbols and word in plan.let:
        raise SpecError(f"{where}: {word!r} stands in both [symbols] and [let].")


def _expression(plan: PlanFields, where: str, value: Any) -> Expression | float:
    if isinstance(value, str):
        try:
            return Expression.parse(value)
        except SpecError as error:
            raise SpecError(f"plan {plan.name!r}, {where}: {error}") from None
    return number(f"plan {plan.name!r}, {where}", value)
