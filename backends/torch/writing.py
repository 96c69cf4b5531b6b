"""How a law is written into the memory of a tensor: by which kernel, from whose random numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import increment_version

from ... import stream as _stream
from ...errors import SpecError
from ...spec.distribution import Distribution
from ...spec.integer_form import Draw
from ...spec.number_types import check_held
from ...stream.parts import Part
from ...stream.placement import Placement
from ...stream.reference import Key
from ..chance import SameKeys, draws
from ..cpu import laws as host_laws
from ..cpu.fill import fill as fill_words
from ..cpu.fill import fill_memory, fold_name
from . import kernel, native
from .checks import NAMES, is_fake, shards_of

same_keys = SameKeys()


class Plan(NamedTuple):
    """What is known of a law on a tensor before it is drawn; ``draw`` where elements are words."""

    law: Distribution
    place: Placement
    draw: Draw | None
    random: bool  # whether it needs random numbers

    @classmethod
    def of(cls, law: Distribution, place: Placement, stream: str = "portable") -> Plan:
        """The plan of a law that is drawn from a stream."""
        words = law.elementwise and stream == "portable"
        return cls(law, place, law.draw if words else None, draws(law, place.shape))


def key_of(source: Any, name: str | None, device: torch.device) -> Key:
    """The key of a seed, or of one draw from a generator, by default that of the device."""
    if type(source) is not int and (source is None or isinstance(source, torch.Generator)):
        key = native.draw(device, source)
    else:
        key = _stream.key_from_seed(source)
    return fold_name(key, name)


def write(
    tensor: Tensor,
    plan: Plan,
    source: Any,
    name: str | None,
    stream: str,
    window: Sequence[slice] | None = None,
) -> None:
    """Draw a law, or the window of it, into a tensor, whatever holds its memory.

    What needs no random numbers asks no generator for any.

    Raises :class:`SpecError` for a DTensor and PyTorch's own sampler.
    """
    check_held(plan.law, NAMES[tensor.dtype])
    shards = shards_of(tensor)
    if not plan.random and (source is None or isinstance(source, torch.Generator)):
        source = 0
    if stream == "native":
        if shards is not None:
            raise SpecError(
                "PyTorch's own sampler gives a DTensor other numbers on other meshes: use "
                'stream="portable", or torch.nn.init.'
            )
        if window is None:
            write_native(tensor, plan, source, name)
        else:
            whole = tensor.new_empty(plan.place.shape)
            write_native(whole, plan, source, name)
            tensor.copy_(whole[tuple(window)])
    elif shards is None:
        write_portable(tensor, plan, key_of(source, name, tensor.device), window)
    elif not is_fake(shards.local(tensor)):
        parts = shards.windows(tensor)
        if source is None or isinstance(source, torch.Generator):
            key = fold_name(shards.shared_draw(tensor, source), name)
        else:
            key = key_of(source, name, tensor.device)
        for part, here in parts:
            write_portable(shards.local(tensor)[here], plan, key, part)


def write_by(tensor: Tensor, plan: Plan, key: Key, part: Part | None = None) -> None:
    """Draw a law by its key into a tensor, a part of one, or what this rank holds of a DTensor."""
    check_held(plan.law, NAMES[tensor.dtype])
    shards = shards_of(tensor)
    if shards is None:
        write_portable(tensor if part is None else tensor[part.index], plan, key)
        return
    for window, here in shards.windows(tensor):
        local = shards.local(tensor)[here]
        if part is None:
            write_portable(local, plan, key, window)
        elif (shared := part.overlap(window)) is not None:
            write_portable(local[shared[1]], plan, key, shared[0])


def write_portable(
    tensor: Tensor, plan: Plan, key: Key, window: Sequence[slice] | None = None
) -> None:
    """Draw a law, or the window of it, from the portable stream."""
    place = plan.place if window is None else plan.place.part(window)
    if plan.draw is not None:
        if tensor.is_cpu:
            dtype, blocks = NAMES[tensor.dtype], place.blocks
            address, steps, size = tensor.data_ptr(), tensor.stride(), tensor.itemsize
            if not fill_memory(address, steps, size, dtype, blocks, key, plan.draw):
                fill_words(memory(tensor), dtype, blocks, key, plan.draw)
            increment_version(tensor)
        elif tensor.numel():
            _device_kernel(tensor.device.type)(tensor, place.blocks, key, plan.draw)
    elif plan.law.kind == "constant":
        tensor.fill_(plan.law.mean)
    else:
        array = host_laws.draw(plan.law, place, key=key, dtype=NAMES[tensor.dtype])
        tensor.copy_(native.from_host(array, tensor.dtype))


def write_native(tensor: Tensor, plan: Plan, source: Any, name: str | None) -> None:
    """Draw a law on the whole tensor by PyTorch's own sampler."""
    seeded = name is not None or not (source is None or isinstance(source, torch.Generator))
    if seeded:
        high, low = key_of(source, name, tensor.device)
        source = torch.Generator(tensor.device).manual_seed(high << 32 | low)
    native.fill(tensor, plan.law, plan.place, source, NAMES[tensor.dtype], seeded=seeded)


@cache
def _device_kernel(device: str) -> Callable[..., None]:
    """The kernel for tensors that are not on the CPU; both write the same bits."""
    # a process that has loaded TensorFlow crashes where it loads Triton, too
    loadable = "triton" in sys.modules or "tensorflow" not in sys.modules
    if device == "cuda" and loadable and find_spec("triton") is not None:
        from .kernel_triton import fill

        return fill
    return kernel.fill


def memory(tensor: Tensor) -> host_laws.Array:
    """The memory of a tensor on the CPU as a NumPy array, bfloat16 as its bits."""
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16)
    return tensor.numpy()


def _genuine(name: str) -> Any:
    """A function of ``torch.nn.init`` as PyTorch wrote it; None where it is already replaced."""
    found: Any = getattr(torch.nn.init, name, None)
    own = getattr(found, "__globals__", None) is vars(torch.nn.init)
    return found if own and found.__name__ == name else None


_UNIFORM, _INNER = _genuine("uniform_"), _genuine("_no_grad_uniform_")
_modes = torch._C._len_torch_function_stack


def is_untouched() -> bool:
    """Whether ``torch.nn.init.uniform_`` is as PyTorch wrote it, and no mode stands before it.

    A call of it, with a :class:`Step`, would then do nothing but write under ``no_grad``.
    """
    init = torch.nn.init
    return (
        _UNIFORM is not None
        and init.uniform_ is _UNIFORM
        and getattr(init, "_no_grad_uniform_", None) is _INNER
        and not _modes()
    )


class Step:
    """Stands in for a tensor in a call of ``torch.nn.init.uniform_``: its sampling is our writing.

    Whatever keeps that function from touching a tensor, a mode or a patch, keeps us from it.
    """

    __slots__ = ("_tensor", "_write")

    def __init__(self, tensor: Tensor, write: Callable[[], None]) -> None:
        self._tensor, self._write = tensor, write

    def uniform_(self, *_: Any, **__: Any) -> Tensor:
        """Write; the bounds of PyTorch's call mean nothing."""
        self._write()
        return self._tensor

    def __getattr__(self, name: str) -> Any:
        if name == "__torch_function__":  # else PyTorch takes this for a tensor
            raise AttributeError(name)
        return getattr(self._tensor, name)
