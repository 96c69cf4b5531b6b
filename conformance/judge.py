"""Judging a cell: drawing it, deciding each test, and the verdict."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from ..backends.chance import silence
from ..errors import BackendMissing, InitSpecError
from ..spec.distribution import Distribution
from ..spec.tensor_laws import Sparse
from . import drawing
from .batteries import by_law, complexes, exact
from .batteries.fixed import is_fixed
from .cell import Cell, blank
from .design import MARGINS, Budget
from .detectable import least, least_scale, measured_scale
from .finding import Finding
from .probability import complex_law
from .probability.complex_law import PARTS, Modulus
from .probability.own_law import Sampled
from .report import complex_words
from .report.explain import explain
from .report.histogram import picture
from .report.record import ERROR, FAIL, INCONCLUSIVE, PASS, SKIP, Decision, Record
from .targets.host import wide
from .targets.raised import raised
from .targets.target import Unjudged

Array = NDArray[Any]
#: A measured scale in units of the law's, and its interval.
Scale = tuple[float, float, float]

_SMALLER = "ask for a smaller shape"

#: Laws whose scale a test without chance shows.
_EXACT = (*drawing.FIXED, *drawing.WHOLE)


@silence()  # a seed is drawn in many shapes here, on purpose
def judge(cell: Cell, budget: Budget) -> Record:
    """Draw and decide. What goes wrong is a verdict with a sentence, never an exception."""
    started = time.perf_counter()
    empty = blank(cell)
    try:
        record = _judged(cell, budget, empty)
    except Unjudged as problem:
        record = replace(empty, verdict=problem.verdict, sentence=str(problem))
    except InitSpecError as error:
        verdict = SKIP if isinstance(error, (BackendMissing, complex_law.Unknown)) else ERROR
        record = replace(empty, verdict=verdict, sentence=str(error))
    except Exception as error:  # of the target's own
        sentence = f"the target raised {raised(error)}"
        record = replace(empty, verdict=ERROR, sentence=sentence)
    return replace(record, seconds=time.perf_counter() - started)


def _rounding(cell: Cell) -> str:
    """That the suite has rounded the last draw to a type that was asked for, where it has."""
    given = cell.target.rounded_from
    if not given or cell.dtype == "float32":
        return ""
    return f"the target gives {given} and is told no dtype: its values were rounded to {cell.dtype}"


def _judged(cell: Cell, budget: Budget, empty: Record) -> Record:
    """The record of a cell that can be drawn."""
    if 0 in cell.shape:
        drawing.draw_one(cell, cell.shape, cell.dtype, empty.seed)
        raise Unjudged(SKIP, "an empty tensor of the right shape and type has no values to judge")
    law = cell.law
    values = drawing.draw_all(cell, empty.seed)
    rounding = _rounding(cell)
    with wide(cell.dtype):
        findings = list(_findings(cell, law, values))
    decisions = tuple(decide(finding, law, values.size, budget) for finding in findings)
    verdict, why = _verdict(cell, law, decisions, values, budget)
    sentence = "; ".join(filter(None, (why, rounding)))
    record = replace(empty, verdict=verdict, sentence=sentence, n=values.size, decisions=decisions)
    broken = [item for item in decisions if item.test == "law" and item.verdict == FAIL]
    if broken:  # then nothing can be measured in the law's units
        return replace(record, sentence=_failed(decisions)[0].note)
    return _measured(record, cell, law, values, budget)


def _findings(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """Every test of a cell: what needs no chance first."""
    if cell.tier == "exact":
        yield from exact.battery(cell)
        return
    if cell.has_contract:
        yield from exact.contract(cell, law, values[0])
    yield from by_law.battery(cell, law, values)


def decide(finding: Finding, law: Distribution, n: int, budget: Budget) -> Decision:
    """A finding against its share of the budget; what is not a number is an error."""
    if not (math.isfinite(finding.p) and math.isfinite(finding.statistic)):
        verdict = ERROR
    else:
        verdict = FAIL if finding.p < budget.decision else PASS
    detectable, unit = least(finding.test, n, law, budget)
    return Decision(
        test=finding.test,
        verdict=verdict,
        p=finding.p,
        alpha=budget.decision,
        statistic=finding.statistic,
        n=n,
        detectable=detectable,
        unit=unit,
        note=finding.note,
        applies=finding.applies,
    )


def _failed(decisions: Iterable[Decision]) -> list[Decision]:
    return [item for item in decisions if item.verdict == FAIL]


def _verdict(
    cell: Cell, law: Distribution, decisions: tuple[Decision, ...], values: Array, budget: Budget
) -> tuple[str, str]:
    """The verdict of all decisions, with the sentence that says why it is no PASS."""
    n = values.size
    failed = _failed(decisions)
    if any(item.verdict == ERROR for item in decisions):
        return ERROR, "a statistic is not a number"
    if failed:
        return FAIL, "refused by " + ", ".join(map(_refusal, failed))
    if type(law) is Sampled and cell.tier != "exact":
        return INCONCLUSIVE, (
            f"{law.custom!r} defines neither cdf(self, x) nor ppf(self, p), so that only what it "
            "says of its support and its moments was held: add one of the two to have the law "
            "judged"
        )
    if short := _too_few_matrices(cell, law, len(values), budget):
        return INCONCLUSIVE, short
    if law.std != 0 and not isinstance(law, _EXACT):  # a law without moments has none
        size, margin = least_scale(n, law, budget)[0], MARGINS[cell.tier]
        if size > margin:
            enough = math.ceil(n * (size / margin) ** 2)
            source = "the function that draws" if cell.target.ignores_seed else "a larger shape"
            return INCONCLUSIVE, (
                f"{n} values show no error of the scale below {size:.1%}, and the margin is "
                f"{margin:.1%}: draw more, {enough} would do, from {source}"
            )
    if cell.target.ignores_seed and not is_fixed(law):
        return PASS, "it is one tensor: what makes it may give the same one for every seed"
    return PASS, ""


def _too_few_matrices(cell: Cell, law: Distribution, tensors: int, budget: Budget) -> str:
    """Why so many tensors of a law of whole matrices are no proof; nothing where they are.

    A coin that falls on one side each time, as the sign of the determinant may, has to be refused.
    """
    if not isinstance(law, (*drawing.WHOLE, Sparse)) or law.std == 0:
        return ""
    if cell.tier == "exact" and not cell.target.ignores_seed:
        return ""
    each = law.count
    if isinstance(law, Sparse):  # the zeros of each line are drawn by themselves
        each *= law.columns if law.zeros_per == "out" else law.rows
    needed = -(-math.ceil(1 - math.log2(budget.decision)) // max(each, 1))
    if tensors >= needed:
        return ""
    draws = "one draw" if tensors == 1 else f"{tensors} draws"
    return (
        f"{draws} of a law of whole matrices is no proof of it, though nothing speaks against it: "
        f"{needed} draws with seeds of their own would do: "
        f"{'hand over the function that draws' if cell.target.ignores_seed else _SMALLER}"
    )


def _refusal(decision: Decision) -> str:
    note = f"; {decision.note}" if decision.note else ""
    return f"{decision.test} (p <= {decision.p:.1e}{note})"


def _measured(
    record: Record, cell: Cell, law: Distribution, values: Array, budget: Budget
) -> Record:
    """The record with the scale, the reasons of a FAIL, and the picture of the values."""
    scale, reasons = _scale(cell, law, values, _failed(record.decisions), budget)
    shown = cell.tier != "exact" and math.isfinite(law.std) and cell.dtype not in PARTS
    return replace(
        record,
        scale=scale,
        explanation=reasons,
        picture=picture(values, law, cell.dtype) if shown else None,
    )


def _scale(
    cell: Cell, law: Distribution, values: Array, failed: list[Decision], budget: Budget
) -> tuple[Scale | None, str]:
    """The measured scale, and what most likely made the values that the tests refuse."""
    if isinstance(law, Modulus):
        squares = law.squares(values, cell.dtype)
        size = complexes.measured(squares, law, budget.decision)
        return size, complex_words.explain(values, squares, law, failed, size) if failed else ""
    scale = None if cell.dtype in PARTS else measured_scale(values, law, budget.decision)
    if not failed:
        return scale, ""
    return scale, explain(cell.scheme, cell.shape, cell.layout, values, failed, cell.dtype)
