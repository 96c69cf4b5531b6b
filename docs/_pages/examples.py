"""The weights that numbers are stated for."""

from __future__ import annotations

from initspec.spec.scheme import Scheme

DENSE = ((256, 512), "io")
KERNEL = ((3, 3, 64, 96), "hwio")
#: Small ones, whose numbers fit on a page.
SMALL_DENSE = ((4, 6), "io")
SMALL_KERNEL = ((3, 3, 4, 6), "hwio")

Example = tuple[tuple[int, ...], str]


def example(scheme: Scheme) -> Example:
    """A dense weight, or a convolution's of laws that only a kernel has."""
    return KERNEL if _kernel(scheme) else DENSE


def small(scheme: Scheme) -> Example:
    return SMALL_KERNEL if _kernel(scheme) else SMALL_DENSE


def _kernel(scheme: Scheme) -> bool:
    return scheme.distribution in ("dirac", "delta_orthogonal", "bilinear")


def spaced(shape: tuple[int, ...]) -> str:
    """A shape as the command line takes it."""
    return " ".join(map(str, shape))


def in_words(example: Example) -> str:
    """An example in words."""
    shape, layout = example
    return f"shape `{shape}`, layout `{layout}`"
