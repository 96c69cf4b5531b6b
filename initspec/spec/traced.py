"""What stands for a scheme inside a program of ``torch.compile``, which holds no objects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import SpecError
from ..plugins import backend

Function = TypeVar("Function", bound=Callable[..., Any])


class TracedScheme:
    """A scheme, or its text, and the changes of its fields; with the two fills of a program."""

    custom = None

    def __init__(self, base: Any, changes: tuple[Any, ...] = ()) -> None:
        self.base, self.changes = base, changes

    def torch_(self, tensor: Any, **options: Any) -> Any:
        """As :meth:`initspec.Scheme.torch_`."""
        return backend("torch").fill(self, tensor, **options)

    def torch(self, shape: Any, **options: Any) -> Any:
        """As :meth:`initspec.Scheme.torch`."""
        return backend("torch").tensor(self, shape, **options)

    def replace(self, **changes: Any) -> TracedScheme:
        """As :meth:`initspec.Scheme.replace`."""
        return TracedScheme(self.base, (*self.changes, changes))

    def __getattr__(self, name: str) -> Any:
        refuse_in_program(f"a scheme's {name}")


def is_read_by_dynamo() -> bool:
    """Whether this is not run, but read by ``torch.compile``."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_dynamo_compiling()


_WAY = "make it outside of the compiled function. Inside, a scheme has torch_, torch and replace."


def outside_programs(function: Function) -> Function:
    """Say of a function that no program can hold it, where ``torch.compile`` comes to read it."""
    reason = f"initspec's {function.__qualname__} gives what no program holds: {_WAY}"
    function._torchdynamo_disable = True  # type: ignore[attr-defined]
    function._torchdynamo_disable_msg = reason  # type: ignore[attr-defined]
    return function


def refuse_in_program(what: str) -> None:
    """Refuse what a compiled program cannot hold; raises :class:`SpecError`."""
    raise SpecError(f"{what} is nothing that torch.compile can read: {_WAY}")


# torch.compile calls it while it reads a program, so that its sentence is shown.
refuse_in_program._dynamo_marked_constant = True  # type: ignore[attr-defined]
