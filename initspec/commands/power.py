"""``initspec power``: how many values a fault needs to be seen."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import SpecError, UnknownName
from .arguments import checked_chance
from .command import Answer, Command


def options(parser: argparse.ArgumentParser) -> None:
    """A fault or a number of values, the law, and the error rates."""
    text = "the size of the fault (default: 1%%)"
    parser.add_argument("--error", default="1%", help=text)
    parser.add_argument("--n", type=int, help="say what so many values show")
    text = "normal, uniform or truncated_normal"
    parser.add_argument("--law", default="normal", help=text)
    text = "a run's chance of a false alarm"
    parser.add_argument("--alpha", type=float, default=1e-9, help=text)
    text = "the chance to miss the fault"
    parser.add_argument("--beta", type=float, default=1e-6, help=text)
    text = "the cells of the run (default: 1)"
    parser.add_argument("--cells", type=int, default=1, help=text)


def answer(args: argparse.Namespace) -> Answer:
    """What a fault needs, or with ``--n`` what so many values show."""
    from ..conformance import require

    require()
    from ..conformance.design import DRAWS, Budget
    from ..conformance.probability import power

    if args.law not in power.LAWS:
        raise UnknownName("law", args.law, power.LAWS)
    for option, count in (("--n", args.n), ("--cells", args.cells)):
        if count is not None and count < 1:
            raise SpecError(f"{option} counts from one, not {count}.")
    budget = Budget(
        alpha=checked_chance("--alpha", args.alpha),
        beta=checked_chance("--beta", args.beta),
        cells=args.cells,
    )
    law, alpha, beta = power.LAWS[args.law], budget.decision, budget.beta
    data: dict[str, Any] = {
        "law": args.law,
        "alpha": budget.alpha,
        "cells": budget.cells,
        "decision": alpha,
        "beta": beta,
    }
    lines = [
        f"{args.law} law; {alpha:.1e} for each decision (a run of {budget.cells} at "
        f"{budget.alpha:g}); a fault of the size given is missed at most once in {1 / beta:.0e}.",
        "",
    ]
    if args.n is not None:
        shown = {kind: power.detectable(kind, args.n, law, alpha, beta) for kind in power.KINDS}
        bits = power.betrayed_bits(args.n, law, alpha, beta)
        data |= {"n": args.n, "detectable": shown | {"bits": bits}}
        lines.append(f"{args.n:,} values show")
        lines += [f"  {kind:11} {shown[kind]:9.3%} {unit}" for kind, unit in power.KINDS.items()]
        lines.append(f"  {'resolution':11} {bits:6} bits or fewer, by repeated values")
        return Answer(data, lines)
    error = _share(args.error)
    needs = {kind: power.needed(kind, error, law, alpha, beta) for kind in power.KINDS}
    bits_need = {bits: power.needed_for_bits(bits, law, alpha, beta) for bits in (8, 12, 16, 20)}
    data |= {"error": error, "needed": needs | {"bits": bits_need}}
    rows: list[tuple[str, str, int | None]] = [
        (kind, f"{error:g} {unit}", needs[kind]) for kind, unit in power.KINDS.items()
    ]
    rows += [("resolution", f"{bits} bits", n) for bits, n in bits_need.items()]
    width = max(len(text) for _, text, _ in rows)
    for kind, text, n in rows:
        tier = next((name for name, draws in DRAWS.items() if n is not None and n <= draws), "")
        reach = f"--tier {tier}" if tier else "more than any tier draws"
        lines.append(f"{kind:11} {text:{width}}  n = {n or 0:>13,}  {reach}")
    return Answer(data, lines)


def _share(text: str) -> float:
    """The size of a fault, from ``1%`` or ``0.01``."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise SpecError(f"--error is a share, such as 1% or 0.01, not {text!r}.")
    return value


COMMAND = Command("power", "Say how many values a fault needs to be seen.", options, answer)
