"""What the conformance suite can judge: every way to call an initializer, and every way to break."""

import functools
import gc
import os
import random
import textwrap
import time
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")

from hypothesis import given, settings
from hypothesis import strategies as st

import initspec
from initspec import Custom, InitSpecError, Layout, SpecError, UnknownName, get
from initspec.conformance import check
from initspec.conformance.suite import run, target_cells
from initspec.conformance.targets import process, remote
from initspec.conformance.targets.arrays import read
from initspec.conformance.targets.backend import BackendTarget
from initspec.conformance.targets.host import tohost
from initspec.conformance.targets.loading import load
from initspec.conformance.targets.resolve import resolve, resolve_table
from initspec.conformance.targets.target import Target, Unjudged
from initspec.conformance.targets.text import Reference
from initspec.spec.distribution import Normal

SHAPE = (6, 5)
DTYPES = ("float64", "float32", "bfloat16", "float16")


def obeys(
    target: Any, dtypes: tuple[str, ...] = ("float32",), shape: tuple[int, ...] = SHAPE
) -> None:
    """The shape, the type, and the seed: the same again for the same, another for another."""
    for dtype in dtypes:
        first, again = (target.draw(shape, dtype=dtype, seed=7) for _ in range(2))
        other = target.draw(shape, dtype=dtype, seed=8)
        assert isinstance(first, np.ndarray)
        assert first.shape == shape
        assert first.dtype.name == dtype
        assert np.isfinite(first.astype(np.float64)).all()
        np.testing.assert_array_equal(first, again)
        assert (first != other).mean() > 0.5


# Functions and classes of one's own.


def plain(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_functions_of_shape_and_seed_in_any_order() -> None:
    rng = np.random.default_rng
    for function in (
        plain,
        lambda seed, shape: plain(shape, seed),
        lambda shape, rng: rng.standard_normal(shape),
        lambda rng, size: rng.standard_normal(size),
        lambda shape, dtype, seed: rng(seed).standard_normal(shape).astype(dtype),
        lambda dtype, *, seed, shape: rng(seed).standard_normal(shape).astype(dtype),
        lambda shape, generator: generator.standard_normal(shape),
        lambda shape, random_state: np.random.RandomState(random_state).standard_normal(shape),
        functools.partial(np.random.normal, 0.0, 0.02),
    ):
        obeys(resolve(function))
    np.testing.assert_array_equal(
        resolve(plain).draw(SHAPE, dtype="float32", seed=3), plain(SHAPE, 3)
    )


def test_a_function_of_the_shape_alone_draws_from_the_global_generators() -> None:
    def of_numpy(shape):
        return np.random.standard_normal(shape)

    def of_python(shape):
        return [[random.random() for _ in range(shape[1])] for _ in range(shape[0])]

    states = random.getstate(), np.random.get_state()[1].tolist()
    obeys(resolve(of_numpy))
    obeys(resolve(of_python))
    now = random.getstate(), np.random.get_state()[1].tolist()
    assert now == states, "the caller's generators have moved"


def test_without_a_dtype_wider_values_are_rounded_and_narrower_ones_are_refused() -> None:
    target = resolve(lambda shape, seed: np.full(shape, 1 / 3))
    for dtype in DTYPES:
        assert target.draw((2,), dtype=dtype, seed=0).dtype.name == dtype
    assert target.draw((2,), dtype="float32", seed=0)[0] == np.float32(1 / 3)
    report = check(lambda shape, seed: plain(shape, seed), "normal(std=1)", dtype="float64")
    assert report.verdict == "ERROR"
    assert "asked for float64, the target answered float32" in report.records[0].sentence
    deaf = resolve(lambda shape, seed, dtype: np.full(shape, 1 / 3))
    assert deaf.draw((2,), dtype="float32", seed=0).dtype == np.float64, "a deaf one is not helped"


def test_partial_objects_classes_and_callable_objects() -> None:
    @dataclass
    class Mine:
        gain: float = 1.0

        def __call__(self, shape, seed):
            return self.gain * plain(shape, seed)

    def with_gain(shape, gain, seed):
        return gain * plain(shape, seed)

    twice = 2 * plain(SHAPE, 7)
    for found in (Mine(2.0), functools.partial(with_gain, gain=2.0), functools.partial(Mine, 2.0)):
        obeys(resolve(found))
        np.testing.assert_array_equal(resolve(found).draw(SHAPE, dtype="float32", seed=7), twice)
    obeys(resolve(Mine))
    assert resolve(functools.partial(with_gain, gain=2.0)).name.endswith("with_gain(gain=2.0)")


def test_a_factory_is_called_once_for_its_initializer() -> None:
    made = []

    def factory(scale=1.0):
        made.append(scale)
        return lambda shape, seed: scale * plain(shape, seed)

    obeys(resolve(factory))
    assert made == [1.0]


def test_what_follows_no_convention_is_refused_with_those_that_are() -> None:
    def needs_gain(shape, gain, seed):
        return plain(shape, seed)

    for found, words in (
        (lambda u, v: u, "u, v"),
        (needs_gain, "gain"),
        (lambda: 5, "gave 5"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (7, "cannot be called"),
        (object(), "cannot be called"),
        (dict, "cannot be called"),
    ):
        with pytest.raises(InitSpecError, match=words):
            resolve(found)
    with pytest.raises(InitSpecError, match="an initializer is a PyTorch function"):
        resolve(lambda u, v: u)


def test_answers_that_are_no_numbers_are_named() -> None:
    for answer, words in (
        (None, "NoneType"),
        ({"w": 1}, "dict"),
        ("weights", "str"),
        ([[1.0], [2.0, 3.0]], "no array"),
        (np.array(["a"]), "str"),
        (np.array([None]), "object"),
    ):
        with pytest.raises(TypeError, match=words):
            tohost(answer)
        report = check(lambda shape, seed, answer=answer: answer, "he_normal", shape=(4, 4))
        assert report.verdict == "ERROR"
        assert words in report.records[0].sentence


def test_sys_exit_in_this_process_is_a_verdict() -> None:
    def leaves(shape, seed):
        raise SystemExit(0)

    report = check(leaves, "zeros", shape=(2, 2))
    assert report.records[0].sentence == "the target called sys.exit(0)"


# Ours.


def test_backends_draw_the_scheme_on_the_layout_of_the_cell() -> None:
    obeys(resolve("numpy", scheme="he_normal"), DTYPES)
    he = get("he_normal")
    assert resolve("numpy", scheme=he).draw((3, 4), dtype="float32", seed=5).tolist() == (
        he.numpy((3, 4), seed=5).tolist()
    )
    cells = target_cells(resolve("numpy", scheme="dirac"), "dirac")
    assert {str(cell.layout) for cell in cells} == {"hwio", "oihw"}
    assert run(cells).conforms
    assert isinstance(cells[0].target, BackendTarget)
    with pytest.raises(SpecError, match="say which"):
        resolve("numpy")
    with pytest.raises(UnknownName, match="module:attr"):
        resolve("nunpy", scheme="he_normal")


def test_schemes_and_customs_are_drawn_by_numpy() -> None:
    class Half(Custom):
        def sample(self, shape, rng):
            return rng.standard_normal(shape) / 2

    for target in (get("glorot_uniform"), initspec.schemes["he_normal"], Half, Half()):
        obeys(resolve(target))
    report = check(get("he_normal"), "he_normal", shape=(86, 8))
    assert report.conforms
    assert check(get("he_normal"), "lecun_normal", shape=(86, 8)).verdict == "FAIL"


def test_initializers_of_numpy_are_seeded_anew_and_told_layout_and_dtype() -> None:
    init = initspec.initializer("he_normal", backend="numpy", seed=1)
    obeys(resolve(init), DTYPES)
    assert check(initspec.initializer("dirac"), "dirac").conforms
    fixed = resolve(initspec.initializer("he_normal", layout="oi"))
    assert fixed.placed(Layout.parse("io")) is fixed, "a layout of its own stands"


def test_a_target_and_a_table_of_this_process() -> None:
    table = {"he_normal": get("he_normal"), "lecun_normal": "numpy", "zeros": lambda shape: shape}
    targets = resolve_table(table)
    assert list(targets) == list(table)
    assert resolve(targets["zeros"]) is targets["zeros"]
    assert resolve(table, scheme="he_normal").name == "he_normal"
    with pytest.raises(UnknownName, match="did you mean 'he_normal'"):
        resolve(table, scheme="he_norml")


# Arrays.


@dataclass
class Mine:
    """As little as a target of one's own needs."""

    name = "mine"

    def draw(self, shape, *, dtype, seed):
        return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_an_object_with_a_name_and_draw_is_a_target() -> None:
    target = resolve(Mine())
    assert isinstance(target, Target)
    assert (target.name, target.resolution, target.fixed_shape, target.stream) == (
        "mine",
        22,
        None,
        "",
    )
    for tier in ("stat", "exact"):
        assert check(Mine(), "normal(std=1)", tier=tier).conforms
    assert check(Mine(), "he_normal").verdict == "FAIL"


def test_an_object_keeps_the_members_that_it_has() -> None:
    class Layer(Mine):
        fixed_shape, layout, resolution, out_first = (40, 96), "oi", 24, True

        def draw_many(self, shape, *, dtype, seeds):
            return [np.full(shape, seed, dtype) for seed in seeds]

    target = resolve(Layer())
    assert (target.fixed_shape, target.layout, target.resolution) == ((40, 96), "oi", 24)
    assert [tensor[0, 0] for tensor in target.draw_many((1, 1), dtype="float32", seeds=[3])] == [3]
    (cell,) = target_cells(target, "normal(std=1)")
    assert (cell.shape, str(cell.layout)) == ((40, 96), "oi")
    assert target.placed(cell.layout) is target


def test_a_target_has_the_members_of_the_contract_by_default() -> None:
    class Ones(Target):
        name = "ones"

        def draw(self, shape, *, dtype, seed):
            return np.ones(shape, dtype)

    target = Ones()
    assert resolve(target) is target
    assert not any((target.takes_layout, target.ignores_seed, target.out_first, target.backend))
    assert len(list(target.draw_many((2,), dtype="float32", seeds=[1, 2]))) == 2
    assert check(target, "ones").conforms


def test_an_array_is_one_tensor_with_its_own_shape() -> None:
    right = get("he_normal").numpy((512, 300), seed=1)
    assert check(right, "he_normal").conforms
    assert check(right, "lecun_normal").verdict == "FAIL"
    assert check(right.T, "he_normal", layout="oi").conforms
    assert check(np.zeros((3, 4)), "zeros").conforms
    assert check([[1.0, 1.0]], "ones").conforms
    wrong = check(right, "he_normal", shape=(300, 512))
    assert "asked for the shape (300, 512), the target answered (512, 300)" in str(wrong.records[0])
    assert len(check(right, "he_normal").records) == 1


def test_few_values_are_inconclusive_and_never_pass() -> None:
    assert check(get("he_normal").numpy((20, 30), seed=1), "he_normal").verdict == "INCONCLUSIVE"


def test_files_with_arrays(tmp_path) -> None:
    import ml_dtypes

    array = get("he_normal").numpy((6, 5), seed=2)
    np.save(tmp_path / "w.npy", array)
    np.savez(tmp_path / "one.npz", w=array)
    np.savez(tmp_path / "two.npz", w=array, v=array + 1)
    for text in ("w.npy", "one.npz", "one.npz#w", "two.npz#w"):
        np.testing.assert_array_equal(read(f"{tmp_path}/{text}"), array)
        target = resolve(f"{tmp_path}/{text}")
        assert target.fixed_shape == (6, 5)
        assert target.draw((6, 5), dtype="float32", seed=0).dtype == np.float32
    safetensors = pytest.importorskip("safetensors.numpy")
    narrow = array.astype(ml_dtypes.bfloat16)
    safetensors.save_file({"a.w": array, "b": narrow}, tmp_path / "w.safetensors")
    np.testing.assert_array_equal(read(f"{tmp_path}/w.safetensors#a.w"), array)
    assert read(f"{tmp_path}/w.safetensors#b").dtype.name == "bfloat16"
    np.testing.assert_array_equal(read(f"{tmp_path}/w.safetensors#b"), narrow)


def test_files_that_cannot_be_read_are_refused_by_a_sentence(tmp_path) -> None:
    np.savez(tmp_path / "two.npz", w=np.ones(2), v=np.ones(2))
    np.save(tmp_path / "pickled.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "bad.npy").write_bytes(b"no array")
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 64)
    (tmp_path / "short.safetensors").write_bytes(b"\x02")
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as file:
        file.writestr("w.npy", b"nothing")
    for text, words in (
        ("missing.npy", "No such file"),
        ("pickled.npy", "pickle"),
        ("bad.npy", "cannot be read"),
        ("bad.npz", "cannot be read"),
        ("bad.safetensors", "longer than the file"),
        ("short.safetensors", "cannot be read|longer"),
        ("two.npz", "unknown array"),
        ("two.npz#q", "unknown array"),
    ):
        with pytest.raises(InitSpecError, match=words):
            resolve(f"{tmp_path}/{text}")


# Texts.


def test_texts_are_read_and_nothing_in_them_is_executed() -> None:
    read_ = Reference.parse
    found = read_("torch.nn:Conv2d(16, 48, 3, groups=4)#weight")
    assert (found.module, found.path, found.args) == ("torch.nn", ("Conv2d",), (16, 48, 3))
    assert found.options == {"groups": 4}
    assert found.parameter == "weight"
    found = read_("keras.layers:Dense(96)#kernel@(None,40)")
    assert (found.parameter, found.inputs) == ("kernel", (None, 40))
    found = read_("a.b:C.d['he#normal'](x='#@)', y=-1.5)#sub.weight")
    assert (found.path, found.entry, found.parameter) == (("C", "d"), "he#normal", "sub/weight")
    assert found.options == {"x": "#@)", "y": -1.5}
    for text in (
        "a:",
        ":b",
        "a b:c",
        "a:b(",
        "a:b()()",
        "a:b(c)",
        "a:b(__import__('os').getcwd())",
        "a:b(*[1])",
        "a:b(**{})",
        "a:b + c",
        "a:b#",
        "a:b()#w@(",
        "a:b()#w@f()",
        "a:b()@(1,)",
        "a:b()\n#w",
        "a:lambda: 0",
        "a:" + "(" * 5000,
    ):
        with pytest.raises(SpecError, match="cannot read the target"):
            read_(text)
        with pytest.raises(SpecError, match="cannot read the target"):
            resolve(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = Reference.parse(f"a:{text}")
    except SpecError:
        return
    assert all(name.isidentifier() for name in found.path)


MODULE = """
import os, random, signal, sys, time
import numpy as np

def good(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)

def good_bfloat16(shape, dtype, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)

def scaled(shape, seed, scale=1.0):
    return np.float32(scale) * good(shape, seed)

def prints(shape, seed):
    print("weights!" * 1000, flush=True)
    os.write(1, b"raw" * 1000)
    os.system("echo a child")
    sys.stderr.write("e" * 300_000)
    assert input.__name__ == "input" and sys.stdin.read() == ""
    return good(shape, seed)

def raises(shape, seed): raise ValueError("no " + "x" * 5000)
def interrupts(shape, seed): raise KeyboardInterrupt
def leaves(shape, seed): sys.exit(3)
def ends(shape, seed): os._exit(0)
def aborts(shape, seed): os.abort()
def killed(shape, seed): os.kill(os.getpid(), signal.SIGKILL)
def hangs(shape, seed):
    while True: pass
def sleeps(shape, seed): time.sleep(600)
def closes(shape, seed):
    os.closerange(3, 64)
    time.sleep(600)
def scribbles(shape, seed):
    for n in range(3, 64):
        try: os.write(n, b"x" * 400)
        except OSError: pass
    time.sleep(600)
def huge(shape, seed): return np.broadcast_to(np.float32(0), (2**40,))
def other_shape(shape, seed): return good(shape, seed).T[1:]
def integers(shape, seed): return np.zeros(shape, int)
def words(shape, seed): return "weights"
def holes(shape, seed): return good(shape, seed) * np.float32("nan")
def fails_once(shape, seed):
    if not os.path.exists(os.environ["INITSPEC_MARK"]):
        open(os.environ["INITSPEC_MARK"], "w").close()
        os._exit(9)
    return good(shape, seed)
def leaves_a_child(shape, seed):
    if os.fork() == 0: time.sleep(600)
    return good(shape, seed)

def off_by_a_hair(shape, seed): return good(shape, seed) * np.float32(1 + 1e-5)

TABLE = {"normal(std=1)": good, "zeros": lambda shape: np.zeros(shape), "ones": ends,
         "glorot_uniform": "initspec:get"}
NOT_A_TABLE = [good]
class Outer:
    inner = staticmethod(good)
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """A module that only this run knows, on the path."""
    folder = tmp_path_factory.mktemp("targets")
    (folder / "my_targets.py").write_text(textwrap.dedent(MODULE))
    (folder / "broken_targets.py").write_text("import numpy\n1 / 0\n")
    (folder / "leaving_targets.py").write_text("raise SystemExit(2)\n")
    (folder / "hanging_targets.py").write_text("while True: pass\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield "my_targets"


def sentence(target: Any, shape: tuple[int, ...] = SHAPE) -> str:
    with pytest.raises(Unjudged) as caught:
        target.draw(shape, dtype="float32", seed=0)
    assert caught.value.verdict == "ERROR"
    return str(caught.value)


def test_a_text_is_called_in_another_process(module) -> None:
    target = resolve(f"{module}:good")
    obeys(target)
    many = target.draw_many(SHAPE, dtype="float32", seeds=[7, 8])
    np.testing.assert_array_equal(many[0], target.draw(SHAPE, dtype="float32", seed=7))
    np.testing.assert_array_equal(many[1], plain(SHAPE, 8))
    obeys(resolve(f"{module}:good_bfloat16"), DTYPES)
    obeys(resolve(f"{module}:Outer.inner"))
    assert target.draw((), dtype="float32", seed=1).shape == ()
    assert target.draw((0, 3), dtype="float32", seed=1).shape == (0, 3)
    assert target.draw_many(SHAPE, dtype="float32", seeds=[]) == []
    doubled = resolve(f"{module}:scaled(scale=2.0)").draw(SHAPE, dtype="float32", seed=7)
    np.testing.assert_array_equal(doubled, 2 * many[0])
    positional = resolve(f"{module}:scaled(2.0)").draw(SHAPE, dtype="float32", seed=7)
    np.testing.assert_array_equal(doubled, positional)


def test_many_tensors_are_asked_for_in_batches(module, monkeypatch) -> None:
    asked: list[int] = []
    target = resolve(f"{module}:good")
    ask = target._process.ask
    monkeypatch.setattr(
        target._process, "ask", lambda q: asked.append(len(q.get("seeds", ()))) or ask(q)
    )
    monkeypatch.setattr(remote, "_FAST", 1e9)
    target.draw_many(SHAPE, dtype="float32", seeds=range(1100))
    assert asked == [0, 8, 16, 32, 64, 128, 256, 512, 84], "more from what answers fast"
    monkeypatch.setattr(remote, "_FAST", 0)
    target.draw_many(SHAPE, dtype="float32", seeds=range(1024))
    assert asked[9:] == [512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1], "less from a slow one"
    asked.clear()
    monkeypatch.setattr(remote, "_BATCH", 3 * 30 * 4)
    monkeypatch.setattr(target, "_pace", 512)
    monkeypatch.setattr(remote, "_FAST", 1e9)
    drawn = target.draw_many(SHAPE, dtype="float32", seeds=range(8))
    assert asked == [3, 3, 2], "and never more bytes than that"
    for seed, tensor in enumerate(drawn):
        np.testing.assert_array_equal(tensor, plain(SHAPE, seed))


def decision(target: Any, claim: str, test: str, **options: Any) -> Any:
    """The decision of a test on the first cell of a target, in the exact tier."""
    record = check(target, claim, tier="exact", **options).records[0]
    return next(item for item in record.decisions if item.test == test)


def test_a_target_in_a_process_is_tied_to_the_samplers_of_numpy(module) -> None:
    right = decision(resolve(f"{module}:good"), "normal(std=1)", "base")
    assert right.applies
    assert (right.verdict, right.p) == ("PASS", 1)
    assert "numpy default_rng" in right.note
    wrong = decision(resolve(f"{module}:off_by_a_hair"), "normal(std=1)", "base")
    assert wrong.verdict == "FAIL"
    assert "1.0000099 times the documented scale" in wrong.note


def test_another_answer_about_samplers_is_refused(module, monkeypatch) -> None:
    target = resolve(f"{module}:good")
    for answer in (({}, b""), ({"names": ["torch"]}, b"1234"), ({"names": 3}, b"")):
        monkeypatch.setattr(target._process, "ask", lambda question, answer=answer: answer)
        with pytest.raises(Unjudged, match="something else than was asked"):
            list(target.bases(Normal(0.0, 1.0), (2,), "float32", 0))


def test_what_a_target_prints_meets_no_frame(module) -> None:
    obeys(resolve(f"{module}:prints"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("raises", "the target raised ValueError: no xxx"),
        ("interrupts", "the target raised KeyboardInterrupt"),
        ("leaves", "the target called sys.exit(3)"),
        ("ends", "the target ended its process with exit code 0"),
        ("aborts", "was killed by SIGABRT"),
        ("killed", "was killed by SIGKILL, as happens for want of memory"),
        ("huge", "asked for the shape (6, 5), the target answered (1099511627776,)"),
        ("other_shape", "asked for the shape (6, 5), the target answered (4, 6)"),
        ("integers", "asked for float32, the target answered int64"),
        ("words", "it answered str, where an array is expected"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_each_misbehaviour_is_a_sentence(module, name, words) -> None:
    text = f"{module}:{name}"
    said = sentence(resolve(text))
    assert words in said
    assert len(said) < 1200


@pytest.mark.parametrize("name", ["hangs", "sleeps"])
def test_one_that_hangs_is_stopped_and_says_where(module, name) -> None:
    target = resolve(f"{module}:{name}", time_limit=1.5)
    started = time.monotonic()
    said = sentence(target)
    assert "did not answer within 1.5 s and was stopped" in said
    assert "my_targets.py" in said
    assert f"in {name}" in said
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("name", ["closes", "scribbles"])
@pytest.mark.skipif(os.name != "posix", reason="file descriptors")
def test_one_that_spoils_its_pipe_is_stopped(module, name) -> None:
    said = sentence(resolve(f"{module}:{name}", time_limit=20))
    assert "was stopped" in said
    assert "pipe" in said


def test_what_cannot_be_loaded_is_a_verdict_and_not_an_exception(module) -> None:
    for text, words in (
        ("no_such_module:f", "no_such_module cannot be imported: ModuleNotFoundError"),
        ("broken_targets:f", "broken_targets cannot be imported: ZeroDivisionError"),
        ("leaving_targets:f", "the target called sys.exit(2)"),
        (f"{module}:god", "did you mean 'good'?"),
        (f"{module}:good(gian=1)", "unknown argument of good 'gian'"),
        (f"{module}:good(seed=1)", "the suite itself gives 'seed'"),
        (f"{module}:np", "cannot be called"),
        (f"{module}:good#weight", "no layer of PyTorch, Keras, Flax"),
        (f"{module}:good['x']", "it is no table"),
    ):
        target = resolve(text)
        assert target.fixed_shape is None
        assert not target.out_first
        assert words in sentence(target)
        report = check(text, "he_normal", shape=(4, 4)) if "god" in text else None
        assert report is None or report.verdict == "ERROR"


def test_a_module_that_hangs_costs_its_time_once(module) -> None:
    target = resolve("hanging_targets:f", time_limit=1.5)
    assert "did not answer within 1.5 s" in sentence(target)
    started = time.monotonic()
    assert "did not answer within 1.5 s" in sentence(target)
    assert time.monotonic() - started < 0.5


def test_after_a_death_the_next_cell_has_a_new_process(module, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("INITSPEC_MARK", str(tmp_path / "mark"))
    target = resolve(f"{module}:fails_once")
    assert "exit code 9" in sentence(target)
    obeys(target)


def test_bad_targets_between_good_ones_cost_only_their_own_cells(module) -> None:
    texts = ["good", "raises", "ends", "good", "hangs", "holes", "prints"]
    cells = [
        cell
        for name in texts
        for cell in target_cells(
            resolve(f"{module}:{name}", time_limit=2 if name == "hangs" else 60),
            "normal(std=1)",
            shape=(300, 20),
        )
    ]
    seen = []
    report = run(cells, progress=lambda done, of, record: seen.append(record.verdict))
    assert seen == ["PASS", "ERROR", "ERROR", "PASS", "ERROR", "ERROR", "PASS"]
    assert [record.n > 2**17 for record in report.records] == [v == "PASS" for v in seen]
    assert "NaN" in report.records[5].sentence
    assert report.exit_code == 1


def test_tables_in_a_text(module) -> None:
    targets = resolve_table(f"{module}:TABLE")
    assert list(targets) == ["normal(std=1)", "zeros", "ones", "glorot_uniform"]
    assert targets["zeros"].name == f"{module}:TABLE['zeros']"
    cells = [
        cell
        for name, target in targets.items()
        for cell in target_cells(target, name, shape=(40, 60))
    ]
    verdicts = [record.verdict for record in run(cells).records]
    assert verdicts[:3] == ["PASS", "PASS", "ERROR"]
    chosen = resolve(f"{module}:TABLE", scheme="zeros")
    assert not chosen.draw((2, 2), dtype="float32", seed=0).any()
    assert "name one of its entries" in sentence(resolve(f"{module}:TABLE", scheme="he_normal"))
    obeys(resolve(f"{module}:TABLE['normal(std=1)']"))
    for text, words in (
        (f"{module}:NOT_A_TABLE", "not a table"),
        (f"{module}:good", "not a table"),
        (f"{module}:good()", "names no table"),
        ("no_such_module:TABLE", "cannot be imported"),
        ("leaving_targets:TABLE", "sys.exit"),
    ):
        with pytest.raises(InitSpecError, match=words):
            resolve_table(text)


def test_the_process_ends_with_its_target(module) -> None:
    target = resolve(f"{module}:good")
    assert target._process._running is None, "it is started when it is first needed"
    obeys(target)
    process = target._process._running.process
    obeys(target)
    assert target._process._running.process is process, "one process serves all cells"
    del target
    gc.collect()
    assert process.poll() is not None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_what_a_target_starts_ends_with_it(module) -> None:
    target = resolve(f"{module}:leaves_a_child")
    target.draw(SHAPE, dtype="float32", seed=0)
    group = target._process._running.process.pid
    assert alive(group)
    del target
    gc.collect()
    deadline = time.monotonic() + 10
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(group)


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_interrupted_question_leaves_no_answer_for_the_next(module, monkeypatch) -> None:
    target = resolve(f"{module}:good")
    obeys(target)

    def interrupted(signum, frame):
        raise KeyboardInterrupt

    running = target._process._running
    monkeypatch.setattr(running, "answers", Interrupting())
    with pytest.raises(KeyboardInterrupt):
        target.draw(SHAPE, dtype="float32", seed=1)
    np.testing.assert_array_equal(target.draw(SHAPE, dtype="float32", seed=2), plain(SHAPE, 2))


class Interrupting:
    def get(self, timeout):
        raise KeyboardInterrupt


def test_the_process_imports_no_scipy(module) -> None:
    import subprocess
    import sys

    code = "import sys, initspec.conformance.targets.worker; assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# PyTorch.


@pytest.fixture(scope="module")
def text():
    """Texts as targets that share one process, in which each framework is imported once."""
    worker = process.Process(120)
    return lambda target: remote.TextTarget(target, worker)


def test_torch_functions_fill_in_place() -> None:
    torch = pytest.importorskip("torch")
    init = torch.nn.init
    for function in (
        init.kaiming_normal_,
        init.xavier_uniform_,
        init.trunc_normal_,
        init.normal_,
        functools.partial(init.kaiming_uniform_, a=5**0.5),
        functools.partial(init.sparse_, sparsity=0.1),
    ):
        target = resolve(function)
        assert target.out_first
        obeys(target, ("float32",) if "sparse" in target.name else DTYPES)
    given = torch.empty(SHAPE)
    init.kaiming_normal_(given, generator=torch.Generator().manual_seed(7))
    drawn = resolve(init.kaiming_normal_).draw(SHAPE, dtype="float32", seed=7)
    np.testing.assert_array_equal(drawn, given.numpy())
    obeys(resolve(init.orthogonal_))
    assert (
        resolve(functools.partial(init.constant_, val=2.0)).draw((2,), dtype="float16", seed=0)[1]
        == 2
    )
    with pytest.raises(SpecError, match="val"):
        resolve(init.constant_)
    with pytest.raises(InitSpecError, match="no signature that can be read: wrap it"):
        resolve(torch.randn)


def test_torch_functions_of_ones_own() -> None:
    torch = pytest.importorskip("torch")

    @torch.no_grad()
    def my_init(w):
        w.normal_(0, 0.02)

    def annotated(x: torch.Tensor, std: float = 1.0) -> None:
        x.data.copy_(torch.randn(x.shape) * std)

    def trunc_(matrix):
        with torch.no_grad():
            return matrix.uniform_(-1, 1)

    def fresh(shape, generator):
        return torch.randn(shape, generator=generator)

    def typed(shape, dtype: torch.dtype, seed):
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)

    def unseeded(shape):
        return torch.randn(shape)

    state = torch.get_rng_state()
    for function in (my_init, annotated, trunc_, lambda t: t.data.normal_(), fresh, unseeded):
        obeys(resolve(function))
    obeys(resolve(typed), DTYPES)
    assert torch.equal(torch.get_rng_state(), state), "the caller's generator has moved"
    assert [resolve(f).out_first for f in (my_init, annotated, fresh)] == [True, True, False]


def test_a_torch_function_that_writes_nothing_is_seen() -> None:
    torch = pytest.importorskip("torch")

    def lazy_(tensor):
        return torch.randn(3)  # of another shape, and in place of nothing

    def idle_(tensor):
        pass

    assert "answered (3,)" in check(lazy_, "he_normal", shape=(4, 4)).records[0].sentence
    assert "NaN" in check(idle_, "he_normal", shape=(4, 4)).records[0].sentence


def test_torch_tensors_and_initializers_of_ours() -> None:
    torch = pytest.importorskip("torch")
    for tensor in (
        torch.ones(2, 3),
        torch.nn.Parameter(torch.ones(2, 3)),
        torch.ones(2, 3).bfloat16(),
    ):
        target = resolve(tensor)
        assert target.fixed_shape == (2, 3)
        assert target.draw((2, 3), dtype="bfloat16", seed=0).dtype.name == "bfloat16"
    try:
        ours = initspec.initializer("he_normal", backend="torch")
    except InitSpecError:
        pytest.skip("no backend")
    obeys(resolve(ours), DTYPES)
    assert resolve(ours).out_first


def test_torch_as_text_is_tied_to_the_sampler_of_torch(text, tmp_path, monkeypatch) -> None:
    pytest.importorskip("torch")
    (tmp_path / "hair_of_torch.py").write_text(
        "import torch\n"
        "def he_(tensor):\n"
        "    return torch.nn.init.kaiming_normal_(tensor).data.mul_(1 + 1e-5)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for target, claim in (
        ("torch.nn.init:kaiming_normal_", "he_normal@torch"),
        ("torch.nn.init:kaiming_uniform_", "he_uniform@torch"),
        ("torch.nn.init:trunc_normal_(a=-2.0, b=2.0)", "trunc_normal@torch"),
    ):
        right = decision(text(target), claim, "base")
        assert (right.applies, right.verdict) == (True, "PASS"), right
        assert right.note.endswith("by the draws of torch")
    wrong = decision(text("hair_of_torch:he_"), "he_normal@torch", "base")
    assert wrong.verdict == "FAIL"
    assert "1.00001 times the documented scale, by the draws of torch" in wrong.note


def test_torch_functions_have_the_layout_of_torch() -> None:
    init = pytest.importorskip("torch").nn.init
    for function, claim in (
        (init.kaiming_normal_, "he_normal@torch"),
        (init.orthogonal_, "orthogonal@torch"),
    ):
        report = check(function, claim, tier="exact")
        assert report.conforms
        assert {record.layout for record in report.records} <= {"oi", "oihw"}


def test_torch_as_text_conforms_to_its_own_row_and_not_to_the_paper(text) -> None:
    pytest.importorskip("torch")
    right = check(text("torch.nn.init:kaiming_normal_"), "he_normal@torch", shape=(200, 100))
    assert right.conforms
    wrong = check(text("torch.nn.init:kaiming_normal_"), "he_normal", shape=(200, 100))
    assert wrong.verdict == "FAIL"
    assert "truncation is missing" in wrong.records[0].explanation


def test_parameters_of_torch_layers(text) -> None:
    torch = pytest.importorskip("torch")
    target = text("torch.nn:Conv2d(16,48,3,groups=4)#weight")
    assert target.fixed_shape == (48, 4, 3, 3)
    assert target.layout == "torch.Conv2d, groups=4"
    obeys(target, DTYPES, (48, 4, 3, 3))
    with torch.random.fork_rng():
        torch.manual_seed(7)
        wanted = torch.nn.Conv2d(16, 48, 3, groups=4).weight.detach().numpy()
    drawn = target.draw((48, 4, 3, 3), dtype="float32", seed=7)
    np.testing.assert_array_equal(drawn, wanted)
    here = load("torch.nn:Linear(2, 3)#weight").draw((3, 2), "bfloat16", 0)
    assert here.dtype.name == "bfloat16"
    assert torch.get_default_dtype() is torch.float32, "the default type has been left changed"
    (cell,) = target_cells(target, "he_uniform")
    assert (cell.shape, str(cell.layout)) == ((48, 4, 3, 3), "oihw, groups=4")
    assert "asked for the shape (2, 2), the target answered (48, 4, 3, 3)" in sentence(
        target, (2, 2)
    )


def test_parameters_inside_torch_modules(text) -> None:
    pytest.importorskip("torch")
    target = text("torch.nn:MultiheadAttention(8, 2)#out_proj.weight")
    assert target.fixed_shape == (8, 8)
    assert target.layout == "torch.Linear"  # of a class derived from it
    assert text("torch.nn:MultiheadAttention(8, 2)#in_proj_weight").layout == (
        "torch.MultiheadAttention"
    )
    assert "known: bias, weight" in sentence(text("torch.nn:Linear(2, 3)#kernel"))
    assert "raised TypeError" in sentence(text("torch.nn:Linear()#weight"))


# Keras.


@pytest.mark.slow
def test_keras_classes_and_instances() -> None:
    keras = pytest.importorskip("keras")
    init = keras.initializers
    for found in (
        init.HeNormal,
        init.GlorotUniform(seed=3),
        init.VarianceScaling(2.0, "fan_out"),
        init.TruncatedNormal(seed=keras.random.SeedGenerator(1)),
    ):
        target = resolve(found)
        obeys(target, DTYPES)
        assert not target.out_first
    wanted = keras.ops.convert_to_numpy(init.HeNormal(seed=7)(SHAPE))
    drawn = resolve(init.HeNormal).draw(SHAPE, dtype="float32", seed=7)
    np.testing.assert_array_equal(drawn, wanted)
    assert resolve(init.Zeros).draw((2,), dtype="bfloat16", seed=0).dtype.name == "bfloat16"

    class Mine(init.Initializer):
        def __call__(self, shape, dtype=None):
            return keras.random.normal(shape, dtype=dtype)

    obeys(resolve(Mine))
    with pytest.raises(InitSpecError, match="called for the initializer that it makes; an init"):
        resolve(keras.layers.Dense(3))


@pytest.mark.slow
def test_keras_layers_on_pytorch_are_keras_layers(monkeypatch) -> None:
    """There they are modules of PyTorch as well; the process settles Keras' backend for good."""
    if not (initspec.available()["keras"] and initspec.available()["torch"]):
        pytest.skip("Keras and PyTorch are not both installed")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    worker = process.Process(120)
    target = remote.TextTarget("keras.layers:Dense(96)#kernel@(None,40)", worker)
    assert (target.fixed_shape, target.layout) == ((40, 96), "keras.Dense")


@pytest.mark.slow
def test_keras_as_text_and_parameters_of_its_layers(text) -> None:
    pytest.importorskip("keras")
    assert decision(text("keras.initializers:HeNormal"), "he_normal", "base").note.endswith("keras")
    obeys(text("keras.initializers:HeNormal(seed=1)"), ("float32", "bfloat16"))
    assert check(text("keras.initializers:HeNormal"), "he_normal", shape=(200, 100)).conforms
    target = text("keras.layers:Dense(96)#kernel@(None,40)")
    assert (target.fixed_shape, target.layout, target.out_first) == ((40, 96), "keras.Dense", False)
    obeys(target, ("float32", "bfloat16"), (40, 96))
    target = text("keras.layers:MultiHeadAttention(2, 4)#query.kernel@((None,4,8),(None,4,8))")
    assert (target.fixed_shape, target.layout) == ((8, 2, 4), "keras.MultiHeadAttention.query")
    assert text("keras.layers:LSTM(5)#kernel@(None,4,3)").fixed_shape == (3, 20)
    assert "end the target with the shape" in sentence(text("keras.layers:Dense(9)#kernel"))


# JAX and Flax.


def test_jax_factories_and_instances() -> None:
    jax = pytest.importorskip("jax")
    init = jax.nn.initializers
    for found in (init.he_normal, init.lecun_uniform(), init.normal(0.02), init.orthogonal):
        target = resolve(found)
        obeys(target, DTYPES if found is init.he_normal else ("float32",))
        assert not target.out_first
    wanted = init.he_normal()(jax.random.key(7), SHAPE)
    np.testing.assert_array_equal(
        resolve(init.he_normal).draw(SHAPE, dtype="float32", seed=7), wanted
    )
    assert not resolve(init.zeros).draw((3,), dtype="float32", seed=0).any()
    assert not jax.config.jax_enable_x64
    with pytest.raises(InitSpecError, match="scale, mode, distribution"):
        resolve(init.variance_scaling)


def test_jax_functions_of_ones_own() -> None:
    jax = pytest.importorskip("jax")

    def keyed(key, shape, dtype=None):
        return jax.random.normal(key, shape, dtype)

    def named_rng(rng, shape):
        return jax.random.normal(rng, shape)

    def short(k, shape):
        return jax.random.normal(k, shape)

    for function in (keyed, jax.jit(keyed, static_argnums=(1, 2))):
        obeys(resolve(function), ("float64", "float32"))
    obeys(resolve(named_rng))
    obeys(resolve(short))
    obeys(resolve(lambda shape, seed: jax.random.normal(jax.random.key(seed), shape)))
    assert resolve(jax.numpy.ones((2, 3))).fixed_shape == (2, 3)


def test_initializers_of_ours_in_jax() -> None:
    pytest.importorskip("jax")
    try:
        ours = initspec.initializer("he_normal", backend="jax", seed=1)
    except InitSpecError:
        pytest.skip("no backend")
    obeys(resolve(ours), ("float32", "bfloat16"))


def test_parameters_of_flax_layers(text) -> None:
    pytest.importorskip("flax")
    target = text("flax.linen:Dense(96)#kernel@(1,40)")
    assert (target.fixed_shape, target.layout) == ((40, 96), "flax.Dense")
    obeys(target, ("float32", "bfloat16"), (40, 96))
    assert "end the target with the input's shape" in sentence(text("flax.linen:Dense(9)#kernel"))
    target = text("flax.nnx:Linear(40,96)#kernel")
    assert (target.fixed_shape, target.layout) == ((40, 96), "flax.nnx.Linear")
    obeys(target, ("float32", "bfloat16"), (40, 96))
    target = text("flax.nnx:Conv(16, 48, (3, 3), feature_group_count=4)#kernel")
    assert (target.fixed_shape, target.layout) == ((3, 3, 4, 48), "flax.nnx.Conv, groups=4")


def test_jax_as_text(text) -> None:
    pytest.importorskip("jax")
    obeys(text("jax.nn.initializers:he_normal(in_axis=-1, out_axis=-2)"), ("float64", "float32"))
    for dtype in ("float64", "float32"):
        base = decision(text("jax.nn.initializers:he_normal"), "he_normal", "base", dtype=dtype)
        assert base.note.endswith("by the draws of jax")
    assert check(text("jax.nn.initializers:he_normal"), "he_normal", shape=(200, 100)).conforms


@pytest.mark.parametrize("dtype", [">f4", ">f2", ">f8", ">c8", ">i4"])
def test_an_answer_in_another_order_of_bytes(dtype: str) -> None:
    answer = np.arange(6).reshape(2, 3).astype(dtype)
    array = tohost(answer)
    assert array.dtype.isnative
    assert np.array_equal(array, answer)
