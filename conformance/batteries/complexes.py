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
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..finding import Finding
from ..probability import bounds
from ..probability.complex_law import Modulus
from ..probability.transform import Uniforms
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
