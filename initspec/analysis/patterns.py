"""What no law of independent elements makes: counters, masks, quantised weights, sorted numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stream.dtypes import ROUNDING
from .apart import CHANCE
from .places import lines_of, listed
from .sample import Sample

Array = NDArray[Any]

#: How many different numbers samplers make that work in a narrow type themselves; a law rounded
#: to that type has thousands.
_LEVELS = {"bfloat16": 384, "float16": 1024}
_FEW = 32
_PART = 64  # its rank is the whole's, and quickly found
_STEPS = 1 << 9  # quantised weights have no more levels than this


def pattern(sample: Sample) -> str:
    """Why a tensor comes from no law at all, in words; nothing where it could.

    >>> pattern(Sample(np.arange(30.0), "float64"))
    'its values rise from 0 to 29 in equal steps, as positions or a schedule do'
    >>> pattern(Sample(np.array([0.0, 1.0] * 10), "float64"))
    'it has only 2 different numbers (0 and 1), as a mask has'
    >>> pattern(Sample(np.random.default_rng(0).normal(size=30), "float64"))
    ''
    """
    if sample.n < 8 or sample.low == sample.high:
        return ""
    return _few(sample) or _sorted(sample.values) or _whole(sample)


def _few(sample: Sample) -> str:
    if sample.distinct > min(_FEW, sample.n // 4):
        return ""
    numbers = np.unique(sample.ordered + 0.0).tolist()  # one zero, without a sign
    common = sample.longest[0]
    others = np.flatnonzero(sample.values.reshape(-1) != common)
    if others.size <= min(4, sample.n // 8):
        first = int(others[0])
        number = sample.shortest(float(sample.values.reshape(-1)[first]))
        usual = f"{sample.shortest(common):.6g}"
        if others.size == 1:
            return f"it is {usual} but for value {first:,}, which is {number:.6g}"
        return (
            f"it is {usual} but for {others.size} values, of which value {first:,} is {number:.6g}"
        )
    named = [f"{sample.shortest(number):.4g}" for number in numbers]
    if len(named) > 5:
        named = [*named[:2], "...", named[-1]]
    words = f"it has only {len(numbers)} different numbers ({listed(named)})"
    if numbers == [0, 1]:
        return f"{words}, as a mask has"
    return f"{words}, as signs, masks and quantised weights have"


def _sorted(values: Array) -> str:
    """Numbers in order: in all of the tensor, or along an axis in every line."""
    if not _ordered(values.reshape(-1)[:64]) and not any(
        _ordered(np.moveaxis(values, axis, -1)[(0,) * (values.ndim - 1)][:64])
        for axis in range(values.ndim)
    ):
        return ""
    steps = np.diff(values.reshape(-1))
    for word, up in (("rise", steps >= 0), ("fall", steps <= 0)):
        if up.all() and math.lgamma(values.size + 1) > -math.log(CHANCE):
            flat = values.reshape(-1)
            equal = np.ptp(steps) <= 1e-4 * abs(steps.mean())
            how = " in equal steps, as positions or a schedule do" if equal else " in order"
            return f"its values {word} from {flat[0]:.6g} to {flat[-1]:.6g}{how}"
    for axis, size in enumerate(values.shape):
        if size < 3 or size == values.size:
            continue
        steps = np.diff(values, axis=axis)
        for word, up in (("rise", steps >= 0), ("fall", steps <= 0)):
            rare = values.size / size * math.lgamma(size + 1)
            if up.all() and rare > -math.log(CHANCE) and np.any(steps):
                return f"its values {word} along axis {axis} in every line"
    return ""


def _ordered(line: Array) -> bool:
    steps = np.diff(line)
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def _whole(sample: Sample) -> str:
    first = sample.values.reshape(-1)[:64]
    if sample.high - sample.low < 2 or np.any(first != np.rint(first)):
        return ""
    if not np.array_equal(sample.values, np.rint(sample.values)):
        return ""
    return (
        f"its values are whole numbers from {sample.low:.6g} to {sample.high:.6g}, as a counter's, "
        "an index's or those of quantised weights are"
    )


def coarse(sample: Sample) -> str:
    """What a tensor whose numbers are few comes from: a narrow sampler, or quantisation."""
    if sample.dtype in _LEVELS and sample.distinct <= _LEVELS[sample.dtype] < sample.n / 4:
        return (
            f"it has only {sample.distinct} different numbers, as samplers that work in "
            f"{sample.dtype} itself make them (JAX's is one): no law that is known here"
        )
    return quantised(sample)


def quantised(sample: Sample) -> str:
    """Equal steps, of the whole tensor or of each row, column or block of it."""
    levels = _steps(sample.values.reshape(-1), sample.dtype)
    if levels:
        return f"its values lie on {levels} equal steps, as those of quantised weights do"
    if sample.values.ndim < 2:
        return ""
    rows = sample.values.reshape(sample.values.shape[0], -1)
    columns = sample.values.reshape(-1, sample.values.shape[-1]).T
    blocks = [(f"block of {k}", sample.values.reshape(-1, k)) for k in (32, 64, 128, 256)
              if sample.n % k == 0 and sample.n > k]  # fmt: skip
    for word, lines in (("row", rows), ("column", columns), *blocks):
        some = lines[np.linspace(0, len(lines) - 1, min(16, len(lines))).astype(int)]
        each = [_steps(line, sample.dtype) for line in some if line.any()]
        if each and all(each):
            return (
                f"each {word} has equal steps of its own, at most {max(each)} of them, as "
                "quantised weights have"
            )
    return ""


def _steps(line: Array, dtype: str) -> int:
    """How many equal steps hold all numbers of a line; 0 where they are not that regular."""
    numbers = np.unique(line)
    if line.size < 16 or not 4 <= numbers.size <= _STEPS:
        return 0
    gaps = np.diff(numbers)
    span = float(numbers[-1] - numbers[0])
    noise = 4 * ROUNDING[dtype][0] * max(abs(numbers[0]), abs(numbers[-1]))
    step = float(gaps[gaps > 2 * noise].min(initial=span))
    count = span / step
    if count > _STEPS or noise > 0.1 * step:
        return 0
    step = span / round(count)
    places = (numbers - numbers[0]) / step
    off = float(np.abs(places - np.rint(places)).max())
    # random numbers lie so near to a grid with a chance of (4 * off) ** size
    near = max(off, 1e-4)
    rare = near < 0.12 and numbers.size * math.log(4 * near) < math.log(CHANCE)
    return round(count) if rare else 0


def deficient(sample: Sample) -> str:
    """A matrix that is a product of narrower ones."""
    if sample.values.ndim < 2 or sample.dtype not in ("float32", "float64"):
        return ""
    matrix = sample.values.reshape(sample.values.shape[0], -1)
    side = min(matrix.shape)
    if side < 3 or abs(sample.mean) > 10 * math.sqrt(sample.variance):
        return ""
    for axis in (0, 1):  # a part of it has the same rank
        size = matrix.shape[axis]
        matrix = matrix.take(np.linspace(0, size - 1, min(size, _PART)).astype(int), axis)
    values = np.linalg.svd(matrix, compute_uv=False)
    noise = float(values[0]) * max(matrix.shape) * 2 * ROUNDING[sample.dtype][0]
    rank = int(np.count_nonzero(values > noise))
    return f"its rank is {rank} of {side}, as a product of narrower matrices has" * (
        rank < min(side, _PART)
    )


def scales(sample: Sample) -> str:
    """Rows, or columns, that are each of a usual family but differ in width."""
    from .goodness_of_fit import looks_like

    if sample.values.ndim < 2:
        return ""
    for axis in (0, sample.values.ndim - 1):
        word = lines_of(sample.values.ndim, axis)
        lines = np.moveaxis(sample.values, axis, 0).reshape(sample.values.shape[axis], -1)
        count, length = lines.shape
        if count < 2 or length < 16:
            continue
        stds = np.sqrt((lines**2).mean(axis=1))
        usual = float(np.median(stds))
        if not stds.all():
            continue
        ratios = (stds / usual) ** 2
        rates = (ratios - 1 - np.log(ratios)) / 2
        if 2 * count * math.exp(-length * float(rates.max()) / 2) > CHANCE:
            continue
        even = Sample((lines / stds[:, None])[:, : length - 1], "float64")
        if looks_like(even):
            odd = int(rates.argmax())
            return (
                f"its {word.many}{word.where} differ in scale, from a std of {stds.min():.3g} to "
                f"one of {stds.max():.3g}, the usual one {usual:.3g} and that of {word.one} {odd} "
                f"{stds[odd]:.3g}"
            )
    return ""
