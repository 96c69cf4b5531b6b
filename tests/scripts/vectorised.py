"""Say whether the compiler made vectors of the compiled kernel's loops.

One line for each loop: its instructions on vectors of numbers, by the register they use. It
fails where a loop has none.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

from numba import njit

from initspec.backends.cpu import kernel_numba

LOOPS = {"words": "_words", "integers": "_integers", "numbers": "_numbers"}
PACKED = {
    "x86": r"\bv?(?:padd[dq]|pxor[dq]?|prol[dq]|psrl[dq]|pgather\w+|cvtdq2ps|mulps)\s.*%([xyz])mm",
    "arm": r"\b(?:add|eor|shl|ushr|scvtf|fmul)\s+(v)\d+\.(?:4s|2d)",
}


def widths(assembly: str) -> Counter[str]:
    """How many instructions use the registers x, y, z of x86, or v of ARM."""
    return Counter(found for line in PACKED.values() for found in re.findall(line, assembly))


def loops(dtype: str) -> dict[str, Counter[str]]:
    """The widths in each loop of a dtype's kernel, compiled anew."""
    signature = kernel_numba.signature(dtype)
    fill: Any = njit(nogil=True, error_model="numpy")(kernel_numba._fill.py_func)
    fill.compile(signature)
    return {
        name: widths("".join(getattr(kernel_numba, loop).inspect_asm().values()))
        for name, loop in LOOPS.items()
    }


def main() -> int:
    """Print the widths of the float32 kernel's loops."""
    found = loops("float32")
    for name, count in found.items():
        print(name, *(f"{register}:{number}" for register, number in sorted(count.items())))
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
