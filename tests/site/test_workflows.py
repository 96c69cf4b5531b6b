"""The GitHub action and the workflows: they are what GitHub takes, and what they run works.

The scripts are taken out of the files and run, with the environment that GitHub would give them.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")
pytest.importorskip("scipy")

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOWS = ROOT / ".github" / "workflows"
REUSABLE, CI = WORKFLOWS / "conformance.yml", WORKFLOWS / "ci.yml"
INPUTS = {"target", "as", "backend", "tier", "alpha", "deviations", "version", "python"}

pytestmark = pytest.mark.skipif(
    not ACTION.exists() or sys.platform == "win32", reason="needs the source tree and bash"
)

LIBRARY = """
import numpy as np

def he(shape, seed):
    deviation = np.sqrt(2 / np.prod(shape[:-1]))
    return np.random.default_rng(seed).normal(0, deviation, shape).astype("float32")

def glorot(shape, seed):
    limit = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return np.random.default_rng(seed).uniform(-limit, limit, shape).astype("float32")

TABLE = {"he_normal@torch": he, "glorot_uniform": glorot}
"""


def read(path: Path) -> Any:
    """YAML as GitHub reads it: ``on`` is a word."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        pass

    Loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load(path.read_text("utf-8"), Loader)


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every list of steps, with where it stands."""
    yield "action.yml", read(ACTION)["runs"]
    for path in (REUSABLE, CI):
        for name, job in read(path)["jobs"].items():
            yield f"{path.name}, {name}", job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for place, job in jobs():
        for step in job["steps"]:
            yield f"{place}, {step.get('name', step.get('uses'))}", step


def named(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [step for step in steps if step.get("name") == name]
    return found


# ------------------------------------------------------------------------------------- what it is


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-actions", [ACTION]), ("vendor.github-workflows", [REUSABLE, CI])],
)
def test_the_schemas_of_github(schema: str, files: list[Path]) -> None:
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_can_refuse(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    wrong = tmp_path / "action.yml"
    wrong.write_text(ACTION.read_text("utf-8").replace("using: composite", "using: bash"), "utf-8")
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-actions",
    ]
    assert subprocess.run([*command, str(wrong)], capture_output=True).returncode == 1


def test_scripts_hold_no_template() -> None:
    """What a caller writes comes through the environment, never into a script's text."""
    scripts = [(place, step["run"]) for place, step in steps() if "run" in step]
    assert len(scripts) > 10
    for place, script in scripts:
        assert "${{" not in script, place


def test_actions_are_pinned() -> None:
    lines = [
        line
        for path in (ACTION, REUSABLE, CI)
        for line in path.read_text("utf-8").splitlines()
        if re.match(r"\s*(- )?uses:", line)
    ]
    assert len(lines) > 8
    for line in lines:
        assert re.search(r"uses: (\./$|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)", line), line
    pins = {tuple(re.findall(r"uses: (\S+)@(\w+) # (\S+)", line)) for line in lines}
    assert len({pin[0][0] for pin in pins if pin}) == len([pin for pin in pins if pin])


def test_no_more_rights_than_needed() -> None:
    for path in (REUSABLE, CI):
        assert read(path)["permissions"] == {"contents": "read"}
    for place, step in steps():
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false", place


def test_the_action_takes_what_it_says_and_uploads_nothing() -> None:
    action = read(ACTION)
    assert set(action["inputs"]) == INPUTS
    used = re.findall(r"inputs\.(\w+)", ACTION.read_text("utf-8"))
    assert set(used) == INPUTS
    assert all(row["description"] for row in action["inputs"].values())
    assert not [step for step in action["runs"]["steps"] if "upload" in step.get("uses", "")]
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"] if "run" in step)


def test_the_workflow_is_the_action_for_a_repository() -> None:
    workflow = read(REUSABLE)
    inputs = workflow["on"]["workflow_call"]["inputs"]
    assert set(inputs) == INPUTS | {"install"}
    used = re.findall(r"inputs\.(\w+)", REUSABLE.read_text("utf-8"))
    assert set(used) == INPUTS | {"install"}
    action = read(ACTION)
    for name in INPUTS - {"python"}:
        assert inputs[name]["default"] == action["inputs"][name]["default"], name
    theirs = named(workflow["jobs"]["conformance"]["steps"], "Judge")
    ours = named(action["runs"]["steps"], "Judge")
    assert theirs["run"] == ours["run"]
    assert theirs["env"] == ours["env"]


def test_our_own_matrix() -> None:
    jobs = read(CI)["jobs"]
    assert jobs["one"]["strategy"]["matrix"]["framework"] == [
        "numpy",
        "torch",
        "tensorflow",
        "keras",
        "jax",
    ]
    assert jobs["one"]["strategy"]["matrix"]["versions"] == ["minimum", "newest"]
    assert {"minimum", "newest"} <= set(jobs["all"]["strategy"]["matrix"]["versions"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    minimum = project["requires-python"].removeprefix(">=")
    for job in (jobs["one"], jobs["all"]):
        pythons = {
            row["versions"]: row["python"]
            for row in job["strategy"]["matrix"]["include"]
            if "python" in row
        }
        assert pythons["minimum"] == minimum
        assert f"Programming Language :: Python :: {pythons['newest']}" in project["classifiers"]


# --------------------------------------------------------------------------------- what it runs


class Runner:
    """A machine of GitHub's, as far as scripts see it. ``python`` is this interpreter."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.project = room / "project"
        self.project.mkdir()
        (self.project / "lib_of_theirs.py").write_text(LIBRARY, "utf-8")
        tools = room / "tools"
        tools.mkdir()
        (tools / "python").symlink_to(sys.executable)
        (room / "temp").mkdir()
        self.env = {
            "PATH": f"{tools}:/usr/bin:/bin",
            "HOME": str(room),
            "RUNNER_TEMP": str(room / "temp"),
            "GITHUB_STEP_SUMMARY": str(room / "summary.md"),
            "GITHUB_OUTPUT": str(room / "output.txt"),
            "GITHUB_ENV": str(room / "env.txt"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV"):
            Path(self.env[name]).touch()

    def shim(self) -> Path:
        """From now on pip, pytest, ruff and mypy are not run but written down."""
        python, log = Path(self.env["PATH"].partition(":")[0]) / "python", self.room / "log.jsonl"
        python.unlink()
        python.write_text(
            f"""#!{sys.executable}
import json, os, sys
if sys.argv[1:2] == ["-m"] and sys.argv[2] in ("pip", "pytest", "ruff", "mypy"):
    with open({str(log)!r}, "a") as file:
        print(json.dumps([sys.argv[2:], os.environ.get("PIP_CONSTRAINT")]), file=file)
else:
    os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])
""",
            "utf-8",
        )
        python.chmod(0o755)
        return log

    def run(self, step: dict[str, Any], values: dict[str, str], **more: Any) -> Any:
        """A step, with ``${{ ... }}`` of its environment filled in, as bash runs it on GitHub."""
        env = {name: filled(text, values) for name, text in step.get("env", {}).items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=more.get("cwd", self.project),
            env={**self.env, **env, **more.get("env", {})},
            capture_output=True,
            text=True,
        )

    @property
    def summary(self) -> str:
        return Path(self.env["GITHUB_STEP_SUMMARY"]).read_text("utf-8")

    @property
    def report(self) -> Any:
        (line,) = Path(self.env["GITHUB_OUTPUT"]).read_text("utf-8").splitlines()
        return json.loads(Path(line.removeprefix("report=")).read_text("utf-8"))


def filled(text: str, values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return values[match[1]]

    return re.sub(r"\$\{\{ ([\w.]+) \}\}", value, str(text))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def judge(runner: Runner, **inputs: str) -> Any:
    action = read(ACTION)
    usual = {name: row["default"] for name, row in action["inputs"].items()}
    unknown = set(inputs) - set(usual) - {"as_"}
    assert not unknown
    given = {**usual, **{name.rstrip("_"): text for name, text in inputs.items()}}
    values = {f"inputs.{name}": text for name, text in given.items()}
    return runner.run(named(action["runs"]["steps"], "Judge"), values)


def test_the_action_passes_a_right_initializer(runner: Runner) -> None:
    done = judge(runner, target="lib_of_theirs:he", as_="he_normal@torch")
    assert done.returncode == 0, done.stderr
    assert "### initspec: PASS" in runner.summary
    assert runner.report["verdict"] == "PASS"
    assert "PASS: 2 PASS" in done.stdout


def test_the_action_refuses_a_wrong_one_and_says_why(runner: Runner) -> None:
    done = judge(runner, target="lib_of_theirs:he\n\n  lib_of_theirs:glorot\n", as_="he_normal")
    assert done.returncode == 1
    assert "The truncation is missing" in runner.summary
    assert {record["target"] for record in runner.report["records"]} == {
        "lib_of_theirs:he",
        "lib_of_theirs:glorot",
    }


def test_the_action_takes_tables_adapters_and_options(runner: Runner) -> None:
    done = judge(runner, target="lib_of_theirs:TABLE", tier="exact", alpha="1e-6")
    assert done.returncode in (0, 1), done.stderr
    assert runner.report["alpha"] == 1e-6
    assert {record["tier"] for record in runner.report["records"]} == {"exact"}
    Path(runner.env["GITHUB_OUTPUT"]).write_text("")
    done = judge(runner, backend="numpy", as_="zeros")
    assert done.returncode == 0, done.stderr
    assert {record["target"] for record in runner.report["records"]} == {"numpy"}


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"target": "lib_of_theirs:he", "as_": "he_norml"}, 2),
        ({}, 2),
        ({"target": "--help"}, 2),
        ({"backend": "numppy"}, 2),
    ],
)
def test_the_action_says_so_where_nothing_was_judged(
    runner: Runner, inputs: dict[str, str], code: int
) -> None:
    done = judge(runner, **inputs)
    assert done.returncode == code
    assert f"initspec judged nothing (exit code {code})" in runner.summary


def test_inputs_are_words_and_not_commands(runner: Runner) -> None:
    mark = runner.room / "mark"
    for text in (f"a; touch {mark}", f"$(touch {mark})", f"`touch {mark}`", f'" && touch {mark} #'):
        names = ("target", "as_", "backend", "tier", "alpha", "deviations")
        assert judge(runner, **dict.fromkeys(names, text)).returncode == 2
    assert not mark.exists()


def test_the_action_installs_itself(runner: Runner) -> None:
    log = runner.shim()
    install = named(read(ACTION)["runs"]["steps"], "Install")
    for version in ("", "0.1.0"):
        assert runner.run(install, {"inputs.version": version}).returncode == 0
    done = runner.run(install, {"inputs.version": "installed"})
    assert done.stdout.startswith("initspec ")
    assert [json.loads(line)[0] for line in log.read_text().splitlines()] == [
        ["pip", "install", f"{ROOT}[conformance]"],
        ["pip", "install", "initspec[conformance]==0.1.0"],
    ]


def test_the_workflow_installs_the_callers_package(runner: Runner) -> None:
    log = runner.shim()
    install = named(read(REUSABLE)["jobs"]["conformance"]["steps"], "Install")
    for wanted, version in ((".", ""), (".[extra]\nnumpy<3\n", "0.1.0"), (".", "installed")):
        values = {"inputs.install": wanted, "inputs.version": version}
        assert runner.run(install, values).returncode == 0
    assert [json.loads(line)[0] for line in log.read_text().splitlines()] == [
        ["pip", "install", ".", "initspec[conformance]"],
        ["pip", "install", ".[extra]", "numpy<3", "initspec[conformance]==0.1.0"],
        ["pip", "install", "."],
    ]


def test_what_our_own_matrix_runs(runner: Runner) -> None:
    """Every script of ci.yml, for each row of its matrix; what it installs and tests is written
    down, and NumPy is judged indeed.
    """
    log = runner.shim()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    matrix = read(CI)["jobs"]["one"]["strategy"]["matrix"]
    job = read(CI)["jobs"]["one"]
    for framework in matrix["framework"]:
        for versions in matrix["versions"]:
            values = {"framework": framework, "versions": versions}
            for row in matrix["include"]:
                if all(values.get(name, text) == text for name, text in row.items()):
                    values |= row
            values = {f"matrix.{name}": text for name, text in values.items()}
            env = {name: filled(text, values) for name, text in job["env"].items()}
            for name in ("Choose versions", "Install", "Test"):
                done = runner.run(named(job["steps"], name), {}, env=env, cwd=ROOT)
                assert done.returncode == 0, done.stderr
                for line in Path(runner.env["GITHUB_ENV"]).read_text().splitlines():
                    env |= [line.split("=", 1)]
            pins = (runner.room / "temp" / "pins.txt").read_text()
            assert ("scipy==" in pins) == (versions == "minimum")
            (runner.room / "temp" / "pins.txt").unlink()
            (install, constraint), (test, _) = map(json.loads, log.read_text().splitlines())
            log.unlink()
            assert constraint == str(runner.room / "temp" / "pins.txt")
            (wanted,) = re.findall(r"\.\[(.*)\]", " ".join(install))
            assert {"conformance", framework} <= {*wanted.split(","), "numpy"}
            assert set(wanted.split(",")) <= set(extras)
            assert test == ["pytest", "-n", "2", "--dist", "loadfile", "-m", "not slow"]
    step = {**named(job["steps"], "Judge")}
    step["run"] = step["run"].replace('"--json', '--as=zeros "--json')  # all of it takes minutes
    done = runner.run(step, {}, env={"BACKEND": "numpy"})
    assert done.returncode == 0, done.stderr
    assert "### initspec: PASS" in runner.summary
    assert (runner.room / "temp" / "initspec.xml").exists()


@pytest.mark.parametrize("versions", ["minimum", "tested", "newest"])
def test_what_the_job_with_all_runs(runner: Runner, versions: str) -> None:
    log = runner.shim()
    job = read(CI)["jobs"]["all"]
    for step in job["steps"]:
        if "run" in step:
            done = runner.run(step, {}, env={"VERSIONS": versions}, cwd=ROOT)
            assert done.returncode == 0, done.stderr
    pins = (runner.room / "temp" / "pins.txt").read_text()
    if versions == "tested":
        assert pins == (ROOT / "constraints.txt").read_text()
    else:
        assert ("tensorflow==2.17.*" in pins) == (versions == "minimum")
    assert ["pip", "install", "-e", ".[test]"] in [
        json.loads(line)[0] for line in log.read_text().splitlines()
    ]
    assert named(job["steps"], "Judge")["with"] == {"backend": "all", "version": "installed"}


def test_what_runs_at_night() -> None:
    """Its options are read, and its names are known."""
    from initspec.commands.main import parser
    from initspec.readings.registry import get

    script = named(read(CI)["jobs"]["nightly"]["steps"], "Judge")["run"].replace("\\\n", " ")
    for line in script.splitlines():
        args = parser().parse_args(shlex.split(line)[3:])
        assert args.backend == ["all"]
        assert args.vary_seeds
        assert all(get(claim) for claim in args.claims or ())


def test_minimum_versions() -> None:
    script = ROOT / "tests" / "scripts" / "minimum.py"

    def run(*argv: str) -> Any:
        command = [sys.executable, str(script), *argv]
        return subprocess.run(command, capture_output=True, text=True)

    lines = run().stdout.splitlines()
    assert "numpy==1.26.*" in lines
    assert "jax==0.4.35" in lines
    assert "torch==2.5.1" in run("torch=2.5.1").stdout.splitlines()
    assert run("torhc=2.5").returncode == 1


def test_the_nightly_calibration(tmp_path: Path) -> None:
    script = named(read(CI)["jobs"]["nightly"]["steps"], "Calibrate")["run"]
    _, path, *options = shlex.split(script)
    assert options == ["--cells", "20000", "--out", "calibration.json"]
    command = [sys.executable, ROOT / path, "--cells", "64", "--processes", "1", "--out", "c.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert json.loads((tmp_path / "c.json").read_text())
    assert done.returncode == 0, done.stdout + done.stderr
