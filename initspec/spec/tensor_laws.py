"""The laws of whole tensors, whose elements are tied together, and the matrix they are laid in."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from ..errors import LayoutError, SpecError
from .distribution import Constant, Distribution, Normal
from .fan_rules import Shape
from .layout import Layout
from .marginals import Discrete, HaarEntry, Spiked
from .values import Values

_SIDES = {"in": "row", "vocabulary": "row", "spatial": "row", "out": "column", "group": "column"}


def alone(law: Orthogonal, shape: Shape, layout: Layout) -> tuple[int, ...]:
    """The axes that are by themselves the rows or the columns of a tensor's only matrix.

    A framework flattens a tensor around one axis: PyTorch around the first, the others around the
    last. Its orthogonal matrix is this law's where that axis is one of these.

    >>> alone(Orthogonal(1.0, 1, 18, 4), (4, 2, 3, 3), Layout("oihw"))
    (0,)
    """
    sides = [_SIDES.get(role) for role in layout.roles(shape)]
    if law.count != 1 or None in sides:
        return ()
    return tuple(axis for axis, side in enumerate(sides) if sides.count(side) == 1)


class Structured(Distribution):
    """A law of a whole tensor of one shape; moments, cdf, ppf and pdf are its marginal's."""

    __slots__ = ()

    @property
    def marginal(self) -> Distribution:
        """The law of one element at a place chosen evenly."""
        raise NotImplementedError

    @property
    def mean(self) -> float:
        return self.marginal.mean

    @property
    def variance(self) -> float:
        return self.marginal.variance

    @property
    def kurtosis(self) -> float:
        return self.marginal.kurtosis

    @property
    def support(self) -> tuple[float, float]:
        return self.marginal.support

    def _cdf(self, x: float) -> float:
        return self.marginal.cdf(x)

    def _ppf(self, p: float) -> float:
        return self.marginal.ppf(p)

    def _pdf(self, x: float) -> float:
        return self.marginal.pdf(x)

    @property
    def words(self) -> str:
        return f"fixed numbers between {self.support[0]:.6g} and {self.support[1]:.6g}"


def matrix(shape: Shape, layout: Layout) -> tuple[int, int, int]:
    """How many matrices a tensor holds, and their rows (everything but ``out``) and columns.

    Stacked parameters, batches and gates are matrices of their own.

    >>> matrix((12, 5), Layout("oi", stack=3))
    (3, 5, 4)
    """
    if not shape or layout.axes in ("", "o"):
        raise LayoutError(
            f"a tensor of shape {shape} with layout '{layout}' is no matrix: it needs an input "
            "and an output axis."
        )
    roles = layout.roles(shape)

    def size(*wanted: str) -> int:
        return math.prod(n for n, role in zip(shape, roles, strict=True) if role in wanted)

    count = size("batch", "stack") * layout.stack
    rows = size("spatial", "in", "vocabulary")
    return count, rows, size("group", "out") // layout.stack


@dataclass(frozen=True, slots=True)
class Orthogonal(Structured):
    """Haar: the matrix (all axes but ``out``, ``out``) has orthonormal columns or rows, ``* gain``.

    Each of the ``count`` stacked matrices is orthogonal by itself.
    """

    gain: float
    count: int
    rows: int
    columns: int
    kind = "orthogonal"

    @property
    def extent(self) -> tuple[float, float]:
        return self.gain, self.gain

    @property
    def marginal(self) -> Distribution:
        return HaarEntry(self.gain, max(self.rows, self.columns, 1))

    @property
    def words(self) -> str:
        return f"orthogonal, {_matrices(self)}, gain {self.gain:.6g}"

    @property
    def family(self) -> str:
        return _orthogonal_family(self)


@dataclass(frozen=True, slots=True)
class DeltaOrthogonal(Structured):
    """An orthogonal matrix (in, out) at the middle tap of a convolution, zero elsewhere."""

    gain: float
    taps: int
    middle: int
    count: int
    rows: int
    columns: int
    kind = "delta_orthogonal"

    @property
    def extent(self) -> tuple[float, float]:
        return self.gain, self.gain

    @property
    def marginal(self) -> Distribution:
        entry = HaarEntry(self.gain, max(self.rows, self.columns, 1))
        return Spiked(entry, 1 - 1 / max(self.taps, 1))

    @property
    def words(self) -> str:
        return f"orthogonal at the middle tap, {_matrices(self)}, gain {self.gain:.6g}"

    @property
    def family(self) -> str:
        return _orthogonal_family(self)


def _matrices(law: Orthogonal | DeltaOrthogonal) -> str:
    times = f"{law.count} times " if law.count > 1 else ""
    return f"{times}{law.rows} by {law.columns}"


def _orthogonal_family(law: Orthogonal | DeltaOrthogonal) -> str:
    matrix = f"an orthogonal matrix of {law.rows} by {law.columns}"
    return f"{law.count} times {matrix}" if law.count > 1 else matrix


@dataclass(frozen=True, slots=True)
class Stencil(Structured):
    """``gain * prod(profile)`` where input and output channel match, zero elsewhere.

    ``profiles`` has one sequence for each spatial axis: a one in the middle for a Dirac kernel,
    a triangle for bilinear upsampling, none for an identity matrix. ``groups`` repeat the match
    along the output axis.
    """

    gain: float
    profiles: tuple[tuple[float, ...], ...]
    groups: int
    rows: int
    columns: int
    kind = "stencil"

    @property
    def extent(self) -> tuple[float, float]:
        return self.gain, self.gain

    @property
    def marginal(self) -> Distribution:
        values = [self.gain]
        for profile in self.profiles:
            values = [value * weight for value in values for weight in profile]
        matches = min(self.rows, self.columns // self.groups) * self.groups
        counts = Counter({value: count * matches for value, count in Counter(values).items()})
        counts[0.0] += len(values) * (self.rows * self.columns - matches)
        return Discrete.of({value: n for value, n in counts.items() if n})

    @property
    def family(self) -> str:
        return "a fixed pattern"


#: For what a sparse matrix has a number of zeros: each output unit or each input unit.
SIDES = ("out", "in")


@dataclass(frozen=True, slots=True)
class Sparse(Structured):
    """``N(0, sigma**2)``, with ``zeros`` elements of each line set to zero.

    A line is a column, the ``rows`` elements of one output unit, or with ``zeros_per`` ``"in"`` a
    row, the ``columns`` elements of one input.
    """

    sigma: float
    zeros: int
    count: int
    rows: int
    columns: int
    zeros_per: str = "out"
    kind = "sparse"

    @property
    def axis(self) -> int:
        """Along which axis of ``(count, rows, columns)`` a line runs."""
        return 1 if self.zeros_per == "out" else 2

    @property
    def length(self) -> int:
        """How many elements a line has."""
        return self.rows if self.zeros_per == "out" else self.columns

    @property
    def unit(self) -> str:
        """Whose weights a line has."""
        return f"{self.zeros_per}put unit"

    @property
    def share(self) -> float:
        """The fraction of zeros."""
        return self.zeros / max(self.length, 1)

    @property
    def extent(self) -> tuple[float, float]:
        return Normal(0.0, self.sigma).extent

    @property
    def marginal(self) -> Distribution:
        return Spiked(Normal(0.0, self.sigma), self.share)

    @property
    def words(self) -> str:
        return f"{self._zeros_in_words}, else std {self.sigma:.6g}"

    @property
    def family(self) -> str:
        return f"a matrix with {self._zeros_in_words}"

    @property
    def _zeros_in_words(self) -> str:
        return f"{self.zeros} zeros in the {self.length} weights of each {self.unit}"


@dataclass(frozen=True, slots=True)
class Given(Structured):
    """The numbers of an array, as they are."""

    values: Values
    kind = "array"

    @property
    def extent(self) -> tuple[float, float]:
        numbers = self.values.array()
        largest = float(abs(numbers).max()) if numbers.size else 0.0
        return largest, largest

    @property
    def marginal(self) -> Distribution:
        numbers = self.values.array().ravel().tolist()
        return Discrete.of(Counter(numbers)) if numbers else Constant(0.0)

    @property
    def family(self) -> str:
        return "a given array"


def orthogonal(gain: float, shape: Shape, layout: Layout) -> Orthogonal:
    """An orthogonal law for a tensor of at least two axes."""
    count, rows, columns = matrix(shape, layout)
    return Orthogonal(gain, count, rows, columns)


def delta_orthogonal(gain: float, shape: Shape, layout: Layout) -> DeltaOrthogonal:
    """A delta-orthogonal law for a convolution with no more inputs than outputs."""
    count, rows, columns = matrix(shape, layout)
    space = _spatial(shape, layout)
    taps = math.prod(space)
    inputs = rows // max(taps, 1)
    if not space or inputs > columns:
        raise SpecError(
            "delta_orthogonal needs a convolution with no more inputs than outputs; shape "
            f"{shape} with layout '{layout}' has {inputs} inputs and {columns} outputs."
        )
    middle = 0
    for n in space:
        middle = middle * n + n // 2
    return DeltaOrthogonal(gain, taps, middle, count, inputs, columns)


def stencil(name: str, gain: float, groups: int, shape: Shape, layout: Layout) -> Stencil:
    """An identity, Dirac or bilinear law: fixed numbers by their place."""
    _, rows, columns = matrix(shape, layout)
    space = _spatial(shape, layout)
    if (name == "identity") == bool(space):
        wanted = "no spatial axes" if name == "identity" else "spatial axes"
        raise LayoutError(
            f"{name} needs {wanted}, and the shape {shape} with layout '{layout}' has "
            f"{len(space)}; use {'dirac' if name == 'identity' else 'identity'}."
        )
    if groups == 1 and not layout.transposed:
        roles = layout.roles(shape)
        axes = [n for n, role in zip(shape, roles, strict=True) if role == "group"]
        groups = layout.groups * max(math.prod(axes), 1)
    if columns % groups:
        raise SpecError(
            f"{name}: the output axis of {columns} is not divisible by {groups} groups."
        )
    profile = _triangle if name == "bilinear" else _middle
    return Stencil(
        gain, tuple(profile(n) for n in space), groups, rows // max(math.prod(space), 1), columns
    )


def sparse(sparsity: float, sigma: float, zeros_per: str, shape: Shape, layout: Layout) -> Sparse:
    """A sparse law: ``ceil(sparsity * rows)`` zeros in each column, or as many of each row.

    >>> sparse(0.25, 1.0, "in", (12, 5), Layout("oi")).zeros
    3
    """
    count, rows, columns = matrix(shape, layout)
    length = rows if zeros_per == "out" else columns
    return Sparse(sigma, math.ceil(sparsity * length), count, rows, columns, zeros_per)


def given(values: Values, shape: Shape) -> Given:
    """An array, for a tensor of its own shape."""
    if values.shape != shape:
        raise SpecError(
            f"an array of shape {values.shape} was given for a tensor of shape {shape}: "
            "they must be equal."
        )
    return Given(values)


def _spatial(shape: Shape, layout: Layout) -> Shape:
    roles = layout.roles(shape)
    return tuple(n for n, role in zip(shape, roles, strict=True) if role == "spatial")


def _middle(n: int) -> tuple[float, ...]:
    return tuple(float(i == n // 2) for i in range(n))


def _triangle(n: int) -> tuple[float, ...]:
    """The weights of linear interpolation by a factor of ``ceil(n / 2)``."""
    factor = (n + 1) // 2
    centre = factor - 1 if n % 2 else factor - 0.5
    return tuple(1 - abs(i - centre) / factor for i in range(n))
