"""Pictures of schemes, laws and signals, as SVG: numbers, marks, ink."""

from .pictures import TEACHING, XOR, compare, density, ecdf, signal, singular, teaching, xor

__all__ = ["TEACHING", "XOR", "compare", "density", "ecdf", "signal", "singular", "teaching", "xor"]
