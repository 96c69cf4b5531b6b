"""The portable stream on the CPU: the kernel that fills memory, Numba's or NumPy's.

Both take their rows from :mod:`initspec.backends.cpu.walk`, and share them out over the threads of
:mod:`initspec.backends.cpu.threads`.
"""

from __future__ import annotations

import os
import sys
import warnings
from _thread import get_ident
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from numpy.typing import NDArray

from ...errors import BackendMissing, SpecError
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block
from ...stream.reference import Key
from . import kernel_numpy

_preparing: set[int] = set()  # the threads that import or compile the kernel
_stranded = False  # whether a fork has left Numba within a compilation that never ends


class _Busy(Exception):  # noqa: N818 - it says what is wrong
    """Numba cannot be waited for: its work goes on below this call, or in a lost thread."""


def fill(
    out: NDArray[Any], dtype: str, blocks: tuple[Block, ...], key: Key, draw: Draw | None
) -> None:
    """Fill ``out``, a window of a tensor, with the numbers of ``draw``, or with words for ``None``.

    ``dtype`` names the numbers: ``"bfloat16"`` is written as its bits, in uint16. ``blocks`` are
    those of the window's :class:`initspec.stream.placement.Placement`. The kernel is Numba's where
    that is installed and compiles; ``INITSPEC_KERNEL=numpy`` or ``numba`` in the environment says
    otherwise.

    Raises :class:`SpecError` for another kernel, :class:`BackendMissing` for one not installed.
    """
    try:
        kernel = _kernel(dtype)
    except _Busy:
        kernel = kernel_numpy.fill
    kernel(out, dtype, blocks, key, draw)


@cache
def _kernel(dtype: str | None = None) -> Callable[..., None]:
    """The fill of the kernel that is chosen, compiled for the dtype."""
    name = os.environ.get("INITSPEC_KERNEL") or "numba"
    if name not in ("numba", "numpy"):
        raise SpecError(f"INITSPEC_KERNEL is 'numpy' or 'numba', not {name!r}.")
    if name == "numpy":
        return kernel_numpy.fill
    thread = get_ident()
    if _stranded or thread in _preparing:
        raise _Busy
    _preparing.add(thread)
    try:
        kernel: Any = import_module(f"{__package__}.kernel_numba")
        if dtype is not None:
            kernel.entry(dtype)
        chosen: Callable[..., None] = kernel.fill
        return chosen
    except ModuleNotFoundError as error:
        if "INITSPEC_KERNEL" in os.environ:
            command = 'pip install "initspec[fast]"'
            raise BackendMissing("numba", "Numba", command) from error
    except Exception as error:
        warnings.warn(
            f"Numba does not compile the kernel ({error or type(error).__name__}), so tensors are "
            "drawn by the kernel in NumPy: the same numbers, more slowly.",
            RuntimeWarning,
            stacklevel=1,
        )
    finally:
        _preparing.discard(thread)
    return kernel_numpy.fill


def compiled() -> bool:
    """Whether the kernel is compiled, and so overtaken by no other program on this CPU."""
    try:
        return _kernel() is not kernel_numpy.fill
    except _Busy:
        return False


def _after_fork() -> None:
    """Of the threads that were importing or compiling, a forked child has one at most."""
    global _stranded
    lost = _preparing - {get_ident()}
    _preparing.difference_update(lost)
    spec = getattr(sys.modules.get("numba"), "__spec__", None)
    lock = getattr(sys.modules.get("numba.core.compiler_lock"), "global_compiler_lock", None)
    free = lock is None or lock._lock.acquire(blocking=False)
    if lock is not None and free:
        lock._lock.release()
    _stranded = _stranded or bool(lost) or not free or getattr(spec, "_initializing", False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
