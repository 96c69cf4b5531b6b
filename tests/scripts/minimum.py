"""Print the least versions that pyproject.toml allows, as constraints for pip.

``python tests/scripts/minimum.py [PACKAGE=VERSION ...] > minimum.txt``; the arguments replace what
pyproject.toml says.
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def constraints(replaced: dict[str, str]) -> dict[str, str]:
    """Package to version as ``==`` takes it, of the dependencies and of what users install."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {"torch", "tensorflow", "keras", "jax", "conformance"}
    wanted = [*project["dependencies"], *(row for name in sorted(names) for row in extras[name])]
    least = re.compile(r"([\w-]+)>=([\d.]+)(?:,!=[\d.]+)*")
    pins = dict(match.groups() for row in wanted if (match := least.fullmatch(row)))
    if unknown := set(replaced) - set(pins):
        sys.exit(f"pyproject.toml gives no least version of {', '.join(sorted(unknown))}")
    return {
        name: version if version.count(".") > 1 else f"{version}.*"
        for name, version in (pins | replaced).items()
    }


if __name__ == "__main__":
    for package, version in constraints(dict(word.split("=") for word in sys.argv[1:])).items():
        print(f"{package}=={version}")
