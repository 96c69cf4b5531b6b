"""``initspec check`` and ``initspec power``."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import initspec
from initspec import plugins
from initspec.commands.main import main, parser
from initspec.commands.progress import Progress
from initspec.conformance.name_filter import name_test
from initspec.readings.registry import schemes
from initspec.spec.fields import TAKES
from initspec.stream.dtypes import DTYPES

pytest.importorskip("scipy")

from initspec.conformance import suite
from initspec.conformance.design import DRAWS, Budget
from initspec.conformance.probability import bounds, power
from initspec.conformance.report.record import PASS, Record, Report
from initspec.conformance.selection import Selection, select, suggestion
from initspec.conformance.targets import backend

LIBRARY = """
import numpy as np

def he(shape, seed):
    '''He's normal law, not truncated.'''
    print("noise")
    deviation = np.sqrt(2 / np.prod(shape[:-1]))
    return np.random.default_rng(seed).normal(0, deviation, shape).astype("float32")

def lecun(shape, seed):
    return he(shape, seed) / np.float32(np.sqrt(2))

def glorot(shape, seed):
    taps = np.prod(shape[:-2])
    limit = np.sqrt(6 / (taps * (shape[-2] + shape[-1])))
    return np.random.default_rng(seed).uniform(-limit, limit, shape).astype("float32")

def broken(shape, seed):
    raise RuntimeError("first line\\nsecond line")

TABLE = {"he_normal@torch": he, "glorot_uniform": glorot}
WRONG = {"he_normal@torch": lecun, "glorot_uniform": glorot}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with somebody's library, in which the command is run."""
    (tmp_path / "lib_of_theirs.py").write_text(LIBRARY, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# --------------------------------------------------------------------------------------- adapters


def test_an_adapter_conforms(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(
        capsys, "check", "--backend", "numpy", "--as", "he_normal", "--dtype", "float32"
    )
    assert code == 0, out
    assert err == ""
    lines = out.splitlines()
    assert [line.split()[:4] for line in lines[:-1]] == [
        ["PASS", f"numpy-{stream}", "as", "he_normal"]
        for _ in range(2)
        for stream in ("portable", "native")
    ]
    assert lines[-1].startswith("PASS: 4 PASS. A run of right initializers is refused at most once")


def test_a_backend_as_the_target_is_the_adapter(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("--as", "zeros", "--dtype", "bfloat16", "--stream", "native", "--json")
    _, one, _ = run(capsys, "check", "numpy", *argv)
    _, two, _ = run(capsys, "check", "--backend", "numpy", *argv)
    names = [[record["cell"] for record in json.loads(text)["records"]] for text in (one, two)]
    assert names[0] == names[1] != []


def test_the_matrix_and_its_selection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scheme, type, shape and stream is there; -k, --as, --dtype, --stream take from it."""
    asked: list[list[str]] = []

    def judged(cells: Any, **options: Any) -> Any:
        asked.append([cell.name for cell in cells])
        record = Record(cell="c", target="t", scheme="s", verdict=PASS)
        return Report(records=(record,), alpha=options["alpha"], beta=1e-6, seed="")

    monkeypatch.setattr(suite, "run", judged)

    def cells(*argv: str) -> list[str]:
        main(["check", "--backend", "numpy", *argv])
        return asked.pop()

    everything = cells()
    laws = [scheme.name for scheme in suite.distinct()]
    for word in [*laws, *DTYPES, "-portable", "-native"]:
        assert any(word in name for name in everything), word
    assert len(set(everything)) == len(everything) >= len(laws) * 8
    chosen = cells("-k", "numpy-native and he_normal and not (bfloat or 5x7)")
    assert chosen == [
        name
        for name in everything
        if "numpy-native" in name
        and "he_normal" in name
        and "bfloat" not in name
        and "5x7" not in name
    ]
    assert cells("--as", "he_normal", "--dtype", "float16", "--stream", "native") == [
        "numpy-native as he_normal 86x8 io float16 stat",
        "numpy-native as he_normal 5x7x8x38 hwio float16 stat",
    ]
    for size in (["6x4"], ["6", "4"], ["6,4"]):
        assert cells("--as", "zeros", "--shape", *size, "--layout", "oi", "--tier", "deep")[:2] == [
            "numpy-portable as zeros 6x4 oi float64 deep",
            "numpy-native as zeros 6x4 oi float64 deep",
        ]


def test_all_backends_are_those_that_are_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "available", lambda: {"jax": False, "numpy": True, "torch": False})
    argv = ("--backend", "all", "--as", "zeros", "--dtype", "float32", "--json")
    code, out, _ = run(capsys, "check", *argv)
    records = json.loads(out)["records"]
    assert code == 0
    assert {record["target"] for record in records if record["verdict"] == "PASS"} == {"numpy"}
    skipped = {
        record["target"]: record["sentence"] for record in records if record["verdict"] == "SKIP"
    }
    assert skipped.keys() == {"jax", "torch"}
    assert skipped["jax"] == 'not installed: pip install "initspec[jax]"'
    # Never 0 where nothing ran.
    monkeypatch.setattr(plugins, "available", lambda: {"torch": False})
    assert run(capsys, "check", *argv)[0] == 3


def test_what_is_not_installed_is_skipped(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    argv = ("--as", "he_normal", "--stream", "native", "--shape", "86", "8", "--layout", "io")
    code, out, _ = run(capsys, "check", "numpy", *argv, "--dtype", "bfloat16")
    assert code == 3
    assert "needs ml_dtypes for bfloat16, which is not installed: pip install" in out
    code, out, _ = run(capsys, "check", "numpy", *argv, "--dtype", "bfloat16", "--dtype", "float32")
    assert code == 0
    assert out.splitlines()[-1].startswith("PASS: 1 PASS, 1 SKIP.")


# ---------------------------------------------------------------------------------------- targets


def test_a_right_initializer(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    code, out, err = run(capsys, "check", "lib_of_theirs:he", "--as", "he_normal@torch")
    assert (code, err) == (0, "")
    assert "noise" not in out
    assert out.count("PASS  ") == 2


def test_a_wrong_one_and_why(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    code, out, _ = run(capsys, "check", "lib_of_theirs:lecun", "--as", "he_normal@torch")
    assert code == 1
    assert "explained by 1/fan_in" in out
    code, out, _ = run(capsys, "check", "lib_of_theirs:he", "--as", "he_normal")
    assert code == 1
    assert "the scale is right" in out
    assert "The truncation is missing" in out


def test_a_table(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert run(capsys, "check", "lib_of_theirs:TABLE")[0] == 0
    code, out, _ = run(capsys, "check", "lib_of_theirs:WRONG", "--json", "-")
    verdicts = {record["scheme"]: record["verdict"] for record in json.loads(out)["records"]}
    assert code == 1
    assert verdicts == {"he_normal@torch": "FAIL", "glorot_uniform": "PASS"}


def test_one_that_breaks_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    argv = ("lib_of_theirs:broken", "no_such_lib:f", "gone.npy", "lib_of_theirs:he")
    argv = (*argv, "--as", "he_normal@torch", "--shape", "86", "8", "--layout", "io")
    code, out, _ = run(capsys, "check", *argv, "--json")
    found = {r["target"]: (r["verdict"], r["sentence"]) for r in json.loads(out)["records"]}
    assert code == 1
    assert found.pop("lib_of_theirs:he") == ("PASS", "")
    assert {verdict for verdict, _ in found.values()} == {"ERROR"}
    assert "RuntimeError: first line" in found["lib_of_theirs:broken"][1]
    assert "no_such_lib cannot be imported" in found["no_such_lib:f"][1]
    assert "gone.npy cannot be read" in found["gone.npy"][1]


def test_a_target_that_hangs_is_stopped(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    (project / "hangs.py").write_text("import time\ndef f(shape, seed): time.sleep(600)\n")
    argv = ("hangs:f", "--as", "zeros", "--shape", "4", "3", "--time-limit", "0.5")
    code, out, _ = run(capsys, "check", *argv)
    assert code == 1
    assert "did not answer within 0.5 s" in out


def test_known_deviations(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    argv = ("lib_of_theirs:he", "--as", "he_normal", "--shape", "86", "8", "--layout", "io")
    (record,) = json.loads(run(capsys, "check", *argv, "--json")[1])["records"]
    failing = [item["test"] for item in record["decisions"] if item["verdict"] == "FAIL"]

    def known(tests: list[str]) -> tuple[int, str]:
        (project / "known.toml").write_text(
            f"""[[deviation]]
            target = "lib_of_theirs:he"
            failing = {json.dumps(tests)}
            reason = "it is not truncated"
            framework = "theirs"
            version = "1.0"
            link = "theirs#1"
            """,
            "utf-8",
        )
        return run(capsys, "check", *argv, "--deviations", "known.toml")[:2]

    assert known(failing)[0] == 0
    assert known(failing[1:])[0] == 1  # it fails by a test that nobody expected
    assert known([*failing, "symmetry"])[0] == 1  # and not by one that was
    repaired = "import initspec\nhe = initspec.initializer('he_normal', layout='io')\n"
    (project / "lib_of_theirs.py").write_text(repaired, "utf-8")
    code, out = known(failing)
    assert code == 1
    assert "repaired: remove the entry" in out


def test_a_module_of_tables_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """No word of a name decides: it is not there, and nobody is asked what it claims."""
    code, out, err = run(capsys, "check", "no_such_tables:table")
    assert (code, err) == (1, "")
    assert "no_such_tables cannot be imported" in out


@pytest.mark.parametrize("text", ["math:pi", "lib_of_theirs:TABLE['glorot_uniform']"])
def test_what_is_no_table_needs_a_claim(
    capsys: pytest.CaptureFixture[str], project: Path, text: str
) -> None:
    code, out, err = run(capsys, "check", text)
    assert (code, out) == (2, "")
    assert f"say what {text} claims to be" in err


def test_a_selection_is_of_plain_values() -> None:
    everything = Selection(backends=("all",))
    assert everything.is_whole
    assert not replace(everything, tier="stat").is_whole
    assert not Selection(backends=("numpy",)).is_whole
    cells, records = select(
        Selection(targets=("numpy",), claims=("zeros",), dtypes=("float16",), shape=(3, 2))
    )
    assert [cell.name for cell in cells] == [
        "numpy-portable as zeros 3x2 io float16 stat",
        "numpy-native as zeros 3x2 io float16 stat",
    ]
    assert records == []


# ---------------------------------------------------------------------------------------- reports


def test_the_reports(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    (project / "summary.md").write_text("before\n", "utf-8")
    argv = ("lib_of_theirs:WRONG", "--shape", "86x8", "--layout", "io", "--power")
    argv = (*argv, "--json", "r.json", "--junit", "r.xml", "--summary", "summary.md")
    code, out, _ = run(capsys, "check", *argv)
    assert code == 1
    assert out.splitlines()[0].startswith("131,408 values of he_normal@torch show 0.0")
    assert "relative error of the standard deviation (variance)" in out
    data = json.loads((project / "r.json").read_text("utf-8"))
    assert (data["verdict"], data["counts"]["PASS"], data["counts"]["FAIL"]) == ("FAIL", 1, 1)
    assert data["alpha"] == 1e-9
    cases = list(ElementTree.parse(project / "r.xml").iter("testcase"))
    assert [case.find("failure") is None for case in cases] == [False, True]
    text = (project / "summary.md").read_text("utf-8")
    assert text.startswith("before\n### initspec: FAIL")
    assert "| `lib_of_theirs:WRONG['glorot_uniform']` | `glorot_uniform` | ✓ |" in text


def test_json_holds_no_infinity_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def judged(cells: Any, **options: Any) -> Any:
        print("noise of a framework")
        record = Record(cell="c", target="t", scheme="s", verdict=PASS, scale=(1.0, 0.5, np.inf))
        return Report(records=(record,), alpha=1e-9, beta=1e-6, seed="")

    monkeypatch.setattr(suite, "run", judged)
    path = tmp_path / "r.json"
    _, out, _ = run(capsys, "check", "numpy", "--as", "zeros", "--json")
    run(capsys, "check", "numpy", "--as", "zeros", "--json", str(path))
    for text in (out, path.read_text("utf-8")):
        found = json.loads(text, parse_constant=lambda word: pytest.fail(word))
        assert found["records"][0]["scale"] == [1.0, 0.5, "inf"]


def test_seeds_are_fixed_unless_they_are_to_vary(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("numpy", "--as", "uniform", "--dtype", "float32", "--shape", "40", "30")
    argv = (*argv, "--stream", "native", "--json")

    def seeds(*more: str) -> tuple[str, list[int]]:
        data = json.loads(run(capsys, "check", *argv, *more)[1])
        return data["seed"], [record["seed"] for record in data["records"]]

    assert seeds() == seeds()
    assert seeds("--vary-seeds")[1] != seeds()[1]
    assert seeds("--vary-seeds")[0].startswith("varied, run ")


def test_alpha_reaches_the_decisions(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("numpy", "--as", "uniform", "--dtype", "float32", "--shape", "40", "30", "--json")
    data = json.loads(run(capsys, "check", *argv, "--alpha", "1e-3")[1])
    alphas = {item["alpha"] for record in data["records"] for item in record["decisions"]}
    assert alphas == {Budget(alpha=1e-3, cells=2).decision}


def test_few_draws_never_pass(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setitem(DRAWS, "stat", 5)
    argv = ("numpy", "--as", "normal(std=1.0)", "--shape", "5", "--dtype", "float32")
    code, out, _ = run(capsys, "check", *argv)
    assert code == 1
    assert "INCONCLUSIVE" in out
    assert "draw more" in out


def test_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    shown = Progress()
    record = SimpleNamespace(verdict="FAIL", cell="numpy as zeros")
    shown(1, 900, record)
    assert capsys.readouterr().err == ""  # a short run shows nothing
    now[0] += 2
    shown(2, 900, record)
    assert capsys.readouterr().err.startswith("\r2/900, 2 not passed  numpy as zeros")
    shown.clear()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip() == ""


LAW = """
import random
import numpy as np
import initspec

class Half(initspec.Custom):
    def ppf(self, p): return np.asarray(p) / 2
    def cdf(self, x): return np.clip(np.asarray(x) * 2, 0, 1)
    support = (0.0, 0.5)
    mean = 0.25
    variance = 1 / 48
    def __eq__(self, other): return type(self) is type(other)
    def __hash__(self): return 1

def half(shape, seed):
    return np.random.default_rng(seed).uniform(0, 0.5, shape).astype("float32")
"""


def test_nothing_but_targets_is_taken_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('a file of the current folder ran')\n")
    np.save(tmp_path / "w.npy", np.zeros((3, 3), "f4"))
    small = ("--shape", "4", "4", "--dtype", "float32", "--stream", "native")
    for argv in (
        ("check", "w.npy", "--as", "zeros"),
        ("check", "numpy", "--as", "normal", *small),
        ("infer", "w.npy"),
        ("sample", "normal", "--shape", "3"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "initspec", *argv], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "ran" not in done.stdout + done.stderr


@pytest.mark.parametrize("start", [["-m", "initspec"], ["-P", "-m", "initspec"]])
def test_targets_and_laws_are_taken_from_the_current_folder(
    tmp_path: Path, start: list[str]
) -> None:
    (tmp_path / "law_here.py").write_text(LAW)
    shape = ("--shape", "40", "30", "--dtype", "float32", "--stream", "portable")
    for argv in (
        ("law_here:half", "--as", "law_here:Half", *shape[:5]),
        ("numpy", "--as", "law_here:Half", *shape),
        ("numpy", "--as", "law_here:Half", *shape, "--jobs", "2"),
    ):
        done = subprocess.run(
            [sys.executable, *start, "check", *argv], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("PASS"), done.stdout


def test_names_are_fit_for_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "w\x01\x1b[31m\nPASS \udc80"
    np.savez("z.npz", **{name[:-1]: np.zeros((4, 4), "f4"), "b" * 50_000: np.zeros(0)})
    assert main(["infer", "z.npz"]) == 0
    assert main(["infer", "z.npz", "--json"]) == 0
    assert main(["check", f"z.npz#{name[:-1]}", "--as", "ones"]) == 1
    assert main(["check", f"z.npz#{name}", "--as", "ones"]) == 2
    assert main(["infer", f"{name}.npz"]) == 2
    assert main(["show", name]) == 2
    assert main(["sample", "zeros", "--shape", "2", "--name", name[:-1], "--json"]) == 0
    out, err = capsys.readouterr()
    assert all(line.isprintable() for line in (out + err).split("\n"))
    assert not any(line.startswith("PASS ") for line in (out + err).split("\n"))


# -------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("argv", "code", "sentence"),
    [
        ([], 2, "say what to check"),
        (["numpy", "--as", "he_norml"], 2, "did you mean 'he_normal'"),
        (["--backend", "numppy"], 2, "did you mean 'numpy'"),
        (["numpy", "--dtype", "float31"], 2, "unknown dtype 'float31'"),
        (["numpy", "--stream", "portabel"], 2, "did you mean 'portable'"),
        (["numpy", "--layout", "io"], 2, "goes with a --shape"),
        (["numpy", "--shape", "3", "4", "--layout", "oihw"], 2, "names 4 axes"),
        (["numpy", "--alpha", "0"], 2, "a chance between 0 and 1"),
        (["numpy", "--time-limit", "0"], 2, "a number of seconds"),
        (["numpy", "-k", "torch and"], 2, "a word is wanted where the end stands"),
        (["numpy", "-k", "no_such_cell"], 3, "nothing was tested"),
        (["numpy", "--junit", "/none/r.xml"], 2, "no such folder"),
        (["numpy", "--deviations", "/none/d.toml"], 2, "/none/d.toml"),
        (["nonsense", "--as", "zeros"], 2, "unknown target 'nonsense'"),
        (["torch.nn.init:kaiming_normal_"], 2, "its name suggests `--as he_normal@torch`"),
        (["math:sqrt"], 2, "say what math:sqrt claims to be"),
    ],
)
def test_bad_input(
    capsys: pytest.CaptureFixture[str], argv: list[str], code: int, sentence: str
) -> None:
    found, out, err = run(capsys, "check", *argv)
    assert (found, out) == (code, "")
    assert err.startswith("initspec: ")
    assert sentence in err
    found, out, err = run(capsys, "check", *argv, "--json")
    assert (found, err) == (code, "")
    assert sentence in json.loads(out)["message"]


def test_json_does_not_swallow_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "check", "--json", "lib:f", "--as", "zeros")
    assert code == 2
    assert "--json took 'lib:f' for its file" in err


@pytest.mark.parametrize("argv", [["--tier", "quick"], ["--shape", "a"], ["--alpha", "x"]])
def test_usage_errors_exit_with_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["check", "numpy", *argv])


@pytest.mark.parametrize(
    ("target", "scheme"),
    [
        ("torch.nn.init:kaiming_normal_", "he_normal@torch"),
        ("torch.nn.init:xavier_uniform_(gain=2.0)", "glorot_uniform"),
        ("torch.nn.init:orthogonal_", "orthogonal"),
        ("keras.initializers:HeNormal", "he_normal@keras"),
        ("keras.src.initializers:GlorotUniform()", "glorot_uniform@keras"),
        ("jax.nn.initializers:he_normal", "he_normal"),
        ("jax.nn.initializers:lecun_uniform()", "lecun_uniform"),
        ("mylib.init:TABLE", None),
        ("nonsense", None),
    ],
)
def test_suggestions(target: str, scheme: str | None) -> None:
    found = suggestion(target)
    assert found == scheme or (found or "").partition("@")[0] == scheme
    assert found is None or found in initspec.schemes


@pytest.mark.parametrize("command", [["check", "numpy"], ["power"]])
def test_without_scipy(command: list[str]) -> None:
    code = "import sys; sys.modules['scipy'] = None\nfrom initspec.commands.main import main\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main({command!r}))"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "initspec: the conformance suite needs SciPy, which is not installed: "
        'pip install "initspec[conformance]"\n'
    )


# -------------------------------------------------------------------------------------- selection

WORDS = st.sampled_from(["numpy", "he_normal", "float16", "86x8", "'as he'", '"(std=0.02)"'])
EXPRESSIONS = st.recursive(
    WORDS,
    lambda inner: (
        inner.map(lambda a: f"not {a}")
        | inner.map(lambda a: f"({a})")
        | st.tuples(inner, inner).map(" and ".join)
        | st.tuples(inner, inner).map(" or ".join)
    ),
    max_leaves=8,
)
NAMES = ["numpy as HE_normal 86x8 io float16", "torch as normal(std=0.02) 8x8", "numpy"]


@given(EXPRESSIONS, st.sampled_from(NAMES))
def test_selection_is_pythons_logic(expression: str, name: str) -> None:
    import re

    def value(match: "re.Match[str]") -> str:
        word = match[0]
        if word in ("not", "and", "or", "(", ")"):
            return word
        return str(word.strip("'\"").lower() in name.lower())

    python = re.sub(r"""'[^']+'|"[^"]+"|[()]|[^\s()]+""", value, expression)
    assert name_test(expression)(name) == eval(python)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "the end"),
        ("a b", "'b' comes unexpected"),
        ("(a", "not closed"),
        ("a)", "')' comes unexpected"),
        ("'a", "a quote is not closed"),
        ("and a", "'and'"),
        ("a or not", "the end"),
    ],
)
def test_selections_that_cannot_be_read(expression: str, reason: str) -> None:
    with pytest.raises(initspec.SpecError, match="cannot read the selection") as caught:
        name_test(expression)
    assert reason in str(caught.value)


# ------------------------------------------------------------------------------------------ power

ALPHA, BETA = 1e-9 / 32, 1e-6


@pytest.mark.parametrize("law", power.LAWS)
@pytest.mark.parametrize("error", [0.001, 0.01, 0.3])
def test_needed_inverts_detectable(law: str, error: float) -> None:
    for kind in power.KINDS:
        n = power.needed(kind, error, power.LAWS[law], ALPHA, BETA)
        assert power.detectable(kind, n, power.LAWS[law], ALPHA, BETA) <= error
        assert power.detectable(kind, n - 1, power.LAWS[law], ALPHA, BETA) > error


def test_a_fault_of_the_size_is_seen_at_the_number_needed() -> None:
    normal, rng = power.LAWS["normal"], np.random.default_rng(7)
    for error in (-0.1, 0.1):
        n = power.needed("scale", 0.1, normal, ALPHA, BETA)
        squares = (rng.normal(0, 1 + error, (100, n)) ** 2).sum(1)
        assert all(bounds.chi_square(float(total), n) < ALPHA for total in squares)
    # And a tenth of the number does not show it: the number is no gross overestimate.
    squares = (rng.normal(0, 1.1, (100, n // 10)) ** 2).sum(1)
    assert sum(bounds.chi_square(float(total), n // 10) < ALPHA for total in squares) < 50


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_coarse_sampler_is_betrayed_at_the_number_needed(bits: int) -> None:
    from initspec.conformance.batteries.marginal import collisions

    law, rng = power.LAWS["uniform"], np.random.default_rng(bits)
    n = power.needed_for_bits(bits, law, ALPHA, BETA)
    assert n is not None

    def p(n: int) -> float:
        values = (rng.integers(0, 2**bits, n) + 0.5) / 2 ** (bits - 1) - 1
        return collisions(values, law, "float32", power.RESOLUTION).p

    assert all(p(n) < ALPHA for _ in range(50))
    assert any(p(n // 4) >= ALPHA for _ in range(50))
    assert power.betrayed_bits(n, law, ALPHA, BETA) >= bits
    assert power.betrayed_bits(n // 2, law, ALPHA, BETA) < bits


def test_bits_that_nothing_betrays() -> None:
    assert power.needed_for_bits(24, power.LAWS["normal"], ALPHA, BETA) is None


def test_power_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "power", "--error", "1%", "--json")
    data = json.loads(out)
    assert code == 0
    assert data["needed"]["scale"] == power.needed("scale", 0.01, power.LAWS["normal"], ALPHA, BETA)
    assert data["needed"]["bits"]["16"] < 2**17
    assert json.loads(run(capsys, "power", "--error", "0.01", "--json")[1]) == data
    _, out, _ = run(capsys, "power", "--error", "1%")
    assert f"n = {data['needed']['scale']:>13,}  --tier deep" in out
    assert "more than any tier" in run(capsys, "power", "--error", "0.0001%")[1]
    _, out, _ = run(capsys, "power", "--n", "131072", "--law", "uniform", "--json")
    shown = json.loads(out)["detectable"]
    assert shown["scale"] < 0.03
    assert shown["bits"] == 21
    assert "21 bits or fewer" in run(capsys, "power", "--n", "131072")[1]
    more = json.loads(run(capsys, "power", "--n", "131072", "--cells", "1000", "--json")[1])
    assert more["decision"] == pytest.approx(1e-12 / 32)
    assert more["detectable"]["cdf"] > shown["cdf"]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--error", "much"], "--error is a share"),
        (["--error", "0"], "--error is a share"),
        (["--law", "norml"], "did you mean 'normal'"),
        (["--n", "0"], "--n counts from one"),
        (["--cells", "0"], "--cells counts from one"),
        (["--beta", "1"], "--beta is a chance"),
    ],
)
def test_power_refuses(capsys: pytest.CaptureFixture[str], argv: list[str], sentence: str) -> None:
    code, out, err = run(capsys, "power", *argv)
    assert (code, out) == (2, "")
    assert sentence in err


def test_tiers_are_those_of_the_design() -> None:
    for tier in DRAWS:
        assert parser().parse_args(["check", "--tier", tier]).tier == tier


# ------------------------------------------------------------------------------ the whole matrix


def test_processes_share_the_cells_of_adapters(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["check", "numpy", "--as", "he_normal", "--as", "zeros", "--dtype", "float32", "-v"]
    assert main([*argv, "--json", "-"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert main([*argv, "--json", "-", "--jobs", "2"]) == 0
    shared = json.loads(capsys.readouterr().out)
    for report in (alone, shared):
        for record in report["records"]:
            del record["seconds"]
    assert shared == alone


class Killer(backend.BackendTarget):
    """An adapter that takes its process with it."""

    def draw(self, *args: Any, **options: Any) -> Any:
        import os

        os._exit(7)


def test_a_process_that_dies_is_an_error_of_its_cells() -> None:
    scheme = initspec.get("zeros")
    cells = suite.backend_cells(["numpy"], only=["zeros"], dtypes=["float32"])
    target = Killer("numpy", scheme, None, "portable")
    report = suite.run([replace(cell, target=target) for cell in cells], jobs=2)
    assert {record.verdict for record in report.records} == {"ERROR"}
    assert "process" in report.records[0].sentence


def test_all_adapters_and_nothing_else_is_the_whole_matrix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = suite.backend_cells(["numpy"], only=["zeros"], dtypes=["float32"])
    monkeypatch.setattr(suite, "matrix", lambda names: few)
    assert main(["check", "--backend", "all", "--json", "-"]) == 1
    records = {one["cell"]: one for one in json.loads(capsys.readouterr().out)["records"]}
    assert records["cases"]["verdict"] == "PASS"
    assert records["clause law.sparse"]["verdict"] == "FAIL"  # nothing sparse was run
    assert "Each column of a sparse matrix" in records["clause law.sparse"]["sentence"]
    assert "clause law.constant" not in records


def test_the_matrix_has_a_thousand_cells_and_every_form_of_law() -> None:
    cells = suite.matrix(["numpy", "torch", "tensorflow", "jax"])
    assert len(cells) >= 1000
    assert {cell.scheme.distribution for cell in cells} == set(TAKES) - {"array"}
    assert {cell.tier for cell in cells} == {"exact", "stat"}
    plain = [initspec.get(name) for name, row in schemes.items() if row.dialect is None]
    laws = {scheme.on((86, 8), "io") for scheme in plain if scheme.mode}
    assert laws <= {scheme.on((86, 8), "io") for scheme in suite.distinct() if scheme.mode}


def test_a_framework_that_is_not_here_is_skipped(
    capsys: pytest.CaptureFixture[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "flax").mkdir()
    (project / "flax" / "__init__.py").write_text(
        "raise ModuleNotFoundError('No module named flax', name='flax')", "utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.syspath_prepend(str(project))
    assert main(["check", "flax.linen:initializers", "--as", "he_normal"]) == 3
    out = capsys.readouterr().out
    assert "SKIP" in out
    assert "flax.linen needs flax, which is not installed" in out


def test_the_claims_of_a_target_share_one_process(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from initspec.conformance.targets import process

    started: list[str] = []

    class Counted(process._Running):
        def __init__(self, variables: Mapping[str, str]) -> None:
            super().__init__(variables)
            started.append(variables.get("PYTHONHASHSEED", ""))

    monkeypatch.setattr(process, "_Running", Counted)
    text = "lib_of_theirs:he"
    argv = ["check", text, "--shape", "86x8", "--as", "he_normal@torch", "--as", "he_normal"]
    assert main(argv) == 1
    assert capsys.readouterr().out.count(f"{text} as he_normal") == 2
    assert sorted(started) == ["", "random"], "one process, and one with other hashes"


def test_the_deviations_that_come_with_the_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "numpy", "--as", "zeros", "--deviations", "known"]) == 0
    assert "PASS" in capsys.readouterr().out


def test_what_a_native_sampler_cannot_draw_is_skipped() -> None:
    pytest.importorskip("keras")
    cells = suite.backend_cells(
        ["keras"], only=["lecun_normal@flux"], dtypes=["float32"], streams=["native"]
    )
    found = suite.run(cells[:1]).records[0]
    assert found.verdict == "SKIP"
    assert "Keras truncates a normal law at two standard deviations" in found.sentence


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_native_numbers_of_16_bits_are_the_frameworks_own(dtype: str) -> None:
    pytest.importorskip("torch")
    cells = suite.backend_cells(["torch"], only=["he_uniform", "zeros"], dtypes=[dtype])
    found = {record.cell: record.verdict for record in suite.run(cells).records}
    skipped = {cell for cell, verdict in found.items() if verdict == "SKIP"}
    assert skipped == {cell for cell in found if "native as he_uniform" in cell}
    assert set(found.values()) == {"SKIP", "PASS"}
