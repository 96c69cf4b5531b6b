"""What the frameworks' own samplers have in common: how they see a tensor as one matrix."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import LayoutError, SpecError
from .distribution import Constant, Distribution, Normal
from .fan_rules import Shape
from .layout import Layout
from .marginals import Discrete, HaarEntry, Spiked

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
    """A law of a whole tensor of one shape; moments, cdf and ppf are its marginal's."""

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

    def cdf(self, x: float) -> float:
        return self.marginal.cdf(x)

    def ppf(self, p: float) -> float:
        return self.marginal.ppf(p)


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
    def marginal(self) -> Distribution:
        return HaarEntry(self.gain, max(self.rows, self.columns, 1))


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
    def marginal(self) -> Distribution:
        entry = HaarEntry(self.gain, max(self.rows, self.columns, 1))
        return Spiked(entry, 1 - 1 / max(self.taps, 1))


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
    def marginal(self) -> Distribution:
        values = [self.gain]
        for profile in self.profiles:
            values = [value * weight for value in values for weight in profile]
        matches = min(self.rows, self.columns // self.groups) * self.groups
        counts = Counter({value: count * matches for value, count in Counter(values).items()})
        counts[0.0] += len(values) * (self.rows * self.columns - matches)
        return Discrete.of({value: n for value, n in counts.items() if n})


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
    def marginal(self) -> Distribution:
        return Spiked(Normal(0.0, self.sigma), self.share)


@dataclass(frozen=True, slots=True)
class Values:
    """An array that is frozen: its shape and its float64 numbers, row-major, as bytes."""

    shape: Shape
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, array: Any) -> Values:
        """From nested lists, or from anything that NumPy reads; refuses what is not numbers."""
        import numpy as np

        try:
            numbers = np.asarray(array, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise SpecError(f"an array of numbers was expected, not {array!r}.") from error
        if not np.isfinite(numbers).all():
            raise SpecError("an array of finite numbers was expected; this one holds nan or inf.")
        return cls(numbers.shape, np.ascontiguousarray(numbers).astype("<f8").tobytes())

    def array(self) -> Any:
        """The numbers as a NumPy array of float64."""
        import numpy as np

        return np.frombuffer(self.data, "<f8").reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Given(Structured):
    """The numbers of an array, as they are."""

    values: Values
    kind = "array"

    @property
    def marginal(self) -> Distribution:
        numbers = self.values.array().ravel().tolist()
        return Discrete.of(Counter(numbers)) if numbers else Constant(0.0)


@dataclass(frozen=True, slots=True)
class Law(Structured):
    """The law of a user's own class or function; it answers what that class defines."""

    custom: Any
    shape: Shape
    kind = "custom"

    def _ask(self, name: str) -> Callable[..., float]:
        answer = getattr(self.custom, name, None)
        if answer is None:
            raise SpecError(
                f"{self.custom!r} does not define {name!r}: add it to your class to have it here."
            )
        return answer if callable(answer) else lambda *args: float(answer)

    @property
    def mean(self) -> float:
        return self._ask("mean")()

    @property
    def variance(self) -> float:
        return self._ask("variance")()

    @property
    def kurtosis(self) -> float:
        return self._ask("kurtosis")()

    @property
    def support(self) -> tuple[float, float]:
        answer = getattr(self.custom, "support", (-math.inf, math.inf))
        low, high = answer() if callable(answer) else answer
        return low, high

    def cdf(self, x: float) -> float:
        return self._ask("cdf")(x)

    def ppf(self, p: float) -> float:
        return float(self._ask("ppf")(p))


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
