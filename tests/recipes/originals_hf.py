"""Language and speech models of Hugging Face's Transformers, from small configurations; Whisper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recipes.original import Original, on_path, stand_ins

SMALL = {
    "hidden_size": 96,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "vocab_size": 320,
}
KV = {**SMALL, "num_key_value_heads": 2, "head_dim": 24}
EXPERTS = {**SMALL, "num_key_value_heads": 4, "num_local_experts": 4}
DEEPSEEK = {
    **SMALL,
    "num_key_value_heads": 4,
    "moe_intermediate_size": 48,
    "n_routed_experts": 4,
    "n_group": 2,
    "topk_group": 1,
    "num_experts_per_tok": 2,
    "first_k_dense_replace": 1,
    "q_lora_rank": 64,
    "kv_lora_rank": 64,
    "qk_rope_head_dim": 16,
    "v_head_dim": 24,
    "qk_nope_head_dim": 24,
}
T5 = {"d_model": 96, "d_kv": 20, "d_ff": 160, "num_layers": 2, "num_heads": 6, "vocab_size": 320}
WHISPER = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 96,
    "decoder_ffn_dim": 96,
    "vocab_size": 51865,
    "max_source_positions": 60,
    "max_target_positions": 200,
}
WAV2VEC2 = {
    **SMALL,
    "conv_dim": [64, 64, 64],
    "conv_kernel": [10, 3, 2],
    "conv_stride": [5, 2, 2],
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "codevector_dim": 64,
    "proj_codevector_dim": 64,
    "num_codevectors_per_group": 80,
}
OPENAI_WHISPER = {
    "n_mels": 20,
    "n_audio_ctx": 60,
    "n_audio_state": 64,
    "n_audio_head": 4,
    "n_audio_layer": 2,
    "n_vocab": 320,
    "n_text_ctx": 50,
    "n_text_state": 64,
    "n_text_head": 4,
    "n_text_layer": 2,
}


def model(config: str, name: str, **options: Any) -> Callable[[], Any]:
    """What makes a model of Transformers from its configuration, and draws it."""

    def build() -> Any:
        import transformers

        return getattr(transformers, name)(getattr(transformers, config)(**options))

    return build


def whisper() -> Any:
    """openai/whisper, whisper/model.py."""
    with on_path("openai/whisper"), stand_ins("tiktoken", "numba", "more_itertools", "tqdm"):
        from whisper.model import ModelDimensions, Whisper

    return Whisper(ModelDimensions(**OPENAI_WHISPER))


def original(recipe: str, config: str, name: str, options: dict[str, Any], **more: Any) -> Original:
    build = model(config, name, **options)
    return Original(recipe=recipe, package="transformers", config=options, build=build, **more)


ORIGINALS = [
    original(
        "hf/llama",
        "LlamaConfig",
        "LlamaForCausalLM",
        KV,
        others={
            "Mistral": model("MistralConfig", "MistralForCausalLM", **KV),
            "Qwen2": model("Qwen2Config", "Qwen2ForCausalLM", **KV),
            "Qwen3": model("Qwen3Config", "Qwen3ForCausalLM", **KV),
            "OLMo2": model("Olmo2Config", "Olmo2ForCausalLM", **KV, pad_token_id=None),
            "Granite": model("GraniteConfig", "GraniteForCausalLM", **KV),
            "LLaMA, tied": model("LlamaConfig", "LlamaForCausalLM", **KV, tie_word_embeddings=True),
        },
    ),
    original("hf/gemma", "GemmaConfig", "GemmaForCausalLM", KV),
    original("hf/phi", "PhiConfig", "PhiForCausalLM", SMALL),
    original("hf/gpt-neox", "GPTNeoXConfig", "GPTNeoXForCausalLM", SMALL),
    original("hf/mixtral", "MixtralConfig", "MixtralForCausalLM", EXPERTS),
    original("hf/deepseek-v3", "DeepseekV3Config", "DeepseekV3ForCausalLM", DEEPSEEK),
    original(
        "hf/bert",
        "BertConfig",
        "BertForPreTraining",
        SMALL,
        others={"BertForMaskedLM": model("BertConfig", "BertForMaskedLM", **SMALL)},
    ),
    original("hf/roberta", "RobertaConfig", "RobertaForMaskedLM", SMALL),
    original(
        "hf/t5",
        "T5Config",
        "T5ForConditionalGeneration",
        T5,
        symbols={"d_model": 96, "d_kv": 20},
        others={
            "T5 1.1": model(
                "T5Config",
                "T5ForConditionalGeneration",
                **T5,
                feed_forward_proj="gated-gelu",
                tie_word_embeddings=False,
            )
        },
    ),
    original("hf/whisper", "WhisperConfig", "WhisperForConditionalGeneration", WHISPER),
    original("hf/wav2vec2", "Wav2Vec2Config", "Wav2Vec2ForPreTraining", WAV2VEC2),
    Original(
        recipe="hf/wav2vec2-as-meant",
        package="",
        build=model("Wav2Vec2Config", "Wav2Vec2ForPreTraining", **WAV2VEC2),
    ),
    Original(
        recipe="openai/whisper", package="openai/whisper", config=OPENAI_WHISPER, build=whisper
    ),
]
