"""The pytest plug-in, by running pytest on small projects."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip("scipy")

# Imported here, so that runs within this process do not import NumPy and SciPy a second time.
import initspec.backends.numpy.adapter
import initspec.conformance.pytest_parametrize
import initspec.conformance.suite
import initspec.conformance.targets.resolve
from initspec.conformance import pytest_plugin
from initspec.conformance.design import DECISIONS, DRAWS

pytest_plugins = "pytester"

HEAVY = ("numpy", "scipy", "torch", "tensorflow", "keras", "jax", "flax")

LIBRARY = """
import numpy as np

def he(shape, seed):
    deviation = np.sqrt(2 / np.prod(shape[:-1]))
    return np.random.default_rng(seed).normal(0, deviation, shape).astype("float32")

def lecun(shape, seed):
    return he(shape, seed) / np.float32(np.sqrt(2))

def glorot(shape, seed):
    limit = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return np.random.default_rng(seed).uniform(-limit, limit, shape).astype("float32")

TABLE = {"he_normal@torch": he, "glorot_uniform": glorot}
WRONG = {"he_normal@torch": lecun, "glorot_uniform": glorot}
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a library; pytest on it has our plug-in and no other one."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p initspec.conformance.pytest_plugin")
    pytester.makepyfile(lib_of_theirs=LIBRARY)
    pytester.syspathinsert()
    pytester.makeini("[pytest]\naddopts = --strict-markers --strict-config\n")
    return pytester


def words(result: pytest.RunResult) -> str:
    return result.stdout.str() + result.stderr.str()


# ---------------------------------------------------------------------------------------- loading


def fresh(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True
    )


def test_loading_imports_nothing_heavy() -> None:
    ask = f"import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    assert fresh(f"import pytest, initspec.conformance.pytest_plugin\n{ask}").stdout.split() == []
    assert fresh(f"import initspec.conformance.suite\n{ask}").stdout.split()[:2] == [
        "numpy",
        "scipy",
    ]


def test_a_run_that_does_not_use_it_imports_nothing_heavy(project: pytest.Pytester) -> None:
    project.makepyfile(
        f"""
        import sys
        def test_modules():
            assert "initspec.conformance.pytest_plugin" in sys.modules
            assert [name for name in {HEAVY!r} if name in sys.modules] == []
        """
    )
    result = project.runpytest_subprocess()
    result.assert_outcomes(passed=1)


def test_loading_takes_under_20_milliseconds() -> None:
    """By the interpreter's own account; the least of five runs, for the machine may be busy."""
    costs = []
    for _ in range(5):
        log = fresh(
            "import pytest; import initspec.conformance.pytest_plugin", "-X", "importtime"
        ).stderr
        found = re.search(r"\|\s+(\d+) \| initspec\.conformance\.pytest_plugin$", log, re.MULTILINE)
        assert found is not None
        costs.append(int(found[1]))
    assert min(costs) < 20_000


def test_the_entry_point_is_declared() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    if not project.exists():
        pytest.skip("needs the source tree")
    import tomllib

    doors = tomllib.loads(project.read_text("utf-8"))["project"]["entry-points"]
    assert doors["pytest11"] == {"initspec": "initspec.conformance.pytest_plugin"}


# ---------------------------------------------------------------------------------------- fixture


def test_assert_conforms(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from lib_of_theirs import he, lecun

        def test_right(assert_conforms):
            report = assert_conforms(he, "he_normal@torch", shape=(86, 8), dtype="float32")
            assert report.conforms and len(report.records) == 1

        def test_wrong(assert_conforms):
            assert_conforms(lecun, "he_normal@torch")

        def test_caught(assert_conforms):
            with pytest.raises(AssertionError, match="The truncation is missing"):
                assert_conforms(he, "he_normal", shape=(86, 8), layout="io")

        def test_text(assert_conforms):
            assert_conforms("lib_of_theirs:he", "he_normal@torch", shape=(86, 8), layout="io")
        """
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=3, failed=1)
    text = words(result)
    assert "E       AssertionError: FAIL" in text
    assert "explained by 1/fan_in" in text
    assert "assert_conforms(lecun" in text
    assert "__tracebackhide__" not in text  # the plug-in's own frames are not shown
    assert "pytest_plugin.py" not in text


def test_the_mark_gives_the_usual_arguments(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest
        from lib_of_theirs import he

        @pytest.mark.initspec("he_normal@torch", shape=(20, 30), tier="exact")
        class TestMarked:
            def test_class(self, assert_conforms):
                record, = assert_conforms(he).records
                assert (record.shape, record.tier) == ((20, 30), "exact")

            @pytest.mark.initspec("normal(std=1.0)", shape=(30, 20))
            def test_nearer(self, assert_conforms):
                with pytest.raises(AssertionError) as caught:
                    assert_conforms(he)
                assert "as normal(std=1.0) 30x20 io float32 exact" in str(caught.value)

        def test_none(assert_conforms):
            with pytest.raises(TypeError, match="say what the target claims"):
                assert_conforms(he)

        def test_other(): pass
        """
    )
    project.runpytest_inprocess().assert_outcomes(passed=4)
    project.runpytest_inprocess("-m", "initspec").assert_outcomes(passed=3, deselected=1)


def test_what_breaks_is_a_failure_with_a_sentence(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def broken(shape, seed):
            raise RuntimeError("out of order")

        def nan(shape, seed):
            import numpy as np
            return np.full(shape, np.nan, "float32")

        def test_broken(assert_conforms): assert_conforms(broken, "zeros", shape=(4, 3))
        def test_nan(assert_conforms): assert_conforms(nan, "zeros", shape=(4, 3))
        def test_name(assert_conforms): assert_conforms(nan, "zeross")
        """
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(failed=3)
    text = words(result)
    assert "the target raised RuntimeError: out of order" in text
    assert "are NaN or infinite" in text
    assert "did you mean 'zeros'" in text


def test_a_failure_says_how_to_judge_the_cell_again(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from functools import partial
        from lib_of_theirs import lecun

        def test_named(assert_conforms): assert_conforms(lecun, "he_normal@torch", shape=(86, 8))
        def test_made(assert_conforms):
            made = partial(lecun)
            assert_conforms(made, "he_normal@torch", shape=(86, 8), time_limit=9)
        def test_text(assert_conforms):
            assert_conforms("lib_of_theirs:lecun", "he_normal@torch", shape=(86, 8), time_limit=9)
        """
    )
    result = project.runpytest_inprocess(
        "--initspec-target=lib_of_theirs:WRONG", "--initspec-vary-seeds"
    )
    result.assert_outcomes(passed=1, failed=4)
    cell = "--shape 86x8 --layout io --dtype float32 --tier stat --vary-seeds"
    call = "initspec.conformance.check(target, 'he_normal@torch', shape=(86, 8), layout='io'"
    text = words(result)
    for line in (
        f"  initspec check lib_of_theirs:lecun --as he_normal@torch {cell}\n",
        f"  {call}, dtype='float32', tier='stat', vary_seeds=True)  # target: lib_of_theirs:lecun\n",
        f"  initspec check lib_of_theirs:lecun --as he_normal@torch {cell} --time-limit 9\n",
        f"  initspec check \"lib_of_theirs:WRONG['he_normal@torch']\" --as he_normal@torch {cell}\n",
    ):
        assert line in text


# ------------------------------------------------------------------------------------- properties


def test_junit_holds_the_facts(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from lib_of_theirs import he
        def test_it(assert_conforms): assert_conforms(he, "he_normal@torch", shape=(86, 8))
        """
    )
    result = project.runpytest_inprocess(
        "--junitxml=r.xml", "--initspec-target=lib_of_theirs:lecun=he_normal@torch"
    )
    result.assert_outcomes(passed=1, failed=1)
    tree = ElementTree.parse(project.path / "r.xml")
    found = {
        case.get("name"): {item.get("name"): item.get("value") for item in case.iter("property")}
        for case in tree.iter("testcase")
    }
    facts = found["test_it"]
    (cell,) = {re.sub(r"^[\w.]+\[(.*)\]$", r"\1", str(name)) for name in facts}
    assert facts[f"initspec.verdict[{cell}]"] == "PASS"
    assert facts[f"initspec.n[{cell}]"] == str(DRAWS["stat"] // (86 * 8) * 86 * 8 + 86 * 8)
    assert float(str(facts[f"initspec.alpha[{cell}]"])) == pytest.approx(
        1e-9 / pytest_plugin.CELLS / DECISIONS
    )
    assert float(str(facts[f"initspec.p[{cell}]"])) > 1e-9
    assert str(facts[f"initspec.scale[{cell}]"]).startswith(("0.9", "1.0"))
    claim = found["lib_of_theirs:lecun=he_normal@torch"]
    assert {value for name, value in claim.items() if "verdict" in str(name)} == {"FAIL"}


# ---------------------------------------------------------------------------------------- options


def test_targets_become_items(project: pytest.Pytester) -> None:
    argv = [
        "--initspec-target=lib_of_theirs:he=he_normal@torch",
        "--initspec-target=lib_of_theirs:WRONG",
    ]
    result = project.runpytest_inprocess("-v", *argv)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "initspec::lib_of_theirs:he=he_normal@torch PASSED*",
            "initspec::lib_of_theirs:WRONG[[]he_normal@torch] FAILED*",
            "initspec::lib_of_theirs:WRONG[[]glorot_uniform] PASSED*",
            "*explained by 1/fan_in*",
        ]
    )
    assert "Traceback" not in words(result)
    project.runpytest_inprocess("-k", "WRONG and glorot", *argv).assert_outcomes(
        passed=1, deselected=2
    )
    project.runpytest_inprocess("-m", "not initspec", *argv).assert_outcomes(deselected=3)


def test_a_target_that_cannot_be_had_fails_and_others_go_on(project: pytest.Pytester) -> None:
    argv = ["--initspec-target=no_such_lib:f=zeros", "--initspec-target=lib_of_theirs:gone=zeros"]
    result = project.runpytest_inprocess(
        *argv, "--initspec-target=lib_of_theirs:he=he_normal@torch"
    )
    result.assert_outcomes(passed=1, failed=2)
    assert "no_such_lib cannot be imported" in words(result)


def test_the_ini_file(project: pytest.Pytester) -> None:
    project.makeini(
        """
        [pytest]
        initspec_targets =
            lib_of_theirs:he=he_normal@torch
            lib_of_theirs:TABLE
        initspec_alpha = 1e-6
        initspec_tier = exact
        initspec_vary_seeds = true
        """
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["initspec: tier exact, 1024 cells with at most 1e-06 chance of a false alarm*fresh seeds"]
    )
    argv = ["--initspec-tier=stat", "--initspec-alpha=1e-12"]
    header = "initspec: tier stat, 1024 cells with at most 1e-12 chance*"
    project.runpytest_inprocess(*argv).stdout.fnmatch_lines([header])


def test_the_header(project: pytest.Pytester) -> None:
    project.makepyfile("def test(): pass")
    project.runpytest_inprocess().stdout.fnmatch_lines(
        [
            "initspec: tier stat, 1024 cells with at most 1e-09 chance of a false alarm among "
            "them, seeds fixed by the cells' names"
        ]
    )


def test_seeds(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from lib_of_theirs import he
        def test_it(assert_conforms, request):
            report = assert_conforms(he, "he_normal@torch", shape=(86, 8), tier="exact")
            with open("seeds.txt", "a") as file:
                print(report.records[0].seed, file=file)
        """
    )
    for argv in ([], [], ["--initspec-vary-seeds"], ["--initspec-vary-seeds"]):
        project.runpytest_inprocess(*argv).assert_outcomes(passed=1)
    one, two, three, four = (project.path / "seeds.txt").read_text().split()
    assert one == two
    assert len({one, three, four}) == 3


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--initspec-alpha=0"], "initspec_alpha is a chance, such as 1e-9"),
        (["--initspec-tier=quick"], "invalid choice: 'quick'"),
        (["-o", "initspec_tier=quick"], "initspec_tier is one of exact, stat, deep, not 'quick'"),
        (["-o", "initspec_alpha=much"], "initspec_alpha is a chance"),
        (["--initspec-target=lib_of_theirs:he=he_norml"], "did you mean 'he_normal'"),
        (["--initspec-target=lib_of_theirs:he"], "not a table"),
    ],
)
def test_bad_options(project: pytest.Pytester, argv: list[str], sentence: str) -> None:
    result = project.runpytest_inprocess(*argv)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert sentence in words(result)
    assert "INTERNALERROR" not in words(result)


def test_tiers_are_those_of_the_design() -> None:
    assert tuple(DRAWS) == pytest_plugin.TIERS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("lib:f=he_normal", ("lib:f", "he_normal")),
        ("lib:f(std=0.02)=normal(std=0.02)", ("lib:f(std=0.02)", "normal(std=0.02)")),
        ("lib:T['a=b']=zeros", ("lib:T['a=b']", "zeros")),
        ("lib:TABLE", ("lib:TABLE", "")),
    ],
)
def test_split(text: str, parts: tuple[str, str]) -> None:
    assert pytest_plugin.split(text) == parts


# ------------------------------------------------------------------------------------ parametrize


def test_parametrize(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from initspec.conformance import parametrize
        from lib_of_theirs import TABLE, he

        @parametrize(TABLE)
        def test_mapping(conformance_check):
            assert conformance_check().conforms

        @parametrize("lib_of_theirs:WRONG")
        def test_text(conformance_check):
            conformance_check(shape=(86, 8), layout="io")

        @parametrize(he, {"he_normal@torch": {"shape": (20, 30)}, "glorot_uniform": {}})
        def test_claims(conformance_check):
            assert conformance_check().records[0].shape == (20, 30)

        @parametrize("numpy", ["zeros", "ones"])
        def test_backend(conformance_check):
            conformance_check(tier="exact")
        """
    )
    result = project.runpytest_inprocess("-v")
    result.assert_outcomes(passed=6, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*test_mapping[[]he_normal@torch] PASSED*",
            "*test_mapping[[]glorot_uniform] PASSED*",
            "*test_text[[]he_normal@torch] FAILED*",
            "*test_text[[]glorot_uniform] PASSED*",
            "*test_claims[[]he_normal@torch] PASSED*",
            "*test_claims[[]glorot_uniform] FAILED*",
            "*test_backend[[]zeros] PASSED*",
        ]
    )


def test_a_backend_claims_every_scheme() -> None:
    from initspec.conformance.pytest_parametrize import listed

    assert [scheme for _, scheme, _ in listed("numpy", None)] == list(initspec.schemes)


@pytest.mark.parametrize("claims", [None, 3, [], {"he_norml": {}}])
def test_parametrize_refuses(claims: Any) -> None:
    from initspec.conformance import parametrize

    with pytest.raises(initspec.InitSpecError):
        parametrize(lambda shape, seed: None, claims)


# ---------------------------------------------------------------------------------------- workers


def test_workers_judge_alike(project: pytest.Pytester) -> None:
    """The same items, levels and seeds on two workers as in one process."""
    pytest.importorskip("xdist")
    project.makepyfile(
        """
        import pytest
        from initspec.conformance import parametrize
        from lib_of_theirs import TABLE

        @parametrize(TABLE)
        def test_table(conformance_check): conformance_check(shape=(86, 8))
        """
    )
    argv = ["--initspec-target=lib_of_theirs:TABLE", "-p", "xdist"]
    found = []
    for workers in ([], ["-n", "2"]):
        result = project.runpytest_subprocess(*argv, *workers, "--junitxml=r.xml")
        result.assert_outcomes(passed=4)
        tree = ElementTree.parse(project.path / "r.xml")
        found.append(
            {
                case.get("name"): [(i.get("name"), i.get("value")) for i in case.iter("property")]
                for case in tree.iter("testcase")
            }
        )
    assert found[0] == found[1]
    assert all(found[0].values())
