"""The NumPy adapter."""

from .adapter import NumpyBackend, NumpyInitializer

__all__ = ["NumpyBackend", "NumpyInitializer"]
