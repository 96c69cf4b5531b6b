"""Pictures of schemes, laws and signals, as SVG: numbers, marks, ink."""

from .law_pictures import compare, density, ecdf, singular
from .network_pictures import TEACHING, XOR, signal, teaching, xor

__all__ = ["TEACHING", "XOR", "compare", "density", "ecdf", "signal", "singular", "teaching", "xor"]
