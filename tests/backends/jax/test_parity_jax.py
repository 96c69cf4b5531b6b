"""The native stream on JAX is ``jax.nn.initializers``, bit for bit.

Eager as eager, and inside ``jit`` as inside ``jit``: there XLA folds constants, and JAX's own
``normal`` has other last bits than outside.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

try:
    from jax import enable_x64
except ImportError:  # before JAX 0.8
    from jax.experimental import enable_x64
import jax.numpy as jnp

from initspec import get, initializer

own = jax.nn.initializers
DTYPES = ("float32", "bfloat16", "float16", "float64")
#: Every shape, dtype and kind of key is compiled, Threefry for long: few of them, and many seeds
#: and laws on each.
SHAPES = ((3, 5, 6, 8), (7, 12))
CELLS = (
    *((SHAPES[0], "float32", kind) for kind in ("threefry", "legacy", "unsafe_rbg")),
    *((SHAPES[0], dtype, "rbg") for dtype in DTYPES),
    *((shape, "float32", "rbg") for shape in SHAPES[1:]),
)


def same(a: Any, b: Any) -> bool:
    return a.dtype == b.dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes()


def native(name: str, **arguments: Any) -> Any:
    return initializer(get(name, **arguments), backend="jax", stream="native")


def key(seed: int, kind: str = "rbg") -> Any:
    if kind == "legacy":
        return jax.random.PRNGKey(seed)
    return jax.random.key(seed, impl={"threefry": "threefry2x32"}.get(kind, kind))


def fixed(rng: random.Random) -> dict[str, Any]:
    return {}


def stddev(rng: random.Random) -> dict[str, Any]:
    return {"stddev": rng.choice([0.02, 1.0, 3 * rng.random()])}


def scale(rng: random.Random) -> dict[str, Any]:
    return {"scale": rng.choice([1e-2, 1.0, 3 * rng.random()])}


def cut(rng: random.Random) -> dict[str, Any]:
    bounds = (
        {} if rng.random() < 0.3 else {"lower": rng.uniform(-3, -1), "upper": rng.uniform(0, 3)}
    )
    return {**stddev(rng), **bounds}


@cache
def modes() -> list[str]:
    """The words of ``variance_scaling``; JAX 0.4.35 has no geometric mean."""
    try:
        jax.nn.initializers.variance_scaling(1.0, "fan_geo_avg", "normal")(key(0), (2, 2))
    except ValueError:
        return ["fan_in", "fan_out", "fan_avg"]
    return ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]


def scaling(rng: random.Random) -> dict[str, Any]:
    return {
        **scale(rng),
        "mode": rng.choice(modes()),
        "distribution": rng.choice(["truncated_normal", "normal", "uniform"]),
    }


LAWS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "uniform": scale,
    "normal": stddev,
    "truncated_normal": cut,
    "variance_scaling": scaling,
    "glorot_normal": fixed,
    "glorot_uniform": fixed,
    "he_normal": fixed,
    "he_uniform": fixed,
    "lecun_normal": fixed,
    "lecun_uniform": fixed,
    "xavier_normal": fixed,
    "kaiming_uniform": fixed,
    "orthogonal": scale,
}


def theirs(name: str, arguments: dict[str, Any]) -> Any:
    return getattr(own, name)(**arguments)


@pytest.mark.parametrize("name", LAWS)
def test_equal_to_jax_s_own(name: str) -> None:
    rng = random.Random(name)
    for shape, dtype, kind in CELLS:
        if name == "orthogonal" and dtype in ("bfloat16", "float16"):
            continue  # JAX has none
        with enable_x64(dtype == "float64"):
            for seed in range(8):
                arguments = LAWS[name](rng)
                made = native(f"{name}@jax", **arguments)(key(seed, kind), shape, dtype)
                wanted = theirs(name, arguments)(key(seed, kind), shape, dtype)
                assert same(made, wanted), (seed, shape, dtype, kind, arguments)


@pytest.mark.parametrize("name", ["he_normal", "he_uniform", "glorot_normal", "lecun_uniform"])
def test_bare_names_are_jax_s_too(name: str) -> None:
    for seed, shape in enumerate(SHAPES):
        assert same(native(name)(key(seed), shape), theirs(name, {})(key(seed), shape))


def test_the_scale_of_every_fan() -> None:
    """Many fans without compiling: the variance that JAX is told is its own, to the last bit."""
    from initspec.backends.jax import native
    from initspec.stream.placement import Placement

    told = []

    def scaling(variance: float, *_: Any) -> Any:
        told.append(variance)
        return lambda key, shape, dtype: None

    rng = random.Random(0)
    wanted = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native.initializers, "variance_scaling", scaling)
        for number in range(3000):
            shape = (rng.randint(1, 4), rng.randint(1, 900), rng.randint(1, 900))
            mode = rng.choice(["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
            factor = rng.choice([1.0, 2.0, 3 * rng.random()])
            if number == 0:  # whose root is not the power that JAX takes
                shape, mode, factor = (1, 7, 797), "fan_geo_avg", 1.0
            law = get("variance_scaling@jax", scale=factor, mode=mode).on(shape)
            native.draw(None, law, Placement.of(shape), "float32")
            space = math.prod(shape) / shape[1] / shape[2]
            fan_in, fan_out = shape[1] * space, shape[2] * space
            fan = {
                "fan_in": fan_in,
                "fan_out": fan_out,
                "fan_avg": (fan_in + fan_out) / 2,
                "fan_geo_avg": (fan_in * fan_out) ** 0.5,
            }[mode]
            wanted.append(factor / fan)
    assert told == wanted


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("uniform", "float32"),
        ("normal", "float32"),
        ("normal", "float16"),
        ("truncated_normal", "float32"),
        ("he_normal", "float32"),
        ("he_normal", "bfloat16"),
        ("he_uniform", "float32"),
        ("orthogonal", "float32"),
    ],
)
def test_under_jit(name: str, dtype: str) -> None:
    arguments, shape = LAWS[name](random.Random(name)), (6, 9)
    mine, yours = native(f"{name}@jax", **arguments), theirs(name, arguments)
    one = jax.jit(lambda key: mine(key, shape, dtype))(key(3))
    two = jax.jit(lambda key: yours(key, shape, dtype))(key(3))
    assert same(one, two)


def test_under_vmap() -> None:
    keys = jax.random.split(jax.random.key(1), 3)
    mine = jax.vmap(lambda key: native("he_normal@jax")(key, (5, 4)))(keys)
    assert same(mine, jax.vmap(lambda key: own.he_normal()(key, (5, 4)))(keys))


@pytest.mark.parametrize("dtype", DTYPES)
def test_fixed_laws(dtype: str) -> None:
    rng = random.Random(1)
    with enable_x64(dtype == "float64"):
        for _ in range(50):
            value = rng.uniform(-3, 3)
            made = native("constant@jax", value=value)(key(0), (3, 2), dtype)
            assert same(made, own.constant(value)(key(0), (3, 2), dtype))
        for name in ("zeros", "ones"):
            for shape in ((3,), (), (0, 4)):
                made = native(f"{name}@jax")(None, shape, dtype)
                assert same(made, getattr(own, name)(key(0), shape, dtype))


@pytest.mark.parametrize("shape", [(3, 4, 6), (5, 3, 4, 6), (3, 1, 5, 4, 6)])
def test_delta_orthogonal(shape: tuple[int, ...]) -> None:
    """Kernels of odd size, whose middle is no question."""
    for seed in range(4):
        made = native("delta_orthogonal@jax", scale=1.5)(key(seed), shape)
        assert same(made, own.delta_orthogonal(1.5)(key(seed), shape))


def test_the_middle_of_an_even_kernel_is_one_further() -> None:
    """JAX takes ``(k - 1) // 2`` and the scheme ``k // 2``: the same matrix at another tap."""
    made = np.asarray(native("delta_orthogonal@jax")(key(0), (4, 3, 5)))
    jaxs = np.asarray(own.delta_orthogonal()(key(0), (4, 3, 5)))
    assert (made[2] == jaxs[1]).all()
    assert not made[[0, 1, 3]].any()


@pytest.mark.parametrize(
    ("layout", "axis", "shape"),
    [
        ("oi", 0, (12, 5)),
        ("io", -1, (5, 12)),
        ("oihw", 0, (12, 5, 3, 2)),
        ("hwio", -1, (3, 2, 5, 12)),
    ],
)
def test_orthogonal_around_the_axis_of_a_layout(layout: str, axis: int, shape: Any) -> None:
    init = initializer("orthogonal@jax", backend="jax", stream="native", layout=layout)
    axis = -1 if layout == "oi" else axis  # of a matrix either axis will do, and JAX takes the last
    assert same(init(key(0), shape), own.orthogonal(column_axis=axis)(key(0), shape))


@pytest.mark.parametrize(
    ("name", "layout", "axes", "shape"),
    [
        ("he_normal", "oi", {"in_axis": 1, "out_axis": 0}, (12, 5)),
        ("glorot_uniform", "oihw", {"in_axis": 1, "out_axis": 0}, (12, 5, 3, 2)),
        ("lecun_normal", "bio", {"batch_axis": 0}, (4, 5, 6)),
        ("he_uniform", "iooh", {"in_axis": 0, "out_axis": (1, 2)}, (7, 3, 4, 5)),
    ],
)
def test_axes_are_a_layout(name: str, layout: str, axes: Any, shape: Any) -> None:
    init = initializer(f"{name}@jax", backend="jax", stream="native", layout=layout)
    for seed in range(8):
        assert same(init(key(seed), shape), getattr(own, name)(**axes)(key(seed), shape))


def test_seeds_are_those_of_jax_random_key() -> None:
    for seed in (0, 7, 2**31 + 5, 2**32 - 1):
        init = initializer("he_normal@jax", backend="jax", stream="native", seed=seed)
        assert same(init(None, (6, 5)), own.he_normal()(jax.random.key(seed), (6, 5)))


def test_the_default_dtype() -> None:
    with enable_x64(True):
        assert same(native("he_normal@jax")(key(0), (6, 5)), own.he_normal()(key(0), (6, 5)))


def test_narrow_orthogonal_is_rounded_once() -> None:
    """JAX has no QR in 16 bits; here the matrix is that of float32."""
    wide = own.orthogonal(math.sqrt(2))(key(0), (8, 5), "float32")
    made = native("orthogonal@jax", scale=math.sqrt(2))(key(0), (8, 5), jnp.bfloat16)
    assert same(made, wide.astype(jnp.bfloat16))


def test_tensors_without_elements() -> None:
    for name in LAWS:
        assert native(f"{name}@jax")(key(0), (0, 4)).shape == (0, 4)
