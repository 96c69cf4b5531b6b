"""An array that is frozen: it compares, hashes and is saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import SpecError
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
            numbers = np.asarray(array, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise SpecError(f"an array of numbers was expected, not {array!r}.") from error
        if not np.isfinite(numbers).all():
            raise SpecError("an array of finite numbers was expected; this one holds nan or inf.")
        return cls(numbers.shape, np.ascontiguousarray(numbers).astype("<f8").tobytes())

    def array(self) -> Any:
        """The numbers as a NumPy array of float64."""
        import numpy as np

        return np.frombuffer(self.data, "<f8").reshape(self.shape)
