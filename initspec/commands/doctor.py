"""The versions that matter to a report of a fault."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from .. import __version__
from ..stream.reference import VERSION

_PACKAGES = (
    "numpy",
    "numba",
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


def doctor() -> dict[str, str]:
    """Name to version; "not installed" where there is none."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = {
        "initspec": __version__,
        "stream": VERSION,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": str(cores),
        "kernel": _kernel(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _kernel() -> str:
    """The module that fills CPU arrays."""
    from ..backends.cpu.fill import _kernel as chosen

    return chosen().__module__.rpartition("_")[2]
