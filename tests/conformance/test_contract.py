"""By default a target's contract is held: seeds, keys, generators, buffers, threads, processes."""

import copy
import functools
import itertools
import random
import threading
import time

import numpy as np
import pytest

pytest.importorskip("scipy")

import initspec
from initspec.conformance import check

SHAPE = (24, 32)
CLAIM = "normal(std=1)"
LOCAL = threading.local()
OWN = np.random.default_rng()


def normal(shape, seed=None):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def refusals(target, claim=CLAIM, **options):
    """The tests that refuse a target in a run in which nothing is chosen, with their notes."""
    (record,) = check(target, claim, shape=SHAPE, **options).records
    assert record.decisions, record.sentence
    return {item.test: item.note for item in record.failed}


# ------------------------------------------------------------------------------- functions of seeds


def first_call_alone():
    calls = itertools.count()
    return lambda shape, seed: normal(shape, seed if next(calls) == 0 else None)


def first_sixty_calls():
    calls = itertools.count()
    return lambda shape, seed: normal(shape, seed if next(calls) < 60 else None)


def cached_by_shape():
    held = functools.lru_cache(lambda shape: normal(shape, 3))
    return lambda shape, seed: held(shape)


def cached_for_good():
    held = functools.lru_cache(maxsize=None)(normal)
    return lambda shape, seed: held(shape, seed)


def one_buffer():
    buffers = {}

    def fill(shape, seed):
        buffer = buffers.setdefault(shape, np.empty(shape, np.float32))
        buffer[...] = normal(shape, seed)
        return buffer

    return fill


def one_buffer_of_float64():
    buffer = np.empty((60, 60))

    def fill(shape, seed):
        view = buffer.reshape(-1)[: np.prod(shape)].reshape(shape)
        view[...] = np.random.default_rng(seed).standard_normal(shape)
        return view

    return fill


def a_ring_of_two_buffers():
    ring = itertools.cycle([np.empty(SHAPE, np.float32) for _ in range(2)])

    def fill(shape, seed):
        if shape != SHAPE:
            return normal(shape, seed)
        buffer = next(ring)
        buffer[...] = normal(shape, seed)
        return buffer

    return fill


def counted():
    calls = itertools.count()
    return lambda shape, seed: normal(shape, seed + next(calls))


def of_the_thread(shape, seed):
    return normal(shape, seed + (threading.current_thread() is not threading.main_thread()))


def cached_in_the_thread(shape, seed):
    if not hasattr(LOCAL, "offset"):
        LOCAL.offset = time.perf_counter_ns()
    return normal(shape, seed + LOCAL.offset)


def seeds(of):
    return lambda shape, seed: normal(shape, of(seed))


BY_SEED = {
    "ignored": (lambda: lambda shape, seed: normal(shape), "seed"),
    "fixed": (lambda: lambda shape, seed: normal(shape, 3), "seeds"),
    "global": (lambda: lambda shape, seed: np.float32(np.random.standard_normal(shape)), "seed"),
    "the time": (lambda: seeds(lambda n: time.perf_counter_ns()), "seed"),
    "the second": (lambda: seeds(lambda n: int(time.time() * 50) + n), "seed"),
    "first call alone": (first_call_alone, "seed"),
    "sixty calls": (first_sixty_calls, "seed"),
    "counted calls": (counted, "seed"),
    "a byte": (lambda: seeds(lambda n: n & 0xFF), "seeds"),
    "halved": (lambda: seeds(lambda n: n // 2), "seeds"),
    "shifted": (lambda: seeds(lambda n: n >> 8), "seeds"),
    "last digits": (lambda: seeds(lambda n: n % 1000), "seeds"),
    "of a prime": (lambda: seeds(lambda n: n % 997), "seeds"),
    "of a large prime": (lambda: seeds(lambda n: n % (10**9 + 7)), "seeds"),
    "a million": (lambda: seeds(lambda n: n % 10**6), "seeds"),
    "16 bits": (lambda: seeds(lambda n: n & 0xFFFF), "seeds"),
    "of 65535": (lambda: seeds(lambda n: n % 65535), "seeds"),
    "24 bits": (lambda: seeds(lambda n: n & 0xFFFFFF), "seeds"),
    "30 bits": (lambda: seeds(lambda n: n & 0x3FFFFFFF), "seeds"),
    "31 bits": (lambda: seeds(lambda n: n & 0x7FFFFFFF), "seeds"),
    "float32": (lambda: seeds(lambda n: int(np.float32(n or 0))), "seeds"),
    "int32 and its size": (lambda: seeds(lambda n: abs((n + 2**31) % 2**32 - 2**31)), "seeds"),
    "its size": (lambda: seeds(abs), "seeds"),
    "squared": (lambda: seeds(lambda n: n * n), "seeds"),
    "its digits summed": (lambda: seeds(lambda n: sum(map(int, str(abs(n))))), "seeds"),
    "at least one": (lambda: seeds(lambda n: max(n, 1)), "seeds"),
    "at most a million": (lambda: seeds(lambda n: min(n, 10**6)), "seeds"),
    "or 42": (lambda: seeds(lambda n: n or 42), "seeds"),
    "or none": (lambda: seeds(lambda n: n or None), "seed"),
    "cached by shape": (cached_by_shape, "seeds"),
    "cached for good": (cached_for_good, "buffer"),
    "one buffer": (one_buffer, "buffer"),
    "one buffer of float64": (one_buffer_of_float64, "buffer"),
    "two buffers": (a_ring_of_two_buffers, "buffer"),
    "of the thread": (lambda: of_the_thread, "seed"),
    "cached in the thread": (lambda: cached_in_the_thread, "seed"),
}


@pytest.mark.parametrize("name", BY_SEED)
def test_a_fault_of_the_seed_is_refused_by_default(name):
    make, test = BY_SEED[name]
    assert test in refusals(make())


@pytest.mark.parametrize("name", ["ignored", "sixty calls", "a million", "its size", "one buffer"])
def test_the_exact_tier_alone_refuses_it_too(name):
    make, test = BY_SEED[name]
    assert test in refusals(make(), tier="exact")


# ------------------------------------------------------------------- functions of NumPy's generators


def rewound(shape, rng):
    state = rng.bit_generator.state
    drawn = rng.standard_normal(shape, np.float32)
    rng.bit_generator.state = state
    return drawn


def copied(shape, rng):
    return copy.deepcopy(rng).standard_normal(shape, np.float32)


def of_its_seed(shape, rng):
    return normal(shape, rng.bit_generator.seed_seq.entropy)


def seeds_it_anew(shape, rng):
    drawn = rng.standard_normal(shape, np.float32)
    rng.bit_generator.state = np.random.PCG64(3).state
    return drawn


def ignores_it(shape, rng):
    return normal(shape)


def takes_another(shape, rng):
    return normal(shape, 3)


def a_byte_of_it(shape, rng):
    return normal(shape, int(rng.integers(4)))


BY_GENERATOR = {
    rewound: "generator",
    copied: "generator",
    of_its_seed: "generator",
    seeds_it_anew: "generator",
    ignores_it: "seed",
    takes_another: "seeds",
    a_byte_of_it: "seeds",
}


@pytest.mark.parametrize("function", BY_GENERATOR, ids=lambda function: function.__name__)
def test_a_fault_with_a_generator_of_numpy_is_refused_by_default(function):
    assert BY_GENERATOR[function] in refusals(function)


# -------------------------------------------------------------------------------------- PyTorch


def of_torch():
    torch = pytest.importorskip("torch")
    init = torch.nn.init

    def rewound_(tensor, generator=None):
        state = generator.get_state()
        init.normal_(tensor, generator=generator)
        generator.set_state(state)

    def of_its_seed_(tensor, generator=None):
        source = torch.Generator().manual_seed(generator.initial_seed())
        init.normal_(tensor, generator=source)

    def clones_(tensor, generator=None):
        init.normal_(tensor, generator=generator.clone_state())

    def seeds_it_anew_(tensor, generator=None):
        init.normal_(tensor, generator=generator)
        generator.manual_seed(0)

    def ignores_it_(tensor, generator=None):
        init.normal_(tensor)

    def forks_the_global_one_(tensor):
        with torch.random.fork_rng():
            init.normal_(tensor)

    def seeds_the_global_one_(tensor):
        torch.manual_seed(0)
        init.normal_(tensor)

    def seeds_the_global_one_afterwards_(tensor):
        init.normal_(tensor)
        torch.manual_seed(0)

    buffer = torch.empty(SHAPE)

    def one_buffer_(tensor):
        if tensor.shape == buffer.shape:
            tensor.data = buffer.normal_()
        else:
            init.normal_(tensor)

    def buffer_by_shape(shape, seed):
        if tuple(shape) != SHAPE:
            return torch.randn(shape, generator=torch.Generator().manual_seed(seed or 0))
        return buffer.normal_(generator=torch.Generator().manual_seed(seed or 0))

    def half_global_(tensor, generator=None):
        init.normal_(tensor, generator=generator)
        with torch.no_grad():
            tensor[:12].normal_()

    return {
        rewound_: "generator",
        of_its_seed_: "generator",
        clones_: "generator",
        seeds_it_anew_: "generator",
        ignores_it_: "seed",
        forks_the_global_one_: "generator",
        seeds_the_global_one_: "seeds",
        seeds_the_global_one_afterwards_: "generator",
        one_buffer_: "buffer",
        buffer_by_shape: "buffer",
        half_global_: "seed",
    }


def test_faults_of_pytorch_are_refused_by_default():
    for function, test in of_torch().items():
        assert test in refusals(function), function.__name__


# ------------------------------------------------------------------------------------------ JAX


def of_jax():
    jax = pytest.importorskip("jax")

    def ignores_it(key, shape, dtype=jax.numpy.float32):
        return jax.numpy.asarray(normal(shape), dtype)

    def takes_another(key, shape, dtype=jax.numpy.float32):
        return jax.random.normal(jax.random.key(0), shape, dtype)

    def half_global(key, shape, dtype=jax.numpy.float32):
        first = jax.random.normal(key, shape, dtype)
        return first.at[:12].set(np.random.standard_normal((12, *shape[1:])))

    def first_word_alone(key, shape, dtype=jax.numpy.float32):
        return jax.random.normal(jax.random.key(jax.random.key_data(key)[0]), shape, dtype)

    def a_byte_of_it(key, shape, dtype=jax.numpy.float32):
        return jax.random.normal(jax.random.key(jax.random.key_data(key)[1] % 256), shape, dtype)

    calls = itertools.count()

    def folds_calls(key, shape, dtype=jax.numpy.float32):
        return jax.random.normal(jax.random.fold_in(key, next(calls)), shape, dtype)

    return {
        ignores_it: "seed",
        takes_another: "seeds",
        half_global: "seed",
        first_word_alone: "seeds",
        a_byte_of_it: "seeds",
        folds_calls: "seed",
    }


def test_faults_of_jax_are_refused_by_default():
    for function, test in of_jax().items():
        assert test in refusals(function), function.__name__


# ---------------------------------------------------------------------------------------- Keras


def test_faults_of_keras_are_refused_by_default():
    keras = pytest.importorskip("keras")

    class Ignores(keras.initializers.Initializer):
        def __init__(self, seed=None):
            self.seed = seed

        def __call__(self, shape, dtype=None):
            return keras.random.normal(shape, dtype=dtype or "float32")

        def get_config(self):
            return {"seed": self.seed}

    class Fixed(Ignores):
        def __call__(self, shape, dtype=None):
            return keras.random.normal(shape, dtype=dtype or "float32", seed=3)

    class Forgets(Ignores):
        def __init__(self, seed=None):
            self.seed = 5

        def __call__(self, shape, dtype=None):
            return keras.random.normal(shape, dtype=dtype or "float32", seed=self.seed)

    assert "seed" in refusals(Ignores)
    assert "seeds" in refusals(Fixed)
    assert "seeds" in refusals(Forgets)


# ------------------------------------------------------------------------------------- processes


def test_values_that_differ_from_process_to_process_are_refused_by_default(tmp_path, monkeypatch):
    (tmp_path / "processes_differ.py").write_text(
        "import os, secrets\nimport numpy as np\n"
        "AT_IMPORT = secrets.randbits(30)\n"
        "def draw(shape, seed):\n"
        "    return np.random.default_rng(seed).standard_normal(shape, 'f4')\n"
        "def hashed(shape, seed):\n"
        "    return draw(shape, abs(hash(f'layer {seed}')))\n"
        "def of_a_set(shape, seed):\n"
        "    names = sorted({str(n) for n in range(40)}, key=hash)\n"
        "    return draw(shape, [int(n) for n in names] + [seed % 2**32])\n"
        "def imported(shape, seed):\n"
        "    return draw(shape, (seed or 0) + AT_IMPORT)\n"
        "def numbered(shape, seed):\n"
        "    return draw(shape, [(seed or 0) % 2**32, os.getpid()])\n"
        "def right(shape, seed):\n"
        "    return draw(shape, hash((seed or 0, 7)) % 2**63)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("hashed", "of_a_set", "imported", "numbered"):
        assert "in another process" in refusals(f"processes_differ:{name}")["seed"], name
    assert refusals("processes_differ:right") == {}
    monkeypatch.setenv("PYTHONHASHSEED", "5")
    assert "in another process" in refusals("processes_differ:hashed")["seed"]


# ---------------------------------------------------------------------------------- right in odd forms


class Callable:
    def __call__(self, shape, seed):
        return normal(shape, seed)

    def method(self, shape, *, seed=None):
        return normal(shape, seed)

    @staticmethod
    def static(size, random_state):
        return np.random.RandomState(random_state).standard_normal(size)


def spawned(shape, rng):
    return rng.spawn(1)[0].standard_normal(shape)


def of_its_numbers(shape, rng):
    return normal(shape, int(rng.integers(2**62)))


def pythons_own(shape, seed):
    source = random.Random(seed)
    return np.array([source.gauss(0, 1) for _ in range(np.prod(shape))]).reshape(shape)


def pythons_global(shape, seed):
    random.seed(seed)
    return np.array([random.gauss(0, 1) for _ in range(np.prod(shape))]).reshape(shape)


def read_only(shape, seed):
    drawn = normal(shape, seed)
    drawn.setflags(write=False)
    return drawn


def a_list(shape, seed):
    return normal(shape, seed).tolist()


def a_slice(shape, seed):
    return normal((shape[0] * 2, *shape[1:]), seed)[::2]


def of_32_bits(shape, seed):
    return normal(shape, seed % 2**32)


def positive_alone(shape, seed):
    if seed < 0:
        raise ValueError("no negative seeds")
    return normal(shape, seed)


RIGHT = {
    "lambda": lambda shape, seed: normal(shape, seed),
    "default": lambda shape, seed=0: normal(shape, seed),
    "class": Callable(),
    "method": Callable().method,
    "static method": Callable.static,
    "partial": functools.partial(lambda scale, shape, seed: scale * normal(shape, seed), 1.0),
    "spawned": spawned,
    "of its numbers": of_its_numbers,
    "Python's own": pythons_own,
    "Python's global": pythons_global,
    "read-only": read_only,
    "a list": a_list,
    "a slice": a_slice,
    "32 bits": of_32_bits,
    "positive seeds alone": positive_alone,
    "a generator": lambda shape, rng: rng.standard_normal(shape),
    "the global one": lambda shape: np.random.standard_normal(shape),
    "a generator of its own": lambda shape: OWN.standard_normal(shape),
    "none": lambda shape: normal(shape),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_targets_in_odd_forms_pass_by_default(name):
    assert refusals(RIGHT[name]) == {}


def test_right_targets_of_frameworks_pass_by_default():
    if initspec.available().get("torch"):
        import torch

        def handed_on_(tensor, generator=None):
            torch.nn.init.normal_(tensor, generator=generator)

        def seeded(shape, seed):
            torch.manual_seed(seed or 0)
            return torch.randn(shape)

        def views(shape, generator):
            return torch.randn(2, *shape, generator=generator)[1]

        right = [handed_on_, seeded, views, torch.nn.init.normal_]
        assert [refusals(function) for function in right] == [{}] * 4
    if initspec.available().get("jax"):
        import jax

        held = functools.lru_cache(lambda key, shape: jax.random.normal(jax.random.key(key), shape))
        right = [
            jax.jit(lambda key, shape: jax.random.normal(key, shape), static_argnums=1),
            lambda shape, seed: held(int(seed or 0) % 2**32, shape),  # nobody can change an array
            lambda key, shape: jax.random.normal(jax.random.split(key)[1], shape),
        ]
        assert [refusals(function) for function in right] == [{}] * 3


def test_what_cannot_be_asked_of_a_target_is_said():
    (record,) = check(normal(SHAPE, 1), CLAIM, tier="exact").records
    told = {item.test: item.note for item in record.decisions if not item.applies}
    assert "the target is an array, which has nothing to seed" in told["seeds"]
    assert told["seed"] == told["seeds"] == told["buffer"] == told["generator"]
    (record,) = check(lambda shape: normal(shape), CLAIM, shape=SHAPE).records
    told = {item.test: item.note for item in record.decisions if not item.applies}
    assert "it takes no seed" in told["seed"]
    (record,) = check(lambda shape, seed: normal(shape, seed), CLAIM, shape=SHAPE).records
    told = {item.test: item.note for item in record.decisions if not item.applies}
    assert "no generator that goes on" in told["generator"]
