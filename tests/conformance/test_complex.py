"""Complex types under the suite: what a scheme means in one, and who gets it wrong."""

import math
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import stats

from initspec import get
from initspec.commands.main import main
from initspec.conformance import check
from initspec.conformance.batteries import complexes
from initspec.conformance.design import DECISIONS
from initspec.conformance.mutants import complexes as mutants
from initspec.conformance.mutants import kill_matrix
from initspec.conformance.probability import transform
from initspec.conformance.probability.complex_law import PARTS, Modulus, Unknown, modulus
from initspec.conformance.targets.host import narrowed

SHAPE = (86, 8)


def law(name, shape=(50, 3)):
    scheme = get(name)
    return modulus(scheme, scheme.on(shape))


def target(of, dtype="complex64"):
    """A target of this process: ``of(u, variance)`` of two arrays of uniform numbers."""

    def mine(shape, seed):
        u = np.random.default_rng(seed).random((2, *shape))
        return of(u, 2 / math.prod(shape[:-1])).astype(dtype)

    return mine


RIGHT = {
    "he_normal": lambda u, v: mutants.round_cut(u, v, 0.9619618220738),
    "he_normal@torch": mutants.round_normal,
    "he_uniform": lambda u, v: mutants.polar(2 * v * u[0], u[1]),
}


# ------------------------------------------------------------------------------------- the meaning


@pytest.mark.parametrize("name", RIGHT)
def test_the_variance_is_factor_by_n(name):
    found = law(name)
    assert isinstance(found, Modulus)
    assert found.mean == pytest.approx(2 / 50)
    assert found.problem == ""


def test_a_truncation_cuts_the_modulus():
    found = law("he_normal")
    corrected = math.sqrt(1 - 4 * math.exp(-4) / (1 - math.exp(-4)))
    assert corrected == pytest.approx(0.9619618, abs=1e-7)
    assert found.support == (0, pytest.approx(4 * 0.04 / corrected**2))
    plain = law("truncated_normal(std=0.5)")
    assert plain.support == (0, pytest.approx(4 * 0.25))
    assert plain.mean == pytest.approx(0.25 * corrected**2)


def test_a_mean_moves_the_centre():
    assert law("normal(mean=0.5, std=0.1)").centre == 0.5
    values = np.array([0.5 + 0.1j, 0.2 + 0j])
    squares = law("normal(mean=0.5, std=0.1)").squares(values, "complex128")
    np.testing.assert_allclose(squares, [0.01, 0.09], rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["orthogonal", "sparse", "uniform(low=0, high=1)", "truncated_normal(low=-1, high=3)"]
)
def test_what_has_no_meaning_is_skipped_with_a_sentence(name):
    with pytest.raises(Unknown, match="does not know what"):
        law(name, (16, 16))
    report = check(lambda shape, seed: np.zeros(shape, "complex64"), name, dtype="complex64")
    assert report.verdict == "SKIP"
    assert "does not know what" in report.records[0].sentence


def test_squares_keep_the_bits_that_the_parts_have():
    x = np.array([0.0, 1.0, 1 + 2.0**-25, 0.3, 7e-12])
    for dtype in PARTS:
        found = transform.coarse(x, dtype)
        low, high = transform.neighbours(found, dtype)
        assert ((low <= x) & (x <= high)).all()
        assert (transform.coarse(found, dtype) == found).all()
    assert transform.coarse(x, "complex64")[2] == 1.0


# ------------------------------------------------------------------------------------- right, wrong


@pytest.mark.parametrize("dtype", PARTS)
@pytest.mark.parametrize("name", RIGHT)
def test_right_numbers_pass(name, dtype):
    certain = set()
    for tier in ("exact", "stat"):
        report = check(target(RIGHT[name], dtype), name, shape=SHAPE, dtype=dtype, tier=tier)
        assert report.verdict == "PASS", report.lines()
        record = report.records[0]
        tests = {item.test for item in record.decisions}
        assert len(tests) == len(record.decisions)
        assert len(tests - certain) <= DECISIONS
        certain = tests if tier == "exact" else certain
        assert record.scale[1] < 1 < record.scale[2]
        assert record.picture is None
    assert "modulus.support" in tests


@pytest.mark.parametrize("name", RIGHT)
def test_right_numbers_are_refused_no_more_often_than_stated(name):
    """The battery on small samples: every test of both views, at its level."""
    scheme, found = get(name), {}
    its = modulus(scheme, scheme.on(SHAPE))
    rng = np.random.default_rng(4)
    from initspec.conformance.batteries import independence, marginal

    for _ in range(200):
        w = RIGHT[name](rng.random((2, 2, 16, 16)), 2 / 86).astype("complex64").astype(complex)
        squares = its.squares(w, "complex64")
        u = transform.transform(squares.ravel(), its, "complex64", rng)
        scores = independence.scores(u.u).reshape(w.shape)
        for finding in (
            *marginal.battery(squares.ravel(), u, its, "complex64", 22),
            *independence.battery(scores, squares),
            *complexes.angles(w, its.both(squares.ravel())[0]),
        ):
            found.setdefault(finding.test, []).append(finding.p)
    assert {"angle.ks", "angle.modulus", "ks", "variance"} <= set(found)
    for test, values in found.items():
        for level in (0.1, 0.01):
            count = int(np.count_nonzero(np.array(values) <= level))
            assert count <= stats.binom.isf(1e-6, len(values), level), (test, level)


def test_every_complex_mutant_dies_and_every_test_kills():
    rows = kill_matrix.kill_matrix(mutants.complexes())
    assert [row.mutant.id for row in rows if not row.killed_by] == []
    assert {test for test in kill_matrix.unused(rows) if "." in test} == set()
    said = {row.mutant.id: row.record.explanation for row in rows}
    assert "the whole variance in each of the parts" in said["complex-parts-whole"]
    assert "as in JAX" in said["complex-jax-constant"]
    assert "an even square" in said["complex-square"]
    assert "variance 2.0" in said["complex-square-doubled"]
    assert "that of a normal law" in said["complex-not-cut"]
    assert "The angle is not even" in said["complex-real"]
    assert "The seed is ignored" in said["complex-seed-ignored"]


def test_constants_and_stencils_are_exact():
    def ones(shape, seed):
        return np.ones(shape, "complex64")

    assert check(ones, "ones", shape=SHAPE, dtype="complex64").conforms
    assert check(ones, "zeros", shape=SHAPE, dtype="complex64").verdict == "FAIL"
    turned = check(lambda shape, seed: 1j * ones(shape, seed), "ones", dtype="complex64")
    assert {item.test for item in turned.records[0].failed} == {"exact"}
    eye = check(
        lambda shape, seed: np.eye(*shape, dtype="complex64"), "identity", dtype="complex64"
    )
    assert eye.conforms


def test_arrays_and_types():
    rng = np.random.default_rng(0)
    array = mutants.round_normal(rng.random((2, 512, 300)), 2 / 512)
    assert check(array, "he_normal@torch", dtype="complex64").conforms, "a wider type is rounded"
    assert narrowed(array, "complex64").dtype == np.complex64
    real = check(array.real.astype("float32"), "he_normal@torch", dtype="complex64")
    assert "asked for complex64, the target answered float32" in real.records[0].sentence
    nan = check(array * np.nan, "he_normal@torch", dtype="complex128")
    assert nan.verdict == "ERROR"
    ours = check("numpy", "he_normal", dtype="complex64")
    assert "complex64 was asked for" in ours.records[0].sentence


def test_seeds_are_held_in_the_exact_tier():
    fixed = target(lambda u, v: mutants.round_normal(np.random.default_rng(1).random(u.shape), v))
    report = check(fixed, "he_normal@torch", shape=SHAPE, dtype="complex64", tier="exact")
    assert {item.test for item in report.records[0].failed} == {"seeds"}


# ---------------------------------------------------------------------------------- the frameworks


def test_adapters_have_no_complex_types(capsys):
    assert main(["check", "numpy", "--as", "he_normal", "--dtype", "complex64"]) == 2
    assert "Adapters have no complex types" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("jax") is None, reason="no JAX")
def test_jax(capsys):
    start, end = "jax.nn.initializers:", ["--shape", "512", "384", "--dtype", "complex64"]
    assert main(["check", start + "he_normal", "--as", "he_normal", *end]) == 1
    out = capsys.readouterr().out
    assert "modulus.support" in out
    assert "Variance 1.01" in out or "Variance 1.02" in out
    assert "leaves out its normaliser, as in JAX" in out
    known = [*end, "--deviations", "known"]
    assert main(["check", start + "he_normal", "--as", "he_normal", *known]) == 0
    assert "EXPECTED" in capsys.readouterr().out
    assert main(["check", start + "normal", "--as", "normal(std=0.01)", *known]) == 0
    assert main(["check", start + "he_uniform", "--as", "he_uniform", *known]) == 0


@pytest.mark.skipif(find_spec("torch") is None, reason="no PyTorch")
def test_torch(capsys):
    argv = ["--dtype", "complex64", "--dtype", "complex128", "--shape", "86x8"]
    assert main(["check", "torch.nn.init:normal_", "--as", "normal@torch", *argv]) == 0
    argv = ["check", "torch.nn.init:kaiming_normal_(a=1.0)", "--as", "he_normal@torch", *argv[:2]]
    assert main(argv) == 1
    assert "explained by half of the variance" in capsys.readouterr().out
