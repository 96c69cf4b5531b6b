"""Fans, and the rules by which they are counted: the true one, and those of the frameworks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from ..errors import UnknownName
from ..public import public

Shape = tuple[int, ...]

MODES = ("FAN_IN", "FAN_OUT", "FAN_AVG", "FAN_GEO_AVG")


@public
class Fans(NamedTuple):
    """How many inputs feed one output, and how many outputs one input feeds.

    >>> from initspec import fans
    >>> fans((32, 4, 3, 3), "oihw, groups=4")
    Fans(fan_in=36, fan_out=72)
    """

    fan_in: float
    fan_out: float

    def n(self, mode: str, bias_unit: bool = False) -> float:
        """The number that ``variance = factor / n`` divides by; at least one.

        ``FAN_AVG`` is the arithmetic and ``FAN_GEO_AVG`` the geometric mean of both fans.
        ``bias_unit`` counts the constant input of the bias in ``fan_in``. Raises
        :class:`UnknownName` for another mode.

        >>> Fans(8, 4).n("FAN_AVG")
        6.0
        """
        fan_in, fan_out = self.fan_in + bias_unit, self.fan_out
        if mode == "FAN_IN":
            n = fan_in
        elif mode == "FAN_OUT":
            n = fan_out
        elif mode == "FAN_AVG":
            n = (fan_in + fan_out) / 2
        elif mode == "FAN_GEO_AVG":
            n = math.sqrt(fan_in * fan_out)
        else:
            raise UnknownName("mode", mode, MODES)
        return n or 1.0  # a zero-sized tensor has no element whose variance could be wrong


@dataclass(frozen=True, slots=True)
class Axes:
    """What a rule counts: sizes by role, how many parts an axis holds, and whether it is swapped.

    ``letters`` are the layout's, ``roles`` what they stand for. ``parts`` is the number of groups
    or stacked parameters, and ``divided`` the role of the axis that holds them; ``groups`` is the
    number of groups alone.
    """

    shape: Shape
    letters: str
    roles: tuple[str, ...]
    parts: int = 1
    divided: str = "out"
    transposed: bool = False
    groups: int = 1

    def size(self, *roles: str) -> int:
        """The product of the axes that play these roles."""
        return math.prod(n for n, role in zip(self.shape, self.roles, strict=True) if role in roles)

    @property
    def taps(self) -> int:
        """The size of the kernel: the product of its spatial axes."""
        return self.size("spatial")

    @property
    def channels(self) -> int:
        """The channels of a depthwise kernel, each a group of one input; one for other kernels.

        Such a kernel has them on an axis of their own, or on its output axis as groups.
        """
        depthwise = self.groups > 1 and self.size("in") == 1 and not self.transposed
        return self.size("group") * (self.groups if depthwise else 1)

    @property
    def multiplier(self) -> int:
        """The outputs that a depthwise kernel has for each channel; all outputs of others."""
        return self.size("group", "out") // (self.channels or 1)


def true(axes: Axes) -> Fans:
    """``fan_in = in * K`` and ``fan_out = out * K``, within one group and one stacked parameter.

    ``K`` is the product of the spatial axes. An embedding's ``fan_in`` is one, for one entry is
    looked up at a time; depthwise channels, heads and experts count as what they are.
    """
    sizes = {"in": axes.size("in"), "out": axes.size("out")}
    sizes[axes.divided] //= axes.parts
    return Fans(sizes["in"] * axes.taps, sizes["out"] * axes.taps)


def naive(axes: Axes) -> Fans:
    """``fan_in = in * groups * vocabulary * K`` and ``fan_out = out * K``, of whole axes.

    Groups and stacks on an axis are not divided, a depthwise kernel counts its channels as
    inputs, however it lies, and a transposed kernel's fans are swapped: what Keras and TensorFlow
    count, which store a depthwise kernel as ``(h, w, channel, multiplier)``. A vector has both fans
    ``n``, a scalar one.
    """
    return _of_vector(axes) if len(axes.shape) < 2 else naive_2d(axes)


def naive_2d(axes: Axes) -> Fans:
    """As ``naive``, of two axes or more: a vector has no fans unless its layout is given."""
    fan_in = axes.size("in", "vocabulary") * axes.channels * axes.taps
    fan_out = axes.multiplier * axes.taps
    return Fans(fan_out, fan_in) if axes.transposed else Fans(fan_in, fan_out)


def grouped(axes: Axes) -> Fans:
    """``fan_in = in * vocabulary * K`` and ``fan_out = out * groups * K``, of whole axes.

    As ``naive``, but a depthwise kernel counts as a convolution in groups of one input, however it
    lies: what JAX counts, which stores it as ``(h, w, 1, out)``.
    """
    fan_in = axes.size("in", "vocabulary") * axes.taps
    fan_out = axes.size("group", "out") * axes.taps
    return Fans(fan_out, fan_in) if axes.transposed else Fans(fan_in, fan_out)


def grouped_1d(axes: Axes) -> Fans:
    """As ``grouped``, and a vector has both fans ``n``, a scalar one: Haiku and Paddle."""
    return _of_vector(axes) if len(axes.shape) < 2 else grouped(axes)


def _of_vector(axes: Axes) -> Fans:
    n = math.prod(axes.shape)
    return Fans(n, n)


def torch(axes: Axes) -> Fans:
    """``fan_in = rest * K`` and ``fan_out = first * K``, by the place that PyTorch gives an axis.

    ``first`` is what PyTorch stores on axis 0: the outputs of all groups and stacked parameters;
    of a transposed convolution the inputs, of an embedding the vocabulary. ``rest`` is axis 1,
    and the axes past it count as the kernel ``K``, also the second input of a bilinear layer:
    ``(out, in1, in2)`` has ``fan_in = in1 * in2`` and ``fan_out = out * in2``.
    """
    first, rest, taps = _by_place(axes)
    return Fans(rest * taps, first * taps)


def tinygrad(axes: Axes) -> Fans:
    """``fan_in = rest * K`` and ``fan_out = first``: as ``torch``, without the kernel in one."""
    first, rest, taps = _by_place(axes)
    return Fans(rest * taps, first)


def no_kernel(axes: Axes) -> Fans:
    """``fan_in = in`` and ``fan_out = out``, of whole axes, as ``naive`` without the kernel."""
    return Fans(*(fan // (axes.taps or 1) for fan in naive_2d(axes)))


def last_two(axes: Axes) -> Fans:
    """``fan_in = shape[-2] * K`` and ``fan_out = shape[-1] * K``, ``K`` all axes before them.

    The places are those that Keras and JAX store: stacks, the kernel, ``in``, ``out`` (of a
    transposed kernel ``out``, ``in``; of a depthwise one channel, multiplier), whatever the layout
    that is given. Heads, experts and channels count as a kernel. A vector has both fans ``n``, a
    scalar one.
    """
    shape = _last_two_shape(axes)
    if len(shape) < 2:
        return Fans(math.prod(shape), math.prod(shape))
    taps = math.prod(shape[:-2])
    return Fans(shape[-2] * taps, shape[-1] * taps)


def elements(axes: Axes) -> Fans:
    """``fan_in = fan_out`` = the number of elements."""
    return Fans(math.prod(axes.shape), math.prod(axes.shape))


_STORED = {"batch": 0, "stack": 0, "spatial": 1, "vocabulary": 2, "in": 2, "group": 3, "out": 4}


def _last_two_shape(axes: Axes) -> Shape:
    """The shape as Keras and JAX store it."""
    if axes.groups > 1 and axes.channels > 1:  # a depthwise kernel that lies in groups
        outputs = (axes.channels, axes.multiplier)
        return (
            *(n for n, r in zip(axes.shape, axes.roles, strict=True) if r == "spatial"),
            *outputs,
        )
    ranks = {**_STORED, "in": 5} if axes.transposed else _STORED
    pairs = zip(axes.roles, axes.shape, strict=True)
    return tuple(size for _, size in sorted(pairs, key=lambda pair: ranks[pair[0]]))


def _by_place(axes: Axes) -> tuple[int, int, int]:
    """PyTorch's axis 0, its axis 1 and the product of what follows."""
    outputs, taps = axes.size("out", "group", "stack"), axes.taps
    if "vocabulary" in axes.roles:
        return axes.size("vocabulary"), axes.size("in") * outputs, taps
    if axes.transposed:
        return axes.size("in"), outputs, taps
    second = [n for n, letter in zip(axes.shape, axes.letters, strict=True) if letter == "i"][1:]
    inputs = [n for n, role in zip(axes.shape, axes.roles, strict=True) if role == "in"]
    first = inputs[: len(inputs) - len(second)]  # with its heads, which stand before it
    return outputs, math.prod(first), taps * math.prod(second)


#: Every rule by its name; all read roles, so that a layout does not change them.
RULES: Mapping[str, Callable[[Axes], Fans]] = MappingProxyType(
    {
        "true": true,
        "naive": naive,
        "naive_2d": naive_2d,
        "grouped": grouped,
        "grouped_1d": grouped_1d,
        "torch": torch,
        "tinygrad": tinygrad,
        "no_kernel": no_kernel,
        "last_two": last_two,
        "elements": elements,
    }
)

#: The rules that need no input and output axis.
BY_SIZE = ("last_two", "elements")

#: The rules that need none of a tensor of one axis, or of no axis.
OF_VECTORS = ("naive", "grouped_1d")
