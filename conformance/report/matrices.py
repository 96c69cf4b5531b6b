"""What is wrong with a tensor whose law is of a whole one: orthogonal, sparse, or fixed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backends.cpu import laws as host_laws
from ...spec.distribution import Constant, Distribution
from ...spec.layout import Layout
from ...spec.tensor_laws import DeltaOrthogonal, Orthogonal, Sparse
from .cause import Cause, share
from .record import Decision
from .structure import mirrored

Array = NDArray[Any]
Failed = Mapping[str, Decision]

#: Tests that an orthogonal matrix fails which is not drawn evenly.
_NOT_HAAR = {"entries", "bilinear", "rotation", "largest", "repeats", "mirrored"}


def orthogonal(
    values: Array, law: Orthogonal | DeltaOrthogonal, layout: Layout, failed: Failed
) -> Iterator[Cause]:
    """Not orthonormal, of another gain, or orthogonal and not Haar's."""
    if "taps" in failed:
        yield Cause("the kernel is not zero beside its middle tap", _note(failed, "taps"))
        return
    if "residual" in failed or "norm" in failed:
        yield from _not_orthonormal(values, law, layout, failed)
        return
    numbers = np.unique(np.abs(np.round(values[0] / law.gain, 5)))
    if numbers.size <= 2 and set(numbers) <= {0.0, 1.0} and values[0].size > 1:
        yield Cause(
            "the matrix is an identity or a permutation, not one drawn from all orthogonal ones",
            _notes(failed),
        )
        return
    if "duplicates" in failed:
        yield Cause("stacked matrices are copies of each other", _note(failed, "duplicates"))
        return
    matrix = values[0].reshape(-1, values.shape[-1])
    found = list(mirrored(matrix))
    if found:
        yield found[0]._replace(numbers=_notes(failed))
    elif failed.keys() & {"diagonal", "signs", "trace"}:
        yield Cause(
            "the signs are not fair, as after QR without the sign fix: multiply Q's columns by the "
            "signs of R's diagonal",
            _notes(failed, "diagonal", "signs", "determinant"),
        )
    elif "determinant" in failed:
        always = failed["determinant"].statistic in (0.0, 1.0)
        yield Cause(
            "the determinant has always the same sign: rotations are drawn, and no reflections"
            if always
            else "the determinants have one sign more often than the other",
            _note(failed, "determinant"),
        )
    elif failed.keys() & _NOT_HAAR:
        yield Cause(
            "the matrices are orthogonal, and not drawn evenly from all orthogonal ones",
            _notes(failed),
        )
    elif "tensors" in failed:
        yield Cause("matrices of different seeds are aligned with each other", _notes(failed))
    elif "blocks" in failed:
        yield Cause("stacked matrices are aligned with each other", _notes(failed))


def _not_orthonormal(
    values: Array, law: Orthogonal | DeltaOrthogonal, layout: Layout, failed: Failed
) -> Iterator[Cause]:
    first, numbers = values[0], _notes(failed, "residual", "norm")
    splits = _orthonormal(first)
    right = [split for split in splits if split in _splits(layout, first.ndim)]
    if right and isinstance(law, Orthogonal):
        ratio = splits[right[0]][0] / law.gain
        known = {law.gain: "the gain squared", 1 / law.gain: "the gain left out"}
        reason = next((w for r, w in known.items() if math.isclose(r, ratio, rel_tol=1e-3)), "")
        told = f", explained by {reason}" if reason and law.gain != 1 else ""
        size = f"gain {splits[right[0]][0]:.6g} in place of {law.gain:.6g}"
        if law.count > 1:
            yield Cause(
                f"the whole is orthogonal, where each of {law.count} stacked matrices should be",
                numbers,
            )
            return
        if abs(ratio - 1) > 3 * splits[right[0]][1] + 1e-5:
            yield Cause(f"the matrix is orthogonal with a wrong gain{told}", (size, *numbers))
            return
        yield Cause("the matrix is orthogonal in too few digits: its precision is lost", numbers)
    elif splits:
        rows, columns = _sides(first.shape, next(iter(splits)))
        yield Cause(
            "the matrix is orthogonal on other axes than the layout's",
            (f"it is as a matrix of {rows} x {columns}", *numbers),
        )
    else:
        side = "columns" if law.rows >= law.columns else "rows"
        yield Cause(f"the matrix is not orthogonal: its {side} are not orthonormal", numbers)


def _orthonormal(first: Array) -> dict[int, tuple[float, float]]:
    """The gain for each place to split the axes into rows and columns of an orthogonal matrix, and
    by how much, relatively, it is not one.
    """
    found = {}
    for split in range(1, first.ndim):
        rows, columns = _sides(first.shape, split)
        if min(rows, columns) > 1 and rows * columns < 1 << 21:
            values = np.linalg.svd(first.reshape(rows, columns), compute_uv=False)
            if values[-1] > 0.99 * values[0] > 0:
                spread = float(1 - values[-1] / values[0])
                found[split] = float(np.sqrt((values**2).mean())), spread
    return found


def _splits(layout: Layout, ndim: int) -> tuple[int, ...]:
    """Where the axes split so that the outputs are on one side."""
    return tuple(
        split for split in (1, ndim - 1) if layout.axes[0 if split == 1 else -1] == "o" or ndim == 2
    )


def _sides(shape: tuple[int, ...], split: int) -> tuple[int, int]:
    return math.prod(shape[:split]), math.prod(shape[split:])


def sparse(values: Array, law: Sparse, layout: Layout, failed: Failed) -> Iterator[Cause]:
    """Zeros that are too few, too many or in the wrong lines, and the scale of the rest."""
    zero = values == 0
    if "zeros" in failed:
        numbers = (f"{share(int(zero.sum()), zero.size)} zeros, {law.share:.1%} documented",)
        by = {
            word: np.unique(zero.reshape(len(zero), -1, zero.shape[-1]).sum(axis=axis))
            for word, axis in (("column", 1), ("row", 2))
        }
        even = [word for word, counts in by.items() if counts.size == 1]
        role = {"column": layout.axes[-1:], "row": layout.axes[:1]}
        own = [int(by[word][0]) for word in even if role[word] == law.zeros_per[0]]
        if not zero.any():
            yield Cause("the matrix is dense: no value is zero", numbers)
        elif own:
            yield Cause(f"each {law.unit} has {own[0]} zeros in place of {law.zeros}", numbers)
        elif abs(float(zero.mean()) - law.share) > 0.1 * law.share:
            many = "many" if zero.mean() > law.share else "few"
            yield Cause(f"the share of zeros is wrong: there are too {many}", numbers)
        elif even:
            yield Cause(
                f"the zeros lie in the wrong lines: each {even[0]} has as many, and "
                f"the {law.unit}s have not",
                numbers,
            )
        else:
            yield Cause(
                f"the zeros are drawn one by one: not every {law.unit} has {law.zeros} of them",
                numbers,
            )
    elif failed.keys() & {"positions", "masks"}:
        yield Cause(
            "the zeros do not lie at even places, each line by itself",
            _notes(failed, "positions", "masks"),
        )
    elif "tensors" in failed:
        yield Cause("tensors of different seeds have their zeros together", _notes(failed))


def fixed(values: Array, law: Distribution, layout: Layout, dtype: str) -> Iterator[Cause]:
    """Numbers other than the ones that leave nothing to chance."""
    expected = np.asarray(
        host_laws.array(law, values.shape[1:], key=(0, 0), layout=layout, dtype="float64"), float
    )
    if values.size == 0:
        return
    first = values[0]
    numbers = (f"{share(int((first != expected).sum()), first.size)} values differ",)
    if isinstance(law, Constant):
        low, high = float(values.min()), float(values.max())
        if low == high:
            yield Cause(f"all values are {low + 0.0:.6g}, not {law.value:.6g}", numbers)
        else:
            span = f"{low:.6g} to {high:.6g}"
            yield Cause(f"the values are not all {law.value:.6g}", (span, *numbers))
        return
    if len(values) > 1 and (values != first).any():
        yield Cause("the values change with the seed, and should be fixed", numbers)
        return
    is_square = expected.ndim == 2 and expected.shape[0] == expected.shape[1]
    if is_square and np.allclose(first, expected.T):
        yield Cause("the tensor is transposed", numbers)
        return
    norm = float((expected**2).sum())
    factor = float((first * expected).sum()) / norm if norm else 0.0
    if factor and np.allclose(first, factor * expected):
        yield Cause("the tensor has another factor", (f"{factor:.6g} times", *numbers))
        return
    for axis, step in product(range(expected.ndim), (1, -1)):
        if np.allclose(first, np.roll(expected, step, axis)) or np.allclose(
            first, _shifted(expected, step, axis)
        ):
            yield Cause(f"the tensor is shifted by one place along axis {axis}", numbers)
            return
    yield Cause("the values are not the documented ones", numbers)


def _shifted(x: Array, step: int, axis: int) -> Array:
    """Shifted, with zeros in place of what is rolled round."""
    rolled = np.roll(x, step, axis)
    edge = [slice(None)] * x.ndim
    edge[axis] = slice(0, 1) if step > 0 else slice(-1, None)
    rolled[tuple(edge)] = 0
    return rolled


def _note(failed: Failed, test: str) -> tuple[str, ...]:
    note = failed[test].note if test in failed else ""
    return (note,) if note else ()


def _notes(failed: Failed, *tests: str) -> tuple[str, ...]:
    """What the tests saw, each with its name."""
    chosen = [test for test in failed if not tests or test in tests]
    return tuple(f"{test}: {failed[test].note}" for test in chosen[:2] if failed[test].note)
