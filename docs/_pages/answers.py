"""Known answers: the first numbers that a seed gives, to hold another program to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

import initspec
from initspec.errors import InitSpecError
from initspec.readings.entry import Entry
from initspec.spec.distribution import Distribution
from initspec.stream import key_from_seed, words

from .examples import in_words, small, spaced
from .markdown import code, table, tick

SEED = 42
COUNT = 4


def answers(entry: Entry) -> Iterator[str]:
    scheme = entry.make()
    shape, layout = small(scheme)
    maker = initspec.backend("numpy")
    law = scheme.on(shape, layout)
    array = np.asarray(maker.sample(law, shape, key=maker.key(SEED), layout=layout))
    yield (
        f"The weight of {in_words((shape, layout))}, seed {SEED}, without a name, float32, by "
        f"[the stream](../../stream.md); {_which(array)}:"
    )
    command = f"initspec sample {entry.name} --shape {spaced(shape)} --layout {layout}"
    if "orthogonal" in scheme.distribution:
        rounded = " ".join(f"{value:.5f}" for value in _first(array)[:COUNT])
        yield code(rounded, "text")
        yield "Orthogonal weights agree to 1e-6 and not to the bit, for their QR is LAPACK's."
        yield code(f"$ {command} --seed {SEED}", "console")
        return
    yield _table(array, law)
    yield "SHA-256 of all its bytes, little-endian, in C order:"
    yield code(hashlib.sha256(array.astype("<f4").tobytes()).hexdigest(), "text")
    yield code(f"$ {command} --seed {SEED} --digest", "console")


def _first(array: Any) -> Any:
    """The first numbers; of a kernel that is zero at its first taps, those that are not zero."""
    flat = array.reshape(-1)
    return flat if flat[:COUNT].any() or not flat.any() else flat[flat.nonzero()]


def _which(array: Any) -> str:
    flat = array.reshape(-1)
    return "its first numbers" if len(_first(array)) == len(flat) else "the first that are not zero"


def _table(array: Any, law: Distribution) -> str:
    first = _first(array)[:COUNT]
    drawn = _words(law) if len(_first(array)) == array.size else None
    return table(
        ("Place", "Word", "Value", "Its bits"),
        [
            (
                str(place),
                "" if drawn is None else f"`{drawn[place]:#010x}`",
                tick(str(value)),
                f"`{value.view(np.uint32):#010x}`",
            )
            for place, value in enumerate(first)
        ],
    )


def _words(law: Distribution) -> Any:
    """The words behind the numbers of a law that takes one for each, in C order."""
    try:
        law.draw  # noqa: B018 - asked for its error
    except InitSpecError:
        return None
    return words(key_from_seed(SEED), np.arange(COUNT, dtype=np.uint64))
