"""What the suite starts ends with it, whoever ends it and however."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

pytest.importorskip("scipy")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

MODULE = """
import os, signal, subprocess, time

def noted(process):
    with open("pids", "a") as file:
        file.write(f"{process}\\n")

def busy(shape, seed):
    noted(os.getpid())
    while True: pass

def sleeps(shape, seed):
    noted(os.getpid())
    noted(subprocess.Popen(["sleep", "90"]).pid)
    noted(subprocess.Popen(["sleep", "90"], start_new_session=True).pid)
    time.sleep(90)

def dies(shape, seed):
    noted(subprocess.Popen(["sleep", "90"]).pid)
    os._exit(7)

def dies_with_one_in_a_session(shape, seed):
    noted(subprocess.Popen(["sleep", "90"], start_new_session=True).pid)
    os.kill(os.getpid(), signal.SIGKILL)

def daemon(shape, seed):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            noted(os.getpid())
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(90)
        os._exit(0)
    time.sleep(0.5)
    os.killpg(os.getpgrp(), signal.SIGKILL)

def many(shape, seed):
    for _ in range(20):
        noted(subprocess.Popen(["sleep", "90"], start_new_session=True).pid)
    raise SystemExit(1)

def good(shape, seed):
    import numpy as np
    noted(subprocess.Popen(["sleep", "90"], start_new_session=True).pid)
    return np.zeros(shape, "float32")
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="prctl")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "leaving.py").write_text(textwrap.dedent(MODULE))
    return tmp_path


def started(folder, name, *options):
    """``initspec check`` of a function that claims to make zeros."""
    line = [sys.executable, "-m", "initspec", "check", f"leaving:{name}", "--as", "zeros"]
    return subprocess.Popen(
        [*line, "--shape", "3", "3", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        text=True,
    )


def noted(folder, count=1):
    """The processes that a target has noted, once there are so many."""
    path, deadline = folder / "pids", time.monotonic() + 60
    while time.monotonic() < deadline:
        pids = path.read_text().split("\n")[:-1] if path.exists() else []
        if len(pids) >= count:
            return [int(pid) for pid in pids]
        time.sleep(0.05)
    raise AssertionError("the target was not called")


def living(pids, within=3.0):
    """Those that live on after so many seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and any(map(runs, pids)):
        time.sleep(0.05)
    left = [pid for pid in pids if runs(pid)]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
    return left


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return not state.stdout.strip().startswith("Z")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dies", "exit code 7"),
        pytest.param("dies_with_one_in_a_session", "killed by SIGKILL", marks=on_linux),
        pytest.param("daemon", "killed by SIGKILL", marks=on_linux),
        pytest.param("many", "sys.exit(1)", marks=on_linux),
        pytest.param("good", "PASS", marks=on_linux),
    ],
)
def test_what_a_target_leaves_ends_with_it(folder, name, words) -> None:
    process = started(folder, name)
    said = process.communicate(timeout=60)[0]
    assert words in said
    assert living(noted(folder)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("name", ["busy", pytest.param("sleeps", marks=on_linux)])
def test_a_target_ends_with_the_command_whatever_ends_it(folder, name, number) -> None:
    process = started(folder, name)
    pids = noted(folder, 3 if name == "sleeps" else 1)
    process.send_signal(number)
    process.communicate(timeout=5)
    assert process.returncode != 0
    assert living(pids) == []


@on_linux
def test_the_worker_ends_with_its_guard(folder, monkeypatch) -> None:
    from initspec.conformance.targets.resolve import resolve
    from initspec.conformance.targets.target import Unjudged

    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(folder)
    target = resolve("leaving:good")
    target.draw((2,), dtype="float32", seed=0)
    guard = target._process._running.process
    below = subprocess.run(["pgrep", "-P", str(guard.pid)], capture_output=True, text=True)
    (worker,) = map(int, below.stdout.split()[:1])
    guard.kill()
    with pytest.raises(Unjudged, match="killed by SIGKILL"):
        target.draw((2,), dtype="float32", seed=0)
    assert living([worker]) == []
    living(noted(folder))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_processes_that_share_the_cells_end_with_the_command(tmp_path, number) -> None:
    line = [sys.executable, "-m", "initspec", "check", "numpy", "--as", "he_normal", "--jobs", "2"]
    process = subprocess.Popen(
        [*line, "--tier", "deep"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )
    deadline, workers = time.monotonic() + 60, list[int]()
    while time.monotonic() < deadline and len(workers) < 3:  # the third tracks resources
        listed = subprocess.run(
            ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False
        )
        workers = [int(pid) for pid in listed.stdout.split()]
        time.sleep(0.1)
    time.sleep(3)  # they judge
    process.send_signal(number)
    process.wait(timeout=5)
    assert living(workers) == []
