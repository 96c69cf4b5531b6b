"""Faults of whole tensors: dependence, and laws that tie elements together."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ...spec.distribution import Normal
from . import faults as f
from .mutant import Mutant
from .rows import GATES, MATRIX, NORMAL, SQUARE, STANDARD, TRUNCATED, row


def dependence() -> Iterator[Mutant]:
    """Right values that depend on each other."""
    yield row(
        "seed-ignored",
        TRUNCATED,
        "the same tensor for every seed",
        "netket#241, nntile#21, keras-hub#352, torch.nn.init.sparse_",
        f.same,
    )
    yield row(
        "seed-halved",
        TRUNCATED,
        "seeds 2 k and 2 k + 1 are one",
        "a seed's last bit lost",
        f.seeds(lambda seed: seed // 2),
    )
    yield row(
        "seed-period",
        TRUNCATED,
        "seeds repeat after 128",
        "Keras' SeedGenerator, of a short period",
        f.seeds(lambda seed: seed % 128),
    )
    yield row(
        "seed-of-8-bits",
        TRUNCATED,
        "seeds repeat after 256",
        "a seed in a byte",
        f.seeds(lambda seed: seed % 256),
        tier="exact",
    )
    yield row(
        "unrepeatable",
        TRUNCATED,
        "other values at every call with the same seed",
        "PyTorch's and Flux's sparse initializers, whose generator is ignored",
        f.unrepeatable,
        tier="exact",
    )
    yield row(
        "seed-is-a-sign",
        TRUNCATED,
        "tensors of other seeds differ in sign",
        "antithetic draws",
        f.signed_copies,
    )
    yield row(
        "streams-overlap",
        TRUNCATED,
        "the next seed's stream starts 400 values later",
        "counters advanced by too little; Keras' SeedGenerator",
        f.overlapping,
    )
    yield row("row-tiled", TRUNCATED, "one row, tiled", "broadcasting", f.broadcast)
    yield row("two-rows-equal", TRUNCATED, "two rows are copies", "an index off by one", f.two_rows)
    yield row(
        "rows-antithetic",
        TRUNCATED,
        "the second half of the rows is minus the first",
        "antithetic draws",
        f.antithetic,
    )
    yield row(
        "rows-permuted", TRUNCATED, "rows are permutations of each other", "shuffling", f.permuted
    )
    yield row(
        "symmetric",
        TRUNCATED,
        "equal to its transpose",
        "a product with itself",
        f.symmetric,
        **SQUARE,
    )
    yield row("sorted", TRUNCATED, "the right numbers in order", "quasi-random points", f.ordered)
    yield row(
        "correlated-0.05",
        STANDARD,
        "neighbours correlated by 0.05",
        "weak generators",
        f.autoregressive(0.05),
    )
    yield row(
        "correlated-0.2",
        STANDARD,
        "neighbours correlated by 0.2",
        "weak generators",
        f.autoregressive(0.2),
    )
    yield row(
        "pairs-equal",
        STANDARD,
        "Box and Muller's pair is one number twice",
        "hand-written ports",
        f.box_muller_twice,
    )
    yield row("zero-column", STANDARD, "a column of zeros", "sign(0) of a QR factor", f.zero_column)
    yield row(
        "blocks-equal",
        "glorot_uniform",
        "two blocks of the weight are copies",
        "TensorFlow's partitioned variables, torchtitan#3106, flax#2665",
        f.copied_blocks(2),
    )
    yield row(
        "gates-equal",
        "glorot_uniform",
        "four gates are copies",
        "Keras with an integer seed",
        f.copied_blocks(4),
        **GATES,
    )
    yield row(
        "qkv-equal",
        "glorot_uniform",
        "q, k and v are copies",
        "Keras MultiHeadAttention with an integer seed",
        f.copied_blocks(3),
        shape=(32, 96),
        layout="io, stack=3",
    )


def tied() -> Iterator[Mutant]:
    """Orthogonal, sparse and fixed tensors."""
    haar, gained = "orthogonal", "orthogonal(gain=1.4142135623730951)"
    yield row(
        "qr-signs",
        haar,
        "QR without the signs of R",
        "chainer#5615, tensorflow#9429, cr-sparse#28",
        f.qr(),
        **MATRIX,
    )
    yield row("qr-signs-wide", haar, "the same, wide", "chainer#5615", f.qr(), shape=(8, 24))
    yield row("qr-signs-tall", haar, "the same, tall", "chainer#5615", f.qr(), shape=(24, 8))
    yield row(
        "qr-positive",
        haar,
        "QR of numbers on (0, 1)",
        "hand-written ports",
        f.qr(lambda u: u),
        **MATRIX,
    )
    yield row(
        "qr-uniform",
        haar,
        "QR of numbers on (-1, 1), signs put right",
        "hand-written ports",
        f.qr(lambda u: 2 * u - 1, signs=True),
        tier="deep",
        **MATRIX,
    )
    yield row(
        "qr-signs-of-numbers",
        haar,
        "QR of random signs, signs put right",
        "hand-written ports",
        f.qr(lambda u: np.where(u < 0.5, -1.0, 1.0), signs=True),
        tier="deep",
        **MATRIX,
    )
    yield row(
        "svd-left",
        haar,
        "the left singular vectors",
        "Lasagne, Keras 1, tflearn",
        f.svd(lambda u, v: u),
        tier="deep",
        **MATRIX,
    )
    yield row(
        "svd-left-tall",
        haar,
        "the left singular vectors, tall",
        "Lasagne, Keras 1",
        f.svd(lambda u, v: u),
        tier="deep",
        shape=(24, 8),
    )
    yield row(
        "svd-right-wide",
        haar,
        "the right singular vectors, wide",
        "Lasagne, Keras 1",
        f.svd(lambda u, v: v),
        shape=(8, 24),
        equivalent="not told from a Haar matrix by 16,384 of them",
    )
    yield row(
        "polar",
        haar,
        "the polar factor of a normal matrix",
        "a right sampler by another way",
        f.svd(lambda u, v: u @ v),
        equivalent="it is Haar",
        **MATRIX,
    )
    yield row(
        "rotations",
        haar,
        "never a reflection",
        "scipy.stats.special_ortho_group",
        f.rotation,
        **MATRIX,
    )
    yield row("householder", haar, "one reflection", "hand-written ports", f.householder, **MATRIX)
    yield row(
        "cayley", haar, "Cayley's transform", "orthogonal parametrisations", f.cayley, **MATRIX
    )
    yield row(
        "permutation",
        haar,
        "a permutation with signs",
        "hand-written ports",
        f.signed_permutation,
        **MATRIX,
    )
    yield row(
        "gain-missing",
        gained,
        "the gain is left out",
        "hand-written ports",
        f.gain_power(0),
        **MATRIX,
    )
    yield row(
        "gain-squared",
        gained,
        "the gain is taken twice",
        "hand-written ports",
        f.gain_power(2),
        **MATRIX,
    )
    yield row(
        "matrix-of-no-seed",
        haar,
        "one matrix for every seed",
        "a seed ignored",
        f.same_matrix,
        **MATRIX,
    )
    yield row(
        "normal-for-orthogonal",
        haar,
        "independent normal numbers",
        "a fall-back for missing LAPACK",
        f.normal_over_root,
        **MATRIX,
    )
    yield row(
        "orthogonal-per-gate",
        haar,
        "each gate is orthogonal where the whole should be",
        "ports of recurrent cells",
        f.per_part(4),
        shape=(16, 64),
    )
    yield row(
        "orthogonal-jointly",
        haar,
        "the whole is orthogonal where each gate should be",
        "Keras LSTM, flax.nnx.OptimizedLSTMCell",
        f.jointly,
        shape=(16, 64),
        layout="io, stack=4",
    )
    yield row(
        "orthogonal-gates-equal",
        haar,
        "the gates are copies of one matrix",
        "Keras with an integer seed",
        f.copied_matrices(4),
        shape=(16, 64),
        layout="io, stack=4",
    )
    yield row(
        "delta-off",
        "delta_orthogonal",
        "the matrix at the first tap, not at the middle one",
        "an index off by one",
        f.first_tap,
        shape=(3, 3, 8, 16),
        layout="hwio",
    )
    yield row(
        "orthogonal-noisy",
        haar,
        "orthogonal to a thousandth",
        "QR in half precision",
        f.noisy,
        **MATRIX,
    )
    sparse, grid = "sparse(sparsity=0.26, std=0.01)", {"shape": (40, 24)}
    yield row(
        "zeros-rounded-down",
        sparse,
        "floor in place of ceil of the number of zeros",
        "hand-written ports",
        f.sparse(lambda n, zeros: zeros - 1),
        **grid,
    )
    yield row(
        "zeros-complement",
        sparse,
        "the fraction that is not zero",
        "Lasagne's sparsity",
        f.sparse(lambda n, zeros: n - zeros),
        **grid,
    )
    yield row(
        "zeros-in-rows",
        sparse,
        "zeros in each row, not in each column",
        "in and out swapped",
        f.sparse(lambda n, zeros: math.ceil(0.26 * n), across=True),
        **grid,
    )
    yield row(
        "zeros-in-columns",
        "sparse(sparsity=0.26, std=0.01, zeros_per='in')",
        "zeros counted for each output unit, not for each input unit",
        "ports of PyTorch's sparse_ to (in, out)",
        f.sparse(lambda n, zeros: math.ceil(0.26 * n), across=True),
        **grid,
    )
    yield row(
        "zeros-by-chance",
        sparse,
        "each element zero by itself",
        "hand-written ports",
        f.bernoulli_zeros,
        **grid,
    )
    yield row(
        "zeros-in-place",
        sparse,
        "zeros in the same places for every seed",
        "Flux's sparse_init, torch.nn.init.sparse_ and its generator",
        f.sparse(lambda n, zeros: zeros, fixed=True),
        **grid,
    )
    yield row(
        "zeros-in-every-column",
        sparse,
        "zeros in the same rows of every column",
        "a mask that is broadcast",
        f.sparse(lambda n, zeros: zeros, alike=True),
        **grid,
    )
    yield row(
        "sparse-variance",
        "sparse(sparsity=0.26, std=0.1)",
        "N(0, 0.01) read as a standard deviation of 0.01",
        "PyTorch's and MindSpore's documentation",
        f.sparse(lambda n, zeros: zeros, std=0.1),
        **grid,
    )
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
        f.wrong_place(1),
        shape=(3, 5, 8, 12),
        layout="hwio",
    )
