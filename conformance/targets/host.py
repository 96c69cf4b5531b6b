"""Tensors of every framework on the host, and the generators and types that a draw needs there."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BackendMissing
from ...stream import dtypes

Array = NDArray[Any]


def tohost(answer: Any) -> Array:
    """What an initializer answered, as a NumPy array in the order of bytes of this machine.

    What is no array is a :class:`TypeError`.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(answer, torch.Tensor):
        tensor = answer.detach().cpu()
        if tensor.dtype == torch.bfloat16:
            bits: Array = tensor.contiguous().view(torch.int16).numpy()
            return bits.view(dtypes.bfloat16())
        return np.asarray(tensor)
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("it is async: it answered a coroutine, which has to be awaited")
    if not (hasattr(answer, "__array__") or isinstance(answer, (list, tuple, int, float, complex))):
        raise TypeError(f"it answered {type(answer).__name__}, where an array is expected")
    try:
        array = np.asarray(answer)
    except ValueError as error:
        raise TypeError(f"it answered {type(answer).__name__} that is no array: {error}") from error
    if array.dtype.kind in "OUSMmV" and array.dtype.name != "bfloat16":
        raise TypeError(f"it answered an array of {array.dtype.name}, where numbers are expected")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def is_torch(value: Any) -> bool:
    """Whether it is a tensor of PyTorch, whose axes are in PyTorch's order.

    >>> is_torch([1.0])
    False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def narrowed(array: Array, dtype: str) -> Array:
    """Rounded to the dtype, if it was wider; a narrower one is left for what it is."""
    wanted = numpy_dtype(dtype)
    kind = "c" if wanted.kind == "c" else "f"  # bfloat16's is neither
    wider = array.dtype.kind == kind and array.dtype.itemsize > wanted.itemsize
    return array.astype(wanted) if wider else array


def numpy_dtype(dtype: str) -> np.dtype[Any]:
    """NumPy's type of this name; bfloat16 is that of ml_dtypes."""
    return dtypes.bfloat16() if dtype == "bfloat16" else np.dtype(dtype)


_calls = itertools.count()


def unrelated() -> int:
    """A seed that has nothing to do with any other, and is another for each call."""
    return int.from_bytes(hashlib.blake2b(b"%d" % next(_calls), digest_size=4).digest(), "big")


def seed_periods() -> tuple[int, ...]:
    """By what the seeds differ that TensorFlow, where it is loaded, takes for one.

    ``tf.random.set_seed`` takes a seed modulo ``2**31 - 1``; Keras' initializers on TensorFlow
    modulo ``2**31 - 2``.
    """
    return (2**31 - 1, 2**31 - 2) if "tensorflow" in sys.modules else ()


@contextmanager
def seeded(seed: Any) -> Iterator[None]:
    """Python's, NumPy's and, where it is loaded, PyTorch's global generators, seeded."""
    torch: Any = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if torch:
        torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch:
            torch.set_rng_state(before[2])


def wide(dtype: str) -> Any:
    """JAX makes float64 only where it is told to."""
    jax: Any = sys.modules.get("jax")
    if jax is None or dtype not in ("float64", "complex128"):
        return nullcontext()
    return (jax if hasattr(jax, "enable_x64") else jax.experimental).enable_x64(True)


def torch() -> Any:
    """PyTorch; raises :class:`BackendMissing` with the command that helps where it is missing."""
    try:
        import torch as package
    except ModuleNotFoundError:
        raise BackendMissing("torch", "torch", 'pip install "initspec[torch]"') from None
    return package
