"""A tensor put together of parts with laws of their own: fused weights, biases of gates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..spec.distribution import Distribution
from .matches import Groups
from .sample import Sample

Array = NDArray[Any]

_MOST = 6
_LEAST = 32  # values of a part
_GAIN = 40.0  # nats by which two scales are likelier than one, where a tensor is cut


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an axis with a law of its own.

    ``groups`` are those of :class:`Inference`, on the part alone; ``looks`` is the usual law that
    fits where no scheme does.
    """

    axis: int
    start: int
    stop: int
    groups: Groups
    looks: Distribution | None

    @property
    def law(self) -> Distribution | None:
        """The law with the plainest name, or the usual one that fits."""
        return self.groups[0][0].law if self.groups else self.looks

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        law = self.law
        return {
            "axis": self.axis,
            "start": self.start,
            "stop": self.stop,
            "law": law.words if law is not None else None,
            "names": [name for match in (self.groups or ((),))[0] for name in match.names],
        }


#: What infers a part, from its numbers: its groups, and the usual law that fits.
Judge = Callable[[Array], tuple[Groups, Distribution | None]]


def parts_of(sample: Sample, judge: Judge, *, stacked: bool = False) -> tuple[Part, ...]:
    """The parts of a tensor where each has a law; none where it is no such thing.

    A tensor is cut where its mean or scale changes, and into two, three and four equal parts where
    these are not alike, or ``stacked``, one below the other, in some other way.
    """
    if sample.n < 2 * _LEAST:
        return ()
    seen = set()
    tried = [(False, cut) for cut in _by_scale(sample)] + [(True, cut) for cut in _equal(sample)]
    for equal, (axis, cuts) in tried:
        if (axis, cuts) in seen:
            continue
        seen.add((axis, cuts))
        if equal and not stacked and not _differ(sample.values, axis, cuts):
            continue
        found = []
        for start, stop in itertools.pairwise(cuts):
            values = sample.values.take(range(start, stop), axis)
            groups, looks = judge(values) if values.size >= _LEAST else ((), None)
            if not groups and (looks is None or equal):
                break
            found.append(Part(axis, start, stop, groups, looks))
        else:
            if not _share(found):
                return tuple(found)
    return ()


def _differ(values: Array, axis: int, cuts: tuple[int, ...]) -> bool:
    """Whether neighbours are of different laws: the two-sample test of Kolmogorov and Smirnov."""
    parts = [np.sort(part, axis=None) for part in np.split(values, cuts[1:-1], axis)]
    for one, other in itertools.pairwise(parts):
        below = (np.searchsorted(part, one, "right") / part.size for part in (one, other))
        distance = float(np.abs(np.subtract(*below)).max())
        if 2 * math.exp(-2 * distance**2 * one.size * other.size / (one.size + other.size)) < 0.1:
            return True
    return False


def _share(parts: list[Part]) -> bool:
    """Whether parts have a law of single elements in common, so that it is not the parts that the
    whole was refused for.
    """
    first = [{match.law for match in part.groups[0]} if part.groups else set() for part in parts]
    if any(not law.elementwise for laws in first for law in laws):
        return False
    laws = [{match.law for group in part.groups for match in group} for part in parts]
    return bool(set.intersection(*laws))


def _axes(sample: Sample) -> tuple[int, ...]:
    ndim = sample.values.ndim
    return (0, ndim - 1) if ndim > 1 else (0,)


def _equal(sample: Sample) -> Iterator[tuple[int, tuple[int, ...]]]:
    for axis in _axes(sample):
        size = sample.values.shape[axis]
        for count in (2, 3, 4):
            if size % count == 0 and size // count > 1:
                yield axis, tuple(range(0, size + 1, size // count))


def _by_scale(sample: Sample) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Cuts where the mean or the scale changes, the surest first."""
    for axis in _axes(sample):
        lines = np.moveaxis(sample.values, axis, 0).reshape(sample.values.shape[axis], -1)
        first, second = lines.sum(axis=1), (lines**2).sum(axis=1)
        sums = [np.concatenate([[0.0], np.cumsum(moments)]) for moments in (first, second)]
        cuts = {0, len(lines)}
        waiting = [(0, len(lines))]
        while waiting and len(cuts) <= _MOST + 1:
            start, stop = waiting.pop(0)
            cut = _cut(sums, start, stop, lines.shape[1])
            if cut is not None:
                cuts.add(cut)
                waiting += [(start, cut), (cut, stop)]
        if 2 < len(cuts) <= _MOST + 1:
            yield axis, tuple(sorted(cuts))


def _cut(sums: list[Array], start: int, stop: int, length: int) -> int | None:
    """The place that parts a stretch best into two normal laws, if it does at all."""
    least = max(1, -(-_LEAST // length))
    at = np.arange(start + least, stop - least + 1)
    if not at.size:
        return None

    def cost(low: Any, high: Any) -> Any:
        n = (high - low) * float(length)
        mean = (sums[0][high] - sums[0][low]) / n
        variance = (sums[1][high] - sums[1][low]) / n - mean**2
        return n / 2 * np.log(np.maximum(variance, 1e-12 * (sums[1][-1] + 1e-300)))

    gain = cost(start, stop) - cost(start, at) - cost(at, stop)
    best = int(gain.argmax())
    return int(at[best]) if math.isfinite(gain[best]) and gain[best] > _GAIN else None
