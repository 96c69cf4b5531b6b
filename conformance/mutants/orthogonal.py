"""Matrices that are orthogonal and not Haar's, or not quite orthogonal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy import linalg, special

from ...spec.distribution import Normal
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import GAINED, HAAR, MATRIX, row


def _gain(s: Setting) -> float:
    return float(getattr(s.law, "gain", 1.0))


def _tall(s: Setting, values: Array) -> Array:
    """A matrix with no fewer rows than columns, from numbers of the tensor's shape."""
    matrix = values.reshape(-1, s.shape[-1])
    return matrix.T if matrix.shape[0] < matrix.shape[1] else matrix


def _placed(s: Setting, q: Array) -> Array:
    rows = math.prod(s.shape[:-1])
    return (q if q.shape == (rows, s.shape[-1]) else q.T).reshape(s.shape) * _gain(s)


def qr(of: Callable[[Array], Array] = special.ndtri, signs: bool = False) -> Fault:
    """Q of the QR factors of uniform numbers put through ``of``, with or without signs."""

    def make(s: Setting) -> Array:
        q, r = np.linalg.qr(_tall(s, of(s.uniform())))
        return _placed(s, q * np.where(np.diag(r) < 0, -1.0, 1.0) if signs else q)

    return make


def svd(of: Callable[[Array, Array], Array]) -> Fault:
    """Made from the singular vectors ``u`` and ``v`` of a normal matrix."""

    def make(s: Setting) -> Array:
        normal = special.ndtri(s.uniform()).reshape(-1, s.shape[-1])
        u, _, v = np.linalg.svd(normal, full_matrices=False)
        return _gain(s) * of(u, v).reshape(s.shape)

    return make


def hadamard(s: Setting) -> Array:
    """A Hadamard matrix with random signs: all entries are of one size."""
    signs = s.rng.choice([-1.0, 1.0], (2, s.shape[0]))
    return _gain(s) * linalg.hadamard(s.shape[0]) * np.outer(*signs) / math.sqrt(s.shape[0])


def rotation(s: Setting) -> Array:
    """Haar, but never a reflection: the determinant is always one."""
    q = qr(signs=True)(s)
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return q


def householder(s: Setting) -> Array:
    """One reflection."""
    v = special.ndtri(s.uniform((s.shape[0],)))
    return _gain(s) * (np.eye(s.shape[0]) - 2 * np.outer(v, v) / (v @ v))


def cayley(s: Setting) -> Array:
    """Cayley's transform of a skew matrix of normal numbers."""
    a = special.ndtri(s.uniform())
    skew, identity = a - a.T, np.eye(s.shape[0])
    return _gain(s) * np.linalg.solve(identity + skew, identity - skew)


def signed_permutation(s: Setting) -> Array:
    """A permutation matrix with random signs."""
    rng = s.rng
    permutation = np.eye(s.shape[0])[rng.permutation(s.shape[0])]
    return _gain(s) * permutation * rng.choice([-1.0, 1.0], s.shape[0])


def gain_power(power: int) -> Fault:
    """The gain left out, or taken twice."""
    return lambda s: qr(signs=True)(s) * _gain(s) ** (power - 1)


def normal_over_root(s: Setting) -> Array:
    """Normal numbers with the variance of an orthogonal matrix's entries."""
    return s.draw(Normal(0, _gain(s) / math.sqrt(max(s.shape))))


def noisy(s: Setting) -> Array:
    """Orthogonal up to a thousandth: computed in half precision."""
    return qr(signs=True)(s) + 1e-3 * special.ndtri(s.uniform())


def same_matrix(s: Setting) -> Array:
    """One orthogonal matrix for every seed."""
    return qr(signs=True)(Setting(s.law, s.shape, s.layout, 12345))


def matrices() -> Iterator[Mutant]:
    """Single matrices."""
    yield row(
        "qr-signs",
        HAAR,
        "QR without the signs of R",
        "chainer#5615, tensorflow#9429, cr-sparse#28",
        qr(),
        **MATRIX,
    )
    yield row("qr-signs-wide", HAAR, "the same, wide", "chainer#5615", qr(), shape=(8, 24))
    yield row("qr-signs-tall", HAAR, "the same, tall", "chainer#5615", qr(), shape=(24, 8))
    yield row(
        "qr-positive",
        HAAR,
        "QR of numbers on (0, 1)",
        "hand-written ports",
        qr(lambda u: u),
        **MATRIX,
    )
    yield row(
        "qr-uniform",
        HAAR,
        "QR of numbers on (-1, 1), signs put right",
        "hand-written ports",
        qr(lambda u: 2 * u - 1, signs=True),
        tier="deep",
        **MATRIX,
    )
    yield row(
        "qr-signs-of-numbers",
        HAAR,
        "QR of random signs, signs put right",
        "hand-written ports",
        qr(lambda u: np.where(u < 0.5, -1.0, 1.0), signs=True),
        tier="deep",
        **MATRIX,
    )
    yield row(
        "svd-left",
        HAAR,
        "the left singular vectors",
        "Lasagne, Keras 1, tflearn",
        svd(lambda u, v: u),
        tier="deep",
        **MATRIX,
    )
    yield row(
        "svd-left-tall",
        HAAR,
        "the left singular vectors, tall",
        "Lasagne, Keras 1",
        svd(lambda u, v: u),
        tier="deep",
        shape=(24, 8),
    )
    yield row(
        "svd-right-wide",
        HAAR,
        "the right singular vectors, wide",
        "Lasagne, Keras 1",
        svd(lambda u, v: v),
        shape=(8, 24),
        equivalent="not told from a Haar matrix by 16,384 of them",
    )
    yield row(
        "polar",
        HAAR,
        "the polar factor of a normal matrix",
        "a right sampler by another way",
        svd(lambda u, v: u @ v),
        equivalent="it is Haar",
        **MATRIX,
    )
    yield row(
        "rotations",
        HAAR,
        "never a reflection",
        "scipy.stats.special_ortho_group",
        rotation,
        **MATRIX,
    )
    yield row("householder", HAAR, "one reflection", "hand-written ports", householder, **MATRIX)
    yield row("cayley", HAAR, "Cayley's transform", "orthogonal parametrisations", cayley, **MATRIX)
    yield row(
        "permutation",
        HAAR,
        "a permutation with signs",
        "hand-written ports",
        signed_permutation,
        **MATRIX,
    )
    yield row(
        "hadamard",
        HAAR,
        "a Hadamard matrix with random signs",
        "orthogonal and not Haar, all entries of one size",
        hadamard,
        **MATRIX,
    )
    yield row(
        "gain-missing",
        GAINED,
        "the gain is left out",
        "hand-written ports",
        gain_power(0),
        **MATRIX,
    )
    yield row(
        "gain-squared",
        GAINED,
        "the gain is taken twice",
        "hand-written ports",
        gain_power(2),
        **MATRIX,
    )
    yield row(
        "matrix-of-no-seed",
        HAAR,
        "one matrix for every seed",
        "a seed ignored",
        same_matrix,
        **MATRIX,
    )
    yield row(
        "normal-for-orthogonal",
        HAAR,
        "independent normal numbers",
        "a fall-back for missing LAPACK",
        normal_over_root,
        **MATRIX,
    )


def imprecise() -> Iterator[Mutant]:
    """Matrices of too little precision."""
    yield row(
        "orthogonal-noisy",
        HAAR,
        "orthogonal to a thousandth",
        "QR in half precision",
        noisy,
        **MATRIX,
    )
