"""Say whether the compiler made vectors of the loops of the compiled kernel, and no gather.

One line for each level of processors: how many of its instructions use each width of vector, by
what they do. It fails where one of the loops has none at the level's width, or where a gather is
found. It reads the machine code by ``objdump``.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections import Counter

from initspec.backends.cpu import _kernel

#: The widest register of a level.
WIDTH = {"avx512": "zmm", "avx2": "ymm", "baseline": "xmm"}
#: What the loops are known by: turning words, converting integers, multiplying numbers.
LOOPS = {
    "x86_64": {
        "words": r"v?(?:prold|pslld|psrld)\b",
        "integers": r"v?pxord?\b",
        "conversions": r"v?cvtdq2ps\b",
        "numbers": r"v?mulps\b",
    },
    "aarch64": {
        "words": r"(?:shl|sri|usra|ushr)\b.*\.4s",
        "conversions": r"scvtf\b.*\.4s",
        "numbers": r"fmul\b.*\.4s",
    },
}
GATHER = re.compile(r"\bvp?gather\w*\s")
FUSED = re.compile(r"\bvfn?m(?:add|sub)\w+\s|\bfml[as]\b|\bfn?m(?:add|sub)\b")


def functions() -> dict[str, str]:
    """The machine code of the levels, by name."""
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", _kernel.__file__],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.findall(r"<(\w+)(?:\.\w+)*>:\n(.*?)(?:\n\n|\Z)", listing, re.DOTALL)
    return {name: code for name, code in found if name in _kernel.levels()}


def widths(code: str, pattern: str) -> Counter[str]:
    """How many instructions of a kind use each width of register."""
    lines = re.findall(rf"\t({pattern}.*)", code)
    return Counter(
        max(re.findall(r"%([xyz]mm)", line), default="v") for line in lines
    )  # by the alphabet: x, y, z


def main() -> int:
    """Print what was found; 1 where a loop is no vector, or a gather or a fused sum is there."""
    loops = LOOPS.get(platform.machine())
    if loops is None:
        print(f"no code of {platform.machine()} is known here")
        return 0
    code, failed = functions(), False
    for level in _kernel.levels():
        found = {loop: widths(code[level], pattern) for loop, pattern in loops.items()}
        bad = {"gathers": GATHER.findall(code[level]), "fused": FUSED.findall(code[level])}
        words = [
            f"{loop} " + " ".join(f"{width}:{count}" for width, count in sorted(widths.items()))
            for loop, widths in found.items()
        ]
        print(level, *words, *(f"{name}:{len(lines)}" for name, lines in bad.items()), sep="; ")
        wide = WIDTH[level] if platform.machine() == "x86_64" else "v"
        failed |= any(not widths[wide] for widths in found.values()) or any(bad.values())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
