"""PyTorch's own samplers, in place: what ``stream="native"`` draws with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor

from ..distribution import Distribution, Normal, TruncatedNormal, Uniform
from ..index import blocks
from ..layout import Layout, Shape
from ..structure import DeltaOrthogonal, Orthogonal, Sparse
from . import _host

Drawn = Generator | None


def fill(
    tensor: Tensor, law: Distribution, shape: Shape, layout: Layout, generator: Drawn, dtype: str
) -> None:
    """Fill a tensor with a law; narrow types are drawn in float32 and rounded."""
    match law:
        case Normal():
            tensor.normal_(law.mu, law.sigma, generator=generator)
        case Uniform():
            wide = _wide(tensor)  # in narrow types PyTorch turns the upper bound into the lower one
            wide.uniform_(law.low, law.high, generator=generator)
            if wide is not tensor:
                tensor.copy_(wide)
        case TruncatedNormal():
            _truncated(tensor, law, generator)
        case Orthogonal():
            _place(tensor, _orthogonal(law, tensor, generator), shape, layout)
        case DeltaOrthogonal():
            inner = Orthogonal(law.gain, law.count, law.rows, law.columns)
            whole = tensor.new_zeros((law.count, law.taps, law.rows, law.columns))
            if whole.numel():
                whole[:, law.middle] = _orthogonal(inner, tensor, generator).to(whole.dtype)
            _place(tensor, whole, shape, layout)
        case Sparse():
            _place(tensor, _sparse(law, tensor, generator), shape, layout)
        case _ if law.kind == "constant":
            tensor.fill_(law.mean)
        case _:
            key = draw(tensor.device, generator)
            found = _host.array(law, shape, key=key, layout=layout, dtype=dtype)
            tensor.copy_(from_host(found, tensor.dtype))


def draw(device: torch.device, generator: Drawn) -> tuple[int, int]:
    """A key: one draw of 64 bits from a generator, else from the default one of the device."""
    if generator is not None:
        device = generator.device
    bits = torch.empty((), dtype=torch.int64, device=device)
    # From the least int64 to the greatest: all 64 bits.
    word = int(bits.random_(-(2**63), None, generator=generator).item()) % 2**64
    return word >> 32, word & 0xFFFFFFFF


def from_host(array: _host.Array, dtype: torch.dtype) -> Tensor:
    """A NumPy array, bfloat16 as its bits, as a tensor on the CPU that shares its memory."""
    if dtype == torch.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _wide(tensor: Tensor) -> Tensor:
    """The tensor itself, or one of float32 in the place of a narrow one."""
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def _truncated(tensor: Tensor, law: TruncatedNormal, generator: Drawn) -> None:
    """By ``torch.nn.init.trunc_normal_``, whose bounds are absolute."""
    if law.sigma == 0:
        tensor.fill_(law.mu)
        return
    wide = _wide(tensor)
    low, high = law.support
    torch.nn.init.trunc_normal_(wide, law.mu, law.sigma, low, high, generator=generator)
    if wide is not tensor:
        tensor.copy_(wide)


def _standard(tensor: Tensor, shape: Shape, generator: Drawn) -> Tensor:
    kind = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    return torch.randn(shape, dtype=kind, device=tensor.device, generator=generator)


def _orthogonal(law: Orthogonal, tensor: Tensor, generator: Drawn) -> Tensor:
    """Haar matrices by QR, in float32 for the narrow types, for which there is none."""
    matrix = _standard(tensor, (law.count, law.rows, law.columns), generator)
    wide = law.rows < law.columns
    q, r = torch.linalg.qr(matrix.mT if wide else matrix)
    signs = torch.where(r.diagonal(dim1=1, dim2=2) < 0, -law.gain, law.gain)
    found: Tensor = q * signs[:, None, :]
    return found.mT if wide else found


def _sparse(law: Sparse, tensor: Tensor, generator: Drawn) -> Tensor:
    size = (law.count, law.rows, law.columns)
    values = _standard(tensor, size, generator) * law.sigma
    ranks = torch.rand(size, device=tensor.device, generator=generator)
    return values.scatter(1, ranks.argsort(dim=1)[:, : law.zeros], 0.0)


def _place(tensor: Tensor, canonical: Tensor, shape: Shape, layout: Layout) -> None:
    """Copy a whole tensor in canonical order to where its elements are stored."""
    flat = canonical.reshape(-1)
    for block in blocks(shape, layout):
        if 0 not in block.shape:
            source = flat.as_strided(block.shape, block.strides, block.base)
            tensor[block.part].view(block.shape).copy_(source)
