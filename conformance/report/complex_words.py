"""Diagnosis of a FAIL in a complex type: what is wrong with the moduli, the angles and both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..finding import title
from ..own import Exponential
from ..probability.complex_law import Modulus
from ..probability.transform import CUT_AT_TWO
from . import seen, structure
from .cause import Cause, text_of
from .record import Decision

Array = NDArray[Any]

_ANGLE = {"angle.ks", "angle.m1", "angle.m2", "angle.m3", "angle.m4"}
_MODULUS = {f"modulus.{test}" for test in ("ks", "m2", "m4", "support", "greatest")}
_SHAPES = {2.0: "a normal law", 4 / 3: "an even disk", 1.4: "an even square"}
_SEEN = {test: seen.CORRELATED[test] for test in ("tensors", "rows", "columns")} | {
    "lag": "neighbouring values are correlated"
}


def explain(
    values: Array,
    squares: Array,
    law: Modulus,
    failed: Sequence[Decision],
    scale: tuple[float, float, float],
) -> str:
    """What is wrong, in a sentence for each cause, and the numbers that were measured.

    ``values`` are the complex tensors, ``squares`` their squared moduli about the law's centre,
    and ``scale`` is that of the root of their mean, with its interval.
    """
    first = [*structure.nothing_drawn(squares), *structure.same_tensors(values, "complex")]
    if first:
        return text_of(first[:1])
    angles = np.round(np.angle(values), 4).reshape(values.shape[0], -1)
    if len(angles) > 1 and (angles == angles[0]).all():
        return text_of([Cause("the seed is ignored in the angles", (f"{len(angles)} tensors",))])
    if copied := list(structure.copies(squares, "complex")):
        return text_of(copied)
    tests = {item.test: item for item in failed}
    causes = list(seen.conduct(tests))
    causes += seen.plain(tests)
    causes += _of_the_law(squares, law, set(tests), scale)
    if "modulus.collisions" in tests and "modulus.ks" not in tests:
        causes += structure.coarse(squares, "complex", is_uniform=False)
    if "angle.modulus" in tests and "angle.ks" not in tests:
        causes.append(Cause("angle and modulus are correlated", _note(tests["angle.modulus"])))
    if all(not cause.words for cause in causes):
        causes += seen.noted(tests)
        causes += seen.contract(tests)
    if all(not cause.words for cause in causes):
        for test, decision in tests.items():
            part, _, name = test.rpartition(".")
            words = f"{part}: {_SEEN[name]}" if name in _SEEN else title(test)
            causes.append(Cause(words, _note(decision)))
    return text_of(causes)


def _of_the_law(
    squares: Array, law: Modulus, tests: set[str], scale: tuple[float, float, float]
) -> Iterator[Cause]:
    if tests & _ANGLE:
        yield Cause("the angle is not even: the parts are not those of a round law")
    if tests & _MODULUS:
        # E |w|**4 / (E |w|**2)**2, whatever the scale
        ratio = float((squares**2).mean() / squares.mean() ** 2)
        if abs(ratio - 1 - (law.std / law.mean) ** 2) > 16 * ratio / math.sqrt(squares.size):
            near = min(_SHAPES, key=lambda known: abs(known - ratio))
            number = f"E|w|^4 / (E|w|^2)^2 is {ratio:.3f}"
            if abs(near - ratio) < 0.02:
                yield Cause(f"the modulus is that of {_SHAPES[near]}", (number,))
            else:
                yield Cause("the modulus has another law", (number,))
    variance, low, high = (side**2 for side in scale)
    if low <= 1 <= high:
        yield Cause("", (f"the variance is right: {variance:.4f} ({low:.4f} to {high:.4f})",))
    else:
        known = [name for name, ratio in _catalogue(law) if low <= ratio <= high]
        told = f", explained by {' or '.join(known)}" if known else ""
        size = "large" if variance > 1 else "small"
        number = f"variance {variance:.4f} of the documented one ({low:.4f} to {high:.4f})"
        yield Cause(f"the variance is too {size}{told}", (number,))


def _catalogue(law: Modulus) -> Iterator[tuple[str, float]]:
    """Wrong formulas and the ratio of the variance that each gives."""
    yield "the whole variance in each of the parts", 2.0
    yield "half of the variance", 0.5
    cut = getattr(law.custom, "cut", math.inf)
    if isinstance(law.custom, Exponential) and math.isfinite(cut):
        yield (
            "a correction for the truncation that leaves out its normaliser, as in JAX",
            -1 / math.expm1(-cut),
        )
        yield "a truncation that is not corrected", law.mean / law.custom.scale
        corrected = law.mean / law.custom.scale / CUT_AT_TWO.variance
        yield "the constant of the real law cut at two", corrected


def _note(decision: Decision) -> tuple[str, ...]:
    return (decision.note,) if decision.note else ()
