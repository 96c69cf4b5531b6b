"""A model that the original has drawn, held against a plan: every parameter, by the suite's tests.

Constants are held exactly. The values of other laws are taken to uniform numbers by the law's own
distribution function, so that tensors of one rule can be pooled; of each tensor, and of each rule,
the first four moments, the variance, the support and Kolmogorov and Smirnov's distance are held.
Each p-value is a bound at every number of values, and all of a run together refuse right models
with a chance of at most ``ALPHA``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from initspec.conformance.batteries import marginal
from initspec.conformance.probability.transform import Uniforms, transform
from initspec.plans.ledger import Ledger, Row
from initspec.plans.model import FrameworkModel, model_of
from initspec.plans.parameter import ModelParameter
from initspec.plans.plan import Plan
from initspec.plans.resolve import resolved
from initspec.spec.distribution import Constant, Distribution
from initspec.spec.tensor_laws import Orthogonal

#: The chance, at most, that a run over all recipes refuses what is right.
ALPHA = 1e-9
#: More recipes than there will be: the share of each is ``ALPHA / RECIPES``.
RECIPES = 200
#: A scale that is wrong by this factor must be seen, in every rule that has enough values.
FACTOR = 1.25
ENOUGH = 4096


class Drawn(NamedTuple):
    """The parameters of a model, and the values that it has for each."""

    parameters: list[ModelParameter]
    values: Mapping[str, np.ndarray]


class Values(dict[str, np.ndarray]):
    """The values of a model by path, read when they are asked for: not every buffer can be."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        super().__init__()
        self.read = read

    def __missing__(self, path: str) -> np.ndarray:
        self[path] = np.array(self.read(path))
        return self[path]


def drawn(model: Any) -> Drawn:
    """What a model of PyTorch or Keras, or a tree of arrays, holds."""
    whole = model_of(model)
    read = whole.model.value if isinstance(whole, FrameworkModel) else whole.shapes.__getitem__
    return Drawn(whole.parameters(), Values(read))


class Result(NamedTuple):
    """A test: of which tensor or rule, by which name, and a bound on its p-value."""

    of: str
    test: str
    p: float


@dataclass(frozen=True)
class Verdict:
    """What was seen of one model."""

    results: tuple[Result, ...]
    ledger: Ledger
    blunt: tuple[str, ...] = ()

    @property
    def limit(self) -> float:
        """The p-value that one test must not go below."""
        return ALPHA / RECIPES / max(len(self.results), 1)

    @property
    def smallest(self) -> float:
        """The smallest p-value."""
        return min((result.p for result in self.results), default=1.0)

    @property
    def refused(self) -> list[Result]:
        """The tests that refuse."""
        return [result for result in self.results if result.p < self.limit]


def joined(verdicts: list[Verdict]) -> Verdict:
    """The verdict on all of several models; the ledger is the first's."""
    results = tuple(result for verdict in verdicts for result in verdict.results)
    blunt = tuple(rule for verdict in verdicts for rule in verdict.blunt)
    return Verdict(results, verdicts[0].ledger, blunt)


def hold(plan: Plan, model: Drawn, symbols: Mapping[str, float], *, pooled: bool = True) -> Verdict:
    """Every parameter against the plan; and whether a wrong scale would be seen."""
    ledger = resolved(plan, model.parameters, symbols)
    rows = [row for row in ledger if row.law is not None]
    results = tuple(_results(rows, model.values, 1.0, pooled))
    verdict = Verdict(results, ledger)
    return replace(verdict, blunt=tuple(_blunt(rows, model.values, verdict.limit, pooled)))


def _results(
    rows: list[Row], values: Mapping[str, np.ndarray], factor: float, pooled: bool
) -> Iterator[Result]:
    pools: dict[int, list[Uniforms]] = defaultdict(list)
    for at, row in enumerate(rows):
        x = _values(row, values)
        law = row.law
        assert law is not None
        if isinstance(law, Constant) or law.std == 0:
            wrong = int(np.count_nonzero(x != np.float32(law.mean)))
            yield Result(row.name, "constant", float(not wrong))
        elif isinstance(law, Orthogonal):
            yield Result(row.name, "orthogonal", _orthogonal(x, row))
        else:
            flat = x.reshape(-1).astype(np.float64) * factor
            if not np.isfinite(flat).all():
                yield Result(row.name, "finite", 0.0)
                continue
            jitter = np.random.default_rng(at)
            u = transform(flat, law, "float32", jitter)
            pools[row.number].append(u)
            yield from _tests(row.name, flat, u, law)
    for number, held in pools.items():
        if pooled and len(held) > 1:
            u = Uniforms(*(np.concatenate(both) for both in zip(*held, strict=True)))
            for finding in (marginal.ks(u), *marginal.moments(u)):
                yield Result(f"rule {number}", finding.test, finding.p)


def _tests(name: str, x: np.ndarray, u: Uniforms, law: Distribution) -> Iterator[Result]:
    findings = (
        *(marginal.support(x, law, "float32"), marginal.ks(u)),
        *(marginal.second_moment(x, law), *marginal.moments(u)),
    )
    for finding in findings:
        p = finding.p if math.isfinite(finding.p) else 0.0
        yield Result(name, finding.test, p)


def _values(row: Row, values: Mapping[str, np.ndarray]) -> np.ndarray:
    x = values[row.parameter.path]
    return x if row.parameter.part is None else x[row.parameter.part.index]


def _orthogonal(x: np.ndarray, row: Row) -> float:
    """One if rows or columns, whichever are fewer, are orthogonal and of the law's length."""
    matrix = x.reshape(x.shape[0], -1).astype(np.float64)
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    gain = getattr(row.law, "gain", 1.0)
    return float(bool(np.allclose(small, gain**2 * np.eye(len(small)), atol=1e-4 * gain**2)))


def _blunt(
    rows: list[Row], values: Mapping[str, np.ndarray], limit: float, pooled: bool
) -> Iterator[str]:
    """The rules that have enough values, and by which a scale wrong by ``FACTOR`` would pass."""
    of_rule: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.law is not None and row.law.std != 0 and not isinstance(row.law, Orthogonal):
            of_rule[row.number].append(row)
    for number, held in of_rule.items():
        if sum(row.parameter.size for row in held) < ENOUGH:
            continue
        if all(result.p >= limit for result in _results(held, values, FACTOR, pooled)):
            yield f"rule {number}"
