"""DTensors: on every mesh the numbers of the whole tensor, each rank drawing its own alone."""

import math
from itertools import pairwise
from typing import Any

import pytest

from initspec import SpecError, get

torch = pytest.importorskip("torch", reason="the PyTorch backend needs torch")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch was built without torch.distributed", allow_module_level=True)

from ranks import spawn
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed.tensor import (
    DTensor,
    Partial,
    Replicate,
    Shard,
    distribute_tensor,
    init_device_mesh,
)
from torch.distributed.tensor.placement_types import _StridedShard

HE = get("he_normal")


def equal(one: Any, other: Any) -> bool:
    """Whether two tensors hold the same bits."""
    kind = {2: torch.int16, 4: torch.int32, 8: torch.int64}[one.itemsize]
    return torch.equal(one.detach().contiguous().view(kind), other.detach().contiguous().view(kind))


class Drawn:
    """Counts the elements that the kernel is asked for, by either of its doors."""

    def __init__(self) -> None:
        from initspec.backends.torch import writing

        self.sizes: list[int] = []
        fill_words = getattr(writing.fill_words, "original", writing.fill_words)
        fill_memory = getattr(writing.fill_memory, "original", writing.fill_memory)

        def words(out: Any, *arguments: Any) -> None:
            self.sizes.append(out.size)
            fill_words(out, *arguments)

        def memory(*arguments: Any) -> bool:
            written = fill_memory(*arguments)
            if written:
                self.sizes += [math.prod(block.shape) for block in arguments[4]]
            return written

        words.original, memory.original = fill_words, fill_memory  # type: ignore[attr-defined]
        writing.fill_words, writing.fill_memory = words, memory


def check(tensor: Any, scheme: Any, **options: Any) -> None:
    """Fill a DTensor: it holds the whole tensor's numbers, and no rank drew more than its own."""
    drawn = Drawn()
    with torch.no_grad():
        tensor.to_local().fill_(7)
    assert scheme.torch_(tensor, **options) is tensor
    assert sum(drawn.sizes) == tensor.to_local().numel(), (drawn.sizes, tensor.placements)
    expected = scheme.torch(tuple(tensor.shape), dtype=tensor.dtype, **options)
    assert equal(tensor.full_tensor(), expected), (tensor.placements, tensor.shape)


def placements(rank: int, world: int) -> None:
    mesh = init_device_mesh("cpu", (world,))
    for shape, layout in (
        ((8, 12), None),
        ((7, 5), "io"),
        ((12, 10), "oi, stack=3"),
        ((3, 1, 5, 2), "oihw"),
    ):
        for placement in (Shard(0), Shard(1), Replicate()):
            for dtype in (torch.float32, torch.bfloat16):
                tensor = distribute_tensor(torch.empty(shape, dtype=dtype), mesh, [placement])
                check(tensor, HE, seed=5, name="layer.weight", layout=layout)
    if world > 3:  # shapes with fewer rows than ranks
        tensor = distribute_tensor(torch.empty(2, 9), mesh, [Shard(0)])
        check(tensor, get("normal(mean=1.0, std=0.1)"), seed=1)
    parameter = nn.Parameter(distribute_tensor(torch.empty(6, 5), mesh, [Shard(0)]))
    assert get("glorot_uniform").torch_(parameter, seed=1) is parameter
    assert equal(parameter.full_tensor(), get("glorot_uniform").torch((6, 5), seed=1))


def structured(rank: int, world: int) -> None:
    mesh = init_device_mesh("cpu", (world,))
    zeros = distribute_tensor(torch.ones(5, 3), mesh, [Shard(0)])
    assert not get("zeros").torch_(zeros).full_tensor().any()
    for spec in ("sparse(sparsity=0.4, std=1.0)", "orthogonal", "identity"):
        tensor = distribute_tensor(torch.empty(7, 5), mesh, [Shard(1)])
        found = get(spec).torch_(tensor, seed=3).full_tensor()
        assert torch.allclose(found, get(spec).torch((7, 5), seed=3), atol=1e-6)


def seeds(rank: int, world: int) -> None:
    """Without a seed all ranks take the first one's draw, and their generators stay in step."""
    mesh = init_device_mesh("cpu", (world,))
    for source in ({}, {"generator": torch.Generator().manual_seed(rank)}):
        torch.manual_seed(rank)
        tensors = [distribute_tensor(torch.empty(6, 4), mesh, [Shard(0)]) for _ in range(2)]
        for tensor in tensors:
            HE.torch_(tensor, **source)
        torch.manual_seed(0)
        first = {} if not source else {"generator": torch.Generator().manual_seed(0)}
        for tensor in tensors:
            assert equal(tensor.full_tensor(), HE.torch((6, 4), **first))


def refused(rank: int, world: int) -> None:
    mesh = init_device_mesh("cpu", (world,))
    tensor = DTensor.from_local(torch.full((4, 4), 7.0), mesh, [Partial()], run_check=False)
    with pytest.raises(SpecError, match="has no values of its own: redistribute"):
        HE.torch_(tensor, seed=1)
    assert (tensor.to_local() == 7).all()
    sharded = distribute_tensor(torch.full((4, 4), 7.0), mesh, [Shard(0)])
    with pytest.raises(SpecError, match='use stream="portable"'):
        HE.torch_(sharded, seed=1, stream="native")
    assert (sharded.to_local() == 7).all()
    torch._dynamo.reset()
    with pytest.raises(Exception, match=r"torch\.compile fills no DTensor"):
        torch.compile(lambda tensor: HE.torch_(tensor, seed=1), fullgraph=True)(sharded)
    assert (sharded.to_local() == 7).all()
    with FakeTensorMode():
        fake = distribute_tensor(torch.empty(4, 4), mesh, [Shard(0)])
        assert HE.torch_(fake).shape == (4, 4)
    sharded._is_hf_initialized = True  # type: ignore[attr-defined]
    assert (HE.torch_(sharded, seed=1).to_local() == 7).all()


class Model(nn.Module):
    """Two layers whose rows do not divide evenly."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(10, 7)
        self.second = nn.Linear(7, 6)


def fully_sharded(rank: int, world: int) -> None:
    """FSDP2 as its users write it: on the meta device, sharded, then given memory and values."""
    from torch.distributed.fsdp import fully_shard

    with torch.device("meta"):
        model = Model()
    for layer in (model.first, model.second, model):
        fully_shard(layer, mesh=init_device_mesh("cpu", (world,)))
    for parameter in model.parameters():
        HE.torch_(parameter, seed=1, layout="oi"[: parameter.ndim]) if parameter.ndim > 1 else None
        assert parameter.is_meta
    model.to_empty(device="cpu")
    for name, parameter in model.named_parameters():
        assert isinstance(parameter, DTensor)
        scheme = HE if parameter.ndim > 1 else get("normal(mean=0.5, std=0.1)")
        check(parameter, scheme, seed=9, name=name)
    deviation = float(model.first.weight.full_tensor().detach().std())  # of the whole shape's fans
    assert deviation == pytest.approx(math.sqrt(2 / 10), rel=0.3)


def two_dimensions(rank: int, world: int) -> None:
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("dp", "tp"))
    for placed in (
        [Shard(0), Shard(1)],
        [Shard(1), Shard(0)],
        [Shard(0), Shard(0)],
        [Replicate(), Shard(0)],
        [Shard(1), Replicate()],
        [_StridedShard(0, split_factor=2), Shard(0)],
        [_StridedShard(1, split_factor=2), Shard(1)],
        [_StridedShard(0, split_factor=3), Replicate()],
        [Shard(0), _StridedShard(0, split_factor=2)],
    ):
        for shape in ((24, 8), (48, 20)):
            check(distribute_tensor(torch.empty(shape), mesh, placed), HE, seed=2, name="w")
        if not any(isinstance(one, _StridedShard) for one in placed):
            check(distribute_tensor(torch.empty(7, 5), mesh, placed), HE, seed=2, layout="io")
    torch.manual_seed(rank)
    tensor = HE.torch_(distribute_tensor(torch.empty(6, 4), mesh, [Shard(0), Shard(1)]))
    torch.manual_seed(0)
    assert equal(tensor.full_tensor(), HE.torch((6, 4)))


def windows_are_where_pytorch_puts_them(rank: int, world: int) -> None:
    """Of every size, also where strided shards are uneven."""
    from initspec.backends.torch.dtensor import windows

    mesh = init_device_mesh("cpu", (2, 2))
    for placed in (
        [Shard(0), Shard(0)],
        [_StridedShard(0, split_factor=2), Shard(0)],
        [_StridedShard(0, split_factor=3), Replicate()],
        [Shard(0), _StridedShard(0, split_factor=2)],
        [_StridedShard(0, split_factor=2), _StridedShard(0, split_factor=3)],
    ):
        for size in range(1, 26):
            whole = torch.arange(2 * size).view(size, 2)
            tensor = distribute_tensor(whole, mesh, placed, src_data_rank=None)
            for part, here in windows(tensor):
                assert torch.equal(whole[part], tensor.to_local()[here]), (placed, size)
            held = sum(tensor.to_local()[here].numel() for _, here in windows(tensor))
            assert held == tensor.to_local().numel()


def tensor_parallel(rank: int, world: int) -> None:
    """FSDP2 over tensor parallel layers, whose shards are strided."""
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor.parallel import (
        ColwiseParallel,
        RowwiseParallel,
        parallelize_module,
    )

    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("dp", "tp"))
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 8))
    parallelize_module(model, mesh["tp"], {"0": ColwiseParallel(), "1": RowwiseParallel()})
    fully_shard(model, mesh=mesh["dp"])
    model.to_empty(device="cpu")
    assert any(isinstance(one, _StridedShard) for one in model[0].weight.placements)
    for name, parameter in model.named_parameters():
        scheme = HE if parameter.ndim > 1 else get("normal(std=0.1)")
        check(parameter, scheme, seed=9, name=name)


def one_subgroup(rank: int, world: int) -> None:
    """A mesh of half of the ranks; the others hold nothing and take no harm."""
    from torch.distributed.device_mesh import DeviceMesh

    mesh = DeviceMesh("cpu", [0, 1])
    tensor = distribute_tensor(torch.empty(5, 4), mesh, [Shard(0)])
    HE.torch_(tensor, seed=1)
    HE.torch_(tensor)
    if rank < 2:
        check(tensor, HE, seed=1)
    else:
        assert tensor.to_local().numel() == 0


@pytest.mark.slow
def test_two_ranks() -> None:
    spawn(2, placements, structured, seeds, refused, fully_sharded)


@pytest.mark.slow
def test_four_ranks() -> None:
    spawn(
        4, placements, structured, seeds, fully_sharded, two_dimensions,
        windows_are_where_pytorch_puts_them, tensor_parallel, one_subgroup,
    )  # fmt: skip


def test_the_runs_of_every_rank_cover_the_tensor_once() -> None:
    from initspec.backends.torch.dtensor import runs

    for size in (0, 1, 5, 8, 13, 24):
        for placed in (
            (Shard(0), Shard(0)),
            (Shard(0), Replicate()),
            (_StridedShard(0, split_factor=3), Shard(0)),
            (Shard(0), _StridedShard(0, split_factor=2)),
        ):
            seen: list[int] = []
            for one in range(2):
                for two in range(3):
                    if isinstance(placed[1], Replicate) and two:
                        continue
                    (axis,) = runs((size,), (2, 3), (one, two), placed)
                    seen += [place for start, stop in axis for place in range(start, stop)]
                    assert all(stop < start for (_, stop), (start, _) in pairwise(axis))
            assert sorted(seen) == list(range(size))
