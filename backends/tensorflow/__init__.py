"""The TensorFlow adapter."""

from .adapter import TensorFlowBackend, TensorFlowInitializer

__all__ = ["TensorFlowBackend", "TensorFlowInitializer"]
