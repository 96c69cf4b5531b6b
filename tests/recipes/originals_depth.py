"""Schemes that make deep models trainable."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recipes.original import Original, module_of, on_path, stand_ins

STACK = {"encoder_layers": 3, "decoder_layers": 2}
SIZES = {"embed_dim": 64, "ffn_embed_dim": 96, "attention_heads": 4}
RESNET = {"blocks": [2, 2, 2]}
BOTTLENECK = {"blocks": [1, 2, 1, 1]}


@contextmanager
def old_numpy() -> Iterator[None]:
    """NumPy's names for Python's types, which it has no more."""
    import numpy as np

    names = {"float": float, "int": int, "bool": bool, "object": object}
    held = {name: np.__dict__[name] for name in names if name in np.__dict__}
    for name, kind in names.items():
        setattr(np, name, kind)
    try:
        yield
    finally:
        for name in names:
            if name in held:
                setattr(np, name, held[name])
            else:
                delattr(np, name)


def fairseq(repository: str, folder: str, architecture: str, **options: Any) -> Any:
    """A Transformer of a repository that has fairseq inside."""
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "fairseq"]:
        del sys.modules[name]
    with on_path(repository, folder), old_numpy(), stand_ins("sacrebleu", "hydra"):
        from fairseq.data import Dictionary
        from fairseq.models import transformer

        words = Dictionary()
        for at in range(300):
            words.add_symbol(f"word{at}")
        args = Namespace(
            **{f"{side}_{key}": n for side in ("encoder", "decoder") for key, n in SIZES.items()},
            **STACK,
            share_all_embeddings=True,
            max_source_positions=64,
            max_target_positions=64,
            encoder_layers_to_keep=None,
            encoder_layerdrop=0,
            decoder_layerdrop=0,
            decoder_layers_to_keep=None,
            **options,
        )
        getattr(transformer, architecture)(args)
        task = Namespace(source_dictionary=words, target_dictionary=words)
        return transformer.TransformerModel.build_model(args, task)


def t_fixup() -> Any:
    """layer6ai-labs/T-Fixup, which has fairseq inside."""
    return fairseq(
        "layer6ai-labs/T-Fixup", "", "base_architecture", Tfixup=True, dont_use_layernorm=True
    )


def clinic() -> Any:
    """LiyuanLucasLiu/Transformer-Clinic, which has fairseq inside: the layers of the stacks."""
    import torch

    model = fairseq(
        "LiyuanLucasLiu/Transformer-Clinic",
        "fairseq",
        "base_architecture",
        init_type="deepnet",
        fp16=False,
        plot_stability=False,
        plot_variance=False,
        plot_gradient=False,
    )
    sides = {"encoder": model.encoder, "decoder": model.decoder}
    return torch.nn.ModuleDict(
        {name: torch.nn.ModuleDict({"layers": side.layers}) for name, side in sides.items()}
    )


def torchscale() -> Any:
    """microsoft/torchscale, an encoder with DeepNorm."""
    with on_path("microsoft/torchscale"), stand_ins("fairscale"):
        from torchscale.architecture.config import EncoderConfig
        from torchscale.architecture.encoder import Encoder

        sizes = {f"encoder_{key}": n for key, n in SIZES.items()}
        config = EncoderConfig(**sizes, encoder_layers=3, deepnorm=True, no_output_layer=True)
        return Encoder(config, embed_tokens=None)


def torchscale_pair() -> Any:
    """microsoft/torchscale, encoder and decoder with DeepNorm."""
    with on_path("microsoft/torchscale"), stand_ins("fairscale"):
        from torchscale.architecture.config import EncoderDecoderConfig
        from torchscale.architecture.encoder_decoder import EncoderDecoder

        sides = ("encoder", "decoder")
        sizes = {f"{side}_{key}": n for side in sides for key, n in SIZES.items()}
        config = EncoderDecoderConfig(**sizes, **STACK, deepnorm=True, no_output_layer=True)
        return EncoderDecoder(config)


def rezero() -> Any:
    """majumderb/rezero: layers of their own, since TransformerEncoder copies one."""
    import torch

    layer = module_of("majumderb/rezero", "rztx", "rezero/transformer").RZTXEncoderLayer
    return torch.nn.ModuleList([layer(64, 4, 96) for _ in range(3)])


def cifar() -> Any:
    """hongyi-zhang/Fixup, cifar."""
    model = module_of("hongyi-zhang/Fixup", "fixup_resnet_cifar", "cifar/models")
    return model.FixupResNet(model.FixupBasicBlock, RESNET["blocks"])


def imagenet() -> Any:
    """hongyi-zhang/Fixup, imagenet."""
    model = module_of("hongyi-zhang/Fixup", "fixup_resnet_imagenet", "imagenet/models")
    return model.FixupResNet(model.FixupBottleneck, BOTTLENECK["blocks"], num_classes=10)


FIXUP = {"package": "hongyi-zhang/Fixup"}
ORIGINALS = [
    Original(recipe="t-fixup", package="layer6ai-labs/T-Fixup", config=STACK, build=t_fixup),
    Original(
        recipe="deepnorm/transformer-clinic",
        package="LiyuanLucasLiu/Transformer-Clinic",
        config=STACK,
        build=clinic,
    ),
    Original(
        recipe="deepnorm/torchscale",
        package="microsoft/torchscale",
        config={"encoder_layers": 3},
        build=torchscale,
    ),
    Original(
        recipe="deepnorm/torchscale-encdec",
        package="microsoft/torchscale",
        config=STACK,
        build=torchscale_pair,
    ),
    Original(
        recipe="rezero/transformer",
        package="majumderb/rezero",
        config={"layers": 3},
        build=rezero,
    ),
    Original(recipe="fixup/cifar", **FIXUP, config=RESNET, build=cifar, symbols={"num_layers": 6}),
    Original(
        recipe="fixup/imagenet",
        **FIXUP,
        config=BOTTLENECK,
        build=imagenet,
        symbols={"num_layers": 5},
    ),
]
