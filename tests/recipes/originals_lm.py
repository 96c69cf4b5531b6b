"""Language models of other code bases than Hugging Face's."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from recipes.original import Original, module_of, on_path, stand_ins

SMALL = {"d_model": 96, "n_layers": 3, "n_heads": 4, "vocab_size": 320}
TITAN = {"dim": 96, "n_layers": 3, "n_heads": 4, "hidden_dim": 160, "vocab_size": 320}
LITGPT = {"n_layer": 3, "n_embd": 96, "n_head": 4, "intermediate_size": 160, "vocab_size": 320}
MEGATRON = {"num_layers": 3, "hidden_size": 96, "num_attention_heads": 4}
MUP = {"n_layer": 3, "n_embd": 96, "n_head": 4, "mup_width_multiplier": 3.0}
NEOX = {
    "hidden_size": 96,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": 320,
}


def olmo(init_fn: str) -> Callable[[], Any]:
    """allenai/OLMo, olmo/model.py."""

    def build() -> Any:
        absent = ("datasets", "cached_path", "google", "boto3", "botocore", "rich")
        with on_path("allenai/OLMo"), stand_ins(*absent, "importlib_resources"):
            from olmo.config import ModelConfig
            from olmo.model import OLMo

        config = ModelConfig(
            **SMALL,
            embedding_size=320,
            max_sequence_length=64,
            init_fn=init_fn,
            weight_tying=False,
            rope=True,
        )
        return OLMo(config)

    return build


def titan() -> Any:
    """pytorch/torchtitan, the parts of its models/llama3."""
    import torch
    import torch._dynamo
    import torch._functorch.partitioners
    import torch._inductor.pattern_matcher
    import torch.utils.flop_counter

    with on_path("pytorch/torchtitan"), stand_ins("spmd_types", "triton", "torchdata", "torchao"):
        from torchtitan.models import llama3
        from torchtitan.models.common import ComplexRoPE, Embedding, Linear, RMSNorm

        dim, vocab = TITAN["dim"], TITAN["vocab_size"]
        rope = ComplexRoPE.Config(dim=24, max_context_length=64, theta=500000, scaling="llama")
        config = llama3.Llama3Model.Config(
            dim=dim,
            vocab_size=vocab,
            tok_embeddings=Embedding.Config(
                num_embeddings=vocab, embedding_dim=dim, param_init=llama3._EMBEDDING_INIT
            ),
            norm=RMSNorm.Config(normalized_shape=dim, param_init=llama3._NORM_INIT),
            lm_head=Linear.Config(
                in_features=dim, out_features=vocab, param_init=llama3._output_linear_init(dim)
            ),
            layers=llama3._build_llama3_layers(
                fuse_qkv=False,
                n_layers=TITAN["n_layers"],
                dim=dim,
                n_heads=TITAN["n_heads"],
                hidden_dim=TITAN["hidden_dim"],
                rope=rope,
                attn_backend="flex",
            ),
        )
        model = config.build()
        with torch.no_grad():
            model.init_states()
    return model


def litgpt() -> Any:
    """litgpt, litgpt/pretrain.py."""
    from litgpt import GPT, Config
    from litgpt.pretrain import initialize_weights

    config = Config(
        **LITGPT,
        block_size=64,
        padded_vocab_size=320,
        norm_class_name="RMSNorm",
        mlp_class_name="LLaMAMLP",
        bias=False,
        parallel_residual=False,
        rotary_percentage=1.0,
    )
    model = GPT(config)
    fabric = SimpleNamespace(strategy=None)
    initialize_weights(fabric, model, n_layer=config.n_layer, n_embd=config.n_embd)
    return model


def megatron() -> Any:
    """megatron-core, on one process."""
    import torch.distributed

    if not torch.distributed.is_initialized():
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29611"}
        torch.distributed.init_process_group("gloo", rank=0, world_size=1)
    from megatron.core import parallel_state

    if not parallel_state.is_initialized():
        parallel_state.initialize_model_parallel()
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.models.gpt.gpt_model import GPTModel
    from megatron.core.transformer.transformer_config import TransformerConfig

    config = TransformerConfig(**MEGATRON, use_cpu_initialization=True)
    spec = get_gpt_layer_local_spec()
    return GPTModel(config, spec, vocab_size=320, max_sequence_length=128)


def neox() -> Any:
    """EleutherAI/gpt-neox's initializers, on Hugging Face's module."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    functions = module_of("EleutherAI/gpt-neox", "init_functions", "megatron/model")
    model = GPTNeoXForCausalLM(GPTNeoXConfig(**NEOX))
    small = functions.small_init_init_method(96)
    wang = functions.wang_init_method(3, 96)
    with torch.no_grad():
        for name, one in model.named_parameters():
            if one.ndim == 2:
                (wang if name.endswith((".dense.weight", "4h_to_h.weight")) else small)(one)
    return model


def mup() -> Any:
    """EleutherAI/nanoGPT-mup, model.py."""
    model = module_of("EleutherAI/nanoGPT-mup", "model")
    return model.GPT(model.GPTConfig(**MUP, block_size=128, vocab_size=500, mup_enabled=True))


ORIGINALS = [
    *(
        Original(recipe=f"olmo/{name}", package="allenai/OLMo", config=SMALL, build=olmo(init_fn))
        for name, init_fn in (
            ("normal", "normal"),
            ("mitchell", "mitchell"),
            ("megatron", "full_megatron"),
        )
    ),
    Original(recipe="titan/llama3", package="pytorch/torchtitan", config=TITAN, build=titan),
    Original(
        recipe="litgpt/llama",
        package="litgpt",
        config=LITGPT,
        build=litgpt,
        symbols={"n_embd": 96},
    ),
    Original(recipe="megatron/gpt", package="megatron-core", config=MEGATRON, build=megatron),
    Original(
        recipe="neox/20b",
        package="EleutherAI/gpt-neox",
        config=NEOX,
        build=neox,
        symbols={"hidden_size": 96},
        part="the initializers; which parameter gets which was read",
    ),
    Original(
        recipe="mup/gpt2",
        package="EleutherAI/nanoGPT-mup",
        config=MUP,
        build=mup,
        symbols={"mup_width_multiplier": 3},
    ),
]
