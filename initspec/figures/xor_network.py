"""The network of the XOR tutorial, and how its loss falls from some first weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..readings.registry import get
from .curves import Points

HIDDEN, RATE, SEED = 4, 0.5, 1


def xor_losses(scheme: Any, steps: int = 2000) -> tuple[float, ...]:
    """The mean cross-entropy of a network of 2-4-1 units, learning XOR from these weights.

    Four ``tanh`` units and a sigmoid, biases zero, gradient descent on all four examples: the
    network of the tutorial in ``docs/tutorials/xor``. Item ``i`` is the loss after ``i`` steps.

    >>> losses = xor_losses("zeros", 10)
    >>> losses[0] == losses[10], round(losses[0], 6)  # log(2), that of knowing nothing
    (True, 0.693147)
    """
    rule = get(scheme)
    inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = np.array([[0.0], [1.0], [1.0], [0.0]])
    w1, b1 = rule.numpy((2, HIDDEN), seed=SEED, name="hidden").astype(float), np.zeros(HIDDEN)
    w2, b2 = rule.numpy((HIDDEN, 1), seed=SEED, name="output").astype(float), np.zeros(1)
    losses = []
    for _ in range(steps + 1):
        hidden = np.tanh(inputs @ w1 + b1)
        logits = hidden @ w2 + b2
        losses.append(float(np.mean(np.logaddexp(0.0, logits) - targets * logits)))
        error = (1 + np.tanh(logits / 2)) / 2 - targets
        back = (error @ w2.T) * (1 - hidden**2)
        w2, b2 = w2 - RATE * (hidden.T @ error), b2 - RATE * error.sum(0)
        w1, b1 = w1 - RATE * (inputs.T @ back), b1 - RATE * back.sum(0)
    return tuple(losses)


def thinned(values: Iterable[float], most: int = 200) -> Points:
    """Every so many of a long list, with their places, the first and the last among them."""
    listed = list(values)
    kept = sorted({round(i) for i in np.linspace(0, len(listed) - 1, most).tolist()})
    return tuple((float(i), listed[i]) for i in kept)
