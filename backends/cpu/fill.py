"""The portable stream on the CPU: the kernel that fills memory, compiled or NumPy's.

Both take their rows from :mod:`initspec.backends.cpu.walk`, and share them out over the threads of
:mod:`initspec.backends.cpu.threads`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ...errors import SpecError
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block
from ...stream.reference import Key
from . import kernel_numpy

_failure: Exception | None = None
try:
    from . import kernel_c
except ImportError as error:  # it was not built, or for another machine
    _failure = error

_UNBUILT = (
    "the compiled kernel was not built: install a C compiler, and initspec again, for more speed"
)


class Kernel(NamedTuple):
    """A kernel: how it fills memory, and what it is in words."""

    fill: Callable[..., None]
    words: str


def fill(
    out: NDArray[Any], dtype: str, blocks: tuple[Block, ...], key: Key, draw: Draw | None
) -> None:
    """Fill ``out``, a window of a tensor, with the numbers of ``draw``, or with words for ``None``.

    ``dtype`` names the numbers: ``"bfloat16"`` is written as its bits, in uint16. ``blocks`` are
    those of the window's :class:`initspec.stream.placement.Placement`. The kernel is the compiled
    one where that was built and works; ``INITSPEC_KERNEL=numpy`` or ``c`` in the environment says
    otherwise.

    Raises :class:`SpecError` for another kernel, and for ``c`` where it was not built or fails.
    """
    _kernel().fill(out, dtype, blocks, key, draw)


@cache
def _kernel() -> Kernel:
    """The kernel that is chosen."""
    name = os.environ.get("INITSPEC_KERNEL")
    if name not in (None, "", "c", "numpy"):
        raise SpecError(f"INITSPEC_KERNEL is 'c' or 'numpy', not {name!r}.")
    if name == "numpy":
        return Kernel(kernel_numpy.fill, "numpy, as INITSPEC_KERNEL says")
    failure = _failure
    if failure is None:
        try:
            kernel_c.check()
            return Kernel(kernel_c.fill, f"c, {kernel_c.LEVELS[-1]}")
        except Exception as error:
            failure = error
    unbuilt = isinstance(failure, ModuleNotFoundError)
    why = (
        _UNBUILT if unbuilt else f"the compiled kernel fails ({failure or type(failure).__name__})"
    )
    if name == "c":
        raise SpecError(f"INITSPEC_KERNEL is 'c', and {why}.") from failure
    if not unbuilt:
        warnings.warn(
            f"{why}, so tensors are drawn by the kernel in NumPy: the same numbers, more slowly.",
            RuntimeWarning,
            stacklevel=1,
        )
    return Kernel(kernel_numpy.fill, f"numpy: {why}")


def compiled() -> bool:
    """Whether the kernel is compiled, and so overtaken by no other program on this CPU."""
    return _kernel().fill is not kernel_numpy.fill


def described() -> str:
    """The kernel in words, and why it is not the compiled one.

    >>> described().split(",")[0].split(":")[0] in ("c", "numpy")
    True
    """
    return _kernel().words
