"""JAX's own calls as schemes."""

import inspect
import math
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp

from initspec import LayoutError, SpecError, UnknownName, from_call, from_jax, get
from initspec.readings.registry import dialect, rows

jni = jax.nn.initializers
OUTSIDE = {*dialect("jax")["ignored"], *dialect("jax")["axes"]}


@pytest.mark.parametrize("entry", rows("jax"), ids=lambda entry: entry.name)
def test_a_row_has_the_words_of_its_function_in_their_order(entry: Any) -> None:
    factory = getattr(jni, entry.call.rpartition(".")[2])
    assert from_jax(factory) == get(entry.name)
    if entry.base in ("zeros", "ones"):  # initializers themselves
        return
    parameters = inspect.signature(factory).parameters
    assert [word for word in parameters if word not in OUTSIDE] == [*entry.arguments]
    axes = dialect("jax")["axes"]
    for word in set(parameters) & set(axes):
        default = parameters[word].default
        assert (list(default) if isinstance(default, tuple) else default) == axes[word]


def test_every_initializer_is_a_row() -> None:
    public = {
        name
        for name in dir(jni)
        if not name.startswith("_") and inspect.isfunction(getattr(jni, name))
    }
    known = {entry.call.rpartition(".")[2] for entry in rows("jax")}
    known |= {alias.partition("@")[0] for entry in rows("jax") for alias in entry.aliases}
    assert public == known


CALLS: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (jni.variance_scaling, (2.0, "fan_in", "normal"), {}),
    (jni.variance_scaling, (0.5, "fan_geo_avg", "uniform"), {}),
    (jni.variance_scaling, (3.0, "fan_out", "truncated_normal"), {}),
    (jni.variance_scaling, (), {"scale": 2.0, "mode": "fan_avg", "distribution": "normal"}),
    (jni.he_normal, (), {}),
    (jni.kaiming_uniform, (), {"dtype": jnp.float32}),
    (jni.xavier_normal, (), {"in_axis": -2, "out_axis": -1, "batch_axis": ()}),
    (jni.glorot_uniform, (), {}),
    (jni.lecun_normal, (), {}),
    (jni.lecun_uniform, (), {}),
    (jni.normal, (0.3,), {}),
    (jni.uniform, (0.3,), {}),
    (jni.uniform, (), {}),
    (jni.truncated_normal, (), {"stddev": 0.3, "lower": -1.0, "upper": 3.0}),
    (jni.constant, (0.25,), {}),
]


@pytest.mark.parametrize(("factory", "args", "kwargs"), CALLS)
def test_a_call_draws_what_its_scheme_says(
    factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    shape = (9, 40, 96)  # (taps, in / groups, out) of four groups
    try:
        drawn = factory(*args, **kwargs)(jax.random.key(5), shape)
    except ValueError:
        if "fan_geo_avg" not in args:
            raise
        pytest.skip("this JAX has no geometric mean of the fans")
    found = np.asarray(drawn, np.float64)
    law = from_jax(factory, *args, **kwargs).on(shape, "wio, groups=4")
    n = found.size
    assert found.mean() == pytest.approx(law.mean, abs=6 * law.std / math.sqrt(n) + 1e-7)
    if law.std > 0:
        spread = math.sqrt((law.kurtosis + 2) / n)  # of the variance, relatively
        assert found.var() / law.variance == pytest.approx(1, abs=6 * spread)
        standard = (found - law.mean) / law.std
        assert (standard**4).mean() - 3 == pytest.approx(law.kurtosis, abs=0.2)
    low, high = law.support
    assert low - 1e-6 <= found.min() <= found.max() <= high + 1e-6


def test_a_closure_is_refused_with_what_to_write() -> None:
    with pytest.raises(SpecError, match=r"that variance_scaling has made does not tell its argu"):
        from_jax(jni.he_normal())
    with pytest.raises(SpecError, match=r"as in from_jax\('normal'\)"):
        from_jax(jni.normal(0.3))
    assert from_jax(jni.zeros) == get("zeros@jax")


def test_by_name() -> None:
    assert from_jax("kaiming_normal") == from_jax("jax.nn.initializers.he_normal")
    assert from_jax("variance_scaling", 2.0, "FAN_OUT", "normal").mode == "FAN_OUT"


AXES: list[tuple[dict[str, Any], tuple[int, ...], str]] = [
    ({"in_axis": 1, "out_axis": 0}, (512, 300), "oi"),
    ({"in_axis": 1, "out_axis": 0}, (40, 30, 5, 7), "oixx"),
    ({"batch_axis": 0}, (8, 300, 64), "bio"),
    ({"batch_axis": (0, 1)}, (4, 3, 90, 64), "bbio"),
    ({"in_axis": (0, 1), "out_axis": 2}, (9, 30, 64), "iio"),
    ({"in_axis": -1, "out_axis": (-3, -2)}, (30, 9, 64), "ooi"),
    ({"in_axis": 0, "out_axis": []}, (9000,), "i"),
    ({"in_axis": [], "out_axis": [0]}, (9000,), "o"),
    ({"in_axis": [0], "out_axis": [1], "batch_axis": np.int64(2)}, (60, 50, 7), "iob"),
]


@pytest.mark.parametrize(("axes", "shape", "letters"), AXES)
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_axes_give_a_layout(
    axes: dict[str, Any], shape: tuple[int, ...], letters: str, mode: str
) -> None:
    factory = jni.variance_scaling
    scheme, layout = from_jax(factory, 2.0, mode, "normal", **axes, ndim=len(shape))
    assert str(layout) == letters
    plain = {word: int(n) if isinstance(n, np.int64) else n for word, n in axes.items()}
    theirs = np.asarray(factory(2.0, mode, "normal", **plain)(jax.random.key(0), shape))
    law = scheme.on(shape, layout)
    assert theirs.var() / law.variance == pytest.approx(1, abs=6 * math.sqrt(2 / theirs.size))


def test_without_ndim_the_layout_has_as_few_axes_as_they_need() -> None:
    assert str(from_jax("he_normal", in_axis=1, out_axis=0)[1]) == "oi"
    assert str(from_jax("he_normal", batch_axis=(0,))[1]) == "bio"
    assert str(from_jax("he_normal", in_axis=[0], out_axis=[])[1]) == "i"
    assert str(from_jax("he_normal", in_axis=1)[1]) == "xio"
    assert from_jax("he_normal", in_axis=-2, out_axis=-1, batch_axis=()) == get("he_normal@jax")
    assert str(from_jax("he_normal", ndim=4)[1]) == "xxio"


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({"in_axis": 0, "out_axis": 0}, "each axis has one role"),
        ({"in_axis": 4, "out_axis": 0, "ndim": 2}, "do not fit a tensor of 2 axes"),
        ({"in_axis": "0"}, "an axis of in_axis='0' is an integer"),
        ({"batch_axis": 1.0}, "an axis of batch_axis=1.0 is an integer"),
        ({"in_axis": 1, "ndim": -1}, "ndim is an integer of at least 0"),
    ],
)
def test_axes_that_cannot_be(axes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(LayoutError, match=sentence):
        from_jax("he_normal", **axes)


def test_axes_of_laws_without_fans_are_refused() -> None:
    with pytest.raises(UnknownName, match="in_axis"):
        from_jax("normal", in_axis=1)
    with pytest.raises(SpecError, match="column_axis=0 says which axes"):
        from_jax("orthogonal", column_axis=0)


def test_bad_calls() -> None:
    with pytest.raises(
        UnknownName, match=r"jax.nn.initializers.normal 'std': known: dtype, stddev\."
    ):
        from_jax(jni.normal, std=1.0)
    with pytest.raises(SpecError, match="complex types have none"):
        from_jax(jni.normal, dtype=jnp.complex64)
    with pytest.raises(SpecError, match="takes the arguments stddev, and 2 were given"):
        from_jax(jni.normal, 1.0, 2.0)
    with pytest.raises(SpecError, match=r"from_jax reads what jax defines, and sqrt is of math"):
        from_jax(math.sqrt)
    with pytest.raises(UnknownName, match="did you mean 'he_normal'"):
        from_jax("he_norml")


def test_flax_has_jaxs_and_two_of_its_own() -> None:
    linen = pytest.importorskip("flax.linen")
    public = {
        name
        for name in dir(linen.initializers)
        if not name.startswith("_") and inspect.isfunction(getattr(linen.initializers, name))
    }
    for name in public:
        assert from_call("flax", name).name in {entry.name for entry in rows("flax")}
    assert from_call("flax", "zeros_init") == get("zeros@flax")


def test_get_takes_factories_and_refuses_closures() -> None:
    initializers = jax.nn.initializers
    assert get(initializers.he_normal) == get("he_normal@jax")
    assert get(initializers.zeros) == get("zeros@jax")
    assert get(initializers.normal, 0.1) == get("normal@jax", stddev=0.1)
    with pytest.raises(SpecError, match=r"write from_call\('jax', 'variance_scaling', \.\.\.\)"):
        get(initializers.he_normal())


def test_flax_has_makers_of_its_own() -> None:
    flax = pytest.importorskip("flax.linen")
    assert get(flax.initializers.ones_init) == get("ones@flax")
    assert get(flax.initializers.zeros_init) == get("zeros@flax")
    assert get(flax.initializers.he_normal) == get("he_normal@jax")
