"""The statistical tests that fit the law of a cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ...spec.marginals import HaarEntry
from ...spec.tensor_laws import DeltaOrthogonal, Orthogonal, Sparse
from ..cell import Cell
from ..drawing import FIXED, canonical
from ..finding import Finding
from ..probability import transform
from ..probability.complex_law import Modulus
from ..probability.own_law import Broken, Own, Sampled
from ..report.record import ERROR
from ..targets.target import Unjudged
from . import atoms, complexes, independence, marginal, orthogonal
from .family import family, is_refused
from .fixed import exactly
from .place_scores import Scores
from .sparse import sparse_battery

Array = NDArray[Any]


def battery(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """The tests that fit the law."""
    if isinstance(law, FIXED):
        yield exactly(law, cell, values)
    elif isinstance(law, Orthogonal):
        yield from orthogonal.battery(canonical(values, cell), law, cell.dtype)
    elif isinstance(law, DeltaOrthogonal):
        yield from orthogonal.delta_battery(canonical(values, cell), law, cell.dtype)
    elif isinstance(law, Sparse):
        yield from sparse_battery(canonical(values, cell), law, cell)
    elif isinstance(law, (Normal, TruncatedNormal, Uniform, HaarEntry)):
        yield from _elements(cell, law, values)
    elif isinstance(law, Modulus):
        yield from _complexes(cell, law, values)
    elif isinstance(law, Own):
        try:
            yield marginal.own_law(law)
            if not law.problem:
                yield from _elements(cell, law, values)
        except Broken as error:  # where the values lie, and not where it was looked at
            yield Finding("law", 1.0, 0.0, str(error))
    elif isinstance(law, Sampled):
        yield from marginal.said(values.reshape(-1), law, cell.dtype)
    else:
        raise Unjudged(ERROR, f"the suite has no tests for {law.kind}")


def _elements(
    cell: Cell, law: Distribution, values: Array, one_family: bool = False
) -> Iterator[Finding]:
    """Marginal law and independence of elements that are drawn one by one."""
    if law.std == 0:
        yield exactly(Constant(law.mean), cell, values)
        return
    flat = values.reshape(-1)
    resolution = cell.target.resolution
    jitter = np.random.default_rng(cell.seed + 1)
    u = transform.transform(flat, law, cell.dtype, jitter, resolution)
    found = list(marginal.battery(flat, u, law, cell.dtype, resolution, portable=cell.is_portable))
    yield from found
    if not flat.size:
        return
    yield atoms.atoms(values, law, cell.dtype, resolution)
    scores = Scores(u, values.shape, law, resolution, jitter, ranked=is_refused(found))
    matrices = (values.shape[0], -1, cell.shape[-1] if cell.shape else 1)
    chance = 0.0
    if isinstance(law, Own):  # which may have atoms
        chance = marginal.most_likely(law, cell.dtype, resolution)
    yield from independence.battery(
        scores.centred.reshape(matrices), values.reshape(matrices), chance
    )
    yield from family(scores, one_family)


def _complexes(cell: Cell, law: Modulus, values: Array) -> Iterator[Finding]:
    """The squared modulus as any other number, and the angle."""
    squares = law.squares(values, cell.dtype)
    for finding in _elements(cell, law, squares, one_family=True):
        yield finding._replace(test=f"modulus.{finding.test}")
    matrices = (values.shape[0], -1, cell.shape[-1] if cell.shape else 1)
    centred = (values - law.centre).reshape(matrices)
    yield from complexes.angles(centred, law.both(squares.reshape(-1))[0])
