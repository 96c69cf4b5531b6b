"""PyTorch: a tensor in place, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor

from ...errors import SpecError
from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout, checked_layout, checked_shape
from ...spec.number_types import check_held
from ...spec.scheme import Scheme
from ...spec.traced import refuse_in_program
from ...stream import dtypes
from ...stream.canonical_order import checked, extent
from ...stream.placement import Placement
from ...stream.reference import Key, checked_key
from ..cpu.fill import fill as fill_words
from ..cpu.fill import prepare
from . import operator
from .checks import (
    NAMES,
    PLAIN,
    check_gathered,
    check_kind,
    check_memory,
    check_source,
    check_tensor,
    dtype_of,
    is_fake,
    is_recorded,
    shards_of,
)
from .model import TorchModel
from .writing import (
    Plan,
    Step,
    is_untouched,
    key_of,
    memory,
    same_keys,
    write,
    write_native,
    write_portable,
)

_MOST_PLANS = 4096


class TorchBackend:
    """The PyTorch backend: see :class:`initspec.Backend`.

    Tensors are on the CPU here; :meth:`fill` and :meth:`tensor` draw on any device.

    >>> from initspec import backend, get
    >>> law = get("he_normal").on((256, 512), out_first=True)
    >>> ours = backend("torch")
    >>> ours.sample(law, (256, 512), key=ours.key(0), dtype="bfloat16").dtype
    torch.bfloat16
    """

    name = "torch"
    out_first = True

    def __init__(self) -> None:
        # By the identity of a scheme, which is held: to hash it takes longer than a small fill.
        self._plans: dict[Any, tuple[Scheme, Plan]] = {}

    def key(self, source: Any = None, name: str | None = None) -> Key:
        """From a seed, a ``torch.Generator``, or ``None``: then from the default generator of the
        CPU, so that ``torch.manual_seed`` governs. A generator makes one draw of 64 bits.

        Raises :class:`StreamError` for a seed that is none.
        """
        return key_of(source, name, torch.device("cpu"))

    def words(
        self,
        key: Key,
        shape: Shape,
        *,
        layout: Layout | str | None = None,
        window: Sequence[slice] | None = None,
    ) -> Tensor:
        """The words as a tensor of uint32, of the window's shape."""
        place = Placement.of(shape, layout, window, out_first=True)
        out = np.empty(place.extent, np.uint32)
        fill_words(out, "uint32", place.blocks, checked_key(key), None)
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
        """A new tensor from the portable stream, of the window's shape."""
        place = Placement.of(shape, layout, window, out_first=True)
        out = torch.empty(place.extent, dtype=dtype_of(dtype))
        check_held(distribution, NAMES[out.dtype])
        prepare(out.data_ptr(), out.nbytes)
        write_portable(out, Plan.of(distribution, place), checked_key(key))
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
        place = Placement.of(shape, layout, out_first=True)
        out = torch.empty(place.shape, dtype=dtype_of(dtype))
        check_held(distribution, NAMES[out.dtype])
        write_native(out, Plan.of(distribution, place, "native"), source, None)
        return out

    def tohost(self, array: Any) -> Any:
        """bfloat16 as ``ml_dtypes.bfloat16`` where that is installed, else as its bits."""
        held = memory(array.cpu())
        if array.dtype != torch.bfloat16:
            return held
        try:
            return held.view(dtypes.bfloat16())
        except ImportError:
            return held

    def initializer(self, scheme: Scheme, **options: Any) -> TorchInitializer:
        """A callable ``init_(tensor)`` that fills in place; see :meth:`fill` for the options."""
        if torch.compiler.is_dynamo_compiling():
            return TracedInitializer(scheme, options)  # type: ignore[return-value]
        return TorchInitializer(scheme, **options)

    def model(self, module: torch.nn.Module) -> TorchModel:
        """A module as plans see it: see :class:`initspec.protocol.Model`.

        >>> from initspec import backend
        >>> [held.path for held in backend("torch").model(torch.nn.Linear(2, 3)).parameters()]
        ['weight', 'bias']
        """
        return TorchModel(module)

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
        Tensors of one seed without a name are fully correlated: give each parameter its own.

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
        lost: the computed weight of a parametrization, of weight_norm, spectral_norm or pruning,
        and a view of it, also under ``no_grad`` and of frozen parameters; a lazy parameter, memory
        that elements share, a sparse, integer or complex tensor. Nothing is written then. A weight
        that other code computes is known by its history in autograd alone.

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
            traced = (
                is_functorch_wrapped_tensor(tensor)
                or (not plain and is_fake(tensor))
                or is_recorded()
            )
        if getattr(tensor, "_is_hf_initialized", False):
            return tensor
        if traced:
            return operator.fill(scheme, tensor, generator, seed, name, layout, stream)
        check_tensor(tensor)
        if not tensor.numel():
            check_gathered(tensor)
        plan = self.plan(scheme, tensor.shape, layout, stream)
        if not tensor.is_meta:
            if type(tensor) in PLAIN:
                check_memory(tensor)
            source = seed if generator is None else generator
            # What the kernel of the CPU writes, autograd does not see; anything else it would.
            if plain and plan.draw is not None and tensor.is_cpu and is_untouched():
                write(tensor, plan, source, name, stream)
            else:
                step = Step(tensor, lambda: write(tensor, plan, source, name, stream))
                torch.nn.init.uniform_(step)  # type: ignore[arg-type]
            if seed is not None and name is None and plan.random and plain:
                same_keys.note(seed, tensor, tensor.shape, memory=tensor.data_ptr())
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

        Raises what :meth:`fill` raises, and :class:`SpecError` for options that go together
        nowhere.

        >>> from initspec import get
        >>> get("he_normal").torch((256, 512), seed=42, dtype=torch.bfloat16).shape
        torch.Size([256, 512])
        """
        check_source(generator, seed, stream)
        sizes = checked_shape(shape)
        part = None if window is None else checked(window, sizes)
        size = sizes if part is None else extent(part)
        out = torch.empty(size, dtype=dtype_of(dtype), device=device)
        if torch.compiler.is_compiling() or is_fake(out) or is_recorded():
            if part is not None:
                raise SpecError("a traced program takes no window=: draw it outside of it.")
            operator.fill(scheme, out, generator, seed, name, layout, stream)
        else:
            plan = self.plan(scheme, sizes, layout, stream)
            if not out.is_meta:
                if out.is_cpu:
                    prepare(out.data_ptr(), out.nbytes)
                source = seed if generator is None else generator
                write(out, plan, source, name, stream, part)
                if seed is not None and name is None and plan.random and part is None:
                    same_keys.note(seed, out, sizes)
        return out.requires_grad_() if requires_grad else out

    def plan(self, scheme: Scheme, shape: Shape, layout: Layout | str | None, stream: str) -> Plan:
        """What is known of a fill before it begins, from a cache.

        Raises what :meth:`initspec.Scheme.on` raises.

        >>> from initspec import backend, get
        >>> backend("torch").plan(get("zeros"), (2, 3), None, "portable").law
        Constant(value=0.0)
        """
        if layout is not None:
            checked_layout(layout)
        asked = id(scheme), shape, layout, stream
        held = self._plans.get(asked)
        if held is None:
            shape = tuple(shape)
            law = scheme.on(shape, layout, out_first=True)
            plan = Plan.of(law, Placement.of(shape, layout, out_first=True), stream)
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            held = self._plans[asked] = scheme, plan
        return held[1]


@dataclass(frozen=True, slots=True, weakref_slot=True)
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
        options = {name: getattr(self, name) for name in _OPTIONS}
        return _filled(self.scheme, tensor, options | overrides)


class TracedInitializer:
    """An initializer that a program makes which ``torch.compile`` reads."""

    def __init__(self, scheme: Scheme, options: dict[str, Any]) -> None:
        self.scheme, self.options = scheme, options
        for name in options:
            if name not in _OPTIONS:
                refuse_in_program(f"an initializer's option {name}=")

    def __call__(self, tensor: Tensor, **overrides: Any) -> Tensor:
        """As :class:`TorchInitializer`."""
        return _filled(self.scheme, tensor, {**self.options, **overrides})


def _filled(scheme: Scheme, tensor: Tensor, options: dict[str, Any]) -> Tensor:
    dtype = options.pop("dtype", None)
    if dtype is not None and isinstance(tensor, Tensor) and tensor.dtype != dtype_of(dtype):
        raise SpecError(
            f"dtype={dtype!r} was asked for, and the tensor is of {tensor.dtype}: a fill in "
            "place keeps the tensor's own."
        )
    return scheme.torch_(tensor, **options)  # type: ignore[no-any-return]


#: The options of an initializer: its fields but the scheme.
_OPTIONS = tuple(field.name for field in fields(TorchInitializer) if field.name != "scheme")
