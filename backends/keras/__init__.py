"""The Keras adapter."""

from .adapter import KerasBackend, KerasInitializer

__all__ = ["KerasBackend", "KerasInitializer"]
