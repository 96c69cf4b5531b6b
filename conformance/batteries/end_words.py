"""The words at the ends of the stream, where tables, shifts and logarithms have theirs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ... import plugins, stream
from ...spec.distribution import Distribution
from ..cell import Cell
from ..finding import Finding, certain
from ..probability import transform
from ..probability.own_law import Own
from .ends import ends_of
from .stream_reference import values_of

#: Words where tables, shifts and logarithms have their ends.
WORDS = np.unique(
    np.array(
        [n for k in range(33) for n in (2**k - 2, 2**k - 1, 2**k, 2**k + 1) if 0 <= n < 2**32],
        np.uint32,
    )
)
#: Words that are put to an adapter itself.
_INJECTED = (0, 1, 255, 2**31 - 1, 2**31, 2**32 - 256, 2**32 - 1)


def ends(cell: Cell, law: Distribution) -> Finding:
    """The words at the ends: finite, inside the support, in order, and symmetric.

    They go through the reference, or through the target's own map from words to values, if it has
    one: ``transform(words, law=, dtype=)``.
    """
    words = np.union1d(WORDS, np.random.default_rng(1).integers(2**32, size=512, dtype=np.uint32))
    if cell.target.transform is None:
        values = values_of(words, law, cell.dtype)
    else:
        answer = cell.target.transform(words, law=law, dtype=cell.dtype)
        values = np.asarray(answer).astype(np.float64)
    problems = []
    if not np.isfinite(values).all():
        problems.append("not finite")
    first, last = ends_of(law, cell.dtype, more=1)  # the stream rounds its integer, too
    if np.any((values < first) | (values > last)):
        problems.append("outside the support")
    if np.any(values[1:] < values[:-1]):
        problems.append("not in order")
    if not isinstance(law, Own):
        # No word of 32 bits stands for a value whose tail, widened by what 22 bits resolve of the
        # scale, has less than 2**-64.
        near = law.std * 2.0**-22
        low, high = transform.neighbours(np.array([values.min(), values.max()]), cell.dtype)
        if (
            min(transform.cdf(law, high + near)[0], transform.complement(law, low - near)[1])
            < 2.0**-64
        ):
            problems.append(f"values from {values.min():g} to {values.max():g}")
        if cell.target.transform is None and _is_uneven(words, law):
            problems.append("not symmetric")
    return certain("words", len(problems), f"at the end words: {', '.join(problems)}")


def _is_uneven(words: NDArray[np.uint32], law: Distribution) -> bool:
    """Whether a word and its complement fail to have opposite integers."""
    draw = law.draw
    if not draw.truncated:
        return bool(np.any(stream.integer(words, draw) != -stream.integer(~words, draw)))
    if draw.lowest != -draw.highest:
        return False
    # The words of a cut law are mapped to fewer, by a floor that may fall one short on one side.
    mapped = stream.truncate(words, draw).astype(np.int64) + stream.truncate(~words, draw)
    return bool(np.any(np.abs(mapped - (2**32 - 1)) > 1))


@lru_cache(maxsize=256)
def injected(name: str, law: Distribution, dtype: str) -> Finding:
    """The end words through the backend itself: at the indices where Threefry makes them.

    Threefry is a bijection, so that an index with a given word can be computed. It lies anywhere
    among ``2**64``, and a window of one element is drawn there.
    """
    maker, seed = plugins.backend(name), 0x1234_5678_9ABC_DEF0
    key, adapters_key = stream.key_from_seed(seed), maker.key(seed)
    problems = []
    for word in _INJECTED:
        high, low = index_of(key, word)
        window = (slice(high, high + 1), slice(low, low + 1))
        options = {"key": adapters_key, "layout": "io", "dtype": dtype, "window": window}
        drawn = maker.sample(law, (2**32, 2**32), **options)
        value = float(np.asarray(maker.tohost(drawn)).astype(np.float64).reshape(()))
        wanted = float(values_of(np.array([word], np.uint32), law, dtype)[0])
        if value != wanted:
            problems.append(f"{word:#x} gives {value!r}, not {wanted!r}")
    return certain("injected", len(problems), f"the word {'; '.join(problems[:2])}")


def index_of(key: stream.Key, word: int) -> tuple[int, int]:
    """An index, as its high and its low 32 bits, whose word under the key is the one wanted."""
    mask = 0xFFFFFFFF
    k0, k1 = key
    schedule = (k0, k1, k0 ^ k1 ^ stream.PARITY)
    x0 = (word * 0x9E3779B9 + 0x7F4A7C15) & mask  # any number will do for one half
    x1 = x0 ^ word
    for group in reversed(range(5)):
        x0 = (x0 - schedule[(group + 1) % 3]) & mask
        x1 = (x1 - schedule[(group + 2) % 3] - group - 1) & mask
        for rotation in reversed(((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]):
            x1 ^= x0
            x1 = (x1 >> rotation | x1 << (32 - rotation)) & mask
            x0 = (x0 - x1) & mask
    return (x0 - schedule[0]) & mask, (x1 - schedule[1]) & mask
