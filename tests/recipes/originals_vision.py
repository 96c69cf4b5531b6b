"""Vision models of timm and torchvision, small where they can be made so."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from recipes.original import Original, without_torchvision_operators
from recipes.source import pieces

VIT = {
    "img_size": 32,
    "patch_size": 8,
    "embed_dim": 96,
    "depth": 2,
    "num_heads": 4,
    "num_classes": 20,
}
SWIN = {
    "img_size": 64,
    "window_size": 4,
    "embed_dim": 32,
    "depths": (2, 2),
    "num_heads": (2, 4),
    "num_classes": 20,
}
CONVNEXT = {"depths": (1, 1, 2, 1), "dims": (16, 32, 64, 96), "num_classes": 20}
MIXER = {"img_size": 32, "patch_size": 8, "num_blocks": 2, "embed_dim": 64, "num_classes": 20}
DENSENET = {
    "growth_rate": 16,
    "block_config": (2, 2, 2, 2),
    "num_init_features": 32,
    "num_classes": 20,
}
TORCHVISION_VIT = {
    "image_size": 32,
    "patch_size": 8,
    "num_layers": 2,
    "num_heads": 4,
    "hidden_dim": 96,
    "mlp_dim": 192,
    "num_classes": 20,
}


def timm(name: str, **options: Any) -> Callable[[], Any]:
    """A class of timm's models with these options, or a model by its name."""

    def build() -> Any:
        without_torchvision_operators()
        import timm

        if hasattr(timm.models, name):
            cls = getattr(timm.models, name)
            if isinstance(cls, type):
                return cls(**options)
        return timm.create_model(name, **options)

    return build


def deit() -> Any:
    """timm's DeiT, whose class is not among timm's models by name."""
    without_torchvision_operators()
    from timm.models.deit import VisionTransformerDistilled

    return VisionTransformerDistilled(**VIT)


def torchvision(name: str, **options: Any) -> Callable[[], Any]:
    """A model of torchvision."""

    def build() -> Any:
        without_torchvision_operators()
        import torchvision

        return getattr(torchvision.models, name)(**options)

    return build


def goyal(name: str) -> Callable[[], Any]:
    """pycls' init_weights, on torchvision's model; pycls marks the last norm of a branch."""

    def build() -> Any:
        import numpy
        from torch import nn

        settings = SimpleNamespace(BN=SimpleNamespace(ZERO_INIT_FINAL_GAMMA=True))
        head = {"np": numpy, "nn": nn, "cfg": settings}
        code = pieces("facebookresearch/pycls", "pycls/models/blocks.py", ("init_weights",), **head)
        model = torchvision(name, num_classes=20)()
        for block in model.modules():
            if hasattr(block, "conv1") and hasattr(block, "downsample"):
                (block.bn3 if hasattr(block, "bn3") else block.bn2).final_bn = True
        return model.apply(code.init_weights)

    return build


def original(
    recipe: str, package: str, build: Callable[[], Any], config: dict[str, Any], **more: Any
) -> Original:
    return Original(recipe=recipe, package=package, build=build, config=config, **more)


CLASSES = {"num_classes": 20}

ORIGINALS = [
    original(
        "timm/vit",
        "timm",
        deit,
        VIT,
        others={
            "ViT": timm("VisionTransformer", **VIT, reg_tokens=2),
            "ViT, pooled": timm("VisionTransformer", **VIT, global_pool="avg", qk_norm=True),
        },
    ),
    original(
        "timm/vit-jax",
        "timm",
        timm("VisionTransformer", **VIT, weight_init="jax"),
        {**VIT, "weight_init": "jax"},
    ),
    original(
        "timm/vit-moco",
        "timm",
        timm("VisionTransformer", **VIT, weight_init="moco"),
        {**VIT, "weight_init": "moco"},
    ),
    original("timm/swin", "timm", timm("SwinTransformer", **SWIN), SWIN),
    original(
        "timm/convnext",
        "timm",
        timm("ConvNeXt", **CONVNEXT, head_init_scale=0.5),
        {**CONVNEXT, "head_init_scale": 0.5},
        symbols={"head_init_scale": 0.5},
    ),
    original("timm/mixer", "timm", timm("MlpMixer", **MIXER), MIXER),
    original(
        "timm/resnet",
        "timm",
        timm("resnet26", **CLASSES),
        {"model": "resnet26", **CLASSES},
        others={"ResNeXt-50": timm("resnext50_32x4d", **CLASSES)},
    ),
    original(
        "timm/efficientnet",
        "timm",
        timm("efficientnet_b0", **CLASSES),
        {"model": "efficientnet_b0", **CLASSES},
        others={"MobileNet V3": timm("mobilenetv3_small_100", **CLASSES)},
    ),
    original(
        "torchvision/resnet",
        "torchvision",
        torchvision("resnet18", **CLASSES),
        {"model": "resnet18", **CLASSES},
        others={"ResNeXt-50": torchvision("resnext50_32x4d", **CLASSES)},
    ),
    original(
        "goyal/resnet",
        "facebookresearch/pycls",
        goyal("resnet50"),
        {"model": "resnet50", **CLASSES},
        part="init_weights, on torchvision's model",
    ),
    original(
        "goyal/resnet-basic",
        "facebookresearch/pycls",
        goyal("resnet18"),
        {"model": "resnet18", **CLASSES},
        part="init_weights, on torchvision's model",
    ),
    original(
        "torchvision/vgg",
        "torchvision",
        torchvision("vgg11_bn", **CLASSES),
        {"model": "vgg11_bn", **CLASSES},
    ),
    original("torchvision/densenet", "torchvision", torchvision("DenseNet", **DENSENET), DENSENET),
    original(
        "torchvision/mobilenet",
        "torchvision",
        torchvision("mobilenet_v2", **CLASSES),
        {"model": "mobilenet_v2", **CLASSES},
        others={"V3": torchvision("mobilenet_v3_small", **CLASSES)},
    ),
    original(
        "torchvision/efficientnet",
        "torchvision",
        torchvision("efficientnet_b0", **CLASSES),
        {"model": "efficientnet_b0", **CLASSES},
    ),
    original(
        "torchvision/vit",
        "torchvision",
        torchvision("VisionTransformer", **TORCHVISION_VIT),
        TORCHVISION_VIT,
    ),
]
