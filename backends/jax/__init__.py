"""The JAX adapter."""

from .adapter import HaikuInitializer, JaxBackend, JaxInitializer

__all__ = ["HaikuInitializer", "JaxBackend", "JaxInitializer"]
