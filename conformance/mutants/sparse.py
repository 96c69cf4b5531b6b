"""Sparse matrices with other zeros than asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...spec.distribution import Normal
from .fault import Array, Fault, Setting
from .mutant import Mutant
from .rows import row


def sparse(
    zeros: Callable[[int, int], int],
    *,
    std: float = 1.0,
    fixed: bool = False,
    across: bool = False,
    alike: bool = False,
) -> Fault:
    """Zeros in each line of a matrix (in, out), as many as ``zeros`` says of its size and count.

    ``across`` takes rows in place of columns, and columns in place of rows; ``fixed`` keeps the
    places from seed to seed, ``alike`` from line to line.
    """

    def make(s: Setting) -> Array:
        law: Any = s.law
        axis = law.axis - 1
        axis = 1 - axis if across else axis
        values = s.draw(Normal(0, law.sigma * std))
        rng = np.random.default_rng(1 if fixed else [1, s.seed])
        size = [n if along == axis or not alike else 1 for along, n in enumerate(s.shape)]
        ranks = rng.random(size).argsort(axis).argsort(axis)
        return np.where(ranks < zeros(s.shape[axis], law.zeros), 0.0, values)

    return make


def bernoulli_zeros(s: Setting) -> Array:
    """Each element zero by itself, so that columns differ in their zeros."""
    law: Any = s.law
    gone = np.random.default_rng([1, s.seed]).random(s.shape) < law.share
    return np.where(gone, 0.0, s.draw(Normal(0, law.sigma)))


def sparse_matrices() -> Iterator[Mutant]:
    """Sparse matrices with other zeros than asked for."""
    claim, grid = "sparse(sparsity=0.26, std=0.01)", {"shape": (40, 24)}
    yield row(
        "zeros-rounded-down",
        claim,
        "floor in place of ceil of the number of zeros",
        "hand-written ports",
        sparse(lambda n, zeros: zeros - 1),
        **grid,
    )
    yield row(
        "zeros-complement",
        claim,
        "the fraction that is not zero",
        "Lasagne's sparsity",
        sparse(lambda n, zeros: n - zeros),
        **grid,
    )
    yield row(
        "zeros-in-rows",
        claim,
        "zeros in each row, not in each column",
        "in and out swapped",
        sparse(lambda n, zeros: math.ceil(0.26 * n), across=True),
        **grid,
    )
    yield row(
        "zeros-in-columns",
        "sparse(sparsity=0.26, std=0.01, zeros_per='in')",
        "zeros counted for each output unit, not for each input unit",
        "ports of PyTorch's sparse_ to (in, out)",
        sparse(lambda n, zeros: math.ceil(0.26 * n), across=True),
        **grid,
    )
    yield row(
        "zeros-by-chance",
        claim,
        "each element zero by itself",
        "hand-written ports",
        bernoulli_zeros,
        **grid,
    )
    yield row(
        "zeros-in-place",
        claim,
        "zeros in the same places for every seed",
        "Flux's sparse_init, torch.nn.init.sparse_ and its generator",
        sparse(lambda n, zeros: zeros, fixed=True),
        **grid,
    )
    yield row(
        "zeros-in-every-column",
        claim,
        "zeros in the same rows of every column",
        "a mask that is broadcast",
        sparse(lambda n, zeros: zeros, alike=True),
        **grid,
    )
    yield row(
        "sparse-variance",
        "sparse(sparsity=0.26, std=0.1)",
        "N(0, 0.01) read as a standard deviation of 0.01",
        "PyTorch's and MindSpore's documentation",
        sparse(lambda n, zeros: zeros, std=0.1),
        **grid,
    )
