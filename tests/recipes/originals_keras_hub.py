"""Language models of Keras Hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recipes.original import Original, stand_ins

SIZES = {"vocabulary_size": 320, "num_layers": 2, "hidden_dim": 96, "intermediate_dim": 160}
GPT2 = {**SIZES, "num_heads": 4, "max_sequence_length": 64}
LLAMA = {**SIZES, "num_query_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": False}
#: What its tokenizers need, and its backbones do not.
ABSENT = ("tokenizers", "tensorflow_text", "kagglehub", "sentencepiece", "rouge_score", "regex")


def backbone(name: str, **sizes: Any) -> Callable[[], Any]:
    """What makes a backbone."""

    def build() -> Any:
        import keras

        with stand_ins(*ABSENT):
            import keras_hub

            made = getattr(keras_hub.models, name)
        keras.utils.set_random_seed(0)
        return made(**sizes)

    return build


ORIGINALS = [
    Original(
        recipe="keras-hub/gpt2",
        package="keras-hub",
        config=GPT2,
        build=backbone("GPT2Backbone", **GPT2),
    ),
    Original(
        recipe="keras-hub/llama",
        package="keras-hub",
        config=LLAMA,
        build=backbone("LlamaBackbone", **LLAMA),
        repeats=True,
    ),
]
