"""PyTorch's memory that holds a computed weight is marked, so that a fill of it can be refused.

A weight under weight_norm, spectral_norm, pruning or any other parametrization is computed anew for
each use, and what is written into it is lost. Autograd's history says so of most such tensors, but
not of one that was computed under ``no_grad`` or from frozen parameters, nor of its ``detach()`` or
its ``data``. So the four methods of ``torch.nn.utils`` that compute weights leave a mark on the
memory of their result, as an attribute of its storage in Python: every view has it, and no copy, no
pickle and no file. It names the module, without keeping it alive, and holds as long as that module
computes the weight. Nothing else of these methods changes, and a compiled program has none of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from importlib import import_module
from typing import Any
from weakref import ref

_MARK = "_initspec_computed"
_DONE = "_initspec_marks"
_HOOKS = {
    "weight_norm": ("WeightNorm", "compute_weight", "name"),
    "spectral_norm": ("SpectralNorm", "compute_weight", "name"),
    "prune": ("BasePruningMethod", "apply_mask", "_tensor_name"),
}
_installed = False


def install() -> None:
    """Have computed weights marked from now on, where PyTorch is imported; once."""
    global _installed
    if _installed or "torch.nn.utils.parametrize" not in sys.modules:
        return
    _installed = True
    lists = sys.modules["torch.nn.utils.parametrize"].ParametrizationList
    if not hasattr(lists.forward, _DONE):
        lists.forward = _of_list(lists.forward)
    for file, (name, method, weight) in _HOOKS.items():
        with suppress(ImportError, AttributeError):  # of those of old, which PyTorch may drop
            hook = getattr(import_module(f"torch.nn.utils.{file}"), name)
            compute = getattr(hook, method)
            if not hasattr(compute, _DONE):
                setattr(hook, method, _of_hook(compute, weight))


def owner_of(tensor: Any) -> tuple[Any, str] | None:
    """What computes the weight that a plain tensor shows: the module, and there the weight's name.

    Of a parametrization it is the list of its parts, which has no such name. None for memory that
    no module computes, or none any more, and for that of one of its own parameters.
    """
    storage = tensor.untyped_storage()
    mark = getattr(storage, _MARK, None)
    if mark is None:
        return None
    module, name = mark[0](), mark[1]
    if module is None or any(
        _storage(held) is storage for held in (*module.parameters(), *module.buffers())
    ):
        return None
    return module, name


def _storage(tensor: Any) -> Any:
    with suppress(Exception):  # of a batched, functional, fake or lazy tensor, which has no memory
        return tensor.untyped_storage()


def _leave(weight: Any, module: Any, name: str) -> None:
    storage = _storage(weight)
    if storage is not None:
        setattr(storage, _MARK, (ref(module), name))


def _of_list(compute: Callable[[Any], Any]) -> Callable[[Any], Any]:
    torch = sys.modules["torch"]

    @wraps(compute)
    def forward(self):  # type: ignore[no-untyped-def]
        weight = compute(self)
        if not torch.compiler.is_compiling() and type(weight) is torch.Tensor:
            _leave(weight, self, "")
        return weight

    setattr(forward, _DONE, True)
    return torch.jit.unused(forward)  # type: ignore[no-any-return]


def _of_hook(compute: Callable[..., Any], attribute: str) -> Callable[..., Any]:
    torch = sys.modules["torch"]

    @wraps(compute)
    def computed(self, module, *args, **kwargs):  # type: ignore[no-untyped-def]
        weight = compute(self, module, *args, **kwargs)
        if not torch.compiler.is_compiling() and type(weight) is torch.Tensor:
            _leave(weight, module, getattr(self, attribute))
        return weight

    setattr(computed, _DONE, True)
    return computed
