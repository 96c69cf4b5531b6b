"""Prove the recipes: run the code that they are of, and hold every parameter against the plan.

``python tests/scripts/recipes.py [RECIPE ...]`` makes an environment with the originals, fetches
the repositories that are no packages, runs ``tests/recipes/prove.py`` and writes the evidence. An
environment or checkouts that are at hand are given by ``--python`` and ``--checkouts``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from recipes.original import CHECKOUTS, REPOSITORIES

#: The packages that have the originals, and what those of the repositories need.
PACKAGES = {
    "torch": "2.13.0",
    "torchvision": "0.28.0",
    "transformers": "5.24.0",
    "timm": "1.0.31",
    "diffusers": "0.42.1",
    "litgpt": "0.5.9",
    "mup": "1.0.0",
    "open_clip_torch": "3.3.0",
    "torch_geometric": "2.8.1",
    "peft": "0.21.2",
    "megatron-core": "0.16.1",
    "keras-hub": "0.32.0",
    "omegaconf": "2.4.0",
    "einops": "0.8.2",
}


def environment(folder: Path) -> Path:
    """A new environment with this tree and the originals; its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pins = [f"{name}=={number}" for name, number in PACKAGES.items()]
    command = [python, "-m", "pip", "install", "--quiet", "-e", f"{ROOT}[test]", *pins]
    subprocess.run(command, check=True)
    return python


def fetch(folder: Path) -> None:
    """The repositories that are no packages, each at its commit."""
    for repository, commit in REPOSITORIES.items():
        place = folder / repository.replace("/", "+")
        place.mkdir(parents=True)
        for command in (
            ["init", "--quiet"],
            ["fetch", "--quiet", "--depth=1", f"https://github.com/{repository}", commit],
            ["checkout", "--quiet", "FETCH_HEAD"],
        ):
            subprocess.run(["git", "-C", str(place), *command], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="recipes, with * for any text")
    parser.add_argument("--python", type=Path, help="one that has the originals")
    parser.add_argument("--checkouts", type=Path, help="where the repositories lie, as owner+name")
    parser.add_argument("--check", action="store_true", help="write no evidence")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        python = arguments.python or environment(Path(folder) / "environment")
        checkouts = arguments.checkouts or Path(folder) / "checkouts"
        if arguments.checkouts is None:
            fetch(checkouts)
        command = [python, ROOT / "tests" / "recipes" / "prove.py", *arguments.names]
        return subprocess.run(
            [*command, *(["--check"] if arguments.check else [])],
            env={**os.environ, CHECKOUTS: str(checkouts.absolute())},
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
