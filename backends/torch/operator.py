"""The whole fill as one operator: for ``torch.compile``, ``FakeTensorMode`` and ``vmap``.

There no memory can be written while the program is read; the operator writes it when the program
runs, with the kernel and the bits of eager mode. (Traced, the twenty rounds of a word would take
the compiler a time exponential in their number.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_functionaltensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from ... import stream as _stream
from ...errors import SpecError
from ...spec.layout import Layout
from ...spec.scheme import Scheme
from ...spec.serial import loads, text_in_program
from ...spec.traced import TracedScheme
from ..chance import silence
from .checks import check_tensor
from .native import draw

_SCHEMA = "(Tensor(a!) out, SymInt? seed, str scheme, str? layout, str? name, str stream) -> ()"


def fill(
    scheme: Scheme,
    tensor: Tensor,
    generator: Any,
    seed: int | None,
    name: str | None,
    layout: Layout | str | None,
    stream: str,
) -> Tensor:
    """Fill a tensor that is being traced; without ``seed`` the default generator is asked.

    Raises :class:`SpecError` for a generator, and for a custom law, which no program can hold.
    """
    if generator is not None:
        raise SpecError(
            "a traced program (torch.compile, vmap, a FakeTensor) takes no generator=: give seed=, "
            "or neither, and torch.manual_seed governs."
        )
    if not torch.compiler.is_compiling() and is_functionaltensor(tensor):
        raise SpecError(
            "torch.func.functionalize has no way to write into a tensor by an operator: fill it "
            "outside of the function, or make the function under torch.compile."
        )
    if seed is not None:
        if not isinstance(seed, int) or not 0 <= seed < 2**64:
            _stream.key_from_seed(seed)
        if seed >= 2**63:
            seed = seed - 2**64  # its bits in a signed integer
    if scheme.custom is not None and isinstance(tensor, FakeTensor) and get_proxy_mode() is None:
        return tensor  # of which nobody sees more than the shape
    if isinstance(scheme, TracedScheme):
        text = _text(scheme.base, scheme.changes)
    else:
        text = _text(scheme, ())
    if tensor.requires_grad:
        with torch.no_grad():
            torch.ops.initspec.fill_(tensor.detach(), seed, text, _layout(layout), name, stream)
    else:  # without no_grad, which torch.export cannot save around an operator
        torch.ops.initspec.fill_(tensor, seed, text, _layout(layout), name, stream)
    return tensor


def _constant(function: Any) -> Any:
    """What ``torch.compiler.assume_constant_result`` does, without importing the compiler."""
    function._dynamo_marked_constant = True
    return function


@_constant
def _text(base: Scheme | str, changes: tuple[dict[str, Any], ...]) -> str:
    """A scheme with the changes of its fields, as text."""
    scheme = loads(base, "json") if isinstance(base, str) else base
    for fields in changes:
        scheme = scheme.replace(**fields)
    return text_in_program(scheme)


@_constant
def _layout(layout: Layout | str | None) -> str | None:
    return None if layout is None else str(layout)


@lru_cache(maxsize=256)
def _scheme(text: str) -> Scheme:
    return loads(text, "json")


@torch.library.custom_op("initspec::fill_", mutates_args=("out",), schema=_SCHEMA)
def _fill(out, seed, scheme, layout, name, stream):  # type: ignore[no-untyped-def]
    from ...plugins import backend

    whole = None if seed is None else seed % 2**64
    with silence():  # the examples of vmap have one key
        backend("torch").fill(
            _scheme(scheme), out, seed=whole, name=name, layout=layout, stream=stream
        )


@_fill.register_fake
def _shape_only(out, seed, scheme, layout, name, stream):  # type: ignore[no-untyped-def]
    from ...plugins import backend

    if all(type(size) is int for size in out.shape):
        backend("torch").plan(_scheme(scheme), tuple(out.shape), layout, stream)
    check_tensor(out)


def _random(scheme: str, tensor: Tensor, layout: str | None, stream: str) -> bool:
    from ...plugins import backend

    return bool(backend("torch").plan(_scheme(scheme), tensor.shape, layout, stream).random)


@_fill.register_vmap
def _batched(info, in_dims, out, seed, scheme, layout, name, stream):  # type: ignore[no-untyped-def]
    alike = in_dims[0] is None
    example = out if alike else out.select(in_dims[0], 0)
    if seed is None and not _random(scheme, example, layout, stream):
        seed = 0
    if seed is None:
        if info.randomness == "error" or (alike and info.randomness == "different"):
            raise SpecError(
                f"vmap with randomness={info.randomness!r} draws no numbers here: give seed=, or "
                "vmap(..., randomness='same'), or 'different' for a tensor that is mapped over."
            )
        if info.randomness == "same":
            high, low = draw(out.device, None)
            seed = (high << 32 | low) - (high >> 31 << 64)
    for example in (out,) if alike else out.unbind(in_dims[0]):
        torch.ops.initspec.fill_(example, seed, scheme, layout, name, stream)
    return None, None
