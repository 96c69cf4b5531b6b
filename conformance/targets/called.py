"""An initializer that is called in this process, as a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ..report.record import ERROR
from .calls import maker
from .target import Target, Unjudged
from .text import importable

Array = NDArray[Any]


class CallTarget(Target):
    """An initializer that is called in this process."""

    out_first: bool
    seed_as: str

    def __init__(self, initializer: Any) -> None:
        self._initializer, self._maker = initializer, maker(initializer)
        self.out_first, self.seed_as = self._maker.out_first, self._maker.seed_as
        self.name = title(initializer)
        self.text = self.name if importable(self.name, initializer) else None
        is_ours = hasattr(initializer, "scheme")
        self.takes_layout = is_ours and getattr(initializer, "layout", "its own") is None

    @cached_property
    def seed_periods(self) -> tuple[int, ...]:
        """By what the seeds differ that a framework of this process takes for one."""
        return self._maker.seed_periods

    def placed(self, layout: Layout) -> CallTarget:
        """For a layout: initspec's own initializers are told it, where they have none."""
        if self.takes_layout:
            return CallTarget(replace(self._initializer, layout=layout))
        return self

    def conduct(self, shape: Shape, *, dtype: str, seed: int) -> Mapping[str, str]:
        """All that can be asked of a call."""
        return self._maker.conduct(shape, dtype, seed)

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Array:
        """The initializer's tensor; what it raises is passed on."""
        try:
            answer = self._maker.answer(shape, dtype, seed)
        except SystemExit as error:
            raise Unjudged(ERROR, f"the target called sys.exit({error.code!r})") from None
        tensor = self._maker.fitted(answer, dtype)
        self.rounded_from = "" if tensor.dtype == answer.dtype else answer.dtype.name
        return tensor


def title(initializer: Any) -> str:
    """A name for what was given, the same in every run."""
    inner, options = initializer, dict[str, Any]()
    while hasattr(inner, "func"):  # functools.partial
        options = {**inner.keywords, **options}
        inner = inner.func
    kind = inner if hasattr(inner, "__qualname__") else type(inner)
    shown = [
        f"{name}={value!r}"
        for name, value in options.items()
        if isinstance(value, (int, float, str, bool, tuple))
    ]
    call = f"({', '.join(shown)})" if shown else ""
    return f"{kind.__module__}:{kind.__qualname__}{call}"
