"""What a plan knows of a parameter of a model, whatever the framework."""

from __future__ import annotations

from dataclasses import dataclass

from ..public import public
from ..spec.fan_rules import Shape
from ..stream.parts import Part


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParameter:
    """A parameter of a model: its name and shape, and what is known of the layer that holds it.

    ``name`` has dots and no wrapper's prefix; keys are made from it. ``path`` is where the
    framework has it. ``kinds`` are the names of the layer's class and of those above it; none,
    where only shapes are known. ``role`` and ``layout`` are what the tables of layers say; no
    layout, where they do not know the layer. ``also`` are the other names of the same tensor.
    ``part`` is where it lies in a tensor that holds several parameters, whose shape is ``held``.
    ``framework`` is the backend's name, or empty; ``out_first`` says how its usual layout goes.

    >>> from initspec import ModelParameter
    >>> ModelParameter(name="h.0.mlp.weight", shape=(4, 8)).leaf
    'weight'
    """

    name: str
    shape: Shape
    dtype: str = "float32"
    path: str = ""
    kinds: tuple[str, ...] = ()
    table: str = ""
    layer: str = ""
    entry: str = ""
    role: str = ""
    layout: str | None = None
    also: tuple[str, ...] = ()
    part: Part | None = None
    held: Shape | None = None
    framework: str = ""
    out_first: bool = False
    buffer: bool = False

    @property
    def leaf(self) -> str:
        """The last segment of the name.

        >>> from initspec import ModelParameter
        >>> ModelParameter(name="bias", shape=(4,)).leaf
        'bias'
        """
        return self.name.rpartition(".")[2]

    @property
    def module(self) -> str:
        """The name without its last segment, which is the name of the layer.

        >>> from initspec import ModelParameter
        >>> ModelParameter(name="h.0.mlp.bias", shape=(4,)).module
        'h.0.mlp'
        """
        return self.name.rpartition(".")[0]

    @property
    def size(self) -> int:
        """The number of elements.

        >>> from initspec import ModelParameter
        >>> ModelParameter(name="w", shape=(4, 3)).size
        12
        """
        size = 1
        for n in self.shape:
            size *= n
        return size
