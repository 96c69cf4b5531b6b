"""Plans on trees of JAX: linen's, nnx', Haiku's, Equinox', plain ones; under jit, and sharded."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp

import initspec
from initspec import LayoutError, SpecError, get

RULES = [
    {"match": "**.{kernel,w,weight}", "law": "he_normal"},
    {"match": "**.{embedding,embeddings}", "law": "normal(std=0.02)"},
    {"match": "**.{bias,b}", "law": "zeros"},
]
RULES[1]["optional"] = True
PLAN = initspec.plan({"plan": "p", "rule": RULES})
KEY = jax.random.key(3)


def drawn(name: str, shape: tuple[int, ...], layout: str | None = None) -> Any:
    return get("he_normal").numpy(shape, seed=3, name=name, layout=layout)


def test_linen_with_boxes() -> None:
    nn = pytest.importorskip("flax.linen")

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x: Any) -> Any:
            boxed = nn.with_partitioning(nn.initializers.ones, ("a", "b"))
            x = nn.Embed(11, 6)(x)
            x = nn.Dense(4, kernel_init=boxed)(x)
            return nn.Conv(3, (3,))(x)

    tree = jax.eval_shape(Model().init, KEY, jnp.zeros((1, 5), int))
    with pytest.raises(LayoutError, match=r"Conv_0\.kernel"):
        PLAN.init(tree, KEY)  # (3, 4, 3): a convolution's, or an attention's?
    conv = {"match": "Conv_0.kernel", "law": "he_normal", "layout": "wio"}
    made = initspec.plan({"plan": "p", "rule": [conv, *RULES]}).init(tree, KEY)
    assert jax.tree.structure(made) == jax.tree.structure(tree)
    params = made["params"]
    assert params["Dense_0"]["kernel"].names == ("a", "b")
    kernel = params["Dense_0"]["kernel"].value
    np.testing.assert_array_equal(kernel, drawn("Dense_0.kernel", (6, 4)))
    np.testing.assert_array_equal(
        params["Conv_0"]["kernel"], drawn("Conv_0.kernel", (3, 4, 3), "wio")
    )
    out = Model().apply(made, jnp.zeros((1, 5), int))
    assert np.isfinite(out).all()


def test_nnx_keeps_its_counters() -> None:
    nnx = pytest.importorskip("flax.nnx")

    class Model(nnx.Module):
        def __init__(self, rngs: Any) -> None:
            self.dense = nnx.Linear(6, 4, rngs=rngs)
            self.drop = nnx.Dropout(0.1, rngs=rngs)

    model = Model(nnx.Rngs(0))
    state = nnx.state(model)
    made = PLAN.init(state, KEY)
    nnx.update(model, made)
    np.testing.assert_array_equal(model.dense.kernel[...], drawn("dense.kernel", (6, 4)))
    assert made["drop"]["rngs"]["count"][...] == state["drop"]["rngs"]["count"][...]


def test_haiku_and_equinox() -> None:
    hk, eqx = pytest.importorskip("haiku"), pytest.importorskip("equinox")
    net = hk.transform(lambda x: hk.nets.MLP([3])(x))
    tree = jax.eval_shape(net.init, KEY, jnp.zeros((1, 2)))
    made = PLAN.init(tree, KEY)
    np.testing.assert_array_equal(made["mlp/~/linear_0"]["w"], drawn("mlp.~.linear_0.w", (2, 3)))
    model = eqx.nn.MLP(2, 3, 4, 1, key=KEY)
    made = PLAN.init(model, KEY)
    np.testing.assert_array_equal(made.layers[0].weight, drawn("layers.0.weight", (4, 2), "oi"))
    assert made.activation is model.activation


def test_under_jit_with_a_traced_key() -> None:
    tree = {"a": jax.ShapeDtypeStruct((6, 4), "float32"), "b": jnp.ones(3, jnp.bfloat16)}
    plan = initspec.plan({"plan": "p", "rule": [{"match": "a", "law": "he_normal"}, {**RULES[2]}]})
    eager, traced = plan.init(tree, KEY), jax.jit(lambda key: plan.init(tree, key))(KEY)
    for name in tree:
        np.testing.assert_array_equal(eager[name], traced[name])
        assert traced[name].dtype == tree[name].dtype
    np.testing.assert_array_equal(eager["a"], drawn("a", (6, 4)))
    np.testing.assert_array_equal(eager["a"], plan.init(tree, 3)["a"])


def test_a_leaf_without_values_needs_a_rule() -> None:
    given = {"match": "**", "given": "loaded"}
    plan = initspec.plan({"plan": "p", "rule": [given]})
    tree = {"a": jnp.ones((2, 2))}
    assert plan.init(tree, KEY)["a"] is tree["a"]
    with pytest.raises(SpecError, match="has no value"):
        plan.init({"a": jax.ShapeDtypeStruct((2, 2), "float32")}, KEY)


def test_a_scanned_model_equals_the_unrolled_one() -> None:
    rule = {"match": "layers.{layer}.up.kernel", "law": "normal(std=1 / (1 + layer))"}
    each = {
        "here": "layers.up.kernel",
        "axis": 1,
        "each": "layer",
        "to": "layers.{layer}.up.kernel",
    }
    flat = initspec.plan({"plan": "p", "rule": [rule]})
    scan = initspec.plan({"plan": "p", "rule": [rule], "name": [each]})
    apart = {"layers": [{"up": {"kernel": jnp.zeros((6, 4))}} for _ in range(3)]}
    one = scan.init({"layers": {"up": {"kernel": jnp.zeros((6, 3, 4))}}}, KEY)
    stacked = jnp.stack([layer["up"]["kernel"] for layer in flat.init(apart, KEY)["layers"]], 1)
    np.testing.assert_array_equal(one["layers"]["up"]["kernel"], stacked)


SHARDED = """
import jax, numpy as np, initspec
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
mesh = Mesh(np.array(jax.devices()).reshape(4, 2), ("x", "y"))
plan = initspec.plan({"plan": "p", "rule": [
    {"match": "a", "law": "he_normal"}, {"match": "b", "law": "orthogonal"}]})
shapes = {"a": (64, 48), "b": (16, 8)}
specs = {"a": P("x", "y"), "b": P(None, "x")}
tree = {n: jax.ShapeDtypeStruct(s, "float32", sharding=NamedSharding(mesh, specs[n]))
        for n, s in shapes.items()}
whole = plan.init({n: jax.ShapeDtypeStruct(s, "float32") for n, s in shapes.items()}, 5)
for made in (plan.init(tree, 5), jax.jit(lambda k: plan.init(tree, k))(jax.random.key(5))):
    for n in shapes:
        assert made[n].sharding.is_equivalent_to(tree[n].sharding, 2), (n, made[n].sharding)
        np.testing.assert_array_equal(np.asarray(made[n]), np.asarray(whole[n]), err_msg=n)
assert made["a"].addressable_shards[0].data.shape == (16, 24)
print("equal")
"""


def test_a_mesh_of_eight_devices_has_the_same_values() -> None:
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", SHARDED], capture_output=True, text=True, env=_environment(flags)
    )
    assert done.stdout.strip() == "equal", done.stderr[-2000:]


def _environment(more: dict[str, str]) -> dict[str, str]:
    import os

    return {**os.environ, **more}
