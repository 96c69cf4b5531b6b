"""A plan: rules that say, for a whole model, what every parameter gets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import SpecError, shown
from ..public import public
from ..spec.arguments import number
from ..spec.expression import Expression
from .condition import Condition
from .law import Law
from .names import Rename
from .rule import Rule
from .tie import Tie

if TYPE_CHECKING:
    from .ledger import Ledger

#: The version of the format in which plans are saved.
FORMAT = 1

#: What an expression of a rule may ask of the parameter itself.
OWN = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg", "ndim", "numel")
_AXES = re.compile(r"[ni][0-9]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: A default that counts the values of a capture: ``count(layer)``.
COUNT = re.compile(r"\s*count\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)\s*")


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Rules for a whole model, as data.

    A parameter gets the law of the first of ``rules`` that selects it. ``symbols`` are the names
    that the caller binds; one with a default, a number, an expression or ``"count(layer)"`` (how
    many values the capture ``layer`` takes in the model), may be left out. ``let`` has names for
    expressions over symbols. ``ties`` say which names are one tensor, and ``names`` what the
    parameters of other code bases are called here. ``extends`` names a plan whose rules come after
    the own ones.

    Raises :class:`SpecError` for what contradicts itself, with the rule's number.

    >>> from initspec import Plan, Rule
    >>> tiny = Plan(
    ...     name="tiny",
    ...     symbols={"n_layer": "count(layer)"},
    ...     rules=(
    ...         Rule(match="h.{layer}.weight", law="normal(std=0.02 / sqrt(2 * n_layer))"),
    ...         Rule(param="bias", law="zeros"),
    ...     ),
    ... )
    >>> ledger = tiny.on({"h.0.weight": (4, 8), "h.1.weight": (4, 8), "h.0.bias": (8,)})
    >>> ledger["h.1.weight"].law.std
    0.01
    """

    name: str
    rules: tuple[Rule, ...] = ()
    symbols: Mapping[str, float | str | None] = ()  # type: ignore[assignment]
    let: Mapping[str, float | str] = ()  # type: ignore[assignment]
    ties: tuple[Tie, ...] = ()
    names: tuple[Rename, ...] = ()
    extends: str | None = None
    title: str = ""
    note: str = ""
    source: str = ""
    references: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("rules", "ties", "names", "references"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        for field in ("symbols", "let"):
            object.__setattr__(self, field, dict(getattr(self, field)))
        for field in ("name", "title", "note", "source"):
            if not isinstance(getattr(self, field), str):
                raise SpecError(f"a plan's {field} is a text, not {shown(getattr(self, field))}.")
        captures = {word for rule in self.rules for word in rule.captures}
        for word in (*self.symbols, *self.let):
            _check_name(self, word, captures)
        for word, value in self.symbols.items():
            if value is not None:
                self._default(word, value)
        for word, value in self.let.items():
            _expression(self, f"let.{word}", value)
        known = {*self.symbols, *self.let, *OWN}
        if self.extends is None:
            for at, rule in enumerate(self.rules, 1):
                self._check_bound(at, rule, known)

    def __hash__(self) -> int:
        return hash((self.name, self.rules, self.ties, self.names, self.extends))

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

    @property
    def whole(self) -> Plan:
        """The plan with the rules of those that it extends."""
        from .recipes import extended

        return self if self.extends is None else extended(self)

    def on(self, model: Any, /, *, strict: bool = False, **symbols: float) -> Ledger:
        """What each parameter of a model gets; nothing is drawn.

        ``model`` is a module of PyTorch (on the meta device, too), a built Keras model, a tree of
        arrays or of shapes by name, or the path of a safetensors file, of which the header is read.
        ``symbols`` binds the plan's. With ``strict`` each parameter is selected by one rule only.

        Raises :class:`SpecError` with the parameters and the rules, where a parameter is selected
        by no rule, a rule selects nothing, a name is not bound, two parameters have one name, or
        a tie is not as the plan says; :class:`LayoutError` where a layout does not fit.
        """
        from .model import model_of
        from .resolve import resolved

        return resolved(self, model_of(model).parameters(), symbols, strict=strict)

    def fill(
        self,
        model: Any,
        /,
        *,
        seed: int,
        device: Any = None,
        strict: bool = False,
        **symbols: float,
    ) -> Ledger:
        """Fill every parameter of a PyTorch module or a built Keras model in place.

        The key of a parameter is the seed's, with its name in the plan folded in. Parameters on
        PyTorch's meta device are made on ``device``. Returns the ledger.

        Raises what :meth:`on` raises, and :class:`SpecError` for tensors that cannot be filled,
        before anything is written.

        >>> import torch
        >>> from initspec import Plan, Rule
        >>> layer = torch.nn.Linear(3, 2, device="meta")
        >>> plan = Plan(
        ...     name="p", rules=(Rule(ndim=2, law="he_normal"), Rule(param="bias", law="zeros"))
        ... )
        >>> ledger = plan.fill(layer, seed=0, device="cpu")
        >>> layer.bias.detach()
        tensor([0., 0.])
        """
        from .model import model_of
        from .resolve import resolved

        held = model_of(model)
        ledger = resolved(self, held.parameters(), symbols, strict=strict)
        options = {} if device is None else {"device": device}
        return held.fill(ledger, seed, **options)

    def init(self, tree: Any, key: Any, /, *, strict: bool = False, **symbols: float) -> Any:
        """A tree of new JAX arrays, of the shapes and dtypes of the given one.

        ``tree`` is what ``jax.eval_shape`` gives, or a tree of arrays: linen's ``params``, the
        state of an nnx module, Haiku's or Equinox' parameters. ``key`` is a key of JAX, which may
        be traced, or a seed. A ``ShapeDtypeStruct`` with a sharding gives an array that is made
        shard by shard. What holds no floating point number stays as it is.

        Raises what :meth:`on` raises.
        """
        from .tree import drawn_tree

        return drawn_tree(self, tree, key, symbols, strict=strict)


def _check_name(plan: Plan, word: str, captures: set[str]) -> None:
    from ..spec.expression import RESERVED

    where = f"plan {plan.name!r}"
    if not _NAME.fullmatch(word):
        raise SpecError(f"{where}: {word!r} is no name: letters, digits and '_'.")
    if word in RESERVED or word in OWN or word == "count" or _AXES.fullmatch(word):
        raise SpecError(
            f"{where}: the name {word!r} is taken: it is a function, a constant or a size of the "
            "parameter itself."
        )
    if word in captures:
        raise SpecError(f"{where}: {word!r} is a capture of a rule, and a symbol or let as well.")
    if word in plan.symbols and word in plan.let:
        raise SpecError(f"{where}: {word!r} stands in both [symbols] and [let].")


def _expression(plan: Plan, where: str, value: Any) -> Expression | float:
    if isinstance(value, str):
        try:
            return Expression.parse(value)
        except SpecError as error:
            raise SpecError(f"plan {plan.name!r}, {where}: {error}") from None
    return number(f"plan {plan.name!r}, {where}", value)


def is_axis(word: str) -> bool:
    """Whether a name is the size of an axis, ``n0``, or its index, ``i0``."""
    return _AXES.fullmatch(word) is not None


def first(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
