"""The contract of a target: every member that the suite asks for, and what it takes by default."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...spec.distribution import Distribution
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ..batteries import known_samplers
from . import conduct

Array = NDArray[Any]


class Target(ABC):
    """Anything that makes weights.

    One of your own has a ``name`` and a method ``draw``; the other members have defaults, which
    are right for a sampler of float32 numbers that is called in this process.

    >>> class Zeros(Target):
    ...     name = "zeros"
    ...     def draw(self, shape, *, dtype, seed):
    ...         return np.zeros(shape, dtype)
    >>> import numpy as np
    >>> from initspec.conformance import check
    >>> check(Zeros(), "zeros").verdict
    'PASS'
    """

    #: How it was given. The name stands in the names of cells, from which their seeds are made.
    name: str

    #: What the command line calls it; None for an object of this process alone.
    text: str | None = None

    #: Bits that its sampler resolves in float32; one that resolves fewer is refused.
    resolution: int = 22

    #: Whether :meth:`placed` tells it a layout; without that it has its framework's usual one.
    takes_layout: bool = False

    #: The type of its last answer, where that was a wider one and has been rounded.
    rounded_from: str = ""

    #: The name of the adapter that draws, which other processes can load too; none by default.
    backend: str = ""

    #: ``"portable"`` or ``"native"`` for an adapter. A target with a stream leaves the global
    #: generators alone, and a portable one is held against the reference.
    stream: str = ""

    #: Its map from words to values, ``transform(words, law=, dtype=)``, where that can be asked; by
    #: default the end words go through the reference alone.
    transform: Callable[..., Array] | None = None

    @cached_property
    def ignores_seed(self) -> bool:
        """Whether it is one tensor, whatever the seed, as an array is."""
        return False

    @cached_property
    def seed_as(self) -> str:
        """What stands for a seed: ``"integer"``, which may be of any size and kind.

        ``"generator"`` is one that the suite makes of the seed, or a key; ``"nothing"`` says that
        the global generators alone are seeded. Empty, by default, where it is not known.
        """
        return ""

    @cached_property
    def seed_periods(self) -> tuple[int, ...]:
        """By what the seeds differ that its framework takes for one."""
        return ()

    @cached_property
    def fixed_shape(self) -> Shape | None:
        """The one shape that it has, as an array and a layer's parameter; None: it has any."""
        return None

    @cached_property
    def layout(self) -> Layout | str | None:
        """The axes of its tensor, where they are known; None: those of :attr:`out_first`."""
        return None

    @cached_property
    def out_first(self) -> bool:
        """Whether its usual layout is PyTorch's ``(out, in, ...)``, and not ``(..., in, out)``."""
        return False

    @abstractmethod
    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """A tensor of the shape, as a NumPy array of the type.

        >>> from initspec.conformance.targets.resolve import resolve
        >>> target = resolve("numpy", scheme="ones")
        >>> target.draw((2, 3), dtype="float32", seed=0).sum()
        np.float32(6.0)
        """

    def draw_many(self, shape: Shape, *, dtype: str, seeds: Sequence[int]) -> Iterable[Array]:
        """A tensor for each seed; by default one call of :meth:`draw` each.

        >>> from initspec.conformance.targets.resolve import resolve
        >>> target = resolve("numpy", scheme="ones")
        >>> [tensor.shape for tensor in target.draw_many((2, 3), dtype="float32", seeds=[0, 1])]
        [(2, 3), (2, 3)]
        """
        return (self.draw(shape, dtype=dtype, seed=seed) for seed in seeds)

    def conduct(self, shape: Shape, *, dtype: str, seed: int) -> Mapping[str, str]:
        """How it treats what it is handed and hands out: a sentence on each fault, or none.

        ``buffer`` is of the tensors' memory, ``thread`` of a draw in another one, ``generator`` of
        two draws from one, and ``sign`` of negative seeds; what cannot be asked is not there. By
        default the memory alone is looked at.

        >>> from initspec.conformance.targets.resolve import resolve
        >>> resolve("numpy", scheme="ones").conduct((2, 3), dtype="float32", seed=0)
        {'buffer': ''}
        """
        draw = partial(self.draw, shape, dtype=dtype)
        return {"buffer": conduct.buffers(lambda seed: np.asarray(draw(seed=seed)), seed)}

    def elsewhere(self, shape: Shape, *, dtype: str, seed: int) -> Array | None:
        """The tensor of a seed, drawn in another process; None, by default, where there is none.

        >>> from initspec.conformance.targets.resolve import resolve
        >>> resolve("numpy", scheme="ones").elsewhere((2, 3), dtype="float32", seed=0) is None
        True
        """
        return None

    def placed(self, layout: Layout) -> Target:
        """The same on a layout; by default it cannot be told one, and stays what it is.

        >>> from initspec.conformance.targets.resolve import resolve
        >>> target = resolve("numpy", scheme="ones")
        >>> from initspec import Layout
        >>> target.placed(Layout("oi")).layout
        Layout('oi')
        """
        return self

    def bases(
        self, law: Distribution, shape: Shape, dtype: str, seed: int
    ) -> Iterator[tuple[str, Array]]:
        """Names of known samplers and their draws of a standard law, with the seed.

        By default those of the frameworks that this process has loaded; a target in another process
        asks there.

        >>> from initspec.conformance.targets.resolve import resolve
        >>> target = resolve("numpy", scheme="ones")
        >>> from initspec.spec.distribution import Normal
        >>> names = [name for name, _ in target.bases(Normal(0.0, 1.0), (2, 3), "float32", 0)]
        >>> len(names) > 0
        True
        """
        return known_samplers.bases(law, shape, dtype, seed)


class OwnTarget(Target):
    """An object of the user's own with ``name``, ``draw`` and any other members of a target."""

    def __init__(self, held: Any) -> None:
        self._held = held
        for member in ("name", *(name for name in vars(Target) if not name.startswith("_"))):
            if member != "draw" and hasattr(held, member):
                setattr(self, member, getattr(held, member))

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """As the object draws."""
        tensor: Array = self._held.draw(shape, dtype=dtype, seed=seed)
        return tensor


def completed(held: Any) -> Target:
    """A full target of an object that has some of its members: what is missing is the default."""
    return held if isinstance(held, Target) else OwnTarget(held)


class Unjudged(Exception):  # noqa: N818 - a verdict, not a fault
    """A verdict that is reached before any statistics."""

    def __init__(self, verdict: str, sentence: str) -> None:
        self.verdict = verdict
        super().__init__(sentence)
