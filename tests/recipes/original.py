"""Where a recipe comes from: the code that draws the weights, on a small model."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

#: Where the script puts what is no package: a checkout for each repository, ``owner+name``.
CHECKOUTS = "INITSPEC_ORIGINALS"

#: What is no package: the repositories, at the commits that the recipes are of.
REPOSITORIES = {
    "ajbrock/BigGAN-PyTorch": "98459431a5d618d644d54cd1e9fceb1e5045648d",
    "allenai/allennlp": "80fb6061e568cb9d6ab5d45b661e86eb61b92c82",
    "facebookresearch/DiT": "ed81ce2229091fd4ecc9a223645f95cf379d582b",
    "facebookresearch/mae": "efb2a8062c206524e35e47d04501ed4f544c0ae8",
    "facebookresearch/pycls": "5719de641657c251f807c20a1fcf8ef6f4b60144",
    "google-research/vision_transformer": "c6de1e5378c9831a8477feb30994971bdc409e46",
    "hojonathanho/diffusion": "1e0dceb3b3495bbe19116a5e1b3596cd0706c543",
    "microsoft/LoRA": "c4593f060e6a368d7bb5af5273b8e42810cdef90",
    "openai/CLIP": "d05afc436d78f1c48dc0dbf8e5980a9d471f35f6",
    "openai/guided-diffusion": "22e0df8183507e13a7813f8d38d51b072ca1e67c",
    "pytorch/examples": "77f55b912142e11fcfdf5b530231fb9c52f181e8",
    "rosinality/stylegan2-pytorch": "bef283a1c24087da704d16c30abc8e36e63efa0e",
    "vsitzmann/siren": "4df34baee3f0f9c8f351630992c1fe1f69114b5f",
    "vwxyzjn/cleanrl": "fe8d8a03c41a7ef5b523e2e354bd01c363e786bb",
    "karpathy/nanoGPT": "3adf61e154c3fe3fca428ad6bc3818b27a3b8291",
    "openai/whisper": "c0d2f624c09dc18e709e37c2ad90c039a4eb72a2",
    "openai/gpt-2": "9b63575ef42771a015060c964af2c3da4cf7c8ab",
    "EleutherAI/gpt-neox": "ea7aefd8f8e183256992d9fede4d7c71a46d67a5",
    "EleutherAI/nanoGPT-mup": "b2a5e60948d2e11885dc76c1355af98705f54a70",
    "LiyuanLucasLiu/Transformer-Clinic": "70f72b708ab074db5ca3726494e3263516041159",
    "allenai/OLMo": "59a53e3f68e546330ca5a99ec626e58f9ab96494",
    "google-research/bert": "eedf5716ce1268e56f0a50264a88cafad334ac61",
    "google-research/t5x": "cc342d419ec3e3e9c4bf1df33c82330cafdc1e16",
    "hongyi-zhang/Fixup": "f3fa449fbb8906ccb7143cea822f8b964b3d9258",
    "layer6ai-labs/T-Fixup": "b17e166d9f60671a92c3f39e24c9b8c93995e5a3",
    "majumderb/rezero": "e2c94a825c5564217e8cf4d75a28d59cab1d7029",
    "microsoft/torchscale": "4d1e0e82e5adf86dd424f1463192635b73fc8efc",
    "pytorch/torchtitan": "b5bcd76c66d0acb1a08b176d9639425bc55e0b2a",
}


@dataclass(frozen=True, kw_only=True)
class Original:
    """A recipe and the code that it is of.

    ``build`` makes a small model and draws its weights, by the original's own code: a module of
    PyTorch, or arrays by name. ``package`` is what has the code, a package or a repository of
    ``REPOSITORIES``; none, where the code cannot be run, and ``build`` gives shapes by name alone.
    ``world`` is where it runs, ``"torch"`` or ``"tensorflow"`` (and JAX): their packages do not go
    together. ``config`` is what is small about the model, in words of the package. ``symbols`` are those of
    the plan. ``part`` says what of the original draws, where that is not all of it. ``others`` are further models that the recipe must hold for. ``repeats`` says that
    the original has the same values in several tensors, which then are no sample together.
    """

    recipe: str
    package: str
    build: Callable[[], Any]
    config: Mapping[str, Any] = field(default_factory=dict)
    symbols: Mapping[str, float] = field(default_factory=dict)
    part: str = ""
    world: str = "torch"
    others: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    repeats: bool = False

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


class _StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules of which everything may be asked, for packages that are not installed."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name.partition(".")[0] not in self.packages:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        module = MagicMock(name=spec.name)
        module.__spec__, module.__path__ = spec, []
        return module

    def exec_module(self, module: Any) -> None:
        pass


@contextmanager
def stand_ins(*packages: str) -> Iterator[None]:
    """While the original is imported, stand in for packages that its weights do not need."""
    finder = _StandIn(packages)
    held = set(sys.modules)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in set(sys.modules) - held:
            if name.partition(".")[0] in packages and isinstance(sys.modules[name], MagicMock):
                del sys.modules[name]


@contextmanager
def on_path(repository: str, folder: str = "") -> Iterator[None]:
    """While a repository's packages are imported by their own names."""
    path = str(checkout(repository) / folder)
    sys.path.insert(0, path)
    try:
        yield
    finally:
        sys.path.remove(path)


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
