"""One cell: a target on one scheme, shape, layout and type, drawn and judged."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..distribution import Constant, Distribution, HaarEntry, Normal, TruncatedNormal, Uniform
from ..errors import BackendMissing, InitSpecError
from ..index import digits
from ..layout import Layout, Shape
from ..scheme import Scheme
from ..structure import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil
from . import bounds, complexes, exact, independence, marginal, pit
from .complexes import PARTS, Modulus
from .design import DRAWS, MARGINS, Budget, cell_seed, replicates
from .explain import explain
from .marginal import Finding
from .own import Broken, Own, Sampled, seen
from .picture import picture
from .record import ERROR, FAIL, INCONCLUSIVE, PASS, SKIP, Decision, Record
from .target_calls import wide

Array = NDArray[Any]


class Target(Protocol):
    """Anything that makes weights."""

    @property
    def name(self) -> str:
        """How it was given."""
        ...

    @property
    def resolution(self) -> int:
        """Bits that its sampler resolves in float32; a coarser one is refused."""
        ...

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """A tensor of the shape, as a NumPy array in the type's values."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What is judged: a target and what it claims to be."""

    target: Target
    scheme: Scheme
    shape: Shape
    layout: Layout
    dtype: str = "float32"
    tier: str = "stat"
    stream: str = ""
    run: int = 0

    @property
    def name(self) -> str:
        """The identity of the cell, from which its seed is made."""
        size = "x".join(map(str, self.shape)) or "scalar"
        stream = f"-{self.stream}" if self.stream else ""
        claim = self.scheme.name or self.scheme.formula
        return (
            f"{self.target.name}{stream} as {claim} {size} {self.layout} {self.dtype} {self.tier}"
        )

    @property
    def law(self) -> Distribution:
        """The law that the values are held against; in a complex type, their squared moduli."""
        law = seen(self.scheme.on(self.shape, self.layout))
        return complexes.modulus(self.scheme, law) if self.dtype in PARTS else law


#: Laws without chance.
_FIXED = (Constant, Stencil, Given)
#: Laws whose scale a test without chance shows.
_EXACT = (*_FIXED, Orthogonal, DeltaOrthogonal)


def judge(cell: Cell, budget: Budget) -> Record:
    """Draw and decide. What goes wrong is a verdict with a sentence, never an exception."""
    started = time.perf_counter()
    empty = blank(cell)
    try:
        record = _judged(cell, budget, empty)
    except Unjudged as problem:
        record = replace(empty, verdict=problem.verdict, sentence=str(problem))
    except InitSpecError as error:
        verdict = SKIP if isinstance(error, (BackendMissing, complexes.Unknown)) else ERROR
        record = replace(empty, verdict=verdict, sentence=str(error))
    except Exception as error:  # of the target's own
        sentence = f"the target raised {type(error).__name__}: {error}"
        record = replace(empty, verdict=ERROR, sentence=sentence)
    return replace(record, seconds=time.perf_counter() - started)


def blank(cell: Cell) -> Record:
    """The record of a cell that is not judged yet."""
    return Record(
        cell=cell.name,
        target=cell.target.name,
        scheme=cell.scheme.name or cell.scheme.formula,
        shape=cell.shape,
        layout=str(cell.layout),
        dtype=cell.dtype,
        tier=cell.tier,
        seed=cell_seed(cell.name, cell.run),
    )


class Unjudged(Exception):  # noqa: N818 - a verdict, not a fault
    """A verdict that is reached before any statistics."""

    def __init__(self, verdict: str, sentence: str) -> None:
        self.verdict = verdict
        super().__init__(sentence)


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


def draw_all(cell: Cell, seed: int) -> Array:
    """Replicates of the tensor, each with a seed of its own; checked for what they are."""
    target = cell.target
    once = getattr(target, "once", False)  # an array is one tensor
    law = cell.law
    share = 1 - law.share if isinstance(law, Sparse) and cell.tier != "exact" else 1.0
    wanted = DRAWS[cell.tier] if share in (0.0, 1.0) else math.ceil(DRAWS[cell.tier] / share)
    if isinstance(law, Own) and not law.problem and cell.tier != "exact":
        wanted = math.ceil(DRAWS[cell.tier] * law.effort)
    if isinstance(law, _FIXED):  # a few seeds show that none matters
        wanted = min(wanted, 8 * max(math.prod(cell.shape), 1))
    count = 1 if once else replicates(cell.shape, wanted)
    seeds = [(seed + replicate) % 2**31 for replicate in range(count)]
    many = getattr(target, "draw_many", None)
    drawn: Iterable[Any] = (
        many(cell.shape, dtype=cell.dtype, seeds=seeds)
        if many
        else (target.draw(cell.shape, dtype=cell.dtype, seed=one) for one in seeds)
    )
    found = np.empty((count, *cell.shape), np.complex128 if cell.dtype in PARTS else np.float64)
    for replicate, tensor in enumerate(drawn):
        found[replicate] = checked(tensor, cell.shape, cell.dtype)
    return found


def checked(drawn: Any, shape: Shape, dtype: str) -> Array:
    """The tensor as float64 or complex128; a wrong shape or type, NaN or infinity is an error."""
    array = np.asarray(drawn)
    if array.shape != shape:
        raise Unjudged(ERROR, f"asked for the shape {shape}, the target answered {array.shape}")
    held = array.dtype.name
    if held != dtype:
        raise Unjudged(ERROR, f"asked for {dtype}, the target answered {held}")
    values = array.astype(np.complex128 if dtype in PARTS else np.float64)
    wrong = int(np.count_nonzero(~np.isfinite(values)))
    if wrong:
        raise Unjudged(ERROR, f"{wrong} of {values.size} values are NaN or infinite")
    return values


def statistics(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """The tests that fit the law."""
    if isinstance(law, _FIXED):
        yield exactly(law, cell, values)
    elif isinstance(law, Orthogonal):
        from .orthogonal import battery

        yield from battery(canonical(values, cell), law, cell.dtype)
    elif isinstance(law, DeltaOrthogonal):
        from .orthogonal import delta_battery

        yield from delta_battery(canonical(values, cell), law, cell.dtype)
    elif isinstance(law, Sparse):
        from .orthogonal import sparse_battery

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
    u = pit.transform(flat, law, cell.dtype, jitter, cell.target.resolution)
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


def exactly(law: Distribution, cell: Cell, values: Array) -> Finding:
    """Fixed numbers are fixed: every value is the one that the law puts in its place."""
    from ..backends import _host

    dtype = PARTS.get(cell.dtype, cell.dtype)
    wanted = _host.array(law, cell.shape, key=(0, 0), layout=cell.layout, dtype=dtype)
    wrong = int(np.count_nonzero(values != _host.widened(wanted)))
    return Finding("exact", wrong, 0.0 if wrong else 1.0, f"{wrong} values differ" if wrong else "")


def canonical(values: Array, cell: Cell) -> Array:
    """Replicates in canonical order, flat: the order in which rows and columns are defined."""
    count = values.shape[0]
    index = np.zeros(cell.shape, np.int64)
    for axis, parts in enumerate(digits(cell.shape, cell.layout)):
        along = np.zeros(cell.shape[axis], np.int64)
        rest = np.arange(cell.shape[axis])
        for digit in reversed(parts):
            rest, here = np.divmod(rest, max(digit.size, 1))
            along += here * digit.stride
        index += along.reshape([-1 if a == axis else 1 for a in range(len(cell.shape))])
    found = np.empty((count, index.size))
    found[:, index.ravel()] = values.reshape(count, -1)
    return found


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
