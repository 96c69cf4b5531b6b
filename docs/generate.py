#!/usr/bin/env python3
"""Write the generated reference from the data: ``python docs/generate.py [--check]``.

Every fact of these pages stands in ``initspec/``: the schemes, the dialects, the layers' defaults,
the rules of fans, the parser of the command line, the JSON Schema. ``--check`` writes nothing and
names the pages that are not what the data say; its exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from _pages import api, cli, dialects, fans, layers, layouts, pictures, plans, schema, schemes
from _pages.markdown import MARK

ROOT = Path(__file__).resolve().parent / "reference"
PARTS = (schemes, plans, dialects, layers, layouts, fans, cli, schema, pictures, api)


def pages() -> dict[str, str]:
    """Every generated file, by its path below ``docs/reference``."""
    return {path: text for part in PARTS for path, text in part.pages().items()}


def stale(wanted: dict[str, str], root: Path) -> list[str]:
    """The files that are missing, that differ, or that nothing writes any more."""
    changed = [path for path, text in wanted.items() if not _same(_read(root / path), text)]
    return sorted(changed + _left_over(wanted, root))


def write(wanted: dict[str, str], root: Path) -> None:
    for path, text in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    for path in _left_over(wanted, root):
        (root / path).unlink()


def _left_over(wanted: dict[str, str], root: Path) -> list[str]:
    """Files that an earlier run wrote and this one does not."""
    pages = (path for path in root.rglob("*.md") if MARK in path.read_text("utf-8"))
    names = (path.relative_to(root).as_posix() for path in (*pages, *root.rglob("*.svg")))
    return [name for name in names if name not in wanted]


def _same(found: str | None, text: str) -> bool:
    """Equal, but for a pixel in a picture: an orthogonal matrix is LAPACK's in its last digits."""
    if found is None or not text.startswith("<svg"):
        return found == text
    old, new = (_NUMBER.findall(one) for one in (found, text))
    return _NUMBER.sub("#", found) == _NUMBER.sub("#", text) and all(
        abs(float(a) - float(b)) <= 1 for a, b in zip(old, new, strict=True)
    )


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the generated reference.")
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the folder of the pages")
    args = parser.parse_args()
    wanted = pages()
    old = stale(wanted, args.root)
    if args.check:
        for path in old:
            print(f"stale: {args.root / path}")
        if old:
            print("run: python docs/generate.py")
        return 1 if old else 0
    write(wanted, args.root)
    print(f"{len(wanted)} files, {len(old)} of them changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
