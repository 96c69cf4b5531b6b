"""An adapter as a target."""

from __future__ import annotations

from typing import Any

from ... import plugins
from ...errors import SpecError
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ...spec.scheme import Scheme
from ..report.record import SKIP
from .host import wide
from .target import Target, Unjudged

#: Backends whose native stream is, in 16 bits, what their framework itself draws there.
COARSE = ("torch", "tensorflow", "keras", "jax")


class BackendTarget(Target):
    """One of our adapters, or a third party's, drawing one scheme."""

    takes_layout = True
    layout: Layout | None

    def __init__(
        self, backend: str, scheme: Scheme, layout: Layout | None, stream: str, name: str = ""
    ) -> None:
        self.name = name or backend
        self.backend, self.scheme, self.layout, self.stream = backend, scheme, layout, stream

    def placed(self, layout: Layout) -> BackendTarget:
        """The same on another layout."""
        return BackendTarget(self.backend, self.scheme, layout, self.stream, self.name)

    def draw(self, shape: Shape, *, dtype: str, seed: int) -> Any:
        """Through the protocol: ``sample`` or ``native``, and ``tohost``."""
        maker = plugins.backend(self.backend)
        axes = Layout.of(self.layout, len(shape), out_first=maker.out_first)
        law = self.scheme.on(shape, axes)
        drawn_there = self.stream == "native" and self.backend in COARSE
        if drawn_there and dtype.endswith("16") and law.elementwise:
            raise Unjudged(
                SKIP,
                "in 16 bits the native stream is the framework's own numbers, on the framework's "
                "own grid; docs/survey.md judges those, and the portable stream has the law",
            )
        with wide(dtype):
            if self.stream == "native":
                try:
                    drawn = maker.native(law, shape, source=seed, layout=axes, dtype=dtype)
                except SpecError as error:  # it has no such law, and says so
                    raise Unjudged(SKIP, str(error)) from None
            else:
                drawn = maker.sample(law, shape, key=maker.key(seed), layout=axes, dtype=dtype)
            return maker.tohost(drawn)
