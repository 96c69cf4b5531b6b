"""What pytest leaves out: scripts, and the doctests of modules whose package is not installed.

A module that cannot be imported for any other reason is an error. (pytest's own option that ignores
such errors forgets, with ``importlib``, the tests of the module too.)
"""

from importlib.util import find_spec

_NEEDED = {
    **{name: f"backends/*_{name}*.py" for name in ("torch", "tensorflow", "keras", "jax")},
    **{name: f"backends/*_{name}.py" for name in ("numba", "triton")},
    "scipy": "conformance/*.py",
    "matplotlib": "plot.py",
}

collect_ignore = ["tests/scripts", "tests/benchmarks"]
collect_ignore_glob = [f"initspec/{path}" for name, path in _NEEDED.items() if not find_spec(name)]
