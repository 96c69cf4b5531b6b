"""From which parameters of which module a tensor was computed; asked only where it is refused."""

from __future__ import annotations

import gc
from typing import Any

from torch.nn import Module, ParameterDict
from torch.nn.utils.parametrize import ParametrizationList


def parameters_of(node: Any) -> list[str]:
    """The names, within their module, of the parameters that one node of autograd was made of.

    Of the modules alive the innermost with such a parameter is meant; none without one.
    """
    leaves = _leaves(node)
    if not leaves:
        return []
    modules = [item for item in gc.get_objects() if issubclass(type(item), Module)]
    for module in modules:
        names = [key for key, value in module._parameters.items() if id(value) in leaves]
        if names and isinstance(module, ParametrizationList):
            names = [f"parametrizations.{_weight(module, modules)}.{name}" for name in names]
        if names and not isinstance(module, ParameterDict):
            return names
    return []


def parameters_behind(module: Module, name: str) -> list[str]:
    """The names of the parameters that a weight of this module is computed from.

    ``module`` is a list of parametrizations, or has the weight of this name by a hook.
    """
    own = list(module._parameters)
    if isinstance(module, ParametrizationList):
        modules = [item for item in gc.get_objects() if issubclass(type(item), Module)]
        return [f"parametrizations.{_weight(module, modules)}.{key}" for key in own]
    return [key for key in own if key in {f"{name}{end}" for end in ("_orig", "_g", "_v")}]


def behind_weight(module: Module) -> list[str]:
    """The names of the parameters that a module's ``weight`` is computed from; none if it is not.

    >>> from torch import nn
    >>> behind_weight(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)))
    ['parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    if "weight" in module._parameters:
        return []
    lists = module._modules.get("parametrizations")
    parts = None if lists is None else lists._modules.get("weight")
    if parts is not None:
        return [f"parametrizations.weight.{key}" for key in parts._parameters]
    return parameters_behind(module, "weight")


def _leaves(node: Any) -> set[int]:
    """The identities of the leaves behind a node."""
    leaves: set[int] = set()
    seen: set[Any] = set()
    rest = [node]
    while rest and len(seen) < 1000:
        item = rest.pop()
        if item is None or item in seen:
            continue
        seen.add(item)
        if hasattr(item, "variable"):
            leaves.add(id(item.variable))
        rest += [upstream for upstream, _ in item.next_functions]
    return leaves


def _weight(parametrizations: Module, modules: list[Module]) -> str:
    """The name of the tensor that a list of parametrizations computes."""
    for module in modules:
        for name, child in module._modules.items():
            if child is parametrizations:
                return name
    return "weight"
