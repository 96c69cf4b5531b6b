"""The PyTorch adapter."""

from .adapter import TorchBackend, TorchInitializer

__all__ = ["TorchBackend", "TorchInitializer"]
