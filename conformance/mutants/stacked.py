"""Orthogonal matrices that are stacked in one tensor, or placed in a kernel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .fault import Array, Fault, Setting
from .mutant import Mutant
from .orthogonal import qr
from .rows import HAAR, row


def per_part(parts: int) -> Fault:
    """Orthogonal in each part of the last axis, where the whole should be."""

    def make(s: Setting) -> Array:
        width = s.shape[-1] // parts
        matrices = [
            qr(signs=True)(Setting(s.law, (*s.shape[:-1], width), s.layout, parts * s.seed + part))
            for part in range(parts)
        ]
        return np.concatenate(matrices, axis=-1)

    return make


def copied_matrices(parts: int) -> Fault:
    """The orthogonal parts of the last axis are copies of one."""

    def make(s: Setting) -> Array:
        width = s.shape[-1] // parts
        part = qr(signs=True)(Setting(s.law, (*s.shape[:-1], width), s.layout, s.seed))
        return np.tile(part, parts)

    return make


def jointly(s: Setting) -> Array:
    """Orthogonal as a whole, where each stacked part should be."""
    return qr(signs=True)(s)


def first_tap(s: Setting) -> Array:
    """A delta-orthogonal kernel whose matrix lies at the first tap, not at the middle one."""
    kernel = np.zeros(s.shape)
    inner = s.shape[-2:]
    kernel.reshape(-1, *inner)[0] = qr(signs=True)(Setting(s.law, inner, s.layout, s.seed))
    return kernel


def stacked() -> Iterator[Mutant]:
    """Orthogonal matrices that are stacked in one tensor, or placed in a kernel."""
    yield row(
        "orthogonal-per-gate",
        HAAR,
        "each gate is orthogonal where the whole should be",
        "ports of recurrent cells",
        per_part(4),
        shape=(16, 64),
    )
    yield row(
        "orthogonal-jointly",
        HAAR,
        "the whole is orthogonal where each gate should be",
        "Keras LSTM, flax.nnx.OptimizedLSTMCell",
        jointly,
        shape=(16, 64),
        layout="io, stack=4",
    )
    yield row(
        "orthogonal-gates-equal",
        HAAR,
        "the gates are copies of one matrix",
        "Keras with an integer seed",
        copied_matrices(4),
        shape=(16, 64),
        layout="io, stack=4",
    )
    yield row(
        "delta-off",
        "delta_orthogonal",
        "the matrix at the first tap, not at the middle one",
        "an index off by one",
        first_tap,
        shape=(3, 3, 8, 16),
        layout="hwio",
    )
