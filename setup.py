"""Builds the compiled kernel of the CPU; everything else stands in pyproject.toml.

It is optional: where no C compiler is found, or it fails, the kernel in NumPy serves. One wheel
serves every Python from 3.11 on, but for those without a global lock, which have no stable ABI.
"""

import hashlib
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("backends/cpu/_kernel.c")
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")
CHECKSUM = hashlib.sha256((Path(__file__).parent / SOURCE).read_bytes()).hexdigest()


class BuildKernel(build_ext):
    """Says to each compiler, in its words, to be fast and to change no bit."""

    def build_extensions(self) -> None:
        """Build what is to be built."""
        msvc = self.compiler.compiler_type == "msvc"
        flags = ["/O2", "/fp:precise"] if msvc else ["-O3", "-fno-fast-math", "-ffp-contract=off"]
        for extension in self.extensions:
            extension.extra_compile_args = flags
        super().build_extensions()


setup(
    ext_modules=[
        Extension(
            "initspec.backends.cpu._kernel",
            [SOURCE.as_posix()],
            define_macros=[("INITSPEC_SOURCE", f"0x{CHECKSUM[:16]}ULL")]
            + [("Py_LIMITED_API", "0x030B0000")] * STABLE,
            py_limited_api=STABLE,
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernel},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
