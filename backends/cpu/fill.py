"""The portable stream on the CPU: the kernel that fills memory, Numba's or NumPy's.

Both take their rows from :mod:`initspec.backends.cpu.walk`, and share them out over the threads of
:mod:`initspec.backends.cpu.threads`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from numpy.typing import NDArray

from ...errors import BackendMissing, SpecError
from ...spec.integer_form import Draw
from ...stream.canonical_order import Block
from ...stream.reference import Key


def fill(
    out: NDArray[Any], dtype: str, blocks: tuple[Block, ...], key: Key, draw: Draw | None
) -> None:
    """Fill ``out``, a window of a tensor, with the numbers of ``draw``, or with words for ``None``.

    ``dtype`` names the numbers: ``"bfloat16"`` is written as its bits, in uint16. ``blocks`` are
    those of the window's :class:`initspec.stream.placement.Placement`. The kernel is Numba's where
    that is installed; ``INITSPEC_KERNEL=numpy`` or ``numba`` in the environment says otherwise.

    Raises :class:`SpecError` for another kernel, :class:`BackendMissing` for one not installed.
    """
    _kernel()(out, dtype, blocks, key, draw)


@cache
def _kernel() -> Callable[..., None]:
    """The fill of the kernel that is chosen."""
    name = os.environ.get("INITSPEC_KERNEL") or "numba"
    if name not in ("numba", "numpy"):
        raise SpecError(f"INITSPEC_KERNEL is 'numpy' or 'numba', not {name!r}.")
    try:
        chosen: Callable[..., None] = import_module(f"{__package__}.kernel_{name}").fill
    except ImportError as error:
        if "INITSPEC_KERNEL" in os.environ:
            command = 'pip install "initspec[fast]"'
            raise BackendMissing("numba", "Numba", command) from error
        from .kernel_numpy import fill as chosen
    return chosen


def compiled() -> bool:
    """Whether the kernel is compiled, and so overtaken by no other program on this CPU."""
    return _kernel().__module__ != f"{__package__}.kernel_numpy"
