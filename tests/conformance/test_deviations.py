"""Known deviations: expected where they are, refused where they are gone or match nothing."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

pytest.importorskip("scipy")

from initspec.conformance import check, deviations
from initspec.conformance.deviations import FILE, Deviation, apply, load
from initspec.conformance.report.record import (
    ERROR,
    EXPECTED,
    FAIL,
    INCONCLUSIVE,
    PASS,
    SKIP,
    Decision,
    Record,
    Report,
)
from initspec.errors import SpecError, UnknownName

KNOWN = Deviation(
    target="lib:*uniform_",
    scheme="he_uniform",
    dtype="*16",
    failing=("greatest",),
    also=("edges",),
    reason="the upper bound wraps",
    framework="lib",
    version="1.0",
    link="https://example.org/1",
)


def record(*tests, verdict=None, **changes):
    decisions = tuple(Decision(test=test, verdict=FAIL, p=0.0, alpha=1e-14) for test in tests)
    facts = {
        "cell": "lib:kaiming_uniform_ as he_uniform 86x8 oi bfloat16 stat",
        "target": "lib:kaiming_uniform_",
        "scheme": "he_uniform",
        "dtype": "bfloat16",
        "verdict": verdict or (FAIL if tests else PASS),
        "decisions": decisions,
    }
    return Record(**{**facts, **changes})


def report(*records):
    return Report(records=records, alpha=1e-9, beta=1e-6, seed="fixed")


def only(found):
    (one,) = found.records
    return one


@pytest.mark.parametrize("tests", [("greatest",), ("greatest", "edges")])
def test_a_known_failure_is_expected(tests):
    found = apply(report(record(*tests)), [KNOWN])
    assert only(found).verdict == FAIL
    assert only(found).outcome == EXPECTED
    assert "wraps (https://example.org/1)" in only(found).expected
    assert found.verdict == PASS
    assert found.conforms
    assert found.exit_code == 0
    assert found.counts[EXPECTED] == 1
    assert found.counts[FAIL] == 0


@pytest.mark.parametrize("tests", [("edges",), ("greatest", "ks"), ("variance",)])
def test_another_failure_is_not_hidden(tests):
    found = apply(report(record(*tests)), [KNOWN])
    assert only(found).outcome == FAIL
    assert f"it fails {', '.join(tests)}" in only(found).sentence
    assert only(found).departure.startswith("expected was lib:*uniform_")
    assert found.exit_code == 1


def test_a_repaired_cell_fails_the_run():
    found = apply(report(record()), [KNOWN])
    assert only(found).verdict == FAIL
    assert only(found).sentence.startswith("repaired: remove the entry lib:*uniform_")


@pytest.mark.parametrize("verdict", [ERROR, INCONCLUSIVE, SKIP])
def test_what_was_not_judged_stays(verdict):
    one = record(verdict=verdict)
    assert only(apply(report(one), [KNOWN])) == one


def test_other_cells_stay():
    others = (
        record("greatest", dtype="float32"),
        record("greatest", scheme="he_normal", target="lib:normal_"),
    )
    assert apply(report(*others), [KNOWN]).records == others


def test_an_entry_that_matches_nothing_of_its_target_is_an_error():
    found = apply(report(record("greatest", scheme="he_normal")), [KNOWN])
    assert [one.verdict for one in found.records] == [FAIL, ERROR]
    assert "correct the entry or remove it" in found.records[1].sentence
    typo = replace(KNOWN, cell="*99x8*")
    assert apply(report(record("greatest")), [typo]).records[1].verdict == ERROR


@pytest.mark.parametrize("changes", [{"target": "other:f"}, {"dtype": "float32"}, {"tier": "deep"}])
def test_an_entry_about_what_was_not_run_is_none(changes):
    entry = replace(KNOWN, tier="stat")
    one = record("greatest", **changes)
    assert apply(report(one), [entry]).records == (one,)


def test_an_entry_for_one_backend_of_keras(monkeypatch):
    entry = replace(KNOWN, keras="torch")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert only(apply(report(record("greatest")), [entry])).outcome == FAIL
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert only(apply(report(record("greatest")), [entry])).outcome == EXPECTED
    monkeypatch.delenv("KERAS_BACKEND")
    assert replace(KNOWN, keras="tensorflow").applies


def test_the_second_of_two_entries_may_be_the_one():
    other = replace(KNOWN, failing=("ks",), reason="another")
    assert "wraps" in only(apply(report(record("greatest")), [other, KNOWN])).expected


def test_every_form_of_the_report_shows_what_is_expected():
    found = apply(report(record("greatest")), [KNOWN])
    assert any("known: the upper bound wraps" in line for line in found.lines())
    assert "≈" in found.to_markdown()
    assert "<failure" not in found.to_junit()
    assert 'name="expected"' in found.to_junit()
    assert '"expected": "the upper bound wraps' in found.to_json()


def test_the_file_is_whole():
    entries = load()
    assert {entry.framework for entry in entries} == {"torch", "jax", "keras", "flax"}
    assert all(entry.link.startswith("https://") for entry in entries)
    assert all(not set(entry.failing) & set(entry.also) for entry in entries)
    assert len({str(entry) + entry.keras + entry.tier for entry in entries}) == len(entries)


ROW = {
    "target": '"a:b"',
    "failing": '["ks"]',
    "reason": '"why"',
    "framework": '"a"',
    "version": '"1"',
    "link": '"https://example.org"',
}


def written(path, **changes):
    row = {**ROW, **changes}
    lines = [f"{name} = {value}" for name, value in row.items() if value]
    path.write_text("\n".join(["[[deviation]]", *lines]), "utf-8")
    return path


def test_a_file_of_ones_own(tmp_path):
    (entry,) = load(written(tmp_path / "mine.toml"))
    assert entry.failing == ("ks",)
    assert load(tmp_path / "mine.toml") != load(FILE)


@pytest.mark.parametrize("name", ROW)
def test_an_entry_that_lacks_a_field(tmp_path, name):
    with pytest.raises(SpecError, match=f"entry 1 of .*lacks '{name}'"):
        load(written(tmp_path / "mine.toml", **{name: ""}))


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"failng": '["ks"]'}, UnknownName, "did you mean 'failing'"),
        ({"failing": '"ks"'}, SpecError, "failing is a list of texts"),
        ({"failing": "[1]"}, SpecError, "failing is a list of texts"),
        ({"reason": "3"}, SpecError, "reason is a text"),
        ({"target": '["a"]'}, SpecError, "target is a text"),
    ],
)
def test_an_entry_that_is_wrong(tmp_path, changes, error, says):
    with pytest.raises(error, match=says):
        load(written(tmp_path / "mine.toml", **changes))


@pytest.mark.parametrize("text", ["[[deviation]", "\x00", "deviation = 3", "deviation = [3]"])
def test_a_file_that_is_wrong(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    with pytest.raises(SpecError):
        load(tmp_path / "mine.toml")


def test_a_file_with_another_table(tmp_path):
    (tmp_path / "mine.toml").write_text("[deviations]", "utf-8")
    with pytest.raises(UnknownName, match="deviation"):
        load(tmp_path / "mine.toml")


def test_no_file(tmp_path):
    with pytest.raises(SpecError, match="cannot be read"):
        load(tmp_path / "none.toml")


LIVE = [
    ("torch", "torch.nn.init:uniform_", "uniform@torch", "bfloat16", (86, 8), None),
    ("torch", "torch.nn.init:kaiming_uniform_", "he_uniform@torch", "bfloat16", (86, 8), None),
    ("jax", "jax.nn.initializers:he_normal", "he_normal", "bfloat16", (86, 8), None),
    ("jax", "jax.nn.initializers:glorot_uniform", "glorot_uniform", "float16", (86, 8), None),
    ("jax", "jax.nn.initializers:lecun_normal", "lecun_normal", "complex64", (86, 8), None),
    ("jax", "jax.nn.initializers:uniform", "uniform(low=0.0, high=0.01)", "float16", (86, 8), None),
    (
        "flax",
        "flax.linen:DenseGeneral(24, batch_dims=(0,))#kernel@(16, 4, 32)",
        "lecun_normal",
        "float32",
        (16, 32, 24),
        "bio",
    ),
    (
        "flax",
        'flax.nnx:Einsum("abc,cde->abde", (64, 8, 16))#kernel',
        "lecun_normal",
        "float32",
        (64, 8, 16),
        "ioo",
    ),
]
KERAS = [
    ("tensorflow", "GlorotUniform", "glorot_uniform@keras", "bfloat16"),
    ("tensorflow", "HeNormal", "he_normal@keras", "float16"),
    ("torch", "GlorotUniform", "glorot_uniform@keras", "bfloat16"),
    ("torch", "HeNormal", "he_normal@keras", "bfloat16"),
    ("jax", "HeNormal", "he_normal@keras", "float16"),
]


def installed(*names):
    return pytest.mark.skipif(
        any(find_spec(name) is None for name in names), reason=f"{' or '.join(names)} is missing"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("framework", "target", "scheme", "dtype", "shape", "layout"),
    [pytest.param(*row, marks=installed(row[0])) for row in LIVE],
)
def test_the_suite_finds_it(framework, target, scheme, dtype, shape, layout):
    found = check(target, scheme, dtype=dtype, shape=shape, layout=layout)
    assert only(found).verdict == FAIL
    own = [entry for entry in load() if entry.framework == framework]
    assert apply(found, own).conforms, only(found).sentence


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "target", "scheme", "dtype"),
    [pytest.param(*row, marks=installed("keras", row[0])) for row in KERAS],
)
def test_the_suite_finds_it_in_keras(monkeypatch, backend, target, scheme, dtype):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    found = check(f"keras.initializers:{target}", scheme, dtype=dtype, shape=(86, 8))
    assert only(found).verdict == FAIL
    assert apply(found, load()).conforms, only(found).sentence


@pytest.mark.slow
@installed("keras", "torch")
def test_the_suite_finds_the_leak_of_keras_on_torch(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    target = "keras.initializers:HeNormal"
    found = check(target, "he_normal@keras", shape=(2048, 2048), tier="deep")
    assert "support" in {item.test for item in only(found).failed}
    assert apply(found, load()).conforms


def test_deviations_are_documented_fields():
    text = FILE.read_text("utf-8")
    assert all(name in deviations.Deviation.__doc__ for name in ("failing", "also", "keras"))
    assert "deviations.py" in text
