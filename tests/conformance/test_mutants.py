"""The suite refuses what it has to: every mutant dies, and every test refuses one."""

import pytest

pytest.importorskip("scipy")

from initspec.conformance.cases import files
from initspec.conformance.cell import Cell
from initspec.conformance.design import Budget
from initspec.conformance.finding import title
from initspec.conformance.judge import judge
from initspec.conformance.mutants import kill_matrix
from initspec.conformance.mutants.fault import scaled
from initspec.conformance.mutants.kill_matrix import unused
from initspec.conformance.mutants.mutant import Mutant
from initspec.conformance.mutants.orthogonal import qr
from initspec.conformance.mutants.registry import registry
from initspec.conformance.mutants.sparse import sparse
from initspec.conformance.report.record import FAIL, PASS

STORED = {case.id: case.body for case in files.read("mutant")}
#: Held against faults of our own spec and backends, which no third party's sampler can have.
OWN = {"fans", "formula", "globals", "reference", "injected", "known", "law"}
#: Each takes more than a few seconds.
HUGE = {"radius-of-16-bits"}


@pytest.fixture(scope="module")
def rows():
    """The mutants of both quick tiers, judged."""
    return kill_matrix.kill_matrix(registry().values(), ("exact", "stat"))


def test_every_mutant_dies_at_its_tier(rows):
    alive = [row.mutant.id for row in rows if not row.killed_by and not row.mutant.equivalent]
    assert alive == []


def test_equivalent_mutants_live_and_say_why(rows):
    equivalent = [row for row in rows if row.mutant.equivalent]
    assert {row.mutant.id for row in equivalent} == {"half-open", "svd-right-wide", "polar"}
    assert [row.mutant.id for row in equivalent if row.record.verdict != PASS] == []


def test_every_test_refuses_a_mutant(rows):
    assert unused(rows) <= OWN


def test_every_test_has_a_title(rows):
    assert [
        item.test for row in rows for item in row.record.decisions if not title(item.test)
    ] == []


def test_the_stored_matrix_is_what_the_tests_refuse(rows):
    # NumPy's and LAPACK's last digits differ from machine to machine, and with them a p-value near
    # the level; what refuses by far is the same everywhere.
    for row in rows:
        clear = {
            item.test
            for item in row.record.decisions
            if item.verdict == FAIL and item.p < item.alpha * 1e-6
        }
        stored = set(STORED[row.mutant.id]["killed_by"])
        assert clear <= stored, row.mutant.id
        assert bool(stored) == bool(row.killed_by), row.mutant.id


def test_every_mutant_is_stored_once_and_with_its_killers():
    assert list(STORED) == list(registry())
    for name, mutant in registry().items():
        assert bool(STORED[name]["killed_by"]) != bool(mutant.equivalent), name


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [m.id for m in registry().values() if m.tier == "deep" and m.id not in HUGE]
)
def test_the_deep_tier_refuses(name):
    (row,) = kill_matrix.kill_matrix([registry()[name]], ("deep",))
    assert row.killed_by


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(HUGE))
def test_the_deep_tier_refuses_with_sixteen_million_values(name):
    (row,) = kill_matrix.kill_matrix([registry()[name]], ("deep",))
    assert row.killed_by


RIGHT = [
    *("he_normal", "he_uniform", "normal(std=1.0)", "orthogonal"),
    *("sparse(sparsity=0.1, std=1)", "sparse@torch(sparsity=0.3)"),
]


@pytest.mark.parametrize("claim", RIGHT)
def test_the_sampler_that_faults_are_planted_in_is_right(claim):
    if claim == "orthogonal":
        make = qr(signs=True)
    elif claim.startswith("sparse"):
        make = sparse(lambda n, zeros: zeros)
    else:
        make = scaled(1.0)
    shape = (16, 16) if claim == "orthogonal" else (86, 8)
    mutant = Mutant(id="none", claim=claim, what="no fault", source="", make=make, shape=shape)
    record = judge(mutant.cell, Budget(cells=kill_matrix.CELLS))
    assert record.verdict == PASS, record.sentence


def test_a_survivor_is_reported(monkeypatch, capsys):
    harmless = Mutant(
        id="harmless", claim="he_normal", what="no fault", source="", make=scaled(1.0)
    )
    monkeypatch.setattr(kill_matrix, "registry", lambda: {"harmless": harmless})
    assert kill_matrix.main(["stat"]) == 1
    assert "survive: harmless" in capsys.readouterr().out


def test_an_unknown_tier_is_no_run(capsys):
    assert kill_matrix.main(["statistical"]) == 2
    assert "python -m" in capsys.readouterr().out


def test_a_target_that_raises_is_not_a_killed_mutant():
    def broken(setting):
        raise RuntimeError("no values")

    mutant = Mutant(id="broken", claim="he_normal", what="raises", source="", make=broken)
    (row,) = kill_matrix.kill_matrix([mutant])
    assert row.killed_by == ()


def test_mutants_are_targets_like_any_other():
    cell = registry()["fans-swapped-normal"].cell
    assert isinstance(cell, Cell)
    record = judge(cell, Budget())
    assert "2/fan_out" in record.explanation
