"""A model's weights straight to disk: drawn and written window by window, no framework needed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..backends.cpu import laws
from ..backends.cpu.fill import fold_name
from ..errors import FileError, SpecError
from ..files.shards import CODES, Shard, Tensor, index, shards, size_in_bytes
from ..files.writing import write_file
from ..plain_text import escaped
from ..protocol import by_path
from ..spec.number_types import check_held
from ..stream.dtypes import dtype_name, storage
from ..stream.parts import Part
from ..stream.placement import Placement
from ..stream.reference import Key, key_from_seed
from ..versions import STREAM, VERSION
from .fields import PlanFields
from .ledger import Ledger, Row
from .writing import dumps

#: Bytes that are drawn at a time; two such windows are in memory, one drawn and one written.
WINDOW = 1 << 24

INDEX = "model.safetensors.index.json"

#: Called with the bytes done, those of all files, and the name of the tensor.
Progress = Callable[[int, int, str], object]


def write(
    plan: PlanFields,
    folder: str | os.PathLike[str],
    ledger: Ledger,
    *,
    seed: int,
    dtype: str | None = None,
    shard: str | int = "5GB",
    only: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> Ledger:
    """Write the tensors of a ledger: see :meth:`initspec.Plan.write`."""
    kind = None if dtype is None else dtype_name(dtype)
    rows = by_path(row for row in ledger if row.law is not None)
    tensors = [_tensor(held, kind) for held in rows.values()]
    key_from_seed(seed)
    files = shards(tensors, size_in_bytes(shard), _facts(plan, seed))
    wanted = _wanted(files, only)
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {place}: {error.strerror}.") from None
    done, total = 0, sum(shard.nbytes for shard in wanted)
    digests: dict[str, str] = {}
    for file in wanted:
        known = _finished(place, file)
        if known is None:
            known = _write_file(place, file, rows, seed, done, total, progress)
        digests |= known
        done += file.nbytes
    if len(files) > 1:
        write_file(place / INDEX, index(files))
    else:
        (place / INDEX).unlink(missing_ok=True)  # that of a run with smaller files
    ledger = replace(ledger, seed=seed)
    write_file(place / "ledger.json", ledger.to_json())
    return replace(
        ledger,
        rows=tuple(replace(r, digest=digests.get(r.path, r.digest)) for r in ledger.rows),
    )


def _tensor(rows: Sequence[Row], kind: str | None) -> Tensor:
    """What is written for a tensor, of one parameter or of several parts."""
    parameter = rows[0].parameter
    dtype = kind or parameter.dtype
    if dtype not in CODES:
        raise SpecError(f"{rows[0].name} is of {dtype}; weights are written in {', '.join(CODES)}.")
    for row in rows:
        assert row.law is not None
        check_held(row.law, dtype)
    name = rows[0].path
    if name == "__metadata__" or not _is_unicode(name):
        raise SpecError(
            f"a tensor of a safetensors file cannot have the name {escaped(name)}: rename it."
        )
    return Tensor(name, dtype, parameter.held or parameter.shape)


def _is_unicode(name: str) -> bool:
    """Whether a name can be written; half a character cannot."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _facts(plan: PlanFields, seed: int) -> dict[str, str]:
    digest = hashlib.sha256(dumps(plan).encode()).hexdigest()
    return {
        "format": "pt",
        "initspec.plan": plan.name,
        "initspec.plan_sha256": digest,
        "initspec.seed": str(seed),
        "initspec.stream": STREAM,
        "initspec.version": VERSION,
    }


def _wanted(files: Sequence[Shard], only: Sequence[int] | None) -> list[Shard]:
    if only is None:
        return list(files)
    if not isinstance(only, Sequence) or isinstance(only, str):
        raise SpecError(f"only is a list of the numbers of files, as [1, 2], not {only!r}.")
    for at in only:
        if type(at) is not int or not 1 <= at <= len(files):
            raise SpecError(
                f"only counts files from 1 to {len(files)}, and {at!r} is none of them."
            )
    return [files[at - 1] for at in only]


# ---------------------------------------------------------------------------------- whole files


def _sums(place: Path, file: Shard) -> Path:
    return place / f"{file.name}.sums.json"


def _finished(place: Path, file: Shard) -> dict[str, str] | None:
    """The digests of a file's tensors, where it was written before; None where it was not.

    It was where its sums are there, which are written last, and its header is that of today.
    """
    path = place / file.name
    try:
        sums = json.loads(_sums(place, file).read_text("utf-8"))
        if path.stat().st_size != file.nbytes:
            return None
        with path.open("rb") as held:
            if held.read(len(file.header)) != file.header:
                return None
        return dict(sums["sha256"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write_file(
    place: Path,
    file: Shard,
    rows: Mapping[str, Sequence[Row]],
    seed: int,
    done: int,
    total: int,
    progress: Progress | None,
) -> dict[str, str]:
    """Write one file beside its place, then rename it; its sums come last."""
    path = place / file.name
    beside = place / f".{file.name}.{os.getpid()}-{os.urandom(4).hex()}"
    digests: dict[str, str] = {}
    with contextlib.suppress(OSError):
        _sums(place, file).unlink()
    try:
        with beside.open("xb", buffering=0) as out, ThreadPoolExecutor(1) as writer:
            _put(out, memoryview(file.header))
            for tensor in file.tensors:
                digest = hashlib.sha256()
                pending: Future[None] | None = None
                for values in _drawn(rows[tensor.name], tensor, seed):
                    if pending is not None:
                        pending.result()
                    pending = writer.submit(_store, out, values, digest)
                    done += values.nbytes
                    if progress is not None:
                        progress(done, total, tensor.name)
                if pending is not None:
                    pending.result()
                digests[tensor.name] = digest.hexdigest()
            os.fsync(out.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}.") from None
    finally:
        beside.unlink(missing_ok=True)
    write_file(_sums(place, file), json.dumps({"sha256": digests}, indent=1) + "\n")
    return digests


def _store(out: IO[bytes], values: np.ndarray[Any, Any], digest: Any) -> None:
    view = memoryview(values.reshape(-1).view(np.uint8).data)
    digest.update(view)
    _put(out, view)


def _put(out: IO[bytes], view: memoryview) -> None:
    while view:
        view = view[out.write(view) :]


# ------------------------------------------------------------------------------------- windows


def _drawn(rows: Sequence[Row], tensor: Tensor, seed: int) -> Iterator[np.ndarray[Any, Any]]:
    """The values of a tensor, in the order of the file, a window at a time.

    Two windows share their memory in turn: one is drawn while the other is written.
    """
    kind, source = storage(tensor.dtype), key_from_seed(seed)
    pieces = [_Piece(row, tensor, fold_name(source, row.name)) for row in rows]
    most = WINDOW // kind.itemsize
    memory = [np.empty(min(most, math.prod(tensor.shape)), kind) for _ in range(2)]
    for turn, window in enumerate(windows(tensor.shape, most)):
        extent = tuple(part.stop - part.start for part in window)
        values = memory[turn % 2][: math.prod(extent)].reshape(extent)
        for piece in pieces:
            piece.draw(window, values)
        yield values


class _Piece:
    """A parameter in a tensor: drawn by windows, or once where its elements are tied together."""

    def __init__(self, row: Row, tensor: Tensor, key: Key) -> None:
        assert row.law is not None
        self.law, self.key, self.dtype = row.law, key, tensor.dtype
        self.part = row.parameter.part or Part.whole(tensor.shape)
        self.place = Placement.of(self.part.shape, row.layout)
        self.apart = self.law.elementwise or self.law.kind == "constant"
        self._whole: np.ndarray[Any, Any] | None = None

    def draw(self, window: tuple[slice, ...], values: np.ndarray[Any, Any]) -> None:
        """Write what a window of the tensor has of it."""
        shared = self.part.overlap(window)
        if shared is None:
            return
        own, here = shared
        if not self.apart:
            if self._whole is None:
                self._whole = laws.draw(self.law, self.place, key=self.key, dtype=self.dtype)
            values[here] = self._whole[own]
            return
        out = values[(*here, ...)]  # a view, also of an array without axes
        laws.fill(out, self.law, self.place.part(own), key=self.key, dtype=self.dtype)


def windows(shape: tuple[int, ...], most: int) -> Iterator[tuple[slice, ...]]:
    """Windows of at most so many elements that follow each other in memory.

    >>> [tuple((part.start, part.stop) for part in window) for window in windows((3, 4), 8)]
    [((0, 2), (0, 4)), ((2, 3), (0, 4))]
    >>> [tuple((part.start, part.stop) for part in window) for window in windows((2, 4), 3)]
    [((0, 1), (0, 3)), ((0, 1), (3, 4)), ((1, 2), (0, 3)), ((1, 2), (3, 4))]
    """
    inner, axis = 1, len(shape)
    while axis and inner * shape[axis - 1] <= most:  # the axes that fit whole
        axis -= 1
        inner *= shape[axis]
    rest = tuple(slice(0, n) for n in shape[axis:])
    if not axis:
        yield rest
        return
    step = max(most // max(inner, 1), 1)
    cut = shape[axis - 1]
    for place in product(*(range(n) for n in shape[: axis - 1])):
        for start in range(0, cut, step):
            before = tuple(slice(at, at + 1) for at in place)
            yield (*before, slice(start, min(start + step, cut)), *rest)
