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

from ... import stream
from ...errors import SpecError
from ...spec.fan_rules import Shape
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


def _fold_in(key0: int, key1: int, data: int) -> Key:
    return stream.fold_in((key0, key1), data)


_HUGE = 1 << 21  # bytes of a huge page


class Kernel(NamedTuple):
    """A kernel, and what it is in words."""

    words: str
    fill: Callable[..., None]
    #: Fills what is no array of NumPy's; the compiled kernel can.
    fill_memory: Callable[..., None] | None = None
    #: Of an address and a size: makes the first touch of new memory cheaper.
    use_huge_pages: Callable[[int, int], None] | None = None
    #: Of a key's two words and another one.
    fold_in: Callable[[int, int, int], Key] = _fold_in


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


def fill_memory(
    address: int,
    steps: Shape,
    itemsize: int,
    dtype: str,
    blocks: tuple[Block, ...],
    key: Key,
    draw: Draw,
) -> bool:
    """Fill the memory at an address, if it is one block and the kernel can; whether it was filled.

    ``steps`` are those of its axes, in elements. An array of NumPy's takes a tensor of another
    library a microsecond, which is much for a small one. The caller holds the memory.
    """
    fill_at = _kernel().fill_memory
    if fill_at is None or len(blocks) != 1 or len(steps) != len(blocks[0].shape):
        return False
    if 0 not in blocks[0].shape:
        fill_at(address, steps, itemsize, dtype, blocks[0], key, draw)
    return True


def prepare(address: int, size: int) -> None:
    """Ask for huge pages under new memory that is filled next, if it is large.

    NumPy does so for its own arrays. The first touch of 4 KiB pages takes longer than the numbers.
    """
    use_huge_pages = _kernel().use_huge_pages
    if size >= 2 * _HUGE and use_huge_pages is not None:
        use_huge_pages(address, size)


def fold_name(key: Key, name: str | None) -> Key:
    """The key of a named parameter: :func:`initspec.stream.fold_name`, in two microseconds.

    >>> fold_name((0, 42), "encoder.0") == stream.fold_name((0, 42), "encoder.0")
    True
    """
    if name is None:
        return key
    high, low = stream.name_hash(name)
    fold_in = _kernel().fold_in
    return fold_in(*fold_in(*key, high), low)


@cache
def _kernel() -> Kernel:
    """The kernel that is chosen."""
    name = os.environ.get("INITSPEC_KERNEL")
    if name not in (None, "", "c", "numpy"):
        raise SpecError(f"INITSPEC_KERNEL is 'c' or 'numpy', not {name!r}.")
    if name == "numpy":
        return Kernel("numpy, as INITSPEC_KERNEL says", kernel_numpy.fill)
    failure = _failure
    if failure is None:
        try:
            kernel_c.check()
            words = f"c, {kernel_c.LEVELS[-1]}"
            return Kernel(
                words,
                kernel_c.fill,
                kernel_c.fill_memory,
                kernel_c.use_huge_pages,
                kernel_c.fold_in,
            )
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
    return Kernel(f"numpy: {why}", kernel_numpy.fill)


def compiled() -> bool:
    """Whether the kernel is compiled, and so overtaken by no other program on this CPU."""
    return _kernel().fill is not kernel_numpy.fill


def described() -> str:
    """The kernel in words, and why it is not the compiled one.

    >>> described().split(",")[0].split(":")[0] in ("c", "numpy")
    True
    """
    return _kernel().words
