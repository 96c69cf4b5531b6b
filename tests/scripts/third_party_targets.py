"""Initializers of third parties that are no functions of a tensor, as targets of the survey.

``initspec check third_party_targets:c2_msra_fill --as ... --shape 38x8x5x7``, in this folder. What
fills a module gets a layer whose weight has the shape; timm imports torchvision, whose wheels need
CUDA, so that its one file of initializers is loaded alone.
"""

import importlib.util
from importlib.metadata import files
from typing import Any

import torch

Tensor = torch.Tensor


def _filled(fill: Any, tensor: Tensor) -> Tensor:
    """The tensor, filled as the weight of a layer."""
    out, into, *taps = tensor.shape
    kinds: dict[int, Any] = {0: torch.nn.Linear, 1: torch.nn.Conv1d, 2: torch.nn.Conv2d}
    layer = kinds[len(taps)](into, out, *([tuple(taps)] if taps else []))
    fill(layer)
    with torch.no_grad():
        return tensor.copy_(layer.weight)


def _timm(name: str) -> Any:
    (path,) = (file for file in files("timm") or () if str(file) == "timm/layers/weight_init.py")
    spec = importlib.util.spec_from_file_location("timm_weight_init", path.locate())
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def timm_trunc_normal_(tensor: Tensor) -> Tensor:
    """timm.layers.trunc_normal_ with std=0.02."""
    return _timm("trunc_normal_")(tensor, std=0.02)


def timm_trunc_normal_tf_(tensor: Tensor) -> Tensor:
    """timm.layers.trunc_normal_tf_ with std=0.02."""
    return _timm("trunc_normal_tf_")(tensor, std=0.02)


def timm_lecun_normal_(tensor: Tensor) -> Tensor:
    """timm.layers.lecun_normal_."""
    _timm("lecun_normal_")(tensor)
    return tensor


def timm_variance_scaling_(tensor: Tensor) -> Tensor:
    """timm.layers.variance_scaling_ as He's uniform law of fan_out."""
    _timm("variance_scaling_")(tensor, scale=2.0, mode="fan_out", distribution="uniform")
    return tensor


def c2_msra_fill(tensor: Tensor) -> Tensor:
    """fvcore.nn.weight_init.c2_msra_fill."""
    from fvcore.nn import weight_init

    return _filled(weight_init.c2_msra_fill, tensor)


def c2_xavier_fill(tensor: Tensor) -> Tensor:
    """fvcore.nn.weight_init.c2_xavier_fill."""
    from fvcore.nn import weight_init

    return _filled(weight_init.c2_xavier_fill, tensor)


def mm_kaiming(tensor: Tensor) -> Tensor:
    """mmengine.model.kaiming_init."""
    from mmengine.model import weight_init

    return _filled(weight_init.kaiming_init, tensor)


def mm_xavier(tensor: Tensor) -> Tensor:
    """mmengine.model.xavier_init."""
    from mmengine.model import weight_init

    return _filled(weight_init.xavier_init, tensor)


def mm_caffe2_xavier(tensor: Tensor) -> Tensor:
    """mmengine.model.caffe2_xavier_init."""
    from mmengine.model import weight_init

    return _filled(weight_init.caffe2_xavier_init, tensor)


def mm_trunc_normal(tensor: Tensor) -> Tensor:
    """mmengine.model.trunc_normal_init with std=0.02."""
    from mmengine.model import weight_init

    return _filled(lambda layer: weight_init.trunc_normal_init(layer, std=0.02), tensor)


def sb3_init_weights(tensor: Tensor) -> Tensor:
    """stable_baselines3's BasePolicy.init_weights."""
    from stable_baselines3.common.policies import BasePolicy

    return _filled(BasePolicy.init_weights, tensor)


def pyg_uniform(tensor: Tensor) -> Tensor:
    """torch_geometric.nn.inits.uniform with the size of the inputs."""
    from torch_geometric.nn import inits

    inits.uniform(tensor.shape[1], tensor)
    return tensor


def pyg_kaiming(tensor: Tensor) -> Tensor:
    """torch_geometric.nn.inits.kaiming_uniform with the fan of the inputs and a=0."""
    from torch_geometric.nn import inits

    inits.kaiming_uniform(tensor, fan=tensor.shape[1], a=0.0)
    return tensor
