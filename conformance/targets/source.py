"""A seed, and the generators that are made of it once and handed over again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(slots=True)
class Source:
    """A seed whose generators are handed over more than once, as a user's own are.

    >>> source, made = Source(7), iter("ab")
    >>> generator(source, "numpy", lambda seed: next(made))
    'a'
    >>> generator(source, "numpy", lambda seed: next(made))
    'a'
    >>> generator(7, "numpy", lambda seed: next(made))
    'b'
    """

    seed: int
    made: dict[str, Any] = field(default_factory=dict)
    #: Whether a key was handed over, of which every draw is the same.
    is_key: bool = False


def number(seed: Any) -> Any:
    """The seed itself."""
    return seed.seed if isinstance(seed, Source) else seed


def generator(seed: Any, package: str, make: Callable[[Any], Any]) -> Any:
    """A generator of a package: a new one, or the one that a source has handed over before."""
    if not isinstance(seed, Source):
        return make(seed)
    if package not in seed.made:
        seed.made[package] = make(seed.seed)
    return seed.made[package]


def seed_keras(seed: Any) -> None:
    """Seed the global generators of Keras; those of a source once, so that they go on."""
    generator(seed, "keras", import_module("keras").utils.set_random_seed)
