"""JAX on eight host devices: for every sharding the gathered array is the unsharded one.

XLA reads the number of devices once, so the tests run in a process of their own, which
:func:`test_on_eight_devices` starts on this same file.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from initspec import get, initializer, stream
from initspec.backends.cpu import laws as host_laws

DEVICES = 8
CHILD = os.environ.get("INITSPEC_TEST_DEVICES")


@pytest.mark.slow
def test_on_eight_devices() -> None:
    if CHILD:
        assert len(jax.devices()) == DEVICES
        return
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={DEVICES}"
    environment = {**os.environ, "XLA_FLAGS": flags, "INITSPEC_TEST_DEVICES": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__]
    root = Path(__file__).parents[3]
    found = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
    passed = re.search(r"(\d+) passed", found.stdout)
    assert passed
    assert int(passed[1]) > 30
    assert "skipped" not in found.stdout


if CHILD:
    KEY = jax.random.key(7)
    EXPLICIT = jax.make_mesh((4, 2), ("x", "y"), axis_types=(jax.sharding.AxisType.Explicit,) * 2)
    AUTO = jax.make_mesh((4, 2), ("x", "y"), axis_types=(jax.sharding.AxisType.Auto,) * 2)
    SPECS = (P("x", "y"), P("y"), P(None, ("x", "y")), P())
    SHAPE = (64, 48)
    TENSORS = (("io", SHAPE), ("oi", SHAPE), ("oi, stack=3", (48, 16)), ("io, stack=4", (16, 64)))

    def expected(scheme: str, shape: tuple[int, ...], **options: Any) -> Any:
        return get(scheme).numpy(shape, seed=7, **options)

    def same(a: Any, b: Any) -> bool:
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()

    def sharded_as(array: Any, sharding: Any) -> bool:
        return bool(array.sharding.is_equivalent_to(sharding, array.ndim))

    @pytest.mark.parametrize("spec", SPECS, ids=str)
    @pytest.mark.parametrize(("layout", "shape"), TENSORS)
    def test_out_shardings(layout: str, shape: tuple[int, ...], spec: Any) -> None:
        init = initializer("he_normal", backend="jax", layout=layout)
        sharding = NamedSharding(AUTO, spec)
        program = jax.jit(lambda key: init(key, shape), out_shardings=sharding)
        made = program(KEY)
        assert sharded_as(made, sharding)
        assert same(made, expected("he_normal", shape, layout=layout))

    @pytest.mark.parametrize("mesh", [AUTO, EXPLICIT], ids=["auto", "explicit"])
    @pytest.mark.parametrize("name", ["he_normal", "uniform(low=-0.1, high=0.3)"])
    @pytest.mark.parametrize(("layout", "shape"), TENSORS)
    def test_no_device_computes_more_than_its_shard(
        layout: str, shape: tuple[int, ...], name: str, mesh: Any
    ) -> None:
        shape = (shape[0] * 16, shape[1] * 16)
        init = initializer(name, backend="jax", layout=layout)
        sharding = NamedSharding(mesh, P("x", "y"))
        program = jax.jit(lambda key: init(key, shape), out_shardings=sharding)
        compiled = program.lower(KEY).compile()
        text = compiled.as_text()
        assert f"f32[{shape[0] // 4},{shape[1] // 2}]" in text
        assert not re.search("all-gather|all-reduce|all-to-all|collective|permute", text)
        table = len(stream.table()[0])
        share = shape[0] * shape[1] // DEVICES
        for sizes in set(re.findall(r"\w+\[([\d,]+)\]", text)):
            assert np.prod([int(n) for n in sizes.split(",")]) <= max(share, table), sizes
        stats = compiled.memory_analysis()
        assert stats.output_size_in_bytes == 4 * share
        assert stats.temp_size_in_bytes < 2**16

    @pytest.mark.parametrize("name", ["he_normal", "orthogonal", "zeros"])
    @pytest.mark.parametrize("jitted", [False, True])
    @pytest.mark.parametrize("spec", SPECS, ids=str)
    def test_out_sharding_in_an_explicit_mesh(spec: Any, jitted: bool, name: str) -> None:
        init = get(name).jax

        def make(key: Any, out: Any) -> Any:
            return init(key, SHAPE, jnp.float32, out)

        make = jax.jit(make, static_argnums=1) if jitted else make
        with jax.set_mesh(EXPLICIT):
            for out in (spec, NamedSharding(EXPLICIT, spec)):
                made = make(KEY, out)
                assert sharded_as(made, NamedSharding(EXPLICIT, spec))
                assert same(made, expected(name, SHAPE))

    @pytest.mark.parametrize("name", ["he_normal", "orthogonal"])
    @pytest.mark.parametrize("mesh", [AUTO, EXPLICIT], ids=["auto", "explicit"])
    def test_out_sharding_without_a_mesh_that_is_set(mesh: Any, name: str) -> None:
        out = NamedSharding(mesh, P("x", "y"))
        made = get(name).jax(KEY, SHAPE, jnp.float32, out)
        assert sharded_as(made, out)
        assert same(made, expected(name, SHAPE))

    def test_out_sharding_inside_a_program_on_an_automatic_mesh() -> None:
        out = NamedSharding(AUTO, P("x", "y"))
        made = jax.jit(lambda key: get("he_normal").jax(key, SHAPE, jnp.float32, out))(KEY)
        assert sharded_as(made, out)
        assert same(made, expected("he_normal", SHAPE))

    @pytest.mark.parametrize("jitted", [False, True])
    @pytest.mark.parametrize("name", ["he_normal", "orthogonal", "zeros"])
    def test_a_mesh_that_is_set_changes_no_number(name: str, jitted: bool) -> None:
        init = get(name).jax
        with jax.set_mesh(EXPLICIT):
            make = jax.jit(init, static_argnums=1) if jitted else init
            made = make(KEY, SHAPE)
            assert same(made, expected(name, SHAPE))
            assert same(made + jnp.zeros(SHAPE), made)  # it goes with the mesh's other arrays

    @pytest.mark.parametrize("name", ["he_normal", "he_uniform", "orthogonal", "dirac"])
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_make_array_from_callback(name: str, dtype: str) -> None:
        shape, spec = ((8, 8, 3, 3), P("x", "y")) if name == "dirac" else (SHAPE, P("y", "x"))
        layout = "oihw" if name == "dirac" else "oi"
        init = initializer(name, backend="jax", layout=layout)
        sharding = NamedSharding(AUTO, spec)
        made = jax.make_array_from_callback(
            shape, sharding, lambda part: init.window(KEY, shape, part, dtype)
        )
        assert sharded_as(made, sharding)
        assert same(made, expected(name, shape, layout=layout, dtype=dtype))

    def test_each_callback_draws_its_window_alone(monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = []
        fill = host_laws.fill

        def counted(out: Any, *arguments: Any, **options: Any) -> None:
            drawn.append(out.shape)
            fill(out, *arguments, **options)

        monkeypatch.setattr(host_laws, "fill", counted)
        sharding = NamedSharding(AUTO, P(("x", "y")))
        jax.make_array_from_callback(
            SHAPE, sharding, lambda part: get("he_normal").jax.window(KEY, SHAPE, part)
        )
        assert drawn == [(8, 48)] * DEVICES

    def test_a_tree_of_parameters() -> None:
        shapes = {"w": SHAPE, "bias": (48,), "deep": {"w": (48, 8)}}
        specs = {"w": P("x", "y"), "bias": P("y"), "deep": {"w": P("y", None)}}
        inits = {
            "w": initializer("he_normal", backend="jax", name="w"),
            "bias": get("zeros").jax,
            "deep": {"w": initializer("glorot_uniform", backend="jax", name="deep/w")},
        }

        def make(key: Any) -> Any:
            return jax.tree.map(
                lambda init, shape: init(key, shape),
                inits,
                shapes,
                is_leaf=lambda node: isinstance(node, tuple),
            )

        shardings = jax.tree.map(
            lambda spec: NamedSharding(AUTO, spec), specs, is_leaf=lambda node: isinstance(node, P)
        )
        made = jax.jit(make, out_shardings=shardings)(KEY)
        assert same(made["w"], expected("he_normal", SHAPE, name="w"))
        assert same(made["deep"]["w"], expected("glorot_uniform", (48, 8), name="deep/w"))
        assert all(jax.tree.leaves(jax.tree.map(sharded_as, made, shardings)))

    def test_inside_shard_map_a_key_of_each_device() -> None:
        init = get("he_normal").jax

        def local(data: Any) -> Any:
            return init(jax.random.wrap_key_data(data[0]), (8, 6))

        keys = jax.random.split(KEY, 4)
        made = jax.shard_map(local, mesh=AUTO, in_specs=P("x"), out_specs=P("x"))(
            jax.random.key_data(keys)
        )
        parts = [np.asarray(init(key, (8, 6))) for key in keys]
        assert same(made, np.concatenate(parts))

    def test_a_key_on_another_device_keeps_its_weights_there() -> None:
        device = jax.devices()[5]
        made = get("he_normal").jax(jax.device_put(KEY, device), SHAPE)
        assert made.devices() == {device}
        assert same(made, expected("he_normal", SHAPE))
        with jax.default_device(device):
            assert get("he_normal").jax(7, SHAPE).devices() == {device}

    def test_the_native_stream_is_sharded_too() -> None:
        init = initializer("he_normal", backend="jax", stream="native")
        out = NamedSharding(EXPLICIT, P("x", "y"))
        with jax.set_mesh(EXPLICIT):
            made = jax.jit(lambda key: init(key, SHAPE, jnp.float32, P("x", "y")))(KEY)
        assert sharded_as(made, out)
        assert same(made, init(KEY, SHAPE))
