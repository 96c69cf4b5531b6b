"""Diagnosis of a FAIL: the wrong formula that would give the scale and the shape measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InitSpecError
from ...spec.fan_rules import Fans, Shape
from ...spec.layout import Layout, fans
from ...spec.scheme import Scheme
from ..probability.own_law import Sampled, seen
from ..probability.transform import CUT_AT_TWO
from .record import Decision

Array = NDArray[Any]

_COPIES = {
    "duplicates": "blocks, gates or tensors are copies of each other",
    "tensors": "tensors of different seeds are correlated: the seed may be ignored",
    "shift": "streams of different seeds overlap",
    "rows": "rows are correlated, or copies",
    "columns": "columns are correlated, or copies",
    "lag": "neighbouring values are correlated",
    "symmetry": "the matrix is symmetric",
    "collisions": "values repeat too often: the sampler's resolution is too coarse",
    "edges": "values pile up at the bounds: clipped, or wrapped",
}


def explain(
    scheme: Scheme,
    shape: Shape,
    layout: Layout,
    values: Array,
    failed: Sequence[Decision],
    scale: tuple[float, float, float] | None,
) -> str:
    """A sentence or two: the measured scale with its interval and what explains it."""
    parts = []
    law = seen(scheme.on(shape, layout))
    if scale is not None:
        measured, low, high = scale
        text = f"scale {measured:.4f} times the documented one ({low:.4f} to {high:.4f})"
        if low <= 1 <= high:
            parts.append(f"the scale is right ({measured:.4f})")
        else:
            reasons = [
                reason
                for reason, ratio in scale_catalogue(scheme, shape, layout)
                if low * 0.9999 <= ratio <= high * 1.0001 and abs(ratio - 1) > 1e-6
            ]
            parts.append(f"{text}, explained by {' or '.join(reasons[:3])}" if reasons else text)
    names = {item.test for item in failed}
    if "support" in names:
        names -= {"edges"}
    if names & {"support", "ks"} and "duplicates" not in names:
        # Scores of another law are not centred, nor spread as they should be.
        names -= {"rows", "columns", "tensors", "shift", "lag", "symmetry"}
    parts += [sentence for test, sentence in _COPIES.items() if test in names]
    if names & {"m1", "m3"} and values.size:
        shift = (float(values.mean()) - law.mean) / law.std if law.std > 0 else 0.0
        if abs(shift) > 6 / math.sqrt(values.size):
            parts.append(f"the mean is off by {shift:+.3f} standard deviations")
    told = {"ks", "m2", "m4", "support", "least", "greatest", "extreme"}
    if names & told and not isinstance(law, Sampled):  # of one's own no other name is known
        parts += shape_of(values, law.kurtosis, law.limits is not None)
    if "support" in names:
        outside = float(np.mean((values < law.support[0]) | (values > law.support[1])))
        parts += [f"values beyond the bounds at {outside:.1e}"] if outside < 1e-3 else []
    return "; ".join(parts)


def shape_of(values: Array, kurtosis: float, bounded: bool) -> Iterator[str]:
    """What the sample's shape says: truncated or not, uniform or not."""
    x = values.reshape(-1)
    spread = x.std()
    if spread == 0:
        yield "all values are equal"
        return
    excess = float((((x - x.mean()) / spread) ** 4).mean()) - 3
    margin = 8 * math.sqrt(24 / x.size)
    if abs(excess - kurtosis) > margin:
        if abs(excess) < margin:
            yield "the truncation is missing: the law is normal" if bounded else "the law is normal"
        elif abs(excess + 1.2) < margin:
            yield "the law is uniform"
        elif abs(excess - CUT_AT_TWO.kurtosis) < margin:
            yield "the law is a normal one truncated at two standard deviations"
        else:
            yield f"the excess kurtosis is {excess:.3f} in place of {kurtosis:.3f}"


def scale_catalogue(scheme: Scheme, shape: Shape, layout: Layout) -> Iterator[tuple[str, float]]:
    """Wrong formulas and the ratio of the standard deviation that each gives."""
    law = seen(scheme.on(shape, layout))
    if law.std == 0:
        return
    if scheme.distribution == "truncated_normal":
        yield "a truncation that is not corrected", CUT_AT_TWO.std
        yield "a truncation corrected twice", 1 / CUT_AT_TWO.std
        yield "the factor 1.3 of tf.contrib", CUT_AT_TWO.std * math.sqrt(1.3)
    if scheme.distribution == "uniform":
        yield "a limit taken for a standard deviation", 1 / math.sqrt(3)
        yield "a standard deviation taken for a limit", math.sqrt(3)
    yield from _fan_mistakes(scheme, shape, layout, law.std)
    yield "the gain left out", 1 / scheme.gain_total if scheme.gain_total else math.inf
    yield "a variance taken for a standard deviation", law.std
    yield "a standard deviation taken for a variance", 1 / math.sqrt(law.std)
    yield "half of the variance", math.sqrt(0.5)
    yield "twice the variance", math.sqrt(2)
    yield "a third of the variance", math.sqrt(1 / 3)
    yield "three times the variance", math.sqrt(3)
    yield "torch's a=sqrt(5), a sixth of He's variance", math.sqrt(1 / 6)


def _fan_mistakes(
    scheme: Scheme, shape: Shape, layout: Layout, std: float
) -> Iterator[tuple[str, float]]:
    if scheme.mode is None:
        return
    try:
        true, naive = fans(shape, layout), fans(shape, layout, "naive")
    except InitSpecError:
        return
    factor = scheme.variance_factor
    roles = layout.roles(shape)
    taps = math.prod(n for n, role in zip(shape, roles, strict=True) if role == "spatial")
    inner = Fans(true.fan_in / max(taps, 1), true.fan_out / max(taps, 1))
    wrong = {
        f"{factor:g}/fan_in": true.fan_in,
        f"{factor:g}/fan_out": true.fan_out,
        f"{factor:g}/average of the fans": (true.fan_in + true.fan_out) / 2,
        f"{factor:g}/sum of the fans": true.fan_in + true.fan_out,
        "whole axes counted, groups and stacks not divided": naive.n(scheme.mode),
        "the kernel's size left out of the fans": inner.n(scheme.mode),
        "fans counted with the bias unit": true.n(scheme.mode, True),
    }
    if len(shape) > 2:
        size = math.prod(shape)
        kernel = Fans(size / max(shape[-1], 1), size / max(shape[-2], 1))
        wrong["all axes but the last two taken for a kernel's"] = kernel.n(scheme.mode)
    for reason, n in wrong.items():
        yield reason, math.sqrt(factor / max(n, 1) ** scheme.power) / std
    if scheme.power != 1:
        n = true.n(scheme.mode, scheme.bias_unit)
        yield "the fan itself in place of its power", math.sqrt(factor / n) / std
    yield "1/fan_in", math.sqrt(1 / max(true.fan_in, 1)) / std
    yield "1/fan_out", math.sqrt(1 / max(true.fan_out, 1)) / std
