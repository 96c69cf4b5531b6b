"""Laws of the user's own, drawn wrongly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...spec.distribution import Normal
from ..own import OWN
from .mutant import Mutant
from .rows import row
from .seeds import same, unrepeatable


def own_laws() -> Iterator[Mutant]:
    """A law of the user's own, drawn wrongly."""
    yield row(
        "own-rate",
        OWN,
        "the scale taken for the rate",
        "torch.Tensor.exponential_(lambd) beside numpy's exponential(scale)",
        lambda s: 4 * s.draw(),
    )
    yield row(
        "own-scale",
        OWN,
        "five per cent too large",
        "a constant rounded by hand",
        lambda s: 1.05 * s.draw(),
    )
    yield row(
        "own-shifted",
        OWN,
        "shifted by a fiftieth of the scale",
        "a term added against log(0)",
        lambda s: s.draw() + 0.01,
    )
    yield row(
        "own-clipped",
        OWN,
        "clipped at six times the scale",
        "a guard against outliers",
        lambda s: np.minimum(s.draw(), 3.0),
    )
    yield row(
        "own-normal",
        OWN,
        "a normal law of the same mean and variance",
        "a sampler that knows moments alone",
        lambda s: s.draw(Normal(0.5, 0.5)),
    )
    yield row(
        "own-rng-ignored",
        OWN,
        "the generator that it is given is left unused",
        "hand-written samplers",
        same,
    )
    yield row(
        "own-rng-global",
        OWN,
        "other values at every call with the same seed",
        "numpy.random in place of the generator that is given",
        unrepeatable,
        tier="exact",
    )
