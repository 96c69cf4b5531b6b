"""The native stream on PyTorch is ``torch.nn.init``, bit for bit, and leaves its generator alike."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from initspec import get

init = torch.nn.init
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
GAINS = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")
ROUNDS = 200  # random shapes and arguments for each initializer


def scheme(name: str, **arguments: Any) -> Any:
    """A name in PyTorch's dialect, with its words."""
    return get(f"{name}@torch", **arguments)


def sizes(rng: random.Random, ndim: int | None = None) -> tuple[int, ...]:
    """A shape: (out, in), with up to three kernel axes."""
    ndim = ndim or rng.randint(2, 5)
    return (rng.randint(1, 60), rng.randint(1, 40), *(rng.randint(1, 4) for _ in range(ndim - 2)))


def fans(rng: random.Random) -> Any:
    return {"mode": rng.choice(["fan_in", "fan_out"])}


def kaiming(rng: random.Random) -> dict[str, Any]:
    word = rng.choice(GAINS)
    slope = {"a": rng.choice([0, 0.2, 1, math.sqrt(5), rng.random()])}
    return {**fans(rng), "nonlinearity": word, **(slope if word == "leaky_relu" else {})}


def xavier(rng: random.Random) -> dict[str, Any]:
    return {"gain": rng.choice([1.0, math.sqrt(2), 5 / 3, 0.1, rng.random()])}


def normal(rng: random.Random) -> dict[str, Any]:
    return {"mean": rng.choice([0.0, rng.uniform(-3, 3)]), "std": 2 * rng.random()}


def uniform(rng: random.Random) -> dict[str, Any]:
    low = rng.uniform(-2, 2)
    return {"a": low, "b": low + 3 * rng.random()}


def truncated(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.3:  # narrow bounds, where PyTorch draws from uniform proposals
        low = rng.uniform(-2, 1)
        return {"mean": 0.1, "std": 1.3, "a": low, "b": low + 0.4}
    bounds = {} if rng.random() < 0.3 else {"a": rng.uniform(-2, -0.3), "b": rng.uniform(0.3, 2)}
    return {"mean": rng.uniform(-0.2, 0.2), "std": rng.uniform(0.02, 1.5), **bounds}


#: Our name, PyTorch's function, and arguments, which are PyTorch's words.
RANDOM: dict[str, tuple[Callable[..., Any], Callable[[random.Random], dict[str, Any]]]] = {
    "normal": (init.normal_, normal),
    "uniform": (init.uniform_, uniform),
    "truncated_normal": (init.trunc_normal_, truncated),
    "xavier_normal": (init.xavier_normal_, xavier),
    "xavier_uniform": (init.xavier_uniform_, xavier),
    "kaiming_normal": (init.kaiming_normal_, kaiming),
    "kaiming_uniform": (init.kaiming_uniform_, kaiming),
    "orthogonal": (init.orthogonal_, xavier),
}


def cases(name: str) -> Iterator[tuple[int, tuple[int, ...], Any, dict[str, Any]]]:
    """Seeds, shapes, dtypes and arguments."""
    rng = random.Random(name)
    for seed in range(ROUNDS):
        yield seed, sizes(rng), DTYPES[seed % 4], RANDOM[name][1](rng)


def compared(ours: Any, theirs: Any, what: object) -> None:
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours, theirs), (what, (ours != theirs).sum(), ours.numel())


def generator(seed: int) -> Any:
    return torch.Generator().manual_seed(seed)


@pytest.mark.filterwarnings("ignore:mean is more than 2 std")
@pytest.mark.parametrize("name", RANDOM)
def test_equal_to_pytorch_s_own(name: str) -> None:
    function = RANDOM[name][0]
    for seed, shape, dtype, arguments in cases(name):
        if name == "orthogonal" and dtype not in DTYPES[:2]:
            continue  # PyTorch has none
        what = name, seed, shape, dtype, arguments
        mine, yours = generator(seed), generator(seed)
        made = scheme(name, **arguments)
        ours, theirs = torch.empty(shape, dtype=dtype), torch.empty(shape, dtype=dtype)
        for _ in range(2):  # the second draw begins where the first one ended
            made.torch_(ours, stream="native", generator=mine)
            function(theirs, **arguments, generator=yours)
            compared(ours, theirs, what)
        assert torch.equal(mine.get_state(), yours.get_state()), what
        own(function, theirs, seed, arguments)
        compared(made.torch_(ours, stream="native", seed=seed), theirs, what)


def own(function: Any, tensor: Any, seed: int, arguments: dict[str, Any]) -> Any:
    torch.manual_seed(seed)
    return function(tensor, **arguments)


@pytest.mark.parametrize("name", RANDOM)
def test_after_manual_seed(name: str) -> None:
    function, make = RANDOM[name]
    rng = random.Random(name)
    for seed in (0, 7, 2**31 + 5, 2**63 + 9):
        arguments = make(rng)
        ours, theirs = torch.empty(20, 33), torch.empty(20, 33)
        torch.manual_seed(seed)
        for _ in range(2):
            scheme(name, **arguments).torch_(ours, stream="native")
        ahead = torch.rand(4)
        torch.manual_seed(seed)
        for _ in range(2):
            function(theirs, **arguments)
        compared(ours, theirs, arguments)
        assert torch.equal(ahead, torch.rand(4))


def places() -> dict[str, Callable[[], Any]]:
    """Tensors that are not laid out as a new one is."""
    return {
        "transposed": lambda: torch.empty(30, 20).t(),
        "slice": lambda: torch.empty(20, 60)[:, ::2],
        "channels_last": lambda: torch.empty(8, 6, 3, 5).to(memory_format=torch.channels_last),
        "permuted": lambda: torch.empty(3, 5, 6, 8).permute(3, 2, 0, 1),
        "few": lambda: torch.empty(3, 4),
        "grouped": lambda: torch.nn.Conv2d(8, 12, (3, 5), groups=4).weight,
        "depthwise": lambda: torch.nn.Conv1d(8, 16, 3, groups=8).weight,
        "transposed conv": lambda: torch.nn.ConvTranspose2d(8, 12, (3, 5), groups=2).weight,
        "linear": lambda: torch.nn.Linear(8, 24).weight,
    }


@pytest.mark.parametrize("place", places())
@pytest.mark.parametrize("name", RANDOM)
def test_any_tensor(name: str, place: str) -> None:
    function, make = RANDOM[name]
    rng = random.Random(place)
    for seed in range(8):
        arguments = make(rng)
        ours, theirs = places()[place](), places()[place]()
        scheme(name, **arguments).torch_(ours, stream="native", generator=generator(seed))
        try:
            function(theirs, **arguments, generator=generator(seed))
        except RuntimeError as error:  # orthogonal_ takes no view of some of them
            assert name == "orthogonal" and "view" in str(error)  # noqa: PT017, PT018
            theirs = function(theirs.contiguous(), **arguments, generator=generator(seed))
        compared(ours, theirs, arguments)


@pytest.mark.parametrize("layout", ["torch.ConvTranspose2d", "torch.ConvTranspose2d, groups=2"])
@pytest.mark.parametrize(
    "name", ["kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform"]
)
def test_a_layout_does_not_change_what_pytorch_counts(name: str, layout: str) -> None:
    function, make = RANDOM[name]
    for seed in range(20):
        arguments = make(random.Random(seed))
        ours, theirs = torch.empty(8, 6, 3, 5).double(), torch.empty(8, 6, 3, 5).double()
        scheme(name, **arguments).torch_(ours, stream="native", seed=seed, layout=layout)
        compared(ours, own(function, theirs, seed, arguments), (seed, arguments))


def test_as_the_readme_would_say() -> None:
    w, v, g = torch.empty(64, 32, 3, 3), torch.empty(64, 32, 3, 3), generator(3)
    get("he_normal@torch", a=0.2).torch_(w, stream="native", generator=g)
    compared(w, init.kaiming_normal_(v, a=0.2, generator=generator(3)), "he_normal")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_fixed_laws(dtype: Any) -> None:
    rng = random.Random(1)
    for _ in range(60):
        value, shape = rng.uniform(-3, 3), sizes(rng)
        pairs = [
            ("constant", {"val": value}, init.constant_, {"val": value}),
            ("zeros", {}, init.zeros_, {}),
            ("ones", {}, init.ones_, {}),
        ]
        for name, mine, function, yours in pairs:
            before = torch.get_rng_state()
            ours = scheme(name, **mine).torch_(torch.empty(shape, dtype=dtype), stream="native")
            compared(ours, function(torch.empty(shape, dtype=dtype), **yours), (name, shape))
            compared(
                scheme(name, **mine).torch_(torch.empty(7, dtype=dtype), stream="native"),
                function(torch.empty(7, dtype=dtype), **yours),
                name,
            )
            assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_stencils_draw_nothing(dtype: Any) -> None:
    rng, mine = random.Random(2), generator(0)
    before = mine.get_state()
    for _ in range(40):
        shape = sizes(rng, 2)
        ours = scheme("identity").torch_(
            torch.empty(shape, dtype=dtype), stream="native", generator=mine
        )
        compared(ours, init.eye_(torch.empty(shape, dtype=dtype)), shape)
        groups = rng.randint(1, 4)
        out, *rest = sizes(rng, rng.randint(3, 5))
        shape = (out * groups, *rest)
        ours = scheme("dirac", groups=groups).torch_(
            torch.empty(shape, dtype=dtype), stream="native", generator=mine
        )
        compared(ours, init.dirac_(torch.empty(shape, dtype=dtype), groups), (shape, groups))
    assert torch.equal(before, mine.get_state())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sparse(dtype: Any) -> None:
    """With ``layout="io"`` the rows that are counted are those of the first axis, as PyTorch's."""
    rng = random.Random(4)
    for seed in range(60):
        shape, sparsity = sizes(rng, 2), rng.choice([0.0, 0.1, 0.3, 1.0, rng.random()])
        if seed == 0:
            shape, sparsity = (25, 4), 0.27  # seven zeros, and 7 / 25 * 25 is more than seven
        arguments = {"sparsity": sparsity, "std": rng.random()}
        made = get("sparse", **arguments)
        theirs = own(init.sparse_, torch.empty(shape, dtype=dtype), seed, arguments)
        state = torch.get_rng_state()
        ours = torch.empty(shape, dtype=dtype)
        torch.manual_seed(seed)
        made.torch_(ours, stream="native", layout="io")
        compared(ours, theirs, (shape, sparsity))
        assert torch.equal(state, torch.get_rng_state())
        ours = made.torch_(torch.empty(shape, dtype=dtype), stream="native", layout="io", seed=seed)
        compared(ours, theirs, "a seed is that of torch.manual_seed")
        assert torch.equal(state, torch.get_rng_state())
        torch.manual_seed(0)  # governs the zeros, whatever generator= is
        theirs = torch.empty(shape, dtype=dtype)
        init.sparse_(theirs, **arguments, generator=generator(seed))
        torch.manual_seed(0)
        made.torch_(ours, stream="native", layout="io", generator=generator(seed))
        compared(ours, theirs, "a generator of the user's")
        dialect = get("sparse@torch", **arguments)  # on PyTorch's own (out, in)
        torch.manual_seed(0)
        ours = dialect.torch_(
            torch.empty(shape, dtype=dtype), stream="native", generator=generator(seed)
        )
        compared(ours, theirs, "its own dialect")
        theirs = own(init.sparse_, torch.empty(shape, dtype=dtype), seed, arguments)
        torch.manual_seed(seed)
        compared(dialect.torch(shape, dtype=dtype, stream="native"), theirs, "the global seed")
        ours = dialect.torch(shape, dtype=dtype, stream="native", seed=seed)
        compared(ours, theirs, "a seed")


def test_sparse_in_other_layouts_has_the_law() -> None:
    """As many zeros for each unit where PyTorch's own function sees another matrix."""
    for name, axis in (("sparse", 0), ("sparse@torch", 1)):
        for layout in ("io", "oi", "io, stack=2"):
            weight = get(name, sparsity=0.3, std=1.0).torch(
                (30, 14), layout=layout, seed=1, stream="native"
            )
            matrix = weight.T if layout == "oi" else weight
            for gate in matrix.chunk(2 if "stack" in layout else 1, 1):
                zeros = (gate == 0).sum(axis)
                assert zeros.unique().tolist() == [math.ceil(0.3 * gate.shape[axis])]


def test_gates_are_orthogonal_one_by_one() -> None:
    whole = torch.empty(24, 9)
    get("orthogonal(gain=1.5)").torch_(whole, stream="native", layout="oi, stack=3", seed=5)
    torch.manual_seed(5)
    for gate in whole.chunk(3):
        compared(gate, init.orthogonal_(torch.empty(8, 9), 1.5), "gate")


@pytest.mark.parametrize("name", RANDOM)
def test_tensors_without_elements(name: str) -> None:
    ours = scheme(name).torch_(torch.empty(0, 5), stream="native", generator=generator(1))
    assert ours.shape == (0, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scheme(name).torch((4, 0, 3), stream="native").shape == (4, 0, 3)
