"""What a law needs of randomness, and a warning where two tensors get the same of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import ref

from ..errors import SameKeyWarning
from ..spec.custom import CustomLaw, takes_rng
from ..spec.distribution import Constant, Distribution
from ..spec.fan_rules import Shape
from ..spec.tensor_laws import Given, Stencil

_MOST = 4096
_FIXED = (Constant, Given, Stencil)


def draws(law: Distribution, shape: Shape) -> bool:
    """Whether a tensor of this shape needs random numbers: constants, arrays and the empty do not.

    >>> from initspec import get
    >>> draws(get("he_normal").on((3, 2)), (3, 2)), draws(get("zeros").on((3,)), (3,))
    (True, False)
    """
    if 0 in shape or isinstance(law, _FIXED):
        return False
    return not isinstance(law, CustomLaw) or law.custom.ppf is not None or takes_rng(law.custom)


class SameKeys:
    """Which tensor each seed has filled, as far as it is alive; warns of a second one, once.

    Without a name one seed is one key: the tensors begin with the same random numbers.
    """

    def __init__(self) -> None:
        self._first: dict[Any, Any] = {}
        self._silent = False

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nothing is noted meanwhile."""
        before, self._silent = self._silent, True
        try:
            yield
        finally:
            self._silent = before

    def note(self, seed: int, tensor: Any, memory: Callable[[Any], int] | None = None) -> None:
        """A tensor has been filled with a seed and no name; ``memory`` says where, if in place.

        New arrays of one shape are taken for one tensor that is drawn again.
        """
        if self._silent:
            return
        held = self._first.get(seed)
        other = None if held is None else held[0]()
        if held is None or other is None:
            if len(self._first) >= _MOST:
                self._first.clear()
            self._first[seed] = ref(tensor), memory
        elif other is not tensor and (
            other.shape != tensor.shape or (held[1] and memory and memory(other) != memory(tensor))
        ):
            self._silent = True
            self._first.clear()
            warnings.warn(
                f"two tensors were filled with seed={seed!r} and no name, the first of shape "
                f"{tuple(other.shape)}, the second of {tuple(tensor.shape)}: they begin with the "
                "same random numbers. Give each parameter its name=, and one seed serves them all.",
                SameKeyWarning,
                stacklevel=4,
            )
