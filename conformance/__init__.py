"""The conformance suite: does a maker of weights do what its formula says?

:func:`check` judges one target against one scheme; :func:`parametrize` makes a pytest of each of
many; :func:`cases` are the spec's questions and answers as data. A :class:`Report` is what a run
leaves, a :class:`Record` what one cell of it does.

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

# The package comes first, because an import of it later would hide the function of its name.
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

    - ``target``: anything that makes weights. A backend's name, an initializer of PyTorch, Keras
      or JAX, a function ``f(shape, seed)``, a text such as ``"torch.nn.init:kaiming_normal_"``, or
      an array.
    - ``scheme``: anything that :func:`initspec.get` takes, a law of the user's own too (see
      :class:`initspec.Custom`), or the text of one, ``"mylib.laws:Exponential(0.5)"``.
    - ``shape``: the tensor's, one number for each axis. Without it two are drawn, ``(86, 8)`` and
      ``(5, 7, 8, 38)``, whose fans differ so much that every usual mistake shows. An array and a
      layer's parameter have their own.
    - ``layout``: what each axis means, ``"oihw"``; by default the usual one of so many axes.
    - ``dtype``: the type that is asked for. It may be complex, for targets that are not ours: see
      :mod:`initspec.conformance.batteries.complexes`.
    - ``tier``: ``exact`` (what holds for every draw: seeds, generators, buffers, types), ``stat``
      (that, and statistics of 2**17 values) or ``deep`` (of 2**22).
    - ``alpha``: the probability, at most, that a right target is refused: a bound by theorem, at
      every number of values (Bonferroni over bounds such as those of Chernoff and of Dvoretzky,
      Kiefer and Wolfowitz).
    - ``vary_seeds``: fresh seeds, which the report names, in place of those made from the cells'
      names.

    The :class:`Report` has a :class:`Record` for each shape. What a target does wrong while it is
    judged is a verdict, never an exception.

    Raises :class:`initspec.UnknownName` for a scheme or a tier that does not exist,
    :class:`initspec.LayoutError` for sizes that are none, :class:`initspec.InitSpecError` for what
    is no target, and :class:`initspec.BackendMissing` if SciPy is missing.

    >>> def zeros(shape, seed):
    ...     return [[0.0] * shape[1]] * shape[0]
    >>> check(zeros, "zeros", shape=(4, 5)).conforms
    True
    >>> print(check(zeros, "ones", shape=(4, 5)).records[0].sentence)
    refused by exact (p <= 0.0e+00; 160 values differ)

    A target that ignores its seed is refused, however right its values are:

    >>> def unseeded(shape, seed):
    ...     return np.random.default_rng().standard_normal(shape)
    >>> import numpy as np
    >>> print(check(unseeded, "normal(std=1)", shape=(40, 50)).records[0].sentence)
    refused by seed (p <= 0.0e+00; the same seed gave 2000 other values)
    """
    require()
    from ..errors import UnknownName
    from .design import TIERS
    from .suite import run, target_cells
    from .targets.resolve import resolve

    if tier not in TIERS:
        raise UnknownName("tier", tier, TIERS)

    cells = target_cells(
        resolve(target, scheme=scheme),
        scheme,
        shape=shape,
        layout=layout,
        dtypes=(dtype,),
        tier=tier,
    )
    return run(cells, alpha=alpha, vary_seeds=vary_seeds)


def require() -> None:
    """Raises :class:`initspec.BackendMissing`, with the command that helps, if SciPy is missing."""
    from importlib.util import find_spec

    from ..errors import ExtraMissing

    if find_spec("scipy") is None:
        raise ExtraMissing("the conformance suite", "SciPy", "conformance")


def cases() -> Any:  # type: ignore[no-redef]  # noqa: F811
    """The cases of the suite as data: what a scheme is on a tensor, what the stream answers, what
    must be refused.

    Each ``Case`` has its ``kind``, its ``id``, a sentence
    and a ``body`` of plain data, as in the JSON files under ``conformance/cases/``, which any
    language can read. Numbers that must be exact are C99 hex floats. See
    :mod:`initspec.conformance.cases.generate` for the kinds, and
    ``initspec.conformance.cases.run.problem`` for how one is run.

    >>> case = next(case for case in cases() if case.id == "he_normal/86x8/io")
    >>> case.kind, case.body["expect"]["fan_in"], case.body["expect"]["std"]
    ('spec', 86, '0x1.38512ba21f51ep-3')
    """
    from .cases.files import read_all

    return read_all()


def parametrize(target: Any, claims: Any = None) -> Any:
    """A pytest decorator: one test for each scheme that a target claims to be.

    ``target`` is a mapping of schemes to initializers, the text of one, such as
    ``"mylib.init:TABLE"``, or a backend's name, which claims every scheme. Any other target comes
    with its ``claims``: names of schemes, or a mapping of them to options of :func:`check`.

    The test asks for the fixture ``conformance_check`` and calls it. It returns the
    :class:`Report`, or fails with its lines::

        @parametrize({"he_normal": my_he, "glorot_uniform": my_glorot})
        def test_initializers(conformance_check):
            conformance_check()

    Raises :class:`initspec.SpecError` for what has neither a table nor claims.

    >>> table = {"zeros": lambda shape, seed: [[0.0] * shape[1]] * shape[0]}
    >>> name, parameters = parametrize(table).mark.args
    >>> name, [parameter.id for parameter in parameters]
    ('conformance_check', ['zeros'])
    """
    from .pytest_parametrize import parametrize as parametrized

    return parametrized(target, claims)
