"""The tensors that a layer of PyTorch has by name, those that it computes included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.utils.parametrize import ParametrizationList, is_parametrized
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from ...errors import SpecError


class Named(NamedTuple):
    """A tensor of a layer: the value, where it is stored, and how it is set if it is computed."""

    leaf: str
    tensor: Tensor
    stored: object  # two names of one object are one tensor
    buffer: bool = False
    computed: Any = None


def named(layer: Module, path: str) -> Iterator[Named]:
    """The parameters, what is computed from parameters, and the buffers that are saved.

    Raises :class:`SpecError` for a pruned tensor, of which a part is zero whatever is written.
    """
    if _computes(layer):
        return
    hooks: list[Any] = list(layer._forward_pre_hooks.values())
    parts: set[str] = set()
    computed: list[Named] = []
    for hook in hooks:
        if isinstance(hook, WeightNorm):
            parts |= {f"{hook.name}_g", f"{hook.name}_v"}
            stored = getattr(layer, f"{hook.name}_v")
            computed.append(Named(hook.name, stored, stored, computed=hook))
        elif isinstance(hook, SpectralNorm):
            stored = getattr(layer, f"{hook.name}_orig")
            parts |= {f"{hook.name}_orig", f"{hook.name}_u", f"{hook.name}_v"}
            computed.append(Named(hook.name, stored, stored))
        elif isinstance(hook, BasePruningMethod):
            name = f"{path}.{hook._tensor_name}".lstrip(".")
            raise SpecError(
                f"{name} is pruned, and its mask would cut what is written: fill it before it is "
                f"pruned, or after prune.remove(module, {hook._tensor_name!r})."
            )
    if is_parametrized(layer):
        for leaf, parametrization in layer.parametrizations.items():  # type: ignore[union-attr, operator]
            value = _value(layer, leaf, parametrization)
            computed.append(Named(leaf, value, parametrization, computed=parametrization))
    for leaf, tensor in layer._parameters.items():
        if tensor is not None and leaf not in parts:
            yield Named(leaf, tensor, tensor)
    yield from computed
    for leaf, buffer in layer._buffers.items():
        if buffer is not None and leaf not in parts:
            yield Named(leaf, buffer, buffer, buffer=True)


def _value(layer: Module, leaf: str, parametrization: Module) -> Tensor:
    """What a parametrization makes, which looking does not change: a spectral norm that is in
    training takes a step at each look.
    """
    training = [module for module in parametrization.modules() if module.training]
    try:
        for module in training:
            module.training = False
        with torch.no_grad():
            value: Tensor = getattr(layer, leaf)
    finally:
        for module in training:
            module.training = True
    return value


def _computes(layer: Module) -> bool:
    """Whether a module holds parametrizations, whose parameters are reached by what they make."""
    children = list(layer._modules.values())
    held = bool(children) and all(isinstance(child, ParametrizationList) for child in children)
    return held or isinstance(layer, ParametrizationList)


def check_inverse(held: Named) -> None:
    """Refuse a parametrization that cannot be set, as it has no inverse."""
    if isinstance(held.computed, ParametrizationList):
        for one in held.computed:
            if not hasattr(one, "right_inverse"):
                raise SpecError(
                    f"its parametrization {type(one).__name__} has no right_inverse, so that it "
                    "cannot be set: write one, or fill the layer before it is parametrized."
                )


def assign(layer: Module, held: Named, value: Tensor) -> None:
    """Set what a computed tensor is computed from, so that it comes to ``value``."""
    if isinstance(held.computed, WeightNorm):
        hook = held.computed
        norms = torch.norm_except_dim(value, 2, hook.dim)
        getattr(layer, f"{hook.name}_v").copy_(value)
        getattr(layer, f"{hook.name}_g").copy_(norms)
        setattr(layer, hook.name, hook.compute_weight(layer))
    else:
        try:
            setattr(layer, held.leaf, value)
        except (RuntimeError, ValueError) as error:  # NotImplementedError is the first of them
            raise SpecError(f"{held.leaf}: its parametrization refuses it: {error}") from error
