"""The portable stream ``initspec/1``: the readable reference, in NumPy.

One seed, one name, one logical shape: the same weights, bit for bit, everywhere. This file is
written to be ported from; the kernels under ``backends/`` are faster and must agree with it in
every bit. Everything up to the last multiplication is integer arithmetic, so that no mathematical
library, fused multiply-add or vector width can change a bit.

A word is addressed by a key (two 32-bit integers) and a 64-bit index; it depends on nothing else.

>>> import numpy as np
>>> [hex(word) for word in words(key_from_seed(0), np.arange(3, dtype=np.uint64))]
['0xf29a4fa7', '0xfa843692', '0x55110e28']
"""

from __future__ import annotations

import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import versions
from ..errors import StreamError, short_repr
from ..spec import arguments
from ..spec.integer_form import Draw

VERSION = versions.STREAM
TABLE_SHA256 = "33d94392d8c50edb2f6a8102c401e3e5b911488389d5d230ef5bccc92c01b0b9"

Key = tuple[int, int]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

#: By how many bits Threefry turns, four rounds at a time.
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
#: The last word of Threefry's key schedule is that of the key's two and of this.
PARITY = 0x1BD11BDA
MASK = 0xFFFFFFFF


def key_from_seed(seed: int) -> Key:
    """The key of a seed: its high and its low 32 bits.

    Raises :class:`StreamError` outside ``0 <= seed < 2**64``.

    >>> key_from_seed(2**32 + 5)
    (1, 5)
    """
    try:
        value = seed.__index__()
    except (AttributeError, TypeError, ValueError):
        raise StreamError(
            f"a seed is an integer from 0 to 2**64 - 1, not {short_repr(seed)}."
        ) from None
    if not 0 <= value < 2**64:
        raise StreamError(
            f"a seed is an integer from 0 to 2**64 - 1, not {short_repr(value)}. "
            "Take it modulo 2**64 if you mean that."
        )
    return value >> 32, value & 0xFFFFFFFF


def checked_key(key: Any) -> Key:
    """A key as a pair of Python's integers; raises :class:`StreamError` for what is none.

    >>> checked_key((np.uint32(1), 5))
    (1, 5)
    """
    words = tuple(arguments.plain(word) for word in key) if isinstance(key, (tuple, list)) else ()
    valid = [type(word) is int and 0 <= word <= MASK for word in words]
    if len(words) != 2 or not all(valid):
        raise StreamError(
            f"a key is two integers from 0 to 2**32 - 1, not {short_repr(key)}: make one with "
            "key_from_seed(seed), or a backend's key(seed)."
        )
    return words


def threefry2x32(key: tuple[Any, Any], x0: Any, x1: Any) -> tuple[Any, Any]:
    """Threefry-2x32 with 20 rounds of Salmon, Moraes, Dror, Shaw (SC 2011).

    Of plain integers, or of arrays of 64-bit integers, below ``2**32``: shifts and the sums of a
    group of rounds leave room in 64 bits, and are cut to 32 where it counts.

    >>> [hex(word) for word in threefry2x32((0, 0), 0, 0)]
    ['0x6b200159', '0x99ba4efe']
    """
    k0, k1 = key
    schedule = (k0, k1, k0 ^ k1 ^ PARITY)
    x0, x1 = x0 + k0, (x1 + k1) & MASK
    for group in range(5):
        for by in ROTATIONS[group % 2]:
            x0 = x0 + x1
            turned = x1 << by
            x1 = ((turned | turned >> 32) ^ x0) & MASK
        x0 = (x0 + schedule[(group + 1) % 3]) & MASK
        x1 = (x1 + schedule[(group + 2) % 3] + (group + 1)) & MASK
    return x0, x1


def fold_in(key: Key, data: int) -> Key:
    """A key of its own for each ``data`` of 32 bits; it is ``jax.random.fold_in``."""
    if type(data) is not int:
        data = arguments.integer("what is folded into a key", data, 0, StreamError)
    return threefry2x32(key, 0, data)


def name_hash(name: str) -> Key:
    """The two words that a name folds in: BLAKE2b of its UTF-8, eight bytes, big-endian."""
    try:
        data = arguments.text("the name of a parameter", name, StreamError).encode()
    except UnicodeEncodeError:
        raise StreamError(
            f"the name {short_repr(name)} has no UTF-8: leave out its surrogates."
        ) from None
    value = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())
    return value >> 32, value & MASK


def fold_name(key: Key, name: str | None) -> Key:
    """The key of a named parameter. With no name (``None``) the key is used as it is."""
    if name is None:
        return key
    high, low = name_hash(name)
    return fold_in(fold_in(key, high), low)


def words(key: Key, index: NDArray[np.uint64]) -> U32:
    """The words at the given 64-bit indices; it is ``jax.random.bits`` on a whole array."""
    key = checked_key(key)
    try:
        index = np.asarray(index, np.uint64)
    except (TypeError, ValueError, OverflowError):
        raise StreamError(f"indices are integers below 2**64, not {short_repr(index)}.") from None
    flat = index.reshape(-1)  # NumPy 1 has no sum of a uint64 scalar and a plain integer
    k0, k1 = int(key[0]), int(key[1])
    x0, x1 = threefry2x32((k0, k1), flat >> np.uint64(32), flat & np.uint64(MASK))
    return np.asarray(x0 ^ x1, np.uint32).reshape(index.shape)


def read_table(path: Path) -> tuple[I32, U32]:
    """The two columns of the quantile table; refuses one whose checksum is wrong."""
    data = path.read_bytes()
    checksum = hashlib.sha256(data).hexdigest()
    if checksum != TABLE_SHA256:
        raise StreamError(
            f"{path} has the checksum {checksum}, not {TABLE_SHA256}: the weights of stream "
            f"{VERSION} would come out wrong. Install initspec again."
        )
    rows = np.array(data.decode().replace(",", " ").split()[2:], dtype=np.int32).reshape(-1, 2)
    return rows[:, 0].copy(), rows[:, 1].astype(np.uint32)


@cache
def table() -> tuple[I32, U32]:
    """The quantile table: 31 octaves of 256 chords and one last row, ``c0`` and ``c1``."""
    c0, c1 = read_table(Path(__file__).with_name("quantile_table.csv"))
    c0.flags.writeable = c1.flags.writeable = False
    return c0, c1


def uniform_integer(word: U32) -> I32:
    """An odd integer with magnitude below ``2**24``, symmetric about zero."""
    return np.asarray(2 * (word >> np.uint32(8)).astype(np.int32) - (2**24 - 1), np.int32)


def normal_integer(word: U32) -> I32:
    """The normal quantile of ``word / 2**32``, with 28 fractional bits."""
    c0, c1 = table()
    positive = (word >> np.uint32(31)).astype(bool)
    tail = np.where(positive, ~word, word) | np.uint32(1)  # odd, below 2**31
    bits = tail.astype(np.float32).view(np.uint32)
    chord = (bits >> np.uint32(15)).astype(np.int32) - (127 << 8)
    # Up to 82137 * 32767: fits 32 bits only without a sign.
    drop = (c1[chord] * (bits & np.uint32(0x7FFF))) >> np.uint32(12)
    quantile = c0[chord] - drop.astype(np.int32)
    return np.asarray(np.where(positive, quantile, -quantile), np.int32)


def truncate(word: U32, draw: Draw) -> U32:
    """The words of a truncated law: from all words to ``first .. first + count``."""
    product = word.astype(np.uint64) * np.uint64(draw.count)
    return (np.uint64(draw.first) + (product >> np.uint64(32))).astype(np.uint32)


def integer(word: U32, draw: Draw) -> I32:
    """The integer that the last multiplication takes."""
    if draw.kind == "uniform":
        return uniform_integer(word)
    if not draw.truncated:
        return normal_integer(word)
    unbounded = normal_integer(truncate(word, draw))
    return np.asarray(np.clip(unbounded, draw.lowest, draw.highest), np.int32)


def values(word: U32, draw: Draw, dtype: str = "float32") -> NDArray[Any]:
    """The numbers of a law, from words.

    ``dtype`` is ``"float64"`` or ``"float32"``; narrower types are the float32 numbers, rounded
    to nearest even. The product is rounded, then the sum: two operations, never fused.
    """
    kind, draw = np.float64 if dtype == "float64" else np.float32, draw.in_type(dtype)
    number = integer(word, draw).astype(kind) * scale_of(draw, dtype)
    if draw.after != 1:
        number = number * kind(draw.after)
    if draw.shift != 0:
        number = number + kind(draw.shift)
    return np.asarray(number, kind)


def scale_of(draw: Draw, dtype: str) -> Any:
    """What the integer is multiplied by, rounded once to the type of the product."""
    return np.float64(draw.scale) if dtype == "float64" else np.float32(draw.scale)


def fresh_key() -> Key:
    """A key that nobody has seen, from the operating system."""
    return key_from_seed(secrets.randbits(64))
