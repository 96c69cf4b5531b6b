"""Damaged and hostile files end in sentences, and take no other tensor with them."""

import contextlib
import io
import json
import random
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import initspec
from initspec.commands import infer as infer_command
from initspec.commands.main import main
from initspec.conformance.report.page import html
from initspec.conformance.report.reading import read
from initspec.conformance.report.record import Decision, Moments, Picture, Record, Report
from initspec.files import memory
from initspec.files.reading import tensors

WEIGHT = initspec.get("he_normal@torch").numpy((24, 16), seed=0, layout="oi")


def npy(array: Any = WEIGHT) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(compressed: bool = False, **arrays: Any) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **(arrays or {"a": WEIGHT}))
    return file.getvalue()


def safetensors(header: Any = None, body: bytes = bytes(16)) -> bytes:
    given = header or {"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
    text = given if isinstance(given, bytes) else json.dumps(given).encode()
    return struct.pack("<Q", len(text)) + text + body


def row(**changes: Any) -> bytes:
    good = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
    header = {"w": good | changes, "good": good}
    return safetensors(header, np.arange(4, dtype="f4").tobytes())


def flipped() -> bytes:
    data = bytearray(npz(True, a=np.random.default_rng(0).normal(size=400), b=WEIGHT))
    data[60:90] = bytes([255]) * 30
    return bytes(data)


def inferred(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[int, dict[str, Any]]:
    code = main(["infer", str(path), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.npz", flipped()),
        ("b.npz", npz(b=WEIGHT, a=np.array([{}], object))),
        ("a.safetensors", row(dtype=["F32"])),
        ("b.safetensors", row(shape=None)),
        ("c.safetensors", row(shape=[4.0])),
        ("d.safetensors", row(shape=[-2, -2])),
        ("e.safetensors", row(shape=[True, 4])),
        ("f.safetensors", row(data_offsets=[0, 16, 3])),
        ("g.safetensors", row(data_offsets=["0", "16"])),
        ("h.safetensors", row(data_offsets=[0, 1 << 70], shape=[1 << 68])),
        ("i.safetensors", row(dtype="F8_E4M3")),
        ("j.safetensors", row(shape=[1 << 62, 1 << 62, 0], data_offsets=[0, 0])),
        ("k.safetensors", row(shape=[1] * 100 + [4])),
        (
            "l.safetensors",
            safetensors({"w": 3, "good": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}),
        ),
    ],
)
def test_the_other_tensors_are_answered(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    code, answer = inferred(capsys, tmp_path / name)
    assert code == 0
    bad, good = answer["tensors"].pop("a" if name.endswith("npz") else "w"), answer["tensors"]
    assert bad["error"].endswith(".")
    assert [set(item) != {"error"} for item in good.values()] == [True]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.npy", npy().replace(b"(24, 16)", b"(24, 16 "), "cannot be read as .npy"),
        ("b.npy", npy().replace(b"(24, 16), }", b"(True,16), }"), "sizes of a shape"),
        ("c.npy", npy()[:-8], "names 1,536 bytes of numbers, and 1,528 follow"),
        ("d.npy", npy().replace(b"(24, 16), }  ", b"(1<<60,16), }"), "cannot be read as .npy"),
        ("e.npy", npy().replace(b"<f4", b"|O8"), "cannot be read as .npy"),
        ("f.npy", npy(np.array([{}], object)), "nothing is unpickled"),
        ("g.npy", npy(np.full(8, 1e200)), "so far from 1"),
        ("h.npy", npy(np.full(8, 1e-200)), "so far from 1"),
        ("i.npy", b"\x93NUMPY\x09\x00" + npy()[8:], "version 9.0"),
        ("a.npz", b"PK\x03\x04" + bytes(100), "not a zip file"),
        ("a.safetensors", safetensors(b'{"a":' + b"[" * 100_000), "not what the format says"),
        ("b.safetensors", safetensors(b"[1]"), "not what the format says"),
        ("c.safetensors", struct.pack("<Q", 1 << 40) + b"{}", "longer than the file"),
    ],
)
def test_sentences(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["infer", str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert sentence in out + err
    assert "Traceback" not in err


def test_encrypted_and_odd_archives(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, place in (("locked", 6), ("odd", 8)):
        data = bytearray(npz())
        for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
            data[data.index(mark) + place + shift] = 1 if name == "locked" else 99
        path = tmp_path / f"{name}.npz"
        path.write_bytes(data)
        code, answer = inferred(capsys, path)
        assert code == 2
        assert "cannot be read as .npz" in answer["tensors"]["a"]["error"]


def bomb(path: Path, size: int) -> None:
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % (size // 4)
    head = head.ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("good.npy", npy())
        with archive.open("a.npy", "w", force_zip64=True) as file:
            file.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
            for _ in range(size >> 24):
                file.write(bytes(1 << 24))


def test_a_bomb_is_not_unpacked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bomb(tmp_path / "bomb.npz", 1 << 29)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    code, answer = inferred(capsys, tmp_path / "bomb.npz")
    assert code == 0
    assert "unpacks to 536,871,040 bytes" in answer["tensors"]["a"]["error"]
    assert "groups" in answer["tensors"]["good"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 18


def test_memory_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with holes is small, and says that it is large."""
    (tmp_path / "w.npy").write_bytes(npy())
    (stored,) = tensors(tmp_path / "w.npy")
    monkeypatch.setattr(memory, "memory_left", lambda: 10_000)
    with pytest.raises(initspec.SpecError, match=r"GB of memory, and 0\.0 GB are left here"):
        stored.read()


def test_many_tensors(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(infer_command, "MOST", 2)
    np.savez(tmp_path / "w.npz", **{f"w{i}": WEIGHT for i in range(1500)})
    code, answer = inferred(capsys, tmp_path / "w.npz")
    assert (code, list(answer["tensors"]), answer["left_out"]) == (0, ["w0", "w1"], 1498)
    assert main(["infer", str(tmp_path / "w.npz")]) == 0
    assert "holds 1,500 tensors, of which the first 2 are answered" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_bfloat16_that_numpy_writes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, suffix: str
) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    weight = initspec.get("he_normal@torch").numpy((96, 64), seed=0, layout="oi", dtype="bfloat16")
    path = tmp_path / f"w.{suffix}"
    if suffix == "npy":
        argv = ["sample", "he_normal@torch", "--shape", "96", "64", "--layout", "oi"]
        assert main([*argv, "--dtype", "bfloat16", "--out", str(path)]) == 0
        capsys.readouterr()
    else:
        np.savez(path, w=weight.astype(ml_dtypes.bfloat16))
    code, answer = inferred(capsys, path)
    assert code == 0
    assert answer["tensors"]["w"]["dtype"] == "bfloat16"
    assert answer["tensors"]["w"]["sentence"].startswith("Could be")
    (stored,) = tensors(path)
    assert np.array_equal(stored.read(), weight.view("u2"))


# ------------------------------------------------------------------------------------------- fuzz


def report() -> Report:
    moments = Moments(mean=0.0, std=1.0, skewness=0.1, kurtosis=None)
    picture = Picture(
        low=-1.0,
        high=1.0,
        counts=(1, 5, 4, 0),
        expected=(0.1, 0.4, 0.4, 0.1),
        measured=moments,
        law=moments,
    )
    test = Decision("ks", "FAIL", 1e-12, 1e-9, 0.3, 10, 0.1, "a distance", "at 0.5")
    record = Record(
        cell="c",
        target="t",
        scheme="s",
        shape=(3, 4),
        verdict="FAIL",
        sentence="refused",
        n=10,
        scale=(1.0, 0.9, 1.1),
        decisions=(test, test),
        picture=picture,
    )
    return Report(
        records=(record, record), alpha=1e-9, beta=1e-6, seed="fixed", versions={"a": "1"}
    )


def mutant(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, dropped, doubled or swapped for numbers that are hard to take."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(out))
        kind = rng.randrange(5)
        if kind == 0:
            out[at] = rng.randrange(256)
        elif kind == 1:
            del out[at : at + rng.choice((1, 4, 60))]
        elif kind == 2:
            out[at:at] = out[at : at + rng.choice((1, 8, 40))]
        elif kind == 3:
            out[at : at + 4] = rng.choice(
                (b"\xff" * 4, b"-1, ", b"1e99", b"NaN ", b"{[((", bytes(4))
            )
        else:
            del out[at + 1 :]
    return bytes(out)


HARD = (None, True, -1, 1e308, -1e308, 5e-324, 10**30, "nan", "inf", "", "x", [], {}, [[]], [3])


def mutated(value: Any, rng: random.Random) -> Any:
    """Plain data with one of its leaves or branches swapped for something hard to take."""
    if isinstance(value, (dict, list)) and value and rng.random() < 0.9:
        place = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
        copy: Any = dict(value) if isinstance(value, dict) else list(value)
        copy[place] = mutated(copy[place], rng)
        return copy
    return rng.choice((*HARD, float("nan"), float("inf")))


def fuzz(folder: Path, rounds: int) -> None:
    """Raise whatever is no :class:`InitSpecError`; run in a process whose memory is bounded."""
    rng = random.Random(0)
    header = {"a": {"dtype": "F32", "shape": [24, 16], "data_offsets": [0, 1536]}}
    seeds = {
        "npy": npy(),
        "npz": npz(a=WEIGHT, b=WEIGHT[0]),
        "z.npz": npz(True, a=WEIGHT),
        "safetensors": safetensors(header, WEIGHT.tobytes()),
    }
    for turn in range(rounds):
        for suffix, data in seeds.items():
            path = folder / f"w.{suffix}"
            path.write_bytes(mutant(data, rng))
            try:
                for stored in tensors(path):
                    try:
                        array = stored.read()
                        if turn % 8 == 0:
                            initspec.infer(array, dtype=stored.dtype)
                    except initspec.InitSpecError:
                        pass
            except initspec.InitSpecError:
                pass
        plain = json.loads(report().to_json())
        for text in (
            json.dumps(mutated(plain, rng)),
            mutant(report().to_json().encode(), rng).decode("utf-8", "replace"),
        ):
            with contextlib.suppress(initspec.InitSpecError):
                html(read(text, "run.json"))


def test_only_sentences_come_out_of_mutants(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "open('/proc/self/clear_refs', 'w').write('5')\n"  # the peak of the parent is not ours
        "from test_reading import fuzz\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "fuzz(Path(sys.argv[2]), 400)\n"
        "peak = next(x for x in open('/proc/self/status') if x.startswith('VmHWM'))\n"
        "print(peak.split()[1])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(Path(__file__).parent), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.splitlines()[-1]) < 1 << 20  # kilobytes
