"""The exact tier: what holds for every draw, so that there is no chance in it and no false alarm.

Every finding has a p-value of 0 or 1. What a target does not let one ask is said to be not
applicable, and passes.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import backends, stream
from ..backends import _host
from ..distribution import Constant, Distribution, Normal, TruncatedNormal, Uniform
from ..errors import InitSpecError
from ..layout import Layout, Shape, fans
from ..registry import get
from ..structure import DeltaOrthogonal, Given, Law, Orthogonal, Sparse, Stencil
from . import marginal, orthogonal, pit
from .bases import bases, standard
from .complexes import PARTS, Modulus
from .contraction import FORMULAS, contraction, naive
from .design import cell_seed
from .marginal import Finding, own_law
from .own import Own

if TYPE_CHECKING:
    from .cell import Cell

Array = NDArray[Any]

#: Seeds that must all differ: small ones, neighbours, and the ends of 31 bits.
SEEDS = (0, 1, 2, 3, 255, 256, 65536, 2**31 - 2, 2**31 - 1)
#: Elements from which on two draws that are equal are one draw.
FEW = 16
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
_ELEMENTWISE = (Normal, TruncatedNormal, Uniform)


def battery(cell: Cell) -> Iterator[Finding]:
    """Every exact test of a cell. Structure and type are checked with each draw."""
    law = cell.law
    if isinstance(law, Own):
        yield own_law(law)
        if law.problem:
            return
    seed = cell_seed(cell.name, cell.run)
    values = _draw(cell, cell.shape, cell.dtype, seed)
    yield from fixed(cell, law, values)
    yield from seeds(cell, law, values, seed)
    yield types(cell, law, values, seed)
    yield self_coupling(cell, law, values, seed)
    yield counted(cell)
    yield formula(cell, cell.scheme.on(cell.shape, cell.layout))
    if (isinstance(law, _ELEMENTWISE) and law.std > 0) or (
        type(law) is Own and law.custom.ppf is not None
    ):
        yield ends(cell, law)
    if _portable(cell):
        name: str = cell.target.backend  # type: ignore[attr-defined]
        yield reference(cell, values, seed)
        yield known(name)
        kind = standard(law)
        if kind is not None:  # the scale has been seen; the rest is the same for every scale
            yield layouts(name, kind, cell.dtype)
            yield injected(name, kind, cell.dtype)
    else:
        yield base_coupling(cell, law, values, seed)


def _portable(cell: Cell) -> bool:
    return getattr(cell.target, "stream", "") == "portable"


def _one_tensor(cell: Cell) -> bool:
    """Whether the target is an array, or a parameter of a layer: it has no other shape."""
    return getattr(cell.target, "fixed_shape", None) is not None


def _draw(cell: Cell, shape: Shape, dtype: str, seed: int) -> Array:
    from .cell import checked

    return checked(cell.target.draw(shape, dtype=dtype, seed=seed), shape, dtype)


def _verdict(test: str, wrong: float, note: str) -> Finding:
    """A finding that refuses, with its note, if anything is wrong."""
    return Finding(test, float(wrong), 0.0 if wrong else 1.0, note if wrong else "")


def _not_applicable(test: str, why: str) -> Finding:
    return Finding(test, 0.0, 1.0, f"not applicable: {why}")


# ------------------------------------------------------------------------------- support, constants


def fixed(cell: Cell, law: Distribution, values: Array) -> Iterator[Finding]:
    """What is not random: constants and stencils, bounds, orthogonality, the number of zeros."""
    from .cell import canonical, exactly

    if isinstance(law, (Constant, Stencil, Given)) or law.std == 0:
        known_law = law if isinstance(law, (Stencil, Given)) else Constant(law.mean)
        yield exactly(known_law, cell, values[None])
    elif isinstance(law, Orthogonal):
        flat = canonical(values[None], cell).reshape(-1, law.rows, law.columns) / law.gain
        tall = flat if law.rows >= law.columns else flat.swapaxes(1, 2)
        yield from orthogonal.identity(tall, cell.dtype)
    elif isinstance(law, DeltaOrthogonal):
        flat = canonical(values[None], cell).reshape(-1, law.taps, law.rows, law.columns)
        middle = flat[:, law.middle].swapaxes(1, 2) / law.gain  # no more rows than columns
        wrong = int(np.count_nonzero(np.delete(flat, law.middle, axis=1)))
        yield _verdict("taps", wrong, f"{wrong} values beside the middle tap are not zero")
        yield from orthogonal.identity(middle, cell.dtype)
    elif isinstance(law, Sparse):
        flat = canonical(values[None], cell).reshape(-1, law.rows, law.columns)
        missing = int(np.maximum(law.zeros - (flat == 0).sum(axis=law.axis), 0).sum())
        yield _verdict("zeros", missing, f"{missing} zeros too few")
    elif isinstance(law, Modulus):
        squares = law.squares(values.reshape(-1), cell.dtype)
        yield marginal.support(squares, law, cell.dtype)._replace(test="modulus.support")
    else:
        yield marginal.support(values.reshape(-1), law, cell.dtype)


# ------------------------------------------------------------------------------------------- seeds


def seeds(cell: Cell, law: Distribution, values: Array, seed: int) -> Iterator[Finding]:
    """The same seed gives the same values, another seed others, and no global state moves."""
    before = _global_state()
    again = _draw(cell, cell.shape, cell.dtype, seed)
    moved = [name for name, state in _global_state().items() if before.get(name) != state]
    wrong = int(np.count_nonzero(again != values))
    yield _verdict("seed", wrong, f"the same seed gave {wrong} other values")
    if hasattr(cell.target, "stream"):
        note = f"a draw with a seed moved the global state of {' and '.join(moved)}"
        yield _verdict("globals", len(moved), note)
    if getattr(cell.target, "once", False):
        yield _not_applicable("seeds", "the target is an array")
        return
    if isinstance(law, (Constant, Stencil, Given)) or law.std == 0 or values.size < FEW:
        yield _not_applicable("seeds", "too few values are random")
        return
    # A framework's own sampler may take fewer bits of a seed than there are.
    tried = {*SEEDS, seed} if getattr(cell.target, "stream", "") != "native" else {*range(8), seed}
    drawn = {one: _draw(cell, cell.shape, cell.dtype, one).tobytes() for one in tried}
    equal = [(a, b) for a in drawn for b in drawn if a < b and drawn[a] == drawn[b]]
    pairs = ", ".join(f"{a} and {b}" for a, b in equal[:3])
    yield _verdict("seeds", len(equal), f"the same values with the seeds {pairs}")


def _global_state() -> dict[str, str]:
    """The generators that a draw with a seed of its own has to leave alone."""
    numpy: Any = np.random.get_state(legacy=False)
    found = {
        "random": repr(random.getstate()),
        "numpy": numpy["state"]["key"].tobytes().hex() + str(numpy["state"]["pos"]),
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = torch.get_rng_state().numpy().tobytes().hex()
    return found


# ------------------------------------------------------------------------------------------- types


def types(cell: Cell, law: Distribution, values: Array, seed: int) -> Finding:
    """A narrow type holds the float32 numbers, rounded: so it must if many of them agree."""
    if cell.dtype in ("float32", *PARTS):
        return _not_applicable("types", "float32 is what the others are held against")
    try:
        wide = _draw(cell, cell.shape, "float32", seed)
    except Exception as error:
        return _not_applicable("types", f"no float32 of this target: {error}")
    portable = _portable(cell)
    if cell.dtype == "float64":
        if not portable:
            return _not_applicable("types", "float64 is drawn from more bits")
        size = abs(law.mean) if math.isfinite(law.mean) else 0.0
        least = max(size, float(np.abs(values).max(initial=0.0)), 1e-300) * 2.0**-21
        wrong = int(np.count_nonzero(np.abs(wide - values) > least))
        return _verdict("types", wrong, f"{wrong} values are not near the float32 ones")
    same = _host.widened(_host.rounded(wide.astype(np.float32), cell.dtype)) == values
    share = float(same.mean()) if same.size else 1.0
    if not portable and share < 0.25:  # of other bits no more than a hundredth agrees
        return _not_applicable("types", f"{cell.dtype} is drawn from other bits than float32")
    wrong = int(np.count_nonzero(~same))
    return _verdict("types", wrong, f"{wrong} values are not the float32 ones, rounded to nearest")


# ---------------------------------------------------------------------------------------- coupling


class Coupling(NamedTuple):
    """How two draws go together: their ratio, and the share of elements that have it."""

    ratio: float
    share: float


def couple(first: Array, second: Array, dtype: str) -> Coupling:
    """The ratio of two draws of standard numbers, if they come from the same random bits."""
    a, b = first.reshape(-1), second.reshape(-1)
    large = np.abs(b) >= np.median(np.abs(b))
    if not np.any(b[large]):
        return Coupling(math.nan, 0.0)
    ratio = float(np.median(a[large] / b[large]))
    error = 8 * _ulp(dtype) * float(np.abs(a).max())
    near = np.abs(a - ratio * b) <= error
    if near.any() and np.any(b[near]):
        ratio = float(a[near] @ b[near] / (b[near] @ b[near]))
        near = np.abs(a - ratio * b) <= error
    return Coupling(ratio, float(near.mean()))


def _standardised(values: Array, law: Distribution) -> NDArray[np.float64]:
    return np.asarray((values - law.mean) / law.std)


def _tolerance(law: Distribution, dtype: str) -> float:
    """Of the ratio: a few roundings, that of the mean among them."""
    size = 1 + abs(law.mean) / law.std
    return 16 * size * _ulp(dtype)


def _ulp(dtype: str) -> float:
    """Of float32 at least: a scale that is kept in float32 is no fault in float64."""
    return 2.0 ** -min(pit.TYPES[dtype][0], 23)


def _of_one_family(first: Distribution, second: Distribution) -> bool:
    """Whether two laws differ in mean and scale alone."""
    if type(first) is not type(second) or not isinstance(first, _ELEMENTWISE):
        return False
    if isinstance(first, TruncatedNormal) and isinstance(second, TruncatedNormal):
        return math.isclose(first.low, second.low) and math.isclose(first.high, second.high)
    return True


def self_coupling(cell: Cell, law: Distribution, values: Array, seed: int) -> Finding:
    """Two shapes of as many elements, one seed: the values' ratio is that of the documented scales.

    Nothing else has to be known of the target. Where its raw draws do not go together, because it
    draws row by row, say, the test does not apply.
    """
    if not isinstance(law, _ELEMENTWISE) or law.std == 0 or values.size < FEW:
        return _not_applicable("coupling", "the law is not one number times another")
    if _one_tensor(cell):
        return _not_applicable("coupling", "the target has one shape")
    tried = 0
    for shape, other in _reshaped(cell, law):
        try:
            drawn = _draw(cell, shape, cell.dtype, seed)
        except Exception as error:
            return _not_applicable("coupling", f"no tensor of shape {shape}: {error}")
        tried += 1
        for a, b in _orders(cell, values, shape, drawn):
            first, second = _standardised(a, law), _standardised(b, other)
            found = couple(first, second, cell.dtype)
            if found.share < 0.9:
                continue
            off = abs(found.ratio - 1)
            documented = law.std / other.std
            pair = f"W{cell.shape} / W{shape}"
            if off > max(_tolerance(law, cell.dtype), _tolerance(other, cell.dtype)):
                note = f"{pair} is {found.ratio * documented:.7g}, documented is {documented:.7g}"
                return Finding("coupling", found.ratio, 0.0, note)
            if found.share < 1:
                note = f"{pair} is not constant: {1 - found.share:.2%} of the values have another"
                return Finding("coupling", found.ratio, 0.0, note)
            break
        else:
            return _not_applicable("coupling", "draws of two shapes have nothing in common")
    if not tried:
        return _not_applicable("coupling", "there is no other shape of as many elements")
    return Finding("coupling", float(tried), 1.0)


def _reshaped(cell: Cell, law: Distribution) -> Iterator[tuple[Shape, Distribution]]:
    """Shapes of as many elements, most of them of another documented scale."""
    found: list[tuple[Shape, Distribution]] = []
    for source, size in enumerate(cell.shape):
        factor = next((n for n in range(2, size + 1) if size % n == 0), 1)
        for target in range(len(cell.shape)):
            if factor == 1 or target == source:
                continue
            shape = list(cell.shape)
            shape[source], shape[target] = size // factor, shape[target] * factor
            try:
                other = cell.scheme.on(tuple(shape), cell.layout)
            except InitSpecError:
                continue
            if other.std > 0 and _of_one_family(law, other):
                found.append((tuple(shape), other))
    different = [pair for pair in found if not math.isclose(pair[1].std, law.std)]
    chosen = different or found
    yield from chosen[:1] + chosen[1:][-1:]


def _orders(cell: Cell, values: Array, shape: Shape, drawn: Array) -> Iterator[tuple[Array, Array]]:
    """The two draws as they lie in memory, and in canonical order."""
    yield values, drawn
    first, second = canonical_index(cell.shape, cell.layout), canonical_index(shape, cell.layout)
    a, b = np.empty(values.size), np.empty(drawn.size)
    a[first.reshape(-1)], b[second.reshape(-1)] = values.reshape(-1), drawn.reshape(-1)
    yield a, b


def base_coupling(cell: Cell, law: Distribution, values: Array, seed: int) -> Finding:
    """The values are the documented scale times standard numbers of a sampler that is known."""
    base_law = standard(law)
    if base_law is None or law.std == 0 or values.size < FEW:
        return _not_applicable("base", "the law is not one number times another")
    ask = getattr(cell.target, "bases", bases)  # a target in another process asks there
    for name, drawn in ask(base_law, cell.shape, cell.dtype, seed):
        found = couple(_standardised(values, law), drawn, cell.dtype)
        if found.share >= 0.9:
            off = abs(found.ratio - 1) > _tolerance(law, cell.dtype)
            note = f"{found.ratio:.8g} times the documented scale, by the draws of {name}"
            return Finding("base", found.ratio, float(not off), note)
    return _not_applicable("base", "no known sampler gives these draws")


# ------------------------------------------------------------------------------ fans and formulas


def counted(cell: Cell) -> Finding:
    """The fans of the cell's layout are those that a count of multiplications finds."""
    if cell.scheme.mode is None:
        return _not_applicable("fans", "the scheme has none")
    shape = small(cell.shape, cell.layout)
    wanted = contraction(shape, cell.layout), naive(shape, cell.layout)
    found = fans(shape, cell.layout), fans(shape, cell.layout, "naive")
    wrong = any(tuple(a) != tuple(b) for a, b in zip(found, wanted, strict=True))
    return _verdict("fans", wrong, f"{found} of {shape}, counted are {wanted}")


def small(shape: Shape, layout: Layout) -> Shape:
    """A tensor of the layout that is quick to count, whose sizes all differ where they can."""
    if math.prod(shape) <= 2**16:
        return shape
    parts = layout.groups * layout.stack
    return tuple(parts * (axis + 1) for axis in range(len(shape)))


def formula(cell: Cell, law: Distribution) -> Finding:
    """The standard deviation of a named scheme is that of its formula, written out by hand."""
    name = cell.scheme.name or ""
    if name not in FORMULAS or cell.scheme != get(name):
        return _not_applicable("formula", "the scheme is not a named one at its defaults")
    if cell.scheme.mode is None:
        fan_in, fan_out = 1, 1
    elif cell.scheme.fans != "true":
        fan_in, fan_out = naive(cell.shape, cell.layout)
        if (fan_in, fan_out) != fans(cell.shape, cell.layout, cell.scheme.fans):
            return _not_applicable("formula", "its fans are counted by a rule of their own")
    elif math.prod(cell.shape) <= 2**20:
        fan_in, fan_out = contraction(cell.shape, cell.layout)
    else:
        return _not_applicable("formula", "the tensor is too large to count")
    wanted = FORMULAS[name](max(fan_in, 1), max(fan_out, 1))
    wrong = not math.isclose(law.std, wanted, rel_tol=1e-12)
    return _verdict("formula", wrong, f"std {law.std!r}, by hand {wanted!r}")


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
        low, high = pit.neighbours(np.array([values.min(), values.max()]), cell.dtype)
        if min(pit.cdf(law, high + near)[0], pit.complement(law, low - near)[1]) < 2.0**-64:
            problems.append(f"values from {values.min():g} to {values.max():g}")
        if own is None and _mirror(words, law):
            problems.append("not symmetric")
    return _verdict("words", len(problems), f"at the end words: {', '.join(problems)}")


def _values(words: Array, law: Distribution, dtype: str) -> NDArray[np.float64]:
    """The reference: words to values of a type, by the stream's definition.

    Of a law of the user's own it is the quantile of the middle of each word.
    """
    if isinstance(law, (Law, Own)):
        with np.errstate(all="ignore"):  # a type may end before the law does
            numbers = np.asarray(law.custom.ppf((words + 0.5) * 2.0**-32), np.float64)
            return _host.widened(_host.rounded(numbers, dtype))
    wide = "float64" if dtype == "float64" else "float32"
    return _host.widened(_host.rounded(stream.values(words, law.draw, wide), dtype))


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
    if (isinstance(law, _ELEMENTWISE) and law.std > 0) or (
        isinstance(law, Law) and law.custom.ppf is not None
    ):
        words = stream.words(key, canonical_index(shape, layout).astype(np.uint64))
        return _values(words, law, dtype)
    return _host.widened(_host.array(law, shape, key=key, layout=layout, dtype=dtype))


def reference(cell: Cell, values: Array, seed: int) -> Finding:
    """A portable backend equals the reference bit for bit, whole and in a window."""
    law = cell.scheme.on(cell.shape, cell.layout)
    wanted = expected(law, cell.shape, cell.layout, cell.dtype, stream.key_from_seed(seed))
    wrong = _unequal(values, wanted, law, cell.dtype)
    note = f"{wrong} of {values.size} values differ from the reference"
    if not wrong:
        maker = backends.backend(cell.target.backend)  # type: ignore[attr-defined]
        window = _inside(cell.shape)
        options = {"key": maker.key(seed), "layout": cell.layout, "dtype": cell.dtype}
        cut = maker.tohost(maker.sample(law, cell.shape, window=window, **options))
        wrong = _unequal(cut, wanted[window], law, cell.dtype)
        note = f"{wrong} values of a window differ from those of the whole tensor"
    return _verdict("reference", wrong, note)


def _inside(shape: Shape) -> tuple[slice, ...]:
    return tuple(slice(size // 3, size - size // 4) for size in shape)


@lru_cache(maxsize=256)
def layouts(name: str, law: Distribution, dtype: str) -> Finding:
    """Other layouts, fused, grouped and convolved, whole and in windows: one law of each kind."""
    maker, seed = backends.backend(name), 2**63 + 11
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
        near = 1e-6 * law.gain + 2.0 ** -pit.TYPES[dtype][0] * np.abs(wanted)
        return int(np.count_nonzero(np.abs(values - wanted) > near))
    return int(np.count_nonzero((values != wanted) | (np.signbit(values) != np.signbit(wanted))))


@lru_cache(maxsize=256)
def injected(name: str, law: Distribution, dtype: str) -> Finding:
    """The end words through the backend itself: at the indices where Threefry makes them.

    Threefry is a bijection, so that an index with a given word can be computed. It lies anywhere
    among ``2**64``, and a window of one element is drawn there.
    """
    maker, seed = backends.backend(name), 0x1234_5678_9ABC_DEF0
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
    return _verdict("injected", len(problems), f"the word {'; '.join(problems[:2])}")


def index_of(key: stream.Key, word: int) -> tuple[int, int]:
    """An index, as its high and its low 32 bits, whose word under the key is the one wanted."""
    mask = 0xFFFFFFFF
    k0, k1 = key
    schedule = (k0, k1, k0 ^ k1 ^ 0x1BD11BDA)
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
    text = Path(__file__).with_name("cases").joinpath("known_answer.json").read_text("utf-8")
    found: dict[str, list[dict[str, Any]]] = {}
    for case in json.loads(text)["cases"]:
        found.setdefault(case["function"], []).append(case["answer"])
    return found


@lru_cache(maxsize=32)
def known(name: str) -> Finding:
    """Keys, words and tensors of a backend are those of the known answers."""
    maker, answers = backends.backend(name), known_answers()
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
    return _verdict("known", len(problems), f"wrong: {', '.join(problems[:3])}")


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
