"""Are values more even than chance: quasi-random, standardised? And is the rank full?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..finding import Finding
from ..probability.spacings import moran
from .place_scores import Scores

Array = NDArray[np.float64]

#: Rows and columns of which the rank is asked.
COMPARED = 1024


def even(scores: Scores) -> Finding:
    """Values that leave spacings too even, or that have the very mean and spread asked for."""
    if scores.ranked:  # ranks are even
        return Finding("even", 0.0, 1.0)
    found = [*_spacings(scores.v), *_standardised(scores)]
    if not found:
        return Finding("even", 0.0, 1.0)
    p, statistic, note = min(found)
    p = min(1.0, p * len(found))
    return Finding("even", statistic, p, note if p < 1e-6 else "")


def _spacings(v: Array) -> Iterator[tuple[float, float, str]]:
    views = [("a tensor", v.reshape(v.shape[0], -1))]
    if v.ndim > 2:
        views.append(("a row" if v.ndim == 3 else "the last axis", v))
        views.append(("a column" if v.ndim == 3 else "axis 0", np.moveaxis(v, 1, -1)))
    if v.shape[0] > 1:
        views.append(("a place, over the seeds,", np.moveaxis(v, 0, -1)))
    for words, view in views:
        if view.shape[-1] > 1:
            mean, p = moran(view)
            told = f"the values of {words} are more even than chance, as quasi-random ones are"
            yield p, mean, f"{told}: the mean logarithm of their spacings is {mean:.3f}, not -0.577"


def _standardised(scores: Scores) -> Iterator[tuple[float, float, str]]:
    """Each tensor's mean nearer to the law's, and its spread nearer, than chance allows.

    A sum of independent numbers of density at most ``L``, with weights of length one, has a density
    of at most ``sqrt(2) L`` (Ball), so that ``P(|sum| <= e) <= 2 sqrt(2) L e``. Of a normal law the
    spread is independent of the mean, and its distance from what was asked has an exact p-value.
    """
    x = scores.linear.reshape(scores.linear.shape[0], -1)
    count, size = x.shape
    if size < 2:
        return
    z = np.abs(x.sum(axis=1)) / math.sqrt(size)
    means = _logs(2 * math.sqrt(2) * scores.density * z)
    near = float(z.max())
    words = "every tensor has the very mean that was asked for"
    yield float(special.gammaincc(count, means.sum())), near, words
    if not scores.is_normal:
        return
    squares = ((x - x.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    for asked in (size, size - 1):
        gap = np.abs(squares - asked)
        chance = special.chdtr(size - 1, asked + gap) - special.chdtr(
            size - 1, np.maximum(asked - gap, 0.0)
        )
        spread = _logs(np.maximum(chance, 1e-15))
        near = float(gap.max() / size)
        words = "every tensor has the very standard deviation that was asked for"
        yield float(special.gammaincc(count, spread.sum())), near, words
        both = float(special.gammaincc(2 * count, (means + spread).sum()))
        yield both, near, "every tensor has the very mean and standard deviation asked for"


def _logs(p: Array) -> Array:
    return -np.log(np.clip(p, 1e-17, 1.0))


def rank(scores: Scores) -> Finding:
    """No row lies in the span of those before it.

    Given the others, the distance of a row from their span is at least that from a hyperplane,
    which is a sum with weights of length one: see :func:`_standardised`.
    """
    x = scores.linear
    x = x.reshape(x.shape[0], -1, x.shape[-1] if x.ndim > 1 else 1)[:, :COMPARED, :COMPARED]
    if x.shape[1] < x.shape[2]:
        x = x.swapaxes(1, 2)
    least = x.shape[2]
    if least < 2:
        return Finding("rank", float(least), 1.0)
    distances = np.abs(np.diagonal(np.linalg.qr(x, mode="r"), axis1=1, axis2=2))
    logs = _logs(2 * math.sqrt(2) * scores.density * distances)
    whole = float(special.gammaincc(logs.size, logs.sum()))
    one = float(special.gammaincc(logs.shape[0], logs.sum(axis=0).max())) * least
    p = min(1.0, 2 * min(whole, one))  # any of them, or the same one in every tensor
    ranks = least - (distances < 1e-2 * math.sqrt(x.shape[1])).sum(axis=1)
    note = f"matrices of {x.shape[1]} x {least} have a rank of about {int(np.median(ranks))}"
    return Finding("rank", float(np.median(ranks)), p, note if p < 1e-6 else "")
