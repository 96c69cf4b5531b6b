"""The command line, as a process and as a function."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import initspec
from initspec.commands.main import main

DIGEST = "66b378dfce8839adb77228aac806691a9c056ddc15850055e38ac6b1da7cd1a1"


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def words(text: str) -> str:
    """The text without its line breaks and indents."""
    return " ".join(text.split())


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert all(name in out for name in initspec.schemes)
    _, out, _ = run(capsys, "list", "--json", "--dialect", "berry")
    assert [row["name"] for row in json.loads(out)] == ["xavier@berry", "deepnet@berry"]
    _, out, _ = run(capsys, "list", "--dialect", "torch")
    assert out.startswith("torch: PyTorch 2.13.0\n")
    assert "Fans: torch: fan_in = rest * K and fan_out = first * K" in words(out)
    assert "Source: torch/nn/init.py (run)" in words(out)
    assert "sparse@torch ceil(0.9 * outputs) zeros for each input unit, the rest" in words(out)
    assert "truncated_normal@torch<2.12 truncated normal" in words(out)
    _, out, _ = run(capsys, "list", "--dialect", "caffe")
    assert "No scheme: positive_unitball: it draws rows that sum to one" in words(out)


def test_show_a_dialects_row(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "trunc_normal@torch<2.12")
    assert out.startswith("truncated_normal@torch<2.12, torch.nn.init.trunc_normal_\n")
    assert "Holds: before 2.12" in words(out)
    assert "Source: torch/nn/init.py (read, not run)" in words(out)
    assert "Arguments: mean, std (on std), a (on limit), b (on limit)" in words(out)
    _, out, _ = run(capsys, "show", "xavier_normal@neupy", "--json")
    data = json.loads(out)
    assert json.loads(run(capsys, "show", "XavierNormal@neupy", "--json")[1]) == data
    assert data["call"] == "neupy.init.XavierNormal"
    assert data["units"] == {"gain": "variance"}
    assert (data["fans"], data["evidence"], data["version"]) == ("naive_2d", "read", "317ed420")
    assert data["other_readings"]["glorot_normal"].startswith("truncated normal")


def test_show_says_first_whose_reading_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "kaiming_normal", "--shape", "256", "512")
    lines = out.splitlines()
    assert (
        lines[0] == "he_normal, without a dialect: the reading that Keras, TensorFlow and JAX share"
    )
    for name, whose in (
        ("normal", "the reading that Keras and TensorFlow share"),
        ("delta_orthogonal", "the reading that TensorFlow and JAX share"),
        ("dirac", "as PyTorch"),
        ("bilinear", "a reading of its own"),
        ("sparse", "a reading of its own"),
    ):
        assert run(capsys, "show", name)[1].startswith(f"{name}, without a dialect: {whose}\n")
    law = "normal, mean 0, variance 2 / fan_in"
    assert f"@caffe, @chainer, @dl4j, @flux, @mindspore, @paddle, @thinc, @torch: {law}" in words(
        out
    )
    assert "Same law: @flax, @jax, @keras, @keras<3.15, @tensorflow Otherwise:" in words(out)
    assert out.count("@keras<3.15") == 1
    assert "0.0883883476" in out
    _, out, _ = run(capsys, "show", "he_normal@torch", "--json", "--shape", "256", "512")
    data = json.loads(out)
    assert data["dialect"] == "torch"
    assert data["on"]["support"] == ["-inf", "inf"]
    assert data["on"]["fan_in"] == 256
    for name in initspec.schemes:
        assert run(capsys, "show", name)[0] == 0


def test_fans(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "fans", "64", "128", "3", "3", "--layout", "torch.ConvTranspose2d")
    assert "fan_in   576" in out
    assert "say fan_in 1152, fan_out 576" in out
    _, out, _ = run(capsys, "fans", "4", "6", "--json")
    assert json.loads(out)["fan_out"] == 6
    argv = ("fans", "100", "8", "--layout", "torch.Embedding", "--rule", "torch")
    assert "fan_in   8\nfan_out  100" in run(capsys, *argv)[1]
    assert json.loads(run(capsys, *argv, "--json")[1])["rule"] == "torch"


def test_sample_digest(capsys: pytest.CaptureFixture[str]) -> None:
    argv = (
        "sample",
        "he_normal",
        "--shape",
        "256",
        "512",
        "--layout",
        "io",
        "--seed",
        "42",
        "--digest",
    )
    _, out, _ = run(capsys, *argv, "--json")
    data = json.loads(out)
    assert data["sha256"] == DIGEST
    assert data["mean"] == -0.0003577588174193255
    assert data["std"] == 0.08832798745595707
    assert data["shape"] == [256, 512]
    assert data["dtype"] == "float32"
    assert data["stream"] == "initspec/1"
    assert DIGEST in run(capsys, *argv)[1]
    assert DIGEST not in run(capsys, *argv, "--name", "w")[1]
    assert DIGEST not in run(capsys, *argv, "--stream", "native")[1]


def test_sample_to_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "w.npy"
    assert run(capsys, "sample", "he_normal", "--shape", "8", "4", "--out", str(out))[0] == 0
    assert np.array_equal(np.load(out), initspec.get("he_normal").numpy((8, 4), seed=0))
    safetensors = pytest.importorskip("safetensors")
    out = tmp_path / "w.safetensors"
    argv = ("sample", "he_normal", "--shape", "8", "4", "--name", "fc.weight", "--out", str(out))
    assert run(capsys, *argv)[0] == 0
    with safetensors.safe_open(out, "numpy") as file:
        assert np.array_equal(
            file.get_tensor("fc.weight"),
            initspec.get("he_normal").numpy((8, 4), seed=0, name="fc.weight"),
        )
        assert file.metadata()["stream"] == "initspec/1"


def test_shapes_without_axes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "sample", "ones", "--shape", "--json")
    assert (code, json.loads(out)["shape"]) == (0, [])


@pytest.mark.parametrize("written", ["86 8", "86x8", "86,8", "86, 8", "(86, 8)"])
def test_a_shape_is_written_one_way_everywhere(
    capsys: pytest.CaptureFixture[str], written: str
) -> None:
    shape = [written] if written.startswith("(") else written.split()
    for argv in (
        ["show", "he_normal", "--json", "--shape", *shape],
        ["sample", "he_normal", "--json", "--shape", *shape],
        ["fans", "--json", *shape],
        ["diff", "he_normal", "he_uniform", "--json", "--shape", *shape],
        ["generate", "he_normal", "--to", "torch", "--json", "--shape", *shape],
        ["check", "numpy", "--as", "zeros", "--tier", "exact", "--json", "--shape", *shape],
    ):
        code, out, _ = run(capsys, *argv)
        assert code == 0, argv
        assert "86" in out or "generate" in argv
    data = json.loads(run(capsys, "fans", "--json", *shape)[1])
    assert (data["shape"], data["fan_in"]) == ([86, 8], 86)


@pytest.mark.parametrize("written", ["86*8", "x", "86xx8", "3.5", "", "8x"])
def test_what_is_no_shape(capsys: pytest.CaptureFixture[str], written: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["show", "he_normal", "--shape", written])
    assert f"{written!r} is no shape: write 86 8, 86x8 or 86,8" in capsys.readouterr().err


def test_an_order_that_is_assumed_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    line = "hwio is assumed, as Keras and JAX store it; PyTorch's order is oihw."
    for argv in (
        ["fans", "64", "128", "3", "3"],
        ["fans", "64x128x3x3", "--rule", "torch"],
        ["show", "he_normal", "--shape", "64x128x3x3"],
    ):
        assert line in run(capsys, *argv)[1]
        assert line not in run(capsys, *argv, "--layout", "oihw")[1]
    assert "assumed" not in run(capsys, "fans", "7", "--rule", "last_two")[1]


def test_the_help_names_all_that_can_be_given() -> None:
    from initspec.analysis.activations import ACTIVATIONS
    from initspec.commands.main import parser
    from initspec.spec.fan_rules import RULES

    actions = parser()._actions
    commands = next(a.choices for a in actions if isinstance(a, argparse._SubParsersAction))
    for command, names in (("fans", RULES), ("signal", ACTIVATIONS)):
        text = words(commands[command].format_help())
        assert [name for name in names if name not in text] == []


def test_schema_and_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "schema", "--json")
    assert json.loads(out)["title"] == "initspec schemes, format 1"
    assert json.loads(run(capsys, "schema")[1]) == json.loads(out)
    _, out, _ = run(capsys, "doctor", "--json")
    data = json.loads(out)
    assert data["initspec"] == initspec.__version__
    assert data["numpy"] == np.__version__


@pytest.mark.parametrize(
    ("argv", "code", "sentence"),
    [
        (["show", "he_norml"], 2, "did you mean 'he_normal'"),
        (["sample", "he_normal", "--shape", "3"], 2, "has no fans"),
        (["sample", "he_normal", "--shape", "3", "-4"], 2, "sizes of at least 0"),
        (["sample", "he_normal", "--shape", "3", "4", "--seed", "-1"], 2, "0 to 2**64 - 1"),
        (["sample", "he_normal", "--shape", "3", "4", "--dtype", "int8"], 2, "unknown dtype"),
        (
            ["sample", "he_normal", "--shape", "3", "4", "--backend", "numppy"],
            2,
            "did you mean 'numpy'",
        ),
        (["sample", "he_normal", "--shape", "3", "4", "--stream", "x"], 2, "unknown stream"),
        (["sample", "he_normal", "--shape", "3", "4", "--out", "/none/w.npy"], 2, "does not exist"),
        (
            ["sample", "he_normal", "--shape", "3", "4", "--out", "w.pt"],
            2,
            "unknown file type '.pt'",
        ),
        (["fans", "3", "4", "--layout", "oihw"], 2, "names 4 axes"),
        (["fans", "3", "4", "--rule", "torc"], 2, "did you mean 'torch'"),
        (["show", "he_normal@torch=2"], 2, "cannot read the version"),
        (["list", "--dialect", "kera"], 2, "did you mean 'keras'"),
    ],
)
def test_bad_input(
    capsys: pytest.CaptureFixture[str], argv: list[str], code: int, sentence: str
) -> None:
    found, out, err = run(capsys, *argv)
    assert (found, out) == (code, "")
    assert err.startswith("initspec: ")
    assert sentence in err
    found, out, err = run(capsys, *argv, "--json")
    assert (found, err) == (code, "")
    assert sentence in json.loads(out)["message"]


def test_usage_errors_exit_with_2() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["sample", "he_normal"])


def test_as_a_process() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "initspec", "fans", "3", "4"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    version = subprocess.run(
        [str(Path(sys.executable).with_name("initspec")), "--version"],
        capture_output=True,
        text=True,
    )
    assert version.stdout.strip() == f"initspec {initspec.__version__}, stream initspec/1, spec 1"


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["check", "--help"]])
def test_the_start_is_cheap(argv: list[str]) -> None:
    """Nothing of the library is imported but the commands themselves."""
    code = (
        "import sys\nfrom initspec.commands.main import main\n"
        f"try: main({argv!r})\nexcept SystemExit: pass\n"
        "rooms = ('numpy', 'scipy', 'torch', 'initspec.spec', 'initspec.readings', "
        "'initspec.conformance', 'initspec.backends')\n"
        "print(*[room for room in rooms if room in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_a_broken_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m initspec list | head -1", shell=True, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr


def test_demo_with_numpy_alone(tmp_path: Path) -> None:
    """With no framework to be found: it works, and says what else there is."""
    code = """
import sys
from importlib.util import find_spec as real
import importlib.util
hidden = {"torch", "tensorflow", "keras", "jax"}
importlib.util.find_spec = lambda name, *rest: None if name in hidden else real(name, *rest)
from initspec.commands.main import main
sys.exit(main(["demo", *sys.argv[1:]]))
"""
    for flags in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *flags], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    data = json.loads(done.stdout)
    assert {row["backend"] for row in data["rows"]} == {"numpy"}
    assert data["missing"] == ["jax", "keras", "tensorflow", "torch"]
    assert data["conforms"]


def test_demo_can_refuse() -> None:
    from initspec.commands.demo import ALPHA, ks_distance

    law = initspec.get("he_normal").on((192, 320))
    wrong = initspec.get("he_normal@torch").numpy((192, 320), seed=1).astype(float).ravel()
    right = initspec.get("he_normal").numpy((192, 320), seed=1).astype(float).ravel()
    bound = np.sqrt(np.log(2 * 64 / ALPHA) / 2 / wrong.size)
    assert ks_distance(right, law) < bound < ks_distance(wrong, law)
