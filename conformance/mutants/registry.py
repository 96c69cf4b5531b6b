"""All mutants by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from .mutant import Mutant, as_case


@cache
def registry() -> dict[str, Mutant]:
    """All mutants, by id."""
    from . import planted_laws, planted_scales, planted_tensors

    found: dict[str, Mutant] = {}
    for group in (
        planted_scales.scales,
        planted_laws.laws,
        planted_laws.resolutions,
        planted_tensors.dependence,
        planted_tensors.tied,
        planted_laws.own,
        planted_laws.complexes,
    ):
        for mutant in group():
            if mutant.id in found:
                raise ValueError(f"two mutants have the id {mutant.id!r}")
            found[mutant.id] = mutant
    return found


def differences(body: Mapping[str, Any], id: str) -> str | None:
    """What the registry says otherwise than a stored case; the matrix itself is for the tests."""
    mutant = registry().get(id)
    if mutant is None:
        return f"no mutant has the id {id!r}"
    found = as_case(mutant, body["killed_by"])
    wrong = [key for key, value in body.items() if found[key] != value]
    return f"the registry says otherwise: {', '.join(wrong)}" if wrong else None
