"""``initspec doctor``: the versions that matter to a report of a fault."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, version

from .. import __version__, versions
from .command import Answer, Command, no_options

_PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "triton",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "jax",
    "jaxlib",
    "flax",
    "dm-haiku",
    "equinox",
    "ml-dtypes",
    "safetensors",
)


def answer(args: argparse.Namespace) -> Answer:
    """Name to version; "not installed" where there is none."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    facts = {
        "initspec": __version__,
        "stream": versions.STREAM,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": str(cores),
        "kernel": _kernel(),
    }
    facts |= {package: _version(package) for package in _PACKAGES}
    width = max(map(len, facts))
    return Answer(facts, [f"{name:{width}}  {value}" for name, value in facts.items()])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _kernel() -> str:
    """The kernel that fills CPU arrays, and why it is not the compiled one."""
    from ..backends.cpu.fill import described

    return described()


COMMAND = Command("doctor", "Print the versions that matter.", no_options, answer)
