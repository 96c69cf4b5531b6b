"""PyTorch's layers, implicit functions, graphs, adapters, agents and recurrent networks."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from recipes.original import Original, module_of, without_torchvision_operators
from recipes.source import alone, pieces

SIREN = {"in_features": 2, "out_features": 3, "hidden_features": 64, "num_hidden_layers": 3}
GRAPH = {"in_channels": 48, "hidden_channels": 64, "num_layers": 3, "out_channels": 20}
LORA = {"r": 8, "target_modules": ["dense", "embed", "conv"]}
NERF = {"D": 8, "W": 128, "input_ch": 63, "input_ch_views": 27, "skips": [4]}


def layers() -> Any:
    """A layer of every kind that PyTorch draws."""
    from torch import nn

    return nn.ModuleDict(
        {
            "linear": nn.Linear(60, 80),
            "bilinear": nn.Bilinear(12, 10, 40),
            "conv1d": nn.Conv1d(16, 32, 5),
            "conv2d": nn.Conv2d(16, 32, 3, groups=4),
            "conv3d": nn.Conv3d(8, 16, 3),
            "transposed": nn.ConvTranspose2d(16, 24, 3),
            "embedding": nn.Embedding(90, 50),
            "lstm": nn.LSTM(30, 40, num_layers=2, bidirectional=True),
            "gru": nn.GRU(30, 40),
            "rnn": nn.RNN(60, 70),
            "attention": nn.MultiheadAttention(48, 4),
            "cross": nn.MultiheadAttention(48, 4, kdim=64, vdim=32, add_bias_kv=True),
            "batch_norm": nn.BatchNorm2d(16),
            "layer_norm": nn.LayerNorm(30),
            "group_norm": nn.GroupNorm(4, 16),
            "prelu": nn.PReLU(),
        }
    )


def siren() -> Any:
    """vsitzmann/siren, modules.py, with torch's modules for torchmeta's, which derive from them."""
    from torch import nn

    meta = {"MetaModule": nn.Module, "MetaSequential": nn.Sequential}
    stand_ins = {
        "torchmeta": {},
        "torchmeta__modules": meta,
        "torchmeta__modules__utils": {"get_subdict": None},
    }
    with alone("vsitzmann/siren", **stand_ins):
        from modules import SingleBVPNet

        return SingleBVPNet(type="sine", **SIREN)


def nerf() -> Any:
    """Written out from bmild/nerf, run_nerf_helpers.py, whose inputs Keras no longer takes."""
    import keras

    def dense(width: int, act: Any = "relu") -> Any:
        return keras.layers.Dense(width, activation=act)

    points, views = keras.Input((63,)), keras.Input((27,))
    outputs = points
    for i in range(8):
        outputs = dense(128)(outputs)
        if i in (4,):
            outputs = keras.layers.Concatenate()([points, outputs])
    alpha = dense(1, act=None)(outputs)
    bottleneck = dense(256, act=None)(outputs)
    outputs = keras.layers.Concatenate()([bottleneck, views])
    outputs = dense(3, act=None)(dense(64)(outputs))
    return keras.Model([points, views], keras.layers.Concatenate()([outputs, alpha]))


def keras_lstm() -> Any:
    """Keras' LSTM, one way and both ways."""
    import keras
    import numpy

    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one = keras.layers.LSTM(40, return_sequences=True)
            self.both = keras.layers.Bidirectional(keras.layers.LSTM(24))

        def call(self, x: Any) -> Any:
            return self.both(self.one(x))

    keras.utils.set_random_seed(0)
    model = Model()
    model(numpy.zeros((1, 5, 30), "float32"))
    return model


def functional_lstm() -> Any:
    """Keras' LSTM in a functional model, where its cell has another name."""
    import keras

    inputs = keras.Input((5, 30))
    return keras.Model(inputs, keras.layers.LSTM(40)(inputs))


def allennlp_lstm() -> Any:
    """AllenNLP's initializers by the table of esim.jsonnet, on PyTorch's LSTM."""
    import re

    import torch

    names = ("zero", "lstm_hidden_bias")
    code = pieces("allenai/allennlp", "allennlp/nn/initializers.py", names, torch=torch)
    table = {
        ".*weight_ih.*": torch.nn.init.xavier_uniform_,
        ".*weight_hh.*": torch.nn.init.orthogonal_,
        ".*bias_ih.*": code.zero,
        ".*bias_hh.*": code.lstm_hidden_bias,
    }
    model = torch.nn.ModuleDict({"encoder": torch.nn.LSTM(30, 40, 2, bidirectional=True)})
    for name, parameter in model.named_parameters():
        next(fill for pattern, fill in table.items() if re.search(pattern, name))(parameter)
    return model


def graph(name: str, **options: Any) -> Callable[[], Any]:
    """A basic graph network of PyTorch Geometric."""

    def build() -> Any:
        from torch_geometric.nn import models

        return getattr(models, name)(**GRAPH, **options)

    return build


def peft(**options: Any) -> Callable[[], Any]:
    """A small model with PEFT's adapters."""

    def build() -> Any:
        without_torchvision_operators()
        from peft import LoraConfig, get_peft_model
        from torch import nn

        class Model(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.embed = nn.Embedding(300, 96)
                self.dense = nn.Linear(96, 128)
                self.conv = nn.Conv2d(16, 32, 3)
                self.head = nn.Linear(128, 10)

        return get_peft_model(Model(), LoraConfig(**LORA, **options))

    return build


def loralib() -> Any:
    """microsoft/LoRA, loralib/layers.py."""
    from torch import nn

    lora = module_of("microsoft/LoRA", "layers", "loralib")
    return nn.ModuleDict(
        {
            "embed": lora.Embedding(300, 96, r=16),
            "dense": lora.Linear(300, 128, r=16),
            "qkv": lora.MergedLinear(128, 384, r=8, enable_lora=[True, False, True]),
            "conv": lora.Conv2d(16, 32, 3, r=4),
        }
    )


def agent(file: str, name: str = "Agent") -> Callable[[], Any]:
    """An agent of vwxyzjn/cleanrl, whose files are scripts."""

    def build() -> Any:
        import numpy
        import torch

        space = SimpleNamespace(shape=(60,), n=6)
        actions = SimpleNamespace(shape=(12,), n=12)
        envs = SimpleNamespace(single_observation_space=space, single_action_space=actions)
        head = {"np": numpy, "torch": torch, "nn": torch.nn}
        code = pieces("vwxyzjn/cleanrl", f"cleanrl/{file}.py", ("layer_init", name), **head)
        return getattr(code, name)(envs)

    return build


def original(recipe: str, package: str, build: Callable[[], Any], **more: Any) -> Original:
    return Original(recipe=recipe, package=package, build=build, **more)


PPO = ("ppo_continuous_action", "ppo_atari", "ppo_atari_lstm")

ORIGINALS = [
    original("torch/defaults", "torch", layers),
    original("siren", "vsitzmann/siren", siren, config=SIREN),
    original("nerf", "keras", nerf, config=NERF, part="its layers, written out for Keras 3"),
    original(
        "keras/lstm",
        "keras",
        keras_lstm,
        config={"units": 40},
        others={"functional": functional_lstm},
    ),
    original(
        "allennlp/lstm",
        "allenai/allennlp",
        allennlp_lstm,
        config={"hidden_size": 40},
        part="its initializers, on PyTorch's LSTM",
    ),
    original("pyg/gcn", "torch_geometric", graph("GCN"), config=GRAPH),
    original("pyg/gat", "torch_geometric", graph("GAT", heads=4), config={**GRAPH, "heads": 4}),
    original("pyg/graphsage", "torch_geometric", graph("GraphSAGE"), config=GRAPH),
    original("peft/lora", "peft", peft(), config=LORA, others={"rsLoRA": peft(use_rslora=True)}),
    original(
        "peft/lora-gaussian",
        "peft",
        peft(init_lora_weights="gaussian"),
        config={**LORA, "init_lora_weights": "gaussian"},
        symbols={"r": 8},
    ),
    original("microsoft/lora", "microsoft/LoRA", loralib, config={"r": 16}),
    original(
        "cleanrl/ppo",
        "vwxyzjn/cleanrl",
        agent("ppo"),
        config={"file": "ppo.py"},
        others={file: agent(file) for file in PPO},
    ),
    original(
        "cleanrl/dqn",
        "vwxyzjn/cleanrl",
        agent("dqn", "QNetwork"),
        config={"file": "dqn.py"},
        others={"dqn_atari": agent("dqn_atari", "QNetwork")},
    ),
]
