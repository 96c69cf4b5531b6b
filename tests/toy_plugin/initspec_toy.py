"""A backend of nested lists. It shows what a backend must do, and no more."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from initspec import Layout, Scheme, backend, stream


class ToyBackend:
    """Plain Python lists; drawn by NumPy and handed over."""

    name = "toy"
    out_first = False

    def key(self, source: Any = None, name: str | None = None) -> tuple[int, int]:
        seed = random.getrandbits(64) if source is None else source
        return stream.fold_name(stream.key_from_seed(seed), name)

    def words(self, key: Any, shape: Any, *, layout: Any = None, window: Any = None) -> Any:
        return backend("numpy").words(key, shape, layout=layout, window=window).tolist()

    def sample(
        self,
        distribution: Any,
        shape: Any,
        *,
        key: Any,
        layout: Any = None,
        dtype: str = "float32",
        window: Any = None,
    ) -> Any:
        made = backend("numpy").sample(
            distribution, shape, key=key, layout=layout, dtype=dtype, window=window
        )
        return made.tolist()

    def native(
        self,
        distribution: Any,
        shape: Any,
        *,
        source: Any = None,
        layout: Any = None,
        dtype: str = "float32",
    ) -> Any:
        """Python's own generator, by the quantile function."""
        rng = random.Random(source)

        def draw(sizes: tuple[int, ...]) -> Any:
            if not sizes:
                return distribution.ppf(rng.random())
            return [draw(sizes[1:]) for _ in range(sizes[0])]

        return draw(tuple(shape))

    def tohost(self, array: Any) -> np.ndarray:
        return np.asarray(array, np.float32)

    def initializer(self, scheme: Scheme, **options: Any) -> ToyInitializer:
        return ToyInitializer(scheme, **options)


@dataclass(frozen=True)
class ToyInitializer:
    """Called with a shape, it answers with lists."""

    scheme: Scheme
    seed: int | None = None
    name: str | None = None
    layout: Layout | str | None = None

    def __call__(self, shape: tuple[int, ...]) -> Any:
        toy = ToyBackend()
        law = self.scheme.on(shape, self.layout)
        return toy.sample(law, shape, key=toy.key(self.seed, self.name), layout=self.layout)
