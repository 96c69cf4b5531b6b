"""The framework that Keras runs on: its adapter, and whether it traces a program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import keras

from ...plugins import backend
from ..numpy.adapter import NumpyBackend

Method = TypeVar("Method", bound=Callable[..., Any])

if keras.backend.backend() == "tensorflow":
    from ..tensorflow.autograph import as_it_is
else:

    def as_it_is(method: Method) -> Method:
        """The method: only TensorFlow's AutoGraph rewrites code."""
        return method


__all__ = ["adapter", "as_it_is", "shapes_only", "symbolic", "traced"]

_OURS = ("jax", "tensorflow", "torch")  # Keras' backends that initspec has an adapter for


def adapter() -> Any:
    """The adapter that makes what Keras' backend works with."""
    framework = keras.backend.backend()
    return backend(framework) if framework in _OURS else NumpyBackend()


def shapes_only() -> bool:
    """Whether Keras asks PyTorch for shapes, on a device that holds no values."""
    return keras.backend.backend() == "torch" and bool(keras.ops.zeros(()).is_meta)


def traced() -> bool:
    """Whether a program is being traced, and not run."""
    return symbolic(keras.ops.ones(()))


def symbolic(tensor: Any) -> bool:
    """Whether a tensor stands in a program, and has no values yet."""
    match keras.backend.backend():
        case "tensorflow":
            return not hasattr(tensor, "numpy")
        case "jax":
            import jax

            return isinstance(tensor, jax.core.Tracer)
    return False
