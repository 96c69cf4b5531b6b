"""PyTorch's own samplers, in place: what ``stream="native"`` draws with.

The numbers are bit for bit those of ``torch.nn.init`` for the same generator, in every dtype, for
the laws that it has. Of ``sparse_`` the normal numbers come from the generator that is given and
the places of the zeros from the default one, as in PyTorch; with a seed both come from the seed,
as after ``torch.manual_seed``.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Generator, Tensor

from ...spec.distribution import Distribution, Normal, Scale, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.tensor_laws import DeltaOrthogonal, Given, Orthogonal, Sparse, Stencil, alone
from ...stream.placement import Placement
from ..cpu import laws as host_laws

Source = Generator | None


def fill(
    tensor: Tensor,
    law: Distribution,
    place: Placement,
    generator: Source,
    dtype: str,
    *,
    seeded: bool = False,
) -> None:
    """Fill a whole tensor with a law; ``seeded``: the generator was made from a seed."""
    match law:
        case Normal():
            std = law.sigma if law.scale is None else _deviation(law.scale)
            tensor.normal_(law.mu, std, generator=generator)
        case Uniform():
            tensor.uniform_(*_ends(law), generator=generator)
        case TruncatedNormal():
            if law.sigma == 0:
                tensor.fill_(law.mu)
            else:
                low, high = law.support  # absolute, as PyTorch's are
                init = torch.nn.init.trunc_normal_
                init(tensor, law.mu, law.sigma, low, high, generator=generator)
        case Orthogonal():
            _orthogonal(tensor, law, place, generator)
        case DeltaOrthogonal():
            whole = _wide(tensor, (law.count, law.taps, law.rows, law.columns)).zero_()
            if whole.numel():
                inner = Orthogonal(law.gain, law.count, law.rows, law.columns)
                whole[:, law.middle] = _matrices(tensor, inner, generator)
            _store(tensor, whole, place)
        case Sparse():
            _sparse(tensor, law, place, generator, seeded)
        case Stencil() | Given():
            array = host_laws.draw(law, place, key=(0, 0), dtype=dtype)
            tensor.copy_(from_host(array, tensor.dtype))
        case _ if law.kind == "constant":
            tensor.fill_(law.mean)
        case _:
            key = draw(tensor.device, generator)
            array = host_laws.draw(law, place, key=key, dtype=dtype)
            tensor.copy_(from_host(array, tensor.dtype))


def draw(device: torch.device, generator: Source) -> tuple[int, int]:
    """A key: one draw of 64 bits from a generator, else from the default one of the device."""
    if generator is not None:
        device = generator.device
    bits = torch.empty((), dtype=torch.int64, device=device)
    # From the least int64 to the greatest: all 64 bits.
    word = int(bits.random_(-(2**63), None, generator=generator).item()) % 2**64
    return word >> 32, word & 0xFFFFFFFF


def from_host(array: host_laws.Array, dtype: torch.dtype) -> Tensor:
    """A NumPy array, bfloat16 as its bits, as a tensor on the CPU that shares its memory."""
    if dtype == torch.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _deviation(scale: Scale) -> float:
    """The standard deviation with PyTorch's order of operations, and so its last bit.

    ``kaiming_`` divides by the root of a fan, ``xavier_`` multiplies by the root of a quotient.
    """
    if scale.mode in ("FAN_IN", "FAN_OUT"):
        return scale.gain / math.sqrt(scale.n)
    return scale.gain * math.sqrt(1 / scale.n)


def _ends(law: Uniform) -> tuple[float, float]:
    """Both ends of a uniform law; those that follow from fans with PyTorch's last bit."""
    if law.scale is None or law.low != -law.high:
        return law.low, law.high
    bound = math.sqrt(3) * _deviation(law.scale)
    return -bound, bound


def _wide(tensor: Tensor, shape: Shape) -> Tensor:
    """A new tensor in a type that LAPACK knows: float32 for the narrow ones."""
    kind = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    return tensor.new_empty(shape, dtype=kind)


def _orthogonal(tensor: Tensor, law: Orthogonal, place: Placement, generator: Source) -> None:
    """By ``torch.nn.init.orthogonal_``, around the first axis that may be its first."""
    shape = place.shape
    axes = alone(law, shape, place.layout)
    if axes:
        order = [axes[0], *(axis for axis in range(len(shape)) if axis != axes[0])]
        turned = _wide(tensor, tuple(shape[axis] for axis in order))
        torch.nn.init.orthogonal_(turned, law.gain, generator=generator)
        tensor.copy_(turned.movedim(0, axes[0]))
    else:
        _store(tensor, _matrices(tensor, law, generator), place)


def _matrices(tensor: Tensor, law: Orthogonal, generator: Source) -> Tensor:
    """The matrices of a law in canonical order, drawn one after the other, each ``(out, in)``."""
    matrices = _wide(tensor, (law.count, law.columns, law.rows))
    for matrix in matrices:
        torch.nn.init.orthogonal_(matrix, law.gain, generator=generator)
    return matrices.mT


def _sparse(tensor: Tensor, law: Sparse, place: Placement, generator: Source, seeded: bool) -> None:
    """By ``torch.nn.init.sparse_``, which counts zeros along the first axis."""
    per_in = law.zeros_per == "in"
    if place.layout.axes in (("oi", "ov") if per_in else ("io", "vo")) and law.count == 1:
        _sparse_matrix(tensor, law, generator, seeded)
        return
    sides = (law.columns, law.rows) if per_in else (law.rows, law.columns)
    matrices = tensor.new_empty((law.count, *sides))
    for matrix in matrices:
        _sparse_matrix(matrix, law, generator, seeded)
    _store(tensor, matrices.mT if per_in else matrices, place)


def _sparse_matrix(matrix: Tensor, law: Sparse, generator: Source, seeded: bool) -> None:
    if generator is None or not seeded:
        fraction = (law.zeros - 0.5) / max(law.length, 1)  # of a line, and rounded up
        torch.nn.init.sparse_(matrix, fraction, law.sigma, generator=generator)
        return
    matrix.normal_(0, law.sigma, generator=generator)
    if generator.device.type != "cpu":
        generator = Generator().manual_seed(generator.initial_seed())
    for column in range(matrix.shape[1]):
        zeros = torch.randperm(law.length, generator=generator)[: law.zeros]
        matrix[zeros, column] = 0


def _store(tensor: Tensor, canonical: Tensor, place: Placement) -> None:
    """Copy a whole tensor in canonical order to where its elements are stored."""
    flat = canonical.reshape(-1)
    for block in place.blocks:
        if 0 not in block.shape:
            source = flat.as_strided(block.shape, block.strides, block.base)
            tensor[block.part].view(block.shape).copy_(source)
