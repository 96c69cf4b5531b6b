"""The CPU kernels: every one equals the reference in every bit."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initspec import stream
from initspec.backends.cpu import fill as cpu_fill
from initspec.backends.cpu import threads
from initspec.errors import BackendMissing, SpecError
from initspec.spec import integer_form
from initspec.spec.layout import Layout
from initspec.stream.canonical_order import Block, blocks, whole

HERE = Path(__file__).parents[2]
STORAGE = {
    "float64": np.float64,
    "float32": np.float32,
    "bfloat16": np.uint16,
    "float16": np.float16,
    "uint32": np.uint32,
}
LAWS = {
    "uniform": integer_form.uniform(-0.3, 0.3),
    "uniform between": integer_form.uniform(0.1, 0.7),
    "normal": integer_form.normal(0.0, 0.02),
    "normal with a mean": integer_form.normal(-0.3, 1.7),
    "truncated": integer_form.truncated_normal(0.0, 1.0, -2.0, 2.0),
    "truncated on one side": integer_form.truncated_normal(0.1, 0.4, -1.0, 2.5),
    "truncated to a tail": integer_form.truncated_normal(0.0, 3.0, 3.0, 4.0),
    "truncated to its ends": integer_form.truncated_normal(0.0, 1.0, 0.01, 0.0100001),
    "overflows float16": integer_form.normal(0.0, 4e4),
    "subnormal in float16": integer_form.normal(0.0, 1e-5),
    "vanishes in float16": integer_form.normal(0.0, 1e-9),
    "overflows float32": integer_form.normal(0.0, 3e38),
}
CASES = [(dtype, law) for dtype in STORAGE for law in LAWS if dtype != "uint32"] + [
    ("uint32", None)
]
WORD = st.integers(0, 2**32 - 1)
INDEX = st.one_of(
    st.integers(0, 2**64 - 1),
    st.integers(-100, 100).map(lambda i: 2**32 + i),
    st.integers(-100, 100).map(lambda i: i % 2**64),
)


KERNELS = [import_module("initspec.backends.cpu.kernel_numpy").fill]
with contextlib.suppress(ImportError):
    KERNELS.append(import_module("initspec.backends.cpu.kernel_numba").fill)


@pytest.fixture(params=["numba", "numpy"])
def fill(request):
    """The entry of one kernel."""
    if request.param == "numba":
        pytest.importorskip("numba")
    return import_module(f"initspec.backends.cpu.kernel_{request.param}").fill


def reference(shape, strides, base, dtype, key, law):
    """The numbers of a block, by the reference."""
    at = np.full(shape, base % 2**64, np.uint64)
    for axis, (size, stride) in enumerate(zip(shape, strides, strict=True)):
        steps = np.arange(size, dtype=np.uint64) * np.uint64(stride % 2**64)
        at += steps.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    words = stream.words(key, at)
    if law is None:
        return words
    with np.errstate(over="ignore"):
        values = np.asarray(stream.values(words, law, dtype))
        if dtype == "bfloat16":
            bits = values.view(np.uint32)
            return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
        return values.astype(STORAGE[dtype])


def same(found, wanted):
    """Whether two arrays are equal in every bit."""
    bits = f"u{found.itemsize}"
    return (
        found.shape == wanted.shape
        and found.dtype == wanted.dtype
        and bool((found.copy().view(bits) == wanted.copy().view(bits)).all())
    )


def one(shape, strides, base):
    return (Block(whole(shape), shape, strides, base),)


@st.composite
def places(draw, dtype):
    """An array of any strides within a larger one, which is returned too."""
    ndim = draw(st.integers(0, 4))
    largest = 5000 if ndim == 1 else 90 if ndim == 2 else 12
    shape = draw(st.tuples(*[st.integers(0, largest)] * ndim))
    steps = draw(st.tuples(*[st.sampled_from([1, 1, 1, 2, 3, -1, -2])] * ndim))
    order = draw(st.permutations(range(ndim)))
    room = np.zeros([shape[axis] * abs(steps[axis]) + 1 for axis in order], STORAGE[dtype])
    cut = [
        slice(None, shape[axis] * abs(steps[axis]), steps[axis])
        if steps[axis] > 0
        else slice(shape[axis] * -steps[axis], 0, steps[axis])
        for axis in order
    ]
    return room[(..., *cut)].transpose(np.argsort(np.array(order, int))), room


@st.composite
def strides(draw, shape):
    """Strides of the index: those of some order of the axes, or any at all."""
    if draw(st.booleans()):
        return draw(st.tuples(*[INDEX] * len(shape)))
    found, stride = [0] * len(shape), draw(st.sampled_from([1, 1, 1, 3, 2**31]))
    for axis in draw(st.permutations(range(len(shape)))):
        found[axis], stride = stride, stride * max(shape[axis], 1)
    return tuple(found)


@settings(deadline=None, max_examples=200)
@given(st.data(), st.sampled_from(CASES), st.tuples(WORD, WORD), INDEX)
def test_any_array_of_any_indices(data, case, key, base):
    dtype, name = case
    law = LAWS.get(name)
    out, room = data.draw(places(dtype))
    by = data.draw(strides(out.shape))
    wanted = reference(out.shape, by, base, dtype, key, law)
    for kernel in KERNELS:
        room.fill(0)
        kernel(out, dtype, one(out.shape, by, base), key, law)
        assert same(out, wanted)
        out[...] = 0
        assert not room.any()  # nothing beside it was written


@pytest.mark.parametrize(("dtype", "name"), CASES, ids=lambda value: str(value))
def test_every_law_in_every_dtype(fill, dtype, name):
    law, shape, by = LAWS.get(name), (123, 1001), (1, 123)
    out = np.empty(shape, STORAGE[dtype])
    base = 2**32 - 60_000  # the indices cross 2**32
    fill(out, dtype, one(shape, by, base), (2**32 - 1, 7), law)
    assert same(out, reference(shape, by, base, dtype, (2**32 - 1, 7), law))


def test_the_sum_is_not_fused(fill):
    law, shape = LAWS["normal with a mean"], (4096,)
    out = np.empty(shape, np.float32)
    fill(out, "float32", one(shape, (1,), 0), (0, 1), law)
    integers = stream.integer(stream.words((0, 1), np.arange(4096, dtype=np.uint64)), law)
    scale, shift = np.float32(law.scale), np.float32(law.shift)
    fused = (integers.astype(np.float32).astype(np.float64) * scale + shift).astype(np.float32)
    apart = integers.astype(np.float32) * scale + shift
    assert same(out, apart)
    assert not same(out, fused)


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("io", (300, 400)),
        ("oi", (300, 400)),
        ("oihw", (64, 70, 3, 3)),
        ("hwio", (3, 3, 70, 64)),
        ("oi, stack=3", (300, 400)),
        ("boi", (3, 200, 199)),
        ("o", (131_073,)),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_layouts_on_threads(fill, layout, shape, order):
    out, key = np.empty(shape, np.float32, order=order), (5, 77)
    found = blocks(shape, Layout.parse(layout))
    fill(out, "float32", found, key, LAWS["normal"])
    for block in found:
        wanted = reference(block.shape, block.strides, block.base, "float32", key, LAWS["normal"])
        assert same(out[block.part].reshape(block.shape), wanted)


def test_windows_glue_on_threads(fill):
    shape, layout, law = (600, 500), Layout.parse("oi, stack=3"), LAWS["truncated"]
    whole, glued = np.empty((2, *shape), np.float32)
    fill(whole, "float32", blocks(shape, layout), (1, 2), law)
    for rows in (slice(0, 333), slice(333, 600)):
        for columns in (slice(0, 77), slice(77, 500)):
            window = (rows, columns)
            fill(glued[window], "float32", blocks(shape, layout, window), (1, 2), law)
    assert same(glued, whole)


def test_fields_of_records(fill):
    records = np.zeros(3000, np.dtype([("mark", "u1"), ("x", "f8"), ("y", "f4")]))
    fill(records["x"], "float64", one((3000,), (1,), 0), (5, 77), LAWS["normal"])
    fill(records["y"], "float32", one((3000,), (1,), 0), (5, 77), LAWS["normal"])
    for name, dtype in (("x", "float64"), ("y", "float32")):
        wanted = reference((3000,), (1,), 0, dtype, (5, 77), LAWS["normal"])
        assert same(np.ascontiguousarray(records[name]), wanted)
    assert not records["mark"].any()


def test_many_threads_at_once(fill):
    outs, shape = np.empty((6, 200_001), np.float32), (200_001,)
    errors = []

    def run(i):
        try:
            for _ in range(3):
                fill(outs[i], "float32", one(shape, (1,), 0), (0, i), LAWS["normal"])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for i, out in enumerate(outs):
        assert same(out, reference(shape, (1,), 0, "float32", (0, i), LAWS["normal"]))


FORK = """
import os, sys, time
import numpy as np
from importlib import import_module
from initspec.backends.cpu import threads
from initspec.spec.integer_form import normal
from initspec.stream.canonical_order import Block
fill = import_module("initspec.backends.cpu.kernel_" + sys.argv[1]).fill
def drawn():
    out = np.empty(300_000, np.float32)
    fill(out, "float32", (Block((slice(0, out.size),), out.shape, (1,), 0),), (1, 2), law)
    return out
law = normal(0.0, 1.0)
before = drawn()
list(threads.pool().map(time.sleep, [0.01] * 2 * threads._workers()))  # all its threads have begun
child = os.fork()
if child == 0:
    equal = (drawn() == before).all()
    answer = threads.pool().submit(abs, -1).result(timeout=20)
    os._exit(0 if equal and answer else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), (drawn() == before).all())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process(fill):
    command = [sys.executable, "-c", FORK, fill.__module__.rpartition("_")[2]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["0", "True"], done.stderr


def test_while_the_interpreter_ends(fill):
    ending = (
        FORK[: FORK.index("child =")]
        + "import atexit; atexit.register(lambda: print(drawn().size))"
    )
    command = [sys.executable, "-c", ending, fill.__module__.rpartition("_")[2]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("300000\n", "")


@pytest.mark.skipif(threads._workers() < 2, reason="one thread alone")
def test_an_error_on_a_thread_comes_out():
    begun, caller = threading.Event(), threading.current_thread()

    def work(start, stop):
        if threading.current_thread() is caller:
            begun.wait(20)
        else:
            begun.set()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        threads.share(work, 100, 10**7)


def test_the_memory_beside_the_tensor(fill):
    out = np.empty((2048, 2048), np.float32)
    for layout in ("io", "oi"):
        found = blocks(out.shape, Layout(layout))
        fill(out, "float32", found, (1, 2), LAWS["truncated"])
        tracemalloc.start()
        fill(out, "float32", found, (1, 2), LAWS["truncated"])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * 2**20


KNOWN = json.loads((HERE / "data" / "known_answers.json").read_text())


@pytest.mark.parametrize("case", KNOWN["bits"], ids=lambda case: "".join(case["key"]))
def test_known_words(fill, case):
    key = tuple(int(half, 16) for half in case["key"])
    for at, word in zip(case["index"], case["bits"], strict=True):
        out = np.empty((), np.uint32)
        fill(out, "uint32", one((), (), int(at)), key, None)
        assert int(out) == int(word, 16)


@pytest.fixture
def chosen(monkeypatch):
    """The choice of the kernel, made anew."""
    cpu_fill._kernel.cache_clear()
    yield monkeypatch
    cpu_fill._kernel.cache_clear()


@pytest.mark.parametrize("name", ["numba", "numpy"])
def test_the_environment_chooses(chosen, name):
    if name == "numba":
        pytest.importorskip("numba")
    chosen.setenv("INITSPEC_KERNEL", name)
    assert cpu_fill._kernel().__module__ == f"initspec.backends.cpu.kernel_{name}"
    out = np.empty(100, np.float32)
    cpu_fill.fill(out, "float32", one((100,), (1,), 0), (1, 2), LAWS["normal"])
    assert same(out, reference((100,), (1,), 0, "float32", (1, 2), LAWS["normal"]))


def test_an_unknown_kernel(chosen):
    chosen.setenv("INITSPEC_KERNEL", "fortran")
    with pytest.raises(SpecError, match="'numpy' or 'numba', not 'fortran'"):
        cpu_fill._kernel()


def test_without_numba(chosen):
    chosen.delitem(sys.modules, "initspec.backends.cpu.kernel_numba", raising=False)
    chosen.setitem(sys.modules, "numba", None)
    chosen.delenv("INITSPEC_KERNEL", raising=False)
    assert cpu_fill._kernel().__module__ == "initspec.backends.cpu.kernel_numpy"
    cpu_fill._kernel.cache_clear()
    chosen.setenv("INITSPEC_KERNEL", "numba")
    with pytest.raises(BackendMissing, match=r'pip install "initspec\[fast\]"'):
        cpu_fill._kernel()


UNKEPT = """
import numba.core.caching
numba.core.caching.CompileResultCacheImpl._locator_classes = []
from initspec.backends.cpu import kernel_numba
print(kernel_numba._fill.stats.cache_path)
"""


def test_where_no_compiled_code_can_be_kept():
    pytest.importorskip("numba")
    command = [sys.executable, "-c", UNKEPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_the_loops_are_vectors():
    pytest.importorskip("numba")
    script = HERE / "scripts" / "vectorised.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
