"""What a target is handed: a real parameter, a seed of any kind, generators that help nobody."""

import functools
import json
import random
import sys
import types

import numpy as np
import pytest

pytest.importorskip("scipy")

import initspec
from initspec import InitSpecError, SpecError
from initspec.conformance import check
from initspec.conformance.selection import Selection, select
from initspec.conformance.targets.frames import packed, unpacked
from initspec.conformance.targets.host import tohost
from initspec.conformance.targets.loading import load
from initspec.conformance.targets.resolve import resolve
from initspec.conformance.targets.text import Reference

SHAPE = (24, 32)


def decision(target, claim, test, **options):
    record = check(target, claim, tier="exact", shape=SHAPE, **options).records[0]
    assert record.decisions, record.sentence
    return next(item for item in record.decisions if item.test == test)


def drawn(target, seed=7, dtype="float32"):
    return resolve(target).draw(SHAPE, dtype=dtype, seed=seed)


# The tensor that is handed over.


def test_the_tensor_that_was_given_is_judged_and_no_other() -> None:
    torch = pytest.importorskip("torch")
    init = torch.nn.init

    def another_(tensor):
        return init.kaiming_normal_(torch.empty_like(tensor))

    def zeroes_(tensor):
        weights = init.kaiming_normal_(tensor).clone()
        tensor.data.zero_()
        return weights

    def scaled_(tensor):
        return init.kaiming_normal_(tensor) * 1.0

    for function in (another_, zeroes_, scaled_):
        record = check(function, "he_normal@torch", shape=SHAPE).records[0]
        assert record.verdict == "ERROR"
        assert "another tensor than the one that it was given" in record.sentence
    assert "left that one unwritten" in check(another_, "zeros", shape=SHAPE).records[0].sentence


def test_a_forgotten_no_grad_is_seen() -> None:
    torch = pytest.importorskip("torch")

    def forgets_(tensor):
        tensor.normal_(0, 0.02)

    def slices(w):
        w[:] = torch.zeros(w.shape)

    for function, claim in ((forgets_, "normal(std=0.02)"), (slices, "zeros")):
        record = check(function, claim, shape=SHAPE).records[0]
        assert record.verdict == "ERROR"
        assert "fill it under torch.no_grad()" in record.sentence
        assert "leaf Variable" in record.sentence


def test_right_ways_to_fill_a_parameter_pass() -> None:
    torch = pytest.importorskip("torch")

    def through_data(w):
        w.data = torch.randn(w.shape, dtype=w.dtype) * 0.02

    def through_data_of_another_name(values):
        values.data[:] = torch.randn(values.shape) * 0.02

    def answers_data(t):
        return t.data.normal_(0, 0.02)

    @torch.no_grad()
    def sliced(weight):
        weight[...] = torch.randn(weight.shape) * 0.02

    @torch.no_grad()
    def answers_a_number(w):
        w.normal_(0, 0.02)
        return 0.02

    def with_generator(w, generator):
        w.data.normal_(0, 0.02, generator=generator)

    def is_learnt_(tensor):
        assert isinstance(tensor, torch.nn.Parameter)
        assert tensor.requires_grad
        torch.nn.init.normal_(tensor, std=0.02)
        return tensor.detach()

    for function in (
        through_data,
        through_data_of_another_name,
        answers_data,
        sliced,
        answers_a_number,
        with_generator,
        is_learnt_,
        functools.partial(torch.nn.init.normal_, std=0.02),
    ):
        report = check(function, "normal(std=0.02)", shape=SHAPE)
        assert report.conforms, (function, report.records[0].sentence)


def module_of(text):
    """Functions of a module that imports by name."""
    module = types.ModuleType("imports_by_name")
    sys.modules[module.__name__] = module
    exec(compile(text, "imports_by_name.py", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize(
    "body",
    [
        "from torch import no_grad, empty\n@no_grad()\ndef f(shape, generator):\n"
        "    return empty(shape).normal_(generator=generator)\n",
        "from torch import randn\ndef f(shape, *, generator=None):\n"
        "    return randn(shape, generator=generator)\n",
        "import torch\ndef draw(shape, source):\n    return torch.randn(shape, generator=source)\n"
        "def f(shape, generator):\n    return draw(shape, generator)\n",
        "def f(tensor, generator):\n    tensor.data.normal_(generator=generator)\n",
        "import torch\nimport numpy as np\ndef f(shape, generator):\n"
        "    return torch.from_numpy(generator.standard_normal(shape, np.float32))\n",
        "from torch import randn\nHOW = {'draw': randn}\ndef f(shape, rng):\n"
        "    return HOW['draw'](shape, generator=rng)\n",
    ],
)
def test_each_function_is_handed_the_generator_of_its_framework(body) -> None:
    pytest.importorskip("torch")
    function = module_of(body).f
    np.testing.assert_array_equal(drawn(function), drawn(function))
    assert (drawn(function) != drawn(function, 8)).mean() > 0.9


def test_keys_reach_functions_that_import_by_name() -> None:
    pytest.importorskip("jax")
    for body in (
        "from jax.random import normal\ndef f(k, shape):\n    return normal(k, shape)\n",
        "from jax import random\nDRAW = {'normal': random.normal}\n"
        "def f(rng, shape):\n    return DRAW['normal'](rng, shape)\n",
    ):
        function = module_of(body).f
        np.testing.assert_array_equal(drawn(function), drawn(function))


# Global generators.


def test_a_target_that_ignores_what_it_is_handed_finds_no_help_in_the_globals() -> None:
    def seed(shape, seed):
        return np.random.standard_normal(shape).astype("float32")

    def rng(shape, rng):
        return np.random.standard_normal(shape).astype("float32")

    def python(shape, seed):
        return np.array([random.gauss(0, 1) for _ in range(24 * 32)], "float32").reshape(shape)

    for function in (seed, rng, python):
        found = decision(function, "normal(std=1)", "seed")
        assert found.verdict == "FAIL", function
        assert (drawn(function) != drawn(function)).all()


def test_frameworks_globals_are_no_help_either() -> None:
    torch = pytest.importorskip("torch")

    def ignores_(tensor, generator=None):
        torch.nn.init.normal_(tensor)

    def key(key, shape):
        return torch.randn(shape).numpy()

    assert decision(ignores_, "normal(std=1)", "seed").verdict == "FAIL"
    if initspec.available().get("jax"):
        assert decision(key, "normal(std=1)", "seed").verdict == "FAIL"
    sparse = functools.partial(torch.nn.init.sparse_, sparsity=0.1)
    np.testing.assert_array_equal(drawn(sparse), drawn(sparse))


# Seeds at the edges.


def right(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda shape, seed: right(shape, seed or None), "the seed 0 gave other values"),
        (lambda shape, seed: right(shape, seed if seed > 0 else None), "the seed 0"),
        (lambda shape, seed: right(shape, None if seed < 0 else seed), "the seed -1"),
        (lambda shape, seed: right(shape, seed if seed < 2**31 else None), "the seed 2147483648"),
        (lambda shape, seed: right(shape, seed if seed < 2**63 else None), "922337203685477580"),
        (
            lambda shape, seed: right(shape, seed if type(seed) is int else 3),
            "np.int64(7) gave other values than 7",
        ),
        (
            lambda shape, seed: right(shape, seed) if seed is not None else np.zeros(shape, "f4"),
            "with the seed None: all values are 0",
        ),
        (
            lambda shape, seed: right(shape, seed) if seed else np.full(shape, 1e9, "f4"),
            "all values are 1e+09",
        ),
    ],
)
def test_a_wrong_answer_to_a_seed_at_the_edges_is_seen(function, words) -> None:
    found = decision(function, "normal(std=1)", "seed")
    assert found.verdict == "FAIL"
    assert words in found.note


def test_seeds_that_are_taken_for_others_are_seen() -> None:
    for function, pair in (
        (lambda shape, seed: right(shape, seed & 0x7FFFFFFF), "0 and 2147483648"),
        (lambda shape, seed: right(shape, seed or 42), "0 and 42"),
        (lambda shape, seed: right(shape, seed or 1), "0 and 1"),
    ):
        found = decision(function, "normal(std=1)", "seeds")
        assert found.verdict == "FAIL"
        assert pair in found.note


def test_right_targets_may_refuse_seeds_or_take_them_as_their_framework_does() -> None:
    def legacy(shape, seed):
        return np.random.RandomState(seed).standard_normal(shape)

    def seeds_the_globals(shape, seed):
        np.random.seed(seed)
        return np.random.standard_normal(shape)

    def python(shape, seed):
        source = random.Random(seed)
        return np.array([source.gauss(0, 1) for _ in range(24 * 32)]).reshape(shape)

    functions = [right, legacy, seeds_the_globals, python]
    if initspec.available().get("torch"):
        import torch

        def of_torch(shape, seed):
            return torch.randn(shape, generator=torch.Generator().manual_seed(seed))

        functions.append(of_torch)
    if initspec.available().get("jax"):
        import jax

        functions.append(lambda shape, seed: jax.random.normal(jax.random.key(seed), shape))
    for function in functions:
        for test in ("seed", "seeds"):
            found = decision(function, "normal(std=1)", test)
            assert found.verdict == "PASS", (function, found.note)


def test_what_takes_no_seed_is_not_held_to_one() -> None:
    own = np.random.default_rng(0)
    found = decision(lambda shape: own.standard_normal(shape), "normal(std=1)", "seed")
    assert (found.verdict, found.applies) == ("PASS", False)
    assert "it takes no seed" in found.note


def test_seeds_that_a_framework_takes_for_one_are_its_trait(monkeypatch) -> None:
    period = 2**31 - 2
    target = resolve(lambda shape, rng: right(shape, 0))
    target._maker = None
    monkeypatch.setattr(
        type(target), "draw", lambda self, shape, *, dtype, seed: right(shape, seed % period)
    )
    monkeypatch.setattr(type(target), "conduct", lambda self, shape, *, dtype, seed: {})
    monkeypatch.setattr(type(target), "seed_periods", (2**31 - 1, period))
    found = decision(target, "normal(std=1)", "seeds")
    assert found.verdict == "PASS"
    assert "as TensorFlow's own samplers give them" in found.note


def test_seeds_keep_their_type_on_the_way_to_another_process() -> None:
    for seed in (None, 0, -1, 2**70, np.int64(-5), np.uint32(7)):
        back = unpacked(json.loads(json.dumps(packed(seed))))
        assert (back, type(back)) == (seed, type(seed))


# Arrays.


def test_arrays_in_a_foreign_byte_order_are_read_as_what_they_say(tmp_path, monkeypatch) -> None:
    numbers = right(SHAPE, 3)
    assert tohost(numbers.astype(">f4")).tobytes() == numbers.tobytes()
    (tmp_path / "foreign.py").write_text(
        "import numpy as np\n"
        "def f(shape, seed):\n"
        "    return np.random.default_rng(seed).standard_normal(shape, 'f4').astype('>f4')\n"
        "ARRAY = f((600, 400), 1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    np.testing.assert_array_equal(drawn("foreign:f"), right(SHAPE, 7))
    np.save(tmp_path / "w.npy", numbers.astype(">f4"))
    np.testing.assert_array_equal(drawn(str(tmp_path / "w.npy")), numbers)
    report = check("foreign:ARRAY", "normal(std=1)")
    assert (report.verdict, report.records[0].shape) == ("PASS", (600, 400))
    assert len(report.records) == 1
    assert check("foreign:ARRAY", "normal(std=2)").verdict == "FAIL"


def test_arrays_of_torch_have_the_order_of_torch(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    weight = torch.nn.init.kaiming_normal_(torch.empty(600, 300))
    assert check(weight, "he_normal@torch").records[0].layout == "oi"
    assert check(weight, "he_normal@torch").conforms
    save = pytest.importorskip("safetensors.torch").save_file
    save({"w": weight}, tmp_path / "w.safetensors", metadata={"format": "pt"})
    text = str(tmp_path / "w.safetensors")
    assert check(text, "he_normal@torch").records[0].layout == "oi"
    assert check(text, "he_normal@torch").conforms
    pytest.importorskip("safetensors.numpy").save_file(
        {"w": weight.numpy()}, tmp_path / "plain.safetensors"
    )
    plain = str(tmp_path / "plain.safetensors")
    assert check(plain, "he_normal@torch").records[0].layout == "io"


def test_a_layout_goes_with_the_shape_that_a_target_has(tmp_path) -> None:
    np.save(tmp_path / "w.npy", right((6, 5), 1))
    text = str(tmp_path / "w.npy")
    (cell,) = select(Selection(targets=(text,), claims=("he_normal",), layout="oi")).cells
    assert (cell.shape, str(cell.layout)) == ((6, 5), "oi")
    for targets in (("numpy",), ("no_such_module:f",)):
        with pytest.raises(SpecError, match="goes with a --shape"):
            select(Selection(targets=targets, claims=("he_normal",), layout="oi"))
    with pytest.raises(InitSpecError, match="names 4 axes"):
        select(Selection(targets=(text,), claims=("he_normal",), layout="oihw"))


# Layers and texts.


def test_parameters_of_equinox_layers() -> None:
    pytest.importorskip("equinox")
    maker = load("equinox.nn:Linear(40, 96)#weight")
    assert (maker.fixed_shape, maker.layout, maker.out_first) == (
        (96, 40),
        "equinox.nn.Linear" if maker.layout and ".nn." in maker.layout else "equinox.Linear",
        True,
    )
    first, again = (maker.draw((96, 40), "float32", 5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != maker.draw((96, 40), "float32", 6)).all()
    inner = load("equinox.nn:MLP(4, 3, 8, 2)#layers.1.weight")
    assert inner.fixed_shape == (8, 8)


def test_parameters_of_haiku_layers() -> None:
    pytest.importorskip("haiku")
    maker = load("haiku:Linear(96)#w@(1, 40)")
    assert (maker.fixed_shape, maker.layout) == ((40, 96), "haiku.Linear")
    first, again = (maker.draw((40, 96), "float32", 5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != maker.draw((40, 96), "float32", 6)).all()
    with pytest.raises(SpecError, match="end the target with the input's shape"):
        load("haiku:Linear(96)#w")


def test_a_module_that_is_an_attribute_is_told_how_to_write() -> None:
    pytest.importorskip("flax")
    with pytest.raises(InitSpecError, match=r"write 'flax.nnx:initializers.he_normal'"):
        Reference.parse("flax.nnx.initializers:he_normal").find()


# Types and words.


def test_a_rounding_by_the_suite_is_said() -> None:
    record = check(right, "normal(std=1)", shape=SHAPE, dtype="bfloat16").records[0]
    assert record.verdict == "PASS"
    assert "gives float32" in record.sentence
    assert "rounded to bfloat16" in record.sentence
    assert check(right, "normal(std=1)", shape=SHAPE).records[0].sentence == ""
    array = check(right((600, 400), 1), "normal(std=1)", dtype="float16").records[0]
    assert "rounded to float16" in array.sentence


def uniform_float32(shape, seed):
    return np.random.default_rng(seed).random(shape, np.float32).astype(np.float64)


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        (lambda shape, seed: right(shape, seed).astype(np.float64), "normal(std=1)"),
        (lambda shape, seed: right(shape, seed).astype(np.float64) * 0.02, "normal(std=0.02)"),
        (
            lambda shape, seed: 0.3 + 0.02 * right(shape, seed).astype(np.float64),
            "normal(mean=0.3, std=0.02)",
        ),
        (lambda shape, seed: 0.05 * (2 * uniform_float32(shape, seed) - 1), "uniform"),
        (lambda shape, seed: -0.05 + 0.1 * uniform_float32(shape, seed), "uniform"),
        (lambda shape, seed: 2 + 3 * uniform_float32(shape, seed), "uniform(low=2.0, high=5.0)"),
    ],
)
def test_float64_that_was_float32_before_it_was_scaled_is_seen(function, claim) -> None:
    found = decision(function, claim, "types", dtype="float64")
    assert found.verdict == "FAIL"
    assert "float32 numbers, widened" in found.note


def test_float64_of_all_its_bits_passes() -> None:
    for draw, claim in (
        (lambda rng, shape: 0.3 + 0.02 * rng.standard_normal(shape), "normal(mean=0.3, std=0.02)"),
        (lambda rng, shape: rng.uniform(-0.05, 0.05, shape), "uniform"),
        (lambda rng, shape: rng.uniform(2.0, 5.0, shape), "uniform(low=2.0, high=5.0)"),
        (lambda rng, shape: 1e6 + rng.standard_normal(shape), "normal(mean=1e6, std=1)"),
    ):
        found = decision(lambda shape, rng, d=draw: d(rng, shape), claim, "types", dtype="float64")
        assert found.verdict == "PASS", found.note


def test_float64_made_of_float32_is_seen() -> None:
    def widened(shape, seed):
        return right(shape, seed).astype(np.float64)

    found = decision(widened, "normal(std=1)", "types", dtype="float64")
    assert found.verdict == "FAIL"
    assert "float32 numbers, widened" in found.note
    wide = decision(
        lambda shape, rng: rng.standard_normal(shape), "normal(std=1)", "types", dtype="float64"
    )
    assert wide.verdict == "PASS"


def test_an_exception_whose_text_cannot_be_had_is_a_sentence(tmp_path, monkeypatch) -> None:
    source = (
        "class Mute(Exception):\n"
        "    def __str__(self):\n"
        "        raise RuntimeError('no words')\n"
        "def f(shape, seed):\n"
        "    raise Mute\n"
    )
    (tmp_path / "mute_targets.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    import mute_targets

    for target in (mute_targets.f, "mute_targets:f"):
        record = check(target, "zeros", shape=(3, 3)).records[0]
        assert record.verdict == "ERROR"
        assert "the target raised Mute, whose text cannot be had" in record.sentence
