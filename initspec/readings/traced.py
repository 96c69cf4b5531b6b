"""What ``get`` gives inside a program that ``torch.compile`` reads, which holds no objects."""

from __future__ import annotations

import sys
from typing import Any

from ..spec.scheme import Scheme, named_backend
from ..spec.serial import dumps


class TracedScheme:
    """The text of a scheme, with the two fills that a compiled program can hold."""

    custom = None

    def __init__(self, text: str) -> None:
        self.text = text

    def torch_(self, tensor: Any, **options: Any) -> Any:
        """As :meth:`initspec.Scheme.torch_`."""
        return named_backend("torch").fill(self, tensor, **options)

    def torch(self, shape: Any, **options: Any) -> Any:
        """As :meth:`initspec.Scheme.torch`."""
        return named_backend("torch").tensor(self, shape, **options)


def is_read_by_dynamo() -> bool:
    """Whether this is not run, but read by ``torch.compile``."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_dynamo_compiling()


def text_of(scheme: Scheme) -> str:
    """The scheme as JSON."""
    return dumps(scheme, "json")
