"""From a plan and the parameters of a model to a ledger."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..errors import InitSpecError, LayoutError, SpecError, UnknownName, some
from ..plain_text import escaped
from ..spec.arguments import number
from ..spec.distribution import Distribution
from ..spec.expression import FANS, Expression
from ..spec.fan_rules import Fans
from ..spec.layout import Layout, fans
from ..spec.scheme import Scheme
from ..spec.sizing import fan_numbers
from .condition import Condition
from .fields import COUNT, PlanFields
from .law import Law
from .layer_law import default_scheme
from .ledger import Ledger, Row
from .names import logical
from .parameter import ModelParameter
from .rule import Rule


class Match(NamedTuple):
    """A rule that selects a parameter, ``when`` aside, and what its pattern captured."""

    at: int
    captures: Mapping[str, int]


def resolved(
    plan: PlanFields,
    parameters: Iterable[ModelParameter],
    given: Mapping[str, float],
    *,
    strict: bool = False,
) -> Ledger:
    """The ledger of a plan on these parameters: see :meth:`initspec.Plan.on`."""
    plan = plan.whole
    held = _tied(plan, _named(plan, parameters))
    matches = {parameter.name: _matches(plan, parameter, strict) for parameter in held}
    symbols = _symbols(plan, matches.values(), given)
    known = _let(plan, symbols)
    chosen = {
        parameter.name: _chosen(plan, matches[parameter.name], known, parameter, strict)
        for parameter in held
    }
    _check_covered(plan, held, chosen)
    siblings = {parameter.name: parameter for parameter in held}
    written = {name: plan.rules[match.at].layout for name, match in chosen.items() if match}
    laws = _Laws(plan, known, siblings, written)
    rows = tuple(
        laws.row(parameter, match)
        for parameter in held
        if (match := chosen[parameter.name]) is not None
    )
    return Ledger(plan=plan.name, rows=rows, symbols=symbols)


# --------------------------------------------------------------------------------- names and ties


def _named(plan: PlanFields, parameters: Iterable[ModelParameter]) -> list[ModelParameter]:
    held = list(parameters)
    if plan.names:
        held = [one for parameter in held for one in logical(parameter, plan.names)]
    seen: dict[str, ModelParameter] = {}
    for parameter in held:
        other = seen.setdefault(parameter.name, parameter)
        if other is not parameter:
            raise SpecError(
                f"two parameters have the name {parameter.name!r}: {other.path} {other.shape} and "
                f"{parameter.path} {parameter.shape}. Their keys would be one; tell them apart by "
                "[[name]]."
            )
    return held


def _tied(plan: PlanFields, parameters: list[ModelParameter]) -> list[ModelParameter]:
    """The parameters under their first names, where the model's ties are those of the plan."""
    held: list[ModelParameter] = []
    first_of: dict[int, ModelParameter] = {}
    for parameter in parameters:
        if not plan.ties and not parameter.also:
            held.append(parameter)
            continue
        names = (parameter.name, *parameter.also)
        for at, tie in enumerate(plan.ties):
            places = {name: place for name in names if (place := tie.place(name)) is not None}
            if not places:
                continue
            other = first_of.setdefault(at, parameter)
            if other is not parameter and not tie.optional:
                raise SpecError(
                    f"plan {plan.name!r} says that {escaped(other.name)} and "
                    f"{escaped(parameter.name)} are one "
                    "tensor, and in this model they are two. Tie them, after to_empty() again, or "
                    "give the tie optional = true and each of them a rule."
                )
            names = tuple(sorted(names, key=lambda name: places.get(name, len(names))))
            break
        else:
            if len(names) > 1 and not parameter.buffer:
                raise SpecError(
                    f"{' and '.join(map(escaped, names[:3]))} are one tensor in this model, and "
                    f"plan {plan.name!r} does not say so: add [[tie]] same = {list(names[:3])}."
                )
        same = names[0] == parameter.name
        held.append(parameter if same else replace(parameter, name=names[0], also=names[1:]))
    return held


# ------------------------------------------------------------------------------------ which rule


def _matches(plan: PlanFields, parameter: ModelParameter, every: bool) -> list[Match]:
    """The rules that may win a parameter: up to the first without a condition, or all of them."""
    matches = []
    for at, rule in enumerate(plan.rules):
        captures = rule.selects(parameter)
        if captures is not None:
            matches.append(Match(at, captures))
            if rule.when is None and not every:
                break
    return matches


def _chosen(
    plan: PlanFields,
    matches: Sequence[Match],
    known: Mapping[str, float],
    parameter: ModelParameter,
    strict: bool,
) -> Match | None:
    holding = []
    for match in matches:
        when = plan.rules[match.at].when
        if when is not None:
            try:
                if not Condition.parse(when).holds({**known, **match.captures}):
                    continue
            except InitSpecError as error:
                raise _told(plan, match.at, parameter, error) from None
        if not strict:
            return match
        holding.append(match)
    if len(holding) > 1:
        numbers = " and ".join(f"{match.at + 1} ({plan.rules[match.at]})" for match in holding[:3])
        raise SpecError(
            f"plan {plan.name!r}: {escaped(parameter.name)} is selected by the rules {numbers}; "
            "strict asks for one."
        )
    return holding[0] if holding else None


def _check_covered(
    plan: PlanFields, parameters: Sequence[ModelParameter], chosen: Mapping[str, Match | None]
) -> None:
    missed = [p for p in parameters if chosen[p.name] is None and not p.buffer]
    if missed:
        shown = some([f"{escaped(p.name)} {p.shape}" for p in missed])
        raise SpecError(
            f"plan {plan.name!r} says nothing about {len(missed)} of {len(parameters)} parameters: "
            f'{shown}.{_nearest(plan, missed[0])} Add a rule, or one with given = "..." where '
            "somebody else fills them."
        )
    won = {match.at for match in chosen.values() if match is not None}
    for at, rule in enumerate(plan.rules):
        if at not in won and not rule.optional:
            raise SpecError(
                f"plan {plan.name!r}, rule {at + 1} ({rule}) selects nothing in this model."
                f"{_near_name(rule, parameters)} Mend its pattern, or give it optional = true."
            )


def _nearest(plan: PlanFields, parameter: ModelParameter) -> str:
    """The rule whose pattern looks most like a name."""
    texts = {text: at for at, rule in enumerate(plan.rules) for text in rule.match}
    near = difflib.get_close_matches(parameter.name, texts, n=1, cutoff=0.4)
    if not near:
        return ""
    return f" The nearest rule is {texts[near[0]] + 1}, match = {near[0]}."


def _near_name(rule: Rule, parameters: Sequence[ModelParameter]) -> str:
    names = [parameter.name for parameter in parameters]
    near = difflib.get_close_matches(rule.match[0], names, n=1, cutoff=0.3) if rule.match else []
    return f" The nearest name is {escaped(near[0])}." if near else ""


# --------------------------------------------------------------------------------------- symbols


def _symbols(
    plan: PlanFields, matches: Iterable[Sequence[Match]], given: Mapping[str, float]
) -> dict[str, float]:
    for word in given:
        if word not in plan.symbols:
            hint = "" if plan.symbols else "The plan has no symbols."
            raise UnknownName(f"symbol of plan {plan.name!r}", word, plan.symbols or ["none"], hint)
    counts: dict[str, set[int]] = {}
    for found in matches:
        for match in found:
            for word, value in match.captures.items():
                counts.setdefault(word, set()).add(value)
    bound: dict[str, float] = {}
    for word, default in plan.symbols.items():
        if word in given:
            bound[word] = number(word, given[word])
        elif default is None:
            raise SpecError(
                f"plan {plan.name!r} needs the number {word}: give it, as in plan.on(model, "
                f"{word}=12)."
            )
        else:
            bound[word] = _default(plan, word, default, counts, bound)
    return bound


def _default(
    plan: PlanFields,
    word: str,
    default: float | str,
    counts: Mapping[str, set[int]],
    bound: Mapping[str, float],
) -> float:
    if not isinstance(default, str):
        return float(default)
    counted = COUNT.fullmatch(default)
    if counted is None:
        return Expression.parse(default).value(bound)
    return float(len(counts.get(counted[1], ())))


def _let(plan: PlanFields, symbols: Mapping[str, float]) -> dict[str, float]:
    known = dict(symbols)
    for word, value in plan.let.items():
        try:
            known[word] = Expression.parse(value).value(known) if isinstance(value, str) else value
        except InitSpecError as error:
            raise SpecError(f"plan {plan.name!r}, let.{word}: {error}") from None
    return known


# ------------------------------------------------------------------------------------------ laws


def _told(
    plan: PlanFields, at: int, parameter: ModelParameter, error: InitSpecError
) -> InitSpecError:
    """The error with the plan, the rule and the parameter that it is of."""
    kind = LayoutError if isinstance(error, LayoutError) else SpecError
    return kind(
        f"plan {plan.name!r}, rule {at + 1} ({plan.rules[at]}), parameter "
        f"{escaped(parameter.name)} {parameter.shape}: {error}"
    )


class _Answer(NamedTuple):
    """What a rule gives a parameter, whatever its name is."""

    names: Mapping[str, float]
    layout: Layout
    assumed: bool
    scheme: Scheme | None = None
    law: Distribution | None = None
    fans: Fans | None = None


class _Laws:
    """The laws of one resolution; what parameters of one shape and rule have in common is kept."""

    def __init__(
        self,
        plan: PlanFields,
        known: Mapping[str, float],
        parameters: Mapping[str, ModelParameter],
        written: Mapping[str, str | None],
    ) -> None:
        self.plan, self.known, self.parameters = plan, known, parameters
        self.written = written  # the layouts that the rules of parameters write, by name
        self.laws = [None if rule.law is None else Law(rule.law) for rule in plan.rules]
        self.asked = [() if law is None else law.names for law in self.laws]
        self.texts = [str(rule) for rule in plan.rules]
        self.answers: dict[tuple[Any, ...], _Answer] = {}

    def row(self, parameter: ModelParameter, match: Match) -> Row:
        """The row of a parameter that a rule selects."""
        at = match.at
        rule = self.plan.rules[at]
        captures = tuple(match.captures.get(word) for word in self.asked[at])
        module = parameter.module if rule.fans_of or self._by_layer(at) else ""
        alike = (
            *(at, captures, module, parameter.shape, parameter.layout, parameter.out_first),
            *(parameter.kinds[:1], parameter.dtype, parameter.entry),
        )
        answer = self.answers.get(alike)
        if answer is None:
            try:
                answer = self.answers[alike] = self.answer(parameter, match)
            except InitSpecError as error:
                raise _told(self.plan, at, parameter, error) from None
        return Row(
            parameter=parameter,
            number=at + 1,
            rule=self.texts[at],
            given=rule.given or "",
            tied=parameter.also,
            **answer._asdict(),
        )

    def _by_layer(self, at: int) -> bool:
        law = self.laws[at]
        return law is not None and law.is_default

    def answer(self, parameter: ModelParameter, match: Match) -> _Answer:
        """The law of a parameter, with what it was made of."""
        rule, law = self.plan.rules[match.at], self.laws[match.at]
        if rule.dtype is not None and rule.dtype != parameter.dtype:
            raise SpecError(f"the rule wants {rule.dtype}, and it is {parameter.dtype}.")
        layout, assumed = self.layout(rule.layout, parameter)
        if law is None:
            return _Answer({}, layout, assumed)
        counted = None
        if any(word in FANS for word in law.names):
            counted = self.fans(rule, parameter)
        names = self.names(law.names, match.captures, parameter, counted)
        if law.is_default:
            scheme = default_scheme(law, names, parameter, self.parameters)
        else:
            scheme = law.scheme(names)
        if scheme.needs_fans:
            counted = self.fans(rule, parameter, scheme.fans)
            if rule.fans_of is not None:
                drawn = scheme.given(fan_in=counted.fan_in, fan_out=counted.fan_out)
                return _Answer(names, layout, assumed, scheme, drawn, counted)
        drawn = scheme.on(parameter.shape, layout)
        return _Answer(names, layout, assumed, scheme, drawn, counted)

    def layout(self, written: str | None, parameter: ModelParameter) -> tuple[Layout, bool]:
        """The axes of a parameter, and whether they are assumed to be in the usual order."""
        ndim = len(parameter.shape)
        text = written or parameter.layout
        layout = Layout.of(text, ndim, out_first=parameter.out_first)
        layout.roles(parameter.shape)
        return layout, text is None and ndim > 1

    def fans(self, rule: Rule, parameter: ModelParameter, counted_by: str = "true") -> Fans:
        """The fans that the rule's law scales by: the parameter's own, or its sibling's."""
        written = rule.layout
        if rule.fans_of is not None:
            name = f"{parameter.module}.{rule.fans_of}".lstrip(".")
            sibling = self.parameters.get(name)
            if sibling is None:
                raise SpecError(f"it takes the fans of {name}, which the model does not have.")
            parameter, written = sibling, self.written.get(name)
        layout, assumed = self.layout(written, parameter)
        if assumed and (parameter.kinds or len(parameter.shape) > 2):
            layer = parameter.kinds[0] if parameter.kinds else "unknown"
            raise LayoutError(
                f"the fans of {parameter.name} hang on the order of its axes, and no table knows "
                f"its layer ({layer}): say it in the rule, as in layout = 'oi'."
            )
        return fans(parameter.shape, layout, counted_by)

    def names(
        self,
        asked: Sequence[str],
        captures: Mapping[str, int],
        parameter: ModelParameter,
        counted: Fans | None,
    ) -> dict[str, float]:
        """The numbers of the names that a law asks for."""
        own: dict[str, float] = {"ndim": len(parameter.shape), "numel": parameter.size}
        if counted is not None:
            own |= fan_numbers(counted)
        own |= {f"n{axis}": n for axis, n in enumerate(parameter.shape)}
        known = {**self.known, **captures, **own}
        for word in asked:
            if word not in known:
                raise SpecError(f"nothing binds {word!r} here.")
        return {word: float(known[word]) for word in asked}
