"""Fixed tensors: numbers where there should be zeros, ones, or an identity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...spec.distribution import Normal
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import NORMAL, row


def wrong_place(shift: int) -> Fault:
    """A fixed tensor, moved along its output axis."""

    def make(s: Setting) -> Array:
        from ...backends.cpu import laws as host_laws

        right = host_laws.array(s.law, s.shape, key=(0, 0), layout=s.layout, dtype="float64")
        return np.roll(right, shift, s.layout.axes.index("o"))

    return make


def fixed() -> Iterator[Mutant]:
    """Numbers where there should be zeros, ones, or an identity, and the reverse."""
    yield row(
        "zero-weights",
        "zeros",
        "small numbers where there should be zeros",
        "transformers, BERT's biases",
        lambda s: s.draw(Normal(0, 0.02)),
    )
    yield row(
        "scale-is-mean",
        NORMAL,
        "all zero: the scale was given the mean",
        "thinc's normal_init",
        lambda s: np.zeros(s.shape),
    )
    yield row(
        "norms-drawn",
        "ones",
        "a normalisation's weights drawn from N(0, 0.02**2)",
        "transformers#143, BERT",
        lambda s: s.draw(Normal(0, 0.02)),
    )
    yield row(
        "dirac-off",
        "dirac",
        "the identity of a convolution, one channel off",
        "an index off by one",
        wrong_place(1),
        shape=(3, 5, 8, 12),
        layout="hwio",
    )
