"""Files are written whole or not at all."""

import json
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import initspec
from initspec.commands.main import main
from initspec.errors import FileError
from initspec.files.writing import checked_place, write_file

posix = pytest.mark.skipif(os.name != "posix", reason="files of POSIX")
CHECK = ("check", "numpy", "--as", "he_normal", "--shape", "8", "4", "--dtype", "float32")
SAMPLE = ("sample", "he_normal", "--shape", "64", "64", "--digest")
SIGNAL = ("signal", "he_normal", "--depth", "3", "--width", "8")


def full(file: object) -> None:
    """What a writer meets on a full disk, half way through."""
    file.write(b"half")  # type: ignore[attr-defined]
    raise OSError(28, "No space left on device")


def limited(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def command(*argv: str, cwd: Path, size: int | None = None) -> subprocess.CompletedProcess[str]:
    """The command line as a process, of which no file may grow beyond a size."""
    return subprocess.run(
        [sys.executable, "-m", "initspec", *argv],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=None if size is None else limited(size),
    )


def test_what_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(FileError, match=r"cannot write .*a\.txt: No space left on device\."):
        write_file(path, full)
    with pytest.raises(OSError, match="cannot write"):
        write_file(tmp_path / "new.txt", full)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_readers_see_the_old_or_the_new(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    small = initspec.get("he_normal")
    large = initspec.get([[i + 0.5 for i in range(500)]])
    initspec.save(small, path)
    done = threading.Event()

    def write() -> None:
        for _ in range(60):
            initspec.save(large, path)
            initspec.save(small, path)
        done.set()

    threading.Thread(target=write).start()
    while not done.is_set():
        assert initspec.load(path).distribution in ("normal", "truncated_normal", "array")


@posix
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path.name)
    write_file(link, "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "b.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "b.txt").stat().st_mode) == 0o640
    dangling = tmp_path / "dangling"
    dangling.symlink_to("there.txt")
    write_file(dangling, "x")
    assert (tmp_path / "there.txt").read_text() == "x"


@posix
def test_what_cannot_be_replaced_is_written_to(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.npy"
    os.mkfifo(fifo)
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    thread.start()
    array = initspec.get("he_normal").numpy((4, 3), seed=0)
    assert main(["sample", "he_normal", "--shape", "4", "3", "--out", str(fifo)]) == 0
    thread.join()
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    (tmp_path / "w.npy").write_bytes(read[0])
    assert np.array_equal(np.load(tmp_path / "w.npy"), array)
    with pytest.raises(FileError, match="cannot write /dev/full: No space"):
        write_file("/dev/full", "x")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@posix
def test_standard_output_is_written_to_in_order(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for mode in ("wb", "ab"):
        with out.open(mode) as file:
            argv = [sys.executable, "-m", "initspec", *CHECK, "--junit", "/dev/stdout"]
            assert subprocess.run(argv, stdout=file, cwd=tmp_path).returncode == 0
    text = out.read_text()
    assert text.count("PASS: 2 PASS") == text.count("<testsuite ") == 2
    assert text.index("PASS: 2 PASS") < text.index("<testsuite ")


def test_append_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    for text in ("a", "b"):
        write_file(path, text, append=True)
    assert path.read_text() == "ab"
    with pytest.raises(FileError):
        write_file(path, full, append=True)
    assert path.read_text() == "ab"


def test_those_who_append_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    program = (
        "import sys; from initspec.files.writing import write_file\n"
        "for n in range(60): write_file(sys.argv[1], sys.argv[2] * 20_000 + '\\n', append=True)"
    )
    command = [sys.executable, "-c", program, str(path)]
    writers = [subprocess.Popen([*command, letter]) for letter in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(letter * 20_000 for letter in "abc" for _ in range(60))


@pytest.mark.skipif(os.name != "posix", reason="a limit of a file's size is POSIX'")
def test_an_append_that_does_not_fit_leaves_the_file(tmp_path: Path) -> None:
    path, new = tmp_path / "summary.md", tmp_path / "new.md"
    path.write_text("before")
    program = (
        "import resource, signal, sys; from initspec.files.writing import write_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "for path in sys.argv[1:]:\n"
        "    try: write_file(path, 'x' * 5000, append=True)\n"
        "    except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", program, str(path), str(new)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.count("cannot write") == 2, done.stderr
    assert path.read_text() == "before"
    assert not new.exists()


@pytest.mark.parametrize("name", ["", "none/a.txt", "a\0b"])
def test_no_place_to_write(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="cannot write"):
        write_file(tmp_path / name, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_checked_before_anything_is_worked_out(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="it is a folder"):
        checked_place(tmp_path)
    with pytest.raises(FileError, match="does not exist"):
        checked_place(tmp_path / "none" / "a.txt")
    assert checked_place(tmp_path / "a.txt") == tmp_path / "a.txt"


@pytest.mark.parametrize("argv", [(*SAMPLE, "--out", "d.npy"), (*SIGNAL, "--plot", "d.svg")])
def test_a_folder_for_a_file(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    argv: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(argv[-1]).mkdir()
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"initspec: cannot write {argv[-1]}: it is a folder; name a file in it.\n"


def test_schemes_that_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(initspec.SpecError, match="is no text"):
        initspec.load(tmp_path / "b.toml")
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(initspec.SpecError, match="cannot read") as caught:
            initspec.load(path)
        assert isinstance(caught.value, OSError)
    with pytest.raises(initspec.SpecError, match="cannot write"):
        initspec.save(initspec.get("zeros"), tmp_path / "none" / "a.toml")


# ----------------------------------------------------------------------------------- the commands


@posix
@pytest.mark.parametrize(
    ("argv", "file", "answer"),
    [
        ((*CHECK, "--json", "o.json"), "o.json", "PASS: 2 PASS"),
        ((*CHECK, "--junit", "o.xml"), "o.xml", "PASS: 2 PASS"),
        ((*CHECK, "--summary", "o.md"), "o.md", "PASS: 2 PASS"),
        ((*SAMPLE, "--out", "o.npy"), "o.npy", "sha256"),
        ((*SIGNAL, "--plot", "o.svg"), "o.svg", "layer"),
    ],
)
def test_a_full_disk_costs_no_answer(
    tmp_path: Path, argv: tuple[str, ...], file: str, answer: str
) -> None:
    (tmp_path / file).write_text("precious")
    done = command(*argv, cwd=tmp_path, size=100)
    assert done.returncode == 2
    assert answer in done.stdout
    assert done.stderr.strip() == f"initspec: cannot write {file}: File too large."
    assert (tmp_path / file).read_text() == "precious"
    assert [item.name for item in tmp_path.iterdir()] == [file]


@posix
def test_a_full_disk_and_a_page(tmp_path: Path) -> None:
    assert command(*CHECK, "--json", "run.json", cwd=tmp_path).returncode == 0
    done = command("report", "run.json", cwd=tmp_path, size=100)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "initspec: cannot write run.html: File too large.\n"
    assert [item.name for item in tmp_path.iterdir()] == ["run.json"]


@posix
@pytest.mark.parametrize("argv", [CHECK, (*CHECK, "--json"), ("list",)])
def test_a_full_standard_output(tmp_path: Path, argv: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "initspec", *argv],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
    assert done.returncode == 2
    assert done.stderr == "initspec: the system refused it: No space left on device.\n"


def test_more_than_the_machine_holds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["sample", "he_normal", "--shape", "2000000", "2000000"]) == 2
    assert "GB of memory, and" in capsys.readouterr().err

    def no_memory(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "asarray", no_memory)
    assert main(["sample", "he_normal", "--shape", "8", "8", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["message"] == "there is not enough memory for it."


def test_float64_of_jax_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    jax = pytest.importorskip("jax")
    argv = ["sample", "he_normal", "--shape", "5", "3", "--dtype", "float64", "--digest", "--json"]
    before = jax.config.jax_enable_x64
    assert main([*argv, "--backend", "jax"]) == main(argv) == 0
    out = capsys.readouterr().out
    ours, jaxs = out.split('"sha256": ')[1:]
    assert ours[:66] == jaxs[:66]
    assert main([*argv, "--backend", "jax", "--stream", "native"]) == 0
    assert json.loads(capsys.readouterr().out)["dtype"] == "float64"
    assert jax.config.jax_enable_x64 == before
