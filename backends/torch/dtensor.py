"""DTensor: each rank draws its own windows of the whole tensor, and nothing else."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor, Replicate, Shard

from ...errors import SpecError, StreamError
from ...spec.fan_rules import Shape
from ...stream.reference import Key
from .native import draw

Run = tuple[int, int]
Part = tuple[slice, ...]


def is_dtensor(tensor: Any) -> bool:
    """Whether this is a DTensor."""
    return isinstance(tensor, DTensor)


def local(tensor: Any) -> Tensor:
    """The rank's own part, which shares its memory."""
    with torch.no_grad():
        return tensor.to_local()  # type: ignore[no-any-return]


def windows(tensor: Any) -> list[tuple[Part, Part]]:
    """The windows of the whole tensor that this rank holds, each with its place in the local part.

    There is one, none where the rank holds nothing, and several where the shards are strided, as
    FSDP2 makes them over tensor parallel ones.

    Raises :class:`SpecError` for a placement that is no shard and no replica.
    """
    mesh = tensor.device_mesh
    place = mesh.get_coordinate()
    if place is None:
        return []
    axes = runs(tuple(tensor.shape), tuple(mesh.shape), tuple(place), tensor.placements)
    held = tuple(sum(stop - start for start, stop in axis) for axis in axes)
    if held != tuple(local(tensor).shape):
        raise StreamError(
            f"a DTensor of shape {tuple(tensor.shape)} placed as {tensor.placements} should hold "
            f"{held} here, but holds {tuple(local(tensor).shape)}: it is sharded in an order that "
            "its placements do not say. Fill a plain tensor, and distribute_tensor it."
        )
    cuts = [list(zip(axis, _local(axis), strict=True)) for axis in axes]
    return [
        (tuple(slice(*whole) for whole, _ in parts), tuple(slice(*here) for _, here in parts))
        for parts in product(*cuts)
    ]


def runs(
    shape: Shape, mesh: Shape, place: tuple[int, ...], placements: Any
) -> tuple[tuple[Run, ...], ...]:
    """For each axis the runs ``(start, stop)`` that the rank at ``place`` of the mesh holds."""
    held: list[list[Run]] = [[(0, size)] for size in shape]
    for count, at, placement in zip(mesh, place, placements, strict=True):
        pieces = getattr(placement, "split_factor", 1)  # of _StridedShard
        if isinstance(placement, Replicate):
            continue
        if not isinstance(placement, Shard) and not hasattr(placement, "split_factor"):
            raise SpecError(
                f"a DTensor placed as {placement} has no values of its own: redistribute it to "
                "Shard or Replicate before it is filled."
            )
        axis = held[placement.dim]
        held[placement.dim] = [
            run for piece in range(pieces) for run in _chunk(_chunk(axis, pieces, piece), count, at)
        ]
    return tuple(tuple(_merged(axis)) for axis in held)


def _chunk(axis: list[Run], count: int, at: int) -> list[Run]:
    """What ``torch.chunk`` gives the shard ``at`` of ``count``."""
    total = sum(stop - start for start, stop in axis)
    size = -(-total // count)
    first, last = min(at * size, total), min((at + 1) * size, total)
    cut, seen = [], 0
    for start, stop in axis:
        here = max(first - seen, 0) + start, min(last - seen, stop - start) + start
        if here[0] < here[1]:
            cut.append(here)
        seen += stop - start
    return cut


def _merged(axis: list[Run]) -> list[Run]:
    merged: list[Run] = []
    for start, stop in axis:
        if merged and merged[-1][1] == start:
            merged[-1] = merged[-1][0], stop
        else:
            merged.append((start, stop))
    return merged


def _local(axis: tuple[Run, ...]) -> list[Run]:
    """Where the runs lie side by side."""
    places, seen = [], 0
    for start, stop in axis:
        places.append((seen, seen + stop - start))
        seen += stop - start
    return places


def shared_draw(tensor: Any, generator: torch.Generator | None) -> Key:
    """One draw of 64 bits, the same on every rank: that of the mesh's first.

    Every rank of the mesh draws, so that the generators stay in step, and must take part.
    """
    mesh = tensor.device_mesh
    device = torch.device(mesh.device_type)
    high, low = draw(device, generator)
    if mesh.get_coordinate() is None:
        return high, low
    bits = torch.tensor([high, low], dtype=torch.int64, device=device)
    for dim in range(mesh.ndim):
        group = mesh.get_group(dim)
        dist.broadcast(bits, src=dist.get_global_rank(group, 0), group=group)
    high, low = bits.tolist()
    return high, low
