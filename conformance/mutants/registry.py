"""All mutants by name: the files of faults, subject by subject, in the order of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from .mutant import Mutant, as_case


@cache
def registry() -> dict[str, Mutant]:
    """All mutants, by id; the order is that of the stored matrix."""
    from . import (
        atoms,
        complexes,
        dependence,
        fans,
        fixed,
        laws,
        orthogonal,
        own_laws,
        places,
        rounding,
        scales,
        seeds,
        sparse,
        stacked,
    )

    groups = (
        scales.truncations,
        scales.factors,
        fans.averages,
        fans.kernels,
        fans.stacks,
        scales.gains,
        laws.laws,
        rounding.rounding,
        seeds.seeding,
        dependence.dependence,
        orthogonal.matrices,
        stacked.stacked,
        orthogonal.imprecise,
        sparse.sparse_matrices,
        fixed.fixed,
        own_laws.own_laws,
        complexes.complexes,
        atoms.atoms,
        places.places,
    )
    mutants: dict[str, Mutant] = {}
    for group in groups:
        for mutant in group():
            if mutant.id in mutants:
                raise ValueError(f"two mutants have the id {mutant.id!r}")
            mutants[mutant.id] = mutant
    return mutants


def differences(body: Mapping[str, Any], id: str) -> str | None:
    """What the registry says otherwise than a stored case; the matrix itself is for the tests."""
    mutant = registry().get(id)
    if mutant is None:
        return f"no mutant has the id {id!r}"
    case = as_case(mutant, body["killed_by"])
    wrong = [key for key, value in body.items() if case[key] != value]
    return f"the registry says otherwise: {', '.join(wrong)}" if wrong else None
