"""Plans on FSDP2 and tensor parallel models: each rank draws what it holds, gathered it is whole."""

import pytest

torch = pytest.importorskip("torch", reason="the PyTorch backend needs torch")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch was built without torch.distributed", allow_module_level=True)

from ranks import spawn
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, init_device_mesh
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)

import initspec

PLAN = initspec.plan(
    {
        "plan": "p",
        "rule": [
            {"match": "embed.weight", "law": "normal(std=0.02)"},
            {"match": "layers.{layer}.{q,k,v}.weight", "law": "he_normal", "layout": "oi"},
            {"match": "layers.{layer}.{up,down}.weight", "law": "glorot_uniform"},
            {"ndim": 1, "law": "constant(value=0.25)"},
        ],
        "tie": [{"same": ["embed.weight", "head.weight"]}],
        "name": [
            {
                "here": "layers.{layer}.qkv.weight",
                "axis": 0,
                "to": [f"layers.{{layer}}.{part}.weight" for part in "qkv"],
            }
        ],
    }
)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(10, 30, bias=False)
        self.up, self.down = nn.Linear(10, 21), nn.Linear(21, 10)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(17, 10)
        self.layers = nn.ModuleList(Layer() for _ in range(2))
        self.head = nn.Linear(10, 17, bias=False)
        self.head.weight = self.embed.weight


def whole() -> dict[str, torch.Tensor]:
    model = Model()
    PLAN.fill(model, seed=11)
    return dict(model.named_parameters())


def check(model: nn.Module) -> None:
    """Every parameter is a shard of what one process draws."""
    wanted = whole()
    held = dict(model.named_parameters())
    assert held.keys() == wanted.keys()
    for name, parameter in held.items():
        value = parameter.full_tensor() if isinstance(parameter, DTensor) else parameter
        assert torch.equal(value, wanted[name]), name


def fsdp(rank: int, world: int) -> None:
    mesh = init_device_mesh("cpu", (world,))
    for device in ("cpu", "meta"):
        with torch.device(device):
            model = Model()
        for layer in model.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        ledger = PLAN.fill(model, seed=11, device="cpu")
        assert ledger["layers.1.q.weight"].fans == (10, 10)  # of the whole tensor
        assert model.head.weight is model.embed.weight
        local = model.layers[0].up.weight.to_local()
        assert local.shape[0] <= 6
        check(model)


def tensor_parallel(rank: int, world: int) -> None:
    mesh = init_device_mesh("cpu", (2, world // 2), mesh_dim_names=("data", "model"))
    model = Model()
    for layer in model.layers:
        parallelize_module(
            layer, mesh["model"], {"up": ColwiseParallel(), "down": RowwiseParallel()}
        )
        fully_shard(layer, mesh=mesh["data"])
    PLAN.fill(model, seed=11)
    check(model)


def test_gathered_equals_unsharded() -> None:
    spawn(4, fsdp, tensor_parallel)
