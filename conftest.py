"""What pytest leaves out: scripts, and the doctests of modules whose package is not installed.

A module that cannot be imported for any other reason is an error. (pytest's own option that ignores
such errors forgets, with ``importlib``, the tests of the module too.)
"""

from importlib.util import find_spec

_NEEDED = {
    "torch": ["backends/torch/*.py"],
    "tensorflow": ["backends/tensorflow/*.py"],
    "keras": ["backends/keras/*.py"],
    "jax": ["backends/jax/*.py"],
    "initspec.backends.cpu._kernel": ["backends/cpu/kernel_c.py"],
    "triton": ["backends/torch/kernel_triton.py"],
    "scipy": ["conformance/*.py", "conformance/*/*.py"],
    "matplotlib": ["figures/plot.py"],
}

collect_ignore = ["tests/scripts", "tests/benchmarks"]
if find_spec("tensorflow"):  # a process that has loaded it crashes where it loads Triton
    collect_ignore.append("initspec/backends/torch/kernel_triton.py")
collect_ignore_glob = [
    f"initspec/{path}" for name, paths in _NEEDED.items() if not find_spec(name) for path in paths
]
