"""Pictures of schemes, laws and signals, as SVG: numbers, marks, ink."""

from .law_pictures import compare, density, ecdf, singular
from .network_pictures import TEACHING, XOR, signal, teaching, xor
from .plan_pictures import depth

__all__ = [
    "TEACHING",
    "XOR",
    "compare",
    "density",
    "depth",
    "ecdf",
    "signal",
    "singular",
    "teaching",
    "xor",
]
