"""Diffusion models and adversarial networks."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from recipes.original import Original, without_torchvision_operators
from recipes.source import alone, pieces

DIT = {"input_size": 8, "hidden_size": 96, "depth": 2, "num_heads": 4, "num_classes": 30}
UNET = {
    "sample_size": 16,
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}
CONDITIONED = {
    **UNET,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": 40,
    "attention_head_dim": 8,
}
GUIDED = {
    "image_size": 16,
    "in_channels": 3,
    "model_channels": 32,
    "out_channels": 6,
    "num_res_blocks": 1,
    "attention_resolutions": (2,),
    "channel_mult": (1, 2),
    "num_classes": 30,
    "num_heads": 2,
    "use_scale_shift_norm": True,
    "resblock_updown": True,
}
DDPM = {
    "ch": 32,
    "out_ch": 3,
    "ch_mult": (1, 2),
    "num_res_blocks": 1,
    "attn_resolutions": (8,),
    "num_classes": 1,
    "dropout": 0.1,
}
GAN = {"nz": 20, "ngf": 16, "ndf": 16, "nc": 3}
BIGGAN = {"resolution": 32, "n_classes": 20, "no_optim": True}
STYLE = {"size": 16, "style_dim": 64, "n_mlp": 3}


def dit() -> Any:
    """facebookresearch/DiT, models.py."""
    without_torchvision_operators()
    with alone("facebookresearch/DiT"):
        from models import DiT

        return DiT(**DIT)


def diffusers(name: str, **options: Any) -> Callable[[], Any]:
    """A model of diffusers."""

    def build() -> Any:
        without_torchvision_operators()
        import diffusers

        return getattr(diffusers, name)(**options)

    return build


def guided() -> Any:
    """openai/guided-diffusion, guided_diffusion/unet.py."""
    with alone("openai/guided-diffusion"):
        from guided_diffusion.unet import UNetModel

        return UNetModel(**GUIDED)


def ddpm() -> Any:
    """hojonathanho/diffusion, diffusion_tf/models/unet.py, on TensorFlow's first version.

    Its second has no ``tf.contrib``, of which the model takes the group norm: gamma starts at one
    there and beta at zero, as here.
    """
    import tensorflow

    tf = tensorflow.compat.v1

    def group_norm(x: Any, scope: str) -> Any:
        with tf.variable_scope(scope):
            shape = [int(x.shape[-1])]
            beta = tf.get_variable("beta", shape, initializer=tf.zeros_initializer())
            gamma = tf.get_variable("gamma", shape, initializer=tf.ones_initializer())
        return x * gamma + beta

    contrib = {"layers": SimpleNamespace(group_norm=group_norm)}
    with (
        alone("hojonathanho/diffusion", tensorflow__contrib=contrib),
        tf.Graph().as_default(),
        tf.Session() as session,
    ):
        from diffusion_tf.models import unet

        tf.set_random_seed(0)
        times = tf.zeros((2,), tf.int32)
        unet.model(tf.zeros((2, 16, 16, 3)), t=times, y=None, name="model", **DDPM)
        session.run(tf.global_variables_initializer())
        names = [one.name.removesuffix(":0") for one in tf.global_variables()]
        return dict(zip(names, session.run(tf.global_variables()), strict=True))


def dcgan(name: str) -> Callable[[], Any]:
    """pytorch/examples, dcgan/main.py, a script."""

    def build() -> Any:
        import torch

        wanted = ("weights_init", name)
        head = {"torch": torch, "nn": torch.nn, **GAN}
        code = pieces("pytorch/examples", "dcgan/main.py", wanted, **head)
        return getattr(code, name)(1).apply(code.weights_init)

    return build


def biggan(name: str, **options: Any) -> Callable[[], Any]:
    """ajbrock/BigGAN-PyTorch, BigGAN.py."""

    def build() -> Any:
        with alone("ajbrock/BigGAN-PyTorch"):
            import BigGAN

            return getattr(BigGAN, name)(**options)

    return build


def stylegan(name: str, **options: Any) -> Callable[[], Any]:
    """rosinality/stylegan2-pytorch, model.py; its two CUDA operators are not built."""

    def build() -> Any:
        from torch.utils import cpp_extension

        held = cpp_extension.load
        cpp_extension.load = lambda *args, **options: None
        try:
            with alone("rosinality/stylegan2-pytorch"):
                import model

                return getattr(model, name)(**options)
        finally:
            cpp_extension.load = held

    return build


ORIGINALS = [
    Original(recipe="meta/dit", package="facebookresearch/DiT", build=dit, config=DIT),
    Original(
        recipe="diffusers/dit",
        package="diffusers",
        build=diffusers(
            "DiTTransformer2DModel",
            num_attention_heads=4,
            attention_head_dim=24,
            num_layers=2,
            sample_size=8,
            num_embeds_ada_norm=30,
        ),
        config={"num_attention_heads": 4, "attention_head_dim": 24, "num_layers": 2},
    ),
    Original(
        recipe="diffusers/unet",
        package="diffusers",
        build=diffusers("UNet2DModel", **UNET),
        config=UNET,
        others={"UNet2DConditionModel": diffusers("UNet2DConditionModel", **CONDITIONED)},
    ),
    Original(
        recipe="openai/guided-diffusion",
        package="openai/guided-diffusion",
        build=guided,
        config=GUIDED,
    ),
    Original(recipe="ddpm", package="hojonathanho/diffusion", build=ddpm, config=DDPM),
    Original(
        recipe="dcgan",
        package="pytorch/examples",
        build=dcgan("Generator"),
        config=GAN,
        others={"Discriminator": dcgan("Discriminator")},
    ),
    Original(
        recipe="biggan",
        package="ajbrock/BigGAN-PyTorch",
        build=biggan("Generator", **BIGGAN, G_ch=8, dim_z=64, G_attn="16", shared_dim=32),
        config={**BIGGAN, "G_ch": 8, "dim_z": 64, "G_attn": "16", "shared_dim": 32},
        others={"Discriminator": biggan("Discriminator", **BIGGAN, D_ch=8, D_attn="16")},
    ),
    Original(
        recipe="stylegan2",
        package="rosinality/stylegan2-pytorch",
        build=stylegan("Generator", **STYLE),
        config=STYLE,
        others={"Discriminator": stylegan("Discriminator", size=16)},
    ),
]
