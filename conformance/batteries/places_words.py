"""Words for places in a tensor: rows, columns, axes, its end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def axis_name(axis: int, dimensions: int) -> str:
    """What an axis of a tensor counts; ``dimensions`` are those of the tensor.

    >>> axis_name(0, 2), axis_name(1, 2), axis_name(2, 4)
    ('row', 'column', 'index of axis 2')
    """
    if dimensions == 2:
        return ("row", "column")[axis]
    return "place" if dimensions == 1 else f"index of axis {axis}"


def named(axis: int, dimensions: int, index: int) -> str:
    """One slice of a tensor.

    >>> named(0, 2, 3), named(2, 4, 5)
    ('row 3', 'slice 5 of axis 2')
    """
    if dimensions > 2:
        return f"slice {index} of axis {axis}"
    return f"{axis_name(axis, dimensions)} {index}"


def along(axis: int, dimensions: int) -> str:
    """Along which axis of replicates of a tensor something was seen; -1 is the whole tensor."""
    if axis == -1:
        return "within a tensor"
    if axis == 0:
        return "in the same place from seed to seed"
    if dimensions == 3:
        return ("", "within a column", "within a row")[axis]
    return f"along axis {axis - 1}"


def line(shape: tuple[int, ...], axis: int, at: int, count: int, value: float) -> str:
    """One line along an axis of replicates of a tensor in which a value stands too often."""
    if axis == -1:
        return f"one tensor holds {value:.6g} {count} times"
    rest = tuple(n for k, n in enumerate(shape) if k != axis)
    place = tuple(int(i) for i in np.unravel_index(at, rest))
    if axis == 0:
        where = str(place[0] if len(place) == 1 else place)
        return f"place {where} is the same for {count} of {shape[0]} seeds: {value:.6g}"
    if len(shape) == 3:
        where = ("row", "column")[axis == 1] + f" {place[1]}"
    else:
        where = f"a line along axis {axis - 1}, at {place[1:]},"
    return f"{where} holds {value:.6g} {count} times of {shape[axis]}"


def throughout(equal: NDArray[np.bool_]) -> str:
    """Where something holds in every draw: whole slices of the tensor, or its end; else nothing.

    >>> import numpy as np
    >>> mask = np.zeros((2, 4, 3), bool); mask[:, 0] = True
    >>> throughout(mask)
    'row 0 is'
    """
    always: NDArray[np.bool_] = np.asarray(equal.all(axis=0))
    if not always.any():
        return ""
    dimensions = always.ndim
    for axis in range(dimensions):
        full = always.all(axis=tuple(k for k in range(dimensions) if k != axis))
        if full.all():
            return "every value is"
        if full.any() and dimensions > 1:
            found = np.flatnonzero(full)
            names = ", ".join(named(axis, dimensions, int(index)) for index in found[:3])
            more = f" and {found.size - 3} more are" if found.size > 3 else " are"
            return names + (" is" if found.size == 1 else more)
    flat = always.reshape(-1)
    if len(equal) == 1 and not (flat[-2:].all() or flat[:2].all()):
        return ""  # of one tensor every place is like that
    if flat[-1]:
        size = int(flat[::-1].argmin())
        what = "value is" if size == 1 else f"{size} values are"
        return f"the last {what}"
    if flat[0]:
        size = int(flat.argmin())
        return "the first value is" if size == 1 else f"the first {size} values are"
    places = np.flatnonzero(flat)
    return f"{places.size} places (the first is {int(places[0])}) are"
