"""Judging a cell: which tests fit its law, and the verdict."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendMissing, InitSpecError
from ..spec.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ..spec.marginals import HaarEntry
from ..spec.tensor_laws import DeltaOrthogonal, Orthogonal, Sparse
from .batteries import complexes, exact, independence, marginal
from .cell import blank
from .design import MARGINS, Budget, cell_seed
from .drawing import FIXED, canonical, checked, draw_all, exactly
from .finding import Finding
from .probability import bounds, complex_law, transform
from .probability.complex_law import PARTS, Modulus
from .probability.own_law import Broken, Own, Sampled
from .report.explain import explain
from .report.histogram import picture
from .report.record import ERROR, FAIL, INCONCLUSIVE, PASS, SKIP, Decision, Record
from .targets.calls import wide
from .targets.target import Unjudged

if TYPE_CHECKING:
    from .cell import Cell

Array = NDArray[Any]

#: Laws whose scale a test without chance shows.
_EXACT = (*FIXED, Orthogonal, DeltaOrthogonal)


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
        sentence = f"the target raised {type(error).__name__}: {error}"
        record = replace(empty, verdict=ERROR, sentence=sentence)
    return replace(record, seconds=time.perf_counter() - started)


def _judged(cell: Cell, budget: Budget, empty: Record) -> Record:
    law = cell.law
    if 0 in cell.shape:
        checked(
            cell.target.draw(cell.shape, dtype=cell.dtype, seed=empty.seed), cell.shape, cell.dtype
        )
        raise Unjudged(SKIP, "an empty tensor of the right shape and type has no values to judge")
    values = draw_all(cell, empty.seed)
    with wide(cell.dtype):
        battery = exact.battery(cell) if cell.tier == "exact" else statistics(cell, law, values)
        findings = list(battery)
    decisions = tuple(decide(finding, law, values.size, budget) for finding in findings)
    n = values.size
    verdict, sentence = PASS, ""
    failed = [item for item in decisions if item.verdict == FAIL]
    if any(item.verdict == ERROR for item in decisions):
        verdict, sentence = ERROR, "a statistic is not a number"
    elif failed:
        verdict = FAIL
        sentence = "refused by " + ", ".join(
            f"{item.test} (p <= {item.p:.1e}{'; ' + item.note if item.note else ''})"
            for item in failed
        )
    elif type(law) is Sampled and cell.tier != "exact":
        verdict = INCONCLUSIVE
        sentence = (
            f"{law.custom!r} defines neither cdf(self, x) nor ppf(self, p), so that only what it "
            "says of its support and its moments was held: add one of the two to have the law "
            "judged"
        )
    elif law.std != 0 and not isinstance(law, _EXACT):  # a law without moments has none
        least = _scale(n, law, budget)[0]
        if least > MARGINS[cell.tier]:
            verdict = INCONCLUSIVE
            sentence = (
                f"{n} values show no error of the scale below {least:.1%}, and the margin is "
                f"{MARGINS[cell.tier]:.1%}: draw more"
            )
    if any(item.test == "law" for item in failed):  # then nothing can be measured in its units
        return replace(empty, verdict=verdict, sentence=failed[0].note, n=n, decisions=decisions)
    scale, reasons = None, ""
    if isinstance(law, Modulus):
        squares = law.squares(values, cell.dtype)
        scale = complexes.measured(squares, law, budget.decision)
        reasons = complexes.explain(squares, law, failed, scale) if failed else ""
    else:
        if cell.dtype not in PARTS:
            scale = measured_scale(values, law, budget.decision)
        if failed:
            reasons = explain(cell.scheme, cell.shape, cell.layout, values, failed, scale)
    shown = cell.tier != "exact" and math.isfinite(law.std) and cell.dtype not in PARTS
    return replace(
        empty,
        verdict=verdict,
        sentence=sentence,
        n=n,
        scale=scale,
        decisions=decisions,
        explanation=reasons,
        picture=picture(values, law, cell.dtype) if shown else None,
    )


def statistics(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """The tests that fit the law."""
    if isinstance(law, FIXED):
        yield exactly(law, cell, values)
    elif isinstance(law, Orthogonal):
        from .batteries.orthogonal import battery

        yield from battery(canonical(values, cell), law, cell.dtype)
    elif isinstance(law, DeltaOrthogonal):
        from .batteries.orthogonal import delta_battery

        yield from delta_battery(canonical(values, cell), law, cell.dtype)
    elif isinstance(law, Sparse):
        from .batteries.sparse import sparse_battery

        yield from sparse_battery(canonical(values, cell), law, cell)
    elif isinstance(law, (Normal, TruncatedNormal, Uniform, HaarEntry)):
        yield from element_battery(cell, law, values)
    elif isinstance(law, Modulus):
        yield from complex_battery(cell, law, values)
    elif isinstance(law, Own):
        try:
            yield marginal.own_law(law)
            if not law.problem:
                yield from element_battery(cell, law, values)
        except Broken as error:  # where the values lie, and not where it was looked at
            yield Finding("law", 1.0, 0.0, str(error))
    elif isinstance(law, Sampled):
        yield from marginal.said(values.reshape(-1), law, cell.dtype)
    else:
        raise Unjudged(ERROR, f"the suite has no tests for {law.kind}")


def element_battery(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """Marginal law and independence of elements that are drawn one by one."""
    if law.std == 0:
        yield exactly(Constant(law.mean), cell, values)
        return
    flat = values.reshape(-1)
    jitter = np.random.default_rng(cell_seed(cell.name, cell.run) + 1)
    u = transform.transform(flat, law, cell.dtype, jitter, cell.target.resolution)
    yield from marginal.battery(flat, u, law, cell.dtype, cell.target.resolution)
    columns = cell.shape[-1] if cell.shape else 1
    matrices = (values.shape[0], -1, columns)
    if flat.size:
        w = independence.scores(u.u).reshape(matrices)
        del u
        chance = 0.0
        if isinstance(law, Own):  # which may have atoms
            chance = marginal.most_likely(law, cell.dtype, cell.target.resolution)
        yield from independence.battery(w, values.reshape(matrices), chance)


def complex_battery(cell: Cell, law: Modulus, values: Array) -> Iterator[Finding]:
    """The squared modulus as any other number, and the angle."""
    squares = law.squares(values, cell.dtype)
    for finding in element_battery(cell, law, squares):
        yield finding._replace(test=f"modulus.{finding.test}")
    matrices = (values.shape[0], -1, cell.shape[-1] if cell.shape else 1)
    centred = (values - law.centre).reshape(matrices)
    yield from complexes.angles(centred, law.both(squares.reshape(-1))[0])


def decide(finding: Finding, law: Distribution, n: int, budget: Budget) -> Decision:
    """A finding against its share of the budget; what is not a number is an error."""
    if not (math.isfinite(finding.p) and math.isfinite(finding.statistic)):
        verdict = ERROR
    else:
        verdict = FAIL if finding.p < budget.decision else PASS
    kind = finding.test.rpartition(".")[2]  # of modulus.ks
    detectable, unit = _DETECTABLE.get(kind, _nothing)(n, law, budget)
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
    )


def _nothing(n: int, law: Distribution, budget: Budget) -> tuple[float | None, str]:
    return None, ""


def _scale(n: int, law: Distribution, budget: Budget) -> tuple[float, str]:
    if isinstance(law, Sparse):  # how many zeros there are is no chance
        n, law = max(round(n * (1 - law.share)), 1), Normal(0.0, law.sigma)
    if isinstance(law, Own):
        spread = bounds.z(budget.decision / 2) + bounds.z(budget.beta)
        unit = "standard deviation" if isinstance(law, Modulus) else "values"
        return 1.06 * spread / math.sqrt(n) / law.sensitivity, f"relative error of the {unit}"
    kurtosis = law.kurtosis if math.isfinite(law.kurtosis) else 0.0
    found = bounds.detectable_scale(n, kurtosis, budget.decision, budget.beta)
    return found, "relative error of the standard deviation"


def _distance(n: int, law: Distribution, budget: Budget) -> tuple[float | None, str]:
    return bounds.detectable_distance(n, budget.decision, budget.beta), "distance of the cdf"


def _shift(n: int, law: Distribution, budget: Budget) -> tuple[float | None, str]:
    found = bounds.detectable_shift(n, budget.decision, budget.beta)
    return found, "standard deviations of the mean"


_DETECTABLE: dict[str, Callable[[int, Distribution, Budget], tuple[float | None, str]]] = {
    "ks": _distance,
    "variance": _scale,
    "m1": _shift,
}


def measured_scale(
    values: Array, law: Distribution, alpha: float
) -> tuple[float, float, float] | None:
    """The standard deviation about the law's mean, in units of the law's, with its interval."""
    if not 0 < law.std < math.inf or values.size == 0:
        return None
    if isinstance(law, Sampled) and not math.isfinite(law.kurtosis):  # no interval is known
        return None
    # A wrong factor moves the mean of a law of one's own as well, which is another finding.
    mean = float(values.mean()) if isinstance(law, Sampled) else law.mean
    square = float(((values - mean) ** 2).mean()) / law.variance
    kurtosis = law.kurtosis if math.isfinite(law.kurtosis) else 0.0
    half = bounds.z(alpha / 2) * math.sqrt(max(kurtosis + 2, 1e-3) / values.size) / 2
    scale = math.sqrt(square)
    return scale, scale * (1 - half), scale * (1 + half)
