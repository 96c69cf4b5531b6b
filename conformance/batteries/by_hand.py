"""A second opinion: fans counted by contraction, and the scale of every scheme by hand.

Fans are counted one multiplication of the layer's contraction at a time. Nothing here uses the
rules of :mod:`initspec.spec.layout` or :mod:`initspec.spec.scheme`, which are held against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...spec.fan_rules import Shape
from ...spec.layout import Layout


class Count(NamedTuple):
    """Multiplications that end in one output, and that start from one input."""

    fan_in: int
    fan_out: int


def contraction(shape: Shape, layout: Layout) -> Count:
    """The fans, by listing for each weight the input and the output that it connects.

    Each element of a weight is one multiplication for one position of the output. Its input unit
    and its output unit are what the layer's own loops would index: a grouped convolution reads
    channel ``i`` of the group that its output lies in, a depthwise one reads its own channel, a
    lookup multiplies one row, fused gates and experts are layers of their own.
    """
    at = dict(enumerate(np.indices(shape).reshape(len(shape), -1)))
    letters = _heads(layout.axes)
    source: list[NDArray[Any]] = []
    sink: list[NDArray[Any]] = []
    for axis, letter in enumerate(letters):
        place, size = at[axis], shape[axis]
        if letter == "o":
            sink.append(place)
            if layout.stack > 1:
                source.append(place // (size // layout.stack))
            elif layout.groups > 1 and not layout.transposed:
                source.append(place // (size // layout.groups))
        elif letter == "i":
            source.append(place)
            if layout.groups > 1 and layout.transposed:
                sink.append(place // (size // layout.groups))
        elif letter in "gbsv":  # a channel, an expert, a gate or a word: it is on both sides
            source.append(place)
            sink.append(place)
    return Count(_most(sink, math.prod(shape)), _most(source, math.prod(shape)))


def _heads(axes: str) -> str:
    """A head is a part of the axis that follows it."""
    letters = list(axes)
    for axis in reversed(range(len(letters))):
        if letters[axis] == "n":
            letters[axis] = next(letter for letter in letters[axis + 1 :] if letter in "io")
    return "".join(letters)


def _most(units: list[NDArray[Any]], elements: int) -> int:
    """How many elements share a unit; every unit must have as many."""
    if not units:
        return elements
    counts = np.unique(np.stack(units), axis=1, return_counts=True)[1]
    if counts.min() != counts.max():
        raise ValueError(f"a contraction whose units have {counts.min()} to {counts.max()} weights")
    return int(counts.max())


def naive(shape: Shape, layout: Layout) -> Count:
    """What the frameworks count: whole axes, and a transposed kernel's first axis as its output."""
    letters = _heads(layout.axes)
    taps = math.prod(n for n, letter in zip(shape, letters, strict=True) if letter in "dhwx")
    inputs = math.prod(n for n, letter in zip(shape, letters, strict=True) if letter in "igv")
    outputs = math.prod(n for n, letter in zip(shape, letters, strict=True) if letter == "o")
    if layout.transposed:
        inputs, outputs = outputs, inputs
    elif layout.groups > 1 and inputs == 1:  # depthwise: its channels are inputs, however it lies
        inputs, outputs = layout.groups, outputs // layout.groups
    return Count(inputs * taps, outputs * taps)


_CUT = 0.8796256610342398  # the standard deviation of a standard normal cut at two, by mpmath
_SQRT12 = 3.4641016151377544

#: Standard deviation by both fans, for every named scheme at its defaults.
FORMULAS: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "zeros": lambda i, o: 0.0,
        "ones": lambda i, o: 0.0,
        "constant": lambda i, o: 0.0,
        "normal": lambda i, o: 0.05,
        "uniform": lambda i, o: 0.1 / _SQRT12,
        "truncated_normal": lambda i, o: 0.05 * _CUT,
        "variance_scaling": lambda i, o: math.sqrt(1 / i),
        "glorot_normal": lambda i, o: math.sqrt(2 / (i + o)),
        "glorot_uniform": lambda i, o: math.sqrt(2 / (i + o)),
        "he_normal": lambda i, o: math.sqrt(2 / i),
        "he_uniform": lambda i, o: math.sqrt(2 / i),
        "lecun_normal": lambda i, o: math.sqrt(1 / i),
        "lecun_uniform": lambda i, o: math.sqrt(1 / i),
        "siren_first": lambda i, o: 1 / (math.sqrt(3) * i),
        "siren": lambda i, o: math.sqrt(2 / i) / 30,
        "mup_readout": lambda i, o: 1 / i,
        "normal@torch": lambda i, o: 1.0,
        "uniform@torch": lambda i, o: 1 / _SQRT12,
        "truncated_normal@torch": lambda i, o: _CUT,
        "glorot_normal@torch": lambda i, o: math.sqrt(2 / (i + o)),
        "glorot_uniform@torch": lambda i, o: math.sqrt(2 / (i + o)),
        "he_normal@torch": lambda i, o: math.sqrt(2 / i),
        "he_uniform@torch": lambda i, o: math.sqrt(2 / i),
        "zeros@keras": lambda i, o: 0.0,
        "normal@keras": lambda i, o: 0.05,
        "uniform@keras": lambda i, o: 0.1 / _SQRT12,
        "glorot_normal@keras": lambda i, o: math.sqrt(2 / (i + o)),
        "glorot_uniform@keras": lambda i, o: math.sqrt(2 / (i + o)),
        "he_normal@keras": lambda i, o: math.sqrt(2 / i),
        "he_uniform@keras": lambda i, o: math.sqrt(2 / i),
        "lecun_normal@keras": lambda i, o: math.sqrt(1 / i),
        "lecun_uniform@keras": lambda i, o: math.sqrt(1 / i),
        "variance_scaling@tf.contrib": lambda i, o: _CUT * math.sqrt(1.3 * 2 / i),
        "xavier@tf.contrib": lambda i, o: math.sqrt(2 / (i + o)),
        "msra@tf.contrib": lambda i, o: _CUT * math.sqrt(1.3 * 2 / i),
        "caffe@tf.contrib": lambda i, o: math.sqrt(1 / i),
        "glorot@tf.contrib": lambda i, o: math.sqrt(2 / (i + o)),
        "variance_scaling@tf.contrib-docs": lambda i, o: _CUT * math.sqrt(2 / i),
        "xavier@tf.contrib-docs": lambda i, o: math.sqrt(2 / (i + o)),
        "msra@tf.contrib-docs": lambda i, o: _CUT * math.sqrt(2 / i),
        "constant@neupy": lambda i, o: 0.0,
        "normal@neupy": lambda i, o: 0.01,
        "uniform@neupy": lambda i, o: 1 / _SQRT12,
        "he_normal@neupy": lambda i, o: math.sqrt(1 / i),
        "he_uniform@neupy": lambda i, o: math.sqrt(1 / i),
        "glorot_normal@neupy": lambda i, o: math.sqrt(1 / (i + o)),
        "glorot_uniform@neupy": lambda i, o: math.sqrt(1 / (i + o)),
        "xavier@berry": lambda i, o: math.sqrt(2 / (i + o)),
        "deepnet@berry": lambda i, o: math.sqrt(2 / o),
        "zeros@recipes": lambda i, o: 0.0,
        "uniform@recipes": lambda i, o: 1 / _SQRT12,
        "lecun_normal@recipes": lambda i, o: math.sqrt(1 / i),
        "he_normal@recipes": lambda i, o: math.sqrt(2 / (i + 1)),
        "glorot_normal@recipes": lambda i, o: math.sqrt(6 / (i + 1 + o)),
    }
)
