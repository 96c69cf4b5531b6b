"""The Keras adapter."""

from .adapter import KerasBackend, KerasInitializer
from .names import register

__all__ = ["KerasBackend", "KerasInitializer"]

register()
