"""The portable stream by its definition, and an adapter against it, bit for bit."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import plugins, stream
from ...backends.cpu import laws as host_laws
from ...spec.custom import CustomLaw
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ...spec.tensor_laws import DeltaOrthogonal, Orthogonal
from ...stream import dtypes
from ..cell import Cell
from ..finding import Finding, certain
from ..probability import transform
from ..probability.own_law import Own

Array = NDArray[Any]

#: Other tensors at which a portable backend must equal the reference.
REFERENCES: tuple[tuple[Shape, str], ...] = (
    ((12, 5), "oi, stack=3"),
    ((8, 3, 2), "oiw, groups=4"),
    ((2, 3, 4, 6), "hwio"),
)


def values_of(words: Array, law: Distribution, dtype: str) -> NDArray[np.float64]:
    """The reference: words to values of a type, by the stream's definition.

    Of a law of the user's own it is the quantile of the middle of each word.
    """
    if isinstance(law, (CustomLaw, Own)):
        with np.errstate(all="ignore"):  # a type may end before the law does
            numbers = np.asarray(law.custom.ppf((words + 0.5) * 2.0**-32), np.float64)
            return dtypes.widened(dtypes.rounded(numbers, dtype))
    wide = "float64" if dtype == "float64" else "float32"
    return dtypes.widened(dtypes.rounded(stream.values(words, law.draw, wide), dtype))


def canonical_index(shape: Shape, layout: Layout) -> NDArray[np.int64]:
    """The index of each element, by numbering a tensor in canonical order and storing it."""
    ranks = {"batch": 0, "stack": 1, "spatial": 3, "vocabulary": 4, "in": 4, "group": 5, "out": 6}
    sizes: list[int] = []
    order: list[tuple[int, int]] = []
    for size, role in zip(shape, layout.roles(shape), strict=True):
        if role == "out" and layout.stack > 1:
            order.append((2, len(sizes)))
            sizes.append(layout.stack)
            size //= layout.stack
        order.append((ranks[role], len(sizes)))
        sizes.append(size)
    permuted = [place for _, place in sorted(order)]
    numbered = np.arange(math.prod(sizes)).reshape([sizes[place] for place in permuted])
    return numbered.transpose(np.argsort(permuted)).reshape(shape)


def expected(
    law: Distribution, shape: Shape, layout: Layout, dtype: str, key: stream.Key
) -> NDArray[np.float64]:
    """What the portable stream gives: by its definition, or by the host where elements are tied."""
    if (law.elementwise and law.std > 0) or (
        isinstance(law, CustomLaw) and law.custom.ppf is not None
    ):
        words = stream.words(key, canonical_index(shape, layout).astype(np.uint64))
        return values_of(words, law, dtype)
    return dtypes.widened(host_laws.array(law, shape, key=key, layout=layout, dtype=dtype))


def reference(cell: Cell, values: Array) -> Finding:
    """A portable backend equals the reference bit for bit, whole and in a window."""
    law = cell.scheme.on(cell.shape, cell.layout)
    wanted = expected(law, cell.shape, cell.layout, cell.dtype, stream.key_from_seed(cell.seed))
    wrong = _unequal(values, wanted, law, cell.dtype)
    note = f"{wrong} of {values.size} values differ from the reference"
    if not wrong:
        maker = plugins.backend(cell.target.backend)
        window = _inside(cell.shape)
        options = {"key": maker.key(cell.seed), "layout": cell.layout, "dtype": cell.dtype}
        cut = maker.tohost(maker.sample(law, cell.shape, window=window, **options))
        wrong = _unequal(cut, wanted[window], law, cell.dtype)
        note = f"{wrong} values of a window differ from those of the whole tensor"
    return certain("reference", wrong, note)


def _inside(shape: Shape) -> tuple[slice, ...]:
    return tuple(slice(size // 3, size - size // 4) for size in shape)


@lru_cache(maxsize=256)
def layouts(name: str, law: Distribution, dtype: str) -> Finding:
    """Other layouts, fused, grouped and convolved, whole and in windows: one law of each kind."""
    maker, seed = plugins.backend(name), 2**63 + 11
    key, adapters_key = stream.key_from_seed(seed), maker.key(seed)
    for shape, text in REFERENCES:
        layout = Layout.parse(text)
        wanted = expected(law, shape, layout, dtype, key)
        for window in (None, _inside(shape)):
            options = {"key": adapters_key, "layout": layout, "dtype": dtype, "window": window}
            drawn = maker.sample(law, shape, **options)
            part = wanted if window is None else wanted[window]
            wrong = _unequal(maker.tohost(drawn), part, law, dtype)
            if wrong:
                where = f"{'a window' if window else 'a tensor'} of {shape} '{layout}'"
                note = f"{wrong} values of {where} differ from the reference"
                return Finding("layouts", wrong, 0.0, note)
    return Finding("layouts", 0.0, 1.0)


def _unequal(drawn: Array, wanted: Array, law: Distribution, dtype: str) -> int:
    values = np.asarray(drawn).astype(np.float64)
    if values.shape != wanted.shape:
        return max(values.size, 1)
    if isinstance(law, (Orthogonal, DeltaOrthogonal)):  # promised to 1e-6, and to the rounding
        near = 1e-6 * law.gain + 2.0 ** -transform.TYPES[dtype][0] * np.abs(wanted)
        return int(np.count_nonzero(np.abs(values - wanted) > near))
    return int(np.count_nonzero((values != wanted) | (np.signbit(values) != np.signbit(wanted))))
