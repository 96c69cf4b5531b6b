"""Make the quantile table of the portable stream, or ``--check`` the one that is shipped.

The table cuts the upper tail ``0 < p <= 1/2`` of the normal law into chords: 256 of equal length
in each octave of ``v = 2**32 * p``, from ``v = 1`` on, and a last row for ``v = 2**31``. ``z`` is
the quantile times ``2**28``.

- ``c1`` is the chord's fall over 8, rounded: ``c1 * d >> 12`` with ``d < 2**15`` walks down it.
- ``c0`` is ``z`` at the chord's left end, lowered by half of what the chord lies above the curve
  in its middle, and rounded: the error is then balanced about zero.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist

from mpmath import erfc, mp, mpf, nint, npdf, sqrt

SHIPPED = Path(__file__).parents[2] / "initspec" / "stream" / "quantile_table.csv"
OCTAVES, CHORDS, FRACTION = 31, 256, 2**28


def quantile(v: mpf) -> mpf:
    """The ``z`` of a tail probability ``v / 2**32``, to 30 digits."""
    p = v / 2**32
    z = mpf(-NormalDist().inv_cdf(float(p)))
    for _ in range(2):  # Newton's steps double the sixteen digits, twice
        z += (erfc(z / sqrt(2)) / 2 - p) / npdf(z)
    return z * FRACTION


def rows() -> Iterator[tuple[int, int]]:
    """``c0`` and ``c1`` of every chord, and the last row."""
    ends = [
        mpf(2) ** octave * (1 + mpf(k) / CHORDS) for octave in range(OCTAVES) for k in range(CHORDS)
    ]
    ends.append(mpf(2) ** OCTAVES)
    left = quantile(ends[0])
    for start, end in itertools.pairwise(ends):
        right = quantile(end)
        above = (left + right) / 2 - quantile((start + end) / 2)
        yield int(nint(left - above / 2)), int(nint((left - right) / 8))
        left = right
    yield int(nint(left)), 0


def table() -> bytes:
    """The file, byte for byte."""
    mp.dps = 30
    return "".join(["c0,c1\n", *(f"{c0},{c1}\n" for c0, c1 in rows())]).encode()


def main() -> int:
    """Write the table, or compare it with the shipped one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("path", nargs="?", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    made = table()
    if not arguments.check:
        arguments.path.write_bytes(made)
        return 0
    if made == arguments.path.read_bytes():
        return 0
    print(f"{arguments.path} is not the table that this script makes.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
