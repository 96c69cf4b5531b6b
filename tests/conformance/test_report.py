"""``initspec report``, and the pictures that a run holds for it."""

import base64
import hashlib
import io
import json
import random
import re
import shutil
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import initspec
from initspec.commands.main import main
from initspec.conformance.report import page as page_module
from initspec.conformance.report.page import html
from initspec.conformance.report.page_groups import short_reason
from initspec.conformance.report.reading import read
from initspec.conformance.report.record import (
    ERROR,
    FAIL,
    INCONCLUSIVE,
    PASS,
    SKIP,
    Decision,
    Moments,
    Picture,
    Record,
    Report,
)

HOSTILE = "</script><script>boom()</script><!-- <img src=x onerror=boom()> \" ' & \ud800 \u2028"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


# ------------------------------------------------------------------------------- runs made by hand


def record(rng: random.Random, verdict: str = PASS, drawn: bool = True, **facts: Any) -> Record:
    """A record with as many digits as a real one."""
    tests = ("support", "least", "ks", "m1", "m2", "m3", "m4", "variance", "collisions", "lag")
    names = (*tests, "rows", "columns", "tensors", "shift", "duplicates")
    failed = rng.sample(names, 4) if verdict == FAIL else []
    decisions = tuple(
        Decision(
            test=test,
            verdict=FAIL if test in failed else PASS,
            p=0.0 if test in failed else rng.random(),
            alpha=1.3e-14,
            statistic=rng.gauss(0, 0.01),
            n=131408,
            detectable=0.0178 if test == "ks" else None,
            unit="distance of the cdf" if test == "ks" else "",
            note=f"{rng.randrange(99)} and {rng.randrange(99)}" if test in ("rows", "lag") else "",
        )
        for test in names
    )
    counts = tuple(rng.randrange(2000, 3500) for _ in range(51))
    own = Moments(mean=rng.gauss(0, 1e-3), std=0.15, skewness=rng.gauss(0, 0.01), kurtosis=-0.63)
    law = Moments(mean=0.0, std=0.1525, skewness=0.0, kurtosis=-0.634463)
    picture = Picture(
        low=-0.35, high=0.35, counts=counts, expected=(1 / 51,) * 51, measured=own, law=law
    )
    half = rng.uniform(0.01, 0.02)
    scale = 1 + rng.gauss(0, 0.003)
    base: dict[str, Any] = {
        "target": "numpy",
        "scheme": "he_normal",
        "shape": (86, 8),
        "layout": "io",
        "verdict": verdict,
        "seed": rng.getrandbits(31),
        "n": 131408,
        "scale": (scale, scale - half, scale + half),
        "sentence": f"refused by {', '.join(failed)}" if failed else "",
        "explanation": f"scale {rng.random():.4f} times the documented one" if failed else "",
        "decisions": decisions if verdict in (PASS, FAIL) else (),
        "picture": picture if drawn and verdict in (PASS, FAIL) else None,
    } | facts
    base.setdefault("cell", f"{base['target']} as {base['scheme']} 86x8 io float32 stat")
    return Record(**base)


def run_of(*records: Record) -> Report:
    return Report(records=records, alpha=1e-9, beta=1e-6, seed="fixed", versions={"numpy": "2.4.6"})


def whole(n: int, share: float = 0.02) -> Report:
    """A run of our own matrix: targets, schemes, tiers, shapes, types and streams."""
    rng, found = random.Random(n), []
    schemes = list(initspec.schemes)[:29]
    for i in range(n):
        rest, stream = divmod(i, 2)
        rest, dtype = divmod(rest, 4)
        rest, shape = divmod(rest, 2)
        rest, scheme = divmod(rest, 29)
        tier, target = divmod(rest, 4)
        facts = {
            "target": ("numpy", "torch", "tensorflow", "jax")[target],
            "scheme": schemes[scheme],
            "dtype": ("float64", "float32", "bfloat16", "float16")[dtype],
            "shape": ((86, 8), (5, 7, 8, 38))[shape],
            "layout": ("io", "hwio")[shape],
            "tier": ("exact", "stat")[tier % 2],
            "stream": ("portable", "native")[stream],
        }
        name = f"{facts['target']}-{facts['stream']} as {facts['scheme']} {i}"
        verdict = FAIL if rng.random() < share else PASS
        found.append(record(rng, verdict, drawn=tier % 2 == 1, cell=name, **facts))
    return run_of(*found)


class Parsed(HTMLParser):
    """The elements of a page and what its scripts hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[int] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")
        if given.get("data-cell"):
            self.cells.append(int(given["data-cell"] or ""))

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[0])


def small() -> Report:
    """Every outcome, two targets, and what stands beside the matrix."""
    rng = random.Random(0)
    verdicts = (PASS, FAIL, INCONCLUSIVE, ERROR, SKIP)
    found = [
        record(
            rng,
            verdict,
            target=target,
            scheme=scheme,
            stream="native",
            cell=f"{target}-native as {scheme} {i}",
        )
        for target in ("numpy", "lib:f")
        for scheme in ("he_normal", "zeros", "glorot_uniform")
        for i, verdict in enumerate(verdicts)
    ]
    found.append(replace(found[1], cell="numpy as known", expected="it is known (lib#1)"))
    found.append(Record(cell="jax", target="jax", scheme="", sentence="not installed"))
    found.append(Record(cell="case 7", target="cases", scheme="", verdict=FAIL, sentence="wrong"))
    return run_of(*found)


# --------------------------------------------------------------------------------------- structure


@pytest.mark.parametrize("made", [small, lambda: whole(2400), lambda: whole(70, 1.0)])
def test_every_record_has_its_cell(made: Callable[[], Report]) -> None:
    report = made()
    parsed = Parsed(html(report))
    assert sorted(parsed.cells) == list(range(len(report.records)))
    data = parsed.data
    for place, record in zip(data["places"], report.records, strict=True):
        kind = data["kinds"][place]
        assert data["outcomes"][kind[0]][0] == record.outcome
        assert kind[1] == record.tier
        assert kind[5:] == [record.dtype, record.n]


def test_the_counts_agree() -> None:
    report = small()
    text = " ".join(Parsed(html(report)).text)
    counts = {"pass": 6, "refused": 7, "inconclusive": 6, "in error": 6, "not tested": 7}
    for word, count in counts.items():
        assert re.search(rf"\b{count} {word}\b", text), word
    assert "19 of 33" in text
    assert "do not pass" in text
    assert report.counts[FAIL] == 7  # of the report itself


def test_marks_are_not_colour_alone() -> None:
    page = html(small())
    for glyph in "✓✗?!–≈":
        assert f">{glyph}<" in page
    fields = re.findall(r'<a[^>]* data-group=[^>]*aria-label="([^"]+)"><b>(.)</b>', page)
    assert len(fields) == 6
    said = "1 refused, 1 in error, 1 inconclusive, 1 pass, 1 not tested"
    assert ("lib:f as zeros: " + said, "✗") in fields
    assert all(glyph == "✗" for _, glyph in fields)


def test_many_targets_are_a_list_and_not_an_empty_matrix() -> None:
    rng = random.Random(1)
    one_each = [record(rng, target=f"lib:T['{n}']", scheme=n) for n in list(initspec.schemes)[:12]]
    page = html(run_of(*one_each))
    assert page.count("<td></td>") == 0
    assert len(Parsed(page).cells) == 12


def test_a_representative_is_looked_at_in_full() -> None:
    report = whole(2400)
    data = Parsed(html(report)).data
    shown = {
        (report.records[int(cell)].target, report.records[int(cell)].scheme)
        for cell in data["full"]
    }
    assert shown == {(one.target, one.scheme) for one in report.records}
    first = next(i for i, one in enumerate(report.records) if one.verdict == FAIL)
    full = Parsed(html(run_of(report.records[first]))).data["full"]["0"]
    assert len(full["tests"]) == len(report.records[first].decisions)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.6])
def test_a_large_run_is_a_small_page(share: float) -> None:
    page = html(whole(2400, share)).encode()
    assert len(page) < 300_000
    assert len(Parsed(page.decode()).data["full"]) > 60


def test_long_sentences_do_not_burst_it() -> None:
    rng = random.Random(3)
    errors = [
        record(rng, ERROR, scheme=f"s{i % 600}", cell=f"numpy as s{i % 600} {i}", sentence="é" * i)
        for i in range(2400)
    ]
    assert len(html(run_of(*errors)).encode()) < 300_000
    few = [replace(one, scheme=f"s{i % 100}") for i, one in enumerate(errors)]
    assert len(html(run_of(*few)).encode()) < 300_000


# ------------------------------------------------------------------------------------------ safety


def test_it_asks_nobody_for_anything() -> None:
    page = html(small())
    assert not re.search(r"https?:|//[a-z]|\bsrc\s*=|url\(|@import|import\(|fetch\(|XMLHttp", page)
    linked = [given.get("href") for tag, given in Parsed(page).tags if tag == "link"]
    assert linked == ["data:,"]
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


def test_text_is_never_markup() -> None:
    rng = random.Random(2)
    bad = record(rng, FAIL, target=HOSTILE, scheme=HOSTILE, sentence=HOSTILE, explanation=HOSTILE)
    bad = replace(
        bad,
        layout=HOSTILE,
        dtype=HOSTILE,
        tier=HOSTILE,
        expected=HOSTILE,
        decisions=tuple(replace(one, test=HOSTILE, note=HOSTILE) for one in bad.decisions),
    )
    beside = Record(cell=HOSTILE, target="cases", scheme="", verdict=FAIL, sentence=HOSTILE)
    report = run_of(bad, replace(bad, expected=""), beside)
    report = replace(report, seed=HOSTILE, versions={HOSTILE: HOSTILE})
    page = html(read(report.to_json(), "run.json"))
    page.encode()  # no half of a character is left
    parsed = Parsed(page)
    assert [tag for tag, _ in parsed.tags if tag in ("script", "img")] == ["script", "script"]
    assert not any(name.startswith("on") for _, given in parsed.tags for name in given)
    assert parsed.data["groups"] == [[HOSTILE.replace("\ud800", "?")] * 2]
    assert parsed.cells == [0, 1, 2]
    assert "<!--" not in page


def test_the_page_says_what_refuses_and_not_how_much() -> None:
    refused = Decision(test="ks", verdict=FAIL, p=0.0, alpha=1e-9)
    facts: dict[str, Any] = {"cell": "c", "target": "t", "scheme": "s", "verdict": FAIL}
    cell = Record(**facts, sentence="refused by ks (p <= 1e-30)", decisions=(refused,))
    assert short_reason(cell) == "refused by ks"
    departing = replace(cell, departure="expected was another, and it fails ks")
    assert short_reason(departing) == "refused by ks; expected was another, and it fails ks"
    law = replace(refused, test="law")
    broken = Record(**facts, sentence="it is no law: its cdf falls", decisions=(law,))
    assert short_reason(broken) == broken.sentence
    undecided = Record(**facts, sentence="wrong")
    assert short_reason(undecided) == "wrong"


# ----------------------------------------------------------------------------------------- reading


def test_reading_is_the_inverse_of_writing() -> None:
    pytest.importorskip("scipy")
    report = initspec.conformance.check("numpy", "he_normal")
    assert all(one.picture for one in report.records)
    again = read(report.to_json(), "run.json")
    assert again == report


def test_words_for_what_is_no_number() -> None:
    data = small().to_dict()
    data["records"][0]["scale"] = ["inf", "nan", "-inf"]
    data["records"][0]["decisions"][0]["p"] = "nan"
    found = read(json.dumps(data), "run.json")
    assert found.records[0].scale is not None
    assert found.records[0].scale[0] == np.inf
    assert '"nan"' in html(found)


@pytest.mark.parametrize(
    "change",
    [
        {"expected": "nan"},
        {"expected": 1e308},
        {"expected": -0.5},
        {"counts": -7},
        {"counts": 1 << 60},
        {"low": "nan"},
        {"high": 1.7976931348623157e308},
    ],
)
def test_a_picture_that_cannot_be_drawn_costs_no_page(change: dict[str, Any]) -> None:
    run = run_of(record(random.Random(0))).to_dict()
    (name, value) = next(iter(change.items()))
    picture = run["records"][0]["picture"]
    picture[name] = [value, *picture[name][1:]] if name in ("expected", "counts") else value
    run["records"][0]["decisions"] = [
        row | {"alpha": "nan", "n": -3, "statistic": 1.7976931348623157e308}
        for row in run["records"][0]["decisions"]
    ]
    assert Parsed(html(read(json.dumps(run), "run.json"))).cells == [0]


ODD = "w\x01\x1b[31m\x7f\x9b0m\u202e]]>|`a`\ufffe\nPASS"


def test_what_comes_from_outside_is_fit_to_be_shown() -> None:
    """No control character reaches a terminal, XML, Markdown or JSON, and no line is faked."""
    long = "x" * 100_000
    records = [
        Record(
            cell=f"{name} as ones",
            target=name,
            scheme="ones",
            layout=name,
            verdict=FAIL,
            sentence=f"{name} raised {name}",
            explanation=name,
            command=f"check {name}",
            expected=known,
        )
        for name, known in ((ODD, ""), (ODD, ODD), (long, long), ("<img>[a](b)`c`", ""))
    ]
    report = Report(records=tuple(records), alpha=1e-9, beta=1e-6, seed=ODD)
    lines = report.lines()
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith(
        r"FAIL          w\x01\x1b[31m\x7f\x9b0m\u202e]]>|`a`\ufffe\nPASS as ones"
    )
    assert max(map(len, lines)) < 3000
    cases = list(ElementTree.fromstring(report.to_junit()).iter("testcase"))
    assert [case.get("classname", "")[:10] for case in cases][::3] == [r"w\x01\x1b[", "<img>[a](b"]
    assert len(report.to_junit()) < 20_000
    text = report.to_markdown()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [line.count("|") for line in rows] == [4] * len(rows)
    assert all(line.isprintable() for line in text.splitlines())
    assert "<img" not in text
    assert "](b" not in text
    assert all(line.isprintable() for line in report.to_json().splitlines())
    assert json.loads(report.to_json())["records"][0]["target"] == ODD
    assert len(html(report).encode()) < 300_000


def test_a_run_without_pictures_can_be_read() -> None:
    """As those were that an earlier version wrote."""
    data = small().to_dict()
    for row in data["records"]:
        del row["picture"]
    parsed = Parsed(html(read(json.dumps(data), "run.json")))
    assert len(parsed.cells) == len(data["records"])
    assert all("bars" not in one for one in parsed.data["full"].values())


def changed(**changes: Any) -> str:
    return json.dumps(run_of(record(random.Random(0))).to_dict() | changes)


def changed_record(**changes: Any) -> str:
    row = run_of(record(random.Random(0))).to_dict()["records"][0] | changes
    return changed(records=[{k: v for k, v in row.items() if v != "gone"}])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not JSON"),
        ("<html>", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "no report of a run"),
        ('{"a": 1}', "no report of a run"),
        (changed(format="initspec.spec.scheme/1"), "no report of a run"),
        (changed(format="initspec.report/2"), "this initspec reads initspec.report/1"),
        (changed(records=[]), "holds no cells"),
        (changed(records={}), "holds no cells"),
        (changed(records=[3]), "cell 1 of run.json lacks 'verdict'"),
        (changed(alpha=0), "alpha is a chance between 0 and 1, not 0"),
        (changed_record(target="gone"), "cell 1 of run.json lacks 'target'"),
        (changed_record(verdict="FINE"), "not 'FINE'"),
        (changed_record(n="many"), "a whole number was expected, not 'many'"),
        (changed_record(seconds=[]), "a number was expected, not []"),
        (changed_record(seconds=10**400), "a number was expected"),
        (changed_record(scale=[1.0]), "three numbers"),
        (changed_record(decisions=[{"test": "ks"}]), "lacks 'verdict'"),
        (changed_record(picture=[]), "lacks 'low'"),
        (changed_record(shape=4), "a list was expected, not 4"),
    ],
)
def test_bad_input(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    text: str,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.json").write_text(text, "utf-8")
    assert main(["report", "run.json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("initspec: ")
    assert sentence in err
    assert len(err) < 400 or sentence == "a number was expected"
    assert not Path("run.html").exists()


def test_files_that_are_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("binary.json").write_bytes(b"\xff\xfe\x00")
    Path("run.json").write_text(changed(), "utf-8")
    for argv, sentence in (
        (["gone.json"], "cannot read gone.json: No such file"),
        (["."], "is a folder"),
        (["binary.json"], "is no text"),
        (["run.json", "-o", "none/r.html"], "cannot write none"),
        (["run.json", "-o", "run.json"], "is the run itself"),
        (["-"], "-o report.html"),
    ):
        assert main(["report", *argv]) == 2
        assert sentence in capsys.readouterr().err


# ----------------------------------------------------------------------------------------- command


def test_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.json").write_text(small().to_json(), "utf-8")
    assert main(["report", "run.json"]) == 0
    assert capsys.readouterr().out.startswith("run.html: FAIL, 33 cells, ")
    assert main(["report", "run.json", "-o", "other.html", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    page = Path("other.html").read_bytes()
    assert found == {"file": "other.html", "bytes": len(page), "cells": 33, "verdict": "FAIL"}
    assert page == Path("run.html").read_bytes() == html(small()).encode()
    monkeypatch.setattr(sys, "stdin", io.StringIO(small().to_json()))
    assert main(["report", "-", "-o", "third.html"]) == 0
    assert Path("third.html").read_bytes() == page


def test_it_needs_numpy_alone(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(small().to_json(), "utf-8")
    code = (
        "import sys\nfor name in ('scipy', 'matplotlib'): sys.modules[name] = None\n"
        "from initspec.commands.main import main\nsys.exit(main(['report', 'run.json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


# ---------------------------------------------------------------------------------------- pictures


LAWS = [
    ("he_normal", (86, 8), "io"),
    ("normal(std=0.02)", (86, 8), "io"),
    ("glorot_uniform", (86, 8), "io"),
    ("orthogonal", (16, 48), "io"),
    ("delta_orthogonal", (3, 3, 8, 16), "hwio"),
    ("sparse", (80, 48), "io"),
    ("identity", (24, 16), "io"),
    ("ones", (24, 16), "io"),
]


def drawn(name: str, shape: tuple[int, ...], layout: str, dtype: str, n: int = 2**14) -> Any:
    pytest.importorskip("scipy")
    from initspec.conformance.targets.backend import BackendTarget
    from initspec.spec.layout import Layout

    scheme = initspec.get(name)
    target = BackendTarget("numpy", scheme, Layout.parse(layout), "portable")
    count = -(-n // int(np.prod(shape)))
    values = [target.draw(shape, dtype=dtype, seed=seed) for seed in range(count)]
    return np.stack(values).astype(np.float64), scheme.on(shape, layout)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("name", "shape", "layout"), LAWS)
def test_a_picture_is_of_the_values_and_of_the_law(
    name: str, shape: tuple[int, ...], layout: str, dtype: str
) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    values, law = drawn(name, shape, layout, dtype)
    from initspec.conformance.report.histogram import picture

    found = picture(values, law, dtype)
    assert found is not None
    assert found.measured.mean == pytest.approx(values.mean(), rel=1e-4, abs=1e-12)
    assert found.measured.std == pytest.approx(values.std(), rel=1e-4, abs=1e-12)
    assert found.law.std == pytest.approx(law.std, rel=1e-4)
    if name == "ones":
        assert (found.counts, found.measured.std, found.law.kurtosis) == ((), 0.0, None)
        return
    standard = (values - values.mean()) / values.std()
    assert found.measured.skewness == pytest.approx((standard**3).mean(), abs=1e-3)
    assert found.measured.kurtosis == pytest.approx((standard**4).mean() - 3, rel=1e-3, abs=1e-3)
    assert sum(found.counts) == values.size
    assert sum(found.expected) == pytest.approx(1, abs=1e-5)
    gaps = np.cumsum(np.array(found.counts) / values.size - np.array(found.expected))
    # Haar entries and fixed zeros vary less than independent values, which DKW bounds.
    assert np.abs(gaps).max() < np.sqrt(np.log(2e6) / 2 / values.size) + 1e-4


def test_a_narrow_type_shows_no_comb() -> None:
    """The bins end where the type rounds: the law is right however coarse its numbers lie."""
    pytest.importorskip("ml_dtypes")
    values, law = drawn("normal(mean=1.0, std=0.01)", (86, 80), "io", "bfloat16", 2**17)
    from initspec.conformance.report.histogram import picture

    found = picture(values, law, "bfloat16")
    assert found is not None
    gaps = np.cumsum(np.array(found.counts) / values.size - np.array(found.expected))
    assert np.abs(gaps).max() < 0.009
    assert max(found.expected) > 0.15  # some bins hold many numbers' worth, others none
    assert min(found.expected[1:-1]) == 0


def test_a_law_with_bounds_ends_where_a_bin_does() -> None:
    values, _ = drawn("normal(std=0.3)", (86, 8), "io", "float32")
    from initspec.conformance.report.histogram import picture

    wanted = initspec.get("he_normal").on((86, 8), "io")
    found = picture(values, wanted, "float32")
    assert found is not None
    ends = np.linspace(found.low, found.high, len(found.counts) - 1)
    for limit in wanted.limits or ():
        assert np.abs(ends - limit).min() < 1e-5
    assert found.low < -0.5
    assert sum(found.counts) == values.size


def test_values_far_away_are_counted_beyond() -> None:
    values, law = drawn("normal(std=0.02)", (86, 8), "io", "float32")
    from initspec.conformance.report.histogram import picture

    found = picture(values + 5, law, "float32")
    assert found is not None
    assert found.counts[-1] == values.size


def test_a_law_that_is_not_symmetric() -> None:
    values, _ = drawn("normal(mean=0.0, std=1.0)", (86, 8), "io", "float32")
    from initspec.conformance.report.histogram import picture
    from initspec.spec.distribution import TruncatedNormal

    found = picture(values, TruncatedNormal(0.0, 1.0, 0.0, np.inf), "float32")
    assert found is not None
    skewness = np.sqrt(2) * (4 - np.pi) / (np.pi - 2) ** 1.5  # of the half-normal law
    assert found.law.skewness == pytest.approx(skewness, rel=1e-5)


def test_a_large_sample_needs_no_second_copy() -> None:
    _, law = drawn("he_normal", (86, 8), "io", "float32")
    from initspec.conformance.report.histogram import picture

    values = np.random.default_rng(0).normal(0, law.std, 2**22)
    tracemalloc.start()
    picture(values, law, "float32")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < values.nbytes / 2


def test_a_run_holds_pictures_where_values_are_looked_at() -> None:
    pytest.importorskip("scipy")
    looked = initspec.conformance.check("numpy", "glorot_uniform", tier="stat")
    exact = initspec.conformance.check("numpy", "glorot_uniform", tier="exact")
    assert all(one.picture for one in looked.records)
    assert not any(one.picture for one in exact.records)
    sizes = [len(json.dumps(one["picture"])) for one in looked.to_dict()["records"]]
    assert max(sizes) < 1500


# ----------------------------------------------------------------------------------------- browser


def visit(page: str, folder: Path, fragment: str = "") -> tuple[str, list[str], list[str]]:
    """What Chromium makes of a page: its document, its console, and the requests it sent.

    Every host is this one, so that a request to whatever host is seen here.
    """
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").partition(":")[0]
            if not re.search(r"(google|googleapis|gvt1)\.com$", host):  # the browser's own
                asked.append(f"{host}{self.path}")
            self.send_response(200 if self.path == "/report.html" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode() if self.path == "/report.html" else b"")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    command = [
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
        f"--user-data-dir={folder / 'browser'}",
        f"--host-resolver-rules=MAP * 127.0.0.1:{port}",
        "--virtual-time-budget=5000",
        "--enable-logging=stderr",
        "--dump-dom",
        f"http://127.0.0.1:{port}/report.html{fragment}",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    finally:
        server.shutdown()
        server.server_close()
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console, asked


def problems(page: str, report: Report, folder: Path, fragment: str = "") -> list[str]:
    """What is wrong with a page when it is opened."""
    document, console, asked = visit(page, folder, fragment)
    found = [*console]
    if asked != ["127.0.0.1/report.html"]:
        found.append(f"requests: {asked}")
    if sorted(Parsed(document).cells) != list(range(len(report.records))):
        found.append("cells")
    if f'data-ready="{len(report.records)}"' not in document:
        found.append("the script did not come to its end")
    if re.search(
        r"\[object |undefined|NaN", re.sub(r"<script.*?</script>", "", document, flags=re.S)
    ):
        found.append("a value that is none was written")
    if fragment:
        (panel,) = re.findall(r"<dialog.*?</dialog>", document, re.DOTALL)
        wanted = ("open", "<svg role", "Moments", "Statistics", "Facts", "seed")
        found += [f"no {word} in the panel" for word in wanted if word not in panel]
    return found


needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt install chromium"
)


@needs_chromium
@pytest.mark.parametrize("fragment", ["", "#c1", "#c0"])
def test_it_opens(tmp_path: Path, fragment: str) -> None:
    report = small()
    assert problems(html(report), report, tmp_path, fragment) == []


@needs_chromium
def test_a_large_one_opens(tmp_path: Path) -> None:
    report = whole(2400)
    page = html(report)
    first = next(cell for cell, one in Parsed(page).data["full"].items() if "bars" in one)
    assert problems(page, report, tmp_path, f"#c{first}") == []


@needs_chromium
@pytest.mark.parametrize("fault", ["cell", "script", "request", "hostile"])
def test_the_browser_sees_what_is_planted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    report, page, seen = small(), html(small()), ""
    if fault == "cell":
        page, seen = re.sub(r"<i data-cell=3[^>]*></i>", "", page), "cells"
    elif fault == "script":
        parts = {
            name: page_module._file(name) for name in ("report.css", "report.html", "report.js")
        }
        parts["report.js"] = parts["report.js"].replace("follow();\n", "follow(nothing);\n")
        monkeypatch.setattr(page_module, "_file", parts.__getitem__)
        page, seen = html(report), "Uncaught ReferenceError: nothing is not defined"
    elif fault == "request":
        page = re.sub(r"<meta http-equiv[^>]*>", "", page)
        page, seen = page.replace("<main>", '<main><img src="//example.com/x">'), "example.com/x"
    else:  # markup that came through would be stopped by the policy, and said so
        page, seen = page.replace("<main>", "<main><script>boom()</script>"), "Security Policy"
    found = problems(page, report, tmp_path)
    assert any(seen in problem for problem in found), found
