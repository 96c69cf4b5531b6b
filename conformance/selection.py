"""What a run is to judge: from names, claims, shapes and types to cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..errors import BackendMissing, InitSpecError, NotInstalled, SpecError, UnknownName
from ..readings.registry import dialects, schemes
from . import name_filter

if TYPE_CHECKING:
    from ..spec.fan_rules import Shape
    from ..spec.layout import Layout
    from .cell import Cell
    from .report.record import Record
    from .targets.process import Process
    from .targets.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is to be judged; None leaves a choice to the suite."""

    targets: tuple[str, ...] = ()
    """Texts of targets; the name of a backend stands for its adapter."""
    backends: tuple[str, ...] = ()
    """Adapters by name; ``all`` for those whose framework is installed."""
    claims: tuple[str, ...] | None = None
    """The schemes that the targets claim to be; of adapters, the schemes to judge."""
    shape: tuple[int, ...] | None = None
    """One shape in place of the suite's."""
    layout: str | None = None
    """The roles of the shape's axes."""
    dtypes: tuple[str, ...] | None = None
    """Element types, by name."""
    streams: tuple[str, ...] | None = None
    """Of adapters: ``portable``, ``native``."""
    tier: str | None = None
    """``exact``, ``stat`` or ``deep``; None for ``stat``, and for all adapters ``exact``, too."""
    names: str | None = None
    """An expression of :mod:`.name_filter` that the cells' names fit."""
    time_limit: float = 60.0
    """Seconds for each answer of a target."""

    @property
    def is_whole(self) -> bool:
        """Whether all adapters are judged, and in everything."""
        narrowed = (
            self.claims, self.shape, self.dtypes, self.streams, self.names, self.tier
        )  # fmt: skip
        return "all" in self.backends and all(choice is None for choice in narrowed)


class Selected(NamedTuple):
    """Cells to judge, and the records of what cannot be judged."""

    cells: list[Cell]
    records: list[Record]


def select(selection: Selection) -> Selected:
    """The cells of a selection.

    Raises :class:`SpecError` and :class:`UnknownName` for what no run can be made of, before
    anything is drawn. A target that cannot be had is a record, and the others go on.
    """
    from ..plugins import available

    backends = list(selection.backends)
    targets: list[str] = []
    for text in selection.targets:
        (backends if text in available() else targets).append(text)
    if not backends and not targets:
        raise SpecError(
            "say what to check: a target, such as `initspec check torch.nn.init:kaiming_normal_ "
            "--as he_normal@torch`, or an adapter, `initspec check --backend all`."
        )
    from .targets.claims import claimed

    for claim in selection.claims or ():
        claimed(claim)  # an unknown name is refused before anything runs
    place = _place(selection, has_own_shape=not backends)
    cells, records = _of_backends(backends, place, selection)
    for text in targets:
        selected = _of_target(text, place, selection)
        cells += selected.cells
        records += selected.records
    return _named(cells, records, selection.names)


def _named(cells: list[Cell], records: list[Record], names: str | None) -> Selected:
    if names is None:
        return Selected(cells, records)
    fits = name_filter.name_test(names)
    cells = [cell for cell in cells if fits(cell.name)]
    records = [record for record in records if fits(record.cell)]
    if not cells and not records:
        raise NotInstalled(f"no cell's name fits -k {names!r}: nothing was tested.")
    return Selected(cells, records)


def _place(selection: Selection, has_own_shape: bool) -> tuple[Shape, Layout] | None:
    """The shape and the layout that were given, checked against each other.

    A layout alone may go with the shape that an array or a layer's parameter has.
    """
    from ..spec.layout import Layout, checked_shape

    if selection.shape is None:
        if selection.layout is not None and not has_own_shape:
            raise SpecError(f"--layout {selection.layout} goes with a --shape.")
        return None
    shape = checked_shape(selection.shape)
    layout = Layout.of(selection.layout, len(shape))
    layout.roles(shape)  # refuses a layout that does not fit
    return shape, layout


def _checked_dtypes(dtypes: Iterable[str], known: Sequence[str], hint: str = "") -> None:
    for dtype in dtypes:
        if dtype not in known:
            raise UnknownName("dtype", dtype, known, hint)


# --------------------------------------------------------------------------------------- adapters


def _of_backends(
    names: Sequence[str], place: tuple[Shape, Layout] | None, selection: Selection
) -> Selected:
    from .. import plugins, protocol
    from ..stream.dtypes import DTYPES
    from . import suite
    from .report.record import SKIP, Record

    known, absent = plugins.available(), []
    wanted = list(dict.fromkeys(names))
    if "all" in wanted:
        wanted = [name for name, here in known.items() if here]
        absent = [name for name, here in known.items() if not here]
    for name in wanted:
        plugins.backend(name)  # unknown, or not installed
    streams = [protocol.check_stream(name) for name in selection.streams or protocol.STREAMS]
    if not names:
        return Selected([], [])
    if selection.is_whole:
        cells = suite.matrix(wanted)
    else:
        dtypes = selection.dtypes or DTYPES
        hint = "Adapters have no complex types; others' targets may."
        _checked_dtypes(dtypes, DTYPES, hint)
        cells = suite.backend_cells(
            wanted,
            only=selection.claims,
            shapes=None if place is None else [place],
            dtypes=dtypes,
            streams=streams,
            tier=selection.tier or "stat",
        )
    sentence = 'not installed: pip install "initspec[{}]"'
    skipped = [
        Record(cell=name, target=name, scheme="", verdict=SKIP, sentence=sentence.format(name))
        for name in absent
    ]
    return Selected(cells, skipped)


# ---------------------------------------------------------------------------------------- targets


def _of_target(text: str, place: tuple[Shape, Layout] | None, selection: Selection) -> Selected:
    from ..stream.dtypes import DTYPES
    from . import suite
    from .probability.complex_law import PARTS
    from .report.record import ERROR, SKIP, Record
    from .targets.process import Process

    dtypes = selection.dtypes or ("float32",)
    shape, layout = place or (None, selection.layout)
    cells: list[Cell] = []
    records = []
    process = Process(selection.time_limit)  # one for all claims: frameworks load for seconds
    for claim in selection.claims or ("",):
        try:
            pairs = _claimed(text, claim, process)
        except (SpecError, UnknownName):  # of the command, not of the target
            raise
        except InitSpecError as error:
            verdict = SKIP if isinstance(error, BackendMissing) else ERROR
            name = f"{text} as {claim}" if claim else text
            records.append(
                Record(cell=name, target=text, scheme=claim, verdict=verdict, sentence=str(error))
            )
            continue
        _checked_dtypes(dtypes, (*DTYPES, *PARTS))
        for scheme, target in pairs:
            if selection.layout is not None and shape is None:
                _check_own_shape(target, selection.layout)
            cells += suite.target_cells(
                target,
                scheme,
                shape=shape,
                layout=None if selection.layout is None else layout,
                dtypes=dtypes,
                tier=selection.tier or "stat",
            )
    return Selected(cells, records)


def _check_own_shape(target: Target, layout: str) -> None:
    """Refuses a layout that fits no shape of the target's own."""
    from ..spec.layout import Layout

    sizes = target.fixed_shape
    if sizes is None:
        raise SpecError(
            f"--layout {layout} goes with a --shape, or with a target that has a shape of its own, "
            "as an array and a layer's parameter have."
        )
    Layout.of(layout, len(sizes)).roles(sizes)


def _claimed(text: str, claim: str, process: Process) -> list[tuple[str, Target]]:
    """A scheme and a target; with no scheme claimed, the text names a table of them."""
    from .targets import resolve
    from .targets.loading import NoTable

    if claim:
        return [(claim, resolve.resolve(text, scheme=claim, process=process))]
    likely = suggestion(text)
    if likely is not None:
        raise Unclaimed(text, likely)
    try:
        return list(resolve.resolve_table(text, time_limit=process.time_limit).items())
    except NoTable as error:  # it is there, and is something else
        raise Unclaimed(text, None) from error


class Unclaimed(SpecError):  # noqa: N818 - it says what is wrong
    """A target of which nobody says what it should be."""

    def __init__(self, text: str, likely: str | None) -> None:
        offer = f"its name suggests `--as {likely}`" if likely else "such as `--as he_normal`"
        super().__init__(f"say what {text} claims to be, {offer}; `initspec list` shows the names.")


def suggestion(text: str) -> str | None:
    """The scheme that a target's name suggests.

    >>> suggestion("torch.nn.init:kaiming_normal_"), suggestion("keras.initializers:HeNormal")
    ('he_normal@torch', 'he_normal@keras')
    >>> suggestion("jax.nn.initializers:he_normal()"), suggestion("mylib.init:TABLE")
    ('he_normal', None)
    """
    module, _, attribute = text.partition(":")
    name = re.split(r"[(#@]", attribute)[0].rpartition(".")[2]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    package = module.partition(".")[0]
    spoken = [name for name, head in dialects().items() if package in head.get("packages", ())]
    for likely in (*(f"{snake}@{dialect}" for dialect in spoken), snake):
        if likely in schemes:
            return schemes[likely].name
    return None
