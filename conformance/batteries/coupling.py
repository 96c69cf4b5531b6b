"""Two draws from one seed go together: their ratio is that of the documented scales."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InitSpecError
from ...spec.distribution import Distribution, TruncatedNormal
from ...spec.fan_rules import Shape
from ..cell import Cell
from ..drawing import draw_one
from ..finding import Finding, not_applicable
from ..probability import transform
from .known_samplers import standard
from .stream_reference import canonical_index

Array = NDArray[Any]

#: Elements from which on two draws that are equal are one draw.
FEW = 16


#: The share of elements from which on two draws are taken for draws of the same random bits.
_COUPLED = 0.9


class Coupling(NamedTuple):
    """How two draws go together: their ratio, and the share of elements that have it."""

    ratio: float
    share: float


def couple(first: Array, second: Array, dtype: str) -> Coupling:
    """The ratio of two draws of standard numbers, if they come from the same random bits."""
    a, b = first.reshape(-1), second.reshape(-1)
    large = np.abs(b) >= np.median(np.abs(b))
    if not np.any(b[large]):
        return Coupling(math.nan, 0.0)
    ratio = float(np.median(a[large] / b[large]))
    error = 8 * _ulp(dtype) * float(np.abs(a).max())
    near = np.abs(a - ratio * b) <= error
    if near.any() and np.any(b[near]):
        ratio = float(a[near] @ b[near] / (b[near] @ b[near]))
        near = np.abs(a - ratio * b) <= error
    return Coupling(ratio, float(near.mean()))


def _standardised(values: Array, law: Distribution) -> NDArray[np.float64]:
    return np.asarray((values - law.mean) / law.std)


def _tolerance(law: Distribution, dtype: str) -> float:
    """Of the ratio: a few roundings, that of the mean among them."""
    size = 1 + abs(law.mean) / law.std
    return 16 * size * _ulp(dtype)


def _ulp(dtype: str) -> float:
    """Of float32 at least: a scale that is kept in float32 is no fault in float64."""
    return 2.0 ** -min(transform.TYPES[dtype][0], 23)


def _of_one_family(first: Distribution, second: Distribution) -> bool:
    """Whether two laws differ in mean and scale alone."""
    if type(first) is not type(second) or not first.elementwise:
        return False
    if isinstance(first, TruncatedNormal) and isinstance(second, TruncatedNormal):
        return math.isclose(first.low, second.low) and math.isclose(first.high, second.high)
    return True


def self_coupling(cell: Cell, law: Distribution, values: Array) -> Finding:
    """Two shapes of as many elements, one seed: the values' ratio is that of the documented scales.

    Nothing else has to be known of the target. Where its raw draws do not go together, because it
    draws row by row, say, the test does not apply. The exact tier looks at two other shapes; those
    that draw many values as well look at one, for which frameworks have to compile.
    """
    if not law.elementwise or law.std == 0 or values.size < FEW:
        return not_applicable("coupling", "the law is not one number times another")
    if cell.target.fixed_shape is not None:
        return not_applicable("coupling", "the target has one shape")
    tried = 0
    for shape, other in islice(_reshaped(cell, law), 2 if cell.tier == "exact" else 1):
        try:
            drawn = draw_one(cell, shape, cell.dtype, cell.seed)
        except Exception as error:
            return not_applicable("coupling", f"no tensor of shape {shape}: {error}")
        tried += 1
        coupling = _coupling(cell, law, values, shape, other, drawn)
        if coupling is None:
            return not_applicable("coupling", "draws of two shapes have nothing in common")
        fault = _fault(cell, law, shape, other, coupling)
        if fault:
            return Finding("coupling", coupling.ratio, 0.0, fault)
    if not tried:
        return not_applicable("coupling", "there is no other shape of as many elements")
    return Finding("coupling", float(tried), 1.0)


def _coupling(
    cell: Cell, law: Distribution, values: Array, shape: Shape, other: Distribution, drawn: Array
) -> Coupling | None:
    """How the draws of two shapes go together, in the first order in which they do."""
    for a, b in _orders(cell, values, shape, drawn):
        coupling = couple(_standardised(a, law), _standardised(b, other), cell.dtype)
        if coupling.share >= _COUPLED:
            return coupling
    return None


def _fault(
    cell: Cell, law: Distribution, shape: Shape, other: Distribution, coupling: Coupling
) -> str:
    """What is wrong with the ratio of two draws, or nothing."""
    documented = law.std / other.std
    pair = f"W{cell.shape} / W{shape}"
    if abs(coupling.ratio - 1) > max(_tolerance(law, cell.dtype), _tolerance(other, cell.dtype)):
        return f"{pair} is {coupling.ratio * documented:.7g}, documented is {documented:.7g}"
    if coupling.share < 1:
        return f"{pair} is not constant: {1 - coupling.share:.2%} of the values have another"
    return ""


def _reshaped(cell: Cell, law: Distribution) -> Iterator[tuple[Shape, Distribution]]:
    """Shapes of as many elements, most of them of another documented scale."""
    pairs: list[tuple[Shape, Distribution]] = []
    for source, size in enumerate(cell.shape):
        factor = next((n for n in range(2, size + 1) if size % n == 0), 1)
        for target in range(len(cell.shape)):
            if factor == 1 or target == source:
                continue
            shape = list(cell.shape)
            shape[source], shape[target] = size // factor, shape[target] * factor
            try:
                other = cell.scheme.on(tuple(shape), cell.layout)
            except InitSpecError:
                continue
            if other.std > 0 and _of_one_family(law, other):
                pairs.append((tuple(shape), other))
    different = [pair for pair in pairs if not math.isclose(pair[1].std, law.std)]
    chosen = different or pairs
    yield from chosen[:1] + chosen[1:][-1:]


def _orders(cell: Cell, values: Array, shape: Shape, drawn: Array) -> Iterator[tuple[Array, Array]]:
    """The two draws as they lie in memory, and in canonical order."""
    yield values, drawn
    first, second = canonical_index(cell.shape, cell.layout), canonical_index(shape, cell.layout)
    a, b = np.empty(values.size), np.empty(drawn.size)
    a[first.reshape(-1)], b[second.reshape(-1)] = values.reshape(-1), drawn.reshape(-1)
    yield a, b


def base_coupling(cell: Cell, law: Distribution, values: Array) -> Finding:
    """The values are the documented scale times standard numbers of a sampler that is known."""
    kind = standard(law)
    if kind is None or law.std == 0 or values.size < FEW:
        return not_applicable("base", "the law is not one number times another")
    for name, drawn in cell.target.bases(kind, cell.shape, cell.dtype, cell.seed):
        coupling = couple(_standardised(values, law), drawn, cell.dtype)
        if coupling.share >= _COUPLED:
            off = abs(coupling.ratio - 1) > _tolerance(law, cell.dtype)
            note = f"{coupling.ratio:.8g} times the documented scale, by the draws of {name}"
            return Finding("base", coupling.ratio, float(not off), note)
    return not_applicable("base", "no known sampler gives these draws")
