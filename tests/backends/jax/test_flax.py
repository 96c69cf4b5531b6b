"""Real Flax layers, linen and nnx: each kernel is the one that the spec says for its key."""

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")
pytest.importorskip("flax")

import jax.numpy as jnp
from flax import linen, nnx

from initspec import backend, get, initializer


class Recorder:
    """An initializer that notes what a layer asks of it."""

    def __init__(self, init: Any) -> None:
        self.init, self.calls = init, []

    def __call__(self, key: Any, shape: Any, *options: Any, **named: Any) -> Any:
        made = self.init(key, shape, *options, **named)
        key = jax.random.key_data(key) if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else key
        self.calls.append((tuple(np.asarray(key).tolist()), tuple(shape)))
        return made


def check_law(weight: Any, law: Any) -> None:
    """Kolmogorov and Smirnov at a level of 1e-6, and the variance within 10 percent."""
    numbers = np.sort(np.asarray(weight, np.float64).ravel())
    cdf = np.array([law.cdf(x) for x in numbers])
    steps = np.arange(numbers.size + 1) / numbers.size
    distance = max(np.max(steps[1:] - cdf), np.max(cdf - steps[:-1]))
    assert distance < np.sqrt(np.log(2e6) / (2 * numbers.size))
    assert numbers.var() == pytest.approx(law.variance, rel=0.1)


def check(weight: Any, recorder: Recorder, scheme: str, layout: str, fan: tuple[int, int]) -> None:
    """The weight is the spec's, by the key that the layer gave, and has the law of true fans."""
    ((key, shape),) = recorder.calls
    law = get(scheme).on(shape, layout)
    expected = backend("numpy").sample(law, shape, key=key, layout=layout)
    assert np.asarray(weight).reshape(shape).tobytes() == expected.tobytes()
    fan_in, fan_out = fan
    assert law == get(scheme).given(fan_in=fan_in, fan_out=fan_out)
    check_law(weight, law)


SCHEMES = ("he_normal", "glorot_uniform")
LINEN = {
    "Dense": (lambda init: linen.Dense(96, kernel_init=init), (2, 64), "io", (64, 96)),
    "Conv": (lambda init: linen.Conv(32, (3, 3), kernel_init=init), (1, 8, 8, 16), "hwio", (144, 288)),
    "Conv1d": (lambda init: linen.Conv(64, (5,), kernel_init=init), (1, 8, 16), "wio", (80, 320)),
    "grouped Conv": (
        lambda init: linen.Conv(64, (3, 3), feature_group_count=4, kernel_init=init),
        (1, 8, 8, 32), "hwio, groups=4", (72, 144),
    ),
    "depthwise Conv": (
        lambda init: linen.Conv(256, (3, 3), feature_group_count=128, kernel_init=init),
        (1, 4, 4, 128), "hwio, groups=128", (9, 18),
    ),
    "ConvTranspose": (
        lambda init: linen.ConvTranspose(32, (3, 3), kernel_init=init),
        (1, 4, 4, 16), "hwio", (144, 288),
    ),
    "ConvTranspose, transposed": (
        lambda init: linen.ConvTranspose(32, (3, 3), transpose_kernel=True, kernel_init=init),
        (1, 4, 4, 16), "flax.ConvTranspose.transpose_kernel", (144, 288),
    ),
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("layer", LINEN)
def test_linen(layer: str, scheme: str) -> None:
    make, shape, layout, fan = LINEN[layer]
    recorder = Recorder(initializer(scheme, backend="jax", layout=layout))
    variables = make(recorder).init(jax.random.key(3), jnp.ones(shape))
    check(variables["params"]["kernel"], recorder, scheme, layout, fan)


def test_linen_without_a_layout() -> None:
    """The usual layout is the one of Dense and Conv."""
    for layer, shape, layout in (
        (linen.Dense, (2, 16), "io"),
        (lambda n, **options: linen.Conv(n, (3, 3), **options), (1, 4, 4, 16), "hwio"),
    ):
        bare = layer(8, kernel_init=get("he_normal").jax)
        named = layer(8, kernel_init=initializer("he_normal", backend="jax", layout=layout))
        key = jax.random.key(0)
        a, b = (module.init(key, jnp.ones(shape))["params"]["kernel"] for module in (bare, named))
        assert np.array_equal(a, b)


def test_linen_param_dtype_and_bias() -> None:
    layer = linen.Dense(
        8,
        kernel_init=get("he_normal").jax,
        bias_init=get("constant(value=0.25)").jax,
        param_dtype=jnp.bfloat16,
    )
    params = layer.init(jax.random.key(0), jnp.ones((1, 4)))["params"]
    assert params["kernel"].dtype == params["bias"].dtype == jnp.bfloat16
    assert params["bias"].tolist() == [0.25] * 8
    wide = layer.clone(param_dtype=jnp.float32).init(jax.random.key(0), jnp.ones((1, 4)))
    assert np.array_equal(params["kernel"], wide["params"]["kernel"].astype(jnp.bfloat16))


def test_linen_modules_with_equal_initializers_are_equal() -> None:
    def make() -> Any:
        return linen.Dense(4, kernel_init=initializer("he_normal", backend="jax", layout="io"))

    assert make() == make()
    assert hash(make()) == hash(make())


def test_linen_under_jit_is_the_same() -> None:
    layer = linen.Dense(32, kernel_init=get("he_normal").jax)
    eager = layer.init(jax.random.key(1), jnp.ones((1, 16)))
    jitted = jax.jit(layer.init)(jax.random.key(1), jnp.ones((1, 16)))
    assert np.array_equal(eager["params"]["kernel"], jitted["params"]["kernel"])


def test_linen_with_partitioning_and_eval_shape() -> None:
    init = linen.with_partitioning(get("he_normal").jax, (None, "model"))
    layer = linen.Dense(32, kernel_init=init)
    key, x = jax.random.key(0), jnp.ones((1, 16))
    abstract = jax.eval_shape(layer.init, key, x)
    kernel = abstract["params"]["kernel"]
    assert kernel.value.shape == (16, 32)
    spec = linen.get_partition_spec(abstract)["params"]["kernel"]
    assert spec == jax.sharding.PartitionSpec(None, "model")
    mesh = jax.make_mesh((1,), ("model",))
    shardings = linen.get_sharding(abstract, mesh)
    made = jax.jit(layer.init, out_shardings=shardings)(key, x)["params"]["kernel"].value
    plain = linen.Dense(32, kernel_init=get("he_normal").jax).init(key, x)["params"]["kernel"]
    assert np.array_equal(made, plain)


def test_linen_attention() -> None:
    """DenseGeneral flattens its kernel to two axes before it asks: the fans are those of both."""
    recorder = Recorder(get("he_normal").jax)
    layer = linen.DenseGeneral((4, 8), kernel_init=recorder)
    variables = layer.init(jax.random.key(0), jnp.ones((2, 32)))
    check(variables["params"]["kernel"], recorder, "he_normal", "io", (32, 32))


NNX = {
    "Linear": (lambda init, rngs: nnx.Linear(64, 96, kernel_init=init, rngs=rngs), "io", (64, 96)),
    "Conv": (
        lambda init, rngs: nnx.Conv(16, 32, (3, 3), kernel_init=init, rngs=rngs),
        "hwio", (144, 288),
    ),
    "grouped Conv": (
        lambda init, rngs: nnx.Conv(
            32, 64, (3, 3), feature_group_count=4, kernel_init=init, rngs=rngs
        ),
        "hwio, groups=4", (72, 144),
    ),
    "ConvTranspose": (
        lambda init, rngs: nnx.ConvTranspose(16, 32, (3, 3), kernel_init=init, rngs=rngs),
        "hwio", (144, 288),
    ),
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("layer", NNX)
def test_nnx(layer: str, scheme: str) -> None:
    make, layout, fan = NNX[layer]
    recorder = Recorder(initializer(scheme, backend="jax", layout=layout))
    module = make(recorder, nnx.Rngs(5))
    check(module.kernel[...], recorder, scheme, layout, fan)


def test_nnx_eval_shape_and_an_ensemble() -> None:
    def make(rngs: Any) -> Any:
        return nnx.Linear(8, 4, kernel_init=get("he_normal").jax, rngs=rngs)

    abstract = nnx.eval_shape(lambda: make(nnx.Rngs(0)))
    assert abstract.kernel.shape == (8, 4)
    keys = jax.random.split(jax.random.key(0), 3)
    ensemble = nnx.vmap(lambda key: make(nnx.Rngs(key)))(keys)
    alone = [make(nnx.Rngs(key)).kernel[...] for key in keys]
    assert np.array_equal(ensemble.kernel[...], np.stack(alone))
    assert not np.array_equal(alone[0], alone[1])


@pytest.mark.parametrize("name", ["he_normal", "orthogonal"])
def test_a_named_seed_gives_the_layer_the_weights_of_every_framework(name: str) -> None:
    init = initializer(name, backend="jax", seed=42, name="encoder.weight")
    layer = nnx.Linear(8, 4, kernel_init=init, rngs=nnx.Rngs(0))
    expected = get(name).numpy((8, 4), seed=42, name="encoder.weight")
    assert np.array_equal(layer.kernel[...], expected)
