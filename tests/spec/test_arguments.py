"""What people hand over: NumPy's scalars are numbers, and what is none is answered by a sentence."""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import initspec
from initspec import stream
from initspec.spec.fields import TAKES


def test_numpy_scalars_are_numbers() -> None:
    small = initspec.get("normal", std=np.float32(0.02))
    assert small == initspec.get("normal", std=float(np.float32(0.02)))
    assert initspec.get(small.name) == small  # the name can be read again
    assert initspec.get("normal").replace(std=np.float64(0.5)).std == 0.5
    assert initspec.get("constant", np.int64(3)).value == 3.0
    assert initspec.get("uniform", np.array(-1.0), np.float16(1)).on((2, 3)).support == (-1, 1)
    assert initspec.get("dirac", groups=np.int64(2)).groups == 2
    assert initspec.Truncation(np.float32(-1), np.int64(1)) == initspec.Truncation(-1.0, 1.0)
    assert initspec.Layout("oihw", groups=np.int64(2)) == initspec.Layout("oihw", groups=2)


def test_arguments_of_a_draw() -> None:
    he = initspec.get("he_normal")
    wanted = he.numpy((6, 5), seed=3)
    assert np.array_equal(he.numpy(np.array([6, 5]), seed=np.int64(3)), wanted)
    assert initspec.fans(np.array([6, 5])) == initspec.fans((6, 5))
    for word in ("f4", np.float32, np.dtype("f4"), "single", "float32"):
        assert np.array_equal(he.numpy((6, 5), seed=3, dtype=word), wanted)
    for word in (float, "f8", "double"):
        assert he.numpy((6, 5), seed=3, dtype=word).dtype == np.float64
    assert he.numpy((6, 5), seed=3, dtype="f2").dtype == np.float16


def test_a_law_in_scipys_hands() -> None:
    stats = pytest.importorskip("scipy.stats")
    law = initspec.get("he_normal").on((60, 50))
    values = initspec.get("he_normal").numpy((60, 50), seed=0)
    assert stats.kstest(values.ravel(), law.cdf).pvalue > 1e-4


HE = initspec.get("he_normal")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: initspec.get("constant", value=None), "value is a number, not None"),
        (lambda: initspec.get(np.array([1j])), "this one is complex"),
        (lambda: initspec.get("variance_scaling", factor=None), "factor is a number, not None"),
        (lambda: initspec.get("orthogonal", gain=None), "gain is a number, not None"),
        (lambda: initspec.get("uniform", low="a b", high=1), "low is a number, not 'a b'"),
        (lambda: HE.numpy((2, 3), layout=7), "a layout is a text, .* not 7"),
        (lambda: HE.numpy((2, 3), layout=np), "a layout is a text"),
        (lambda: HE.numpy((2, 3), name=17), "the name of a parameter is a text, not 17"),
        (lambda: HE.numpy((2, 3), name="\ud800"), "has no UTF-8"),
        (lambda: HE.numpy((2, 3), out=[[0.0]]), "and a NumPy array is expected"),
        (lambda: HE.numpy((2, 3), window=(2, slice(0, 1))), "one slice for each axis"),
        (lambda: HE.numpy((2, 3), window=(slice(0, 0.5), slice(0, 1))), "bounds are integers"),
        (lambda: HE.numpy((2, 3), seed=np.array([3])), "a seed is an integer from 0"),
        (lambda: HE.numpy((2**63, 2)), "more elements than memory has addresses"),
        (lambda: HE.numpy((2**63, 0)), "more elements than memory has addresses"),
        (lambda: HE.numpy((2**64, 1)), "more elements than memory has addresses"),
    ],
)
def test_a_sentence_for_each(call: Callable[[], Any], sentence: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(initspec.InitSpecError, match=sentence):
            call()


@pytest.mark.slow
@pytest.mark.parametrize("key", [1.5, (1.0, 2.0), (2**32, 5), (0, -1), (1,), "ab", None])
def test_a_key_is_two_integers_of_32_bits(key: Any) -> None:
    law = HE.on((2, 3))
    for name, installed in initspec.available().items():
        if installed and name in ("numpy", "torch", "jax", "tensorflow"):
            backend = initspec.backend(name)
            with pytest.raises(initspec.StreamError):
                backend.sample(law, (2, 3), key=key)
            with pytest.raises(initspec.StreamError):
                backend.words(key, (2, 3))


def test_out_whose_elements_share_memory() -> None:
    memory = np.zeros(8, np.float32)
    out = np.lib.stride_tricks.as_strided(memory, (4, 3), (4, 4))
    with pytest.raises(initspec.SpecError, match="share memory"):
        HE.numpy((4, 3), seed=0, out=out)
    assert not memory.any()
    HE.numpy((4, 3), seed=0, out=np.zeros((8, 6), np.float32)[::-2, ::2])


# ------------------------------------------------------------------------------------- at random


class Silent:
    """Even its repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


#: Of every type that could come, as a rule of a wrong one.
VALUES: list[Any] = [
    None, True, 0, 1, -1, 2**63, 2**64, 10**400, 10**5000, 0.5, float("nan"), float("inf"), 1e308,
    -1e308, 1e-320, "a", "", "he_normal", "\ud800", "x" * 300, b"a", [], [1], [[1, 2]], (), (2, 3),
    {}, {"a": 1}, {1: 2}, set(), object(), Silent(), int, len, 1j, np.float32(0.5), np.int64(3),
    np.array([6, 5]), np.array([3]), np.array(1.0), np.array("a"), np.array([1j]), np.array([None]),
    slice(0, 2), (slice(0, 1),), (2, slice(0, 1)), Ellipsis, NotImplemented, initspec, HE,
    initspec.Layout("io"), initspec.Truncation(), "oihw", "torch.Conv2d", "normal(std=1)", range(3),
]  # fmt: skip
NO_PATHS = [value for value in VALUES if not isinstance(value, str)]
SCHEMES = ("normal", "uniform", "constant", "truncated_normal", "sparse", "variance_scaling@keras")
WORDS = ("std", "mean", "low", "high", "gain", "factor", "value", "mode", "a", "b", "scale")
FIELDS = [item.name for item in fields(HE)]
NUMPY = initspec.backend("numpy")
LAW = HE.on((4, 6))

Call = Callable[[random.Random], Any]


def _any(rng: random.Random) -> Any:
    return rng.choice(VALUES)


CALLS: dict[str, Call] = {
    "get": lambda r: initspec.get(_any(r)),
    "get with arguments": lambda r: initspec.get(r.choice(SCHEMES), **{r.choice(WORDS): _any(r)}),
    "Scheme": lambda r: initspec.Scheme(
        **{"distribution": r.choice(list(TAKES)), r.choice(FIELDS): _any(r)}
    ).on((4, 6)),
    "replace": lambda r: HE.replace(**{r.choice(FIELDS): _any(r)}).on((4, 6)),
    "on": lambda r: HE.on(_any(r), _any(r)),
    "given": lambda r: HE.given(fan_in=_any(r), fan_out=1),
    "numpy": lambda r: HE.numpy(
        (4, 6),
        **{r.choice(["seed", "dtype", "out", "layout", "name", "stream", "window"]): _any(r)},
    ),
    "initializer": lambda r: initspec.initializer(_any(r), _any(r)),
    "fans": lambda r: initspec.fans((4, 6), _any(r), r.choice(["true", _any(r)])),
    "Layout": lambda r: initspec.Layout(_any(r), _any(r)),
    "Truncation": lambda r: initspec.Truncation(_any(r), _any(r)),
    "loads": lambda r: initspec.loads(_any(r), r.choice(["toml", "json", _any(r)])),
    "dumps": lambda r: initspec.dumps(_any(r), r.choice(["toml", _any(r)])),
    "load": lambda r: initspec.load(r.choice(NO_PATHS)),
    "save": lambda r: initspec.save(HE, r.choice(NO_PATHS)),
    "register": lambda r: initspec.register(r.choice(NO_PATHS), _any(r)),
    "from_torch": lambda r: initspec.from_torch(_any(r), _any(r)),
    "from_keras": lambda r: initspec.from_keras(_any(r), scale=_any(r)),
    "from_jax": lambda r: initspec.from_jax(_any(r), _any(r)),
    "from_call": lambda r: initspec.from_call(r.choice(["torch", _any(r)]), _any(r)),
    "generate": lambda r: initspec.generate("he_normal", _any(r)),
    "diff": lambda r: initspec.diff(_any(r), "he_normal", _any(r)),
    "defaults": lambda r: initspec.defaults(r.choice(["torch", _any(r)]), _any(r)),
    "port": lambda r: initspec.port(r.choice(["torch.nn.Linear", _any(r)]), _any(r)),
    "key": lambda r: NUMPY.key(_any(r), _any(r)),
    "sample": lambda r: NUMPY.sample(LAW, (4, 6), **{"key": (0, 1), "window": None} | {
        r.choice(["key", "layout", "dtype", "window"]): _any(r)}),
    "cdf": lambda r: (LAW.cdf(_any(r)), LAW.ppf(_any(r)), LAW.pdf(_any(r))),
    "stream": lambda r: (stream.words(_any(r), _any(r)), stream.fold_in((0, 1), _any(r))),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_wrong_types_are_answered_by_our_errors(name: str) -> None:
    rng = random.Random(name)
    for _ in range(50):
        with contextlib.suppress(initspec.InitSpecError):
            CALLS[name](rng)


def _mutant(text: str, rng: random.Random) -> str:
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text) + 1)
        piece = rng.choice(
            ["", "=", "[", "]", "{", "}", '"', "'", "\n", "\0", "nan", "inf", "-", "1e400", "9" * 50,
             "null", "true", "{}", "[" * 2000, "é", "(", ")", ",", "*", "1j", "None", "\\", "@", "<"]
        )  # fmt: skip
        text = text[:at] + piece + text[at + rng.randrange(6) :]
    return text


TEXTS = [
    *(initspec.dumps(initspec.get(name), "toml") for name in ("he_normal", "trunc_normal@torch")),
    *(initspec.dumps(initspec.get(name), "json") for name in ("he_uniform", "normal(std=0.02)")),
    initspec.dumps(initspec.get([[1.0, 0.5]]), "json"),
]


@pytest.mark.filterwarnings("ignore")
def test_mutants_of_texts_and_names() -> None:
    rng = random.Random(0)
    for _ in range(1000):
        for call in (
            lambda: initspec.loads(_mutant(rng.choice(TEXTS), rng), rng.choice(["toml", "json"])),
            lambda: initspec.get(
                _mutant(rng.choice(["normal(std=0.02)", "he_normal@torch<2.12(a=0.1)"]), rng)
            ),
        ):
            try:
                scheme = call()
                scheme.on((4, 6))
            except initspec.InitSpecError:
                pass
