"""The faults that are planted: each makes a tensor as some real code once did, wrongly.

A fault is a function of a :class:`Setting`, which knows the right law; it answers with float64
numbers, which :mod:`initspec.conformance.mutants.kill_matrix` rounds to the type. All draws are inverse
transforms of NumPy's 53 bits, so that what is wrong is the fault alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...errors import SpecError
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Fans, Shape
from ...spec.layout import Layout, fans
from ..probability.transform import ppf

Array = NDArray[Any]

#: The standard deviation of a standard normal law cut at two.
CUT = TruncatedNormal(0, 1, -2, 2).std


@dataclass(frozen=True, slots=True)
class Setting:
    """What a sampler is told: the right law, the tensor, and where its randomness comes from."""

    law: Distribution
    shape: Shape
    layout: Layout
    seed: int
    dtype: str = "float32"

    @property
    def fans(self) -> Fans:
        """The true fans."""
        return fans(self.shape, self.layout)

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator of this seed."""
        return np.random.Generator(np.random.PCG64DXSM(self.seed))

    def uniform(self, shape: Shape | None = None) -> Array:
        """Numbers on the open interval (0, 1)."""
        return self.rng.random(self.shape if shape is None else shape) + 2.0**-54

    def draw(self, law: Distribution | None = None, shape: Shape | None = None) -> Array:
        """Independent numbers of a law, by default of the right one."""
        return ppf(law or self.law, self.uniform(shape))


Fault = Callable[[Setting], Array]


def resized(law: Distribution, std: float) -> Distribution:
    """A law of the same kind about the same mean with another standard deviation."""
    match law:
        case Normal():
            return Normal(law.mu, std)
        case Uniform():
            limit = math.sqrt(3) * std
            return Uniform(law.mean - limit, law.mean + limit)
        case TruncatedNormal():
            return TruncatedNormal(law.mu, law.sigma * std / law.std, law.low, law.high)
    raise SpecError(f"{law!r} has no size to change.")


# ------------------------------------------------------------------------------------- the scale


def variance(of: Callable[[Fans], float]) -> Fault:
    """Another variance from the same fans."""
    return lambda s: s.draw(resized(s.law, math.sqrt(of(s.fans))))


def scaled(ratio: float) -> Fault:
    """The standard deviation times a constant."""
    return lambda s: s.draw(resized(s.law, s.law.std * ratio))


def std_from(of: Callable[[float], float]) -> Fault:
    """Another standard deviation from the right one."""
    return lambda s: s.draw(resized(s.law, of(s.law.std)))


def instead(of: Callable[[Distribution], Distribution]) -> Fault:
    """Another law from the right one."""
    return lambda s: s.draw(of(s.law))


# ------------------------------------------------------------------------------- the law's shape


def clipped(s: Setting) -> Array:
    """Clipped at the bounds where it should be drawn again."""
    law = s.law
    assert isinstance(law, TruncatedNormal)
    return np.clip(s.draw(Normal(law.mu, law.sigma)), *law.support)


def half(s: Setting) -> Array:
    """The absolute value."""
    return np.abs(s.draw())


def irwin_hall(s: Setting) -> Array:
    """Four uniform numbers added, for a normal one."""
    return (s.uniform((4, *s.shape)).sum(0) - 2) * math.sqrt(3) * s.law.std


def student(s: Setting) -> Array:
    """Student's law with ten degrees of freedom, its variance put right."""
    return special.stdtrit(10, s.uniform()) * math.sqrt(0.8) * s.law.std


def box_muller_16(s: Setting) -> Array:
    """Box and Muller's radius from 16 bits: nothing beyond 4.7 standard deviations."""
    rng = s.rng
    radius = np.sqrt(-2 * np.log((rng.integers(2**16, size=s.shape) + 1) / 2.0**16))
    return radius * np.cos(2 * np.pi * rng.random(s.shape)) * s.law.std


def box_muller_twice(s: Setting) -> Array:
    """Box and Muller's cosine used for both numbers of a pair."""
    return np.repeat(s.draw(shape=(math.prod(s.shape) // 2,)), 2).reshape(s.shape)


def leaking(s: Setting) -> Array:
    """The first of four normal draws that lies inside, else the first draw whatever it is."""
    law = s.law
    assert isinstance(law, TruncatedNormal)
    tries = special.ndtri(s.uniform((4, *s.shape)))
    inside = (tries > law.low) & (tries < law.high)
    first = np.take_along_axis(tries, inside.argmax(0)[None], 0)[0]
    return law.mu + law.sigma * first


def erfinv_bfloat16(s: Setting) -> Array:
    """The inverse error function of a bfloat16 uniform number: minus infinity clamped to -2."""
    u = bfloat16(2 * s.uniform() - 1)
    found = bfloat16(special.erfinv(np.where(u >= 1, -1.0, u)))
    return np.clip(found * math.sqrt(2) * 0.02, -2, 2)


def erfinv_words(words: Array) -> Array:
    """The same from the upper 24 bits: one value in 2**24 is -2, however small the scale."""
    u = (words >> np.uint32(8)) * 2.0**-23 - 1
    return np.clip(special.erfinv(u) * math.sqrt(2) * 0.02, -2, 2)


def closed_words(words: Array) -> Array:
    """The quantile of a number that may be zero or one: infinite."""
    return special.ndtri(words / (2.0**32 - 1))


def from_words(of: Callable[[Array], Array]) -> Fault:
    """By a map from words to values."""
    return lambda s: of(s.rng.integers(2**32, size=s.shape, dtype=np.uint32))


# ---------------------------------------------------------------------- resolution and rounding


def lattice(bits: int, offset: float = 0.5) -> Fault:
    """From so many random bits; ``offset`` 0 takes the lower end of each step."""
    steps = 2.0**bits
    return lambda s: ppf(s.law, np.maximum(np.floor(s.uniform() * steps) + offset, 0.25) / steps)


def bfloat16(values: Array) -> Array:
    """Numbers rounded to bfloat16."""
    from ...stream import dtypes

    return dtypes.widened(dtypes.rounded(np.asarray(values), "bfloat16"))


def truncated_bits(s: Setting) -> Array:
    """To bfloat16 by leaving bits out, not by rounding."""
    bits = s.draw().astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32).astype(np.float64)


def wrapped(s: Setting) -> Array:
    """What rounds to the upper bound becomes the lower bound."""
    low, high = s.law.support
    found = s.draw()
    if s.dtype == "float32":
        return found
    found = bfloat16(found)
    return np.where(found >= bfloat16(np.array(high)), low, found)


def beyond(s: Setting) -> Array:
    """One value just outside the bounds."""
    found = s.draw()
    found[0, 0] = s.law.support[1] * (1 + 1e-5)
    return found


def overflowing(s: Setting) -> Array:
    """One value in a thousand is infinite."""
    return np.where(s.uniform() > 0.999, np.inf, s.draw())


# ------------------------------------------------------------------------------------ dependence


def unseeded(s: Setting) -> Setting:
    """The same whatever the seed is."""
    return Setting(s.law, s.shape, s.layout, 12345)


def same(s: Setting) -> Array:
    """The seed is ignored."""
    return unseeded(s).draw()


def seeds(of: Callable[[int], int]) -> Fault:
    """The seed loses digits."""
    return lambda s: Setting(s.law, s.shape, s.layout, of(s.seed)).draw()


_DRAWS = itertools.count()


def unrepeatable(s: Setting) -> Array:
    """Other values at every call, whatever the seed."""
    return Setting(s.law, s.shape, s.layout, s.seed + 2**40 * next(_DRAWS)).draw()


def signed_copies(s: Setting) -> Array:
    """One tensor for every seed, but for its sign."""
    return same(s) * (-1) ** (s.seed % 2)


def overlapping(s: Setting) -> Array:
    """The stream of the next seed starts 400 numbers later in the same stream."""
    stream = np.random.Philox(key=np.array([7, 0], np.uint64)).advance(100 * s.seed)
    return ppf(s.law, np.random.Generator(stream).random(s.shape) + 2.0**-54)


def broadcast(s: Setting) -> Array:
    """One row, tiled."""
    return np.broadcast_to(s.draw(shape=s.shape[-1:]), s.shape)


def two_rows(s: Setting) -> Array:
    """The second row is the first."""
    found = s.draw()
    found[1] = found[0]
    return found


def antithetic(s: Setting) -> Array:
    """The second half of the rows is the negative of the first."""
    found = s.draw()
    middle = found.shape[0] // 2
    found[middle : 2 * middle] = -found[:middle]
    return found


def permuted(s: Setting) -> Array:
    """Every row is a permutation of the first."""
    rng = s.rng
    row = ppf(s.law, rng.random(s.shape[-1]) + 2.0**-54)
    return rng.permuted(np.broadcast_to(row, s.shape), axis=1)


def symmetric(s: Setting) -> Array:
    """Equal to its transpose."""
    upper = np.triu(s.draw())
    return upper + np.triu(upper, 1).T


def ordered(s: Setting) -> Array:
    """The right numbers, sorted."""
    return np.sort(s.draw().reshape(-1)).reshape(s.shape)


def autoregressive(rho: float) -> Fault:
    """Each value leans on the one before it."""

    def make(s: Setting) -> Array:
        n = math.prod(s.shape)
        weights = rho ** np.arange(24) * math.sqrt(1 - rho**2)
        noise = s.draw(Normal(0, s.law.std), (n + 24,))
        return np.convolve(noise, weights)[24 : 24 + n].reshape(s.shape)

    return make


def zero_column(s: Setting) -> Array:
    """One column of zeros."""
    found = s.draw()
    found[..., 0] = 0
    return found


def copied_blocks(parts: int) -> Fault:
    """The parts of the last axis, such as q, k and v or the shards of a weight, are copies."""

    def make(s: Setting) -> Array:
        width = s.shape[-1] // parts
        return np.tile(s.draw(shape=(*s.shape[:-1], width)), parts)

    return make


# ------------------------------------------------------------------------------- tied elements


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
    skew, one = a - a.T, np.eye(s.shape[0])
    return _gain(s) * np.linalg.solve(one + skew, one - skew)


def signed_permutation(s: Setting) -> Array:
    """A permutation matrix with random signs."""
    rng = s.rng
    found = np.eye(s.shape[0])[rng.permutation(s.shape[0])]
    return _gain(s) * found * rng.choice([-1.0, 1.0], s.shape[0])


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


def per_part(parts: int) -> Fault:
    """Orthogonal in each part of the last axis, where the whole should be."""

    def make(s: Setting) -> Array:
        width = s.shape[-1] // parts
        found = [
            qr(signs=True)(Setting(s.law, (*s.shape[:-1], width), s.layout, parts * s.seed + part))
            for part in range(parts)
        ]
        return np.concatenate(found, axis=-1)

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


def first_tap(s: Setting) -> Array:
    """A delta-orthogonal kernel whose matrix lies at the first tap, not at the middle one."""
    found = np.zeros(s.shape)
    inner = s.shape[-2:]
    found.reshape(-1, *inner)[0] = qr(signs=True)(Setting(s.law, inner, s.layout, s.seed))
    return found


def wrong_place(shift: int) -> Fault:
    """A fixed tensor, moved along its output axis."""

    def make(s: Setting) -> Array:
        from ...backends.cpu import laws as host_laws

        right = host_laws.array(s.law, s.shape, key=(0, 0), layout=s.layout, dtype="float64")
        return np.roll(right, shift, s.layout.axes.index("o"))

    return make


# --------------------------------------------------------------------------------- complex types


def polar(squares: Array, turns: Array) -> Array:
    """Complex numbers of a squared modulus and an angle in turns."""
    return np.asarray(np.sqrt(squares) * np.exp(2j * np.pi * turns))


def round_normal(u: Array, variance: float) -> Array:
    """Normal on the complex plane; ``u`` has uniform numbers for modulus and angle."""
    return polar(-variance * np.log1p(-u[0]), u[1])


def round_cut(u: Array, variance: float, std: float, cut: float = 2.0) -> Array:
    """The same cut at ``cut`` standard deviations, whose own one is said to be ``std``."""
    return polar(-variance / std**2 * np.log1p(u[0] * np.expm1(-(cut**2))), u[1])


def pairs(s: Setting) -> Array:
    """Two uniform numbers for each element."""
    return s.uniform((2, *s.shape))


def of_parts(of: Callable[[Distribution], Distribution]) -> Fault:
    """Real and imaginary part drawn each from a law that is made of the right one."""

    def make(s: Setting) -> Array:
        found = ppf(of(s.law), pairs(s))
        return np.asarray(found[0] + 1j * found[1])

    return make


def shared(s: Setting, rows: bool) -> Array:
    """Angles shared: by the numbers of a row, or by the tensors of all seeds."""
    u = pairs(s)
    if rows:
        u[1] = u[1][..., :1]
    else:
        u[1] = unseeded(s).uniform()
    return round_normal(u, s.law.variance)
