"""The ends that a law may show in a type: of the portable stream to the bit, else by roundings."""

import math

import numpy as np
import pytest

from initspec import Layout, SpecError, get
from initspec.conformance.batteries import by_law, fixed
from initspec.conformance.batteries.ends import ends_of
from initspec.conformance.batteries.marginal import support
from initspec.conformance.batteries.stream_reference import values_of
from initspec.conformance.cell import Cell
from initspec.conformance.targets.target import Target
from initspec.spec.distribution import Normal, TruncatedNormal, Uniform
from initspec.spec.number_types import check_held

DTYPES = ("float64", "float32", "bfloat16", "float16")
WORDS = np.concatenate([np.arange(300), 2**31 + np.arange(-9, 9), 2**32 - 300 + np.arange(300)])


def laws():
    rng = np.random.default_rng(7)
    for _ in range(60):
        size, mean = 10 ** rng.uniform(-3, 3, 2)
        low, high = np.sort(rng.uniform(-3, 3, 2)) + np.array([0, 0.1])
        yield Uniform(-size, size)
        yield Uniform(-mean, size)
        yield TruncatedNormal(0.0, size, low, high)
        yield TruncatedNormal(mean, size, low, high)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_stream_reaches_its_ends_and_does_not_pass_them(dtype):
    judged = 0
    for law in laws():
        try:
            check_held(law, dtype)
        except SpecError:
            continue
        values = values_of(WORDS.astype(np.uint32), law, dtype)
        low, high = ends_of(law, dtype, portable=True)
        assert (low, high) == (values.min(), values.max())
        assert support(values, law, dtype, portable=True).p == 1
        beyond = np.array([np.nextafter(low, -math.inf), np.nextafter(high, math.inf)])
        assert support(beyond, law, dtype, portable=True).statistic == 2
        wide = ends_of(law, dtype, more=1)
        assert wide[0] <= low, law
        assert high <= wide[1], law
        judged += 1
    assert judged > 100


@pytest.mark.parametrize(
    "law",
    [
        Uniform(0.8493711965030225, 64.80325041413504),  # a middle that float32 does not hold
        TruncatedNormal(-52.86947618418573, 16.966933061817052, 2.73255305236, 4.306446122981),
        TruncatedNormal(0.003473744930976347, 40.194166327246116, -2.948509102810161, -1.22169109),
        TruncatedNormal(0.0, 16.737629949176878, 1.1732806668517055, 1.8334334614132142),
    ],
)
def test_a_value_of_the_stream_is_no_leak(law):
    values = values_of(WORDS.astype(np.uint32), law, "float32")
    assert support(values, law, "float32", portable=True).p == 1


@pytest.mark.parametrize("judge", [by_law, fixed])
def test_an_end_that_other_samplers_may_give_is_a_leak_of_the_stream(judge):
    class Leaky(Target):
        name = "leaky"

        def draw(self, shape, *, dtype, seed):
            x = np.random.default_rng(seed).uniform(-1, 1, shape).astype(dtype)
            x.flat[3] = 1.0
            return x

    law, target = Uniform(-1.0, 1.0), Leaky()
    values = target.draw((1, 8, 8), dtype="float32", seed=0).astype(float)
    for stream, p in (("portable", 0.0), ("native", 1.0)):
        target.stream = stream
        scheme = get("uniform", low=-1.0, high=1.0)
        one = Cell(target=target, scheme=scheme, shape=(8, 8), layout=Layout("io"))
        found = {item.test: item.p for item in judge.battery(one, law, values)}
        assert found["support"] == p


def test_what_has_no_bounds_has_no_ends():
    assert ends_of(Normal(0.0, 1.0), "float32", portable=True) == (-math.inf, math.inf)
    assert ends_of(TruncatedNormal(0.0, 1.0, -math.inf, 2.0), "float32")[0] == -math.inf
