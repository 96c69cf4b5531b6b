"""PyTorch's modules, as plans see them: every parameter and buffer once, and the fill of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from ...errors import SpecError
from ...protocol import Fill, Held, by_path
from ...stream.placement import Placement
from .checks import (
    check_gathered,
    check_kind,
    check_memory,
    check_tensor,
    check_whole,
    is_whole,
    shards_of,
)
from .held import Named, assign, check_inverse, named
from .shared import overlapping
from .writing import Plan, memory, write_by


class TorchModel:
    """A module: see :class:`initspec.protocol.Model`.

    What is computed from parameters, a weight under a parametrization or ``weight_norm``, is held
    by its own name, and its parts are set so that it has the drawn values.

    >>> held = TorchModel(torch.nn.Linear(3, 2)).parameters()
    >>> [(one.path, one.shape) for one in held]
    [('weight', (2, 3)), ('bias', (2,))]
    """

    framework = "torch"
    out_first = True

    def __init__(self, module: Module) -> None:
        self.module = module
        self._held: dict[str, tuple[Module, Named]] = {}
        self._tied: dict[str, tuple[str, ...]] = {}

    def parameters(self) -> Sequence[Held]:
        """Parameters first where a layer has both, in the order of ``named_modules``."""
        modules = dict(self.module.named_modules(remove_duplicate=False))
        paths: dict[int, list[str]] = {}
        first: dict[int, tuple[Module, Named]] = {}
        for prefix, layer in modules.items():
            for one in named(layer, prefix):
                path = f"{prefix}.{one.leaf}" if prefix else one.leaf
                first.setdefault(id(one.stored), (layer, one))
                paths.setdefault(id(one.stored), []).append(path)
        self._held = {paths[key][0]: pair for key, pair in first.items()}
        self._tied = {held[0]: tuple(dict.fromkeys(held)) for held in paths.values()}
        return [
            _held(one, self._tied[path], _owners(modules, path))
            for path, (_, one) in self._held.items()
        ]

    def fill(self, fills: Iterable[Fill], device: Any = None) -> None:
        """Fill in place, after all have been checked; what is filled is marked as initialised for
        Transformers.

        Parameters on the meta device are made on ``device``, and what was tied stays tied.

        Raises :class:`SpecError` for parameters or buffers that stay on the meta device.
        """
        asked = list(fills)
        self._check_meta({fill.path for fill in asked}, device)
        for fill in asked:
            self._check(fill)
        self._check_apart({fill.path for fill in asked})
        if device is not None:
            self._materialise(_device(device))
        with torch.no_grad():
            for fills in by_path(asked).values():
                self._write(fills)
        for module in self.module.modules():
            if hasattr(module, "_is_hf_initialized"):
                module._is_hf_initialized = True  # type: ignore[assignment]

    def _check_meta(self, paths: set[str], device: Any) -> None:
        meta = [path for path, (_, one) in self._held.items() if one.tensor.is_meta]
        if device is None and any(path in paths for path in meta):
            raise SpecError(
                f"{len(meta)} tensors are on the meta device, {meta[0]} among them, and hold no "
                'values: give device="cpu", or another, and they are made there.'
            )
        left = [path for path in meta if path not in paths]
        if left:
            raise SpecError(
                f"{len(left)} tensors are on the meta device, and no rule fills them: "
                f"{', '.join(left[:5])}. Make them first, or give them a rule, buffers = true for "
                "buffers."
            )

    def _materialise(self, device: torch.device) -> None:
        """Memory for what is on the meta device; wrappers such as FSDP's see it happen."""
        ties = [(path, one) for path, one in self._tied.items() if len(one) > 1]
        self.module._apply(  # type: ignore[no-untyped-call]
            lambda t: torch.empty_like(t, device=device) if t.is_meta else t
        )
        for path, names in ties:
            held, leaf = _place(self.module, path)
            first = held[leaf]
            for name in names[1:]:
                held, leaf = _place(self.module, name)
                held[leaf] = first
        self.parameters()

    def _check(self, fill: Fill) -> None:
        _, one = self._held[fill.path]
        try:
            if is_whole(one.tensor):
                check_whole(one.tensor, fill.law)
            elif one.computed is None:
                check_tensor(one.tensor)
            else:
                check_inverse(one)
            if type(one.tensor) in (Tensor, torch.nn.Parameter):
                check_memory(one.tensor)
        except SpecError as error:
            raise SpecError(f"{fill.path}: {error}") from None

    def _check_apart(self, paths: set[str]) -> None:
        """Refuse tensors of which one would be written over another's elements."""
        stored: dict[int, list[tuple[str, Tensor]]] = {}
        for path, (_, one) in self._held.items():
            plain = type(one.tensor) in (Tensor, torch.nn.Parameter) and one.computed is None
            if path in paths and plain and one.tensor.numel() and not one.tensor.is_meta:
                place = one.tensor.untyped_storage().data_ptr()
                stored.setdefault(place, []).append((path, one.tensor))
        for views in stored.values():
            pair = overlapping(views)
            if pair is not None:
                raise SpecError(
                    f"{pair[0]} and {pair[1]} share memory and are two parameters: one would be "
                    "written over the other. Tie them as one Parameter, or give each its clone()."
                )

    def _write(self, fills: Sequence[Fill]) -> None:
        """Fill one tensor, by one law or part by part."""
        layer, one = self._held[fills[0].path]
        target = one.tensor
        if one.computed is not None:
            target = torch.empty_like(one.tensor, requires_grad=False)
        for fill in fills:
            if is_whole(target):
                part = target if fill.part is None else target[fill.part.index]
                part.fill_(int(fill.law.mean))
                continue
            shape = tuple(target.shape) if fill.part is None else fill.part.shape
            plan = Plan.of(fill.law, Placement.of(shape, fill.layout))
            write_by(target, plan, fill.key, fill.part)
        if one.computed is not None:
            assign(layer, one, target)
        elif hasattr(target, "_is_hf_initialized"):
            target._is_hf_initialized = True

    def value(self, path: str) -> Any:
        """The values on the host; of a DTensor the local ones."""
        layer, one = self._held[path]
        tensor = one.tensor if one.computed is None else getattr(layer, one.leaf)
        shards = shards_of(tensor)
        return memory((tensor if shards is None else shards.local(tensor)).cpu())


def _device(device: Any) -> torch.device:
    """The device on which tensors are made."""
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError):
        found = torch.device("meta")
    if found.type == "meta":
        raise SpecError(
            f"device is where the values are made, such as 'cpu' or 'cuda:0', not {device!r}."
        )
    return found


def _owners(modules: dict[str, Module], path: str) -> tuple[tuple[Module, str], ...]:
    """The innermost module that holds a tensor and the one around it, with its name in each."""
    segments = path.split(".")
    return tuple(
        (modules[".".join(segments[:at])], ".".join(segments[at:]))
        for at in range(len(segments) - 1, max(len(segments) - 3, -1), -1)
    )


def _place(module: Module, path: str) -> tuple[dict[str, Any], str]:
    """The buffers or the parameters of the layer that holds a tensor, and its name there."""
    prefix, _, leaf = path.rpartition(".")
    owner = module.get_submodule(prefix)
    return (owner._buffers if leaf in owner._buffers else owner._parameters), leaf


def _held(one: Named, paths: tuple[str, ...], owners: tuple[tuple[Module, str], ...]) -> Held:
    try:
        check_kind(one.tensor)
        check_gathered(one.tensor)
    except SpecError as error:
        raise SpecError(f"{paths[0]}: {error}") from None
    return Held(
        path=paths[0],
        shape=tuple(one.tensor.shape),
        dtype=str(one.tensor.dtype).removeprefix("torch."),
        owners=owners,
        also=paths[1:],
        buffer=one.buffer,
    )
