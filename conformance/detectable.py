"""How large an error of a law's scale, place and shape a number of values shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from ..spec.distribution import Distribution, Normal
from ..spec.tensor_laws import Sparse
from .design import Budget
from .probability import bounds
from .probability.complex_law import Modulus
from .probability.own_law import Own, Sampled

Array = NDArray[Any]


def least(test: str, n: int, law: Distribution, budget: Budget) -> tuple[float | None, str]:
    """The least discrepancy that a test shows at ``n`` values, and its unit; None for most tests.

    It is missed with a chance of at most the budget's ``beta``.
    """
    kind = test.rpartition(".")[2]  # of modulus.ks
    return _LEAST[kind](n, law, budget) if kind in _LEAST else (None, "")


def least_scale(n: int, law: Distribution, budget: Budget) -> tuple[float, str]:
    """The least relative error of the scale that is shown, and its unit."""
    if isinstance(law, Sparse):  # how many zeros there are is no chance
        n, law = max(round(n * (1 - law.share)), 1), Normal(0.0, law.sigma)
    if isinstance(law, Own):
        spread = bounds.z(budget.decision / 2) + bounds.z(budget.beta)
        unit = "standard deviation" if isinstance(law, Modulus) else "values"
        return 1.06 * spread / math.sqrt(n) / law.sensitivity, f"relative error of the {unit}"
    kurtosis = law.kurtosis if math.isfinite(law.kurtosis) else 0.0
    size = bounds.detectable_scale(n, kurtosis, budget.decision, budget.beta)
    return size, "relative error of the standard deviation"


def _least_distance(n: int, law: Distribution, budget: Budget) -> tuple[float | None, str]:
    return bounds.detectable_distance(n, budget.decision, budget.beta), "distance of the cdf"


def _least_shift(n: int, law: Distribution, budget: Budget) -> tuple[float | None, str]:
    size = bounds.detectable_shift(n, budget.decision, budget.beta)
    return size, "standard deviations of the mean"


_LEAST: dict[str, Callable[[int, Distribution, Budget], tuple[float | None, str]]] = {
    "ks": _least_distance,
    "variance": least_scale,
    "m1": _least_shift,
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
