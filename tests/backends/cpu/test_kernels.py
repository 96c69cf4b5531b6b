"""The CPU kernels: every one equals the reference in every bit."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import tracemalloc
import weakref
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initspec import stream
from initspec.backends.cpu import fill as cpu_fill
from initspec.backends.cpu import threads
from initspec.errors import SpecError
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


KERNELS = {"numpy": import_module("initspec.backends.cpu.kernel_numpy").fill}
#: The code for each kind of processor, of which a test is skipped where this one is older.
LEVELS = ("baseline", "avx2", "avx512")
with contextlib.suppress(ImportError):
    kernel_c = import_module("initspec.backends.cpu.kernel_c")
    for place, level in enumerate(kernel_c.LEVELS):
        KERNELS[level] = partial(kernel_c.fill, level=place)


def kernel(name):
    """The entry of a kernel, or of a level of the compiled one; skips where it is not there."""
    if name == "c":
        name = kernel_c.LEVELS[-1] if len(KERNELS) > 1 else name
    if name not in KERNELS:
        pytest.skip("no such kernel was built, or this processor does not run it")
    return KERNELS[name]


@pytest.fixture(params=["c", "numpy"])
def name(request):
    """The name of one kernel."""
    kernel(request.param)
    return request.param


@pytest.fixture
def fill(name):
    """The entry of one kernel."""
    return kernel(name)


@pytest.fixture(params=[*LEVELS, "numpy"])
def every(request):
    """The entry of one kernel, at every level of processors."""
    return kernel(request.param)


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
    for fill in KERNELS.values():
        room.fill(0)
        fill(out, dtype, one(out.shape, by, base), key, law)
        assert same(out, wanted)
        out[...] = 0
        assert not room.any()  # nothing beside it was written


@pytest.mark.parametrize(("dtype", "name"), CASES, ids=lambda value: str(value))
def test_every_law_in_every_dtype(every, dtype, name):
    law, shape, by = LAWS.get(name), (123, 1001), (1, 123)
    out = np.empty(shape, STORAGE[dtype])
    base = 2**32 - 60_000  # the indices cross 2**32
    every(out, dtype, one(shape, by, base), (2**32 - 1, 7), law)
    assert same(out, reference(shape, by, base, dtype, (2**32 - 1, 7), law))


def test_the_sum_is_not_fused(every):
    law, shape = LAWS["normal with a mean"], (4096,)
    out = np.empty(shape, np.float32)
    every(out, "float32", one(shape, (1,), 0), (0, 1), law)
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
def test_layouts_on_threads(every, layout, shape, order):
    out, key = np.empty(shape, np.float32, order=order), (5, 77)
    found = blocks(shape, Layout.parse(layout))
    every(out, "float32", found, key, LAWS["normal"])
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


def test_fields_of_records(every):
    records = np.zeros(3000, np.dtype([("mark", "u1"), ("x", "f8"), ("y", "f4")]))
    every(records["x"], "float64", one((3000,), (1,), 0), (5, 77), LAWS["normal"])
    every(records["y"], "float32", one((3000,), (1,), 0), (5, 77), LAWS["normal"])
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
threads.share(lambda start, stop: time.sleep(0.01), 64, 10**9)  # all its threads have begun
assert threads._pool.started == threads._workers() - 1
child = os.fork()
if child == 0:
    equal = threads._pool.started == 0 and (drawn() == before).all()
    threads.share(lambda start, stop: time.sleep(0.01), 64, 10**9)
    os._exit(0 if equal and threads._pool.started == threads._workers() - 1 else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), (drawn() == before).all())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process(name):
    command = [sys.executable, "-c", FORK, name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["0", "True"], done.stderr


def test_while_the_interpreter_ends(name):
    ending = (
        FORK[: FORK.index("child =")]
        + "import atexit; atexit.register(lambda: print(drawn().size))"
    )
    command = [sys.executable, "-c", ending, name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("300000\n", "")


def run(program, *arguments, timeout=120, **environment):
    """Run a program in a process of its own: its output and its standard error."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
    )
    return done.stdout, done.stderr


FIRST = """
import sys, threading, time
import initspec
def draw():
    while threading.main_thread().is_alive() and sys.argv[1] == "thread":
        time.sleep(0.01)
    print(initspec.get("he_normal").numpy((600, 600), seed=0).size)
if sys.argv[1] == "thread":
    threading.Thread(target=draw).start()
else:
    import atexit
    atexit.register(draw)
"""


@pytest.mark.parametrize("moment", ["thread", "atexit"])
def test_a_first_draw_after_the_main_thread_has_ended(name, moment):
    assert run(FIRST, moment, INITSPEC_KERNEL=name) == ("360000\n", "")


def test_no_thread_can_be_started(monkeypatch):
    def refuse(*arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start_new_thread", refuse)
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    done = []
    threads.share(lambda start, stop: done.extend(range(start, stop)), 100, 10**7)
    assert done == list(range(100))


def test_no_tensor_is_kept_alive(fill):
    out = np.empty(10**6, np.float32)
    fill(out, "float32", one(out.shape, (1,), 0), (1, 2), LAWS["normal"])
    alive = weakref.ref(out)
    del out
    assert alive() is None


INTERRUPTED = """
import random, signal, sys, time
import numpy as np
from importlib import import_module
from initspec.spec.integer_form import normal
from initspec.stream.canonical_order import Block
fill = import_module("initspec.backends.cpu.kernel_" + sys.argv[1]).fill
dtype, storage, law = sys.argv[2], sys.argv[3], normal(0.0, 1.0)
shape = (3000, 4000)
block = Block((slice(0, 3000), slice(0, 4000)), shape, (4000, 1), 0)
raised = armed = 0

def drawn():
    global armed
    out = np.empty(shape, storage)
    armed = held.append(out) or 1
    fill(out, dtype, (block,), (1, 2), law)
    armed = 0
    return out

def interrupt(*_):
    global raised
    if armed:
        raised = raised or time.monotonic()
        raise KeyboardInterrupt

held = []
drawn()
began = time.monotonic()
right = drawn()
lasts = time.monotonic() - began
signal.signal(signal.SIGALRM, interrupt)
rnd, delays, again = random.Random(1), [], 0
end = time.monotonic() + 30
while time.monotonic() < end and len(delays) < 12:
    held.clear()
    again = not again  # one interrupt, or one in each millisecond
    signal.setitimer(signal.ITIMER_REAL, rnd.uniform(1e-5, lasts), again * 1e-3)
    try:
        out = drawn()
    except KeyboardInterrupt:
        armed = 0
        delays.append(time.monotonic() - raised)
        held[0][...] = 7
        time.sleep(0.02)
        assert (held[0] == 7).all(), "written after the call has raised"
        raised = 0
    else:
        assert (out == right).all()
    signal.setitimer(signal.ITIMER_REAL, 0)
assert (drawn() == right).all()
print(sorted(delays)[len(delays) // 2])
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
@pytest.mark.parametrize(("dtype", "storage"), [("float32", "f4"), ("bfloat16", "u2")])
def test_an_interrupt_leaves_no_thread_behind_that_writes(name, dtype, storage):
    output, error = run(INTERRUPTED, name, dtype, storage)
    assert error == ""
    assert float(output) < 0.2


HANDLER = """
import signal, sys, time
import numpy as np, initspec
law = initspec.get("he_normal")
right = law.numpy((700, 700), seed=2)
drawn = []
signal.signal(signal.SIGALRM, lambda *_: drawn.append((law.numpy((700, 700), seed=2) == right).all()))
outer = law.numpy((900, 900), seed=1)
for turn in range(100):
    signal.setitimer(signal.ITIMER_REAL, 0.0001 * (turn % 40 + 1))
    assert (law.numpy((900, 900), seed=1) == outer).all()
    time.sleep(0.005)
print(len(drawn) > 50 and all(drawn))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_a_handler_draws_while_its_thread_draws(name):
    assert run(HANDLER, INITSPEC_KERNEL=name) == ("True\n", "")


def test_a_handler_forks_while_its_thread_draws():
    program = """
import os, signal, sys
import numpy as np
from initspec.backends.cpu import threads
children = []
def fork(*_):
    children.append(os.fork())
signal.signal(signal.SIGALRM, fork)
out = np.zeros(64, np.int64)
def work(start, stop):
    sum(range(3 * 10**5))
    out[start:stop] = 1
signal.setitimer(signal.ITIMER_REAL, 0.05)
threads.share(work, 64, 10**9)
if children == [0]:
    os._exit(0 if out.all() else 3)
print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children), out.all())
"""
    assert run(program) == ("0 True\n", "")


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
def test_known_words(every, case):
    key = tuple(int(half, 16) for half in case["key"])
    for at, word in zip(case["index"], case["bits"], strict=True):
        out = np.empty((), np.uint32)
        every(out, "uint32", one((), (), int(at)), key, None)
        assert int(out) == int(word, 16)


@pytest.fixture
def chosen(monkeypatch):
    """The choice of the kernel, made anew."""
    cpu_fill._kernel.cache_clear()
    yield monkeypatch
    cpu_fill._kernel.cache_clear()


def test_the_environment_chooses(chosen, name):
    chosen.setenv("INITSPEC_KERNEL", name)
    assert cpu_fill._kernel().fill.__module__ == f"initspec.backends.cpu.kernel_{name}"
    assert cpu_fill.described().startswith(name)
    assert cpu_fill.compiled() == (name == "c")
    out = np.empty(100, np.float32)
    cpu_fill.fill(out, "float32", one((100,), (1,), 0), (1, 2), LAWS["normal"])
    assert same(out, reference((100,), (1,), 0, "float32", (1, 2), LAWS["normal"]))


@pytest.mark.parametrize("other", ["fortran", "numba", "C"])
def test_an_unknown_kernel(chosen, other):
    chosen.setenv("INITSPEC_KERNEL", other)
    with pytest.raises(SpecError, match=f"INITSPEC_KERNEL is 'c' or 'numpy', not '{other}'"):
        cpu_fill._kernel()


DRAWN = """
import warnings
import numpy as np, initspec
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        drawn = initspec.get("normal(std=1.0)").numpy((2, 3), seed=0)
        initspec.get("normal(std=1.0)").numpy((2, 3), seed=1)
    except initspec.SpecError as error:
        print("error:", error)
        raise SystemExit
assert np.allclose(drawn[0], [1.6226429, 2.0252647, -0.43359455], atol=1e-6)
from initspec.backends.cpu import fill
print(fill.described(), *(str(w.message) for w in caught), sep="|")
"""
FAILING = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "initspec.backends.cpu._kernel":
            raise ImportError("wrong ELF class: ELFCLASS32")
sys.meta_path.insert(0, Finder())
"""
WRONG = """
from initspec.backends.cpu import kernel_c
kernel_c._draw_rows = lambda *_: None
"""
UNBUILT = "import sys; sys.modules['initspec.backends.cpu._kernel'] = None\n"
SENTENCE = (
    "the compiled kernel was not built: install a C compiler, and initspec again, for more speed"
)


def test_the_compiled_kernel_is_the_usual_one():
    kernel("c")
    assert run(DRAWN, INITSPEC_KERNEL="") == (f"c, {kernel_c.LEVELS[-1]}\n", "")


def test_without_the_compiled_kernel():
    """No compiler was there: the same numbers, and a sentence where one asks."""
    assert run(UNBUILT + DRAWN, INITSPEC_KERNEL="") == (f"numpy: {SENTENCE}\n", "")
    output, error = run(UNBUILT + DRAWN, INITSPEC_KERNEL="c")
    assert (output, error) == (f"error: INITSPEC_KERNEL is 'c', and {SENTENCE}.\n", "")
    doctor = "from initspec.commands.main import main\nmain(['doctor'])"
    output, error = run(UNBUILT + doctor, INITSPEC_KERNEL="")
    assert f"numpy: {SENTENCE}\n" in output
    assert error == ""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (FAILING, "wrong ELF class: ELFCLASS32"),
        (WRONG, "it draws wrong numbers of type uint32"),
    ],
    ids=["of another machine", "draws wrong numbers"],
)
def test_a_compiled_kernel_that_fails(fault, words):
    if fault is WRONG:
        kernel("c")
    why = f"the compiled kernel fails ({words})"
    warning = f"{why}, so tensors are drawn by the kernel in NumPy: the same numbers, more slowly."
    output, error = run(fault + DRAWN, INITSPEC_KERNEL="")
    assert (output, error) == (f"numpy: {why}|{warning}\n", "")
    output, error = run(fault + DRAWN, INITSPEC_KERNEL="c")
    assert (output, error) == (f"error: INITSPEC_KERNEL is 'c', and {why}.\n", "")
    output, error = run(fault + DRAWN, INITSPEC_KERNEL="numpy")
    assert (output, error) == ("numpy, as INITSPEC_KERNEL says\n", "")


def test_the_compiled_kernel_is_that_of_this_source():
    kernel("c")
    source = Path(kernel_c.__file__).with_name("_kernel.c")
    if not source.exists():
        pytest.skip("no checkout")
    checksum = int(hashlib.sha256(source.read_bytes()).hexdigest()[:16], 16)
    built = import_module("initspec.backends.cpu._kernel").source()
    assert built == checksum, "_kernel.c has changed since: pip install -e ."


def test_what_the_compiled_kernel_refuses():
    kernel("c")
    draw = import_module("initspec.backends.cpu._kernel").fill
    out = np.zeros(4, np.float32)
    place = kernel_c._walk((4,), (4,), (1,), 4).packed
    law = kernel_c._law(LAWS["normal"], "float32", 0)
    fixed = out.copy()
    fixed.flags.writeable = False
    for arguments, error in [
        ((out, place, law), TypeError),
        ((out, place[1:], law, 0, 1, 2, 0, 1), ValueError),
        ((out, law, place, 0, 1, 2, 0, 1), ValueError),
        ((out, bytearray(place), law, 0, 1, 2, 0, 1), TypeError),
        ((out, place, kernel_c._law(None, "uint32", 99), 0, 1, 2, 0, 1), ValueError),
        ((out, place, law, -1, 1, 2, 0, 1), OverflowError),
        ((out, place, law, 0, 1, 2, 0, "1"), TypeError),
        (("text", place, law, 0, 1, 2, 0, 1), TypeError),
        ((fixed, place, law, 0, 1, 2, 0, 1), (BufferError, ValueError)),
    ]:
        with pytest.raises(error):
            draw(*arguments)
    assert not out.any()
    for function in (kernel_c.fold_in, kernel_c.use_huge_pages):
        for arguments in ((1,), (-1, 2, 3), ("a", 2), (1.0, 2, 3)):
            with pytest.raises((TypeError, OverflowError)):
                function(*arguments)


@given(st.tuples(WORD, WORD), WORD, st.text(st.characters(codec="utf-8"), max_size=40))
def test_keys_are_folded_as_the_reference_does(key, data, name):
    folded = cpu_fill.fold_name(key, name)
    assert folded == stream.fold_name(key, name)
    assert all(type(word) is int for word in folded)
    assert cpu_fill.fold_name(key, None) is key
    if len(KERNELS) > 1:
        assert kernel_c.fold_in(*key, data) == stream.fold_in(key, data)


def test_huge_pages_change_nothing():
    kernel("c")
    for size in (0, 1, 2**22 - 1, 2**23):
        memory = np.full(size, 7, np.uint8)
        kernel_c.use_huge_pages(memory.ctypes.data, size)
        assert (memory == 7).all()
    kernel_c.use_huge_pages(0, 2**30)


def test_memory_that_is_no_array():
    kernel("c")
    law, shape, steps = LAWS["truncated"], (60, 70), (75, 1)
    room = np.zeros((60, 75), np.float32)
    place, address = one(shape, (1, 60), 5), room.ctypes.data
    arguments = (address, steps, 4, "float32", place, (1, 2), law)
    assert cpu_fill.fill_memory(*arguments) == cpu_fill.compiled()
    if cpu_fill.compiled():
        assert same(room[:, :70], reference(shape, (1, 60), 5, "float32", (1, 2), law))
    assert not room[:, 70:].any()
    empty = one((0, 70), (1, 60), 5)
    assert cpu_fill.fill_memory(0, (70, 1), 4, "float32", empty, (1, 2), law)
    assert not cpu_fill.fill_memory(address, steps, 4, "float32", place + empty, (1, 2), law)


def test_subnormal_numbers_are_kept_whatever_the_thread_is_set_to(every):
    """torch.set_flush_denormal sets the thread that calls it, and no other."""
    torch = pytest.importorskip("torch")
    if every is KERNELS["numpy"]:
        pytest.skip("NumPy's own operations do as the thread is set to")
    law = integer_form.normal(0.0, 1e-39)
    wanted = reference((1000,), (1,), 0, "float32", (5, 77), law)
    out = np.empty(1000, np.float32)
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    try:
        every(out, "float32", one((1000,), (1,), 0), (5, 77), law)
        assert not (torch.full((2,), 1e-39) * 0.5).any()  # the thread is as it was
    finally:
        torch.set_flush_denormal(False)
    assert same(out, wanted)


def test_the_loops_are_vectors():
    kernel("c")
    if shutil.which("objdump") is None:
        pytest.skip("no objdump, which reads machine code")
    script = HERE / "scripts" / "vectorised.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
