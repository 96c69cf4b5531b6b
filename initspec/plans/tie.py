"""Names that are one tensor."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SpecError, short_repr
from ..public import public
from .patterns import Pattern


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """Names, as patterns, of one and the same tensor; it is drawn under the first of them.

    Where a model has one of them alone, nothing is asked of it. An ``optional`` tie may also be
    apart: then each of them is drawn by its own rule.

    >>> from initspec import Tie
    >>> Tie(same=("**.wte.weight", "lm_head.weight")).place("transformer.wte.weight")
    0
    """

    same: tuple[str, ...]
    optional: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.same, (tuple, list)) or len(self.same) < 2:
            raise SpecError(f"a tie has two names or more, not {short_repr(self.same)}.")
        if not isinstance(self.optional, bool):
            raise SpecError(f"optional is true or false, not {short_repr(self.optional)}.")
        object.__setattr__(self, "same", tuple(self.same))
        for text in self.same:
            Pattern(text)

    def place(self, name: str) -> int | None:
        """Which of its patterns a name matches first; None for none.

        >>> from initspec import Tie
        >>> Tie(same=("wte.weight", "lm_head.weight")).place("lm_head.weight")
        1
        """
        for at, text in enumerate(self.same):
            if Pattern(text).match(name) is not None:
                return at
        return None
