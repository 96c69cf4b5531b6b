"""Prove the recipes: run the code that they are of, and hold every parameter against the plan.

``python tests/scripts/recipes.py [RECIPE ...]`` makes environments with the originals, fetches the
repositories that are no packages, runs ``tests/recipes/prove.py`` and writes the evidence.
Environments or checkouts that are at hand are given by ``--torch``, ``--tensorflow`` and
``--checkouts``.
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

#: The packages that have the originals, and what those of the repositories need. PyTorch's and
#: TensorFlow's have environments of their own, because they want different versions of NumPy.
PACKAGES = {
    "torch": {
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
        "omegaconf": "2.4.0",
        "einops": "0.8.2",
        "scipy": "1.17.1",
    },
    "tensorflow": {
        "torch": "2.13.0",
        "tensorflow": "2.21.0",
        "keras": "3.15.1",
        "keras-hub": "0.32.0",
        "jax": "0.10.2",
        "flax": "0.12.8",
        "scipy": "1.17.1",
    },
}


def environment(folder: Path, world: str) -> Path:
    """A new environment with this tree and the originals of a world; its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pins = [f"{name}=={number}" for name, number in PACKAGES[world].items()]
    command = [python, "-m", "pip", "install", "--quiet", "-e", ROOT, *pins]
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
    for world in PACKAGES:
        text = f"a Python that has the originals of {world}; none makes one"
        parser.add_argument(f"--{world}", type=Path, metavar="PYTHON", help=text)
    parser.add_argument("--checkouts", type=Path, help="where the repositories lie, as owner+name")
    parser.add_argument("--check", action="store_true", help="write no evidence")
    arguments = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        checkouts = arguments.checkouts or Path(folder) / "checkouts"
        if arguments.checkouts is None:
            fetch(checkouts)
        for world in PACKAGES:
            python = getattr(arguments, world) or environment(Path(folder) / world, world)
            command = [python, ROOT / "tests" / "recipes" / "prove.py", *arguments.names]
            options = ["--world", world, *(["--check"] if arguments.check else [])]
            variables = {CHECKOUTS: str(checkouts.absolute()), "KERAS_BACKEND": "jax"}
            run = subprocess.run([*command, *options], env={**os.environ, **variables})
            bad += run.returncode != 0
    return bad


if __name__ == "__main__":
    raise SystemExit(main())
