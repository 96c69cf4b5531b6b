"""Complex types: what a scheme means in one, and how its values are judged.

A scheme of variance ``v`` means in a complex type a law that no rotation changes, with
``E |w - mean|**2 = v``; for a scheme with fans that is ``factor / n``, as in a real type.

- normal: real and imaginary part are independent ``N(0, v/2)``, so ``|w|**2`` is exponential;
- truncated normal: that law cut where ``|w|`` exceeds so many standard deviations ``s`` of its
  parent (``E |w|**2 = s**2`` before the cut), and rescaled if the scheme corrects its variance;
- uniform: even on the disk of that variance, so that ``|w|**2`` is even on ``(0, 2 v)``.

So a complex number is two real ones whose laws are known, and which are independent: the squared
modulus, and the angle, which is even. The spec itself and its stream have no complex types.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..finding import Finding
from ..own import Exponential
from ..probability import bounds
from ..probability.complex_law import Modulus
from ..probability.transform import CUT_AT_TWO, Uniforms
from ..report.record import Decision
from . import independence, lags, marginal

Array = NDArray[Any]


def angles(values: Array, below: NDArray[np.float64]) -> Iterator[Finding]:
    """Is the angle of centred ``values`` even, and independent: of others, and of the modulus?

    ``values`` have the axes replicate, row, column; ``below`` are the uniform numbers of their
    moduli, flat.
    """
    turns = np.angle(values) / (2 * np.pi) + 0.5
    u = Uniforms(turns.reshape(-1), 1 - turns.reshape(-1))
    w = independence.scores(turns)
    findings = [
        marginal.ks(u),
        *marginal.moments(u),
        lags.lags(w),
        independence.gram("rows", w),
        independence.gram("columns", w.swapaxes(1, 2)),
    ]
    if w.shape[0] > 1:
        findings.append(independence.gram("tensors", w.reshape(1, w.shape[0], -1)))
    product = float((w.reshape(-1) * independence.scores(below)).mean())
    findings.append(Finding("modulus", product, independence.correlation(product, w.size)))
    for finding in findings:
        yield finding._replace(test=f"angle.{finding.test}")


def measured(squares: Array, law: Modulus, alpha: float) -> tuple[float, float, float]:
    """The root of the mean squared modulus in units of the law's, with its interval."""
    scale = math.sqrt(float(squares.mean()) / law.mean)
    half = bounds.z(alpha / 2) * law.std / law.mean / math.sqrt(squares.size) / 2
    return scale, scale * (1 - half), scale * (1 + half)


def explain(
    squares: Array,
    law: Modulus,
    failed: Sequence[Decision],
    scale: tuple[float, float, float],
) -> str:
    """A sentence or two: the measured variance with its interval, and what explains it."""
    parts = []
    tests = {item.test for item in failed}
    variance, low, high = (side**2 for side in scale)
    text = f"variance {variance:.4f} of the documented one ({low:.4f} to {high:.4f})"
    if low <= 1 <= high:
        parts.append(f"the variance is right ({variance:.4f})")
    else:
        known = [name for name, ratio in _catalogue(law) if low <= ratio <= high]
        parts.append(f"{text}, explained by {' or '.join(known)}" if known else text)
    if tests & {"angle.ks", "angle.m1", "angle.m2", "angle.m3", "angle.m4"}:
        parts.append("the angle is not even: the parts are not those of a round law")
    if tests & {"modulus.ks", "modulus.m2", "modulus.m4", "modulus.support", "modulus.greatest"}:
        # E |w|**4 / (E |w|**2)**2, whatever the scale
        ratio = float((squares**2).mean() / squares.mean() ** 2)
        if abs(ratio - 1 - (law.std / law.mean) ** 2) > 8 * ratio * 2 / math.sqrt(squares.size):
            shapes = {2.0: "a normal law", 4 / 3: "an even disk", 1.4: "an even square"}
            near = min(shapes, key=lambda known: abs(known - ratio))
            known_shape = abs(near - ratio) < 0.02
            parts.append(
                f"the modulus is that of {shapes[near]}"
                if known_shape
                else f"E|w|^4 / (E|w|^2)^2 is {ratio:.3f}"
            )
    if "modulus.ks" not in tests or "modulus.duplicates" in tests:  # else scores are not centred
        if tests & {"modulus.tensors", "angle.tensors"}:
            parts.append("tensors of different seeds are correlated: the seed may be ignored")
        if "modulus.collisions" in tests:
            parts.append("moduli repeat too often")
    if "angle.modulus" in tests and "angle.ks" not in tests:
        parts.append("angle and modulus are correlated")
    return "; ".join(parts)


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
