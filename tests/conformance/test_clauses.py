"""Every clause of the spec is put to a test, and one that is not is named."""

from collections import Counter
from dataclasses import replace

import pytest

pytest.importorskip("scipy")

from initspec.conformance import own, suite
from initspec.conformance.cases.files import read_all
from initspec.conformance.cases.run import problem
from initspec.conformance.clauses import CLAUSES, uncovered
from initspec.conformance.report.record import PASS, Report

LAWS = (
    "normal",
    "uniform",
    "he_normal",
    "glorot_uniform",
    "truncated_normal",
    "xavier@tf.contrib(uniform=False)",
    "zeros",
    "identity",
    "dirac",
    "bilinear",
    "orthogonal",
    "delta_orthogonal",
    "sparse",
    own.OWN,
)
EMPTY = Report(records=(), alpha=1e-9, beta=1e-6, seed="fixed")


@pytest.fixture(scope="module")
def run():
    """Each law once, and what the types, the seeds and the stream need."""
    cells = []
    for name in LAWS:
        cells += suite.backend_cells(
            ["numpy"], only=[name], dtypes=["float32"], streams=["native"]
        )[:1]
    cells += suite.backend_cells(["numpy"], only=["normal"], dtypes=["float64"])[:1]
    cells += suite.backend_cells(["numpy"], only=["he_normal"], streams=["portable"], tier="exact")[
        :4
    ]
    found = suite.run(cells)
    assert found.verdict == PASS, "\n".join(found.lines())
    return found


@pytest.fixture(scope="module")
def cases():
    """The cases, all of which hold."""
    held = read_all()
    assert [case.id for case in held if problem(case)] == []
    return held


def test_every_clause_is_tested(run, cases):
    assert [clause.id for clause in uncovered(run, cases)] == []


def test_no_clause_is_held_by_nothing():
    assert {clause.id for clause in uncovered(EMPTY)} == {clause.id for clause in CLAUSES}


def without(report, test):
    return replace(
        report,
        records=tuple(
            replace(one, decisions=tuple(d for d in one.decisions if d.test != test))
            for one in report.records
        ),
    )


@pytest.mark.parametrize(
    ("test", "clause"),
    [
        ("taps", "law.delta_orthogonal"),
        ("zeros", "law.sparse"),
        ("support", "law.support"),
        ("fans", "fans.true"),
        ("formula", "factor"),
        ("known", "stream.known"),
        ("injected", "stream.injected"),
        ("words", "stream.words"),
        ("types", "dtype.bfloat16"),
        ("globals", "seed.globals"),
        ("lag", "law.independence"),
        ("law", "law.custom.itself"),
    ],
)
def test_a_test_that_is_taken_away_leaves_its_clause(run, cases, test, clause):
    assert clause in {item.id for item in uncovered(without(run, test), cases)}


def test_a_test_that_does_not_apply_holds_nothing(run, cases):
    idle = replace(
        run,
        records=tuple(
            replace(one, decisions=tuple(replace(d, applies=False) for d in one.decisions))
            for one in run.records
        ),
    )
    left = {item.id for item in uncovered(idle, cases)}
    assert left == {item.id for item in uncovered(EMPTY, cases)}


@pytest.mark.parametrize("kind", ["layer", "negative", "duplicate", "spec"])
def test_cases_that_are_not_run_leave_their_clauses(run, cases, kind):
    assert uncovered(run, [case for case in cases if case.kind != kind])


def test_clauses_are_sentences_of_their_own():
    assert max(Counter(clause.id for clause in CLAUSES).values()) == 1
    assert all(clause.sentence.endswith(".") and clause.checks for clause in CLAUSES)
