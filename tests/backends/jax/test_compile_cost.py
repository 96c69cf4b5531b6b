"""What XLA has to compile: no computation with two ciphers, and no look-up with any.

XLA's compiler for the CPU writes a fused computation out once for each path through it, so that a
cipher behind a look-up, or behind another cipher, costs seconds, and behind both of them minutes.
Time is not asserted here; what makes it is counted in the optimised program.
"""

import re
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from jax import export

from initspec import backend, initializer
from initspec.spec.distribution import Distribution, Normal, TruncatedNormal, Uniform

pytestmark = pytest.mark.skipif(
    jax.__version_info__ < (0, 4, 38), reason="vmap refuses a barrier in this JAX"
)

# Before, XLA for the CPU drops the barriers ahead of its fusions, whose compiler is another.
KEPT = jax.__version_info__ >= (0, 11, 1)

JAX = backend("jax")
LAWS = {
    "normal": Normal(0.0, 0.3),
    "normal, shifted": Normal(0.1, 0.3),
    "uniform": Uniform(-0.2, 0.2),
    "uniform, shifted": Uniform(-0.1, 0.7),
    "truncated": TruncatedNormal(0.0, 0.3, -2.0, 2.0),
    "truncated, shifted": TruncatedNormal(0.7, 0.3, -1.0, 2.5),
}
ROUNDS = 20  # of the cipher, each with one shift to the left
MOST = 900  # instructions of a program with a name; the cipher has 140, and five stand there
SMALL = ((64, 32), None, None)
LARGE = ((2048, 2048), None, None)
WIDE = ((2**17, 2**17), None, (slice(40_000, 40_064), slice(500, 532)))
FUSED = ((96, 32), "oi, stack=3", None)
GROUPED = ((8, 32, 3, 3), "oihw, groups=4", None)


def computations(program: str) -> list[str]:
    """The computations of an optimised program, each with its instructions."""
    return re.findall(r"^(?:ENTRY )?%\S+ \(.*?^}", program, re.MULTILINE | re.DOTALL)


def check(program: Any, keys: Any, barriers: int) -> None:
    lowered = jax.jit(program).lower(keys)
    assert lowered.as_text().count("optimization_barrier") >= barriers
    optimised = lowered.compile().as_text()
    assert optimised.count(" = ") <= MOST
    if not KEPT:
        return
    parts = computations(optimised)
    rounds = [part.count(" shift-left(") for part in parts]
    assert max(rounds) == ROUNDS
    assert not any(n for n, part in zip(rounds, parts, strict=True) if " gather(" in part)


def sampler(law: Distribution, name: str | None, place: Any, dtype: str = "float32") -> Any:
    shape, layout, window = place
    return lambda key: JAX.sample(
        law, shape, key=JAX.key(key, name), layout=layout, dtype=dtype, window=window
    )


@pytest.mark.parametrize("name", [None, "encoder.0"])
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_every_program_stays_small(law: Distribution, name: str | None) -> None:
    barriers = 1 + (law.kind != "uniform") + (name is not None)
    for place in (SMALL, LARGE, WIDE, FUSED, GROUPED):
        check(sampler(law, name, place), jax.random.key(0), barriers)
    for place in (SMALL, WIDE):
        check(sampler(law, name, place, "bfloat16"), jax.random.key(0), barriers)


@pytest.mark.parametrize("law", ["normal", "truncated, shifted", "uniform, shifted"])
@pytest.mark.parametrize("place", [SMALL, WIDE], ids=["small", "wide"])
def test_so_it_does_under_vmap_and_scan(law: str, place: Any) -> None:
    one = sampler(LAWS[law], "encoder.0", place)
    keys = jax.random.split(jax.random.key(0), 3)
    check(jax.vmap(one), keys, barriers=2)
    check(lambda keys: jax.lax.scan(lambda n, key: (n, one(key)), 0, keys)[1], keys, barriers=2)


def test_a_key_derived_in_the_program_is_computed_apart() -> None:
    init = initializer("he_normal", backend="jax")
    check(lambda key: init(jax.random.fold_in(key, 3), (64, 32)), jax.random.key(0), barriers=2)


def test_what_a_program_draws_is_a_constant_of_its_derivative() -> None:
    init = initializer("he_normal", backend="jax", name="encoder.0")
    key, ones = jax.random.key(0), np.ones((8, 4), np.float32)

    def loss(weight: Any, key: Any) -> Any:
        return (weight * init(key, (8, 4))).sum()

    def scanned(weight: Any, keys: Any) -> Any:
        return jax.lax.scan(lambda n, key: (n + loss(weight, key), None), 0.0, keys)[0]

    drawn = np.asarray(init(key, (8, 4)))
    for slope in (jax.grad(loss), jax.jit(jax.grad(jax.jit(loss))), jax.grad(jax.checkpoint(loss))):
        assert np.array_equal(slope(ones, key), drawn)
    keys = jax.random.split(key, 1)
    assert np.array_equal(jax.grad(scanned)(ones, keys), init(keys[0], (8, 4)))
    assert np.array_equal(jax.vmap(jax.grad(loss), (None, 0))(ones, keys)[0], init(keys[0], (8, 4)))


def test_an_exported_program_draws_the_same() -> None:
    init = initializer("he_normal", backend="jax", name="encoder.0")
    key = jax.random.key(0)

    def draw(data: Any) -> Any:
        return init(jax.random.wrap_key_data(data), (8, 4))

    stored = export.export(jax.jit(draw), platforms=("cpu", "cuda", "tpu"))(
        jax.random.key_data(key)
    ).serialize()
    found = export.deserialize(stored).call(jax.random.key_data(key))
    assert np.array_equal(found, init(key, (8, 4)))
