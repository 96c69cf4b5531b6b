"""Tensors that share elements of one storage."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def overlapping(views: Sequence[tuple[str, Tensor]]) -> tuple[str, str] | None:
    """The names of two views of one storage that share elements; None where none do.

    >>> base = torch.zeros(8)
    >>> overlapping([("a", base[:4]), ("b", base[4:])])
    >>> overlapping([("a", base[:6]), ("b", base[2:])])
    ('a', 'b')
    """
    spans = sorted(((*_span(view), name, view) for name, view in views), key=lambda one: one[:3])
    for at, (start, stop, name, view) in enumerate(spans):
        for low, high, other, seen in spans[at + 1 :]:
            if low >= stop:
                break
            if _share(view, seen, start, max(stop, high)):
                return name, other
    return None


def _span(view: Tensor) -> tuple[int, int]:
    """The first byte of a view in its storage, and the one after its last."""
    last = sum((n - 1) * step for n, step in zip(view.shape, view.stride(), strict=True))
    start = view.storage_offset() * view.element_size()
    return int(start), int(start + (last + 1) * view.element_size())


def _share(first: Tensor, second: Tensor, start: int, stop: int) -> bool:
    """Whether two views have an element in common, as the columns of one matrix do not."""
    if first.element_size() != second.element_size():
        return True
    size = first.element_size()
    marks = torch.zeros((stop - start) // size, dtype=torch.bool)

    def within(view: Tensor) -> Tensor:
        offset = view.storage_offset() - start // size
        return marks.as_strided(view.shape, view.stride(), offset)

    within(first).fill_(True)
    return bool(within(second).any())
