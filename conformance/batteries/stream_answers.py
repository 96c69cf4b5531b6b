"""What the portable stream answers: the reference, the words at the ends, the known answers."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import plugins, stream
from ...backends.cpu import laws as host_laws
from ...spec.distribution import Distribution, Normal, TruncatedNormal, Uniform
from ...spec.fan_rules import Shape
from ...spec.layout import Layout
from ...spec.tensor_laws import DeltaOrthogonal, Law, Orthogonal
from ...stream import dtypes
from ..finding import Finding, certain
from ..probability import transform
from ..probability.own_law import Own
from . import marginal

if TYPE_CHECKING:
    from ..cell import Cell

Array = NDArray[Any]

#: Other tensors at which a portable backend must equal the reference.
REFERENCES: tuple[tuple[Shape, str], ...] = (
    ((12, 5), "oi, stack=3"),
    ((8, 3, 2), "oiw, groups=4"),
    ((2, 3, 4, 6), "hwio"),
)
#: Words where tables, shifts and logarithms have their ends.
WORDS = np.unique(
    np.array(
        [n for k in range(33) for n in (2**k - 2, 2**k - 1, 2**k, 2**k + 1) if 0 <= n < 2**32],
        np.uint32,
    )
)
_INJECTED = (0, 1, 255, 2**31 - 1, 2**31, 2**32 - 256, 2**32 - 1)


# ------------------------------------------------------------------------------ the portable stream


def ends(cell: Cell, law: Distribution) -> Finding:
    """The words at the ends: finite, inside the support, in order, and symmetric.

    They go through the reference, or through the target's own map from words to values, if it has
    one: ``transform(words, law=, dtype=)``.
    """
    own = getattr(cell.target, "transform", None)
    words = np.union1d(WORDS, np.random.default_rng(1).integers(2**32, size=512, dtype=np.uint32))
    if own is not None:
        values = np.asarray(own(words, law=law, dtype=cell.dtype)).astype(np.float64)
    else:
        values = _values(words, law, cell.dtype)
    problems = []
    if not np.isfinite(values).all():
        problems.append("not finite")
    if marginal.support(values, law, cell.dtype).p == 0:
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
        if own is None and _mirror(words, law):
            problems.append("not symmetric")
    return certain("words", len(problems), f"at the end words: {', '.join(problems)}")


def _values(words: Array, law: Distribution, dtype: str) -> NDArray[np.float64]:
    """The reference: words to values of a type, by the stream's definition.

    Of a law of the user's own it is the quantile of the middle of each word.
    """
    if isinstance(law, (Law, Own)):
        with np.errstate(all="ignore"):  # a type may end before the law does
            numbers = np.asarray(law.custom.ppf((words + 0.5) * 2.0**-32), np.float64)
            return dtypes.widened(dtypes.rounded(numbers, dtype))
    wide = "float64" if dtype == "float64" else "float32"
    return dtypes.widened(dtypes.rounded(stream.values(words, law.draw, wide), dtype))


def _mirror(words: NDArray[np.uint32], law: Distribution) -> bool:
    """Whether a word and its complement fail to have opposite integers."""
    draw = law.draw
    if not draw.truncated:
        return bool(np.any(stream.integer(words, draw) != -stream.integer(~words, draw)))
    if draw.lowest != -draw.highest:
        return False
    # The words of a cut law are mapped to fewer, by a floor that may fall one short on one side.
    mapped = stream.truncate(words, draw).astype(np.int64) + stream.truncate(~words, draw)
    return bool(np.any(np.abs(mapped - (2**32 - 1)) > 1))


def canonical_index(shape: Shape, layout: Layout) -> NDArray[np.int64]:
    """The index of each element, by numbering a tensor in canonical order and storing it."""
    ranks = {"batch": 0, "stack": 1, "spatial": 3, "vocabulary": 4, "in": 4, "group": 5, "out": 6}
    sizes: list[int] = []
    order: list[tuple[int, int]] = []
    for size, role in zip(shape, layout.roles(shape), strict=True):
        if role == "out" and layout.stack > 1:
            order.append((2, len(sizes)))
            sizes.append(layout.stack)
            size //= layout.stack
        order.append((ranks[role], len(sizes)))
        sizes.append(size)
    permuted = [place for _, place in sorted(order)]
    numbered = np.arange(math.prod(sizes)).reshape([sizes[place] for place in permuted])
    return numbered.transpose(np.argsort(permuted)).reshape(shape)


def expected(
    law: Distribution, shape: Shape, layout: Layout, dtype: str, key: stream.Key
) -> NDArray[np.float64]:
    """What the portable stream gives: by its definition, or by the host where elements are tied."""
    if (law.elementwise and law.std > 0) or (isinstance(law, Law) and law.custom.ppf is not None):
        words = stream.words(key, canonical_index(shape, layout).astype(np.uint64))
        return _values(words, law, dtype)
    return dtypes.widened(host_laws.array(law, shape, key=key, layout=layout, dtype=dtype))


def reference(cell: Cell, values: Array, seed: int) -> Finding:
    """A portable backend equals the reference bit for bit, whole and in a window."""
    law = cell.scheme.on(cell.shape, cell.layout)
    wanted = expected(law, cell.shape, cell.layout, cell.dtype, stream.key_from_seed(seed))
    wrong = _unequal(values, wanted, law, cell.dtype)
    note = f"{wrong} of {values.size} values differ from the reference"
    if not wrong:
        maker = plugins.backend(cell.target.backend)  # type: ignore[attr-defined]
        window = _inside(cell.shape)
        options = {"key": maker.key(seed), "layout": cell.layout, "dtype": cell.dtype}
        cut = maker.tohost(maker.sample(law, cell.shape, window=window, **options))
        wrong = _unequal(cut, wanted[window], law, cell.dtype)
        note = f"{wrong} values of a window differ from those of the whole tensor"
    return certain("reference", wrong, note)


def _inside(shape: Shape) -> tuple[slice, ...]:
    return tuple(slice(size // 3, size - size // 4) for size in shape)


@lru_cache(maxsize=256)
def layouts(name: str, law: Distribution, dtype: str) -> Finding:
    """Other layouts, fused, grouped and convolved, whole and in windows: one law of each kind."""
    maker, seed = plugins.backend(name), 2**63 + 11
    key, own = stream.key_from_seed(seed), maker.key(seed)
    for shape, text in REFERENCES:
        layout = Layout.parse(text)
        wanted = expected(law, shape, layout, dtype, key)
        for window in (None, _inside(shape)):
            drawn = maker.sample(law, shape, key=own, layout=layout, dtype=dtype, window=window)
            part = wanted if window is None else wanted[window]
            wrong = _unequal(maker.tohost(drawn), part, law, dtype)
            if wrong:
                where = f"{'a window' if window else 'a tensor'} of {shape} '{layout}'"
                note = f"{wrong} values of {where} differ from the reference"
                return Finding("layouts", wrong, 0.0, note)
    return Finding("layouts", 0.0, 1.0)


def _unequal(found: Array, wanted: Array, law: Distribution, dtype: str) -> int:
    values = np.asarray(found).astype(np.float64)
    if values.shape != wanted.shape:
        return max(values.size, 1)
    if isinstance(law, (Orthogonal, DeltaOrthogonal)):  # promised to 1e-6, and to the rounding
        near = 1e-6 * law.gain + 2.0 ** -transform.TYPES[dtype][0] * np.abs(wanted)
        return int(np.count_nonzero(np.abs(values - wanted) > near))
    return int(np.count_nonzero((values != wanted) | (np.signbit(values) != np.signbit(wanted))))


@lru_cache(maxsize=256)
def injected(name: str, law: Distribution, dtype: str) -> Finding:
    """The end words through the backend itself: at the indices where Threefry makes them.

    Threefry is a bijection, so that an index with a given word can be computed. It lies anywhere
    among ``2**64``, and a window of one element is drawn there.
    """
    maker, seed = plugins.backend(name), 0x1234_5678_9ABC_DEF0
    key, own = stream.key_from_seed(seed), maker.key(seed)
    problems = []
    for word in _INJECTED:
        high, low = index_of(key, word)
        window = (slice(high, high + 1), slice(low, low + 1))
        drawn = maker.sample(law, (2**32, 2**32), key=own, layout="io", dtype=dtype, window=window)
        value = float(np.asarray(maker.tohost(drawn)).astype(np.float64).reshape(()))
        wanted = float(_values(np.array([word], np.uint32), law, dtype)[0])
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


@lru_cache(maxsize=1)
def known_answers() -> dict[str, list[dict[str, Any]]]:
    """The answers that every implementation of the stream gives, by function."""
    text = (
        Path(__file__).parents[1].joinpath("cases").joinpath("known_answer.json").read_text("utf-8")
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for case in json.loads(text)["cases"]:
        found.setdefault(case["function"], []).append(case["answer"])
    return found


@lru_cache(maxsize=32)
def known(name: str) -> Finding:
    """Keys, words and tensors of a backend are those of the known answers."""
    maker, answers = plugins.backend(name), known_answers()
    problems: list[str] = []

    for case in (*answers["seed_to_key"], *answers["fold_name"]):
        if _key(maker, case["seed"], case.get("name")) != [int(word, 16) for word in case["key"]]:
            problems.append(f"the key of {case['seed']} and {case.get('name')!r}")
    for case in answers["bits"]:
        seed = int(case["key"][0], 16) << 32 | int(case["key"][1], 16)
        for index, bits in zip(case["index"], case["bits"], strict=True):
            high, low = divmod(int(index), 2**32)
            window = (slice(high, high + 1), slice(low, low + 1))
            word = maker.words(maker.key(seed), (2**32, 2**32), layout="io", window=window)
            if int(np.asarray(maker.tohost(word)).reshape(())) & 0xFFFFFFFF != int(bits, 16):
                problems.append(f"the word at {index} of the seed {seed}")
    for case in answers["tensor"]:
        problems += _tensors(maker, case)
    return certain("known", len(problems), f"wrong: {', '.join(problems[:3])}")


def _key(maker: Any, seed: int, name: str | None) -> list[int]:
    return [int(np.asarray(word)) & 0xFFFFFFFF for word in maker.key(seed, name)]


def _tensors(maker: Any, case: dict[str, Any]) -> Iterator[str]:
    size = case["parameter"]
    if "uniform" in case["scheme"]:
        law: Distribution = Uniform(-size, size)
    elif "untruncated" in case["scheme"]:
        law = Normal(0.0, size)
    else:
        law = TruncatedNormal(0.0, size, -2.0, 2.0)
    shapes = {"io": (case["fan_in"], case["fan_out"]), "oi": (case["fan_out"], case["fan_in"])}
    key = maker.key(case["seed"], case["name"])
    for field, dtype, layout in (
        ("float32_row_major_io", "float32", "io"),
        ("float32_row_major_oi", "float32", "oi"),
        ("bfloat16_io", "bfloat16", "io"),
        ("float16_io", "float16", "io"),
    ):
        drawn = maker.sample(law, shapes[layout], key=key, layout=layout, dtype=dtype)
        bits = np.ascontiguousarray(maker.tohost(drawn)).view(f"u{4 if dtype == 'float32' else 2}")
        if bits.reshape(-1).tolist() != [int(text, 16) for text in case[field]]:
            yield f"{case['scheme']} in {dtype} '{layout}', seed {case['seed']}"
