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
