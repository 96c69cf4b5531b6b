"""An array that is frozen: it compares, hashes and is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import SpecError, short_repr
from .fan_rules import Shape


@dataclass(frozen=True, slots=True)
class Values:
    """An array that is frozen: its shape and its float64 numbers, row-major, as bytes."""

    shape: Shape
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, array: Any) -> Values:
        """From nested lists, or from anything that NumPy reads; refuses what is not numbers."""
        import numpy as np

        try:
            given = np.asarray(array)
            if given.dtype.kind == "c":
                raise SpecError(
                    "an array of real numbers was expected; this one is complex: give its .real "
                    "and its .imag as arrays of their own."
                )
            if given.dtype.kind in "USMm":
                raise TypeError(given.dtype)
            numbers = given.astype(np.float64)
        except SpecError:
            raise
        except Exception as error:  # whatever an object raises where NumPy asks it for its numbers
            raise SpecError(
                f"an array of numbers was expected, not {short_repr(array)}."
            ) from error
        if not np.isfinite(numbers).all():
            raise SpecError("an array of finite numbers was expected; this one holds nan or inf.")
        return cls(numbers.shape, np.ascontiguousarray(numbers).astype("<f8").tobytes())

    def array(self) -> Any:
        """The numbers as a NumPy array of float64."""
        import numpy as np

        return np.frombuffer(self.data, "<f8").reshape(self.shape)
