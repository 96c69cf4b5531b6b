"""``initspec plan``: what every parameter of a model gets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SpecError
from .command import Answer, Command
from .progress import Bar

if TYPE_CHECKING:
    from ..plans.ledger import Ledger
    from ..plans.plan import Plan

_PLAN = "a recipe (gpt2), or a file: my_plan.toml"
_MODEL = (
    "what makes a model, module:callable or module:callable(arguments); a safetensors file, its "
    "index, or a JSON file of shapes, of which no value is read"
)


def options(parser: argparse.ArgumentParser) -> None:
    """What to do, with its arguments."""
    parts = parser.add_subparsers(required=True, metavar="ACTION")
    _part(parts, "list", _list, "List the recipes.")
    show = _part(parts, "show", _show, "Print a plan as it is written.")
    show.add_argument("plan", help=_PLAN)
    lint = _part(parts, "lint", _lint, "Read a plan, and say what is wrong with it.")
    lint.add_argument("plan", help=_PLAN)
    explain = _part(parts, "explain", _explain, "Say what each parameter of a model gets, and why.")
    _model(explain)
    explain.add_argument("parameter", nargs="?", help="one parameter, with everything about it")
    explain.add_argument("--strict", action="store_true", help="refuse what two rules select")
    diff = _part(parts, "diff", _diff, "Say where two plans differ on a model.")
    diff.add_argument("plan", help=_PLAN)
    diff.add_argument("other", help="another plan")
    diff.add_argument("model", help=_MODEL)
    _symbols(diff)
    write = _part(parts, "write", _write, "Draw a model's weights straight into safetensors files.")
    _model(write)
    write.add_argument("folder", help="where the files go")
    write.add_argument("--seed", type=int, required=True, help="an integer of 64 bits")
    write.add_argument("--dtype", help="float32, bfloat16, float16 or float64; each tensor's own")
    write.add_argument("--shard", default="5GB", help="the most bytes of a file: 5GB, 500MB")
    text = "the numbers of the files to write, from 1, where several machines share the work"
    write.add_argument("--only", type=int, nargs="+", metavar="N", help=text)


def _part(
    parts: Any, name: str, answer: Callable[[argparse.Namespace], Answer], purpose: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = parts.add_parser(name, help=purpose, description=purpose)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(action=answer)
    return parser


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", help=_PLAN)
    parser.add_argument("model", help=_MODEL)
    _symbols(parser)


def _symbols(parser: argparse.ArgumentParser) -> None:
    text = "numbers for the symbols of the plan: n_layer=12"
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=N", help=text)


def answer(args: argparse.Namespace) -> Answer:
    """What the action answers."""
    given: Answer = args.action(args)
    return given


def _list(args: argparse.Namespace) -> Answer:
    from ..plans.recipes import names, plan

    plans = {name: plan(name).title for name in names()}
    width = max(map(len, plans), default=0)
    return Answer(plans, [f"{name:{width}}  {title}" for name, title in plans.items()])


def _show(args: argparse.Namespace) -> Answer:
    from ..plans.recipes import plan
    from ..plans.writing import dumps, to_dict

    found = plan(args.plan)
    return Answer(to_dict(found), dumps(found).rstrip("\n").split("\n"))


def _lint(args: argparse.Namespace) -> Answer:
    from ..plans.recipes import plan

    found = plan(args.plan).whole
    return Answer(
        {"plan": found.name, "rules": len(found.rules)},
        [f"{found.name}: {len(found.rules)} rules; `initspec plan explain` tries them on a model."],
    )


def _explain(args: argparse.Namespace) -> Answer:
    from ..plans.recipes import plan

    ledger = _ledger(plan(args.plan), args, strict=args.strict)
    if args.parameter is None:
        return Answer(ledger.to_dict(), str(ledger).split("\n"))
    row = ledger[args.parameter]
    return Answer(row.to_dict(), row.lines())


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return dict(numbers(args.set))


def _ledger(plan: Plan, args: argparse.Namespace, *, strict: bool = False) -> Ledger:
    return plan.on(model(args.model), strict=strict, **_given(args))


def _diff(args: argparse.Namespace) -> Answer:
    from ..plans.compare import compared
    from ..plans.recipes import plan

    whole = model(args.model)
    given = _given(args)
    plans = plan(args.plan), plan(args.other)
    first, second = (
        one.on(whole, **{k: v for k, v in given.items() if k in one.whole.symbols}) for one in plans
    )
    difference = compared(first, second)
    return Answer(difference.to_dict(), str(difference).split("\n"))


def _write(args: argparse.Namespace) -> Answer:
    from ..plans.recipes import plan

    bar = Bar() if sys.stderr.isatty() else None
    ledger = plan(args.plan).write(
        args.folder,
        model(args.model),
        seed=args.seed,
        dtype=args.dtype,
        shard=args.shard,
        only=args.only,
        progress=bar,
        **_given(args),
    )
    if bar is not None:
        bar.clear()
    left = [row.name for row in ledger if row.law is None]
    lines = [f"{Path(args.folder)}: {ledger.plan}, seed {args.seed}, {ledger.size:,} values"]
    if left:
        lines.append(f"Left out, as others fill them: {', '.join(left[:5])}; {len(left)} in all.")
    return Answer(ledger.to_dict(), lines)


def numbers(pairs: list[str]) -> dict[str, float]:
    """``n_layer=12`` as a name and its number.

    >>> numbers(["n_layer=12"])
    {'n_layer': 12.0}
    """
    known = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            known[name] = float(value)
        except ValueError:
            raise SpecError(f"a symbol is given as n_layer=12, not {pair!r}.") from None
    return known


def model(text: str) -> Any:
    """The model that a text names: a file, or what a callable returns.

    Raises :class:`SpecError` where it cannot be made, with what Python said.
    """
    from ..conformance.targets.text import Reference

    if text.endswith((".safetensors", ".json")):
        return Path(text)
    reference = Reference.parse(text)
    found = reference.find()
    if not callable(found) or _is_model(found):
        return found
    try:
        return found(*reference.args, **dict(reference.options))
    except Exception as error:
        raise SpecError(f"{text} makes no model: {type(error).__name__}: {error}") from error


def _is_model(found: Any) -> bool:
    return hasattr(found, "named_parameters") and not isinstance(found, type)


COMMAND = Command(
    "plan", "Say, for a whole model, what every parameter gets.", options, answer, own_json=True
)
