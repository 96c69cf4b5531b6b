"""From words to numbers: the portable stream ``initspec/1``.

>>> from initspec import stream
>>> stream.key_from_seed(2**32 + 5)
(1, 5)
"""

from .reference import (
    MASK,
    PARITY,
    ROTATIONS,
    TABLE_SHA256,
    VERSION,
    Key,
    fold_in,
    fold_name,
    integer,
    key_from_seed,
    name_hash,
    normal_integer,
    read_table,
    scale_of,
    table,
    threefry2x32,
    truncate,
    uniform_integer,
    values,
    words,
)

__all__ = [
    "MASK",
    "PARITY",
    "ROTATIONS",
    "TABLE_SHA256",
    "VERSION",
    "Key",
    "fold_in",
    "fold_name",
    "integer",
    "key_from_seed",
    "name_hash",
    "normal_integer",
    "read_table",
    "scale_of",
    "table",
    "threefry2x32",
    "truncate",
    "uniform_integer",
    "values",
    "words",
]
