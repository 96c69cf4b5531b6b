"""The cells that a command line, or a caller, names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BackendMissing, InitSpecError, SpecError, UnknownName
from ..readings.registry import schemes

if TYPE_CHECKING:
    from ..spec.fan_rules import Shape
    from ..spec.layout import Layout
    from .cell import Cell
    from .report.record import Record
    from .targets.process import Process
    from .targets.target import Target

#: A dialect of a framework's own, by the package that a target comes from.
_DIALECTS = {"torch": "torch", "keras": "keras", "tensorflow": "keras", "tf_keras": "keras"}


# ------------------------------------------------------------------------------------------ cells


def select(args: Any) -> tuple[list[Cell], list[Record]]:
    """What is to be judged, and the records of what cannot be."""
    from ..plugins import available

    backends = list(args.backend or ())
    targets: list[str] = []
    for text in args.target:
        (backends if text in available() else targets).append(text)
    if not backends and not targets:
        raise SpecError(
            "say what to check: a target, such as `initspec check torch.nn.init:kaiming_normal_ "
            "--as he_normal@torch`, or an adapter, `initspec check --backend all`."
        )
    from .targets.claims import claimed

    for claim in args.claims or ():
        claimed(claim)  # an unknown name is refused before anything runs
    shapes = _shapes(args)
    cells, broken = _backend_cells(backends, shapes, args)
    for text in targets:
        more, records = _target_cells(text, shapes, args)
        cells += more
        broken += records
    return cells, broken


def _shapes(args: Any) -> list[tuple[Shape, Layout]] | None:
    from ..spec.layout import Layout, checked_shape

    if args.shape is None:
        if args.layout is not None:
            raise SpecError(f"--layout {args.layout} goes with a --shape.")
        return None
    shape = checked_shape(tuple(size for sizes in args.shape for size in sizes))
    layout = Layout.of(args.layout, len(shape))
    layout.roles(shape)  # refuses a layout that does not fit
    return [(shape, layout)]


def _dtypes(args: Any, usual: Sequence[str], more: Sequence[str] = ()) -> Sequence[str]:
    from ..stream.dtypes import DTYPES

    for dtype in args.dtype or ():
        if dtype not in (*DTYPES, *more):
            hint = "" if more else "Adapters have no complex types; others' targets may."
            raise UnknownName("dtype", dtype, (*DTYPES, *more), hint)
    return args.dtype or usual


def whole(args: Any) -> bool:
    """Whether all adapters are judged, and in everything."""
    narrow = (args.claims, args.shape, args.dtype, args.stream, args.k, args.tier)
    return "all" in (args.backend or ()) and all(choice is None for choice in narrow)


def _backend_cells(
    names: Sequence[str], shapes: list[tuple[Shape, Layout]] | None, args: Any
) -> tuple[list[Cell], list[Record]]:
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
    streams = [protocol.check_stream(stream) for stream in args.stream or protocol.STREAMS]
    if not names:
        return [], []
    if whole(args):
        cells = suite.matrix(wanted)
    else:
        cells = suite.backend_cells(
            wanted,
            only=args.claims,
            shapes=shapes,
            dtypes=_dtypes(args, DTYPES),
            streams=streams,
            tier=args.tier or "stat",
        )
    sentence = 'not installed: pip install "initspec[{}]"'
    skipped = [
        Record(cell=name, target=name, scheme="", verdict=SKIP, sentence=sentence.format(name))
        for name in absent
    ]
    return cells, skipped


def _target_cells(
    text: str, shapes: list[tuple[Shape, Layout]] | None, args: Any
) -> tuple[list[Cell], list[Record]]:
    """The cells of a target; one that cannot be had is a record, and the others go on."""
    from . import suite
    from .probability.complex_law import PARTS
    from .report.record import ERROR, SKIP, Record
    from .targets.process import Process

    cells: list[Cell] = []
    records = []
    claims = args.claims or [""]
    process = Process(args.time_limit)  # one for all claims: a framework takes seconds to load
    for claim in claims:
        try:
            pairs = _claimed(text, claim, process, args)
        except (SpecError, UnknownName):  # of the command, not of the target
            raise
        except InitSpecError as error:
            verdict = SKIP if isinstance(error, BackendMissing) else ERROR
            name = f"{text} as {claim}" if claim else text
            records.append(
                Record(cell=name, target=text, scheme=claim, verdict=verdict, sentence=str(error))
            )
            continue
        for scheme, target in pairs:
            shape, layout = shapes[0] if shapes else (None, None)
            cells += suite.target_cells(
                target,
                scheme,
                shape=shape,
                layout=layout if args.layout else None,
                dtypes=_dtypes(args, ("float32",), tuple(PARTS)),
                tier=args.tier or "stat",
            )
    return cells, records


def _claimed(text: str, claim: str, process: Process, args: Any) -> list[tuple[str, Target]]:
    """A scheme and a target; with no scheme claimed, the text names a table of them."""
    from .targets import resolve

    if claim:
        return [(claim, resolve.resolve(text, scheme=claim, process=process))]
    likely = suggestion(text)
    if likely is not None:
        raise Unclaimed(text, likely)
    try:
        return list(resolve.resolve_table(text, time_limit=args.time_limit).items())
    except InitSpecError as error:
        if "table" in str(error):  # it is there, and is something else
            raise Unclaimed(text, None) from error
        raise


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
    dialect = _DIALECTS.get(module.partition(".")[0])
    for likely in ([f"{snake}@{dialect}"] if dialect else []) + [snake]:
        if likely in schemes:
            return schemes[likely].name
    return None
