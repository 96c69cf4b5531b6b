"""The pytest plug-in: ``assert_conforms``, ``--initspec-target``, and a header.

pytest loads it in every project where initspec is installed, so it imports nothing heavy at its
top.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from .design import TIERS

if TYPE_CHECKING:
    from .report.record import Record, Report

#: Cells that a session may judge within its budget. Each has its share from the start, whatever
#: tests there are, in whatever order and on whatever worker.
CELLS = 1024


@dataclass(frozen=True)
class Settings:
    """How a session judges: how deep, with which chance of a false alarm, and with which seeds."""

    tier: str
    alpha: float
    vary_seeds: bool

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """From the options, and from the ini file where there are none."""

        def given(name: str) -> Any:
            option = config.getoption(f"initspec_{name}")
            return config.getini(f"initspec_{name}") if option is None else option

        tier, alpha = given("tier"), given("alpha")
        if tier not in TIERS:
            raise pytest.UsageError(f"initspec_tier is one of {', '.join(TIERS)}, not {tier!r}")
        try:
            chance = float(alpha)
        except ValueError:
            chance = 0.0
        if not 0 < chance < 1:
            raise pytest.UsageError(f"initspec_alpha is a chance, such as 1e-9, not {alpha!r}")
        return cls(tier, chance, given("vary_seeds"))

    def judge(
        self,
        target: Any,
        scheme: Any,
        *,
        shape: tuple[int, ...] | None = None,
        layout: Any = None,
        dtype: str = "float32",
        tier: str | None = None,
        time_limit: float | None = None,
    ) -> Report:
        """A report on one target, in which each cell has its share of the session's budget."""
        from . import require

        require()
        from .suite import run, target_cells
        from .targets.resolve import resolve

        limit: dict[str, Any] = {} if time_limit is None else {"time_limit": time_limit}
        cells = target_cells(
            resolve(target, scheme=scheme, **limit),
            scheme,
            shape=shape,
            layout=layout,
            dtypes=(dtype,),
            tier=tier or self.tier,
        )
        share = self.alpha * len(cells) / CELLS
        repeated = [] if time_limit is None else ["--time-limit", f"{time_limit:g}"]
        return run(cells, alpha=share, vary_seeds=self.vary_seeds, repeated=repeated)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the command line, and the same in the ini file."""
    group = parser.getgroup("initspec", "initializers of weights")
    group.addoption(
        "--initspec-target",
        action="append",
        metavar="TARGET=SCHEME",
        help="judge an initializer: package.module:name=he_normal, or package.module:TABLE. "
        "May be repeated.",
    )
    group.addoption("--initspec-alpha", type=float, help="a session's chance of a false alarm")
    text = "how deep to look: exact needs no chance, stat (default) has it and statistics"
    group.addoption("--initspec-tier", choices=TIERS, help=text)
    group.addoption(
        "--initspec-vary-seeds",
        action="store_true",
        default=None,
        help="draw fresh seeds in place of those fixed by the cells' names",
    )
    parser.addini("initspec_targets", "initializers to judge in every run", "linelist", [])
    parser.addini("initspec_alpha", "a session's chance of a false alarm", default="1e-9")
    parser.addini("initspec_tier", "exact, stat or deep", default="stat")
    parser.addini("initspec_vary_seeds", "draw fresh seeds", "bool", False)


def pytest_configure(config: pytest.Config) -> None:
    """The mark, and an early refusal of settings that cannot be."""
    config.addinivalue_line(
        "markers",
        "initspec(scheme, *, shape, layout, dtype, tier, time_limit): judges an initializer; "
        "the arguments are the usual ones of assert_conforms in this test.",
    )
    Settings.of(config)


def pytest_report_header(config: pytest.Config) -> str:
    """How this session judges."""
    settings = Settings.of(config)
    seeds = "fresh seeds" if settings.vary_seeds else "seeds fixed by the cells' names"
    return (
        f"initspec: tier {settings.tier}, {CELLS} cells with at most {settings.alpha:g} chance "
        f"of a false alarm among them, {seeds}"
    )


@pytest.fixture
def assert_conforms(request: pytest.FixtureRequest, record_property: Any) -> Any:
    """``assert_conforms(init, "he_normal", shape=..., dtype=...)`` fails, saying why, where the
    initializer is not what the scheme says, and returns the report where it is.

    It takes what :func:`initspec.conformance.check` takes, and a ``time_limit`` in seconds. A mark
    ``@pytest.mark.initspec("he_normal", dtype="bfloat16")`` gives the usual arguments of a test.
    """
    settings = Settings.of(request.config)
    marks = list(request.node.iter_markers("initspec"))
    usual = {name: value for mark in reversed(marks) for name, value in mark.kwargs.items()}
    claimed = next((mark.args[0] for mark in marks if mark.args), None)

    def assert_conforms(target: Any, scheme: Any = claimed, **options: Any) -> Report:
        __tracebackhide__ = True
        if scheme is None:
            raise TypeError("assert_conforms(target, scheme): say what the target claims to be")
        report = settings.judge(target, scheme, **{**usual, **options})
        for name, value in properties(report):
            record_property(name, value)
        demand(report)
        return report

    return assert_conforms


@pytest.fixture
def conformance_check(request: pytest.FixtureRequest, assert_conforms: Any) -> Any:
    """One of the claims that :func:`initspec.conformance.parametrize` lists; call it."""
    target, scheme, options = request.param

    def conformance_check(**more: Any) -> Report:
        __tracebackhide__ = True
        report: Report = assert_conforms(target, scheme, **{**options, **more})
        return report

    return conformance_check


def demand(report: Report) -> None:
    """Fails with the report's lines if it does not conform; skips if nothing could be tested."""
    __tracebackhide__ = True
    if report.verdict == "SKIP":
        pytest.skip("\n".join(report.lines()))
    if not report.conforms:
        raise AssertionError("\n".join(report.lines()))


def properties(report: Report) -> Iterator[tuple[str, Any]]:
    """What JUnit's XML shall say of a report, each cell's facts under its name."""
    for record in report.records:
        for name, value in _facts(record).items():
            yield f"initspec.{name}[{record.cell}]", value


def _facts(record: Record) -> dict[str, Any]:
    facts: dict[str, Any] = {"verdict": record.verdict, "seed": record.seed, "n": record.n}
    if record.decisions:
        facts |= {
            "p": min(item.p for item in record.decisions),
            "alpha": record.decisions[0].alpha,
        }
    if record.scale is not None:
        facts["scale"] = "{:.5f} ({:.5f} to {:.5f})".format(*record.scale)
    return facts


# -------------------------------------------------------------------- items of --initspec-target


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Marks the tests that judge, and adds an item for each target that is named."""
    for item in items:
        if "assert_conforms" in getattr(item, "fixturenames", ()):
            item.add_marker("initspec")
    for text in [*config.getini("initspec_targets"), *(config.getoption("initspec_target") or ())]:
        for target, scheme, name in _claims(text):
            items.append(
                Claim.from_parent(
                    session,
                    name=name,
                    nodeid=f"initspec::{name}",
                    target=target,
                    scheme=scheme,
                )
            )


def _claims(text: str) -> Iterator[tuple[Any, str, str]]:
    """A target, its scheme and the item's name for each claim in ``TARGET=SCHEME``."""
    from ..errors import InitSpecError
    from ..readings.registry import get

    target, scheme = split(text)
    try:
        if scheme:
            if ":" not in scheme:  # a law of one's own is imported when it is its turn
                get(scheme)
            yield target, scheme, f"{target}={scheme}"
            return
        from .targets.resolve import resolve_table

        for entry, initializer in resolve_table(target).items():
            yield initializer, entry, f"{target}[{entry}]"
    except InitSpecError as error:
        raise pytest.UsageError(f"--initspec-target {text}: {error}") from error


def split(text: str) -> tuple[str, str]:
    """The target and the scheme, at the first equals sign outside of brackets.

    >>> split("lib.init:trunc(std=0.02)=normal(std=0.02)")
    ('lib.init:trunc(std=0.02)', 'normal(std=0.02)')
    """
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "=" and depth == 0:
            return text[:place].strip(), text[place + 1 :].strip()
    return text.strip(), ""


class Claim(pytest.Item):
    """One target and what it claims to be."""

    def __init__(self, *, target: Any, scheme: str, **options: Any) -> None:
        super().__init__(**options)
        self.target, self.scheme = target, scheme
        self.add_marker("initspec")

    def runtest(self) -> None:
        report = Settings.of(self.config).judge(self.target, self.scheme)
        self.user_properties.extend(properties(report))
        demand(report)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from ..errors import InitSpecError

        if isinstance(excinfo.value, (AssertionError, InitSpecError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, None, self.name
