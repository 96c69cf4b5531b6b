"""PyTorch: a tensor in place, or a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.graph import increment_version

from ... import stream as _stream
from ...errors import SpecError
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.integer_form import Draw
from ...spec.layout import Layout, checked_shape
from ...spec.scheme import Scheme
from ...stream import dtypes
from ...stream.canonical_order import Block, blocks, checked, extent
from ...stream.reference import Key
from ..cpu import laws as host_laws
from ..cpu.fill import fill as fill_words
from . import kernel, native, operator
from .checks import (
    NAMES,
    PLAIN,
    check_kind,
    check_source,
    check_tensor,
    dtype_of,
    is_fake,
    shards_of,
)

_MOST_PLANS = 4096


class Plan(NamedTuple):
    """What is known of a law on a tensor before it is drawn; ``draw`` where elements are words."""

    law: Distribution
    shape: Shape
    axes: Layout
    blocks: tuple[Block, ...]
    draw: Draw | None

    @classmethod
    def of(cls, law: Distribution, shape: Shape, axes: Layout, stream: str = "portable") -> Plan:
        words = law.elementwise and stream == "portable"
        return cls(law, shape, axes, blocks(shape, axes), law.draw if words else None)


class TorchBackend:
    """The PyTorch backend: see :class:`initspec.Backend`."""

    name = "torch"
    out_first = True

    def __init__(self) -> None:
        # By the identity of a scheme, which is held: to hash it takes longer than a small fill.
        self._plans: dict[Any, tuple[Scheme, Plan]] = {}

    def key(self, source: Any = None, name: str | None = None) -> Key:
        """From a seed, a ``torch.Generator``, or ``None``: then from the default generator of the
        CPU, so that ``torch.manual_seed`` governs. A generator makes one draw of 64 bits.
        """
        return _key(source, name, torch.device("cpu"))

    def words(
        self,
        key: Key,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        shape = checked_shape(shape)
        out = np.empty(extent(checked(window, shape)), np.uint32)
        axes = Layout.of(layout, len(shape), out_first=True)
        fill_words(out, "uint32", blocks(shape, axes, window), key, None)
        return torch.from_numpy(out)

    def sample(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        key: Key,
        layout: Layout | str | None = None,
        dtype: Any = "float32",
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape), out_first=True)
        out = torch.empty(extent(checked(window, shape)), dtype=dtype_of(dtype))
        _write(out, Plan.of(distribution, shape, axes), key, window)
        return out

    def native(
        self,
        distribution: Distribution,
        shape: Shape,
        *,
        source: Any = None,
        layout: Layout | str | None = None,
        dtype: Any = "float32",
    ) -> Tensor:
        """Drawn by ``torch.nn.init``: the same bits, after ``torch.manual_seed(source)``."""
        shape = checked_shape(shape)
        axes = Layout.of(layout, len(shape), out_first=True)
        out = torch.empty(shape, dtype=dtype_of(dtype))
        _write_native(out, Plan.of(distribution, shape, axes, "native"), source, None)
        return out

    def tohost(self, array: Any) -> Any:
        """bfloat16 as ``ml_dtypes.bfloat16`` where that is installed, else as its bits."""
        found = memory(array.cpu())
        if array.dtype != torch.bfloat16:
            return found
        try:
            return found.view(dtypes.bfloat16())
        except ImportError:
            return found

    def initializer(self, scheme: Scheme, **options: Any) -> TorchInitializer:
        """A callable ``init_(tensor)`` that fills in place; see :meth:`fill` for the options."""
        return TorchInitializer(scheme, **options)

    def fill(
        self,
        scheme: Scheme,
        tensor: Tensor,
        *,
        generator: torch.Generator | None = None,
        seed: int | None = None,
        name: str | None = None,
        layout: Layout | str | None = None,
        stream: str = "portable",
    ) -> Tensor:
        """Fill a tensor in place with the scheme's law; returns the same tensor.

        ``seed`` is an integer of 64 bits; without it one draw of 64 bits is made from
        ``generator``, else from the default generator of the tensor's device, so that
        ``torch.manual_seed`` governs. ``name`` is the parameter's, folded into the key. ``layout``
        names the axes, by default ``(out, in, spatial...)``. Any strides will do. Autograd sees
        nothing of it, as of ``torch.nn.init``.

        ``stream="native"`` draws what ``torch.nn.init`` draws, bit for bit: from ``generator``,
        from the default one, or, with ``seed``, as after ``torch.manual_seed(seed)``.

        A tensor on the meta device stays as it is, and so does one whose initialisation others
        have switched off: a loaded weight of Transformers (``_is_hf_initialized``), or anything
        under a mode or a patch that stops ``torch.nn.init.uniform_`` from touching a tensor, as
        Lightning's ``init_module(empty_init=True)`` is.

        Of a DTensor each rank draws what it holds, by the fans and the indices of the whole
        tensor. Without ``seed`` the draw of the mesh's first rank is sent to all, so that all
        ranks have to take part. Whole-matrix laws (orthogonal, sparse, a given array) are made
        whole on the host by every rank, and cut.

        Under ``torch.compile``, ``vmap`` and ``FakeTensorMode`` the fill is one operator, with the
        bits of eager mode; it takes no ``generator`` there, and no custom law. ``vmap`` gives each
        example the same values for a seed, and without one obeys its ``randomness``.

        Raises :class:`SpecError` for a tensor that cannot be filled, or whose values would be
        lost: the computed weight of a parametrization (known by its history in autograd: under
        ``no_grad``, or with a frozen original, it looks like any other tensor), a lazy parameter,
        memory that elements share, a sparse, integer or complex tensor. Nothing is written then.

        >>> from initspec import get
        >>> layer = torch.nn.Linear(3, 2)
        >>> get("normal(std=1.0)").torch_(layer.weight, seed=0).detach()
        tensor([[ 1.6226, -0.4336,  0.1761],
                [ 2.0253, -0.0786, -0.9721]])
        """
        check_source(generator, seed, stream)
        if torch.compiler.is_compiling():
            traced = True
            if shards_of(tensor) is not None:
                raise SpecError("torch.compile fills no DTensor: fill it outside of the program.")
        else:
            plain = type(tensor) in PLAIN
            if not plain:
                check_kind(tensor)
            traced = is_functorch_wrapped_tensor(tensor) or (not plain and is_fake(tensor))
        if getattr(tensor, "_is_hf_initialized", False):
            return tensor
        if traced:
            return operator.fill(scheme, tensor, generator, seed, name, layout, stream)
        plan = self.plan(scheme, tensor.shape, layout, stream)
        check_tensor(tensor)
        if not tensor.is_meta:
            source = seed if generator is None else generator
            step = _Step(tensor, lambda: _draw(tensor, plan, source, name, stream))
            torch.nn.init.uniform_(step)  # type: ignore[arg-type]
        return tensor

    def tensor(
        self,
        scheme: Scheme,
        shape: Shape | list[int],
        *,
        dtype: Any = None,
        device: Any = None,
        generator: torch.Generator | None = None,
        seed: int | None = None,
        name: str | None = None,
        layout: Layout | str | None = None,
        stream: str = "portable",
        requires_grad: bool = False,
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        """A new tensor of the scheme's law; ``dtype`` and ``device`` default to PyTorch's own.

        ``window``, one slice for each axis, gives that part of the tensor of the given shape,
        computed alone. The other options are those of :meth:`fill`.

        >>> from initspec import get
        >>> get("he_normal").torch((256, 512), seed=42, dtype=torch.bfloat16).shape
        torch.Size([256, 512])
        """
        check_source(generator, seed, stream)
        sizes = checked_shape(shape)
        part = None if window is None else checked(window, sizes)
        size = sizes if part is None else extent(part)
        out = torch.empty(size, dtype=dtype_of(dtype), device=device)
        if torch.compiler.is_compiling() or is_fake(out):
            if part is not None:
                raise SpecError("a traced program takes no window=: draw it outside of it.")
            operator.fill(scheme, out, generator, seed, name, layout, stream)
        else:
            plan = self.plan(scheme, sizes, layout, stream)
            if not out.is_meta:
                source = seed if generator is None else generator
                _draw(out, plan, source, name, stream, part)
        return out.requires_grad_() if requires_grad else out

    def plan(self, scheme: Scheme, shape: Shape, layout: Layout | str | None, stream: str) -> Plan:
        """What is known of a fill before it begins, from a cache.

        Raises what :meth:`initspec.Scheme.on` raises.
        """
        where = id(scheme), shape, layout, stream
        found = self._plans.get(where)
        if found is None:
            shape = tuple(shape)
            law = scheme.on(shape, layout, out_first=True)
            axes = Layout.of(layout, len(shape), out_first=True)
            found = scheme, Plan.of(law, shape, axes, stream)
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            self._plans[where] = found
        return found[1]


@dataclass(frozen=True, slots=True)
class TorchInitializer:
    """A scheme with its options: call it with a tensor, which it fills in place and returns.

    >>> from initspec import initializer
    >>> init_ = initializer("he_normal", backend="torch", seed=0)
    >>> init_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """

    scheme: Scheme
    seed: int | None = None
    generator: Any = None
    name: str | None = None
    layout: Layout | str | None = None
    dtype: Any = None
    stream: str = "portable"

    def __post_init__(self) -> None:
        check_source(self.generator, self.seed, self.stream)

    def __call__(self, tensor: Tensor, **overrides: Any) -> Tensor:
        """Fill the tensor, as :meth:`TorchBackend.fill` does; overrides replace the options.

        Raises :class:`SpecError` for a tensor of another dtype than the one that was asked for.
        """
        options = {name: getattr(self, name) for name in self.__slots__ if name != "scheme"}
        options |= overrides
        dtype = options.pop("dtype")
        if dtype is not None and isinstance(tensor, Tensor) and tensor.dtype != dtype_of(dtype):
            raise SpecError(
                f"dtype={dtype!r} was asked for, and the tensor is of {tensor.dtype}: a fill in "
                "place keeps the tensor's own."
            )
        return self.scheme.torch_(tensor, **options)  # type: ignore[no-any-return]


class _Step:
    """Stands in for a tensor in a call of ``torch.nn.init.uniform_``: its sampling is our writing.

    Whatever keeps that function from touching a tensor, a mode or a patch, keeps us from it.
    """

    __slots__ = ("_tensor", "_write")

    def __init__(self, tensor: Tensor, write: Callable[[], None]) -> None:
        self._tensor, self._write = tensor, write

    def uniform_(self, *_: Any, **__: Any) -> Tensor:
        self._write()
        return self._tensor

    def __getattr__(self, name: str) -> Any:
        if name == "__torch_function__":  # else PyTorch takes this for a tensor
            raise AttributeError(name)
        return getattr(self._tensor, name)


def _draw(
    tensor: Tensor,
    plan: Plan,
    source: Any,
    name: str | None,
    stream: str,
    window: Sequence[slice] | None = None,
) -> None:
    """Draw a law, or the window of it, into a tensor."""
    shards = shards_of(tensor)
    if stream == "native":
        if shards is not None:
            raise SpecError(
                "PyTorch's own sampler gives a DTensor other numbers on other meshes: use "
                'stream="portable", or torch.nn.init.'
            )
        if window is None:
            _write_native(tensor, plan, source, name)
        else:
            whole = tensor.new_empty(plan.shape)
            _write_native(whole, plan, source, name)
            tensor.copy_(whole[tuple(window)])
    elif shards is None:
        _write(tensor, plan, _key(source, name, tensor.device), window)
    elif not is_fake(shards.local(tensor)):
        parts = shards.windows(tensor)
        if source is None or isinstance(source, torch.Generator):
            key = _stream.fold_name(shards.shared_draw(tensor, source), name)
        else:
            key = _key(source, name, tensor.device)
        for part, here in parts:
            _write(shards.local(tensor)[here], plan, key, part)


def _write(tensor: Tensor, plan: Plan, key: Key, window: Sequence[slice] | None = None) -> None:
    """Draw a law from the portable stream."""
    if plan.draw is not None:
        parts = plan.blocks if window is None else blocks(plan.shape, plan.axes, window)
        if tensor.device.type == "cpu":
            fill_words(memory(tensor), NAMES[tensor.dtype], parts, key, plan.draw)
            increment_version(tensor)
        elif tensor.numel():
            _device_kernel(tensor.device.type)(tensor, parts, key, plan.draw)
    elif plan.law.kind == "constant":
        tensor.fill_(plan.law.mean)
    else:
        dtype = NAMES[tensor.dtype]
        found = host_laws.array(
            plan.law, plan.shape, key=key, layout=plan.axes, dtype=dtype, window=window
        )
        tensor.copy_(native.from_host(found, tensor.dtype))


def _write_native(tensor: Tensor, plan: Plan, source: Any, name: str | None) -> None:
    """Draw a law by PyTorch's own sampler."""
    seeded = name is not None or not (source is None or isinstance(source, torch.Generator))
    if seeded:
        high, low = _key(source, name, tensor.device)
        source = torch.Generator(tensor.device).manual_seed(high << 32 | low)
    kind = NAMES[tensor.dtype]
    native.fill(tensor, plan.law, plan.shape, plan.axes, source, kind, seeded=seeded)


def _key(source: Any, name: str | None, device: torch.device) -> Key:
    if source is None or isinstance(source, torch.Generator):
        key = native.draw(device, source)
    else:
        key = _stream.key_from_seed(source)
    return _stream.fold_name(key, name)


@cache
def _device_kernel(device: str) -> Callable[..., None]:
    """The kernel for tensors that are not on the CPU."""
    if device == "cuda" and find_spec("triton") is not None:
        from .kernel_triton import fill

        return fill
    return kernel.fill


def memory(tensor: Tensor) -> host_laws.Array:
    """The memory of a tensor on the CPU as a NumPy array, bfloat16 as its bits."""
    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(np.uint16)
    return tensor.numpy()
