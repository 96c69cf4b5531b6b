"""The axes that JAX's initializers are told by number, as a layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import LayoutError, short_repr
from ..spec.arguments import integer, plain
from ..spec.layout import Layout

#: JAX's words for axes, each with the letter of its role.
JAX_AXES = {"in_axis": "i", "out_axis": "o", "batch_axis": "b"}


def axes_of(word: str, given: Any) -> tuple[int, ...]:
    """An axis, or several, as numbers; raises :class:`LayoutError` for anything else.

    >>> axes_of("in_axis", -2), axes_of("batch_axis", [0, 1])
    ((-2,), (0, 1))
    """
    value = plain(given)
    several = value if isinstance(value, (tuple, list)) else (value,)
    kind = f"an axis of {word}={short_repr(given)}"
    return tuple(integer(kind, axis, -(2**31), LayoutError) for axis in several)


def layout_of_axes(axes: Mapping[str, tuple[int, ...]], ndim: int | None = None) -> Layout:
    """The layout in which these axes play their roles, and all others are the kernel's.

    Without ``ndim`` it is that of as few axes as hold them all.

    Raises :class:`LayoutError` where an axis has two roles, or lies outside of the tensor.

    >>> layout_of_axes({"in_axis": (-2,), "out_axis": (-1,), "batch_axis": (0,)})
    Layout('bio')
    """
    numbers = [axis for word in JAX_AXES for axis in axes[word]]
    if ndim is not None:
        least = most = integer("ndim", ndim, 0, LayoutError)
    else:
        least = max([len(numbers), *(axis + 1 if axis >= 0 else -axis for axis in numbers)])
        most = 2 * least  # axes from the front and from the back meet no more
    for count in range(least, most + 1):
        letters = _letters(axes, count)
        if letters is not None:
            return Layout(letters)
    words = ", ".join(f"{word}={axes[word]}" for word in JAX_AXES)
    where = "any tensor" if ndim is None else f"a tensor of {ndim} axes"
    raise LayoutError(
        f"{words} do not fit {where}: each axis has one role and lies within the tensor."
    )


def _letters(axes: Mapping[str, tuple[int, ...]], ndim: int) -> str | None:
    letters = ["x"] * ndim
    for word, letter in JAX_AXES.items():
        for axis in axes[word]:
            if not -ndim <= axis < ndim or letters[axis] != "x":
                return None
            letters[axis] = letter
    return "".join(letters)
