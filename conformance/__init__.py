"""The conformance suite: does a maker of weights do what its formula says?

>>> from initspec.conformance import check
>>> check("numpy", "he_normal").verdict
'PASS'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .report.record import Record as Record
    from .report.record import Report as Report

if __name__ != "initspec.conformance":  # two copies would break isinstance and pickling
    raise ImportError("import initspec.conformance, not conformance")

from . import cases

__all__ = ["Record", "Report", "cases", "check", "parametrize"]


def __getattr__(name: str) -> object:
    if name in ("Record", "Report"):
        from .report import record

        return getattr(record, name)
    raise AttributeError(f"module 'initspec.conformance' has no attribute {name!r}")


def check(
    target: Any,
    scheme: Any,
    *,
    shape: tuple[int, ...] | None = None,
    layout: Any = None,
    dtype: str = "float32",
    tier: str = "stat",
    alpha: float = 1e-9,
    vary_seeds: bool = False,
) -> Report:
    """Judge one target against one scheme.

    ``target`` is anything that makes weights: a backend's name, an initializer of PyTorch, Keras
    or JAX, a function ``f(shape, seed)``, a text such as ``"torch.nn.init:kaiming_normal_"``, or an
    array. ``scheme`` is anything that :func:`initspec.get` takes, a law of the user's own too
    (see :class:`initspec.Custom`), or the text of one, ``"mylib.laws:Exponential(0.5)"``. Without a
    shape two are drawn whose fans differ so much that every usual mistake shows. ``dtype`` may be
    complex, for targets that are not ours: see :mod:`initspec.conformance.batteries.complexes`.

    A right target is refused with a probability of at most ``alpha``.

    >>> check(lambda shape, seed: [[0.0] * shape[1]] * shape[0], "ones", shape=(4, 5)).conforms
    False
    """
    require()
    from .suite import run, target_cells
    from .targets.resolve import resolve

    made = resolve(target, scheme=scheme)
    cells = target_cells(made, scheme, shape=shape, layout=layout, dtypes=(dtype,), tier=tier)
    return run(cells, alpha=alpha, vary_seeds=vary_seeds)


def require() -> None:
    """Raises :class:`initspec.BackendMissing`, with the command that helps, if SciPy is missing."""
    from importlib.util import find_spec

    from ..errors import ExtraMissing

    if find_spec("scipy") is None:
        raise ExtraMissing("the conformance suite", "SciPy", "conformance")


def cases() -> Any:  # type: ignore[no-redef]  # noqa: F811
    """The cases of the suite as data: see :mod:`initspec.conformance.cases.generate`."""
    from .cases.files import read_all

    return read_all()


def parametrize(target: Any, claims: Any = None) -> Any:
    """A pytest decorator: one test for each scheme that a target claims to be.

    ``target`` is a mapping of schemes to initializers, the text of one, such as
    ``"mylib.init:TABLE"``, or a backend's name, which claims every scheme. Any other target comes
    with its ``claims``: names of schemes, or a mapping of them to options of :func:`check`.

    The test asks for ``conformance_check`` and calls it. It returns the :class:`Report`, or fails
    with its lines::

        @parametrize({"he_normal": my_he, "glorot_uniform": my_glorot})
        def test_initializers(conformance_check):
            conformance_check()
    """
    from .pytest_parametrize import parametrize as made

    return made(target, claims)
