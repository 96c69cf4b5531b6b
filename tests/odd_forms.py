"""Right initializers in odd forms: what the suite is handed by people, and may not refuse.

``FORMS`` maps a name to a maker of the target and what it claims to be. All but a few draw
``N(0, 0.1**2)``. Frameworks are imported when a form is made.
"""

import abc
import dataclasses
import functools
import random
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import numpy as np

STD = 0.1
NORMAL = "normal(std=0.1)"
SHAPE = (64, 256)

FORMS: dict[str, tuple[Callable[[], Any], Any]] = {}


def form(name: str, claim: Any = NORMAL) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register what makes a target."""

    def kept(make: Callable[[], Any]) -> Callable[[], Any]:
        assert name not in FORMS, name
        FORMS[name] = make, claim
        return make

    return kept


def named(name: str, target: Any, claim: Any = NORMAL) -> None:
    form(name, claim)(lambda: target)


def draw(seed: Any, shape: Any, dtype: Any = np.float32) -> Any:
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    return (rng.standard_normal(shape) * STD).astype(dtype)


# ------------------------------------------------------------------------------- plain functions


def shape_seed(shape, seed):
    return draw(seed, shape)


def seed_shape(seed, shape):
    return draw(seed, shape)


def shape_rng(shape, rng):
    return draw(rng, shape)


def rng_shape(rng, shape):
    return draw(rng, shape)


def keyword_seed(shape, *, seed):
    return draw(seed, shape)


def keyword_shape(*, shape, rng):
    return draw(rng, shape)


def by_place(shape, seed, /):
    return draw(seed, shape)


def random_state(shape, random_state):
    return draw(random_state, shape)


def size_seed(size, seed):
    return draw(seed, size)


def dims_rng(dims, rng):
    return draw(rng, dims)


def typed(shape, dtype, seed):
    return draw(seed, shape, dtype)


def typed_last(shape, seed, dtype=np.float32):
    return draw(seed, shape, dtype)


def typed_by_word(shape, *, dtype="float32", rng=None):
    return draw(rng, shape, dtype)


def numpy_generator(shape, generator):
    return draw(generator, shape)


def gen(shape, gen):
    return draw(gen, shape)


def seed_or_none(shape, seed=None):
    return draw(seed, shape)


def annotated(shape: tuple[int, ...], seed: int | None = 0) -> np.ndarray:
    return draw(seed, shape)


def annotated_more(shape: Annotated[tuple, "sizes"], seed: Annotated[int, "any"] = 3) -> list:
    return draw(seed, shape).tolist()


def more_options(shape, seed, std=STD, verbose=False, **others):
    assert not others
    return np.random.default_rng(seed).normal(0, std, shape).astype("float32")


def all_options(shape, seed, *args, **options):
    assert not args
    assert not options
    return draw(seed, shape)


def float64(shape, seed):
    return draw(seed, shape, np.float64)


def nested_lists(shape, seed):
    return draw(seed, shape).tolist()


def nested_tuples(shape, seed):
    return tuple(map(tuple, draw(seed, shape).tolist()))


def transposed(shape, seed):
    return draw(seed, shape[::-1]).T


def fortran(shape, seed):
    return np.asfortranarray(draw(seed, shape))


def strided(shape, seed):
    return draw(seed, (*shape[:-1], 2 * shape[-1]))[..., ::2]


def backwards(shape, seed):
    return draw(seed, shape)[::-1]


def read_only(shape, seed):
    values = draw(seed, shape)
    values.setflags(write=False)
    return values


def big_endian(shape, seed):
    return draw(seed, shape).astype(">f4")


class Kin(np.ndarray):
    pass


def subclass(shape, seed):
    return draw(seed, shape).view(Kin)


class Wrapped:
    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


def with_array(shape, seed):
    return Wrapped(draw(seed, shape))


def global_numpy(shape):
    return (np.random.standard_normal(shape) * STD).astype("float32")


def global_python(shape):
    flat = [random.gauss(0, STD) for _ in range(int(np.prod(shape)))]
    return np.array(flat, np.float32).reshape(shape)


def legacy_state(shape, seed):
    return (np.random.RandomState(seed).standard_normal(shape) * STD).astype("float32")


def seed_sequence(shape, seed):
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    return draw(rng, shape)


def in_parts(shape, seed):
    first, second = np.random.SeedSequence(seed).spawn(2)
    half = shape[0] // 2
    rest = (shape[0] - half, *shape[1:])
    return np.concatenate(
        [draw(np.random.default_rng(first), (half, *shape[1:])), draw(second, rest)]
    )


def rejection(shape, seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape)
    while (far := np.abs(values) > 2).any():
        values[far] = rng.standard_normal(int(far.sum()))
    return (values * STD).astype("float32")


def raises_first(shape, seed):
    try:
        raise ValueError(shape)
    except ValueError:
        return draw(seed, shape)


for _function in (
    shape_seed,
    seed_shape,
    shape_rng,
    rng_shape,
    keyword_seed,
    keyword_shape,
    by_place,
    random_state,
    size_seed,
    dims_rng,
    typed,
    typed_last,
    typed_by_word,
    numpy_generator,
    gen,
    seed_or_none,
    annotated,
    annotated_more,
    more_options,
    all_options,
    float64,
    nested_lists,
    nested_tuples,
    transposed,
    fortran,
    strided,
    backwards,
    read_only,
    big_endian,
    subclass,
    with_array,
    global_numpy,
    global_python,
    legacy_state,
    seed_sequence,
    in_parts,
    raises_first,
):
    named(f"function {_function.__name__}", _function)
named("function rejection", rejection, "truncated_normal@jax(stddev=0.1)")

# ---------------------------------------------------------------------- lambdas, partials, closures

named("lambda", lambda shape, seed: draw(seed, shape))
named("lambda of rng", lambda rng, shape: draw(rng, shape))
named("lambda with defaults", lambda shape, seed=7, std=STD: draw(seed, shape))
named("partial", functools.partial(more_options, std=STD))
named("partial of a partial", functools.partial(functools.partial(more_options, std=3.0), std=STD))
named("partial of a lambda", functools.partial(lambda shape, seed, std: draw(seed, shape), std=1))


def scaled(std, shape, seed):
    return np.random.default_rng(seed).normal(0, std, shape).astype("float32")


named("partial by place", functools.partial(scaled, STD))


def closure(std):
    def init(shape, seed):
        return np.random.default_rng(seed).normal(0, std, shape).astype("float32")

    return init


def maker(std=STD):
    return closure(std)


def maker_of_class(std=STD):
    return Called(std)


named("closure", closure(STD))
named("maker", maker)
named("maker in a partial", functools.partial(maker, std=STD))
named("maker of a callable object", maker_of_class)


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **options):
        return function(*args, **options)

    return wrapper


@logged
def decorated(shape, seed):
    return draw(seed, shape)


@logged
@logged
def decorated_twice(shape, rng):
    return draw(rng, shape)


@functools.lru_cache(maxsize=2)
def kept(shape, seed):
    return draw(seed, shape)


def cached(shape, seed):
    return kept(shape, seed).copy()  # one buffer handed out twice is refused


named("decorated", decorated)
named("decorated twice", decorated_twice)
named("cached", cached)

# ----------------------------------------------------------------------------------------- classes


class Called:
    def __init__(self, std=STD):
        self.std = std

    def __call__(self, shape, seed):
        return np.random.default_rng(seed).normal(0, self.std, shape).astype("float32")


class Inherited(Called):
    pass


class Slotted:
    __slots__ = ("std",)

    def __init__(self):
        self.std = STD

    def __call__(self, shape, rng):
        return (rng.standard_normal(shape) * self.std).astype("float32")


class Abstract(abc.ABC):
    @abc.abstractmethod
    def __call__(self, shape, seed): ...


class Concrete(Abstract):
    def __call__(self, shape, seed):
        return draw(seed, shape)


@dataclasses.dataclass(frozen=True)
class Frozen:
    std: float = STD

    def __call__(self, shape, seed):
        return np.random.default_rng(seed).normal(0, self.std, shape).astype("float32")


class Tupled(NamedTuple):
    std: float = STD

    def __call__(self, shape, seed):
        return np.random.default_rng(seed).normal(0, self.std, shape).astype("float32")


class Methods:
    std = STD

    def bound(self, shape, seed):
        return draw(seed, shape)

    @staticmethod
    def static(shape, seed):
        return draw(seed, shape)

    @classmethod
    def of_class(cls, shape, seed):
        return np.random.default_rng(seed).normal(0, cls.std, shape).astype("float32")

    given = functools.partialmethod(more_options)

    @property
    def held(self):
        return lambda shape, seed: draw(seed, shape)


class Drawing:
    name = "my own"

    def draw(self, shape, *, dtype, seed):
        return draw(seed, shape, dtype)


named("callable object", Called())
named("class", Called)
named("class in a partial", functools.partial(Called, std=STD))
named("inherited call", Inherited())
named("slots", Slotted())
named("abstract made concrete", Concrete())
named("frozen dataclass", Frozen())
named("class of a frozen dataclass", Frozen)
named("named tuple", Tupled())
named("bound method", Methods().bound)
named("static method", Methods.static)
named("static method of an object", Methods().static)
named("class method", Methods.of_class)
named("property", Methods().held)
named("bound call", Called().__call__)
named("target of its own", Drawing())

# ------------------------------------------------------------------------------------------ arrays

_DRAWN = draw(11, (512, 300))
named("array", _DRAWN)
named("array of float64", _DRAWN.astype("float64"))
named("array in Fortran's order", np.asfortranarray(_DRAWN))
named("array of big endian numbers", _DRAWN.astype(">f4"))
named("array that is read only", _DRAWN[::-1])
named("list", _DRAWN.tolist())
named("table", {NORMAL: shape_seed})

# ------------------------------------------------------------------------------------------- torch


@form("torch: normal_ in a partial")
def _():
    import torch

    return functools.partial(torch.nn.init.normal_, std=STD)


@form("torch: normal_ of its own name", "normal@torch")
def _():
    import torch

    return torch.nn.init.normal_


@form("torch: kaiming_normal_", "he_normal@torch")
def _():
    import torch

    return torch.nn.init.kaiming_normal_


@form("torch: a lambda")
def _():
    import torch

    return lambda w: torch.nn.init.normal_(w, std=STD)


@form("torch: data")
def _():
    import torch

    def init(w: torch.Tensor):
        w.data.normal_(0, STD)

    return init


@form("torch: data is set")
def _():
    import torch

    def init(weight):
        weight.data = torch.randn_like(weight.data) * STD

    return init


@form("torch: data copied")
def _():
    import torch

    def init(param):
        param.data.copy_(torch.randn(param.shape) * STD)

    return init


@form("torch: no_grad by name")
def _():
    from torch import Tensor, no_grad

    def init(tensor: Tensor) -> Tensor:
        with no_grad():
            return tensor.normal_(0, STD)

    return init


@form("torch: no_grad as a decorator")
def _():
    import torch

    @torch.no_grad()
    def init(tensor):
        tensor.normal_(0, STD)

    return init


@form("torch: inference over slices")
def _():
    import torch

    @torch.no_grad()
    def init(tensor):
        for row in tensor:
            row.normal_(0, STD)
        return tensor

    return init


@form("torch: generator by keyword")
def _():
    import torch

    @torch.no_grad()
    def init(tensor, *, generator=None):
        return tensor.normal_(0, STD, generator=generator)

    return init


@form("torch: generator annotated")
def _():
    import torch

    def init(tensor: torch.Tensor, generator: torch.Generator) -> None:
        tensor.data.normal_(0, STD, generator=generator)

    return init


@form("torch: a function of the shape")
def _():
    import torch

    def init(shape, generator: torch.Generator):
        return torch.randn(shape, generator=generator) * STD

    return init


@form("torch: shape, dtype and generator")
def _():
    import torch

    def init(shape, dtype, generator):
        return torch.randn(shape, generator=generator, dtype=dtype) * STD

    return init


@form("torch: a parameter of the shape")
def _():
    import torch

    def init(shape, seed):
        torch.manual_seed(seed)
        return torch.nn.Parameter(torch.randn(shape) * STD)

    return init


@form("torch: the global generator")
def _():
    import torch

    return lambda shape: torch.randn(shape) * STD


@form("torch: a callable object")
def _():
    import torch

    class Init:
        def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
            return torch.nn.init.normal_(tensor, 0.0, STD)

    return Init()


@form("torch: a bound method")
def _():
    import torch

    class Model(torch.nn.Module):
        def init(self, weight):
            torch.nn.init.normal_(weight, std=STD)

    return Model().init


@form("torch: a static method")
def _():
    import torch

    class Model(torch.nn.Module):
        @staticmethod
        def init_(weight):
            torch.nn.init.normal_(weight, std=STD)

    return Model.init_


@form("torch: jitted")
def _():
    import torch

    def init(tensor: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return tensor.normal_(0.0, 0.1)

    return init


@form("torch: from NumPy")
def _():
    import torch

    @torch.no_grad()
    def init(tensor, rng):
        tensor.copy_(torch.from_numpy(draw(rng, tuple(tensor.shape))))

    return init


@form("torch: a tensor")
def _():
    import torch

    return torch.from_numpy(_DRAWN.copy())


@form("torch: a parameter")
def _():
    import torch

    return torch.nn.Parameter(torch.from_numpy(_DRAWN.copy()))


@form("torch: initspec's own", "he_normal")
def _():
    import initspec

    return initspec.get("he_normal").torch_


# --------------------------------------------------------------------------------------------- JAX


@form("jax: normal made", NORMAL)
def _():
    import jax

    return jax.nn.initializers.normal(STD)


@form("jax: a maker", "he_normal")
def _():
    import jax

    return jax.nn.initializers.he_normal


@form("jax: a partial", NORMAL)
def _():
    import jax

    return functools.partial(jax.nn.initializers.normal(STD))


@form("jax: key, shape")
def _():
    import jax

    return lambda key, shape: jax.random.normal(key, shape) * STD


@form("jax: key, shape, dtype")
def _():
    import jax
    import jax.numpy as jnp

    def init(key, shape, dtype=jnp.float32):
        return jax.random.normal(key, shape, dtype) * STD

    return init


@form("jax: jitted")
def _():
    import jax

    @functools.partial(jax.jit, static_argnames=("shape",))
    def init(key, shape):
        return jax.random.normal(key, shape) * STD

    return init


@form("jax: jitted inside")
def _():
    import jax

    def init(key, shape):
        return jax.jit(lambda key: jax.random.normal(key, shape) * STD)(key)

    return init


@form("jax: vectorised")
def _():
    import jax

    def init(key, shape):
        keys = jax.random.split(key, shape[0])
        return jax.vmap(lambda key: jax.random.normal(key, shape[1:]) * STD)(keys)

    return init


@form("jax: shape, then key")
def _():
    import jax

    return lambda shape, key: jax.random.normal(key, shape) * STD


@form("jax: key by keyword")
def _():
    import jax

    def init(shape, *, key):
        return jax.random.normal(key, shape) * STD

    return init


@form("jax: rng_key")
def _():
    import jax

    return lambda rng_key, shape: jax.random.normal(rng_key, shape) * STD


@form("jax: rng is a key")
def _():
    import jax

    def init(rng, shape, dtype="float32"):
        return jax.random.normal(rng, shape, dtype) * STD

    return init


@form("jax: a key from the seed")
def _():
    import jax

    return lambda shape, seed: jax.random.normal(jax.random.PRNGKey(seed), shape) * STD


@form("jax: a callable object")
def _():
    import jax

    class Init:
        def __call__(self, key, shape, dtype="float32"):
            return jax.random.normal(key, shape, dtype) * STD

    return Init()


@form("jax: an array")
def _():
    import jax

    return jax.numpy.asarray(_DRAWN)


# ------------------------------------------------------------------------------------------- Keras


@form("keras: a class", "glorot_uniform@keras")
def _():
    import keras

    return keras.initializers.GlorotUniform


@form("keras: an instance", NORMAL)
def _():
    import keras

    return keras.initializers.RandomNormal(stddev=STD)


@form("keras: an instance with a seed", NORMAL)
def _():
    import keras

    return keras.initializers.RandomNormal(stddev=STD, seed=4)


@form("keras: got by name", "he_normal@keras")
def _():
    import keras

    return keras.initializers.get("he_normal")


@form("keras: variance scaling", "he_normal@torch")
def _():
    import keras

    return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal")


@form("keras: a class of one's own", NORMAL)
def _():
    import keras

    class Mine(keras.initializers.Initializer):
        def __init__(self, seed=None):
            self.seed = seed

        def __call__(self, shape, dtype=None):
            return keras.random.normal(shape, stddev=STD, dtype=dtype, seed=self.seed)

        def get_config(self):
            return {"seed": self.seed}

    return Mine()


# ---------------------------------------------------------------------------------------- initspec


@form("initspec: a scheme", "he_normal")
def _():
    import initspec

    return initspec.get("he_normal")


@form("initspec: of NumPy", "he_normal")
def _():
    import initspec

    return initspec.get("he_normal").numpy


# ------------------------------------------------------------------------------------ texts, layers

for _text, _claim in (
    ("torch.nn:Linear(86, 8)#weight", "he_uniform@torch(a=2.23606797749979)"),
    ("torch.nn:Conv2d(8, 38, 3)#weight", "he_uniform@torch(a=2.23606797749979)"),
    ("torch.nn:Embedding(500, 86)#weight", "normal@torch"),
    ("torch.nn.init:kaiming_uniform_(a=1)", "he_uniform@torch(a=1)"),
    ("keras.layers:Dense(8)#kernel@(None, 86)", "glorot_uniform@keras"),
    ("flax.linen:Dense(8)#kernel@(1, 86)", "lecun_normal"),
    ("flax.nnx:Linear(86, 8)#kernel", "lecun_normal"),
    ("haiku:Linear(8)#w@(1, 86)", "truncated_normal@jax(stddev=0.10783277320343841)"),
    ("jax.nn.initializers:he_normal", "he_normal"),
):
    form(f"text {_text}", _claim)(functools.partial(str, _text))
