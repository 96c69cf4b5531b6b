"""What a law needs of randomness, and a warning where two tensors get the same of it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
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


#: How many of :func:`silence` are open.
_silences = 0
_lock = Lock()


@contextmanager
def silence() -> Iterator[None]:
    """No tensor is noted meanwhile, by any backend: of what is drawn twice on purpose."""
    global _silences
    with _lock:
        _silences += 1
    try:
        yield
    finally:
        with _lock:
            _silences -= 1


class SameKeys:
    """Which tensor each seed has filled, as far as it is alive; warns of a second one, once.

    Without a name one seed is one key: the tensors begin with the same random numbers.
    """

    def __init__(self) -> None:
        self._first: dict[Any, Any] = {}
        self._told = False

    def note(
        self,
        seed: Any,
        tensor: Any,
        shape: Shape,
        *,
        memory: int | None = None,
        maker: Any = None,
        told: str = "seed={!r}",
    ) -> None:
        """A tensor has been filled with a seed and no name; ``memory``: where, if in place.

        New arrays of one shape are taken for one tensor that is drawn again. A tensor counts as
        alive as long as it is, or the initializer that was its ``maker``, which a layer keeps.
        """
        if self._told or _silences:
            return
        held = self._first.get(seed)
        if held is not None:
            other, its_maker, its_shape, its_memory = held
            if other() is not None or (its_maker is not None and its_maker() is not None):
                again = memory is not None and other() is tensor
                moved = its_memory != memory and None not in (its_memory, memory)
                if not again and (moved or its_shape != shape):
                    self._warn(told.format(seed), its_shape, shape)
                return
        elif len(self._first) >= _MOST:
            self._first.clear()
        self._first[seed] = ref(tensor), None if maker is None else ref(maker), shape, memory

    def _warn(self, told: str, first: Any, second: Any) -> None:
        self._told = True
        self._first.clear()
        warnings.warn(
            f"two tensors were filled with {told} and no name, the first of shape "
            f"{tuple(first)}, the second of {tuple(second)}: they begin with the same random "
            "numbers. Give each parameter its name=, and one seed serves them all.",
            SameKeyWarning,
            stacklevel=_outside(),
        )


def _outside() -> int:
    """How far from :func:`warnings.warn` the first frame is that is not a library's."""
    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_back is not None:
        name = frame.f_globals.get("__name__", "")
        if name.partition(".")[0] not in ("initspec", "contextlib", *_LIBRARIES):
            break
        level, frame = level + 1, frame.f_back
    return level


_LIBRARIES = ("keras", "tensorflow", "torch", "jax", "flax", "haiku")
