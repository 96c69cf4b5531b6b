"""Laws of one's own that ask for the fans or the layout: one law in every framework."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import initspec
from initspec import Custom, Fans, InitSpecError, Layout, LayoutError, get

BACKENDS = ("numpy", "torch", "tensorflow", "keras", "jax")


def laplace(shape: Any, fans: Fans, rng: np.random.Generator) -> Any:
    """Variance ``1 / fan_in``."""
    return rng.laplace(0, (2 * fans.fan_in) ** -0.5, shape)


@dataclass(frozen=True)
class Laplace(Custom):
    """The Laplace law of variance ``factor / fan_in``, by its quantiles."""

    factor: float = 1.0

    def scale(self, fans: Fans) -> float:
        return math.sqrt(self.factor / (2 * fans.fan_in))

    def ppf(self, p: Any, fans: Fans) -> Any:
        side = np.minimum(p, 1 - np.asarray(p))
        return np.copysign(self.scale(fans) * np.log(2 * side), np.asarray(p) - 0.5)

    def cdf(self, x: Any, fans: Fans) -> Any:
        tail = np.exp(-np.abs(x) / self.scale(fans)) / 2
        return np.where(np.asarray(x) < 0, tail, 1 - tail)

    def variance(self, fans: Fans) -> float:
        return self.factor / fans.fan_in

    def mean(self) -> float:
        return 0.0


def drawn(scheme: Any, backend: str, shape: tuple[int, ...], layout: str) -> Any:
    adapter = initspec.backend(backend)
    values = adapter.sample(
        scheme.on(shape, layout),
        shape,
        key=adapter.key(3, "w"),
        layout=Layout.parse(layout),
        dtype="float32",
    )
    return np.asarray(adapter.tohost(values))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_of_the_fans_is_one_law_in_every_order_of_axes(backend: str) -> None:
    pytest.importorskip(backend)
    for shape, layout in (((400, 100), "io"), ((100, 400), "oi"), ((300, 4, 10, 10), "oihw")):
        values = drawn(get(laplace), backend, shape, layout)
        assert abs(values.var() * 400 - 1) < 0.05


@pytest.mark.parametrize("backend", BACKENDS)
def test_quantiles_of_the_fans_are_one_weight_in_every_order(backend: str) -> None:
    pytest.importorskip(backend)
    wanted = get(Laplace()).numpy((40, 10), seed=3, name="w")
    assert np.array_equal(drawn(get(Laplace()), backend, (40, 10), "io"), wanted)
    assert np.array_equal(drawn(get(Laplace()), backend, (10, 40), "oi").T, wanted)


def test_in_the_usual_order_of_each_framework() -> None:
    torch = pytest.importorskip("torch")
    wanted = get(Laplace()).numpy((40, 10), seed=3, name="w")
    assert np.array_equal(get(Laplace()).torch((10, 40), seed=3, name="w").numpy().T, wanted)
    weight = torch.empty(10, 40)
    assert np.array_equal(get(Laplace()).torch_(weight, seed=3, name="w").numpy().T, wanted)


def test_under_jit_and_in_a_graph() -> None:
    jax = pytest.importorskip("jax")
    scheme, key = get(Laplace()), jax.random.key(0)
    eager = np.asarray(scheme.jax(key, (40, 10)))
    assert np.array_equal(np.asarray(jax.jit(lambda key: scheme.jax(key, (40, 10)))(key)), eager)
    tf = pytest.importorskip("tensorflow")
    init = scheme.tensorflow(seed=3, name="w")
    wanted = scheme.numpy((40, 10), seed=3, name="w")
    assert np.array_equal(tf.function(lambda: init((40, 10)))().numpy(), wanted)


def test_the_law_answers_by_its_fans() -> None:
    law = get(Laplace(2.0)).on((8, 4))
    assert (law.mean, law.variance) == (0.0, 0.25)
    assert law.cdf(0.0) == 0.5
    assert math.isclose(law.cdf(law.ppf(0.3)), 0.3)
    assert np.allclose(law.cdf(np.array([[-1.0, 0.0]])), [[law.cdf(-1.0), 0.5]])
    assert law.pdf(0.1) > 0
    turned = get(Laplace(2.0)).on((4, 8), "oi")
    assert (turned.variance, turned.cdf(0.3)) == (law.variance, law.cdf(0.3))
    assert get(Laplace(2.0)).on((8, 4), "io") == law
    assert hash(get(Laplace(2.0)).on((8, 4), "io")) == hash(law)
    assert get(Laplace(2.0)).on((8, 4), "oi") != law
    assert repr(pickle.loads(pickle.dumps(law))) == repr(law)
    assert math.isclose(get(Laplace(2.0)).replace(gain=0.5).on((8, 4)).variance, 0.0625)


def test_windows_are_parts_of_the_whole() -> None:
    whole = get(Laplace()).numpy((40, 10), seed=3, name="w")
    part = get(Laplace()).numpy((40, 10), seed=3, name="w", window=(slice(8, 16), slice(None)))
    assert np.array_equal(part, whole[8:16])


def test_a_layout_may_be_asked_for() -> None:
    seen = []

    def law(shape: Any, layout: Layout, fans: Fans) -> Any:
        seen.append((layout, fans))
        return np.zeros(shape)

    get(law).numpy((6, 4))
    get(law).numpy((12, 4), layout="oi, stack=3")
    assert seen == [(Layout("io"), Fans(6, 4)), (Layout.parse("oi, stack=3"), Fans(4, 4))]


def test_a_tensor_without_fans_has_none_to_give() -> None:
    with pytest.raises(LayoutError, match="scales by fans"):
        get(laplace).numpy((5,))
    assert get(laplace).numpy((5, 0)).shape == (5, 0)
    with pytest.raises(InitSpecError, match="needs a shape"):
        get(laplace).given(fan_in=3, fan_out=2)


def test_a_function_that_asks_for_nothing_is_as_before() -> None:
    plain = get(lambda shape: np.ones(shape))
    assert not plain.needs_fans
    assert plain.numpy((5,)).tolist() == [1.0] * 5


def test_the_suite_judges_them() -> None:
    pytest.importorskip("scipy")
    from initspec.conformance import check

    def wrong(shape: Any, seed: int) -> Any:  # counts the first axis, whatever the layout
        rng = np.random.default_rng(seed)
        return rng.laplace(0, (2 * shape[0]) ** -0.5, shape).astype("float32")

    assert check("numpy", Laplace(), shape=(40, 10), layout="io").conforms
    assert check(wrong, Laplace(), shape=(40, 10), layout="io").conforms
    assert not check(wrong, Laplace(), shape=(10, 40), layout="oi").conforms


def test_keras_saves_the_gain_of_a_law_of_ones_own() -> None:
    keras = pytest.importorskip("keras")

    @keras.saving.register_keras_serializable("initspec_tests")
    class Half(Laplace):
        def get_config(self) -> dict[str, Any]:
            return {"factor": self.factor}

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            return cls(**config)

    ours = get(Half(0.5)).replace(gain=0.5).keras(seed=1, name="w")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(ours))
    assert np.array_equal(np.asarray(again((8, 5))), np.asarray(ours((8, 5))))
