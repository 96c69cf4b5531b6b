"""Run the originals and hold them against the recipes: ``python tests/recipes/prove.py [NAME ...]``.

``tests/scripts/recipes.py`` runs it in an environment that has the originals. With ``--check``
nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent.parent))

import initspec
from initspec.plans.model import model_of
from recipes.evidence import digest, write_evidence, write_shapes
from recipes.holding import Verdict, drawn, hold, joined
from recipes.original import REPOSITORIES, Original


def originals() -> list[Original]:
    """Those of every file ``originals_*.py``."""
    modules = [
        import_module(f"recipes.{path.stem}") for path in sorted(HERE.glob("originals_*.py"))
    ]
    return [one for module in modules for one in module.ORIGINALS]


def prove(one: Original, number: int = 0) -> tuple[dict[str, Any], Verdict | None]:
    """What is seen of a recipe; its shapes are kept by the caller."""
    plan = initspec.plan(one.recipe)
    found: dict[str, Any] = {"digest": digest(plan)}
    if not one.is_run:
        ledger = plan.on(one.build(), **one.symbols)
        return found | {"how": "read", "tensors": len(ledger)}, None
    verdict = hold(plan, drawn(one.build()), one.symbols, pooled=not one.repeats)
    verdicts = [verdict]
    for build in one.others.values():
        seed(number)
        verdicts.append(hold(plan, drawn(build()), one.symbols, pooled=not one.repeats))
    verdict = joined(verdicts)
    found |= {
        "how": "run",
        "package": one.package,
        "version": REPOSITORIES.get(one.package) or version(one.package),
        "config": dict(one.config),
        "tensors": len(verdict.ledger),
        "values": verdict.ledger.size,
        "tests": len(verdict.results),
        "smallest_p": float(f"{verdict.smallest:.1e}"),
        "limit": float(f"{verdict.limit:.1e}"),
        "date": datetime.now(UTC).date().isoformat(),
    }
    if one.part:
        found["part"] = one.part
    if one.others:
        found["others"] = list(one.others)
    if one.repeats:
        found["repeats"] = True
    return found, verdict


def seed(number: int = 0) -> None:
    """One seed for every original, so that a proof says the same again."""
    import random

    import numpy as np
    import torch

    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="recipes, with * for any text")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--seed", type=int, help="another than 0; writes nothing")
    arguments = parser.parse_args()
    bad = 0
    for one in originals():
        if arguments.names and not any(fnmatchcase(one.recipe, n) for n in arguments.names):
            continue
        try:
            seed(arguments.seed or 0)
            found, verdict = prove(one, arguments.seed or 0)
        except Exception as error:  # the next recipe is proven all the same
            print(f"ERROR {one.recipe}: {type(error).__name__}: {error}")
            bad += 1
            continue
        refused = verdict.refused if verdict else []
        blunt = verdict.blunt if verdict else ()
        word = "FAIL" if refused or blunt else "read" if verdict is None else "pass"
        print(f"{word:5} {one.recipe}: {found['tensors']} tensors, p {found.get('smallest_p', 1)}")
        for result in refused[:12]:
            print(f"      {result.of}: {result.test}, p <= {result.p:.1e}")
        for rule in blunt:
            print(f"      {rule}: a wrong scale would not be seen")
        bad += word == "FAIL"
        if word != "FAIL" and not arguments.check and arguments.seed is None:
            seed()
            write_shapes(one.recipe, model_of(one.build()).parameters(), dict(one.symbols))
            write_evidence(one.recipe, found)
    print(f"{bad} refused")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
