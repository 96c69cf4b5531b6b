"""A run: which cells there are, judging them one by one, and the report."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import protocol
from ..readings.registry import get, schemes
from ..spec.fan_rules import Fans, Shape
from ..spec.layout import Layout, checked_shape
from ..spec.scheme import Scheme
from ..stream.dtypes import DTYPES
from . import parallel
from .cell import Cell
from .design import SHAPES, Budget
from .own import OWN
from .report.record import Record, Report
from .reproduction import reproduced_by
from .targets.backend import BackendTarget
from .targets.claims import claimed
from .targets.target import Target

#: Shapes for schemes that fit no fan or need their own: layout by layout.
SPECIAL: dict[str, tuple[tuple[Shape, str], ...]] = {
    "identity": (((24, 16), "io"),),
    "dirac": (((3, 5, 8, 12), "hwio"), ((12, 8, 3, 5), "oihw")),
    "bilinear": (((4, 6, 3, 3), "hwio"),),
    "delta_orthogonal": (((3, 3, 8, 16), "hwio"),),
    "orthogonal": (((16, 16), "io"), ((16, 48), "io"), ((48, 16), "oi"), ((3, 3, 4, 16), "hwio")),
    "sparse": (((80, 48), "io"),),
}


def backend_cells(
    names: Sequence[str],
    *,
    only: Iterable[str] | None = None,
    shapes: Sequence[tuple[Shape, Layout | str | None]] | None = None,
    dtypes: Sequence[str] = DTYPES,
    streams: Sequence[str] = protocol.STREAMS,
    tier: str = "stat",
) -> list[Cell]:
    """The matrix of backends, schemes, types, shapes and streams.

    ``only`` names the schemes; without it every law that has a name is judged once, whatever names
    share it.
    """
    laws = [claimed(claim) for claim in only] if only is not None else distinct()
    return [
        Cell(
            target=BackendTarget(name, scheme, layout, stream),
            scheme=scheme,
            shape=shape,
            layout=layout,
            dtype=dtype,
            tier=tier,
            stream=stream,
        )
        for name in names
        for scheme in laws
        for shape, layout in _placed(shapes or SPECIAL.get(scheme.distribution, SHAPES))
        for dtype in dtypes
        for stream in streams
    ]


def _placed(
    shapes: Sequence[tuple[Shape, Layout | str | None]],
) -> Iterator[tuple[Shape, Layout]]:
    for shape, text in shapes:
        yield shape, Layout.of(text, len(shape))


def matrix(names: Sequence[str]) -> list[Cell]:
    """The whole matrix: what holds for every draw, and the statistics.

    What holds for every draw of a framework's own sampler is seen in one type.
    """
    exact = backend_cells(names, tier="exact", streams=["portable"])
    native = backend_cells(names, tier="exact", streams=["native"], dtypes=["float32"])
    return [*exact, *native, *backend_cells(names), *own_cells(names)]


def own_cells(names: Sequence[str]) -> list[Cell]:
    """A law of the user's own through every backend: one that the suite keeps."""
    where: dict[str, Any] = {"only": [OWN], "shapes": [SHAPES[1]]}
    exact = backend_cells(names, **where, tier="exact", dtypes=["float32", "bfloat16"])
    return [*exact, *backend_cells(names, **where)]


def distinct() -> list[Scheme]:
    """The laws of the bare names, and of the dialects those of a form that no bare name has.

    Two schemes are of one form if they differ in numbers alone: a dialect's factor is arithmetic,
    which the cases hold; a bound of another unit is another path through a backend.
    """
    plain = [get(name) for name, entry in schemes.items() if entry.dialect is None]
    laws = {_law(scheme): scheme for scheme in reversed(plain)}
    forms = {_form(scheme) for scheme in plain}
    for name, entry in schemes.items():
        if entry.dialect is not None and _form(scheme := get(name)) not in forms:
            forms.add(_form(scheme))
            laws[_law(scheme)] = scheme
    return sorted(laws.values(), key=lambda scheme: scheme.name or "")


def _law(scheme: Scheme) -> Scheme:
    """The scheme without its spelling; the usual shapes have no groups to miscount."""
    if scheme.mode is None:
        return scheme.folded()
    factor = round(scheme.variance_factor, 12)  # a gain is a factor by another name
    return scheme.replace(factor=factor, gain=1.0, nonlinearity=None, slope=None, fans="true")


def _form(scheme: Scheme) -> tuple[Any, ...]:
    cut, by_fans = scheme.truncation, scheme.needs_fans
    bounds = cut and (cut.unit, cut.variance if isinstance(cut.variance, str) else "stated")
    scale = scheme.mode, scheme.power, by_fans, scheme.bias_unit
    scheme = scheme.at(Fans(1.0, 1.0))
    even = scheme.low is None or scheme.low == -(scheme.high or 0.0)
    return scheme.distribution, scale, bounds, scheme.mean != 0, even


def target_cells(
    target: Target,
    scheme: Any,
    *,
    shape: Shape | None = None,
    layout: Layout | str | None = None,
    dtypes: Sequence[str] = ("float32",),
    tier: str = "stat",
) -> list[Cell]:
    """The cells of one target that claims to be one scheme.

    A layer's parameter and an array have a shape of their own. What can be told a layout
    (:attr:`Target.takes_layout`) gets each in its turn; the rest has its framework's usual one.
    """
    claim = claimed(scheme)
    sizes = target.fixed_shape if shape is None else checked_shape(shape)
    if sizes is not None:
        given = target.layout if layout is None else layout
        shapes = [(sizes, Layout.of(given, len(sizes), out_first=target.out_first))]
    else:
        logical = [
            (size, Layout.parse(text)) for size, text in SPECIAL.get(claim.distribution, SHAPES)
        ]
        shapes = [
            pair if target.takes_layout else _usual(*pair, target.out_first) for pair in logical
        ]
    return [
        Cell(
            target=target.placed(axes),
            scheme=claim,
            shape=size,
            layout=axes,
            dtype=dtype,
            tier=tier,
        )
        for size, axes in shapes
        for dtype in dtypes
    ]


def _usual(shape: Shape, layout: Layout, out_first: bool) -> tuple[Shape, Layout]:
    """The same logical weight in the order in which the target's framework stores it."""
    axes = Layout.of(None, len(shape), out_first=out_first)
    return tuple(shape[layout.axes.index(letter)] for letter in axes.axes), axes


def run(
    cells: Sequence[Cell],
    *,
    alpha: float = 1e-9,
    beta: float = 1e-6,
    vary_seeds: bool = False,
    progress: Callable[[int, int, Record], None] | None = None,
    jobs: int = 1,
    repeated: Sequence[str] = (),
) -> Report:
    """Judge every cell; one that breaks does not stop the others.

    ``vary_seeds`` takes fresh seeds, and says which in the report. ``jobs`` processes share the
    cells of the backends. ``repeated`` are options that the command of each cell says again.
    """
    budget = Budget(alpha=alpha, beta=beta, cells=max(len(cells), 1))
    number = secrets.randbits(32) if vary_seeds else 0
    numbered = [replace(cell, run=number) for cell in cells]
    records: dict[int, Record] = {}
    for place, record in parallel.judged(numbered, budget, jobs):
        record = replace(record, command=reproduced_by(numbered[place], alpha, repeated))
        records[place] = record
        if progress is not None:
            progress(len(records), len(cells), record)
    return Report(
        records=tuple(records[place] for place in range(len(cells))),
        alpha=alpha,
        beta=beta,
        seed=f"varied, run {number}" if vary_seeds else "fixed by the cells' names",
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """What the run stands on."""
    known = {"python": platform.python_version(), "cores": str(os.cpu_count())}
    for package in ("initspec", "numpy", "scipy", "torch", "tensorflow", "keras", "jax", "flax"):
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue
    return known
