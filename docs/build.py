#!/usr/bin/env python3
"""Build the site: ``python docs/build.py [--open] [--out FOLDER]``; a warning is an error."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the site.")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "docs")
    args = parser.parse_args()
    try:
        from sphinx.cmd.build import build_main
    except ModuleNotFoundError:
        print("Sphinx is not installed: pip install -c constraints.txt -e '.[docs]'")
        return 3
    jobs = f"-j{min(4, os.cpu_count() or 1)}"
    # -E and -a: whole, for the navigation of an old page would stay as it was.
    code: int = build_main(["-qEaW", "--keep-going", jobs, str(HERE), str(args.out)])
    first = args.out / "index.html"
    if code == 0:
        print(first)
        if args.open:
            webbrowser.open(first.as_uri())
    return code


if __name__ == "__main__":
    sys.exit(main())
