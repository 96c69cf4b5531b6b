"""What PyTorch's users may hand over: which dtypes and tensors can be filled, which are refused."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor
from torch._ops import _len_torch_dispatch_stack_pre_dispatch as _before_dispatch
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import get_proxy_mode
from torch.nn import Module, Parameter
from torch.nn.parameter import is_lazy

from ...computed_weights import install, owner_of
from ...errors import SpecError
from ...protocol import check_stream
from ...spec.distribution import Constant, Distribution
from ...stream import dtypes

_tracing_state, _modes = torch._C._get_tracing_state, torch._C._len_torch_dispatch_stack

install()

PLAIN = (Tensor, Parameter)
NAMES: dict[Any, str] = {getattr(torch, name): name for name in dtypes.DTYPES}
_TYPES = {name: dtype for dtype, name in NAMES.items()}


def dtype_of(dtype: Any) -> torch.dtype:
    """PyTorch's dtype, from a name or from any framework's; ``None`` is the default one."""
    if dtype is None:
        dtype = torch.get_default_dtype()
    kind: torch.dtype = _TYPES[NAMES.get(dtype) or dtypes.dtype_name(dtype)]
    return kind


def is_fake(tensor: Tensor) -> bool:
    """Whether a tensor has a shape and no memory, and is not on the meta device either."""
    return isinstance(tensor, FakeTensor)


def is_recorded() -> bool:
    """Whether a program is being recorded while real tensors run: by make_fx or torch.jit.trace."""
    if _tracing_state() is not None:
        return True
    modes = _modes() or _before_dispatch()  # type: ignore[no-untyped-call]
    return bool(modes) and get_proxy_mode() is not None


def shards_of(tensor: Tensor) -> Any:
    """The module for a DTensor, which is imported only if there is one; else None."""
    if type(tensor) in PLAIN or "torch.distributed.tensor" not in sys.modules:
        return None
    from . import dtensor

    return dtensor if dtensor.is_dtensor(tensor) else None


def check_source(generator: Any, seed: Any, stream: str) -> None:
    """Refuse two sources of randomness, and a stream that there is not."""
    if generator is not None:
        if seed is not None:
            raise SpecError(
                "give generator= or seed=, not both: each of them is a source of randomness."
            )
        if not isinstance(generator, torch.Generator):
            raise SpecError(f"generator= is a torch.Generator, not {generator!r}; or give seed=.")
    if stream != "portable":
        check_stream(stream)


def is_whole(tensor: Tensor) -> bool:
    """Whether a tensor holds whole numbers, as the counter of a batch norm does."""
    return not tensor.dtype.is_floating_point and not tensor.dtype.is_complex


def check_whole(tensor: Tensor, law: Distribution) -> None:
    """Refuse to draw whole numbers: they are filled with one of them, or not at all."""
    if not isinstance(law, Constant) or law.mean != int(law.mean):
        raise SpecError(
            f"it holds whole numbers ({tensor.dtype}), which a law such as zeros or ones fills, "
            f"and {law} does not."
        )


def check_kind(tensor: Any) -> None:
    """Refuse what is no tensor that holds values; raises :class:`SpecError`."""
    if isinstance(tensor, Module):
        from .origins import behind_weight

        kind, names = type(tensor).__name__, behind_weight(tensor)
        if names:
            listed, way = _in_its_place(names)
            raise SpecError(
                f"a tensor is filled, not a module. The weight of this {kind} is computed from "
                f"{listed}: {way}."
            )
        raise SpecError(
            f"a tensor is filled, not a module: give init_(module.weight) of this {kind}; with "
            "apply, a function that picks the weights."
        )
    if not isinstance(tensor, Tensor):
        raise SpecError(f"torch_ fills a torch.Tensor, not {type(tensor).__name__}.")
    if is_lazy(tensor):
        raise SpecError(
            "this parameter of a lazy module has no shape yet: run the module once on an input, "
            "then fill it."
        )
    known = is_fake(tensor) or shards_of(tensor) is not None
    if not known and type(tensor).__torch_dispatch__ is not Tensor.__torch_dispatch__:
        raise SpecError(
            f"a {type(tensor).__name__} holds its values in a way of its own: fill a plain tensor, "
            "then convert it."
        )


def check_tensor(tensor: Tensor) -> None:
    """Refuse a tensor whose memory cannot be filled; raises :class:`SpecError`."""
    if tensor.is_nested:
        raise SpecError(
            "a nested tensor has no one shape: fill the tensors of its unbind(), one by one."
        )
    if tensor.layout is not torch.strided:
        raise SpecError(
            f"a tensor of layout {tensor.layout} has no place for every element: fill a dense one, "
            "then convert it."
        )
    if tensor.dtype not in NAMES:
        way = (
            "fill its .real and its .imag"
            if tensor.is_complex()
            else "fill a float32 tensor, then convert it"
        )
        raise SpecError(
            f"a tensor of {tensor.dtype} cannot be drawn, only {', '.join(_TYPES)}: {way}."
        )
    check_computed(tensor)
    if tensor.is_inference() and not torch.is_inference_mode_enabled():
        raise SpecError(
            "this tensor was made in torch.inference_mode() and can be filled only there; or fill "
            "its clone()."
        )
    if tensor.is_neg():
        raise SpecError(
            "this tensor shows the negative of its memory, as the imag of a conj() does: fill its "
            "resolve_neg(), and copy_ that into it."
        )
    if not tensor.is_contiguous() and _overlaps(tensor):
        raise SpecError(
            f"elements of this tensor (strides {tensor.stride()}, shape {tuple(tensor.shape)}) "
            "share memory, as those of an expanded one do: fill its contiguous()."
        )


def check_gathered(tensor: Any) -> None:
    """Refuse a parameter that DeepSpeed's ZeRO has emptied; raises :class:`SpecError`."""
    shape = getattr(tensor, "ds_shape", None)
    if shape is not None and tuple(shape) != tuple(tensor.shape):
        raise SpecError(
            f"this parameter of shape {tuple(shape)} is partitioned by DeepSpeed's ZeRO and holds "
            f"{tuple(tensor.shape)} here: fill it under "
            "deepspeed.zero.GatheredParameters([parameter], modifier_rank=0)."
        )


def check_memory(tensor: Tensor) -> None:
    """Refuse a plain tensor whose storage was given back; raises :class:`SpecError`."""
    held, size = tensor.untyped_storage().nbytes(), tensor.numel()
    if not size or (held and tensor.is_contiguous() and tensor.nbytes == held):
        return
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    last = tensor.storage_offset() + sum((size - 1) * stride for size, stride in steps)
    needed = (last + 1) * tensor.itemsize
    if held < needed:
        raise SpecError(
            f"this tensor of shape {tuple(tensor.shape)} needs {needed} bytes, and its storage was "
            f"resized to {held}, as FSDP does between two passes: fill it where it has its values."
        )


def _overlaps(tensor: Tensor) -> bool:
    reach = 0
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1:
            if stride <= reach:
                return True
            reach += (size - 1) * stride
    return False


def check_computed(tensor: Tensor) -> None:
    """Refuse a tensor that was computed, by its history or by the mark of a computed weight.

    Raises :class:`SpecError`, which says what to fill in its place.
    """
    origin = tensor if tensor._base is None else tensor._base
    if origin.grad_fn is not None:
        from .origins import parameters_of

        names = parameters_of(origin.grad_fn)
        raise SpecError(_computed(f" ({type(origin.grad_fn).__name__})", names))
    owner = owner_of(tensor) if type(tensor) is Tensor else None
    if owner is not None:
        from .origins import parameters_behind

        raise SpecError(_computed("", parameters_behind(*owner)))


def _computed(how: str, names: list[str]) -> str:
    """Why a computed tensor is not filled, and what to fill in its place."""
    start = f"this tensor was computed{how}"
    if not names:
        return f"{start}, and values written into it would be lost: fill what it is computed from."
    listed, way = _in_its_place(names)
    return f"{start} from {listed}, and values written into it would be lost: {way}."


def _in_its_place(names: list[str]) -> tuple[str, str]:
    """The parameters of these names, and what to do where a weight is computed from them."""
    listed = ", ".join(f"module.{name}" for name in names[:5])
    base = names[0]
    if base.startswith("parametrizations."):
        weight = base.split(".")[1]
        if len(names) == 1:
            return listed, f"fill {listed}"
        way = f"assign module.{weight} = scheme.torch(module.{weight}.shape), which sets them"
        return listed, way
    if base.endswith(("_g", "_v")):
        way = f"fill module.{base[:-2]} before weight_norm, or after remove_weight_norm(module)"
        return listed, way
    return listed, f"fill {listed}"
