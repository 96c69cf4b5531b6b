"""Vision Transformers of Google, Meta and Hugging Face, and CLIP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recipes.original import Original, module_of, without_torchvision_operators
from recipes.originals_vision import VIT
from recipes.source import alone

CLIP = {
    "embed_dim": 48,
    "image_resolution": 32,
    "vision_layers": 2,
    "vision_width": 64,
    "vision_patch_size": 8,
    "context_length": 20,
    "vocab_size": 300,
    "transformer_width": 96,
    "transformer_heads": 4,
    "transformer_layers": 3,
}
RESNET = {**CLIP, "vision_layers": (1, 1, 2, 1), "vision_width": 16, "vision_patch_size": None}
TOWER = {
    "hidden_size": 96,
    "intermediate_size": 200,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
}
VISION = {**TOWER, "image_size": 32, "patch_size": 8}
HF_CLIP = {
    "text_config": {**TOWER, "vocab_size": 300, "max_position_embeddings": 20},
    "vision_config": {**VISION, "num_hidden_layers": 2, "hidden_size": 64},
    "projection_dim": 48,
}


def clip(**options: Any) -> Callable[[], Any]:
    """openai/CLIP, clip/model.py."""

    def build() -> Any:
        return module_of("openai/CLIP", "model", "clip").CLIP(**options)

    return build


def open_clip() -> Any:
    """open_clip's CLIP of the same size."""
    without_torchvision_operators()
    from open_clip import model

    return model.CLIP(
        48,
        {"layers": 2, "width": 64, "head_width": 16, "patch_size": 8, "image_size": 32},
        {"context_length": 20, "vocab_size": 300, "width": 96, "heads": 4, "layers": 3},
    )


def hf(config: str, name: str, **options: Any) -> Callable[[], Any]:
    """A model of Transformers from its configuration."""

    def build() -> Any:
        without_torchvision_operators()
        import transformers

        return getattr(transformers, name)(getattr(transformers, config)(**options))

    return build


def google_vit() -> Any:
    """google-research/vision_transformer, vit_jax/models_vit.py, on Flax."""
    with alone("google-research/vision_transformer"):
        import jax
        from vit_jax.models_vit import VisionTransformer

        model = VisionTransformer(
            num_classes=20,
            patches=_Box(size=(8, 8)),
            transformer={"num_layers": 2, "mlp_dim": 192, "num_heads": 4, "dropout_rate": 0.0},
            hidden_size=96,
            representation_size=64,
        )
        images = jax.numpy.zeros((1, 32, 32, 3))
        params = model.init(jax.random.key(0), images, train=False)["params"]
    return jax.tree.map(lambda leaf: leaf, dict(params))


class _Box:
    """Fields, as of a configuration."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def mae() -> Any:
    """facebookresearch/mae, models_mae.py, on the timm that is here."""
    without_torchvision_operators()
    from functools import partial

    import timm.models.vision_transformer as vit

    class Block(vit.Block):
        """Without qk_scale, which timm's no longer has."""

        def __init__(self, *args: Any, qk_scale: None = None, **options: Any) -> None:
            super().__init__(*args, **options)

    held = vit.Block
    vit.Block = Block
    try:
        with alone("facebookresearch/mae"):
            import numpy as np
            from models_mae import MaskedAutoencoderViT

            np.float = float  # type: ignore[attr-defined]  # as NumPy was then
            from torch import nn

            return MaskedAutoencoderViT(
                img_size=32,
                patch_size=8,
                embed_dim=96,
                depth=2,
                num_heads=4,
                decoder_embed_dim=64,
                decoder_depth=2,
                decoder_num_heads=4,
                norm_layer=partial(nn.LayerNorm, eps=1e-6),
            )
    finally:
        vit.Block = held


ORIGINALS = [
    Original(
        recipe="openai/clip",
        package="openai/CLIP",
        build=clip(**CLIP),
        config=CLIP,
        others={"ResNet": clip(**RESNET), "open_clip": open_clip},
    ),
    Original(
        recipe="hf/clip",
        package="transformers",
        build=hf("CLIPConfig", "CLIPModel", **HF_CLIP),
        config=HF_CLIP,
    ),
    Original(
        recipe="hf/vit",
        package="transformers",
        build=hf("ViTConfig", "ViTForImageClassification", **VISION),
        config=VISION,
    ),
    Original(
        recipe="hf/deit",
        package="transformers",
        build=hf("DeiTConfig", "DeiTForImageClassificationWithTeacher", **VISION),
        config=VISION,
    ),
    Original(
        recipe="hf/siglip",
        package="transformers",
        build=hf("SiglipConfig", "SiglipModel", **HF_CLIP),
        config=HF_CLIP,
    ),
    Original(
        recipe="google/vit",
        package="google-research/vision_transformer",
        build=google_vit,
        config={"hidden_size": 96, "mlp_dim": 192, "num_layers": 2, "num_heads": 4},
    ),
    Original(recipe="meta/mae", package="facebookresearch/mae", build=mae, config=VIT),
]
