"""Where a recipe comes from: the code that draws the weights, on a small model."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Where the script puts what is no package: a checkout for each repository, ``owner+name``.
CHECKOUTS = "INITSPEC_ORIGINALS"

#: What is no package: the repositories, at the commits that the recipes are of.
REPOSITORIES = {
    "ajbrock/BigGAN-PyTorch": "98459431a5d618d644d54cd1e9fceb1e5045648d",
    "facebookresearch/DiT": "ed81ce2229091fd4ecc9a223645f95cf379d582b",
    "facebookresearch/mae": "efb2a8062c206524e35e47d04501ed4f544c0ae8",
    "facebookresearch/pycls": "5719de641657c251f807c20a1fcf8ef6f4b60144",
    "google-research/vision_transformer": "c6de1e5378c9831a8477feb30994971bdc409e46",
    "hojonathanho/diffusion": "1e0dceb3b3495bbe19116a5e1b3596cd0706c543",
    "karpathy/nanoGPT": "3adf61e154c3fe3fca428ad6bc3818b27a3b8291",
    "microsoft/LoRA": "c4593f060e6a368d7bb5af5273b8e42810cdef90",
    "openai/CLIP": "d05afc436d78f1c48dc0dbf8e5980a9d471f35f6",
    "openai/gpt-2": "9b63575ef42771a015060c964af2c3da4cf7c8ab",
}


@dataclass(frozen=True, kw_only=True)
class Original:
    """A recipe and the code that it is of.

    ``build`` makes a small model and draws its weights, by the original's own code: a module of
    PyTorch, or arrays by name. ``package`` is what has the code, a package or a repository of
    ``REPOSITORIES``; none, where the code cannot be run, and ``build`` gives shapes by name alone.
    ``config`` is what is small about the model, in words of the package. ``symbols`` are those of
    the plan. ``others`` are further models that the recipe must hold for. ``unjudged`` are patterns of parameters that the original leaves as memory has them.
    """

    recipe: str
    package: str
    build: Callable[[], Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    symbols: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()

    @property
    def is_run(self) -> bool:
        """Whether the original's code draws: else it was read."""
        return bool(self.package)


def read(recipe: str, shapes: Mapping[str, Any], **symbols: float) -> Original:
    """An original that was read and cannot be run here: shapes by name."""
    return Original(recipe=recipe, package="", build=lambda: dict(shapes), symbols=symbols)


def checkout(repository: str) -> Path:
    """The folder of a repository, which the script has fetched."""
    folder = Path(os.environ[CHECKOUTS]) / repository.replace("/", "+")
    if not folder.is_dir():
        raise FileNotFoundError(f"{repository} is not among the checkouts: {folder}")
    return folder


def module_of(repository: str, name: str, folder: str = "") -> Any:
    """A module of a repository that is no package; ``folder`` is where its file lies."""
    file = (checkout(repository) / folder / name.replace(".", "/")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"{name}_of_{len(sys.modules)}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def without_torchvision_operators() -> None:
    """Let torchvision be imported where its compiled operators are not of this torch.

    Its Python registers fakes of operators that then do not exist; nothing here uses them.
    """
    import torch

    register = torch.library.register_fake

    def tolerant(op: Any, func: Any = None, /, **options: Any) -> Any:
        if isinstance(op, str) and op.startswith("torchvision::"):
            return func if func is not None else (lambda made: made)
        return register(op, **options) if func is None else register(op, func, **options)

    torch.library.register_fake = tolerant
