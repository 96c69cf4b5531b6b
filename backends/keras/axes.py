"""The layout of a kernel whose layer says which of its axes are summed over."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import LayoutError
from ...spec.layout import Layout

#: The letter of an axis that is among the inputs, and among the outputs.
_LETTERS = {(True, False): "i", (False, True): "o", (True, True): "x", (False, False): "b"}


def layout_of(inputs: Sequence[int], outputs: Sequence[int], ndim: int) -> Layout:
    """The layout by the ``input_axes`` and ``output_axes`` of Keras' layers.

    Raises :class:`LayoutError` for an axis that a tensor of ``ndim`` axes has not.

    >>> layout_of([0], [1, 2], 3)
    Layout('ioo')
    """
    sides = []
    for axes in (inputs, outputs):
        if any(not -ndim <= axis < ndim for axis in axes):
            raise LayoutError(f"the axes {list(axes)} are not all in a tensor of {ndim} axes.")
        sides.append({axis % ndim for axis in axes})
    summed, kept = sides
    return Layout("".join(_LETTERS[axis in summed, axis in kept] for axis in range(ndim)))
